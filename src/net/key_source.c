/*
 * key_source.c
 *	  The AWS access keys of an identity, kept fresh: when they are fetched, and
 *	  how long those that are there may be used.
 */
#include "net/key_source.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/wipe.h"

/* Sources that nobody uses are kept up to this number, so that a session's next client needn't ask again. */
#define UNUSED_SOURCES 8

/* Keys are refreshed so long before their end, less a random part, so that sessions don't all do it at once. */
#define REFRESH_AHEAD_S (15 * 60)
#define REFRESH_SPREAD_S (5 * 60)

/* But not before this part of the time that they had left when they came has passed. */
#define REFRESH_NOT_BEFORE 0.25

/* After a refresh that failed; sooner where the keys end sooner. */
#define REFRESH_RETRY_S 60

/* Keys of the metadata service are good beyond their end while it is impaired; it is asked again after so long. */
#define STABLE_RETRY_S (5 * 60)
#define STABLE_RETRY_SPREAD_S (10 * 60)

/* Without keys that can be used, calls within this time after a failure fail as it did, and don't ask again. */
#define FAILURE_MS 1000.0

struct DynKeySource
{
	DynKeySource *next;			/* of all */
	int			users;
	uint64_t	used;			/* grows: which was used last */
	DynKeyFetchConfig config;	/* the texts are the source's own */
	DynClock	clock;
	DynKeys		keys;
	uint64_t	serial;			/* of the keys; 0: there were none yet */
	bool		fixed;			/* the wish's own keys, which never change */
	bool		stable;			/* they are good beyond their end, where no others are to be had */
	bool		refused;		/* by the service: they are not to be used until they are fetched again */
	DynKeyFetch *fetch;			/* running, or done and not looked at */
	int64_t		asked_at;		/* epoch seconds: when it began */
	int64_t		tried_at;		/* the same of the last one that is over */
	bool		overslept;		/* the last one's keys had ended before anybody looked at them */
	int64_t		refresh_at;		/* epoch seconds */
	DynStatus	failure;		/* of the last fetch; DYN_OK: it was a success */
	double		failed_ms;		/* when */
	bool		warned;			/* of this run of failures */
	bool		warning;		/* to be taken */
	/* of the keys */
	const char *source;
	char	   *profile;
	char	   *role_arn;
};

static DynKeySource *sources = NULL;
static uint64_t uses = 0;

/* ---- copies ---- */

/* The texts of a config, for what is the same with each. */
static const size_t config_texts[] = {
	offsetof(DynKeyFetchConfig, wish.access_key_id),
	offsetof(DynKeyFetchConfig, wish.secret_access_key),
	offsetof(DynKeyFetchConfig, wish.session_token),
	offsetof(DynKeyFetchConfig, wish.profile),
	offsetof(DynKeyFetchConfig, wish.role.role_arn),
	offsetof(DynKeyFetchConfig, wish.role.session_name),
	offsetof(DynKeyFetchConfig, wish.role.external_id),
	offsetof(DynKeyFetchConfig, wish.session_name),
	offsetof(DynKeyFetchConfig, wish.sts_url),
	offsetof(DynKeyFetchConfig, region),
	offsetof(DynKeyFetchConfig, ca_bundle),
};

#define CONFIG_TEXTS (sizeof(config_texts) / sizeof(config_texts[0]))

static const char **
config_text(DynKeyFetchConfig *config, size_t i)
{
	return (const char **) ((char *) config + config_texts[i]);
}

/* Secrets among them are wiped. */
static void
free_config_texts(DynKeyFetchConfig *config)
{
	for (size_t i = 0; i < CONFIG_TEXTS; i++)
	{
		const char **text = config_text(config, i);

		dyn_wipe_and_free((char *) *text);
		*text = NULL;
	}
}

/* False: no memory, and nothing is copied. */
static bool
copy_config_texts(DynKeyFetchConfig *config)
{
	bool		done = true;

	for (size_t i = 0; i < CONFIG_TEXTS; i++)
	{
		const char **text = config_text(config, i);

		if (*text)
		{
			*text = strdup(*text);
			done = done && *text;
		}
	}
	if (!done)
		free_config_texts(config);
	return done;
}

