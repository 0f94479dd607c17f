/*
 * relation.c
 *	  A foreign table resolved and checked.
 */
#include "pg/util/export.h"

#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "mb/pg_wchar.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "core/ddb_op.h"
#include "core/feast_key.h"
#include "pg/table/option_check.h"
#include "pg/table/relation.h"
#include "pg/table/type_map.h"
#include "pg/util/scratch.h"

static char *
to_utf8(const char *text)
{
	return pg_server_to_any(text, strlen(text), PG_UTF8);
}

/* ---- the remote table ---- */

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
	if (project == NULL)
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
		strcmp(a->endpoint.url, b->endpoint.url) == 0;
}

DynDropPolicy
dyn_drop_policy(List *table_options, List *server_options)
{
	const char *policy = dyn_option_text("drop_remote_table", table_options, server_options);

	if (strcmp(policy, "always") == 0)
		return DYN_DROP_ALWAYS;
	return strcmp(policy, "never") == 0 ? DYN_DROP_NEVER : DYN_DROP_CREATED;
}

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

static void
refuse_type(Relation rel, const DynColumn *column, const char *value_type)
{
	bool		is_key = column->role == DYN_COLUMN_KEY;
	char	   *choices = dyn_type_choices(column->base_type, column->element_base_type, is_key);
	char	   *type = format_type_be(column->type);

	if (is_key && choices == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("column \"%s\" of type %s cannot be an entity key", column->sql_name, type),
				 errhint("Feast's entity keys are text, varchar, integer, bigint, bytea or timestamptz.")));
	if (choices == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("type %s of column \"%s\" of foreign table \"%s\" is not supported", type,
						column->sql_name, RelationGetRelationName(rel)),
				 errhint("The README lists the types that go with Feast's.")));
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
			 errmsg("value type %s does not go with column \"%s\" of type %s", value_type, column->sql_name, type),
			 errhint("Valid value types here are: %s.", choices)));
}

static void
resolve_type(Relation rel, DynColumn *column, const char *value_type)
{
	column->base_type = getBaseTypeAndTypmod(column->type, &column->typmod);
	column->element_type = get_element_type(column->base_type);
	if (OidIsValid(column->element_type))
		column->element_base_type = getBaseTypeAndTypmod(column->element_type, &column->typmod);
	if (column->typmod >= 0 &&
		find_typmod_coercion_function(OidIsValid(column->element_type) ? column->element_base_type : column->base_type,
									  &column->typmod_function) != COERCION_PATH_FUNC)
		column->typmod_function = InvalidOid;
	if (column->role == DYN_COLUMN_EVENT_TIMESTAMP)
	{
		if (column->base_type != TIMESTAMPTZOID || value_type != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
					 errmsg("event timestamp column \"%s\" must have type timestamp with time zone and no value type",
							column->sql_name)));
		column->feast_type = DYN_FEAST_UNIX_TIMESTAMP;
		return;
	}
	column->feast_type = dyn_type_resolve(column->base_type, column->element_base_type, value_type,
										  column->role == DYN_COLUMN_KEY);
	if (column->feast_type == DYN_FEAST_NONE)
		refuse_type(rel, column, value_type);
}

static void
resolve_column(Relation rel, Form_pg_attribute attr, DynColumn *column)
{
	List	   *options = GetForeignColumnOptions(RelationGetRelid(rel), attr->attnum);
	const char *name = dyn_option_text("name", options, NIL);

	column->attnum = attr->attnum;
	column->sql_name = pstrdup(NameStr(attr->attname));
	column->name = to_utf8(name ? name : column->sql_name);
	column->type = attr->atttypid;
	column->typmod = attr->atttypmod;
	if (dyn_option_bool("entity_key", options, NIL))
		column->role = DYN_COLUMN_KEY;
	else if (dyn_option_bool("event_timestamp", options, NIL))
		column->role = DYN_COLUMN_EVENT_TIMESTAMP;
	else
		column->role = DYN_COLUMN_FEATURE;
	resolve_type(rel, column, dyn_option_text("value_type", options, NIL));
}

