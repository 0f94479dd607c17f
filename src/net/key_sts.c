/*
 * key_sts.c
 *	  What is asked of AWS's Security Token Service: keys of a role, for other
 *	  keys or for the token of a web identity; and what its answers mean.
 */
#include "net/key_fetch_private.h"

#include <string.h>

#include "core/sigv4.h"
#include "core/wipe.h"

#define FORM_TYPE "application/x-www-form-urlencoded; charset=utf-8"
#define TIMEOUT_S 5.0
#define ATTEMPTS 3

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
	request->timeout_s = TIMEOUT_S;
	request->attempts = ATTEMPTS;
	if (fetch->plan.sts_url == NULL &&
		!dyn_endpoint_of_region(DYN_SERVICE_STS, dyn_signing_region(config->region), config->fips, config->dualstack,
								&request->endpoint))
		return dyn_status_set(&fetch->status, DYN_INTERNAL, "the region has no STS");
	if (fetch->plan.sts_url && !dyn_endpoint_parse(fetch->plan.sts_url, &request->endpoint, &why))
		return dyn_status_set(&fetch->status, DYN_INTERNAL, "the endpoint URL of STS %s", why);
	if (request->endpoint.tls || request->endpoint.loopback)
		return true;
	dyn_key_step_fail(fetch, "the endpoint of STS is plain http, and not on this machine");
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

bool
dyn_key_sts_ask_web_identity(DynKeyFetch *fetch, DynKeyRequest *request)
{
	const DynAssumeRole *role = sts_role(fetch);

	if (!dyn_key_step_read_token(fetch, fetch->plan.token_file, DYN_WEB_IDENTITY_TOKEN_MAX, &fetch->text))
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

bool
dyn_key_sts_ask_role(DynKeyFetch *fetch, DynKeyRequest *request)
{
	char		amz_date[DYN_AMZ_DATE_LEN];

	/* the token of a web identity may have been in it */
	dyn_buf_wipe(&fetch->body);
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

	dyn_key_step_fail(fetch, "%s refused %s: %s: %s", dyn_key_step_service(fetch), sts_action(fetch), fetch->status.aws_code,
					  fetch->status.message);
	if (denied)
		dyn_status_hint(&fetch->status, "The role's trust policy must allow sts:%s to whoever assumes it, and so must a policy of theirs in another account.",
						sts_action(fetch));
	return again ? DYN_STEP_AGAIN : DYN_STEP_FAILED;
}

DynKeyVerdict
dyn_key_sts_take(DynKeyFetch *fetch, const DynHttpAnswer *answer)
{
	const char *body = answer && answer->body.data ? answer->body.data : "";
	DynKeys		keys = {0};

	if (answer == NULL)
		return dyn_key_step_judge_failure(fetch, NULL);
	if (answer->status != 200)
		return dyn_sts_error(body, answer->body.len, &fetch->status) ? judge_refusal(fetch, answer) :
			dyn_key_step_judge_failure(fetch, answer);
	if (!dyn_sts_keys(body, answer->body.len, &keys, &fetch->status))
		return dyn_key_step_judge_body(fetch);
	dyn_keys_free(&fetch->keys);
	fetch->keys = keys;
	dyn_key_step_next_role(fetch, fetch->step == DYN_STEP_ROLE ? fetch->role + 1 : 0);
	return DYN_STEP_TAKEN;
}
