/*
 * ddl_door.c
 *	  The one door for every deletion.
 */
#include "pg/util/export.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "pg/ddl/ddl_door.h"
#include "pg/ddl/ddl_job.h"
#include "pg/ddl/ddl_note.h"
#include "pg/table/option.h"
#include "pg/util/error.h"

/* A look at what another spelling of the endpoint means, by the record's owner. */
typedef struct OtherLook
{
	DynDeletion *deletion;
	bool		must_be_same;	/* of a foreign table that was dropped; else it must be another table */
	DynDdlClient *client;
	DynTableJob job;
} OtherLook;

/* The client of a role on a server, found once a judgement. */
typedef struct KnownClient
{
	Oid			serverid;
	Oid			owner;
	DynDdlClient *client;		/* NULL: none, for this reason */
	DynEndpoint endpoint;		/* of that client */
	const char *region;
	bool		never;			/* the server's drop_remote_table is 'never' */
	DynSignerLack lack;
	DynStatus	status;
} KnownClient;

typedef struct Judgement
{
	List	   *deletions;
	DynReferences *references;
	List	   *clients;		/* KnownClients */
	List	   *other_looks;
} Judgement;

DynDeletion *
dyn_deletion_new(DynRecord *record, const char *foreign_table)
{
	DynDeletion *deletion = palloc0(sizeof(DynDeletion));

	deletion->record = record;
	deletion->foreign_table = foreign_table;
	deletion->elevel = WARNING;
	return deletion;
}

/* ---- words ---- */

#define PROTECTED "It is protected against deletion."

/* For TRUNCATE, which does it now or fails. */
static void
refuse_truncation_hint(const DynDeletion *deletion, const char *why, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("remote table \"%s\" of foreign table \"%s\" cannot be truncated", deletion->record->table,
					deletion->foreign_table),
			 errdetail("%s", why),
			 errhint("%s", hint)));
}

static void
refuse_truncation(const DynDeletion *deletion, const char *why)
{
	refuse_truncation_hint(deletion, why, "DELETE rows by their entity keys.");
}

/* "remote table "x" of foreign table "y" is kept", and why; the hint may be NULL. */
static void
keep_table_hint(DynDeletion *deletion, const char *why, const char *hint)
{
	deletion->verdict = DYN_VERDICT_KEEP;
	ereport(deletion->elevel,
			(deletion->foreign_table ?
			 errmsg("remote table \"%s\" of foreign table \"%s\" is kept", deletion->record->table,
					deletion->foreign_table) :
			 errmsg("remote table \"%s\" is kept", deletion->record->table),
			 errdetail("%s", why),
			 hint ? errhint("%s", hint) : 0));
}

static void
keep_table(DynDeletion *deletion, const char *why)
{
	if (deletion->truncates)
		refuse_truncation(deletion, why);
	keep_table_hint(deletion, why, NULL);
}

/*
 * The deletion can't be done now: the record stays, if there is or can be one.
 * That nobody knows whether the foreign table meant the record's table is no
 * reason to delete it later.
 */
static void
postpone(DynDeletion *deletion, const char *why)
{
	DynRecord  *record = deletion->record;
	bool		stays = !deletion->any_table && !deletion->unwritten && !dyn_note_records_are_dropped();

	if (deletion->truncates)
		refuse_truncation(deletion, why);
	if (OidIsValid(deletion->dropped_server) && record->state == DYN_RECORD_MADE)
	{
		keep_table(deletion, why);
		return;
	}
	deletion->verdict = DYN_VERDICT_WAIT;
	ereport(deletion->elevel,
			(deletion->foreign_table ?
			 errmsg("remote table \"%s\" of foreign table \"%s\" is not deleted", record->table,
					deletion->foreign_table) :
			 errmsg("remote table \"%s\" is not deleted", record->table),
			 errdetail("%s", why),
			 !stays ? errhint("Delete it by hand if it is not needed.") :
			 errhint("Its deletion is pending: the next CREATE FOREIGN TABLE of role \"%s\" tries again, and so does dynamo_fdw_delete_pending().",
					 GetUserNameFromId(record->owner, true) ? GetUserNameFromId(record->owner, true) : "?")));
	if (!stays)
		return;
	if (record->state == DYN_RECORD_MADE)
		record->state = DYN_RECORD_PENDING;
	dyn_record_write(record);
}

