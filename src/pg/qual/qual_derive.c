/*
 * qual_derive.c
 *	  Conditions on keys that follow from join clauses.
 *
 * If a join clause "key = column" may be checked when the foreign table is
 * scanned, for each row of the column's table, then a row whose key equals no
 * such column takes no part in the result: the join drops it, or is an outer
 * join that has the foreign table on its nullable side.  So what the scan of
 * the column's table filters the column by holds for the key, too.  What is
 * true of the key is true of any column that the key is compared with, so
 * this goes on from table to table.
 */
#include "pg/util/export.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "parser/parse_coerce.h"
#include "utils/lsyscache.h"

#include "pg/qual/qual_column.h"
#include "pg/qual/qual_derive.h"

/* A column that has the value of a key in every row of the join that matters. */
typedef struct EqualColumn
{
	int			relid;
	AttrNumber	attno;
	int			key;			/* number of the key */
} EqualColumn;

typedef struct Derivation
{
	PlannerInfo *root;
	RelOptInfo *rel;
	const DynRelation *dyn;
	List	   *columns;		/* of EqualColumn; the keys themselves come first */
	List	   *classes;		/* equivalence classes that were looked at */
	Index		security;		/* highest level of the join clauses that were used */
} Derivation;

/* ---- join clauses ---- */

/* For the callback below. */
typedef struct SoughtColumn
{
	AttrNumber	attno;
	List	  **classes;		/* equivalence classes that were found already */
} SoughtColumn;

/* Callback: is the equivalence member the column? An equivalence class is found once. */
static bool
member_is_column(PlannerInfo *root, RelOptInfo *rel, EquivalenceClass *ec, EquivalenceMember *em, void *arg)
{
	SoughtColumn *column = arg;
	Node	   *expr = dyn_qual_strip_casts((Node *) em->em_expr);

	if (!IsA(expr, Var) || ((Var *) expr)->varno != (int) rel->relid || ((Var *) expr)->varattno != column->attno ||
		list_member_ptr(*column->classes, ec))
		return false;
	*column->classes = lappend(*column->classes, ec);
	return true;
}

/*
 * Join clauses that equate a column with what it is known to be equal to.
 * Classes in *classes are passed over; those that are used are added to it.
 */
static List *
implied_equalities(PlannerInfo *root, RelOptInfo *rel, AttrNumber attno, List **classes)
{
	SoughtColumn column = {attno, classes};
	List	   *clauses = NIL;
	List	   *more;

	if (!rel->has_eclass_joins)
		return NIL;
	/* one call ends with the first class that has clauses; a column with different casts is in several */
	do
	{
		more = generate_implied_equalities_for_column(root, rel, member_is_column, &column, rel->lateral_referencers);
		clauses = list_concat(clauses, more);
	} while (more != NIL);
	return clauses;
}

/* Join clauses as written that may be checked when the table is scanned. */
static List *
movable_clauses(RelOptInfo *rel)
{
	List	   *clauses = NIL;
	ListCell   *lc;

	foreach(lc, rel->joininfo)
		if (join_clause_is_movable_to(lfirst_node(RestrictInfo, lc), rel))
			clauses = lappend(clauses, lfirst(lc));
	return clauses;
}

List *
dyn_qual_join_clauses(PlannerInfo *root, RelOptInfo *rel, const DynRelation *dyn)
{
	List	   *clauses = movable_clauses(rel);

	for (int i = 0; i < dyn->nkeys; i++)
	{
		List	   *classes = NIL;

		clauses = list_concat(clauses, implied_equalities(root, rel, dyn->keys[i]->attnum, &classes));
	}
	return clauses;
}

/* ---- columns that equal a key ---- */

/* Do equal values of the two types look the same in every function that both have? */
static bool
is_same_kind(Oid a, Oid b)
{
	a = getBaseType(a);
	b = getBaseType(b);
	if (a == INT4OID || a == INT8OID)
		return b == INT2OID || b == INT4OID || b == INT8OID;
	if (a == TEXTOID || a == VARCHAROID)
		return b == TEXTOID || b == VARCHAROID;
	return a == b;
}

