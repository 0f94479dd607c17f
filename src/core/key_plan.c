/*
 * key_plan.c
 *	  Where AWS access keys come from: the order of the sources, and those that
 *	  the environment names.
 */
#include "core/key_plan_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ascii.h"
#include "core/endpoint.h"
#include "core/wipe.h"

#define CONTAINER_URL "http://169.254.170.2"
#define METADATA_URL "http://169.254.169.254"
#define METADATA_URL_IPV6 "http://[fd00:ec2::254]"

#define METADATA_TIMEOUT_S 1.0
#define METADATA_ATTEMPTS 1

/* Of what the environment or a profile may ask for there. */
#define METADATA_MIN_TIMEOUT_S 0.001
#define METADATA_MAX_TIMEOUT_S 10.0
#define METADATA_MAX_ATTEMPTS 10

/* ---- what all sources need ---- */

const char *
dyn_plan_variable(const DynPlanner *planner, const char *name)
{
	const char *value = planner->surroundings->variable(planner->surroundings->arg, name);

	return value && value[0] ? value : NULL;
}

const char *
dyn_plan_setting(const DynPlanner *planner, const char *name)
{
	const char *value = planner->profile ? dyn_profile_setting(planner->profile, name) : NULL;

	return value && value[0] ? value : NULL;
}

/* Of the environment or, where that says nothing, of the profile. */
static const char *
variable_or_setting(const DynPlanner *planner, const char *variable, const char *setting)
{
	const char *value = dyn_plan_variable(planner, variable);

	return value ? value : dyn_plan_setting(planner, setting);
}

/* A switch is on by "true" in any case, and by nothing else. */
static bool
is_true(const char *value)
{
	return value && dyn_ascii_compare(value, "true") == 0;
}

DynFinding
dyn_plan_broken(DynPlanner *planner, const char *fmt, ...)
{
	DynStatus  *status = planner->status;
	va_list		args;

	status->cls = DYN_NO_CREDENTIALS;
	va_start(args, fmt);
	vsnprintf(status->message, sizeof(status->message), fmt, args);
	va_end(args);
	return DYN_BROKEN;
}

const char *
dyn_plan_keep(DynPlanner *planner, const char *text)
{
	size_t		size = text ? strlen(text) + 1 : 0;
	char	   *copy = text ? dyn_arena_alloc(&planner->plan->texts, size) : NULL;

	if (copy)
		memcpy(copy, text, size);
	else if (text)
		planner->no_memory = true;
	return copy;
}

DynAssumeRole
dyn_plan_keep_role(DynPlanner *planner, const DynAssumeRole *role)
{
	DynAssumeRole kept = *role;

	kept.role_arn = dyn_plan_keep(planner, role->role_arn);
	kept.external_id = dyn_plan_keep(planner, role->external_id);
	kept.session_name = dyn_plan_keep(planner, role->session_name ? role->session_name : planner->wish->session_name);
	return kept;
}

void
dyn_key_plan_looked(DynKeyPlan *plan, const char *fmt, ...)
{
	char		words[400];
	va_list		args;

	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	dyn_buf_str(&plan->looked, plan->looked.len > 0 ? "; " : "");
	dyn_buf_str(&plan->looked, words);
}

/* ---- sources ---- */

DynFinding
dyn_plan_environment(DynPlanner *planner)
{
	const char *id = dyn_plan_variable(planner, "AWS_ACCESS_KEY_ID");
	const char *end = dyn_plan_variable(planner, "AWS_CREDENTIAL_EXPIRATION");
	DynStatus	fault = {0};
	int64_t		expires = DYN_KEYS_FOREVER;

	if (id == NULL)
	{
		dyn_key_plan_looked(planner->plan, "environment: no AWS_ACCESS_KEY_ID");
		return DYN_NOT_HERE;
	}
	planner->plan->base = DYN_BASE_KEYS;
	planner->plan->source = "environment";
	if (end && !dyn_keys_parse_time(end, strlen(end), &expires))
		return dyn_plan_broken(planner, "environment: AWS_CREDENTIAL_EXPIRATION is no time");
	if (!dyn_keys_make(&planner->plan->keys, id, dyn_plan_variable(planner, "AWS_SECRET_ACCESS_KEY"),
					   dyn_plan_variable(planner, "AWS_SESSION_TOKEN"), expires, &fault))
		return dyn_plan_broken(planner, "environment: %s (AWS_ACCESS_KEY_ID is set)", fault.message);
	return DYN_FOUND;
}

/* First of all, unless a profile was asked for: who does that doesn't want these. */
static DynFinding
plan_environment_unless_asked(DynPlanner *planner)
{
	if (!planner->asked)
		return dyn_plan_environment(planner);
	dyn_key_plan_looked(planner->plan, "environment: not used, since a profile is named");
	return DYN_NOT_HERE;
}

