/*
 * feast_type.c
 *	  Feast's ValueType numbers and names, as of Feast 0.67.
 */
#include "core/feast_type.h"

#include <stddef.h>
#include <string.h>

static const char *const type_names[] = {
	[0] = "null",
	[1] = "BYTES", "STRING", "INT32", "INT64", "DOUBLE", "FLOAT", "BOOL", "UNIX_TIMESTAMP",
	[11] = "BYTES_LIST", "STRING_LIST", "INT32_LIST", "INT64_LIST", "DOUBLE_LIST", "FLOAT_LIST", "BOOL_LIST",
	"UNIX_TIMESTAMP_LIST",
	[19] = "NULL", "MAP", "MAP_LIST",
	[22] = "BYTES_SET", "STRING_SET", "INT32_SET", "INT64_SET", "DOUBLE_SET", "FLOAT_SET", "BOOL_SET",
	"UNIX_TIMESTAMP_SET",
	[30] = "PDF_BYTES", "IMAGE_BYTES",
	[32] = "JSON", "JSON_LIST", "STRUCT", "STRUCT_LIST", "UUID", "TIME_UUID", "UUID_LIST", "TIME_UUID_LIST",
	"UUID_SET", "TIME_UUID_SET", "VALUE_LIST", "VALUE_SET", "DECIMAL", "DECIMAL_LIST", "DECIMAL_SET",
	"SCALAR_MAP", "ZONED_TIMESTAMP"
};

#define NTYPES ((int) (sizeof(type_names) / sizeof(type_names[0])))

const char *
dyn_feast_type_name(int type)
{
	if (type < 0 || type >= NTYPES || type_names[type] == NULL)
		return "an unknown type";
	return type_names[type];
}

int
dyn_feast_type_from_name(const char *name)
{
	for (int i = 1; i < NTYPES; i++)
		if (type_names[i] != NULL && strcmp(type_names[i], name) == 0)
			return i;
	return -1;
}
