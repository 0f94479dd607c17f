/*
 * ddl_triggers.c
 *	  What DDL did: event triggers for CREATE and ALTER, an object access hook
 *	  for DROP.
 *
 * The hook sees every drop, cascades included, while the catalogs still hold
 * the options; the trigger on ddl_command_start is there only so that the
 * library is loaded by then.  The hook records, and never refuses a DROP.
 */
#include "pg/util/export.h"

#include "access/table.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_user_mapping.h"
#include "commands/event_trigger.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/cmdtag.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "pg/ddl/ddl.h"
#include "pg/ddl/ddl_catalog.h"
#include "pg/ddl/ddl_client.h"
#include "pg/ddl/ddl_leftover.h"
#include "pg/ddl/ddl_privilege.h"
#include "pg/ddl/ddl_remote.h"
#include "pg/ddl/ddl_xact.h"
#include "pg/table/option_check.h"
#include "pg/table/relation.h"
#include "pg/util/extension.h"
#include "pg/util/guc.h"

extern PGDLLEXPORT Datum dynamo_fdw_ddl_command_start(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum dynamo_fdw_ddl_command_end(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum dynamo_fdw_delete_pending(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(dynamo_fdw_ddl_command_start);
PG_FUNCTION_INFO_V1(dynamo_fdw_ddl_command_end);
PG_FUNCTION_INFO_V1(dynamo_fdw_delete_pending);

static object_access_hook_type previous_hook = NULL;

/* Do CREATE, ALTER and DROP of this session act on DynamoDB now? */
static bool
is_active(void)
{
	return dyn_guc_remote_ddl() && !IsBinaryUpgrade && SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA;
}

/* ---- DROP ---- */

/*
 * The remote table that goes with a foreign table; NULL where that is in doubt,
 * *why is a message then.  Options can be wrong here, and a DROP must not fail
 * over them.
 */
static DynRemote *
remote_to_drop(const char *name, List *table_options, List *server_options, const char **why)
{
	const char *wrong = dyn_options_wrong(table_options, DYN_ON_TABLE);

	if (wrong == NULL)
		wrong = dyn_options_wrong(server_options, DYN_ON_SERVER);
	if (wrong == NULL)
		return dyn_remote_resolve(table_options, server_options, name, why);
	*why = psprintf("option \"%s\" is not valid", wrong);
	return NULL;
}

/* Records that a foreign table goes. */
static void
note_table_drop(Oid relid)
{
	ForeignTable *table = GetForeignTable(relid);
	ForeignServer *server = GetForeignServer(table->serverid);
	char	   *name = get_rel_name(relid);
	const char *why;
	DynRemote  *remote = remote_to_drop(name, table->options, server->options, &why);
	HeapTuple	tuple;
	Oid			owner;

	if (remote == NULL)
	{
		ereport(WARNING,
				(errmsg("no remote table is deleted with foreign table \"%s\"", name),
				 errdetail("%c%s.", pg_toupper((unsigned char) why[0]), why + 1)));
		return;
	}
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(tuple))
		return;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	dyn_ddl_note_drop(remote, dyn_drop_policy(table->options, server->options), table->serverid, owner, name);
}

static void
on_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	if (previous_hook)
		previous_hook(access, class_id, object_id, sub_id, arg);
	if (access != OAT_DROP || sub_id != 0 || !is_active())
		return;
	if (class_id == RelationRelationId)
	{
		if (dyn_extension_has_table(object_id))
			note_table_drop(object_id);
		else if (get_rel_relkind(object_id) == RELKIND_RELATION && dyn_catalog_is_owned_table(object_id))
			dyn_ddl_note_catalog_drop();
	}
	else if (class_id == UserMappingRelationId)
		dyn_ddl_client_capture(object_id);
}

Datum
dynamo_fdw_ddl_command_start(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		elog(ERROR, "not called by event trigger manager");
	PG_RETURN_NULL();
}

/* ---- CREATE and ALTER ---- */

/* Tags of commands that may have made or changed a foreign table. */
static bool
tag_concerns_us(const char *tag)
{
	static const char *const tags[] = {
		"CREATE FOREIGN TABLE", "CREATE EXTENSION", "IMPORT FOREIGN SCHEMA", "ALTER FOREIGN TABLE", "ALTER TABLE"
	};

	for (size_t i = 0; i < lengthof(tags); i++)
		if (strcmp(tag, tags[i]) == 0)
			return true;
	return false;
}

/* Can the command have changed which remote table is meant? */
static bool
changes_remote_name(Node *parsetree)
{
	ListCell   *lc;

	if (IsA(parsetree, RenameStmt))
	{
		ObjectType	type = ((RenameStmt *) parsetree)->renameType;

		return type == OBJECT_FOREIGN_TABLE || type == OBJECT_TABLE;
	}
	if (IsA(parsetree, AlterTableStmt))
		foreach(lc, ((AlterTableStmt *) parsetree)->cmds)
			if (((AlterTableCmd *) lfirst(lc))->subtype == AT_GenericOptions)
				return true;
	return false;
}

static DynTarget *
make_target(Oid relid, bool created)
{
	DynTarget  *target = palloc0(sizeof(DynTarget));
	Relation	rel = table_open(relid, AccessShareLock);

	/* Raises what is wrong with it.  ALTER may have to pass through equal names: they are found at first use. */
	target->rel = created ? dyn_relation_open(rel) : dyn_relation_open_altered(rel);
	target->name = pstrdup(RelationGetRelationName(rel));
	target->owner = rel->rd_rel->relowner;
	target->altered = !created;
	if (created && target->rel->create_remote_table && rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("temporary foreign table \"%s\" cannot make a remote table", target->name),
				 errhint("Set the option create_remote_table 'false'.")));
	table_close(rel, AccessShareLock);
	return target;
}

