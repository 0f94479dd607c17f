/*
 * ddl_note.c
 *	  What this transaction made and dropped.
 */
#include "pg/util/export.h"

#include "utils/memutils.h"

#include "pg/ddl/ddl_note.h"
#include "pg/ddl/ddl_record.h"

/* Who signed when a command dropped something that he signs for. */
typedef struct KeptSigner
{
	Oid			serverid;
	Oid			owner;
	CommandId	command;
	DynSigner  *signer;
} KeptSigner;

static DynMade *all_made = NULL;
static DynDropped *all_dropped = NULL;
static List *kept_signers = NIL;
static List *all_signers = NIL; /* kept or not: their secrets are wiped at the end */
static List *kept_records = NIL;	/* once their table goes */
static SubTransactionId records_dropped = InvalidSubTransactionId;	/* by which subtransaction, if any */

DynMade *
dyn_notes_made(void)
{
	return all_made;
}

DynDropped *
dyn_notes_dropped(void)
{
	return all_dropped;
}

/* ---- made ---- */

DynMade *
dyn_note_create(Oid serverid, Oid owner, const DynRemote *remote, DynDdlClient *client)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	DynMade    *made = palloc0(sizeof(DynMade));

	made->subid = GetCurrentSubTransactionId();
	made->serverid = serverid;
	made->owner = owner;
	dyn_remote_copy(&made->remote, remote);
	made->client = client;
	dyn_table_job_init(&made->create, dyn_ddl_client_of(client), made->remote.table, DYN_OP_CREATE_TABLE);
	made->next = all_made;
	all_made = made;
	MemoryContextSwitchTo(old);
	return made;
}

DynMade *
dyn_note_undone(const DynRemote *remote, const DynTableDescription *shown)
{
	for (DynMade *made = all_made; made; made = made->next)
		if (made->undone && made->ours && strcmp(made->remote.table, remote->table) == 0 &&
			strcmp(made->remote.region, remote->region) == 0 &&
			strcmp(made->create.description.table_id, shown->table_id) == 0 &&
			strcmp(made->create.description.created, shown->created) == 0)
			return made;
	return NULL;
}

/* ---- dropped ---- */

/* The signer before a command, which lives to the end of the transaction; or NULL. */
static DynSigner *
find_signer(Oid serverid, Oid owner, CommandId command, DynSignerLack *lack)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	DynSigner  *signer = dyn_signer_find(serverid, owner, command, lack);

	if (signer)
		all_signers = lappend(all_signers, signer);
	MemoryContextSwitchTo(old);
	return signer;
}

static KeptSigner *
kept_signer(Oid serverid, Oid owner)
{
	ListCell   *lc;

	foreach(lc, kept_signers)
	{
		KeptSigner *kept = lfirst(lc);

		if (kept->serverid == serverid && kept->owner == owner)
			return kept;
	}
	return NULL;
}

/* Keeps the signer of a role on a server, once a pair, if there was one when the command began. */
static void
keep_signer(Oid serverid, Oid owner)
{
	CommandId	command = dyn_snapshot_command();
	MemoryContext old;
	DynSignerLack lack;
	DynSigner  *signer;
	KeptSigner *kept;

	if (kept_signer(serverid, owner))
		return;
	signer = find_signer(serverid, owner, command, &lack);
	if (signer == NULL)
		return;
	old = MemoryContextSwitchTo(TopTransactionContext);
	kept = palloc(sizeof(KeptSigner));
	kept->serverid = serverid;
	kept->owner = owner;
	kept->command = command;
	kept->signer = signer;
	kept_signers = lappend(kept_signers, kept);
	MemoryContextSwitchTo(old);
}

void
dyn_note_drop(const DynRemote *remote, DynDropPolicy policy, Oid serverid, Oid owner, Oid stays, const char *name)
{
	MemoryContext old;
	DynDropped *dropped;
	DynDropped **link = &all_dropped;

	if (policy == DYN_DROP_NEVER)
		return;
	old = MemoryContextSwitchTo(TopTransactionContext);
	dropped = palloc0(sizeof(DynDropped));
	dropped->subid = GetCurrentSubTransactionId();
	dropped->policy = policy;
	dropped->serverid = serverid;
	dropped->owner = owner;
	dropped->stays = stays;
	dyn_remote_copy(&dropped->remote, remote);
	dropped->name = pstrdup(name);
	while (*link && dyn_remote_compare(&(*link)->remote, remote) < 0)
		link = &(*link)->next;
	dropped->next = *link;
	*link = dropped;
	MemoryContextSwitchTo(old);
	keep_signer(serverid, owner);
}

