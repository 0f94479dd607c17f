/*
 * profiles.h
 *	  AWS's shared files, config and credentials, as data: which profiles they
 *	  have, and what is set there.
 *
 * The texts are handed in: no file is read here.  The grammar is the one that
 * AWS's SDKs share.  botocore's is another one in places, and where it is, it
 * does not count: it keeps a comment after a value, refuses what is said twice,
 * and takes `name : value`, quoted names and indented first settings.
 */
#ifndef DYN_PROFILES_H
#define DYN_PROFILES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/status.h"

typedef enum DynSharedFile
{
	DYN_CONFIG_FILE,
	DYN_CREDENTIALS_FILE
} DynSharedFile;

/* What both files say of a profile; lives as long as the DynProfiles that it is of. */
typedef struct DynProfile DynProfile;

struct DynSharedText;

/* A zeroed DynProfiles is valid and empty. It holds secrets: dyn_profiles_free() is a must. */
typedef struct DynProfiles
{
	DynArena	arena;			/* sections and settings, without their texts */
	DynProfile *sections;		/* the newest first */
	struct DynSharedText *texts;	/* all names and values */
} DynProfiles;

/*
 * Adds the text of a file, each file once, in any order.  False, `status` set,
 * and `profiles` as they were: the text does not parse (DYN_NO_CREDENTIALS; the
 * message is "PATH, line N: what is wrong" and quotes nothing of the text), or no
 * memory.  Whoever reads the file bounds its size; the time is linear in it.
 */
extern bool dyn_profiles_add(DynProfiles *profiles, DynSharedFile file, const char *path, const char *text, size_t len,
							 DynStatus *status);

/*
 * A profile of the files added so far; NULL: none has that name.  A name is
 * letters, digits and any of "_-./%@:+" (a section with another one is skipped);
 * case matters.
 */
extern const DynProfile *dyn_profiles_find(const DynProfiles *profiles, const char *name);

/*
 * The value of a setting, whose name ignores case; NULL: it is not set.  What the
 * credentials file says wins over config, even "".  Lines of a continued value
 * are joined by '\n'; a setting that holds sub-settings is "".
 */
extern const char *dyn_profile_setting(const DynProfile *profile, const char *name);

/* The same, of one file alone. */
extern const char *dyn_profile_setting_in(const DynProfile *profile, DynSharedFile file, const char *name);

/*
 * A sub-setting of the section [services NAME] of config, such as `endpoint_url`
 * in an indented line below `sts =`; NULL: it is not set.
 */
extern const char *dyn_profiles_service_setting(const DynProfiles *profiles, const char *services, const char *service,
												const char *setting);

/* For messages: where a file's first section of the profile begins. False: that file has none. */
extern bool dyn_profile_place(const DynProfile *profile, DynSharedFile file, const char **path, int *line);

/* Overwrites all that the files said, and frees it: `profiles` are empty afterwards. */
extern void dyn_profiles_free(DynProfiles *profiles);

#endif							/* DYN_PROFILES_H */
