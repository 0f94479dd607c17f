/*
 * service_install.c
 *	  Makes and replaces the functions of feature services.
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
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "commands/comment.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "utils/acl.h"
#include "utils/catcache.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

#include "pg/import/exec_sql.h"
#include "pg/import/service_install.h"
#include "pg/import/service_sql.h"
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
dyn_services_made(Oid schema)
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
create_function(const DynServiceWorld *world, const char *sql, const char *name)
{
	List	   *functions;

	dyn_exec_sql(sql);
	functions = functions_called(world->schema, name);
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
try_replace(const DynServiceWorld *world, Oid function, const char *sql, const char *name)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	char	   *before = definition_of(function);
	volatile Replaced result = REPLACE_IMPOSSIBLE;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		if (create_function(world, sql, name) == function)
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

/* Owner and grants of a function, to be given to its successor. */
typedef struct Rights
{
	Oid			owner;
	Acl		   *acl;			/* NULL: the default */
} Rights;

static Rights
rights_of(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Rights		rights = {InvalidOid, NULL};
	bool		isnull;
	Datum		acl;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	rights.owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	acl = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proacl, &isnull);
	if (!isnull)
		rights.acl = DatumGetAclPCopy(acl);
	ReleaseSysCache(tuple);
	return rights;
}

static void
give_rights(Oid function, const Rights *rights)
{
	Relation	rel = table_open(ProcedureRelationId, RowExclusiveLock);
	HeapTuple	tuple = SearchSysCacheCopy1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);
	Datum		values[Natts_pg_proc] = {0};
	bool		nulls[Natts_pg_proc] = {0};
	bool		replaces[Natts_pg_proc] = {0};
	Oid		   *members;

	if (proc->proowner != rights->owner)
		changeDependencyOnOwner(ProcedureRelationId, function, rights->owner);
	values[Anum_pg_proc_proowner - 1] = ObjectIdGetDatum(rights->owner);
	replaces[Anum_pg_proc_proowner - 1] = true;
	if (rights->acl)
	{
		values[Anum_pg_proc_proacl - 1] = PointerGetDatum(rights->acl);
		replaces[Anum_pg_proc_proacl - 1] = true;
	}
	tuple = heap_modify_tuple(tuple, RelationGetDescr(rel), values, nulls, replaces);
	CatalogTupleUpdate(rel, &tuple->t_self, tuple);
	if (rights->acl)
	{
		int			n = aclmembers(rights->acl, &members);

		updateAclDependencies(ProcedureRelationId, function, 0, rights->owner, 0, NULL, n, members);
	}
	table_close(rel, RowExclusiveLock);
	CommandCounterIncrement();
}

/* Drops a function that nothing depends on, and makes its successor. */
static Oid
make_anew(const DynServiceWorld *world, Oid function, const char *sql, const char *name)
{
	ObjectAddress address = {ProcedureRelationId, function, 0};
	Rights		rights = rights_of(function);
	char	   *comment = GetComment(function, ProcedureRelationId, 0);
	Oid			successor;

	if (!dyn_function_ownercheck(function, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_FUNCTION, name);
	performDeletion(&address, DROP_RESTRICT, 0);
	CommandCounterIncrement();
	successor = create_function(world, sql, name);
	if (comment)
		CreateComments(successor, ProcedureRelationId, 0, comment);
	give_rights(successor, &rights);
	return successor;
}

/* ---- services ---- */

/* Gives the function the service's description as a comment, where it has one. */
static void
comment_service(const DynServiceWorld *world, const DynServiceShape *shape, Oid function, DynActions *actions)
{
	char	   *text = dyn_registry_text(shape->service->description);
	char	   *comment = GetComment(function, ProcedureRelationId, 0);

	if (!world->options->comments || *text == '\0' || (comment && strcmp(comment, text) == 0))
		return;
	CreateComments(function, ProcedureRelationId, 0, text);
	dyn_action_add(actions, "comment", shape->name, comment ? "replace" : "create", "on the function");
}

/* Makes or replaces the function of a service. */
static void
install_function(const DynServiceWorld *world, const DynServiceShape *shape, const char *name, DynActions *actions)
{
	char	   *sql = dyn_service_function_sql(shape, quote_qualified_identifier(get_namespace_name(world->schema), name));
	List	   *functions = functions_called(world->schema, name);
	Oid			function = functions == NIL ? InvalidOid : linitial_oid(functions);

	if (functions == NIL)
	{
		function = create_function(world, sql, name);
		dyn_action_add(actions, "function", name, "create", NULL);
	}
	else if (list_length(functions) > 1 || !is_made_by_us(function))
	{
		ereport(NOTICE,
				(errmsg("feature service \"%s\" has no function", shape->name),
				 errdetail("Schema \"%s\" has a function \"%s\" that was not made for it.", get_namespace_name(world->schema),
						   name)));
		return;
	}
	else
		switch (try_replace(world, function, sql, name))
		{
			case REPLACE_SAME:
				break;
			case REPLACE_DONE:
				dyn_action_add(actions, "function", name, "replace", NULL);
				break;
			case REPLACE_IMPOSSIBLE:
				function = make_anew(world, function, sql, name);
				dyn_action_add(actions, "function", name, "replace", "Its arguments or columns have changed");
				break;
		}
	comment_service(world, shape, function, actions);
}

/* qsort comparator */
static int
compare_services(const void *a, const void *b)
{
	return strcmp((*(const DynRegService *const *) a)->name, (*(const DynRegService *const *) b)->name);
}

/* Tells which services are left out, all at once. */
static void
notice_left_out(const StringInfo names, const StringInfo reasons)
{
	if (names->len > 0)
		ereport(NOTICE,
				(errmsg("feature services without a function: %s", names->data),
				 errdetail("%s", reasons->data)));
}

void
dyn_services_install(const DynServiceWorld *world, DynActions *actions, List **names)
{
	const DynRegistry *registry = world->registry;
	const DynRegService **services = palloc(sizeof(DynRegService *) * (registry->nservices + 1));
	DynSqlNames *taken = dyn_sql_names_new();
	StringInfoData left_out;
	StringInfoData reasons;
	size_t		n = 0;

	initStringInfo(&left_out);
	initStringInfo(&reasons);

	for (size_t i = 0; i < registry->nservices; i++)
		if (strcmp(registry->services[i].project, world->project) == 0)
			services[n++] = &registry->services[i];
	qsort(services, n, sizeof(DynRegService *), compare_services);
	for (size_t i = 0; i < n; i++)
	{
		char	   *name = dyn_sql_names_take(taken, dyn_registry_text(services[i]->name));
		char	   *why;
		DynServiceShape *shape = dyn_service_resolve(world, services[i], &why);

		if (names)
			*names = lappend(*names, makeString(name));
		if (shape)
			install_function(world, shape, name, actions);
		else
		{
			appendStringInfo(&left_out, "%s\"%s\"", left_out.len > 0 ? ", " : "", dyn_registry_text(services[i]->name));
			appendStringInfo(&reasons, "%s\"%s\": %s.", reasons.len > 0 ? "\n" : "", dyn_registry_text(services[i]->name),
							 why);
		}
	}
	notice_left_out(&left_out, &reasons);
}
