/*
 * test_key_plan.c
 *	  Where AWS keys come from, as a plan: what the golden cases leave out.
 */
#include <stdlib.h>

#include "keys_scene.h"
#include "tap.h"

#define ROLE "arn:aws:iam::123456789012:role/reader"

static DynKeyPlan plan;
static DynKeyWish wish;
static DynStatus status;

/* Forgets the plan and begins another scene, with nothing wished for. */
static void
begin(void)
{
	dyn_key_plan_free(&plan);
	scene_begin();
	memset(&wish, 0, sizeof(wish));
	wish.session_name = SCENE_SESSION;
}

static bool
make(void)
{
	dyn_key_plan_free(&plan);
	memset(&status, 0xff, sizeof(status));
	return dyn_key_plan_make(&plan, &wish, &scene, &status);
}

static void
fails_with(const char *words)
{
	bool		made = make();

	ok(!made && status.cls == DYN_NO_CREDENTIALS && strstr(status.message, words), "broken: %s", words);
	if (!made && !strstr(status.message, words))
		diag("%s", status.message);
	ok(scene_status_is_clean(&status), "without a secret");
}

/* ---- environment ---- */

static void
test_environment(void)
{
	begin();
	scene_variable("AWS_ACCESS_KEY_ID", "AKIAENV");
	scene_variable("AWS_SECRET_ACCESS_KEY", "sEcReT");
	scene_variable("AWS_SESSION_TOKEN", "");
	ok(make() && plan.base == DYN_BASE_KEYS && plan.keys.session_token == NULL, "an empty token is none");
	ok(plan.keys.expires == DYN_KEYS_FOREVER && strcmp(plan.source, "environment") == 0, "keys without an end");
	scene_variable("AWS_CREDENTIAL_EXPIRATION", "2026-03-01T13:00:00Z");
	ok(make() && plan.keys.expires == SCENE_START + 3600, "AWS_CREDENTIAL_EXPIRATION");
	scene_variable("AWS_CREDENTIAL_EXPIRATION", "tomorrow");
	fails_with("environment: AWS_CREDENTIAL_EXPIRATION is no time");
	scene_variable("AWS_CREDENTIAL_EXPIRATION", NULL);
	scene_variable("AWS_SECRET_ACCESS_KEY", "sEcReT\n");
	fails_with("environment: the secret access key is not 1 to 1024 printable");
	scene_variable("AWS_SECRET_ACCESS_KEY", "sEcReT");
	scene_variable("AWS_SESSION_TOKEN", "tOkEn x");
	fails_with("environment: the session token is not");
	scene_variable("AWS_SESSION_TOKEN", NULL);
	scene_variable("AWS_ACCESS_KEY_ID", "AKIA ENV");
	fails_with("environment: the access key id is not");
	scene_file("$HOME/.aws/config", "[default\n");
	scene_variable("AWS_ACCESS_KEY_ID", "AKIAENV");
	fails_with("/home/pg/.aws/config, line 1");
	scene_closed_file("$HOME/.aws/config");
	fails_with("config file /home/pg/.aws/config: Permission denied");
}

/* ---- files ---- */

/* What is wrong stands behind the path, which may be as long as the system takes it. */
static void
test_long_paths(void)
{
	char		path[1000];

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	begin();
	scene_variable("AWS_CONFIG_FILE", path);
	scene_variable("AWS_SHARED_CREDENTIALS_FILE", path + 1);
	scene_variable("AWS_EC2_METADATA_DISABLED", "true");
	fails_with("no credentials were found");
	ok(strstr(status.hint, "switched off by AWS_EC2_METADATA_DISABLED.") != NULL, "the last place is told");
	scene_file(path, "[default]\naws_access_key_id=AKIA1\n");
	fails_with(", line 1): the secret access key is missing");
	scene_file(path, "[default]\nrole_arn=" ROLE "\n");
	fails_with(", line 1) has a \"role_arn\", but neither");
	scene_closed_folder = path;
	fails_with(": Permission denied");
	scene_closed_folder = NULL;
}

