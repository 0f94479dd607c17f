/*
 * status.c
 *	  What went wrong, as data.
 */
#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/ascii.h"
#include "core/wipe.h"

void
dyn_status_clear(DynStatus *status)
{
	memset(status, 0, sizeof(*status));
}

bool
dyn_status_set(DynStatus *status, DynClass cls, const char *fmt, ...)
{
	va_list		args;

	va_start(args, fmt);
	dyn_status_vset(status, cls, fmt, args);
	va_end(args);
	return false;
}

bool
dyn_status_vset(DynStatus *status, DynClass cls, const char *fmt, va_list args)
{
	status->cls = cls;
	vsnprintf(status->message, sizeof(status->message), fmt, args);
	return false;
}

void
dyn_status_hint(DynStatus *status, const char *fmt, ...)
{
	va_list		args;

	va_start(args, fmt);
	vsnprintf(status->hint, sizeof(status->hint), fmt, args);
	va_end(args);
}

/*
 * Complaints about a signature may quote the canonical request, session token
 * included, after a line break, or the Authorization header.
 */
static size_t
harmless_length(const char *message, size_t len)
{
	static const char quoted[] = "AWS4-HMAC";
	size_t		n = 0;

	while (n < len && message[n] != '\r' && message[n] != '\n' &&
		   (len - n < sizeof(quoted) - 1 || memcmp(message + n, quoted, sizeof(quoted) - 1) != 0))
		n++;
	return n;
}

/* A terminal may obey U+0080 to U+009F too, which are two bytes in UTF-8. */
static void
replace_controls(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = text[i];
		unsigned char next = i + 1 < len ? text[i + 1] : 0;

		if (c == 0xc2 && next >= 0x80 && next <= 0x9f)
			memset(text + i++, '?', 2);
		else if (c < 0x20 || c == 0x7f)
			text[i] = '?';
	}
}

void
dyn_status_words(DynStatus *status, const char *code, size_t code_len, const char *message, size_t message_len)
{
	size_t		n = 0;

	while (n < code_len && n < sizeof(status->aws_code) - 1 && dyn_is_alnum_or(code[n], "._-"))
		n++;
	if (n > 0)
		memcpy(status->aws_code, code, n);
	status->aws_code[n] = '\0';
	n = harmless_length(message, message_len);
	if (n > sizeof(status->message) - 1)
		n = sizeof(status->message) - 1;
	if (n > 0)
		memcpy(status->message, message, n);
	status->message[n] = '\0';
	replace_controls(status->message, n);
}

bool
dyn_status_no_memory(DynStatus *status)
{
	return dyn_status_set(status, DYN_NO_MEMORY, "out of memory");
}

bool
dyn_status_retryable(const DynStatus *status)
{
	switch (status->cls)
	{
		case DYN_CONNECT:
		case DYN_CONNECTION_LOST:
		case DYN_TIMEOUT:
		case DYN_THROTTLED:
		case DYN_PROTOCOL:
			return true;
		case DYN_SERVER_FAULT:
			/* of the answers 5xx these are passing */
			return status->http_status < 500 || (status->http_status <= 504 && status->http_status != 501);
		default:
			return false;
	}
}

void
dyn_status_redact(DynStatus *status, const char *secret)
{
	char		start[DYN_SECRET_START + 1];
	char	   *quoted;

	snprintf(start, sizeof(start), "%s", secret ? secret : "");
	quoted = start[0] ? strstr(status->message, start) : NULL;
	if (quoted)
		*quoted = '\0';
	dyn_wipe(start, sizeof(start));
}
