/*
 * ddl_pin.h
 *	  RENAME changes no remote name: a feature view or feature that is called
 *	  like its foreign table or column keeps its name by an option.
 */
#ifndef DYN_DDL_PIN_H
#define DYN_DDL_PIN_H

/* A command begins that no other one runs. */
extern void dyn_pins_reset(void);

/* A relation (column 0) or column was altered, perhaps renamed; its old name can still be read. */
extern void dyn_pin_note(Oid relid, int attnum);

/* Is an ALTER of dyn_pins_apply() running? */
extern bool dyn_pins_are_applied(void);

/* At the command's end: sets the options, and says so. */
extern void dyn_pins_apply(void);

#endif							/* DYN_DDL_PIN_H */
