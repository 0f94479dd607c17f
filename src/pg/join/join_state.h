/*
 * join_state.h
 *	  A lookup join that runs.
 */
#ifndef DYN_JOIN_STATE_H
#define DYN_JOIN_STATE_H

#include "nodes/execnodes.h"
#include "utils/relcache.h"

#include "pg/join/join_window.h"

/* An entity key of a row. */
typedef struct DynJoinKey
{
	bool		exists;			/* not NULL, and possibly stored somewhere */
	Datum	   *values;			/* canonical (convert.h) */
	DynEntityId id;
} DynJoinKey;

/* A stage: a foreign table whose items are joined with the rows that come. */
typedef struct DynStageState
{
	Relation	relation;
	DynRelation *rel;
	const char *alias;
	JoinType	jointype;		/* INNER, LEFT or ANTI */
	bool		target;			/* UPDATE or DELETE changes the rows */
	ExprState **keys;			/* in the order of rel->keys */
	Oid		   *key_types;		/* of them, domains resolved */
	int			same_key;		/* the first stage that has the same key for every row, possibly this one */
	DynJoinKey	key;			/* of the row that is added to a window; not set where another stage has the same */
	ExprState  *quals;			/* does the item match? */
	ExprState  *filters;		/* does the joined row pass? */
	ExprState  *gates;			/* does the node have any row? */
	List	   *computed;		/* ExprStates: columns of the scan tuple after `attnums` */
	int			first;			/* position of its first column in the scan tuple */
	int			ncolumns;
	AttrNumber *attnums;		/* of these columns */
	DynProjection *projection;
	TupleTableSlot *row;		/* of the table's row type */
	int64		nexpired;		/* rows whose item had expired */
	DynTableNumber table;
} DynStageState;

typedef struct DynJoinState
{
	CustomScanState css;		/* its first child is the outer plan */
	int			nouter;			/* the first columns of the scan tuple: */
	AttrNumber *outer_attnums;	/* of the outer plan */
	TupleTableSlot *outer_row;
	int			nstages;
	DynStageState *stages;
	DynJoinTables *tables;
	DynBuf	   *scratch;
	DynWindow  *window;			/* whose rows are emitted */
	DynWindow  *next;			/* on its way, if `ahead` */
	int			next_row;		/* of `window` */
	bool		ahead;
	bool		outer_ended;
	int			largest_window; /* rows that fill all requests */
	int			first_window;	/* rows that the query wants at once, if it may end early */
	int			windows_since_start;
	int64		nwindows;
	int64		nrows;			/* in all windows, and the bytes of these rows: */
	int64		row_bytes;
} DynJoinState;

#endif							/* DYN_JOIN_STATE_H */
