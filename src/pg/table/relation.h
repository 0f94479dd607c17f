/*
 * relation.h
 *	  A foreign table resolved: its feature view, remote table, columns and
 *	  options, checked.
 */
#ifndef DYN_RELATION_H
#define DYN_RELATION_H

#include "foreign/foreign.h"
#include "utils/relcache.h"

#include "core/arena.h"
#include "core/endpoint.h"
#include "pg/table/column.h"

/* More entity keys than this are refused. */
#define DYN_MAX_KEYS 32

typedef enum DynDropPolicy
{
	DYN_DROP_CREATED,
	DYN_DROP_ALWAYS,
	DYN_DROP_NEVER
} DynDropPolicy;

/* Where a foreign table's items are: the identity of the remote table. */
typedef struct DynRemote
{
	DynEndpoint endpoint;
	char	   *region;
	char	   *table;
} DynRemote;

typedef struct DynRelation
{
	MemoryContext context;		/* of all this */
	DynArena   *arena;			/* for the value being decoded */
	Oid			relid;
	Oid			serverid;
	char	   *name;			/* of the foreign table */
	char	   *feature_view;
	DynRemote	remote;
	int			key_version;	/* entity_key_serialization_version */
	int			ncolumns;
	DynColumn  *columns;		/* by attnum - 1 */
	bool		entityless;		/* has no keys and needs none */
	int			nkeys;
	DynColumn **keys;			/* in Feast's order, by join key */
	DynColumn  *event_timestamp;	/* NULL: none */
	int			batch_size;
	int			max_read_workers;
	int			max_write_workers;
	bool		consistent_reads;
	bool		consumed_capacity;	/* ask for it */
	bool		latest;			/* write_mode: an older event time replaces no newer one */
	bool		rewrite;		/* update_mode: UPDATE reads and puts items, without UpdateItem */
	bool		create_remote_table;
	DynDropPolicy drop_policy;
	int64		ttl;			/* microseconds after its event time an item has expired; 0: never */
	const char *ttl_attribute;	/* in which items say so to DynamoDB, UTF-8; NULL: they do not */
	double		startup_cost;
	double		tuple_cost;
} DynRelation;

/*
 * Resolves a foreign table of ours in the current memory context, to be read
 * or written.  Raises what is wrong with it, except with its features: one of
 * those that is bad is marked so, and hurts nobody who does not ask for it.
 */
extern DynRelation *dyn_relation_open(Relation rel);

/*
 * The same of a table as CREATE or ALTER left it: its keys may still be
 * missing, any column may be bad, and two may have one name.
 */
extern DynRelation *dyn_relation_open_unchecked(Relation rel);

/* Does the table say what its keys are?  PARTITION OF and dumps do so by ALTER only; until then it cannot be used. */
extern bool dyn_relation_has_keys(const DynRelation *dyn);

/* The same of a table that has not been resolved; throws nothing that is wrong with it. */
extern bool dyn_relation_marks_keys(Relation rel, List *table_options);

/* Raises what is wrong with any column of a new table, and with the columns together. */
extern void dyn_relation_check_columns(const DynRelation *dyn);

/*
 * Raises what is wrong with one column of a table that ALTER changed.  A name
 * that another one has is wrong only where the column was `added`: to exchange
 * names, or to restore a dump column by column, ALTER passes through such states.
 */
extern void dyn_relation_check_column(Relation rel, const char *name, bool added);

/* Raises that the table has no keys, with a hint for `creating` it or for one that is there. */
extern void dyn_relation_check_keys(const DynRelation *dyn, bool creating);

/*
 * Identity of the remote table of a table with these options. NULL where they
 * don't give a valid one, then *why (if not NULL) is a message.
 */
extern DynRemote *dyn_remote_resolve(List *table_options, List *server_options, const char *relname,
									 const char **why);
extern bool dyn_remote_equal(const DynRemote *a, const DynRemote *b);

/* Into the current memory context. */
extern void dyn_remote_copy(DynRemote *copy, const DynRemote *remote);

/* Order of remote names, by region and table, wherever they are; in it sessions lock. */
extern int	dyn_remote_compare(const DynRemote *a, const DynRemote *b);
extern DynDropPolicy dyn_drop_policy(List *table_options, List *server_options);

#endif							/* DYN_RELATION_H */
