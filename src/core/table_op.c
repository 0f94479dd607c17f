/*
 * table_op.c
 *	  Bodies of requests about tables.
 */
#include "core/table_op.h"

#include <string.h>

/* A C string as a JSON string. */
static void
put_string(DynBuf *out, const char *text)
{
	dyn_buf_json_string(out, text, strlen(text));
}

static void
put_bool(DynBuf *out, bool value)
{
	dyn_buf_str(out, value ? "true" : "false");
}

/* Opens a request about a table. */
static void
begin_named(DynBuf *out, const char *table)
{
	dyn_buf_str(out, "{\"TableName\":");
	put_string(out, table);
}

void
dyn_op_name_table(DynBuf *out, const char *table)
{
	begin_named(out, table);
	dyn_buf_byte(out, '}');
}

/* ---- settings; each function appends members, with a comma before the first one ---- */

/* An object of two numbers, of which one that is not said is left out; nothing if neither is. */
static void
put_units(DynBuf *out, const char *member, const char *read_name, int64_t read, const char *write_name, int64_t write)
{
	if (read == DYN_UNITS_UNSAID && write == DYN_UNITS_UNSAID)
		return;
	dyn_buf_str(out, ",\"");
	dyn_buf_str(out, member);
	dyn_buf_str(out, "\":{");
	if (read != DYN_UNITS_UNSAID)
	{
		put_string(out, read_name);
		dyn_buf_byte(out, ':');
		dyn_buf_int(out, read);
	}
	if (write != DYN_UNITS_UNSAID)
	{
		dyn_buf_str(out, read != DYN_UNITS_UNSAID ? "," : "");
		put_string(out, write_name);
		dyn_buf_byte(out, ':');
		dyn_buf_int(out, write);
	}
	dyn_buf_byte(out, '}');
}

static void
put_ceilings(DynBuf *out, int64_t read, int64_t write)
{
	put_units(out, "OnDemandThroughput", "MaxReadRequestUnits", read, "MaxWriteRequestUnits", write);
}

static void
put_warmth(DynBuf *out, int64_t read, int64_t write)
{
	put_units(out, "WarmThroughput", "ReadUnitsPerSecond", read, "WriteUnitsPerSecond", write);
}

static void
put_billing_mode(DynBuf *out, const DynTableSettings *settings)
{
	dyn_buf_str(out, ",\"BillingMode\":");
	put_string(out, dyn_billing_modes[settings->provisioned]);
	if (settings->provisioned)
		put_units(out, "ProvisionedThroughput", "ReadCapacityUnits", settings->read_capacity, "WriteCapacityUnits",
				  settings->write_capacity);
}

static void
put_stream(DynBuf *out, DynStreamView view)
{
	dyn_buf_str(out, ",\"StreamSpecification\":{\"StreamEnabled\":");
	put_bool(out, view != DYN_STREAM_NONE);
	if (view != DYN_STREAM_NONE)
	{
		dyn_buf_str(out, ",\"StreamViewType\":");
		put_string(out, dyn_stream_views[view]);
	}
	dyn_buf_byte(out, '}');
}

/* AWS's own managed key is what is used where no other one is named. */
static void
put_encryption(DynBuf *out, const char *kms_key)
{
	dyn_buf_str(out, ",\"SSESpecification\":{\"Enabled\":");
	put_bool(out, kms_key[0] != '\0');
	if (kms_key[0] != '\0')
		dyn_buf_str(out, ",\"SSEType\":\"KMS\"");
	if (kms_key[0] != '\0' && strcmp(kms_key, DYN_KMS_AWS_MANAGED) != 0)
	{
		dyn_buf_str(out, ",\"KMSMasterKeyId\":");
		put_string(out, kms_key);
	}
	dyn_buf_byte(out, '}');
}

/* A setting that has nothing to do with what the table was before. */
static void
put_plain_setting(DynBuf *out, DynSetting setting, const DynTableSettings *settings)
{
	switch (setting)
	{
		case DYN_SETTING_PROTECTION:
			dyn_buf_str(out, ",\"DeletionProtectionEnabled\":");
			put_bool(out, settings->deletion_protection);
			break;
		case DYN_SETTING_CLASS:
			dyn_buf_str(out, ",\"TableClass\":");
			put_string(out, dyn_table_classes[settings->infrequent_access]);
			break;
		case DYN_SETTING_STREAM:
			put_stream(out, settings->stream);
			break;
		case DYN_SETTING_ENCRYPTION:
			put_encryption(out, settings->kms_key);
			break;
		case DYN_SETTING_WARMTH:
			put_warmth(out, settings->warm_read, settings->warm_write);
			break;
		default:
			break;
	}
}

/* A ceiling that a new table is to have: none is none. */
static int64_t
ceiling_of_new(int64_t units)
{
	return units == DYN_UNITS_UNLIMITED ? DYN_UNITS_UNSAID : units;
}

/* Those that a table is made with; "none" is what it has anyway. */
static void
put_settings_of_new(DynBuf *out, const DynTableSettings *settings)
{
	put_billing_mode(out, settings);
	if (!settings->provisioned)
		put_ceilings(out, ceiling_of_new(settings->max_read_units), ceiling_of_new(settings->max_write_units));
	for (unsigned setting = 1; setting <= DYN_SETTINGS_OF_TABLE; setting <<= 1)
	{
		bool		is_none = (setting == DYN_SETTING_STREAM && settings->stream == DYN_STREAM_NONE) ||
			(setting == DYN_SETTING_ENCRYPTION && settings->kms_key[0] == '\0');

		if ((settings->known & setting) && !is_none)
			put_plain_setting(out, (DynSetting) setting, settings);
	}
}

