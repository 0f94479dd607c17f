/*
 * registry_wire.c
 *	  The engine that reads messages of the registry by their tables.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/registry_private.h"
#include "core/utf8.h"

static bool check_field_name(DynRegReader *reader, void *element);

static const DynRegMember pair_members[] = {
	TEXT_AT(1, DynRegPair, name, "the name of a tag or mapping"),
	TEXT_AT(2, DynRegPair, value, "the value of a tag or mapping")
};
static const DynRegPair pair_start = {.name = "", .value = ""};
const DynRegMessage dyn_reg_pair_message = {
	DYN_REG_MEMBERS(pair_members), .size = sizeof(DynRegPair), .start = &pair_start
};

static const DynRegMember field_members[] = {
	TEXT_AT(1, DynRegField, name, "the name of a field"),
	VALUE_AT(2, DYN_REG_INT, DynRegField, value_type),
	TEXT_AT(4, DynRegField, description, "the description of a field")
};
static const DynRegField field_start = {.name = "", .description = ""};
const DynRegMessage dyn_reg_field_message = {
	DYN_REG_MEMBERS(field_members), .size = sizeof(DynRegField), .start = &field_start, .check = check_field_name
};

bool
dyn_reg_fail(DynRegReader *reader, const char *fmt, ...)
{
	va_list		args;

	va_start(args, fmt);
	dyn_status_vset(reader->status, DYN_PROTOCOL, fmt, args);
	va_end(args);
	return false;
}

void *
dyn_reg_alloc(DynRegReader *reader, size_t size)
{
	void	   *memory = dyn_arena_alloc(reader->arena, size);

	if (memory == NULL)
		dyn_status_no_memory(reader->status);
	return memory;
}

static bool
check_field_name(DynRegReader *reader, void *element)
{
	return ((DynRegField *) element)->name[0] != '\0' || dyn_reg_fail(reader, "the name of a field is empty");
}

bool
dyn_reg_text(DynRegReader *reader, const void *data, size_t len, const char *what, const char **text)
{
	char	   *copy;

	if (len == 0)
	{
		*text = "";
		return true;
	}
	if (!dyn_utf8_valid(data, len))
		return dyn_reg_fail(reader, "%s is not valid UTF-8", what);
	if (memchr(data, '\0', len) != NULL)
		return dyn_reg_fail(reader, "%s has a zero byte in it", what);
	copy = dyn_reg_alloc(reader, len + 1);
	if (copy == NULL)
		return false;
	memcpy(copy, data, len);
	*text = copy;
	return true;
}

/* A new last element of a list; NULL: status set. */
static void *
list_add(DynRegReader *reader, DynRegList *list, size_t size)
{
	/* no element, or a power of two of them: no room is left */
	if ((list->n & (list->n - 1)) == 0)
	{
		void	   *bigger = dyn_reg_alloc(reader, (list->n > 0 ? 2 * list->n : 1) * size);

		if (bigger == NULL)
			return NULL;
		if (list->n > 0)
			memcpy(bigger, list->items, list->n * size);
		list->items = bigger;
	}
	return (char *) list->items + list->n++ * size;
}

/* An element of a list at `place`, whose type is one of many: it is copied out and in. */
static bool
read_element(DynRegReader *reader, const DynRegMember *member, const DynPbField *field, void *place)
{
	const DynRegMessage *message = member->message;
	DynRegList	list;
	void	   *element;

	memcpy(&list, place, sizeof(list));
	element = list_add(reader, &list, message ? message->size : sizeof(const char *));
	if (element == NULL)
		return false;
	memcpy(place, &list, sizeof(list));
	if (message == NULL)
		return dyn_reg_text(reader, field->data, field->len, member->what, element);
	memcpy(element, message->start, message->size);
	return dyn_reg_read(reader, field->data, field->len, message, element) &&
		(message->check == NULL || message->check(reader, element));
}

/* A field whose wire type is the member's. */
static bool
read_member(DynRegReader *reader, const DynRegMember *member, const DynPbField *field, void *place)
{
	switch (member->type)
	{
		case DYN_REG_TEXT:
			return dyn_reg_text(reader, field->data, field->len, member->what, place);
		case DYN_REG_BYTES:
			((DynRegBytes *) place)->data = field->data;
			((DynRegBytes *) place)->len = field->len;
			break;
		case DYN_REG_INT:
			*(int *) place = (int32_t) (uint32_t) field->value;
			break;
		case DYN_REG_INT64:
			*(int64_t *) place = (int64_t) field->value;
			break;
		case DYN_REG_BOOL:
			*(bool *) place = field->value != 0;
			break;
		case DYN_REG_PRESENT:
			*(bool *) place = true;
			break;
		case DYN_REG_MESSAGE:
			return dyn_reg_read(reader, field->data, field->len, member->message, place);
		case DYN_REG_LIST:
			return read_element(reader, member, field, place);
	}
	return true;
}

static DynPbWire
member_wire(DynRegType type)
{
	return type == DYN_REG_INT || type == DYN_REG_INT64 || type == DYN_REG_BOOL ? DYN_PB_VARINT : DYN_PB_LEN;
}

bool
dyn_reg_read(DynRegReader *reader, const void *data, size_t len, const DynRegMessage *message, void *target)
{
	DynPbReader wire;
	DynPbField	field;

	dyn_pb_init(&wire, data, len, DYN_REG_MAX_GROUPS);
	while (dyn_pb_next(&wire, &field))
	{
		for (size_t i = 0; i < message->nmembers; i++)
		{
			const DynRegMember *member = &message->members[i];

			if (member->number == field.number && member_wire(member->type) == field.wire &&
				!read_member(reader, member, &field, (char *) target + member->offset))
				return false;
		}
	}
	return dyn_pb_at_end(&wire) || dyn_reg_fail(reader, "its bytes are cut or damaged");
}

/* Name of an element, of which it is the first member. */
static const char *
element_name(const void *element)
{
	return *(const char *const *) element;
}

/* For qsort(), of pointers into one array: by name, and of one name by place. */
static int
compare_by_name(const void *a, const void *b)
{
	const char *x = *(const char *const *) a;
	const char *y = *(const char *const *) b;
	int			c = strcmp(element_name(x), element_name(y));

	return c != 0 ? c : (x > y) - (x < y);
}

bool
dyn_reg_sort(DynRegReader *reader, void *list, size_t size)
{
	DynRegList	old;
	DynRegList	sorted = {0};
	const char **order;

	memcpy(&old, list, sizeof(old));
	if (old.n < 2)
		return true;
	order = dyn_reg_alloc(reader, old.n * sizeof(*order));
	sorted.items = dyn_reg_alloc(reader, old.n * size);
	if (order == NULL || sorted.items == NULL)
		return false;
	for (size_t i = 0; i < old.n; i++)
		order[i] = (const char *) old.items + i * size;
	qsort(order, old.n, sizeof(*order), compare_by_name);
	for (size_t i = 0; i < old.n; i++)
	{
		if (i + 1 < old.n && strcmp(element_name(order[i]), element_name(order[i + 1])) == 0)
			continue;
		memcpy((char *) sorted.items + sorted.n++ * size, order[i], size);
	}
	memcpy(list, &sorted, sizeof(sorted));
	return true;
}
