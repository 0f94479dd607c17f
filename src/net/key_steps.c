/*
 * key_steps.c
 *	  The requests that a fetch of keys consists of: whose each is, and what all
 *	  of them have in common.
 */
#include "net/key_fetch_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/ascii.h"

/* ---- words ---- */

const char *
dyn_key_step_service(const DynKeyFetch *fetch)
{
	return fetch->endpoint.host_header[0] ? fetch->endpoint.host_header : "no service";
}

/* Cuts the message where the service quotes what it was sent. */
static void
redact_step(DynKeyFetch *fetch)
{
	bool		token = fetch->step == DYN_STEP_WEB_IDENTITY || fetch->step == DYN_STEP_CONTAINER;

	dyn_status_redact(&fetch->status, token ? fetch->text.data : NULL);
	dyn_status_redact(&fetch->status, fetch->plan.token);
	dyn_status_redact(&fetch->status, fetch->metadata_token.data);
	dyn_status_redact(&fetch->status, fetch->keys.session_token);
}

DynKeyVerdict
dyn_key_step_fail(DynKeyFetch *fetch, const char *fmt, ...)
{
	char		words[sizeof(fetch->status.message)];
	va_list		args;

	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	fetch->status.aws_code[0] = '\0';
	if (fetch->step == DYN_STEP_ROLE)
		dyn_status_set(&fetch->status, DYN_NO_CREDENTIALS, "role %.150s over %s: %s",
					   fetch->plan.roles[fetch->role].role_arn, fetch->plan.source, words);
	else if (fetch->step == DYN_STEP_WEB_IDENTITY)
		dyn_status_set(&fetch->status, DYN_NO_CREDENTIALS, "role %.150s by %s: %s",
					   fetch->plan.web_identity.role_arn, fetch->plan.source, words);
	else
		dyn_status_set(&fetch->status, DYN_NO_CREDENTIALS, "%s: %s", fetch->plan.source, words);
	redact_step(fetch);
	return DYN_STEP_FAILED;
}

/* No answer that can be used, though the next attempt may get one: says so with the words that the status has. */
static DynKeyVerdict
fail_for_now(DynKeyFetch *fetch)
{
	dyn_key_step_fail(fetch, "%s: %s", dyn_key_step_service(fetch), fetch->status.message);
	return DYN_STEP_AGAIN;
}

bool
dyn_key_step_is_final(const DynStatus *status)
{
	return status->cls == DYN_NO_MEMORY || status->cls == DYN_INTERNAL || status->cls == DYN_FORBIDDEN;
}

DynKeyVerdict
dyn_key_step_judge_failure(DynKeyFetch *fetch, const DynHttpAnswer *answer)
{
	if (answer == NULL && dyn_key_step_is_final(&fetch->status))
		return DYN_STEP_FAILED;
	if (answer == NULL)
		return fail_for_now(fetch);
	dyn_key_step_fail(fetch, "%s answered with %s%d", dyn_key_step_service(fetch),
					  answer->status >= 300 && answer->status < 400 ? "a redirect, which is not followed, HTTP " : "HTTP ",
					  answer->status);
	return answer->status >= 500 || answer->status == 429 ? DYN_STEP_AGAIN : DYN_STEP_FAILED;
}

DynKeyVerdict
dyn_key_step_judge_body(DynKeyFetch *fetch)
{
	if (dyn_key_step_is_final(&fetch->status))
		return DYN_STEP_FAILED;
	return fail_for_now(fetch);
}

/* ---- files with tokens ---- */

bool
dyn_key_step_read_token(DynKeyFetch *fetch, const char *path, size_t max, DynBuf *token)
{
	const DynSurroundings *surroundings = fetch->config.surroundings;
	const char *why = "there is no such file";
	const char *fault = NULL;
	DynFileResult result;

	dyn_buf_wipe(token);
	result = surroundings->read_file(surroundings->arg, path, token, &why);
	if (dyn_buf_cstr(token) == NULL)
		return dyn_status_no_memory(&fetch->status);
	if (result != DYN_FILE_READ)
		fault = why;
	else
	{
		while (token->len > 0 && strchr("\r\n", token->data[token->len - 1]))
			token->data[--token->len] = '\0';
		if (!dyn_ascii_printable(token->data) || strlen(token->data) < token->len)
			fault = "it holds more than a token: line breaks, or bytes that are not printable ASCII";
		if (token->len == 0)
			fault = "it is empty";
		else if (token->len > max)
			fault = "it is too long for a token";
	}
	if (fault == NULL)
		return true;
	dyn_buf_wipe(token);
	dyn_key_step_fail(fetch, "token file %.200s: %s", path, fault);
	return false;
}

/* ---- steps ---- */

DynKeyStep
dyn_key_step_first(const DynKeyPlan *plan)
{
	switch (plan->base)
	{
		case DYN_BASE_WEB_IDENTITY:
			return DYN_STEP_WEB_IDENTITY;
		case DYN_BASE_CONTAINER:
			return DYN_STEP_CONTAINER;
		case DYN_BASE_METADATA:
			return DYN_STEP_METADATA_TOKEN;
		default:
			return DYN_STEP_END;
	}
}

void
dyn_key_step_next_role(DynKeyFetch *fetch, int role)
{
	fetch->role = role;
	fetch->step = role < fetch->plan.nroles ? DYN_STEP_ROLE : DYN_STEP_END;
}

/* What each step asks, and what takes its answer. */
static const struct
{
	bool		(*ask) (DynKeyFetch *fetch, DynKeyRequest *request);
	DynKeyVerdict (*take) (DynKeyFetch *fetch, const DynHttpAnswer *answer);
}			steps[] = {
	[DYN_STEP_METADATA_TOKEN] = {dyn_key_metadata_ask_token, dyn_key_metadata_take_token},
	[DYN_STEP_METADATA_ROLE] = {dyn_key_metadata_ask, dyn_key_metadata_take_role},
	[DYN_STEP_METADATA_KEYS] = {dyn_key_metadata_ask, dyn_key_metadata_take_keys},
	[DYN_STEP_CONTAINER] = {dyn_key_container_ask, dyn_key_container_take},
	[DYN_STEP_WEB_IDENTITY] = {dyn_key_sts_ask_web_identity, dyn_key_sts_take},
	[DYN_STEP_ROLE] = {dyn_key_sts_ask_role, dyn_key_sts_take},
};

bool
dyn_key_step_request(DynKeyFetch *fetch, DynKeyRequest *request)
{
	return steps[fetch->step].ask(fetch, request);
}

DynKeyVerdict
dyn_key_step_answer(DynKeyFetch *fetch, const DynHttpAnswer *answer)
{
	return steps[fetch->step].take(fetch, answer);
}