static int
compare_join_keys(const void *a, const void *b)
{
	return dyn_feast_key_compare_names((*(DynColumn *const *) a)->name, (*(DynColumn *const *) b)->name);
}

/* Two columns of one name would be one attribute in DynamoDB. */
static void
check_names(DynRelation *dyn)
{
	for (int i = 0; i < dyn->ncolumns; i++)
		for (int k = 0; k < i; k++)
		{
			DynColumn  *a = &dyn->columns[k];
			DynColumn  *b = &dyn->columns[i];

			if (a->role == b->role && (a->role == DYN_COLUMN_KEY || a->role == DYN_COLUMN_FEATURE) &&
				strcmp(a->name, b->name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("columns \"%s\" and \"%s\" have the same %s \"%s\"", a->sql_name, b->sql_name,
								a->role == DYN_COLUMN_KEY ? "join key" : "feature name", a->name)));
		}
}

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

		/* a virtual generated column is computed by the server, here there is nothing of it */
		if (TupleDescAttr(desc, i)->attisdropped || TupleDescAttr(desc, i)->attgenerated == 'v')
			continue;
		resolve_column(rel, TupleDescAttr(desc, i), column);
		if (column->role == DYN_COLUMN_KEY)
		{
			if (dyn->nkeys == DYN_MAX_KEYS)
				ereport(ERROR,
						(errcode(ERRCODE_TOO_MANY_COLUMNS),
						 errmsg("a foreign table cannot have more than %d entity key columns", DYN_MAX_KEYS)));
			dyn->keys[dyn->nkeys++] = column;
		}
		if (column->role == DYN_COLUMN_EVENT_TIMESTAMP)
		{
			if (dyn->event_timestamp)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("foreign table \"%s\" has two event timestamp columns, \"%s\" and \"%s\"",
								RelationGetRelationName(rel), dyn->event_timestamp->sql_name, column->sql_name),
						 errhint("Set the option \"event_timestamp\" on one column only.")));
			dyn->event_timestamp = column;
		}
	}
	qsort(dyn->keys, dyn->nkeys, sizeof(DynColumn *), compare_join_keys);
}

DynRelation *
dyn_relation_open(Relation rel)
{
	DynRelation *dyn = dyn_relation_open_altered(rel);

	check_names(dyn);
	return dyn;
}

DynRelation *
dyn_relation_open_altered(Relation rel)
{
	DynRelation *dyn = palloc0(sizeof(DynRelation));
	ForeignTable *table = GetForeignTable(RelationGetRelid(rel));
	ForeignServer *server = GetForeignServer(table->serverid);
	List	   *t = table->options;
	List	   *s = server->options;
	const char *feature_view = dyn_option_text("feature_view", t, NIL);

	dyn->context = CurrentMemoryContext;
	dyn->arena = dyn_scratch_arena(CurrentMemoryContext);
	dyn->relid = RelationGetRelid(rel);
	dyn->serverid = server->serverid;
	dyn->feature_view = pstrdup(feature_view ? feature_view : RelationGetRelationName(rel));
	dyn_options_check(s, DYN_ON_SERVER, psprintf("server \"%s\"", server->servername));
	dyn_options_check(t, DYN_ON_TABLE, psprintf("foreign table \"%s\"", RelationGetRelationName(rel)));
	dyn->remote = *resolve_or_fail(rel, table, server);
	dyn->key_version = dyn_option_int("entity_key_serialization_version", s, NIL);
	dyn->batch_size = dyn_option_int("batch_size", t, s);
	dyn->max_read_workers = dyn_option_int("max_read_workers", t, s);
	dyn->max_write_workers = dyn_option_int("max_write_workers", t, s);
	dyn->consistent_reads = dyn_option_bool("consistent_reads", t, s);
	dyn->consumed_capacity = dyn_option_bool("consumed_capacity", t, s);
	dyn->create_remote_table = dyn_option_bool("create_remote_table", t, s);
	dyn->drop_policy = dyn_drop_policy(t, s);
	dyn->startup_cost = dyn_option_real("fdw_startup_cost", t, s);
	dyn->tuple_cost = dyn_option_real("fdw_tuple_cost", t, s);
	resolve_columns(rel, dyn);
	return dyn;
}
