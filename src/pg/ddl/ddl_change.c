/*
 * ddl_change.c
 *	  Changes settings of remote tables.
 *
 * Works in rounds, as ddl_make.c: each sends one call for every table that isn't
 * done, all together, and waits for all answers.  DynamoDB takes one change of a
 * table at a time, and the next one when the table is ACTIVE again; after the
 * last one nobody waits.  What the table has already is not asked for.
 */
#include "pg/util/export.h"

#include "portability/instr_time.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "core/table_op.h"
#include "pg/ddl/ddl_change.h"
#include "pg/ddl/ddl_client.h"
#include "pg/ddl/ddl_job.h"
#include "pg/ddl/ddl_lock.h"
#include "pg/ddl/ddl_note.h"
#include "pg/ddl/ddl_setting.h"
#include "pg/table/setting.h"
#include "pg/util/error.h"
#include "pg/util/scratch.h"

/* Waits no longer than this for tables that are being changed. */
#define CHANGE_BUDGET_MS 60000

/* Pause before a table that is being changed is looked at again. */
#define LOOK_AGAIN_MS 500

/* Room for what was changed of one table, in a message. */
#define MAX_SAID 400

typedef enum Step
{
	STEP_LOOK,					/* how is it now? */
	STEP_LIST_TAGS,
	STEP_TAG,
	STEP_UNTAG,
	STEP_RECOVERY,
	STEP_UPDATE,				/* of `updating` */
	STEP_DONE
} Step;

/* The settings of one foreign table's remote table. In TopTransactionContext. */
typedef struct Change
{
	DynTarget  *target;
	DynWantedSettings *wanted;
	DynDdlClient *client;
	unsigned	asked;			/* bits: what is to be compared, and changed if it differs */
	unsigned	left;			/* of those that are due now */
	unsigned	refused;		/* once: it may have been done already */
	const DynTags *old_tags;	/* which the options said before; NULL: none */
	Step		step;
	bool		again;			/* after a pause */
	DynTableJob job;
	DynTableDescription shown;	/* by the last look */
	bool		ours;			/* a record says that CREATE of this role made it */
	DynSetting	updating;
	DynArena   *arena;			/* of what follows */
	DynTags		there;
	DynTags		missing;
	DynTags		gone;
	char	   *in_use;			/* what the service said when it could not change the table yet; NULL: it did not */
	char		sending[MAX_SAID];	/* what the call that runs is to set */
	char		changed[MAX_SAID];	/* what DynamoDB has accepted, or perhaps */
	bool		surely;			/* some of it */
} Change;

static List *changes = NIL;

/* ---- what is to be done ---- */

/* Adds the change that is asked of a foreign table's remote table, as its options are now, if it may be changed. */
static void
add_change(const DynSettingsAsked *asked)
{
	DynTarget  *target = dyn_target_new(asked->relid);
	Change	   *change = palloc0(sizeof(Change));

	if (dyn_settings_have_moved(asked, target))
		return;
	change->target = target;
	change->wanted = dyn_target_settings(target);
	dyn_settings_want_defaults(&change->wanted->settings, asked->defaults);
	change->arena = dyn_scratch_arena(CurrentMemoryContext);
	change->old_tags = asked->old_tags;
	/* tags that went with their option are taken away */
	change->asked = asked->settings & (change->wanted->settings.known | DYN_SETTING_TAGS);
	if (target->rel->create_remote_table && change->asked != 0)
		changes = lappend(changes, change);
}

/* Of all foreign tables that are still there. */
static void
collect_changes(void)
{
	ListCell   *lc;

	foreach(lc, dyn_settings_asked())
	{
		const DynSettingsAsked *asked = lfirst(lc);

		if (asked->settings != 0 && SearchSysCacheExists1(FOREIGNTABLEREL, ObjectIdGetDatum(asked->relid)))
			add_change(asked);
	}
}