static void
test_files(void)
{
	static const char keys[] = "[default]\naws_access_key_id=AKIA1\naws_secret_access_key=sEcReT\n";

	begin();
	scene_variable("DIR", "/etc/aws");
	scene_variable("AWS_CONFIG_FILE", "${DIR}/$NONE-$");
	scene_file("/etc/aws/$NONE-$", keys);
	ok(make() && strcmp(plan.source, "config file") == 0, "variables in a path; one that is not set stays");
	begin();
	scene_variable("AWS_CONFIG_FILE", "~other/c");
	scene_file("~other/c", keys);
	ok(make() && plan.base == DYN_BASE_KEYS, "another one's home is not known");
	begin();
	scene_variable("AWS_CONFIG_FILE", "${DIR");
	scene_file("${DIR", keys);
	ok(make() && plan.base == DYN_BASE_KEYS, "a brace that is not closed");
	begin();
	scene_file("$HOME/.aws/config", "[default]\naws_access_key_id=AKIA1\n");
	scene_file("$HOME/.aws/credentials", "[default]\naws_secret_access_key=sEcReT\n");
	fails_with("profile \"default\" (/home/pg/.aws/config, line 1): the secret access key is missing");
	begin();
	scene_variable("AWS_PROFILE", "default");
	scene_variable("AWS_EC2_METADATA_DISABLED", "TRUE");
	fails_with("no credentials were found");
	is_string(status.hint, "Looked for in: environment: no AWS_ACCESS_KEY_ID; web identity: no AWS_WEB_IDENTITY_TOKEN_FILE; "
			  "credentials file: no /home/pg/.aws/credentials; config file: no /home/pg/.aws/config; "
			  "container: no AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI; "
			  "instance metadata: switched off by AWS_EC2_METADATA_DISABLED.", "all places are told");
	scene_closed_folder = "/home/pg/";
	fails_with("no credentials were found");
	ok(strstr(status.hint, "config file: /home/pg/.aws/config can't be reached") != NULL, "a closed home is told");
	scene_variable("AWS_SHARED_CREDENTIALS_FILE", "/home/pg/keys");
	fails_with("credentials file /home/pg/keys: Permission denied");
	scene_closed_folder = NULL;
	scene_variable("AWS_SHARED_CREDENTIALS_FILE", NULL);
	wish.profile = "default";
	fails_with("profile \"default\" holds no credentials");
	test_long_paths();
	begin();
	scene_variable("AWS_EC2_METADATA_DISABLED", "1");
	ok(make() && plan.base == DYN_BASE_METADATA, "AWS_EC2_METADATA_DISABLED means \"true\" and nothing else");
}