/* Would both give the same keys, by the same ways? */
static bool
same_config(const DynKeyFetchConfig *a, const DynKeyFetchConfig *b)
{
	for (size_t i = 0; i < CONFIG_TEXTS; i++)
	{
		const char *of_a = *config_text((DynKeyFetchConfig *) a, i);
		const char *of_b = *config_text((DynKeyFetchConfig *) b, i);

		if (of_a && of_b ? strcmp(of_a, of_b) != 0 : of_a != of_b)
			return false;
	}
	return a->wish.role.duration_seconds == b->wish.role.duration_seconds && a->fips == b->fips &&
		a->dualstack == b->dualstack && a->no_proxy == b->no_proxy && a->surroundings == b->surroundings;
}

/* ---- keys ---- */

static int64_t
source_now_s(const DynKeySource *source)
{
	return dyn_clock_wall_s(&source->clock);
}

/* A random part of `seconds`. */
static int64_t
part_of(DynKeySource *source, int64_t seconds)
{
	return (int64_t) (dyn_clock_chance(&source->clock) * seconds);
}

/* When keys that came now are to be fetched again. */
static int64_t
refresh_time(DynKeySource *source)
{
	int64_t		now = source_now_s(source);
	int64_t		left = source->keys.expires - now;
	int64_t		wait = left - REFRESH_AHEAD_S + part_of(source, REFRESH_SPREAD_S);

	if (source->keys.expires == DYN_KEYS_FOREVER)
		return DYN_KEYS_FOREVER;
	if (left <= 0)
		return now + STABLE_RETRY_S + part_of(source, STABLE_RETRY_SPREAD_S);
	return now + (wait > left * REFRESH_NOT_BEFORE ? wait : (int64_t) (left * REFRESH_NOT_BEFORE));
}

/* When to try again after a refresh that failed, the old keys being good still. */
static int64_t
retry_time(DynKeySource *source)
{
	int64_t		now = source_now_s(source);
	int64_t		left = source->keys.expires - now;

	if (left <= 0)
		return now + STABLE_RETRY_S + part_of(source, STABLE_RETRY_SPREAD_S);
	return now + (left / 4 < REFRESH_RETRY_S ? left / 4 + 1 : REFRESH_RETRY_S);
}

/* May the keys that are there be used? */
static bool
keys_are_good(const DynKeySource *source)
{
	return source->keys.access_key_id && !source->refused &&
		(source->keys.expires > source_now_s(source) ||
		 (source->stable && source->tried_at >= source->keys.expires));
}

/* NULL stays NULL; a description that finds no memory is left out. */
static void
replace_text(char **text, const char *by)
{
	free(*text);
	*text = by ? strdup(by) : NULL;
}

/* Of the metadata service, whose keys are good beyond their end; those of a role over them are not. */
static bool
are_stable(const DynKeyPlan *plan)
{
	return plan->base == DYN_BASE_METADATA && plan->nroles == 0;
}

/* The last failure says nothing of what comes now; a warning of it that nobody took is void. */
static void
forget_failure(DynKeySource *source)
{
	dyn_status_clear(&source->failure);
	source->warning = false;
}

/* Takes over the keys of a fetch. */
static void
adopt_keys(DynKeySource *source, DynKeys *keys)
{
	const DynKeyPlan *plan = dyn_key_fetch_plan(source->fetch);

	/* those that were refused and are the same are new ones, too: calls still in flight with them needn't ask again */
	if (source->refused || !dyn_keys_equal(keys, &source->keys))
		source->serial++;
	dyn_keys_free(&source->keys);
	source->keys = *keys;
	memset(keys, 0, sizeof(*keys));
	source->stable = are_stable(plan);
	source->refused = false;
	source->warned = false;
	source->source = plan->source;
	replace_text(&source->profile, plan->of_profile ? plan->profile : NULL);
	replace_text(&source->role_arn, plan->nroles > 0 ? plan->roles[plan->nroles - 1].role_arn :
				 plan->base == DYN_BASE_WEB_IDENTITY ? plan->web_identity.role_arn : NULL);
	source->refresh_at = refresh_time(source);
}

