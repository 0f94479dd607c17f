/*
 * ddb_keys.c
 *	  Calls and the keys that sign them: taken from the source for each request,
 *	  so a retry signs with what is there then.
 */
#include "net/ddb_private.h"

#include <stdio.h>

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

bool
dyn_call_renew_keys(DynCall *call)
{
	if (call->keys_renewed || !dyn_keys_are_stale(call->status.aws_code) ||
		!dyn_key_source_refused(call->client->keys, call->key_serial))
		return false;
	call->keys_renewed = true;
	call->state = DYN_CALL_WAITING;
	call->due_ms = 0;
	return true;
}