static void
test_roles(void)
{
	static const struct
	{
		const char *text;
		const char *words;
	}			cases[] = {
		{"role_arn=x\nsource_profile=default", "has a \"role_arn\" that is none"},
		{"role_arn=" ROLE "\nsource_profile=default\nexternal_id=a b", "has an \"external_id\" that is none"},
		{"role_arn=" ROLE "\nsource_profile=default\nrole_session_name=a b", "has a \"role_session_name\" that is none"},
		{"role_arn=" ROLE "\nsource_profile=default\nmfa_serial=arn:x", "has \"mfa_serial\""},
		{"role_arn=" ROLE "\nsource_profile=default", "leads back to it: a loop"},
		{"role_arn=" ROLE "\nsource_profile=default\naws_access_key_id=AKIA", "secret access key is missing"},
		{"role_arn=" ROLE "\nsource_profile=default\naws_secret_access_key=sEcReT", "access key id is missing"},
		{"role_arn=" ROLE "\nsource_profile=e\n[profile e]\nregion=x", "profile \"e\" (/home/pg/.aws/config, line 4) is a \"source_profile\", and holds no keys"},
		{"role_arn=" ROLE "\nsource_profile=e\naws_access_key_id=AKIA\naws_secret_access_key=s\n"
		"[profile e]\nrole_arn=" ROLE "\nsource_profile=default", "profile \"e\" (/home/pg/.aws/config, line 6) has a \"source_profile\" that leads back"},
		{"role_arn=" ROLE "\ncredential_source=Environment", "has a \"credential_source\" that holds no credentials"},
		{"role_arn=" ROLE "\ncredential_source=EcsContainer", "has a \"credential_source\" that holds no credentials"},
		{"web_identity_token_file=/t", "web identity: there is a token file, but no valid role ARN"},
		{"web_identity_token_file=/t\nrole_arn=x", "no valid role ARN"},
		{"web_identity_token_file=/t\nrole_arn=" ROLE "\nrole_session_name=a b", "is not 2 to 64"},
		{"sso_session=x", "has \"sso_session\": single sign-on"},
		{"login_session=x", "has \"login_session\": a login session"},
		{"credential_process=x\naws_access_key_id=AKIA\naws_secret_access_key=s", "has \"credential_process\""},
	};
	char		text[1000];

	for (size_t i = 0; i < LENGTH(cases); i++)
	{
		begin();
		snprintf(text, sizeof(text), "[default]\n%s\n", cases[i].text);
		scene_file("$HOME/.aws/config", text);
		fails_with(cases[i].words);
	}
	begin();
	scene_file("$HOME/.aws/config", "[default]\nsso_session=x\nrole_arn=" ROLE "\nweb_identity_token_file=/t\n");
	ok(make() && plan.base == DYN_BASE_WEB_IDENTITY, "a web identity comes before single sign-on");
	begin();
	scene_file("$HOME/.aws/config", "[default]\nlogin_session=x\ncredential_process=x\n");
	scene_file("$HOME/.aws/credentials", "[default]\naws_access_key_id=AKIA\naws_secret_access_key=s\n");
	ok(make() && plan.base == DYN_BASE_KEYS, "and keys of the credentials file before a login and a process");
	begin();
	scene_file("$HOME/.aws/config", "[default]\nrole_arn=" ROLE "\nsource_profile=p1\n"
			   "[profile p1]\nrole_arn=" ROLE "1\nsource_profile=p2\n[profile p2]\nrole_arn=" ROLE "2\nsource_profile=p3\n"
			   "[profile p3]\nrole_arn=" ROLE "3\nsource_profile=p4\n[profile p4]\nrole_arn=" ROLE "4\nsource_profile=p5\n"
			   "[profile p5]\naws_access_key_id=AKIA\naws_secret_access_key=s\n");
	ok(make() && plan.nroles == 5, "five roles one over the other");
	is_string(plan.roles[0].role_arn, ROLE "4", "the first");
	is_string(plan.roles[4].role_arn, ROLE, "and the last");
	wish.role.role_arn = ROLE;
	fails_with("more than 5 roles");
	scene_file("$HOME/.aws/credentials", "[p5]\nrole_arn=" ROLE "5\nsource_profile=p6\naws_access_key_id=\naws_secret_access_key=\n[p6]\naws_access_key_id=AKIA\naws_secret_access_key=s\n");
	wish.role.role_arn = NULL;
	fails_with("one role too many");
}

static void
test_durations(void)
{
	static const struct
	{
		const char *text;
		int			seconds;
	}			cases[] = {{"7200", 7200}, {"1h", 0}, {"", 0}, {"-1", 0}, {"0", 0}, {"99999999999999999999", 0}, {"900", 900}};
	char		text[400];

	for (size_t i = 0; i < LENGTH(cases); i++)
	{
		begin();
		snprintf(text, sizeof(text), "[default]\nrole_arn=" ROLE "\nsource_profile=b\nduration_seconds=%s\n"
				 "[profile b]\naws_access_key_id=AKIA\naws_secret_access_key=s\n", cases[i].text);
		scene_file("$HOME/.aws/config", text);
		ok(make() && plan.roles[0].duration_seconds == cases[i].seconds, "a duration of \"%s\"", cases[i].text);
	}
}

