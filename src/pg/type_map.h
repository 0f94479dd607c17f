/*
 * type_map.h
 *	  Which Feast value types go with which SQL types.
 */
#ifndef DYN_TYPE_MAP_H
#define DYN_TYPE_MAP_H

typedef struct DynTypeMapping
{
	Oid			sql_type;
	int			feast_type;
	bool		is_default;		/* without option value_type */
	bool		can_be_key;
} DynTypeMapping;

/* Feast type of a base type without `value_type`, or NULL. */
extern const DynTypeMapping *dyn_type_default(Oid sql_type);

/* The pair, or NULL: they do not go together. */
extern const DynTypeMapping *dyn_type_find(Oid sql_type, int feast_type);

/* "INT32, INT64": Feast types of a base type, or NULL; with `keys`, those a key can have. */
extern char *dyn_type_choices(Oid sql_type, bool keys);

#endif							/* DYN_TYPE_MAP_H */
