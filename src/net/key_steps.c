/*
 * key_steps.c
 *	  What is asked of AWS's credential services, and what their answers mean.
 */
#include "net/key_fetch_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sigv4.h"
#include "core/wipe.h"

#define FORM_TYPE "application/x-www-form-urlencoded; charset=utf-8"
#define METADATA_TOKEN_SECONDS "21600"
#define METADATA_ROLES "/latest/meta-data/iam/security-credentials/"
#define CONTAINER_TIMEOUT_S 2.0
#define CONTAINER_PAUSE_MS 1000.0
#define STS_TIMEOUT_S 5.0

/* A token of the metadata service that is not taken is replaced this often. */
#define METADATA_MAX_TOKENS 2

/* ---- words ---- */

const char *
dyn_key_step_service(const DynKeyFetch *fetch)
{
	return fetch->endpoint.host_header[0] ? fetch->endpoint.host_header : "no service";
}

static DynKeyVerdict fail_step(DynKeyFetch *fetch, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The fetch has failed for good, by these words (printf style), which may quote the status that it has. */
static DynKeyVerdict
fail_step(DynKeyFetch *fetch, const char *fmt, ...)
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
	return DYN_STEP_FAILED;
}

/* No answer that can be used, though the next attempt may get one: says so with the words that the status has. */
static DynKeyVerdict
fail_for_now(DynKeyFetch *fetch)
{
	fail_step(fetch, "%s: %s", dyn_key_step_service(fetch), fetch->status.message);
	return DYN_STEP_AGAIN;
}

/* Is it a failure that no attempt more can change?  Its class is to be told as it is then. */
static bool
is_final(const DynStatus *status)
{
	return status->cls == DYN_NO_MEMORY || status->cls == DYN_INTERNAL || status->cls == DYN_FORBIDDEN;
}

/* A service that failed, or answered with what is no answer of its own. */
static DynKeyVerdict
judge_failure(DynKeyFetch *fetch, const DynHttpAnswer *answer)
{
	if (answer == NULL && is_final(&fetch->status))
		return DYN_STEP_FAILED;
	if (answer == NULL)
		return fail_for_now(fetch);
	fail_step(fetch, "%s answered with %s%d", dyn_key_step_service(fetch),
			  answer->status >= 300 && answer->status < 400 ? "a redirect, which is not followed, HTTP " : "HTTP ",
			  answer->status);
	return answer->status >= 500 || answer->status == 429 ? DYN_STEP_AGAIN : DYN_STEP_FAILED;
}

/* The answer was 200, and its body could not be read: the status says why. */
static DynKeyVerdict
judge_body(DynKeyFetch *fetch)
{
	if (is_final(&fetch->status))
		return DYN_STEP_FAILED;
	return fail_for_now(fetch);
}

/* ---- files with tokens ---- */

/* Would a header with it be one line of ASCII? */
static bool
is_header_text(const char *text)
{
	while (*text >= ' ' && *text < 127)
		text++;
	return *text == '\0';
}

/*
 * The first line of a file, for the request that is about to be made; what a
 * line break at its end would do to a header it must not.  False, status set.
 */
static bool
read_token(DynKeyFetch *fetch, const char *path, size_t max, DynBuf *token)
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
		if (!is_header_text(token->data) || strlen(token->data) < token->len)
			fault = "it holds more than a token: line breaks, or bytes that are not printable ASCII";
		if (token->len == 0)
			fault = "it is empty";
		else if (token->len > max)
			fault = "it is too long for a token";
	}
	if (fault == NULL)
		return true;
	dyn_buf_wipe(token);
	fail_step(fetch, "token file %s: %s", path, fault);
	return false;
}

/* ---- the instance's metadata ---- */

static bool
metadata_endpoint(DynKeyFetch *fetch, DynKeyRequest *request)
{
	const char *why;

	request->timeout_s = fetch->plan.timeout_s;
	request->attempts = fetch->plan.attempts;
	return dyn_endpoint_parse(fetch->plan.url, &request->endpoint, &why);
}

