/*
 * test_key_wiping.c
 *	  Secrets of AWS keys, and what they were got for: none is left in memory
 *	  that is given back, whatever came of it.
 */
#include <stdlib.h>

#include "fail_alloc.h"
#include "keys_scene.h"
#include "tap.h"

#define ROLE "arn:aws:iam::123456789012:role/reader"
#define KEYS_END "2026-03-01T18:00:00Z"

/* More sources than are kept for who asks next. */
#define MANY 12

static const char *const secrets[] = {"sEcReT", "tOkEn", NULL};

/* ---- where keys come from ---- */

static void
environment(DynKeyFetchConfig *config)
{
	scene_variable("AWS_ACCESS_KEY_ID", "AKIAENV");
	scene_variable("AWS_SECRET_ACCESS_KEY", "sEcReT-env");
	scene_variable("AWS_SESSION_TOKEN", "tOkEn-env");
}

static void
mapping(DynKeyFetchConfig *config)
{
	config->wish.access_key_id = "AKIAMINE";
	config->wish.secret_access_key = "sEcReT-mine";
	config->wish.session_token = "tOkEn-mine";
}

static void
role_over_mapping(DynKeyFetchConfig *config)
{
	mapping(config);
	config->wish.role.role_arn = ROLE;
	config->wish.role.external_id = "ext";
	scene_sts("ASIASTS", KEYS_END);
}

static void
role_over_role(DynKeyFetchConfig *config)
{
	scene_file("$HOME/.aws/config", "[default]\nrole_arn=" ROLE "\nsource_profile=base\n");
	scene_file("$HOME/.aws/credentials", "[base]\naws_access_key_id=AKIA1\naws_secret_access_key=sEcReT-file\n"
			   "aws_session_token=tOkEn-file\n");
	config->wish.role.role_arn = ROLE "2";
	scene_sts("ASIASTS", KEYS_END);
}

static void
web_identity(DynKeyFetchConfig *config)
{
	scene_variable("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
	scene_variable("AWS_ROLE_ARN", ROLE);
	scene_file("/token", "tOkEn-web\n");
	scene_sts("ASIASTS", KEYS_END);
}

static void
container(DynKeyFetchConfig *config)
{
	scene_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN", "tOkEn-pod");
	scene_container("ASIATASK", KEYS_END);
}

static void
container_by_file(DynKeyFetchConfig *config)
{
	scene_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token");
	scene_file("/token", "tOkEn-pod\n");
	scene_container("ASIATASK", KEYS_END);
}

static void
instance(DynKeyFetchConfig *config)
{
	scene_instance("ASIAEC2", KEYS_END);
}

static const struct
{
	const char *name;
	void		(*set) (DynKeyFetchConfig *config);
}			places[] = {
	{"environment", environment}, {"mapping", mapping}, {"role over a mapping", role_over_mapping},
	{"role over a role", role_over_role}, {"web identity", web_identity}, {"container", container},
	{"container by file", container_by_file}, {"instance", instance}
};

/* ---- what becomes of them ---- */

/* Frees all sources that nobody uses. */
static void
push_out(void)
{
	for (int i = 0; i < MANY; i++)
	{
		DynKeyFetchConfig config = scene_config();

		config.wish.role.duration_seconds = 1000 + i;
		dyn_key_source_release(scene_source_of(&config));
	}
}

/* Fetched, refused and fetched again, and freed. */
static void
live(DynKeySource *source)
{
	const DynKeys *keys;
	DynStatus	status;
	uint64_t	serial;

	ok(scene_keys(source, &keys, &status) == DYN_KEYS_READY, "there are keys");
	dyn_key_source_keys(source, &keys, &serial, &status);
	dyn_key_source_refused(source, serial);
	ok(scene_keys(source, &keys, &status) == DYN_KEYS_READY, "there are keys again");
}

/* To services that answer, but not with all that it takes. */
static void
answer_half(void)
{
	scene_no_answers();
	scene_answer("PUT", "", 0, 200, "tOkEn-imds");
	scene_answer("", "", 0, 200, "{\"SecretAccessKey\":\"sEcReT-half\",\"Token\":\"tOkEn-half\"");
}

static void
fail(DynKeySource *source)
{
	const DynKeys *keys;
	DynStatus	status;

	scene_keys(source, &keys, &status);
}

/* Nobody waits for the answer. */
static void
leave(DynKeySource *source)
{
	const DynKeys *keys;
	DynStatus	status;
	uint64_t	serial;

	dyn_key_source_keys(source, &keys, &serial, &status);
}

/* A request is signed with them. */
static void
sign(DynKeySource *source)
{
	DynClientConfig config = {.region = "us-west-2", .total_max_retry_attempts = 1, .max_pool_connections = 1};
	const DynKeys *keys;
	DynClient  *client;
	DynCall    *call;
	DynBuf		body = {0};
	DynStatus	status;
	const char *why;

	scene_keys(source, &keys, &status);
	dyn_endpoint_parse("https://dynamodb.us-west-2.amazonaws.com", &config.endpoint, &why);
	config.keys = source;
	config.clock = fake_clock;
	config.read_timeout_s = 10;
	client = dyn_client_new(&config, &status);
	dyn_buf_str(&body, "{}");
	call = dyn_call_start(client, DYN_OP_DESCRIBE_TABLE, &body, 0, NULL, &status);
	ok(call && strstr(fake_request(fake_sent() - 1)->headers.data, "X-Amz-Security-Token: tOkEn"), "a token is sent");
	dyn_call_free(call);
	dyn_client_free(client);
}

static void
check_place(size_t i, void (*use) (DynKeySource *source), const char *how)
{
	DynKeyFetchConfig config;
	DynKeySource *source;

	scene_begin();
	config = scene_config();
	places[i].set(&config);
	if (use == fail)
		answer_half();
	fail_alloc_left = NULL;
	fail_alloc_secrets = secrets;
	source = scene_source_of(&config);
	use(source);
	dyn_key_source_release(source);
	push_out();
	fail_alloc_secrets = NULL;
	if (!ok(fail_alloc_left == NULL, "%s, %s: nothing is left", places[i].name, how))
		diag("%s", fail_alloc_left);
}

int
main(void)
{
	char	   *block;

	fail_alloc_secrets = secrets;
	block = strdup("of no sEcReT use");
	free(block);
	ok(fail_alloc_left == secrets[0], "what is left is found");
	for (size_t i = 0; i < LENGTH(places); i++)
	{
		check_place(i, live, "used");
		check_place(i, sign, "signed with");
		check_place(i, fail, "failed");
		check_place(i, leave, "left");
	}
	return done_testing();
}