/* The column of a table that an expression stands for, or NULL. */
static Var *
column_of(Node *expr)
{
	Var		   *var = (Var *) dyn_qual_strip_casts(expr);

	return IsA(var, Var) && var->varlevelsup == 0 && var->varattno > 0 ? var : NULL;
}

/* Is it this column? */
static bool
is_column(const Var *var, const EqualColumn *column)
{
	return var->varno == column->relid && var->varattno == column->attno;
}

/* The column that a join clause equates with this one, or NULL. */
static Var *
equated_with(const Derivation *d, const EqualColumn *column, const RestrictInfo *rinfo)
{
	OpExpr	   *op = (OpExpr *) rinfo->clause;
	DynColumn  *key = d->dyn->keys[column->key];
	Var		   *left;
	Var		   *right;

	if (!IsA(op, OpExpr) || list_length(op->args) != 2 ||
		!dyn_qual_operator_fits(key, op->opno, op->inputcollid))
		return NULL;
	left = column_of(linitial(op->args));
	right = column_of(lsecond(op->args));
	if (left == NULL || right == NULL || !is_same_kind(key->type, left->vartype) ||
		!is_same_kind(key->type, right->vartype))
		return NULL;
	return is_column(left, column) ? right : is_column(right, column) ? left : NULL;
}

/* The key that a column is equal to, or -1. */
static int
equal_key(const Derivation *d, int relid, AttrNumber attno)
{
	ListCell   *lc;

	foreach(lc, d->columns)
	{
		EqualColumn *column = lfirst(lc);

		if (column->relid == relid && column->attno == attno)
			return column->key;
	}
	return -1;
}

/* Adds a column that equals a key. */
static void
add_column(Derivation *d, int relid, AttrNumber attno, int key)
{
	EqualColumn *column = palloc(sizeof(EqualColumn));

	column->relid = relid;
	column->attno = attno;
	column->key = key;
	d->columns = lappend(d->columns, column);
}

/* Adds the columns that join clauses, or conditions on the table alone, equate with this one. */
static void
add_equated(Derivation *d, const EqualColumn *column)
{
	RelOptInfo *rel = find_base_rel(d->root, column->relid);
	List	   *clauses = movable_clauses(rel);
	ListCell   *lc;

	clauses = list_concat(clauses, implied_equalities(d->root, rel, column->attno, &d->classes));
	clauses = list_concat(clauses, rel->baserestrictinfo);
	foreach(lc, clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);
		Var		   *other = equated_with(d, column, rinfo);

		if (other == NULL || equal_key(d, other->varno, other->varattno) >= 0)
			continue;
		add_column(d, other->varno, other->varattno, column->key);
		d->security = Max(d->security, rinfo->security_level);
	}
}

/* ---- conditions on those columns, as conditions on the keys ---- */

typedef struct Translation
{
	const Derivation *d;
	bool		failed;			/* something in the expression has no counterpart */
} Translation;

/* A key in place of a column, as a value of the column's type, domains resolved. */
static Node *
key_in_place_of(const Derivation *d, int key, const Var *column)
{
	AttrNumber	attno = d->dyn->keys[key]->attnum;
	Oid			type;
	int32		typmod;
	Oid			collation;
	Node	   *var;

	get_atttypetypmodcoll(d->dyn->relid, attno, &type, &typmod, &collation);
	var = (Node *) makeVar(d->rel->relid, attno, type, typmod, collation, 0);
	if (type == column->vartype)
		return var;
	return coerce_to_target_type(NULL, var, type, getBaseType(column->vartype), -1, COERCION_EXPLICIT,
								 COERCE_EXPLICIT_CAST, -1);
}

