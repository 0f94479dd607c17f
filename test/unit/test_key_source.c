/*
 * test_key_source.c
 *	  How AWS keys are kept fresh: when they are fetched again, how long old ones
 *	  are used, and who shares them.
 */
#include <stdlib.h>

#include "keys_scene.h"
#include "net/loop.h"
#include "tap.h"

#define AT(seconds) (SCENE_START + (seconds))
#define HOUR 3600

static DynKeySource *source;
static DynStatus status;
static const DynKeys *keys;
static uint64_t serial;

/* An expiry, so many seconds after the start. */
static const char *
time_at(int seconds)
{
	static char text[4][30];
	static int	n;
	int			at = 12 * HOUR + seconds;

	n = (n + 1) % 4;
	snprintf(text[n], sizeof(text[n]), "2026-03-%02dT%02d:%02d:%02dZ", 1 + at / (24 * HOUR), at / HOUR % 24,
			 at / 60 % 60, at % 60);
	return text[n];
}

static DynKeyState
ask(void)
{
	dyn_status_clear(&status);
	return dyn_key_source_keys(source, &keys, &serial, &status);
}

/* Jumps to that second after the start. */
static void
go_to(int seconds)
{
	scene_jump((double) (AT(seconds) - fake_wall_s));
}

/* A source with keys of a container that end after so many seconds. */
static void
begin_container(int lifetime)
{
	scene_begin();
	scene_container("AKIA1", time_at(lifetime));
	source = scene_source();
	is_string(scene_key_id(source), "AKIA1", "keys for %d s", lifetime);
	scene_no_answers();
}

static void
end(void)
{
	dyn_key_source_release(source);
	source = NULL;
}

/* How many requests were sent since there were `before`, once all is done. */
static int
sent_since(int before)
{
	scene_settle();
	return fake_sent() - before;
}

/* ---- refresh ---- */

/* Keys with that lifetime are refreshed from that second on, and not before, where chance is this. */
static void
check_window(int lifetime, double chance, int begins)
{
	begin_container(1);
	end();
	scene_begin();
	fake_random = chance;
	scene_container("AKIA1", time_at(lifetime));
	source = scene_source();
	scene_key_id(source);
	scene_no_answers();
	scene_container("AKIA2", time_at(100 * HOUR));
	go_to(begins - 1);
	is_string(scene_key_id(source), "AKIA1", "chance %g, keys for %d s: nothing is done 1 s before", chance, lifetime);
	is_int(fake_sent(), 1, "nothing is sent");
	go_to(begins);
	is_string(scene_key_id_now(source), "AKIA1", "at %d s old keys are handed out", begins);
	is_int(fake_sent(), 2, "while new ones are asked for");
	scene_settle();
	is_string(scene_key_id_now(source), "AKIA2", "then new ones");
	end();
}

static void
test_window(void)
{
	check_window(HOUR, 0, 45 * 60);
	check_window(HOUR, 0.5, 45 * 60 + 150);
	check_window(6 * HOUR, 0.9, 6 * HOUR - 900 + 270);
	check_window(15 * 60, 0, 225);
	check_window(20 * 60, 0, 5 * 60);
	check_window(40, 0, 10);

	/* those that never end are not fetched again */
	scene_begin();
	scene_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/creds");
	scene_answer("GET", "", 0, 200, "{\"AccessKeyId\":\"AKIA1\",\"SecretAccessKey\":\"s\",\"Token\":\"t\"}");
	source = scene_source();
	scene_key_id(source);
	scene_jump(1e9);
	ok(ask() == DYN_KEYS_READY && sent_since(1) == 0, "keys without an end stay");
	end();
}

/* The serial tells whether keys are others than before. */
static void
test_serial(void)
{
	uint64_t	first;

	begin_container(HOUR);
	ask();
	first = serial;
	ok(first != 0, "keys have a serial");
	scene_container("AKIA1", time_at(2 * HOUR));
	go_to(45 * 60);
	scene_key_id(source);
	ask();
	ok(serial == first && keys->expires == AT(2 * HOUR), "the same keys with a later end keep it");
	go_to(2 * HOUR - 900);
	scene_no_answers();
	scene_container("AKIA2", time_at(3 * HOUR));
	scene_key_id(source);
	ask();
	ok(serial != first, "others have another");
	end();
}

