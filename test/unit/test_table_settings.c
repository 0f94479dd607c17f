/*
 * test_table_settings.c
 *	  Settings of tables: their words, which ones are taken, and how two tables'
 *	  differ.
 */
#include "core/table_settings.h"

#include "settings_check.h"
#include "tap.h"

/* ---- words ---- */

static void
test_kms_keys(void)
{
	static const char *const good[] = {
		KEY_ARN, KEY_ID, "mrk-1234abcd12ab34cd56ef1234567890ab", "alias/feast", "alias/aws/dynamodb", "AWS_OWNED",
		"arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab",
		"arn:aws:kms:us-west-2:123456789012:alias/my-key_2",
	};
	static const char *const bad[] = {
		"", "x", "aws_owned", "AWS_OWNED ", "AWS_MANAGED", "alias/", "alias", "arn:", "arn:aws:kms:", "ARN:aws:kms:x",
		"alias/a b", "alias/a'b", "alias/a\"b", "alias/a\\b", "alias/a\nb", "alias/\xc3\xa4", "alias/a/",
		"1234abcd-12ab-34cd-56ef-1234567", "../../1234abcd-12ab-34cd-56ef-1234567890ab",
		"1234abcd-12ab-34cd-56ef-1234567890ab\n", " 1234abcd-12ab-34cd-56ef-1234567890ab",
		"00000000000000000000000000000000000000000000000000000000000000000", "key/1234abcd-12ab-34cd-56ef-1234567890ab",
	};
	char		longest[DYN_MAX_KMS_KEY_BYTES + 2] = "alias/";

	for (size_t i = 0; i < LENGTH(good); i++)
		ok(dyn_kms_key_valid(good[i]), "a key: %s", good[i]);
	for (size_t i = 0; i < LENGTH(bad); i++)
		ok(!dyn_kms_key_valid(bad[i]), "no key, %zu", i);
	memset(longest + 6, 'x', DYN_MAX_KMS_KEY_BYTES - 6);
	ok(dyn_kms_key_valid(longest), "the longest alias");
	longest[DYN_MAX_KMS_KEY_BYTES] = 'x';
	ok(!dyn_kms_key_valid(longest), "one longer than its field");
}

static void
test_warm_throughput(void)
{
	static const struct
	{
		const char *text;
		int64_t		read;
		int64_t		write;
	}			good[] = {
		{"ReadUnitsPerSecond=12000,WriteUnitsPerSecond=4000", 12000, 4000},
		{"WriteUnitsPerSecond=4000,ReadUnitsPerSecond=12000", 12000, 4000},
		{"ReadUnitsPerSecond=1", 1, 0},
		{"WriteUnitsPerSecond=999999999999", 0, INT64_C(999999999999)},
		{"ReadUnitsPerSecond=007", 7, 0},
	};
	static const char *const bad[] = {
		"", ",", "12000", "ReadUnitsPerSecond", "ReadUnitsPerSecond=", "ReadUnitsPerSecond=0", "ReadUnitsPerSecond=-1",
		"ReadUnitsPerSecond=+1", "ReadUnitsPerSecond= 1", "ReadUnitsPerSecond=1 ", " ReadUnitsPerSecond=1",
		"ReadUnitsPerSecond=1,", ",ReadUnitsPerSecond=1", "ReadUnitsPerSecond=1,,WriteUnitsPerSecond=1",
		"ReadUnitsPerSecond=1,ReadUnitsPerSecond=2", "WriteUnitsPerSecond=1,WriteUnitsPerSecond=1",
		"ReadUnitsPerSecond=1,WriteUnitsPerSecond=1,ReadUnitsPerSecond=1", "ReadUnitsPerSecond=1;WriteUnitsPerSecond=1",
		"ReadUnitsPerSecond=1,writeUnitsPerSecond=1", "ReadUnitsPerSecond=1.5", "ReadUnitsPerSecond=1e3",
		"ReadUnitsPerSecond=0x10", "ReadUnitsPerSecond=1000000000000", "ReadUnitsPerSecond=99999999999999999999999",
		"ReadUnitsPerSecond==1", "ReadCapacityUnits=1", "Read", "ReadUnitsPerSeconds=1", "{\"ReadUnitsPerSecond\":1}",
	};

	for (size_t i = 0; i < LENGTH(good); i++)
	{
		int64_t		read = 5;
		int64_t		write = 5;

		ok(dyn_warm_throughput_parse(good[i].text, &read, &write), "warm throughput: %s", good[i].text);
		is_int(read, good[i].read, "units to read");
		is_int(write, good[i].write, "and to write");
	}
	for (size_t i = 0; i < LENGTH(bad); i++)
	{
		char	   *copy = golden_copy(bad[i], strlen(bad[i]) + 1);
		int64_t		read;
		int64_t		write;

		ok(!dyn_warm_throughput_parse(copy, &read, &write), "no warm throughput: %s", bad[i]);
		free(copy);
	}
}

