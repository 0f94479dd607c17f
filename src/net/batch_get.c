/*
 * batch_get.c
 *	  Reads many items by key.
 *
 * Keys are asked in order, `batch_size` a request.  UnprocessedKeys go back to
 * the pool of keys to ask: at once when the answer made progress, after a
 * delay when it made none; only so many answers in a row may make none.
 */
#include "net/batch_get.h"

#include <stdlib.h>
#include <string.h>

typedef struct Request
{
	DynCall    *call;
	DynAnswer	answer;
	uint32_t	keys[DYN_MAX_GET_KEYS]; /* indexes into config.keys */
	int			nkeys;
	DynStallMark sent;
	uint32_t	item_keys[DYN_MAX_GET_KEYS];	/* of answer.items */
	int			next_item;
	struct Request *next;		/* in one of the two lists */
} Request;

typedef struct Again
{
	uint32_t	key;			/* index into config.keys */
	double		delay_ms;		/* before it may be asked again */
} Again;

struct DynBatchGet
{
	DynClient  *client;
	DynBatchGetConfig config;
	DynBuf		prefix;			/* request bodies up to the keys ... */
	DynBuf		suffix;			/* ... and after them */
	uint32_t	asked;			/* keys[0 .. asked) have been sent at least once */
	Again	   *again;			/* unprocessed keys */
	size_t		nagain;
	size_t		again_cap;
	DynStall	stall;
	int			outstanding;	/* in flight, or answered and not begun to be read */
	Request    *in_flight;
	Request    *ready;			/* answered, first come first */
	Request    *current;		/* being read */
	bool		one_answer;		/* a single request has answered for all keys; `current` keeps it */
	bool		failed;			/* at the start; why: */
	DynStatus	failure;
};

DynBatchGet *
dyn_batch_get_new(DynClient *client, const DynBatchGetConfig *config)
{
	DynBatchGet *get = calloc(1, sizeof(*get));

	if (get == NULL)
		return NULL;
	get->client = client;
	get->config = *config;
	dyn_op_get_prefix(&get->prefix, &config->request);
	dyn_op_get_suffix(&get->suffix, &config->request);
	if (get->prefix.failed || get->suffix.failed)
	{
		dyn_batch_get_free(get);
		return NULL;
	}
	return get;
}

/* Breaks its call off. NULL is fine. */
static void
free_get(Request *request)
{
	if (request == NULL)
		return;
	dyn_call_free(request->call);
	dyn_answer_free(&request->answer);
	free(request);
}

/* All requests of one of the lists. */
static void
free_list(Request *request)
{
	while (request)
	{
		Request    *next = request->next;

		free_get(request);
		request = next;
	}
}

void
dyn_batch_get_free(DynBatchGet *get)
{
	if (get == NULL)
		return;
	free_list(get->in_flight);
	free_list(get->ready);
	free_get(get->current);
	dyn_buf_free(&get->prefix);
	dyn_buf_free(&get->suffix);
	free(get->again);
	free(get);
}

/* ---- asking ---- */

static bool
keys_left(const DynBatchGet *get)
{
	return get->nagain > 0 || get->asked < get->config.nkeys;
}

/*
 * Moves keys to ask into the request and returns its delay: unprocessed ones
 * first; those that have to wait go by themselves.
 */
static double
choose_keys(DynBatchGet *get, Request *request)
{
	double		delay = get->nagain > 0 ? get->again[get->nagain - 1].delay_ms : 0;

	while (request->nkeys < get->config.batch_size && get->nagain > 0 &&
		   get->again[get->nagain - 1].delay_ms == delay)
		request->keys[request->nkeys++] = get->again[--get->nagain].key;
	while (request->nkeys < get->config.batch_size && delay == 0 && get->asked < get->config.nkeys)
		request->keys[request->nkeys++] = get->asked++;
	return delay;
}

