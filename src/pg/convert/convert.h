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
 * Key values are kept in one canonical form per base type: int64 for integers,
 * microseconds for timestamptz, a plain varlena for text and bytea.
 */

/* Canonical form of a column's (not null) Datum, in the current context. */
extern Datum dyn_key_from_datum(const DynColumn *column, Datum value);

/* Back to a Datum of the column's type; text stays where it is. */
extern Datum dyn_key_to_datum(const DynColumn *column, Datum key);

/* Is the key one that can be stored at all (range, whole seconds)? */
extern bool dyn_key_storable(const DynColumn *column, Datum key);

/* Some total order; 0: equal. */
extern int	dyn_key_compare(const DynColumn *column, Datum a, Datum b);

/* entity_id of the keys (in the order of rel->keys); `scratch` is reused. */
extern void dyn_key_id(const DynRelation *rel, const Datum *keys, DynBuf *scratch, DynEntityId *id);

/* "driver_id = 1001, customer_id = C-1", for messages. */
extern char *dyn_key_text(const DynRelation *rel, const Datum *keys);

/*
 * Value of a feature or event timestamp column from a stored item; false: NULL.
 * Raises HV004 where the bytes are not what the column says, and what the
 * column's length, precision or domain objects to, also of a NULL.
 */
extern bool dyn_datum_from_item(const DynRelation *rel, DynColumn *column, const DynAttr *attr,
								const Datum *keys, Datum *value);

/* Value of the i-th key column in a row of these keys. Raises as the above. */
extern Datum dyn_key_column(const DynRelation *rel, int i, const Datum *keys);

/* Appends a feature's Value bytes; nothing for NULL. Raises errors. */
extern void dyn_datum_to_value(const DynColumn *column, Datum value, bool isnull, DynBuf *out);

/* Text of event_ts; raises for infinity and years that Feast does not have. */
extern void dyn_event_ts_from_datum(const DynColumn *column, Datum value, char *out);

#endif							/* DYN_CONVERT_H */
