/*
 * table_settings.h
 *	  Settings of a table, beside its key: as they are wanted, and as
 *	  DescribeTable shows them.
 *
 * A setting is what DynamoDB changes by one request, so billing mode and
 * capacities are one.  Tags are apart (tags.h).
 */
#ifndef DYN_TABLE_SETTINGS_H
#define DYN_TABLE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"

/* Bits of a set, in the order in which they are changed. */
typedef enum DynSetting
{
	DYN_SETTING_PROTECTION = 1, /* deletion_protection */
	DYN_SETTING_CLASS = 2,		/* table_class */
	DYN_SETTING_CAPACITY = 4,	/* billing_mode, read_capacity, write_capacity, max_read_units, max_write_units */
	DYN_SETTING_STREAM = 8,		/* stream_view_type */
	DYN_SETTING_ENCRYPTION = 16,	/* sse_kms_key */
	DYN_SETTING_WARMTH = 32,	/* warm_throughput */
	DYN_SETTING_RECOVERY = 64,	/* point_in_time_recovery: UpdateContinuousBackups, and not shown by DescribeTable */
	DYN_SETTING_TAGS = 128		/* tags: TagResource and UntagResource, likewise */
} DynSetting;

/* Those that UpdateTable changes. */
#define DYN_SETTINGS_OF_TABLE 63

typedef enum DynStreamView
{
	DYN_STREAM_NONE,
	DYN_STREAM_KEYS_ONLY,
	DYN_STREAM_NEW_IMAGE,
	DYN_STREAM_OLD_IMAGE,
	DYN_STREAM_NEW_AND_OLD_IMAGES
} DynStreamView;

#define DYN_MAX_KMS_KEY_BYTES 2048

/* What `units` and the like are where nothing is said of them, and where there is no ceiling, as in AWS's requests. */
#define DYN_UNITS_UNSAID 0
#define DYN_UNITS_UNLIMITED (-1)

/* A zeroed one says nothing. */
typedef struct DynTableSettings
{
	unsigned	known;			/* bits of DynSetting: what is wanted, or shown */
	bool		deletion_protection;
	bool		infrequent_access;	/* the table class */
	bool		provisioned;	/* the billing mode */
	int64_t		read_capacity;	/* of a provisioned table */
	int64_t		write_capacity;
	int64_t		max_read_units; /* of one on demand */
	int64_t		max_write_units;
	DynStreamView stream;
	int64_t		warm_read;		/* units a second */
	int64_t		warm_write;
	bool		recovery;
	char		kms_key[DYN_MAX_KMS_KEY_BYTES + 1]; /* id, ARN or alias; "": a key that AWS owns */
} DynTableSettings;

/* AWS's words, NULL-terminated; of streams by DynStreamView, with "NONE" for none. */
extern const char *const dyn_billing_modes[];	/* on demand, provisioned */
extern const char *const dyn_table_classes[];	/* standard, infrequent access */
extern const char *const dyn_stream_views[];

/* What stands for a key that AWS owns, and the key that AWS manages for the account, which requests do not name. */
#define DYN_KMS_AWS_OWNED "AWS_OWNED"
#define DYN_KMS_AWS_MANAGED "alias/aws/dynamodb"

/* Does it look like the id, the ARN or the alias of a key, or is it DYN_KMS_AWS_OWNED? */
extern bool dyn_kms_key_valid(const char *key);

/* "ReadUnitsPerSecond=12000,WriteUnitsPerSecond=4000", both or one of them, as AWS's command line has it.  False: it is not. */
extern bool dyn_warm_throughput_parse(const char *text, int64_t *read, int64_t *write);

/*
 * Which of the wanted settings the table has not: bits of wanted->known.  What is
 * not shown is no difference, nor is an alias of a key, which can't be compared.
 */
extern unsigned dyn_settings_differ(const DynTableSettings *wanted, const DynTableSettings *shown);

/* Wants DynamoDB's defaults of those of the settings of which nothing is said: all is zero but ceilings. */
extern void dyn_settings_want_defaults(DynTableSettings *wanted, unsigned settings);

/* Appends what is wanted of one setting, as options: "billing_mode 'PROVISIONED', read_capacity '5', ..." */
extern void dyn_settings_say(DynBuf *out, const DynTableSettings *wanted, DynSetting setting);

/* Appends one difference: "stream_view_type is 'NONE', not 'NEW_IMAGE'". */
extern void dyn_settings_say_difference(DynBuf *out, const DynTableSettings *wanted, const DynTableSettings *shown,
										DynSetting setting);

/* The option that a setting goes by: "billing_mode" for capacities. */
extern const char *dyn_setting_name(DynSetting setting);

/* How often DynamoDB changes a setting, as its documentation has it, as sentences; NULL: as often as one wants. */
extern const char *dyn_setting_limit(DynSetting setting);

#endif							/* DYN_TABLE_SETTINGS_H */
