/*
 * registry_on_demand.c
 *	  What an on-demand view computes, and from what.
 */
#include <stdlib.h>
#include <string.h>

#include "core/registry_private.h"

/* An entry of the map of sources. */
typedef struct Input
{
	const char *name;
	bool		has_view;
	DynRegProjection projection;
	bool		has_request;
	DynRegSourceBase request;
} Input;

static bool finish_input(DynRegReader *reader, void *element);

/* Old registries hold the whole feature view: of it, what a projection takes. */
static const DynRegMember old_spec_members[] = {
	TEXT_AT(1, DynRegProjection, view, "the name of a view"),
	LIST_AT(4, DynRegProjection, features, &dyn_reg_field_message)
};
static const DynRegMessage old_spec_message = {DYN_REG_MEMBERS(old_spec_members)};
static const DynRegMember old_view_members[] = {MESSAGE_HERE(1, &old_spec_message)};
static const DynRegMessage old_view_message = {DYN_REG_MEMBERS(old_view_members)};

/* A oneof, of which Feast writes one member. */
static const DynRegMember input_value_members[] = {
	VALUE_AT(1, DYN_REG_PRESENT, Input, has_view),
	MESSAGE_AT(1, Input, projection, &old_view_message),
	VALUE_AT(2, DYN_REG_PRESENT, Input, has_request),
	MESSAGE_AT(2, Input, request, &dyn_reg_source_base_message),
	VALUE_AT(3, DYN_REG_PRESENT, Input, has_view),
	MESSAGE_AT(3, Input, projection, &dyn_reg_projection_message)
};
static const DynRegMessage input_value_message = {DYN_REG_MEMBERS(input_value_members)};

static const DynRegMember input_members[] = {
	TEXT_AT(1, Input, name, "the name of a source"),
	MESSAGE_HERE(2, &input_value_message)
};
static const Input input_start = {
	.name = "", .projection = DYN_REG_EMPTY_PROJECTION, .request = DYN_REG_SOURCE_BASE_START
};
const DynRegMessage dyn_reg_input_message = {
	DYN_REG_MEMBERS(input_members), .size = sizeof(Input), .start = &input_start, .check = finish_input
};

static const DynRegMember function_members[] = {
	TEXT_AT(1, DynRegOnDemandParts, name, "the name of its function"),
	TEXT_AT(3, DynRegOnDemandParts, text, "the text of its function"),
	TEXT_AT(4, DynRegOnDemandParts, function_mode, "the mode of its function")
};
const DynRegMessage dyn_reg_function_message = {DYN_REG_MEMBERS(function_members)};

static const DynRegMember transformation_members[] = {
	VALUE_AT(1, DYN_REG_PRESENT, DynRegOnDemandParts, has_function),
	MESSAGE_HERE(1, &dyn_reg_function_message),
	VALUE_AT(2, DYN_REG_PRESENT, DynRegOnDemandParts, has_substrait)
};
const DynRegMessage dyn_reg_feature_transformation_message = {DYN_REG_MEMBERS(transformation_members)};

static bool
finish_input(DynRegReader *reader, void *element)
{
	Input	   *input = element;

	return !input->has_view || dyn_reg_projection_message.check(reader, &input->projection);
}

/* Appends the fields of request data; there is room for them. */
static void
add_request(DynRegFields *request, const DynRegFields *more)
{
	if (more->n > 0)
		memcpy((DynRegField *) request->field + request->n, more->field, more->n * sizeof(DynRegField));
	request->n += more->n;
}

/* Makes room for what all inputs have. */
static bool
reserve_inputs(DynRegReader *reader, const Input *inputs, size_t n, DynRegTransformation *transformation)
{
	size_t		fields = 0;

	for (size_t i = 0; i < n; i++)
		fields += inputs[i].has_view ? 0 : inputs[i].request.request.n;
	transformation->request.field = dyn_reg_alloc(reader, fields * sizeof(DynRegField));
	transformation->inputs.projection = dyn_reg_alloc(reader, n * sizeof(DynRegProjection));
	return transformation->request.field != NULL && transformation->inputs.projection != NULL;
}

/* For bsearch() */
static int
compare_request_name(const void *name, const void *field)
{
	return strcmp(name, ((const DynRegField *) field)->name);
}

/*
 * Leaves each name once, where it stands last: two sources may share a field.
 * Every element has a copy of its name for itself, by which it is known in the
 * sorted list.
 */
static bool
remove_repeated_requests(DynRegReader *reader, DynRegFields *request)
{
	DynRegField *fields = (DynRegField *) request->field;
	DynRegFields sorted = *request;
	size_t		kept = 0;

	if (!dyn_reg_sort(reader, &sorted, sizeof(DynRegField)))
		return false;
	for (size_t i = 0; i < request->n && sorted.n < request->n; i++)
	{
		const DynRegField *last = bsearch(fields[i].name, sorted.field, sorted.n, sizeof(DynRegField),
										  compare_request_name);

		if (last && last->name == fields[i].name)
			fields[kept++] = fields[i];
	}
	if (sorted.n < request->n)
		request->n = kept;
	return true;
}

/* Inputs in the order of their names, as views and as request data, whose fields keep their order. */
static bool
split_inputs(DynRegReader *reader, DynRegList *list, DynRegTransformation *transformation)
{
	DynRegProjections *views = &transformation->inputs;
	const Input *inputs;

	if (!dyn_reg_sort(reader, list, sizeof(Input)))
		return false;
	inputs = list->items;
	if (!reserve_inputs(reader, inputs, list->n, transformation))
		return false;
	for (size_t i = 0; i < list->n; i++)
	{
		if (inputs[i].has_view)
			((DynRegProjection *) views->projection)[views->n++] = inputs[i].projection;
		else
			add_request(&transformation->request, &inputs[i].request.request);
	}
	return remove_repeated_requests(reader, &transformation->request);
}

bool
dyn_reg_make_transformation(DynRegReader *reader, DynRegOnDemandParts *parts, DynRegTransformation *transformation)
{
	transformation->present = parts->has_function || parts->has_substrait;
	transformation->substrait = parts->has_substrait && !parts->has_function;
	transformation->name = parts->name;
	transformation->text = parts->text;
	transformation->singleton = parts->singleton;
	transformation->mode = parts->mode[0] != '\0' ? parts->mode : parts->function_mode;
	if (transformation->mode[0] == '\0' && transformation->substrait)
		transformation->mode = "substrait";
	return split_inputs(reader, &parts->inputs, transformation);
}
