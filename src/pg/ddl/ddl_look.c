/*
 * ddl_look.c
 *	  Looks at the settings that DescribeTable does not show.
 */
#include "pg/util/export.h"

#include "core/table_op.h"
#include "pg/ddl/ddl_difference.h"
#include "pg/ddl/ddl_job.h"
#include "pg/ddl/ddl_look.h"
#include "pg/util/scratch.h"

struct DynLook
{
	const DynWantedSettings *wanted;
	const char *arn;			/* by which tags are asked for */
	DynTableJob tags;			/* ListTagsOfResource, a page after the other */
	int			pages;			/* asked for so far */
	DynTableJob recovery;		/* DescribeContinuousBackups */
};

/* Do options say something of the setting? */
static bool
is_wanted(const DynLook *look, DynSetting setting)
{
	return (look->wanted->settings.known & setting) != 0;
}

DynLook *
dyn_look_new(const DynWantedSettings *wanted, DynDdlClient *client, const char *table,
			 const DynTableDescription *shown)
{
	DynLook    *look;

	if ((wanted->settings.known & (DYN_SETTING_TAGS | DYN_SETTING_RECOVERY)) == 0)
		return NULL;
	look = palloc0(sizeof(DynLook));
	look->wanted = wanted;
	look->arn = shown->arn;
	dyn_table_job_init(&look->tags, dyn_ddl_client_of(client), table, DYN_OP_LIST_TAGS_OF_RESOURCE);
	look->tags.arena = dyn_scratch_arena(CurrentMemoryContext);
	dyn_table_job_init(&look->recovery, dyn_ddl_client_of(client), table, DYN_OP_DESCRIBE_CONTINUOUS_BACKUPS);
	return look;
}

/* ---- asking ---- */

/* Is there a page to be asked for: the first, or one that the last one told of? */
static bool
lacks_page(const DynLook *look)
{
	if (!is_wanted(look, DYN_SETTING_TAGS) || look->arn[0] == '\0')
		return false;
	return look->pages == 0 ||
		(look->tags.status.cls == DYN_OK && look->tags.next_token && look->pages < DYN_MAX_TAG_PAGES);
}

/* Makes the job one for the next page, which adds to the tags of those before. */
static void
turn_page(DynLook *look)
{
	DynTableJob before = look->tags;

	look->pages++;
	dyn_table_job_init(&look->tags, before.client, before.table, DYN_OP_LIST_TAGS_OF_RESOURCE);
	look->tags.arena = before.arena;
	look->tags.tags = before.tags;
	dyn_op_list_tags(&look->tags.body, look->arn, before.next_token);
}

/* The calls that are next for one table, into `jobs`; their number. */
static int
next_jobs(DynLook *look, DynTableJob **jobs)
{
	int			n = 0;

	if (is_wanted(look, DYN_SETTING_RECOVERY) && !look->recovery.done)
		jobs[n++] = &look->recovery;
	if (lacks_page(look))
	{
		turn_page(look);
		jobs[n++] = &look->tags;
	}
	return n;
}

void
dyn_looks_wait(List *looks)
{
	DynTableJob **jobs = palloc(sizeof(DynTableJob *) * (2 * list_length(looks) + 1));
	int			n;

	do
	{
		ListCell   *lc;

		n = 0;
		foreach(lc, looks)
			n += next_jobs(lfirst(lc), jobs + n);
		dyn_ddl_jobs_wait(jobs, n, -1);
	} while (n > 0);
	pfree(jobs);
}

/* ---- what they saw ---- */

static char *
tags_text(const DynLook *look)
{
	const char *why = NULL;

	if (look->arn[0] == '\0')
		why = "DescribeTable tells no ARN";
	else if (look->tags.status.cls != DYN_OK)
		why = dyn_ddl_job_text(&look->tags);
	else if (look->tags.next_token)
		why = "there are too many of them";
	return why ? psprintf("tags can't be compared: %s", why) :
		dyn_ddl_difference_of_tags(look->wanted, &look->tags.tags);
}

static char *
recovery_text(const DynLook *look)
{
	if (look->recovery.status.cls != DYN_OK)
		return psprintf("point_in_time_recovery can't be compared: %s", dyn_ddl_job_text(&look->recovery));
	return dyn_ddl_difference_of_recovery(look->wanted, look->recovery.recovery);
}

char *
dyn_look_difference(const DynLook *look)
{
	char	   *recovery = is_wanted(look, DYN_SETTING_RECOVERY) ? recovery_text(look) : NULL;
	char	   *tags = is_wanted(look, DYN_SETTING_TAGS) ? tags_text(look) : NULL;

	if (recovery && tags)
		return psprintf("%s; %s", recovery, tags);
	return recovery ? recovery : tags;
}
