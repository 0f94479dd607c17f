/*
 * test_ddb_reply.c
 *	  Error bodies, table descriptions, unprocessed items and time to live.
 *
 * Bodies in this file are written with ' for ".
 */
#include "core/ddb_reply.h"

#include <stdlib.h>

#include "golden.h"
#include "tap.h"

/* Hands a body over in memory that ends with it, ' turned to ". */
static char *
body_of(const char *text, size_t *len)
{
	char	   *quoted = golden_quotes(text);
	char	   *body;

	*len = strlen(quoted);
	body = golden_copy(quoted, *len);
	free(quoted);
	return body;
}

static bool
read_error(const char *text, DynStatus *status)
{
	size_t		len;
	char	   *body = body_of(text, &len);
	bool		found = dyn_json_error(body, len, status);

	free(body);
	return found;
}

static bool
read_table(const char *text, DynTableDescription *table)
{
	size_t		len;
	char	   *body = body_of(text, &len);
	bool		found = dyn_json_table(body, len, table);

	free(body);
	return found;
}

/* ---- error bodies ---- */

static const struct
{
	const char *body;
	const char *code;
	const char *message;
}			errors[] = {
	{"{'__type':'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException','Message':'Cannot do'}",
	"ResourceNotFoundException", "Cannot do"},
	{"{'__type':'com.amazon.coral.service#UnrecognizedClientException','message':'The security token is invalid.'}",
	"UnrecognizedClientException", "The security token is invalid."},
	{"{'message':'m','__type':'com.amazon.coral.validate#ValidationException'}", "ValidationException", "m"},
	{"{'__type':'ThrottlingException','message':'slow'}", "ThrottlingException", "slow"},
	{"{'__type':'a#b#InternalServerError'}", "InternalServerError", ""},
	{"{'__type':'x#RequestLimitExceeded','message':null}", "RequestLimitExceeded", ""},
	{"{'__type':'x#RequestLimitExceeded','message':''}", "RequestLimitExceeded", ""},
	{"{'__type':'x#ThrottlingException','ThrottlingReasons':[{'reason':'r'}],'message':'m'}",
	"ThrottlingException", "m"},
	{" {'__type' : 'x#C' , 'message' : '\\u00fc \\'q\\'' } \n", "C", "\xc3\xbc \"q\""},
	{"{'__type':'x#C:http://internal/','message':'m\\r\\nn'}", "C", "m"},
	{"{'__type':'x#C\\u001b[1m','message':'a\\u001b[31m\\u0007\\tb\\u007f\\u009b\\u00a0'}", "C",
	"a?[31m??b???\xc2\xa0"},
};

static void
test_errors(void)
{
	for (size_t i = 0; i < LENGTH(errors); i++)
	{
		DynStatus	status;

		dyn_status_clear(&status);
		status.http_status = 400;
		status.attempts = 3;
		if (ok(read_error(errors[i].body, &status), "error %zu", i))
		{
			is_string(status.aws_code, errors[i].code, "its code");
			is_string(status.message, errors[i].message, "its message");
			ok(status.http_status == 400 && status.attempts == 3, "the rest of the status stays");
		}
	}
}

static void
test_no_errors(void)
{
	static const char *const bodies[] = {
		"", " ", "null", "12", "'text'", "[]", "[{'__type':'x#C'}]",
		"<html><body><h1>502 Bad Gateway</h1></body></html>",
		"Service Unavailable", "{'__type':'x#C','message':'cut", "{'__type':'x#C'", "{", "{'__type':'x#C'}x",
	};

	for (size_t i = 0; i < LENGTH(bodies); i++)
	{
		DynStatus	status;

		dyn_status_clear(&status);
		ok(!read_error(bodies[i], &status) && status.aws_code[0] == '\0', "no error body: %s", bodies[i]);
	}
}

