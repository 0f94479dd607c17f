/*
 * progress_slots.c
 *	  Loads that run, in shared memory.
 *
 * A backend claims a slot by an atomic exchange of its owner; from then on it
 * alone writes there.  Its writes stand between two increments of a counter,
 * so that a reader sees that it has read an odd state or a mixture, and reads
 * again.  Nothing that could raise or wait stands between them.
 */
#include "pg/util/export.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "pg/util/compat.h"
#include "pg/write/progress_slots.h"

/*
 * Another layout needs another name: a new library may be loaded beside
 * sessions that run the old one, whose memory stays until the server stops.
 */
#define SEGMENT_NAME "dynamo_fdw progress 1"

struct DynProgressSlot
{
	pg_atomic_uint32 owner;		/* pid; 0: free */
	uint32		changes;		/* odd while `load` is being written */
	DynProgressLoad load;
};

typedef struct ProgressSlots
{
	DynProgressSlot slots[DYN_PROGRESS_SLOTS];
} ProgressSlots;

static ProgressSlots *shared = NULL;
static shmem_request_hook_type next_shmem_request_hook = NULL;
static shmem_startup_hook_type next_shmem_startup_hook = NULL;

/* ---- the memory ---- */

/* Callback for memory that is new. */
static void
clear_slots(DYN_SEGMENT_INIT_PARAMETERS)
{
	ProgressSlots *new = segment;

	memset(new, 0, sizeof(*new));
	for (int i = 0; i < DYN_PROGRESS_SLOTS; i++)
		pg_atomic_init_u32(&new->slots[i].owner, 0);
}

/* Hook: the postmaster adds up how much shared memory it makes. */
static void
request_slots(void)
{
	if (next_shmem_request_hook)
		next_shmem_request_hook();
	RequestAddinShmemSpace(sizeof(ProgressSlots));
}

/* Hook: shared memory is there, or is again after a crash. */
static void
make_slots(void)
{
	bool		found;

	if (next_shmem_startup_hook)
		next_shmem_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct(SEGMENT_NAME, sizeof(ProgressSlots), &found);
	if (!found)
		clear_slots(DYN_SEGMENT_INIT_ARGUMENTS(shared));
	LWLockRelease(AddinShmemInitLock);
}

void
dyn_progress_slots_init(void)
{
	if (dyn_has_dsm_registry() || !process_shared_preload_libraries_in_progress)
		return;
	next_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = request_slots;
	next_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = make_slots;
}

bool
dyn_progress_slots_open(void)
{
	/* a backend without a postmaster has no dynamic shared memory */
	if (shared == NULL && dyn_has_dsm_registry() && IsUnderPostmaster)
		shared = dyn_get_named_dsm_segment(SEGMENT_NAME, sizeof(ProgressSlots), clear_slots);
	return shared != NULL;
}

bool
dyn_progress_slots_attached(void)
{
	return shared != NULL;
}

/* ---- a slot ---- */

/* Begins or ends a change of slot->load. */
static void
count_change(DynProgressSlot *slot)
{
	pg_write_barrier();
	slot->changes++;
	pg_write_barrier();
}

DynProgressSlot *
dyn_progress_slot_claim(const DynProgressLoad *load)
{
	for (int i = 0; i < DYN_PROGRESS_SLOTS; i++)
	{
		DynProgressSlot *slot = &shared->slots[i];
		uint32		nobody = 0;

		if (!pg_atomic_compare_exchange_u32(&slot->owner, &nobody, load->pid))
			continue;
		count_change(slot);
		slot->load = *load;
		count_change(slot);
		return slot;
	}
	return NULL;
}

void
dyn_progress_slot_update(DynProgressSlot *slot, const DynProgressNumbers *numbers)
{
	count_change(slot);
	slot->load.numbers = *numbers;
	count_change(slot);
}

void
dyn_progress_slot_free(DynProgressSlot *slot)
{
	count_change(slot);
	slot->load.pid = 0;
	count_change(slot);
	pg_atomic_write_u32(&slot->owner, 0);
}

bool
dyn_progress_slot_read(int i, DynProgressLoad *load)
{
	volatile DynProgressSlot *slot = &shared->slots[i];
	uint32		before;
	uint32		after;

	for (;;)
	{
		before = slot->changes;
		pg_read_barrier();
		memcpy(load, unvolatize(DynProgressLoad *, &slot->load), sizeof(*load));
		pg_read_barrier();
		after = slot->changes;
		if (before == after && before % 2 == 0)
			break;
		/* a writer may have been stopped in the middle */
		CHECK_FOR_INTERRUPTS();
	}
	return load->pid != 0;
}
