/*
 * qual.c
 *	  Key predicates, planner side.
 *
 * A condition is used when its operator is an equality of the key's type, so
 * that the rows found by key are just those it is true for; such a condition
 * need not be checked again.  Which keys a tree binds: qual_bind.c.
 */
#include "pg/util/export.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"

#include "pg/qual/qual.h"
#include "pg/qual/qual_bind.h"
#include "pg/qual/qual_column.h"
#include "pg/qual/qual_operand.h"
#include "pg/qual/qual_tree.h"

/* The table whose keys are looked for, and the operands found so far. */
typedef struct Extraction
{
	PlannerInfo *root;
	RelOptInfo *rel;
	const DynRelation *dyn;
	List	   *operands;
} Extraction;

/* ---- single conditions ---- */

/* Can the expression be evaluated once for a whole scan? It has no column of this table, and no result of its own each time. */
static bool
is_operand(Extraction *x, Node *expr)
{
	return !bms_is_member(x->rel->relid, pull_varnos(x->root, expr)) &&
		!contain_volatile_functions(expr) && !contain_subplans(expr);
}

/* A leaf of the tree (qual_tree.h) with an operand. */
static Node *
make_leaf(Extraction *x, DynKeyNode kind, int key, Node *operand)
{
	x->operands = lappend(x->operands, operand);
	return dyn_leaf_make(kind, key, list_length(x->operands) - 1);
}

/* The number of the key that the expression stands for, or -1. */
static int
key_number(Extraction *x, Node *expr)
{
	return dyn_qual_key_number(x->dyn, x->rel->relid, expr);
}

/* key = operand, operand = key, or key = other key. */
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
	if (key < 0 || !dyn_qual_operator_fits(x->dyn->keys[key], op->opno, op->inputcollid))
		return NULL;
	if (other >= 0)
		return dyn_leaf_make(DYN_KEY_SAME, key, other);
	if (!dyn_operand_fits(x->dyn->keys[key], exprType(operand)) || !is_operand(x, operand))
		return NULL;
	return make_leaf(x, DYN_KEY_EQ, key, operand);
}

/* key = ANY (array). */
static Node *
extract_any(Extraction *x, ScalarArrayOpExpr *op)
{
	Node	   *array = lsecond(op->args);
	Oid			element = get_base_element_type(exprType(array));
	int			key;

	if (!op->useOr || !OidIsValid(element))
		return NULL;
	key = key_number(x, linitial(op->args));
	if (key < 0 || !dyn_qual_operator_fits(x->dyn->keys[key], op->opno, op->inputcollid) ||
		!dyn_operand_fits(x->dyn->keys[key], element) || !is_operand(x, array))
		return NULL;
	return make_leaf(x, DYN_KEY_ANY, key, array);
}

bool
dyn_qual_has_values(const SubPlan *sub_select)
{
	return sub_select->subLinkType == ANY_SUBLINK && sub_select->parParam == NIL &&
		IsA(sub_select->testexpr, OpExpr);
}

/* The values of a sub-select as an array: the plan is the one that PostgreSQL made to compare them one by one. */
static Node *
array_of_values(const SubPlan *sub_select)
{
	SubPlan    *array = copyObject(unconstify(SubPlan *, sub_select));

	array->subLinkType = ARRAY_SUBLINK;
	array->testexpr = NULL;
	array->paramIds = NIL;
	array->useHashTable = false;
	array->unknownEqFalse = false;
	return (Node *) array;
}

/* key IN (SELECT ...), where PostgreSQL has not made a join of it, as under OR. */
static Node *
extract_sub_select(Extraction *x, const SubPlan *sub_select)
{
	OpExpr	   *op = (OpExpr *) sub_select->testexpr;
	Node	   *value;
	int			key;

	if (!dyn_qual_has_values(sub_select))
		return NULL;
	value = lsecond(op->args);
	if (IsA(value, RelabelType))
		value = (Node *) ((RelabelType *) value)->arg;
	key = key_number(x, linitial(op->args));
	if (key < 0 || !IsA(value, Param) || !dyn_qual_operator_fits(x->dyn->keys[key], op->opno, op->inputcollid) ||
		!dyn_operand_fits(x->dyn->keys[key], sub_select->firstColType))
		return NULL;
	return make_leaf(x, DYN_KEY_ANY, key, array_of_values(sub_select));
}

/* key IS NULL: no key is, so this is as good as key = NULL. */
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

