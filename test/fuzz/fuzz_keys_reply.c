/*
 * fuzz_keys_reply.c
 *	  Bytes as an answer of a container's endpoint or of the instance metadata
 *	  service: keys are what a header can hold, words what a terminal can be
 *	  shown, a role is part of a path.
 */
#include "core/keys_reply.h"
#include "fuzz_keys.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *body = (const char *) data;
	char		role[DYN_ROLE_NAME_MAX + 1];
	DynKeys		keys;
	DynStatus	status = {0};
	bool		of_container = dyn_container_keys(body, len, &keys, &status);
	bool		of_imds;

	check_keys(of_container, &keys);
	must(of_container || status.cls == DYN_PROTOCOL);
	dyn_status_clear(&status);
	of_imds = dyn_imds_keys(body, len, &keys, &status);
	must(of_imds ? keys.expires != DYN_KEYS_FOREVER :
		 status.cls == DYN_PROTOCOL || status.cls == DYN_NO_CREDENTIALS);
	check_keys(of_imds, &keys);
	/* what an instance takes is a container's answer too */
	must(!of_imds || of_container);
	check_words(&status);
	dyn_status_clear(&status);
	dyn_container_error(body, len, &status);
	check_words(&status);
	memset(role, 'x', sizeof(role));
	if (dyn_imds_role(body, len, role))
		must(memchr(role, '\0', sizeof(role)) != NULL && strpbrk(role, "/?#% ") == NULL && strlen(role) <= len);
	else
		must(role[0] == '\0');
	return 0;
}
