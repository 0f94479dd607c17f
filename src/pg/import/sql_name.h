/*
 * sql_name.h
 *	  SQL names for Feast's: as they are, if PostgreSQL can have them.
 */
#ifndef DYN_SQL_NAME_H
#define DYN_SQL_NAME_H

/* Names taken in one scope: a schema, the columns of a table. In the memory context it was made in. */
typedef struct DynSqlNames DynSqlNames;

extern DynSqlNames *dyn_sql_names_new(void);
extern void dyn_sql_names_free(DynSqlNames *names);

/* One in which the names of a relation's columns are taken. */
extern DynSqlNames *dyn_sql_names_of_columns(Oid relid);

/*
 * A name for `name` (in the database's encoding) that is not taken yet, and
 * takes it: clipped to 63 bytes as the parser does, then with "_2", "_3" ... if
 * that is taken.  palloc'd.
 */
extern char *dyn_sql_names_take(DynSqlNames *names, const char *name);

/* The same for a column, which can't be called like a column of the system: those get a "_" at their end. */
extern char *dyn_sql_names_take_column(DynSqlNames *names, const char *name);

extern bool dyn_sql_names_has(DynSqlNames *names, const char *name);

/* The name clipped, and no more; palloc'd. */
extern char *dyn_sql_name_clip(const char *name, int max_bytes);

#endif							/* DYN_SQL_NAME_H */
