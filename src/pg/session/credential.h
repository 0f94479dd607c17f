/*
 * credential.h
 *	  AWS credentials of a user on a server, from the user mapping.
 */
#ifndef DYN_CREDENTIAL_H
#define DYN_CREDENTIAL_H

#include "nodes/pg_list.h"

typedef struct DynCredentials
{
	Oid			umid;			/* of the user mapping they come from */
	char	   *access_key_id;
	char	   *secret_access_key;
	char	   *session_token;	/* NULL: none */
} DynCredentials;

/* Static keys of the user's mapping, or PUBLIC's, palloc'd. NULL where there is no mapping, no key in it, or a wrong option. */
extern DynCredentials *dyn_credentials(Oid serverid, Oid userid);

/* Raises why there are none. */
extern void dyn_credentials_report(Oid serverid, Oid userid);

/* OID of the mapping that counts for a user: the own one, else PUBLIC's, else InvalidOid. */
extern Oid	dyn_user_mapping(Oid serverid, Oid userid);

/* Those in the options of a mapping; NULL where it has no keys, or wrong ones. */
extern DynCredentials *dyn_credentials_of_options(Oid umid, List *options);

/* Of the same mapping, with the same keys? */
extern bool dyn_credentials_equal(const DynCredentials *a, const DynCredentials *b);

/* Overwrites the secrets and frees; NULL is fine. */
extern void dyn_credentials_free(DynCredentials *credentials);

#endif							/* DYN_CREDENTIAL_H */