/* ---- differences ---- */

/* Settings as options, written with ' for ". */
static DynTableSettings
settings(const char *text)
{
	char	   *quoted = golden_quotes(text);
	json_object *json = golden_parse(quoted, strlen(quoted));
	DynTableSettings result = settings_of(json);

	json_object_put(json);
	free(quoted);
	return result;
}

#define OWN_KEY "'sse_kms_key':'" KEY_ARN "'"
#define PROVISIONED(read, write) "'billing_mode':'PROVISIONED','read_capacity':" #read ",'write_capacity':" #write
#define ON_DEMAND "'billing_mode':'PAY_PER_REQUEST'"
#define WARM(read, write) "'warm_throughput':'ReadUnitsPerSecond=" #read ",WriteUnitsPerSecond=" #write "'"

/* Two different values of one setting, and the difference in words. */
static const struct
{
	const char *wanted;
	const char *shown;
	const char *words;			/* NULL: they do not differ */
}			pairs[] = {
	{"'deletion_protection':true", "'deletion_protection':false", "deletion_protection is 'false', not 'true'"},
	{"'deletion_protection':false", "'deletion_protection':true", "deletion_protection is 'true', not 'false'"},
	{"'deletion_protection':true", "'deletion_protection':true", NULL},
	{"'table_class':'STANDARD'", "'table_class':'STANDARD_INFREQUENT_ACCESS'",
	"table_class is 'STANDARD_INFREQUENT_ACCESS', not 'STANDARD'"},
	{"'table_class':'STANDARD_INFREQUENT_ACCESS'", "'table_class':'STANDARD'",
	"table_class is 'STANDARD', not 'STANDARD_INFREQUENT_ACCESS'"},
	{"'table_class':'STANDARD'", "'table_class':'STANDARD'", NULL},
	{PROVISIONED(5, 7), ON_DEMAND,
	"billing_mode is 'PAY_PER_REQUEST', not 'PROVISIONED', read_capacity '5', write_capacity '7'"},
	{ON_DEMAND, PROVISIONED(5, 7),
	"billing_mode is 'PROVISIONED', read_capacity '5', write_capacity '7', not 'PAY_PER_REQUEST'"},
	{PROVISIONED(5, 7), PROVISIONED(6, 7),
		"billing_mode is 'PROVISIONED', read_capacity '6', write_capacity '7', not 'PROVISIONED', read_capacity '5', "
	"write_capacity '7'"},
	{PROVISIONED(5, 7), PROVISIONED(5, 8),
		"billing_mode is 'PROVISIONED', read_capacity '5', write_capacity '8', not 'PROVISIONED', read_capacity '5', "
	"write_capacity '7'"},
	{PROVISIONED(5, 7), PROVISIONED(5, 7), NULL},
	{PROVISIONED(5, 7), PROVISIONED(5, 7) ",'max_read_units':9", NULL},
	{"'max_read_units':9", PROVISIONED(5, 7),
	"billing_mode is 'PROVISIONED', read_capacity '5', write_capacity '7', not 'PAY_PER_REQUEST', max_read_units '9'"},
	{"'max_read_units':9", ON_DEMAND, "billing_mode is 'PAY_PER_REQUEST', not 'PAY_PER_REQUEST', max_read_units '9'"},
	{"'max_write_units':9", ON_DEMAND ",'max_write_units':8",
	"billing_mode is 'PAY_PER_REQUEST', max_write_units '8', not 'PAY_PER_REQUEST', max_write_units '9'"},
	{"'max_read_units':-1", ON_DEMAND ",'max_read_units':8",
	"billing_mode is 'PAY_PER_REQUEST', max_read_units '8', not 'PAY_PER_REQUEST', max_read_units '-1'"},
	{"'max_read_units':-1,'max_write_units':-1", ON_DEMAND, NULL},
	{"'max_read_units':-1", ON_DEMAND ",'max_read_units':-1", NULL},
	{"'max_read_units':9", ON_DEMAND ",'max_read_units':9,'max_write_units':8", NULL},
	{ON_DEMAND, ON_DEMAND ",'max_read_units':9,'max_write_units':8", NULL},
	{ON_DEMAND, ON_DEMAND ",'read_capacity':5,'write_capacity':7", NULL},
	{"'stream_view_type':'NEW_IMAGE'", "'stream_view_type':'NONE'", "stream_view_type is 'NONE', not 'NEW_IMAGE'"},
	{"'stream_view_type':'NONE'", "'stream_view_type':'NEW_AND_OLD_IMAGES'",
	"stream_view_type is 'NEW_AND_OLD_IMAGES', not 'NONE'"},
	{"'stream_view_type':'OLD_IMAGE'", "'stream_view_type':'KEYS_ONLY'",
	"stream_view_type is 'KEYS_ONLY', not 'OLD_IMAGE'"},
	{"'stream_view_type':'NONE'", "'stream_view_type':'NONE'", NULL},
	{OWN_KEY, "'sse_kms_key':'AWS_OWNED'", "sse_kms_key is 'AWS_OWNED', not '" KEY_ARN "'"},
	{"'sse_kms_key':'AWS_OWNED'", OWN_KEY, "sse_kms_key is '" KEY_ARN "', not 'AWS_OWNED'"},
	{"'sse_kms_key':'AWS_OWNED'", "'sse_kms_key':'AWS_OWNED'", NULL},
	{OWN_KEY, OWN_KEY, NULL},
	/* by its id */
	{"'sse_kms_key':'" KEY_ID "'", OWN_KEY, NULL},
	{"'sse_kms_key':'1234abcd-12ab-34cd-56ef-1234567890aa'", OWN_KEY,
	"sse_kms_key is '" KEY_ARN "', not '1234abcd-12ab-34cd-56ef-1234567890aa'"},
	{"'sse_kms_key':'234abcd-12ab-34cd-56ef-1234567890ab'", OWN_KEY,
	"sse_kms_key is '" KEY_ARN "', not '234abcd-12ab-34cd-56ef-1234567890ab'"},
	{OWN_KEY, "'sse_kms_key':'" KEY_ID "'", "sse_kms_key is '" KEY_ID "', not '" KEY_ARN "'"},
	/* the same id elsewhere is another key */
	{OWN_KEY, "'sse_kms_key':'arn:aws:kms:us-east-1:123456789012:key/" KEY_ID "'",
	"sse_kms_key is 'arn:aws:kms:us-east-1:123456789012:key/" KEY_ID "', not '" KEY_ARN "'"},
	/* an alias is known for a key, and no more */
	{"'sse_kms_key':'alias/feast'", OWN_KEY, NULL},
	{"'sse_kms_key':'alias/aws/dynamodb'", OWN_KEY, NULL},
	{"'sse_kms_key':'arn:aws:kms:us-west-2:123456789012:alias/feast'", OWN_KEY, NULL},
	{"'sse_kms_key':'alias/feast'", "'sse_kms_key':'AWS_OWNED'", "sse_kms_key is 'AWS_OWNED', not 'alias/feast'"},
	{OWN_KEY, "'sse_kms_key':'alias/aws/dynamodb'", "sse_kms_key is 'alias/aws/dynamodb', not '" KEY_ARN "'"},
	/* throughput that is warmer is as good */
	{WARM(15000, 5000), WARM(12000, 5000),
		"warm_throughput is 'ReadUnitsPerSecond=12000,WriteUnitsPerSecond=5000', not "
	"'ReadUnitsPerSecond=15000,WriteUnitsPerSecond=5000'"},
	{WARM(15000, 5000), WARM(15000, 4000),
		"warm_throughput is 'ReadUnitsPerSecond=15000,WriteUnitsPerSecond=4000', not "
	"'ReadUnitsPerSecond=15000,WriteUnitsPerSecond=5000'"},
	{"'warm_throughput':'WriteUnitsPerSecond=5000'", "'warm_throughput':'ReadUnitsPerSecond=15000'",
	"warm_throughput is 'ReadUnitsPerSecond=15000', not 'WriteUnitsPerSecond=5000'"},
	{WARM(15000, 5000), WARM(15000, 5000), NULL},
	{WARM(15000, 5000), WARM(20000, 6000), NULL},
	{"'warm_throughput':'ReadUnitsPerSecond=15000'", WARM(15000, 5000), NULL},
	{"'point_in_time_recovery':true", "'point_in_time_recovery':false",
	"point_in_time_recovery is 'false', not 'true'"},
	{"'point_in_time_recovery':false", "'point_in_time_recovery':true",
	"point_in_time_recovery is 'true', not 'false'"},
	{"'point_in_time_recovery':false", "'point_in_time_recovery':false", NULL},
};