/* Whatever it returns for these, there is no code in them. */
static void
test_no_code(void)
{
	static const char *const bodies[] = {
		"{}", "{'message':'m'}", "{'__type':null}", "{'__type':12}", "{'__type':{'__type':'C'}}", "{'__type':''}",
		"{'__type':'x#'}", "{'__type':'C','__type':[]}",
	};

	for (size_t i = 0; i < LENGTH(bodies); i++)
	{
		DynStatus	status;

		dyn_status_clear(&status);
		read_error(bodies[i], &status);
		is_string(status.aws_code, "", "no code in %s", bodies[i]);
	}
}

static void
test_long_error(void)
{
	DynBuf		body = {0};
	DynStatus	status;

	dyn_status_clear(&status);
	dyn_buf_str(&body, "{\"__type\":\"x#");
	for (int i = 0; i < 5000; i++)
		dyn_buf_byte(&body, 'C');
	dyn_buf_str(&body, "\",\"message\":\"");
	for (int i = 0; i < 5000; i++)
		dyn_buf_byte(&body, 'm');
	dyn_buf_str(&body, "\"}");
	ok(dyn_json_error(body.data, body.len, &status), "an error of 10 kB");
	is_int(strspn(status.aws_code, "C"), sizeof(status.aws_code) - 1, "its code is cut to the field");
	is_int(strspn(status.message, "m"), sizeof(status.message) - 1, "and so is its message");
	ok(status.aws_code[sizeof(status.aws_code) - 1] == '\0' && status.message[sizeof(status.message) - 1] == '\0',
	   "both end");
	dyn_buf_free(&body);
}

/* AWS explains a bad signature with what was signed, the session token included. */
static void
test_secrets(void)
{
	static const char *const bodies[] = {
		"{'__type':'com.amazon.coral.service#InvalidSignatureException','message':'The request signature we calculated "
		"does not match the signature you provided. Check your AWS Secret Access Key and signing method.\\n\\n"
		"The Canonical String for this request should have been\\n\\'POST\\n/\\n\\nhost:x\\n"
		"x-amz-security-token:SECRET\\n\\nhost;x-amz-security-token\\n00\\'\\n'}",
		"{'__type':'com.amazon.coral.service#InvalidSignatureException','message':'It does not match.\\n\\n"
		"The String-to-Sign should have been\\n\\'AWS4-HMAC-SHA256\\n20240301T102030Z\\nSECRET\\'\\n'}",
		"{'__type':'com.amazon.coral.service#IncompleteSignatureException','message':'Authorization header requires "
		"\\u0027Credential\\u0027 parameter. Authorization=AWS4-HMAC-SHA256 Signature=SECRET'}",
		"{'__type':'com.amazon.coral.service#IncompleteSignatureException','message':'\\u0027Credential\\u0027 not a "
		"valid key=value pair (missing equal-sign) in Authorization header: \\u0027AWS4-HMAC-SHA256 Credential=A/B, "
		"SignedHeaders=host, Signature=SECRET\\u0027.'}",
	};

	for (size_t i = 0; i < LENGTH(bodies); i++)
	{
		DynStatus	status;

		dyn_status_clear(&status);
		ok(read_error(bodies[i], &status) && status.message[0] != '\0', "an error with a secret, %zu", i);
		ok(strstr(status.message, "SECRET") == NULL, "is told without it");
	}
}

/* ---- table descriptions ---- */

