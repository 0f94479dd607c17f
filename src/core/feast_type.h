/*
 * feast_type.h
 *	  Feast's ValueType numbers and names.
 *
 * The number of a type is also the field number of its member in
 * feast.types.Value (PDF_BYTES and IMAGE_BYTES use bytes_val).
 */
#ifndef DYN_FEAST_TYPE_H
#define DYN_FEAST_TYPE_H

typedef enum DynFeastType
{
	DYN_FEAST_NONE = 0,			/* no member set: SQL NULL */
	DYN_FEAST_BYTES = 1,
	DYN_FEAST_STRING = 2,
	DYN_FEAST_INT32 = 3,
	DYN_FEAST_INT64 = 4,
	DYN_FEAST_DOUBLE = 5,
	DYN_FEAST_FLOAT = 6,
	DYN_FEAST_BOOL = 7,
	DYN_FEAST_UNIX_TIMESTAMP = 8,	/* seconds since 1970 */
	DYN_FEAST_NULL = 19
} DynFeastType;

/* "INT64"; "an unknown type" for a number that Feast 0.67 does not use. */
extern const char *dyn_feast_type_name(int type);

/* The number, or -1; exact, upper-case. */
extern int	dyn_feast_type_from_name(const char *name);

#endif							/* DYN_FEAST_TYPE_H */
