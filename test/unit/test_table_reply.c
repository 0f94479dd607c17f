/*
 * test_table_reply.c
 *	  Settings in descriptions of tables, tags and backups: what services
 *	  answered, and what no service should.
 *
 * Bodies in this file are written with ' for ".
 */
#include "core/ddb_reply.h"

#include "fail_alloc.h"
#include "settings_check.h"
#include "tap.h"

/* ---- recorded answers ---- */

static void
same_settings(const DynTableSettings *got, const DynTableSettings *want)
{
	is_int(got->deletion_protection, want->deletion_protection, "deletion protection");
	is_int(got->infrequent_access, want->infrequent_access, "table class");
	is_int(got->provisioned, want->provisioned, "billing mode");
	is_int(got->read_capacity, want->read_capacity, "units to read");
	is_int(got->write_capacity, want->write_capacity, "units to write");
	is_int(got->max_read_units, want->max_read_units, "the most to read");
	is_int(got->max_write_units, want->max_write_units, "the most to write");
	is_int(got->stream, want->stream, "stream");
	is_int(got->warm_read, want->warm_read, "warm to read");
	is_int(got->warm_write, want->warm_write, "warm to write");
	is_string(got->kms_key, want->kms_key, "key");
}

static void
check_table(json_object *fields, const char *body)
{
	json_object *answer = golden_parse(body, strlen(body));
	const char *arn = golden_text(answer, "Table.TableArn");
	DynTableSettings want = settings_of(golden_get(fields, "shown"));
	DynTableDescription table;

	memset(&table, 'x', sizeof(table));
	ok(dyn_json_table(body, strlen(body), &table), "%s of %s", golden_text(fields, "op"), golden_text(fields, "service"));
	same_settings(&table.settings, &want);
	is_int(table.settings.known, DYN_SETTINGS_OF_TABLE & (want.warm_read ? ~0 : ~DYN_SETTING_WARMTH), "what is known");
	is_int(dyn_settings_differ(&want, &table.settings), 0, "it has what was asked for");
	is_string(table.arn, arn ? arn : golden_text(answer, "TableDescription.TableArn"), "its ARN");
	json_object_put(answer);
}

static void
check_tags(json_object *fields, const char *body)
{
	DynArena	arena = {0};
	DynTags		want = tags_of(golden_get(fields, "tags"), &arena);
	DynTags		got = {0};
	DynTags		missing;
	const char *next;

	ok(dyn_json_tags(body, strlen(body), &arena, &got, &next), "a page of tags");
	is_int(got.n, want.n, "as many as there are");
	ok(dyn_tags_missing(&want, &got, &arena, &missing) && missing.n == 0, "and the same");
	ok((next != NULL) == json_object_get_boolean(golden_get(fields, "more")), "are there more");
	dyn_arena_free(&arena);
}

static void
test_recorded(void)
{
	json_object *cases = golden_json("table_answers.json");
	int			tables = 0;
	int			others = 0;

	for (size_t i = 0; i < json_object_array_length(cases); i++)
	{
		json_object *fields = json_object_array_get_idx(cases, i);
		const char *body = golden_text(fields, "answer");
		bool		recovery = false;

		if (golden_get(fields, "shown"))
		{
			check_table(fields, body);
			tables++;
			continue;
		}
		others++;
		if (golden_get(fields, "tags"))
			check_tags(fields, body);
		else if (golden_get(fields, "recovery"))
			ok(dyn_json_continuous_backups(body, strlen(body), &recovery) &&
			   recovery == json_object_get_boolean(golden_get(fields, "recovery")), "backups, case %zu", i);
	}
	is_int(tables, 60, "all tables seen");
	is_int(others, 10, "and all others");
	json_object_put(cases);
}

/* ---- settings that no recorded answer has ---- */

static bool
read_table(const char *members, DynTableDescription *table)
{
	char		text[4000];
	char	   *quoted;
	char	   *body;
	size_t		len;
	bool		found;

	snprintf(text, sizeof(text), "{'Table':{'TableStatus':'ACTIVE'%s}}", members);
	quoted = golden_quotes(text);
	len = strlen(quoted);
	body = golden_copy(quoted, len);
	memset(table, 'x', sizeof(*table));
	found = dyn_json_table(body, len, table);
	free(body);
	free(quoted);
	return found;
}

