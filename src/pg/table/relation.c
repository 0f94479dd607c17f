/*
 * relation.c
 *	  A foreign table resolved and checked.
 */
#include "pg/util/export.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "core/ddb_op.h"
#include "core/endpoint_rule.h"
#include "core/feast_key.h"
#include "pg/table/option_check.h"
#include "pg/table/relation.h"
#include "pg/util/scratch.h"
#include "pg/util/text.h"

/* ---- the remote table ---- */

/* The template with the names of a feature view in it. */
static char *
expand_template(const char *template, const char *project, const char *feature_view)
{
	StringInfoData name;

	initStringInfo(&name);
	for (const char *p = template; *p;)
	{
		if (strncmp(p, "{project}", 9) == 0)
		{
			appendStringInfoString(&name, project);
			p += 9;
		}
		else if (strncmp(p, "{table_name}", 12) == 0)
		{
			appendStringInfoString(&name, feature_view);
			p += 12;
		}
		else
			appendStringInfoChar(&name, *p++);
	}
	return name.data;
}

DynRemote *
dyn_remote_resolve(List *table_options, List *server_options, const char *relname, const char **why)
{
	DynRemote  *remote = palloc0(sizeof(DynRemote));
	const char *project = dyn_option_text("project", table_options, server_options);
	const char *feature_view = dyn_option_text("feature_view", table_options, NIL);
	const char *table = dyn_option_text("table_name", table_options, NIL);
	const char *region = dyn_option_text("region", server_options, NIL);

	if (region == NULL || !dyn_option_endpoint(server_options, &remote->endpoint))
	{
		if (why)
			*why = "the server has no valid \"region\" or \"endpoint_url\"";
		return NULL;
	}
	remote->region = pstrdup(region);
	if (project == NULL && table == NULL)
	{
		if (why)
			*why = "option \"project\" is required: set Feast's project on the server or on the foreign table";
		return NULL;
	}
	remote->table = table ? pstrdup(table) :
		expand_template(dyn_option_text("table_name_template", server_options, NIL), project,
						feature_view ? feature_view : relname);
	if (!dyn_table_name_valid(remote->table))
	{
		if (why)
			*why = psprintf("\"%s\" is not a valid DynamoDB table name", remote->table);
		return NULL;
	}
	return remote;
}

bool
dyn_remote_equal(const DynRemote *a, const DynRemote *b)
{
	return strcmp(a->table, b->table) == 0 && strcmp(a->region, b->region) == 0 &&
		dyn_endpoint_reaches_same(&a->endpoint, &b->endpoint);
}

void
dyn_remote_copy(DynRemote *copy, const DynRemote *remote)
{
	*copy = *remote;
	copy->region = pstrdup(remote->region);
	copy->table = pstrdup(remote->table);
}

int
dyn_remote_compare(const DynRemote *a, const DynRemote *b)
{
	int			c = strcmp(a->region, b->region);

	return c != 0 ? c : strcmp(a->table, b->table);
}

/* "never" of the server is a ceiling; a foreign table can only tighten. */
DynDropPolicy
dyn_drop_policy(List *table_options, List *server_options)
{
	const char *of_server = dyn_option_text("drop_remote_table", server_options, NIL);
	const char *policy = dyn_option_text("drop_remote_table", table_options, server_options);

	if (strcmp(of_server, "never") == 0 || strcmp(policy, "never") == 0)
		return DYN_DROP_NEVER;
	return strcmp(policy, "always") == 0 ? DYN_DROP_ALWAYS : DYN_DROP_CREATED;
}

