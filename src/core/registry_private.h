/*
 * registry_private.h
 *	  For registry*.c alone: messages of the registry as tables, read by one engine.
 *
 * A message is a table of the members that are wanted; all others are skipped.
 * Reading a message a second time into the same target goes on with what is there,
 * which is protobuf's merge.  The tables don't contain themselves, so nesting is
 * bounded by them.
 */
#ifndef DYN_REGISTRY_PRIVATE_H
#define DYN_REGISTRY_PRIVATE_H

#include "core/arena.h"
#include "core/pbwire.h"
#include "core/registry.h"

/* Unknown groups in each other; Feast writes none. */
#define DYN_REG_MAX_GROUPS 10

/* Where what is read goes, and what went wrong. */
typedef struct DynRegReader
{
	DynArena   *arena;
	DynStatus  *status;
} DynRegReader;

typedef enum DynRegType
{
	DYN_REG_TEXT,				/* const char *, copied and checked */
	DYN_REG_BYTES,				/* DynRegBytes */
	DYN_REG_INT,				/* int */
	DYN_REG_INT64,				/* int64_t */
	DYN_REG_BOOL,				/* bool */
	DYN_REG_PRESENT,			/* bool: a message or text is there; beside another member of its number */
	DYN_REG_MESSAGE,			/* the message's struct itself */
	DYN_REG_LIST				/* DynRegList of the message's structs; without a message, of texts */
} DynRegType;

/* Points into the input. */
typedef struct DynRegBytes
{
	const uint8_t *data;
	size_t		len;
} DynRegBytes;

/*
 * How DynRegPairs, DynRegFields and DynRegProjections are laid out.  While one is
 * read, it has room for the power of two at or above `n`.
 */
typedef struct DynRegList
{
	size_t		n;
	void	   *items;
} DynRegList;

struct DynRegMessage;

typedef struct DynRegMember
{
	uint32_t	number;
	DynRegType	type;
	size_t		offset;			/* in the message's struct */
	const char *what;			/* of a text: "its name", for messages */
	const struct DynRegMessage *message;
} DynRegMember;

/* Looks at a list's element, which is complete, and may change it.  False: status set. */
typedef bool (*DynRegCheck) (DynRegReader *reader, void *element);

typedef struct DynRegMessage
{
	const DynRegMember *members;
	size_t		nmembers;
	size_t		size;			/* of the struct */
	const void *start;			/* what it is before anything is read: texts are "" */
	DynRegCheck check;			/* of a list's element; NULL: none */
} DynRegMessage;

/* Rows of tables: a member of struct `s`; MESSAGE_HERE is a message whose members are the struct's own. */
#define TEXT_AT(number, s, member, what) {number, DYN_REG_TEXT, offsetof(s, member), what, NULL}
#define VALUE_AT(number, type, s, member) {number, type, offsetof(s, member), NULL, NULL}
#define LIST_AT(number, s, member, message) {number, DYN_REG_LIST, offsetof(s, member), NULL, message}
#define TEXTS_AT(number, s, member, what) {number, DYN_REG_LIST, offsetof(s, member), what, NULL}
#define MESSAGE_AT(number, s, member, message) {number, DYN_REG_MESSAGE, offsetof(s, member), NULL, message}
#define MESSAGE_HERE(number, message) {number, DYN_REG_MESSAGE, 0, NULL, message}

#define DYN_REG_MEMBERS(table) .members = (table), .nmembers = sizeof(table) / sizeof((table)[0])

/* registry_wire.c */

