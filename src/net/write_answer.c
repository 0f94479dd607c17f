/*
 * write_answer.c
 *	  What comes of the requests that write items.
 */
#include "net/write_private.h"

#include <stdlib.h>
#include <string.h>

#include "core/ddb_reply.h"
#include "core/whole_item.h"

/* An item is given up whose condition failed so often, each time for another reason. */
#define MAX_ROUNDS 20

/* ---- batches ---- */

static bool
contains(const DynEntityId *ids, int n, const DynEntityId *id)
{
	for (int i = 0; i < n; i++)
		if (dyn_entity_id_equal(&ids[i], id))
			return true;
	return false;
}

/* An item was written. */
static void
settle_item(DynWrite *write, DynWriting *item)
{
	write->acknowledged++;
	DYN_COUNT(write->config.counters, items_written, 1);
	dyn_write_free_item(item);
}

/* Ends an answered batch: its items were written, but for the `n` in `again`, which wait for `delay_ms` anew. */
static void
settle_batch(DynWrite *write, DynWriteRequest *request, const DynEntityId *again, int n, double delay_ms)
{
	for (int i = request->nitems - 1; i >= 0; i--)
	{
		DynWriting *item = request->items[i];

		item->delay_ms = delay_ms;
		if (contains(again, n, &item->write.id))
			dyn_write_put_back(write, item);
		else
			settle_item(write, item);
	}
	DYN_COUNT(write->config.counters, unprocessed_items, n);
	request->nitems = 0;
}

/* The ids that an answer says were not processed; -1: it makes no sense. */
static int
read_unprocessed(const DynWrite *write, const DynWriteRequest *request, DynEntityId *again)
{
	DynBuf	   *body = dyn_call_answer(request->call);
	int			n = dyn_json_unprocessed_items(body->data, body->len, write->config.table, again, request->nitems);

	for (int i = 0; i < n; i++)
	{
		bool		sent = false;

		for (int k = 0; k < request->nitems; k++)
			sent = sent || dyn_entity_id_equal(&request->items[k]->write.id, &again[i]);
		if (!sent || contains(again, i, &again[i]))
			return -1;
	}
	return n;
}

/* Counts what the request consumed, if that was asked for. */
static void
accept_answer(DynWrite *write, DynWriteRequest *request)
{
	const DynBuf *body = dyn_call_answer(request->call);

	dyn_call_accept(request->call);
	if (write->config.capacity)
		DYN_COUNT(write->config.counters, consumed_capacity, dyn_json_consumed_capacity(body->data, body->len));
}

/* Rejects an answer: it is asked again, and then not settled.  False: that was the last attempt. */
static bool
ask_again(DynWriteRequest *request, bool *settled, DynStatus *status)
{
	dyn_call_reject(request->call, "the answer is not well-formed");
	*settled = dyn_call_done(request->call);
	*status = *dyn_call_status(request->call);
	return !*settled;
}

/* Takes in the answer to a batch; a rejected one is asked again, and then not settled.  False: the write failed. */
static bool
read_batch_answer(DynWrite *write, DynWriteRequest *request, bool *settled, DynStatus *status)
{
	DynEntityId again[DYN_MAX_WRITE_ITEMS];
	double		delay_ms;
	int			n = read_unprocessed(write, request, again);

	if (n < 0)
		return ask_again(request, settled, status);
	*settled = true;
	accept_answer(write, request);
	if (!dyn_call_count_stall(request->call, &write->stall, &request->sent, n < request->nitems, &delay_ms, status))
		return false;
	settle_batch(write, request, again, n, delay_ms);
	return true;
}

/* ---- conditions ---- */

/* The item of a request goes out again, in another way. */
static bool
write_again(DynWrite *write, DynWriteRequest *request)
{
	DynWriting *item = request->items[0];

	if (item->rounds++ == MAX_ROUNDS)
		return false;
	request->nitems = 0;
	dyn_write_put_back(write, item);
	return true;
}

/*
 * A put was refused.  Either the stored item is newer; or its time is not of
 * UTC, and was compared as a text: then the put depends on this very time.
 */
static bool
read_refused_put(DynWrite *write, DynWriteRequest *request)
{
	const DynBuf *body = dyn_call_answer(request->call);
	DynWriting *item = request->items[0];
	const char *seen;

	dyn_buf_clear(&item->seen);
	if (!dyn_json_refused_event_ts(body->data, body->len, &item->seen))
		return false;
	item->has_seen = true;
	seen = dyn_buf_cstr(&item->seen);
	if (seen && dyn_write_is_newer(seen, item->write.event_ts))
	{
		DYN_COUNT(write->config.counters, items_refused, 1);
		dyn_write_free_item(item);
		request->nitems = 0;
		return true;
	}
	return write_again(write, request);
}

/*
 * An update was refused.  Where the stored item has no `values`, it gets an
 * empty map first; another session may have made it meanwhile.
 */
static bool
read_refused_update(DynWrite *write, DynWriteRequest *request)
{
	DynClass	cls = dyn_call_status(request->call)->cls;
	DynWriting *item = request->items[0];

	if (cls == DYN_PATH_MISSING ? item->makes_map : !item->makes_map)
		return false;
	item->makes_map = cls == DYN_PATH_MISSING;
	return write_again(write, request);
}

/* Can something be made of a request whose condition failed?  Then the write goes on. */
static bool
read_refused(DynWrite *write, DynWriteRequest *request)
{
	DynClass	cls = dyn_call_status(request->call)->cls;

	if (write->config.op == DYN_OP_PUT_ITEM && cls == DYN_CONDITION_FAILED)
		return read_refused_put(write, request);
	if (write->config.op == DYN_OP_UPDATE_ITEM && (cls == DYN_CONDITION_FAILED || cls == DYN_PATH_MISSING))
		return read_refused_update(write, request);
	return false;
}

