/*
 * schema_tables.c
 *	  The foreign tables of a server in a schema.
 *
 * They are found by the remote table that they mean: users may have renamed
 * them, or made them by hand.
 */
#include "pg/util/export.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "nodes/makefuncs.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "pg/import/schema_tables.h"
#include "pg/table/option.h"
#include "pg/util/attempt.h"

struct DynSchemaTables
{
	const ForeignServer *server;
	List	   *list;
};

/* Callback of dyn_attempt(). */
static void
resolve_relation(void *arg)
{
	DynSchemaTable *table = arg;
	Relation	rel = table_open(table->relid, AccessShareLock);

	table->relation = dyn_relation_open_unchecked(rel);
	table_close(rel, NoLock);
}

/* NULL: its options make no sense, and so it is nobody's. */
static DynSchemaTable *
open_schema_table(Oid relid, const ForeignTable *table, const char *schema)
{
	DynSchemaTable *result = palloc0(sizeof(DynSchemaTable));

	result->relid = relid;
	if (dyn_attempt(resolve_relation, result))
		return NULL;
	result->qualified = quote_qualified_identifier(schema, result->relation->name);
	result->managed = dyn_option_bool("managed", table->options, NIL);
	return result;
}

/* OIDs of the foreign tables in a schema, by name. */
static List *
list_foreign_tables(Oid schema)
{
	Relation	rel = table_open(RelationRelationId, AccessShareLock);
	List	   *relids = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_class_relnamespace, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(schema));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		if (((Form_pg_class) GETSTRUCT(tuple))->relkind == RELKIND_FOREIGN_TABLE)
			relids = lappend_oid(relids, ((Form_pg_class) GETSTRUCT(tuple))->oid);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return relids;
}

static int
compare_schema_tables(const ListCell *a, const ListCell *b)
{
	return strcmp(((DynSchemaTable *) lfirst(a))->relation->name, ((DynSchemaTable *) lfirst(b))->relation->name);
}

DynSchemaTables *
dyn_schema_tables_new(const ForeignServer *server, Oid schema)
{
	DynSchemaTables *tables = palloc0(sizeof(DynSchemaTables));
	char	   *schema_name = get_namespace_name(schema);
	ListCell   *lc;

	tables->server = server;
	foreach(lc, list_foreign_tables(schema))
	{
		ForeignTable *table = GetForeignTable(lfirst_oid(lc));
		DynSchemaTable *opened = NULL;

		if (table->serverid == server->serverid)
			opened = open_schema_table(lfirst_oid(lc), table, schema_name);
		if (opened)
			tables->list = lappend(tables->list, opened);
	}
	list_sort(tables->list, compare_schema_tables);
	return tables;
}

List *
dyn_schema_tables_list(const DynSchemaTables *tables)
{
	return tables->list;
}

const DynSchemaTable *
dyn_schema_tables_named(const DynSchemaTables *tables, const char *sql_name)
{
	ListCell   *lc;

	foreach(lc, tables->list)
		if (strcmp(((DynSchemaTable *) lfirst(lc))->relation->name, sql_name) == 0)
			return lfirst(lc);
	return NULL;
}

const DynSchemaTable *
dyn_schema_tables_find(const DynSchemaTables *tables, const DynRegView *view, int version)
{
	char	   *name = dyn_versioned_name(view, version);
	List	   *options = list_make2(makeDefElem("project", (Node *) makeString(dyn_registry_text(view->project)), -1),
									 makeDefElem("feature_view", (Node *) makeString(name), -1));
	const DynRemote *remote = dyn_remote_resolve(options, tables->server->options, name, NULL);
	const DynSchemaTable *found = NULL;
	ListCell   *lc;

	if (remote == NULL)
		return NULL;
	foreach(lc, tables->list)
	{
		const DynSchemaTable *table = lfirst(lc);

		if (strcmp(table->relation->remote.table, remote->table) == 0 && (found == NULL || (table->managed && !found->managed)))
			found = table;
	}
	return found;
}

const DynColumn *
dyn_schema_table_column(const DynSchemaTable *table, DynColumnRole role, const char *name)
{
	for (int i = 0; i < table->relation->ncolumns; i++)
	{
		const DynColumn *column = &table->relation->columns[i];

		if (column->role == role && !column->bad && strcmp(column->name, name) == 0)
			return column;
	}
	return NULL;
}
