/*
 * service_function.c
 *	  Functions that we make, told from those of users.
 *
 * Whether a function has changed is seen by making it anew in a subtransaction:
 * if the server then describes it as before, that is rolled back.
 */
#include "pg/util/export.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "commands/comment.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

#include "pg/import/exec_sql.h"
#include "pg/import/service_function.h"
#include "pg/util/compat.h"
#include "pg/util/extension.h"

/* ---- whose a function is ---- */

static bool
is_made_by_us(Oid function)
{
	Oid			extension;
	Oid			namespace;

	return dyn_extension_find(&extension, &namespace) &&
		list_member_oid(getAutoExtensionsOfObject(ProcedureRelationId, function), extension);
}

/* As ALTER FUNCTION ... DEPENDS ON EXTENSION does. */
static void
mark_as_made(Oid function)
{
	ObjectAddress of = {ProcedureRelationId, function, 0};
	ObjectAddress on = {ExtensionRelationId, InvalidOid, 0};
	Oid			namespace;

	if (!is_made_by_us(function) && dyn_extension_find(&on.objectId, &namespace))
		recordDependencyOn(&of, &on, DEPENDENCY_AUTO_EXTENSION);
}

/* The functions of a name in a schema; NIL: none. */
static List *
functions_called(Oid schema, const char *name)
{
	CatCList   *list = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
	List	   *found = NIL;

	for (int i = 0; i < list->n_members; i++)
	{
		Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(&list->members[i]->tuple);

		if (proc->pronamespace == schema)
			found = lappend_oid(found, proc->oid);
	}
	ReleaseSysCacheList(list);
	return found;
}

List *
dyn_functions_ours(Oid schema)
{
	Relation	rel = table_open(ProcedureRelationId, AccessShareLock);
	List	   *found = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_proc_pronamespace, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(schema));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		if (is_made_by_us(((Form_pg_proc) GETSTRUCT(tuple))->oid))
			found = lappend_oid(found, ((Form_pg_proc) GETSTRUCT(tuple))->oid);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/* ---- making one ---- */

static char *
definition_of(Oid function)
{
	return TextDatumGetCString(DirectFunctionCall1(pg_get_functiondef, ObjectIdGetDatum(function)));
}

/* The function that the statement makes, which is the only one of its name. */
static Oid
create_function(Oid schema, const char *sql, const char *name)
{
	List	   *functions;

	dyn_exec_sql(sql);
	functions = functions_called(schema, name);
	if (list_length(functions) != 1)
		return InvalidOid;
	mark_as_made(linitial_oid(functions));
	CommandCounterIncrement();
	return linitial_oid(functions);
}

/* What CREATE OR REPLACE came to. */
typedef enum Replaced
{
	REPLACE_SAME,				/* nothing has changed */
	REPLACE_DONE,
	REPLACE_IMPOSSIBLE			/* arguments or result are others: it has to be dropped */
} Replaced;

/* Replaces the body of a function, or leaves all as it was. */
static Replaced
try_replace(Oid schema, Oid function, const char *sql, const char *name)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	char	   *before = definition_of(function);
	volatile Replaced result = REPLACE_IMPOSSIBLE;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		if (create_function(schema, sql, name) == function)
			result = strcmp(definition_of(function), before) == 0 ? REPLACE_SAME : REPLACE_DONE;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (error->sqlerrcode != ERRCODE_INVALID_FUNCTION_DEFINITION)
			PG_RE_THROW();
		FlushErrorState();
		FreeErrorData(error);
	}
	PG_END_TRY();
	if (result == REPLACE_DONE)
		ReleaseCurrentSubTransaction();
	else
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return result;
}

/* What a function that was dropped leaves to its successor. */
typedef struct Legacy
{
	char	   *name;
	char	   *definition;
	Oid			owner;
	Acl		   *acl;			/* NULL: the default */
	char	   *comment;		/* NULL: none */
} Legacy;

static Legacy *
legacy_of(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Legacy	   *legacy = palloc0(sizeof(Legacy));
	bool		isnull;
	Datum		acl;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	legacy->name = pstrdup(NameStr(((Form_pg_proc) GETSTRUCT(tuple))->proname));
	legacy->definition = definition_of(function);
	legacy->owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	acl = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proacl, &isnull);
	if (!isnull)
		legacy->acl = DatumGetAclPCopy(acl);
	legacy->comment = GetComment(function, ProcedureRelationId, 0);
	ReleaseSysCache(tuple);
	return legacy;
}

