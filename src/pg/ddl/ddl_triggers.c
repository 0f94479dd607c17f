/*
 * ddl_triggers.c
 *	  What DDL did: event triggers for CREATE and ALTER, an object access hook
 *	  for DROP and RENAME.
 *
 * The hook sees every drop, cascades included, while the catalogs still hold
 * the options; the trigger on ddl_command_start is there so that the library is
 * loaded by then, and notes how the command found the catalogs.  The hook
 * records, and never refuses a DROP.
 */
#include "pg/util/export.h"

#include "access/table.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_foreign_server.h"
#include "commands/event_trigger.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "pg/ddl/ddl.h"
#include "pg/ddl/ddl_changed.h"
#include "pg/ddl/ddl_leftover.h"
#include "pg/ddl/ddl_make.h"
#include "pg/ddl/ddl_moved.h"
#include "pg/ddl/ddl_note.h"
#include "pg/ddl/ddl_owed.h"
#include "pg/ddl/ddl_pin.h"
#include "pg/ddl/ddl_privilege.h"
#include "pg/ddl/ddl_record.h"
#include "pg/ddl/ddl_setting.h"
#include "pg/ddl/ddl_snapshot.h"
#include "pg/ddl/ddl_target.h"
#include "pg/ddl/ddl_xact.h"
#include "pg/load/interval.h"
#include "pg/table/option_check.h"
#include "pg/table/relation.h"
#include "pg/util/extension.h"
#include "pg/util/guc.h"

