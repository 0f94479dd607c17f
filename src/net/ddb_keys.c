/*
 * ddb_keys.c
 *	  Calls and the keys that sign them: taken from the source for each request,
 *	  so a retry signs with what is there then.
 */
#include "net/ddb_private.h"

#include <stdio.h>
#include <string.h>

DynKeyState
dyn_call_take_keys(DynCall *call, DynStatus *status)
{
	DynClient  *client = call->client;
	const DynKeys *keys;
	uint64_t	serial;
	DynKeyState state = dyn_key_source_keys(client->keys, &keys, &serial, status);

	if (state != DYN_KEYS_READY)
		return state;
	client->signer.access_key_id = keys->access_key_id;
	client->signer.secret_access_key = keys->secret_access_key;
	client->session_token = keys->session_token;
	/* the signing key in the signer is made of the secret */
	if (serial != client->key_serial)
		client->signer.date[0] = '\0';
	client->key_serial = call->key_serial = serial;
	snprintf(call->token_start, sizeof(call->token_start), "%s", keys->session_token ? keys->session_token : "");
	return state;
}

/* Does the code say that the keys are old, or not known (any more)? */
static bool
are_stale(const char *aws_code)
{
	static const char *const codes[] = {
		"ExpiredTokenException", "ExpiredToken", "RequestExpired", "UnrecognizedClientException",
		"InvalidClientTokenId", "InvalidAccessKeyId"
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(aws_code, codes[i]) == 0)
			return true;
	return false;
}

bool
dyn_call_renew_keys(DynCall *call)
{
	if (call->keys_renewed || !are_stale(call->status.aws_code) ||
		!dyn_key_source_refused(call->client->keys, call->key_serial))
		return false;
	call->keys_renewed = true;
	call->state = DYN_CALL_WAITING;
	call->due_ms = 0;
	return true;
}

/* Those of the mapping itself need no word: what the class says is about them. */
static bool
are_of_mapping(const DynKeyDescription *keys)
{
	return strcmp(keys->source, "user mapping") == 0 && keys->role_arn == NULL;
}

void
dyn_call_name_keys(DynCall *call)
{
	DynKeyDescription keys;

	dyn_key_source_describe(call->client->keys, &keys);
	if (are_of_mapping(&keys))
		return;
	dyn_status_hint(&call->status, "The credentials come from: %s%s%.60s%s%.200s. Check them, the server's \"region\", and this machine's clock.",
					keys.source, keys.profile ? ", profile " : "", keys.profile ? keys.profile : "",
					keys.role_arn ? ", role " : "", keys.role_arn ? keys.role_arn : "");
}
