/*
 * join_table.c
 *	  The remote tables that a lookup join asks.
 */
#include "pg/util/export.h"

#include <limits.h>

#include "utils/palloc.h"

#include "pg/join/join_table.h"

/* Many views together have no more requests in flight than this, whatever each of them may have. */
#define MAX_GROUP_WORKERS 100

void
dyn_join_tables_release(DynJoinTables *tables)
{
	for (int i = 0; i < tables->ngroups; i++)
	{
		dyn_connection_release(tables->groups[i].connection);
		tables->groups[i].connection = NULL;
	}
}

/* Callback of the memory context. */
static void
release_tables(void *arg)
{
	dyn_join_tables_release(arg);
}

DynJoinTables *
dyn_join_tables_new(int nstages)
{
	DynJoinTables *tables = palloc0(sizeof(DynJoinTables));

	tables->nstages = nstages;
	tables->groups = palloc0(sizeof(DynTableGroup) * nstages);
	tables->callback.func = release_tables;
	tables->callback.arg = tables;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &tables->callback);
	return tables;
}

DynConnection *
dyn_join_tables_connect(DynTableGroup *group)
{
	if (group->connection == NULL)
		group->connection = dyn_connection_get(group->serverid, group->userid);
	return group->connection;
}

/* The number of the remote table in the group, or -1. */
static int
find_table(const DynTableGroup *group, const char *name)
{
	for (int i = 0; i < group->ntables; i++)
		if (strcmp(group->requests[i].table, name) == 0)
			return i;
	return -1;
}

/* A group without tables, with room for one of each stage. */
static void
init_group(DynTableGroup *group, Oid serverid, Oid userid, int nstages)
{
	group->serverid = serverid;
	group->userid = userid;
	group->requests = palloc0(sizeof(DynGetRequest) * nstages);
	group->features = palloc0(sizeof(DynFeatureNames) * nstages);
	group->rels = palloc0(sizeof(DynRelation *) * nstages);
	group->wanted = palloc0(sizeof(int64) * nstages);
	group->asked = palloc0(sizeof(int64) * nstages);
	group->found = palloc0(sizeof(int64) * nstages);
	group->answered = palloc0(sizeof(int64) * nstages);
}

/*
 * The group for a foreign table, possibly a new one.  A remote table occurs once
 * in a request, and where foreign tables see keys of different types in it, the
 * ids differ; but the values of its keys stand in one array, so they must be as
 * many.
 */
static int
find_group(DynJoinTables *tables, const DynRelation *rel, Oid userid)
{
	int			i;

	for (i = 0; i < tables->ngroups; i++)
	{
		DynTableGroup *group = &tables->groups[i];
		int			table = find_table(group, rel->remote.table);

		if (group->serverid == rel->serverid && group->userid == userid &&
			(table < 0 || group->rels[table]->nkeys == rel->nkeys))
			return i;
	}
	init_group(&tables->groups[i], rel->serverid, userid, tables->nstages);
	tables->ngroups++;
	return i;
}

/* A new table of the group, of which nothing is asked so far. */
static int
add_table(DynTableGroup *group, const DynRelation *rel)
{
	int			i = group->ntables++;

	group->rels[i] = rel;
	group->requests[i].table = rel->remote.table;
	group->requests[i].features = &group->features[i];
	group->batch_size = i == 0 ? rel->batch_size : Min(group->batch_size, rel->batch_size);
	return i;
}

/* The position of a feature among those asked for of a table; it is asked for from now on. */
static int
add_feature(DynFeatureNames *features, const char *name, size_t length)
{
	int			n = features->count;
	const char **names;
	size_t	   *lengths;

	for (int i = 0; i < n; i++)
		if (features->lengths[i] == length && memcmp(features->names[i], name, length) == 0)
			return i;
	names = palloc(sizeof(char *) * (n + 1));
	lengths = palloc(sizeof(size_t) * (n + 1));
	if (n > 0)
	{
		memcpy(names, features->names, sizeof(char *) * n);
		memcpy(lengths, features->lengths, sizeof(size_t) * n);
	}
	names[n] = name;
	lengths[n] = length;
	features->names = names;
	features->lengths = lengths;
	return features->count++;
}

DynTableNumber
dyn_join_tables_add(DynJoinTables *tables, DynProjection *projection, Oid userid, bool consistent)
{
	const DynRelation *rel = projection->rel;
	int			g = find_group(tables, rel, userid);
	DynTableGroup *group = &tables->groups[g];
	int			t = find_table(group, rel->remote.table);
	DynGetRequest *request;

	if (t < 0)
		t = add_table(group, rel);
	group->nstages++;
	group->max_workers = Min(group->max_workers + rel->max_read_workers, MAX_GROUP_WORKERS);
	request = &group->requests[t];
	request->event_ts = request->event_ts || projection->event_ts;
	request->consistent = request->consistent || consistent;
	request->capacity = request->capacity || rel->consumed_capacity;
	for (int i = 0; i < projection->features.count; i++)
		projection->positions[i] = add_feature(&group->features[t], projection->features.names[i],
											   projection->features.lengths[i]);
	return (DynTableNumber) {g, t};
}

int
dyn_join_tables_rows(const DynJoinTables *tables)
{
	int			rows = INT_MAX;

	for (int i = 0; i < tables->ngroups; i++)
	{
		const DynTableGroup *group = &tables->groups[i];

		int			of_group = group->max_workers * group->batch_size / group->nstages;

		rows = Min(rows, of_group);
	}
	return Max(rows, 1);
}
