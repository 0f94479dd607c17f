/*
 * key_files.c
 *	  AWS's shared files: which they are, which profile counts, and the keys in
 *	  its sections.
 *
 * A longer path than 200 bytes would leave no room in messages for what is wrong.
 */
#include "core/key_plan_private.h"

#include <stdio.h>
#include <string.h>

/* Where a file is, and what it is called. */
static const struct
{
	const char *variable;
	const char *usual;			/* in the home directory */
	const char *source;
}			shared_files[] = {
	[DYN_CONFIG_FILE] = {"AWS_CONFIG_FILE", ".aws/config", "config file"},
	[DYN_CREDENTIALS_FILE] = {"AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", "credentials file"},
};

/* ---- paths ---- */

/* Appends what `$NAME` or `${NAME}` stands for, as Python does: itself, where it is not set.  Returns what follows it. */
static const char *
expand_variable(const DynPlanner *planner, const char *p, DynBuf *out)
{
	bool		braces = p[1] == '{';
	const char *start = p + (braces ? 2 : 1);
	size_t		len = strspn(start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	const char *end = start + len + (braces ? 1 : 0);
	char		name[100];
	const char *value;

	if (len == 0 || len >= sizeof(name) || (braces && start[len] != '}'))
	{
		dyn_buf_byte(out, *p);
		return p + 1;
	}
	snprintf(name, sizeof(name), "%.*s", (int) len, start);
	value = planner->surroundings->variable(planner->surroundings->arg, name);
	if (value)
		dyn_buf_str(out, value);
	else
		dyn_buf_add(out, p, end - p);
	return end;
}

/* Appends a path with `~` and variables expanded. */
static void
expand_path(const DynPlanner *planner, const char *path, DynBuf *out)
{
	const char *home = planner->surroundings->home(planner->surroundings->arg);

	if (path[0] == '~' && (path[1] == '/' || path[1] == '\0') && home)
	{
		dyn_buf_str(out, home);
		path++;
	}
	while (*path)
	{
		if (*path == '$')
			path = expand_variable(planner, path, out);
		else
			dyn_buf_byte(out, *path++);
	}
}

/* The path of a shared file; NULL: there is no home directory to look for it, or no memory. */
static const char *
find_path(DynPlanner *planner, DynSharedFile file)
{
	const char *told = dyn_plan_variable(planner, shared_files[file].variable);
	const char *home = planner->surroundings->home(planner->surroundings->arg);
	const char *path = NULL;
	DynBuf		buf = {0};

	if (told)
		expand_path(planner, told, &buf);
	else if (home)
	{
		dyn_buf_str(&buf, home);
		dyn_buf_byte(&buf, '/');
		dyn_buf_str(&buf, shared_files[file].usual);
	}
	if (told || home)
		path = dyn_plan_keep(planner, dyn_buf_cstr(&buf));
	planner->no_memory = planner->no_memory || buf.failed;
	dyn_buf_free(&buf);
	return path;
}

/* ---- reading ---- */

static bool
read_shared_file(DynPlanner *planner, DynSharedFile file)
{
	const char *path = planner->paths[file] = find_path(planner, file);
	const DynSurroundings *surroundings = planner->surroundings;
	DynFileResult *result = &planner->results[file];
	DynBuf		text = {0};
	const char *why = "";
	bool		fine = true;

	*result = path ? surroundings->read_file(surroundings->arg, path, &text, &why) : DYN_FILE_MISSING;
	/* a closed home directory is usual where a server is started by another user; a file that was named is wanted */
	if (*result == DYN_FILE_FAILED ||
		(*result == DYN_FILE_CLOSED && dyn_plan_variable(planner, shared_files[file].variable)))
	{
		dyn_plan_broken(planner, "%s %.200s: %s", shared_files[file].source, path, why);
		fine = false;
	}
	else if (*result == DYN_FILE_READ)
		fine = dyn_profiles_add(&planner->profiles, file, path, text.data ? text.data : "", text.len, planner->status);
	planner->no_memory = planner->no_memory || text.failed;
	dyn_buf_wipe(&text);
	return fine;
}

bool
dyn_plan_read_files(DynPlanner *planner)
{
	const char *name = planner->wish->profile;

	if (!read_shared_file(planner, DYN_CONFIG_FILE) || !read_shared_file(planner, DYN_CREDENTIALS_FILE))
		return false;
	if (name == NULL)
		name = dyn_plan_variable(planner, "AWS_PROFILE");
	planner->plan->profile = dyn_plan_keep(planner, name ? name : "default");
	planner->profile = dyn_profiles_find(&planner->profiles, name ? name : "default");
	if (planner->profile || name == NULL || strcmp(name, "default") == 0)
		return true;
	dyn_plan_broken(planner, "profile \"%s\" is in neither of the files %s and %s", name,
					planner->paths[DYN_CREDENTIALS_FILE] ? planner->paths[DYN_CREDENTIALS_FILE] : "(no home directory)",
					planner->paths[DYN_CONFIG_FILE] ? planner->paths[DYN_CONFIG_FILE] : "(no home directory)");
	return false;
}

/* ---- keys ---- */

void
dyn_plan_place(const DynProfile *profile, const char *name, char *out, size_t size)
{
	const char *path;
	int			line;

	if (profile && (dyn_profile_place(profile, DYN_CREDENTIALS_FILE, &path, &line) ||
					dyn_profile_place(profile, DYN_CONFIG_FILE, &path, &line)))
		snprintf(out, size, "profile \"%.60s\" (%.200s, line %d)", name, path, line);
	else
		snprintf(out, size, "profile \"%.60s\"", name);
}

/* Says where no keys are. */
static void
tell_no_keys(DynPlanner *planner, DynSharedFile file)
{
	const char *source = shared_files[file].source;
	const char *path = planner->paths[file];

	if (path == NULL)
		dyn_key_plan_looked(planner->plan, "%s: no home directory", source);
	else if (planner->results[file] == DYN_FILE_CLOSED)
		dyn_key_plan_looked(planner->plan, "%s: %.200s can't be reached", source, path);
	else if (planner->results[file] == DYN_FILE_MISSING)
		dyn_key_plan_looked(planner->plan, "%s: no %.200s", source, path);
	else
		dyn_key_plan_looked(planner->plan, "%s: no keys of profile \"%.60s\" in %.200s", source,
							planner->plan->profile, path);
}

DynFinding
dyn_plan_file(DynPlanner *planner, DynSharedFile file)
{
	const DynProfile *profile = planner->profile;
	const char *id = profile ? dyn_profile_setting_in(profile, file, "aws_access_key_id") : NULL;
	DynStatus	fault = {0};
	const char *path = "";
	int			line = 0;

	if (id == NULL || id[0] == '\0')
	{
		tell_no_keys(planner, file);
		return DYN_NOT_HERE;
	}
	planner->plan->base = DYN_BASE_KEYS;
	planner->plan->source = shared_files[file].source;
	planner->plan->of_profile = true;
	if (dyn_keys_make(&planner->plan->keys, id, dyn_profile_setting_in(profile, file, "aws_secret_access_key"),
					  dyn_profile_setting_in(profile, file, "aws_session_token"), DYN_KEYS_FOREVER, &fault))
		return DYN_FOUND;
	dyn_profile_place(profile, file, &path, &line);
	return dyn_plan_broken(planner, "profile \"%.60s\" (%.200s, line %d): %s", planner->plan->profile,
						   path, line, fault.message);
}
