/*
 * ddl_signer.h
 *	  Who signs remote DDL: a role's user mapping on a server, as data.
 *
 * A role signs only on a server that it has USAGE on, whoever asks for the work
 * to be done.
 */
#ifndef DYN_DDL_SIGNER_H
#define DYN_DDL_SIGNER_H

#include "nodes/pg_list.h"

#include "core/status.h"
#include "pg/ddl/ddl_snapshot.h"
#include "pg/session/identity.h"

typedef struct DynSigner
{
	Oid			serverid;
	List	   *server_options;
	DynIdentity *identity;
} DynSigner;

/* Why nobody signs. */
typedef enum DynSignerLack
{
	DYN_SIGNER_FOUND,
	DYN_SIGNER_NO_ROLE,			/* for good */
	DYN_SIGNER_NO_SERVER,		/* for good; it may also be one of another wrapper */
	DYN_SIGNER_NO_USAGE,
	DYN_SIGNER_NO_MAPPING,
	DYN_SIGNER_NO_KEYS,			/* in the mapping */
	DYN_SIGNER_NOT_LENT			/* the server process's are asked for, which the role may not use */
} DynSignerLack;

/*
 * The signer in the current memory context, as this transaction had the catalogs
 * before one of its commands, and other sessions have them now; NULL, with *lack:
 * there is none.  Throws nothing but what reading catalogs can.
 */
extern DynSigner *dyn_signer_find(Oid serverid, Oid userid, CommandId command, DynSignerLack *lack);

/* A status that says what is lacking, for messages; its class is DYN_NO_CREDENTIALS or DYN_ACCESS_DENIED. */
extern void dyn_signer_status(DynSignerLack lack, Oid serverid, Oid userid, DynStatus *status);

/* Wipes the secrets. NULL is fine. */
extern void dyn_signer_free(DynSigner *signer);

#endif							/* DYN_DDL_SIGNER_H */
