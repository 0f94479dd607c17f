/*
 * registry_source.c
 *	  Data sources of the registry: where a view's rows come from.
 *
 * Feast has a message for the options of each source that is its own; what came
 * later, as the PostgreSQLSource, has its options as JSON instead.
 */
#include <string.h>

#include "core/json_text.h"
#include "core/registry_private.h"

#define TYPE_CUSTOM_SOURCE 6

static const char postgres_class[] = "PostgreSQLSource";

static const DynRegMember custom_members[] = {
	VALUE_AT(1, DYN_REG_BYTES, DynRegSourceBase, configuration)
};
static const DynRegMessage custom_message = {DYN_REG_MEMBERS(custom_members)};

static const DynRegMember request_members[] = {
	LIST_AT(3, DynRegSourceBase, request, &dyn_reg_field_message)
};
static const DynRegMessage request_message = {DYN_REG_MEMBERS(request_members)};

#define BASE_MEMBERS \
	VALUE_AT(1, DYN_REG_INT, DynRegSourceBase, type), \
	LIST_AT(2, DynRegSourceBase, field_mapping, &dyn_reg_pair_message), \
	TEXT_AT(3, DynRegSourceBase, timestamp_field, "the timestamp field of its source"), \
	TEXT_AT(5, DynRegSourceBase, created_timestamp_column, "the created timestamp of its source"), \
	MESSAGE_HERE(16, &custom_message), \
	TEXT_AT(17, DynRegSourceBase, class_name, "the class of its source"), \
	MESSAGE_HERE(18, &request_message), \
	TEXT_AT(20, DynRegSourceBase, name, "the name of its source")

static const DynRegMember base_members[] = {BASE_MEMBERS};
const DynRegMessage dyn_reg_source_base_message = {DYN_REG_MEMBERS(base_members)};

/* A batch source has no batch source itself. */
static const DynRegMember source_members[] = {
	BASE_MEMBERS,
	VALUE_AT(26, DYN_REG_PRESENT, DynRegSourceParts, has_batch),
	MESSAGE_AT(26, DynRegSourceParts, batch, &dyn_reg_source_base_message)
};
const DynRegMessage dyn_reg_source_message = {DYN_REG_MEMBERS(source_members)};

/* Does the class, "module.module.Name", have that name? */
static bool
is_postgres_class(const char *class_name)
{
	const char *dot = strrchr(class_name, '.');

	return strcmp(dot ? dot + 1 : class_name, postgres_class) == 0;
}

/* A text of the options, "" where there is none. */
static bool
copy_source_option(DynRegReader *reader, struct json_object *options, const char *name, const char *what, const char **text)
{
	struct json_object *value = dyn_json_member(options, name, json_type_string);

	if (value == NULL)
		return true;
	return dyn_reg_text(reader, json_object_get_string(value), json_object_get_string_len(value), what, text);
}

/*
 * Table and query of a source by its JSON.  Without a class, a source is a
 * PostgreSQLSource if the options are those of one.
 */
static bool
read_options(DynRegReader *reader, const DynRegSourceBase *base, DynRegSource *source)
{
	struct json_object *options = dyn_json_parse_object((const char *) base->configuration.data,
														base->configuration.len);
	bool		named = base->class_name[0] != '\0';
	bool		ok = true;

	if (options == NULL && named)
		return dyn_reg_fail(reader, "the options of its source are not a JSON object");
	source->postgres = named || (dyn_json_member(options, "table", json_type_string) != NULL &&
								 dyn_json_member(options, "query", json_type_string) != NULL);
	if (source->postgres)
		ok = copy_source_option(reader, options, "table", "the table of its source", &source->table) &&
			copy_source_option(reader, options, "query", "the query of its source", &source->query);
	json_object_put(options);
	return ok;
}

bool
dyn_reg_make_source(DynRegReader *reader, DynRegSourceParts *parts, DynRegSource *source)
{
	static const DynRegSource start = DYN_REG_EMPTY_SOURCE;
	DynRegSourceBase *base = parts->has_batch ? &parts->batch : &parts->own;

	*source = start;
	source->name = parts->own.name;
	source->timestamp_field = base->timestamp_field;
	source->created_timestamp_column = base->created_timestamp_column;
	source->field_mapping = base->field_mapping;
	if (!dyn_reg_sort(reader, &source->field_mapping, sizeof(DynRegPair)))
		return false;
	if (is_postgres_class(base->class_name) || (base->class_name[0] == '\0' && base->type == TYPE_CUSTOM_SOURCE))
		return read_options(reader, base, source);
	return true;
}