/* Nobody can ever sign for the record: said once, and listed by dynamo_fdw_plan(). */
static void
give_up(DynDeletion *deletion, const DynStatus *status)
{
	DynRecord  *record = deletion->record;

	if (deletion->truncates)
		refuse_truncation(deletion, dyn_status_text(status));
	deletion->verdict = DYN_VERDICT_WAIT;
	ereport(deletion->elevel,
			(errmsg("remote table \"%s\" cannot be deleted from here any more", record->table),
			 errdetail("%s", dyn_status_text(status)),
			 errhint("Delete it by hand, and end its record by dynamo_fdw_forget().")));
	record->state = DYN_RECORD_FINAL;
	record->note = pstrdup(dyn_status_text(status));
	dyn_record_write(record);
}

/*
 * Somebody wants the table to stay, whoever drops what.  If it was to go by hand,
 * its maker's foreign table stays over it, and it is still his.  Else its record
 * says what became of it; a table that has none gets none.
 */
static void
keep_protected(DynDeletion *deletion)
{
	DynRecord  *record = deletion->record;
	bool		stays = deletion->by_hand && record->state == DYN_RECORD_MADE;
	bool		listed = !deletion->unwritten && !dyn_note_records_are_dropped() &&
		(record->id != 0 || record->state == DYN_RECORD_LEFTOVER);

	keep_table_hint(deletion, PROTECTED,
					stays ? "Set its option deletion_protection to 'false' by ALTER FOREIGN TABLE, and try again." :
					listed ? "To delete it all the same, CREATE a foreign table over it with the option deletion_protection 'false', and DROP that; or delete it by hand, and end its record by dynamo_fdw_forget()." :
					"Delete it by hand if it is not needed.");
	if (stays || !listed)
		return;
	record->state = DYN_RECORD_FINAL;
	record->note = "it is protected against deletion";
	dyn_record_write(record);
}

/* ---- who signs ---- */

static KnownClient *
known_client(Judgement *judgement, Oid serverid, Oid owner)
{
	KnownClient *known;
	const DynSigner *signer;
	ListCell   *lc;

	foreach(lc, judgement->clients)
	{
		known = lfirst(lc);
		if (known->serverid == serverid && known->owner == owner)
			return known;
	}
	known = palloc0(sizeof(KnownClient));
	known->serverid = serverid;
	known->owner = owner;
	judgement->clients = lappend(judgement->clients, known);
	signer = dyn_note_signer(serverid, owner, &known->lack);
	if (signer == NULL)
	{
		dyn_signer_status(known->lack, serverid, owner, &known->status);
		return known;
	}
	known->client = dyn_ddl_client_get(signer, &known->status);
	dyn_option_endpoint(signer->server_options, &known->endpoint);
	known->region = dyn_option_text("region", signer->server_options, NIL);
	known->never = dyn_drop_policy(NIL, signer->server_options) == DYN_DROP_NEVER;
	return known;
}

/*
 * May the record's server still delete it?  References were looked for in the
 * record's region alone; the undoing of a rollback is no DROP.
 */
static bool
check_server(DynDeletion *deletion, const KnownClient *known)
{
	if (strcmp(known->region, deletion->record->region) != 0)
		postpone(deletion, "Its server now has another region.");
	else if (known->never && deletion->record->state != DYN_RECORD_LEFTOVER)
		keep_table(deletion, "The server by which it was made has the option drop_remote_table 'never'.");
	else
		return true;
	return false;
}

/* False: nobody signs, or the record's server keeps its tables; that is said. */
static bool
find_client(Judgement *judgement, DynDeletion *deletion)
{
	KnownClient *known;

	if (deletion->client)
		return true;
	known = known_client(judgement, deletion->record->server, deletion->record->owner);
	deletion->client = known->client;
	if (deletion->client)
	{
		deletion->moved = strcmp(known->endpoint.url, deletion->record->endpoint) != 0;
		return check_server(deletion, known);
	}
	if (known->lack == DYN_SIGNER_NO_ROLE || known->lack == DYN_SIGNER_NO_SERVER)
		give_up(deletion, &known->status);
	else
		postpone(deletion, dyn_status_text(&known->status));
	return false;
}

