/*
 * ddl_moved.c
 *	  Foreign tables that mean another remote table than before the running
 *	  command.
 */
#include "pg/util/export.h"

#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "utils/lsyscache.h"

#include "pg/ddl/ddl_lock.h"
#include "pg/ddl/ddl_moved.h"
#include "pg/ddl/ddl_record.h"
#include "pg/ddl/ddl_reference.h"
#include "pg/ddl/ddl_snapshot.h"

DynRemote *
dyn_moved_from(Oid relid, Oid serverid)
{
	List	   *server_options = dyn_snapshot_server_options_before(serverid);
	char	   *name = dyn_snapshot_relation_name_before(relid);

	return server_options == NIL || name == NULL ? NULL :
		dyn_remote_resolve(dyn_snapshot_table_options_before(relid), server_options, name, NULL);
}

/* Is none of the records one of a table that is to stay? */
static bool
all_are_owed(List *records)
{
	ListCell   *lc;

	foreach(lc, records)
		if (!dyn_record_is_owed(lfirst(lc)))
			return false;
	return true;
}

void
dyn_moved_tell_left(const DynRemote *before)
{
	List	   *records = dyn_records_at(dyn_records(), before->region, before->table);

	if (records == NIL || dyn_references_find(dyn_references_collect(), before->region, before->table))
		return;
	if (all_are_owed(records))
		ereport(WARNING,
				(errmsg("remote table \"%s\" has no foreign table any more, and its deletion is owed", before->table),
				 errhint("dynamo_fdw_plan() lists its record, dynamo_fdw_forget() ends the record and keeps the table.")));
	else
		ereport(WARNING,
				(errmsg("remote table \"%s\" has no foreign table any more, and is kept", before->table),
				 errdetail("CREATE FOREIGN TABLE made it."),
				 errhint("DROP of a foreign table over it deletes it; until then dynamo_fdw_plan() lists it.")));
}

void
dyn_moved_tell_tables(Oid serverid)
{
	ForeignServer *server = GetForeignServer(serverid);
	StringInfoData examples;
	int			n = 0;
	ListCell   *lc;

	initStringInfo(&examples);
	foreach(lc, dyn_tables_of_server(serverid))
	{
		ForeignTable *table = GetForeignTable(lfirst_oid(lc));
		DynRemote  *before = dyn_moved_from(table->relid, serverid);
		DynRemote  *now = dyn_remote_resolve(table->options, server->options, get_rel_name(table->relid), NULL);

		if (before == NULL || (now && dyn_remote_equal(before, now)))
			continue;
		if (now)
			dyn_ddl_lock(now->region, now->table);	/* as in ddl_changed.c */
		if (n++ < 3)
			appendStringInfo(&examples, "%s\"%s\" means %s", n > 1 ? ", " : "", get_rel_name(table->relid),
							 now ? psprintf("%s in %s at %s", now->table, now->region, now->endpoint.url) : "none");
	}
	if (n > 0)
		ereport(WARNING,
				(errmsg_plural("%d foreign table of server \"%s\" now means another remote table",
							   "%d foreign tables of server \"%s\" now mean other remote tables", n, n, server->servername),
				 errdetail("%s%s.", examples.data, n > 3 ? ", and so on" : ""),
				 errhint("Nothing was made or deleted: see dynamo_fdw_plan() and dynamo_fdw_create_table().")));
}