/* Mutator: keys in place of the columns that equal them; anything else that a row decides is a failure. */
static Node *
replace_columns(Node *node, void *arg)
{
	Translation *t = arg;
	int			key;

	if (node == NULL)
		return NULL;
	if (IsA(node, PlaceHolderVar))
		t->failed = true;
	if (t->failed)
		return node;
	if (!IsA(node, Var))
		return expression_tree_mutator(node, replace_columns, t);
	key = equal_key(t->d, ((Var *) node)->varno, ((Var *) node)->varattno);
	node = key < 0 ? NULL : key_in_place_of(t->d, key, (Var *) node);
	t->failed = node == NULL;
	return node;
}

/* Does a condition say only that a column is equal to itself? */
static bool
equates_with_itself(const Node *clause)
{
	const OpExpr *op = (const OpExpr *) clause;

	return IsA(op, OpExpr) && list_length(op->args) == 2 &&
		equal(dyn_qual_strip_casts(linitial(op->args)), dyn_qual_strip_casts(lsecond(op->args)));
}

static Node *translate(const Derivation *d, Node *clause);

/* An AND keeps the branches that can be translated; an OR needs all of them. */
static Node *
translate_branches(const Derivation *d, BoolExpr *clause)
{
	List	   *branches = NIL;
	ListCell   *lc;

	foreach(lc, clause->args)
	{
		Node	   *branch = translate(d, lfirst(lc));

		if (branch)
			branches = lappend(branches, branch);
		else if (clause->boolop == OR_EXPR)
			return NULL;
	}
	if (list_length(branches) <= 1)
		return branches ? linitial(branches) : NULL;
	return (Node *) makeBoolExpr(clause->boolop, branches, -1);
}

/* What a condition on columns that equal keys says of the keys, or NULL. */
static Node *
translate(const Derivation *d, Node *clause)
{
	Translation t = {d, false};
	Node	   *translated;

	check_stack_depth();
	if (is_andclause(clause) || is_orclause(clause))
		return translate_branches(d, (BoolExpr *) clause);
	translated = replace_columns(clause, &t);
	return t.failed || equates_with_itself(translated) ? NULL : translated;
}

/* Would the condition, evaluated for rows that a security barrier hides, show nothing of them? */
static bool
is_secure(const Derivation *d, Node *clause, Index security)
{
	return Max(security, d->security) <= d->rel->baserestrict_min_security || !contain_leaked_vars(clause);
}

/* Adds what the conditions on a table say of the keys. */
static void
add_conditions_of(const Derivation *d, const RelOptInfo *other, List **conditions)
{
	ListCell   *lc;

	foreach(lc, other->baserestrictinfo)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);
		Node	   *clause = (Node *) rinfo->clause;
		Node	   *translated;

		if (rinfo->pseudoconstant || contain_volatile_functions(clause) || contain_subplans(clause))
			continue;
		translated = translate(d, clause);
		if (translated && !equal(translated, clause) && is_secure(d, translated, rinfo->security_level))
			*conditions = lappend(*conditions, translated);
	}
}

List *
dyn_qual_derive(PlannerInfo *root, RelOptInfo *rel, const DynRelation *dyn)
{
	Derivation	d = {root, rel, dyn, NIL, NIL, 0};
	Relids		tables = NULL;
	List	   *conditions = NIL;

	for (int i = 0; i < dyn->nkeys; i++)
		add_column(&d, rel->relid, dyn->keys[i]->attnum, i);
	/* the list grows meanwhile */
	for (int i = 0; i < list_length(d.columns); i++)
		add_equated(&d, list_nth(d.columns, i));
	for (int i = dyn->nkeys; i < list_length(d.columns); i++)
		tables = bms_add_member(tables, ((EqualColumn *) list_nth(d.columns, i))->relid);
	for (int relid = -1; (relid = bms_next_member(tables, relid)) >= 0;)
		add_conditions_of(&d, find_base_rel(root, relid), &conditions);
	return conditions;
}