/* dyn_remote_resolve, but raises why. */
static DynRemote *
resolve_or_fail(Relation rel, ForeignTable *table, ForeignServer *server)
{
	const char *why;
	DynRemote  *remote = dyn_remote_resolve(table->options, server->options, RelationGetRelationName(rel), &why);

	if (remote == NULL)
		ereport(ERROR,
				(errcode(dyn_option_text("project", table->options, server->options) ?
						 ERRCODE_INVALID_PARAMETER_VALUE : ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("foreign table \"%s\" names no remote table", RelationGetRelationName(rel)),
				 errdetail("%c%s.", pg_toupper((unsigned char) why[0]), why + 1),
				 errhint("Check the options \"project\", \"feature_view\", \"table_name\" and \"table_name_template\"; a DynamoDB table name has 3 to 255 characters out of a-z, A-Z, 0-9, '_', '.' and '-'.")));
	return remote;
}

/* ---- columns ---- */

/* qsort comparator: Feast's order of join keys. */
static int
compare_join_keys(const void *a, const void *b)
{
	return dyn_feast_key_compare_names((*(DynColumn *const *) a)->name, (*(DynColumn *const *) b)->name);
}

/* Raises that an earlier column has the name of columns[n]: both would be one attribute in DynamoDB. */
static void
check_name(const DynRelation *dyn, int n)
{
	const DynColumn *column = &dyn->columns[n];

	if (column->role != DYN_COLUMN_KEY && column->role != DYN_COLUMN_FEATURE)
		return;
	for (int i = 0; i < n; i++)
	{
		const DynColumn *other = &dyn->columns[i];

		if (other->role == column->role && strcmp(other->name, column->name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("columns \"%s\" and \"%s\" of foreign table \"%s\" have the same %s \"%s\"",
							other->sql_name, column->sql_name, dyn->name,
							column->role == DYN_COLUMN_KEY ? "join key" : "feature name", column->name)));
	}
}

/* The same for all columns. */
static void
check_names(const DynRelation *dyn)
{
	for (int i = 0; i < dyn->ncolumns; i++)
		check_name(dyn, i);
}

/* Takes a column that is marked as part of the key. */
static void
add_key(DynRelation *dyn, DynColumn *column)
{
	if (dyn->nkeys == DYN_MAX_KEYS)
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_COLUMNS),
				 errmsg("a foreign table cannot have more than %d entity key columns", DYN_MAX_KEYS)));
	dyn->keys[dyn->nkeys++] = column;
}

/* Takes the column that is marked as the event timestamp, of which there can be one. */
static void
set_event_timestamp(DynRelation *dyn, DynColumn *column)
{
	if (dyn->event_timestamp)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("foreign table \"%s\" has two event timestamp columns, \"%s\" and \"%s\"", dyn->name,
						dyn->event_timestamp->sql_name, column->sql_name),
				 errhint("Set the option \"event_timestamp\" on one column only.")));
	dyn->event_timestamp = column;
}

/* Finds out what each column is.  Raises only what makes that impossible. */
static void
resolve_columns(Relation rel, DynRelation *dyn)
{
	TupleDesc	desc = RelationGetDescr(rel);

	dyn->ncolumns = desc->natts;
	dyn->columns = palloc0(sizeof(DynColumn) * Max(desc->natts, 1));
	dyn->keys = palloc0(sizeof(DynColumn *) * DYN_MAX_KEYS);
	for (int i = 0; i < desc->natts; i++)
	{
		DynColumn  *column = &dyn->columns[i];

		if (!dyn_column_is_stored(TupleDescAttr(desc, i)))
			continue;
		dyn_column_resolve(dyn->relid, TupleDescAttr(desc, i), column);
		if (column->role == DYN_COLUMN_KEY)
			add_key(dyn, column);
		if (column->role == DYN_COLUMN_EVENT_TIMESTAMP)
			set_event_timestamp(dyn, column);
	}
	qsort(dyn->keys, dyn->nkeys, sizeof(DynColumn *), compare_join_keys);
	if (dyn->entityless && dyn->nkeys > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("foreign table \"%s\" is entityless and has entity key column \"%s\"", dyn->name,
						dyn->keys[0]->sql_name),
				 errhint("Drop the option \"entityless\" of the table, or \"entity_key\" of the column.")));
}

/* ---- the table ---- */

bool
dyn_relation_has_keys(const DynRelation *dyn)
{
	return dyn->nkeys > 0 || dyn->entityless;
}

bool
dyn_relation_marks_keys(Relation rel, List *table_options)
{
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped && dyn_column_is_key(RelationGetRelid(rel), i + 1))
			return true;
	return dyn_option_bool("entityless", table_options, NIL);
}

void
dyn_relation_check_columns(const DynRelation *dyn)
{
	for (int i = 0; i < dyn->ncolumns; i++)
		dyn_column_check(dyn->relid, &dyn->columns[i]);
	check_names(dyn);
}