static int
compare_changes(const ListCell *a, const ListCell *b)
{
	return dyn_remote_compare(&((Change *) lfirst(a))->target->rel->remote,
							  &((Change *) lfirst(b))->target->rel->remote);
}

/* Finds who signs, and locks the remote names, in one order, as all sessions do. */
static void
begin_changes(void)
{
	ListCell   *lc;

	list_sort(changes, compare_changes);
	dyn_ddl_lock_reserve(list_length(changes));
	foreach(lc, changes)
	{
		Change	   *change = lfirst(lc);
		const DynRemote *remote = &change->target->rel->remote;

		change->client = dyn_target_client(change->target);
		dyn_ddl_lock(remote->region, remote->table);
	}
}

/* Is it a setting that the table has not, or that nobody can compare: a key by an alias? */
static unsigned
settings_to_update(const Change *change)
{
	const DynTableSettings *wanted = &change->wanted->settings;
	unsigned	different = dyn_settings_differ(wanted, &change->shown.settings);

	if ((wanted->known & DYN_SETTING_ENCRYPTION) && strstr(wanted->kms_key, "alias/") &&
		strcmp(wanted->kms_key, change->shown.settings.kms_key) != 0)
		different |= DYN_SETTING_ENCRYPTION;
	return different & change->left;
}

/* The table is ACTIVE: what comes next? */
static void
choose_step(Change *change)
{
	unsigned	updates = settings_to_update(change);

	change->again = false;
	change->updating = (DynSetting) (updates & -updates);
	if (change->left & DYN_SETTING_TAGS)
		change->step = STEP_LIST_TAGS;
	else if (change->left & DYN_SETTING_RECOVERY)
		change->step = STEP_RECOVERY;
	else
		change->step = updates ? STEP_UPDATE : STEP_DONE;
}

/* ---- words ---- */

/* Is a stream switched off first, to be switched on with another view? */
static bool
is_half_done(const Change *change)
{
	return change->updating == DYN_SETTING_STREAM && change->wanted->settings.stream != DYN_STREAM_NONE &&
		change->shown.settings.stream != DYN_STREAM_NONE;
}

/* What the request sets of a setting, as options would say it, or that it is about tags. */
static void
say_sending(Change *change, DynSetting setting)
{
	DynTableSettings sent = change->wanted->settings;
	DynBuf		text = {0};

	if (is_half_done(change))
		sent.stream = DYN_STREAM_NONE;
	if (setting == DYN_SETTING_TAGS)
		dyn_buf_str(&text, "tags");
	else
		dyn_settings_say(&text, &sent, setting);
	strlcpy(change->sending, dyn_buf_cstr(&text) ? text.data : "", MAX_SAID);
	dyn_buf_free(&text);
}

/* Notes what DynamoDB has accepted; or it may have, for an attempt got no answer. */
static void
note_changed(Change *change)
{
	DynTableJob *job = &change->job;
	bool		is_sure = job->status.cls == DYN_OK;

	if (change->sending[0] == '\0' || !job->done || (!is_sure && !job->maybe_done) ||
		job->op == DYN_OP_LIST_TAGS_OF_RESOURCE)
		return;
	if (strstr(change->changed, change->sending) == NULL)
		snprintf(change->changed + strlen(change->changed), MAX_SAID - strlen(change->changed), "%s%s%s",
				 change->changed[0] ? ", " : "", is_sure ? "" : "perhaps ", change->sending);
	change->surely = change->surely || is_sure;
	job->maybe_done = false;
	if (is_sure)
		change->sending[0] = '\0';
}

/* Reports why a call failed, by the option's name. */
static void
report_change(Change *change, int elevel, const char *consequence)
{
	DynTableJob *job = &change->job;
	DynErrorContext context = {job->op, job->table, change->target->rel->feature_view, NULL};
	const char *limit = job->op == DYN_OP_UPDATE_TABLE ? dyn_setting_limit(change->updating) : NULL;

	if (change->sending[0])
		context.note = psprintf("It was to set %s.%s", change->sending, consequence);
	if (limit && strcmp(job->status.aws_code, "LimitExceededException") == 0)
		dyn_status_hint(&job->status, "%s", limit);
	dyn_report(elevel, &job->status, &context);
}

