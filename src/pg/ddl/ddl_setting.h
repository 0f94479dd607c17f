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

/* What is asked of one foreign table's remote table. */
typedef struct DynSettingsAsked
{
	Oid			relid;
	unsigned	settings;		/* bits of DynSetting, to be as the options say at the commit */
	const DynTags *old_tags;	/* that the options said before they were changed, and may say no more; NULL: none */
	const char *old_table;		/* the remote table that they said it of */
} DynSettingsAsked;

/* Each foreign table once, in the current memory context. */
extern List *dyn_settings_asked(void);
extern bool dyn_settings_are_asked(void);

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
