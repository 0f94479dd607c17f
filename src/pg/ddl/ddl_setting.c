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
	DynRemote	remote;			/* what the foreign table meant at that time */
	SubTransactionId subid;
	unsigned	settings;
	unsigned	defaults;
	bool		made;			/* CREATE made the table: what was before does not count */
	DynTags    *old_tags;		/* NULL: it changed no options */
} SettingNote;

/* In TopTransactionContext, the oldest first. */
static List *notes = NIL;

/* ---- notes ---- */

DynTags *
dyn_setting_keep_tags(const DynTags *from)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	DynTags    *to = palloc(sizeof(DynTags));

	to->n = from->n;
	to->tag = palloc(sizeof(DynTag) * Max(from->n, 1));
	for (int i = 0; i < from->n; i++)
	{
		to->tag[i].key = pstrdup(from->tag[i].key);
		to->tag[i].value = pstrdup(from->tag[i].value);
	}
	MemoryContextSwitchTo(old);
	return to;
}

static SettingNote *
add_note(const DynTarget *target, unsigned settings)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	SettingNote *note = palloc0(sizeof(SettingNote));

	note->relid = target->rel->relid;
	dyn_remote_copy(&note->remote, &target->rel->remote);
	note->subid = GetCurrentSubTransactionId();
	note->settings = settings;
	notes = lappend(notes, note);
	MemoryContextSwitchTo(old);
	return note;
}

void
dyn_setting_note(const DynTarget *target, unsigned settings)
{
	if (settings != 0)
		add_note(target, settings);
}

void
dyn_setting_note_made(const DynTarget *target, unsigned settings)
{
	add_note(target, settings)->made = true;
}

void
dyn_setting_note_remade(const DynTarget *target, unsigned settings, unsigned made_with, const DynTags *made_tags)
{
	SettingNote *note = add_note(target, settings | made_with | (made_tags->n > 0 ? DYN_SETTING_TAGS : 0));

	note->made = true;
	note->defaults = made_with & ~DYN_SETTING_WARMTH;	/* which only grows */
	note->old_tags = dyn_setting_keep_tags(made_tags);
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

/* What is asked of the note's table, so far. */
static DynSettingsAsked *
asked_by(List **all, const SettingNote *note)
{
	DynSettingsAsked *asked;
	ListCell   *lc;

	foreach(lc, *all)
	{
		asked = lfirst(lc);
		if (asked->relid == note->relid && dyn_remote_equal(&asked->remote, &note->remote))
			return asked;
	}
	asked = palloc0(sizeof(DynSettingsAsked));
	asked->relid = note->relid;
	asked->remote = note->remote;
	*all = lappend(*all, asked);
	return asked;
}

List *
dyn_settings_asked(void)
{
	List	   *all = NIL;
	ListCell   *lc;

	foreach(lc, notes)
	{
		const SettingNote *note = lfirst(lc);
		DynSettingsAsked *asked = asked_by(&all, note);

		asked->settings |= note->settings;
		asked->defaults |= note->defaults;
		/* what options said between two statements was never sent */
		if (note->made || asked->old_tags == NULL)
			asked->old_tags = note->old_tags;
	}
	return all;
}

bool
dyn_settings_have_moved(const DynSettingsAsked *asked, const DynTarget *target)
{
	if (dyn_remote_equal(&asked->remote, &target->rel->remote))
		return false;
	ereport(WARNING,
			(errmsg("remote table \"%s\" in %s is not changed", asked->remote.table, asked->remote.region),
			 errdetail("Foreign table \"%s\" means another remote table now.", target->name),
			 errhint("dynamo_fdw_plan() shows how that one differs, and dynamo_fdw_alter_table() changes it.")));
	return true;
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

	/* what was said of another remote table, this one has not by that */
	note->old_tags = dyn_setting_keep_tags(wanted && before && dyn_remote_equal(before, &note->remote) ?
										   &wanted->tags : &none);
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
	note_tags_before(add_note(target, settings), target->rel->serverid);
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
