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
#include "fmgr.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "pg/ddl/ddl.h"
#include "pg/ddl/ddl_catalog.h"
#include "pg/ddl/ddl_changed.h"
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

	if (remote)
		dyn_ddl_note_drop(remote, dyn_drop_policy(table->options, server->options), table->serverid,
						  rel->rd_rel->relowner, name);
	else
		ereport(WARNING,
				(errmsg("no remote table is deleted with foreign table \"%s\"", name),
				 errdetail("%c%s.", pg_toupper((unsigned char) why[0]), why + 1)));
	table_close(rel, NoLock);
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

Datum
dynamo_fdw_ddl_command_end(PG_FUNCTION_ARGS)
{
	EventTriggerData *data;
	List	   *targets;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		elog(ERROR, "not called by event trigger manager");
	data = (EventTriggerData *) fcinfo->context;
	dyn_ddl_check_privilege(data->parsetree);
	targets = dyn_ddl_check_changed(data);
	if (targets != NIL && is_active())
	{
		dyn_ddl_retry_leftovers();
		dyn_ddl_delete_pending(InvalidOid, targets, false);
		dyn_ddl_ensure(targets);
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
