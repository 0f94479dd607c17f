/*
 * key_metadata.c
 *	  What is asked of an EC2 instance's metadata service (IMDS, version 2), and
 *	  what its answers mean: a token, with which the role's name and keys are read.
 */
#include "net/key_fetch_private.h"

#define TOKEN_SECONDS "21600"
#define ROLES "/latest/meta-data/iam/security-credentials/"

/* A token that is not taken is replaced this often. */
#define MAX_TOKENS 2

static bool
metadata_endpoint(DynKeyFetch *fetch, DynKeyRequest *request)
{
	const char *why;

	request->timeout_s = fetch->plan.timeout_s;
	request->attempts = fetch->plan.attempts;
	return dyn_endpoint_parse(fetch->plan.url, &request->endpoint, &why);
}

bool
dyn_key_metadata_ask_token(DynKeyFetch *fetch, DynKeyRequest *request)
{
	request->http.method = DYN_HTTP_PUT;
	request->http.path = "/latest/api/token";
	request->headers[0] = (DynHttpHeader) {"x-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECONDS};
	request->headers[1] = (DynHttpHeader) {"Content-Type", ""};
	request->http.nheaders = 2;
	return metadata_endpoint(fetch, request);
}

bool
dyn_key_metadata_ask(DynKeyFetch *fetch, DynKeyRequest *request)
{
	dyn_buf_clear(&fetch->text);
	dyn_buf_str(&fetch->text, ROLES);
	dyn_buf_str(&fetch->text, fetch->step == DYN_STEP_METADATA_KEYS ? fetch->metadata_role : "");
	request->http.method = DYN_HTTP_GET;
	request->http.path = dyn_buf_cstr(&fetch->text);
	request->headers[0] = (DynHttpHeader) {"x-aws-ec2-metadata-token", fetch->metadata_token.data};
	request->http.nheaders = 1;
	if (request->http.path == NULL)
		return dyn_status_no_memory(&fetch->status);
	return metadata_endpoint(fetch, request);
}

/* There is no such service, or it has no role for us: the last of the places that were looked at, as the plan tells. */
static DynKeyVerdict
miss_metadata(DynKeyFetch *fetch)
{
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
	if (dyn_key_step_is_final(&fetch->status) || fetch->attempts < fetch->max_attempts)
		return dyn_key_step_judge_failure(fetch, NULL);
	if (fetch->status.cls == DYN_TIMEOUT)
		dyn_key_plan_looked(&fetch->plan, "instance metadata: no answer from %s within %g s (in a container: is the hop limit of the instance's metadata options 2?)",
							dyn_key_step_service(fetch), fetch->plan.timeout_s);
	else
		dyn_key_plan_looked(&fetch->plan, "instance metadata: %s: %s", dyn_key_step_service(fetch),
							fetch->status.message);
	return miss_metadata(fetch);
}

DynKeyVerdict
dyn_key_metadata_take_token(DynKeyFetch *fetch, const DynHttpAnswer *answer)
{
	if (answer == NULL)
		return judge_silence(fetch);
	if (answer->status == 403 || answer->status == 404 || answer->status == 405)
	{
		dyn_key_plan_looked(&fetch->plan, "instance metadata: %s gives no token of version 2 (HTTP %d)",
							dyn_key_step_service(fetch), answer->status);
		return miss_metadata(fetch);
	}
	if (answer->status != 200)
		return dyn_key_step_judge_failure(fetch, answer);
	for (size_t i = 0; i < answer->body.len; i++)
		if (answer->body.data[i] <= ' ' || answer->body.data[i] >= 127)
			return dyn_key_step_fail(fetch, "the answer to the request of a token is none");
	if (answer->body.len == 0)
		return dyn_key_step_fail(fetch, "the answer to the request of a token is empty");
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
	{
		dyn_key_plan_looked(&fetch->plan, "instance metadata: the instance has no role");
		return miss_metadata(fetch);
	}
	if (answer->status != 401 || fetch->metadata_tokens >= MAX_TOKENS)
		return dyn_key_step_judge_failure(fetch, answer);
	fetch->step = DYN_STEP_METADATA_TOKEN;
	return DYN_STEP_TAKEN;
}

DynKeyVerdict
dyn_key_metadata_take_role(DynKeyFetch *fetch, const DynHttpAnswer *answer)
{
	if (answer == NULL || answer->status != 200)
		return judge_metadata(fetch, answer);
	if (!dyn_imds_role(answer->body.data ? answer->body.data : "", answer->body.len, fetch->metadata_role))
		return dyn_key_step_fail(fetch, "the service's list of roles is none");
	fetch->step = DYN_STEP_METADATA_KEYS;
	return DYN_STEP_TAKEN;
}

DynKeyVerdict
dyn_key_metadata_take_keys(DynKeyFetch *fetch, const DynHttpAnswer *answer)
{
	if (answer == NULL || answer->status != 200)
		return judge_metadata(fetch, answer);
	if (dyn_imds_keys(answer->body.data ? answer->body.data : "", answer->body.len, &fetch->keys, &fetch->status))
	{
		dyn_key_step_next_role(fetch, 0);
		return DYN_STEP_TAKEN;
	}
	if (fetch->status.cls != DYN_NO_CREDENTIALS)
		return dyn_key_step_judge_body(fetch);
	/* there is a role, and it is broken */
	return dyn_key_step_fail(fetch, "role \"%s\": %s%s%s", fetch->metadata_role, fetch->status.aws_code,
							 fetch->status.aws_code[0] ? ": " : "", fetch->status.message);
}