/* ---- sending ---- */

/* The request of each step, and the setting that it is about; of UpdateTable that is `updating`. */
static const struct
{
	DynOp		op;
	DynSetting	setting;
}			requests[] = {
	[STEP_LOOK] = {DYN_OP_DESCRIBE_TABLE, 0},
	[STEP_LIST_TAGS] = {DYN_OP_LIST_TAGS_OF_RESOURCE, DYN_SETTING_TAGS},
	[STEP_TAG] = {DYN_OP_TAG_RESOURCE, DYN_SETTING_TAGS},
	[STEP_UNTAG] = {DYN_OP_UNTAG_RESOURCE, DYN_SETTING_TAGS},
	[STEP_RECOVERY] = {DYN_OP_UPDATE_CONTINUOUS_BACKUPS, DYN_SETTING_RECOVERY},
	[STEP_UPDATE] = {DYN_OP_UPDATE_TABLE, 0},
};

/* Makes the body of the step's request, where it says more than the table's name. */
static void
put_request(Change *change)
{
	const DynTableSettings *wanted = &change->wanted->settings;
	DynTableJob *job = &change->job;

	switch (change->step)
	{
		case STEP_LIST_TAGS:
			job->arn = change->shown.arn;
			job->arena = change->arena;
			break;
		case STEP_TAG:
			dyn_op_tag(&job->body, change->shown.arn, &change->missing);
			break;
		case STEP_UNTAG:
			dyn_op_untag(&job->body, change->shown.arn, &change->gone);
			break;
		case STEP_RECOVERY:
			dyn_op_update_continuous_backups(&job->body, job->table, wanted->recovery);
			break;
		case STEP_UPDATE:
			dyn_op_update_table(&job->body, job->table, change->updating, wanted, &change->shown.settings);
			break;
		default:
			break;
	}
}

static DynTableJob *
start_step(Change *change)
{
	DynTableJob *job = &change->job;
	DynSetting	setting = change->step == STEP_UPDATE ? change->updating : requests[change->step].setting;

	change->sending[0] = '\0';
	if (setting != 0)
		say_sending(change, setting);
	dyn_table_job_init(job, dyn_ddl_client_of(change->client), change->target->rel->remote.table,
					   requests[change->step].op);
	put_request(change);
	dyn_table_job_start(job, change->again ? LOOK_AGAIN_MS : 0);
	return job;
}

/* ---- answers ---- */

/* The options stay as they are said: whoever makes the table makes it so. */
static void
warn_not_there(Change *change)
{
	ereport(WARNING,
			(errmsg("remote table \"%s\" is not there, so nothing of it is changed", change->job.table),
			 errhint("dynamo_fdw_create_table() makes it as the options say.")));
	change->asked = 0;
	change->step = STEP_DONE;
}

/* Takes in a DescribeTable. */
static void
take_description(Change *change)
{
	const DynTableJob *job = &change->job;
	const char *state = job->description.status;

	if (job->status.cls == DYN_TABLE_MISSING || (job->status.cls == DYN_OK && strcmp(state, "DELETING") == 0))
	{
		warn_not_there(change);
		return;
	}
	if (job->status.cls != DYN_OK)
		report_change(change, ERROR, "");
	dyn_target_require_feast_key(change->target, &job->description);
	change->again = true;
	if (strcmp(state, "CREATING") == 0 || strcmp(state, "UPDATING") == 0)
		return;
	if (strcmp(state, "ACTIVE") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("remote table \"%s\" cannot be changed", job->table),
				 errdetail("Its status is %s.", state)));
	change->shown = job->description;
	change->ours = dyn_target_is_ours(change->target, &change->shown);
	choose_step(change);
}

