/*
 * ddl_make.c
 *	  Makes the remote tables of foreign tables.
 *
 * Works in rounds: each round sends one call for every table that isn't ready,
 * all together, and waits for all answers.
 */
#include "pg/util/export.h"

#include "catalog/pg_class.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#include "core/table_op.h"
#include "pg/ddl/ddl_client.h"
#include "pg/ddl/ddl_difference.h"
#include "pg/ddl/ddl_job.h"
#include "pg/ddl/ddl_leftover.h"
#include "pg/ddl/ddl_lock.h"
#include "pg/ddl/ddl_make.h"
#include "pg/ddl/ddl_note.h"
#include "pg/ddl/ddl_record.h"
#include "pg/ddl/ddl_reference.h"
#include "pg/ddl/ddl_setting.h"
#include "pg/load/interval.h"
#include "pg/session/stays.h"
#include "pg/table/setting.h"
#include "pg/util/error.h"

/* Pause before a table that is being made or deleted is looked at again. */
#define LOOK_AGAIN_MS 500

/* DescribeTable may miss a table this many times after CreateTable accepted it. */
#define MAX_MISSED_LOOKS 60

/* What CreateTable makes a table with; the rest comes at the commit (ddl_change.c). */
#define SETTINGS_OF_NEW (DYN_SETTINGS_OF_TABLE & ~DYN_SETTING_PROTECTION)

typedef enum Phase
{
	PHASE_LOOK,					/* is it there? */
	PHASE_CREATE,
	PHASE_SETTLE,				/* there, until it is ACTIVE */
	PHASE_EXPIRY,				/* ours: turn on that DynamoDB deletes what has expired */
	PHASE_READY
} Phase;

typedef struct Work
{
	DynTarget  *target;
	DynWantedSettings *wanted;
	DynDdlClient *client;
	Phase		phase;
	bool		again;			/* not the first look: after a pause */
	int			missed;
	DynTableJob look;
	DynTableJob expiry;
	DynMade    *made;			/* once CreateTable was sent */
	bool		owned;			/* this transaction made the table */
	bool		adopted;		/* it was there */
	bool		untagged;		/* IAM denied to make it with tags */
	DynReferences **references_before;	/* of all works, once one of them needs it */
} Work;

/* ---- making ---- */

/* The settings that CreateTable was asked for, for messages; NULL: none. */
static char *
asked_settings(const Work *work)
{
	DynWantedSettings asked = *work->wanted;
	char	   *text;

	asked.settings.known &= SETTINGS_OF_NEW | (work->untagged ? 0 : DYN_SETTING_TAGS);
	text = dyn_ddl_wanted_text(&asked);
	return text ? psprintf("It was asked for %s.", text) : NULL;
}

/* Raises why a call failed. */
static void
report_job(const Work *work, const DynTableJob *job)
{
	DynErrorContext context = {job->op, job->table, work->target->rel->feature_view, NULL};

	if (job->op == DYN_OP_CREATE_TABLE)
		context.note = asked_settings(work);
	dyn_report(ERROR, &job->status, &context);
}

/*
 * Notes what CreateTable does not do, or must not do yet: a protected table could
 * not be deleted by a ROLLBACK.
 */
static void
note_rest(const Work *work)
{
	const DynTableSettings *wanted = &work->wanted->settings;

	dyn_setting_note_made(work->target, (wanted->deletion_protection ? DYN_SETTING_PROTECTION : 0) |
						  (wanted->recovery ? DYN_SETTING_RECOVERY : 0));
}

/* Appends the body of CreateTable. */
static void
put_create(const Work *work, DynBuf *body)
{
	DynTableSettings settings = work->wanted->settings;

	settings.known &= SETTINGS_OF_NEW;
	dyn_op_create_table(body, work->target->rel->remote.table, &settings, work->untagged ? NULL : &work->wanted->tags);
}

/*
 * Will a foreign table be over the remote name after a rollback, by which others
 * may use it already?  By the target nobody else can: it is locked.
 */
static bool
is_in_use(const Work *work)
{
	const DynRelation *rel = work->target->rel;
	const DynReference *reference;

	if (*work->references_before == NULL)
		*work->references_before = dyn_references_collect_before();
	reference = dyn_references_find(*work->references_before, rel->remote.region, rel->remote.table);
	while (reference && reference->relid == rel->relid)
		reference = reference->next;
	return reference != NULL;
}

