/*
 * type_map.c
 *	  Which Feast value types go with which SQL types.
 */
#include "pg/export.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"

#include "core/feast_type.h"
#include "pg/type_map.h"

/* PDF_BYTES and IMAGE_BYTES are how Feast names BYTES that hold such a file. */
#define PDF_BYTES 30
#define IMAGE_BYTES 31

static const DynTypeMapping mappings[] = {
	{BYTEAOID, DYN_FEAST_BYTES, true, true},
	{BYTEAOID, PDF_BYTES, false, false},
	{BYTEAOID, IMAGE_BYTES, false, false},
	{TEXTOID, DYN_FEAST_STRING, true, true},
	{VARCHAROID, DYN_FEAST_STRING, true, true},
	{INT4OID, DYN_FEAST_INT32, true, true},
	{INT4OID, DYN_FEAST_INT64, false, true},
	{INT8OID, DYN_FEAST_INT64, true, true},
	{INT8OID, DYN_FEAST_INT32, false, true},
	{FLOAT8OID, DYN_FEAST_DOUBLE, true, false},
	{FLOAT4OID, DYN_FEAST_FLOAT, true, false},
	{BOOLOID, DYN_FEAST_BOOL, true, false},
	{TIMESTAMPTZOID, DYN_FEAST_UNIX_TIMESTAMP, true, true},
};

const DynTypeMapping *
dyn_type_default(Oid sql_type)
{
	for (size_t i = 0; i < lengthof(mappings); i++)
		if (mappings[i].sql_type == sql_type && mappings[i].is_default)
			return &mappings[i];
	return NULL;
}

const DynTypeMapping *
dyn_type_find(Oid sql_type, int feast_type)
{
	for (size_t i = 0; i < lengthof(mappings); i++)
		if (mappings[i].sql_type == sql_type && mappings[i].feast_type == feast_type)
			return &mappings[i];
	return NULL;
}

char *
dyn_type_choices(Oid sql_type, bool keys)
{
	StringInfoData names;

	initStringInfo(&names);
	for (size_t i = 0; i < lengthof(mappings); i++)
		if (mappings[i].sql_type == sql_type && (mappings[i].can_be_key || !keys))
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", dyn_feast_type_name(mappings[i].feast_type));
	return names.len > 0 ? names.data : NULL;
}