DynFinding
dyn_plan_web_identity(DynPlanner *planner, const DynProfile *from, bool variables)
{
	static const char *const names[][2] = {
		{"AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file"},
		{"AWS_ROLE_ARN", "role_arn"},
		{"AWS_ROLE_SESSION_NAME", "role_session_name"},
	};
	const char *values[3];
	DynAssumeRole role = {0};

	for (int i = 0; i < 3; i++)
	{
		values[i] = variables ? dyn_plan_variable(planner, names[i][0]) : NULL;
		if (values[i] == NULL && from)
			values[i] = dyn_profile_setting(from, names[i][1]);
	}
	if (values[0] == NULL || values[0][0] == '\0')
	{
		dyn_key_plan_looked(planner->plan, "web identity: no AWS_WEB_IDENTITY_TOKEN_FILE");
		return DYN_NOT_HERE;
	}
	planner->plan->base = DYN_BASE_WEB_IDENTITY;
	planner->plan->source = "web identity";
	planner->plan->of_profile = !variables || dyn_plan_variable(planner, names[0][0]) == NULL;
	planner->plan->token_file = dyn_plan_keep(planner, values[0]);
	role.role_arn = values[1];
	role.session_name = values[2] && values[2][0] ? values[2] : NULL;
	if (role.role_arn == NULL || !dyn_role_arn_valid(role.role_arn))
		return dyn_plan_broken(planner, "web identity: there is a token file, but no valid role ARN (AWS_ROLE_ARN, or role_arn of the profile)");
	if (role.session_name && !dyn_role_session_name_valid(role.session_name))
		return dyn_plan_broken(planner, "web identity: the role session name is not 2 to 64 letters, digits or \"_+=,.@-\"");
	planner->plan->web_identity = dyn_plan_keep_role(planner, &role);
	return DYN_FOUND;
}

/* Of the profile, whatever the environment adds to it. */
static DynFinding
plan_web_identity(DynPlanner *planner)
{
	return dyn_plan_web_identity(planner, planner->profile, !planner->asked);
}

/* Ends the search where the profile has a setting of a kind that is not supported: what it means must not be skipped. */
static DynFinding
refuse_setting(DynPlanner *planner, const char *const *names, const char *what)
{
	char		place[300];

	for (; *names; names++)
		if (dyn_plan_setting(planner, *names))
		{
			dyn_plan_place(planner->profile, planner->plan->profile, place, sizeof(place));
			dyn_status_hint(planner->status, "Use a profile with keys, \"role_arn\" or \"web_identity_token_file\"; keys that another program refreshes in the credentials file are read anew.");
			return dyn_plan_broken(planner, "%s has \"%s\": %s is not supported", place, *names, what);
		}
	return DYN_NOT_HERE;
}

static DynFinding
refuse_sso(DynPlanner *planner)
{
	static const char *const names[] = {"sso_session", "sso_start_url", "sso_account_id", "sso_role_name", NULL};

	return refuse_setting(planner, names, "single sign-on (SSO)");
}

static DynFinding
refuse_login(DynPlanner *planner)
{
	static const char *const names[] = {"login_session", NULL};

	return refuse_setting(planner, names, "a login session");
}

static DynFinding
refuse_process(DynPlanner *planner)
{
	static const char *const names[] = {"credential_process", NULL};

	return refuse_setting(planner, names, "a credential process");
}

static DynFinding
plan_credentials_file(DynPlanner *planner)
{
	return dyn_plan_file(planner, DYN_CREDENTIALS_FILE);
}

static DynFinding
plan_config_file(DynPlanner *planner)
{
	return dyn_plan_file(planner, DYN_CONFIG_FILE);
}

/* A profile that was asked for and has nothing must not become the instance's role by a typing error. */
static DynFinding
stop_at_profile(DynPlanner *planner)
{
	char		place[300];

	if (!planner->asked)
		return DYN_NOT_HERE;
	dyn_plan_place(planner->profile, planner->plan->profile, place, sizeof(place));
	return dyn_plan_broken(planner, "%s holds no credentials", place);
}

/* May a container's service be asked at this endpoint?  Without TLS only where no network is in between. */
static bool
container_host_allowed(const DynEndpoint *endpoint)
{
	static const char *const hosts[] = {CONTAINER_URL, "http://169.254.170.23", "http://[fd00:ec2::23]"};

	if (endpoint->tls || endpoint->loopback)
		return true;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		if (strcmp(endpoint->url, hosts[i]) == 0)
			return true;
	return false;
}

/* Printable ASCII without blanks: it goes into a request line as it is. */
static bool
is_path(const char *path)
{
	for (; *path; path++)
		if (*path <= ' ' || *path >= 127)
			return false;
	return true;
}