/* ---- whose it still is ---- */

/* Another endpoint is to be looked at by the record's owner; false: he can't. */
static bool
add_other_look(Judgement *judgement, DynDeletion *deletion, Oid serverid, bool must_be_same)
{
	KnownClient *known = known_client(judgement, serverid, deletion->record->owner);
	OtherLook  *look;

	if (known->client == NULL)
		return false;
	look = palloc0(sizeof(OtherLook));
	look->deletion = deletion;
	look->must_be_same = must_be_same;
	look->client = known->client;
	judgement->other_looks = lappend(judgement->other_looks, look);
	return true;
}

/* Does the record's owner see by a foreign table's server what the foreign table's owner sees: by the same keys? */
static bool
sees_the_same(Judgement *judgement, const DynDeletion *deletion, const DynReference *reference)
{
	const KnownClient *mine = known_client(judgement, reference->serverid, deletion->record->owner);
	const KnownClient *theirs = known_client(judgement, reference->serverid, reference->owner);

	return mine->client && mine->client == theirs->client;
}

/* Is one of these foreign tables the role's? */
static bool
is_owners(const DynReference *reference, Oid owner)
{
	for (; reference; reference = reference->next)
		if (reference->owner == owner)
			return true;
	return false;
}

/*
 * Foreign tables are over the record's table.  It is written that the deletion
 * is owed, if it was not before: what is undone, and what its owner dropped, goes
 * when the foreign tables of others are gone.
 */
static void
keep_in_use(DynDeletion *deletion, const DynReference *first)
{
	const DynRecord *record = deletion->record;
	bool		is_new = record->state == DYN_RECORD_MADE ? !is_owners(first, record->owner) : record->id == 0;

	if (deletion->truncates)
		refuse_truncation(deletion, psprintf("Foreign table \"%s\" is over it, too.", get_rel_name(first->relid)));
	if (is_new && !deletion->any_table && !deletion->unwritten)
		postpone(deletion, psprintf("Foreign table \"%s\" is over it.", get_rel_name(first->relid)));
	else
		deletion->verdict = DYN_VERDICT_KEEP;
}

/*
 * Is a foreign table over the remote name?  One whose endpoint is spelled in
 * another way may mean another table: the record's owner has a look there.
 */
static bool
is_referenced(Judgement *judgement, DynDeletion *deletion)
{
	const DynRecord *record = deletion->record;
	const DynReference *first = dyn_references_find(judgement->references, record->region, record->table);
	List	   *servers = NIL;
	ListCell   *lc;

	for (const DynReference *reference = first; reference; reference = reference->next)
	{
		if (strcmp(reference->endpoint, record->endpoint) == 0)
		{
			keep_in_use(deletion, first);
			return true;
		}
		if (!sees_the_same(judgement, deletion, reference))
		{
			keep_table(deletion, "A foreign table over the same name by another endpoint may mean the same table, and the record's owner can't look there, or not with the same keys.");
			return true;
		}
		servers = list_append_unique_oid(servers, reference->serverid);
	}
	foreach(lc, servers)
		add_other_look(judgement, deletion, lfirst_oid(lc), false);
	return false;
}

/* Can it be found out whether the foreign table that was dropped meant the record's table? */
static bool
was_meant(Judgement *judgement, DynDeletion *deletion)
{
	if (!OidIsValid(deletion->dropped_server) ||
		add_other_look(judgement, deletion, deletion->dropped_server, true))
		return true;
	keep_table(deletion, "Nobody can look whether the foreign table meant it: it was made by another server.");
	return false;
}

/* ---- looking ---- */

