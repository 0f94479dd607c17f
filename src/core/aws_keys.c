/*
 * aws_keys.c
 *	  AWS access keys.
 */
#include "core/aws_keys.h"

#include <string.h>

#include "core/feast_time.h"
#include "core/wipe.h"

/* A line break in a header would begin another one. */
static bool
is_key_text(const char *text, size_t max)
{
	size_t		len = 0;

	while (len <= max && text[len] > ' ' && text[len] < 127)
		len++;
	return len > 0 && len <= max && text[len] == '\0';
}

/* False, `status` set: the part is missing, or is none. */
static bool
check_part(const char *name, const char *text, size_t max, DynStatus *status)
{
	if (text == NULL || text[0] == '\0')
		return dyn_status_set(status, DYN_NO_CREDENTIALS, "the %s is missing", name);
	if (!is_key_text(text, max))
		return dyn_status_set(status, DYN_NO_CREDENTIALS, "the %s is not 1 to %d printable characters without blanks",
							  name, (int) max);
	return true;
}

bool
dyn_keys_make(DynKeys *keys, const char *access_key_id, const char *secret_access_key, const char *session_token,
			  int64_t expires, DynStatus *status)
{
	bool		has_token = session_token && session_token[0];

	memset(keys, 0, sizeof(*keys));
	if (!check_part("access key id", access_key_id, DYN_ACCESS_KEY_ID_MAX, status) ||
		!check_part("secret access key", secret_access_key, DYN_SECRET_ACCESS_KEY_MAX, status) ||
		(has_token && !check_part("session token", session_token, DYN_SESSION_TOKEN_MAX, status)))
		return false;
	keys->access_key_id = strdup(access_key_id);
	keys->secret_access_key = strdup(secret_access_key);
	keys->session_token = has_token ? strdup(session_token) : NULL;
	keys->expires = expires;
	if (keys->access_key_id && keys->secret_access_key && (keys->session_token || !has_token))
		return true;
	dyn_keys_free(keys);
	return dyn_status_no_memory(status);
}

bool
dyn_keys_of_answer(DynKeys *keys, const char *access_key_id, const char *secret_access_key, const char *session_token,
				   const char *expiration, DynStatus *status)
{
	int64_t		expires = DYN_KEYS_FOREVER;

	memset(keys, 0, sizeof(*keys));
	if (session_token == NULL || session_token[0] == '\0')
		return dyn_status_set(status, DYN_PROTOCOL, "the session token is missing");
	if (expiration && !dyn_keys_parse_time(expiration, strlen(expiration), &expires))
		return dyn_status_set(status, DYN_PROTOCOL, "the expiration is not a time");
	if (dyn_keys_make(keys, access_key_id, secret_access_key, session_token, expires, status))
		return true;
	if (status->cls == DYN_NO_CREDENTIALS)
		status->cls = DYN_PROTOCOL;
	return false;
}

void
dyn_keys_free(DynKeys *keys)
{
	dyn_wipe_and_free(keys->access_key_id);
	dyn_wipe_and_free(keys->secret_access_key);
	dyn_wipe_and_free(keys->session_token);
	memset(keys, 0, sizeof(*keys));
}

/* Either may be NULL. */
static bool
same_key_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool
dyn_keys_equal(const DynKeys *a, const DynKeys *b)
{
	return same_key_text(a->access_key_id, b->access_key_id) &&
		same_key_text(a->secret_access_key, b->secret_access_key) && same_key_text(a->session_token, b->session_token);
}

bool
dyn_keys_parse_time(const char *text, size_t len, int64_t *epoch_seconds)
{
	int64_t		micros;

	if (dyn_event_ts_parse(text, len, &micros) != DYN_EVENT_TS_OK)
		return false;
	*epoch_seconds = micros / 1000000;
	return true;
}

bool
dyn_keys_are_stale(const char *aws_code)
{
	static const char *const codes[] = {
		"ExpiredTokenException", "ExpiredToken", "RequestExpired", "UnrecognizedClientException",
		"InvalidClientTokenId", "InvalidAccessKeyId", "InvalidToken", "TokenRefreshRequired"
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(aws_code, codes[i]) == 0)
			return true;
	return false;
}
