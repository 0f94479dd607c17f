/*
 * setting.h
 *	  What the options of a foreign table and its server say of the settings
 *	  that its remote table is to have.
 */
#ifndef DYN_SETTING_H
#define DYN_SETTING_H

#include "nodes/pg_list.h"

#include "core/table_settings.h"
#include "core/tags.h"

typedef struct DynWantedSettings
{
	DynTableSettings settings;	/* known: those that the options say something of, tags included */
	DynTags		tags;			/* UTF-8 */
} DynWantedSettings;

/*
 * In the current memory context; an option of the table overrides the server's,
 * and the server's capacities are for those of its tables whose billing mode they
 * fit.  NULL: they contradict each other, or don't suffice; *why is a sentence
 * without its period.
 */
extern DynWantedSettings *dyn_settings_wanted(List *table_options, List *server_options, const char **why);

/* The setting that an option is part of; 0: none. */
extern unsigned dyn_setting_of_option(const char *name);

/* The settings that are part of a list of options. */
extern unsigned dyn_settings_of_options(List *options);

/* Raises what contradicts within the options of one object. */
extern void dyn_settings_check_together(List *options);

/* What is wrong with a value of `tags`, as a hint; NULL: nothing. */
extern const char *dyn_tags_fault(const char *value);

/* Are two values of `tags` the same tags?  Not if one of them can't be read. */
extern bool dyn_tags_same(const char *value, const char *other);

#endif							/* DYN_SETTING_H */
