/*
 * ddl_changed.h
 *	  What CREATE and ALTER did to foreign tables.
 */
#ifndef DYN_DDL_CHANGED_H
#define DYN_DDL_CHANGED_H

#include "commands/event_trigger.h"
#include "nodes/pg_list.h"

/* DynTargets in the current memory context. */
typedef struct DynTableChanges
{
	List	   *to_make;		/* whose remote table shall be there now */
	List	   *altered;		/* that were there before */
	List	   *named_options;	/* DefElems: options of tables that ALTER named */
} DynTableChanges;

/*
 * At ddl_command_end: raises what is wrong with the foreign tables of ours that
 * the command made or changed.
 */
extern DynTableChanges dyn_ddl_check_changed(const EventTriggerData *data);

#endif							/* DYN_DDL_CHANGED_H */
