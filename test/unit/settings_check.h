/*
 * settings_check.h
 *	  What tests of tables' settings share: settings and tags as the golden data
 *	  have them, which is as options.
 */
#ifndef DYN_SETTINGS_CHECK_H
#define DYN_SETTINGS_CHECK_H

#include <stdlib.h>
#include <string.h>

#include "core/table_settings.h"
#include "core/tags.h"
#include "golden.h"

#define KEY_ARN "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
#define KEY_ID "1234abcd-12ab-34cd-56ef-1234567890ab"

/* Which of the words a text is; 0 where there is none, and it ends the test where it is no such word. */
static inline int
choice_of(json_object *fields, const char *name, const char *const *words)
{
	const char *word = golden_text(fields, name);

	for (int i = 0; word; i++)
	{
		if (words[i] == NULL)
			abort();
		if (strcmp(words[i], word) == 0)
			return i;
	}
	return 0;
}

/* The settings that an object of options says. */
static inline DynTableSettings
settings_of(json_object *fields)
{
	DynTableSettings settings = {0};
	const char *key = golden_text(fields, "sse_kms_key");
	const char *warmth = golden_text(fields, "warm_throughput");

	settings.deletion_protection = json_object_get_boolean(golden_get(fields, "deletion_protection"));
	settings.infrequent_access = choice_of(fields, "table_class", dyn_table_classes) == 1;
	settings.provisioned = choice_of(fields, "billing_mode", dyn_billing_modes) == 1;
	settings.read_capacity = golden_int(fields, "read_capacity");
	settings.write_capacity = golden_int(fields, "write_capacity");
	settings.max_read_units = golden_int(fields, "max_read_units");
	settings.max_write_units = golden_int(fields, "max_write_units");
	settings.stream = (DynStreamView) choice_of(fields, "stream_view_type", dyn_stream_views);
	settings.recovery = json_object_get_boolean(golden_get(fields, "point_in_time_recovery"));
	if (key && strcmp(key, DYN_KMS_AWS_OWNED) != 0)
		strcpy(settings.kms_key, key);
	if (warmth && !dyn_warm_throughput_parse(warmth, &settings.warm_read, &settings.warm_write))
		abort();
	for (unsigned setting = 1; setting < DYN_SETTING_TAGS; setting <<= 1)
		if (golden_get(fields, dyn_setting_name((DynSetting) setting)))
			settings.known |= setting;
	if (settings.max_read_units != DYN_UNITS_UNSAID || settings.max_write_units != DYN_UNITS_UNSAID)
		settings.known |= DYN_SETTING_CAPACITY;
	return settings;
}

/* The tags that an object's members are, in the order of their keys' bytes. */
static inline DynTags
tags_of(json_object *fields, DynArena *arena)
{
	DynTags		tags = {0};

	if (fields == NULL)
		return tags;
	tags.tag = dyn_arena_alloc(arena, sizeof(DynTag) * (json_object_object_length(fields) + 1));
	json_object_object_foreach(fields, key, value)
	{
		tags.tag[tags.n].key = key;
		tags.tag[tags.n++].value = json_object_get_string(value);
	}
	dyn_tags_sort(&tags);
	return tags;
}

#endif							/* DYN_SETTINGS_CHECK_H */
