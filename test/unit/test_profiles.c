/*
 * test_profiles.c
 *	  AWS's shared files: what botocore and the other SDKs read in them, where
 *	  they differ, and texts that nobody would write.
 */
#include "core/profiles.h"

#include <stdlib.h>

#include "core/buf.h"
#include "fail_alloc.h"
#include "golden.h"
#include "tap.h"

#define CONFIG_PATH "/home/x/.aws/config"
#define CREDENTIALS_PATH "/home/x/.aws/credentials"
#define SECRET "wJalrXUtnFEMI"

/* In memory of exactly its length. */
static bool
add_bytes(DynProfiles *profiles, DynSharedFile file, const char *text, size_t len, DynStatus *status)
{
	char	   *copy = golden_copy(text, len);
	bool		good;

	good = dyn_profiles_add(profiles, file, file == DYN_CONFIG_FILE ? CONFIG_PATH : CREDENTIALS_PATH, copy, len, status);
	free(copy);
	return good;
}

static bool
add_text(DynProfiles *profiles, DynSharedFile file, const char *text)
{
	DynStatus	status = {0};

	return add_bytes(profiles, file, text, strlen(text), &status);
}

/* Both texts parse. NULL: there is no such file. */
static DynProfiles
read_files(const char *config, const char *credentials)
{
	DynProfiles profiles = {0};

	ok(!config || add_text(&profiles, DYN_CONFIG_FILE, config), "config parses");
	ok(!credentials || add_text(&profiles, DYN_CREDENTIALS_FILE, credentials), "credentials parse");
	return profiles;
}

/* A setting of the profile has the value; NULL: it is not set. */
static void
check_setting(const DynProfiles *profiles, const char *profile, const char *name, const char *want)
{
	const DynProfile *found = dyn_profiles_find(profiles, profile);
	const char *value = found ? dyn_profile_setting(found, name) : NULL;

	ok(found != NULL, "there is the profile %s", profile);
	if (want)
		is_string(value, want, "its %s", name);
	else
		ok(value == NULL, "it has no %s", name);
}

/* Of one text of config. */
static void
check_config(const char *config, const char *profile, const char *name, const char *want)
{
	DynProfiles profiles = read_files(config, NULL);

	check_setting(&profiles, profile, name, want);
	dyn_profiles_free(&profiles);
}

/* A section that is no such profile, but has been read. */
static void
check_no_profile(DynSharedFile file, const char *text, const char *profile)
{
	DynProfiles profiles = {0};

	ok(add_text(&profiles, file, text), "parses: %.*s", (int) strcspn(text, "\r\n"), text);
	ok(dyn_profiles_find(&profiles, profile) == NULL, "there is no profile \"%s\"", profile);
	dyn_profiles_free(&profiles);
}

/* The text is refused with exactly the message, and the profiles stay as they were. */
static void
check_bad(DynSharedFile file, const char *text, size_t len, const char *message)
{
	DynProfiles profiles = {0};
	DynStatus	status = {0};

	add_text(&profiles, file, "[default]\nx = kept\n");
	ok(!add_bytes(&profiles, file, text, len, &status), "bad: %s", message);
	is_int(status.cls, DYN_NO_CREDENTIALS, "its class");
	is_string(status.message, message, "its message");
	ok(strstr(status.message, SECRET) == NULL, "nothing secret in it");
	check_setting(&profiles, "default", "x", "kept");
	check_setting(&profiles, "default", "y", NULL);
	dyn_profiles_free(&profiles);
}

/*
 * Sub-settings of a profile are read for the sake of the grammar only, so nobody can ask for them. In a section
 * [services] one can.
 */
static void
check_golden_subs(const char *config, const char *name, json_object *subs)
{
	static const char header[] = "[default]";
	DynProfiles profiles;
	DynBuf		text = {0};

	if (!ok(strncmp(config, header, strlen(header)) == 0, "the text begins as expected"))
		return;
	dyn_buf_str(&text, "[services default]");
	dyn_buf_str(&text, config + strlen(header));
	profiles = read_files(dyn_buf_cstr(&text), NULL);
	json_object_object_foreach(subs, key, value)
		is_string(dyn_profiles_service_setting(&profiles, "default", name, key), json_object_get_string(value),
				  "its %s.%s", name, key);
	dyn_profiles_free(&profiles);
	dyn_buf_free(&text);
}

