/*
 * fuzz_profiles.c
 *	  Bytes as AWS's config file, as its credentials file, and as both: each line
 *	  of a value stands in the bytes, a refusal leaves things as they were and
 *	  tells its place and nothing else.
 */
#define _GNU_SOURCE				/* memmem */

#include <stdbool.h>
#include <string.h>

#include "core/profiles.h"
#include "fuzz.h"

/* What is looked up beside the names that the bytes have. */
static const char *const profile_names[] = {"default", "x", "a b", ""};
static const char *const setting_names[] = {"region", "x", "s3", ""};

/* A blank at its beginning or end would have been cut off; nor is there an empty line. */
static void
check_value_line(const char *line, size_t len, const uint8_t *data, size_t data_len)
{
	static const char blanks[] = " \t\r\n\f\v";

	must(len > 0 && strchr(blanks, line[0]) == NULL && strchr(blanks, line[len - 1]) == NULL);
	must(memmem(data, data_len, line, len) != NULL);
}

/* NULL, for not set, is fine. */
static void
check_value(const char *value, const uint8_t *data, size_t len)
{
	while (value && *value)
	{
		size_t		line = strcspn(value, "\n");

		check_value_line(value, line, data, len);
		value += line;
		if (*value == '\n')
			must(*++value != '\0');
	}
}

static void
check_setting(const DynProfiles *profiles, const char *profile, const char *name, const uint8_t *data, size_t len)
{
	const DynProfile *found = dyn_profiles_find(profiles, profile);
	const char *value;
	const char *config;
	const char *credentials;

	check_value(dyn_profiles_service_setting(profiles, profile, name, name), data, len);
	if (found == NULL)
		return;
	value = dyn_profile_setting(found, name);
	config = dyn_profile_setting_in(found, DYN_CONFIG_FILE, name);
	credentials = dyn_profile_setting_in(found, DYN_CREDENTIALS_FILE, name);
	must(value == (credentials ? credentials : config));
	check_value(config, data, len);
	check_value(credentials, data, len);
}

static void
check_place(const DynProfiles *profiles, const char *profile, const uint8_t *data, size_t len)
{
	const DynProfile *found = dyn_profiles_find(profiles, profile);
	const char *path;
	int			line = 0;
	bool		config = found && dyn_profile_place(found, DYN_CONFIG_FILE, &path, &line);
	bool		credentials = found && dyn_profile_place(found, DYN_CREDENTIALS_FILE, &path, &line);

	if (found == NULL)
		return;
	must(config || credentials);
	must(line > 0 && (size_t) line <= len);
	/* the name between blanks or brackets */
	must(memmem(data, len, profile, strlen(profile)) != NULL);
}

/* All of setting_names, and what stands before each "=" of the bytes. */
static void
check_settings(const DynProfiles *profiles, const char *profile, const uint8_t *data, size_t len)
{
	const uint8_t *from = data;
	const uint8_t *end = data + len;

	check_place(profiles, profile, data, len);
	for (size_t i = 0; i < sizeof(setting_names) / sizeof(setting_names[0]); i++)
		check_setting(profiles, profile, setting_names[i], data, len);
	for (const uint8_t *p = data; p < end; p++)
	{
		char		name[64];
		size_t		n = p - from;

		if (*p == '=' && n < sizeof(name))
		{
			memcpy(name, from, n);
			name[n] = '\0';
			check_setting(profiles, profile, name, data, len);
		}
		if (*p == '\n' || *p == ' ')
			from = p + 1;
	}
}

/* All of profile_names, and what stands before each "]" of the bytes. */
static void
check_profiles(const DynProfiles *profiles, const uint8_t *data, size_t len)
{
	const uint8_t *from = data;

	for (size_t i = 0; i < sizeof(profile_names) / sizeof(profile_names[0]); i++)
		check_settings(profiles, profile_names[i], data, len);
	for (const uint8_t *p = data; p < data + len; p++)
	{
		char		name[64];
		size_t		n = p - from;

		if (*p == ']' && n < sizeof(name))
		{
			memcpy(name, from, n);
			name[n] = '\0';
			check_settings(profiles, name, data, len);
		}
		if (*p == '[' || *p == ' ' || *p == '\t')
			from = p + 1;
	}
}

/* The message, less the place, is one of a few that quote nothing. */
static void
check_refusal(const DynStatus *status)
{
	static const char *const faults[] = {
		"a NUL byte", "a section without \"]\"", "a setting before any section", "a setting without a name",
		"an indented line that continues no setting", "neither a section nor \"name = value\"",
		"something follows the \"]\" of a section",
	};
	char		fault[100] = "";
	int			line = 0;
	bool		known = false;

	must(status->cls == DYN_NO_CREDENTIALS);
	must(sscanf(status->message, "/path, line %d: %99[^\n]", &line, fault) == 2 && line > 0);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		known |= strcmp(fault, faults[i]) == 0;
	must(known);
}

static void
add_data(DynProfiles *profiles, DynSharedFile file, const uint8_t *data, size_t len)
{
	DynProfile *before = profiles->sections;
	DynStatus	status = {0};

	if (dyn_profiles_add(profiles, file, "/path", (const char *) data, len, &status))
		return;
	check_refusal(&status);
	must(profiles->sections == before);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	for (int files = 1; files <= 3; files++)
	{
		DynProfiles profiles = {0};

		if (files & 1)
			add_data(&profiles, DYN_CONFIG_FILE, data, len);
		if (files & 2)
			add_data(&profiles, DYN_CREDENTIALS_FILE, data, len);
		check_profiles(&profiles, data, len);
		dyn_profiles_free(&profiles);
	}
	return 0;
}