/* Starts the call that the work's phase wants. */
static DynTableJob *
start_phase(Work *work)
{
	DynTableJob *job = &work->look;

	if (work->phase == PHASE_CREATE)
	{
		dyn_leftover_init();
		work->made = dyn_note_create(work->target->rel->serverid, work->target->owner, &work->target->rel->remote,
									 work->client);
		work->made->in_use = is_in_use(work);
		work->made->settings = work->wanted->settings.known & SETTINGS_OF_NEW;
		work->made->tags = dyn_setting_keep_tags(&work->wanted->tags);
		work->made->replaces = work->target->deleted ? work->target->deleted->id : 0;
		job = &work->made->create;
		put_create(work, &job->body);
	}
	else if (work->phase == PHASE_EXPIRY)
	{
		job = &work->expiry;
		dyn_table_job_init(job, dyn_ddl_client_of(work->client), work->target->rel->remote.table,
						   DYN_OP_UPDATE_TIME_TO_LIVE);
		dyn_op_update_time_to_live(&job->body, work->target->rel->remote.table, work->target->rel->ttl_attribute);
	}
	else
		dyn_table_job_init(job, dyn_ddl_client_of(work->client), work->target->rel->remote.table,
						   DYN_OP_DESCRIBE_TABLE);
	dyn_table_job_start(job, work->again ? LOOK_AGAIN_MS : 0);
	return job;
}

/* The records of the target's remote name. */
static List *
records_of(const DynTarget *target)
{
	return dyn_records_at(dyn_records(), target->rel->remote.region, target->rel->remote.table);
}

/*
 * Writes that CREATE made this table.  What its owner's records by this server
 * say of the name is over: he was shown that their tables are gone.
 */
static void
own_table(Work *work, const DynTableDescription *description)
{
	const DynTarget *target = work->target;
	ListCell   *lc;

	work->owned = true;
	dyn_intervals_forget_remote(&target->rel->remote);
	foreach(lc, records_of(target))
	{
		DynRecord  *record = lfirst(lc);

		if (record->owner == target->owner && record->server == target->rel->serverid &&
			(strcmp(record->endpoint, target->rel->remote.endpoint.url) == 0 ||
			 (target->deleted && record->id == target->deleted->id)))
			dyn_record_end(record);
	}
	dyn_record_write(dyn_record_new(DYN_RECORD_MADE, target->rel->serverid, target->owner, &target->rel->remote,
									description));
}

/*
 * The record of a table that is there and is used again; NULL: it has none.  If
 * it is its owner who uses it, it is no longer owed.
 */
static const DynRecord *
take_over_record(const DynTarget *target, const DynTableDescription *shown)
{
	ListCell   *lc;

	foreach(lc, records_of(target))
	{
		DynRecord  *record = lfirst(lc);

		if (!dyn_record_matches(record, shown))
			continue;
		if (dyn_record_is_owed(record) && record->owner == target->owner)
		{
			record->state = DYN_RECORD_MADE;
			record->note = "";
			dyn_record_write(record);
		}
		return record;
	}
	return NULL;
}

/* What becomes of a table that was there, by its record. */
static const char *
what_drop_does(const DynRecord *record, Oid owner)
{
	if (record == NULL)
		return "DROP FOREIGN TABLE will keep it, unless drop_remote_table is 'always'.";
	if (record->owner == owner)
		return "CREATE FOREIGN TABLE made it earlier; DROP of the last foreign table over it deletes it.";
	if (dyn_record_is_owed(record))
		return "CREATE FOREIGN TABLE of another role made it, and it is to be deleted when no foreign table is over it.";
	return "CREATE FOREIGN TABLE of another role made it; DROP leaves it to that role.";
}

/*
 * What becomes of the settings that options ask for, as a sentence; NULL: nothing
 * is known to differ.  Tags and recovery are not looked at here, which the hint
 * stands for.
 */
static const char *
what_settings_become(const Work *work, bool is_ours, const char **hint)
{
	unsigned	known = work->wanted->settings.known;
	char	   *difference;

	*hint = NULL;
	if (is_ours)
		return known ? "COMMIT changes its settings to what the options say." : NULL;
	difference = dyn_ddl_difference(work->wanted, &work->look.description);
	if (difference || (known & (DYN_SETTING_TAGS | DYN_SETTING_RECOVERY)))
		*hint = "dynamo_fdw_plan() compares it with the options, and dynamo_fdw_alter_table() makes it what they say.";
	return difference ? psprintf("It differs from the options: %s.", difference) : NULL;
}

/* Tells of a table that was there. */
static void
warn_adopted(const Work *work, const DynRecord *record, bool is_ours)
{
	const DynTarget *target = work->target;
	const char *hint;
	const char *settings = what_settings_become(work, is_ours, &hint);

	if (target->rel->ttl_attribute)
		hint = psprintf("Items are written with \"%s\", but DynamoDB deletes none unless the table's time to live is enabled for this attribute.%s%s",
						target->rel->ttl_attribute, hint ? " " : "", hint ? hint : "");
	ereport(WARNING,
			(target->altered ?
			 errmsg("foreign table \"%s\" now means remote table \"%s\", which exists already and is used as it is",
					target->name, target->rel->remote.table) :
			 errmsg("remote table \"%s\" exists already and is used as it is", target->rel->remote.table),
			 errdetail("%s%s%s", settings ? settings : "", settings ? " " : "", what_drop_does(record, target->owner)),
			 hint ? errhint("%s", hint) : 0));
}

