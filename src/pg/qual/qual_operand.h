/*
 * qual_operand.h
 *	  Operands of key conditions: which types can be compared with a key, and
 *	  how their values become the key's canonical form (convert.h).
 */
#ifndef DYN_QUAL_OPERAND_H
#define DYN_QUAL_OPERAND_H

#include "pg/table/relation.h"

/* Can dyn_operand_to_key convert this type for the column? */
extern bool dyn_operand_fits(const DynColumn *column, Oid type);

/* A (not null) operand of a type that fits, domains resolved; false: no key that can be stored equals it. */
extern bool dyn_operand_to_key(const DynColumn *column, Oid base_type, Datum value, Datum *key);

#endif							/* DYN_QUAL_OPERAND_H */
