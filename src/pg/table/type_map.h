/*
 * type_map.h
 *	  Which Feast value types go with which SQL types: the one table of it.
 */
#ifndef DYN_TYPE_MAP_H
#define DYN_TYPE_MAP_H

#include "core/feast_type.h"

/*
 * Feast type of a column: of base type `type`, or of an array over the base
 * type `element` (else InvalidOid).  `value_type` is the option, or NULL for
 * the default.  DYN_FEAST_NONE: they don't go together.
 */
extern DynFeastType dyn_type_resolve(Oid type, Oid element, const char *value_type, bool is_key);

/* "INT32, INT64": what value_type may say, or NULL: no Feast type goes with it. */
extern char *dyn_type_choices(Oid type, Oid element, bool is_key);

/*
 * SQL type that values of a Feast type (any number) are imported as; *by_default:
 * its columns need no value_type.  InvalidOid: none.
 */
extern Oid	dyn_type_to_import(int feast_type, bool is_key, bool *by_default);

#endif							/* DYN_TYPE_MAP_H */
