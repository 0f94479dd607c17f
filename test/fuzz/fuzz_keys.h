/*
 * fuzz_keys.h
 *	  What holds of keys and words out of any answer.
 */
#ifndef DYN_FUZZ_KEYS_H
#define DYN_FUZZ_KEYS_H

#include <string.h>

#include "core/aws_keys.h"
#include "fuzz.h"

static inline void
check_header_text(const char *text)
{
	must(text != NULL && *text != '\0');
	for (; *text; text++)
		must(*text > ' ' && *text < 127);
}

/* Keys that a header can hold, or none. */
static inline void
check_keys(bool done, DynKeys *keys)
{
	if (done)
	{
		check_header_text(keys->access_key_id);
		check_header_text(keys->secret_access_key);
		check_header_text(keys->session_token);
	}
	else
		must(keys->access_key_id == NULL && keys->secret_access_key == NULL && keys->session_token == NULL);
	dyn_keys_free(keys);
}

/* Words that a terminal can be shown, without what could quote a signed request. */
static inline void
check_words(const DynStatus *status)
{
	must(memchr(status->aws_code, '\0', sizeof(status->aws_code)) != NULL);
	must(memchr(status->message, '\0', sizeof(status->message)) != NULL);
	for (const char *c = status->aws_code; *c; c++)
		must(*c > ' ' && *c < 127);
	for (const char *c = status->message; *c; c++)
		must((unsigned char) *c >= ' ' && *c != 127);
	must(strstr(status->message, "AWS4-HMAC") == NULL);
}

#endif							/* DYN_FUZZ_KEYS_H */