/* Gives a function owner, grants and comment of the one before. */
static void
leave_to(Oid function, const Legacy *legacy)
{
	Relation	rel = table_open(ProcedureRelationId, RowExclusiveLock);
	HeapTuple	tuple = SearchSysCacheCopy1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);
	Datum		values[Natts_pg_proc] = {0};
	bool		nulls[Natts_pg_proc] = {0};
	bool		replaces[Natts_pg_proc] = {0};
	Oid		   *members;

	if (proc->proowner != legacy->owner)
		changeDependencyOnOwner(ProcedureRelationId, function, legacy->owner);
	values[Anum_pg_proc_proowner - 1] = ObjectIdGetDatum(legacy->owner);
	replaces[Anum_pg_proc_proowner - 1] = true;
	if (legacy->acl)
	{
		values[Anum_pg_proc_proacl - 1] = PointerGetDatum(legacy->acl);
		replaces[Anum_pg_proc_proacl - 1] = true;
	}
	tuple = heap_modify_tuple(tuple, RelationGetDescr(rel), values, nulls, replaces);
	CatalogTupleUpdate(rel, &tuple->t_self, tuple);
	if (legacy->acl)
	{
		int			n = aclmembers(legacy->acl, &members);

		updateAclDependencies(ProcedureRelationId, function, 0, legacy->owner, 0, NULL, n, members);
	}
	table_close(rel, RowExclusiveLock);
	CommandCounterIncrement();
	if (legacy->comment)
	{
		CreateComments(function, ProcedureRelationId, 0, legacy->comment);
		CommandCounterIncrement();
	}
}

/* Drops a function of ours, which nothing may depend on. */
static Legacy *
drop_function(Oid function)
{
	ObjectAddress address = {ProcedureRelationId, function, 0};
	Legacy	   *legacy = legacy_of(function);

	if (!object_ownercheck(ProcedureRelationId, function, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_FUNCTION, legacy->name);
	performDeletion(&address, DROP_RESTRICT, 0);
	CommandCounterIncrement();
	return legacy;
}

/* The one of this name among those that were dropped; NULL: none. */
static Legacy *
find_legacy(List *dropped, const char *name)
{
	ListCell   *lc;

	foreach(lc, dropped)
		if (strcmp(((Legacy *) lfirst(lc))->name, name) == 0)
			return lfirst(lc);
	return NULL;
}

/* Makes a function, as the successor of one that was dropped if there is such. */
static DynInstalled
install_new(Oid schema, const char *name, const char *sql, const Legacy *legacy, Oid *function)
{
	*function = create_function(schema, sql, name);
	if (legacy == NULL)
		return DYN_INSTALLED_NEW;
	leave_to(*function, legacy);
	return strcmp(definition_of(*function), legacy->definition) == 0 ? DYN_INSTALLED_SAME : DYN_INSTALLED_ANEW;
}

DynInstalled
dyn_function_install(Oid schema, const char *name, const char *sql, List *dropped, Oid *function)
{
	List	   *functions = functions_called(schema, name);

	if (functions == NIL)
		return install_new(schema, name, sql, find_legacy(dropped, name), function);
	*function = linitial_oid(functions);
	if (list_length(functions) > 1 || !is_made_by_us(*function))
		return DYN_INSTALLED_NOT;
	switch (try_replace(schema, *function, sql, name))
	{
		case REPLACE_SAME:
			return DYN_INSTALLED_SAME;
		case REPLACE_DONE:
			return DYN_INSTALLED_REPLACED;
		case REPLACE_IMPOSSIBLE:
			break;
	}
	return install_new(schema, name, sql, drop_function(*function), function);
}

/* ---- functions over tables ---- */

/* Relations that a function's body names. */
static List *
relations_of(Oid function)
{
	Relation	rel = table_open(DependRelationId, AccessShareLock);
	List	   *found = NIL;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(ProcedureRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(function));
	scan = systable_beginscan(rel, DependDependerIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		if (((Form_pg_depend) GETSTRUCT(tuple))->refclassid == RelationRelationId)
			found = list_append_unique_oid(found, ((Form_pg_depend) GETSTRUCT(tuple))->refobjid);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

List *
dyn_functions_over(Oid schema, List *relids)
{
	List	   *found = NIL;
	ListCell   *lc;
	ListCell   *of;

	foreach(lc, dyn_functions_ours(schema))
		foreach(of, relations_of(lfirst_oid(lc)))
			if (list_member_oid(relids, lfirst_oid(of)))
				found = list_append_unique_oid(found, lfirst_oid(lc));
	return found;
}

List *
dyn_functions_drop(List *functions, List *dropped)
{
	ListCell   *lc;

	foreach(lc, functions)
		dropped = lappend(dropped, drop_function(lfirst_oid(lc)));
	return dropped;
}
