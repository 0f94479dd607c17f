/*
 * key_roles.c
 *	  Roles of profiles: what is assumed over what.
 */
#include "core/key_plan_private.h"

#include <stdlib.h>
#include <string.h>

/* The profiles on the way from the one that counts to the keys. */
typedef struct Way
{
	DynPlanner *planner;
	const char *names[DYN_PLAN_MAX_ROLES];
	DynAssumeRole roles[DYN_PLAN_MAX_ROLES];	/* of these profiles: the last is assumed first */
	int			n;
} Way;

/* A setting of any profile; NULL: not set, or empty. */
static const char *
setting_of(const DynProfile *profile, const char *name)
{
	const char *value = dyn_profile_setting(profile, name);

	return value && value[0] ? value : NULL;
}

/* The plan is broken by this profile. */
static DynFinding
broken_profile(DynPlanner *planner, const DynProfile *profile, const char *name, const char *what)
{
	char		place[300];

	dyn_plan_place(profile, name, place, sizeof(place));
	return dyn_plan_broken(planner, "%s %s", place, what);
}

/* Has the profile any key?  Then they must be whole. */
static bool
has_keys(const DynProfile *profile)
{
	return setting_of(profile, "aws_access_key_id") || setting_of(profile, "aws_secret_access_key");
}

/* Keys of a source profile, which may stand in either file, or in both. */
static DynFinding
keys_of_profile(DynPlanner *planner, const DynProfile *profile, const char *name)
{
	DynStatus	fault = {0};

	planner->plan->base = DYN_BASE_KEYS;
	if (dyn_keys_make(&planner->plan->keys, setting_of(profile, "aws_access_key_id"),
					  setting_of(profile, "aws_secret_access_key"), setting_of(profile, "aws_session_token"),
					  DYN_KEYS_FOREVER, &fault))
		return DYN_FOUND;
	return broken_profile(planner, profile, name, fault.message);
}

/* The source that `credential_source` names. */
static DynFinding
named_source(DynPlanner *planner, const DynProfile *profile, const char *name, const char *source)
{
	DynFinding	finding;

	if (strcmp(source, "Environment") == 0)
		finding = dyn_plan_environment(planner);
	else if (strcmp(source, "EcsContainer") == 0)
		finding = dyn_plan_container(planner);
	else if (strcmp(source, "Ec2InstanceMetadata") == 0)
		finding = dyn_plan_metadata(planner);
	else
		return broken_profile(planner, profile, name, "has a \"credential_source\" that is not Environment, EcsContainer or Ec2InstanceMetadata");
	if (finding != DYN_NOT_HERE)
		return finding;
	return broken_profile(planner, profile, name, "has a \"credential_source\" that holds no credentials");
}

/* Adds the profile's role to the way. */
static DynFinding
add_role(Way *way, const DynProfile *profile, const char *name)
{
	const char *duration = setting_of(profile, "duration_seconds");
	char	   *end = NULL;
	long		seconds = duration ? strtol(duration, &end, 10) : 0;
	DynAssumeRole role = {0};

	if (setting_of(profile, "mfa_serial"))
	{
		dyn_status_hint(way->planner->status, "Let the role's trust policy do without a second factor for this server, or use keys that a program of yours refreshes in the credentials file.");
		return broken_profile(way->planner, profile, name, "has \"mfa_serial\": nobody can answer for a server");
	}
	if (way->n == DYN_PLAN_MAX_ROLES)
		return broken_profile(way->planner, profile, name, "is one role too many over the others");
	role.role_arn = setting_of(profile, "role_arn");
	role.external_id = setting_of(profile, "external_id");
	role.session_name = setting_of(profile, "role_session_name");
	if (!dyn_role_arn_valid(role.role_arn))
		return broken_profile(way->planner, profile, name, "has a \"role_arn\" that is none");
	if (role.external_id && !dyn_external_id_valid(role.external_id))
		return broken_profile(way->planner, profile, name, "has an \"external_id\" that is none");
	if (role.session_name && !dyn_role_session_name_valid(role.session_name))
		return broken_profile(way->planner, profile, name, "has a \"role_session_name\" that is none");
	/* as botocore does: what is no number counts as not there; AWS judges the others */
	if (duration && *end == '\0' && seconds > 0 && seconds <= 1000000)
		role.duration_seconds = (int) seconds;
	way->names[way->n] = name;
	way->roles[way->n++] = role;
	return DYN_FOUND;
}

static bool
on_the_way(const Way *way, const char *name)
{
	for (int i = 0; i < way->n; i++)
		if (strcmp(way->names[i], name) == 0)
			return true;
	return false;
}

/*
 * Goes from a profile with a role to its source profile.  DYN_NOT_HERE: that
 * has a role itself, and is *profile now.
 */
static DynFinding
go_to_source(Way *way, const DynProfile **profile, const char **name, const char *source_name)
{
	DynPlanner *planner = way->planner;
	const DynProfile *source = dyn_profiles_find(&planner->profiles, source_name);

	if (source == NULL)
		return broken_profile(planner, *profile, *name, "has a \"source_profile\" that does not exist");
	/* a profile may name itself, if it has keys to begin with */
	if (on_the_way(way, source_name) && !(strcmp(source_name, *name) == 0 && has_keys(source)))
		return broken_profile(planner, *profile, *name, "has a \"source_profile\" that leads back to it: a loop");
	*profile = source;
	*name = source_name;
	if (has_keys(source))
		return keys_of_profile(planner, source, source_name);
	if (setting_of(source, "web_identity_token_file"))
		return dyn_plan_web_identity(planner, source, source_name, false);
	if (setting_of(source, "role_arn"))
		return DYN_NOT_HERE;
	return broken_profile(planner, source, source_name, "is a \"source_profile\", and holds no keys, role or web identity");
}

/* Follows the profiles to where the keys are. */
static DynFinding
follow(Way *way, const DynProfile *profile, const char *name)
{
	DynFinding	finding = DYN_NOT_HERE;

	while (finding == DYN_NOT_HERE)
	{
		const char *source_profile = setting_of(profile, "source_profile");
		const char *source = setting_of(profile, "credential_source");

		if (add_role(way, profile, name) == DYN_BROKEN)
			return DYN_BROKEN;
		if (source_profile && source)
			return broken_profile(way->planner, profile, name, "has both \"source_profile\" and \"credential_source\"");
		if (source)
			return named_source(way->planner, profile, name, source);
		if (source_profile == NULL)
			return broken_profile(way->planner, profile, name, "has a \"role_arn\", but neither \"source_profile\" nor \"credential_source\"");
		finding = go_to_source(way, &profile, &name, source_profile);
	}
	return finding;
}

DynFinding
dyn_plan_role(DynPlanner *planner)
{
	Way			way = {.planner = planner};
	DynKeyPlan *plan = planner->plan;
	DynFinding	finding;

	if (dyn_plan_setting(planner, "role_arn") == NULL || dyn_plan_setting(planner, "web_identity_token_file"))
		return DYN_NOT_HERE;
	finding = follow(&way, planner->profile, plan->profile);
	plan->source = "role of a profile";
	plan->of_profile = true;
	while (way.n > 0)
		plan->roles[plan->nroles++] = dyn_plan_keep_role(planner, &way.roles[--way.n]);
	return finding;
}
