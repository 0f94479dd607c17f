/*
 * fuzz_ddb_reply.c
 *	  Bytes as an error body, as a description of a table, and as what was left
 *	  of a write: texts end within their arrays, ids are not made up.
 */
#include <string.h>

#include "core/ddb_reply.h"
#include "core/ddb_op.h"
#include "fuzz.h"

static void
check_error(const char *body, size_t len)
{
	DynStatus	status = {0};

	if (!dyn_json_error(body, len, &status))
		return;
	must(memchr(status.aws_code, '\0', sizeof(status.aws_code)) != NULL);
	must(memchr(status.message, '\0', sizeof(status.message)) != NULL);
	/* what could quote a signed request */
	must(strchr(status.message, '\n') == NULL && strstr(status.message, "AWS4-HMAC") == NULL);
	dyn_op_classify(400, status.aws_code, status.message);
}

static void
check_table(const char *body, size_t len)
{
	DynTableDescription table;

	if (!dyn_json_table(body, len, &table))
		return;
	must(memchr(table.status, '\0', sizeof(table.status)) != NULL && table.status[0] != '\0');
	must(memchr(table.table_id, '\0', sizeof(table.table_id)) != NULL);
	must(memchr(table.created, '\0', sizeof(table.created)) != NULL);
	must(memchr(table.key_schema, '\0', sizeof(table.key_schema)) != NULL);
	must(table.feast_key == (strcmp(table.key_schema, "HASH entity_id (S)") == 0));
}

/* An array of exactly `max` ids, so that one too many is seen. */
static void
check_unprocessed(const char *body, size_t len, int max)
{
	DynEntityId *ids = malloc(sizeof(DynEntityId) * max);
	int			n;

	must(ids != NULL);
	n = dyn_json_unprocessed_items(body, len, "p.t", ids, max);
	must(n >= -1 && n <= max);
	/* an id is 32 digits of the body */
	must(n <= 0 || len >= (size_t) n * DYN_ENTITY_ID_HEX_LEN);
	free(ids);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *body = (const char *) data;

	check_error(body, len);
	check_table(body, len);
	check_unprocessed(body, len, 1);
	check_unprocessed(body, len, DYN_MAX_WRITE_ITEMS);
	dyn_json_time_to_live(body, len);
	return 0;
}