/* The branches of an AND that name keys; the others make it inexact, so that it stays a filter as well. */
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
	int			operands_before = list_length(x->operands);
	List	   *children = NIL;
	ListCell   *lc;

	foreach(lc, args)
	{
		bool		child_exact;
		Node	   *child = extract(x, lfirst(lc), &child_exact);

		if (child == NULL)
		{
			x->operands = list_truncate(x->operands, operands_before);
			return NULL;
		}
		children = lappend(children, child);
		*exact = *exact && child_exact;
	}
	return dyn_inner_make(DYN_KEY_OR, children);
}

/*
 * The tree of what a clause says of the keys, or NULL.  *exact becomes true if
 * the clause is true for every row that has such keys.
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
	if (IsA(clause, SubPlan))
		return extract_sub_select(x, (SubPlan *) clause);
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

/* ---- evaluation ---- */

/* Walker: is there anything beside columns, values, and functions that leak nothing, and so raise nothing? */
static bool
can_fail(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_List:
		case T_Var:
		case T_Const:
		case T_Param:
		case T_RelabelType:
		case T_ArrayExpr:
			break;
		case T_FuncExpr:
			if (!get_func_leakproof(castNode(FuncExpr, node)->funcid))
				return true;
			break;
		default:
			return true;
	}
	return expression_tree_walker(node, can_fail, context);
}

bool
dyn_qual_can_fail(Node *exprs)
{
	return can_fail(exprs, NULL);
}

/* ---- the whole ---- */

/*
 * A condition of the query: what of it names keys goes into the tree (whose
 * branches are collected in *branches), and what has to be checked stays.
 */
static void
add_restriction(Extraction *x, DynKeyCondition *condition, RestrictInfo *rinfo, List **branches)
{
	Node	   *tree = NULL;
	bool		exact = false;

	/* a condition that must wait for a security barrier's is only a filter */
	if (restriction_is_securely_promotable(rinfo, x->rel))
		tree = extract(x, (Node *) rinfo->clause, &exact);
	if (tree)
	{
		*branches = lappend(*branches, tree);
		condition->clauses = lappend(condition->clauses, rinfo->clause);
	}
	else
		condition->filters = lappend(condition->filters, rinfo->clause);
	if (tree == NULL || !exact)
		condition->rest = lappend(condition->rest, rinfo->clause);
}

bool
dyn_qual_equates_key(PlannerInfo *root, RelOptInfo *rel, const DynRelation *dyn, RestrictInfo *rinfo, int *key,
					 Node **value)
{
	Extraction	x = {root, rel, dyn, NIL};
	Node	   *tree;
	bool		exact;

	/* OR can be long, and never says it */
	if (rinfo->pseudoconstant || is_orclause(rinfo->clause) || !restriction_is_securely_promotable(rinfo, rel))
		return false;
	tree = extract(&x, (Node *) rinfo->clause, &exact);
	if (tree == NULL || !exact || !IsA(tree, IntList) || dyn_leaf_kind((List *) tree) != DYN_KEY_EQ)
		return false;
	*key = dyn_leaf_key((List *) tree);
	*value = list_nth(x.operands, dyn_leaf_operand((List *) tree));
	return true;
}

/* A condition that need not be checked. */
static void
add_derived(Extraction *x, DynKeyCondition *condition, Node *clause, List **branches)
{
	bool		exact;
	Node	   *tree = extract(x, clause, &exact);

	if (tree == NULL)
		return;
	*branches = lappend(*branches, tree);
	condition->clauses = lappend(condition->clauses, clause);
}

/* Makes the tree of its branches. */
static void
finish(Extraction *x, DynKeyCondition *condition, List *branches)
{
	condition->tree = dyn_inner_make(DYN_KEY_AND, branches);
	condition->operands = x->operands;
	condition->complete = dyn_tree_binds_all(condition->tree, condition->operands, x->dyn->nkeys, &condition->keys);
}

DynKeyCondition *
dyn_qual_split(PlannerInfo *root, RelOptInfo *rel, const DynRelation *dyn, List *restrictinfos, List *derived)
{
	DynKeyCondition *condition = palloc0(sizeof(DynKeyCondition));
	Extraction	x = {root, rel, dyn, NIL};
	List	   *branches = NIL;
	ListCell   *lc;

	foreach(lc, restrictinfos)
		if (!lfirst_node(RestrictInfo, lc)->pseudoconstant)
			add_restriction(&x, condition, lfirst(lc), &branches);
	finish(&x, condition, list_copy(branches));
	if (condition->complete || derived == NIL)
		return condition;
	foreach(lc, derived)
		add_derived(&x, condition, lfirst(lc), &branches);
	finish(&x, condition, branches);
	return condition;
}