static void
check_golden_settings(const DynProfiles *profiles, const char *profile, const char *config, json_object *settings)
{
	json_object_object_foreach(settings, key, value)
	{
		if (json_object_is_type(value, json_type_object))
		{
			check_setting(profiles, profile, key, "");
			check_golden_subs(config, key, value);
		}
		else
			check_setting(profiles, profile, key, json_object_get_string(value));
	}
}

/* The member of `files` whose name has dots. */
static const char *
golden_file(json_object *one, const char *name)
{
	json_object *text;

	return json_object_object_get_ex(golden_get(one, "files"), name, &text) ? json_object_get_string(text) : NULL;
}

static void
check_golden_case(json_object *one)
{
	const char *config = golden_file(one, "$HOME/.aws/config");
	const char *credentials = golden_file(one, "$HOME/.aws/credentials");
	const char *profile = golden_text(one, "env.AWS_PROFILE");
	json_object *spec = golden_get(one, "spec");
	const char *error = golden_text(one, "expect.error");
	DynProfiles profiles = {0};
	bool		parses;

	/* which region is taken is not said by the files alone; what they say is */
	if (golden_get(one, "env.AWS_REGION"))
		spec = NULL;
	if (profile == NULL)
		profile = "default";
	diag("%s", golden_text(one, "name"));
	parses = (!config || add_text(&profiles, DYN_CONFIG_FILE, config)) &&
		(!credentials || add_text(&profiles, DYN_CREDENTIALS_FILE, credentials));
	ok(parses == (spec != NULL || error == NULL || strcmp(error, "ConfigParseError") != 0), "it parses, or not");
	if (spec && json_object_is_type(spec, json_type_object))
		check_golden_settings(&profiles, profile, config, spec);
	else if (spec == NULL && error == NULL)
		check_golden_settings(&profiles, profile, config, golden_get(one, "expect.profile_settings"));
	else
		ok(dyn_profiles_find(&profiles, profile) == NULL, "there is no profile %s", profile);
	dyn_profiles_free(&profiles);
}

static void
test_golden(void)
{
	json_object *all = golden_json("aws_credentials.json");
	size_t		n = golden_count(all, "files");

	ok(n >= 22, "golden files");
	for (size_t i = 0; i < n; i++)
		check_golden_case(golden_at(all, "files", i));
	json_object_put(all);
}

/* What one file alone says. NULL: nothing. */
static void
check_setting_in(const DynProfiles *profiles, const char *profile, DynSharedFile file, const char *name,
				 const char *want)
{
	const DynProfile *found = dyn_profiles_find(profiles, profile);
	const char *value = found ? dyn_profile_setting_in(found, file, name) : NULL;

	ok(value && want ? strcmp(value, want) == 0 : value == want, "%s of one file alone", name);
}

/* The credentials file wins whichever is read first. */
static void
test_both_files(void)
{
	static const char config[] = "[profile a]\nregion = of-config\nx = 1\nempty = no\n[profile only-config]\n";
	static const char credentials[] = "[a]\nREGION = of-credentials\ny = 2\nempty =\n[only-credentials]\nx = 3\n";

	for (int first = DYN_CONFIG_FILE; first <= DYN_CREDENTIALS_FILE; first++)
	{
		DynProfiles profiles = read_files(first == DYN_CONFIG_FILE ? config : NULL, credentials);

		ok(first == DYN_CONFIG_FILE || add_text(&profiles, DYN_CONFIG_FILE, config), "config is read before or after");
		check_setting(&profiles, "a", "region", "of-credentials");
		check_setting(&profiles, "a", "Region", "of-credentials");
		check_setting(&profiles, "a", "x", "1");
		check_setting(&profiles, "a", "y", "2");
		check_setting(&profiles, "a", "empty", "");
		check_setting(&profiles, "a", "regio", NULL);
		check_setting(&profiles, "a", "regions", NULL);
		check_setting(&profiles, "a", "", NULL);
		check_setting_in(&profiles, "a", DYN_CONFIG_FILE, "region", "of-config");
		check_setting_in(&profiles, "a", DYN_CREDENTIALS_FILE, "region", "of-credentials");
		check_setting_in(&profiles, "a", DYN_CONFIG_FILE, "y", NULL);
		check_setting_in(&profiles, "a", DYN_CREDENTIALS_FILE, "x", NULL);
		check_setting(&profiles, "only-config", "x", NULL);
		check_setting(&profiles, "only-credentials", "x", "3");
		ok(dyn_profiles_find(&profiles, "default") == NULL, "there is no default");
		dyn_profiles_free(&profiles);
		ok(dyn_profiles_find(&profiles, "a") == NULL, "freed ones are empty");
	}
}

