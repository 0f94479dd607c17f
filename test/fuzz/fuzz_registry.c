/*
 * fuzz_registry.c
 *	  Bytes as Feast's registry: what is read holds to its contract.  The first
 *	  byte says whether it is a whole file, or a row of which kind.
 */
#include <string.h>

#include "core/registry.h"
#include "core/utf8.h"
#include "fuzz.h"

static void
check_text(const char *text)
{
	must(dyn_utf8_valid((const uint8_t *) text, strlen(text)));
}

static void
check_name(const char *name)
{
	check_text(name);
	must(name[0] != '\0');
}

static void
check_fields(const DynRegFields *fields)
{
	for (size_t i = 0; i < fields->n; i++)
	{
		check_name(fields->field[i].name);
		check_text(fields->field[i].description);
	}
}

static void
check_pairs(const DynRegPairs *pairs)
{
	for (size_t i = 0; i < pairs->n; i++)
	{
		check_text(pairs->pair[i].name);
		check_text(pairs->pair[i].value);
		must(i == 0 || strcmp(pairs->pair[i - 1].name, pairs->pair[i].name) < 0);
	}
}

static void
check_projections(const DynRegProjections *projections)
{
	for (size_t i = 0; i < projections->n; i++)
	{
		const DynRegProjection *projection = &projections->projection[i];

		check_name(projection->view);
		check_text(projection->alias);
		must(projection->version >= -1);
		check_fields(&projection->features);
		check_pairs(&projection->join_key_map);
	}
}

static void
check_source(const DynRegSource *source)
{
	check_text(source->name);
	check_text(source->table);
	check_text(source->query);
	check_text(source->timestamp_field);
	check_text(source->created_timestamp_column);
	check_pairs(&source->field_mapping);
}

static void
check_view(const DynRegView *view)
{
	check_name(view->name);
	check_name(view->project);
	check_text(view->description);
	check_text(view->owner);
	check_pairs(&view->tags);
	check_fields(&view->keys);
	check_fields(&view->features);
	must(view->ttl_seconds >= 0 && view->version >= 0);
	must(!view->entityless || view->keys.n == 0);
	check_source(&view->source);
	check_text(view->transformation.name);
	check_text(view->transformation.mode);
	check_text(view->transformation.text);
	check_fields(&view->transformation.request);
	check_projections(&view->transformation.inputs);
}

static void
check_registry(const DynRegistry *registry)
{
	for (size_t i = 0; i < registry->nprojects; i++)
	{
		check_name(registry->projects[i]);
		must(i == 0 || strcmp(registry->projects[i - 1], registry->projects[i]) < 0);
	}
	for (size_t i = 0; i < registry->nviews; i++)
	{
		const DynRegView *view = &registry->views[i];
		const DynRegView *found = dyn_registry_view(registry, view->project, view->name);

		check_view(view);
		must(found != NULL && found <= view && strcmp(found->name, view->name) == 0);
	}
	for (size_t i = 0; i < registry->nhistory; i++)
	{
		const DynRegView *view = &registry->history[i];

		check_view(view);
		must(dyn_registry_view_version(registry, view->project, view->name, view->version) != NULL);
	}
	for (size_t i = 0; i < registry->nservices; i++)
	{
		check_name(registry->services[i].name);
		check_pairs(&registry->services[i].tags);
		check_projections(&registry->services[i].projections);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	DynRegistry *registry = dyn_registry_new();
	DynStatus	status = {0};
	bool		done;

	if (len == 0 || data[0] > DYN_REG_OBJECT_SERVICE)
		done = dyn_registry_read(registry, data + (len > 0), len - (len > 0), &status);
	else
		done = dyn_registry_add(registry, data[0], "p", len % 3 == 0 ? 1 : -1, data + 1, len - 1, &status) &&
			dyn_registry_finish(registry, &status);
	if (done)
		check_registry(registry);
	else
	{
		must(status.cls == DYN_PROTOCOL && status.message[0] != '\0');
		check_text(status.message);
	}
	dyn_registry_free(registry);
	return 0;
}