/* Seconds until the source asks again, after it has just failed to; it looks every second. */
static int
next_try(void)
{
	int			before = fake_sent();
	int			n = 0;

	while (fake_sent() == before && n < 3000)
	{
		n++;
		go_to((int) (fake_wall_s - SCENE_START) + 1);
		ask();
	}
	return n;
}

static void
test_failed_refresh(void)
{
	DynStatus	warning = {0};

	ok(!dyn_key_source_take_warning(&warning), "there is no warning yet");
	begin_container(HOUR);
	scene_answer("GET", "", 0, 404, "");
	go_to(45 * 60);
	ok(ask() == DYN_KEYS_READY && sent_since(1) == 1, "a refresh");
	ok(ask() == DYN_KEYS_READY, "that fails leaves the old keys");
	ok(dyn_key_source_take_warning(&warning) && warning.cls == DYN_NO_CREDENTIALS &&
	   strstr(warning.message, "container: 169.254.170.2 answered with HTTP 404"), "and a warning");
	ok(!dyn_key_source_take_warning(&warning), "once");
	is_int(next_try(), 60, "it is tried again after a minute");
	scene_settle();
	ok(ask() == DYN_KEYS_READY && !dyn_key_source_take_warning(&warning), "without another warning");
	go_to(HOUR - 1);
	ask();
	scene_settle();
	ok(ask() == DYN_KEYS_READY, "a second before their end keys are used");
	go_to(HOUR);
	ask();
	scene_settle();
	ok(ask() == DYN_KEYS_NONE && strstr(status.message, "HTTP 404"), "at their end the failure is an error");
	ok(!dyn_key_source_take_warning(&warning), "and no warning");
	scene_no_answers();
	scene_container("AKIA2", time_at(2 * HOUR));
	scene_pass(2);
	is_string(scene_key_id(source), "AKIA2", "then they are there again");
	go_to(2 * HOUR - 600);
	scene_no_answers();
	scene_answer("GET", "", 0, 404, "");
	ask();
	scene_settle();
	ask();
	ok(dyn_key_source_take_warning(&warning), "the next run of failures has a warning of its own");
	end();

	/* the failure was over before anybody took its warning */
	begin_container(HOUR);
	scene_answer("GET", "", 1, 404, "");
	scene_container("AKIA2", time_at(3 * HOUR));
	go_to(45 * 60);
	scene_key_id(source);
	go_to(46 * 60);
	is_string(scene_key_id(source), "AKIA2", "a refresh that succeeds after one that failed");
	ok(!dyn_key_source_take_warning(&warning), "takes the warning back");
	end();

	begin_container(HOUR);
	scene_answer("GET", "", 0, 404, "");
	go_to(45 * 60);
	scene_key_id(source);
	ask();
	dyn_key_source_refused(source, serial);
	ok(!dyn_key_source_take_warning(&warning), "and so does a refusal of the old keys: they are no good any more");
	end();
}

/* Keys that don't live long are tried for more often. */
static void
test_short_lived(void)
{
	begin_container(120);
	scene_answer("GET", "", 0, 404, "");
	go_to(30);
	ask();
	scene_settle();
	ask();
	is_int(next_try(), 23, "90 s before their end: after a quarter of that");
	scene_settle();
	ask();
	is_int(next_try(), 17, "and so on");
	end();
}

/* ---- static stability ---- */

/* Of a role's keys STS judges by their end. */
static void
begin_role_over_instance(int lifetime)
{
	DynKeyFetchConfig config;

	scene_begin();
	scene_instance("AKIA1", time_at(HOUR));
	scene_sts("AKIA2", time_at(lifetime));
	config = scene_config();
	config.wish.role.role_arn = "arn:aws:iam::123456789012:role/reader";
	source = scene_source_of(&config);
}