static void
test_golden_tables(void)
{
	json_object *requests = golden_json("requests.json");
	int			seen = 0;

	for (size_t i = 0; i < golden_count(requests, "steps"); i++)
		for (size_t j = 0; j < golden_count(golden_at(requests, "steps", i), "requests"); j++)
		{
			json_object *r = golden_at(golden_at(requests, "steps", i), "requests", j);
			json_object *answer = golden_get(r, "response_body");
			json_object *want = golden_get(answer, "Table");
			const char *body = json_object_to_json_string(answer);
			DynTableDescription table;
			DynStatus	status;

			if (want == NULL)
				want = golden_get(answer, "TableDescription");
			if (want != NULL)
			{
				seen++;
				ok(dyn_json_table(body, strlen(body), &table), "the table in answer %zu of step %zu", j, i);
				is_string(table.status, golden_text(want, "TableStatus"), "its status");
				is_string(table.table_id, "", "no id in DynamoDB Local");
				is_string(table.created, json_object_get_string(golden_get(want, "CreationDateTime")), "its creation");
				ok(table.feast_key, "Feast's key");
				is_string(table.key_schema, "HASH entity_id (S)", "in words");
			}
			else if (golden_int(r, "response_status") == 400)
			{
				dyn_status_clear(&status);
				ok(dyn_json_error(body, strlen(body), &status), "the error in answer %zu of step %zu", j, i);
				ok(strstr(golden_text(answer, "__type"), status.aws_code) != NULL &&
				   strchr(status.aws_code, '#') == NULL, "its code");
				ok(!dyn_json_table(body, strlen(body), &table), "is no table");
			}
		}
	is_int(seen, 19, "all tables seen");
	json_object_put(requests);
}

#define KEY(name, kind) "{'AttributeName':'" name "','KeyType':'" kind "'}"
#define TYPE(name, type) "{'AttributeName':'" name "','AttributeType':'" type "'}"
#define KEYED(keys, types) \
	"{'Table':{'TableStatus':'ACTIVE','AttributeDefinitions':[" types "],'KeySchema':[" keys "]}}"

static const struct
{
	const char *body;
	bool		feast_key;
	const char *key_schema;		/* NULL: as it may be */
}			schemas[] = {
	{KEYED(KEY("entity_id", "HASH"), TYPE("entity_id", "S")), true, "HASH entity_id (S)"},
	{KEYED(KEY("entity_id", "HASH"), TYPE("other", "N") "," TYPE("entity_id", "S")), true, "HASH entity_id (S)"},
	{KEYED(KEY("id", "HASH"), TYPE("id", "N")), false, "HASH id (N)"},
	{KEYED(KEY("entity_id", "HASH"), TYPE("entity_id", "N")), false, "HASH entity_id (N)"},
	{KEYED(KEY("entity_id", "HASH"), TYPE("entity_id", "B")), false, "HASH entity_id (B)"},
	{KEYED(KEY("Entity_id", "HASH"), TYPE("Entity_id", "S")), false, "HASH Entity_id (S)"},
	{KEYED(KEY("entity_id", "HASH") "," KEY("ts", "RANGE"), TYPE("entity_id", "S") "," TYPE("ts", "N")), false,
	"HASH entity_id (S), RANGE ts (N)"},
	{KEYED(KEY("ts", "RANGE") "," KEY("entity_id", "HASH"), TYPE("entity_id", "S") "," TYPE("ts", "N")), false, NULL},
	{KEYED(KEY("entity_id", "RANGE"), TYPE("entity_id", "S")), false, NULL},
	{KEYED(KEY("entity_id", "HASH"), ""), false, NULL},
	{KEYED("", TYPE("entity_id", "S")), false, NULL},
	{KEYED("null", TYPE("entity_id", "S")), false, NULL},
	{KEYED("{'KeyType':'HASH'}", TYPE("entity_id", "S")), false, NULL},
	{KEYED("{'AttributeName':1,'KeyType':2}", TYPE("entity_id", "S")), false, NULL},
	{"{'Table':{'TableStatus':'ACTIVE'}}", false, NULL},
	{"{'Table':{'TableStatus':'ACTIVE','KeySchema':{},'AttributeDefinitions':7}}", false, NULL},
};

static void
test_key_schemas(void)
{
	for (size_t i = 0; i < LENGTH(schemas); i++)
	{
		DynTableDescription table;

		memset(&table, 'x', sizeof(table)); /* nothing of what was there may stay */
		if (!read_table(schemas[i].body, &table))
		{
			ok(schemas[i].key_schema == NULL, "schema %zu is refused", i);
			continue;
		}
		is_int(table.feast_key, schemas[i].feast_key, "schema %zu: is it Feast's", i);
		if (schemas[i].key_schema != NULL)
			is_string(table.key_schema, schemas[i].key_schema, "in words");
		ok(memchr(table.key_schema, '\0', sizeof(table.key_schema)) != NULL, "which end");
	}
}