/* The settings of an object with these members. */
static DynTableSettings
settings_with(const char *members)
{
	char		text[1000];

	snprintf(text, sizeof(text), "{%s}", members);
	return settings(text);
}

static void
test_differences(void)
{
	for (size_t i = 0; i < LENGTH(pairs); i++)
	{
		DynTableSettings wanted = settings_with(pairs[i].wanted);
		DynTableSettings shown = settings_with(pairs[i].shown);
		DynBuf		words = {0};

		is_int(dyn_settings_differ(&wanted, &shown), pairs[i].words ? wanted.known : 0, "wanted %s, shown %s",
			   pairs[i].wanted, pairs[i].shown);
		if (pairs[i].words)
		{
			dyn_settings_say_difference(&words, &wanted, &shown, (DynSetting) wanted.known);
			is_text(words.data, words.len, pairs[i].words, "in words");
		}
		dyn_buf_free(&words);
		shown.known = 0;
		is_int(dyn_settings_differ(&wanted, &shown), 0, "no difference to what is not shown");
		shown.known = ~0u;
		wanted.known = 0;
		is_int(dyn_settings_differ(&wanted, &shown), 0, "nor from what is not wanted");
	}
}

#define ALL_WANTED "'deletion_protection':true,'table_class':'STANDARD_INFREQUENT_ACCESS'," PROVISIONED(5, 7) \
	",'stream_view_type':'NEW_IMAGE'," OWN_KEY "," WARM(15000, 5000) ",'point_in_time_recovery':true"