static void
look_at_all(Judgement *judgement, int budget_ms)
{
	DynTableJob **jobs = palloc(sizeof(DynTableJob *) *
								(list_length(judgement->deletions) + list_length(judgement->other_looks) + 1));
	ListCell   *lc;
	int			n = 0;

	foreach(lc, judgement->deletions)
	{
		DynDeletion *deletion = lfirst(lc);

		if (deletion->verdict != DYN_VERDICT_NONE)
			continue;
		dyn_table_job_init(&deletion->job, dyn_ddl_client_of(deletion->client), deletion->record->table,
						   DYN_OP_DESCRIBE_TABLE);
		jobs[n++] = &deletion->job;
	}
	foreach(lc, judgement->other_looks)
	{
		OtherLook  *look = lfirst(lc);

		dyn_table_job_init(&look->job, dyn_ddl_client_of(look->client), look->deletion->record->table,
						   DYN_OP_DESCRIBE_TABLE);
		jobs[n++] = &look->job;
	}
	dyn_ddl_jobs_wait(jobs, n, budget_ms);
	pfree(jobs);
}

/* The same table, as far as the service tells them apart? */
static bool
same_table(const DynTableDescription *a, const DynTableDescription *b)
{
	return strcmp(a->table_id, b->table_id) == 0 && strcmp(a->created, b->created) == 0;
}

/* Which table does the other endpoint mean?  Only what it shows can tell. */
static void
judge_other_look(const OtherLook *look)
{
	DynDeletion *deletion = look->deletion;
	const DynTableJob *own = &deletion->job;
	const DynTableJob *other = &look->job;
	bool		same;

	if (deletion->verdict != DYN_VERDICT_NONE || own->status.cls != DYN_OK)
		return;
	same = other->status.cls == DYN_OK && same_table(&own->description, &other->description);
	if (look->must_be_same)
	{
		if (!same)
			deletion->verdict = DYN_VERDICT_KEEP;
	}
	else if (same || (other->status.cls != DYN_OK && other->status.cls != DYN_TABLE_MISSING))
		keep_table(deletion, "A foreign table over the same name by another endpoint means the same table, or may mean it.");
}

/* Takes the owner's record of the table that is there; false: he has none. */
static bool
find_record(DynDeletion *deletion, const DynTableDescription *shown)
{
	ListCell   *lc;

	foreach(lc, deletion->records)
	{
		DynRecord  *record = lfirst(lc);

		if (dyn_record_matches(record, shown) && record->owner == deletion->record->owner)
		{
			deletion->record = record;
			return true;
		}
	}
	return false;
}

/* 'always' has no record of the table that is there: the one that matches, or a new one. */
static void
choose_record(DynDeletion *deletion, const DynTableDescription *shown)
{
	if (find_record(deletion, shown))
		return;
	deletion->record->table_id = pstrdup(shown->table_id);
	deletion->record->created = pstrdup(shown->created);
}

/* May TRUNCATE delete the table that DescribeTable showed?  One that is gone already is only made again. */
static void
judge_truncation(DynDeletion *deletion)
{
	const DynTableDescription *shown = &deletion->job.description;
	DynClass	cls = deletion->job.status.cls;
	DynErrorContext context = {DYN_OP_DESCRIBE_TABLE, deletion->record->table, NULL, NULL};

	deletion->verdict = DYN_VERDICT_GONE;
	if (cls == DYN_TABLE_MISSING)
	{
		if (deletion->moved)
			refuse_truncation(deletion, "It is not there, and its server now has another endpoint.");
		return;
	}
	if (cls != DYN_OK)
		dyn_report(ERROR, &deletion->job.status, &context);
	if (!find_record(deletion, shown))
		refuse_truncation(deletion, "It is not the table that CREATE FOREIGN TABLE made, but one made later.");
	if (!shown->feast_key)
		refuse_truncation(deletion, "Its key is not that of Feast's tables.");
	if (shown->settings.deletion_protection)
		refuse_truncation_hint(deletion, PROTECTED,
							   psprintf("Use ALTER FOREIGN TABLE %s OPTIONS (SET deletion_protection 'false') first, with ADD if it has no such option yet, or DELETE rows by their entity keys.",
										quote_identifier(deletion->foreign_table)));
	if (strcmp(shown->status, "DELETING") != 0)
		deletion->verdict = DYN_VERDICT_SEND;
}

