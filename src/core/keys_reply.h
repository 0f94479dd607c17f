/*
 * keys_reply.h
 *	  Answers of the services that give keys to a container or an instance.
 */
#ifndef DYN_KEYS_REPLY_H
#define DYN_KEYS_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/aws_keys.h"
#include "core/status.h"

/*
 * Keys of the answer 200 of a container's endpoint; without Expiration they are
 * forever.  False, `keys` none and `status` set without a value of the answer:
 * malformed, or a field is missing or wrong (DYN_PROTOCOL), or no memory.
 */
extern bool dyn_container_keys(const char *json, size_t len, DynKeys *keys, DynStatus *status);

/*
 * Code and message of another answer of it into `status`, whose class stays.
 * False: it tells none, or no memory; `status` is as before.
 */
extern bool dyn_container_error(const char *json, size_t len, DynStatus *status);

/*
 * The same of the instance metadata service (IMDS), whose keys have an
 * Expiration.  It says in an answer 200 that a role is broken: that is
 * DYN_NO_CREDENTIALS, with its code and message.
 */
extern bool dyn_imds_keys(const char *json, size_t len, DynKeys *keys, DynStatus *status);

/* Longest name of a role. */
#define DYN_ROLE_NAME_MAX 64

/* The first line of IMDS's list of roles.  False: that is no role's name, `out` is "". */
extern bool dyn_imds_role(const char *text, size_t len, char out[DYN_ROLE_NAME_MAX + 1]);

#endif							/* DYN_KEYS_REPLY_H */
