/*
 * ddl_plan.c
 *	  dynamo_fdw_plan(): what CREATE and DROP would do, and where the remote
 *	  differs.  Reads only, here and there; each table is looked at with its own
 *	  owner's keys.
 */
#include "pg/util/export.h"

#include "access/xact.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#include "pg/ddl/ddl_client.h"
#include "pg/ddl/ddl_difference.h"
#include "pg/ddl/ddl_job.h"
#include "pg/ddl/ddl_look.h"
#include "pg/ddl/ddl_note.h"
#include "pg/ddl/ddl_record.h"
#include "pg/ddl/ddl_reference.h"
#include "pg/ddl/ddl_target.h"
#include "pg/util/attempt.h"
#include "pg/util/error.h"
#include "pg/util/extension.h"

extern PGDLLEXPORT Datum dynamo_fdw_plan(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(dynamo_fdw_plan);

/* Columns of the result. */
enum
{
	PLAN_SERVER,
	PLAN_FOREIGN_TABLE,
	PLAN_REMOTE_TABLE,
	PLAN_OWNER,
	PLAN_STATUS,
	PLAN_ON_CREATE,
	PLAN_DIFFERENCE,
	PLAN_ON_DROP,
	PLAN_RECORD,
	PLAN_RECORD_STATE,
	PLAN_COLUMNS
};

/* A foreign table, or a record that none of them shows. */
typedef struct PlanRow
{
	Oid			serverid;
	Oid			owner;
	Oid			relid;			/* InvalidOid: a record alone */
	DynTarget  *target;			/* NULL: a record alone, or a foreign table that can't be used: */
	const char *invalid;		/* why */
	const DynWantedSettings *wanted;	/* that its options ask for; NULL: they contradict each other: */
	const char *contradiction;	/* how */
	const DynRecord *record;	/* of the remote table that is there; of a record alone: that one */
	const char *table;
	DynDdlClient *client;
	DynStatus	no_client;
	DynTableJob job;
	DynLook    *look;			/* at what DescribeTable does not show; NULL: not needed */
} PlanRow;

/* ---- rows ---- */

/* Callback of dyn_attempt(). */
static void
resolve_target(void *arg)
{
	PlanRow    *row = arg;
	DynTarget  *target = dyn_target_new(row->relid);

	row->wanted = dyn_settings_wanted(GetForeignTable(row->relid)->options, GetForeignServer(row->serverid)->options,
									  &row->contradiction);
	row->target = target;
}

static PlanRow *
row_of_table(Oid relid)
{
	PlanRow    *row = palloc0(sizeof(PlanRow));
	ErrorData  *error;

	row->relid = relid;
	row->owner = dyn_relation_owner(relid);
	row->serverid = GetForeignTable(relid)->serverid;
	error = dyn_attempt(resolve_target, row);
	if (error)
		row->invalid = error->message;
	else
		row->table = row->target->rel->remote.table;
	return row;
}

static PlanRow *
row_of_record(const DynRecord *record)
{
	PlanRow    *row = palloc0(sizeof(PlanRow));

	row->owner = record->owner;
	row->serverid = record->server;
	row->record = record;
	row->table = record->table;
	return row;
}

/* Foreign tables that the caller has the owner's role for, of one server or (InvalidOid) of all. */
static List *
rows_of_tables(Oid serverid)
{
	List	   *rows = NIL;
	ListCell   *lc;

	foreach(lc, dyn_tables_of_server(serverid))
	{
		Oid			relid = lfirst_oid(lc);

		if (dyn_extension_has_table(relid) && has_privs_of_role(GetUserId(), dyn_relation_owner(relid)))
			rows = lappend(rows, row_of_table(relid));
	}
	return rows;
}

static bool
is_shown(const DynRecord *record, List *rows)
{
	ListCell   *lc;

	foreach(lc, rows)
		if (((PlanRow *) lfirst(lc))->record == record)
			return true;
	return false;
}

/* Records that none of the rows shows, and that the caller has the owner's role for. */
static List *
rows_of_records(Oid serverid, List *records, List *rows)
{
	List	   *more = NIL;
	ListCell   *lc;

	foreach(lc, records)
	{
		const DynRecord *record = lfirst(lc);

		if ((!OidIsValid(serverid) || record->server == serverid) && !is_shown(record, rows) &&
			has_privs_of_role(GetUserId(), record->owner))
			more = lappend(more, row_of_record(record));
	}
	return more;
}

/* ---- looking ---- */

/* A record alone that nobody can act on? */
static bool
is_final(const PlanRow *row)
{
	return !OidIsValid(row->relid) && row->record->state == DYN_RECORD_FINAL;
}

static void
find_client(PlanRow *row)
{
	DynSignerLack lack;
	const DynSigner *signer;

	if (row->invalid || is_final(row))
		return;
	signer = dyn_note_signer(row->serverid, row->owner, &lack);
	if (signer)
		row->client = dyn_ddl_client_get(signer, &row->no_client);
	else
		dyn_signer_status(lack, row->serverid, row->owner, &row->no_client);
}

static void
look_at_rows(List *rows)
{
	DynTableJob **jobs = palloc(sizeof(DynTableJob *) * (list_length(rows) + 1));
	ListCell   *lc;
	int			n = 0;

	foreach(lc, rows)
	{
		PlanRow    *row = lfirst(lc);

		find_client(row);
		if (row->client == NULL)
			continue;
		dyn_table_job_init(&row->job, dyn_ddl_client_of(row->client), row->table, DYN_OP_DESCRIBE_TABLE);
		jobs[n++] = &row->job;
	}
	dyn_ddl_jobs_wait(jobs, n, -1);
}

static bool
is_there(const PlanRow *row)
{
	return row->client && row->job.status.cls == DYN_OK;
}

static bool
is_absent(const PlanRow *row)
{
	return row->client && row->job.status.cls == DYN_TABLE_MISSING;
}

/* Asks for the settings that DescribeTable does not show, where options say something of them. */
static void
look_closer(List *rows)
{
	List	   *looks = NIL;
	ListCell   *lc;

	foreach(lc, rows)
	{
		PlanRow    *row = lfirst(lc);

		/* what others manage is looked at no closer than with Feast's actions */
		if (row->wanted == NULL || !is_there(row) || !row->target->rel->create_remote_table)
			continue;
		row->look = dyn_look_new(row->wanted, row->client, row->table, &row->job.description);
		if (row->look)
			looks = lappend(looks, row->look);
	}
	dyn_looks_wait(looks);
}

/* ---- words ---- */

static const char *
status_text(const PlanRow *row)
{
	if (row->invalid)
		return row->invalid;
	if (is_final(row))
		return "unknown";
	if (row->client == NULL)
		return psprintf("unknown: %s", dyn_status_text(&row->no_client));
	if (is_absent(row))
		return "absent";
	if (!is_there(row))
		return psprintf("unknown: %s", dyn_ddl_job_text(&row->job));
	return row->job.description.status;
}

/* What an absent table would be made with. */
static const char *
make_text(const PlanRow *row)
{
	const char *attribute = row->target->rel->ttl_attribute;
	const char *expiry = attribute ? psprintf(", with time to live by \"%s\"", attribute) : "";
	const char *settings = dyn_ddl_wanted_text(row->wanted);

	return psprintf("make the remote table%s%s%s%s", row->record ? " again" : "", expiry,
					settings == NULL ? "" : attribute ? ", " : ", with ", settings ? settings : "");
}

/* Appends a difference to others; NULL: there is none. */
static const char *
join_differences(const char *first, const char *second)
{
	if (first && second)
		return psprintf("%s; %s", first, second);
	return first ? first : second;
}

static const char *
difference_text(const PlanRow *row)
{
	const DynTableDescription *shown = &row->job.description;
	const char *text = NULL;

	if (!is_there(row))
		return NULL;
	if (!shown->feast_key)
		text = psprintf("key is %s, Feast's is HASH entity_id (S)", shown->key_schema);
	if (row->wanted)
		text = join_differences(text, dyn_ddl_difference(row->wanted, shown));
	return row->look ? join_differences(text, dyn_look_difference(row->look)) : text;
}

static const char *
create_text(const PlanRow *row)
{
	if (row->target == NULL)
		return NULL;
	if (!row->target->rel->create_remote_table)
		return "nothing: create_remote_table is 'false'";
	if (row->wanted == NULL)
		return psprintf("fail: %s", row->contradiction);
	if (is_absent(row))
		return make_text(row);
	if (!is_there(row))
		return "fail";
	if (!row->job.description.feast_key)
		return "fail: it is not a table of Feast";
	if (row->record && row->record->owner == row->owner && difference_text(row))
		return "use the remote table, and change its settings";
	return "use the remote table as it is";
}

/* Another foreign table over the same remote name, by the same endpoint or by another one; NULL: none. */
static const char *
other_reference(const PlanRow *row, DynReferences *references, bool same_endpoint)
{
	const DynRemote *remote = &row->target->rel->remote;
	const DynReference *reference = dyn_references_find(references, remote->region, remote->table);

	for (; reference; reference = reference->next)
		if (reference->relid != row->relid &&
			(strcmp(reference->endpoint, remote->endpoint.url) == 0) == same_endpoint)
			return get_rel_name(reference->relid);
	return NULL;
}

/*
 * Is it the record of the table that the row was shown; or of the one that the
 * foreign table's owner made by this server, and that is not there any more?
 */
static bool
is_record_of(const DynRecord *record, const PlanRow *row)
{
	if (is_there(row))
		return dyn_record_matches(record, &row->job.description);
	return is_absent(row) && !dyn_record_is_owed(record) && record->owner == row->owner &&
		record->server == row->serverid && strcmp(record->endpoint, row->target->rel->remote.endpoint.url) == 0;
}

/* Finds the records of the tables that the rows were shown. */
static void
find_records(List *rows, List *records)
{
	ListCell   *lc;

	foreach(lc, rows)
	{
		PlanRow    *row = lfirst(lc);
		ListCell   *lr;

		if (row->target == NULL)
			continue;
		foreach(lr, dyn_records_at(records, row->target->rel->remote.region, row->table))
			if (is_record_of(lfirst(lr), row))
				row->record = lfirst(lr);
	}
}

/* What becomes of a record alone. */
static const char *
record_text(const PlanRow *row, DynReferences *references)
{
	const DynReference *reference = dyn_references_find(references, row->record->region, row->table);

	if (row->record->note[0])
		return row->record->note;
	if (dyn_record_is_owed(row->record))
		return "its deletion is owed";
	return reference ? psprintf("foreign table \"%s\" is over its name", get_rel_name(reference->relid)) :
		"no foreign table is left to be dropped";
}

/* What DROP of a foreign table whose remote table is there and could go would do. */
static const char *
drop_text_by_record(const PlanRow *row, DynReferences *references)
{
	const DynRecord *record = row->record;
	const char *other = other_reference(row, references, false);
	bool		always = row->target->rel->drop_policy == DYN_DROP_ALWAYS;

	if (!always && record == NULL)
		return "keep: CREATE FOREIGN TABLE did not make it here";
	if (!always && record->owner != row->owner)
		return psprintf(dyn_record_is_owed(record) ? "wait for role \"%s\", whose CREATE FOREIGN TABLE made it" :
						"keep: CREATE FOREIGN TABLE of role \"%s\" made it", GetUserNameFromId(record->owner, true));
	if (!always && record->state == DYN_RECORD_FINAL)
		return psprintf("keep: %s", record->note);
	if (row->job.description.settings.deletion_protection)
		return "keep: it is protected against deletion";
	if (other)
		return psprintf("delete, unless foreign table \"%s\" by another endpoint means the same table", other);
	return always ? "delete: drop_remote_table is 'always'" : "delete: CREATE FOREIGN TABLE made it";
}

static const char *
drop_text(const PlanRow *row, DynReferences *references)
{
	const char *other;

	if (!OidIsValid(row->relid))
		return record_text(row, references);
	if (row->target == NULL)
		return NULL;
	if (row->target->rel->drop_policy == DYN_DROP_NEVER)
		return "keep: drop_remote_table is 'never'";
	other = other_reference(row, references, true);
	if (other)
		return psprintf("keep: foreign table \"%s\" uses it too", other);
	if (is_absent(row))
		return "nothing: it is not there";
	if (!is_there(row))
		return "keep: it can't be looked at";
	return row->job.description.feast_key ? drop_text_by_record(row, references) : "keep: it is not a table of Feast";
}

/* ---- the whole ---- */

static void
set_text(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column] = text == NULL;
	if (text)
		values[column] = CStringGetTextDatum(text);
}