/* What DescribeTable showed decides. */
static void
judge_by_look(DynDeletion *deletion)
{
	const DynTableDescription *shown = &deletion->job.description;
	DynRecord  *record = deletion->record;
	DynClass	cls = deletion->job.status.cls;

	if (deletion->moved && (cls == DYN_TABLE_MISSING || (cls == DYN_OK && !dyn_record_matches(record, shown))))
	{
		postpone(deletion, "Its server now has another endpoint.");
		return;
	}
	if (cls == DYN_TABLE_MISSING)
	{
		deletion->verdict = DYN_VERDICT_GONE;
		if (record->id != 0)
			dyn_record_end(record);
		return;
	}
	if (cls != DYN_OK)
	{
		postpone(deletion, dyn_ddl_job_text(&deletion->job));
		return;
	}
	if (deletion->any_table)
		choose_record(deletion, shown);
	record = deletion->record;
	if (!dyn_record_matches(record, shown))
	{
		keep_table(deletion, "It is not the table that CREATE FOREIGN TABLE made, but one made later.");
		if (record->id != 0)
			dyn_record_end(record);
		return;
	}
	if (!shown->feast_key)
	{
		keep_table(deletion, "Its key is not that of Feast's tables.");
		return;
	}
	if (shown->settings.deletion_protection)
	{
		keep_protected(deletion);
		return;
	}
	deletion->verdict = strcmp(shown->status, "DELETING") == 0 ? DYN_VERDICT_WAIT : DYN_VERDICT_SEND;
	if (record->state != DYN_RECORD_LEFTOVER)
		record->state = DYN_RECORD_PENDING;
	if (!deletion->unwritten && !dyn_note_records_are_dropped())
		dyn_record_write(record);
}

/* ---- the two halves ---- */

void
dyn_door_judge(List *deletions, DynReferences *references, int budget_ms)
{
	Judgement	judgement = {deletions, references, NIL, NIL};
	ListCell   *lc;

	foreach(lc, deletions)
	{
		DynDeletion *deletion = lfirst(lc);

		if (!is_referenced(&judgement, deletion) && was_meant(&judgement, deletion))
			find_client(&judgement, deletion);
	}
	look_at_all(&judgement, budget_ms);
	foreach(lc, judgement.other_looks)
		judge_other_look(lfirst(lc));
	foreach(lc, deletions)
	{
		DynDeletion *deletion = lfirst(lc);

		if (deletion->verdict == DYN_VERDICT_NONE)
			(deletion->truncates ? judge_truncation : judge_by_look) (deletion);
	}
}

int
dyn_door_jobs(List *deletions, DynTableJob **jobs)
{
	ListCell   *lc;
	int			n = 0;

	foreach(lc, deletions)
	{
		DynDeletion *deletion = lfirst(lc);

		if (deletion->verdict != DYN_VERDICT_SEND)
			continue;
		dyn_table_job_init(&deletion->job, dyn_ddl_client_of(deletion->client), deletion->record->table,
						   DYN_OP_DELETE_TABLE);
		jobs[n++] = &deletion->job;
	}
	return n;
}

int
dyn_door_pass(List *deletions, DynReferences *references, int budget_ms)
{
	DynTableJob **jobs = palloc(sizeof(DynTableJob *) * (list_length(deletions) + 1));
	int			done = 0;
	ListCell   *lc;

	dyn_door_judge(deletions, references, budget_ms / 2);
	dyn_ddl_jobs_wait(jobs, dyn_door_jobs(deletions, jobs), budget_ms / 2);
	foreach(lc, deletions)
	{
		DynDeletion *deletion = lfirst(lc);

		if (deletion->verdict == DYN_VERDICT_SEND && dyn_table_job_deleted(&deletion->job))
		{
			deletion->verdict = DYN_VERDICT_GONE;
			if (deletion->record->id != 0)
				dyn_record_end(deletion->record);
		}
		else if (deletion->verdict == DYN_VERDICT_SEND)
			postpone(deletion, dyn_ddl_job_text(&deletion->job));
		done += deletion->verdict == DYN_VERDICT_GONE ? 1 : 0;
	}
	return done;
}
