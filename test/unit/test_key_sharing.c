/*
 * test_key_sharing.c
 *	  Who shares the AWS keys of an identity, how long they are kept for who
 *	  comes next, and what becomes of them when memory runs out.
 */
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>

#include "fail_alloc.h"
#include "keys_scene.h"
#include "tap.h"

#define ROLE "arn:aws:iam::123456789012:role/reader"
#define KEYS_END "2026-03-01T18:00:00Z"

static DynStatus status;

/* ---- sharing ---- */

/* All that a config can say. */
static DynKeyFetchConfig
full_config(void)
{
	DynKeyFetchConfig config = scene_config();

	config.wish.access_key_id = "AKIAMINE";
	config.wish.secret_access_key = "sEcReT";
	config.wish.session_token = "tOkEn";
	config.wish.profile = "x";
	config.wish.role = (DynAssumeRole) {ROLE, "name", "ext", 900};
	config.wish.sts_url = "https://sts.example.com";
	return config;
}

static int	members;

/* Does a config with another member have a source of its own? */
static void
check_member(const DynKeyFetchConfig *one, const DynKeyFetchConfig *other, const char *name)
{
	DynKeySource *of_one = scene_source_of(one);
	DynKeySource *same = scene_source_of(one);
	DynKeySource *of_other = scene_source_of(other);

	ok(of_one == same && of_one != of_other, "another %s is another identity", name);
	members++;
	dyn_key_source_release(of_one);
	dyn_key_source_release(same);
	dyn_key_source_release(of_other);
}

/* A text that is another one, and one that is none. */
static void
check_text(size_t offset, const char *name)
{
	DynKeyFetchConfig one = full_config();
	DynKeyFetchConfig other = one;
	const char **text = (const char **) ((char *) &other + offset);

	*text = "other";
	check_member(&one, &other, name);
	*text = NULL;
	check_member(&one, &other, name);
	check_member(&other, &one, name);
}

static void
test_sharing(void)
{
	static const DynSurroundings others;
	DynKeyFetchConfig one;
	DynKeyFetchConfig other;
	DynKeySource *source;
	char		profile[] = "x";

	scene_begin();
	check_text(offsetof(DynKeyFetchConfig, wish.access_key_id), "access key id");
	check_text(offsetof(DynKeyFetchConfig, wish.secret_access_key), "secret");
	check_text(offsetof(DynKeyFetchConfig, wish.session_token), "token");
	check_text(offsetof(DynKeyFetchConfig, wish.profile), "profile");
	check_text(offsetof(DynKeyFetchConfig, wish.role.role_arn), "role");
	check_text(offsetof(DynKeyFetchConfig, wish.role.session_name), "session name of the role");
	check_text(offsetof(DynKeyFetchConfig, wish.role.external_id), "external id");
	check_text(offsetof(DynKeyFetchConfig, wish.session_name), "session name");
	check_text(offsetof(DynKeyFetchConfig, wish.sts_url), "STS");
	check_text(offsetof(DynKeyFetchConfig, region), "region");
	check_text(offsetof(DynKeyFetchConfig, ca_bundle), "CA bundle");
	one = full_config();
	other = one;
	other.wish.role.duration_seconds = 901;
	check_member(&one, &other, "duration");
	other = one;
	other.fips = true;
	check_member(&one, &other, "FIPS");
	other = one;
	other.dualstack = true;
	check_member(&one, &other, "dual-stack");
	other = one;
	other.no_proxy = true;
	check_member(&one, &other, "proxy");
	other = one;
	other.surroundings = &others;
	check_member(&one, &other, "process");
	is_int(members, 3 * 11 + 5, "each member was looked at");

	one.wish.profile = profile;
	source = scene_source_of(&one);
	profile[0] = 'y';
	other = full_config();
	ok(scene_source_of(&other) == source, "the texts are copies, and compared as texts");
	dyn_key_source_release(source);
	dyn_key_source_release(source);
}

/* Sources with profiles p0, p1, ... of this scene; each with keys of a file. */
static DynKeySource *
numbered(int n)
{
	static char profile[20];
	DynKeyFetchConfig config = scene_config();

	snprintf(profile, sizeof(profile), "p%d", n);
	config.wish.profile = profile;
	return scene_source_of(&config);
}