/* Starts a request for the next keys.  False: the read failed, and its keys are not put back. */
static bool
start_get(DynBatchGet *get, DynStatus *status)
{
	Request    *request = calloc(1, sizeof(*request));
	DynBuf		body = {0};
	double		delay;

	if (request == NULL)
		return dyn_status_no_memory(status);
	delay = choose_keys(get, request);
	request->sent = dyn_client_stall_mark(get->client, &get->stall, delay);
	dyn_buf_reserve(&body, get->prefix.len + get->suffix.len + request->nkeys * 64);
	dyn_buf_add(&body, get->prefix.data, get->prefix.len);
	for (int i = 0; i < request->nkeys; i++)
		dyn_op_get_key(&body, &get->config.keys[request->keys[i]], i == 0);
	dyn_buf_add(&body, get->suffix.data, get->suffix.len);
	request->call = dyn_call_start(get->client, DYN_OP_BATCH_GET_ITEM, &body, delay,
								   get->config.counters, status);
	if (request->call == NULL)
	{
		free_get(request);
		return false;
	}
	request->next = get->in_flight;
	get->in_flight = request;
	get->outstanding++;
	return true;
}

/* Starts requests until as many are outstanding as may be, or no key is left. */
static bool
start_gets(DynBatchGet *get, DynStatus *status)
{
	while (get->outstanding < get->config.max_workers && keys_left(get))
		if (!start_get(get, status))
			return false;
	return true;
}

void
dyn_batch_get_begin(DynBatchGet *get)
{
	get->failed = !start_gets(get, &get->failure);
}

/* ---- answers ---- */

/* Position among the request's keys of an id not used yet, or -1; the search starts at `guess`. */
static int
find_key(const DynBatchGet *get, const Request *request, const DynEntityId *id, const bool *used, int guess)
{
	for (int n = 0, i = guess; n < request->nkeys; n++, i++)
	{
		if (i >= request->nkeys)
			i = 0;
		if (!used[i] && memcmp(&get->config.keys[request->keys[i]], id, sizeof(*id)) == 0)
			return i;
	}
	return -1;
}

/* Notes an unprocessed key for a later request.  False: no memory. */
static bool
add_again(DynBatchGet *get, uint32_t key, double delay_ms)
{
	if (get->nagain == get->again_cap)
	{
		size_t		cap = get->again_cap ? get->again_cap * 2 : DYN_MAX_GET_KEYS;
		Again	   *again = realloc(get->again, cap * sizeof(Again));

		if (again == NULL)
			return false;
		get->again = again;
		get->again_cap = cap;
	}
	get->again[get->nagain++] = (Again) {key, delay_ms};
	return true;
}

/*
 * Finds the key of each item and of each unprocessed key.  False: an id that
 * was not asked, or one answered twice.
 */
static bool
match_keys(DynBatchGet *get, Request *request, uint32_t *unprocessed)
{
	DynAnswer  *answer = &request->answer;
	bool		used[DYN_MAX_GET_KEYS] = {false};
	int			k = -1;

	for (int i = 0; i < answer->nitems; i++)
	{
		k = find_key(get, request, &answer->items[i].id, used, k + 1);
		if (k < 0)
			return false;
		used[k] = true;
		request->item_keys[i] = request->keys[k];
	}
	for (int i = 0; i < answer->nunprocessed; i++)
	{
		k = find_key(get, request, &answer->unprocessed[i], used, k + 1);
		if (k < 0)
			return false;
		used[k] = true;
		unprocessed[i] = request->keys[k];
	}
	return true;
}

/* Puts unprocessed keys back; false when too many answers in a row brought nothing. */
static bool
put_back_keys(DynBatchGet *get, const Request *request, const uint32_t *unprocessed, DynStatus *status)
{
	int			n = request->answer.nunprocessed;
	double		delay_ms;

	if (!dyn_call_count_stall(request->call, &get->stall, &request->sent, n < request->nkeys, &delay_ms, status))
		return false;
	for (int i = 0; i < n; i++)
		if (!add_again(get, unprocessed[i], delay_ms))
			return dyn_status_no_memory(status);
	DYN_COUNT(get->config.counters, unprocessed_keys, n);
	return true;
}

/*
 * Decodes an answered request.  False: the read failed.  Where the answer made
 * no sense, the call has been started again, and is not done.
 */
