/*
 * write.c
 *	  Writes many items.
 *
 * Items wait in input order; a request takes the first ones whose key is not
 * in flight.  At most a few requests' worth wait, so their list is searched
 * from end to end.  25 items of 400 KB stay below the 16 MB of a request, so
 * only the count has to be watched.
 */
#include "net/write_private.h"

#include <stdlib.h>
#include <string.h>

#include "core/update_op.h"
#include "core/whole_item.h"

DynWrite *
dyn_write_new(DynClient *client, const DynWriteConfig *config)
{
	DynWrite   *write = calloc(1, sizeof(*write));

	if (write == NULL)
		return NULL;
	write->client = client;
	write->config = *config;
	if (config->op != DYN_OP_BATCH_WRITE_ITEM && !config->rewrite)
		write->config.batch_size = 1;
	else if (config->batch_size > DYN_MAX_WRITE_ITEMS)
		write->config.batch_size = DYN_MAX_WRITE_ITEMS;
	write->waiting_end = &write->waiting;
	return write;
}

void
dyn_write_free_item(DynWriting *item)
{
	if (item == NULL)
		return;
	dyn_buf_free(&item->write.body);
	dyn_buf_free(&item->write.key);
	dyn_buf_free(&item->rewritten);
	dyn_buf_free(&item->seen);
	free(item);
}

static void
free_write(DynWriteRequest *request)
{
	for (int i = 0; i < request->nitems; i++)
		dyn_write_free_item(request->items[i]);
	dyn_call_free(request->call);
	free(request);
}

void
dyn_write_free(DynWrite *write)
{
	if (write == NULL)
		return;
	while (write->waiting)
	{
		DynWriting *item = write->waiting;

		write->waiting = item->next;
		dyn_write_free_item(item);
	}
	while (write->in_flight)
	{
		DynWriteRequest *request = write->in_flight;

		write->in_flight = request->next;
		free_write(request);
	}
	dyn_buf_free(&write->failed_key);
	free(write);
}

long
dyn_write_acknowledged(const DynWrite *write)
{
	return write->acknowledged;
}

long
dyn_write_in_flight(const DynWrite *write)
{
	long		n = 0;

	for (const DynWriteRequest *request = write->in_flight; request; request = request->next)
		n += request->reads ? 0 : request->nitems;
	return n;
}

DynOp
dyn_write_failed_op(const DynWrite *write)
{
	return write->failed_op;
}

const char *
dyn_write_failed_key(DynWrite *write)
{
	return write->failed_key.len > 0 ? dyn_buf_cstr(&write->failed_key) : NULL;
}

/* The waiting item with this id, or NULL: there is one at most. */
static DynWriting *
find_waiting(const DynWrite *write, const DynEntityId *id)
{
	for (DynWriting *item = write->waiting; item; item = item->next)
		if (dyn_entity_id_equal(&item->write.id, id))
			return item;
	return NULL;
}

/* Where an id is counted in write->flying. */
static int
flying_slot(const DynEntityId *id)
{
	return (id->bytes[0] | id->bytes[1] << 8) & ((1 << DYN_WRITE_FLYING_BITS) - 1);
}

/* Counts the items of a request as in flight, or with -1 as not any more. */
static void
count_flying(DynWrite *write, const DynWriteRequest *request, int n)
{
	for (int i = 0; i < request->nitems; i++)
		write->flying[flying_slot(&request->items[i]->write.id)] += n;
}

/* With many workers thousands of items are: they are searched only where one with these bits is among them. */
static bool
is_in_flight(const DynWrite *write, const DynEntityId *id)
{
	if (write->flying[flying_slot(id)] == 0)
		return false;
	for (const DynWriteRequest *request = write->in_flight; request; request = request->next)
		for (int i = 0; i < request->nitems; i++)
			if (dyn_entity_id_equal(&request->items[i]->write.id, id))
				return true;
	return false;
}

