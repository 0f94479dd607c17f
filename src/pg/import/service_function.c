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
#include "catalog/pg_namespace.h"
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
#include "utils/syscache.h"

#include "pg/import/exec_sql.h"
#include "pg/import/service_function.h"
#include "pg/table/option.h"
#include "pg/util/attempt.h"
#include "pg/util/compat.h"
#include "pg/util/extension.h"

/* ---- whose a function is ---- */

static bool
is_marked_as_made(Oid function)
{
	Oid			extension;
	Oid			namespace;

	return dyn_extension_find(&extension, &namespace) &&
		list_member_oid(getAutoExtensionsOfObject(ProcedureRelationId, function), extension);
}

static Oid
schema_owner(Oid schema)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
	Oid			owner = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
		ReleaseSysCache(tuple);
	}
	return owner;
}

bool
dyn_function_is_trusted(HeapTuple tuple)
{
	Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);

	return proc->proowner == GetUserId() || superuser_arg(proc->proowner) ||
		proc->proowner == schema_owner(proc->pronamespace);
}

/* Anybody can mark a function of his own, and would stay the owner of what others call in good faith. */
static bool
is_made_by_us(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool		trusted;

	if (!HeapTupleIsValid(tuple))
		return false;
	trusted = dyn_function_is_trusted(tuple);
	ReleaseSysCache(tuple);
	return trusted && is_marked_as_made(function);
}

/* As ALTER FUNCTION ... DEPENDS ON EXTENSION does. */
static void
mark_as_made(Oid function)
{
	ObjectAddress of = {ProcedureRelationId, function, 0};
	ObjectAddress on = {ExtensionRelationId, InvalidOid, 0};
	Oid			namespace;

	if (!is_marked_as_made(function) && dyn_extension_find(&on.objectId, &namespace))
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

/* OIDs of our functions in a schema. */
static List *
list_functions_ours(Oid schema)
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

/* What a function that was dropped leaves to its successor. */
typedef struct Legacy
{
	char	   *name;
	char	   *definition;
	Oid			owner;
	Acl		   *acl;			/* NULL: the default */
	char	   *comment;		/* NULL: none */
} Legacy;

/* Reads it while the function is still there. */
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

/* Roles that are named in an access list; their number is in *n. */
static Oid *
roles_of(Acl *acl, int *n)
{
	Oid		   *roles = NULL;

	*n = acl ? aclmembers(acl, &roles) : 0;
	return roles;
}

/* Gives a function the access list of another one, in place of what default privileges gave it. */
static void
set_rights(HeapTuple tuple, Relation rel, const Legacy *legacy)
{
	Oid			function = ((Form_pg_proc) GETSTRUCT(tuple))->oid;
	Datum		values[Natts_pg_proc] = {0};
	bool		nulls[Natts_pg_proc] = {0};
	bool		replaces[Natts_pg_proc] = {0};
	bool		isnull;
	Datum		acl = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proacl, &isnull);
	int			nold;
	int			nnew;
	Oid		   *old = roles_of(isnull ? NULL : DatumGetAclPCopy(acl), &nold);
	Oid		   *new = roles_of(legacy->acl, &nnew);

	values[Anum_pg_proc_proowner - 1] = ObjectIdGetDatum(legacy->owner);
	replaces[Anum_pg_proc_proowner - 1] = true;
	values[Anum_pg_proc_proacl - 1] = PointerGetDatum(legacy->acl);
	nulls[Anum_pg_proc_proacl - 1] = legacy->acl == NULL;
	replaces[Anum_pg_proc_proacl - 1] = true;
	tuple = heap_modify_tuple(tuple, RelationGetDescr(rel), values, nulls, replaces);
	CatalogTupleUpdate(rel, &tuple->t_self, tuple);
	updateAclDependencies(ProcedureRelationId, function, 0, legacy->owner, nold, old, nnew, new);
}

