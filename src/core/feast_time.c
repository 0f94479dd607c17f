/*
 * feast_time.c
 *	  The text of event_ts: Python's str(datetime), and what else datetime
 *	  and pandas may have stored there.
 */
#include "core/feast_time.h"

#include <string.h>

#define MICROS_PER_SECOND INT64_C(1000000)
#define SECONDS_PER_DAY INT64_C(86400)

/* Days since 1970-01-01 of a proleptic Gregorian date. */
static int64_t
days_from_date(int64_t year, int month, int day)
{
	int64_t		y = month <= 2 ? year - 1 : year;
	int64_t		era = (y >= 0 ? y : y - 399) / 400;
	int64_t		year_of_era = y - era * 400;
	int64_t		day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

/* Years are counted from March here, as above, so that a leap day is the last day of its year. */
static void
date_from_days(int64_t days, int *year, int *month, int *day)
{
	int64_t		z = days + 719468;
	int64_t		era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t		doe = z - era * 146097;
	int64_t		yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t		doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t		mp = (5 * doy + 2) / 153;

	*day = (int) (doy - (153 * mp + 2) / 5 + 1);
	*month = (int) (mp < 10 ? mp + 3 : mp - 9);
	*year = (int) (yoe + era * 400 + (*month <= 2 ? 1 : 0));
}

static int
days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool		leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* Writes `width` decimal digits and the character behind them; returns where the text goes on. */
static char *
put_number_and(char *out, int value, int width, char behind)
{
	for (int i = width - 1; i >= 0; i--, value /= 10)
		out[i] = (char) ('0' + value % 10);
	out[width] = behind;
	return out + width + 1;
}

bool
dyn_event_ts_format(int64_t micros, char out[DYN_EVENT_TS_LEN])
{
	int64_t		seconds = micros / MICROS_PER_SECOND;
	int64_t		fraction = micros % MICROS_PER_SECOND;
	int64_t		days;
	int			second_of_day;
	int			year;
	int			month;
	int			day;

	if (fraction < 0)
	{
		fraction += MICROS_PER_SECOND;
		seconds--;
	}
	days = seconds / SECONDS_PER_DAY;
	if (seconds % SECONDS_PER_DAY < 0)
		days--;
	if (days < days_from_date(1, 1, 1) || days > days_from_date(9999, 12, 31))
		return false;
	second_of_day = (int) (seconds - days * SECONDS_PER_DAY);
	date_from_days(days, &year, &month, &day);
	/* every row that is written has one, and snprintf() is slow */
	out = put_number_and(out, year, 4, '-');
	out = put_number_and(out, month, 2, '-');
	out = put_number_and(out, day, 2, ' ');
	out = put_number_and(out, second_of_day / 3600, 2, ':');
	out = put_number_and(out, second_of_day / 60 % 60, 2, ':');
	out = put_number_and(out, second_of_day % 60, 2, fraction != 0 ? '.' : '+');
	if (fraction != 0)
		out = put_number_and(out, (int) fraction, 6, '+');
	memcpy(out, "00:00", sizeof("00:00"));
	return true;
}

typedef struct Cursor
{
	const char *pos;
	const char *end;
} Cursor;

static bool
take(Cursor *c, char expected)
{
	if (c->pos == c->end || *c->pos != expected)
		return false;
	c->pos++;
	return true;
}

/* Exactly `digits` decimal digits, within [low, high]. */
static bool
number(Cursor *c, int digits, int low, int high, int *value)
{
	*value = 0;
	if (c->end - c->pos < digits)
		return false;
	for (int i = 0; i < digits; i++, c->pos++)
	{
		if (*c->pos < '0' || *c->pos > '9')
			return false;
		*value = *value * 10 + (*c->pos - '0');
	}
	return *value >= low && *value <= high;
}

/* One to nine digits after the point, as microseconds, truncated. */
static bool
fraction(Cursor *c, int64_t *micros)
{
	int			digits = 0;

	*micros = 0;
	for (; c->pos < c->end && *c->pos >= '0' && *c->pos <= '9'; c->pos++, digits++)
		if (digits < 6)
			*micros = *micros * 10 + (*c->pos - '0');
	if (digits < 1 || digits > 9)
		return false;
	for (; digits < 6; digits++)
		*micros *= 10;
	return true;
}

/* What stands after the time of day: nothing, Z, or an offset. */
static bool
utc_offset(Cursor *c, int64_t *micros)
{
	int			sign;
	int			hours;
	int			minutes;
	int			seconds = 0;
	int64_t		part = 0;
	bool		colon;

	*micros = 0;
	if (c->pos == c->end)
		return true;
	if (take(c, 'Z') || take(c, 'z'))
		return c->pos == c->end;
	if (*c->pos != '+' && *c->pos != '-')
		return false;
	sign = *c->pos++ == '-' ? -1 : 1;
	if (!number(c, 2, 0, 23, &hours))
		return false;
	colon = take(c, ':');
	if (!number(c, 2, 0, 59, &minutes))
		return false;
	if (colon && take(c, ':'))
	{
		if (!number(c, 2, 0, 59, &seconds) || (take(c, '.') && !fraction(c, &part)))
			return false;
	}
	*micros = sign * ((hours * 3600 + minutes * 60 + seconds) * MICROS_PER_SECOND + part);
	return c->pos == c->end;
}

DynEventTs
dyn_event_ts_parse(const char *text, size_t len, int64_t *micros)
{
	Cursor		c = {text, text + len};
	int			year;
	int			month;
	int			day;
	int			hour;
	int			minute;
	int			second;
	int64_t		part = 0;
	int64_t		offset;

	if (len == 3 && memcmp(text, "NaT", 3) == 0)
		return DYN_EVENT_TS_NAT;
	if (!number(&c, 4, 1, 9999, &year) || !take(&c, '-') ||
		!number(&c, 2, 1, 12, &month) || !take(&c, '-') ||
		!number(&c, 2, 1, days_in_month(year, month), &day))
		return DYN_EVENT_TS_BAD;
	if (!take(&c, ' ') && !take(&c, 'T'))
		return DYN_EVENT_TS_BAD;
	if (!number(&c, 2, 0, 23, &hour) || !take(&c, ':') ||
		!number(&c, 2, 0, 59, &minute) || !take(&c, ':') ||
		!number(&c, 2, 0, 59, &second))
		return DYN_EVENT_TS_BAD;
	if (take(&c, '.') && !fraction(&c, &part))
		return DYN_EVENT_TS_BAD;
	if (!utc_offset(&c, &offset))
		return DYN_EVENT_TS_BAD;
	*micros = (days_from_date(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second) *
		MICROS_PER_SECOND + part - offset;
	return DYN_EVENT_TS_OK;
}