static void
put_tags(DynBuf *out, const DynTags *tags)
{
	dyn_buf_str(out, ",\"Tags\":[");
	for (int i = 0; i < tags->n; i++)
	{
		dyn_buf_str(out, i > 0 ? ",{\"Key\":" : "{\"Key\":");
		put_string(out, tags->tag[i].key);
		dyn_buf_str(out, ",\"Value\":");
		put_string(out, tags->tag[i].value);
		dyn_buf_byte(out, '}');
	}
	dyn_buf_byte(out, ']');
}

void
dyn_op_create_table(DynBuf *out, const char *table, const DynTableSettings *settings, const DynTags *tags)
{
	static const DynTableSettings none;

	begin_named(out, table);
	dyn_buf_str(out,
				",\"KeySchema\":[{\"AttributeName\":\"entity_id\",\"KeyType\":\"HASH\"}]"
				",\"AttributeDefinitions\":[{\"AttributeName\":\"entity_id\",\"AttributeType\":\"S\"}]");
	put_settings_of_new(out, settings ? settings : &none);
	if (tags && tags->n > 0)
		put_tags(out, tags);
	dyn_buf_byte(out, '}');
}

/* ---- changing ---- */

/* The ceiling to ask for: DynamoDB Local fails without both of them, so one of which nothing is said is asked to stay. */
static int64_t
ceiling_to_ask(int64_t wanted, int64_t shown)
{
	if (wanted != DYN_UNITS_UNSAID)
		return wanted;
	return shown != DYN_UNITS_UNSAID ? shown : DYN_UNITS_UNLIMITED;
}

static void
put_capacity_change(DynBuf *out, const DynTableSettings *wanted, const DynTableSettings *shown)
{
	if (wanted->provisioned || shown->provisioned || (shown->known & DYN_SETTING_CAPACITY) == 0)
		put_billing_mode(out, wanted);
	if (!wanted->provisioned &&
		(wanted->max_read_units != DYN_UNITS_UNSAID || wanted->max_write_units != DYN_UNITS_UNSAID))
		put_ceilings(out, ceiling_to_ask(wanted->max_read_units, shown->max_read_units),
					 ceiling_to_ask(wanted->max_write_units, shown->max_write_units));
}

/* The warm throughput to ask for: it can't be lowered, so that what is warmer than wanted stays as it is. */
static int64_t
warmth_to_ask(int64_t wanted, int64_t shown)
{
	return wanted == DYN_UNITS_UNSAID || wanted > shown ? wanted : shown;
}

void
dyn_op_update_table(DynBuf *out, const char *table, DynSetting setting, const DynTableSettings *wanted,
					const DynTableSettings *shown)
{
	begin_named(out, table);
	if (setting == DYN_SETTING_CAPACITY)
		put_capacity_change(out, wanted, shown);
	else if (setting == DYN_SETTING_WARMTH)
		put_warmth(out, warmth_to_ask(wanted->warm_read, shown->warm_read),
				   warmth_to_ask(wanted->warm_write, shown->warm_write));
	else if (setting == DYN_SETTING_STREAM && shown->stream != DYN_STREAM_NONE)
		put_stream(out, DYN_STREAM_NONE);
	else
		put_plain_setting(out, setting, wanted);
	dyn_buf_byte(out, '}');
}

void
dyn_op_update_time_to_live(DynBuf *out, const char *table, const char *attribute)
{
	begin_named(out, table);
	dyn_buf_str(out, ",\"TimeToLiveSpecification\":{\"Enabled\":true,\"AttributeName\":");
	put_string(out, attribute);
	dyn_buf_str(out, "}}");
}

void
dyn_op_update_continuous_backups(DynBuf *out, const char *table, bool recovery)
{
	begin_named(out, table);
	dyn_buf_str(out, ",\"PointInTimeRecoverySpecification\":{\"PointInTimeRecoveryEnabled\":");
	put_bool(out, recovery);
	dyn_buf_str(out, "}}");
}

/* ---- tags ---- */

static void
begin_of_arn(DynBuf *out, const char *arn)
{
	dyn_buf_str(out, "{\"ResourceArn\":");
	put_string(out, arn);
}

void
dyn_op_list_tags(DynBuf *out, const char *arn, const char *next_token)
{
	begin_of_arn(out, arn);
	if (next_token)
	{
		dyn_buf_str(out, ",\"NextToken\":");
		put_string(out, next_token);
	}
	dyn_buf_byte(out, '}');
}

void
dyn_op_tag(DynBuf *out, const char *arn, const DynTags *tags)
{
	begin_of_arn(out, arn);
	put_tags(out, tags);
	dyn_buf_byte(out, '}');
}

void
dyn_op_untag(DynBuf *out, const char *arn, const DynTags *tags)
{
	begin_of_arn(out, arn);
	dyn_buf_str(out, ",\"TagKeys\":[");
	for (int i = 0; i < tags->n; i++)
	{
		dyn_buf_str(out, i > 0 ? "," : "");
		put_string(out, tags->tag[i].key);
	}
	dyn_buf_str(out, "]}");
}