/* The environment wins over the profile, but not over one that was asked for. */
static void
test_web_identity(void)
{
	begin();
	scene_file("$HOME/.aws/config", "[default]\nrole_arn=" ROLE "\nweb_identity_token_file=/t\nrole_session_name=of-file\n"
			   "[profile r]\nrole_arn=" ROLE "2\nsource_profile=default\n");
	ok(make() && strcmp(plan.token_file, "/t") == 0 && strcmp(plan.web_identity.session_name, "of-file") == 0,
	   "a profile's");
	scene_variable("AWS_ROLE_ARN", ROLE "9");
	scene_variable("AWS_ROLE_SESSION_NAME", "of-variable");
	ok(make() && strcmp(plan.token_file, "/t") == 0 && strcmp(plan.web_identity.session_name, "of-variable") == 0 &&
	   strcmp(plan.web_identity.role_arn, ROLE "9") == 0, "the environment wins, one by one");
	wish.profile = "default";
	ok(make() && strcmp(plan.web_identity.session_name, "of-file") == 0, "not over a profile that was asked for");
	wish.profile = NULL;
	scene_variable("AWS_PROFILE", "r");
	ok(make() && plan.base == DYN_BASE_WEB_IDENTITY && plan.nroles == 1 &&
	   strcmp(plan.web_identity.role_arn, ROLE) == 0 && strcmp(plan.web_identity.session_name, "of-file") == 0,
	   "nor over a source profile");
	is_string(plan.roles[0].session_name, SCENE_SESSION, "a role without a session name has ours");
	begin();
	scene_file("$HOME/.aws/config", "[default]\nrole_arn=x\nweb_identity_token_file=/t\n\n"
			   "[profile r]\nrole_arn=" ROLE "2\nsource_profile=s\n"
			   "[profile s]\nrole_arn=" ROLE "\nweb_identity_token_file=/t\nrole_session_name=x y\n");
	fails_with("role ARN (AWS_ROLE_ARN, or \"role_arn\" of profile \"default\" (/home/pg/.aws/config, line 1))");
	wish.profile = "r";
	fails_with("session name (\"role_session_name\" of profile \"s\" (/home/pg/.aws/config, line 8)) is not");
}

/* ---- container ---- */

static void
test_container(void)
{
	static const struct
	{
		const char *full;
		const char *url;		/* NULL: refused */
		const char *path;
	}			cases[] = {
		{"http://localhost/creds", "http://localhost", "/creds"},
		{"http://127.0.0.1:80/creds?a=/b", "http://127.0.0.1", "/creds?a=/b"},
		{"http://127.9.9.9:51679", "http://127.9.9.9:51679", "/"},
		{"http://[::1]/x", "http://[::1]", "/x"},
		{"http://169.254.170.2/x", "http://169.254.170.2", "/x"},
		{"http://169.254.170.23/x", "http://169.254.170.23", "/x"},
		{"http://[fd00:ec2::23]/x", "http://[fd00:ec2::23]", "/x"},
		{"https://creds.example.com/x", "https://creds.example.com", "/x"},
		{"http://169.254.170.2:81/x", "http://169.254.170.2:81", "/x"},
		{"http://[fd00:ec2::23]:8080/x", "http://[fd00:ec2::23]:8080", "/x"},
		{"http://[fd00:ec2::24]/x", NULL, NULL},
		{"http://169.254.170.24/x", NULL, NULL},
		{"http://169.254.169.254/x", NULL, NULL},
		{"http://169.254.170.2.example.com/x", NULL, NULL},
		{"http://localhost.example.com/x", NULL, NULL},
		{"http://127.0.0.1@10.0.0.1/x", NULL, NULL},
		{"http://10.0.0.1#@127.0.0.1/x", NULL, NULL},
		{"http://127.0.0.1?x", NULL, NULL},
		{"http://127.0.0.1/a b", NULL, NULL},
		{"http://127.0.0.1/a\r\nX: y", NULL, NULL},
		{"ftp://127.0.0.1/x", NULL, NULL},
		{"127.0.0.1/x", NULL, NULL},
		{"/x", NULL, NULL},
	};

	for (size_t i = 0; i < LENGTH(cases); i++)
	{
		begin();
		scene_variable("AWS_CONTAINER_CREDENTIALS_FULL_URI", cases[i].full);
		if (cases[i].url == NULL)
			fails_with("container: AWS_CONTAINER_CREDENTIALS_FULL_URI ");
		else
			ok(make() && strcmp(plan.url, cases[i].url) == 0 && strcmp(plan.path, cases[i].path) == 0, "%s", cases[i].full);
	}
	begin();
	scene_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@example.com/x");
	fails_with("container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must begin");
	scene_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/a b");
	fails_with("container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must begin");
}

/* ---- instance metadata ---- */