static bool
read_get_answer(DynBatchGet *get, Request *request, DynStatus *status)
{
	DynBuf	   *body = dyn_call_answer(request->call);
	const DynGetRequest *asked = &get->config.request;
	const DynAnswer *answer = &request->answer;
	DynCounters *counters = get->config.counters;
	uint32_t	unprocessed[DYN_MAX_GET_KEYS];
	const char *wrong = NULL;

	switch (dyn_item_scan(body->data, body->len, asked->table, asked->features, &request->answer))
	{
		case DYN_SCAN_NO_MEMORY:
			return dyn_status_no_memory(status);
		case DYN_SCAN_MALFORMED:
			wrong = "the answer is not well-formed";
			break;
		case DYN_SCAN_OK:
			if (!match_keys(get, request, unprocessed))
				wrong = "the answer holds keys that were not asked for";
			break;
	}
	if (wrong)
	{
		dyn_answer_free(&request->answer);
		dyn_call_reject(request->call, wrong);
		*status = *dyn_call_status(request->call);
		return !dyn_call_done(request->call);
	}
	dyn_call_accept(request->call);
	DYN_COUNT(counters, items_found, answer->nitems);
	DYN_COUNT(counters, items_missing, request->nkeys - answer->nitems - answer->nunprocessed);
	DYN_COUNT(counters, consumed_capacity, answer->consumed_capacity);
	return put_back_keys(get, request, unprocessed, status);
}

/* Moves answered requests to the end of the ready list; false: one failed. */
static bool
collect_answered(DynBatchGet *get, DynStatus *status)
{
	Request   **link = &get->in_flight;
	Request   **last = &get->ready;

	while (*last)
		last = &(*last)->next;
	while (*link)
	{
		Request    *request = *link;

		if (!dyn_call_done(request->call))
		{
			link = &request->next;
			continue;
		}
		if (dyn_call_status(request->call)->cls != DYN_OK)
		{
			*status = *dyn_call_status(request->call);
			return false;
		}
		*link = request->next;
		request->next = NULL;
		*last = request;
		last = &request->next;
	}
	return true;
}

/* Begins to read the first answered request, if there is one. */
static bool
take_ready(DynBatchGet *get, DynStatus *status)
{
	Request    *request = get->ready;

	if (request == NULL)
		return true;
	get->ready = request->next;
	if (!read_get_answer(get, request, status))
	{
		free_get(request);
		return false;
	}
	if (!dyn_call_done(request->call))
	{
		request->next = get->in_flight;
		get->in_flight = request;
		return true;
	}
	get->current = request;
	get->outstanding--;
	get->one_answer = request->nkeys == (int) get->config.nkeys && request->answer.nunprocessed == 0;
	return true;
}

DynStep
dyn_batch_get_next(DynBatchGet *get, const DynItem **item, uint32_t *key, DynStatus *status)
{
	if (get->failed)
	{
		*status = get->failure;
		return DYN_STEP_FAILED;
	}
	for (;;)
	{
		Request    *current = get->current;

		if (current && current->next_item < current->answer.nitems)
		{
			*item = &current->answer.items[current->next_item];
			*key = current->item_keys[current->next_item++];
			return DYN_STEP_ROW;
		}
		if (get->one_answer)
			return DYN_STEP_END;
		dyn_status_clear(status);
		free_get(current);
		get->current = NULL;

		if (!collect_answered(get, status) || !take_ready(get, status) || !start_gets(get, status))
			return DYN_STEP_FAILED;
		if (get->in_flight)
			dyn_client_warm_up(get->client, get->config.max_workers);
		if (get->current == NULL && get->ready == NULL)
			return get->in_flight ? DYN_STEP_WAIT : DYN_STEP_END;
		/* many answers without items must not keep the caller from seeing a cancel */
		if (get->current == NULL || get->current->answer.nitems == 0)
			return DYN_STEP_AGAIN;
	}
}

bool
dyn_batch_get_rewind(DynBatchGet *get)
{
	if (!get->one_answer)
		return false;
	get->current->next_item = 0;
	return true;
}