/* Splits a URL into its endpoint, in normal form, and the path behind. */
static bool
split_url(DynPlanner *planner, const char *url, DynEndpoint *endpoint, const char **path, const char **why)
{
	const char *host = strstr(url, "://");
	size_t		len = host ? 3 + (host - url) + strcspn(host + 3, "/?#") : 0;
	char		start[DYN_HOST_MAX + 20];

	*why = "is no URL";
	if (host == NULL || len >= sizeof(start) || !is_path(url) || strchr(url, '#'))
		return false;
	snprintf(start, sizeof(start), "%.*s", (int) len, url);
	*path = url[len] == '\0' ? "/" : url + len;
	if (**path == '?')
	{
		*why = "has no path before its \"?\"";
		return false;
	}
	return dyn_endpoint_parse(start, endpoint, why);
}

DynFinding
dyn_plan_container(DynPlanner *planner)
{
	const char *relative = dyn_plan_variable(planner, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = dyn_plan_variable(planner, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
	DynEndpoint endpoint = {0};
	const char *path = relative;
	const char *why;

	if (relative == NULL && full == NULL)
	{
		dyn_key_plan_looked(planner->plan, "container: no AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI");
		return DYN_NOT_HERE;
	}
	planner->plan->base = DYN_BASE_CONTAINER;
	planner->plan->source = "container";
	if (relative)
		dyn_endpoint_parse(CONTAINER_URL, &endpoint, &why);
	else if (!split_url(planner, full, &endpoint, &path, &why))
		return dyn_plan_broken(planner, "container: AWS_CONTAINER_CREDENTIALS_FULL_URI %s", why);
	if (path[0] != '/' || !is_path(path))
		return dyn_plan_broken(planner, "container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must begin with \"/\", and have no blanks");
	if (!container_host_allowed(&endpoint))
		return dyn_plan_broken(planner, "container: AWS_CONTAINER_CREDENTIALS_FULL_URI may be http only at a loopback address, 169.254.170.2, 169.254.170.23 or fd00:ec2::23, not at %s",
							   endpoint.host_header);
	planner->plan->url = dyn_plan_keep(planner, endpoint.url);
	planner->plan->path = dyn_plan_keep(planner, path);
	planner->plan->token_file = dyn_plan_keep(planner,
											  dyn_plan_variable(planner, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"));
	if (planner->plan->token_file == NULL && dyn_plan_variable(planner, "AWS_CONTAINER_AUTHORIZATION_TOKEN"))
	{
		planner->plan->token = strdup(dyn_plan_variable(planner, "AWS_CONTAINER_AUTHORIZATION_TOKEN"));
		planner->no_memory = planner->no_memory || planner->plan->token == NULL;
	}
	return DYN_FOUND;
}

/* Of the metadata service: a number of at most `most`; `fallback` where there is none, or less than `least`. */
static double
metadata_number(const DynPlanner *planner, const char *variable, const char *setting, double fallback, double least,
				double most)
{
	const char *text = variable_or_setting(planner, variable, setting);
	double		number = text ? strtod(text, NULL) : 0;

	return number > most ? most : number >= least ? number : fallback;
}

/* The base of the metadata service; NULL, plan broken: what is configured is none. */
static const char *
metadata_url(DynPlanner *planner, DynEndpoint *endpoint)
{
	const char *url = variable_or_setting(planner, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
	const char *mode = variable_or_setting(planner, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
										   "ec2_metadata_service_endpoint_mode");
	const char *why;

	if (url == NULL && mode && dyn_ascii_compare(mode, "ipv4") != 0 && dyn_ascii_compare(mode, "ipv6") != 0)
	{
		dyn_plan_broken(planner, "instance metadata: AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is neither IPv4 nor IPv6");
		return NULL;
	}
	if (url == NULL)
		url = mode && dyn_ascii_compare(mode, "ipv6") == 0 ? METADATA_URL_IPV6 : METADATA_URL;
	if (dyn_endpoint_parse(url, endpoint, &why))
		return endpoint->url;
	dyn_plan_broken(planner, "instance metadata: AWS_EC2_METADATA_SERVICE_ENDPOINT %s", why);
	return NULL;
}

DynFinding
dyn_plan_metadata(DynPlanner *planner)
{
	DynEndpoint endpoint;
	const char *url;

	if (is_true(dyn_plan_variable(planner, "AWS_EC2_METADATA_DISABLED")))
	{
		dyn_key_plan_looked(planner->plan, "instance metadata: switched off by AWS_EC2_METADATA_DISABLED");
		return DYN_NOT_HERE;
	}
	url = metadata_url(planner, &endpoint);
	if (url == NULL)
		return DYN_BROKEN;
	planner->plan->base = DYN_BASE_METADATA;
	planner->plan->source = "instance metadata";
	planner->plan->url = dyn_plan_keep(planner, url);
	planner->plan->timeout_s = metadata_number(planner, "AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout",
											   METADATA_TIMEOUT_S, METADATA_MIN_TIMEOUT_S, METADATA_MAX_TIMEOUT_S);
	planner->plan->attempts = (int) metadata_number(planner, "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
													"metadata_service_num_attempts", METADATA_ATTEMPTS,
													1, METADATA_MAX_ATTEMPTS);
	return DYN_FOUND;
}

/* ---- the whole ---- */

/* Keys that the wish brings along. */
static DynFinding
plan_own_keys(DynPlanner *planner)
{
	const DynKeyWish *wish = planner->wish;

	planner->plan->base = DYN_BASE_KEYS;
	planner->plan->source = "user mapping";
	return dyn_keys_make(&planner->plan->keys, wish->access_key_id, wish->secret_access_key, wish->session_token,
						 DYN_KEYS_FOREVER, planner->status) ? DYN_FOUND : DYN_BROKEN;
}

/* The process's own: the first source that is configured. */
static DynFinding
plan_chain(DynPlanner *planner)
{
	static DynFinding (*const sources[]) (DynPlanner *) = {
		plan_environment_unless_asked, dyn_plan_role, plan_web_identity, refuse_sso, plan_credentials_file,
		refuse_login, refuse_process, plan_config_file, stop_at_profile, dyn_plan_container, dyn_plan_metadata
	};
	DynFinding	finding = DYN_NOT_HERE;
	const char *looked;

	if (!dyn_plan_read_files(planner))
		return DYN_BROKEN;
	for (size_t i = 0; finding == DYN_NOT_HERE && i < sizeof(sources) / sizeof(sources[0]); i++)
		finding = sources[i] (planner);
	if (finding != DYN_NOT_HERE)
		return finding;
	looked = dyn_buf_cstr(&planner->plan->looked);
	dyn_status_hint(planner->status, "Looked for in: %s.", looked ? looked : "");
	return dyn_plan_broken(planner, "no credentials were found");
}

/* Where STS is asked, unless it is the region's own. */
static const char *
find_sts_url(const DynPlanner *planner)
{
	const char *services = dyn_plan_setting(planner, "services");
	const char *url = planner->wish->sts_url;

	if (url || is_true(dyn_plan_variable(planner, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")))
		return url;
	url = dyn_plan_variable(planner, "AWS_ENDPOINT_URL_STS");
	if (url == NULL)
		url = dyn_plan_variable(planner, "AWS_ENDPOINT_URL");
	if (url || is_true(dyn_plan_setting(planner, "ignore_configured_endpoint_urls")))
		return url;
	if (services)
		url = dyn_profiles_service_setting(&planner->profiles, services, "sts", "endpoint_url");
	return url ? url : dyn_plan_setting(planner, "endpoint_url");
}

/* Adds what is the same whatever the source: the wish's role, and where STS is. */
static DynFinding
complete_plan(DynPlanner *planner)
{
	DynKeyPlan *plan = planner->plan;
	const char *url = find_sts_url(planner);
	DynEndpoint endpoint;
	const char *why;

	if (planner->wish->role.role_arn)
	{
		if (plan->nroles == DYN_PLAN_MAX_ROLES)
			return dyn_plan_broken(planner, "more than %d roles are assumed one over the other", DYN_PLAN_MAX_ROLES);
		plan->roles[plan->nroles++] = dyn_plan_keep_role(planner, &planner->wish->role);
	}
	if (url && !dyn_endpoint_parse(url, &endpoint, &why))
		return dyn_plan_broken(planner, "the endpoint URL of STS (AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, or of a profile) %s", why);
	plan->sts_url = url ? dyn_plan_keep(planner, endpoint.url) : NULL;
	return DYN_FOUND;
}

bool
dyn_key_plan_make(DynKeyPlan *plan, const DynKeyWish *wish, const DynSurroundings *surroundings, DynStatus *status)
{
	DynPlanner	planner = {.wish = wish, .surroundings = surroundings, .plan = plan, .status = status};
	DynFinding	finding;

	memset(plan, 0, sizeof(*plan));
	dyn_status_clear(status);
	planner.asked = wish->profile != NULL;
	finding = wish->access_key_id ? plan_own_keys(&planner) : plan_chain(&planner);
	if (finding == DYN_FOUND)
		finding = complete_plan(&planner);
	dyn_profiles_free(&planner.profiles);
	if (planner.no_memory || plan->looked.failed)
	{
		dyn_status_clear(status);
		return dyn_status_no_memory(status);
	}
	return finding == DYN_FOUND;
}

void
dyn_key_plan_free(DynKeyPlan *plan)
{
	dyn_keys_free(&plan->keys);
	dyn_wipe_and_free(plan->token);
	dyn_buf_free(&plan->looked);
	dyn_arena_free(&plan->texts);
	memset(plan, 0, sizeof(*plan));
}
