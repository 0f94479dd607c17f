/*
 * keys_scene.h
 *	  A made-up process, for tests of where AWS keys come from: environment,
 *	  files, services that answer, and time that passes as the loop asks for it.
 */
#ifndef DYN_KEYS_SCENE_H
#define DYN_KEYS_SCENE_H

#include "fake_http.h"

#define SCENE_HOME "/home/pg"
#define SCENE_START 1772366400	/* 2026-03-01T12:00:00Z */
#define SCENE_SESSION "dynamo_fdw-4711"

extern const DynSurroundings scene;

/* The wall clock stands still while the loop is driven, as that of a golden case does; scene_begin() lets it go. */
extern bool scene_clock_stands;

/* Nothing is set, no file is there, no request was sent; it is SCENE_START, and nothing is left to chance. */
extern void scene_begin(void);

/* Sets a variable or a file; NULL: removes it.  `$HOME` in a file stands for SCENE_HOME. */
extern void scene_variable(const char *name, const char *value);
extern void scene_file(const char *path, const char *text);

/* A file that is there and can't be read. */
extern void scene_closed_file(const char *path);

/* What lies there can't be reached; NULL: all can. */
extern const char *scene_closed_folder;

/* Files read so far, missing ones too. */
extern int	scene_reads;

/*
 * From now on the script answers what has this method and URL, by the first rule
 * for it; "" for any.  With `times` over 0 the rule serves so many requests only.
 * The body is borrowed.  Requests without a rule time out.
 */
extern void scene_answer(const char *method, const char *url, int times, int status, const char *body);
extern void scene_no_answers(void);

/* The rules of an instance with a role, whose keys end at that time. */
extern void scene_instance(const char *access_key_id, const char *expiration);

/* Of a container's service at its usual place, "/creds", which the environment names. */
extern void scene_container(const char *access_key_id, const char *expiration);

/* Of STS in us-west-2. */
extern void scene_sts(const char *access_key_id, const char *expiration);

/* A wish for the process's own keys, in no other scene the same. */
extern DynKeyFetchConfig scene_config(void);

/* A source with that wish, or with this one. */
extern DynKeySource *scene_source(void);
extern DynKeySource *scene_source_of(const DynKeyFetchConfig *config);

/* Drives the loop as it asks to be, until all that is under way is done; false: it does not end within ten minutes. */
extern bool scene_settle(void);

/* The same until `seconds` have passed; what is not done by then stays so. */
extern void scene_pass(double seconds);

/* The clock jumps, and nobody drives. */
extern void scene_jump(double seconds);

/* The keys that the next request would be signed with, once the fetch for them, if any, is done. */
extern DynKeyState scene_keys(DynKeySource *source, const DynKeys **keys, DynStatus *status);

/* Their access key id; the status's message where there are none. */
extern const char *scene_key_id(DynKeySource *source);

/* The same at once, "waiting" where they aren't there yet. */
extern const char *scene_key_id_now(DynKeySource *source);

/* Has the text anything in it that no message may quote? */
extern bool scene_tells_secret(const char *text);
extern bool scene_status_is_clean(const DynStatus *status);

#endif							/* DYN_KEYS_SCENE_H */
