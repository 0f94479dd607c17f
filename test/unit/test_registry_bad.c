/*
 * test_registry_bad.c
 *	  Bytes that are no registry, or a hostile one: they are refused, and the
 *	  message says what is wrong with which object.
 */
#include <stdlib.h>

#include "core/pbwire.h"
#include "core/utf8.h"
#include "fail_alloc.h"
#include "golden.h"
#include "registry_bytes.h"
#include "tap.h"

#define FEATURE_VIEW 6
#define SERVICE 7
#define HISTORY 18
#define PROJECT 17

/* These bytes, which are freed, are refused with this message. */
static void
refused(DynBuf *bytes, const char *message)
{
	DynStatus	status;
	DynRegistry *registry = read_registry(bytes, &status);

	ok(registry == NULL, "refused");
	is_int(status.cls, DYN_PROTOCOL, "as bytes that are wrong");
	is_string(status.message, message, "with this message");
	dyn_registry_free(registry);
}

static void
test_no_registry(void)
{
	DynBuf		bytes = {0};

	refused(&bytes, "it is empty");
	dyn_buf_str(&bytes, "{\"project\": \"p\"}");
	refused(&bytes, "it is not a registry of Feast, or it is cut or damaged");
	put_text(&bytes, 1, "some other message");
	refused(&bytes, "it is not a registry of Feast: it has no registry_schema_version");
	put_number(&bytes, 3, 1);
	refused(&bytes, "it is not a registry of Feast: it has no registry_schema_version");
	put_text(&bytes, 3, "1");
	dyn_buf_byte(&bytes, '\x32');
	refused(&bytes, "it is not a registry of Feast, or it is cut or damaged");
}

/* A registry with one object, whose spec has a text of `len` bytes besides. */
static DynBuf
with_text(uint32_t object, const char *name, uint32_t number, const char *text, size_t len)
{
	DynBuf		spec = {0};

	if (name)
		put_text(&spec, 1, name);
	put_text(&spec, 2, "p");
	dyn_pb_put_bytes(&spec, number, text, len);
	return registry_of(object, &spec);
}

static void
test_texts(void)
{
	DynBuf		bytes = with_text(FEATURE_VIEW, NULL, 1, "a\xff", 2);

	refused(&bytes, "feature view number 1: its name is not valid UTF-8");
	bytes = with_text(FEATURE_VIEW, NULL, 1, "a\0b", 3);
	refused(&bytes, "feature view number 1: its name has a zero byte in it");
	bytes = with_text(FEATURE_VIEW, NULL, 1, "", 0);
	refused(&bytes, "feature view number 1: its name is empty");
	bytes = with_text(FEATURE_VIEW, "v", 2, "", 0);
	refused(&bytes, "feature view \"v\": its project is empty");
	bytes = with_text(14, "größe", 6, "\xc0\x80", 2);
	refused(&bytes, "stream feature view \"größe\": its description is not valid UTF-8");
	bytes = with_text(19, "v", 10, "\xed\xa0\x80", 3);
	refused(&bytes, "label view \"v\": its owner is not valid UTF-8");
	bytes = with_text(8, "a\nb", 11, "\xff", 1);
	refused(&bytes, "on-demand feature view \"a?b\": its mode is not valid UTF-8");
	bytes = with_text(SERVICE, "s", 4, "\x0a\x01\xff", 3);
	refused(&bytes, "feature service \"s\": the name of a tag or mapping is not valid UTF-8");
	bytes = with_text(SERVICE, "s", 3, "\x1a\x01x", 3);
	refused(&bytes, "feature service \"s\": the name of a view that it uses is empty");
	bytes = with_text(FEATURE_VIEW, "v", 4, "", 0);
	refused(&bytes, "feature view \"v\": the name of a field is empty");
	bytes = with_text(FEATURE_VIEW, "v", 4, "\x0a\x05x", 3);
	refused(&bytes, "feature view \"v\": its bytes are cut or damaged");
	bytes = with_text(PROJECT, NULL, 1, "", 0);
	refused(&bytes, "project number 1: its name is empty");
}

