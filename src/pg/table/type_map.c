/*
 * type_map.c
 *	  Which Feast value types go with which SQL types.
 *
 * The table has the scalars; an array goes with the lists and sets of what its
 * elements go with.
 */
#include "pg/util/export.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/lsyscache.h"

#include "pg/table/type_map.h"

typedef struct Mapping
{
	Oid			sql_type;
	DynFeastType feast_type;	/* the first of a SQL type is its default */
	bool		can_be_key;
	bool		imported;		/* of the SQL types of a Feast type, the one that IMPORT takes */
} Mapping;

static const Mapping mappings[] = {
	{BOOLOID, DYN_FEAST_BOOL, false, true},
	{INT2OID, DYN_FEAST_INT32, false, false},
	{INT2OID, DYN_FEAST_INT64, false, false},
	{INT4OID, DYN_FEAST_INT32, true, true},
	{INT4OID, DYN_FEAST_INT64, true, false},
	{INT8OID, DYN_FEAST_INT64, true, true},
	{INT8OID, DYN_FEAST_INT32, true, false},
	{FLOAT4OID, DYN_FEAST_FLOAT, false, true},
	{FLOAT8OID, DYN_FEAST_DOUBLE, false, true},
	{NUMERICOID, DYN_FEAST_DECIMAL, false, true},
	{TEXTOID, DYN_FEAST_STRING, true, true},
	{TEXTOID, DYN_FEAST_JSON, false, false},
	{TEXTOID, DYN_FEAST_UUID, false, false},
	{TEXTOID, DYN_FEAST_TIME_UUID, false, false},
	{TEXTOID, DYN_FEAST_DECIMAL, false, false},
	{ANYENUMOID, DYN_FEAST_STRING, false, false},
	{BYTEAOID, DYN_FEAST_BYTES, true, true},
	{BYTEAOID, DYN_FEAST_PDF_BYTES, false, true},
	{BYTEAOID, DYN_FEAST_IMAGE_BYTES, false, true},
	{TIMESTAMPTZOID, DYN_FEAST_UNIX_TIMESTAMP, true, true},
	{TIMESTAMPTZOID, DYN_FEAST_ZONED_TIMESTAMP, false, true},
	{TIMESTAMPOID, DYN_FEAST_UNIX_TIMESTAMP, false, false},
	{DATEOID, DYN_FEAST_UNIX_TIMESTAMP, false, false},
	{UUIDOID, DYN_FEAST_UUID, false, true},
	{UUIDOID, DYN_FEAST_TIME_UUID, false, true},
	{JSONBOID, DYN_FEAST_JSON, false, true},
	{JSONBOID, DYN_FEAST_MAP, false, true},
	{JSONBOID, DYN_FEAST_STRUCT, false, true},
	{JSONBOID, DYN_FEAST_MAP_LIST, false, true},
	{JSONBOID, DYN_FEAST_STRUCT_LIST, false, true},
	{JSONBOID, DYN_FEAST_VALUE_LIST, false, true},
	{JSONBOID, DYN_FEAST_VALUE_SET, false, true},
	{JSONBOID, DYN_FEAST_SCALAR_MAP, false, true},
	{JSONBOID, DYN_FEAST_ZONED_TIMESTAMP, false, false},
	{JSONBOID, DYN_FEAST_JSON_LIST, false, true},
};

/* The type whose rows count: varchar is text, json is jsonb, an enum any enum. */
static Oid
row_type(Oid type)
{
	if (type == VARCHAROID)
		return TEXTOID;
	if (type == JSONOID)
		return JSONBOID;
	return type_is_enum(type) ? ANYENUMOID : type;
}

/* Is this row about columns of the type, and about keys if it must be? */
static bool
applies(const Mapping *mapping, Oid type, bool is_key)
{
	return mapping->sql_type == row_type(type) && (mapping->can_be_key || !is_key);
}

/* Is it a type, and the one with this name if there is a name? */
static bool
is_wanted(DynFeastType type, const char *value_type)
{
	return type != DYN_FEAST_NONE && (value_type == NULL || strcmp(dyn_feast_type_name(type), value_type) == 0);
}

DynFeastType
dyn_type_resolve(Oid type, Oid element, const char *value_type, bool is_key)
{
	bool		is_array = OidIsValid(element);

	if (is_array && is_key)
		return DYN_FEAST_NONE;
	for (size_t i = 0; i < lengthof(mappings); i++)
	{
		DynFeastType scalar = mappings[i].feast_type;
		DynFeastType list = dyn_feast_type_list_of(scalar);
		DynFeastType set = dyn_feast_type_set_of(scalar);

		if (!applies(&mappings[i], is_array ? element : type, is_key))
			continue;
		if (!is_array && is_wanted(scalar, value_type))
			return scalar;
		if (is_array && is_wanted(list, value_type))
			return list;
		if (is_array && value_type && is_wanted(set, value_type))	/* never by default */
			return set;
	}
	return DYN_FEAST_NONE;
}

/* Appends a type's name to a list, unless there is no type. */
static void
add_choice(StringInfo names, DynFeastType feast_type)
{
	if (feast_type != DYN_FEAST_NONE)
		appendStringInfo(names, "%s%s", names->len > 0 ? ", " : "", dyn_feast_type_name(feast_type));
}

char *
dyn_type_choices(Oid type, Oid element, bool is_key)
{
	StringInfoData names;
	bool		is_array = OidIsValid(element);

	initStringInfo(&names);
	for (size_t i = 0; i < lengthof(mappings); i++)
	{
		if (!applies(&mappings[i], is_array ? element : type, is_key) || (is_array && is_key))
			continue;
		if (is_array)
		{
			add_choice(&names, dyn_feast_type_list_of(mappings[i].feast_type));
			add_choice(&names, dyn_feast_type_set_of(mappings[i].feast_type));
		}
		else
			add_choice(&names, mappings[i].feast_type);
	}
	return names.len > 0 ? names.data : NULL;
}

Oid
dyn_type_to_import(int value_type, bool is_key, bool *by_default)
{
	DynFeastType feast_type = value_type;
	Oid			type = InvalidOid;
	Oid			element = InvalidOid;

	for (size_t i = 0; i < lengthof(mappings) && feast_type != DYN_FEAST_NONE; i++)
	{
		const Mapping *mapping = &mappings[i];

		if (!mapping->imported || (is_key && !mapping->can_be_key))
			continue;
		if (mapping->feast_type == feast_type)
		{
			type = mapping->sql_type;
			break;
		}
		if (!is_key && (dyn_feast_type_list_of(mapping->feast_type) == feast_type ||
						dyn_feast_type_set_of(mapping->feast_type) == feast_type))
			element = mapping->sql_type;
	}
	if (!OidIsValid(type) && OidIsValid(element))
		type = get_array_type(element);
	else
		element = InvalidOid;
	*by_default = dyn_type_resolve(type, element, NULL, is_key) == feast_type;
	return type;
}
