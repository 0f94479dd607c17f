/*
 * qual_column.c
 *	  Key columns in expressions, and their operators.
 */
#include "pg/util/export.h"

#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "nodes/primnodes.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "pg/qual/qual_column.h"

/*
 * A relabelling changes no value.  A cast to another type of whole numbers
 * doesn't either: where the number has no room, the cast fails.
 */
Node *
dyn_qual_strip_casts(Node *expr)
{
	for (;;)
	{
		if (IsA(expr, RelabelType))
		{
			expr = (Node *) ((RelabelType *) expr)->arg;
			continue;
		}
		if (!IsA(expr, FuncExpr))
			return expr;
		switch (((FuncExpr *) expr)->funcid)
		{
			case F_INT2_INT4:
			case F_INT2_INT8:
			case F_INT4_INT2:
			case F_INT4_INT8:
			case F_INT8_INT2:
			case F_INT8_INT4:
			case F_NUMERIC_INT2:
			case F_NUMERIC_INT4:
			case F_NUMERIC_INT8:
				expr = linitial(((FuncExpr *) expr)->args);
				break;
			default:
				return expr;
		}
	}
}

int
dyn_qual_key_number(const DynRelation *dyn, Index relid, Node *expr)
{
	Var		   *var;

	expr = dyn_qual_strip_casts(expr);
	if (!IsA(expr, Var))
		return -1;
	var = (Var *) expr;
	if (var->varno != (int) relid || var->varlevelsup != 0)
		return -1;
	for (int i = 0; i < dyn->nkeys; i++)
		if (dyn->keys[i]->attnum == var->varattno)
			return i;
	return -1;
}

/* Is the operator an equality of the type's default ordering, possibly with another type? */
static bool
is_equality_of(Oid opno, Oid type)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY);

	return get_op_opfamily_strategy(opno, entry->btree_opf) == BTEqualStrategyNumber;
}

bool
dyn_qual_operator_fits(const DynColumn *column, Oid opno, Oid collation)
{
	bool		is_integer = column->base_type == INT4OID || column->base_type == INT8OID;

	if (!is_equality_of(opno, column->base_type) && !(is_integer && is_equality_of(opno, NUMERICOID)))
		return false;
	/* bytes decide in DynamoDB, a non-deterministic collation would find more */
	return !OidIsValid(collation) || get_collation_isdeterministic(collation);
}