void
dyn_relation_check_column(Relation rel, const char *name, bool added)
{
	DynRelation *dyn = palloc0(sizeof(DynRelation));

	dyn->relid = RelationGetRelid(rel);
	dyn->name = RelationGetRelationName(rel);
	dyn->entityless = dyn_option_bool("entityless", GetForeignTable(dyn->relid)->options, NIL);
	resolve_columns(rel, dyn);
	for (int i = 0; i < dyn->ncolumns; i++)
	{
		if (dyn->columns[i].role == DYN_COLUMN_NONE || strcmp(dyn->columns[i].sql_name, name) != 0)
			continue;
		dyn_column_check(dyn->relid, &dyn->columns[i]);
		if (added)
			check_name(dyn, i); /* it is the last one */
	}
}

void
dyn_relation_check_keys(const DynRelation *dyn, bool creating)
{
	if (!dyn_relation_has_keys(dyn))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("foreign table \"%s\" has no entity key column", dyn->name),
				 creating ?
				 errhint("Mark the key, as in: driver_id bigint OPTIONS (entity_key 'true'). A feature view without entities needs the table option entityless 'true'.") :
				 errhint("Mark the key: ALTER FOREIGN TABLE %s ALTER COLUMN ... OPTIONS (ADD entity_key 'true').",
						 quote_identifier(dyn->name))));
}

DynRelation *
dyn_relation_open(Relation rel)
{
	DynRelation *dyn = dyn_relation_open_unchecked(rel);

	for (int i = 0; i < dyn->nkeys; i++)
		dyn_column_check(dyn->relid, dyn->keys[i]);
	if (dyn->event_timestamp)
		dyn_column_check(dyn->relid, dyn->event_timestamp);
	check_names(dyn);
	dyn_relation_check_keys(dyn, false);
	return dyn;
}

/* Reads how long items live.  A server's attribute is for those of its tables whose items expire. */
static void
resolve_ttl(DynRelation *dyn, List *t, List *s)
{
	const char *attribute = dyn_option_text("ttl_attribute", t, s);

	dyn->ttl = dyn_option_interval("ttl", t, NIL);
	if (dyn->ttl > 0 && attribute)
		dyn->ttl_attribute = dyn_cstring_to_utf8(attribute);
}

/* Reads the options that table and server share, and those of one of them. */
static void
resolve_options(DynRelation *dyn, List *t, List *s)
{
	dyn->key_version = dyn_option_int("entity_key_serialization_version", s, NIL);
	dyn->entityless = dyn_option_bool("entityless", t, NIL);
	dyn->batch_size = dyn_option_int("batch_size", t, s);
	dyn->max_read_workers = dyn_option_int("max_read_workers", t, s);
	dyn->max_write_workers = dyn_option_int("max_write_workers", t, s);
	dyn->consistent_reads = dyn_option_bool("consistent_reads", t, s);
	dyn->consumed_capacity = dyn_option_bool("consumed_capacity", t, s);
	dyn->rewrite = strcmp(dyn_option_text("update_mode", t, s), "rewrite") == 0;
	dyn->latest = strcmp(dyn_option_text("write_mode", t, NIL), "latest") == 0;
	/* "false" of the server is a ceiling, too */
	dyn->create_remote_table = dyn_option_bool("create_remote_table", s, NIL) &&
		dyn_option_bool("create_remote_table", t, NIL);
	dyn->drop_policy = dyn_drop_policy(t, s);
	dyn->startup_cost = dyn_option_real("fdw_startup_cost", t, s);
	dyn->tuple_cost = dyn_option_real("fdw_tuple_cost", t, s);
}

DynRelation *
dyn_relation_open_unchecked(Relation rel)
{
	DynRelation *dyn = palloc0(sizeof(DynRelation));
	ForeignTable *table = GetForeignTable(RelationGetRelid(rel));
	ForeignServer *server = GetForeignServer(table->serverid);
	const char *feature_view = dyn_option_text("feature_view", table->options, NIL);

	dyn->context = CurrentMemoryContext;
	dyn->arena = dyn_scratch_arena(CurrentMemoryContext);
	dyn->relid = RelationGetRelid(rel);
	dyn->serverid = server->serverid;
	dyn->name = pstrdup(RelationGetRelationName(rel));
	dyn->feature_view = pstrdup(feature_view ? feature_view : dyn->name);
	dyn_options_check(server->options, DYN_ON_SERVER, psprintf("server \"%s\"", server->servername));
	dyn_options_check(table->options, DYN_ON_TABLE, psprintf("foreign table \"%s\"", dyn->name));
	dyn->remote = *resolve_or_fail(rel, table, server);
	resolve_options(dyn, table->options, server->options);
	resolve_ttl(dyn, table->options, server->options);
	resolve_columns(rel, dyn);
	return dyn;
}
