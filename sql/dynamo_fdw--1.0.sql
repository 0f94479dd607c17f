-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION dynamo_fdw" to load this file. \quit

CREATE FUNCTION dynamo_fdw_handler() RETURNS fdw_handler
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

CREATE FUNCTION dynamo_fdw_validator(text[], oid) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

CREATE FOREIGN DATA WRAPPER dynamo_fdw
    HANDLER dynamo_fdw_handler
    VALIDATOR dynamo_fdw_validator;

-- One record for each remote table that CREATE FOREIGN TABLE made, or whose
-- deletion is owed. Written by the module only, and never dumped, so that a
-- restored database owns nothing.
CREATE SEQUENCE dynamo_fdw_record_id;

CREATE TABLE dynamo_fdw_record (
    id bigint NOT NULL,
    system_identifier bigint NOT NULL,  -- of the cluster, and the database in it, that made the table
    database oid NOT NULL,
    state text NOT NULL,                -- made, pending, leftover, final
    owner oid NOT NULL,                 -- role whose user mapping signs
    server oid NOT NULL,                -- by which the table was made
    region text NOT NULL,
    table_name text NOT NULL,
    endpoint text NOT NULL,             -- as it was
    table_id text NOT NULL,             -- DynamoDB's TableId, '' where there is none
    created text NOT NULL,              -- CreationDateTime
    note text NOT NULL,
    PRIMARY KEY (system_identifier, database, id)
);

REVOKE ALL ON dynamo_fdw_record, dynamo_fdw_record_id FROM PUBLIC;

-- A row that anybody wrote could have any table deleted.
CREATE FUNCTION dynamo_fdw_refuse_write() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C;

CREATE TRIGGER dynamo_fdw_refuse_write BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON dynamo_fdw_record
    FOR EACH STATEMENT EXECUTE FUNCTION dynamo_fdw_refuse_write('dynamo_fdw_forget() ends a record.');

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
    OUT items_refused bigint,
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

