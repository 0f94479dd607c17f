/*
 * ddl_changed.h
 *	  What CREATE and ALTER did to foreign tables.
 */
#ifndef DYN_DDL_CHANGED_H
#define DYN_DDL_CHANGED_H

#include "commands/event_trigger.h"
#include "nodes/pg_list.h"

/*
 * At ddl_command_end: raises what is wrong with the foreign tables of ours that
 * the command made or changed.  DynTargets of those whose remote table shall be
 * there now, in the current memory context.
 */
extern List *dyn_ddl_check_changed(const EventTriggerData *data);

#endif							/* DYN_DDL_CHANGED_H */
