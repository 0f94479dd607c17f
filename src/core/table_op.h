/*
 * table_op.h
 *	  Bodies of requests about tables: making, looking, changing, deleting.
 */
#ifndef DYN_TABLE_OP_H
#define DYN_TABLE_OP_H

#include "core/buf.h"
#include "core/table_settings.h"
#include "core/tags.h"

/* DescribeTable, DeleteTable, DescribeContinuousBackups. */
extern void dyn_op_name_table(DynBuf *out, const char *table);

/* CreateTable, with all that the settings say but `recovery`, which it does not take. Settings and tags may be NULL. */
extern void dyn_op_create_table(DynBuf *out, const char *table, const DynTableSettings *settings, const DynTags *tags);

/*
 * UpdateTable of one setting, which DynamoDB takes apart from all others only.
 * A stream of another view has to be switched off first, so that is what is
 * asked for where one is shown; a ceiling of which nothing is said stays, and
 * warm throughput is never lowered.
 */
extern void dyn_op_update_table(DynBuf *out, const char *table, DynSetting setting, const DynTableSettings *wanted,
								const DynTableSettings *shown);

extern void dyn_op_update_time_to_live(DynBuf *out, const char *table, const char *attribute);	/* turns it on */
extern void dyn_op_update_continuous_backups(DynBuf *out, const char *table, bool recovery);

/* Tags go by the table's ARN. */
extern void dyn_op_list_tags(DynBuf *out, const char *arn, const char *next_token); /* NULL: the first page */
extern void dyn_op_tag(DynBuf *out, const char *arn, const DynTags *tags);
extern void dyn_op_untag(DynBuf *out, const char *arn, const DynTags *tags);	/* by their keys */

#endif							/* DYN_TABLE_OP_H */
