/*
 * ddl_target.h
 *	  A foreign table whose remote table is to be made or looked at.
 */
#ifndef DYN_DDL_TARGET_H
#define DYN_DDL_TARGET_H

#include "pg/ddl/ddl_client.h"
#include "pg/ddl/ddl_record.h"
#include "pg/table/relation.h"
#include "pg/table/setting.h"

typedef struct DynTarget
{
	DynRelation *rel;
	char	   *name;			/* of the foreign table */
	Oid			owner;
	bool		altered;		/* not new: ALTER changed what it means */
	bool		imported;		/* by IMPORT FOREIGN SCHEMA, where a remote table that is there is the normal case */
	const DynRecord *deleted;	/* of the table that TRUNCATE has deleted and makes again; else NULL */
} DynTarget;

/* Resolved and checked in the current memory context; raises what is wrong with it. */
extern DynTarget *dyn_target_new(Oid relid);

/* What its options and its server's say of the remote table's settings; raises why no table can have them. */
extern DynWantedSettings *dyn_target_settings(const DynTarget *target);

/* The client of the foreign table's owner, until the transaction ends; raises why there is none. */
extern DynDdlClient *dyn_target_client(const DynTarget *target);

/* Does a record say that CREATE of the foreign table's owner made the table that is shown? */
extern bool dyn_target_is_ours(const DynTarget *target, const DynTableDescription *shown);

/* Raises that the table that is shown has another key than Feast's, if it has. */
extern void dyn_target_require_feast_key(const DynTarget *target, const DynTableDescription *shown);

/* Raises that the foreign table or its server says that nothing is made, or deleted, here. */
extern void dyn_target_refuse_option(const DynTarget *target, const char *option, const char *value)
			__attribute__((noreturn));

#endif							/* DYN_DDL_TARGET_H */