static void
set_name(Datum *values, bool *nulls, int column, const char *name)
{
	nulls[column] = name == NULL;
	if (name)
		values[column] = DirectFunctionCall1(namein, CStringGetDatum(name));
}

static void
put_row(ReturnSetInfo *result, const PlanRow *row, DynReferences *references)
{
	const DynRecord *record = row->record;
	ForeignServer *server = GetForeignServerExtended(row->serverid, FSV_MISSING_OK);
	Datum		values[PLAN_COLUMNS] = {0};
	bool		nulls[PLAN_COLUMNS] = {false};

	set_name(values, nulls, PLAN_SERVER, server ? server->servername : NULL);
	nulls[PLAN_FOREIGN_TABLE] = !OidIsValid(row->relid);
	values[PLAN_FOREIGN_TABLE] = ObjectIdGetDatum(row->relid);
	set_text(values, nulls, PLAN_REMOTE_TABLE, row->table);
	set_name(values, nulls, PLAN_OWNER, GetUserNameFromId(row->owner, true));
	set_text(values, nulls, PLAN_STATUS, status_text(row));
	set_text(values, nulls, PLAN_ON_CREATE, create_text(row));
	set_text(values, nulls, PLAN_DIFFERENCE, difference_text(row));
	set_text(values, nulls, PLAN_ON_DROP, drop_text(row, references));
	nulls[PLAN_RECORD] = nulls[PLAN_RECORD_STATE] = record == NULL;
	if (record)
	{
		values[PLAN_RECORD] = Int64GetDatum(record->id);
		values[PLAN_RECORD_STATE] = CStringGetTextDatum(dyn_record_state_name(record->state));
	}
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* The server of that name, which must be one of ours; InvalidOid for NULL. */
static Oid
server_argument(FunctionCallInfo fcinfo)
{
	ForeignServer *server;

	if (PG_ARGISNULL(0))
		return InvalidOid;
	server = GetForeignServerByName(NameStr(*PG_GETARG_NAME(0)), false);
	if (!dyn_extension_has_server(server->serverid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("server \"%s\" is not one of dynamo_fdw", server->servername)));
	return server->serverid;
}

Datum
dynamo_fdw_plan(PG_FUNCTION_ARGS)
{
	Oid			serverid = server_argument(fcinfo);
	List	   *records;
	List	   *rows;
	List	   *more;
	DynReferences *references;
	ListCell   *lc;

	dyn_records_require();
	InitMaterializedSRF(fcinfo, 0);
	records = dyn_records();
	rows = rows_of_tables(serverid);
	look_at_rows(rows);
	look_closer(rows);
	find_records(rows, records);
	more = rows_of_records(serverid, records, rows);
	look_at_rows(more);
	references = dyn_references_collect();
	foreach(lc, list_concat(rows, more))
		put_row((ReturnSetInfo *) fcinfo->resultinfo, lfirst(lc), references);
	PG_RETURN_NULL();
}