/* A long name is cut in the message, between letters. */
static void
test_long_name(void)
{
	DynBuf		name = {0};
	DynBuf		want = {0};
	DynBuf		bytes;

	dyn_buf_byte(&name, 'x');
	for (int i = 0; i < 1000; i++)
		dyn_buf_str(&name, "ü");
	dyn_buf_str(&want, "feature view \"");
	dyn_buf_add(&want, name.data, 99);
	dyn_buf_str(&want, "\": its owner is not valid UTF-8");
	bytes = with_text(FEATURE_VIEW, dyn_buf_cstr(&name), 11, "\xff", 1);
	refused(&bytes, dyn_buf_cstr(&want));
	dyn_buf_free(&name);
	dyn_buf_free(&want);
}

static void
test_rules(void)
{
	DynBuf		spec = new_spec("v");
	DynBuf		inner = {0};
	DynBuf		source = {0};
	DynBuf		bytes;

	put_field(&spec, 12, "k", 2);
	put_field(&spec, 12, "j", 2);
	put_field(&spec, 12, "k", 3);
	bytes = registry_of(FEATURE_VIEW, &spec);
	refused(&bytes, "feature view \"v\": two of its keys have the same name");
	spec = new_spec("s");
	put_text(&inner, 1, "v");
	put_number(&inner, 10, -2);
	put_message(&spec, 3, &inner);
	bytes = registry_of(SERVICE, &spec);
	refused(&bytes, "feature service \"s\": the version of a view that it uses is negative");
	spec = new_spec("v");
	put_text(&inner, 17, "x.PostgreSQLSource");
	put_message(&spec, 7, &inner);
	bytes = registry_of(FEATURE_VIEW, &spec);
	refused(&bytes, "feature view \"v\": the options of its source are not a JSON object");
	spec = new_spec("v");
	put_text(&inner, 1, "{\"table\":\"a\\u0000b\"}");
	put_text(&source, 17, "x.PostgreSQLSource");
	put_message(&source, 16, &inner);
	put_message(&spec, 7, &source);
	bytes = registry_of(FEATURE_VIEW, &spec);
	refused(&bytes, "feature view \"v\": the table of its source has a zero byte in it");
}

/* A record of the version history. */
static DynBuf
history_of(const char *type, int version, DynBuf *view)
{
	DynBuf		bytes = {0};
	DynBuf		history = {0};
	DynBuf		record = {0};

	put_text(&record, 1, "v");
	put_text(&record, 2, "p");
	put_number(&record, 3, version);
	put_text(&record, 4, type);
	put_message(&record, 5, view);
	put_message(&history, 1, &record);
	put_text(&bytes, 3, "1");
	put_message(&bytes, HISTORY, &history);
	return bytes;
}

static void
test_history(void)
{
	DynBuf		view = {0};
	DynBuf		bytes;
	DynStatus	status;
	DynRegistry *registry;

	dyn_buf_str(&view, "\x0a\x09 cut");
	bytes = history_of("feature_view", 3, &view);
	refused(&bytes, "version 3 of feature view number 1: its bytes are cut or damaged");
	dyn_buf_str(&view, "rubbish");
	bytes = history_of("view_of_the_future", 3, &view);
	registry = read_registry(&bytes, &status);
	ok(registry && registry->nhistory == 0, "a kind that is not known is skipped");
	dyn_registry_free(registry);
	put_text(&bytes, 3, "1");
	put_text(&bytes, HISTORY, "x");
	refused(&bytes, "its version history is cut or damaged");
}

/* What holds whether these bytes are read or not. */
static bool
is_sound(const void *data, size_t len)
{
	DynRegistry *registry = dyn_registry_new();
	DynStatus	status = {0};
	bool		done = dyn_registry_read(registry, data, len, &status);
	bool		sound = done || (status.cls == DYN_PROTOCOL && status.message[0] != '\0' &&
								 dyn_utf8_valid((const uint8_t *) status.message, strlen(status.message)));

	for (size_t i = 0; done && i < registry->nviews; i++)
		sound &= registry->views[i].name[0] != '\0' && registry->views[i].source.table != NULL &&
			dyn_registry_view(registry, registry->views[i].project, registry->views[i].name) != NULL;
	dyn_registry_free(registry);
	return sound;
}