/*
 * Takes in the answer to a request for one item, which was carried out; a
 * rejected one is asked again, and then not settled.  False: it failed.
 */
static bool
read_single_answer(DynWrite *write, DynWriteRequest *request, bool *settled, DynStatus *status)
{
	const DynBuf *body = dyn_call_answer(request->call);
	DynWriting *item = request->items[0];

	if (!dyn_json_is_object(body->data, body->len))
		return ask_again(request, settled, status);
	accept_answer(write, request);
	if (item->makes_map)
	{
		item->makes_map = false;
		return write_again(write, request);
	}
	request->nitems = 0;
	settle_item(write, item);
	return true;
}

/* ---- rewriting ---- */

/* Fails the write for an item that can't be changed. */
static bool
fail_change(DynWrite *write, const DynWriting *item, DynApply why, DynStatus *status)
{
	dyn_buf_add(&write->failed_key, item->write.key.data, item->write.key.len);
	write->failed_op = DYN_OP_BATCH_GET_ITEM;
	if (why == DYN_APPLY_REFUSED)
		return dyn_status_set(status, DYN_CONDITION_FAILED, "the item is not what was read, or gone");
	if (item->rewritten.failed)
		return dyn_status_no_memory(status);
	return dyn_status_set(status, DYN_REJECTED, "the item has no map of features");
}

/* Makes the changed items of those that were read.  False: the write failed. */
static bool
change_items(DynWrite *write, DynWriteRequest *request, DynWholeItems *items, DynStatus *status)
{
	for (int i = 0; i < request->nitems; i++)
	{
		DynWriting *item = request->items[i];
		DynApply	result;

		if (dyn_whole_items_unprocessed(items, &item->write.id))
			continue;
		dyn_buf_clear(&item->rewritten);
		result = dyn_whole_items_apply(items, &item->write.id, &item->write.body, &item->rewritten);
		if (result != DYN_APPLY_DONE || item->rewritten.failed)
			return fail_change(write, item, result, status);
	}
	return true;
}

/* Items that were not processed leave the request, and wait for `delay_ms` anew. */
static void
split_unprocessed(DynWrite *write, DynWriteRequest *request, const DynWholeItems *items, double delay_ms)
{
	int			n = 0;

	for (int i = 0; i < request->nitems; i++)
	{
		DynWriting *item = request->items[i];

		item->delay_ms = delay_ms;
		if (dyn_whole_items_unprocessed(items, &item->write.id))
			dyn_write_put_back(write, item);
		else
			request->items[n++] = item;
	}
	request->nitems = n;
}

/* Goes on with the items that were read: they are put.  False: the write failed. *settled: there are none. */
static bool
put_changed(DynWrite *write, DynWriteRequest *request, DynWholeItems *items, bool *settled, DynStatus *status)
{
	double		delay_ms;
	int			n = dyn_whole_items_nunprocessed(items);

	accept_answer(write, request);
	DYN_COUNT(write->config.counters, unprocessed_keys, n);
	if (!dyn_call_count_stall(request->call, &write->read_stall, &request->sent, n < request->nitems, &delay_ms, status) ||
		!change_items(write, request, items, status))
		return false;
	split_unprocessed(write, request, items, delay_ms);
	*settled = request->nitems == 0;
	if (*settled)
		return true;
	dyn_call_free(request->call);
	request->reads = false;
	return dyn_write_start_call(write, request, 0, status);
}

/* Takes in the answer to a read of items that are rewritten; a rejected one is asked again.  False: the write failed. */
static bool
read_whole_items(DynWrite *write, DynWriteRequest *request, bool *settled, DynStatus *status)
{
	const DynBuf *body = dyn_call_answer(request->call);
	DynEntityId ids[DYN_MAX_WRITE_ITEMS];
	DynWholeItems *items;
	bool		ok;

	for (int i = 0; i < request->nitems; i++)
		ids[i] = request->items[i]->write.id;
	items = dyn_whole_items_read(body->data, body->len, write->config.table, ids, request->nitems);
	if (items == NULL)
		return ask_again(request, settled, status);
	ok = put_changed(write, request, items, settled, status);
	dyn_whole_items_free(items);
	return ok;
}

/* ---- failures ---- */

/* Notes why the write failed, and with which item.  Of a request that was refused it is known that it did nothing. */
static bool
fail_write(DynWrite *write, DynWriteRequest *request, DynStatus *status)
{
	bool		maybe_done = dyn_call_maybe_done(request->call);

	write->failed_op = dyn_write_op_of(write, request);
	*status = *dyn_call_status(request->call);
	if (status->cls == DYN_CONDITION_FAILED && maybe_done)
		status->cls = DYN_MAYBE_DONE;
	if (request->nitems == 1)
		dyn_buf_add(&write->failed_key, request->items[0]->write.key.data, request->items[0]->write.key.len);
	while (status->http_status >= 400 && status->http_status < 500 && !maybe_done && request->nitems > 0)
		dyn_write_free_item(request->items[--request->nitems]);
	return false;
}

bool
dyn_write_read_answer(DynWrite *write, DynWriteRequest *request, bool *settled, DynStatus *status)
{
	*settled = true;
	if (dyn_call_status(request->call)->cls != DYN_OK)
		return read_refused(write, request) || fail_write(write, request, status);
	if (request->reads)
		return read_whole_items(write, request, settled, status);
	if (write->config.op == DYN_OP_BATCH_WRITE_ITEM || write->config.rewrite)
		return read_batch_answer(write, request, settled, status);
	return read_single_answer(write, request, settled, status) || fail_write(write, request, status);
}
