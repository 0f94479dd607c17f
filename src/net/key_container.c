/*
 * key_container.c
 *	  What is asked of the service that gives keys to a container (ECS, EKS Pod
 *	  Identity), and what its answers mean.
 */
#include "net/key_fetch_private.h"

#include "core/ascii.h"

#define TIMEOUT_S 2.0
#define ATTEMPTS 3
#define PAUSE_MS 1000.0

bool
dyn_key_container_ask(DynKeyFetch *fetch, DynKeyRequest *request)
{
	const DynKeyPlan *plan = &fetch->plan;
	const char *token = plan->token;
	const char *why;

	if (plan->token_file)
	{
		if (!dyn_key_step_read_token(fetch, plan->token_file, DYN_SESSION_TOKEN_MAX, &fetch->text))
			return false;
		token = fetch->text.data;
	}
	else if (token && !dyn_ascii_printable(token))
	{
		dyn_key_step_fail(fetch, "AWS_CONTAINER_AUTHORIZATION_TOKEN has a line break in it, or bytes that are not printable ASCII");
		return false;
	}
	request->http.method = DYN_HTTP_GET;
	request->http.path = plan->path;
	request->headers[0] = (DynHttpHeader) {"Accept", "application/json"};
	request->http.nheaders = 1;
	if (token)
		request->headers[request->http.nheaders++] = (DynHttpHeader) {"Authorization", token};
	request->timeout_s = TIMEOUT_S;
	request->attempts = ATTEMPTS;
	request->pause_ms = PAUSE_MS;
	return dyn_endpoint_parse(plan->url, &request->endpoint, &why);
}

DynKeyVerdict
dyn_key_container_take(DynKeyFetch *fetch, const DynHttpAnswer *answer)
{
	if (answer == NULL)
		return dyn_key_step_judge_failure(fetch, NULL);
	if (answer->status == 200)
	{
		if (!dyn_container_keys(answer->body.data ? answer->body.data : "", answer->body.len, &fetch->keys,
								&fetch->status))
			return dyn_key_step_judge_body(fetch);
		dyn_key_step_next_role(fetch, 0);
		return DYN_STEP_TAKEN;
	}
	if (answer->status >= 500 || answer->body.len == 0 ||
		!dyn_container_error(answer->body.data, answer->body.len, &fetch->status))
		return dyn_key_step_judge_failure(fetch, answer);
	return dyn_key_step_fail(fetch, "%s answered with HTTP %d, %s: %s", dyn_key_step_service(fetch), answer->status,
							 fetch->status.aws_code, fetch->status.message);
}
