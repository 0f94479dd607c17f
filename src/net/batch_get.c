/*
 * batch_get.c
 *	  Reads many items by key.
 *
 * Keys are asked in order, `batch_size` a request, be they of one table or of
 * several.  UnprocessedKeys go back to the pool of keys to ask: at once when the
 * answer made progress, after a delay when it made none; only so many answers in
 * a row may make none.  So do the keys of a request for several tables that was
 * refused: what is wrong with one table must not be said of another.
 */
#include "net/batch_get.h"

#include <stdlib.h>

#include "core/get_request.h"

typedef struct Request
{
	DynCall    *call;
	DynAnswer	answer;
	DynGetKeys	asked;
	DynStallMark sent;
	DynGetMatch match;			/* of the answer */
	int			next_item;
	struct Request *next;		/* in one of the lists */
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
	DynGetTables tables;
	int64_t    *requests;		/* for each table */
	bool		apart;			/* a request for several tables was refused: each further one is for one table */
	uint32_t	asked;			/* keys[0 .. asked) have been sent at least once */
	Again	   *again;			/* unprocessed keys */
	size_t		nagain;
	size_t		again_cap;
	DynStall	stall;
	int			outstanding;	/* in flight, or answered and not begun to be read */
	Request    *in_flight;
	Request    *ready;			/* answered, first come first */
	Request    *current;		/* being read */
	Request    *kept;			/* read, where items are kept */
	bool		one_answer;		/* a single request has answered for all keys; `current` keeps it */
	bool		failed;			/* at the start; why: */
	DynStatus	failure;
	int			failed_table;	/* or -1 */
};

DynBatchGet *
dyn_batch_get_new(DynClient *client, const DynBatchGetConfig *config)
{
	DynBatchGet *get = calloc(1, sizeof(*get));

	if (get == NULL)
		return NULL;
	get->client = client;
	get->config = *config;
	get->failed_table = -1;
	get->requests = calloc(config->ntables, sizeof(int64_t));
	if (get->requests == NULL ||
		!dyn_get_tables_init(&get->tables, config->tables, config->ntables, config->nkeys, config->keys))
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
	free_list(get->kept);
	dyn_get_tables_free(&get->tables);
	free(get->requests);
	free(get->again);
	free(get);
}

/* Notes which table a request was for that failed. */
static void
note_failed_table(DynBatchGet *get, const Request *request)
{
	get->failed_table = request->asked.nparts == 1 ? request->asked.parts[0].table : -1;
}

/* ---- asking ---- */

static bool
keys_left(const DynBatchGet *get)
{
	return get->nagain > 0 || get->asked < get->tables.nkeys;
}

/* Has the request room for the key, and may their tables share it? */
static bool
fits(const DynBatchGet *get, const DynGetKeys *asked, uint32_t key)
{
	const DynGetTable *table;

	if (asked->nkeys == 0 || !get->apart)
		return asked->nkeys < get->config.batch_size;
	table = &get->tables.tables[dyn_get_table_of(&get->tables, asked->keys[0], 0)];
	return asked->nkeys < get->config.batch_size && key >= table->first && key < table->end;
}

/*
 * Moves keys to ask into the request and returns its delay: unprocessed ones
 * first; those that have to wait go by themselves.
 */
