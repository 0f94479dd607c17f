/*
 * keys_scene.c
 *	  A made-up process, for tests of where AWS keys come from.
 */
#include "keys_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail_alloc.h"
#include "net/loop.h"

#define LONGEST_MS (10 * 60 * 1000.0)

typedef struct Entry
{
	char	   *name;			/* NULL: free */
	char	   *value;			/* of a file, NULL: it can't be read */
} Entry;

typedef struct Rule
{
	const char *method;
	char		url[300];
	int			left;			/* requests, -1: any number */
	int			status;
	char	   *body;
} Rule;

const char *scene_closed_folder;
int			scene_reads;
bool		scene_clock_stands;

static Entry variables[40];
static Entry files[20];
static Rule rules[20];
static int	nrules;
static double begun_ms;
static int	scenes;				/* begun so far */

/* ---- what there is ---- */

static char *
copy_of(const char *text)
{
	char	   *copy = malloc(strlen(text) + 1);

	if (copy == NULL)
		abort();
	return strcpy(copy, text);
}

/* The entry, or a free one, or NULL. */
static Entry *
find_entry(Entry *entries, size_t n, const char *name)
{
	Entry	   *empty = NULL;

	for (size_t i = 0; i < n; i++)
	{
		if (entries[i].name && strcmp(entries[i].name, name) == 0)
			return &entries[i];
		if (entries[i].name == NULL && empty == NULL)
			empty = &entries[i];
	}
	return empty;
}

static void
clear_entry(Entry *entry)
{
	free(entry->name);
	free(entry->value);
	memset(entry, 0, sizeof(*entry));
}

static void
set_entry(Entry *entries, size_t n, const char *name, char *value)
{
	Entry	   *entry = find_entry(entries, n, name);

	if (entry == NULL)
		abort();
	clear_entry(entry);
	entry->name = copy_of(name);
	entry->value = value;
}

void
scene_variable(const char *name, const char *value)
{
	if (value)
		set_entry(variables, 40, name, copy_of(value));
	else
		clear_entry(find_entry(variables, 40, name));
}

/* With `$HOME` replaced; the caller frees. */
static char *
expanded(const char *text)
{
	static const char home[] = "$HOME";
	DynBuf		buf = {0};
	const char *next;

	while ((next = strstr(text, home)) != NULL)
	{
		dyn_buf_add(&buf, text, next - text);
		dyn_buf_str(&buf, SCENE_HOME);
		text = next + strlen(home);
	}
	dyn_buf_str(&buf, text);
	return dyn_buf_cstr(&buf);
}

void
scene_file(const char *path, const char *text)
{
	char	   *name = expanded(path);

	if (text)
		set_entry(files, 20, name, expanded(text));
	else
		clear_entry(find_entry(files, 20, name));
	free(name);
}

void
scene_closed_file(const char *path)
{
	char	   *name = expanded(path);

	set_entry(files, 20, name, NULL);
	free(name);
}

static const char *
get_scene_variable(void *arg, const char *name)
{
	const Entry *entry = find_entry(variables, 40, name);

	return entry ? entry->value : NULL;
}

static const char *
get_scene_home(void *arg)
{
	return SCENE_HOME;
}

static DynFileResult
read_scene_file(void *arg, const char *path, DynBuf *text, const char **why)
{
	const Entry *entry = find_entry(files, 20, path);

	scene_reads++;
	if (scene_closed_folder && strncmp(path, scene_closed_folder, strlen(scene_closed_folder)) == 0)
	{
		*why = "Permission denied";
		return DYN_FILE_CLOSED;
	}
	if (entry == NULL || entry->name == NULL)
		return DYN_FILE_MISSING;
	*why = "Permission denied";
	if (entry->value == NULL)
		return DYN_FILE_FAILED;
	*why = "out of memory";
	if (!dyn_buf_reserve(text, strlen(entry->value) + 1))
		return DYN_FILE_FAILED;
	dyn_buf_str(text, entry->value);
	return DYN_FILE_READ;
}

const DynSurroundings scene = {get_scene_variable, read_scene_file, get_scene_home, NULL};

/* ---- who answers ---- */

static bool
answer_by_rule(const FakeRequest *request, int *status, const char **body)
{
	for (int i = 0; i < nrules; i++)
	{
		Rule	   *rule = &rules[i];

		if (rule->left == 0 || (rule->method[0] && strcmp(rule->method, request->method) != 0) ||
			(rule->url[0] && strcmp(rule->url, request->url) != 0))
			continue;
		if (rule->left > 0)
			rule->left--;
		*status = rule->status;
		*body = rule->body;
		return true;
	}
	return false;
}

void
scene_answer(const char *method, const char *url, int times, int status, const char *body)
{
	Rule	   *rule = &rules[nrules++];

	fake_script = answer_by_rule;
	rule->method = method;
	snprintf(rule->url, sizeof(rule->url), "%s", url);
	rule->left = times > 0 ? times : -1;
	rule->status = status;
	rule->body = copy_of(body);
}

void
scene_no_answers(void)
{
	while (nrules > 0)
		free(rules[--nrules].body);
	fake_script = answer_by_rule;
}

void
scene_instance(const char *access_key_id, const char *expiration)
{
	static const char roles[] = "http://169.254.169.254/latest/meta-data/iam/security-credentials/";
	char		url[200];
	char		body[500];

	snprintf(body, sizeof(body),
			 "{\"Code\":\"Success\",\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"sEcReT-ec2\",\"Token\":\"tOkEn-ec2\",\"Expiration\":\"%s\"}",
			 access_key_id, expiration);
	snprintf(url, sizeof(url), "%sapp", roles);
	scene_answer("PUT", "http://169.254.169.254/latest/api/token", 0, 200, "tOkEn-imds");
	scene_answer("GET", roles, 0, 200, "app");
	scene_answer("GET", url, 0, 200, body);
}