static void
test_table_fields(void)
{
	DynTableDescription table;

	ok(read_table("{'Table':{'TableStatus':'CREATING','TableId':'6f1c1f3e-7d0a-4c58-9f2a-3b8a5d000000',"
				  "'CreationDateTime':1.709288430123E9,'Unknown':[{}]}}", &table), "a table of the real service");
	is_string(table.status, "CREATING", "its status");
	is_string(table.table_id, "6f1c1f3e-7d0a-4c58-9f2a-3b8a5d000000", "its id");
	is_string(table.created, "1.709288430123E9", "its creation, as written");
	ok(read_table("{'TableDescription':{'TableStatus':'DELETING','CreationDateTime':1709288430}}", &table),
	   "a table that is deleted");
	is_string(table.status, "DELETING", "its status");
	is_string(table.created, "1709288430", "its creation, a whole second");
	is_string(table.table_id, "", "nothing is left of the table before");
}

/* Texts longer than their fields. */
static void
test_long_table(void)
{
	char		name[300];
	char		body[4000];
	char	   *quoted;
	DynTableDescription *table = malloc(sizeof(*table));	/* ASan sees a write behind it */

	/* so long that the first key ends just behind its field */
	memset(name, 'n', sizeof(table->key_schema) - 5);
	name[sizeof(table->key_schema) - 5] = '\0';
	quoted = golden_quotes("{'Table':{'TableStatus':'%s','TableId':'%s','CreationDateTime':1,"
						   "'KeySchema':[" KEY("%s", "HASH") "," KEY("%s", "RANGE") "],"
						   "'AttributeDefinitions':[" TYPE("%s", "S") "]}}");
	snprintf(body, sizeof(body), quoted, name, name, name, name, name);
	free(quoted);
	memset(table, 'x', sizeof(*table));
	ok(dyn_json_table(body, strlen(body), table), "a table of long texts");
	ok(memchr(table->status, '\0', sizeof(table->status)) && memchr(table->table_id, '\0', sizeof(table->table_id)) &&
	   memchr(table->key_schema, '\0', sizeof(table->key_schema)) && !table->feast_key, "which stay in their fields");
	free(table);
}

static void
test_no_tables(void)
{
	static const char *const bodies[] = {
		"", "{}", "[]", "null", "<html>", "{'Table':null}", "{'Table':[]}", "{'Table':'x'}",
		"{'Other':{'TableStatus':'ACTIVE'}}", "{'TableStatus':'ACTIVE'}", "{'Table':{'TableStatus':'ACTIVE'}}}",
	};
	static const char whole[] = KEYED(KEY("entity_id", "HASH"), TYPE("entity_id", "S"));
	size_t		wrong = 0;
	DynTableDescription table;

	for (size_t i = 0; i < LENGTH(bodies); i++)
		ok(!read_table(bodies[i], &table), "no table: %s", bodies[i]);
	for (size_t n = 0; n < sizeof(whole) - 1; n++)
	{
		char		cut[sizeof(whole)] = {0};

		memcpy(cut, whole, n);
		if (read_table(cut, &table))
			wrong++;
	}
	is_int(wrong, 0, "no table, wherever it is cut");
}

/* ---- unprocessed items ---- */

#define HEX1 "00112233445566778899aabbccddeeff"
#define HEX2 "f3cfd4a822f245b63975464763babaec"
#define PUT(hex) \
	"{'PutRequest':{'Item':{'event_ts':{'S':'x'},'entity_id':{'S':'" hex "'},'values':{'M':{'a':{'B':'AA=='}}}}}}"
#define LEFT(requests) "{'UnprocessedItems':{'p.t':[" requests "]}}"

static int
read_unprocessed(const char *text, DynEntityId *ids, int max)
{
	size_t		len;
	char	   *body = body_of(text, &len);
	int			n = dyn_json_unprocessed_items(body, len, "p.t", ids, max);

	free(body);
	return n;
}

