/*
 * setting.c
 *	  Settings of remote tables, as options say them.
 */
#include "pg/util/export.h"

#include "utils/builtins.h"

#include "pg/table/option.h"
#include "pg/table/setting.h"
#include "pg/util/error.h"
#include "pg/util/scratch.h"
#include "pg/util/text.h"

/* Options by the setting that they are part of. */
static const struct
{
	const char *option;
	DynSetting	setting;
}			option_settings[] = {
	{"deletion_protection", DYN_SETTING_PROTECTION},
	{"table_class", DYN_SETTING_CLASS},
	{"billing_mode", DYN_SETTING_CAPACITY},
	{"read_capacity", DYN_SETTING_CAPACITY},
	{"write_capacity", DYN_SETTING_CAPACITY},
	{"max_read_units", DYN_SETTING_CAPACITY},
	{"max_write_units", DYN_SETTING_CAPACITY},
	{"stream_view_type", DYN_SETTING_STREAM},
	{"sse_kms_key", DYN_SETTING_ENCRYPTION},
	{"warm_throughput", DYN_SETTING_WARMTH},
	{"point_in_time_recovery", DYN_SETTING_RECOVERY},
	{"tags", DYN_SETTING_TAGS},
};

/* Those that only one billing mode has. */
static const char *const capacity_options[2][3] = {
	{"max_read_units", "max_write_units", NULL},
	{"read_capacity", "write_capacity", NULL},
};

unsigned
dyn_setting_of_option(const char *name)
{
	for (size_t i = 0; i < lengthof(option_settings); i++)
		if (strcmp(option_settings[i].option, name) == 0)
			return option_settings[i].setting;
	return 0;
}

unsigned
dyn_settings_of_options(List *options)
{
	unsigned	settings = 0;
	ListCell   *lc;

	foreach(lc, options)
		settings |= dyn_setting_of_option(lfirst_node(DefElem, lc)->defname);
	return settings;
}

/* ---- one list of options ---- */

/* An option of the list that the billing mode does not have; NULL: none. */
static const char *
unfit_option(List *options, bool provisioned)
{
	for (const char *const *name = capacity_options[!provisioned]; *name; name++)
		if (dyn_option_given(*name, options))
			return *name;
	return NULL;
}

void
dyn_settings_check_together(List *options)
{
	const char *mode = dyn_option_given("billing_mode", options);
	const char *unfit = mode ? unfit_option(options, strcmp(mode, dyn_billing_modes[true]) == 0) : NULL;

	if (unfit)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" is not one of billing mode \"%s\"", unfit, mode),
				 errhint("Tables of billing mode PROVISIONED have \"read_capacity\" and \"write_capacity\", those of PAY_PER_REQUEST \"max_read_units\" and \"max_write_units\".")));
}

/* ---- tags ---- */

/* False: *why says what is wrong. */
static bool
parse_tags(const char *value, DynArena *arena, DynTags *tags, const char **why)
{
	const char *utf8 = dyn_cstring_to_utf8(value);

	if (dyn_tags_parse(utf8, strlen(utf8), arena, tags, why))
		return true;
	if (*why == NULL)
		dyn_report_no_memory();
	return false;
}

const char *
dyn_tags_fault(const char *value)
{
	DynArena   *arena = dyn_scratch_arena(CurrentMemoryContext);
	DynTags		tags;
	const char *why;
	bool		valid = parse_tags(value, arena, &tags, &why);

	dyn_arena_free(arena);
	return valid ? NULL : psprintf("%c%s.", pg_toupper((unsigned char) why[0]), why + 1);
}

/* Appends the tags of a value, always by the same text; false: it can't be read. */
static bool
normalize_tags(const char *value, DynBuf *out)
{
	DynArena   *arena = dyn_scratch_arena(CurrentMemoryContext);
	DynTags		tags;
	const char *why;
	bool		valid = parse_tags(value, arena, &tags, &why);

	if (valid)
		dyn_tags_say(out, &tags);
	dyn_arena_free(arena);
	if (out->failed)
		dyn_report_no_memory();
	return valid;
}

bool
dyn_tags_same(const char *value, const char *other)
{
	DynBuf	   *one = dyn_scratch_new(CurrentMemoryContext);
	DynBuf	   *two = dyn_scratch_new(CurrentMemoryContext);
	bool		same = normalize_tags(value, one) && normalize_tags(other, two) && one->len == two->len &&
		memcmp(one->data, two->data, one->len) == 0;

	dyn_buf_free(one);
	dyn_buf_free(two);
	return same;
}

