/*
 * attempt.c
 *	  Something that may fail without harm to whoever tries it.
 */
#include "pg/util/export.h"

#include "access/xact.h"
#include "utils/resowner.h"

#include "pg/util/attempt.h"

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
	if (error && error->sqlerrcode == ERRCODE_QUERY_CANCELED)
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
