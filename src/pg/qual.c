/*
 * qual.c
 *	  Key predicates, planner side.
 *
 * A condition is used when its operator is the equality of the key's own
 * comparison, so that the rows found by key are just those it is true for;
 * such a condition need not be checked again.
 */
#include "pg/export.h"

#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/restrictinfo.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "pg/qual.h"

/* Keys estimated for an array whose length isn't known. */
#define DEFAULT_ARRAY_KEYS 10

/* Sets of key columns that a branch may bind; more alternatives than this are not followed. */
#define MAX_BOUND_SETS 64

typedef struct Extraction
{
	PlannerInfo *root;
	RelOptInfo *rel;
	const DynRelation *dyn;
	List	   *operands;
} Extraction;

/* ---- single conditions ---- */

/* Can the executor turn an operand of this type into the key's form? */
static bool
operand_type_fits(const DynColumn *column, Oid type)
{
	type = getBaseType(type);
	switch (column->base_type)
	{
		case INT4OID:
		case INT8OID:
			return type == INT2OID || type == INT4OID || type == INT8OID;
		case TEXTOID:
		case VARCHAROID:
			return type == TEXTOID || type == VARCHAROID;
		default:
			return type == column->base_type;
	}
}

/* A cast that changes no value: a relabelling, or an integer made wider. */
static Node *
strip_equal_casts(Node *expr)
{
	for (;;)
	{
		if (IsA(expr, RelabelType))
			expr = (Node *) ((RelabelType *) expr)->arg;
		else if (IsA(expr, FuncExpr) && ((FuncExpr *) expr)->funcid == F_INT8_INT4)
			expr = linitial(((FuncExpr *) expr)->args);
		else
			return expr;
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
operator_fits(const DynColumn *column, Oid opno, Oid collation)
{
	TypeCacheEntry *type = lookup_type_cache(column->base_type, TYPECACHE_BTREE_OPFAMILY);

	if (get_op_opfamily_strategy(opno, type->btree_opf) != BTEqualStrategyNumber)
		return false;
	/* bytes decide in DynamoDB, a non-deterministic collation would find more */
	return !OidIsValid(collation) || get_collation_isdeterministic(collation);
}

static Node *
make_leaf(Extraction *x, DynKeyNode kind, int key, Node *operand)
{
	x->operands = lappend(x->operands, operand);
	return (Node *) list_make3_int(kind, key, list_length(x->operands) - 1);
}

static Node *
extract_equality(Extraction *x, OpExpr *op)
{
	Node	   *left;
	Node	   *right;
	int			key;

	if (list_length(op->args) != 2)
		return NULL;
	left = linitial(op->args);
	right = lsecond(op->args);
	key = dyn_qual_key_number(x->dyn, x->rel->relid, left);
	if (key < 0)
	{
		Node	   *swap = left;

		left = right;
		right = swap;
		key = dyn_qual_key_number(x->dyn, x->rel->relid, left);
	}
	if (key < 0 || !operator_fits(x->dyn->keys[key], op->opno, op->inputcollid) ||
		!operand_type_fits(x->dyn->keys[key], exprType(right)) || !is_operand(x, right))
		return NULL;
	return make_leaf(x, DYN_KEY_EQ, key, right);
}

static Node *
extract_any(Extraction *x, ScalarArrayOpExpr *op)
{
	Node	   *array = lsecond(op->args);
	Oid			element = get_base_element_type(exprType(array));
	int			key;

	if (!op->useOr || !OidIsValid(element))
		return NULL;
	key = dyn_qual_key_number(x->dyn, x->rel->relid, linitial(op->args));
	if (key < 0 || !operator_fits(x->dyn->keys[key], op->opno, op->inputcollid) ||
		!operand_type_fits(x->dyn->keys[key], element) || !is_operand(x, array))
		return NULL;
	return make_leaf(x, DYN_KEY_ANY, key, array);
}

/* ---- trees ---- */

static Node *extract(Extraction *x, Node *clause, bool *exact);

static Node *
make_inner(DynKeyNode kind, List *children)
{
	if (children == NIL)
		return NULL;
	if (list_length(children) == 1)
		return linitial(children);
	return (Node *) lcons(makeInteger(kind), children);
}

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
	return make_inner(DYN_KEY_AND, children);
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
	return make_inner(DYN_KEY_OR, children);
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
	if (IsA(clause, OpExpr))
		return extract_equality(x, (OpExpr *) clause);
	if (IsA(clause, ScalarArrayOpExpr))
		return extract_any(x, (ScalarArrayOpExpr *) clause);
	if (is_andclause(clause))
		return extract_and(x, ((BoolExpr *) clause)->args, exact);
	if (is_orclause(clause))
		return extract_or(x, ((BoolExpr *) clause)->args, exact);
	return NULL;
}

/* ---- which keys a tree binds ---- */

typedef struct BoundSets
{
	uint64		sets[MAX_BOUND_SETS];
	int			n;
	bool		too_many;
} BoundSets;

static void
add_set(BoundSets *sets, uint64 set)
{
	for (int i = 0; i < sets->n; i++)
		if (sets->sets[i] == set)
			return;
	if (sets->n == MAX_BOUND_SETS)
		sets->too_many = true;
	else
		sets->sets[sets->n++] = set;
}

/* Each alternative of the tree as the set of keys that it binds. */
static void
bound_sets(Node *tree, BoundSets *out)
{
	List	   *list = (List *) tree;
	DynKeyNode	kind;
	BoundSets	joined = {{0}, 1, false};

	check_stack_depth();
	out->n = 0;
	out->too_many = false;
	if (IsA(tree, IntList))
	{
		add_set(out, UINT64CONST(1) << lsecond_int(list));
		return;
	}
	kind = intVal(linitial(list));
	for (int i = 1; i < list_length(list); i++)
	{
		BoundSets	child;
		BoundSets	product = {{0}, 0, false};

		bound_sets(list_nth(list, i), &child);
		out->too_many = out->too_many || child.too_many;
		for (int a = 0; a < child.n; a++)
		{
			if (kind == DYN_KEY_OR)
				add_set(out, child.sets[a]);
			else
				for (int b = 0; b < joined.n; b++)
					add_set(&product, joined.sets[b] | child.sets[a]);
		}
		out->too_many = out->too_many || product.too_many;
		joined = product;
	}
	if (kind == DYN_KEY_AND)
		for (int b = 0; b < joined.n; b++)
			add_set(out, joined.sets[b]);
}

static bool
binds_all_keys(Node *tree, int nkeys)
{
	uint64		all = (UINT64CONST(1) << nkeys) - 1;
	BoundSets	sets;

	if (nkeys == 0)
		return true;
	if (tree == NULL)
		return false;
	bound_sets(tree, &sets);
	for (int i = 0; i < sets.n; i++)
		if (sets.sets[i] != all)
			return false;
	return !sets.too_many;
}

/* ---- estimates ---- */

static double
array_length_estimate(Node *array)
{
	array = strip_equal_casts(array);
	if (IsA(array, Const))
	{
		Const	   *value = (Const *) array;
		ArrayType  *elements;

		if (value->constisnull)
			return 0;
		elements = DatumGetArrayTypeP(value->constvalue);
		return ArrayGetNItems(ARR_NDIM(elements), ARR_DIMS(elements));
	}
	if (IsA(array, ArrayExpr))
		return list_length(((ArrayExpr *) array)->elements);
	return DEFAULT_ARRAY_KEYS;
}

static double
estimate_keys(Node *tree, List *operands)
{
	List	   *list = (List *) tree;
	double		estimate;
	bool		is_and;

	check_stack_depth();
	if (tree == NULL)
		return 1;
	if (IsA(tree, IntList))
		return linitial_int(list) == DYN_KEY_EQ ? 1 : array_length_estimate(list_nth(operands, lthird_int(list)));
	is_and = intVal(linitial(list)) == DYN_KEY_AND;
	estimate = is_and ? 1 : 0;
	for (int i = 1; i < list_length(list); i++)
	{
		double		child = estimate_keys(list_nth(list, i), operands);

		estimate = is_and ? estimate * child : estimate + child;
	}
	return estimate;
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
		if (tree == NULL || !exact)
			condition->rest = lappend(condition->rest, rinfo->clause);
	}
	condition->tree = make_inner(DYN_KEY_AND, children);
	condition->operands = x.operands;
	condition->complete = binds_all_keys(condition->tree, dyn->nkeys);
	condition->keys = estimate_keys(condition->tree, condition->operands);
	return condition;
}
