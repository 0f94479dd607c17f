/*
 * attempt.c
 *	  Something that may fail without harm to whoever tries it.
 */
#include "pg/util/export.h"

#include "access/xact.h"
#include "utils/resowner.h"

#include "pg/util/attempt.h"

/* Is it about the session or the machine, and not about what was tried? */
static bool
is_no_failure_of_action(const ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return error->sqlerrcode == ERRCODE_QUERY_CANCELED || error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE ||
		category == ERRCODE_TRANSACTION_ROLLBACK || category == ERRCODE_INSUFFICIENT_RESOURCES;
}

ErrorData *
dyn_attempt_if(bool (*action) (void *arg), void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		if (action(arg))
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error && is_no_failure_of_action(error))
		ReThrowError(error);
	return error;
}

typedef struct Attempt
{
	void		(*action) (void *arg);
	void	   *arg;
} Attempt;

static bool
run_and_keep(void *arg)
{
	Attempt    *attempt = arg;

	attempt->action(attempt->arg);
	return true;
}

ErrorData *
dyn_attempt(void (*action) (void *arg), void *arg)
{
	Attempt		attempt = {action, arg};

	return dyn_attempt_if(run_and_keep, &attempt);
}
