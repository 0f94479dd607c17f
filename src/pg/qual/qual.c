/*
 * qual.c
 *	  Key predicates, planner side.
 *
 * A condition is used when its operator is an equality of the key's type, so
 * that the rows found by key are just those it is true for; such a condition
 * need not be checked again.  Which keys a tree binds: qual_bind.c.
 */
#include "pg/util/export.h"

#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/restrictinfo.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "pg/qual/qual.h"
#include "pg/qual/qual_bind.h"
#include "pg/qual/qual_operand.h"
#include "pg/qual/qual_tree.h"

typedef struct Extraction
{
	PlannerInfo *root;
	RelOptInfo *rel;
	const DynRelation *dyn;
	List	   *operands;
} Extraction;

/* ---- single conditions ---- */

/*
 * A cast of a key that leaves it equal to just what it was equal to: a
 * relabelling, or to another type of whole numbers (a cast to a smaller one
 * fails where it isn't equal).
 */
static Node *
strip_equal_casts(Node *expr)
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
			case F_INT8_INT4:
			case F_INT4_INT8:
			case F_INT2_INT4:
			case F_INT2_INT8:
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

	expr = strip_equal_casts(expr);
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

/* Fit to be evaluated once a scan: no column of this table, same result each time. */
static bool
is_operand(Extraction *x, Node *expr)
{
	return !bms_is_member(x->rel->relid, pull_varnos(x->root, expr)) &&
		!contain_volatile_functions(expr) && !contain_subplans(expr);
}

static bool
is_equality_of(Oid opno, Oid type)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY);

	return get_op_opfamily_strategy(opno, entry->btree_opf) == BTEqualStrategyNumber;
}

static bool
operator_fits(const DynColumn *column, Oid opno, Oid collation)
{
	bool		is_integer = column->base_type == INT4OID || column->base_type == INT8OID;

	if (!is_equality_of(opno, column->base_type) && !(is_integer && is_equality_of(opno, NUMERICOID)))
		return false;
	/* bytes decide in DynamoDB, a non-deterministic collation would find more */
	return !OidIsValid(collation) || get_collation_isdeterministic(collation);
}

static Node *
make_leaf(Extraction *x, DynKeyNode kind, int key, Node *operand)
{
	x->operands = lappend(x->operands, operand);
	return dyn_leaf_make(kind, key, list_length(x->operands) - 1);
}

static int
key_number(Extraction *x, Node *expr)
{
	return dyn_qual_key_number(x->dyn, x->rel->relid, expr);
}

static Node *
extract_equality(Extraction *x, OpExpr *op)
{
	Node	   *operand = lsecond(op->args);
	int			key = key_number(x, linitial(op->args));
	int			other = key_number(x, operand);

	if (key < 0)
	{
		key = other;
		other = -1;
		operand = linitial(op->args);
	}
	if (key < 0 || !operator_fits(x->dyn->keys[key], op->opno, op->inputcollid))
		return NULL;
	if (other >= 0)
		return dyn_leaf_make(DYN_KEY_SAME, key, other);
	if (!dyn_operand_fits(x->dyn->keys[key], exprType(operand)) || !is_operand(x, operand))
		return NULL;
	return make_leaf(x, DYN_KEY_EQ, key, operand);
}

static Node *
extract_any(Extraction *x, ScalarArrayOpExpr *op)
{
	Node	   *array = lsecond(op->args);
	Oid			element = get_base_element_type(exprType(array));
	int			key;

	if (!op->useOr || !OidIsValid(element))
		return NULL;
	key = key_number(x, linitial(op->args));
	if (key < 0 || !operator_fits(x->dyn->keys[key], op->opno, op->inputcollid) ||
		!dyn_operand_fits(x->dyn->keys[key], element) || !is_operand(x, array))
		return NULL;
	return make_leaf(x, DYN_KEY_ANY, key, array);
}

