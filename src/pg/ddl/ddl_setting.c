/*
 * ddl_setting.c
 *	  Which settings of remote tables this transaction asks for.
 */
#include "pg/util/export.h"

#include "foreign/foreign.h"
#include "utils/memutils.h"

#include "pg/ddl/ddl_moved.h"
#include "pg/ddl/ddl_reference.h"
#include "pg/ddl/ddl_setting.h"
#include "pg/ddl/ddl_snapshot.h"
#include "pg/table/option.h"
#include "pg/table/setting.h"

/* One statement's part of it. */
typedef struct SettingNote
{
	Oid			relid;
	SubTransactionId subid;
	unsigned	settings;
	DynTags    *old_tags;		/* NULL: it changed no options */
	char	   *old_table;		/* the remote table that had them */
} SettingNote;

/* In TopTransactionContext, the oldest first. */
static List *notes = NIL;

/* ---- notes ---- */

static DynTags *
copy_tags(const DynTags *from)
{
	DynTags    *to = palloc(sizeof(DynTags));

	to->n = from->n;
	to->tag = palloc(sizeof(DynTag) * Max(from->n, 1));
	for (int i = 0; i < from->n; i++)
	{
		to->tag[i].key = pstrdup(from->tag[i].key);
		to->tag[i].value = pstrdup(from->tag[i].value);
	}
	return to;
}

static SettingNote *
add_note(Oid relid, unsigned settings)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	SettingNote *note = palloc0(sizeof(SettingNote));

	note->relid = relid;
	note->subid = GetCurrentSubTransactionId();
	note->settings = settings;
	notes = lappend(notes, note);
	MemoryContextSwitchTo(old);
	return note;
}

void
dyn_setting_note(Oid relid, unsigned settings)
{
	if (settings != 0)
		add_note(relid, settings);
}

void
dyn_setting_end_subxact(SubXactEvent event, SubTransactionId mine, SubTransactionId parent)
{
	ListCell   *lc;

	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	foreach(lc, notes)
	{
		SettingNote *note = lfirst(lc);

		if (note->subid != mine)
			continue;
		if (event == SUBXACT_EVENT_ABORT_SUB)
			notes = foreach_delete_current(notes, lc);
		else
			note->subid = parent;
	}
}

bool
dyn_settings_are_asked(void)
{
	return notes != NIL;
}

static DynSettingsAsked *
asked_of(List *all, Oid relid)
{
	ListCell   *lc;

	foreach(lc, all)
		if (((DynSettingsAsked *) lfirst(lc))->relid == relid)
			return lfirst(lc);
	return NULL;
}

List *
dyn_settings_asked(void)
{
	List	   *all = NIL;
	ListCell   *lc;

	foreach(lc, notes)
	{
		SettingNote *note = lfirst(lc);
		DynSettingsAsked *asked = asked_of(all, note->relid);

		if (asked == NULL)
		{
			asked = palloc0(sizeof(DynSettingsAsked));
			asked->relid = note->relid;
			all = lappend(all, asked);
		}
		asked->settings |= note->settings;
		/* what options said between two statements was never sent */
		if (asked->old_tags == NULL)
		{
			asked->old_tags = note->old_tags;
			asked->old_table = note->old_table;
		}
	}
	return all;
}

void
dyn_setting_forget(void)
{
	notes = NIL;
}

/* ---- ALTER ---- */

/* The options of both as they are now, after the command. */
static void
current_options(Oid relid, List **table_options, List **server_options)
{
	ForeignTable *table = GetForeignTable(relid);

	*table_options = table->options;
	*server_options = GetForeignServer(table->serverid)->options;
}

/* What goes with an option is not what the remote table loses: nobody knows what it was before. */
static void
tell_dropped(const DynTarget *target, List *named_options)
{
	List	   *table_options;
	List	   *server_options;
	ListCell   *lc;

	current_options(target->rel->relid, &table_options, &server_options);
	foreach(lc, named_options)
	{
		const DefElem *elem = lfirst_node(DefElem, lc);
		unsigned	setting = dyn_setting_of_option(elem->defname);

		if (setting == 0 || setting == DYN_SETTING_TAGS || elem->defaction != DEFELEM_DROP ||
			dyn_option_text(elem->defname, table_options, server_options) != NULL)
			continue;
		ereport(NOTICE,
				(errmsg("remote table \"%s\" keeps its \"%s\"", target->rel->remote.table, elem->defname),
				 errhint("To change that, add the option again, with the value that the table is to have.")));
	}
}

/* Adds what the options said of tags before the command: nothing, where they were not valid. */
static void
note_tags_before(SettingNote *note, Oid serverid)
{
	const char *why;
	DynTags		none = {0};
	DynWantedSettings *wanted = dyn_settings_wanted(dyn_snapshot_table_options_before(note->relid),
													dyn_snapshot_server_options_before(serverid), &why);
	const DynRemote *before = dyn_moved_from(note->relid, serverid);
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

	note->old_tags = copy_tags(wanted ? &wanted->tags : &none);
	note->old_table = pstrdup(before ? before->table : "");
	MemoryContextSwitchTo(old);
}

void
dyn_setting_note_altered(const DynTarget *target, List *named_options)
{
	unsigned	settings = dyn_settings_of_options(named_options);

	if (settings == 0)
		return;
	if (!target->rel->create_remote_table)
	{
		ereport(NOTICE,
				(errmsg("remote table \"%s\" is not changed", target->rel->remote.table),
				 errdetail("Foreign table \"%s\" or its server has the option create_remote_table 'false'.",
						   target->name)));
		return;
	}
	tell_dropped(target, named_options);
	note_tags_before(add_note(target->rel->relid, settings), target->rel->serverid);
}

/* How many of the server's foreign tables may change their remote tables. */
static int
count_changeable(Oid serverid)
{
	List	   *server_options = GetForeignServer(serverid)->options;
	int			n = 0;
	ListCell   *lc;

	if (!dyn_option_bool("create_remote_table", server_options, NIL))
		return 0;
	foreach(lc, dyn_tables_of_server(serverid))
		if (dyn_option_bool("create_remote_table", GetForeignTable(lfirst_oid(lc))->options, NIL))
			n++;
	return n;
}

void
dyn_setting_tell_server(Oid serverid, List *named_options)
{
	int			n = dyn_settings_of_options(named_options) != 0 ? count_changeable(serverid) : 0;

	if (n > 0)
		ereport(WARNING,
				(errmsg_plural("the remote table of %d foreign table of server \"%s\" is not changed",
							   "the remote tables of %d foreign tables of server \"%s\" are not changed", n, n,
							   GetForeignServer(serverid)->servername),
				 errhint("dynamo_fdw_plan() shows how they differ, and dynamo_fdw_alter_table() changes one.")));
}
