/*
 * join.h
 *	  The lookup join: a custom plan node that joins the rows of an outer plan
 *	  with the items of foreign tables, asked for by whole entity keys, many rows
 *	  at a time.
 */
#ifndef DYN_JOIN_H
#define DYN_JOIN_H

/* Hooks into the planner; once, when the module is loaded. */
extern void dyn_join_init(void);

#endif							/* DYN_JOIN_H */