/* The table is there already: takes it as it is, if it can be used.  Only of one that is ours settings are changed. */
static void
adopt_table(Work *work)
{
	const DynTableDescription *shown = &work->look.description;
	const DynTarget *target = work->target;
	DynMade    *undone = dyn_note_undone(&target->rel->remote, shown);
	const DynRecord *record;
	bool		is_ours;

	dyn_target_require_feast_key(target, shown);
	if (undone)
	{
		/* a rolled-back part of this transaction made it: made once more */
		undone->undone = false;
		undone->subid = GetCurrentSubTransactionId();
		own_table(work, shown);
		dyn_setting_note_remade(target, work->wanted->settings.known, undone->settings, undone->tags);
		return;
	}
	record = take_over_record(target, shown);
	is_ours = record && record->owner == target->owner;
	if (is_ours)
		dyn_setting_note(target, work->wanted->settings.known);
	work->adopted = true;
	if (!target->imported)
		warn_adopted(work, record, is_ours);
}

/* The table is ACTIVE. */
static void
settle(Work *work)
{
	work->phase = work->owned && work->target->rel->ttl_attribute ? PHASE_EXPIRY : PHASE_READY;
	work->again = false;
}

/* Was the old table shown, which TRUNCATE has deleted?  What DescribeTable shows may be some moments old. */
static bool
is_deleted(const Work *work)
{
	const DynRecord *deleted = work->target->deleted;

	return work->phase == PHASE_LOOK && deleted && dyn_record_matches(deleted, &work->look.description);
}

/* Takes in a DescribeTable. */
static void
take_look(Work *work)
{
	const DynTableJob *job = &work->look;
	const char *state = job->description.status;

	if (job->status.cls == DYN_TABLE_MISSING && work->made && ++work->missed < MAX_MISSED_LOOKS)
		return;					/* made a moment ago, not seen everywhere yet */
	if (job->status.cls == DYN_TABLE_MISSING)
	{
		work->phase = PHASE_CREATE;
		work->again = false;
		return;
	}
	if (job->status.cls != DYN_OK)
		report_job(work, job);
	work->again = true;
	if (strcmp(state, "DELETING") == 0 || is_deleted(work))
		return;
	if (work->phase == PHASE_LOOK)
	{
		adopt_table(work);
		work->phase = PHASE_SETTLE;
	}
	if (strcmp(state, "ACTIVE") == 0 || strcmp(state, "UPDATING") == 0)
		settle(work);
	else if (strcmp(state, "CREATING") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("remote table \"%s\" cannot be used", job->table),
				 errdetail("Its status is %s.", state)));
}

/* IAM has an action of its own for a table's first tags; it names that one. */
static bool
is_denied_for_tags(const Work *work)
{
	const DynStatus *status = &work->made->create.status;

	return status->cls == DYN_ACCESS_DENIED && work->wanted->tags.n > 0 && !work->untagged &&
		strstr(status->message, "dynamodb:TagResource") != NULL;
}

static void
warn_untagged(const Work *work)
{
	const DynTarget *target = work->target;
	DynErrorContext context = {DYN_OP_TAG_RESOURCE, target->rel->remote.table, target->rel->feature_view,
	"The table is made without its tags."};

	dyn_report(WARNING, &work->made->create.status, &context);
}

/* Takes in a CreateTable. */
static void
take_create(Work *work)
{
	const DynTableJob *job = &work->made->create;

	work->again = true;
	if (job->status.cls == DYN_TABLE_IN_USE)
	{
		/* somebody made it meanwhile, or an attempt whose answer was lost did */
		work->made = NULL;
		work->phase = PHASE_LOOK;
		return;
	}
	if (is_denied_for_tags(work))
	{
		warn_untagged(work);
		work->untagged = true;
		work->again = false;
		return;
	}
	work->made->ours = job->status.cls == DYN_OK;
	if (job->status.cls != DYN_OK)
		report_job(work, job);
	own_table(work, &job->description);
	note_rest(work);
	if (!work->made->in_use)
		dyn_stays_made(work->target->rel->relid);
	if (work->target->altered)
		ereport(WARNING,
				(errmsg("foreign table \"%s\" now means remote table \"%s\", which was made", work->target->name,
						job->table)));
	work->phase = PHASE_SETTLE;
	if (strcmp(job->description.status, "ACTIVE") == 0)
		settle(work);
}

