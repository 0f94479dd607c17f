/*
 * key_plan.c
 *	  Where AWS access keys come from: the order of the sources.
 */
#include "core/key_plan_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/ascii.h"
#include "core/endpoint.h"
#include "core/wipe.h"

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

bool
dyn_plan_is_true(const char *value)
{
	return value && dyn_ascii_compare(value, "true") == 0;
}

DynFinding
dyn_plan_broken(DynPlanner *planner, const char *fmt, ...)
{
	va_list		args;

	va_start(args, fmt);
	dyn_status_vset(planner->status, DYN_NO_CREDENTIALS, fmt, args);
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

/* First of all, unless a profile was asked for: who does that doesn't want these. */
static DynFinding
plan_environment_unless_asked(DynPlanner *planner)
{
	if (!planner->asked)
		return dyn_plan_environment(planner);
	dyn_key_plan_looked(planner->plan, "environment: not used, since a profile is named");
	return DYN_NOT_HERE;
}

/* Of the profile, whatever the environment adds to it. */
static DynFinding
plan_web_identity(DynPlanner *planner)
{
	return dyn_plan_web_identity(planner, planner->profile, planner->plan->profile, !planner->asked);
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

	if (url || dyn_plan_is_true(dyn_plan_variable(planner, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")))
		return url;
	url = dyn_plan_variable(planner, "AWS_ENDPOINT_URL_STS");
	if (url == NULL)
		url = dyn_plan_variable(planner, "AWS_ENDPOINT_URL");
	if (url || dyn_plan_is_true(dyn_plan_setting(planner, "ignore_configured_endpoint_urls")))
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
	char		place[300];

	if (planner->wish->role.role_arn)
	{
		if (plan->nroles == DYN_PLAN_MAX_ROLES)
			return dyn_plan_broken(planner, "more than %d roles are assumed one over the other", DYN_PLAN_MAX_ROLES);
		plan->roles[plan->nroles++] = dyn_plan_keep_role(planner, &planner->wish->role);
	}
	if (url && !dyn_endpoint_parse(url, &endpoint, &why))
	{
		dyn_plan_place(planner->profile, plan->profile, place, sizeof(place));
		return dyn_plan_broken(planner, "the endpoint URL of STS (AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, or of %s) %s",
							   place, why);
	}
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