/* Every truncation, in memory of its own, and every byte with other bits. */
static void
test_damaged(void)
{
	static const uint8_t masks[] = {0x01, 0x80, 0xff};
	size_t		len;
	uint8_t    *data = (uint8_t *) golden_read("registry/registry.db", &len);
	size_t		unsound = 0;

	for (size_t n = 0; n < len; n++)
	{
		void	   *copy = golden_copy(data, n);

		unsound += !is_sound(copy, n);
		free(copy);
	}
	is_int((int64_t) unsound, 0, "every truncation is read or refused");
	for (size_t i = 0; i < len; i++)
	{
		data[i] ^= masks[i % LENGTH(masks)];
		unsound += !is_sound(data, len);
		data[i] ^= masks[i % LENGTH(masks)];
	}
	is_int((int64_t) unsound, 0, "so is every changed byte");
	free(data);
}

static void
test_out_of_memory(void)
{
	size_t		len;
	char	   *data = golden_read("registry2/registry.db", &len);
	bool		done = false;
	long		n;

	for (n = 0; !done && n < 10000; n++)
	{
		DynStatus	status = {0};
		DynRegistry *registry;

		fail_alloc_after = n;
		registry = dyn_registry_new();
		done = registry && dyn_registry_read(registry, data, len, &status);
		fail_alloc_after = -1;
		if (registry && !done && status.cls != DYN_NO_MEMORY)
			ok(false, "allocation %ld failed: %s", n, status.message);
		dyn_registry_free(registry);
	}
	ok(done && n > 5, "any of %ld allocations may fail", n);
	free(data);
}

/* Many of a thing, and how it is put. */
typedef void (*Put) (DynBuf *spec, int i);

static void
put_features(DynBuf *spec, int i)
{
	char		name[20];

	snprintf(name, sizeof(name), "f%d", i);
	put_field(spec, 4, name, 3);
	if (i % 2)
		put_field(spec, 12, name, 3);
}

static void
put_one_tag(DynBuf *spec, int i)
{
	put_pair(spec, 5, "always the same", i % 2 ? "a" : "b");
}

/* Time that grows with the square of these would be hours. */
static void
test_many_members(Put put, const char *what)
{
	DynBuf		spec = new_spec("v");
	DynBuf		bytes;
	DynStatus	status;
	DynRegistry *registry;

	for (int i = 0; i < 100000; i++)
		put(&spec, i);
	bytes = registry_of(FEATURE_VIEW, &spec);
	registry = read_registry(&bytes, &status);
	ok(registry != NULL, "100,000 %s: %s", what, status.message);
	dyn_registry_free(registry);
}

/* Each part of a message adds one feature: what is there is not copied each time. */
static void
test_many_parts(void)
{
	DynBuf		bytes = {0};
	DynBuf		view = {0};
	DynBuf		spec = new_spec("v");
	DynStatus	status;
	DynRegistry *registry;

	put_message(&view, 1, &spec);
	for (int i = 0; i < 100000; i++)
	{
		put_field(&spec, 4, "f", 3);
		put_message(&view, 1, &spec);
	}
	put_text(&bytes, 3, "1");
	put_message(&bytes, FEATURE_VIEW, &view);
	registry = read_registry(&bytes, &status);
	ok(registry && registry->views->features.n == 100000, "100,000 parts of a view");
	dyn_registry_free(registry);
}

/* Views of as many projects, then a look at each. */
static void
test_many_views(void)
{
	DynBuf		bytes = {0};
	DynStatus	status;
	DynRegistry *registry;
	size_t		found = 0;

	put_text(&bytes, 3, "1");
	for (int i = 0; i < 100000; i++)
	{
		DynBuf		spec = {0};
		DynBuf		view = {0};
		char		name[20];

		snprintf(name, sizeof(name), "%d", i * 7919 % 100000);
		put_text(&spec, 1, name);
		put_text(&spec, 2, name);
		put_message(&view, 1, &spec);
		put_message(&bytes, FEATURE_VIEW, &view);
	}
	registry = read_registry(&bytes, &status);
	for (size_t i = 0; registry && i < registry->nviews; i++)
		found += dyn_registry_view(registry, registry->views[i].project, registry->views[i].name) ==
			&registry->views[i];
	is_int((int64_t) found, 100000, "100,000 views in as many projects");
	dyn_registry_free(registry);
}

int
main(void)
{
	test_no_registry();
	test_texts();
	test_long_name();
	test_rules();
	test_history();
	test_damaged();
	test_out_of_memory();
	test_many_members(put_features, "features, of which keys are some");
	test_many_members(put_one_tag, "tags of one name");
	test_many_parts();
	test_many_views();
	return done_testing();
}
