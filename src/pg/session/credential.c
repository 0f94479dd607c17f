/*
 * credential.c
 *	  AWS credentials of a user on a server, from the user mapping.
 *
 * A mapping is looked up in the syscache and not by GetUserMapping(), which
 * raises another error than ours (28000) where there is none, and can't be told
 * not to.
 */
#include "pg/util/export.h"

#include "access/htup_details.h"
#include "access/reloptions.h"
#include "catalog/pg_user_mapping.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/syscache.h"

#include "core/sigv4.h"
#include "pg/session/credential.h"
#include "pg/table/option_check.h"

Oid
dyn_user_mapping(Oid serverid, Oid userid)
{
	Oid			umid;

	umid = GetSysCacheOid2(USERMAPPINGUSERSERVER, Anum_pg_user_mapping_oid,
						   ObjectIdGetDatum(userid), ObjectIdGetDatum(serverid));
	if (!OidIsValid(umid))
		umid = GetSysCacheOid2(USERMAPPINGUSERSERVER, Anum_pg_user_mapping_oid,
							   ObjectIdGetDatum(InvalidOid), ObjectIdGetDatum(serverid));
	return umid;
}

/* Options of a user mapping, NIL if it is gone. */
static List *
mapping_options(Oid umid)
{
	HeapTuple	tuple = SearchSysCache1(USERMAPPINGOID, ObjectIdGetDatum(umid));
	List	   *options = NIL;
	Datum		datum;
	bool		isnull;

	if (!HeapTupleIsValid(tuple))
		return NIL;
	datum = SysCacheGetAttr(USERMAPPINGOID, tuple, Anum_pg_user_mapping_umoptions, &isnull);
	if (!isnull)
		options = untransformRelOptions(datum);
	ReleaseSysCache(tuple);
	return options;
}

/* A copy of the option's value; NULL: it is not set. */
static char *
copy_option(const char *name, List *options)
{
	const char *value = dyn_option_text(name, options, NIL);

	return value ? pstrdup(value) : NULL;
}

DynCredentials *
dyn_credentials_of_options(Oid umid, List *options)
{
	DynCredentials *credentials = palloc0(sizeof(DynCredentials));

	if (dyn_options_wrong(options, DYN_ON_MAPPING))
		return NULL;
	credentials->umid = umid;
	credentials->access_key_id = copy_option("access_key_id", options);
	credentials->secret_access_key = copy_option("secret_access_key", options);
	credentials->session_token = copy_option("session_token", options);
	if (credentials->access_key_id && credentials->secret_access_key)
		return credentials;
	dyn_credentials_free(credentials);
	return NULL;
}

DynCredentials *
dyn_credentials(Oid serverid, Oid userid)
{
	Oid			umid = dyn_user_mapping(serverid, userid);

	return OidIsValid(umid) ? dyn_credentials_of_options(umid, mapping_options(umid)) : NULL;
}

void
dyn_credentials_report(Oid serverid, Oid userid)
{
	ForeignServer *server = GetForeignServer(serverid);
	char	   *user = GetUserNameFromId(userid, false);
	Oid			umid = dyn_user_mapping(serverid, userid);

	if (!OidIsValid(umid))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("user \"%s\" has no user mapping for server \"%s\"", user, server->servername),
				 errhint("Use CREATE USER MAPPING with the options \"access_key_id\" and \"secret_access_key\".")));
	dyn_options_check(mapping_options(umid), DYN_ON_MAPPING,
					  psprintf("the user mapping of user \"%s\" for server \"%s\"", user, server->servername));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("the user mapping of user \"%s\" for server \"%s\" holds no credentials", user, server->servername),
			 errhint("Set the options \"access_key_id\" and \"secret_access_key\" by ALTER USER MAPPING.")));
}

/* Either may be NULL. */
static bool
same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool
dyn_credentials_equal(const DynCredentials *a, const DynCredentials *b)
{
	return a->umid == b->umid && same_text(a->access_key_id, b->access_key_id) &&
		same_text(a->secret_access_key, b->secret_access_key) && same_text(a->session_token, b->session_token);
}

void
dyn_credentials_free(DynCredentials *credentials)
{
	if (credentials == NULL)
		return;
	if (credentials->secret_access_key)
		dyn_wipe(credentials->secret_access_key, strlen(credentials->secret_access_key));
	if (credentials->session_token)
		dyn_wipe(credentials->session_token, strlen(credentials->session_token));
	pfree(credentials);
}