static void
test_stability(void)
{
	scene_begin();
	scene_instance("AKIA1", time_at(HOUR));
	source = scene_source();
	scene_key_id(source);
	scene_no_answers();
	go_to(45 * 60);
	ask();
	scene_settle();
	ask();
	ok(dyn_key_source_take_warning(&status), "a metadata service that fails is warned of");
	go_to(2 * HOUR);
	ok(ask() == DYN_KEYS_WAIT, "at the end of an instance's keys others are waited for");
	is_int(sent_since(4), 1, "and asked for");
	scene_settle();
	ok(ask() == DYN_KEYS_READY, "where none are to be had, they are used beyond their end");
	is_int(next_try(), 300, "again after five minutes");
	scene_settle();
	fake_random = 0.5;
	/* of the last try the wait is set already; this one's is another */
	ask();
	next_try();
	scene_settle();
	ask();
	is_int(next_try(), 600, "or up to ten minutes more");
	scene_settle();
	scene_instance("AKIA2", time_at(20 * HOUR));
	next_try();
	scene_settle();
	is_string(scene_key_id_now(source), "AKIA2", "until there are new ones");
	end();

	scene_begin();
	scene_instance("AKIA1", time_at(-HOUR));
	source = scene_source();
	is_string(scene_key_id(source), "AKIA1", "keys that came too late are used");
	is_int(next_try(), 300, "and asked for after five minutes");
	scene_settle();
	end();

	begin_role_over_instance(HOUR);
	is_string(scene_key_id(source), "AKIA2", "a role's keys over them");
	scene_no_answers();
	go_to(HOUR);
	ok(strstr(scene_key_id(source), "no credentials were found") != NULL, "are used to their end");
	end();
	begin_role_over_instance(-1);
	ok(strstr(scene_key_id(source), "instance metadata: the credentials have expired") != NULL,
	   "and no longer");
	end();
}

/* ---- refusal ---- */

static void
test_refused(void)
{
	uint64_t	old;

	begin_container(HOUR);
	scene_container("AKIA2", time_at(2 * HOUR));
	ask();
	old = serial;
	ok(!dyn_key_source_waiting(source), "with keys nothing is waited for");
	ok(dyn_key_source_refused(source, old), "refused keys are worth asking again");
	is_string(scene_key_id_now(source), "waiting", "they are not handed out");
	ok(dyn_key_source_waiting(source), "but waited for");
	scene_settle();
	ok(!dyn_key_source_waiting(source), "until they are there");
	is_string(scene_key_id_now(source), "AKIA2", "new ones");
	ok(dyn_key_source_refused(source, old), "a refusal of the old ones");
	is_string(scene_key_id_now(source), "AKIA2", "says nothing about them");
	is_int(fake_sent(), 2, "two requests in all");

	/* a refresh is under way already, and is the answer to it */
	go_to(2 * HOUR - 900);
	scene_no_answers();
	scene_container("AKIA3", time_at(5 * HOUR));
	is_string(scene_key_id_now(source), "AKIA2", "a refresh goes on");
	ok(!dyn_key_source_waiting(source), "nobody waits for it");
	ask();
	ok(dyn_key_source_refused(source, serial), "keys are refused meanwhile");
	is_string(scene_key_id_now(source), "waiting", "it is waited for");
	scene_settle();
	is_string(scene_key_id_now(source), "AKIA3", "and is enough");
	is_int(fake_sent(), 3, "three requests in all");

	/* it has failed a moment ago, when nobody needed it */
	go_to(5 * HOUR - 900);
	scene_no_answers();
	scene_answer("GET", "", 0, 404, "");
	ask();
	scene_settle();
	ok(ask() == DYN_KEYS_READY, "a refresh fails");
	scene_no_answers();
	scene_container("AKIA4", time_at(9 * HOUR));
	dyn_key_source_refused(source, serial);
	is_string(scene_key_id(source), "AKIA4", "keys refused right after it are fetched at once");

	/* there are no others */
	scene_no_answers();
	scene_answer("GET", "", 0, 404, "");
	ask();
	dyn_key_source_refused(source, serial);
	ok(strstr(scene_key_id(source), "HTTP 404") != NULL, "a refusal and no new keys: the error is theirs");
	scene_no_answers();
	scene_container("AKIA3", time_at(5 * HOUR));
	scene_pass(2);
	is_string(scene_key_id(source), "AKIA3", "the same keys again are keys");
	end();
}

