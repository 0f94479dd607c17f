/*
 * ddl_target.h
 *	  A foreign table whose remote table is to be made or looked at.
 */
#ifndef DYN_DDL_TARGET_H
#define DYN_DDL_TARGET_H

#include "pg/table/relation.h"

typedef struct DynTarget
{
	DynRelation *rel;
	char	   *name;			/* of the foreign table */
	Oid			owner;
	bool		altered;		/* not new: ALTER changed what it means */
} DynTarget;

/* Resolved and checked in the current memory context; raises what is wrong with it. */
extern DynTarget *dyn_target_new(Oid relid);

/* The owner of a relation. */
extern Oid	dyn_target_owner(Oid relid);

#endif							/* DYN_DDL_TARGET_H */