/* Line 0: that file does not have it. */
static void
check_place(const DynProfiles *profiles, const char *profile, DynSharedFile file, int want_line)
{
	const DynProfile *found = dyn_profiles_find(profiles, profile);
	const char *path = NULL;
	int			line = 0;

	is_int(found && dyn_profile_place(found, file, &path, &line), want_line > 0, "%s is in that file, or not", profile);
	is_int(line, want_line, "the line where it begins");
	if (want_line > 0)
		is_string(path, file == DYN_CONFIG_FILE ? CONFIG_PATH : CREDENTIALS_PATH, "the path");
}

static void
test_places(void)
{
	DynProfiles profiles = read_files("# c\n\n[profile a]\nx=1\n\n[profile b]\n[profile a]\n", "\r\n[a]\r\n");

	check_place(&profiles, "a", DYN_CONFIG_FILE, 3);
	check_place(&profiles, "a", DYN_CREDENTIALS_FILE, 2);
	check_place(&profiles, "b", DYN_CONFIG_FILE, 6);
	check_place(&profiles, "b", DYN_CREDENTIALS_FILE, 0);
	dyn_profiles_free(&profiles);
}

static void
test_sections(void)
{
	check_config("[   profile \t x\t]\na = 1\n", "x", "a", "1");
	check_config("[profile x]# c\na = 1\n", "x", "a", "1");
	check_config("[profile x] ; ]\na = 1\n", "x", "a", "1");
	check_config("[profile Aa0_-./%@:+]\na = 1\n", "Aa0_-./%@:+", "a", "1");
	check_config("[profile profile]\na = 1\n", "profile", "a", "1");
	check_config("[ default ]\na = 1\n", "default", "a", "1");
	check_config("[profile x]\na = 1\n[profile y]\na = 2\n[profile x]\nb = 3\n", "x", "a", "1");
	check_config("[profile x]\na = 1\n[profile y]\na = 2\n[profile x]\nb = 3\n", "x", "b", "3");
	check_config("[profile x]\na = 1\n[profile x]\nA = 2\n", "x", "a", "2");
}

static void
test_no_profiles(void)
{
	static const char *const headers[] = {
		"[x]", "[profilex]", "[sso-session x]", "[services x]", "[Profile x]", "[profile x y]", "[profile \"x\"]",
		"[profile X]", "[profile xx]", "[plugins]",
	};
	char		text[100];

	for (size_t i = 0; i < LENGTH(headers); i++)
	{
		snprintf(text, sizeof(text), "%s\na = 1\n  b = 2\nc =\n  d = 3\n", headers[i]);
		check_no_profile(DYN_CONFIG_FILE, text, "x");
	}
	check_no_profile(DYN_CONFIG_FILE, "[profile ]\n", "profile");
	check_no_profile(DYN_CONFIG_FILE, "[profile ]\n", "");
	check_no_profile(DYN_CONFIG_FILE, "[]\n", "");
	check_no_profile(DYN_CONFIG_FILE, "[profile x y]\n", "x y");
	check_no_profile(DYN_CONFIG_FILE, "[profile \xc3\xbc]\n", "\xc3\xbc");
	check_no_profile(DYN_CONFIG_FILE, "[services x]\n", "services x");
	check_no_profile(DYN_CONFIG_FILE, "[DEFAULT]\n", "default");
	check_no_profile(DYN_CREDENTIALS_FILE, "[profile x]\n", "profile x");
	check_no_profile(DYN_CREDENTIALS_FILE, "[profile default]\n", "default");
	check_no_profile(DYN_CREDENTIALS_FILE, "[x y]\n", "x y");
	check_no_profile(DYN_CONFIG_FILE, "", "default");
	check_no_profile(DYN_CONFIG_FILE, "\n\n \t\r\n# c\n", "default");
}

/* [profile default] of config hides [default] there, before it and after it, and nothing of the credentials file. */
static void
test_default(void)
{
	DynProfiles profiles = read_files("[default]\na = 1\nb = 1\n[profile default]\na = 2\n[default]\na = 3\nc = 3\n"
									  "[profile default]\nd = 4\n", "[default]\ne = 5\n");

	check_setting(&profiles, "default", "a", "2");
	check_setting(&profiles, "default", "b", NULL);
	check_setting(&profiles, "default", "c", NULL);
	check_setting(&profiles, "default", "d", "4");
	check_setting(&profiles, "default", "e", "5");
	check_place(&profiles, "default", DYN_CONFIG_FILE, 4);
	dyn_profiles_free(&profiles);
	check_config("[default]\na = 1\n[profile default-x]\na = 2\n", "default", "a", "1");
}

