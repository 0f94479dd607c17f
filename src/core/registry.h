/*
 * registry.h
 *	  Feast's registry, decoded: what tables, functions and loads are made from.
 *
 * A registry is one serialized feast.core.Registry (a file), or many objects,
 * each serialized alone (rows of Feast's SQL registry); both give the same
 * structs.  The bytes are hostile: every text here is valid UTF-8 without NUL
 * bytes, names are not empty, and what is not known is skipped.  Texts are never
 * NULL unless their comment says so.
 */
#ifndef DYN_REGISTRY_H
#define DYN_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/* Entries of a map<string, string>, sorted by name; of two of one name the later. */
typedef struct DynRegPair
{
	const char *name;
	const char *value;
} DynRegPair;

typedef struct DynRegPairs
{
	size_t		n;
	const DynRegPair *pair;
} DynRegPairs;

/* A FeatureSpecV2. */
typedef struct DynRegField
{
	const char *name;
	int			value_type;		/* ValueType.Enum: DynFeastType, or a number that is not known */
	const char *description;	/* "": none */
} DynRegField;

typedef struct DynRegFields
{
	size_t		n;
	const DynRegField *field;
} DynRegFields;

/* Where a view's rows come from. */
typedef struct DynRegSource
{
	const char *name;
	bool		postgres;		/* a PostgreSQLSource, by its class or its options; its batch source's, of a push
								 * source */
	const char *table;			/* of a PostgreSQLSource, what stands in FROM; "": none */
	const char *query;			/* of a PostgreSQLSource; "": none */
	const char *timestamp_field;	/* "": none */
	const char *created_timestamp_column;	/* "": none */
	DynRegPairs field_mapping;	/* column of the source to name in Feast */
} DynRegSource;

/* What a service, or an on-demand view, takes of a view. */
typedef struct DynRegProjection
{
	const char *view;
	const char *alias;			/* "": none */
	int			version;		/* version_tag; -1: none */
	DynRegFields features;
	DynRegPairs join_key_map;	/* join key of the view to that of the request */
} DynRegProjection;

typedef struct DynRegProjections
{
	size_t		n;
	const DynRegProjection *projection;
} DynRegProjections;

typedef enum DynRegKind
{
	DYN_REG_FEATURE_VIEW,		/* batch feature views are such, too */
	DYN_REG_STREAM_VIEW,
	DYN_REG_LABEL_VIEW,
	DYN_REG_ON_DEMAND_VIEW
} DynRegKind;

/* How the code of an on-demand view is run. */
typedef struct DynRegTransformation
{
	bool		present;		/* false: aggregations alone */
	bool		substrait;		/* a plan of Substrait, and no text */
	const char *name;			/* of the function; "": none */
	const char *mode;			/* "python", "pandas", "substrait"; "": not said */
	const char *text;			/* its source; "": only compiled code is there */
	bool		singleton;
	DynRegFields request;		/* request data, in the order of its source; each once */
	DynRegProjections inputs;	/* of views, in the order of their names */
} DynRegTransformation;

typedef struct DynRegView
{
	DynRegKind	kind;
	const char *name;
	const char *project;
	const char *description;
	const char *owner;
	DynRegPairs tags;
	bool		entityless;		/* its only key is __dummy_id, which is not among `keys` */
	DynRegFields keys;			/* entity_columns, in their order */
	DynRegFields features;		/* without those that are keys; a stream view's, which have no order, by name */
	double		ttl_seconds;	/* 0: none */
	bool		online;			/* has a table: `online`, or of an on-demand view write_to_online_store */
	bool		disabled;
	int			state;			/* meta.state */
	int			version;		/* meta.current_version_number; 0: none.  In the history: the number of the record */
	bool		has_source;
	DynRegSource source;		/* batch source, also of a push or stream source */
	DynRegTransformation transformation;	/* of an on-demand view */
} DynRegView;

typedef struct DynRegService
{
	const char *name;
	const char *project;
	const char *description;
	const char *owner;
	DynRegPairs tags;
	bool		precompute_online;
	DynRegProjections projections;
} DynRegService;

typedef struct DynRegistry
{
	struct DynArena *arena;		/* has all that is below */
	size_t		nprojects;		/* those listed, and those that an object names; sorted, each once */
	const char **projects;
	size_t		nviews;			/* of all projects, in the registry's order */
	DynRegView *views;
	size_t		nhistory;		/* views as they were in other versions */
	DynRegView *history;
	size_t		nservices;
	DynRegService *services;
	size_t		cap_projects;	/* room of the arrays */
	size_t		cap_views;
	size_t		cap_history;
	size_t		cap_services;
	const DynRegView **views_by_name;	/* for lookups */
	const DynRegView **history_by_name;
} DynRegistry;

/* An empty one; NULL: out of memory. */
extern DynRegistry *dyn_registry_new(void);

/* NULL is fine. */
extern void dyn_registry_free(DynRegistry *registry);

/*
 * Reads a serialized feast.core.Registry, into a registry that is empty.  False,
 * `status` set (DYN_PROTOCOL: these bytes are none; its message says why): the
 * registry can only be freed.
 */
extern bool dyn_registry_read(DynRegistry *registry, const void *data, size_t len, DynStatus *status);

/* What the rows of a SQL registry hold. */
typedef enum DynRegObject
{
	DYN_REG_OBJECT_PROJECT,
	DYN_REG_OBJECT_FEATURE_VIEW,
	DYN_REG_OBJECT_STREAM_VIEW,
	DYN_REG_OBJECT_LABEL_VIEW,
	DYN_REG_OBJECT_ON_DEMAND_VIEW,
	DYN_REG_OBJECT_SERVICE
} DynRegObject;

/* Which view a record of the version history holds, by its type ("feature_view"); false: one that is not known. */
extern bool dyn_registry_history_object(const char *type, DynRegObject *object);

/*
 * Adds one object, whose project is `project` whatever its bytes say.  In a
 * version history `version` is the row's number, else -1.  Failure as above; the
 * message does not name the object.
 */
extern bool dyn_registry_add(DynRegistry *registry, DynRegObject object, const char *project, int version,
							 const void *data, size_t len, DynStatus *status);

/*
 * To be called after the last dyn_registry_add(): before it `projects` is neither
 * sorted nor distinct, and no view is found.  dyn_registry_read() does it itself.
 * False: no memory.
 */
extern bool dyn_registry_finish(DynRegistry *registry, DynStatus *status);

/* The view of a project by its exact name, the first if there are more; NULL: none. */
extern const DynRegView *dyn_registry_view(const DynRegistry *registry, const char *project, const char *name);

/* The same as it was in a version: its record in the history, else the view itself if it has that version now. */
extern const DynRegView *dyn_registry_view_version(const DynRegistry *registry, const char *project, const char *name,
												   int version);

/* "feature view", "stream feature view" and so on, for messages. */
extern const char *dyn_reg_kind_name(DynRegKind kind);

#endif							/* DYN_REGISTRY_H */