/* Foreign tables of ours that the command made or changed, checked. */
static List *
affected_tables(MemoryContext context, bool with_altered)
{
	List	   *targets = NIL;

	SPI_connect();
	if (SPI_execute("SELECT DISTINCT objid, command_tag OPERATOR(pg_catalog.=) 'CREATE FOREIGN TABLE'"
					" FROM pg_catalog.pg_event_trigger_ddl_commands()"
					" WHERE classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass",
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "pg_event_trigger_ddl_commands() failed");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		isnull;
		Oid			relid = DatumGetObjectId(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
		bool		created = DatumGetBool(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull));
		MemoryContext old;

		if (!dyn_extension_has_table(relid))
			continue;
		old = MemoryContextSwitchTo(context);
		{
			DynTarget  *target = make_target(relid, created);

			if (created || with_altered)
				targets = lappend(targets, target);
		}
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	return targets;
}

Datum
dynamo_fdw_ddl_command_end(PG_FUNCTION_ARGS)
{
	EventTriggerData *data;
	List	   *targets;
	List	   *wanted = NIL;
	ListCell   *lc;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		elog(ERROR, "not called by event trigger manager");
	data = (EventTriggerData *) fcinfo->context;
	dyn_ddl_check_privilege(data->parsetree);
	if (!tag_concerns_us(GetCommandTagName(data->tag)))
		PG_RETURN_NULL();
	targets = affected_tables(CurrentMemoryContext, changes_remote_name(data->parsetree));
	foreach(lc, targets)
	{
		DynTarget  *target = lfirst(lc);

		if (target->rel->create_remote_table)
			wanted = lappend(wanted, target);
	}
	if (wanted != NIL && is_active())
	{
		dyn_ddl_retry_leftovers();
		dyn_ddl_delete_pending(InvalidOid, wanted, false);
		dyn_ddl_ensure(wanted);
	}
	PG_RETURN_NULL();
}

Datum
dynamo_fdw_delete_pending(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("dynamo_fdw_delete_pending()");
	dyn_ddl_retry_leftovers();
	PG_RETURN_INT32(dyn_ddl_delete_pending(superuser() ? InvalidOid : GetUserId(), NIL, true));
}

void
dyn_ddl_init(void)
{
	previous_hook = object_access_hook;
	object_access_hook = on_object_access;
	dyn_ddl_client_init();
	dyn_ddl_xact_init();
}