/* No key is NULL. */
static Node *
extract_null_test(Extraction *x, NullTest *test)
{
	int			key = key_number(x, (Node *) test->arg);

	if (key < 0 || test->nulltesttype != IS_NULL)
		return NULL;
	return make_leaf(x, DYN_KEY_EQ, key, (Node *) makeNullConst(x->dyn->keys[key]->base_type, -1, InvalidOid));
}

/* ---- trees ---- */

static Node *extract(Extraction *x, Node *clause, bool *exact);

/*
 * What an AND has of key conditions; the rest of it stays a filter.  Operands
 * of branches that are given up stay in x->operands, but nothing refers to
 * them.
 */
static Node *
extract_and(Extraction *x, List *args, bool *exact)
{
	List	   *children = NIL;
	ListCell   *lc;

	foreach(lc, args)
	{
		bool		child_exact;
		Node	   *child = extract(x, lfirst(lc), &child_exact);

		if (child)
			children = lappend(children, child);
		*exact = *exact && child && child_exact;
	}
	return dyn_inner_make(DYN_KEY_AND, children);
}

/* An OR helps only if every branch names keys. */
static Node *
extract_or(Extraction *x, List *args, bool *exact)
{
	List	   *children = NIL;
	ListCell   *lc;

	foreach(lc, args)
	{
		bool		child_exact;
		Node	   *child = extract(x, lfirst(lc), &child_exact);

		if (child == NULL)
			return NULL;
		children = lappend(children, child);
		*exact = *exact && child_exact;
	}
	return dyn_inner_make(DYN_KEY_OR, children);
}

/*
 * The key condition in a clause, or NULL. *exact: rows with such keys fulfil
 * the whole clause.
 */
static Node *
extract(Extraction *x, Node *clause, bool *exact)
{
	check_stack_depth();
	*exact = true;
	if (IsA(clause, OpExpr) && list_length(((OpExpr *) clause)->args) == 2)
		return extract_equality(x, (OpExpr *) clause);
	if (IsA(clause, ScalarArrayOpExpr))
		return extract_any(x, (ScalarArrayOpExpr *) clause);
	if (IsA(clause, NullTest))
		return extract_null_test(x, (NullTest *) clause);
	if (IsA(clause, BooleanTest) && ((BooleanTest *) clause)->booltesttype == IS_TRUE)
		return extract(x, (Node *) ((BooleanTest *) clause)->arg, exact);
	if (is_andclause(clause))
		return extract_and(x, ((BoolExpr *) clause)->args, exact);
	if (is_orclause(clause))
		return extract_or(x, ((BoolExpr *) clause)->args, exact);
	/* IS NOT DISTINCT FROM: no key is NULL, so it is equality */
	if (is_notclause(clause) && IsA(get_notclausearg(clause), DistinctExpr))
		return extract_equality(x, (OpExpr *) get_notclausearg(clause));
	return NULL;
}

/* ---- the whole ---- */

DynKeyCondition *
dyn_qual_split(PlannerInfo *root, RelOptInfo *rel, const DynRelation *dyn, List *restrictinfos)
{
	DynKeyCondition *condition = palloc0(sizeof(DynKeyCondition));
	Extraction	x = {root, rel, dyn, NIL};
	List	   *children = NIL;
	ListCell   *lc;

	foreach(lc, restrictinfos)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);
		Node	   *tree = NULL;
		bool		exact = false;

		if (rinfo->pseudoconstant)
			continue;
		/* a condition that must wait for a security barrier's is only a filter */
		if (restriction_is_securely_promotable(rinfo, rel))
			tree = extract(&x, (Node *) rinfo->clause, &exact);
		if (tree)
		{
			children = lappend(children, tree);
			condition->clauses = lappend(condition->clauses, rinfo->clause);
		}
		else
			condition->filters = lappend(condition->filters, rinfo->clause);
		if (tree == NULL || !exact)
			condition->rest = lappend(condition->rest, rinfo->clause);
	}
	condition->tree = dyn_inner_make(DYN_KEY_AND, children);
	condition->operands = x.operands;
	condition->complete = dyn_tree_binds_all(condition->tree, condition->operands, dyn->nkeys, &condition->keys);
	return condition;
}
