/*
 * ddl_setting.h
 *	  Which settings of remote tables this transaction asks for, noted in
 *	  backend memory until its commit brings them about (ddl_change.c).
 */
#ifndef DYN_DDL_SETTING_H
#define DYN_DDL_SETTING_H

#include "access/xact.h"
#include "nodes/pg_list.h"

#include "pg/ddl/ddl_target.h"

/* Of one foreign table; in TopTransactionContext. */
typedef struct DynSettingNote
{
	Oid			relid;
	SubTransactionId subid;
	unsigned	settings;		/* bits of DynSetting, to be as the options say at the commit */
	DynTags		old_tags;		/* that the options said before, and may say no more */
} DynSettingNote;

/* Oldest first; a foreign table may have several. */
extern List *dyn_setting_notes(void);

/* CREATE made or found a table, or somebody asks by hand. */
extern void dyn_setting_note(Oid relid, unsigned settings);

/* ALTER FOREIGN TABLE named options of an old foreign table.  Says which of them change nothing remote, and why. */
extern void dyn_setting_note_altered(const DynTarget *target, List *named_options);

/* ALTER SERVER named options: says that it changed no remote table. */
extern void dyn_setting_tell_server(Oid serverid, List *named_options);

/* A subtransaction ends. */
extern void dyn_setting_end_subxact(SubXactEvent event, SubTransactionId mine, SubTransactionId parent);

/* The transaction ends. */
extern void dyn_setting_forget(void);

#endif							/* DYN_DDL_SETTING_H */
