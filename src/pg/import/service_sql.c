/*
 * service_sql.c
 *	  The text of a feature service.
 *
 *		SELECT k.c1, v1.a, v2.b
 *		FROM ROWS FROM (unnest($1), unnest($2)) WITH ORDINALITY AS k(c1, c2, n)
 *			 LEFT JOIN s.x v1 ON v1.id = k.c1
 *			 LEFT JOIN s.y v2 ON v2.id = k.c2
 *		ORDER BY k.n
 *
 * The planner makes one Lookup Join of the joins, which asks for the keys of all
 * views in one round.
 */
#include "pg/util/export.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "pg/import/service_sql.h"

/* How the value of a parameter is written. */
typedef char *(*ParameterText) (const DynServiceShape *shape, int n, void *arg);

typedef struct Writer
{
	const DynServiceShape *shape;
	ParameterText parameter;
	void	   *arg;
} Writer;

static char *
column_of_rows(const DynServiceShape *shape, int n, void *arg)
{
	return psprintf("k.c%d", n + 1);
}

/* The table's column that is called as the parameter. */
static char *
column_of_table(const DynServiceShape *shape, int n, void *arg)
{
	Oid			relid = *(Oid *) arg;
	char	   *name = dyn_sql_name_clip(((DynServiceParameter *) list_nth(shape->parameters, n))->name, NAMEDATALEN - 1);

	if (get_attnum(relid, name) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column \"%s\"", get_rel_name(relid), name),
				 errdetail("Feature service \"%s\" needs it.", shape->name)));
	return psprintf("e.%s", quote_identifier(name));
}

/* "s.f(a => v1.a, b => k.c2)". */
static char *
call_text(const Writer *writer, const DynServiceCall *call)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfo(&sql, "%s(", call->qualified);
	foreach(lc, call->arguments)
	{
		const DynServiceArgument *argument = lfirst(lc);

		appendStringInfo(&sql, "%s%s => %s", lc == list_head(call->arguments) ? "" : ", ",
						 quote_identifier(argument->name),
						 argument->from == DYN_SERVICE_PARAMETER ?
						 writer->parameter(writer->shape, argument->source, writer->arg) :
						 psprintf("v%d.%s", argument->source + 1, quote_identifier(argument->column)));
	}
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

/* The expression of a result column. */
static char *
output_text(const Writer *writer, const DynServiceOutput *output)
{
	const DynServiceCall *call;

	switch (output->from)
	{
		case DYN_SERVICE_PARAMETER:
			return writer->parameter(writer->shape, output->source, writer->arg);
		case DYN_SERVICE_COLUMN:
			return psprintf("v%d.%s", output->source + 1, quote_identifier(output->column));
		case DYN_SERVICE_CALL:
			call = list_nth(writer->shape->calls, output->source);
			return call->composite ? psprintf("o%d.%s", output->source + 1, quote_identifier(output->column)) :
				call_text(writer, call);
	}
	return NULL;
}

/* A view without entities joins every row. */
static void
append_join(StringInfo sql, const Writer *writer, const DynServiceJoin *join, int n)
{
	appendStringInfo(sql, "\n\tLEFT JOIN %s v%d ON ", join->table->qualified, n);
	if (join->key_parameters == NIL)
		appendStringInfoString(sql, "true");
	for (int i = 0; i < list_length(join->key_parameters); i++)
		appendStringInfo(sql, "%sv%d.%s = %s", i > 0 ? " AND " : "", n,
						 quote_identifier(join->table->relation->keys[i]->sql_name),
						 writer->parameter(writer->shape, list_nth_int(join->key_parameters, i), writer->arg));
}

/* All foreign tables, then the on-demand functions that return a row; others are called in the SELECT list. */
static void
append_joins(StringInfo sql, const Writer *writer)
{
	int			n = 0;
	ListCell   *lc;

	foreach(lc, writer->shape->joins)
		append_join(sql, writer, lfirst(lc), ++n);
	n = 0;
	foreach(lc, writer->shape->calls)
	{
		const DynServiceCall *call = lfirst(lc);

		n++;
		if (call->composite)
			appendStringInfo(sql, "\n\tLEFT JOIN LATERAL %s o%d ON true", call_text(writer, call), n);
	}
}

/* ---- the function ---- */

/* Arguments and result of the function, without its name and the first parenthesis. */
static void
append_signature(StringInfo sql, const DynServiceShape *shape)
{
	ListCell   *lc;

	foreach(lc, shape->parameters)
	{
		const DynServiceParameter *parameter = lfirst(lc);

		appendStringInfo(sql, "%s%s %s[]", lc == list_head(shape->parameters) ? "" : ", ",
						 quote_identifier(parameter->sql_name), format_type_be_qualified(parameter->type));
	}
	appendStringInfoString(sql, ")\nRETURNS TABLE (");
	foreach(lc, shape->outputs)
	{
		const DynServiceOutput *output = lfirst(lc);

		appendStringInfo(sql, "%s%s %s", lc == list_head(shape->outputs) ? "" : ", ",
						 quote_identifier(output->sql_name), output->type);
	}
	appendStringInfoChar(sql, ')');
}

/* The rows of the arrays, in their order; one row, if there are none. */
static void
append_rows(StringInfo sql, const DynServiceShape *shape)
{
	int			n = list_length(shape->parameters);

	if (n == 0)
	{
		appendStringInfoString(sql, "(VALUES (1)) AS k(n)");
		return;
	}
	appendStringInfoString(sql, "ROWS FROM (");
	for (int i = 1; i <= n; i++)
		appendStringInfo(sql, "%sunnest($%d)", i > 1 ? ", " : "", i);
	appendStringInfoString(sql, ") WITH ORDINALITY AS k(");
	for (int i = 1; i <= n; i++)
		appendStringInfo(sql, "c%d, ", i);
	appendStringInfoString(sql, "n)");
}

char *
dyn_service_function_sql(const DynServiceShape *shape, const char *qualified)
{
	Writer		writer = {shape, column_of_rows, NULL};
	StringInfoData sql;
	const char *separator = "\nSELECT ";
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE OR REPLACE FUNCTION %s(", qualified);
	append_signature(&sql, shape);
	appendStringInfo(&sql, "\nLANGUAGE sql %s\nBEGIN ATOMIC", shape->is_volatile ? "VOLATILE" : "STABLE");
	foreach(lc, shape->outputs)
	{
		appendStringInfo(&sql, "%s%s", separator, output_text(&writer, lfirst(lc)));
		separator = ", ";
	}
	appendStringInfoString(&sql, "\nFROM ");
	append_rows(&sql, shape);
	append_joins(&sql, &writer);
	appendStringInfoString(&sql, "\nORDER BY k.n;\nEND");
	return sql.data;
}

/* ---- the query ---- */

char *
dyn_service_query_sql(const DynServiceShape *shape, Oid entity_table)
{
	Writer		writer = {shape, column_of_table, &entity_table};
	DynSqlNames *names = dyn_sql_names_of_columns(entity_table);	/* the query has them all */
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT e.*");
	foreach(lc, shape->outputs)
	{
		const DynServiceOutput *output = lfirst(lc);

		if (output->from == DYN_SERVICE_PARAMETER)
			continue;
		appendStringInfo(&sql, ",\n\t%s AS %s", output_text(&writer, output),
						 quote_identifier(dyn_sql_names_take(names, output->sql_name)));
	}
	appendStringInfo(&sql, "\nFROM %s e",
					 quote_qualified_identifier(get_namespace_name(get_rel_namespace(entity_table)),
												get_rel_name(entity_table)));
	append_joins(&sql, &writer);
	return sql.data;
}