static const struct
{
	const char *text;
	const char *name;
	const char *value;			/* NULL: not set */
}			settings[] = {
	{"x = 1", "x", "1"},
	{"x\t=\t1\t \r", "x", "1"},
	{"x = 1\f\v", "x", "1"},
	{"X_Y = 1", "x_y", "1"},
	{"x-y = 1", "X-Y", "1"},
	{"x@ = 1", "x`", NULL},
	{"x[ = 1", "x{", NULL},
	{"x y = 1", "x", NULL},
	{"x y = 1", "x y", "1"},
	{"x : 2 = 1", "x", NULL},
	{"x = 1\nX = 2\nx = 3", "x", "3"},
	{"x = 1\nx =", "x", ""},
	{"x = a  b", "x", "a  b"},
	{"x = \"1\"", "x", "\"1\""},
	{"x = [y]", "x", "[y]"},
	{"x = 1\ry = 2", "x", "1\ry = 2"},
	{"x = \xc3\xbc\xff", "x", "\xc3\xbc\xff"},
	/* comments */
	{"x = 1 # c", "x", "1"},
	{"x = 1\t;c ; d # e", "x", "1"},
	{"x = 1# c", "x", "1# c"},
	{"x =#c", "x", "#c"},
	{"x = #c", "x", ""},
	{"#x = 1", "x", NULL},
	{" ;x = 1", "x", NULL},
	{"x = 1\n  # c\n; d\n\n  2", "x", "1\n2"},
	/* continued */
	{"x = 1\n\t2 \r\n   3\t", "x", "1\n2\n3"},
	{"x = 1\n [2]", "x", "1\n[2]"},
	{"x = 1 # c\n 2 # d", "x", "1\n2 # d"},
	{"x = 1\n    y = 2\nz = 3", "x", "1\ny = 2"},
	{"x = 1\n    y = 2\nz = 3", "z", "3"},
	{"x = 1\n y\nx = 2", "x", "2"},
	/* sub-settings */
	{"x =\n y = 1\nz = 2", "x", ""},
	{"x =\n y = 1\nz = 2", "y", NULL},
	{"x =\n y = 1\nz = 2", "z", "2"},
};

/* Each followed by another setting, and as the last line, without its end. */
static void
test_settings(void)
{
	for (size_t i = 0; i < LENGTH(settings); i++)
	{
		char		text[200];

		snprintf(text, sizeof(text), "[default]\n%s\nnext = 1\n", settings[i].text);
		check_config(text, "default", settings[i].name, settings[i].value);
		check_config(text, "default", "next", "1");
		snprintf(text, sizeof(text), "[default]\r\n%s", settings[i].text);
		check_config(text, "default", settings[i].name, settings[i].value);
	}
}

static void
check_service(const DynProfiles *profiles, const char *services, const char *service, const char *setting,
			  const char *want)
{
	const char *value = dyn_profiles_service_setting(profiles, services, service, setting);

	if (want)
		is_string(value, want, "%s: %s.%s", services, service, setting);
	else
		ok(value == NULL, "%s: no %s.%s", services, service, setting);
}

static void
test_services(void)
{
	DynProfiles profiles = read_files(
									  "[profile a]\nsts =\n  endpoint_url = http://profile\n"
									  "[services a]\nsts =\n  endpoint_url = http://a=b # c\n\n  # c\n\tX= 1\n      y =\n"
									  "dynamodb = 1\n  z = 1\n"
									  "[services b]\nSTS = \n endpoint_url=http://b\n"
									  "[services c]\nSTS = \n Endpoint_URL=http://b\n Endpoint_URL=http://c\n"
									  "[services a]\ns3 =\n  y = 2\n[services b]\nsts =\n x = 1\n",
									  "[services a]\nsts =\n  w = 1\n");

	check_service(&profiles, "a", "sts", "endpoint_url", "http://a=b # c");
	check_service(&profiles, "a", "STS", "x", "1");
	check_service(&profiles, "a", "sts", "Y", "");
	check_service(&profiles, "a", "sts", "w", NULL);
	check_service(&profiles, "a", "dynamodb", "z", NULL);
	check_service(&profiles, "a", "s3", "y", "2");
	check_service(&profiles, "a", "st", "x", NULL);
	check_service(&profiles, "A", "sts", "x", NULL);
	/* the last one of a name counts, as a whole */
	check_service(&profiles, "b", "sts", "x", "1");
	check_service(&profiles, "b", "sts", "endpoint_url", NULL);
	check_service(&profiles, "c", "sts", "endpoint_url", "http://c");
	check_service(&profiles, "d", "sts", "x", NULL);
	dyn_profiles_free(&profiles);
}

