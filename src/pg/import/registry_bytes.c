/*
 * registry_bytes.c
 *	  Feast's registry as it is stored: a file of the server, or an object of S3.
 *
 * Not the file functions of the server (genfile.c): they take a FIFO for a file,
 * and read what has any length.
 */
#include "pg/util/export.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "port.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "core/s3.h"
#include "pg/import/registry_bytes.h"
#include "pg/session/s3_object.h"
#include "pg/table/option.h"
#include "pg/util/compat.h"
#include "pg/util/extension.h"

extern PGDLLEXPORT Datum dynamo_fdw_registry(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(dynamo_fdw_registry);

#define READ_BYTES (64 * 1024)

/* ---- files ---- */

/* Raises unless the current user may read files of the server: who wrote the path into an option does not matter. */
static void
check_may_read_files(const char *path)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to read file \"%s\"", path),
				 errhint("Only superusers and members of pg_read_server_files may read files of the server.")));
}

/* Raises for what is no regular file: opening a device may do something, and reading a FIFO may never end. */
static void
check_is_file(const char *path, int result, const struct stat *st)
{
	if (result != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat file \"%s\": %m", path)));
	if (!S_ISREG(st->st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a regular file", path)));
}

/* Opens a regular file for reading; the end of the transaction closes it, too. */
static int
open_registry_file(const char *path)
{
	struct stat st;
	int			fd;

	check_is_file(path, stat(path, &st), &st);
	/* in the place of the file there may be a FIFO by now */
	fd = OpenTransientFile(path, O_RDONLY | O_NONBLOCK | PG_BINARY);
	if (fd < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", path)));
	check_is_file(path, fstat(fd, &st), &st);
	return fd;
}

/* The next piece of the file, behind what is there; false: that was all. */
static bool
read_piece(const char *path, int fd, StringInfo bytes)
{
	ssize_t		n;

	CHECK_FOR_INTERRUPTS();
	enlargeStringInfo(bytes, READ_BYTES);
	n = read(fd, bytes->data + bytes->len, READ_BYTES);
	if (n < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read file \"%s\": %m", path)));
	bytes->len += (int) n;
	if (bytes->len - VARHDRSZ > DYN_OBJECT_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("file \"%s\" is too large for a registry", path),
				 errdetail("It is larger than %d MB.", DYN_OBJECT_MAX_BYTES / (1024 * 1024))));
	return n > 0;
}

static bytea *
read_registry_file(const char *path)
{
	StringInfoData bytes;
	int			fd;

	check_may_read_files(path);
	fd = open_registry_file(path);
	initStringInfo(&bytes);
	bytes.len = VARHDRSZ;
	while (read_piece(path, fd, &bytes))
		;
	CloseTransientFile(fd);
	SET_VARSIZE(bytes.data, bytes.len);
	return (bytea *) bytes.data;
}

/* ---- registries ---- */

/* The server's option, if it is for a registry that has bytes; raises. */
static const char *
registry_of_server(const ForeignServer *server)
{
	const char *registry = dyn_option_text("registry", server->options, NIL);

	if (strcmp(dyn_option_text("registry_type", server->options, NIL), "sql") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the registry of server \"%s\" is tables, and has no bytes", server->servername),
				 errhint("With registry_type 'sql' query Feast's tables, or name a file registry: s3://bucket/key.")));
	if (registry == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("server \"%s\" names no registry", server->servername),
				 errhint("Set the server's option \"registry\" to s3://bucket/key, or to the path of a file of the server.")));
	return registry;
}

bytea *
dyn_registry_bytes(Oid serverid, const char *registry)
{
	if (registry == NULL)
		registry = registry_of_server(GetForeignServer(serverid));
	if (dyn_s3_is_uri(registry))
		return dyn_session_get_object(serverid, GetUserId(), registry);
	if (!is_absolute_path(registry))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the registry is neither s3://bucket/key nor an absolute path"),
				 errhint("A file is named by its whole path, since the server process has a working directory of its own.")));
	return read_registry_file(registry);
}

/* SQL function: the bytes of a server's registry, or of another one that is asked for by it. */
Datum
dynamo_fdw_registry(PG_FUNCTION_ARGS)
{
	ForeignServer *server;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	server = dyn_extension_usable_server(NameStr(*PG_GETARG_NAME(0)));
	PG_RETURN_BYTEA_P(dyn_registry_bytes(server->serverid,
										 PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1))));
}
