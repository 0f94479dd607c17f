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

DynShape
dyn_feast_type_shape(int type)
{
	switch (type)
	{
		case DYN_FEAST_BYTES:
		case DYN_FEAST_STRING:
		case DYN_FEAST_JSON:
		case DYN_FEAST_UUID:
		case DYN_FEAST_TIME_UUID:
		case DYN_FEAST_DECIMAL:
			return DYN_SHAPE_BYTES;
		case DYN_FEAST_MAP:
		case DYN_FEAST_STRUCT:
			return DYN_SHAPE_MAP;
		case DYN_FEAST_MAP_LIST:
		case DYN_FEAST_STRUCT_LIST:
			return DYN_SHAPE_MAP_LIST;
		case DYN_FEAST_VALUE_LIST:
		case DYN_FEAST_VALUE_SET:
			return DYN_SHAPE_VALUES;
		case DYN_FEAST_SCALAR_MAP:
			return DYN_SHAPE_SCALAR_MAP;
		case DYN_FEAST_ZONED_TIMESTAMP:
			return DYN_SHAPE_ZONED;
		default:
			if (type >= DYN_FEAST_INT32 && type <= DYN_FEAST_UNIX_TIMESTAMP)
				return DYN_SHAPE_NUMBER;
			return dyn_feast_type_element(type) != DYN_FEAST_NONE ? DYN_SHAPE_LIST : DYN_SHAPE_NONE;
	}
}

DynFeastType
dyn_feast_type_element(int type)
{
	if (type >= DYN_FEAST_BYTES_LIST && type <= DYN_FEAST_UNIX_TIMESTAMP_LIST)
		return type - DYN_FEAST_BYTES_LIST + DYN_FEAST_BYTES;
	if (type >= DYN_FEAST_BYTES_SET && type <= DYN_FEAST_UNIX_TIMESTAMP_SET)
		return type - DYN_FEAST_BYTES_SET + DYN_FEAST_BYTES;
	switch (type)
	{
		case DYN_FEAST_JSON_LIST:
			return DYN_FEAST_JSON;
		case DYN_FEAST_UUID_LIST:
		case DYN_FEAST_UUID_SET:
			return DYN_FEAST_UUID;
		case DYN_FEAST_TIME_UUID_LIST:
		case DYN_FEAST_TIME_UUID_SET:
			return DYN_FEAST_TIME_UUID;
		case DYN_FEAST_DECIMAL_LIST:
		case DYN_FEAST_DECIMAL_SET:
			return DYN_FEAST_DECIMAL;
		case DYN_FEAST_MAP_LIST:
		case DYN_FEAST_STRUCT_LIST:
			return DYN_FEAST_MAP;
		default:
			return DYN_FEAST_NONE;
	}
}

DynFeastType
dyn_feast_type_list_of(int element)
{
	switch (element)
	{
		case DYN_FEAST_JSON:
			return DYN_FEAST_JSON_LIST;
		case DYN_FEAST_UUID:
			return DYN_FEAST_UUID_LIST;
		case DYN_FEAST_TIME_UUID:
			return DYN_FEAST_TIME_UUID_LIST;
		case DYN_FEAST_DECIMAL:
			return DYN_FEAST_DECIMAL_LIST;
		case DYN_FEAST_MAP:
			return DYN_FEAST_MAP_LIST;
		case DYN_FEAST_STRUCT:
			return DYN_FEAST_STRUCT_LIST;
		default:
			if (element >= DYN_FEAST_BYTES && element <= DYN_FEAST_UNIX_TIMESTAMP)
				return element - DYN_FEAST_BYTES + DYN_FEAST_BYTES_LIST;
			return DYN_FEAST_NONE;
	}
}

DynFeastType
dyn_feast_type_set_of(int element)
{
	switch (element)
	{
		case DYN_FEAST_UUID:
			return DYN_FEAST_UUID_SET;
		case DYN_FEAST_TIME_UUID:
			return DYN_FEAST_TIME_UUID_SET;
		case DYN_FEAST_DECIMAL:
			return DYN_FEAST_DECIMAL_SET;
		default:
			if (element >= DYN_FEAST_BYTES && element <= DYN_FEAST_UNIX_TIMESTAMP)
				return element - DYN_FEAST_BYTES + DYN_FEAST_BYTES_SET;
			return DYN_FEAST_NONE;
	}
}
