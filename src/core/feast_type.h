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
	DYN_FEAST_BYTES_LIST = 11,	/* ... to 18: lists of 1 to 8 */
	DYN_FEAST_UNIX_TIMESTAMP_LIST = 18,
	DYN_FEAST_NULL = 19,
	DYN_FEAST_MAP = 20,
	DYN_FEAST_MAP_LIST = 21,
	DYN_FEAST_BYTES_SET = 22,	/* ... to 29: sets of 1 to 8 */
	DYN_FEAST_UNIX_TIMESTAMP_SET = 29,
	DYN_FEAST_PDF_BYTES = 30,	/* value types whose values are BYTES */
	DYN_FEAST_IMAGE_BYTES = 31,
	DYN_FEAST_JSON = 32,
	DYN_FEAST_JSON_LIST = 33,
	DYN_FEAST_STRUCT = 34,
	DYN_FEAST_STRUCT_LIST = 35,
	DYN_FEAST_UUID = 36,
	DYN_FEAST_TIME_UUID = 37,
	DYN_FEAST_UUID_LIST = 38,
	DYN_FEAST_TIME_UUID_LIST = 39,
	DYN_FEAST_UUID_SET = 40,
	DYN_FEAST_TIME_UUID_SET = 41,
	DYN_FEAST_VALUE_LIST = 42,
	DYN_FEAST_VALUE_SET = 43,
	DYN_FEAST_DECIMAL = 44,
	DYN_FEAST_DECIMAL_LIST = 45,
	DYN_FEAST_DECIMAL_SET = 46,
	DYN_FEAST_SCALAR_MAP = 47,
	DYN_FEAST_ZONED_TIMESTAMP = 48
} DynFeastType;

/* How a type's values are laid out. */
typedef enum DynShape
{
	DYN_SHAPE_NONE,				/* no member of Value */
	DYN_SHAPE_NUMBER,			/* of fixed width, or varint */
	DYN_SHAPE_BYTES,			/* BYTES, and everything that is a string */
	DYN_SHAPE_LIST,				/* lists and sets of those two */
	DYN_SHAPE_MAP,				/* string to Value */
	DYN_SHAPE_MAP_LIST,
	DYN_SHAPE_VALUES,			/* list of any Values */
	DYN_SHAPE_SCALAR_MAP,		/* scalar to Value */
	DYN_SHAPE_ZONED
} DynShape;

extern DynShape dyn_feast_type_shape(int type);

/* Type of a list's or set's elements, DYN_FEAST_NONE of anything else. */
extern DynFeastType dyn_feast_type_element(int type);

/* The list and the set of a scalar type; DYN_FEAST_NONE where there is none. */
extern DynFeastType dyn_feast_type_list_of(int element);
extern DynFeastType dyn_feast_type_set_of(int element);

/* "INT64"; "an unknown type" for a number that Feast 0.67 does not use. */
extern const char *dyn_feast_type_name(int type);

/* The number, or -1; exact, upper-case. */
extern int	dyn_feast_type_from_name(const char *name);

#endif							/* DYN_FEAST_TYPE_H */