static void
test_unprocessed(void)
{
	static const char *const malformed[] = {
		"", "null", "[]", "<html>", "{'UnprocessedItems':null}", "{'UnprocessedItems':[]}",
		"{'UnprocessedItems':{'p.t':{}}}", "{'UnprocessedItems':{'p.t':null}}",
		"{'UnprocessedItems':{'p.u':[" PUT(HEX1) "]}}",
		"{'UnprocessedItems':{'p.t':[],'p.u':[]}}", LEFT("null"), LEFT("{}"), LEFT("'x'"),
		LEFT("{'PutRequest':{}}"), LEFT("{'PutRequest':{'Item':{}}}"),
		LEFT("{'PutRequest':{'Item':{'entity_id':'x'}}}"), LEFT("{'PutRequest':{'Item':{'entity_id':{'N':'1'}}}}"),
		LEFT("{'PutRequest':{'Item':{'entity_id':{'S':'x'}}}}"),
		LEFT("{'PutRequest':{'Item':{'entity_id':{'S':'" HEX1 "0'}}}}"), LEFT(PUT(HEX1) ",{}"), LEFT(PUT(HEX1)) "}",
	};
	static const char whole[] = LEFT(PUT(HEX1) "," PUT(HEX2));
	DynEntityId ids[2];
	size_t		wrong = 0;

	is_int(read_unprocessed("{'UnprocessedItems':{}}", ids, 2), 0, "nothing is left");
	is_int(read_unprocessed(LEFT(""), ids, 2), 0, "an empty list is left");
	is_int(read_unprocessed("{'ConsumedCapacity':[{}],'UnprocessedItems':{},'ItemCollectionMetrics':{}}", ids, 2), 0,
		   "nothing is left, among other members");
	is_int(read_unprocessed(whole, ids, 2), 2, "two items are left");
	is_bytes(ids[0].bytes, 16, "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16, "the first");
	is_int(ids[1].bytes[0], 0xf3, "and the second");
	ids[1].bytes[0] = 0x55;
	ok(read_unprocessed(whole, ids, 1) <= 1 && ids[1].bytes[0] == 0x55, "no more than there is room for");

	for (size_t i = 0; i < LENGTH(malformed); i++)
		is_int(read_unprocessed(malformed[i], ids, 2), -1, "malformed: %s", malformed[i]);
	for (size_t n = 0; n < sizeof(whole) - 1; n++)
	{
		char		cut[sizeof(whole)] = {0};

		memcpy(cut, whole, n);
		if (read_unprocessed(cut, ids, 2) != -1)
			wrong++;
	}
	is_int(wrong, 0, "malformed, wherever it is cut");
}

/* ---- time to live ---- */

static void
test_time_to_live(void)
{
	static const struct
	{
		const char *body;
		bool		good;
	}			bodies[] = {
		{"{'TimeToLiveSpecification':{'AttributeName':'x','Enabled':true}}", true},
		{"{'TimeToLiveSpecification':{}}", true},
		{"{'TimeToLiveSpecification':true}", false},
		{"{'TimeToLiveSpecification':{}", false},
		{"{'Table':{'TableStatus':'ACTIVE'}}", false},
		{"{}", false},
		{"[]", false},
		{"", false},
	};

	for (size_t i = 0; i < LENGTH(bodies); i++)
	{
		size_t		len;
		char	   *body = body_of(bodies[i].body, &len);

		ok(dyn_json_time_to_live(body, len) == bodies[i].good, "%s is %s time to live", bodies[i].body,
		   bodies[i].good ? "a" : "no");
		free(body);
	}
}

int
main(void)
{
	test_errors();
	test_no_errors();
	test_no_code();
	test_long_error();
	test_secrets();
	test_golden_tables();
	test_key_schemas();
	test_table_fields();
	test_long_table();
	test_no_tables();
	test_unprocessed();
	test_time_to_live();
	return done_testing();
}
