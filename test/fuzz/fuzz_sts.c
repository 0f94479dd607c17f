/*
 * fuzz_sts.c
 *	  Bytes as an answer of STS: keys are what a header can hold, words what a
 *	  terminal can be shown.
 */
#include "core/sts.h"
#include "fuzz_keys.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *xml = (const char *) data;
	DynKeys		keys;
	DynStatus	status = {0};
	bool		has_keys = dyn_sts_keys(xml, len, &keys, &status);

	must(has_keys ? keys.expires != DYN_KEYS_FOREVER : status.cls == DYN_PROTOCOL);
	check_keys(has_keys, &keys);
	dyn_status_clear(&status);
	if (dyn_sts_error(xml, len, &status))
	{
		must(!has_keys);
		check_words(&status);
		dyn_sts_retryable(400, status.aws_code);
	}
	return 0;
}