-- The loads that run in all sessions; in shared memory.
CREATE FUNCTION dynamo_fdw_progress(
    OUT pid integer,                    -- all that is shown of another role's load
    OUT datid oid,
    OUT datname name,
    OUT relid oid,
    OUT foreign_table regclass,         -- NULL: of another database
    OUT command text,
    OUT feature_view text,
    OUT remote_table text,
    OUT rows_taken bigint,
    OUT items_written bigint,           -- acknowledged
    OUT items_refused bigint,
    OUT unprocessed_items bigint,       -- had to be sent again
    OUT requests bigint,                -- HTTP requests, retries included
    OUT retries bigint,
    OUT throttles bigint,
    OUT bytes_sent bigint,
    OUT in_flight bigint,               -- requests
    OUT started timestamptz
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL RESTRICTED;

CREATE VIEW dynamo_fdw_progress AS SELECT * FROM dynamo_fdw_progress();
GRANT SELECT ON dynamo_fdw_progress TO PUBLIC;

COMMENT ON VIEW dynamo_fdw_progress IS
'foreign tables of dynamo_fdw that statements of all sessions are writing';

CREATE FUNCTION dynamo_fdw_plan(
    server name DEFAULT NULL,
    OUT server_name name,
    OUT foreign_table regclass,         -- NULL: a record without one
    OUT remote_table text,
    OUT owner name,
    OUT status text,                    -- of the remote table
    OUT on_create text,                 -- what CREATE would do now
    OUT difference text,                -- of the remote table from what CREATE makes
    OUT on_drop text,                   -- what DROP would do now, and why
    OUT record bigint,
    OUT record_state text
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION dynamo_fdw_plan(name) IS
'what CREATE and DROP of foreign tables would do to DynamoDB; changes nothing';

CREATE FUNCTION dynamo_fdw_create_table(foreign_table regclass) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION dynamo_fdw_create_table(regclass) IS
'makes the remote table of a foreign table, if it is not there';

CREATE FUNCTION dynamo_fdw_alter_table(foreign_table regclass) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION dynamo_fdw_alter_table(regclass) IS
'changes the remote table of a foreign table at COMMIT, to have the settings that the options say';

CREATE FUNCTION dynamo_fdw_drop_table(foreign_table regclass) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION dynamo_fdw_drop_table(regclass) IS
'deletes the remote table of a foreign table after COMMIT, as DROP would; the foreign table stays';

CREATE FUNCTION dynamo_fdw_delete_pending() RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION dynamo_fdw_delete_pending() IS
'deletes remote tables whose deletion is owed; returns how many are gone';

CREATE FUNCTION dynamo_fdw_forget(record bigint) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION dynamo_fdw_forget(bigint) IS
'ends a record without deleting its remote table';

CREATE FUNCTION dynamo_fdw_claim(foreign_table regclass) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION dynamo_fdw_claim(regclass) IS
'makes the record of a foreign table''s remote table this database''s own, after pg_upgrade; superuser only';

-- An UPDATE that depends on the list it read: where another session has changed it meanwhile, it is run again.
CREATE FUNCTION dynamo_fdw_append(foreign_table regclass, entity jsonb, feature name, elements anyarray,
    at_front boolean DEFAULT false) RETURNS boolean
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    condition text := (SELECT string_agg(format('%I = %L', key, value), ' AND ') FROM jsonb_each_text(entity));
    list text := CASE WHEN at_front THEN '$1 || %1$I' ELSE '%1$I || $1' END;
    changed bigint;
BEGIN
    FOR attempt IN 1 .. 100 LOOP
        BEGIN
            EXECUTE format('UPDATE %s SET %s WHERE %s', foreign_table, format('%1$I = ' || list, feature),
                coalesce(condition, 'true')) USING elements;
            GET DIAGNOSTICS changed = ROW_COUNT;
            RETURN changed > 0;
        EXCEPTION WHEN serialization_failure THEN
            IF attempt = 100 THEN
                RAISE;
            END IF;
            PERFORM pg_sleep(random() * least(0.001 * 2 ^ attempt, 0.1));
        END;
    END LOOP;
END $$;

COMMENT ON FUNCTION dynamo_fdw_append(regclass, jsonb, name, anyarray, boolean) IS
'appends elements to a list feature of an entity, or puts them at its front; false: the entity has no row';

CREATE FUNCTION dynamo_fdw_registry(server name, registry text DEFAULT NULL) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION dynamo_fdw_registry(name, text) IS
'bytes of the registry that a server names, as they are stored';

-- Which event times have been loaded into a foreign table, or rather into the
-- remote table that it meant then.  Written by the module only, and never
-- dumped: a restored foreign table may mean another remote table, or one that
-- others have written since.
CREATE TABLE dynamo_fdw_interval (
    relid oid NOT NULL,                 -- foreign table
    region text NOT NULL,               -- remote table
    endpoint text NOT NULL,
    table_name text NOT NULL,
    start_date timestamptz NOT NULL,    -- both ends belong to the interval
    end_date timestamptz NOT NULL,
    rows bigint NOT NULL,
    at timestamptz NOT NULL,            -- of the last load
    PRIMARY KEY (relid, start_date)
);

REVOKE ALL ON dynamo_fdw_interval FROM PUBLIC;

-- An interval that anybody wrote would have rows left out.
CREATE TRIGGER dynamo_fdw_refuse_write BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON dynamo_fdw_interval
    FOR EACH STATEMENT EXECUTE FUNCTION dynamo_fdw_refuse_write('dynamo_fdw_materialize() records what it loads.');

CREATE FUNCTION dynamo_fdw_materialize(view regclass, start_date timestamptz DEFAULT NULL,
    end_date timestamptz DEFAULT now(), source text DEFAULT NULL) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION dynamo_fdw_materialize(regclass, timestamptz, timestamptz, text) IS
'writes the newest row of each entity of a feature view''s batch source, of an interval of event times; returns how many';

CREATE FUNCTION dynamo_fdw_materialize_all(schema name, start_date timestamptz DEFAULT NULL,
    end_date timestamptz DEFAULT now()) RETURNS TABLE (feature_view regclass, rows bigint)
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION dynamo_fdw_materialize_all(name, timestamptz, timestamptz) IS
'materializes the feature views of a schema that have a batch source';

CREATE FUNCTION dynamo_fdw_intervals(
    OUT feature_view regclass,
    OUT start_date timestamptz,
    OUT end_date timestamptz,
    OUT rows bigint,                    -- that its loads have written
    OUT at timestamptz                  -- of the last of them
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE VIEW dynamo_fdw_intervals AS SELECT * FROM dynamo_fdw_intervals();
GRANT SELECT ON dynamo_fdw_intervals TO PUBLIC;

COMMENT ON VIEW dynamo_fdw_intervals IS
'which event times dynamo_fdw_materialize() has loaded';

CREATE FUNCTION dynamo_fdw_identity(server name, OUT source text, OUT profile text, OUT access_key_id text,
    OUT role_arn text, OUT expires timestamptz, OUT endpoint text, OUT region text) RETURNS record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION dynamo_fdw_identity(name) IS
'whose AWS credentials the current user''s requests on a server are signed with: no secret, the last characters of the key id';

CREATE FUNCTION dynamo_fdw_ddl_command_start() RETURNS event_trigger
AS 'MODULE_PATHNAME' LANGUAGE C;

CREATE FUNCTION dynamo_fdw_ddl_command_end() RETURNS event_trigger
AS 'MODULE_PATHNAME' LANGUAGE C;

CREATE FUNCTION dynamo_fdw_apply(
    server name,
    schema name,
    project text DEFAULT NULL,          -- NULL: the server's
    registry bytea DEFAULT NULL,        -- NULL: where the server says it is
    dry_run boolean DEFAULT false,
    prune boolean DEFAULT false,        -- drops what left the registry
    full_feature_names boolean DEFAULT NULL,        -- NULL: as the server's options say
    include_event_timestamps boolean DEFAULT NULL,
    import_disabled boolean DEFAULT false,
    import_comments boolean DEFAULT true,
    import_ttl boolean DEFAULT false,
    OUT kind text,
    OUT name text,
    OUT action text,                    -- create, add, alter, replace, drop; none: only told
    OUT detail text
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION dynamo_fdw_apply(name, name, text, bytea, boolean, boolean, boolean, boolean, boolean, boolean, boolean) IS
'makes the foreign tables and functions of a schema what a Feast registry says; returns what it did';

CREATE FUNCTION dynamo_fdw_on_demand(
    server name,
    project text DEFAULT NULL,          -- NULL: the server's
    schema name DEFAULT NULL,           -- of the functions; NULL: the current one
    registry bytea DEFAULT NULL,        -- NULL: where the server says it is
    OUT name text,
    OUT inputs text,                    -- view:feature TYPE, and request data
    OUT outputs text,
    OUT mode text,
    OUT source text,                    -- Python, as the registry has it; never run
    OUT sql_skeleton text,
    OUT python_skeleton text,
    OUT stored boolean,                 -- has a table instead
    OUT function_found boolean
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;

COMMENT ON FUNCTION dynamo_fdw_on_demand(name, text, name, bytea) IS
'on-demand feature views of a project, and the beginnings of SQL functions that feature services would call for them';

CREATE FUNCTION dynamo_fdw_feature_service_sql(
    server name,
    service text,
    entity_table regclass,
    schema name DEFAULT NULL,           -- of the foreign tables; NULL: the current one
    project text DEFAULT NULL,          -- NULL: the server's
    full_feature_names boolean DEFAULT NULL,        -- NULL: as the server's options say
    include_event_timestamps boolean DEFAULT NULL,
    registry bytea DEFAULT NULL         -- NULL: where the server says it is
) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;

COMMENT ON FUNCTION dynamo_fdw_feature_service_sql(name, text, regclass, name, text, boolean, boolean, bytea) IS
'a query of a table of entities with the features of a feature service, for a view';

CREATE FUNCTION dynamo_fdw_import_end() RETURNS event_trigger
AS 'MODULE_PATHNAME' LANGUAGE C;

-- Loads the library before anything is dropped, by whatever cascade, so that its hook sees it.
CREATE EVENT TRIGGER dynamo_fdw_ddl_command_start ON ddl_command_start
    EXECUTE FUNCTION dynamo_fdw_ddl_command_start();

-- Checks new and changed foreign tables, and makes their remote tables.
CREATE EVENT TRIGGER dynamo_fdw_ddl_command_end ON ddl_command_end
    EXECUTE FUNCTION dynamo_fdw_ddl_command_end();

-- Comments and functions of feature services, which IMPORT can't make itself.
CREATE EVENT TRIGGER dynamo_fdw_import_end ON ddl_command_end WHEN TAG IN ('IMPORT FOREIGN SCHEMA')
    EXECUTE FUNCTION dynamo_fdw_import_end();
