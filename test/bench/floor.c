/*
 * floor.c
 *	  The floor: what the network alone takes for a read or a write.
 *
 *	  floor --url URL --table NAME --entities N --workers W --rounds R [--warmup R] [--cacert FILE]
 *			[--do read|put|update|delete]
 *
 * Sends the requests that dynamo_fdw sends for driver_id 1 to N (made by the
 * same code, with a signature that is not one) over W kept connections, reads
 * the answers whole and decodes nothing.  Prints the milliseconds of each round.
 */
#include <curl/curl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bodies.h"

#define MAX_WORKERS 100

static const char *url;
static const char *cacert;
static DynBuf *bodies;			/* of the requests of a round */
static int	nbodies;
static size_t received;
static CURLM *multi;
static CURL *workers[MAX_WORKERS];
static int	nworkers = 10;

static void
die(const char *what)
{
	fprintf(stderr, "floor: %s\n", what);
	exit(1);
}

static double
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

/* ---- transfers ---- */

static size_t
on_body(char *data, size_t size, size_t count, void *arg)
{
	received += size * count;
	return size * count;
}

static void
make_workers(const BodyKind *what)
{
	/* as long as a signed request's */
	static const char *const lines[] = {
		"Content-Type: application/x-amz-json-1.0", "X-Amz-Date: 20260101T000000Z", "Expect:", "Accept:",
		"Authorization: AWS4-HMAC-SHA256 Credential=BENCH/20260101/us-west-2/dynamodb/aws4_request, "
		"SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
		"Signature=0000000000000000000000000000000000000000000000000000000000000000"
	};
	struct curl_slist *headers = NULL;
	char		target[100];

	snprintf(target, sizeof(target), "X-Amz-Target: %s", dyn_op_target(what->op));
	headers = curl_slist_append(headers, target);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		headers = curl_slist_append(headers, lines[i]);
	multi = curl_multi_init();
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long) nworkers);
	for (int i = 0; i < nworkers; i++)
	{
		CURL	   *easy = workers[i] = curl_easy_init();

		curl_easy_setopt(easy, CURLOPT_URL, url);
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
		curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
		curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 128L * 1024);
		curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
		if (cacert)
			curl_easy_setopt(easy, CURLOPT_CAINFO, cacert);
	}
}

static void
start(CURL *worker, const DynBuf *body)
{
	curl_easy_setopt(worker, CURLOPT_POSTFIELDSIZE, (long) body->len);
	curl_easy_setopt(worker, CURLOPT_POSTFIELDS, body->data);
	if (curl_multi_add_handle(multi, worker) != CURLM_OK)
		die("libcurl refuses a request");
}

static void
check_answer(const CURLMsg *message)
{
	long		status = 0;

	curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
	if (message->data.result != CURLE_OK)
		die(curl_easy_strerror(message->data.result));
	if (status != 200)
		die("the answer is an error");
}

/* Sends each body once; its milliseconds. */
static double
run_round(void)
{
	double		started = now_ms();
	int			next = 0;
	int			done = 0;

	received = 0;
	while (next < nbodies && next < nworkers)
	{
		start(workers[next], &bodies[next]);
		next++;
	}
	while (done < nbodies)
	{
		CURLMsg    *message;
		int			running;
		int			left;

		if (curl_multi_perform(multi, &running) != CURLM_OK)
			die("libcurl fails");
		while ((message = curl_multi_info_read(multi, &left)) != NULL)
		{
			CURL	   *worker = message->easy_handle;

			check_answer(message);
			curl_multi_remove_handle(multi, worker);
			done++;
			if (next < nbodies)
				start(worker, &bodies[next++]);
		}
		if (done < nbodies && curl_multi_poll(multi, NULL, 0, 1000, NULL) != CURLM_OK)
			die("libcurl fails");
	}
	return now_ms() - started;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"url", required_argument, NULL, 'u'},
		{"table", required_argument, NULL, 't'},
		{"entities", required_argument, NULL, 'e'},
		{"workers", required_argument, NULL, 'w'},
		{"rounds", required_argument, NULL, 'r'},
		{"warmup", required_argument, NULL, 'p'},
		{"cacert", required_argument, NULL, 'c'},
		{"do", required_argument, NULL, 'd'},
		{0}
	};
	const char *table = NULL;
	const BodyKind *what = body_kind("read");
	int			entities = 0;
	int			rounds = 10;
	int			warmup = 3;
	int			option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
	{
		switch (option)
		{
			case 'u':
				url = optarg;
				break;
			case 't':
				table = optarg;
				break;
			case 'e':
				entities = atoi(optarg);
				break;
			case 'w':
				nworkers = atoi(optarg);
				break;
			case 'r':
				rounds = atoi(optarg);
				break;
			case 'p':
				warmup = atoi(optarg);
				break;
			case 'c':
				cacert = optarg;
				break;
			case 'd':
				what = body_kind(optarg);
				break;
			default:
				return 2;
		}
	}
	if (url == NULL || table == NULL || what == NULL || entities < 1 || nworkers < 1 || nworkers > MAX_WORKERS)
		die("--url, --table, --entities and 1 to 100 --workers are needed");
	curl_global_init(CURL_GLOBAL_DEFAULT);
	bodies = make_bodies(what, table, entities, &nbodies);
	if (bodies == NULL)
		die("the requests can't be made");
	make_workers(what);
	for (int i = -warmup; i < rounds; i++)
	{
		double		ms = run_round();

		if (i >= 0)
			printf("%.4f\n", ms);
	}
	fprintf(stderr, "%zu bytes a round\n", received);
	return 0;
}