#define ASSIGNMENT_WANTED "neither a section nor \"name = value\""
#define NOTHING_TO_CONTINUE "an indented line that continues no setting"

static const struct
{
	const char *text;
	int			line;
	const char *what;
}			bad[] = {
	{"y = " SECRET, 1, "a setting before any section"},
	{"\n# c\n" SECRET "\n", 3, "a setting before any section"},
	{"  y = 1\n", 1, NOTHING_TO_CONTINUE},
	{"[default]\n  y = " SECRET "\n", 2, NOTHING_TO_CONTINUE},
	{"[default]\ny = 1\n[profile a]\n\n  " SECRET "\n", 5, NOTHING_TO_CONTINUE},
	{"  [default]\ny = 1\n", 1, NOTHING_TO_CONTINUE},
	{"[default]\r\ny = 1\r\n" SECRET "\r\n", 3, ASSIGNMENT_WANTED},
	{"[default]\ny : " SECRET "\n", 2, ASSIGNMENT_WANTED},
	{"[default]\ny # = " SECRET, 2, ASSIGNMENT_WANTED},
	{"[default]\ny =\n  " SECRET "\n", 3, ASSIGNMENT_WANTED},
	{"[default]\ny = # c\n  " SECRET "\n", 3, ASSIGNMENT_WANTED},
	{"[default]\n= " SECRET, 2, "a setting without a name"},
	{"[default]\ny =\n  = " SECRET, 3, "a setting without a name"},
	{"[sso-session x]\ny = 1\n" SECRET "\n", 3, ASSIGNMENT_WANTED},
	{"[default]\ny = 1\n[" SECRET "\n", 3, "a section without \"]\""},
	{"[default # " SECRET "]\n", 1, "a section without \"]\""},
	{"[", 1, "a section without \"]\""},
	{"[default\n]\n", 1, "a section without \"]\""},
	{"[default] y = " SECRET, 1, "something follows the \"]\" of a section"},
	{"[default]]", 1, "something follows the \"]\" of a section"},
	{"[default]\ry = " SECRET "\r", 1, "something follows the \"]\" of a section"},
};

static void
test_bad(void)
{
	static const char nul_in_value[] = "[default]\ny = 1\0" SECRET "\nz = 1\n";
	static const char nul_at_end[] = "[default]\ny = 1\n";
	static const char utf16[] = "\xff\xfe[\0d\0]\0";
	char		message[200];

	for (size_t i = 0; i < LENGTH(bad); i++)
	{
		snprintf(message, sizeof(message), CONFIG_PATH ", line %d: %s", bad[i].line, bad[i].what);
		check_bad(DYN_CONFIG_FILE, bad[i].text, strlen(bad[i].text), message);
		snprintf(message, sizeof(message), CREDENTIALS_PATH ", line %d: %s", bad[i].line, bad[i].what);
		check_bad(DYN_CREDENTIALS_FILE, bad[i].text, strlen(bad[i].text), message);
	}
	check_bad(DYN_CONFIG_FILE, nul_in_value, sizeof(nul_in_value) - 1, CONFIG_PATH ", line 2: a NUL byte");
	check_bad(DYN_CONFIG_FILE, nul_at_end, sizeof(nul_at_end), CONFIG_PATH ", line 3: a NUL byte");
	check_bad(DYN_CONFIG_FILE, utf16, sizeof(utf16) - 1, CONFIG_PATH ", line 1: a NUL byte");
}

/* A path of any length leaves room for what is wrong. */
static void
test_long_path(void)
{
	DynProfiles profiles = {0};
	DynStatus	status = {0};
	char		path[4096];

	snprintf(path, sizeof(path), "%04000d", 7);
	ok(!dyn_profiles_add(&profiles, DYN_CONFIG_FILE, path, "x", 1, &status), "bad, at a long path");
	ok(strstr(status.message, "0, line 1: a setting before any section") != NULL, "the message says what is wrong");
	dyn_profiles_free(&profiles);
}

