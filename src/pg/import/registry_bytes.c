/*
 * registry_bytes.c
 *	  Feast's registry as it is stored.
 */
#include "pg/util/export.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "pg/import/registry_bytes.h"

bytea *
dyn_registry_bytes(Oid serverid, const char *registry)
{
	return DatumGetByteaPP(DirectFunctionCall1(pg_read_binary_file_all, PointerGetDatum(cstring_to_text(registry))));
}