extern PGDLLEXPORT Datum dynamo_fdw_ddl_command_start(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum dynamo_fdw_ddl_command_end(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(dynamo_fdw_ddl_command_start);
PG_FUNCTION_INFO_V1(dynamo_fdw_ddl_command_end);

static object_access_hook_type previous_hook = NULL;

/* Do CREATE, ALTER and DROP of this session act on DynamoDB now? */
static bool
is_active(void)
{
	return dyn_guc_remote_ddl() && !IsBinaryUpgrade && SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA;
}

/* ---- DROP and RENAME ---- */

/* Is the table of records another version's?  DROP EXTENSION takes it away, but that was noted. */
static bool
records_are_unknown(void)
{
	return !dyn_records_exist() && !dyn_note_records_are_dropped();
}

/*
 * The remote table that goes with a foreign table; NULL where that is in doubt,
 * *why is a message then.  Options can be wrong here, and a DROP must not fail
 * over them.  A table whose key was never marked has not even adopted one.
 */
static DynRemote *
remote_to_drop(Relation rel, List *table_options, List *server_options, const char **why)
{
	const char *wrong = dyn_options_wrong(table_options, DYN_ON_TABLE);

	if (wrong == NULL)
		wrong = dyn_options_wrong(server_options, DYN_ON_SERVER);
	if (wrong)
		*why = psprintf("option \"%s\" is not valid", wrong);
	else if (!dyn_relation_marks_keys(rel, table_options))
		*why = "its entity key is not marked";
	else
		return dyn_remote_resolve(table_options, server_options, RelationGetRelationName(rel), why);
	return NULL;
}

/* Records that a foreign table goes. */
static void
note_table_drop(Oid relid)
{
	ForeignTable *table = GetForeignTable(relid);
	ForeignServer *server = GetForeignServer(table->serverid);
	Relation	rel = table_open(relid, NoLock);
	const char *name = RelationGetRelationName(rel);
	const char *why;
	DynRemote  *remote = remote_to_drop(rel, table->options, server->options, &why);
	DynDropPolicy policy = remote ? dyn_drop_policy(table->options, server->options) : DYN_DROP_NEVER;

	if (remote == NULL)
		ereport(WARNING,
				(errmsg("no remote table is deleted with foreign table \"%s\"", name),
				 errdetail("%c%s.", pg_toupper((unsigned char) why[0]), why + 1)));
	else if (policy != DYN_DROP_NEVER && records_are_unknown())
		ereport(WARNING,
				(errmsg("remote table \"%s\" of foreign table \"%s\" is kept", remote->table, name),
				 errdetail("Extension dynamo_fdw in this database is not of the version of its library."),
				 errhint("Use ALTER EXTENSION dynamo_fdw UPDATE.")));
	else
		dyn_note_drop(remote, policy, table->serverid, rel->rd_rel->relowner, InvalidOid, name);
	table_close(rel, NoLock);
}

/* Notes what goes.  What was loaded into a foreign table is forgotten even where its remote table is none of our business. */
static void
note_drop(Oid class_id, Oid object_id)
{
	if (class_id == RelationRelationId && dyn_extension_has_table(object_id))
		dyn_intervals_forget(object_id);
	if (!is_active())
		return;
	if (class_id == ForeignServerRelationId)
	{
		if (dyn_extension_has_server(object_id))
			dyn_note_server_drop(object_id);
	}
	else if (class_id == RelationRelationId)
	{
		if (dyn_extension_has_table(object_id))
			note_table_drop(object_id);
		else if (get_rel_relkind(object_id) == RELKIND_RELATION && dyn_records_are_in(object_id))
			dyn_note_records_drop();
	}
}

static void
on_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	if (previous_hook)
		previous_hook(access, class_id, object_id, sub_id, arg);
	if (access == OAT_DROP && sub_id == 0)
		note_drop(class_id, object_id);
	else if (access == OAT_POST_ALTER && class_id == RelationRelationId)
		dyn_pin_note(object_id, sub_id);
}

Datum
dynamo_fdw_ddl_command_start(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		elog(ERROR, "not called by event trigger manager");
	if (!dyn_pins_are_applied() && dyn_snapshot_begin_command())
		dyn_pins_reset();
	PG_RETURN_NULL();
}

/* ---- CREATE and ALTER ---- */

/* Makes the remote tables of targets; what their owners still owe comes first, for it may be in the way. */
static void
make_tables(List *targets, bool imported)
{
	List	   *remotes = NIL;
	List	   *owners = NIL;
	ListCell   *lc;

	foreach(lc, targets)
	{
		DynTarget  *target = lfirst(lc);

		target->imported = imported;
		remotes = lappend(remotes, &target->rel->remote);
		owners = list_append_unique_oid(owners, target->owner);
	}
	dyn_leftovers_retry();
	foreach(lc, owners)
		dyn_owed_retry(lfirst_oid(lc), remotes);
	dyn_ddl_make(targets, -1);
}

/* The server that the statement alters, if it is one of ours; or InvalidOid. */
static Oid
altered_server(const Node *parsetree)
{
	ForeignServer *server;

	if (!IsA(parsetree, AlterForeignServerStmt))
		return InvalidOid;
	server = GetForeignServerByName(((const AlterForeignServerStmt *) parsetree)->servername, true);
	return server && dyn_extension_has_server(server->serverid) ? server->serverid : InvalidOid;
}

/* ALTER SERVER acts on nothing remote. */
static void
tell_server_changed(Oid serverid, List *named_options)
{
	dyn_moved_tell_tables(serverid);
	if (is_active())
		dyn_setting_tell_server(serverid, named_options);
}

static void
act_on_changes(const DynTableChanges *changes, bool imported)
{
	ListCell   *lc;

	if (changes->to_make != NIL)
		make_tables(changes->to_make, imported);
	foreach(lc, changes->altered)
		dyn_setting_note_altered(lfirst(lc), changes->named_options);
}

Datum
dynamo_fdw_ddl_command_end(PG_FUNCTION_ARGS)
{
	EventTriggerData *data;
	DynTableChanges changes;
	Oid			serverid;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		elog(ERROR, "not called by event trigger manager");
	data = (EventTriggerData *) fcinfo->context;
	if (dyn_pins_are_applied())
		PG_RETURN_NULL();
	dyn_pins_apply();
	dyn_ddl_check_privilege(data->parsetree);
	serverid = altered_server(data->parsetree);
	if (OidIsValid(serverid))
		tell_server_changed(serverid, castNode(AlterForeignServerStmt, data->parsetree)->options);
	changes = dyn_ddl_check_changed(data);
	if (is_active())
		act_on_changes(&changes, IsA(data->parsetree, ImportForeignSchemaStmt));
	dyn_snapshot_end_command();
	PG_RETURN_NULL();
}

void
dyn_ddl_init(void)
{
	previous_hook = object_access_hook;
	object_access_hook = on_object_access;
	dyn_ddl_xact_init();
}