/* The settings are done, or given up. */
static void
finish_settings(Change *change, unsigned settings)
{
	change->left &= ~settings;
	choose_step(change);
}

/* Was the call refused only as long as the table is being changed? */
static bool
is_in_use_still(Change *change)
{
	if (change->job.status.cls != DYN_TABLE_IN_USE)
		return false;
	change->in_use = dyn_status_text(&change->job.status);
	return true;
}

/*
 * Of tags and recovery.  True: the call is answered with success.  False: the
 * table is in use, and the call goes out again; or nothing of the kind is to be had
 * here, which is said, and given up.
 */
static bool
has_succeeded(Change *change, DynSetting setting, bool may_be_denied)
{
	DynClass	cls = change->job.status.cls;
	bool		is_unknown = strcmp(change->job.status.aws_code, "UnknownOperationException") == 0; /* to an emulator */

	if (cls == DYN_OK)
		return true;
	change->again = true;
	if (is_in_use_still(change))
		return false;
	if (!is_unknown && !(may_be_denied && cls == DYN_ACCESS_DENIED))
		report_change(change, ERROR, "");
	report_change(change, WARNING, " All else is done without.");
	finish_settings(change, setting);
	return false;
}

/* Tags that the options said before and say no more, and that are as they were; only of a table that is ours. */
static void
find_gone(Change *change)
{
	memset(&change->gone, 0, sizeof(change->gone));
	if (change->ours && change->old_tags &&
		!dyn_tags_gone(change->old_tags, &change->wanted->tags, &change->there, change->arena, &change->gone))
		dyn_report_no_memory();
}

/* Takes in a ListTagsOfResource. */
static void
take_tags(Change *change)
{
	if (!has_succeeded(change, DYN_SETTING_TAGS, true))
		return;
	change->again = false;
	change->there = change->job.tags;
	if (!dyn_tags_missing(&change->wanted->tags, &change->there, change->arena, &change->missing))
		dyn_report_no_memory();
	find_gone(change);
	if (change->missing.n > 0)
		change->step = STEP_TAG;
	else if (change->gone.n > 0)
		change->step = STEP_UNTAG;
	else
		finish_settings(change, DYN_SETTING_TAGS);
}

/* Takes in a TagResource or UntagResource. */
static void
take_tagged(Change *change)
{
	if (!has_succeeded(change, DYN_SETTING_TAGS, true))
		return;
	change->again = false;
	if (change->step == STEP_TAG && change->gone.n > 0)
		change->step = STEP_UNTAG;
	else
		finish_settings(change, DYN_SETTING_TAGS);
}

/*
 * Takes in an UpdateTable.  DynamoDB refuses to change what is so already, as it
 * is where an answer was lost; so a table that it refused to change is looked at,
 * and asked for once more.
 */
static void
take_update(Change *change)
{
	const DynTableJob *job = &change->job;
	DynClass	cls = job->status.cls;
	bool		is_same_key = strstr(job->status.message, "already encrypted") != NULL;

	change->again = true;
	change->step = STEP_LOOK;
	if (is_in_use_still(change) || cls == DYN_TABLE_MISSING)
		return;
	if (cls == DYN_REJECTED && !is_same_key && (change->refused & change->updating) == 0)
	{
		change->refused |= change->updating;
		return;
	}
	if (cls != DYN_OK && !is_same_key)
		report_change(change, ERROR, "");
	if (!is_half_done(change))
		change->left &= ~change->updating;
	if (settings_to_update(change) == 0)
		change->step = STEP_DONE;
}

static void
take_step(Change *change)
{
	note_changed(change);
	switch (change->step)
	{
		case STEP_LOOK:
			take_description(change);
			break;
		case STEP_LIST_TAGS:
			take_tags(change);
			break;
		case STEP_TAG:
		case STEP_UNTAG:
			take_tagged(change);
			break;
		case STEP_RECOVERY:
			if (has_succeeded(change, DYN_SETTING_RECOVERY, false))
				finish_settings(change, DYN_SETTING_RECOVERY);
			break;
		case STEP_UPDATE:
			take_update(change);
			break;
		case STEP_DONE:
			break;
	}
}