static double
choose_keys(DynBatchGet *get, DynGetKeys *asked)
{
	double		delay = get->nagain > 0 ? get->again[get->nagain - 1].delay_ms : 0;

	while (get->nagain > 0 && get->again[get->nagain - 1].delay_ms == delay &&
		   fits(get, asked, get->again[get->nagain - 1].key))
		asked->keys[asked->nkeys++] = get->again[--get->nagain].key;
	while (delay == 0 && get->asked < get->tables.nkeys && fits(get, asked, get->asked))
		asked->keys[asked->nkeys++] = get->asked++;
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
	delay = choose_keys(get, &request->asked);
	dyn_get_group(&get->tables, &request->asked);
	request->sent = dyn_client_stall_mark(get->client, &get->stall, delay);
	dyn_get_body(&get->tables, &request->asked, &body);
	request->call = dyn_call_start(get->client, DYN_OP_BATCH_GET_ITEM, &body, delay,
								   get->config.counters, status);
	if (request->call == NULL)
	{
		note_failed_table(get, request);
		free_get(request);
		return false;
	}
	for (int i = 0; i < request->asked.nparts; i++)
		get->requests[request->asked.parts[i].table]++;
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

/* Puts unprocessed keys back; false when too many answers in a row brought nothing. */
static bool
put_back_keys(DynBatchGet *get, const Request *request, DynStatus *status)
{
	int			n = request->answer.nunprocessed;
	double		delay_ms;

	if (!dyn_call_count_stall(request->call, &get->stall, &request->sent, n < request->asked.nkeys, &delay_ms, status))
		return false;
	for (int i = 0; i < n; i++)
		if (!add_again(get, request->match.unprocessed[i], delay_ms))
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
	DynAnswer  *answer = &request->answer;
	DynCounters *counters = get->config.counters;
	const char *wrong = NULL;

	switch (dyn_get_scan(&get->tables, &request->asked, body->data, body->len, answer))
	{
		case DYN_SCAN_NO_MEMORY:
			return dyn_status_no_memory(status);
		case DYN_SCAN_MALFORMED:
			wrong = "the answer is not well-formed";
			break;
		case DYN_SCAN_OK:
			if (!dyn_get_match(&get->tables, &request->asked, answer, &request->match))
				wrong = "the answer holds keys that were not asked for";
			break;
	}
	if (wrong)
	{
		dyn_answer_free(answer);
		dyn_call_reject(request->call, wrong);
		*status = *dyn_call_status(request->call);
		return !dyn_call_done(request->call);
	}
	dyn_call_accept(request->call);
	DYN_COUNT(counters, items_found, answer->nitems);
	DYN_COUNT(counters, items_missing, request->asked.nkeys - answer->nitems - answer->nunprocessed);
	DYN_COUNT(counters, consumed_capacity, answer->consumed_capacity);
	return put_back_keys(get, request, status);
}

/*
 * Of a request that failed: was it refused, and possibly for one of its tables
 * only?  Who signs it is the same for all of them.
 */
static bool
one_table_refused(const Request *request)
{
	const DynStatus *why = dyn_call_status(request->call);

	return request->asked.nparts > 1 && why->http_status >= 400 && why->http_status < 500 &&
		why->cls != DYN_CREDENTIALS && !dyn_status_retryable(why);
}

/* Notes the keys of a refused request, to be asked by a request for each table.  False: no memory. */
static bool
split_get(DynBatchGet *get, const Request *request)
{
	get->apart = true;
	get->outstanding--;
	/* the last one noted is the first one asked */
	for (int i = request->asked.nkeys - 1; i >= 0; i--)
		if (!add_again(get, request->asked.keys[i], 0))
			return false;
	return true;
}

/* Frees a request that failed.  False: the read failed with it, and for its reason. */
static bool
end_failed_get(DynBatchGet *get, Request *request, DynStatus *status)
{
	bool		split = one_table_refused(request) && split_get(get, request);

	if (!split)
	{
		*status = *dyn_call_status(request->call);
		note_failed_table(get, request);
	}
	free_get(request);
	return split;
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
		*link = request->next;
		if (dyn_call_status(request->call)->cls != DYN_OK)
		{
			if (!end_failed_get(get, request, status))
				return false;
			continue;
		}
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
		note_failed_table(get, request);
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
	get->one_answer = request->asked.nkeys == (int) get->tables.nkeys && request->answer.nunprocessed == 0;
	return true;
}

/* Nothing is left to read in the current answer: it goes, unless its items are kept. */
static void
leave_current(DynBatchGet *get)
{
	Request    *request = get->current;

	get->current = NULL;
	if (!get->config.keep || request == NULL)
	{
		free_get(request);
		return;
	}
	request->next = get->kept;
	get->kept = request;
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
			*key = current->match.items[current->next_item++];
			return DYN_STEP_ROW;
		}
		if (get->one_answer)
			return DYN_STEP_END;
		dyn_status_clear(status);
		leave_current(get);
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

int
dyn_batch_get_failed_table(const DynBatchGet *get)
{
	return get->failed_table;
}

int64_t
dyn_batch_get_requests(const DynBatchGet *get, int table)
{
	return get->requests[table];
}

bool
dyn_batch_get_rewind(DynBatchGet *get)
{
	if (!get->one_answer)
		return false;
	get->current->next_item = 0;
	return true;
}
