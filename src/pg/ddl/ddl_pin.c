/*
 * ddl_pin.c
 *	  RENAME changes no remote name.
 *
 * The object access hook sees every rename, of whatever spelling, before the
 * new name is visible; the event trigger at the command's end can see it and run
 * an ALTER of its own.
 */
#include "pg/util/export.h"

#include "executor/spi.h"
#include "foreign/foreign.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "pg/ddl/ddl_pin.h"
#include "pg/table/option.h"
#include "pg/util/compat.h"
#include "pg/util/extension.h"

typedef struct Pin
{
	Oid			relid;
	int			attnum;			/* 0: the table */
	char	   *old_name;
} Pin;

/* Of the running command, in TopTransactionContext. */
static List *pins = NIL;
static LocalTransactionId pins_xact = InvalidLocalTransactionId;
static bool applying = false;

void
dyn_pins_reset(void)
{
	pins = NIL;
	pins_xact = dyn_local_transaction_id();
}

bool
dyn_pins_are_applied(void)
{
	return applying;
}

void
dyn_pin_note(Oid relid, int attnum)
{
	MemoryContext old;
	char	   *name;
	Pin		   *pin;

	if (attnum < 0 || applying || !dyn_extension_has_table(relid))
		return;
	if (pins_xact != dyn_local_transaction_id())
		dyn_pins_reset();		/* no trigger fired at the command's start, and the last list went with its
								 * transaction */
	old = MemoryContextSwitchTo(TopTransactionContext);
	name = attnum == 0 ? get_rel_name(relid) : get_attname(relid, attnum, true);
	if (name)
	{
		pin = palloc(sizeof(Pin));
		pin->relid = relid;
		pin->attnum = attnum;
		pin->old_name = name;
		pins = lappend(pins, pin);
	}
	MemoryContextSwitchTo(old);
}

/* Runs an ALTER, whose event triggers find dyn_pins_are_applied(). */
static void
run_alter(const char *command)
{
	applying = true;
	PG_TRY();
	{
		SPI_connect();
		if (SPI_execute(command, false, 0) != SPI_OK_UTILITY)
			elog(ERROR, "%s failed", command);
		SPI_finish();
	}
	PG_FINALLY();
	{
		applying = false;
	}
	PG_END_TRY();
}

static void
pin_table(const Pin *pin, const char *name)
{
	ForeignTable *table = GetForeignTable(pin->relid);
	ForeignServer *server = GetForeignServer(table->serverid);

	if (dyn_option_text("feature_view", table->options, NIL) || dyn_option_text("table_name", table->options, NIL) ||
		strstr(dyn_option_text("table_name_template", server->options, NIL), "{table_name}") == NULL)
		return;
	run_alter(psprintf("ALTER FOREIGN TABLE %s OPTIONS (ADD feature_view %s)",
					   quote_qualified_identifier(get_namespace_name(get_rel_namespace(pin->relid)), name),
					   quote_literal_cstr(pin->old_name)));
	ereport(WARNING,
			(errmsg("foreign table \"%s\" keeps its feature view \"%s\"", name, pin->old_name),
			 errdetail("RENAME has set the option \"feature_view\", so that the foreign table means the same remote table as before.")));
}

static void
pin_column(const Pin *pin, const char *name)
{
	List	   *options = GetForeignColumnOptions(pin->relid, pin->attnum);

	if (dyn_option_text("name", options, NIL) || dyn_option_bool("event_timestamp", options, NIL))
		return;
	run_alter(psprintf("ALTER FOREIGN TABLE %s ALTER COLUMN %s OPTIONS (ADD name %s)",
					   quote_qualified_identifier(get_namespace_name(get_rel_namespace(pin->relid)), get_rel_name(pin->relid)),
					   quote_identifier(name), quote_literal_cstr(pin->old_name)));
	ereport(WARNING,
			(errmsg("column \"%s\" of foreign table \"%s\" keeps its name \"%s\" in Feast", name,
					get_rel_name(pin->relid), pin->old_name),
			 errdetail("RENAME has set the option \"name\" of the column.")));
}

void
dyn_pins_apply(void)
{
	List	   *noted;
	ListCell   *lc;

	if (pins_xact != dyn_local_transaction_id())
		dyn_pins_reset();
	noted = pins;
	pins = NIL;					/* the ALTER below is a command, too */
	foreach(lc, noted)
	{
		const Pin  *pin = lfirst(lc);
		char	   *name;

		if (!dyn_extension_has_table(pin->relid))
			continue;
		name = pin->attnum == 0 ? get_rel_name(pin->relid) : get_attname(pin->relid, pin->attnum, true);
		if (name == NULL || strcmp(name, pin->old_name) == 0)
			continue;
		if (pin->attnum == 0)
			pin_table(pin, name);
		else
			pin_column(pin, name);
	}
}