bool
dyn_write_is_newer(const char *event_ts, const char *than)
{
	int64_t		a = INT64_MIN;
	int64_t		b = INT64_MIN;

	if (dyn_event_ts_parse(event_ts, strlen(event_ts), &a) != DYN_EVENT_TS_OK)
		a = INT64_MIN;
	if (dyn_event_ts_parse(than, strlen(than), &b) != DYN_EVENT_TS_OK)
		b = INT64_MIN;
	return a > b;
}

/* A new item at the end of those that wait; NULL: no memory. */
static DynWriting *
append_item(DynWrite *write)
{
	DynWriting *item = calloc(1, sizeof(*item));

	if (item == NULL)
		return NULL;
	*write->waiting_end = item;
	write->waiting_end = &item->next;
	write->nwaiting++;
	return item;
}

static void
clear_buffers(DynWriteItem *item)
{
	dyn_buf_free(&item->body);
	dyn_buf_free(&item->key);
}

bool
dyn_write_add(DynWrite *write, DynWriteItem *added, DynStatus *status)
{
	DynWriting *item = find_waiting(write, &added->id);

	if (item && write->config.op == DYN_OP_PUT_ITEM && dyn_write_is_newer(item->write.event_ts, added->event_ts))
	{
		DYN_COUNT(write->config.counters, items_refused, 1);
		clear_buffers(added);
		return true;
	}
	if (added->body.failed || added->key.failed || (item == NULL && (item = append_item(write)) == NULL))
	{
		clear_buffers(added);
		dyn_status_clear(status);
		dyn_status_no_memory(status);
		write->failure = *status;
		return false;
	}
	if (item->write.event_ts[0] && write->config.op == DYN_OP_PUT_ITEM)
		DYN_COUNT(write->config.counters, items_refused, 1);
	clear_buffers(&item->write);
	item->write = *added;
	memset(&added->body, 0, sizeof(added->body));
	memset(&added->key, 0, sizeof(added->key));
	return true;
}

/* ---- sending ---- */

/*
 * Unlinks up to a request's worth of items whose keys are not in flight, and
 * returns the request's delay; items that have to wait go by themselves.
 */