void
scene_container(const char *access_key_id, const char *expiration)
{
	char		body[500];

	snprintf(body, sizeof(body),
			 "{\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"sEcReT-task\",\"Token\":\"tOkEn-task\",\"Expiration\":\"%s\"}",
			 access_key_id, expiration);
	scene_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/creds");
	scene_answer("GET", "http://169.254.170.2/creds", 0, 200, body);
}

void
scene_sts(const char *access_key_id, const char *expiration)
{
	char		body[600];

	snprintf(body, sizeof(body),
			 "<AResponse><AResult><Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>sEcReT-sts</SecretAccessKey>"
			 "<SessionToken>tOkEn-sts</SessionToken><Expiration>%s</Expiration></Credentials></AResult></AResponse>",
			 access_key_id, expiration);
	scene_answer("POST", "https://sts.us-west-2.amazonaws.com/", 0, 200, body);
}

/* ---- the whole ---- */

void
scene_begin(void)
{
	scene_closed_folder = NULL;
	scene_settle();
	for (size_t i = 0; i < 40; i++)
		clear_entry(&variables[i]);
	for (size_t i = 0; i < 20; i++)
		clear_entry(&files[i]);
	fake_forget();
	scene_no_answers();
	scene_reads = 0;
	scene_clock_stands = false;
	fake_random = 0;
	fake_wall_s = SCENE_START;
	scenes++;
}

DynKeyFetchConfig
scene_config(void)
{
	static DynClock clock;
	static char ca_bundle[20];
	DynKeyFetchConfig config = {.region = "us-west-2", .surroundings = &scene, .clock = &clock};

	clock = fake_clock;
	/* a source of an earlier scene, kept for who asks next, is not for us */
	snprintf(ca_bundle, sizeof(ca_bundle), "/ca/%d", scenes);
	config.ca_bundle = ca_bundle;
	config.wish.session_name = SCENE_SESSION;
	return config;
}

DynKeySource *
scene_source_of(const DynKeyFetchConfig *config)
{
	DynStatus	status;
	DynKeySource *source = dyn_key_source_get(config, &status);

	if (source == NULL)
		abort();
	return source;
}

DynKeySource *
scene_source(void)
{
	DynKeyFetchConfig config = scene_config();

	return scene_source_of(&config);
}

/* ---- time ---- */

/* The wall clock shows what has passed since `begun_ms`. */
static void
pass_ms(double ms, int64_t wall_s)
{
	fake_now_ms += ms;
	if (!scene_clock_stands)
		fake_wall_s = wall_s + (int64_t) ((fake_now_ms - begun_ms) / 1000);
}

bool
scene_settle(void)
{
	int64_t		wall_s = fake_wall_s;
	int			t;

	begun_ms = fake_now_ms;
	while ((t = dyn_loop_timeout_ms()) >= 0 && fake_now_ms - begun_ms < LONGEST_MS)
	{
		pass_ms(t, wall_s);
		dyn_loop_drive();
	}
	return t < 0;
}

void
scene_pass(double seconds)
{
	int64_t		wall_s = fake_wall_s;
	double		end = fake_now_ms + seconds * 1000;

	begun_ms = fake_now_ms;
	while (fake_now_ms < end)
	{
		int			t = dyn_loop_timeout_ms();

		pass_ms(t < 0 || t > end - fake_now_ms ? end - fake_now_ms : t, wall_s);
		dyn_loop_drive();
	}
}

void
scene_jump(double seconds)
{
	fake_now_ms += seconds * 1000;
	fake_wall_s += (int64_t) seconds;
}

/* ---- keys ---- */

DynKeyState
scene_keys(DynKeySource *source, const DynKeys **keys, DynStatus *status)
{
	uint64_t	serial;

	dyn_status_clear(status);
	dyn_key_source_keys(source, keys, &serial, status);
	if (!scene_settle())
		return DYN_KEYS_WAIT;
	dyn_status_clear(status);
	return dyn_key_source_keys(source, keys, &serial, status);
}

const char *
scene_key_id(DynKeySource *source)
{
	static DynStatus status;
	const DynKeys *keys;

	switch (scene_keys(source, &keys, &status))
	{
		case DYN_KEYS_READY:
			return keys->access_key_id;
		case DYN_KEYS_WAIT:
			return "waiting";
		default:
			return status.message;
	}
}

const char *
scene_key_id_now(DynKeySource *source)
{
	static DynStatus status;
	const DynKeys *keys;
	uint64_t	serial;

	switch (dyn_key_source_keys(source, &keys, &serial, &status))
	{
		case DYN_KEYS_READY:
			return keys->access_key_id;
		case DYN_KEYS_WAIT:
			return "waiting";
		default:
			return status.message;
	}
}

bool
scene_tells_secret(const char *text)
{
	static const char *const secrets[] = {
		"sEcReT", "secret+", "tOkEn", "token//", "pod-token", "imds-token", "base-token", "eyJ", "AKIA", "ASIA"
	};

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (strstr(text, secrets[i]))
			return true;
	return false;
}

bool
scene_status_is_clean(const DynStatus *status)
{
	return !scene_tells_secret(status->message) && !scene_tells_secret(status->hint) &&
		!scene_tells_secret(status->aws_code);
}