/* Keys that have ended before they came are none, but for those of the metadata service. */
static bool
came_too_late(const DynKeySource *source, const DynKeys *keys, DynStatus *status)
{
	const DynKeyPlan *plan = dyn_key_fetch_plan(source->fetch);

	if (keys->expires > source_now_s(source) || are_stable(plan))
		return false;
	dyn_status_clear(status);
	dyn_status_set(status, DYN_NO_CREDENTIALS, "%s: the credentials have expired", plan->source);
	return true;
}

/*
 * Were keys good when they were asked for?  A session that falls idle meanwhile
 * reads the answer much later: it asks again, but not for ever.
 */
static bool
have_overslept(DynKeySource *source, const DynKeys *keys)
{
	source->overslept = !source->overslept && keys && keys->expires > source->asked_at &&
		keys->expires <= source_now_s(source);
	return source->overslept;
}

/* Looks at a fetch that is done. */
static void
settle_fetch(DynKeySource *source)
{
	DynStatus	status = {0};
	DynKeys    *keys;

	if (source->fetch == NULL || !dyn_key_fetch_done(source->fetch))
		return;
	source->tried_at = source->asked_at;
	keys = dyn_key_fetch_keys(source->fetch, &status);
	if (have_overslept(source, keys))
	{
		forget_failure(source);
		source->refresh_at = source_now_s(source);
	}
	else if (keys && !came_too_late(source, keys, &status))
	{
		adopt_keys(source, keys);
		forget_failure(source);
	}
	else
	{
		source->failure = status;
		/* nobody may have looked for long, and a failure of then is none of now */
		source->failed_ms = dyn_key_fetch_ended_ms(source->fetch);
		source->refresh_at = retry_time(source);
		source->warning = source->warning || (!source->warned && keys_are_good(source));
		source->warned = true;
	}
	dyn_key_fetch_free(source->fetch);
	source->fetch = NULL;
}

/* Starts a fetch, if none runs; it may be done at once. */
static void
begin_fetch(DynKeySource *source)
{
	if (source->fetch)
		return;
	source->asked_at = source_now_s(source);
	source->fetch = dyn_key_fetch_start(&source->config);
	if (source->fetch == NULL)
	{
		dyn_status_clear(&source->failure);
		dyn_status_no_memory(&source->failure);
		source->failed_ms = dyn_clock_now_ms(&source->clock);
	}
	settle_fetch(source);
}

/* Is it time to ask for keys, whether or not those that are there are good? */
static bool
is_due(const DynKeySource *source, bool good)
{
	if (good)
		return source_now_s(source) >= source->refresh_at;
	return source->failure.cls == DYN_OK || (source->stable && !source->refused) ||
		dyn_clock_now_ms(&source->clock) - source->failed_ms >= FAILURE_MS;
}

DynKeyState
dyn_key_source_keys(DynKeySource *source, const DynKeys **keys, uint64_t *serial, DynStatus *status)
{
	bool		good;

	settle_fetch(source);
	good = keys_are_good(source);
	if (is_due(source, good))
	{
		begin_fetch(source);
		good = keys_are_good(source);
	}
	*keys = &source->keys;
	*serial = source->serial;
	if (good)
		return DYN_KEYS_READY;
	if (source->fetch)
		return DYN_KEYS_WAIT;
	*status = source->failure;
	/* the clock goes on while it is looked at: they ended just now, and no fetch failed */
	if (status->cls == DYN_OK)
		dyn_status_set(status, DYN_NO_CREDENTIALS, "the credentials expired the moment they came");
	return DYN_KEYS_NONE;
}

bool
dyn_key_source_waiting(const DynKeySource *source)
{
	return source->fetch && !dyn_key_fetch_done(source->fetch) && !keys_are_good(source);
}