void
dyn_note_wanted(Oid relid, const DynRemote *remote)
{
	DynDropped **link = &all_dropped;

	while (*link)
	{
		if ((*link)->stays == relid && dyn_remote_compare(&(*link)->remote, remote) == 0)
			*link = (*link)->next;
		else
			link = &(*link)->next;
	}
}

void
dyn_note_server_drop(Oid serverid)
{
	ListCell   *lc;

	foreach(lc, dyn_note_records())
	{
		DynRecord  *record = lfirst(lc);

		if (record->server == serverid)
			keep_signer(serverid, record->owner);
	}
}

void
dyn_note_records_drop(void)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	ListCell   *lc;

	kept_records = dyn_records();
	records_dropped = GetCurrentSubTransactionId();
	foreach(lc, kept_records)
	{
		DynRecord  *record = lfirst(lc);

		record->orphan = true;
		if (dyn_record_is_owed(record))
			ereport(WARNING,
					(errmsg("the deletion of remote table \"%s\", which is still owed, is forgotten", record->table)));
	}
	MemoryContextSwitchTo(old);
}

bool
dyn_note_records_are_dropped(void)
{
	return records_dropped != InvalidSubTransactionId;
}

List *
dyn_note_records(void)
{
	return dyn_note_records_are_dropped() ? kept_records : dyn_records();
}

/*
 * What this transaction dropped still counts, and what other sessions took away
 * meanwhile does not.  A role or an extension that is gone, and is no more to be
 * asked, was dropped by this transaction: others wait for its end.
 */
const DynSigner *
dyn_note_signer(Oid serverid, Oid owner, DynSignerLack *lack)
{
	DynSigner  *signer = find_signer(serverid, owner, GetCurrentCommandId(false), lack);
	KeptSigner *kept = signer ? NULL : kept_signer(serverid, owner);
	DynSignerLack before;

	if (kept == NULL)
		return signer;
	signer = find_signer(serverid, owner, kept->command, &before);
	return before == DYN_SIGNER_NO_ROLE || before == DYN_SIGNER_NO_SERVER ? kept->signer : signer;
}

/* ---- ends ---- */

static void
end_drops(SubXactEvent event, SubTransactionId mine, SubTransactionId parent)
{
	DynDropped **link = &all_dropped;

	while (*link)
	{
		DynDropped *dropped = *link;

		if (dropped->subid == mine && event == SUBXACT_EVENT_ABORT_SUB)
		{
			*link = dropped->next;
			continue;
		}
		if (dropped->subid == mine)
			dropped->subid = parent;
		link = &dropped->next;
	}
}

void
dyn_notes_end_subxact(SubXactEvent event, SubTransactionId mine, SubTransactionId parent)
{
	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	if (records_dropped == mine)
		records_dropped = event == SUBXACT_EVENT_ABORT_SUB ? InvalidSubTransactionId : parent;
	for (DynMade *made = all_made; made; made = made->next)
		if (made->subid == mine)
		{
			made->subid = parent;
			made->undone = made->undone || event == SUBXACT_EVENT_ABORT_SUB;
		}
	end_drops(event, mine, parent);
}

void
dyn_notes_forget(void)
{
	ListCell   *lc;

	for (DynMade *made = all_made; made; made = made->next)
	{
		dyn_table_job_stop(&made->create, "broken off");
		dyn_table_job_stop(&made->undo, "broken off");
	}
	foreach(lc, all_signers)
		dyn_signer_free(lfirst(lc));
	all_signers = NIL;
	all_made = NULL;
	all_dropped = NULL;
	kept_signers = NIL;
	kept_records = NIL;
	records_dropped = InvalidSubTransactionId;
	dyn_ddl_client_forget_all();
}
