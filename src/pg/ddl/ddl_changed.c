/*
 * ddl_changed.c
 *	  What CREATE and ALTER did to foreign tables: checks it.
 *
 * CREATE is checked as a whole, ALTER for what it touches: whoever repairs a
 * table that has more than one fault does so step by step.  ALTER of a parent
 * reaches partitions and children, which the server's list of commands does
 * not name.
 */
#include "pg/util/export.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "tcop/cmdtag.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "pg/ddl/ddl_changed.h"
#include "pg/ddl/ddl_lock.h"
#include "pg/ddl/ddl_moved.h"
#include "pg/ddl/ddl_target.h"
#include "pg/table/option.h"
#include "pg/table/setting.h"
#include "pg/util/extension.h"

/* A relation in the server's list of what the command did. */
typedef struct Changed
{
	Oid			relid;
	bool		created;		/* as a foreign table */
} Changed;

/* Tags of commands that may have made or changed a foreign table. */
static bool
tag_concerns_tables(const char *tag)
{
	static const char *const tags[] = {
		"CREATE FOREIGN TABLE", "CREATE EXTENSION", "IMPORT FOREIGN SCHEMA", "ALTER FOREIGN TABLE", "ALTER TABLE",
		"ALTER TYPE"
	};

	for (size_t i = 0; i < lengthof(tags); i++)
		if (strcmp(tag, tags[i]) == 0)
			return true;
	return false;
}

/* The relations that the command made or changed, as far as the server names them. */
static List *
list_changed(void)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *list = NIL;

	SPI_connect();
	if (SPI_execute("SELECT DISTINCT objid, command_tag OPERATOR(pg_catalog.=) 'CREATE FOREIGN TABLE'"
					" FROM pg_catalog.pg_event_trigger_ddl_commands()"
					" WHERE classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass",
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "pg_event_trigger_ddl_commands() failed");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		MemoryContext old = MemoryContextSwitchTo(context);
		Changed    *changed = palloc(sizeof(Changed));
		bool		isnull;

		changed->relid = DatumGetObjectId(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
		changed->created = DatumGetBool(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull));
		list = lappend(list, changed);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	return list;
}

/* ---- CREATE ---- */

/* Names that event times go by, the likeliest first. */
static const char *const event_time_names[] = {
	"event_timestamp", "event_ts", "event_time", "event_datetime", "event_date", "timestamp", "datetime", "ts",
	"created", "created_at", "created_timestamp", "created_ts", "updated", "updated_at", "updated_timestamp", NULL
};

/* A feature of this name that could be the event time, unless a value type says that it is a feature; or NULL. */
static const DynColumn *
find_time(const DynRelation *dyn, const char *name)
{
	for (int i = 0; i < dyn->ncolumns; i++)
	{
		const DynColumn *column = &dyn->columns[i];

		if (column->role == DYN_COLUMN_FEATURE && pg_strcasecmp(column->sql_name, name) == 0 &&
			(column->base_type == TIMESTAMPTZOID || column->base_type == TIMESTAMPOID) &&
			dyn_option_text("value_type", GetForeignColumnOptions(dyn->relid, column->attnum), NIL) == NULL)
			return column;
	}
	return NULL;
}

/* Tells of a column that is named like the event time and not marked as that. */
static void
notice_event_time(const DynRelation *dyn)
{
	const DynColumn *column = NULL;
	const char *name;

	if (dyn->event_timestamp)
		return;
	for (const char *const *likely = event_time_names; *likely && column == NULL; likely++)
		column = find_time(dyn, *likely);
	if (column == NULL)
		return;
	name = quote_identifier(column->sql_name);
	ereport(NOTICE,
			(errmsg("column \"%s\" of foreign table \"%s\" is a feature, not the event time", column->sql_name, dyn->name),
			 errdetail("Without an event timestamp column, INSERT writes the time of the statement."),
			 errhint("If it is the event time, use ALTER FOREIGN TABLE %s ALTER COLUMN %s%s OPTIONS (ADD event_timestamp 'true').",
					 quote_identifier(dyn->name), name, column->base_type == TIMESTAMPTZOID ? "" :
					 psprintf(" TYPE timestamptz, ALTER COLUMN %s", name))));
}

