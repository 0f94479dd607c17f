/*
 * identity.h
 *	  Whose AWS credentials a user's requests on a server are signed with.
 *
 * The user who counts is the one whose mapping is used, never the session's.
 * The same decision is made for queries, views, functions, DDL and deletions
 * that are owed.
 */
#ifndef DYN_IDENTITY_H
#define DYN_IDENTITY_H

#include "nodes/pg_list.h"

#include "core/status.h"
#include "net/key_fetch.h"

typedef struct DynIdentity
{
	Oid			umid;			/* of the user mapping */
	bool		ambient;		/* the server process's own credentials; else those of the mapping */
	bool		restricted;		/* no superuser owns the server: it may not send requests just anywhere */
	char	   *access_key_id;	/* these: NULL with `ambient` */
	char	   *secret_access_key;
	char	   *session_token;	/* NULL: none */
	char	   *profile;		/* with `ambient`: the profile; NULL: the process's own choice */
	char	   *role_arn;		/* to be assumed over them; NULL: none */
	char	   *external_id;
	char	   *role_session_name;
	int			duration_seconds;	/* 0: none */
} DynIdentity;

/* The mapping that is used, and what it is a mapping of. */
typedef struct DynMappingFacts
{
	Oid			umid;
	bool		own;			/* the user's, not PUBLIC's */
	List	   *options;
	Oid			server_owner;
	List	   *server_options;
} DynMappingFacts;

/* Why there is none. */
typedef enum DynIdentityLack
{
	DYN_IDENTITY_FOUND,
	DYN_IDENTITY_NO_MAPPING,
	DYN_IDENTITY_NO_KEYS,		/* in the mapping, or a wrong option */
	DYN_IDENTITY_NOT_LENT		/* those of the process are asked for, which the user may not use */
} DynIdentityLack;

/* Decides by facts alone. palloc'd; NULL, with *lack: none. */
extern DynIdentity *dyn_identity_decide(Oid userid, const DynMappingFacts *facts, DynIdentityLack *lack);

/* By the catalogs of now. */
extern DynIdentity *dyn_identity(Oid serverid, Oid userid, DynIdentityLack *lack);

/* Raises why there is none. */
extern void dyn_identity_report(Oid serverid, Oid userid, DynIdentityLack lack);

/* OID of the mapping that counts for a user: the own one, else PUBLIC's, else InvalidOid. */
extern Oid	dyn_user_mapping(Oid serverid, Oid userid);

/* Options of a user mapping; NIL if it has none, or is gone. */
extern List *dyn_user_mapping_options(Oid umid);

/* Of the same mapping, with the same keys and rights? */
extern bool dyn_identity_equal(const DynIdentity *a, const DynIdentity *b);

/* As a wish of net's; borrows the identity's texts, and is valid as long as this process. */
extern void dyn_identity_wish(const DynIdentity *identity, DynKeyWish *wish);

/* Overwrites the secrets and frees; NULL is fine. */
extern void dyn_identity_free(DynIdentity *identity);

#endif							/* DYN_IDENTITY_H */