/* All that a settings' set says, a line for each. */
static void
say_all(DynBuf *out, const DynTableSettings *wanted)
{
	for (unsigned setting = 1; setting <= DYN_SETTING_TAGS; setting <<= 1)
		if (wanted->known & setting)
		{
			dyn_settings_say(out, wanted, (DynSetting) setting);
			dyn_buf_byte(out, '\n');
		}
}

static void
test_all_together(void)
{
	DynTableSettings wanted = settings_with(ALL_WANTED);
	DynTableSettings shown = {.known = ~0u};
	DynBuf		words = {0};

	is_int(wanted.known, DYN_SETTINGS_OF_TABLE | DYN_SETTING_RECOVERY, "all settings are wanted");
	is_int(dyn_settings_differ(&wanted, &shown), wanted.known, "and all differ");
	wanted.known = ~0u;
	is_int(dyn_settings_differ(&wanted, &shown), DYN_SETTINGS_OF_TABLE | DYN_SETTING_RECOVERY,
		   "tags and bits without a meaning do not");
	is_int(dyn_settings_differ(&wanted, &wanted), 0, "nothing differs from itself");
	wanted.known = DYN_SETTINGS_OF_TABLE | DYN_SETTING_RECOVERY;
	say_all(&words, &wanted);
	is_text(words.data, words.len,
			"deletion_protection 'true'\n"
			"table_class 'STANDARD_INFREQUENT_ACCESS'\n"
			"billing_mode 'PROVISIONED', read_capacity '5', write_capacity '7'\n"
			"stream_view_type 'NEW_IMAGE'\n"
			"sse_kms_key '" KEY_ARN "'\n"
			"warm_throughput 'ReadUnitsPerSecond=15000,WriteUnitsPerSecond=5000'\n"
			"point_in_time_recovery 'true'\n", "all of them as options");
	dyn_buf_free(&words);
}

/* A service may show anything for a key's name. */
static void
test_quotes(void)
{
	DynTableSettings wanted = settings_with(OWN_KEY);
	DynTableSettings shown = wanted;
	DynBuf		words = {0};

	strcpy(shown.kms_key, "a'b''");
	dyn_settings_say_difference(&words, &wanted, &shown, DYN_SETTING_ENCRYPTION);
	is_text(words.data, words.len, "sse_kms_key is 'a''b''''', not '" KEY_ARN "'", "quotes are doubled, as in SQL");
	dyn_buf_free(&words);
}

/* Each setting has a name, and no two the same. */
static void
test_names(void)
{
	for (unsigned a = 1; a <= DYN_SETTING_TAGS; a <<= 1)
	{
		ok(dyn_setting_name((DynSetting) a)[0] != '\0', "setting %u is %s", a, dyn_setting_name((DynSetting) a));
		for (unsigned b = 1; b < a; b <<= 1)
			ok(strcmp(dyn_setting_name((DynSetting) a), dyn_setting_name((DynSetting) b)) != 0, "and %u is not", b);
	}
	is_string(dyn_setting_name((DynSetting) 256), "", "no other is one");
}

int
main(void)
{
	test_kms_keys();
	test_warm_throughput();
	test_differences();
	test_all_together();
	test_quotes();
	test_names();
	return done_testing();
}