/* Are the keys of source `n` there still?  It is asked for, and so used last. */
static bool
is_kept(int n)
{
	DynKeySource *source = numbered(n);
	int			before = scene_reads;
	bool		kept;

	scene_key_id(source);
	kept = scene_reads == before;
	dyn_key_source_release(source);
	return kept;
}

static void
test_unused(void)
{
	DynBuf		text = {0};
	DynKeySource *used;
	DynKeyFetchConfig config;

	scene_begin();
	for (int i = 0; i < 30; i++)
	{
		char		section[100];

		snprintf(section, sizeof(section), "[profile p%d]\naws_access_key_id=AKIA%d\naws_secret_access_key=s\n", i, i);
		dyn_buf_str(&text, section);
	}
	scene_file("$HOME/.aws/config", dyn_buf_cstr(&text));
	dyn_buf_free(&text);
	used = numbered(20);
	is_string(scene_key_id(used), "AKIA20", "one is used");
	for (int i = 0; i < 8; i++)
		ok(!is_kept(i), "source %d is new", i);
	for (int i = 0; i < 8; i++)
		ok(is_kept(i), "and kept when nobody uses it");
	ok(!is_kept(8), "a ninth");
	ok(is_kept(1) && is_kept(2), "leaves the others");
	ok(!is_kept(0), "but the one that was used the longest time ago");
	ok(!is_kept(3) && is_kept(1), "and so on");
	is_string(scene_key_id(used), "AKIA20", "what is used stays");
	is_int(scene_reads, 24, "all that was read");
	dyn_key_source_release(dyn_key_source_share(used));
	is_string(scene_key_id(used), "AKIA20", "a reference that is given back takes nobody else's");
	dyn_key_source_release(used);
	dyn_key_source_release(NULL);

	/* keys of a mapping are not kept */
	config = scene_config();
	config.wish.access_key_id = "AKIAMINE";
	config.wish.secret_access_key = "sEcReT";
	used = scene_source_of(&config);
	scene_key_id(used);
	dyn_key_source_release(used);
	used = scene_source_of(&config);
	{
		DynKeyDescription description;

		dyn_key_source_describe(used, &description);
		ok(description.access_key_id == NULL, "nobody keeps keys of a mapping");
	}
	dyn_key_source_release(used);
}

/* A source that goes while it is asked for. */
static void
test_gone(void)
{
	DynKeySource *source;

	scene_begin();
	fake_script = NULL;
	for (int i = 0; i < 10; i++)
	{
		source = numbered(i);
		scene_file("$HOME/.aws/config", "[profile p0]\n[profile p1]\n");
		scene_key_id_now(source);
		dyn_key_source_release(source);
	}
	scene_begin();
	fake_script = NULL;
	source = scene_source();
	is_string(scene_key_id_now(source), "waiting", "a source is under way");
	dyn_key_source_release(source);
	for (int i = 0; i < 9; i++)
		dyn_key_source_release(numbered(i));
	is_int(fake_in_flight(), 0, "when it goes, so does its request");
	ok(scene_settle(), "and nothing is left to wait for");
}

/* ---- memory ---- */

/* Four services, and the shared files. */
static void
begin_everything(DynKeyFetchConfig *config)
{
	scene_begin();
	scene_file("$HOME/.aws/config", "[profile x]\nrole_arn = " ROLE "\ncredential_source = Ec2InstanceMetadata\n"
			   "external_id = ext/1\n");
	scene_instance("AKIAEC2", KEYS_END);
	scene_sts("AKIASTS", KEYS_END);
	*config = scene_config();
	config->wish.profile = "x";
	config->wish.role.role_arn = ROLE;
	config->wish.sts_url = "https://sts.us-west-2.amazonaws.com";
}

static void
begin_container(DynKeyFetchConfig *config)
{
	scene_begin();
	scene_container("AKIATASK", KEYS_END);
	scene_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token");
	scene_file("/token", "tOkEn");
	*config = scene_config();
}

static void
begin_container_token(DynKeyFetchConfig *config)
{
	scene_begin();
	scene_container("AKIATASK", KEYS_END);
	scene_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN", "tOkEn");
	*config = scene_config();
}

