/*
 * writer.h
 *	  The rows of a modification on their way to DynamoDB.
 */
#ifndef DYN_WRITER_H
#define DYN_WRITER_H

#include "nodes/execnodes.h"
#include "portability/instr_time.h"

#include "net/write.h"
#include "pg/session/connection.h"
#include "pg/session/stays.h"
#include "pg/session/unsent.h"
#include "pg/table/relation.h"
#include "pg/write/progress.h"

/* Of one result relation; given back with the query's memory, in which it is. */
typedef struct DynWriter
{
	CustomScanState last_node;	/* first, see flush_at_end() */
	MemoryContextCallback callback;
	DynUnsent	unsent;
	DynStays	stays;
	DynRelation *rel;
	DynOp		op;
	DynConnection *connection;
	DynWrite   *write;
	instr_time	last_drive;		/* when transfers were last moved on */
	bool		rest_sent;		/* see send_rest() */
	DynCounters counters;
	DynProgress progress;
} DynWriter;

/* Makes the writer of a result relation for a command, in the query's memory; from now on its rows are seen to. */
extern DynWriter *dyn_writer_new(ResultRelInfo *rinfo, EState *estate, CmdType operation);

/* Between these, errors say how much is written all the same. */
extern void dyn_writer_push_context(DynWriter *writer, ErrorContextCallback *context);
extern void dyn_writer_pop_context(ErrorContextCallback *context);

/* Waits until there is room for another row; requests in flight move on meanwhile. Raises what failed. */
extern void dyn_writer_make_room(DynWriter *writer);

/* Adds a row, of which nothing is left in `item`. Raises when out of memory. */
extern void dyn_writer_add(DynWriter *writer, DynWriteItem *item);

/* Waits until all is acknowledged. Raises what failed. */
extern void dyn_writer_flush(DynWriter *writer);

/* The same after the last row: the load is over. */
extern void dyn_writer_end(DynWriter *writer);

#endif							/* DYN_WRITER_H */
