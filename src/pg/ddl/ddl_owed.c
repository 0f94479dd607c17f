/*
 * ddl_owed.c
 *	  Deletions that are still owed.
 */
#include "pg/util/export.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

#include "pg/ddl/ddl_door.h"
#include "pg/ddl/ddl_job.h"
#include "pg/ddl/ddl_lock.h"
#include "pg/ddl/ddl_owed.h"
#include "pg/table/relation.h"

/* A CREATE spends no more than this on what is owed, and does no more of it. */
#define RETRY_BUDGET_MS 2000
#define MAX_RETRIED 50

/* An endpoint that failed is left alone for so long by CREATE. */
#define BACK_OFF_MS 60000

#define ENDPOINT_KEY_BYTES 320

typedef struct FailedEndpoint
{
	char		endpoint[ENDPOINT_KEY_BYTES];	/* hash key */
	TimestampTz when;
} FailedEndpoint;

/* Of this session. */
static HTAB *failed_endpoints = NULL;

/* ---- back-off ---- */

static FailedEndpoint *
failed_endpoint(const char *endpoint, HASHACTION action)
{
	char		key[ENDPOINT_KEY_BYTES];

	if (failed_endpoints == NULL)
	{
		HASHCTL		ctl = {0};

		ctl.keysize = ENDPOINT_KEY_BYTES;
		ctl.entrysize = sizeof(FailedEndpoint);
		failed_endpoints = hash_create("dynamo_fdw failed endpoints", 8, &ctl, HASH_ELEM | HASH_STRINGS);
	}
	strlcpy(key, endpoint, sizeof(key));
	return hash_search(failed_endpoints, key, action, NULL);
}

static bool
failed_lately(const char *endpoint)
{
	FailedEndpoint *failed = failed_endpoint(endpoint, HASH_FIND);

	return failed && !TimestampDifferenceExceeds(failed->when, GetCurrentTimestamp(), BACK_OFF_MS);
}

/* Remembers where no answer came. */
static void
note_failures(List *deletions)
{
	ListCell   *lc;

	foreach(lc, deletions)
	{
		const DynDeletion *deletion = lfirst(lc);
		DynClass	cls = deletion->job.status.cls;

		if (deletion->verdict == DYN_VERDICT_WAIT &&
			(cls == DYN_CONNECT || cls == DYN_TIMEOUT || cls == DYN_CONNECTION_LOST || cls == DYN_UNTRUSTED))
			failed_endpoint(deletion->record->endpoint, HASH_ENTER)->when = GetCurrentTimestamp();
	}
}

/* ---- choosing ---- */

static bool
names_one_of(const DynRecord *record, List *remotes)
{
	ListCell   *lc;

	foreach(lc, remotes)
	{
		const DynRemote *remote = lfirst(lc);

		if (strcmp(remote->region, record->region) == 0 && strcmp(remote->table, record->table) == 0)
			return true;
	}
	return false;
}

static bool
is_to_be_tried(const DynRecord *record)
{
	return record->state == DYN_RECORD_PENDING || record->state == DYN_RECORD_LEFTOVER;
}

/* Ids of the records to work on, their names locked; those that another session works on are left to it. */
static List *
lock_records(List *records)
{
	List	   *locked = NIL;
	ListCell   *lc;

	dyn_ddl_lock_reserve(list_length(records));
	foreach(lc, records)
	{
		DynRecord  *record = lfirst(lc);

		if (dyn_ddl_try_lock(record->region, record->table))
			locked = lappend(locked, record);
	}
	return locked;
}

static bool
has_id(List *records, int64 id)
{
	ListCell   *lc;

	foreach(lc, records)
		if (((DynRecord *) lfirst(lc))->id == id)
			return true;
	return false;
}

/* The deletions of records that are owed still now that their names are locked. */
static List *
deletions_under_lock(List *locked, int elevel)
{
	List	   *deletions = NIL;
	ListCell   *lc;

	foreach(lc, dyn_records())
	{
		DynRecord  *record = lfirst(lc);
		DynDeletion *deletion;

		if (!is_to_be_tried(record) || !has_id(locked, record->id))
			continue;
		deletion = dyn_deletion_new(record, NULL);
		deletion->elevel = elevel;
		deletions = lappend(deletions, deletion);
	}
	return deletions;
}

/* ---- the whole ---- */

static int
delete_records(List *records, int elevel, int budget_ms)
{
	List	   *deletions = deletions_under_lock(lock_records(records), elevel);
	int			done = dyn_door_pass(deletions, dyn_references_collect_both(), budget_ms);

	note_failures(deletions);
	return done;
}

void
dyn_owed_retry(Oid owner, List *except)
{
	List	   *chosen = NIL;
	ListCell   *lc;

	foreach(lc, dyn_records())
	{
		DynRecord  *record = lfirst(lc);

		if (is_to_be_tried(record) && record->owner == owner && !names_one_of(record, except) &&
			!failed_lately(record->endpoint) && list_length(chosen) < MAX_RETRIED)
			chosen = lappend(chosen, record);
	}
	if (chosen != NIL)
		delete_records(chosen, DEBUG1, RETRY_BUDGET_MS);
}

int
dyn_owed_delete(Oid userid)
{
	List	   *chosen = NIL;
	ListCell   *lc;

	foreach(lc, dyn_records())
	{
		DynRecord  *record = lfirst(lc);

		if (is_to_be_tried(record) && has_privs_of_role(userid, record->owner))
			chosen = lappend(chosen, record);
	}
	return chosen == NIL ? 0 : delete_records(chosen, WARNING, DYN_DDL_BUDGET_MS * 2);
}
