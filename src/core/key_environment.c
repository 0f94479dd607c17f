/*
 * key_environment.c
 *	  Sources of AWS access keys that the environment names: keys, the token of a
 *	  web identity, a container's service, the instance's metadata.
 */
#include "core/key_plan_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ascii.h"
#include "core/endpoint_rule.h"

#define CONTAINER_URL "http://169.254.170.2"
#define METADATA_URL "http://169.254.169.254"
#define METADATA_URL_IPV6 "http://[fd00:ec2::254]"

#define METADATA_TIMEOUT_S 1.0
#define METADATA_ATTEMPTS 1

/* Of what the environment or a profile may ask for there. */
#define METADATA_MIN_TIMEOUT_S 0.001
#define METADATA_MAX_TIMEOUT_S 10.0
#define METADATA_MAX_ATTEMPTS 10

/* ---- keys, and a token for keys ---- */

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

DynFinding
dyn_plan_web_identity(DynPlanner *planner, const DynProfile *from, const char *name, bool variables)
{
	static const char *const names[][2] = {
		{"AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file"},
		{"AWS_ROLE_ARN", "role_arn"},
		{"AWS_ROLE_SESSION_NAME", "role_session_name"},
	};
	const char *values[3];
	char		place[300];
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
	dyn_plan_place(from, name, place, sizeof(place));
	role.role_arn = values[1];
	role.session_name = values[2] && values[2][0] ? values[2] : NULL;
	if (role.role_arn == NULL || !dyn_role_arn_valid(role.role_arn))
		return dyn_plan_broken(planner, "web identity: there is a token file, but no valid role ARN (%s\"role_arn\" of %s)",
							   variables ? "AWS_ROLE_ARN, or " : "", place);
	if (role.session_name && !dyn_role_session_name_valid(role.session_name))
		return dyn_plan_broken(planner, "web identity: the role session name (%s\"role_session_name\" of %s) is not 2 to 64 letters, digits or \"_+=,.@-\"",
							   variables ? "AWS_ROLE_SESSION_NAME, or " : "", place);
	planner->plan->web_identity = dyn_plan_keep_role(planner, &role);
	return DYN_FOUND;
}

/* ---- a container's service ---- */

/*
 * May a container's service be asked at this endpoint?  Without TLS only where
 * no network is in between; at any port, as AWS's SDKs have it.
 */
static bool
container_host_allowed(const DynEndpoint *endpoint)
{
	return endpoint->tls || endpoint->loopback ||
		dyn_endpoint_matches(endpoint, "169.254.170.2, 169.254.170.23, fd00:ec2::23");
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

/* ---- the instance's metadata ---- */

/* Of the environment or, where that says nothing, of the profile. */
static const char *
variable_or_setting(const DynPlanner *planner, const char *variable, const char *setting)
{
	const char *value = dyn_plan_variable(planner, variable);

	return value ? value : dyn_plan_setting(planner, setting);
}

/* The plan is broken by the value that the former returns: `what` follows the name of the variable or setting. */
static void
broken_variable_or_setting(DynPlanner *planner, const char *variable, const char *setting, const char *what)
{
	char		place[300];

	if (dyn_plan_variable(planner, variable))
	{
		dyn_plan_broken(planner, "instance metadata: %s %s", variable, what);
		return;
	}
	dyn_plan_place(planner->profile, planner->plan->profile, place, sizeof(place));
	dyn_plan_broken(planner, "instance metadata: \"%s\" of %s %s", setting, place, what);
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
	static const char *const of_url[] = {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint"};
	static const char *const of_mode[] = {
		"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode"
	};
	const char *url = variable_or_setting(planner, of_url[0], of_url[1]);
	const char *mode = variable_or_setting(planner, of_mode[0], of_mode[1]);
	const char *why;

	if (url == NULL && mode && dyn_ascii_compare(mode, "ipv4") != 0 && dyn_ascii_compare(mode, "ipv6") != 0)
	{
		broken_variable_or_setting(planner, of_mode[0], of_mode[1], "is neither IPv4 nor IPv6");
		return NULL;
	}
	if (url == NULL)
		url = mode && dyn_ascii_compare(mode, "ipv6") == 0 ? METADATA_URL_IPV6 : METADATA_URL;
	if (dyn_endpoint_parse(url, endpoint, &why))
		return endpoint->url;
	broken_variable_or_setting(planner, of_url[0], of_url[1], why);
	return NULL;
}

DynFinding
dyn_plan_metadata(DynPlanner *planner)
{
	DynEndpoint endpoint;
	const char *url;

	if (dyn_plan_is_true(dyn_plan_variable(planner, "AWS_EC2_METADATA_DISABLED")))
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
