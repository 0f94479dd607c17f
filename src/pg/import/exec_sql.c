/*
 * exec_sql.c
 *	  Statements that we write.
 */
#include "pg/util/export.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "utils/guc.h"

#include "pg/import/exec_sql.h"

void
dyn_exec_sql(const char *sql)
{
	int			nest = NewGUCNestLevel();
	int			result;

	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	result = SPI_execute(sql, false, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
	SPI_finish();
	AtEOXact_GUC(true, nest);
	CommandCounterIncrement();
}
