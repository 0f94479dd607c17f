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

/* What is asked of a remote table that a foreign table meant. */
typedef struct DynSettingsAsked
{
	Oid			relid;
	DynRemote	remote;
	unsigned	settings;		/* bits of DynSetting, to be as the options say at the commit */
	unsigned	defaults;		/* of these, those that are to be DynamoDB's default where no option names them */
	const DynTags *old_tags;	/* that it has by options which may not say them any more; NULL: none */
} DynSettingsAsked;

/* Each foreign table once for each remote table, in the current memory context. */
extern List *dyn_settings_asked(void);
extern bool dyn_settings_are_asked(void);

/*
 * Does the foreign table mean another remote table by now?  Then nothing is done to
 * that one, which nobody may have thought of, and a WARNING says so.
 */
extern bool dyn_settings_have_moved(const DynSettingsAsked *asked, const DynTarget *target);

/* CREATE found a table that is ours, or somebody asks by hand. */
extern void dyn_setting_note(const DynTarget *target, unsigned settings);

/* CREATE made the table as the options say, but for these settings. */
extern void dyn_setting_note_made(const DynTarget *target, unsigned settings);

/* CREATE uses what a rolled-back part of the transaction made with these settings and tags. */
extern void dyn_setting_note_remade(const DynTarget *target, unsigned settings, unsigned made_with,
									const DynTags *made_tags);

/* A copy in TopTransactionContext. */
extern DynTags *dyn_setting_keep_tags(const DynTags *tags);

/* ALTER FOREIGN TABLE named options of an old foreign table.  Says which of them change nothing remote, and why. */
extern void dyn_setting_note_altered(const DynTarget *target, List *named_options);

/* ALTER SERVER named options: says that it changed no remote table. */
extern void dyn_setting_tell_server(Oid serverid, List *named_options);

/* A subtransaction ends. */
extern void dyn_setting_end_subxact(SubXactEvent event, SubTransactionId mine, SubTransactionId parent);

/* The transaction ends. */
extern void dyn_setting_forget(void);

#endif							/* DYN_DDL_SETTING_H */