#define ALL (DYN_SETTINGS_OF_TABLE & ~DYN_SETTING_WARMTH)
#define SSE(members) ",'SSEDescription':{" members "}"
#define WARM(members) ",'WarmThroughput':{" members "}"
#define DEFAULTS "'billing_mode':'PROVISIONED'"

/* Members of a description, the settings that they are, as options, and what of them is known. */
static const struct
{
	const char *members;
	const char *options;
	unsigned	known;
}			descriptions[] = {
	{"", DEFAULTS, ALL},
	{",'BillingModeSummary':null,'ProvisionedThroughput':null,'StreamSpecification':null,'SSEDescription':null,"
		"'WarmThroughput':null,'TableClassSummary':null,'OnDemandThroughput':null,'DeletionProtectionEnabled':null",
	DEFAULTS, ALL},
	{",'BillingModeSummary':[],'ProvisionedThroughput':[],'StreamSpecification':'x','SSEDescription':1,"
		"'WarmThroughput':true,'TableClassSummary':'STANDARD_INFREQUENT_ACCESS','OnDemandThroughput':7,"
	"'DeletionProtectionEnabled':'true'", DEFAULTS, ALL},
	{",'DeletionProtectionEnabled':true", DEFAULTS ",'deletion_protection':true", ALL},
	{",'DeletionProtectionEnabled':1", DEFAULTS, ALL},
	/* as AWS shows it */
	{",'TableClassSummary':{'TableClass':'STANDARD_INFREQUENT_ACCESS','LastUpdateDateTime':1.7E9}",
	DEFAULTS ",'table_class':'STANDARD_INFREQUENT_ACCESS'", ALL},
	{",'TableClassSummary':{'TableClass':'STANDARD'}", DEFAULTS, ALL},
	/* new words are none that anything is known of */
	{",'TableClassSummary':{'TableClass':'GLACIER'}", DEFAULTS, ALL & ~DYN_SETTING_CLASS},
	{",'TableClassSummary':{}", DEFAULTS, ALL & ~DYN_SETTING_CLASS},
	{",'TableClassSummary':{'TableClass':['STANDARD']}", DEFAULTS, ALL & ~DYN_SETTING_CLASS},
	{",'BillingModeSummary':{'BillingMode':'PREPAID'}", "", ALL & ~DYN_SETTING_CAPACITY},
	{",'BillingModeSummary':{}", "", ALL & ~DYN_SETTING_CAPACITY},
	{",'BillingModeSummary':{'BillingMode':'provisioned'}", "", ALL & ~DYN_SETTING_CAPACITY},
	{",'StreamSpecification':{'StreamEnabled':true,'StreamViewType':'DELTAS'}", DEFAULTS, ALL & ~DYN_SETTING_STREAM},
	{",'StreamSpecification':{'StreamEnabled':true}", DEFAULTS, ALL & ~DYN_SETTING_STREAM},
	{",'StreamSpecification':{'StreamEnabled':false,'StreamViewType':'NEW_IMAGE'}", DEFAULTS, ALL},
	{",'StreamSpecification':{'StreamViewType':'NEW_IMAGE'}", DEFAULTS, ALL},
	{",'BillingModeSummary':{'BillingMode':'PAY_PER_REQUEST'},'OnDemandThroughput':{'MaxReadRequestUnits':-1,"
	"'MaxWriteRequestUnits':40000}", "'max_read_units':-1,'max_write_units':40000", ALL},
	{",'ProvisionedThroughput':{'ReadCapacityUnits':9223372036854775807,'WriteCapacityUnits':99999999999999999999}",
	DEFAULTS ",'read_capacity':9223372036854775807,'write_capacity':9223372036854775807", ALL},
	{",'ProvisionedThroughput':{'ReadCapacityUnits':'5','WriteCapacityUnits':5.5}", DEFAULTS, ALL},
	{SSE("'Status':'ENABLED','SSEType':'KMS','KMSMasterKeyArn':'" KEY_ARN "'"),
	DEFAULTS ",'sse_kms_key':'" KEY_ARN "'", ALL},
	{SSE("'Status':'UPDATING','SSEType':'KMS','KMSMasterKeyArn':'" KEY_ARN "'"),
	DEFAULTS ",'sse_kms_key':'" KEY_ARN "'", ALL},
	{SSE("'Status':'ENABLING'"), DEFAULTS ",'sse_kms_key':'alias/aws/dynamodb'", ALL},
	{SSE("'Status':'ENABLED','KMSMasterKeyArn':''"), DEFAULTS ",'sse_kms_key':'alias/aws/dynamodb'", ALL},
	{SSE("'Status':'DISABLING','KMSMasterKeyArn':'" KEY_ARN "'"), DEFAULTS, ALL},
	{SSE("'Status':'DISABLED','KMSMasterKeyArn':'" KEY_ARN "'"), DEFAULTS, ALL},
	{SSE("'KMSMasterKeyArn':'" KEY_ARN "'"), DEFAULTS, ALL},
	{SSE("'Status':true"), DEFAULTS, ALL},
	{SSE("'Status':'ENABLED','KMSMasterKeyArn':'a\\n\\u00e4\\u0000b'"), DEFAULTS ",'sse_kms_key':'a?\?\?'", ALL},
	{WARM("'ReadUnitsPerSecond':12000,'WriteUnitsPerSecond':4000,'Status':'UPDATING'"),
	DEFAULTS ",'warm_throughput':'ReadUnitsPerSecond=12000,WriteUnitsPerSecond=4000'", ALL | DYN_SETTING_WARMTH},
	{WARM(""), DEFAULTS, ALL | DYN_SETTING_WARMTH},
	{WARM("'ReadUnitsPerSecond':'x','WriteUnitsPerSecond':5"), DEFAULTS ",'warm_throughput':'WriteUnitsPerSecond=5'",
	ALL | DYN_SETTING_WARMTH},
};

