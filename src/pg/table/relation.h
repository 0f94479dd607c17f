/*
 * relation.h
 *	  A foreign table resolved: its feature view, remote table, columns and
 *	  options, checked.
 */
#ifndef DYN_RELATION_H
#define DYN_RELATION_H

#include "access/attnum.h"
#include "foreign/foreign.h"
#include "utils/relcache.h"

#include "core/arena.h"
#include "core/endpoint.h"
#include "core/feast_type.h"

/* More entity keys than this are refused. */
#define DYN_MAX_KEYS 32

typedef enum DynColumnRole
{
	DYN_COLUMN_NONE = 0,		/* dropped, or computed by the server */
	DYN_COLUMN_KEY,
	DYN_COLUMN_EVENT_TIMESTAMP,
	DYN_COLUMN_FEATURE
} DynColumnRole;

typedef struct DynColumn
{
	DynColumnRole role;
	AttrNumber	attnum;
	char	   *sql_name;
	char	   *name;			/* join key or feature, UTF-8 */
	Oid			type;			/* as declared */
	Oid			base_type;		/* domains resolved */
	Oid			element_type;	/* of an array, else InvalidOid */
	Oid			element_base_type;
	int32		typmod;			/* length and the like, -1: none */
	Oid			typmod_function;	/* that sees to it, of a value or an element; InvalidOid: none */
	DynFeastType feast_type;
	void	   *domain_check;	/* cache of the domain's constraints, NULL at first */
	void	   *element_check;	/* and of those of an element's domain */
} DynColumn;

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
	char	   *feature_view;
	DynRemote	remote;
	int			key_version;	/* entity_key_serialization_version */
	int			ncolumns;
	DynColumn  *columns;		/* by attnum - 1 */
	int			nkeys;			/* 0: entityless */
	DynColumn **keys;			/* in Feast's order, by join key */
	DynColumn  *event_timestamp;	/* NULL: none */
	int			batch_size;
	int			max_read_workers;
	int			max_write_workers;
	bool		consistent_reads;
	bool		consumed_capacity;	/* ask for it */
	bool		create_remote_table;
	DynDropPolicy drop_policy;
	double		startup_cost;
	double		tuple_cost;
} DynRelation;

/*
 * Resolves a foreign table of ours in the current memory context. Raises what
 * is wrong with its options and column types.
 */
extern DynRelation *dyn_relation_open(Relation rel);

/* The same, but two columns may have one name. */
extern DynRelation *dyn_relation_open_altered(Relation rel);

/*
 * Identity of the remote table of a table with these options. NULL where they
 * don't give a valid one, then *why (if not NULL) is a message.
 */
extern DynRemote *dyn_remote_resolve(List *table_options, List *server_options, const char *relname,
									 const char **why);
extern bool dyn_remote_equal(const DynRemote *a, const DynRemote *b);
extern DynDropPolicy dyn_drop_policy(List *table_options, List *server_options);

#endif							/* DYN_RELATION_H */
