/*
 * keys_check.h
 *	  What tests of answers with keys share: botocore's golden cases, bodies at
 *	  the end of their memory, and memory that runs out.
 */
#ifndef DYN_KEYS_CHECK_H
#define DYN_KEYS_CHECK_H

#include <stdlib.h>

#include "core/aws_keys.h"
#include "fail_alloc.h"
#include "golden.h"
#include "tap.h"

/* dyn_sts_keys and its like. */
typedef bool (*KeysReader) (const char *body, size_t len, DynKeys *keys, DynStatus *status);

/* Of a body in memory that ends with it.  `keys` and `status` hold what nobody may rely on. */
static inline bool
read_keys_of(KeysReader read, const char *body, size_t len, DynKeys *keys, DynStatus *status)
{
	char	   *copy = golden_copy(body, len);
	bool		done;

	memset(keys, 0xff, sizeof(*keys));
	dyn_status_clear(status);
	done = read(copy, len, keys, status);
	free(copy);
	return done;
}

/* Refused with a status of that class and these words, and no keys are left. */
static inline void
keys_refused(KeysReader read, const char *body, size_t len, DynClass cls, const char *words)
{
	DynKeys		keys;
	DynStatus	status;

	ok(!read_keys_of(read, body, len, &keys, &status), "refused: %s", words);
	is_int(status.cls, cls, "its class");
	is_string(status.message, words, "its message");
	ok(keys.access_key_id == NULL && keys.secret_access_key == NULL && keys.session_token == NULL, "no keys");
}

/* Epoch seconds of the expiry that a case expects. */
static inline int64_t
golden_time(const char *text)
{
	int64_t		seconds = 0;

	ok(dyn_keys_parse_time(text, strlen(text), &seconds), "%s is a time", text);
	return seconds;
}

/* Are these the keys that a case expects?  "<later>" is another time than the answer's. */
static inline void
keys_are(const DynKeys *keys, json_object *expect)
{
	const char *expires = golden_text(expect, "expires");

	is_string(keys->access_key_id, golden_text(expect, "access_key_id"), "its access key id");
	is_string(keys->secret_access_key, golden_text(expect, "secret_access_key"), "its secret");
	is_string(keys->session_token, golden_text(expect, "session_token"), "its token");
	if (strcmp(expires, "<later>") != 0)
		is_int(keys->expires, golden_time(expires), "its expiry");
}

/* Keys of the last answer of the script that has `part` in it; false: none has. */
static inline bool
keys_of_script(KeysReader read, json_object *script, const char *part, DynKeys *keys)
{
	size_t		n = golden_count(script, "http");
	const char *body = NULL;
	DynStatus	status;

	while (n-- > 0)
	{
		json_object *answer = golden_at(script, "http", n);

		body = golden_text(answer, "body");
		if (body && golden_int(answer, "status") == 200 && strstr(body, part))
			return ok(read_keys_of(read, body, strlen(body), keys, &status), "keys: %s", status.message);
	}
	return false;
}

/* One script of a case, or of what it does later; was it about this provider and answers with `part`? */
static inline bool
check_script(KeysReader read, json_object *script, const char *part, const char *provider)
{
	json_object *expect = golden_get(script, "expect");
	const char *got = golden_text(expect, "provider");
	DynKeys		keys;

	if (got == NULL || strcmp(got, provider) != 0 || !keys_of_script(read, script, part, &keys))
		return false;
	keys_are(&keys, expect);
	dyn_keys_free(&keys);
	return true;
}

/* Answers with `part` give what cases of this provider expect.  Returns how many there were. */
static inline int
check_golden_keys(KeysReader read, const char *part, const char *provider)
{
	json_object *golden = golden_json("aws_credentials.json");
	int			n = 0;

	for (size_t i = 0; i < golden_count(golden, "credentials"); i++)
	{
		json_object *script = golden_at(golden, "credentials", i);

		n += check_script(read, script, part, provider);
		for (size_t j = 0; j < golden_count(script, "later"); j++)
			n += check_script(read, golden_at(script, "later", j), part, provider);
	}
	json_object_put(golden);
	return n;
}

/* The body gives keys, or whichever allocation fails, there is no memory. */
static inline void
check_keys_without_memory(KeysReader read, const char *body)
{
	long		n = 0;
	int			wrong = 0;
	bool		done = false;

	for (; !done && n < 100; n++)
	{
		DynKeys		keys = {0};
		DynStatus	status = {0};
		bool		failed;

		fail_alloc_after = n;
		done = read(body, strlen(body), &keys, &status);
		failed = fail_alloc_after == -1;
		fail_alloc_after = -1;
		if (done ? failed : status.cls != DYN_NO_MEMORY || keys.access_key_id)
			wrong++;
		dyn_keys_free(&keys);
	}
	ok(done && n == 5 && wrong == 0, "each of %ld allocations may fail", n - 1);
}

#endif							/* DYN_KEYS_CHECK_H */
