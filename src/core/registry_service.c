/*
 * registry_service.c
 *	  Feature services of the registry, and projections, which they consist of.
 */
#include "core/registry_private.h"

static bool finish_projection(DynRegReader *reader, void *element);

static const DynRegMember projection_members[] = {
	TEXT_AT(1, DynRegProjection, view, "the name of a view"),
	LIST_AT(2, DynRegProjection, features, &dyn_reg_field_message),
	TEXT_AT(3, DynRegProjection, alias, "the alias of a view"),
	LIST_AT(4, DynRegProjection, join_key_map, &dyn_reg_pair_message),
	VALUE_AT(10, DYN_REG_INT, DynRegProjection, version)
};
static const DynRegProjection projection_start = DYN_REG_EMPTY_PROJECTION;
const DynRegMessage dyn_reg_projection_message = {
	DYN_REG_MEMBERS(projection_members), .size = sizeof(DynRegProjection), .start = &projection_start,
	.check = finish_projection
};

static const DynRegMember spec_members[] = {
	TEXT_AT(1, DynRegService, name, "its name"),
	TEXT_AT(2, DynRegService, project, "its project"),
	LIST_AT(3, DynRegService, projections, &dyn_reg_projection_message),
	LIST_AT(4, DynRegService, tags, &dyn_reg_pair_message),
	TEXT_AT(5, DynRegService, description, "its description"),
	TEXT_AT(6, DynRegService, owner, "its owner"),
	VALUE_AT(8, DYN_REG_BOOL, DynRegService, precompute_online)
};
static const DynRegMessage spec_message = {DYN_REG_MEMBERS(spec_members)};

static const DynRegMember service_members[] = {MESSAGE_HERE(1, &spec_message)};
static const DynRegMessage service_message = {DYN_REG_MEMBERS(service_members)};

static bool
finish_projection(DynRegReader *reader, void *element)
{
	DynRegProjection *projection = element;

	if (projection->view[0] == '\0')
		return dyn_reg_fail(reader, "the name of a view that it uses is empty");
	if (projection->version < -1)
		return dyn_reg_fail(reader, "the version of a view that it uses is negative");
	return dyn_reg_sort(reader, &projection->join_key_map, sizeof(DynRegPair));
}

bool
dyn_reg_read_service(DynRegReader *reader, const void *data, size_t len, DynRegService *service)
{
	static const DynRegService start = {.name = "", .project = "", .description = "", .owner = ""};

	*service = start;
	return dyn_reg_read(reader, data, len, &service_message, service) &&
		dyn_reg_sort(reader, &service->tags, sizeof(DynRegPair));
}