/* Checks a new table. */
static void
check_created(Relation rel, const DynRelation *dyn)
{
	dyn_relation_check_columns(dyn);
	if (dyn->create_remote_table && rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("temporary foreign table \"%s\" cannot make a remote table", dyn->name),
				 errhint("Set the option create_remote_table 'false'.")));
	/* a dump switches this off, and gives the options of columns by ALTER afterwards */
	if (!check_function_bodies)
		return;
	/* nor has PARTITION OF a place for them */
	if (!rel->rd_rel->relispartition)
		dyn_relation_check_keys(dyn, true);
	else if (!dyn_relation_has_keys(dyn))
		ereport(NOTICE,
				(errmsg("foreign table \"%s\" cannot be used before its entity key is marked", dyn->name),
				 errhint("Use ALTER FOREIGN TABLE %s ALTER COLUMN ... OPTIONS (ADD entity_key 'true').",
						 quote_identifier(dyn->name))));
	notice_event_time(dyn);
}

/* ---- ALTER ---- */

/* Tables of a composite type. */
static List *
tables_of_type(Oid type)
{
	Relation	rel = table_open(RelationRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	List	   *relids = NIL;
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);

		if (form->reloftype == type)
			relids = lappend_oid(relids, form->oid);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return relids;
}

/* The foreign tables of ours that a change of a column reaches from here: this one, or children, or of this type. */
static List *
reached_tables(Oid relid)
{
	List	   *roots = get_rel_relkind(relid) == RELKIND_COMPOSITE_TYPE ?
		tables_of_type(get_rel_type_id(relid)) : list_make1_oid(relid);
	List	   *reached = NIL;
	ListCell   *lc;

	foreach(lc, roots)
		reached = list_concat_unique_oid(reached, find_all_inheritors(lfirst_oid(lc), AccessShareLock, NULL));
	foreach(lc, reached)
		if (!dyn_extension_has_table(lfirst_oid(lc)))
			reached = foreach_delete_current(reached, lc);
	return reached;
}

/* Checks a column of tables. */
static void
check_column(List *relids, const char *name, bool added)
{
	ListCell   *lc;

	foreach(lc, relids)
	{
		Relation	rel = table_open(lfirst_oid(lc), AccessShareLock);

		dyn_relation_check_column(rel, name, added);
		table_close(rel, AccessShareLock);
	}
}

/* Checks the columns that ALTER touched, wherever it did. */
static void
check_altered_columns(Oid relid, const AlterTableStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->cmds)
	{
		const AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);

		if (cmd->subtype == AT_AddColumn)
			check_column(reached_tables(relid), castNode(ColumnDef, cmd->def)->colname, true);
		else if (cmd->subtype == AT_AlterColumnType)
			check_column(reached_tables(relid), cmd->name, false);
		else if (cmd->subtype == AT_AlterColumnGenericOptions && dyn_extension_has_table(relid))
			check_column(list_make1_oid(relid), cmd->name, false);
	}
}

/* Is an option among those that a command adds or sets? */
static bool
sets_option(List *options, const char *name)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		const DefElem *elem = lfirst_node(DefElem, lc);

		if (strcmp(elem->defname, name) == 0 && elem->defaction != DEFELEM_DROP)
			return true;
	}
	return false;
}

