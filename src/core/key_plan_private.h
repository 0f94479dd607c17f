/*
 * key_plan_private.h
 *	  What key_plan.c (the order of the sources), key_environment.c (sources that
 *	  the environment names), key_files.c (the shared files) and key_roles.c
 *	  (roles of profiles) share; for nobody else.
 */
#ifndef DYN_KEY_PLAN_PRIVATE_H
#define DYN_KEY_PLAN_PRIVATE_H

#include "core/key_plan.h"
#include "core/profiles.h"

/* What a source has to say. */
typedef enum DynFinding
{
	DYN_FOUND,					/* the plan is complete */
	DYN_NOT_HERE,				/* it is not configured: the next one */
	DYN_BROKEN					/* it is, and wrongly; the planner's status is set */
} DynFinding;

typedef struct DynPlanner
{
	const DynKeyWish *wish;
	const DynSurroundings *surroundings;
	DynKeyPlan *plan;
	DynProfiles profiles;
	const char *paths[2];		/* of the shared files, by DynSharedFile */
	DynFileResult results[2];	/* of reading them */
	const DynProfile *profile;	/* NULL: there is none */
	bool		asked;			/* for this profile, by the wish: the environment's keys don't count then */
	bool		no_memory;
	DynStatus  *status;
} DynPlanner;

/* A variable of the environment; NULL: it is not set, or empty. */
extern const char *dyn_plan_variable(const DynPlanner *planner, const char *name);

/* A setting of the profile; NULL: it is not set, or there is no profile. */
extern const char *dyn_plan_setting(const DynPlanner *planner, const char *name);

/* A switch is on by "true" in any case, and by nothing else; NULL: it is off. */
extern bool dyn_plan_is_true(const char *value);

/* The plan is broken; the words are printf style. */
extern DynFinding dyn_plan_broken(DynPlanner *planner, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A copy of a text that lives as long as the plan; NULL of NULL, and where memory runs out (`no_memory`). */
extern const char *dyn_plan_keep(DynPlanner *planner, const char *text);

/* The same of a role, with the wish's session name where it has none. */
extern DynAssumeRole dyn_plan_keep_role(DynPlanner *planner, const DynAssumeRole *role);

/* ---- key_environment.c ---- */

/* Base sources that a role's credential_source can name as well. */
extern DynFinding dyn_plan_environment(DynPlanner *planner);
extern DynFinding dyn_plan_container(DynPlanner *planner);
extern DynFinding dyn_plan_metadata(DynPlanner *planner);

/* Keys for a token, as profile `from`, of that name, says, or with `variables` the environment before it. */
extern DynFinding dyn_plan_web_identity(DynPlanner *planner, const DynProfile *from, const char *name, bool variables);

/* ---- key_files.c ---- */

/* Reads the shared files and finds the profile; false, `status` set: one of them is wrong, or the profile is missing. */
extern bool dyn_plan_read_files(DynPlanner *planner);

/* Keys that stand in the profile's section of one of the files. */
extern DynFinding dyn_plan_file(DynPlanner *planner, DynSharedFile file);

/* The profile for messages: `profile "x" (PATH, line N)`. */
extern void dyn_plan_place(const DynProfile *profile, const char *name, char *out, size_t size);

/* ---- key_roles.c ---- */

/* The profile's role, over what its source_profile or credential_source says. */
extern DynFinding dyn_plan_role(DynPlanner *planner);

#endif							/* DYN_KEY_PLAN_PRIVATE_H */
