/*
 * column.h
 *	  A column of a foreign table: what it is in DynamoDB, and whether its type
 *	  and options go with that.
 */
#ifndef DYN_COLUMN_H
#define DYN_COLUMN_H

#include "access/attnum.h"
#include "catalog/pg_attribute.h"

#include "core/feast_type.h"

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
	bool		bad;			/* type or options are wrong: dyn_column_check() says how */
	AttrNumber	attnum;
	char	   *sql_name;
	char	   *name;			/* join key or feature, UTF-8 */
	Oid			type;			/* as declared */
	Oid			base_type;		/* domains resolved */
	Oid			element_type;	/* of an array, else InvalidOid */
	Oid			element_base_type;
	int32		typmod;			/* length and the like, -1: none */
	Oid			typmod_function;	/* that sees to it, of a value or an element; InvalidOid: none */
	DynFeastType feast_type;	/* DYN_FEAST_NONE where the column is bad */
	void	   *domain_check;	/* cache of the domain's constraints, NULL at first */
	void	   *element_check;	/* and of those of an element's domain */
} DynColumn;

/* Resolves a column of a foreign table; raises nothing that is wrong with it, but marks it `bad`. */
extern void dyn_column_resolve(Oid relid, Form_pg_attribute attr, DynColumn *column);

/* Has the table anything of the column?  Not of one that is dropped, or that the server computes when it is read. */
extern bool dyn_column_is_stored(Form_pg_attribute attr);

/* Is the column marked as part of the key, validly or not?  Throws nothing. */
extern bool dyn_column_is_key(Oid relid, AttrNumber attnum);

/* Raises what is wrong with a column that is bad. */
extern void dyn_column_check(Oid relid, const DynColumn *column);

#endif							/* DYN_COLUMN_H */
