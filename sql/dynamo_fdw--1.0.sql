-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION dynamo_fdw" to load this file. \quit

CREATE FUNCTION dynamo_fdw_handler() RETURNS fdw_handler
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

CREATE FUNCTION dynamo_fdw_validator(text[], oid) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

CREATE FOREIGN DATA WRAPPER dynamo_fdw
    HANDLER dynamo_fdw_handler
    VALIDATOR dynamo_fdw_validator;

-- Remote tables that CREATE FOREIGN TABLE made; never dumped, so that a
-- restored database owns nothing. Written by the module only.
CREATE TABLE dynamo_fdw_remote_table (
    endpoint text NOT NULL,
    region text NOT NULL,
    table_name text NOT NULL,
    table_id text NOT NULL,         -- DynamoDB's TableId, '' where there is none
    created text NOT NULL,          -- CreationDateTime
    database oid NOT NULL,
    system_identifier bigint NOT NULL,
    owner oid NOT NULL              -- of the foreign table
);

-- Remote tables whose foreign table is gone, until they are known to be gone too.
CREATE TABLE dynamo_fdw_pending_delete (
    endpoint text NOT NULL,
    region text NOT NULL,
    table_name text NOT NULL,
    table_id text NOT NULL,
    created text NOT NULL,
    database oid NOT NULL,
    system_identifier bigint NOT NULL,
    owner oid NOT NULL              -- of the foreign table: its user mapping is used
);

REVOKE ALL ON dynamo_fdw_remote_table, dynamo_fdw_pending_delete FROM PUBLIC;

CREATE FUNCTION dynamo_fdw_version() RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dynamo_fdw_version() IS
'versions of dynamo_fdw and of the libraries it runs with';

-- What this session has asked of each server; counted in memory.
CREATE FUNCTION dynamo_fdw_stats(
    OUT server_name name,
    OUT requests bigint,                -- HTTP requests, retries included
    OUT retries bigint,
    OUT throttles bigint,
    OUT unprocessed_keys bigint,        -- had to be asked again
    OUT unprocessed_items bigint,       -- had to be sent again
    OUT items_found bigint,
    OUT items_missing bigint,
    OUT items_written bigint,
    OUT bytes_sent bigint,              -- bodies
    OUT bytes_received bigint,
    OUT in_flight bigint,               -- requests
    OUT most_in_flight bigint,
    OUT connections_opened bigint,
    OUT connections_reused bigint,
    OUT consumed_capacity double precision,     -- units, where option consumed_capacity is on
    OUT since timestamptz
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL RESTRICTED;

CREATE VIEW dynamo_fdw_stats AS SELECT * FROM dynamo_fdw_stats();
GRANT SELECT ON dynamo_fdw_stats TO PUBLIC;

COMMENT ON VIEW dynamo_fdw_stats IS
'what this session has asked of each server of dynamo_fdw';

CREATE FUNCTION dynamo_fdw_stats_reset(server name DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION dynamo_fdw_stats_reset(name) IS
'sets the counters of this session back to zero, of one server or of all';

CREATE FUNCTION dynamo_fdw_delete_pending() RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION dynamo_fdw_delete_pending() IS
'deletes remote tables of dropped foreign tables that could not be deleted then; returns how many are gone';

REVOKE ALL ON FUNCTION dynamo_fdw_delete_pending() FROM PUBLIC;

CREATE FUNCTION dynamo_fdw_ddl_command_start() RETURNS event_trigger
AS 'MODULE_PATHNAME' LANGUAGE C;

CREATE FUNCTION dynamo_fdw_ddl_command_end() RETURNS event_trigger
AS 'MODULE_PATHNAME' LANGUAGE C;

-- Loads the library before anything is dropped, by whatever cascade, so that its hook sees it.
CREATE EVENT TRIGGER dynamo_fdw_ddl_command_start ON ddl_command_start
    EXECUTE FUNCTION dynamo_fdw_ddl_command_start();

-- Checks new and changed foreign tables, and makes their remote tables.
CREATE EVENT TRIGGER dynamo_fdw_ddl_command_end ON ddl_command_end
    EXECUTE FUNCTION dynamo_fdw_ddl_command_end();
