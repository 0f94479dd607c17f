/*
 * registry_file.c
 *	  A whole registry, as it lies in a file.
 */
#include <stdio.h>
#include <string.h>

#include "core/registry_private.h"
#include "core/utf8.h"

/* Fields of feast.core.Registry. */
#define FIELD_SCHEMA_VERSION 3
#define FIELD_HISTORY 18

/* Bytes of a name that a message quotes. */
#define QUOTED_NAME 100

static const struct
{
	uint32_t	number;
	DynRegObject object;
}			object_fields[] = {
	{6, DYN_REG_OBJECT_FEATURE_VIEW}, {7, DYN_REG_OBJECT_SERVICE}, {8, DYN_REG_OBJECT_ON_DEMAND_VIEW},
	{14, DYN_REG_OBJECT_STREAM_VIEW}, {17, DYN_REG_OBJECT_PROJECT}, {19, DYN_REG_OBJECT_LABEL_VIEW}
};

/* FeatureViewVersionRecord */
typedef struct HistoryRecord
{
	const char *view;
	const char *project;
	int			version;
	const char *type;
	DynRegBytes data;			/* the view, serialized */
} HistoryRecord;

static const DynRegMember record_members[] = {
	TEXT_AT(1, HistoryRecord, view, "the name of a view in the version history"),
	TEXT_AT(2, HistoryRecord, project, "a project in the version history"),
	VALUE_AT(3, DYN_REG_INT, HistoryRecord, version),
	TEXT_AT(4, HistoryRecord, type, "the type of a view in the version history"),
	VALUE_AT(5, DYN_REG_BYTES, HistoryRecord, data)
};
static const DynRegMessage record_message = {DYN_REG_MEMBERS(record_members)};

/* ---- messages ---- */

/* Of a message the first member of this number that is text or a message itself. */
static bool
first_member(const uint8_t *data, size_t len, uint32_t number, DynPbField *field)
{
	DynPbReader wire;

	dyn_pb_init(&wire, data, len, DYN_REG_MAX_GROUPS);
	while (dyn_pb_next(&wire, field))
		if (field->number == number && field->wire == DYN_PB_LEN)
			return true;
	return false;
}

/* As many bytes of a text as end with a whole letter. */
static int
quoted_length(const char *text, size_t len)
{
	if (len <= QUOTED_NAME)
		return (int) len;
	for (len = QUOTED_NAME; len > 0 && ((unsigned char) text[len] & 0xc0) == 0x80;)
		len--;
	return (int) len;
}

/* A name of the registry may hold control characters, which are not for logs and terminals. */
static void
clean_message(char *message)
{
	for (; *message; message++)
		if ((unsigned char) *message < ' ' || *message == 0x7f)
			*message = '?';
}

/* Says in the message which object it is about: by its name, if that can be read, else by its place. */
static void
name_object(DynStatus *status, const DynRegBlob *object, size_t number)
{
	const char *what = object->type == DYN_REG_OBJECT_PROJECT ? "project" :
		object->type == DYN_REG_OBJECT_SERVICE ? "feature service" : dyn_reg_kind_name(dyn_reg_object_kind(object->type));
	char		message[sizeof(status->message)];
	char		version[40] = "";
	DynPbField	spec;
	DynPbField	name;

	if (status->cls != DYN_PROTOCOL)
		return;
	if (object->version >= 0)
		snprintf(version, sizeof(version), "version %d of ", object->version);
	memcpy(message, status->message, sizeof(message));
	if (first_member(object->data, object->len, 1, &spec) && first_member(spec.data, spec.len, 1, &name) &&
		name.len > 0 && dyn_utf8_valid(name.data, name.len) && memchr(name.data, '\0', name.len) == NULL)
		dyn_status_set(status, DYN_PROTOCOL, "%s%s \"%.*s\": %s", version, what,
					   quoted_length((const char *) name.data, name.len), (const char *) name.data, message);
	else
		dyn_status_set(status, DYN_PROTOCOL, "%s%s number %zu: %s", version, what, number, message);
	clean_message(status->message);
}

/* ---- the whole file ---- */

/* What a field of the registry is; false: nothing that is of interest. */
static bool
object_of_field(const DynPbField *field, DynRegObject *type)
{
	for (size_t i = 0; i < sizeof(object_fields) / sizeof(object_fields[0]); i++)
	{
		if (field->number == object_fields[i].number && field->wire == DYN_PB_LEN)
		{
			*type = object_fields[i].object;
			return true;
		}
	}
	return false;
}

