/*
 * table_settings.c
 *	  Settings of a table: their words, and how two tables' differ.
 */
#include "core/table_settings.h"

#include <stdlib.h>
#include <string.h>

#include "core/ascii.h"


const char *const dyn_billing_modes[] = {"PAY_PER_REQUEST", "PROVISIONED", NULL};
const char *const dyn_table_classes[] = {"STANDARD", "STANDARD_INFREQUENT_ACCESS", NULL};
const char *const dyn_stream_views[] = {"NONE", "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", NULL};

/* ---- values ---- */

/* Is it made of these characters? */
static bool
is_made_of(const char *text, const char *beside_letters)
{
	while (dyn_is_alnum_or(*text, beside_letters))
		text++;
	return *text == '\0';
}

bool
dyn_kms_key_valid(const char *key)
{
	size_t		len = strlen(key);

	if (strcmp(key, DYN_KMS_AWS_OWNED) == 0)
		return true;
	if (len > DYN_MAX_KMS_KEY_BYTES)
		return false;
	if (strncmp(key, "arn:", 4) == 0 || strncmp(key, "alias/", 6) == 0)
		return is_made_of(key, ":/_-") && key[len - 1] != '/' && key[len - 1] != ':';
	/* an id: "1234abcd-12ab-34cd-56ef-1234567890ab", or "mrk-..." */
	return len >= 32 && len <= 64 && is_made_of(key, "-");
}

/* Reads "Name=number" up to a comma or the end; NULL: it is not that. */
static const char *
parse_units(const char *text, const char *name, int64_t *units)
{
	size_t		len = strlen(name);
	size_t		digits;

	if (strncmp(text, name, len) != 0 || text[len] != '=')
		return NULL;
	text += len + 1;
	digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 12 || (text[digits] != ',' && text[digits] != '\0'))
		return NULL;
	*units = strtoll(text, NULL, 10);
	return *units > 0 ? text + digits : NULL;
}

bool
dyn_warm_throughput_parse(const char *text, int64_t *read, int64_t *write)
{
	*read = *write = DYN_UNITS_UNSAID;
	for (;;)
	{
		bool		is_read = strncmp(text, "Read", 4) == 0;
		int64_t    *units = is_read ? read : write;

		if (*units != DYN_UNITS_UNSAID)
			return false;
		text = parse_units(text, is_read ? "ReadUnitsPerSecond" : "WriteUnitsPerSecond", units);
		if (text == NULL)
			return false;
		if (*text++ == '\0')
			return true;
	}
}

/* ---- comparing ---- */

/* A ceiling that isn't shown isn't there. */
static bool
ceiling_differs(int64_t wanted, int64_t shown)
{
	if (wanted == DYN_UNITS_UNSAID)
		return false;
	return wanted != (shown == DYN_UNITS_UNSAID ? DYN_UNITS_UNLIMITED : shown);
}

static bool
capacity_differs(const DynTableSettings *wanted, const DynTableSettings *shown)
{
	if (wanted->provisioned != shown->provisioned)
		return true;
	if (wanted->provisioned)
		return wanted->read_capacity != shown->read_capacity || wanted->write_capacity != shown->write_capacity;
	return ceiling_differs(wanted->max_read_units, shown->max_read_units) ||
		ceiling_differs(wanted->max_write_units, shown->max_write_units);
}

/* Is the key that is shown, by its ARN as a rule, the one that is wanted?  Of an alias nobody can tell but KMS. */
static bool
key_differs(const char *wanted, const char *shown)
{
	size_t		len = strlen(wanted);
	size_t		shown_len = strlen(shown);

	if (len == 0 || shown_len == 0)
		return len != shown_len;
	if (strcmp(wanted, shown) == 0)
		return false;
	/* aliases have ARNs, too */
	if (strncmp(wanted, "alias/", 6) == 0 || strstr(wanted, ":alias/") != NULL)
		return false;
	return shown_len <= len || shown[shown_len - len - 1] != '/' || strcmp(shown + shown_len - len, wanted) != 0;
}

/* Of a setting that both know. */
static bool
setting_differs(DynSetting setting, const DynTableSettings *wanted, const DynTableSettings *shown)
{
	switch (setting)
	{
		case DYN_SETTING_PROTECTION:
			return wanted->deletion_protection != shown->deletion_protection;
		case DYN_SETTING_CLASS:
			return wanted->infrequent_access != shown->infrequent_access;
		case DYN_SETTING_CAPACITY:
			return capacity_differs(wanted, shown);
		case DYN_SETTING_STREAM:
			return wanted->stream != shown->stream;
		case DYN_SETTING_ENCRYPTION:
			return key_differs(wanted->kms_key, shown->kms_key);
		case DYN_SETTING_WARMTH:	/* it grows by itself, and never shrinks */
			return wanted->warm_read > shown->warm_read || wanted->warm_write > shown->warm_write;
		case DYN_SETTING_RECOVERY:
			return wanted->recovery != shown->recovery;
		default:
			return false;
	}
}

unsigned
dyn_settings_differ(const DynTableSettings *wanted, const DynTableSettings *shown)
{
	unsigned	different = 0;

	for (unsigned setting = 1; setting < DYN_SETTING_TAGS; setting <<= 1)
		if ((wanted->known & shown->known & setting) && setting_differs((DynSetting) setting, wanted, shown))
			different |= setting;
	return different;
}