static void
test_byte_order_mark(void)
{
	static const char mark[] = "\xef\xbb\xbf";
	DynProfiles profiles = {0};
	DynStatus	status = {0};

	check_config("\xef\xbb\xbf[default]\nx = 1\n", "default", "x", "1");
	check_config("\xef\xbb\xbf# c\n[default]\nx = \xef\xbb\xbf\n", "default", "x", "\xef\xbb\xbf");
	ok(add_bytes(&profiles, DYN_CONFIG_FILE, mark, 3, &status), "nothing else");
	ok(dyn_profiles_add(&profiles, DYN_CONFIG_FILE, CONFIG_PATH, NULL, 0, &status), "nothing at all");
	ok(!add_bytes(&profiles, DYN_CONFIG_FILE, mark, 2, &status), "a part of it is no such mark");
	dyn_profiles_free(&profiles);
}

/* A megabyte of one value: in one line, and of many. */
static void
test_long_values(void)
{
	size_t		n = 1 << 20;
	DynProfiles profiles;
	DynBuf		text = {0};
	const DynProfile *profile;

	dyn_buf_str(&text, "[default]\nx = ");
	for (size_t i = 0; i < n / 8; i++)
		dyn_buf_str(&text, "12345678");
	dyn_buf_str(&text, "\ny = 0");
	for (size_t i = 0; i < n; i++)
		dyn_buf_str(&text, "\n 1");
	dyn_buf_str(&text, "\nz = 2");
	profiles = read_files(dyn_buf_cstr(&text), NULL);
	profile = dyn_profiles_find(&profiles, "default");
	is_int(tap_length(dyn_profile_setting(profile, "x")), n, "all of a long line");
	is_int(tap_length(dyn_profile_setting(profile, "y")), 1 + 2 * n, "all of many lines");
	check_setting(&profiles, "default", "z", "2");
	dyn_profiles_free(&profiles);
	dyn_buf_free(&text);
}

/* More sections and settings than any search for each would get through. */
static void
test_many(void)
{
	DynProfiles profiles;
	DynBuf		text = {0};

	for (int i = 0; i < 100000; i++)
	{
		dyn_buf_str(&text, "[profile p");
		dyn_buf_int(&text, i);
		dyn_buf_str(&text, "]\na=");
		dyn_buf_int(&text, i);
		dyn_buf_byte(&text, '\n');
	}
	for (int i = 0; i < 300000; i++)
		dyn_buf_str(&text, "b=1\n");
	profiles = read_files(dyn_buf_cstr(&text), NULL);
	check_setting(&profiles, "p0", "a", "0");
	check_setting(&profiles, "p99999", "a", "99999");
	check_setting(&profiles, "p99999", "b", "1");
	dyn_profiles_free(&profiles);
	dyn_buf_free(&text);
}

/* Any allocation of any kind fails: the file is not there then, what was there before still is. */
static void
test_out_of_memory(void)
{
	DynProfiles profiles = {0};
	DynStatus	status = {0};
	DynBuf		text = {0};
	int			failures = 0;
	bool		added = false;

	/* blocks of the arena end among sections, settings and sub-settings */
	for (int i = 0; i < 500; i++)
		dyn_buf_str(&text, "[default]\na = 1\ns3 =\n  b = 2\n  c = 3\n");
	dyn_buf_cstr(&text);
	ok(add_text(&profiles, DYN_CREDENTIALS_FILE, "[default]\nx = kept\n"), "one file is there");
	for (; !added && failures < 1000; failures++)
	{
		fail_alloc_after = failures;
		added = dyn_profiles_add(&profiles, DYN_CONFIG_FILE, CONFIG_PATH, text.data, text.len, &status);
		fail_alloc_after = -1;
		if (!added && (status.cls != DYN_NO_MEMORY || dyn_profile_setting(dyn_profiles_find(&profiles, "default"), "a")))
			break;
		dyn_status_clear(&status);
	}
	ok(added && failures > 10, "without any allocation there is no memory, and nothing added (%d)", failures);
	check_setting(&profiles, "default", "x", "kept");
	check_setting(&profiles, "default", "a", "1");
	dyn_profiles_free(&profiles);
	dyn_buf_free(&text);
}

int
main(void)
{
	test_golden();
	test_both_files();
	test_places();
	test_sections();
	test_no_profiles();
	test_default();
	test_settings();
	test_services();
	test_bad();
	test_long_path();
	test_byte_order_mark();
	test_long_values();
	test_many();
	test_out_of_memory();
	return done_testing();
}
