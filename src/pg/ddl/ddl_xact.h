/*
 * ddl_xact.h
 *	  What this transaction made and dropped, and what becomes of it at its end.
 */
#ifndef DYN_DDL_XACT_H
#define DYN_DDL_XACT_H

#include "net/table_job.h"
#include "pg/ddl/ddl_client.h"
#include "pg/table/relation.h"

/* A table that this transaction asked DynamoDB to make. */
typedef struct DynMade DynMade;

/*
 * Notes it, before CreateTable is sent, so that a rollback finds it. The job is
 * the CreateTable, not started yet.
 */
extern DynMade *dyn_ddl_note_create(const DynRemote *remote, DynDdlClient *client);
extern DynTableJob *dyn_ddl_made_job(DynMade *made);

/* CreateTable was answered: it is ours, or (with `made` false) it isn't. */
extern void dyn_ddl_note_created(DynMade *made, bool ours);

/* Did a rolled-back part of this transaction make just this table?  It is then taken over. */
extern bool dyn_ddl_readopt(const DynRemote *remote, const DynTableDescription *shown);

/* A foreign table of ours is about to be dropped. */
extern void dyn_ddl_note_drop(const DynRemote *remote, DynDropPolicy policy, Oid serverid, Oid owner,
							  const char *name);

/* The table of owned rows is about to be dropped. */
extern void dyn_ddl_note_catalog_drop(void);

extern void dyn_ddl_xact_init(void);

#endif							/* DYN_DDL_XACT_H */
