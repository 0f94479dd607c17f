/*
 * compat.h
 *	  Differences between PostgreSQL 15 and 19, the only place that looks at
 *	  PG_VERSION_NUM.  Shims carry the newest version's name and arguments.
 */
#ifndef DYN_COMPAT_H
#define DYN_COMPAT_H

#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"
#include "optimizer/pathnode.h"
#include "optimizer/plancat.h"
#include "parser/parsetree.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/wait_event.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif
#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"
#endif
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#include "storage/waiteventset.h"
#endif
/* get_database_name() */
#if PG_VERSION_NUM >= 190000
#include "utils/lsyscache.h"
#else
#include "commands/dbcommands.h"
#endif

/*
 * A path of a foreign table.  Servers from 18 on compare the number of disabled nodes before costs; those before add
 * 1e10 to the cost of what is disabled, and know no such number.
 */
static inline ForeignPath *
dyn_create_foreignscan_path(PlannerInfo *root, RelOptInfo *rel, double rows, int disabled_nodes, Cost startup,
							Cost total, Relids required_outer)
{
#if PG_VERSION_NUM >= 180000
	return create_foreignscan_path(root, rel, NULL, rows, disabled_nodes, startup, total, NIL, required_outer, NULL,
								   NIL, NIL);
#elif PG_VERSION_NUM >= 170000
	return create_foreignscan_path(root, rel, NULL, rows, startup, total, NIL, required_outer, NULL, NIL, NIL);
#else
	return create_foreignscan_path(root, rel, NULL, rows, startup, total, NIL, required_outer, NULL, NIL);
#endif
}

/* A path above another one: servers from 18 on count the disabled nodes below it. */
static inline void
dyn_copy_disabled_nodes(Path *path, const Path *below)
{
#if PG_VERSION_NUM >= 180000
	path->disabled_nodes = below->disabled_nodes;
#endif
}

/* The paths of a relation without repeated rows, for a semi-join that becomes an ordinary one; may be none. */
static inline List *
dyn_unique_paths(PlannerInfo *root, RelOptInfo *rel, SpecialJoinInfo *sjinfo)
{
#if PG_VERSION_NUM >= 190000
	/* it has been made so */
	return rel->pathlist;
#else
	Path	   *path = (Path *) create_unique_path(root, rel, rel->cheapest_total_path, sjinfo);

	return path ? list_make1(path) : NIL;
#endif
}

/*
 * The hook that sees a relation when the planner has read the catalogs about
 * it.  Servers from 19 on call it for whatever else stands in FROM, too.  What
 * all versions hand over are `root` and `rel`.
 */
#if PG_VERSION_NUM >= 190000
typedef build_simple_rel_hook_type DynRelationHook;
#define dyn_relation_hook build_simple_rel_hook
#define DYN_RELATION_HOOK_PARAMETERS PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte
#define DYN_RELATION_HOOK_ARGUMENTS root, rel, rte
#else
typedef get_relation_info_hook_type DynRelationHook;
#define dyn_relation_hook get_relation_info_hook
#define DYN_RELATION_HOOK_PARAMETERS PlannerInfo *root, Oid relid, bool inhparent, RelOptInfo *rel
#define DYN_RELATION_HOOK_ARGUMENTS root, relid, inhparent, rel
#endif

/* Says of a unique index that it would find two NULLs equal.  Servers before 18 don't ask. */
static inline void
dyn_index_set_nulls_not_distinct(IndexOptInfo *index)
{
#if PG_VERSION_NUM >= 180000
	index->nullsnotdistinct = true;
#endif
}

#if PG_VERSION_NUM < 160000
/* Of schemas and foreign servers only. */
static inline AclResult
object_aclcheck(Oid classid, Oid objectid, Oid roleid, AclMode mode)
{
	if (classid == NamespaceRelationId)
		return pg_namespace_aclcheck(objectid, roleid, mode);
	return pg_foreign_server_aclcheck(objectid, roleid, mode);
}

/* Of functions and relations only. */
static inline bool
object_ownercheck(Oid classid, Oid objectid, Oid roleid)
{
	return classid == ProcedureRelationId ? pg_proc_ownercheck(objectid, roleid) : pg_class_ownercheck(objectid, roleid);
}
#endif

/* The user whose mapping a scan uses: a view's owner, else who runs it. */
static inline Oid
dyn_scan_user(ForeignScanState *node)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	Oid			userid;

#if PG_VERSION_NUM >= 160000
	userid = plan->checkAsUser;
#else
	userid = exec_rt_fetch(plan->scan.scanrelid, node->ss.ps.state)->checkAsUser;
#endif
	return OidIsValid(userid) ? userid : GetUserId();
}

/* The same of a modification. */
static inline Oid
dyn_modify_user(ResultRelInfo *result_rel, EState *estate)
{
	Oid			userid;

#if PG_VERSION_NUM >= 160000
	userid = ExecGetResultRelCheckAsUser(result_rel, estate);
#else
	/* a partition reached by tuple routing has no range table entry of its own */
	Index		rti = result_rel->ri_RangeTableIndex;

	if (rti == 0)
		rti = result_rel->ri_RootResultRelInfo->ri_RangeTableIndex;
	userid = exec_rt_fetch(rti, estate)->checkAsUser;
#endif
	return OidIsValid(userid) ? userid : GetUserId();
}

/* Changes with each transaction of the session. */
static inline LocalTransactionId
dyn_local_transaction_id(void)
{
#if PG_VERSION_NUM >= 170000
	return MyProc->vxid.lxid;
#else
	return MyProc->lxid;
#endif
}

/* A set for that many events that lives as long as the session. */
static inline WaitEventSet *
dyn_create_wait_event_set(int nevents)
{
#if PG_VERSION_NUM >= 170000
	return CreateWaitEventSet(NULL, nevents);
#else
	return CreateWaitEventSet(TopMemoryContext, nevents);
#endif
}

/* A wait event of that name; servers before 17 know only one for all extensions. */
static inline uint32
dyn_wait_event_new(const char *name)
{
#if PG_VERSION_NUM >= 170000
	return WaitEventExtensionNew(name);
#else
	return PG_WAIT_EXTENSION;
#endif
}

/* Can a library have shared memory without being preloaded?  Servers before 17 make all of it when they start. */
static inline bool
dyn_has_dsm_registry(void)
{
#if PG_VERSION_NUM >= 170000
	return true;
#else
	return false;
#endif
}

/* What initializes new shared memory, `segment`; servers from 19 on hand over one more argument. */
#if PG_VERSION_NUM >= 190000
#define DYN_SEGMENT_INIT_PARAMETERS void *segment, void *arg
#define DYN_SEGMENT_INIT_ARGUMENTS(segment) (segment), NULL
#else
#define DYN_SEGMENT_INIT_PARAMETERS void *segment
#define DYN_SEGMENT_INIT_ARGUMENTS(segment) (segment)
#endif
typedef void (*DynSegmentInit) (DYN_SEGMENT_INIT_PARAMETERS);

/* The shared memory of that name, made where nobody has yet; NULL where there is no registry of it. */
static inline void *
dyn_get_named_dsm_segment(const char *name, size_t size, DynSegmentInit init)
{
#if PG_VERSION_NUM >= 190000
	bool		found;

	return GetNamedDSMSegment(name, size, init, &found, NULL);
#elif PG_VERSION_NUM >= 170000
	bool		found;

	return GetNamedDSMSegment(name, size, init, &found);
#else
	return NULL;
#endif
}

#endif							/* DYN_COMPAT_H */