/* A failure is an answer to all that ask within a second. */
static void
test_failure_remembered(void)
{
	scene_begin();
	scene_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/creds");
	scene_answer("GET", "", 0, 404, "");
	source = scene_source();
	ok(strstr(scene_key_id(source), "HTTP 404") != NULL, "no keys");
	fake_now_ms += 999;
	ok(ask() == DYN_KEYS_NONE && fake_sent() == 1, "nor within a second, without asking");
	fake_now_ms += 1;
	ok(ask() == DYN_KEYS_WAIT && fake_sent() == 2, "then it is asked again");
	scene_settle();
	ok(ask() == DYN_KEYS_NONE, "and fails again");
	end();

	/* nobody looked while it failed, nor long after */
	scene_begin();
	scene_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/creds");
	scene_answer("GET", "", 0, 404, "");
	source = scene_source();
	ask();
	scene_settle();
	scene_jump(HOUR);
	scene_no_answers();
	scene_container("AKIA1", time_at(HOUR + 60));
	is_string(scene_key_id_now(source), "waiting", "what failed long ago is no failure of now");
	scene_settle();
	scene_jump(HOUR);
	scene_no_answers();
	scene_container("AKIA2", time_at(5 * HOUR));
	is_string(scene_key_id_now(source), "waiting", "nor are keys that have come and gone");
	scene_settle();
	is_string(scene_key_id_now(source), "AKIA2", "the next ones are fetched");
	end();

	/* the same of what is known at once */
	scene_begin();
	scene_variable("AWS_ACCESS_KEY_ID", "AKIAENV");
	source = scene_source();
	ok(ask() == DYN_KEYS_NONE && strstr(status.message, "environment: "), "a broken environment");
	scene_variable("AWS_SECRET_ACCESS_KEY", "sEcReT");
	ok(ask() == DYN_KEYS_NONE, "stays broken");
	fake_now_ms += 1000;
	ok(ask() == DYN_KEYS_READY, "for a second");
	end();
}

/* ---- shared files ---- */

static void
test_files_again(void)
{
	scene_begin();
	scene_file("$HOME/.aws/credentials", "[default]\naws_access_key_id=AKIA1\naws_secret_access_key=s\n");
	source = scene_source();
	ok(ask() == DYN_KEYS_READY && keys->expires == DYN_KEYS_FOREVER, "keys of a file have no end");
	scene_file("$HOME/.aws/credentials", "[default]\naws_access_key_id=AKIA2\naws_secret_access_key=s\n");
	is_string(scene_key_id_now(source), "AKIA1", "and are not looked at again");
	dyn_key_source_refused(source, serial);
	is_string(scene_key_id_now(source), "AKIA2", "until they are refused");
	end();

	scene_begin();
	scene_variable("AWS_ACCESS_KEY_ID", "AKIA1");
	scene_variable("AWS_SECRET_ACCESS_KEY", "s");
	scene_variable("AWS_CREDENTIAL_EXPIRATION", time_at(60));
	source = scene_source();
	is_string(scene_key_id(source), "AKIA1", "keys of the environment may have an end");
	go_to(61);
	is_string(scene_key_id(source), "environment: the credentials have expired", "and are none after it");
	end();
}

/* ---- own keys ---- */