/* Those of the table and the server together. */
static bool
want_tags(DynWantedSettings *wanted, List *t, List *s, const char **why)
{
	DynArena   *arena = dyn_scratch_arena(CurrentMemoryContext);
	const char *of_table = dyn_option_given("tags", t);
	const char *of_server = dyn_option_given("tags", s);
	DynTags		table_tags = {0};
	DynTags		server_tags = {0};

	if (of_table == NULL && of_server == NULL)
		return true;
	if ((of_table && !parse_tags(of_table, arena, &table_tags, why)) ||
		(of_server && !parse_tags(of_server, arena, &server_tags, why)))
		return false;
	if (!dyn_tags_merge(&table_tags, &server_tags, arena, &wanted->tags))
		dyn_report_no_memory();
	wanted->settings.known |= DYN_SETTING_TAGS;
	*why = psprintf("a table can have %d tags, and with the server's it would have %d", DYN_MAX_TAGS, wanted->tags.n);
	return wanted->tags.n <= DYN_MAX_TAGS;
}

/* ---- capacity ---- */

static int64
units_option(const char *name, List *t, List *s)
{
	const char *value = dyn_option_text(name, t, s);

	return value ? atoll(value) : DYN_UNITS_UNSAID;
}

static bool
want_capacity(DynTableSettings *settings, List *t, List *s, const char **why)
{
	const char *mode = dyn_option_text("billing_mode", t, s);
	const char *unfit;

	settings->provisioned = mode && strcmp(mode, dyn_billing_modes[true]) == 0;
	unfit = unfit_option(t, settings->provisioned);
	if (unfit)
	{
		*why = psprintf("its billing mode is %s, which has no \"%s\"", dyn_billing_modes[settings->provisioned], unfit);
		return false;
	}
	if (settings->provisioned)
	{
		settings->read_capacity = units_option("read_capacity", t, s);
		settings->write_capacity = units_option("write_capacity", t, s);
		*why = "billing mode PROVISIONED needs \"read_capacity\" and \"write_capacity\"";
		if (settings->read_capacity == DYN_UNITS_UNSAID || settings->write_capacity == DYN_UNITS_UNSAID)
			return false;
	}
	else
	{
		settings->max_read_units = units_option("max_read_units", t, s);
		settings->max_write_units = units_option("max_write_units", t, s);
	}
	if (mode || settings->max_read_units != DYN_UNITS_UNSAID || settings->max_write_units != DYN_UNITS_UNSAID)
		settings->known |= DYN_SETTING_CAPACITY;
	return true;
}

/* ---- the others ---- */

/* An option's value, where one of the lists has it; then its setting is known. */
static const char *
want_option(DynTableSettings *settings, const char *name, List *t, List *s)
{
	const char *value = dyn_option_text(name, t, s);

	if (value)
		settings->known |= dyn_setting_of_option(name);
	return value;
}

static bool
want_bool(DynTableSettings *settings, const char *name, List *t, List *s)
{
	return want_option(settings, name, t, s) && dyn_option_bool(name, t, s);
}

/* Which of the words an option's value is; the first one where it is not given. */
static int
want_choice(DynTableSettings *settings, const char *name, const char *const *words, List *t, List *s)
{
	const char *value = want_option(settings, name, t, s);

	for (int i = 0; value && words[i]; i++)
		if (strcmp(words[i], value) == 0)
			return i;
	return 0;
}

static void
want_plain_settings(DynTableSettings *settings, List *t, List *s)
{
	const char *value;

	settings->deletion_protection = want_bool(settings, "deletion_protection", t, s);
	settings->recovery = want_bool(settings, "point_in_time_recovery", t, s);
	settings->infrequent_access = want_choice(settings, "table_class", dyn_table_classes, t, s) == 1;
	settings->stream = (DynStreamView) want_choice(settings, "stream_view_type", dyn_stream_views, t, s);
	value = want_option(settings, "sse_kms_key", t, s);
	if (value && strcmp(value, DYN_KMS_AWS_OWNED) != 0)
		strlcpy(settings->kms_key, value, sizeof(settings->kms_key));
	value = want_option(settings, "warm_throughput", t, s);
	if (value)
		dyn_warm_throughput_parse(value, &settings->warm_read, &settings->warm_write);
}

DynWantedSettings *
dyn_settings_wanted(List *table_options, List *server_options, const char **why)
{
	DynWantedSettings *wanted = palloc0(sizeof(DynWantedSettings));

	want_plain_settings(&wanted->settings, table_options, server_options);
	if (!want_capacity(&wanted->settings, table_options, server_options, why) ||
		!want_tags(wanted, table_options, server_options, why))
		return NULL;
	return wanted;
}
