/*
 * identity.c
 *	  Whose AWS credentials a user's requests on a server are signed with.
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
#include "utils/syscache.h"

#include "core/wipe.h"
#include "pg/session/identity.h"
#include "pg/table/option_check.h"

/* ---- the decision ---- */

/* The texts of an identity, for what is the same with each. */
static const size_t identity_texts[] = {
	offsetof(DynIdentity, access_key_id),
	offsetof(DynIdentity, secret_access_key),
	offsetof(DynIdentity, session_token),
	offsetof(DynIdentity, profile),
	offsetof(DynIdentity, role_arn),
	offsetof(DynIdentity, external_id),
	offsetof(DynIdentity, role_session_name),
};

static char *
identity_text(const DynIdentity *identity, size_t i)
{
	return *(char *const *) ((const char *) identity + identity_texts[i]);
}

/* A copy of the option's value; NULL: it is not set. */
static char *
copy_option(const char *name, List *options)
{
	const char *value = dyn_option_text(name, options, NIL);

	return value ? pstrdup(value) : NULL;
}

/*
 * May the server process's own credentials be used?  By a superuser, if nobody
 * else can have made the mapping or can change the server: its owner decides
 * where requests go, and can make mappings for everybody.  By others where a
 * superuser has lent them, which the validator lets nobody else do.
 */
static bool
is_lent(Oid userid, const DynMappingFacts *facts)
{
	return (facts->own && superuser_arg(userid) && superuser_arg(facts->server_owner)) ||
		!dyn_option_bool("credentials_required", facts->options, NIL);
}

DynIdentity *
dyn_identity_decide(Oid userid, const DynMappingFacts *facts, DynIdentityLack *lack)
{
	List	   *options = facts->options;
	bool		has_keys = dyn_option_text("access_key_id", options, NIL) != NULL;
	bool		chain = dyn_option_bool("session_based_auth", facts->server_options, NIL);
	DynIdentity *identity;

	*lack = DYN_IDENTITY_NO_KEYS;
	if (dyn_options_wrong(options, DYN_ON_MAPPING) ||
		has_keys != (dyn_option_text("secret_access_key", options, NIL) != NULL))
		return NULL;
	if ((!has_keys || chain) && !is_lent(userid, facts))
	{
		*lack = has_keys ? DYN_IDENTITY_NOT_LENT : DYN_IDENTITY_NO_KEYS;
		return NULL;
	}
	*lack = DYN_IDENTITY_FOUND;
	identity = palloc0(sizeof(DynIdentity));
	identity->umid = facts->umid;
	identity->ambient = !has_keys || chain;
	identity->restricted = !superuser_arg(facts->server_owner);
	if (identity->ambient)
		identity->profile = copy_option("profile", options);
	else
	{
		identity->access_key_id = copy_option("access_key_id", options);
		identity->secret_access_key = copy_option("secret_access_key", options);
		identity->session_token = copy_option("session_token", options);
	}
	identity->role_arn = copy_option("role_arn", options);
	identity->external_id = copy_option("external_id", options);
	identity->role_session_name = copy_option("role_session_name", options);
	if (dyn_option_text("duration_seconds", options, NIL))
		identity->duration_seconds = dyn_option_int("duration_seconds", options, NIL);
	return identity;
}

/* ---- catalogs ---- */

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

/* False: it is gone. */
static bool
read_mapping_facts(Oid umid, DynMappingFacts *facts)
{
	HeapTuple	tuple = SearchSysCache1(USERMAPPINGOID, ObjectIdGetDatum(umid));
	Datum		datum;
	bool		isnull;

	if (!HeapTupleIsValid(tuple))
		return false;
	facts->umid = umid;
	facts->own = OidIsValid(((Form_pg_user_mapping) GETSTRUCT(tuple))->umuser);
	datum = SysCacheGetAttr(USERMAPPINGOID, tuple, Anum_pg_user_mapping_umoptions, &isnull);
	facts->options = isnull ? NIL : untransformRelOptions(datum);
	ReleaseSysCache(tuple);
	return true;
}

List *
dyn_user_mapping_options(Oid umid)
{
	DynMappingFacts facts = {0};

	return read_mapping_facts(umid, &facts) ? facts.options : NIL;
}

DynIdentity *
dyn_identity(Oid serverid, Oid userid, DynIdentityLack *lack)
{
	Oid			umid = dyn_user_mapping(serverid, userid);
	ForeignServer *server = GetForeignServer(serverid);
	DynMappingFacts facts = {0};

	*lack = DYN_IDENTITY_NO_MAPPING;
	if (!OidIsValid(umid) || !read_mapping_facts(umid, &facts))
		return NULL;
	facts.server_owner = server->owner;
	facts.server_options = server->options;
	return dyn_identity_decide(userid, &facts, lack);
}

void
dyn_identity_report(Oid serverid, Oid userid, DynIdentityLack lack)
{
	ForeignServer *server = GetForeignServer(serverid);
	char	   *user = GetUserNameFromId(userid, false);

	if (lack == DYN_IDENTITY_NO_MAPPING)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("user \"%s\" has no user mapping for server \"%s\"", user, server->servername),
				 errhint("Use CREATE USER MAPPING with the options \"access_key_id\" and \"secret_access_key\".")));
	if (lack == DYN_IDENTITY_NOT_LENT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("user \"%s\" may not use the credentials of the server process, which server \"%s\" asks for",
						user, server->servername),
				 errhint("Drop the server's option \"session_based_auth\", or let a superuser set credentials_required 'false' in the user mapping.")));
	dyn_options_check(dyn_user_mapping_options(dyn_user_mapping(serverid, userid)), DYN_ON_MAPPING,
					  psprintf("the user mapping of user \"%s\" for server \"%s\"", user, server->servername));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("the user mapping of user \"%s\" for server \"%s\" holds no credentials", user, server->servername),
			 errhint("Set the options \"access_key_id\" and \"secret_access_key\" by ALTER USER MAPPING. The server process's own are for a superuser with a mapping of his own on a superuser's server, and for others where a superuser has set credentials_required 'false'.")));
}

/* ---- identities ---- */

/* Either may be NULL. */
static bool
same_identity_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool
dyn_identity_equal(const DynIdentity *a, const DynIdentity *b)
{
	for (size_t i = 0; i < lengthof(identity_texts); i++)
		if (!same_identity_text(identity_text(a, i), identity_text(b, i)))
			return false;
	return a->umid == b->umid && a->ambient == b->ambient && a->restricted == b->restricted &&
		a->duration_seconds == b->duration_seconds;
}

/* What CloudTrail shows of a role that nobody named a session of. */
static const char *
default_session_name(void)
{
	static char name[32];

	snprintf(name, sizeof(name), "dynamo_fdw-%d", MyProcPid);
	return name;
}

void
dyn_identity_wish(const DynIdentity *identity, DynKeyWish *wish)
{
	memset(wish, 0, sizeof(*wish));
	wish->access_key_id = identity->access_key_id;
	wish->secret_access_key = identity->secret_access_key;
	wish->session_token = identity->session_token;
	wish->profile = identity->profile;
	wish->role.role_arn = identity->role_arn;
	wish->role.external_id = identity->external_id;
	wish->role.session_name = identity->role_session_name;
	wish->role.duration_seconds = identity->duration_seconds;
	wish->session_name = default_session_name();
}

void
dyn_identity_free(DynIdentity *identity)
{
	if (identity == NULL)
		return;
	for (size_t i = 0; i < lengthof(identity_texts); i++)
	{
		char	   *text = identity_text(identity, i);

		if (text)
			dyn_wipe(text, strlen(text));
	}
	pfree(identity);
}