static void
begin_web_identity(DynKeyFetchConfig *config)
{
	scene_begin();
	scene_variable("AWS_ROLE_ARN", ROLE);
	scene_variable("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
	scene_file("/token", "tOkEn");
	scene_sts("AKIASTS", KEYS_END);
	*config = scene_config();
}

/* There is nothing, and that takes memory as well. */
static void
begin_nothing(DynKeyFetchConfig *config)
{
	scene_begin();
	scene_answer("PUT", "", 0, 404, "");
	*config = scene_config();
}

static void
begin_disabled(DynKeyFetchConfig *config)
{
	scene_begin();
	scene_variable("AWS_EC2_METADATA_DISABLED", "true");
	*config = scene_config();
}

/* The keys with allocation `n` failing; true: it was never reached. */
static bool
fetch_short_of(long n, const DynKeyFetchConfig *config, DynKeyState *state)
{
	DynKeySource *source;
	const DynKeys *keys;
	bool		reached;

	dyn_status_clear(&status);
	fail_alloc_after = n;
	source = dyn_key_source_get(config, &status);
	*state = source ? scene_keys(source, &keys, &status) : DYN_KEYS_NONE;
	reached = fail_alloc_after == -1;
	fail_alloc_after = -1;
	dyn_key_source_release(source);
	return !reached;
}

/* What signs has no word for it. */
static bool
is_lack_of_memory(const DynStatus *why)
{
	return why->cls == DYN_NO_MEMORY ||
		(why->cls == DYN_INTERNAL && strcmp(why->message, "the request could not be signed") == 0);
}

/* Whichever allocation fails: there are keys, or no memory; and the next try succeeds. */
static void
check_memory(void (*begin) (DynKeyFetchConfig *config), DynKeyState want, const char *what)
{
	DynKeyFetchConfig config;
	DynKeyState state;
	bool		all = false;
	int			wrong = 0;
	int			failed = 0;
	long		n = 0;

	for (; !all && n < 1000; n++)
	{
		begin(&config);
		all = fetch_short_of(n, &config, &state);
		if (all || state == DYN_KEYS_READY)
			continue;
		failed++;
		if (state != DYN_KEYS_NONE || status.hint[0] || !is_lack_of_memory(&status))
		{
			wrong++;
			diag("allocation %ld: class %d, %s (%s)", n, status.cls, status.message, status.hint);
		}
		scene_pass(1.1);
		fetch_short_of(LONG_MAX, &config, &state);
		wrong += state != want;
	}
	ok(all && wrong == 0 && failed > 3, "%s: each of %ld allocations may fail, %d times there are no keys", what, n - 1,
	   failed);
	ok(state == want, "%s: with all of them it is as it should be", what);
}

/* The refresh fails for want of memory, and the old keys are used on. */
static void
test_refresh_without_memory(void)
{
	DynKeyFetchConfig config;
	DynKeySource *source;
	int			lost = 0;

	for (long n = 0; n < 60; n++)
	{
		begin_container(&config);
		source = scene_source_of(&config);
		scene_key_id(source);
		scene_jump(6 * 3600 - 800);
		fail_alloc_after = n;
		scene_key_id_now(source);
		scene_settle();
		fail_alloc_after = -1;
		lost += strcmp(scene_key_id_now(source), "AKIATASK") != 0;
		dyn_key_source_release(source);
		while (dyn_key_source_take_warning(&status))
			lost += status.cls != DYN_NO_MEMORY;
	}
	is_int(lost, 0, "a refresh without memory leaves the old keys");
}

int
main(void)
{
	test_sharing();
	test_unused();
	test_gone();
	check_memory(begin_everything, DYN_KEYS_READY, "role over role over instance");
	check_memory(begin_container, DYN_KEYS_READY, "container with a token file");
	check_memory(begin_container_token, DYN_KEYS_READY, "container with a token");
	check_memory(begin_web_identity, DYN_KEYS_READY, "web identity");
	check_memory(begin_nothing, DYN_KEYS_NONE, "nothing");
	check_memory(begin_disabled, DYN_KEYS_NONE, "nothing, and no service");
	test_refresh_without_memory();
	scene_begin();
	return done_testing();
}