/* How many columns the statement marks as part of the key. */
static int
count_marks(const Node *parsetree)
{
	int			marks = 0;
	ListCell   *lc;

	if (!IsA(parsetree, AlterTableStmt))
		return 0;
	foreach(lc, ((const AlterTableStmt *) parsetree)->cmds)
	{
		const AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);

		if (cmd->subtype == AT_AlterColumnGenericOptions)
			marks += sets_option((List *) cmd->def, "entity_key");
		else if (cmd->subtype == AT_AddColumn)
			marks += sets_option(castNode(ColumnDef, cmd->def)->fdwoptions, "entity_key");
	}
	return marks;
}

/* The options of the table that the statement names. */
static List *
table_options(const Node *parsetree)
{
	List	   *options = NIL;
	ListCell   *lc;

	if (IsA(parsetree, AlterTableStmt))
		foreach(lc, ((const AlterTableStmt *) parsetree)->cmds)
			if (lfirst_node(AlterTableCmd, lc)->subtype == AT_GenericOptions)
				options = list_concat(options, (List *) lfirst_node(AlterTableCmd, lc)->def);
	return options;
}

/* Had the table no keys before: does the statement mark all it has, or say that it needs none? */
static bool
gives_keys(const Node *parsetree, const DynRelation *dyn)
{
	int			marks = count_marks(parsetree);

	return (marks > 0 && marks >= dyn->nkeys) ||
		(dyn->entityless && sets_option(table_options(parsetree), "entityless"));
}

/* ---- both ---- */

/*
 * Must its options be such as a remote table can have?  A restored dump may have
 * others, as ALTER SERVER looks at no table; whoever makes the table checks again.
 */
static bool
needs_settings(const Changed *changed, const Node *parsetree)
{
	return changed->created ? check_function_bodies : dyn_settings_of_options(table_options(parsetree)) != 0;
}

/* Checks a table as a whole; its target.  *make: is its remote table to be made? */
static DynTarget *
check_table(const Changed *changed, const Node *parsetree, bool *make)
{
	Relation	rel = table_open(changed->relid, AccessShareLock);
	DynTarget  *target = palloc0(sizeof(DynTarget));
	DynRemote  *before;

	target->rel = dyn_relation_open_unchecked(rel);
	target->name = target->rel->name;
	target->owner = rel->rd_rel->relowner;
	if (changed->created)
		check_created(rel, target->rel);
	table_close(rel, AccessShareLock);

	/* while another session decides about a deletion, no reference to the remote table appears */
	dyn_ddl_lock(target->rel->remote.region, target->rel->remote.table);
	if (needs_settings(changed, parsetree))
		dyn_target_settings(target);
	*make = false;
	if (!dyn_relation_has_keys(target->rel))
		return target;
	target->altered = !changed->created && !gives_keys(parsetree, target->rel);
	before = target->altered ? dyn_moved_from(changed->relid, target->rel->serverid) : NULL;
	if (before && dyn_remote_equal(before, &target->rel->remote))
		return target;
	if (before)
		dyn_moved_tell_left(before);
	*make = target->rel->create_remote_table;
	return target;
}

DynTableChanges
dyn_ddl_check_changed(const EventTriggerData *data)
{
	const Node *parsetree = data->parsetree;
	DynTableChanges changes = {NIL, NIL, table_options(parsetree)};
	bool		altered = changes.named_options != NIL || count_marks(parsetree) > 0;
	ListCell   *lc;

	if (!tag_concerns_tables(GetCommandTagName(data->tag)))
		return changes;
	foreach(lc, list_changed())
	{
		const Changed *changed = lfirst(lc);
		DynTarget  *target;
		bool		make;

		if (IsA(parsetree, AlterTableStmt))
			check_altered_columns(changed->relid, (const AlterTableStmt *) parsetree);
		if (!(changed->created || altered) || !dyn_extension_has_table(changed->relid))
			continue;
		target = check_table(changed, parsetree, &make);
		if (make)
			changes.to_make = lappend(changes.to_make, target);
		if (!changed->created && dyn_relation_has_keys(target->rel))
			changes.altered = lappend(changes.altered, target);
	}
	return changes;
}
