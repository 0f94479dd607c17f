/*
 * sql_name.c
 *	  SQL names for Feast's.
 *
 * They are never folded: whoever has a feature "Rating" and another "rating"
 * has two columns, and writes them in quotes.
 */
#include "pg/util/export.h"

#include "access/relation.h"
#include "catalog/heap.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "pg/import/sql_name.h"

struct DynSqlNames
{
	HTAB	   *taken;
};

DynSqlNames *
dyn_sql_names_new(void)
{
	DynSqlNames *names = palloc(sizeof(DynSqlNames));
	HASHCTL		ctl = {.keysize = NAMEDATALEN, .entrysize = NAMEDATALEN, .hcxt = CurrentMemoryContext};

	names->taken = hash_create("dynamo_fdw names", 64, &ctl, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	return names;
}

void
dyn_sql_names_free(DynSqlNames *names)
{
	hash_destroy(names->taken);
	pfree(names);
}

char *
dyn_sql_name_clip(const char *name, int max_bytes)
{
	int			len = strlen(name);

	return pnstrdup(name, len > max_bytes ? pg_mbcliplen(name, len, max_bytes) : len);
}

bool
dyn_sql_names_has(DynSqlNames *names, const char *name)
{
	bool		found;

	hash_search(names->taken, name, HASH_FIND, &found);
	return found;
}

char *
dyn_sql_names_take(DynSqlNames *names, const char *name)
{
	char	   *result = palloc(NAMEDATALEN);
	int			len = strlen(name);

	strlcpy(result, name, pg_mbcliplen(name, len, NAMEDATALEN - 1) + 1);
	for (int n = 2; dyn_sql_names_has(names, result); n++)
	{
		char		suffix[16];

		/* many names that are cut alike: each tries all numbers before its own */
		CHECK_FOR_INTERRUPTS();
		snprintf(suffix, sizeof(suffix), "_%d", n);
		strlcpy(result, name, pg_mbcliplen(name, len, NAMEDATALEN - 1 - (int) strlen(suffix)) + 1);
		strlcat(result, suffix, NAMEDATALEN);
	}
	hash_search(names->taken, result, HASH_ENTER, NULL);
	return result;
}

char *
dyn_sql_names_take_column(DynSqlNames *names, const char *name)
{
	if (SystemAttributeByName(name))
		name = psprintf("%s_", name);
	return dyn_sql_names_take(names, name);
}

DynSqlNames *
dyn_sql_names_of_columns(Oid relid)
{
	DynSqlNames *names = dyn_sql_names_new();
	Relation	rel = relation_open(relid, AccessShareLock);

	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
		if (!TupleDescAttr(RelationGetDescr(rel), i)->attisdropped)
			dyn_sql_names_take(names, NameStr(TupleDescAttr(RelationGetDescr(rel), i)->attname));
	relation_close(rel, NoLock);
	return names;
}