/* Sets DYN_PROTOCOL (printf style); returns false. */
extern bool dyn_reg_fail(DynRegReader *reader, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Zeroed memory; NULL: status set. */
extern void *dyn_reg_alloc(DynRegReader *reader, size_t size);

/* Copies a text.  False, status set: it is no UTF-8, or has a NUL byte; `what` says which it is. */
extern bool dyn_reg_text(DynRegReader *reader, const void *data, size_t len, const char *what, const char **text);

/* The fields of a message, into its struct, which has been set up. */
extern bool dyn_reg_read(DynRegReader *reader, const void *data, size_t len, const DynRegMessage *message,
						 void *target);

/*
 * Elements in the order of their names, of one name the last.  An element is
 * `size` bytes, and its name is its first member.  `list` is a DynRegPairs or the
 * like; nothing is added to it afterwards.
 */
extern bool dyn_reg_sort(DynRegReader *reader, void *list, size_t size);

/* Messages that more than one file reads. */
extern const DynRegMessage dyn_reg_pair_message;	/* an entry of map<string, string> */
extern const DynRegMessage dyn_reg_field_message;

/* registry_service.c */
extern const DynRegMessage dyn_reg_projection_message;

#define DYN_REG_EMPTY_PROJECTION {.view = "", .alias = "", .version = -1}

/* Reads a FeatureService; project and name are not checked. */
extern bool dyn_reg_read_service(DynRegReader *reader, const void *data, size_t len, DynRegService *service);

/* registry_source.c: a DataSource */
typedef struct DynRegSourceBase
{
	const char *name;
	int			type;			/* DataSource.SourceType */
	const char *class_name;
	DynRegBytes configuration;	/* of a source that Feast does not have a message for */
	const char *timestamp_field;
	const char *created_timestamp_column;
	DynRegPairs field_mapping;
	DynRegFields request;		/* of a RequestSource */
} DynRegSourceBase;

typedef struct DynRegSourceParts
{
	DynRegSourceBase own;
	bool		has_batch;
	DynRegSourceBase batch;		/* of a push or stream source */
} DynRegSourceParts;

#define DYN_REG_SOURCE_BASE_START \
	{.name = "", .class_name = "", .timestamp_field = "", .created_timestamp_column = ""}
#define DYN_REG_SOURCE_START {.own = DYN_REG_SOURCE_BASE_START, .batch = DYN_REG_SOURCE_BASE_START}
#define DYN_REG_EMPTY_SOURCE \
	{.name = "", .table = "", .query = "", .timestamp_field = "", .created_timestamp_column = ""}

extern const DynRegMessage dyn_reg_source_message;
extern const DynRegMessage dyn_reg_source_base_message;

/* What a view keeps of it. */
extern bool dyn_reg_make_source(DynRegReader *reader, DynRegSourceParts *parts, DynRegSource *source);

/* registry_on_demand.c: what OnDemandFeatureViewSpec has beside the members of all views */
typedef struct DynRegOnDemandParts
{
	bool		has_function;
	bool		has_substrait;
	const char *name;			/* of the function */
	const char *function_mode;
	const char *text;
	const char *mode;
	bool		singleton;
	DynRegList	inputs;			/* of dyn_reg_input_message */
} DynRegOnDemandParts;

#define DYN_REG_ON_DEMAND_START {.name = "", .function_mode = "", .text = "", .mode = ""}
#define DYN_REG_EMPTY_TRANSFORMATION {.name = "", .mode = "", .text = ""}

extern const DynRegMessage dyn_reg_input_message;
extern const DynRegMessage dyn_reg_function_message;
extern const DynRegMessage dyn_reg_feature_transformation_message;

extern bool dyn_reg_make_transformation(DynRegReader *reader, DynRegOnDemandParts *parts,
										DynRegTransformation *transformation);

/* registry_view.c */

/* Reads a view of a kind; project and name are not checked. */
extern bool dyn_reg_read_view(DynRegReader *reader, DynRegKind kind, const void *data, size_t len, DynRegView *view);

/* registry.c */

/* An object's bytes, and what is known of it beside them. */
typedef struct DynRegBlob
{
	DynRegObject type;
	const uint8_t *data;
	size_t		len;
	const char *project;		/* NULL: what the bytes say */
	const char *name;			/* NULL: what the bytes say */
	int			version;		/* in the version history; -1: not there */
} DynRegBlob;

extern DynRegKind dyn_reg_object_kind(DynRegObject type);

/* Reads an object and adds it. */
extern bool dyn_reg_add_object(DynRegistry *registry, DynRegReader *reader, const DynRegBlob *object);

#endif							/* DYN_REGISTRY_PRIVATE_H */
