/*
 * batch_write.c
 *	  Writes many items.
 *
 * Items wait in input order; a request takes the first ones whose key is not
 * in flight.  At most a few requests' worth wait, so the lists are searched
 * from end to end.  25 items of 400 KB stay below the 16 MB of a request, so
 * only the count has to be watched.
 */
#include "net/batch_write.h"

#include <stdlib.h>
#include <string.h>

#include "core/ddb_reply.h"

typedef struct Item
{
	DynEntityId id;
	DynBuf		put;
	double		delay_ms;		/* before it may go out again */
	struct Item *next;			/* while it waits */
} Item;

typedef struct Request
{
	DynCall    *call;
	Item	   *items[DYN_MAX_WRITE_ITEMS];
	int			nitems;
	DynStallMark sent;
	struct Request *next;
} Request;

struct DynBatchWrite
{
	DynClient  *client;
	DynBatchWriteConfig config;
	Item	   *waiting;
	Item	  **waiting_end;
	int			nwaiting;
	Request    *in_flight;
	int			nrequests;
	DynStall	stall;
	long		acknowledged;	/* items */
	DynStatus	failure;		/* DYN_OK: none so far */
};

DynBatchWrite *
dyn_batch_write_new(DynClient *client, const DynBatchWriteConfig *config)
{
	DynBatchWrite *write = calloc(1, sizeof(*write));

	if (write == NULL)
		return NULL;
	write->client = client;
	write->config = *config;
	if (write->config.batch_size > DYN_MAX_WRITE_ITEMS)
		write->config.batch_size = DYN_MAX_WRITE_ITEMS;
	write->waiting_end = &write->waiting;
	return write;
}

static void
free_item(Item *item)
{
	if (item == NULL)
		return;
	dyn_buf_free(&item->put);
	free(item);
}

static void
free_write(Request *request)
{
	for (int i = 0; i < request->nitems; i++)
		free_item(request->items[i]);
	dyn_call_free(request->call);
	free(request);
}

void
dyn_batch_write_free(DynBatchWrite *write)
{
	if (write == NULL)
		return;
	while (write->waiting)
	{
		Item	   *item = write->waiting;

		write->waiting = item->next;
		free_item(item);
	}
	while (write->in_flight)
	{
		Request    *request = write->in_flight;

		write->in_flight = request->next;
		free_write(request);
	}
	free(write);
}

long
dyn_batch_write_acknowledged(const DynBatchWrite *write)
{
	return write->acknowledged;
}

long
dyn_batch_write_in_flight(const DynBatchWrite *write)
{
	long		n = 0;

	for (const Request *request = write->in_flight; request; request = request->next)
		n += request->nitems;
	return n;
}

