/*
 * fuzz_event_ts.c
 *	  Bytes as the text of an event_ts: an instant that Feast can have is
 *	  written so that it reads the same.
 */
#include <string.h>

#include "core/feast_time.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char		text[DYN_EVENT_TS_LEN];
	char		text_again[DYN_EVENT_TS_LEN];
	int64_t		micros;
	int64_t		micros_again;

	if (dyn_event_ts_parse((const char *) data, len, &micros) == DYN_EVENT_TS_OK &&
		dyn_event_ts_format(micros, text))
	{
		must(dyn_event_ts_parse(text, strlen(text), &micros_again) == DYN_EVENT_TS_OK);
		must(micros_again == micros);
	}
	/* any instant, of which there are more than texts */
	if (len == sizeof(micros))
	{
		memcpy(&micros, data, len);
		if (dyn_event_ts_format(micros, text))
		{
			must(dyn_event_ts_parse(text, strlen(text), &micros_again) == DYN_EVENT_TS_OK);
			must(micros_again == micros);
			must(dyn_event_ts_format(micros_again, text_again) && strcmp(text, text_again) == 0);
		}
	}
	return 0;
}