static bool
ask_metadata_token(DynKeyFetch *fetch, DynKeyRequest *request)
{
	request->http.method = DYN_HTTP_PUT;
	request->http.path = "/latest/api/token";
	request->headers[0] = (DynHttpHeader) {"x-aws-ec2-metadata-token-ttl-seconds", METADATA_TOKEN_SECONDS};
	request->headers[1] = (DynHttpHeader) {"Content-Type", ""};
	request->http.nheaders = 2;
	return metadata_endpoint(fetch, request);
}

static bool
ask_metadata(DynKeyFetch *fetch, DynKeyRequest *request)
{
	dyn_buf_clear(&fetch->text);
	dyn_buf_str(&fetch->text, METADATA_ROLES);
	dyn_buf_str(&fetch->text, fetch->step == DYN_STEP_METADATA_KEYS ? fetch->metadata_role : "");
	request->http.method = DYN_HTTP_GET;
	request->http.path = dyn_buf_cstr(&fetch->text);
	request->headers[0] = (DynHttpHeader) {"x-aws-ec2-metadata-token", fetch->metadata_token.data};
	request->http.nheaders = 1;
	if (request->http.path == NULL)
		return dyn_status_no_memory(&fetch->status);
	return metadata_endpoint(fetch, request);
}

static DynKeyVerdict miss_metadata(DynKeyFetch *fetch, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* There is no such service, or it has no role for us (printf style): told as a place where nothing was found. */
static DynKeyVerdict
miss_metadata(DynKeyFetch *fetch, const char *fmt, ...)
{
	char		words[400];
	va_list		args;

	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	dyn_key_plan_looked(&fetch->plan, "instance metadata: %s", words);
	if (dyn_buf_cstr(&fetch->plan.looked) == NULL)
	{
		dyn_status_no_memory(&fetch->status);
		return DYN_STEP_FAILED;
	}
	dyn_status_clear(&fetch->status);
	dyn_status_set(&fetch->status, DYN_NO_CREDENTIALS, "no credentials were found");
	dyn_status_hint(&fetch->status, "Looked for in: %s.", fetch->plan.looked.data);
	return DYN_STEP_FAILED;
}

/* No answer at all. */
static DynKeyVerdict
judge_silence(DynKeyFetch *fetch)
{
	if (is_final(&fetch->status))
		return DYN_STEP_FAILED;
	if (fetch->attempts < fetch->max_attempts)
		return fail_for_now(fetch);
	if (fetch->status.cls == DYN_TIMEOUT)
		return miss_metadata(fetch, "no answer from %s within %g s (in a container: is the hop limit of the instance's metadata options 2?)",
							 dyn_key_step_service(fetch), fetch->plan.timeout_s);
	return miss_metadata(fetch, "%s: %s", dyn_key_step_service(fetch), fetch->status.message);
}

static DynKeyVerdict
take_metadata_token(DynKeyFetch *fetch, const DynHttpAnswer *answer)
{
	if (answer == NULL)
		return judge_silence(fetch);
	if (answer->status == 403 || answer->status == 404 || answer->status == 405)
		return miss_metadata(fetch, "%s gives no token of version 2 (HTTP %d)", dyn_key_step_service(fetch),
							 answer->status);
	if (answer->status != 200)
		return judge_failure(fetch, answer);
	for (size_t i = 0; i < answer->body.len; i++)
		if (answer->body.data[i] <= ' ' || answer->body.data[i] >= 127)
			return fail_step(fetch, "the answer to the request of a token is none");
	if (answer->body.len == 0)
		return fail_step(fetch, "the answer to the request of a token is empty");
	dyn_buf_wipe(&fetch->metadata_token);
	dyn_buf_add(&fetch->metadata_token, answer->body.data, answer->body.len);
	if (dyn_buf_cstr(&fetch->metadata_token) == NULL)
	{
		dyn_status_no_memory(&fetch->status);
		return DYN_STEP_FAILED;
	}
	fetch->metadata_tokens++;
	fetch->step = DYN_STEP_METADATA_ROLE;
	return DYN_STEP_TAKEN;
}

/* Answers of either GET that are no success.  A token that is not taken any more is replaced. */
static DynKeyVerdict
judge_metadata(DynKeyFetch *fetch, const DynHttpAnswer *answer)
{
	if (answer == NULL)
		return judge_silence(fetch);
	if (answer->status == 404)
		return miss_metadata(fetch, "the instance has no role");
	if (answer->status != 401 || fetch->metadata_tokens >= METADATA_MAX_TOKENS)
		return judge_failure(fetch, answer);
	fetch->step = DYN_STEP_METADATA_TOKEN;
	return DYN_STEP_TAKEN;
}

static DynKeyVerdict
take_metadata_role(DynKeyFetch *fetch, const DynHttpAnswer *answer)
{
	if (answer == NULL || answer->status != 200)
		return judge_metadata(fetch, answer);
	if (!dyn_imds_role(answer->body.data ? answer->body.data : "", answer->body.len, fetch->metadata_role))
		return fail_step(fetch, "the service's list of roles is none");
	fetch->step = DYN_STEP_METADATA_KEYS;
	return DYN_STEP_TAKEN;
}

static DynKeyVerdict
take_metadata_keys(DynKeyFetch *fetch, const DynHttpAnswer *answer)
{
	if (answer == NULL || answer->status != 200)
		return judge_metadata(fetch, answer);
	if (dyn_imds_keys(answer->body.data ? answer->body.data : "", answer->body.len, &fetch->keys, &fetch->status))
	{
		dyn_key_step_next_role(fetch, 0);
		return DYN_STEP_TAKEN;
	}
	if (fetch->status.cls != DYN_NO_CREDENTIALS)
		return judge_body(fetch);
	/* there is a role, and it is broken */
	return fail_step(fetch, "role \"%s\": %s%s%s", fetch->metadata_role, fetch->status.aws_code,
					 fetch->status.aws_code[0] ? ": " : "", fetch->status.message);
}

/* ---- a container's service ---- */

static bool
ask_container(DynKeyFetch *fetch, DynKeyRequest *request)
{
	const DynKeyPlan *plan = &fetch->plan;
	const char *token = plan->token;
	const char *why;

	if (plan->token_file)
	{
		if (!read_token(fetch, plan->token_file, DYN_SESSION_TOKEN_MAX, &fetch->text))
			return false;
		token = fetch->text.data;
	}
	else if (token && !is_header_text(token))
	{
		fail_step(fetch, "AWS_CONTAINER_AUTHORIZATION_TOKEN has a line break in it, or bytes that are not printable ASCII");
		return false;
	}
	request->http.method = DYN_HTTP_GET;
	request->http.path = plan->path;
	request->headers[0] = (DynHttpHeader) {"Accept", "application/json"};
	request->http.nheaders = 1;
	if (token)
		request->headers[request->http.nheaders++] = (DynHttpHeader) {"Authorization", token};
	request->timeout_s = CONTAINER_TIMEOUT_S;
	request->pause_ms = CONTAINER_PAUSE_MS;
	return dyn_endpoint_parse(plan->url, &request->endpoint, &why);
}

static DynKeyVerdict
take_container(DynKeyFetch *fetch, const DynHttpAnswer *answer)
{
	if (answer == NULL)
		return judge_failure(fetch, NULL);
	if (answer->status == 200)
	{
		if (!dyn_container_keys(answer->body.data ? answer->body.data : "", answer->body.len, &fetch->keys,
								&fetch->status))
			return judge_body(fetch);
		dyn_key_step_next_role(fetch, 0);
		return DYN_STEP_TAKEN;
	}
	if (answer->status >= 500 || answer->body.len == 0 ||
		!dyn_container_error(answer->body.data, answer->body.len, &fetch->status))
		return judge_failure(fetch, answer);
	return fail_step(fetch, "%s answered with HTTP %d, %s: %s", dyn_key_step_service(fetch), answer->status,
					 fetch->status.aws_code, fetch->status.message);
}

/* ---- STS ---- */

static const char *
sts_action(const DynKeyFetch *fetch)
{
	return fetch->step == DYN_STEP_ROLE ? "AssumeRole" : "AssumeRoleWithWebIdentity";
}

static const DynAssumeRole *
sts_role(const DynKeyFetch *fetch)
{
	return fetch->step == DYN_STEP_ROLE ? &fetch->plan.roles[fetch->role] : &fetch->plan.web_identity;
}

/* Secrets go to STS: without TLS to this machine alone. */
static bool
sts_endpoint(DynKeyFetch *fetch, DynKeyRequest *request)
{
	const DynKeyFetchConfig *config = &fetch->config;
	const char *why;

	request->sts = true;
	request->timeout_s = STS_TIMEOUT_S;
	if (fetch->plan.sts_url == NULL &&
		!dyn_endpoint_of_region(DYN_SERVICE_STS, dyn_signing_region(config->region), config->fips, config->dualstack,
								&request->endpoint))
		return dyn_status_set(&fetch->status, DYN_INTERNAL, "the region has no STS");
	if (fetch->plan.sts_url && !dyn_endpoint_parse(fetch->plan.sts_url, &request->endpoint, &why))
		return dyn_status_set(&fetch->status, DYN_INTERNAL, "the endpoint URL of STS %s", why);
	if (request->endpoint.tls || request->endpoint.loopback)
		return true;
	fail_step(fetch, "the endpoint of STS is plain http, and not on this machine");
	return false;
}

/* What all requests to STS have in common; the body is in fetch->body. */
static bool
ask_sts(DynKeyFetch *fetch, DynKeyRequest *request)
{
	if (!sts_endpoint(fetch, request))
		return false;
	if (dyn_buf_cstr(&fetch->body) == NULL)
		return dyn_status_no_memory(&fetch->status);
	request->http.method = DYN_HTTP_POST;
	request->http.body = &fetch->body;
	request->headers[0] = (DynHttpHeader) {"Content-Type", FORM_TYPE};
	request->http.nheaders = 1;
	return true;
}

static bool
ask_web_identity(DynKeyFetch *fetch, DynKeyRequest *request)
{
	const DynAssumeRole *role = sts_role(fetch);

	if (!read_token(fetch, fetch->plan.token_file, DYN_WEB_IDENTITY_TOKEN_MAX, &fetch->text))
		return false;
	dyn_buf_wipe(&fetch->body);
	dyn_sts_web_identity(&fetch->body, role->role_arn, role->session_name, fetch->text.data);
	return ask_sts(fetch, request);
}

/* Signs the request with the keys of now; all its headers. */
static bool
sign_sts(DynKeyFetch *fetch, DynKeyRequest *request, char amz_date[DYN_AMZ_DATE_LEN])
{
	DynSigv4Header headers[DYN_KEY_HEADERS];
	DynSigv4Signer signer = {0};
	DynSigv4Request sigv4 = {0};
	bool		done;

	for (int i = 0; i < request->http.nheaders; i++)
		headers[i] = (DynSigv4Header) {request->headers[i].name, request->headers[i].value};
	signer.access_key_id = fetch->keys.access_key_id;
	signer.secret_access_key = fetch->keys.secret_access_key;
	signer.region = dyn_signing_region(fetch->config.region);
	signer.service = "sts";
	sigv4.method = "POST";
	sigv4.headers = headers;
	sigv4.nheaders = request->http.nheaders;
	sigv4.payload = fetch->body.data;
	sigv4.payload_len = fetch->body.len;
	sigv4.amz_date = amz_date;
	dyn_buf_clear(&fetch->authorization);
	done = dyn_sigv4_sign(&signer, &sigv4, &fetch->authorization, NULL, NULL) &&
		dyn_buf_cstr(&fetch->authorization) != NULL;
	dyn_wipe(&signer, sizeof(signer));
	return done;
}

static bool
ask_role(DynKeyFetch *fetch, DynKeyRequest *request)
{
	char		amz_date[DYN_AMZ_DATE_LEN];

	dyn_buf_clear(&fetch->body);
	dyn_sts_assume_role(&fetch->body, sts_role(fetch));
	if (!ask_sts(fetch, request))
		return false;
	if (!dyn_sigv4_date(dyn_clock_wall_s(fetch->config.clock), amz_date))
		return dyn_status_set(&fetch->status, DYN_INTERNAL, "the request could not be signed");
	dyn_buf_clear(&fetch->text);
	dyn_buf_str(&fetch->text, amz_date);
	request->headers[request->http.nheaders++] = (DynHttpHeader) {"Host", request->endpoint.host_header};
	request->headers[request->http.nheaders++] = (DynHttpHeader) {"X-Amz-Date", dyn_buf_cstr(&fetch->text)};
	if (fetch->keys.session_token)
		request->headers[request->http.nheaders++] = (DynHttpHeader) {"X-Amz-Security-Token", fetch->keys.session_token};
	if (fetch->text.failed)
		return dyn_status_no_memory(&fetch->status);
	if (!sign_sts(fetch, request, amz_date))
		return dyn_status_set(&fetch->status, DYN_INTERNAL, "the request could not be signed");
	request->headers[request->http.nheaders++] = (DynHttpHeader) {"Authorization", fetch->authorization.data};
	return true;
}

/* STS refused: in its own words, and with what may be the reason. */
static DynKeyVerdict
judge_refusal(DynKeyFetch *fetch, const DynHttpAnswer *answer)
{
	bool		again = dyn_sts_retryable(answer->status, fetch->status.aws_code);
	bool		denied = strcmp(fetch->status.aws_code, "AccessDenied") == 0;

	fail_step(fetch, "%s refused %s: %s: %s", dyn_key_step_service(fetch), sts_action(fetch), fetch->status.aws_code,
			  fetch->status.message);
	if (denied)
		dyn_status_hint(&fetch->status, "The role's trust policy must allow sts:%s to whoever assumes it, and so must a policy of theirs in another account.",
						sts_action(fetch));
	return again ? DYN_STEP_AGAIN : DYN_STEP_FAILED;
}

static DynKeyVerdict
take_sts(DynKeyFetch *fetch, const DynHttpAnswer *answer)
{
	const char *body = answer && answer->body.data ? answer->body.data : "";
	DynKeys		keys = {0};

	if (answer == NULL)
		return judge_failure(fetch, NULL);
	if (answer->status != 200)
		return dyn_sts_error(body, answer->body.len, &fetch->status) ? judge_refusal(fetch, answer) :
			judge_failure(fetch, answer);
	if (!dyn_sts_keys(body, answer->body.len, &keys, &fetch->status))
		return judge_body(fetch);
	dyn_keys_free(&fetch->keys);
	fetch->keys = keys;
	dyn_key_step_next_role(fetch, fetch->step == DYN_STEP_ROLE ? fetch->role + 1 : 0);
	return DYN_STEP_TAKEN;
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
	[DYN_STEP_METADATA_TOKEN] = {ask_metadata_token, take_metadata_token},
	[DYN_STEP_METADATA_ROLE] = {ask_metadata, take_metadata_role},
	[DYN_STEP_METADATA_KEYS] = {ask_metadata, take_metadata_keys},
	[DYN_STEP_CONTAINER] = {ask_container, take_container},
	[DYN_STEP_WEB_IDENTITY] = {ask_web_identity, take_sts},
	[DYN_STEP_ROLE] = {ask_role, take_sts},
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
