/*
 * on_demand.h
 *	  SQL functions that stand for on-demand views.
 *
 * Code of the registry is never run.  Where a schema has a function called as the
 * view, whose arguments are called as its inputs, that is called.
 */
#ifndef DYN_ON_DEMAND_H
#define DYN_ON_DEMAND_H

#include "nodes/pg_list.h"

#include "core/registry.h"

/* What an on-demand view may take: features of views, join keys, request data. */
typedef struct DynOnDemandInput
{
	char	   *name;			/* as its argument is called, clipped as SQL does */
	const DynRegProjection *projection; /* a feature of this; else NULL */
	const DynRegField *field;	/* the feature, or the field of request data; else NULL */
	const char *join_key;		/* of the request, UTF-8; else NULL */
} DynOnDemandInput;

typedef struct DynOnDemandOutput
{
	char	   *name;			/* as SQL has it */
	char	   *type;			/* as SQL writes it */
} DynOnDemandOutput;

typedef struct DynOnDemandFunction
{
	char	   *qualified;		/* quoted */
	bool		composite;		/* returns a row; else one value */
	bool		is_volatile;
	List	   *arguments;		/* of DynOnDemandInput: those that it takes */
	Oid		   *types;			/* by which it takes them */
	List	   *outputs;		/* of DynOnDemandOutput */
} DynOnDemandFunction;

/* DynOnDemandInputs of a view: each name once; a feature that two views have goes by "view__feature" alone. */
extern List *dyn_on_demand_inputs(const DynRegistry *registry, const DynRegView *view);

/* Type of one row's value of request data: a list goes as JSON, since rows go as arrays. InvalidOid: there is none. */
extern Oid	dyn_on_demand_request_type(const DynRegField *field);

/* The function for a view in a schema, one that dyn_function_is_trusted(); NULL: none that takes what there is and returns what is needed. */
extern DynOnDemandFunction *dyn_on_demand_function(Oid schema, const DynRegView *view, List *inputs);

/* "CREATE FUNCTION ...", to be filled in. */
extern char *dyn_on_demand_skeleton(const char *schema, const DynRegistry *registry, const DynRegView *view);

/* The same in plpython3u, with the source of the registry as a comment. */
extern char *dyn_on_demand_python_skeleton(const char *schema, const DynRegistry *registry, const DynRegView *view);

#endif							/* DYN_ON_DEMAND_H */
