/*
 * ddl_target.c
 *	  A foreign table whose remote table is to be made or looked at.
 */
#include "pg/util/export.h"

#include "access/table.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/rel.h"

#include "pg/ddl/ddl_note.h"
#include "pg/ddl/ddl_target.h"
#include "pg/session/identity.h"
#include "pg/util/error.h"

DynTarget *
dyn_target_new(Oid relid)
{
	DynTarget  *target = palloc0(sizeof(DynTarget));
	Relation	rel = table_open(relid, AccessShareLock);

	target->rel = dyn_relation_open(rel);
	target->name = pstrdup(RelationGetRelationName(rel));
	target->owner = rel->rd_rel->relowner;
	table_close(rel, AccessShareLock);
	return target;
}

void
dyn_target_refuse_option(const DynTarget *target, const char *option, const char *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("foreign table \"%s\" or its server has the option %s '%s'", target->name, option, value),
			 errhint("Whoever may alter the server, and the foreign table, can change the option.")));
	pg_unreachable();
}

DynWantedSettings *
dyn_target_settings(const DynTarget *target)
{
	const char *why;
	DynWantedSettings *wanted = dyn_settings_wanted(GetForeignTable(target->rel->relid)->options,
													GetForeignServer(target->rel->serverid)->options, &why);

	if (wanted == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the remote table of foreign table \"%s\" cannot have the settings that its options say",
						target->name),
				 errdetail("%c%s.", pg_toupper((unsigned char) why[0]), why + 1)));
	return wanted;
}

/* Raises that nobody signs for the owner. */
static void
report_lack(const DynTarget *target, DynSignerLack lack)
{
	DynStatus	status;

	if (lack == DYN_SIGNER_NO_USAGE)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("nobody signs for remote table \"%s\": role \"%s\", which owns foreign table \"%s\", has no USAGE privilege on its server",
						target->rel->remote.table, GetUserNameFromId(target->owner, false), target->name),
				 errhint("Use GRANT USAGE ON FOREIGN SERVER.")));
	if (lack == DYN_SIGNER_NO_MAPPING)
		dyn_identity_report(target->rel->serverid, target->owner, DYN_IDENTITY_NO_MAPPING);
	if (lack == DYN_SIGNER_NO_KEYS)
		dyn_identity_report(target->rel->serverid, target->owner, DYN_IDENTITY_NO_KEYS);
	if (lack == DYN_SIGNER_NOT_LENT)
		dyn_identity_report(target->rel->serverid, target->owner, DYN_IDENTITY_NOT_LENT);
	dyn_signer_status(lack, target->rel->serverid, target->owner, &status);
	dyn_report(ERROR, &status, NULL);
}

DynDdlClient *
dyn_target_client(const DynTarget *target)
{
	DynSignerLack lack;
	const DynSigner *signer = dyn_note_signer(target->rel->serverid, target->owner, &lack);
	DynDdlClient *client;
	DynStatus	status;

	if (signer == NULL || lack != DYN_SIGNER_FOUND)
		report_lack(target, lack);
	client = dyn_ddl_client_get(signer, &status);
	if (client == NULL)
		dyn_report(ERROR, &status, NULL);
	return client;
}

bool
dyn_target_is_ours(const DynTarget *target, const DynTableDescription *shown)
{
	ListCell   *lc;

	foreach(lc, dyn_records_at(dyn_note_records(), target->rel->remote.region, target->rel->remote.table))
	{
		const DynRecord *record = lfirst(lc);

		if (record->owner == target->owner && dyn_record_matches(record, shown))
			return true;
	}
	return false;
}

void
dyn_target_require_feast_key(const DynTarget *target, const DynTableDescription *shown)
{
	if (!shown->feast_key)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("remote table \"%s\" is not a table of Feast", target->rel->remote.table),
				 errdetail("Its key is %s, Feast's is HASH entity_id (S).",
						   shown->key_schema[0] ? shown->key_schema : "not known")));
}