/* Gives a function owner, grants and comment of the one before. */
static void
leave_to(Oid function, const Legacy *legacy)
{
	Relation	rel = table_open(ProcedureRelationId, RowExclusiveLock);
	HeapTuple	tuple = SearchSysCacheCopy1(PROCOID, ObjectIdGetDatum(function));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	if (((Form_pg_proc) GETSTRUCT(tuple))->proowner != legacy->owner)
		changeDependencyOnOwner(ProcedureRelationId, function, legacy->owner);
	set_rights(tuple, rel, legacy);
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

/* A function that is being made. */
typedef struct Making
{
	Oid			schema;
	const char *name;
	const char *sql;			/* CREATE OR REPLACE */
	Oid			before;			/* the one that is there; InvalidOid: none */
	List	   *dropped;
	Oid			function;
	DynInstalled result;
} Making;

/* Replaces the body.  Kept if that changed anything; not where it made a second function, of other arguments. */
static bool
replace_function(void *arg)
{
	Making	   *making = arg;
	char	   *definition = definition_of(making->before);

	making->function = making->before;
	if (create_function(making->schema, making->sql, making->name) != making->before)
		making->result = DYN_INSTALLED_ANEW;
	else if (strcmp(definition_of(making->before), definition) == 0)
		making->result = DYN_INSTALLED_SAME;
	else
		making->result = DYN_INSTALLED_REPLACED;
	return making->result == DYN_INSTALLED_REPLACED;
}

/* Makes it, as the successor of one that is dropped now or was before, if there is such. */
static bool
make_function(void *arg)
{
	Making	   *making = arg;
	const Legacy *legacy = OidIsValid(making->before) ? drop_function(making->before) :
		find_legacy(making->dropped, making->name);

	making->function = create_function(making->schema, making->sql, making->name);
	making->result = DYN_INSTALLED_NEW;
	if (legacy == NULL)
		return true;
	leave_to(making->function, legacy);
	making->result = strcmp(definition_of(making->function), legacy->definition) == 0 ? DYN_INSTALLED_SAME :
		DYN_INSTALLED_ANEW;
	return true;
}

/* Is it the definition that is wrong: a type or a function that is not there, or too many arguments? */
static bool
is_about_definition(const ErrorData *error)
{
	return error->sqlerrcode != ERRCODE_INSUFFICIENT_PRIVILEGE &&
		(ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION ||
		 ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_PROGRAM_LIMIT_EXCEEDED);
}

DynInstalled
dyn_function_install(Oid schema, const char *name, const char *sql, List *dropped, Oid *function, char **why)
{
	List	   *functions = functions_called(schema, name);
	Making		making = {schema, name, sql, InvalidOid, dropped, InvalidOid, DYN_INSTALLED_ANEW};
	ErrorData  *error = NULL;

	if (list_length(functions) > 1 || (functions != NIL && !is_made_by_us(linitial_oid(functions))))
		return DYN_INSTALLED_NOT;
	if (functions != NIL)
	{
		making.before = linitial_oid(functions);
		error = dyn_attempt_if(replace_function, &making);
		if (error && error->sqlerrcode != ERRCODE_INVALID_FUNCTION_DEFINITION)
			making.result = DYN_INSTALLED_FAILED;
	}
	if (making.result == DYN_INSTALLED_ANEW)
		error = dyn_attempt_if(make_function, &making);
	if (error && !is_about_definition(error))
		ReThrowError(error);
	*function = making.function;
	*why = error ? error->message : NULL;
	return error ? DYN_INSTALLED_FAILED : making.result;
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

Oid
dyn_function_ours(Oid schema, const char *name)
{
	List	   *functions = functions_called(schema, name);

	return list_length(functions) == 1 && is_made_by_us(linitial_oid(functions)) ? linitial_oid(functions) : InvalidOid;
}

bool
dyn_function_is_of(Oid function, const ForeignServer *server, const char *project)
{
	ListCell   *lc;

	foreach(lc, relations_of(function))
	{
		ForeignTable *table;
		const char *of;

		if (!dyn_extension_has_table(lfirst_oid(lc)))
			continue;
		table = GetForeignTable(lfirst_oid(lc));
		of = dyn_option_text("project", table->options, server->options);
		if (table->serverid != server->serverid || of == NULL || strcmp(of, project) != 0)
			return false;
	}
	return true;
}

List *
dyn_functions_over(Oid schema, List *relids)
{
	List	   *found = NIL;
	ListCell   *lc;
	ListCell   *of;

	foreach(lc, list_functions_ours(schema))
		foreach(of, relations_of(lfirst_oid(lc)))
			if (list_member_oid(relids, lfirst_oid(of)))
				found = list_append_unique_oid(found, lfirst_oid(lc));
	return found;
}

List *
dyn_functions_without_successor(Oid schema, List *dropped)
{
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, dropped)
		if (functions_called(schema, ((Legacy *) lfirst(lc))->name) == NIL)
			names = lappend(names, ((Legacy *) lfirst(lc))->name);
	return names;
}

List *
dyn_functions_drop(List *functions, List *dropped)
{
	ListCell   *lc;

	foreach(lc, functions)
		dropped = lappend(dropped, drop_function(lfirst_oid(lc)));
	return dropped;
}