/* Makes an array of just `n` elements. */
static bool
make_array(DynRegReader *reader, size_t n, size_t size, void *array, size_t *cap)
{
	void	   *memory = dyn_reg_alloc(reader, n * size);

	if (memory == NULL)
		return false;
	memcpy(array, &memory, sizeof(memory));
	*cap = n;
	return true;
}

/*
 * Looks whether these bytes are a registry at all, and makes room for its views
 * and services: they are big, so that no room is made that stays empty.
 */
static bool
survey(DynRegistry *registry, DynRegReader *reader, const void *data, size_t len)
{
	bool		has_version = false;
	size_t		services = 0;
	size_t		views = 0;
	DynPbReader wire;
	DynPbField	field;
	DynRegObject type;

	dyn_pb_init(&wire, data, len, DYN_REG_MAX_GROUPS);
	while (dyn_pb_next(&wire, &field))
	{
		has_version |= field.number == FIELD_SCHEMA_VERSION && field.wire == DYN_PB_LEN;
		if (object_of_field(&field, &type) && type != DYN_REG_OBJECT_PROJECT)
			*(type == DYN_REG_OBJECT_SERVICE ? &services : &views) += 1;
	}
	if (!dyn_pb_at_end(&wire))
		return dyn_reg_fail(reader, "it is not a registry of Feast, or it is cut or damaged");
	if (!has_version)
		return dyn_reg_fail(reader, "it is not a registry of Feast: it has no registry_schema_version");
	return make_array(reader, views, sizeof(DynRegView), &registry->views, &registry->cap_views) &&
		make_array(reader, services, sizeof(DynRegService), &registry->services, &registry->cap_services);
}

/* A version of a view; those of kinds that are not known are skipped. */
static bool
add_record(DynRegistry *registry, DynRegReader *reader, const DynPbField *field, size_t number)
{
	HistoryRecord record = {.view = "", .project = "", .type = "", .data = {(const uint8_t *) "", 0}};
	DynRegBlob	object = {0};

	if (!dyn_reg_read(reader, field->data, field->len, &record_message, &record))
		return false;
	if (!dyn_registry_history_object(record.type, &object.type))
		return true;
	object.data = record.data.data;
	object.len = record.data.len;
	object.project = record.project;
	object.name = record.view;
	object.version = record.version < 0 ? 0 : record.version;
	if (dyn_reg_add_object(registry, reader, &object))
		return true;
	name_object(reader->status, &object, number);
	return false;
}

/* FeatureViewVersionHistory: a list of records. */
static bool
read_history(DynRegistry *registry, DynRegReader *reader, const DynPbField *history)
{
	size_t		number = 0;
	DynPbReader wire;
	DynPbField	field;

	dyn_pb_init(&wire, history->data, history->len, DYN_REG_MAX_GROUPS);
	while (dyn_pb_next(&wire, &field))
		if (field.number == 1 && field.wire == DYN_PB_LEN && !add_record(registry, reader, &field, ++number))
			return false;
	return dyn_pb_at_end(&wire) || dyn_reg_fail(reader, "its version history is cut or damaged");
}

/* All objects, in their order. */
static bool
read_objects(DynRegistry *registry, DynRegReader *reader, const void *data, size_t len)
{
	size_t		numbers[DYN_REG_OBJECT_SERVICE + 1] = {0};
	DynPbReader wire;
	DynPbField	field;
	DynRegObject type;

	dyn_pb_init(&wire, data, len, DYN_REG_MAX_GROUPS);
	while (dyn_pb_next(&wire, &field))
	{
		if (object_of_field(&field, &type))
		{
			DynRegBlob	object = {.type = type, .data = field.data, .len = field.len, .version = -1};

			numbers[type]++;
			if (!dyn_reg_add_object(registry, reader, &object))
			{
				name_object(reader->status, &object, numbers[type]);
				return false;
			}
		}
		else if (field.number == FIELD_HISTORY && field.wire == DYN_PB_LEN &&
				 !read_history(registry, reader, &field))
			return false;
	}
	return true;
}

bool
dyn_registry_read(DynRegistry *registry, const void *data, size_t len, DynStatus *status)
{
	DynRegReader reader = {.arena = registry->arena, .status = status};

	if (len == 0)
		return dyn_reg_fail(&reader, "it is empty");
	return survey(registry, &reader, data, len) && read_objects(registry, &reader, data, len) &&
		dyn_registry_finish(registry, status);
}
