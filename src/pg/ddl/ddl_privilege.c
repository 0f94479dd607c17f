/*
 * ddl_privilege.c
 *	  Who may name which option in a statement.
 *
 * The validator cannot tell: it is shown the options as they will be, not
 * those that the statement is about.  So the owner of a server can change the
 * other options beside one that a superuser has set, and own a server that
 * came with one.  It is looked at when the command ends; the error undoes it.
 * Of a user mapping the options count as they are (option_check.c); it is looked
 * at here for wrappers without a validator.
 */
#include "pg/util/export.h"

#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/syscache.h"

#include "pg/ddl/ddl_privilege.h"
#include "pg/session/identity.h"
#include "pg/table/option_check.h"
#include "pg/util/extension.h"

static bool
is_server_of_ours(const char *name)
{
	Oid			serverid = get_foreign_server_oid(name, true);

	return OidIsValid(serverid) && dyn_extension_has_server(serverid);
}

/* The options that a statement on a server of ours names; NIL of any other statement. */
static List *
named_options(Node *parsetree)
{
	const char *server;
	List	   *options;

	switch (nodeTag(parsetree))
	{
		case T_CreateForeignServerStmt:
			server = castNode(CreateForeignServerStmt, parsetree)->servername;
			options = castNode(CreateForeignServerStmt, parsetree)->options;
			break;
		case T_AlterForeignServerStmt:
			server = castNode(AlterForeignServerStmt, parsetree)->servername;
			options = castNode(AlterForeignServerStmt, parsetree)->options;
			break;
		default:
			return NIL;
	}
	return options != NIL && is_server_of_ours(server) ? options : NIL;
}

/* Raises what is wrong with the user mapping as it is now; the validator does the same, where the wrapper has one. */
static void
check_user_mapping(const char *server, const RoleSpec *user)
{
	Oid			userid = user->roletype == ROLESPEC_PUBLIC ? InvalidOid : get_rolespec_oid(user, true);
	Oid			serverid = get_foreign_server_oid(server, true);
	Oid			umid;

	if (!is_server_of_ours(server))
		return;
	umid = GetSysCacheOid2(USERMAPPINGUSERSERVER, Anum_pg_user_mapping_oid, ObjectIdGetDatum(userid),
						   ObjectIdGetDatum(serverid));
	dyn_options_check_mapping(dyn_user_mapping_options(umid));
}

void
dyn_ddl_check_privilege(Node *parsetree)
{
	ListCell   *lc;

	if (superuser())
		return;
	if (IsA(parsetree, CreateUserMappingStmt))
		check_user_mapping(castNode(CreateUserMappingStmt, parsetree)->servername,
						   castNode(CreateUserMappingStmt, parsetree)->user);
	if (IsA(parsetree, AlterUserMappingStmt))
		check_user_mapping(castNode(AlterUserMappingStmt, parsetree)->servername,
						   castNode(AlterUserMappingStmt, parsetree)->user);
	foreach(lc, named_options(parsetree))
	{
		const DefElem *elem = lfirst_node(DefElem, lc);
		const DynOptionDef *def = dyn_option_find(elem->defname);

		if (def && (def->flags & DYN_OPT_SUPERUSER))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied to %s option \"%s\"", elem->defaction == DEFELEM_DROP ? "drop" : "set",
							def->name),
					 errhint("Only a superuser may set or drop it.")));
	}
}