/*
 * Takes in an UpdateTimeToLive.  Where IAM denies it, the table is of use without:
 * what has expired isn't found here, and whoever may can turn it on at any time.
 */
static void
take_expiry(Work *work)
{
	const DynTableJob *job = &work->expiry;
	DynErrorContext context = {job->op, job->table, work->target->rel->feature_view, NULL};
	DynClass	cls = job->status.cls;

	work->again = true;
	if ((cls == DYN_TABLE_MISSING || cls == DYN_TABLE_IN_USE) && ++work->missed < MAX_MISSED_LOOKS)
		return;					/* made a moment ago, not seen everywhere yet */
	work->phase = PHASE_READY;
	if (cls == DYN_OK)
		return;
	if (cls != DYN_ACCESS_DENIED)
		report_job(work, job);
	context.note = psprintf("The table is made all the same, and items are written with \"%s\", but DynamoDB deletes none of them.",
							work->target->rel->ttl_attribute);
	dyn_report(WARNING, &job->status, &context);
}

/* Says that the time is over, and what of the table isn't done. */
static void
warn_not_ready(const Work *work)
{
	const char *table = work->target->rel->remote.table;

	if (work->phase == PHASE_READY)
		return;
	if (work->phase == PHASE_SETTLE)
		ereport(WARNING, (errmsg("remote table \"%s\" is made, and not active yet", table)));
	else if (work->phase == PHASE_EXPIRY)
		ereport(WARNING,
				(errmsg("remote table \"%s\" is made, and its time to live is not enabled yet", table)));
	else
		ereport(WARNING,
				(errmsg("remote table \"%s\" is not made yet", table),
				 errdetail("It takes long to delete the one that was there."),
				 errhint("dynamo_fdw_create_table() makes it.")));
}

static void
run_rounds(Work *works, int n, DynTableJob **jobs, int budget_ms)
{
	instr_time	start;

	INSTR_TIME_SET_CURRENT(start);
	for (;;)
	{
		int			njobs = 0;

		if (dyn_ddl_time_is_over(&start, budget_ms))
			break;
		for (int i = 0; i < n; i++)
			if (works[i].phase != PHASE_READY)
				jobs[njobs++] = start_phase(&works[i]);
		if (njobs == 0)
			return;
		dyn_ddl_jobs_wait(jobs, njobs, -1);
		for (int i = 0; i < n; i++)
		{
			if (works[i].phase == PHASE_CREATE)
				take_create(&works[i]);
			else if (works[i].phase == PHASE_EXPIRY)
				take_expiry(&works[i]);
			else if (works[i].phase != PHASE_READY)
				take_look(&works[i]);
		}
	}
	for (int i = 0; i < n; i++)
		warn_not_ready(&works[i]);
}

/* Temporary tables go without a DROP. */
static void
refuse_temporary(const DynTarget *target)
{
	if (get_rel_persistence(target->rel->relid) == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("temporary foreign table \"%s\" cannot make a remote table", target->name),
				 errhint("Set the option create_remote_table 'false'.")));
}

/* Finds who signs, and locks the remote name. */
static void
begin_work(Work *work, DynTarget *target)
{
	refuse_temporary(target);
	work->target = target;
	work->wanted = dyn_target_settings(target);
	work->client = dyn_target_client(target);
	dyn_ddl_lock(target->rel->remote.region, target->rel->remote.table);
	dyn_note_wanted(target->rel->relid, &target->rel->remote);
}

/* Tells once of all tables of an IMPORT that were there. */
static void
notice_adopted(const Work *works, int n)
{
	StringInfoData names;
	int			adopted = 0;

	initStringInfo(&names);
	for (int i = 0; i < n; i++)
		if (works[i].adopted && works[i].target->imported)
			appendStringInfo(&names, "%s\"%s\"", adopted++ > 0 ? ", " : "", works[i].target->rel->remote.table);
	if (adopted > 0)
		ereport(NOTICE,
				(errmsg_plural("%d remote table exists already and is used as it is",
							   "%d remote tables exist already and are used as they are", adopted, adopted),
				 errdetail("%s.", names.data)));
}

void
dyn_ddl_make(List *targets, int budget_ms)
{
	int			n = list_length(targets);
	Work	   *works = palloc0(sizeof(Work) * n);
	DynTableJob **jobs = palloc(sizeof(DynTableJob *) * n);
	DynReferences *references_before = NULL;

	dyn_records_require();
	for (int i = 0; i < n; i++)
	{
		begin_work(&works[i], list_nth(targets, i));
		works[i].references_before = &references_before;
	}
	for (int i = 0; i < n; i += DYN_DDL_MAX_IN_FLIGHT)
		run_rounds(works + i, Min(n - i, DYN_DDL_MAX_IN_FLIGHT), jobs, budget_ms);
	notice_adopted(works, n);
}
