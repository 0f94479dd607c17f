/*
 * convert_key.c
 *	  Entity keys: Datums to their canonical form and back, and to entity_id.
 */
#include "pg/util/export.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/convert/convert.h"
#include "pg/util/compat.h"
#include "pg/util/error.h"
#include "pg/util/text.h"

/* Text and bytea: the canonical form is the varlena itself. All other keys are int64. */
static bool
key_is_varlena(const DynColumn *column)
{
	return column->base_type == TEXTOID || column->base_type == VARCHAROID || column->base_type == BYTEAOID;
}

Datum
dyn_key_from_datum(const DynColumn *column, Datum value)
{
	if (key_is_varlena(column))
		return PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	if (column->base_type == INT4OID)
		return Int64GetDatum(DatumGetInt32(value));
	return Int64GetDatum(DatumGetInt64(value));
}

Datum
dyn_key_to_datum(const DynColumn *column, Datum key)
{
	if (column->base_type == INT4OID)
		return Int32GetDatum((int32) DatumGetInt64(key));
	return key;
}

bool
dyn_key_storable(const DynColumn *column, Datum key)
{
	int64		integer;

	if (key_is_varlena(column))
		return true;
	integer = DatumGetInt64(key);
	if (column->base_type == TIMESTAMPTZOID)
		return !TIMESTAMP_NOT_FINITE(integer) && integer % USECS_PER_SEC == 0;
	if (column->base_type == INT4OID || column->feast_type == DYN_FEAST_INT32)
		return integer >= PG_INT32_MIN && integer <= PG_INT32_MAX;
	return true;
}

int
dyn_key_compare(const DynColumn *column, Datum a, Datum b)
{
	struct varlena *x;
	struct varlena *y;
	Size		xlen;
	Size		ylen;
	int			c;

	if (!key_is_varlena(column))
		return (DatumGetInt64(a) > DatumGetInt64(b)) - (DatumGetInt64(a) < DatumGetInt64(b));
	x = (struct varlena *) DatumGetPointer(a);
	y = (struct varlena *) DatumGetPointer(b);
	xlen = VARSIZE_ANY_EXHDR(x);
	ylen = VARSIZE_ANY_EXHDR(y);
	c = memcmp(VARDATA_ANY(x), VARDATA_ANY(y), Min(xlen, ylen));
	return c != 0 ? c : (xlen > ylen) - (xlen < ylen);
}

/* Fills a part of the key that is hashed. Text may be a copy in the current context, as UTF-8. */
static void
make_key_part(const DynColumn *column, Datum key, DynKeyPart *part)
{
	memset(part, 0, sizeof(*part));
	part->name = column->name;
	part->type = column->feast_type;
	if (column->base_type == BYTEAOID)
	{
		const bytea *bytes = (bytea *) DatumGetPointer(key);

		part->data = VARDATA_ANY(bytes);
		part->len = VARSIZE_ANY_EXHDR(bytes);
	}
	else if (key_is_varlena(column))
		part->data = dyn_text_to_utf8((text *) DatumGetPointer(key), &part->len);
	else if (column->base_type == TIMESTAMPTZOID)
		part->integer = DatumGetInt64(key) / USECS_PER_SEC + DYN_EPOCH_DIFF_SECONDS;
	else
		part->integer = DatumGetInt64(key);
}

void
dyn_key_id(const DynRelation *rel, const Datum *keys, DynBuf *scratch, DynEntityId *id)
{
	DynKeyPart	parts[DYN_MAX_KEYS];	/* not zeroed: most keys have one or two */
	int			nparts = rel->nkeys;

	for (int i = 0; i < rel->nkeys; i++)
		make_key_part(rel->keys[i], keys[i], &parts[i]);
	if (nparts == 0)
	{
		/* an entityless view's row: what Feast's materialize writes */
		parts[0] = (DynKeyPart) {.name = DYN_DUMMY_JOIN_KEY, .type = DYN_FEAST_STRING, .data = ""};
		nparts = 1;
	}
	if (!dyn_feast_key_id(id, scratch, rel->key_version, parts, nparts))
		dyn_report_no_memory();
}

/* The value as its type's output function prints it, but without looking that up. */
static char *
key_value_text(const DynColumn *column, Datum key)
{
	switch (column->base_type)
	{
		case BYTEAOID:
			return DatumGetCString(DirectFunctionCall1(byteaout, key));
		case TIMESTAMPTZOID:
			return DatumGetCString(DirectFunctionCall1(timestamptz_out, key));
		case INT4OID:
		case INT8OID:
			return psprintf(INT64_FORMAT, DatumGetInt64(key));
		default:
			return TextDatumGetCString(key);
	}
}

char *
dyn_key_text(const DynRelation *rel, const Datum *keys)
{
	const bool	none[DYN_MAX_KEYS] = {false};

	return dyn_key_text_with_nulls(rel, keys, none);
}

char *
dyn_key_text_with_nulls(const DynRelation *rel, const Datum *keys, const bool *nulls)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < rel->nkeys; i++)
		appendStringInfo(&text, "%s%s = %s", i > 0 ? ", " : "", rel->keys[i]->sql_name,
						 nulls[i] ? "NULL" : key_value_text(rel->keys[i], keys[i]));
	return rel->nkeys > 0 ? text.data : pstrdup("none, the view is entityless");
}
