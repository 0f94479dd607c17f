/*
 * exec_sql.h
 *	  Statements that we write, carried out by the server as the current user's.
 */
#ifndef DYN_EXEC_SQL_H
#define DYN_EXEC_SQL_H

/*
 * Carries a command out, with pg_catalog as the search_path: all other names in
 * it are qualified.  Raises.
 */
extern void dyn_exec_sql(const char *sql);

#endif							/* DYN_EXEC_SQL_H */
