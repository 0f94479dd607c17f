/*
 * ddl_privilege.c
 *	  Who may name which option in a statement.
 *
 * The validator cannot tell: it is shown the options as they will be, not
 * those that the statement is about.  So the owner of a server can change the
 * other options beside one that a superuser has set, and own a server that
 * came with one.  It is looked at when the command ends; the error undoes it.
 * (User mappings are another matter: option_check.c.)
 */
#include "pg/util/export.h"

#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"

#include "pg/ddl/ddl_privilege.h"
#include "pg/table/option.h"
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

void
dyn_ddl_check_privilege(Node *parsetree)
{
	ListCell   *lc;

	if (superuser())
		return;
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
