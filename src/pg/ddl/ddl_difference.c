/*
 * ddl_difference.c
 *	  Words for the settings of remote tables.
 */
#include "pg/util/export.h"

#include "pg/ddl/ddl_difference.h"
#include "pg/util/error.h"
#include "pg/util/scratch.h"

/* What was said, which frees the buffer; NULL: nothing. */
static char *
take_words(DynBuf *words)
{
	const char *text = dyn_buf_cstr(words);
	char	   *copy = NULL;

	if (text == NULL)
		dyn_report_no_memory();
	if (*text)
		copy = dyn_service_text(text);
	dyn_buf_free(words);
	return copy;
}

/* Begins one more of several. */
static void
separate(DynBuf *words, const char *separator)
{
	if (words->len > 0)
		dyn_buf_str(words, separator);
}

char *
dyn_ddl_wanted_text(const DynWantedSettings *wanted)
{
	DynBuf	   *words = dyn_scratch_new(CurrentMemoryContext);

	for (unsigned setting = 1; setting <= DYN_SETTING_TAGS; setting <<= 1)
	{
		if ((wanted->settings.known & setting) == 0)
			continue;
		separate(words, ", ");
		if (setting != DYN_SETTING_TAGS)
		{
			dyn_settings_say(words, &wanted->settings, (DynSetting) setting);
			continue;
		}
		dyn_buf_str(words, "tags '");
		dyn_tags_say(words, &wanted->tags);
		dyn_buf_byte(words, '\'');
	}
	return take_words(words);
}

/* Of two sets of settings. */
static char *
say_differences(const DynTableSettings *wanted, const DynTableSettings *shown)
{
	DynBuf	   *words = dyn_scratch_new(CurrentMemoryContext);
	unsigned	different = dyn_settings_differ(wanted, shown);

	for (unsigned setting = 1; setting < DYN_SETTING_TAGS; setting <<= 1)
	{
		if ((different & setting) == 0)
			continue;
		separate(words, "; ");
		dyn_settings_say_difference(words, wanted, shown, (DynSetting) setting);
	}
	return take_words(words);
}

char *
dyn_ddl_difference(const DynWantedSettings *wanted, const DynTableDescription *shown)
{
	return say_differences(&wanted->settings, &shown->settings);
}

char *
dyn_ddl_difference_of_recovery(const DynWantedSettings *wanted, bool shown)
{
	DynTableSettings told = {0};

	told.known = DYN_SETTING_RECOVERY;
	told.recovery = shown;
	return say_differences(&wanted->settings, &told);
}

/* One tag: which value it has (NULL: there is none), and which it should have. */
static void
say_tag(DynBuf *words, const DynTag *wanted, const char *value)
{
	separate(words, "; ");
	dyn_buf_str(words, "tag \"");
	dyn_buf_str(words, wanted->key);
	dyn_buf_str(words, value ? "\" is '" : "\" is missing");
	if (value == NULL)
		return;
	dyn_buf_str(words, value);
	dyn_buf_str(words, "', not '");
	dyn_buf_str(words, wanted->value);
	dyn_buf_byte(words, '\'');
}

char *
dyn_ddl_difference_of_tags(const DynWantedSettings *wanted, const DynTags *shown)
{
	DynBuf	   *words = dyn_scratch_new(CurrentMemoryContext);

	for (int i = 0; i < wanted->tags.n; i++)
	{
		const DynTag *tag = &wanted->tags.tag[i];
		const char *value = dyn_tags_value(shown, tag->key);

		if (value == NULL || strcmp(value, tag->value) != 0)
			say_tag(words, tag, value);
	}
	return take_words(words);
}