static void
test_descriptions(void)
{
	for (size_t i = 0; i < LENGTH(descriptions); i++)
	{
		char		text[1000];
		char	   *quoted;
		json_object *options;
		DynTableSettings want;
		DynTableDescription table;

		snprintf(text, sizeof(text), "{%s}", descriptions[i].options);
		quoted = golden_quotes(text);
		options = golden_parse(quoted, strlen(quoted));
		want = settings_of(options);
		ok(read_table(descriptions[i].members, &table), "a table with %s", descriptions[i].members);
		same_settings(&table.settings, &want);
		is_int(table.settings.known, descriptions[i].known, "what is known");
		ok(!table.settings.recovery, "recovery is not shown");
		json_object_put(options);
		free(quoted);
	}
}

/* Texts longer than their fields. */
static void
test_long_texts(void)
{
	DynTableDescription *table = malloc(sizeof(*table));	/* ASan sees a write behind it */
	DynBuf		body = {0};

	dyn_buf_str(&body, "{\"Table\":{\"TableStatus\":\"ACTIVE\",\"TableArn\":\"");
	for (int i = 0; i < 3000; i++)
		dyn_buf_byte(&body, 'a');
	dyn_buf_str(&body, "\",\"SSEDescription\":{\"Status\":\"ENABLED\",\"KMSMasterKeyArn\":\"");
	for (int i = 0; i < 3000; i++)
		dyn_buf_byte(&body, 'k');
	dyn_buf_str(&body, "\"}}}");
	memset(table, 'x', sizeof(*table));
	ok(dyn_json_table(body.data, body.len, table), "a table of long texts");
	is_int(strspn(table->settings.kms_key, "k"), DYN_MAX_KMS_KEY_BYTES, "its key is cut to the field");
	is_int(strlen(table->settings.kms_key), DYN_MAX_KMS_KEY_BYTES, "and ends");
	is_int(strlen(table->arn), sizeof(table->arn) - 1, "so is its ARN");
	free(table);
	dyn_buf_free(&body);
}

/* ---- tags ---- */

static DynArena arena;

