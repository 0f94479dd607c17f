/*
 * ddl_difference.h
 *	  Words for the settings of remote tables: what options ask for, and how a
 *	  table differs from it.
 *
 * All texts are in the current memory context and in the database's encoding;
 * what has no place in it is a question mark.
 */
#ifndef DYN_DDL_DIFFERENCE_H
#define DYN_DDL_DIFFERENCE_H

#include "core/ddb_reply.h"
#include "pg/table/setting.h"

/* All that is asked for: "billing_mode 'PROVISIONED', ..., tags '{...}'".  NULL: nothing. */
extern char *dyn_ddl_wanted_text(const DynWantedSettings *wanted);

/*
 * How what DescribeTable shows differs from it: "stream_view_type is 'NONE', not
 * 'NEW_IMAGE'; ...".  NULL, as below: it does not.
 */
extern char *dyn_ddl_difference(const DynWantedSettings *wanted, const DynTableDescription *shown);

/* The same of tags, where some are wanted: "tag "team" is 'x', not 'y'".  Other tags that are there make no difference. */
extern char *dyn_ddl_difference_of_tags(const DynWantedSettings *wanted, const DynTags *shown);

/* The same of point_in_time_recovery, where it is wanted on or off. */
extern char *dyn_ddl_difference_of_recovery(const DynWantedSettings *wanted, bool shown);

#endif							/* DYN_DDL_DIFFERENCE_H */
