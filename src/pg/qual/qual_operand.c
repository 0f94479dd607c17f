/*
 * qual_operand.c
 *	  Operands of key conditions, of every type that has an equality with a
 *	  key's type: the operator compares values, so each operand is one key or
 *	  none, and nothing here raises an error that the operator would not.
 */
#include "pg/util/export.h"

#include <errno.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "pg/convert/convert.h"
#include "pg/qual/qual_operand.h"

bool
dyn_operand_fits(const DynColumn *column, Oid type)
{
	type = getBaseType(type);
	switch (column->base_type)
	{
		case INT4OID:
		case INT8OID:
			return type == INT2OID || type == INT4OID || type == INT8OID || type == NUMERICOID;
		case TEXTOID:
		case VARCHAROID:
			return type == TEXTOID || type == VARCHAROID || type == NAMEOID;
		case TIMESTAMPTZOID:
			return type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID;
		default:
			return type == column->base_type;
	}
}

/* The number as an integer; false if it is not a whole number, or is too large. */
static bool
numeric_to_integer(Datum value, Datum *key)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, value));
	char	   *end;
	long long	integer;

	errno = 0;
	integer = strtoll(text, &end, 10);
	if (end == text || errno == ERANGE)
		return false;
	if (*end == '.')
		end += 1 + strspn(end + 1, "0");
	if (*end != '\0')
		return false;
	pfree(text);
	*key = Int64GetDatum(integer);
	return true;
}

/* The moment of a local time, as the operator between the types finds it; false: out of range. */
static bool
local_time_to_moment(Timestamp local, Datum *key)
{
	struct pg_tm tm;
	fsec_t		fraction;
	int			zone;
	TimestampTz moment;

	if (TIMESTAMP_NOT_FINITE(local) || timestamp2tm(local, NULL, &tm, &fraction, NULL, NULL) != 0)
		return false;
	zone = DetermineTimeZoneOffset(&tm, session_timezone);
	if (tm2timestamp(&tm, fraction, &zone, &moment) != 0)
		return false;
	*key = TimestampTzGetDatum(moment);
	return true;
}

/* The moment when the day begins in the session's time zone; false: out of range. */
static bool
date_to_moment(DateADT date, Datum *key)
{
	if (DATE_NOT_FINITE(date) || date >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE)
		return false;
	return local_time_to_moment((Timestamp) date * USECS_PER_DAY, key);
}

bool
dyn_operand_to_key(const DynColumn *column, Oid base_type, Datum value, Datum *key)
{
	bool		found = true;

	switch (base_type)
	{
		case INT2OID:
			*key = Int64GetDatum(DatumGetInt16(value));
			break;
		case INT4OID:
			*key = Int64GetDatum(DatumGetInt32(value));
			break;
		case INT8OID:
		case TIMESTAMPTZOID:
			*key = Int64GetDatum(DatumGetInt64(value));
			break;
		case NUMERICOID:
			found = numeric_to_integer(value, key);
			break;
		case TIMESTAMPOID:
			found = local_time_to_moment(DatumGetTimestamp(value), key);
			break;
		case DATEOID:
			found = date_to_moment(DatumGetDateADT(value), key);
			break;
		case NAMEOID:
			*key = PointerGetDatum(cstring_to_text(NameStr(*DatumGetName(value))));
			break;
		default:
			*key = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
			break;
	}
	return found && dyn_key_storable(column, *key);
}
