/*
 * update_op.c
 *	  Bodies of UpdateItem.
 *
 * Every name goes through a placeholder: `values` is a reserved word, and a
 * feature's name may hold anything.  DynamoDB refuses placeholders that no
 * expression uses.
 */
#include "core/update_op.h"

#include <string.h>

/* A C string as a JSON string. */
static void
add_json_text(DynBuf *out, const char *text)
{
	dyn_buf_json_string(out, text, strlen(text));
}

/* Table and key. */
static void
begin_body(DynBuf *out, const char *table, const DynEntityId *id)
{
	dyn_buf_str(out, "{\"TableName\":");
	add_json_text(out, table);
	dyn_buf_str(out, ",\"Key\":{\"entity_id\":{\"S\":\"");
	dyn_buf_hex(out, id->bytes, sizeof(id->bytes));
	dyn_buf_str(out, "\"}}");
}

/* `#v.#f3`, where `kind` is "f" and `n` 3. */
static void
add_path(DynBuf *out, const char *kind, int n)
{
	dyn_buf_str(out, "#v.#");
	dyn_buf_str(out, kind);
	dyn_buf_int(out, n);
}

/* `:f3` */
static void
add_placeholder(DynBuf *out, const char *kind, int n)
{
	dyn_buf_byte(out, ':');
	dyn_buf_str(out, kind);
	dyn_buf_int(out, n);
}

/* "SET #t = :t, #e = :e, #v.#f0 = :f0, ..." */
static void
add_update_expression(DynBuf *out, const DynUpdate *update)
{
	dyn_buf_str(out, ",\"UpdateExpression\":\"SET ");
	if (update->event_ts)
		dyn_buf_str(out, update->expiry ? "#t = :t, #e = :e" : "#t = :t");
	for (int i = 0; i < update->nset; i++)
	{
		if (i > 0 || update->event_ts)
			dyn_buf_str(out, ", ");
		add_path(out, "f", i);
		dyn_buf_str(out, " = ");
		add_placeholder(out, "f", i);
	}
	dyn_buf_byte(out, '"');
}

/* The item must exist, as an update would make it; and NULL is an empty Value, no feature, or no `values` at all. */
static void
add_condition(DynBuf *out, const DynUpdate *update, const DynUpdateRow *row)
{
	dyn_buf_str(out, ",\"ConditionExpression\":\"attribute_exists(#id)");
	if (update->seen_event_ts)
		dyn_buf_str(out, row->seen_event_ts ? " AND #t = :u" : " AND attribute_not_exists(#t)");
	for (int i = 0; i < update->nseen; i++)
	{
		bool		null = row->seen[i].len == 0;

		dyn_buf_str(out, null ? " AND (attribute_not_exists(" : " AND ");
		if (null)
		{
			add_path(out, "s", i);
			dyn_buf_str(out, ") OR ");
		}
		add_path(out, "s", i);
		dyn_buf_str(out, " = ");
		add_placeholder(out, "s", i);
		if (null)
			dyn_buf_byte(out, ')');
	}
	dyn_buf_byte(out, '"');
}

/* `,"#f3":"name"`, for each of the names. */
static void
add_names_of(DynBuf *out, const char *kind, int n, const char **names)
{
	for (int i = 0; i < n; i++)
	{
		dyn_buf_str(out, ",\"#");
		dyn_buf_str(out, kind);
		dyn_buf_int(out, i);
		dyn_buf_str(out, "\":");
		add_json_text(out, names[i]);
	}
}

static void
add_names(DynBuf *out, const DynUpdate *update)
{
	dyn_buf_str(out, ",\"ExpressionAttributeNames\":{\"#id\":\"entity_id\"");
	if (update->event_ts || update->seen_event_ts)
		dyn_buf_str(out, ",\"#t\":\"event_ts\"");
	if (update->event_ts && update->expiry)
	{
		dyn_buf_str(out, ",\"#e\":");
		add_json_text(out, update->expiry);
	}
	if (update->nset > 0 || update->nseen > 0)
		dyn_buf_str(out, ",\"#v\":\"values\"");
	add_names_of(out, "f", update->nset, update->set);
	add_names_of(out, "s", update->nseen, update->seen);
	dyn_buf_byte(out, '}');
}

/* `":f3":{"B":"..."}`, for each of the values, with commas between them. */
static void
add_values_of(DynBuf *out, const char *kind, int n, const DynValueBytes *values, bool *first)
{
	for (int i = 0; i < n; i++)
	{
		dyn_buf_str(out, *first ? "\"" : ",\"");
		add_placeholder(out, kind, i);
		dyn_buf_str(out, "\":{\"B\":\"");
		dyn_buf_base64(out, values[i].data, values[i].len);
		dyn_buf_str(out, "\"}");
		*first = false;
	}
}

/* `":t":{"S":"..."}` */
static void
add_time(DynBuf *out, const char *placeholder, const char *event_ts, bool *first)
{
	dyn_buf_str(out, *first ? "\"" : ",\"");
	dyn_buf_str(out, placeholder);
	dyn_buf_str(out, "\":{\"S\":");
	add_json_text(out, event_ts);
	dyn_buf_byte(out, '}');
	*first = false;
}

static void
add_value_list(DynBuf *out, const DynUpdate *update, const DynUpdateRow *row)
{
	bool		first = true;

	dyn_buf_str(out, ",\"ExpressionAttributeValues\":{");
	if (update->event_ts)
		add_time(out, ":t", row->event_ts, &first);
	if (update->event_ts && update->expiry)
	{
		dyn_buf_str(out, ",\":e\":{\"N\":\"");
		dyn_buf_int(out, row->expires);
		dyn_buf_str(out, "\"}");
	}
	if (update->seen_event_ts && row->seen_event_ts)
		add_time(out, ":u", row->seen_event_ts, &first);
	add_values_of(out, "f", update->nset, row->set, &first);
	add_values_of(out, "s", update->nseen, row->seen, &first);
	dyn_buf_byte(out, '}');
}

void
dyn_update_body(DynBuf *out, const DynUpdate *update, const DynUpdateRow *row)
{
	begin_body(out, update->table, &row->id);
	add_update_expression(out, update);
	add_condition(out, update, row);
	add_names(out, update);
	add_value_list(out, update, row);
	if (update->capacity)
		dyn_buf_str(out, ",\"ReturnConsumedCapacity\":\"TOTAL\"");
	dyn_buf_byte(out, '}');
}

void
dyn_update_make_map(DynBuf *out, const char *table, const DynEntityId *id)
{
	begin_body(out, table, id);
	dyn_buf_str(out,
				",\"UpdateExpression\":\"SET #v = :m\""
					",\"ConditionExpression\":\"attribute_exists(#id) AND attribute_not_exists(#v)\""
					",\"ExpressionAttributeNames\":{\"#id\":\"entity_id\",\"#v\":\"values\"}"
					",\"ExpressionAttributeValues\":{\":m\":{\"M\":{}}}}");
}
