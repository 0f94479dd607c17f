/*
 * comment.c
 *	  Descriptions of the registry as comments.
 */
#include "pg/util/export.h"

#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "utils/lsyscache.h"

#include "pg/import/comment.h"

void
dyn_comment_table(Oid relid, const DynTableDefinition *definition)
{
	ListCell   *lc;

	if (*definition->description)
		CreateComments(relid, RelationRelationId, 0, definition->description);
	foreach(lc, definition->columns)
	{
		const DynColumnDefinition *column = lfirst(lc);
		AttrNumber	attnum = get_attnum(relid, column->sql_name);

		if (*column->description && attnum != InvalidAttrNumber)
			CreateComments(relid, RelationRelationId, attnum, column->description);
	}
}

void
dyn_comment_tables(Oid schema, List *definitions)
{
	ListCell   *lc;

	foreach(lc, definitions)
	{
		const DynTableDefinition *definition = lfirst(lc);
		Oid			relid = get_relname_relid(definition->sql_name, schema);

		if (OidIsValid(relid))
			dyn_comment_table(relid, definition);
	}
}
