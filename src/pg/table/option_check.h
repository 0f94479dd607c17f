/*
 * option_check.h
 *	  Are options valid?  The validator asks when they are set, and everyone
 *	  else before they are used, since they can get into a catalog past it.
 */
#ifndef DYN_OPTION_CHECK_H
#define DYN_OPTION_CHECK_H

#include "pg/table/option.h"

/* Raises what is wrong with the options of an object; `owner` names it ("server \"feast\"") or is NULL. */
extern void dyn_options_check(List *options, DynOptionPlace where, const char *owner);

/* Name of the first option that is wrong, or NULL.  Throws nothing. */
extern const char *dyn_options_wrong(List *options, DynOptionPlace where);

/*
 * Raises what the options of a user mapping lack, or what only a superuser may
 * have there, whichever of them a statement is about.
 */
extern void dyn_options_check_mapping(List *options);

#endif							/* DYN_OPTION_CHECK_H */
