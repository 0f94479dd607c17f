/*
 * fuzz_key_plan.c
 *	  Bytes as an environment and AWS's shared files: what is planned is whole,
 *	  and what is refused is told without a secret.
 *
 * The bytes: "NAME=value" and so on, each ended by a NUL; an empty one ends the
 * environment.  Then the config file, a NUL, and the credentials file.
 */
#include <string.h>

#include "core/endpoint.h"
#include "core/key_plan.h"
#include "fuzz.h"

#define SECRET "sEcReT"

static char *text;				/* a copy of the bytes, with a NUL behind */
static const char *config;
static const char *credentials; /* NULL: no such file */

static const char *
get_variable(void *arg, const char *name)
{
	size_t		len = strlen(name);

	for (const char *p = text; *p; p += strlen(p) + 1)
		if (strncmp(p, name, len) == 0 && p[len] == '=')
			return p + len + 1;
	return NULL;
}

static const char *
get_home(void *arg)
{
	return "/home";
}

static DynFileResult
read_file(void *arg, const char *path, DynBuf *out, const char **why)
{
	const char *content = strcmp(path, "/home/.aws/config") == 0 ? config : credentials;

	if (content == NULL)
		return DYN_FILE_MISSING;
	dyn_buf_str(out, content);
	return DYN_FILE_READ;
}

/* Cuts the bytes into their parts. */
static void
cut_parts(const char *end)
{
	const char *p = text;

	while (p < end && *p)
		p += strlen(p) + 1;
	config = p < end ? p + 1 : NULL;
	credentials = config && config + strlen(config) < end ? config + strlen(config) + 1 : NULL;
}

static void
check_role(const DynAssumeRole *role)
{
	must(dyn_role_arn_valid(role->role_arn));
	must(dyn_role_session_name_valid(role->session_name));
	must(role->external_id == NULL || dyn_external_id_valid(role->external_id));
}

static void
check_url(const char *url)
{
	DynEndpoint endpoint;
	const char *why;

	must(dyn_endpoint_parse(url, &endpoint, &why) && strcmp(endpoint.url, url) == 0);
}

static void
check_plan(const DynKeyPlan *plan)
{
	must(plan->source != NULL);
	must((plan->base == DYN_BASE_KEYS) == (plan->keys.access_key_id != NULL));
	if (plan->base == DYN_BASE_WEB_IDENTITY)
		check_role(&plan->web_identity);
	if (plan->base == DYN_BASE_CONTAINER || plan->base == DYN_BASE_METADATA)
		check_url(plan->url);
	if (plan->base == DYN_BASE_CONTAINER)
		must(plan->path[0] == '/' && strpbrk(plan->path, " \r\n") == NULL);
	if (plan->sts_url)
		check_url(plan->sts_url);
	must(plan->nroles >= 0 && plan->nroles <= DYN_PLAN_MAX_ROLES);
	for (int i = 0; i < plan->nroles; i++)
		check_role(&plan->roles[i]);
}

static void
try_wish(const char *profile, const char *role_arn)
{
	DynSurroundings surroundings = {get_variable, read_file, get_home, NULL};
	DynKeyWish	wish = {.profile = profile, .session_name = "dynamo_fdw-1", .role.role_arn = role_arn};
	DynStatus	status;
	DynKeyPlan	plan;

	if (dyn_key_plan_make(&plan, &wish, &surroundings, &status))
		check_plan(&plan);
	else
	{
		must(status.cls == DYN_NO_CREDENTIALS && status.message[0]);
		must(strstr(status.message, SECRET) == NULL && strstr(status.hint, SECRET) == NULL);
	}
	dyn_key_plan_free(&plan);
}

/* The secret stands where secrets do, and nowhere else, or a message may quote it: the name of a profile, or a path. */
static int
hides_secret(const char *end)
{
	static const char *const quoted[] = {"AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"};

	for (size_t i = 0; i < sizeof(quoted) / sizeof(quoted[0]); i++)
		if (get_variable(NULL, quoted[i]) && strstr(get_variable(NULL, quoted[i]), SECRET))
			return 0;
	for (const char *p = text; p < end; p++)
		if (strncmp(p, SECRET, strlen(SECRET)) == 0 &&
			(p - text < 13 || (strncmp(p - 11, "ACCESS_KEY=", 11) != 0 && strncmp(p - 13, "access_key = ", 13) != 0)))
				return 0;
	return 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	text = calloc(len + 3, 1);
	must(text != NULL);
	if (len > 0)
		memcpy(text, data, len);
	cut_parts(text + len);
	if (hides_secret(text + len))
	{
		try_wish(NULL, NULL);
		try_wish("x", NULL);
		try_wish(NULL, "arn:aws:iam::123456789012:role/feast");
	}
	free(text);
	return 0;
}