bool
dyn_key_source_refused(DynKeySource *source, uint64_t serial)
{
	if (source->fixed)
		return false;
	if (serial == source->serial)
	{
		source->refused = true;
		forget_failure(source);
	}
	return true;
}

/* ---- for users ---- */

void
dyn_key_source_describe(const DynKeySource *source, DynKeyDescription *description)
{
	description->source = source->source ? source->source : "";
	description->profile = source->profile;
	description->role_arn = source->role_arn;
	description->access_key_id = source->keys.access_key_id;
	description->expires = source->keys.expires;
}

/* Those of the mapping itself need no word: what the class of the failure says is about them. */
static bool
are_of_mapping(const DynKeyDescription *keys)
{
	return strcmp(keys->source, "user mapping") == 0 && keys->role_arn == NULL;
}

void
dyn_key_source_name(const DynKeySource *source, DynStatus *status)
{
	DynKeyDescription keys;

	dyn_key_source_describe(source, &keys);
	if (are_of_mapping(&keys))
		return;
	dyn_status_hint(status, "The credentials come from: %s%s%.60s%s%.200s. Check them, the server's \"region\", and this machine's clock.",
					keys.source, keys.profile ? ", profile " : "", keys.profile ? keys.profile : "",
					keys.role_arn ? ", role " : "", keys.role_arn ? keys.role_arn : "");
}

bool
dyn_key_source_take_warning(DynStatus *status)
{
	for (DynKeySource *source = sources; source; source = source->next)
		if (source->warning)
		{
			source->warning = false;
			*status = source->failure;
			return true;
		}
	return false;
}

/* ---- sources ---- */

/* Wipes what is secret. */
static void
free_source(DynKeySource *source)
{
	DynKeySource **link = &sources;

	while (*link != source)
		link = &(*link)->next;
	*link = source->next;
	dyn_key_fetch_free(source->fetch);
	dyn_keys_free(&source->keys);
	free_config_texts(&source->config);
	free(source->profile);
	free(source->role_arn);
	free(source);
}

/* Frees the one that was used the longest time ago, of those that nobody uses, if there are too many. */
static void
trim_sources(void)
{
	DynKeySource *oldest = NULL;
	int			n = 0;

	for (DynKeySource *source = sources; source; source = source->next)
		if (source->users == 0)
		{
			n++;
			if (oldest == NULL || source->used < oldest->used)
				oldest = source;
		}
	if (n > UNUSED_SOURCES)
		free_source(oldest);
}

/* A new one without users, in the list; NULL: no memory. */
static DynKeySource *
new_source(const DynKeyFetchConfig *config, DynStatus *status)
{
	DynKeySource *source = calloc(1, sizeof(*source));

	if (source == NULL)
	{
		dyn_status_no_memory(status);
		return NULL;
	}
	source->config = *config;
	source->clock = *config->clock;
	source->config.clock = &source->clock;
	if (!copy_config_texts(&source->config))
	{
		free(source);
		dyn_status_no_memory(status);
		return NULL;
	}
	dyn_clock_init(&source->clock);
	source->fixed = config->wish.access_key_id && config->wish.role.role_arn == NULL;
	source->next = sources;
	sources = source;
	return source;
}

DynKeySource *
dyn_key_source_get(const DynKeyFetchConfig *config, DynStatus *status)
{
	DynKeySource *source = sources;

	while (source && !same_config(&source->config, config))
		source = source->next;
	if (source == NULL)
		source = new_source(config, status);
	if (source)
	{
		source->users++;
		source->used = ++uses;
	}
	return source;
}

DynKeySource *
dyn_key_source_share(DynKeySource *source)
{
	source->users++;
	return source;
}

void
dyn_key_source_release(DynKeySource *source)
{
	if (source == NULL)
		return;
	source->users--;
	if (source->users > 0)
		return;
	/* keys of a mapping come back with it */
	if (source->fixed)
		free_source(source);
	else
		trim_sources();
}