static bool
same_id(const DynEntityId *a, const DynEntityId *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The waiting item with this id, or NULL: there is one at most. */
static Item *
find_waiting(const DynBatchWrite *write, const DynEntityId *id)
{
	for (Item *item = write->waiting; item; item = item->next)
		if (same_id(&item->id, id))
			return item;
	return NULL;
}

static bool
is_in_flight(const DynBatchWrite *write, const DynEntityId *id)
{
	for (const Request *request = write->in_flight; request; request = request->next)
		for (int i = 0; i < request->nitems; i++)
			if (same_id(&request->items[i]->id, id))
				return true;
	return false;
}

bool
dyn_batch_write_add(DynBatchWrite *write, const DynEntityId *id, DynBuf *put, DynStatus *status)
{
	Item	   *item = put->failed ? NULL : find_waiting(write, id);

	if (item)
		dyn_buf_free(&item->put);
	else
	{
		item = put->failed ? NULL : calloc(1, sizeof(*item));
		if (item == NULL)
		{
			dyn_buf_free(put);
			dyn_status_clear(status);
			dyn_status_no_memory(status);
			write->failure = *status;
			return false;
		}
		item->id = *id;
		*write->waiting_end = item;
		write->waiting_end = &item->next;
		write->nwaiting++;
	}
	item->put = *put;
	memset(put, 0, sizeof(*put));
	return true;
}

/* ---- sending ---- */

/*
 * Unlinks up to a request's worth of items whose keys are not in flight, and
 * returns the request's delay; items that have to wait go by themselves.
 */
static double
choose_items(DynBatchWrite *write, Request *request)
{
	Item	  **link = &write->waiting;
	double		delay = 0;

	while (*link && request->nitems < write->config.batch_size)
	{
		Item	   *item = *link;

		if (is_in_flight(write, &item->id) || (request->nitems > 0 && item->delay_ms != delay))
			link = &item->next;
		else
		{
			*link = item->next;
			item->next = NULL;
			delay = item->delay_ms;
			request->items[request->nitems++] = item;
			write->nwaiting--;
		}
	}
	if (*link == NULL)
		write->waiting_end = link;
	return delay;
}

/*
 * Starts a request with the next items.  *started: false where all that wait
 * have a key that is in flight.  False: the write failed.
 */
static bool
start_write(DynBatchWrite *write, DynStatus *status, bool *started)
{
	Request    *request = calloc(1, sizeof(*request));
	DynBuf		body = {0};
	double		delay_ms;

	*started = false;
	if (request == NULL)
		return dyn_status_no_memory(status);
	delay_ms = choose_items(write, request);
	if (request->nitems == 0)
	{
		free_write(request);
		return true;
	}
	dyn_op_write_prefix(&body, write->config.table);
	for (int i = 0; i < request->nitems; i++)
	{
		if (i > 0)
			dyn_buf_byte(&body, ',');
		dyn_buf_add(&body, request->items[i]->put.data, request->items[i]->put.len);
	}
	dyn_op_write_suffix(&body, write->config.capacity);
	request->call = dyn_call_start(write->client, DYN_OP_BATCH_WRITE_ITEM, &body, delay_ms,
								   write->config.counters, status);
	if (request->call == NULL)
	{
		free_write(request);
		return false;
	}
	request->sent = dyn_client_stall_mark(write->client, &write->stall, delay_ms);
	request->next = write->in_flight;
	write->in_flight = request;
	write->nrequests++;
	*started = true;
	return true;
}

/* Full requests go out at once, the rest when flushing. */
static bool
start_writes(DynBatchWrite *write, bool flush, DynStatus *status)
{
	bool		started = true;

	while (started && write->nrequests < write->config.max_workers &&
		   (write->nwaiting >= write->config.batch_size || (flush && write->nwaiting > 0)))
		if (!start_write(write, status, &started))
			return false;
	return true;
}

/* ---- answers ---- */

static bool
contains(const DynEntityId *ids, int n, const DynEntityId *id)
{
	for (int i = 0; i < n; i++)
		if (same_id(&ids[i], id))
			return true;
	return false;
}

/* An unprocessed item waits again, before all others, unless a newer one does. */
static void
put_back_items(DynBatchWrite *write, Item *item)
{
	if (find_waiting(write, &item->id))
	{
		free_item(item);
		return;
	}
	item->next = write->waiting;
	if (write->waiting == NULL)
		write->waiting_end = &item->next;
	write->waiting = item;
	write->nwaiting++;
}

/* Ends an answered request: its items were written, but for the `n` in `again`, which wait for `delay_ms` anew. */
static void
settle_items(DynBatchWrite *write, Request *request, const DynEntityId *again, int n, double delay_ms)
{
	for (int i = request->nitems - 1; i >= 0; i--)
	{
		Item	   *item = request->items[i];

		item->delay_ms = delay_ms;
		if (contains(again, n, &item->id))
			put_back_items(write, item);
		else
		{
			write->acknowledged++;
			DYN_COUNT(write->config.counters, items_written, 1);
			free_item(item);
		}
	}
	DYN_COUNT(write->config.counters, unprocessed_items, n);
	request->nitems = 0;
}

/* False: the write failed. *settled: the request is over. */
static bool
read_write_answer(DynBatchWrite *write, Request *request, bool *settled, DynStatus *status)
{
	DynBuf	   *body = dyn_call_answer(request->call);
	DynEntityId again[DYN_MAX_WRITE_ITEMS];
	double		delay_ms;
	int			n = 0;

	if (dyn_call_status(request->call)->cls == DYN_OK)
	{
		n = dyn_json_unprocessed_items(body->data, body->len, write->config.table, again, request->nitems);
		for (int i = 0; i < n; i++)
		{
			bool		sent = false;

			for (int k = 0; k < request->nitems; k++)
				sent = sent || same_id(&request->items[k]->id, &again[i]);
			if (!sent || contains(again, i, &again[i]))
				n = -1;
		}
		if (n < 0)
			dyn_call_reject(request->call, "the answer is not well-formed");
	}
	*settled = dyn_call_done(request->call);
	if (!*settled)
		return true;
	if (dyn_call_status(request->call)->cls != DYN_OK)
	{
		*status = *dyn_call_status(request->call);
		return false;
	}
	dyn_call_accept(request->call);
	if (write->config.capacity)
		DYN_COUNT(write->config.counters, consumed_capacity, dyn_json_consumed_capacity(body->data, body->len));
	if (!dyn_call_count_stall(request->call, &write->stall, &request->sent, n < request->nitems, &delay_ms, status))
		return false;
	settle_items(write, request, again, n, delay_ms);
	return true;
}

/* Takes the answers that have come; a request that was rejected stays in flight. */
static bool
settle_answered(DynBatchWrite *write, DynStatus *status)
{
	Request   **link = &write->in_flight;

	while (*link)
	{
		Request    *request = *link;
		bool		settled = false;

		if (dyn_call_done(request->call) && !read_write_answer(write, request, &settled, status))
			return false;
		if (settled)
		{
			*link = request->next;
			write->nrequests--;
			free_write(request);
		}
		else
			link = &request->next;
	}
	return true;
}

DynStep
dyn_batch_write_step(DynBatchWrite *write, bool flush, DynStatus *status)
{
	*status = write->failure;
	if (status->cls != DYN_OK)
		return DYN_STEP_FAILED;
	if (!settle_answered(write, status) || !start_writes(write, flush, status))
	{
		write->failure = *status;
		return DYN_STEP_FAILED;
	}
	if (flush)
		return write->nwaiting == 0 && write->in_flight == NULL ? DYN_STEP_END : DYN_STEP_WAIT;
	return write->nwaiting < write->config.batch_size ? DYN_STEP_END : DYN_STEP_WAIT;
}
