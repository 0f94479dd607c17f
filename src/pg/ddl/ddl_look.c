/*
 * ddl_look.c
 *	  Looks at the settings that DescribeTable does not show.
 */
#include "pg/util/export.h"

#include "pg/ddl/ddl_difference.h"
#include "pg/ddl/ddl_job.h"
#include "pg/ddl/ddl_look.h"
#include "pg/util/scratch.h"

struct DynLook
{
	const DynWantedSettings *wanted;
	DynTableJob tags;			/* ListTagsOfResource */
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
	dyn_table_job_init(&look->tags, dyn_ddl_client_of(client), table, DYN_OP_LIST_TAGS_OF_RESOURCE);
	look->tags.arn = shown->arn;
	look->tags.arena = dyn_scratch_arena(CurrentMemoryContext);
	dyn_table_job_init(&look->recovery, dyn_ddl_client_of(client), table, DYN_OP_DESCRIBE_CONTINUOUS_BACKUPS);
	return look;
}

/* ---- asking ---- */

void
dyn_looks_wait(List *looks)
{
	DynTableJob **jobs = palloc(sizeof(DynTableJob *) * (2 * list_length(looks) + 1));
	ListCell   *lc;
	int			n = 0;

	foreach(lc, looks)
	{
		DynLook    *look = lfirst(lc);

		if (is_wanted(look, DYN_SETTING_RECOVERY))
			jobs[n++] = &look->recovery;
		if (is_wanted(look, DYN_SETTING_TAGS) && look->tags.arn[0] != '\0')
			jobs[n++] = &look->tags;
	}
	dyn_ddl_jobs_wait(jobs, n, -1);
	pfree(jobs);
}

/* ---- what they saw ---- */

static char *
tags_text(const DynLook *look)
{
	const char *why = NULL;

	if (look->tags.arn[0] == '\0')
		why = "DescribeTable tells no ARN";
	else if (look->tags.status.cls != DYN_OK)
		why = dyn_ddl_job_text(&look->tags);
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
