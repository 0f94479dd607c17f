/*
 * source.c
 *	  What a feature view is loaded from.
 *
 * The text comes from an option or an argument and becomes a part of a
 * statement.  That the server's own grammar finds exactly one item of FROM in
 * it, under the name that we give it, is what keeps it from being anything
 * else: it ends no parenthesis of ours, begins no other clause, and comments
 * nothing of ours out.
 */
#include "pg/util/export.h"

#include "executor/spi.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "utils/plancache.h"

#include "pg/load/source.h"
#include "pg/util/attempt.h"

typedef struct Parse
{
	const char *statement;
	List	   *tree;
} Parse;

/* Callback of dyn_attempt(). */
static void
parse_statement(void *arg)
{
	Parse	   *parse = arg;

	parse->tree = raw_parser(parse->statement, RAW_PARSE_DEFAULT);
}

/* Raises that the text can't be a source. */
static void
refuse_source(const DynSource *source, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be the name of a table or view, or a query in parentheses", source->what),
			 errdetail("%s", why)));
}

/* Is the statement SELECT FROM one item, and nothing else? */
static bool
is_bare_select(const SelectStmt *stmt)
{
	return stmt->op == SETOP_NONE && list_length(stmt->fromClause) == 1 && stmt->distinctClause == NIL &&
		stmt->intoClause == NULL && stmt->targetList == NIL && stmt->whereClause == NULL &&
		stmt->groupClause == NIL && stmt->havingClause == NULL && stmt->windowClause == NIL &&
		stmt->valuesLists == NIL && stmt->sortClause == NIL && stmt->limitOffset == NULL &&
		stmt->limitCount == NULL && stmt->lockingClause == NIL && stmt->withClause == NULL;
}

/* The item that the parse found; NULL unless it is one, and bears our name. */
static Node *
only_item(const Parse *parse)
{
	const SelectStmt *stmt;
	Node	   *item;
	Alias	   *alias = NULL;

	if (list_length(parse->tree) != 1 || !IsA(linitial_node(RawStmt, parse->tree)->stmt, SelectStmt))
		return NULL;
	stmt = (const SelectStmt *) linitial_node(RawStmt, parse->tree)->stmt;
	if (!is_bare_select(stmt))
		return NULL;
	item = linitial(stmt->fromClause);
	if (IsA(item, RangeVar))
		alias = ((RangeVar *) item)->alias;
	else if (IsA(item, RangeSubselect) && !((RangeSubselect *) item)->lateral)
		alias = ((RangeSubselect *) item)->alias;
	return alias && strcmp(alias->aliasname, DYN_SOURCE_ALIAS) == 0 && alias->colnames == NIL ? item : NULL;
}

/* What a query in the source has that a source may not have; walks down to the first one. */
static bool
find_forbidden(Node *node, void *context)
{
	const char **why = context;

	if (node == NULL)
		return false;
	if (IsA(node, ParamRef))
		*why = "It has a parameter.";
	else if (IsA(node, InsertStmt) || IsA(node, UpdateStmt) || IsA(node, DeleteStmt) || IsA(node, MergeStmt))
		*why = "It changes data.";
	else if (IsA(node, SelectStmt) && ((SelectStmt *) node)->intoClause)
		*why = "It makes a table, by INTO.";
	else if (IsA(node, SelectStmt) && ((SelectStmt *) node)->lockingClause != NIL)
		*why = "It locks rows.";
	return *why != NULL || raw_expression_tree_walker(node, find_forbidden, context);
}

void
dyn_source_check(DynSource *source)
{
	Parse		parse = {psprintf("SELECT FROM %s%s", source->text, DYN_SOURCE_END), NIL};
	ErrorData  *error = dyn_attempt(parse_statement, &parse);
	const char *why = NULL;
	Node	   *item;

	if (error)
		refuse_source(source, psprintf("The parser says: %s.", error->message));
	item = only_item(&parse);
	if (item == NULL)
		refuse_source(source, "It is something else, or more than that.");
	find_forbidden(item, &why);
	if (why)
		refuse_source(source, why);
	source->relation = IsA(item, RangeVar) ? (const RangeVar *) item : NULL;
}

TupleDesc
dyn_source_describe(const DynSource *source)
{
	SPIPlanPtr	plan = SPI_prepare(psprintf("SELECT * FROM %s%s", source->text, DYN_SOURCE_END), 0, NULL);
	CachedPlanSource *parsed;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	parsed = linitial(SPI_plan_get_plan_sources(plan));
	return parsed->resultDesc;
}