/* Adds a page, in memory that ends with it. */
static bool
read_page(const char *text, DynTags *tags, const char **next)
{
	char	   *quoted = golden_quotes(text);
	size_t		len = strlen(quoted);
	char	   *body = golden_copy(quoted, len);
	bool		found = dyn_json_tags(body, len, &arena, tags, next);

	free(body);
	free(quoted);
	return found;
}

static void
tags_are(const DynTags *tags, const char *want)
{
	char	   *quoted = golden_quotes(want);
	DynBuf		said = {0};

	dyn_tags_say(&said, tags);
	is_text(said.data, said.len, quoted, "the tags so far");
	dyn_buf_free(&said);
	free(quoted);
}

static void
test_pages(void)
{
	DynTags		tags = {0};
	const char *next = "x";

	ok(read_page("{'Tags':[{'Key':'b','Value':'1'},{'Key':'d','Value':''}],'NextToken':'two'}", &tags, &next),
	   "the first page");
	tags_are(&tags, "{'b': '1', 'd': ''}");
	is_string(next, "two", "there is another one");
	ok(read_page("{'NextToken':'three','Tags':[]}", &tags, &next), "an empty one");
	is_string(next, "three", "and another one");
	ok(read_page("{'Tags':[{'Key':'c','Value':'2'},{'Key':'aws:x','Value':'\\u00e9'},{'Key':'b','Value':'3','x':[]}]}",
				 &tags, &next), "the last one");
	tags_are(&tags, "{'aws:x': '\xc3\xa9', 'b': '3', 'c': '2', 'd': ''}");
	ok(next == NULL, "there are no more");
	ok(read_page("{'Tags':[],'NextToken':''}", &tags, &next) && next == NULL, "an empty token is none");
	ok(read_page("{'Tags':[],'NextToken':null}", &tags, &next) && next == NULL, "nor is null");
	ok(read_page("{'Tags':[{'Key':'a','Value':'1'},{'Key':'a','Value':'1'}]}", &tags, &next), "a tag twice");
	tags_are(&tags, "{'a': '1', 'aws:x': '\xc3\xa9', 'b': '3', 'c': '2', 'd': ''}");
}

/* A page that is refused leaves the tags as they were: it is asked for again. */
static void
test_bad_pages(void)
{
	static const char *const bad[] = {
		"", "null", "[]", "{}", "<html>", "{'Tags':null}", "{'Tags':{}}", "{'Tags':{'b':'1'}}", "{'NextToken':'x'}",
		"{'Tags':['a']}", "{'Tags':[null],'NextToken':'x'}", "{'Tags':[{}]}", "{'Tags':[{'Key':'a'}]}",
		"{'Tags':[{'Value':'a'}]}", "{'Tags':[{'Key':1,'Value':'a'}]}", "{'Tags':[{'Key':'a','Value':null}]}",
		"{'Tags':[{'Key':'c','Value':'d'},{'Key':'a','Value':['b']}],'NextToken':'x'}", "{'Tags':[[]]}", "{'Tags':[]}}",
		"{'Tags':[{'Key':'c','Value':'d'}],'NextToken':'x'", "{'tags':[]}",
	};
	DynTag		one[] = {{"a", "1"}};
	DynTags		tags = {1, one};

	for (size_t i = 0; i < LENGTH(bad); i++)
	{
		const char *next = "x";

		ok(!read_page(bad[i], &tags, &next) && next == NULL, "no page: %s", bad[i]);
		ok(tags.n == 1 && tags.tag == one, "the tags stay");
	}
}

/* A page of `n` tags from number `from` on. */
static DynBuf
page_of(int from, int n)
{
	DynBuf		body = {0};

	dyn_buf_str(&body, "{\"Tags\":[");
	for (int i = 0; i < n; i++)
	{
		dyn_buf_str(&body, i > 0 ? ",{\"Key\":\"k" : "{\"Key\":\"k");
		dyn_buf_int(&body, from + i);
		dyn_buf_str(&body, "\",\"Value\":\"v\"}");
	}
	dyn_buf_str(&body, "],\"NextToken\":\"more\"}");
	return body;
}

