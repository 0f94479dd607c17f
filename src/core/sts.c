/*
 * sts.c
 *	  AWS's Security Token Service: bodies of its requests, and its answers.
 */
#include "core/sts.h"

#include <stdlib.h>
#include <string.h>

#include "core/ascii.h"
#include "core/wipe.h"
#include "core/xml_scan.h"

/* ---- requests ---- */

/* Name, '=', and the value encoded as RFC 3986 says. */
static void
add_parameter(DynBuf *body, const char *name, const char *value)
{
	dyn_buf_str(body, name);
	dyn_buf_byte(body, '=');
	dyn_buf_percent(body, value, "-._~");
}

void
dyn_sts_assume_role(DynBuf *body, const DynAssumeRole *role)
{
	dyn_buf_str(body, "Action=AssumeRole&Version=2011-06-15");
	add_parameter(body, "&RoleArn", role->role_arn);
	add_parameter(body, "&RoleSessionName", role->session_name);
	if (role->external_id)
		add_parameter(body, "&ExternalId", role->external_id);
	if (role->duration_seconds > 0)
	{
		dyn_buf_str(body, "&DurationSeconds=");
		dyn_buf_int(body, role->duration_seconds);
	}
}

/* The token comes last, into memory that does not move any more: a buffer that grows leaves its bytes behind. */
void
dyn_sts_web_identity(DynBuf *body, const char *role_arn, const char *session_name, const char *token)
{
	static const char name[] = "&WebIdentityToken";

	dyn_buf_str(body, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15");
	add_parameter(body, "&RoleArn", role_arn);
	add_parameter(body, "&RoleSessionName", session_name);
	dyn_buf_reserve(body, sizeof(name) + 3 * strlen(token));
	add_parameter(body, name, token);
}

/* ---- answers ---- */

bool
dyn_sts_keys(const char *xml, size_t len, DynKeys *keys, DynStatus *status)
{
	DynXmlField fields[] = {
		{.name = "AccessKeyId"}, {.name = "SecretAccessKey"}, {.name = "SessionToken"}, {.name = "Expiration"}
	};
	char	   *copy = dyn_copy_bytes(xml, len);
	bool		ok;

	memset(keys, 0, sizeof(*keys));
	if (copy == NULL)
		return dyn_status_no_memory(status);
	if (!dyn_xml_read(copy, len, "*Response/*Result/Credentials", fields, 4))
		ok = dyn_status_set(status, DYN_PROTOCOL, "the answer is malformed");
	else if (fields[3].text == NULL)
		ok = dyn_status_set(status, DYN_PROTOCOL, "the expiration is missing");
	else
		ok = dyn_keys_of_answer(keys, fields[0].text, fields[1].text, fields[2].text, fields[3].text, status);
	dyn_wipe(copy, len);
	free(copy);
	return ok;
}

bool
dyn_sts_error(const char *xml, size_t len, DynStatus *status)
{
	DynXmlField fields[] = {{.name = "Code"}, {.name = "Message"}};
	char	   *copy = dyn_copy_bytes(xml, len);
	bool		ok;

	ok = copy && dyn_xml_read(copy, len, "ErrorResponse/Error", fields, 2) && fields[0].text;
	if (ok)
		dyn_status_words(status, fields[0].text, fields[0].len, fields[1].text, fields[1].text ? fields[1].len : 0);
	free(copy);
	return ok;
}

bool
dyn_sts_retryable(int http_status, const char *aws_code)
{
	static const char throttling[] = "Throttling";

	/* the last one passes when the identity provider has just been made known, or has new keys */
	return http_status >= 500 || strncmp(aws_code, throttling, sizeof(throttling) - 1) == 0 ||
		strcmp(aws_code, "IDPCommunicationError") == 0 || strcmp(aws_code, "InvalidIdentityToken") == 0;
}

/* ---- what it takes ---- */

/* `min` to `max` letters, digits and characters of the set? */
static bool
consists_of(const char *text, size_t min, size_t max, const char *set)
{
	size_t		len = 0;

	while (len <= max && dyn_is_alnum_or(text[len], set))
		len++;
	return len >= min && len <= max && text[len] == '\0';
}

bool
dyn_role_session_name_valid(const char *name)
{
	return consists_of(name, 2, 64, "_+=,.@-");
}

bool
dyn_external_id_valid(const char *id)
{
	return consists_of(id, 2, 1224, "_+=,.@:/-");
}

bool
dyn_role_arn_valid(const char *arn)
{
	return strncmp(arn, "arn:", 4) == 0 && consists_of(arn, 20, 2048, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");
}