static void
test_metadata(void)
{
	static const struct
	{
		const char *timeout;
		const char *attempts;
		double		timeout_s;
		int			want;
	}			cases[] = {
		{NULL, NULL, 1, 1}, {"3", "2", 3, 2}, {"100", "99", 10, 10}, {"0", "0", 1, 1}, {"-1", "x", 1, 1},
		{"nan", "nan", 1, 1}, {"inf", "1e9", 10, 10}, {"0.5", "0.5", 0.5, 1}, {"0.0001", "1.9", 1, 1}
	};

	for (size_t i = 0; i < LENGTH(cases); i++)
	{
		begin();
		scene_variable("AWS_METADATA_SERVICE_TIMEOUT", cases[i].timeout);
		scene_variable("AWS_METADATA_SERVICE_NUM_ATTEMPTS", cases[i].attempts);
		ok(make() && plan.timeout_s == cases[i].timeout_s && plan.attempts == cases[i].want, "timeout %s, attempts %s",
		   cases[i].timeout ? cases[i].timeout : "none", cases[i].attempts ? cases[i].attempts : "none");
	}
	begin();
	scene_file("$HOME/.aws/config", "[default]\nmetadata_service_timeout=4\nmetadata_service_num_attempts=3\n"
			   "ec2_metadata_service_endpoint_mode=ipv6\n");
	ok(make() && plan.timeout_s == 4 && plan.attempts == 3 && strcmp(plan.url, "http://[fd00:ec2::254]") == 0,
	   "the profile says it, too");
	scene_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv4");
	ok(make() && strcmp(plan.url, "http://169.254.169.254") == 0, "the environment wins");
	scene_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv5");
	fails_with("is neither IPv4 nor IPv6");
	scene_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1338/");
	ok(make() && strcmp(plan.url, "http://127.0.0.1:1338") == 0, "an endpoint needs no mode; a \"/\" at its end is fine");
	scene_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT", "127.0.0.1");
	fails_with("instance metadata: AWS_EC2_METADATA_SERVICE_ENDPOINT ");
	begin();
	scene_file("$HOME/.aws/config", "\n[default]\nec2_metadata_service_endpoint_mode=ipv5\n");
	fails_with("instance metadata: \"ec2_metadata_service_endpoint_mode\" of profile \"default\" (/home/pg/.aws/config, line 2) is");
}

/* ---- STS ---- */

static void
test_sts_url(void)
{
	begin();
	scene_file("$HOME/.aws/config", "[default]\naws_access_key_id=AKIA\naws_secret_access_key=s\nservices=s\n"
			   "endpoint_url=https://profile.example.com\n[services s]\nsts =\n  endpoint_url = https://service.example.com\n");
	ok(make() && strcmp(plan.sts_url, "https://service.example.com") == 0, "the profile's services");
	scene_variable("AWS_ENDPOINT_URL", "https://all.example.com");
	ok(make() && strcmp(plan.sts_url, "https://all.example.com") == 0, "AWS_ENDPOINT_URL wins");
	scene_variable("AWS_ENDPOINT_URL_STS", "https://sts.example.com");
	ok(make() && strcmp(plan.sts_url, "https://sts.example.com") == 0, "AWS_ENDPOINT_URL_STS wins");
	scene_variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
	ok(make() && plan.sts_url == NULL, "unless all are ignored");
	wish.sts_url = "https://mine.example.com";
	ok(make() && strcmp(plan.sts_url, "https://mine.example.com") == 0, "the wish's is not");
	wish.sts_url = "mine";
	fails_with("the endpoint URL of STS");
	begin();
	scene_file("$HOME/.aws/config", "\n[default]\naws_access_key_id=AKIA1\naws_secret_access_key=sEcReT\nendpoint_url=mine\n");
	fails_with("the endpoint URL of STS (AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, or of profile \"default\" (/home/pg/.aws/config, line 2))");
	begin();
	scene_file("$HOME/.aws/config", "[default]\naws_access_key_id=AKIA\naws_secret_access_key=s\n"
			   "endpoint_url=https://profile.example.com\n");
	ok(make() && strcmp(plan.sts_url, "https://profile.example.com") == 0, "the profile's endpoint_url");
	scene_file("$HOME/.aws/config", "[default]\naws_access_key_id=AKIA\naws_secret_access_key=s\n"
			   "endpoint_url=https://profile.example.com\nignore_configured_endpoint_urls=true\n");
	ok(make() && plan.sts_url == NULL, "which it may ignore, too");
}

int
main(void)
{
	test_environment();
	test_files();
	test_roles();
	test_durations();
	test_web_identity();
	test_container();
	test_metadata();
	test_sts_url();
	begin();
	dyn_key_plan_free(&plan);
	return done_testing();
}