static void
test_fixed(void)
{
	DynKeyFetchConfig config;
	DynKeyDescription description;

	scene_begin();
	config = scene_config();
	config.wish.access_key_id = "AKIAMINE";
	config.wish.secret_access_key = "sEcReT";
	source = scene_source_of(&config);
	is_string(scene_key_id_now(source), "AKIAMINE", "own keys are there at once");
	ok(!dyn_key_source_refused(source, serial), "asking again is of no use");
	scene_jump(1e8);
	is_string(scene_key_id_now(source), "AKIAMINE", "they stay");
	ok(fake_sent() == 0 && scene_reads == 0, "nothing is asked or read");
	dyn_key_source_describe(source, &description);
	ok(strcmp(description.source, "user mapping") == 0 && strcmp(description.access_key_id, "AKIAMINE") == 0 &&
	   description.profile == NULL && description.role_arn == NULL && description.expires == DYN_KEYS_FOREVER,
	   "their description");
	end();
	config.wish.secret_access_key = NULL;
	source = scene_source_of(&config);
	ok(ask() == DYN_KEYS_NONE && strstr(status.message, "secret access key is missing"), "a half is none");
	end();

	scene_begin();
	scene_sts("AKIASTS", time_at(HOUR));
	config = scene_config();
	config.wish.access_key_id = "AKIAMINE";
	config.wish.secret_access_key = "sEcReT";
	config.wish.role.role_arn = "arn:aws:iam::123456789012:role/reader";
	source = scene_source_of(&config);
	is_string(scene_key_id(source), "AKIASTS", "a role over them");
	ok(dyn_key_source_refused(source, serial + 1), "is worth asking for again");
	dyn_key_source_describe(source, &description);
	ok(strcmp(description.source, "user mapping") == 0 &&
	   strcmp(description.role_arn, "arn:aws:iam::123456789012:role/reader") == 0, "its description");
	end();
}

static void
test_description(void)
{
	DynKeyDescription description;

	scene_begin();
	source = scene_source();
	dyn_key_source_describe(source, &description);
	ok(description.source[0] == '\0' && description.access_key_id == NULL, "before any keys there is nothing to tell");
	end();
	scene_begin();
	scene_variable("AWS_PROFILE", "x");
	scene_variable("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/irsa");
	scene_variable("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
	scene_file("/token", "tOkEn");
	scene_file("$HOME/.aws/config", "[profile x]\n");
	scene_sts("AKIASTS", time_at(HOUR));
	source = scene_source();
	scene_key_id(source);
	dyn_key_source_describe(source, &description);
	is_string(description.source, "web identity", "a source");
	ok(description.profile == NULL, "the profile says nothing about it");
	is_string(description.role_arn, "arn:aws:iam::123456789012:role/irsa", "its role");
	is_int(description.expires, AT(HOUR), "its end");
	end();

	scene_begin();
	scene_file("/token", "tOkEn");
	scene_file("$HOME/.aws/config", "[default]\nrole_arn = arn:aws:iam::123456789012:role/irsa\n"
			   "web_identity_token_file = /token\n");
	scene_sts("AKIASTS", time_at(HOUR));
	source = scene_source();
	scene_key_id(source);
	dyn_key_source_describe(source, &description);
	ok(strcmp(description.source, "web identity") == 0 && strcmp(description.profile, "default") == 0, "one of a profile");
	end();
	begin_container(HOUR);
	dyn_key_source_describe(source, &description);
	ok(description.profile == NULL && description.role_arn == NULL, "a container's keys are of no profile");
	end();
}

static int64_t ticking_s;

/* Each look at it takes a second. */
static int64_t
ticking_clock(void)
{
	return ticking_s++;
}

/* Keys that end between two looks at the clock: those that ask get none, and an error. */
static void
test_end_between_looks(void)
{
	for (int left = -1; left < 15; left++)
	{
		DynKeyFetchConfig config;
		DynClock	clock;

		scene_begin();
		config = scene_config();
		clock = *config.clock;
		scene_variable("AWS_ACCESS_KEY_ID", "AKIA1");
		scene_variable("AWS_SECRET_ACCESS_KEY", "sEcReT");
		scene_variable("AWS_CREDENTIAL_EXPIRATION", time_at(left));
		clock.wall_s = ticking_clock;
		ticking_s = SCENE_START;
		config.clock = &clock;
		source = scene_source_of(&config);
		ok(ask() == DYN_KEYS_READY ? status.cls == DYN_OK : status.cls == DYN_NO_CREDENTIALS,
		   "%d looks before keys end: keys, or why there are none", left);
		end();
	}
}

int
main(void)
{
	test_window();
	test_end_between_looks();
	test_serial();
	test_failed_refresh();
	test_short_lived();
	test_stability();
	test_refused();
	test_failure_remembered();
	test_files_again();
	test_fixed();
	test_description();
	scene_begin();
	return done_testing();
}