void
dyn_settings_want_defaults(DynTableSettings *wanted, unsigned settings)
{
	if (settings & ~wanted->known & DYN_SETTING_CAPACITY)
		wanted->max_read_units = wanted->max_write_units = DYN_UNITS_UNLIMITED;
	wanted->known |= settings;
}

/* ---- words ---- */

const char *
dyn_setting_name(DynSetting setting)
{
	switch (setting)
	{
		case DYN_SETTING_PROTECTION:
			return "deletion_protection";
		case DYN_SETTING_CLASS:
			return "table_class";
		case DYN_SETTING_CAPACITY:
			return "billing_mode";
		case DYN_SETTING_STREAM:
			return "stream_view_type";
		case DYN_SETTING_ENCRYPTION:
			return "sse_kms_key";
		case DYN_SETTING_WARMTH:
			return "warm_throughput";
		case DYN_SETTING_RECOVERY:
			return "point_in_time_recovery";
		case DYN_SETTING_TAGS:
			return "tags";
	}
	return "";
}

const char *
dyn_setting_limit(DynSetting setting)
{
	switch (setting)
	{
		case DYN_SETTING_CAPACITY:
			return "DynamoDB switches a table to PAY_PER_REQUEST up to four times in 24 hours, and lowers its capacity up to four times a day, and once more in each hour without that.";
		case DYN_SETTING_CLASS:
			return "DynamoDB changes the class of a table up to twice in 30 days.";
		case DYN_SETTING_ENCRYPTION:
			return "DynamoDB changes the key of a table up to four times in 24 hours, and once more after six hours without that.";
		default:
			return NULL;
	}
}

/* ", read_capacity '5'", unless nothing is said of it. */
static void
say_units(DynBuf *out, const char *option, int64_t units)
{
	if (units == DYN_UNITS_UNSAID)
		return;
	dyn_buf_str(out, ", ");
	dyn_buf_str(out, option);
	dyn_buf_str(out, " '");
	dyn_buf_int(out, units);
	dyn_buf_byte(out, '\'');
}

static void
say_capacity(DynBuf *out, const DynTableSettings *settings)
{
	dyn_buf_byte(out, '\'');
	dyn_buf_str(out, dyn_billing_modes[settings->provisioned]);
	dyn_buf_byte(out, '\'');
	say_units(out, settings->provisioned ? "read_capacity" : "max_read_units",
			  settings->provisioned ? settings->read_capacity : settings->max_read_units);
	say_units(out, settings->provisioned ? "write_capacity" : "max_write_units",
			  settings->provisioned ? settings->write_capacity : settings->max_write_units);
}

static void
say_warmth(DynBuf *out, const DynTableSettings *settings)
{
	dyn_buf_byte(out, '\'');
	if (settings->warm_read != DYN_UNITS_UNSAID)
	{
		dyn_buf_str(out, "ReadUnitsPerSecond=");
		dyn_buf_int(out, settings->warm_read);
	}
	if (settings->warm_write != DYN_UNITS_UNSAID)
	{
		dyn_buf_str(out, settings->warm_read != DYN_UNITS_UNSAID ? ",WriteUnitsPerSecond=" : "WriteUnitsPerSecond=");
		dyn_buf_int(out, settings->warm_write);
	}
	dyn_buf_byte(out, '\'');
}

/* The value of a setting that has a single one. */
static const char *
plain_value(DynSetting setting, const DynTableSettings *settings)
{
	switch (setting)
	{
		case DYN_SETTING_PROTECTION:
			return settings->deletion_protection ? "true" : "false";
		case DYN_SETTING_CLASS:
			return dyn_table_classes[settings->infrequent_access];
		case DYN_SETTING_STREAM:
			return dyn_stream_views[settings->stream];
		case DYN_SETTING_ENCRYPTION:
			return settings->kms_key[0] ? settings->kms_key : DYN_KMS_AWS_OWNED;
		case DYN_SETTING_RECOVERY:
			return settings->recovery ? "true" : "false";
		default:
			return "";
	}
}

/* A text in quotes, as SQL has them: a key's name can come from the service. */
static void
say_quoted(DynBuf *out, const char *text)
{
	dyn_buf_byte(out, '\'');
	for (; *text; text++)
	{
		if (*text == '\'')
			dyn_buf_byte(out, '\'');
		dyn_buf_byte(out, *text);
	}
	dyn_buf_byte(out, '\'');
}

/* The value, quoted, and what belongs to it. */
static void
say_value(DynBuf *out, const DynTableSettings *settings, DynSetting setting)
{
	if (setting == DYN_SETTING_CAPACITY)
		say_capacity(out, settings);
	else if (setting == DYN_SETTING_WARMTH)
		say_warmth(out, settings);
	else
		say_quoted(out, plain_value(setting, settings));
}

void
dyn_settings_say(DynBuf *out, const DynTableSettings *wanted, DynSetting setting)
{
	dyn_buf_str(out, dyn_setting_name(setting));
	dyn_buf_byte(out, ' ');
	say_value(out, wanted, setting);
}

void
dyn_settings_say_difference(DynBuf *out, const DynTableSettings *wanted, const DynTableSettings *shown,
							DynSetting setting)
{
	dyn_buf_str(out, dyn_setting_name(setting));
	dyn_buf_str(out, " is ");
	say_value(out, shown, setting);
	dyn_buf_str(out, ", not ");
	say_value(out, wanted, setting);
}