/* ---- the whole ---- */

/* Raises that the time is over. */
static void
report_slow(const Change *change)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("remote table \"%s\" is still being changed", change->target->rel->remote.table),
			 change->in_use ? errdetail("After %d seconds DynamoDB says: %s.", CHANGE_BUDGET_MS / 1000, change->in_use) :
			 errdetail("Its status is %s after %d seconds.", change->job.description.status, CHANGE_BUDGET_MS / 1000),
			 errhint("Repeat the statement later. What is done by then is not asked for again.")));
}

/* The first table that isn't done; NULL: all are. */
static const Change *
first_undone(Change **works, int n)
{
	for (int i = 0; i < n; i++)
		if (works[i]->step != STEP_DONE)
			return works[i];
	return NULL;
}

static void
run_steps(Change **works, int n, DynTableJob **jobs)
{
	instr_time	start;

	INSTR_TIME_SET_CURRENT(start);
	while (first_undone(works, n))
	{
		int			njobs = 0;

		if (dyn_ddl_time_is_over(&start, CHANGE_BUDGET_MS))
			report_slow(first_undone(works, n));
		for (int i = 0; i < n; i++)
			if (works[i]->step != STEP_DONE)
				jobs[njobs++] = start_step(works[i]);
		dyn_ddl_jobs_wait(jobs, njobs, -1);
		for (int i = 0; i < n; i++)
			take_step(works[i]);
	}
}

/* Brings about those of the settings that are asked for, of all tables. */
static void
run_changes(unsigned settings)
{
	Change	  **works = palloc(sizeof(Change *) * (list_length(changes) + 1));
	DynTableJob **jobs = palloc(sizeof(DynTableJob *) * DYN_DDL_MAX_IN_FLIGHT);
	int			n = 0;
	ListCell   *lc;

	foreach(lc, changes)
	{
		Change	   *change = lfirst(lc);

		change->left = change->asked & settings;
		change->step = STEP_LOOK;
		change->again = false;
		if (change->left != 0)
			works[n++] = change;
	}
	for (int i = 0; i < n; i += DYN_DDL_MAX_IN_FLIGHT)
		run_steps(works + i, Min(n - i, DYN_DDL_MAX_IN_FLIGHT), jobs);
}

void
dyn_change_before_commit(void)
{
	if (!dyn_settings_are_asked())
		return;
	PushActiveSnapshot(GetLatestSnapshot());
	collect_changes();
	begin_changes();
	/* protection when all else has succeeded: what is protected, the undoing of a CREATE can't delete */
	run_changes(~DYN_SETTING_PROTECTION);
	run_changes(DYN_SETTING_PROTECTION);
	PopActiveSnapshot();
}

void
dyn_change_tell_rolled_back(void)
{
	ListCell   *lc;

	foreach(lc, changes)
	{
		Change	   *change = lfirst(lc);
		char		message[400];
		char		detail[MAX_SAID + 20];

		note_changed(change);	/* of a call that was broken off, or whose answer nobody looked at */
		if (change->changed[0] == '\0')
			continue;
		snprintf(message, sizeof(message), "remote table \"%s\" has been changed%s, although the transaction is rolled back",
				 change->target->rel->remote.table, change->surely ? "" : ", perhaps");
		snprintf(detail, sizeof(detail), "Set was: %s.", change->changed);
		dyn_warn_at_end(message, detail, "Repeat the transaction, or set what was there before by ALTER FOREIGN TABLE: dynamo_fdw_plan() compares only what options name.");
	}
}

void
dyn_change_forget(void)
{
	ListCell   *lc;

	foreach(lc, changes)
		dyn_table_job_stop(&((Change *) lfirst(lc))->job, "broken off");
	changes = NIL;
}
