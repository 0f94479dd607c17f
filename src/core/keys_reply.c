/*
 * keys_reply.c
 *	  Answers of the services that give keys to a container or an instance.
 *
 * Decoded in place, in a copy that is wiped.  json-c would leave secrets in
 * memory that it frees: those of strings, and those that it collects them in.
 */
#include "core/keys_reply.h"

#include <stdlib.h>
#include <string.h>

#include "core/ascii.h"
#include "core/buf.h"
#include "core/json_scan.h"
#include "core/wipe.h"

typedef struct ReplyField
{
	const char *name;
	bool		found;
	char	   *text;			/* with a NUL behind it; NULL: missing, or not a text */
	size_t		len;
} ReplyField;

/* NULL: of no interest. */
static ReplyField *
field_named(ReplyField *fields, int nfields, const DynJsonString *name)
{
	for (int i = 0; i < nfields; i++)
		if (strlen(fields[i].name) == name->len && memcmp(fields[i].name, name->data, name->len) == 0)
			return &fields[i];
	return NULL;
}

/* The NUL takes the place of the closing quote, or of a byte before it. */
static bool
read_field(DynJsonScan *s, ReplyField *field)
{
	DynJsonString value;

	if (field->found)
		return false;
	field->found = true;
	if (!dyn_js_at(s, '"'))
		return dyn_js_skip(s, 1);
	if (!dyn_js_string(s, &value))
		return false;
	field->text = value.data;
	field->len = value.len;
	value.data[value.len] = '\0';
	return true;
}

/* Fields of an object, decoded over its own bytes.  False: the text is not one object, or a field is in it twice. */
static bool
read_fields(char *json, size_t len, ReplyField *fields, int nfields)
{
	DynJsonScan s = {json, json + len};
	DynJsonString name;
	ReplyField *field;
	bool		ok = true;

	if (!dyn_js_take(&s, '{'))
		return false;
	if (!dyn_js_take(&s, '}'))
	{
		do
		{
			if (!dyn_js_string(&s, &name) || !dyn_js_take(&s, ':'))
				return false;
			field = field_named(fields, nfields, &name);
			if (field ? !read_field(&s, field) : !dyn_js_skip(&s, 1))
				return false;
		} while (dyn_js_more(&s, '}', &ok));
	}
	dyn_js_space(&s);
	return ok && s.pos == s.end;
}

/* False, `status` set: a field is there, but is not a text that keys can be made of. */
static bool
check_texts(const ReplyField *fields, int nfields, DynStatus *status)
{
	for (int i = 0; i < nfields; i++)
	{
		if (fields[i].found && fields[i].text == NULL)
			return dyn_status_set(status, DYN_PROTOCOL, "%s is not a text", fields[i].name);
		if (fields[i].text && strlen(fields[i].text) < fields[i].len)
			return dyn_status_set(status, DYN_PROTOCOL, "%s has a zero byte", fields[i].name);
	}
	return true;
}

enum
{
	ACCESS_KEY_ID,
	SECRET_ACCESS_KEY,
	TOKEN,
	EXPIRATION,
	NKEY_FIELDS,
	CODE = NKEY_FIELDS,
	MESSAGE,
	NFIELDS
};

/* IMDS says by Code whether there are keys; imitations of it may leave it out, and so no SDK asks for it. */
static bool
check_imds(const ReplyField *fields, DynStatus *status)
{
	const ReplyField *code = &fields[CODE];
	const ReplyField *message = &fields[MESSAGE];

	if (!check_texts(code, 1, status))
		return false;
	if (code->found && strcmp(code->text, "Success") != 0)
	{
		status->cls = DYN_NO_CREDENTIALS;
		dyn_status_words(status, code->text, code->len, message->text, message->len);
		return false;
	}
	if (!fields[EXPIRATION].found)
		return dyn_status_set(status, DYN_PROTOCOL, "the expiration is missing");
	return true;
}

static bool
read_keys(const char *json, size_t len, bool imds, DynKeys *keys, DynStatus *status)
{
	ReplyField	fields[NFIELDS] = {
		[ACCESS_KEY_ID] = {.name = "AccessKeyId"},
		[SECRET_ACCESS_KEY] = {.name = "SecretAccessKey"},
		[TOKEN] = {.name = "Token"},
		[EXPIRATION] = {.name = "Expiration"},
		[CODE] = {.name = "Code"},
		[MESSAGE] = {.name = "Message"},
	};
	char	   *copy = dyn_copy_bytes(json, len);
	bool		ok;

	memset(keys, 0, sizeof(*keys));
	if (copy == NULL)
		return dyn_status_no_memory(status);
	if (!read_fields(copy, len, fields, imds ? NFIELDS : NKEY_FIELDS))
		ok = dyn_status_set(status, DYN_PROTOCOL, "the answer is malformed");
	else
		ok = (!imds || check_imds(fields, status)) && check_texts(fields, NKEY_FIELDS, status) &&
			dyn_keys_of_answer(keys, fields[ACCESS_KEY_ID].text, fields[SECRET_ACCESS_KEY].text, fields[TOKEN].text,
							   fields[EXPIRATION].text, status);
	dyn_wipe(copy, len);
	free(copy);
	return ok;
}

bool
dyn_container_keys(const char *json, size_t len, DynKeys *keys, DynStatus *status)
{
	return read_keys(json, len, false, keys, status);
}

bool
dyn_imds_keys(const char *json, size_t len, DynKeys *keys, DynStatus *status)
{
	return read_keys(json, len, true, keys, status);
}

bool
dyn_container_error(const char *json, size_t len, DynStatus *status)
{
	ReplyField	fields[] = {{.name = "code"}, {.name = "message"}};
	char	   *copy = dyn_copy_bytes(json, len);
	bool		ok = copy && read_fields(copy, len, fields, 2) && fields[0].text;

	if (ok)
		dyn_status_words(status, fields[0].text, fields[0].len, fields[1].text, fields[1].len);
	free(copy);
	return ok;
}

bool
dyn_imds_role(const char *text, size_t len, char out[DYN_ROLE_NAME_MAX + 1])
{
	size_t		n = 0;

	out[0] = '\0';
	while (n < len && dyn_is_alnum_or(text[n], "_+=,.@-"))
		n++;
	if (n == 0 || n > DYN_ROLE_NAME_MAX || (n < len && text[n] != '\n' && text[n] != '\r'))
		return false;
	memcpy(out, text, n);
	out[n] = '\0';
	return true;
}