static bool
read_many(int from, int n, DynTags *tags)
{
	DynBuf		body = page_of(from, n);
	const char *next;
	bool		found = dyn_json_tags(body.data, body.len, &arena, tags, &next);

	dyn_buf_free(&body);
	return found;
}

static void
test_too_many(void)
{
	DynTags		tags = {0};

	ok(!read_many(0, 501, &tags) && tags.n == 0, "too many of a page");
	for (int i = 0; i < 50; i++)
		if (!read_many(i * 10, 10, &tags))
			break;
	is_int(tags.n, 500, "50 pages");
	ok(!read_many(1000, 1, &tags) && tags.n == 500, "too many of all pages");
	ok(!read_many(0, 100000, &tags) && tags.n == 500, "and far too many");
}

/* Where memory runs out, the tags of other pages stay as well. */
static void
test_no_memory(void)
{
	DynTags		before = {0};
	DynBuf		body = page_of(450, 50);
	int			failed = 0;
	int			wrong = 0;
	bool		ended = false;

	/* so many that merging needs more than a block of an arena, which is of 8 KB */
	ok(read_many(0, 450, &before), "many tags");
	for (long n = 0; !ended && n < 1000; n++)
	{
		DynArena	fresh = {0};
		DynTags		tags = before;
		const char *next;
		bool		done;

		fail_alloc_after = n;
		done = dyn_json_tags(body.data, body.len, &fresh, &tags, &next);
		ended = fail_alloc_after >= 0;
		fail_alloc_after = -1;
		failed += done ? 0 : 1;
		if (done != ended || (next != NULL) != done || tags.n != (done ? 500 : 450) || (!done && tags.tag != before.tag))
		{
			diag("allocation %ld: %d, %d tags", n, done, tags.n);
			wrong++;
		}
		dyn_arena_free(&fresh);
	}
	is_int(wrong, 0, "each allocation may fail, and the tags stay");
	ok(ended && failed >= 2, "%d did", failed);
	dyn_buf_free(&body);
}

/* ---- backups ---- */

#define BACKUPS(members) "{'ContinuousBackupsDescription':{'ContinuousBackupsStatus':'ENABLED'" members "}}"
#define RECOVERY(status) BACKUPS(",'PointInTimeRecoveryDescription':{'PointInTimeRecoveryStatus':" status "}")

static void
test_backups(void)
{
	static const struct
	{
		const char *body;
		bool		good;
		bool		recovery;
	}			bodies[] = {
		{RECOVERY("'ENABLED'"), true, true}, {RECOVERY("'DISABLED'"), true, false}, {RECOVERY("'enabled'"), true, false},
		{RECOVERY("true"), true, false}, {RECOVERY("null"), true, false}, {BACKUPS(""), true, false},
		{BACKUPS(",'PointInTimeRecoveryDescription':'ENABLED'"), true, false},
		{"{'ContinuousBackupsDescription':{}}", true, false},
		{"{'ContinuousBackupsDescription':null}", false, false}, {"{'ContinuousBackupsDescription':[]}", false, false},
		{"{'PointInTimeRecoveryDescription':{'PointInTimeRecoveryStatus':'ENABLED'}}", false, false},
		{"{}", false, false}, {"[]", false, false}, {"", false, false}, {RECOVERY("'ENABLED'") "}", false, false},
	};

	for (size_t i = 0; i < LENGTH(bodies); i++)
	{
		char	   *quoted = golden_quotes(bodies[i].body);
		size_t		len = strlen(quoted);
		char	   *body = golden_copy(quoted, len);
		bool		recovery = !bodies[i].recovery;

		ok(dyn_json_continuous_backups(body, len, &recovery) == bodies[i].good, "%s are %s backups", bodies[i].body,
		   bodies[i].good ? "" : "no");
		is_int(recovery, bodies[i].recovery, "with recovery or not");
		free(body);
		free(quoted);
	}
}

int
main(void)
{
	test_recorded();
	test_descriptions();
	test_long_texts();
	test_pages();
	test_bad_pages();
	test_too_many();
	test_no_memory();
	test_backups();
	dyn_arena_free(&arena);
	return done_testing();
}
