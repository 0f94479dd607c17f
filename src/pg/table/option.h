/*
 * option.h
 *	  Options of servers, user mappings, foreign tables and columns: one table
 *	  that drives validator, hints, defaults and lookups.
 */
#ifndef DYN_OPTION_H
#define DYN_OPTION_H

#include "nodes/parsenodes.h"

#include "core/endpoint.h"

/* Where an option may stand; bits of DynOptionDef.where. */
typedef enum DynOptionPlace
{
	DYN_ON_NOTHING = 0,			/* what has no options here */
	DYN_ON_SERVER = 1,
	DYN_ON_TABLE = 2,
	DYN_ON_MAPPING = 4,
	DYN_ON_COLUMN = 8
} DynOptionPlace;

typedef enum DynOptionKind
{
	DYN_OPT_TEXT,				/* any text but the empty one */
	DYN_OPT_BOOL,
	DYN_OPT_INT,
	DYN_OPT_REAL,
	DYN_OPT_CHOICE,
	DYN_OPT_REGION,
	DYN_OPT_URL,
	DYN_OPT_TEMPLATE,			/* remote table name with {project} and {table_name} */
	DYN_OPT_TABLE_NAME,
	DYN_OPT_FILE,				/* absolute path on the server */
	DYN_OPT_REGISTRY,			/* of Feast: s3://bucket/key, a path, or a schema */
	DYN_OPT_VALUE_TYPE,
	DYN_OPT_TAGS,				/* JSON object of strings */
	DYN_OPT_CEILING,			/* of request units; -1: none */
	DYN_OPT_WARM_THROUGHPUT,	/* as AWS's command line has it */
	DYN_OPT_KMS_KEY,
	DYN_OPT_INTERVAL,			/* as a timedelta of Python: days and shorter */
	DYN_OPT_ATTRIBUTE,			/* attribute of items beside Feast's own */
	DYN_OPT_ROLE_ARN,			/* of an IAM role */
	DYN_OPT_EXTERNAL_ID,		/* that the role's account asks for */
	DYN_OPT_SESSION_NAME		/* of a role that is assumed */
} DynOptionKind;

/* Bits of DynOptionDef.flags. */
typedef enum DynOptionFlag
{
	DYN_OPT_SECRET = 1,			/* its value appears in no message */
	DYN_OPT_SUPERUSER = 2		/* only a superuser may name it in a statement; of servers only */
} DynOptionFlag;

typedef struct DynOptionDef
{
	const char *name;
	int			where;			/* DYN_ON_* bits */
	DynOptionKind kind;
	const char *fallback;		/* default as text, NULL: none */
	double		min;			/* of INT and REAL */
	double		max;			/* of an interval: seconds; of a secret: its length */
	const char *const *choices; /* of CHOICE, NULL-terminated */
	int			flags;			/* DYN_OPT_* bits */
} DynOptionDef;

/* All definitions, ended by one without a name. */
extern const DynOptionDef dyn_option_defs[];

/* The definition of `name`, NULL where there is none. */
extern const DynOptionDef *dyn_option_find(const char *name);

/* An option's value as text; "" where a catalog has been edited so that there is none. */
extern const char *dyn_option_value(const DefElem *elem);

/*
 * Value in the first of two DefElem lists that has it, else the default;
 * the second list may be NIL.  They throw nothing: that values are valid has
 * been checked before (option_check.h).
 */
extern const char *dyn_option_given(const char *name, List *options);	/* in the list itself; NULL: not */
extern const char *dyn_option_text(const char *name, List *first, List *second);
extern bool dyn_option_bool(const char *name, List *first, List *second);
extern int	dyn_option_int(const char *name, List *first, List *second);
extern double dyn_option_real(const char *name, List *first, List *second);
extern int64 dyn_option_interval(const char *name, List *first, List *second);	/* microseconds; 0: none */

/* Reads an interval that has a length of its own: no months, and not negative.  Throws nothing. */
extern bool dyn_interval_parse(const char *text, int64 *micros);

/* The server's endpoint: endpoint_url, else the region's, of the kind that is asked for. False: neither is valid (the validator refuses that). */
extern bool dyn_option_endpoint(List *server_options, DynEndpoint *endpoint);

/*
 * The region that requests are signed for, NULL where there is none: "local" is
 * signed as it stands only with an endpoint_url.  DynamoDB Local keeps tables
 * apart by it, and this is how botocore, and so Feast, signs.
 */
extern const char *dyn_option_signing_region(List *server_options);

#endif							/* DYN_OPTION_H */
