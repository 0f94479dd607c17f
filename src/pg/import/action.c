/*
 * action.c
 *	  What dynamo_fdw_apply did.
 */
#include "pg/util/export.h"

#include "utils/memutils.h"
#include "utils/palloc.h"

#include "pg/import/action.h"

void
dyn_action_add(DynActions *actions, const char *kind, const char *name, const char *action, const char *detail)
{
	MemoryContext old;
	DynAction  *row;

	if (actions == NULL)
		return;
	old = MemoryContextSwitchTo(actions->context);
	row = palloc(sizeof(DynAction));
	row->kind = kind;
	row->name = pstrdup(name);
	row->action = action;
	row->detail = detail ? pstrdup(detail) : NULL;
	actions->list = lappend(actions->list, row);
	MemoryContextSwitchTo(old);
}