static double
choose_items(DynWrite *write, DynWriteRequest *request)
{
	DynWriting **link = &write->waiting;
	double		delay = 0;

	while (*link && request->nitems < write->config.batch_size)
	{
		DynWriting *item = *link;

		if (is_in_flight(write, &item->write.id) || (request->nitems > 0 && item->delay_ms != delay))
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

/* The body of a BatchWriteItem. */
static void
batch_body(const DynWrite *write, const DynWriteRequest *request, DynBuf *body)
{
	dyn_op_write_prefix(body, write->config.table);
	for (int i = 0; i < request->nitems; i++)
	{
		const DynWriting *item = request->items[i];
		const DynBuf *put = write->config.rewrite ? &item->rewritten : &item->write.body;

		if (put->len > 0)
			dyn_op_write_put(body, put, i == 0);
		else
			dyn_op_write_delete(body, &item->write.id, i == 0);
	}
	dyn_op_write_suffix(body, write->config.capacity);
}

/* The body of a BatchGetItem for the items that are rewritten. */
static void
body_of_read(const DynWrite *write, const DynWriteRequest *request, DynBuf *body)
{
	DynEntityId ids[DYN_MAX_WRITE_ITEMS];

	for (int i = 0; i < request->nitems; i++)
		ids[i] = request->items[i]->write.id;
	dyn_whole_items_body(body, write->config.table, ids, request->nitems, write->config.capacity);
}

/* The body of a PutItem with a condition.  Without memory for what was seen it is refused, and tells it, again. */
static void
put_body(const DynWrite *write, DynWriting *item, DynBuf *body)
{
	dyn_op_put_newer(body, write->config.table, &item->write.body, item->write.event_ts,
					 item->has_seen ? dyn_buf_cstr(&item->seen) : NULL, write->config.capacity);
}

/* The body of a request; items keep theirs, as they may have to go out again. */
static void
write_body(const DynWrite *write, const DynWriteRequest *request, DynBuf *body)
{
	DynWriting *item = request->items[0];

	if (request->reads)
		body_of_read(write, request, body);
	else if (write->config.op == DYN_OP_BATCH_WRITE_ITEM || write->config.rewrite)
		batch_body(write, request, body);
	else if (write->config.op == DYN_OP_PUT_ITEM)
		put_body(write, item, body);
	else if (item->makes_map)
		dyn_update_make_map(body, write->config.table, &item->write.id);
	else
		dyn_buf_add(body, item->write.body.data, item->write.body.len);
}

DynOp
dyn_write_op_of(const DynWrite *write, const DynWriteRequest *request)
{
	if (request->reads)
		return DYN_OP_BATCH_GET_ITEM;
	return write->config.rewrite ? DYN_OP_BATCH_WRITE_ITEM : write->config.op;
}

bool
dyn_write_start_call(DynWrite *write, DynWriteRequest *request, double delay_ms, DynStatus *status)
{
	DynBuf		body = {0};

	write_body(write, request, &body);
	write->failed_op = dyn_write_op_of(write, request);
	request->call = dyn_call_start(write->client, write->failed_op, &body, delay_ms, write->config.counters, status);
	request->sent = dyn_client_stall_mark(write->client, request->reads ? &write->read_stall : &write->stall, delay_ms);
	return request->call != NULL;
}

/*
 * Starts a request with the next items.  *started: false where all that wait
 * have a key that is in flight.  False: the write failed.
 */
static bool
start_write(DynWrite *write, DynStatus *status, bool *started)
{
	DynWriteRequest *request = calloc(1, sizeof(*request));
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
	request->reads = write->config.rewrite;
	if (!dyn_write_start_call(write, request, delay_ms, status))
	{
		free_write(request);
		return false;
	}
	request->next = write->in_flight;
	write->in_flight = request;
	write->nrequests++;
	count_flying(write, request, 1);
	*started = true;
	return true;
}

/* Full requests go out at once, the rest when flushing. */
static bool
start_writes(DynWrite *write, bool flush, DynStatus *status)
{
	bool		started = true;

	while (started && write->nrequests < write->config.max_workers &&
		   (write->nwaiting >= write->config.batch_size || (flush && write->nwaiting > 0)))
		if (!start_write(write, status, &started))
			return false;
	return true;
}

/* ---- answers ---- */

/*
 * Of two items of one key, one that waits and one that comes back, drops the
 * latter; of puts the older one, whose place in the list the other takes.
 */
static void
merge_waiting(DynWrite *write, DynWriting *waiting, DynWriting *back)
{
	bool		puts = write->config.op == DYN_OP_PUT_ITEM;

	if (puts && dyn_write_is_newer(back->write.event_ts, waiting->write.event_ts))
	{
		DynWriting	newer = *back;

		newer.next = waiting->next;
		*back = *waiting;
		*waiting = newer;
	}
	if (puts)
		DYN_COUNT(write->config.counters, items_refused, 1);
	dyn_write_free_item(back);
}

void
dyn_write_put_back(DynWrite *write, DynWriting *item)
{
	DynWriting *waiting = find_waiting(write, &item->write.id);

	if (waiting)
	{
		merge_waiting(write, waiting, item);
		return;
	}
	item->next = write->waiting;
	if (write->waiting == NULL)
		write->waiting_end = &item->next;
	write->waiting = item;
	write->nwaiting++;
}

/* Takes the answers that have come; a request that was rejected stays in flight. */
static bool
settle_answered(DynWrite *write, DynStatus *status)
{
	DynWriteRequest **link = &write->in_flight;

	while (*link)
	{
		DynWriteRequest *request = *link;
		bool		settled = false;

		if (dyn_call_done(request->call))
		{
			count_flying(write, request, -1);
			if (!dyn_write_read_answer(write, request, &settled, status))
				return false;
			count_flying(write, request, 1);	/* those that it still has */
		}
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

/* So many items may wait: those of a request, or as many whose keys are in flight. */
static int
room_for(const DynWrite *write)
{
	return write->config.batch_size > 1 ? write->config.batch_size : DYN_MAX_WRITE_ITEMS;
}

DynStep
dyn_write_step(DynWrite *write, bool flush, DynStatus *status)
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
	return write->nwaiting < room_for(write) ? DYN_STEP_END : DYN_STEP_WAIT;
}
