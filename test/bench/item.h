/*
 * item.h
 *	  The ten features of every item: what the mock answers and the floor asks
 *	  for.  bench.py has the same names as columns, with the values decoded.
 */
#ifndef BENCH_ITEM_H
#define BENCH_ITEM_H

#define BENCH_JOIN_KEY "driver_id"
#define BENCH_EVENT_TS "2026-01-01 10:20:30.123456+00:00"

typedef struct BenchFeature
{
	const char *name;
	const char *value;			/* base64 of a feast.types.Value */
} BenchFeature;

static const BenchFeature bench_features[] = {
	{"conv_rate", "NQAAAD8="},	/* FLOAT 0.5 */
	{"acceptance_rate", "NQAAUD8="},	/* FLOAT 0.8125 */
	{"avg_daily_trips", "GNIJ"},	/* INT32 1234 */
	{"lifetime_trips", "IJWa7zo="}, /* INT64 123456789 */
	{"lifetime_earnings", "KYqw4enWHPhA"},	/* DOUBLE 98765.4321 */
	{"rating", "KQAAAAAAABNA"}, /* DOUBLE 4.75 */
	{"home_city", "EhNadXJpY2gsIFN3aXR6ZXJsYW5k"},	/* STRING Zurich, Switzerland */
	{"vehicle_class", "EhBjb21mb3J0IGVsZWN0cmlj"},	/* STRING comfort electric */
	{"is_active", "OAE="},		/* BOOL true */
	{"is_verified", "OAA="},	/* BOOL false */
};

#define BENCH_NFEATURES ((int) (sizeof(bench_features) / sizeof(bench_features[0])))

#endif							/* BENCH_ITEM_H */
