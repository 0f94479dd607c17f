/*
 * convert.h
 *	  Datums to and from Feast's values, keys and event timestamps:
 *	  convert_key.c, convert_read.c, convert_write.c.
 */
#ifndef DYN_CONVERT_H
#define DYN_CONVERT_H

#include "datatype/timestamp.h"

#include "core/buf.h"
#include "core/feast_key.h"
#include "core/item_scan.h"
#include "pg/table/relation.h"

/* Between 1970, Unix's epoch, and 2000, PostgreSQL's. */
#define DYN_EPOCH_DIFF_SECONDS ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)
#define DYN_EPOCH_DIFF_MICROS (DYN_EPOCH_DIFF_SECONDS * USECS_PER_SEC)

/*
 * Key values are kept in one canonical form for each base type: int64 for
 * integers, PostgreSQL's microseconds for timestamptz, a plain varlena (neither
 * compressed nor short) for text and bytea.  An array of them is in the order of
 * rel->keys.
 */

/* Canonical form of a column's (not null) Datum: a copy, in the current context. */
extern Datum dyn_key_from_datum(const DynColumn *column, Datum value);

/* Back to a Datum of the column's base type; text and bytea stay where they are. */
extern Datum dyn_key_to_datum(const DynColumn *column, Datum key);

/* Can Feast store such a key: is it in the range of its value type, finite, a whole second? */
extern bool dyn_key_storable(const DynColumn *column, Datum key);

/* Some total order, of integers by value and of varlenas by their bytes; 0: equal. */
extern int	dyn_key_compare(const DynColumn *column, Datum a, Datum b);

/*
 * entity_id of an entity key, or of the one row of an entityless view. `scratch`
 * is cleared and reused. Raises when out of memory, and text that has no UTF-8.
 */
extern void dyn_key_id(const DynRelation *rel, const Datum *keys, DynBuf *scratch, DynEntityId *id);

/*
 * "driver_id = 1001, customer_id = C-1", for messages; in the current context.
 * Reads no catalog, so it may be called for error context.
 */
extern char *dyn_key_text(const DynRelation *rel, const Datum *keys);

/* The same of a row that may lack some of them. */
extern char *dyn_key_text_with_nulls(const DynRelation *rel, const Datum *keys, const bool *nulls);

/*
 * Value of a feature or event timestamp column from a stored item, in the
 * current context; false: NULL. Raises HV004 where the bytes are not what the
 * column says, and what the column's length, precision or domain objects to,
 * also of a NULL. `keys` are the row's, for messages.
 */
extern bool dyn_datum_from_item(const DynRelation *rel, DynColumn *column, const DynAttr *attr,
								const Datum *keys, Datum *value);

/*
 * An item's event time; false: it has none, or NaT.  Raises HV004 where what is
 * stored is not a time.  `keys` are the item's, for messages.
 */
extern bool dyn_event_time_from_item(const DynRelation *rel, const DynAttr *attr, const Datum *keys,
									 TimestampTz *time);

/*
 * What the i-th key column shows in the row of these keys; may point into them.
 * Raises what the column's length or domain objects to.
 */
extern Datum dyn_key_column(const DynRelation *rel, int i, const Datum *keys);

/*
 * Appends the bytes of a feature's Value; nothing for NULL. Raises what Feast
 * can't store. What it needs on the way stays in the current context, which the
 * caller resets.
 */
extern void dyn_datum_to_value(const DynColumn *column, Datum value, bool isnull, DynBuf *out);

/*
 * When an item of a table with a ttl has expired, in seconds since 1970: a
 * fraction of a second counts as whole.  The time must be one that Feast has.
 */
extern int64 dyn_expiry_from_event_time(const DynRelation *rel, TimestampTz time);

/*
 * Writes the text of event_ts, DYN_EVENT_TS_LEN bytes at most. Raises for
 * infinity and years that Feast does not have. `column` is for the message;
 * NULL: the table has none, the time is the statement's.
 */
extern void dyn_event_ts_from_datum(const DynColumn *column, Datum value, char *out);

#endif							/* DYN_CONVERT_H */
