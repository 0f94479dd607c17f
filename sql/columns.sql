-- What the validator cannot see is refused when the DDL command ends.
SET dynamo_fdw.remote_ddl = off;    -- catalogs only

CREATE SERVER no_project FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (region 'us-west-2');
CREATE FOREIGN TABLE bad (id bigint OPTIONS (entity_key 'true')) SERVER no_project;
CREATE FOREIGN TABLE good (id bigint OPTIONS (entity_key 'true')) SERVER no_project OPTIONS (project 'p');
ALTER FOREIGN TABLE good OPTIONS (DROP project);
DROP FOREIGN TABLE good;
DROP SERVER no_project;

-- entity keys
CREATE FOREIGN TABLE bad (id real OPTIONS (entity_key 'true')) SERVER feast;
CREATE FOREIGN TABLE bad (id boolean OPTIONS (entity_key 'true')) SERVER feast;
CREATE FOREIGN TABLE bad (id smallint OPTIONS (entity_key 'true')) SERVER feast;
CREATE FOREIGN TABLE bad (id uuid OPTIONS (entity_key 'true')) SERVER feast;
CREATE FOREIGN TABLE bad (id text[] OPTIONS (entity_key 'true')) SERVER feast;
CREATE FOREIGN TABLE bad (id bytea OPTIONS (entity_key 'true', value_type 'PDF_BYTES')) SERVER feast;
CREATE DOMAIN driver AS bigint CHECK (VALUE > 0);
CREATE FOREIGN TABLE good (
    a text OPTIONS (entity_key 'true'),
    b varchar(20) OPTIONS (entity_key 'true'),
    c integer OPTIONS (entity_key 'true'),
    d bigint OPTIONS (entity_key 'true', value_type 'INT32'),
    e bytea OPTIONS (entity_key 'true'),
    f timestamptz OPTIONS (entity_key 'true'),
    g driver OPTIONS (entity_key 'true')
) SERVER feast;
DROP FOREIGN TABLE good;
DROP DOMAIN driver;

-- event timestamps
CREATE FOREIGN TABLE bad (
    t timestamptz OPTIONS (event_timestamp 'true'), u timestamptz OPTIONS (event_timestamp 'true')
) SERVER feast;
CREATE FOREIGN TABLE bad (t timestamp OPTIONS (event_timestamp 'true')) SERVER feast;
CREATE FOREIGN TABLE bad (t timestamptz OPTIONS (event_timestamp 'true', value_type 'UNIX_TIMESTAMP')) SERVER feast;

-- value types
CREATE FOREIGN TABLE bad (id bigint OPTIONS (entity_key 'true'), f bigint OPTIONS (value_type 'STRING')) SERVER feast;
CREATE FOREIGN TABLE bad (id bigint OPTIONS (entity_key 'true'), f interval) SERVER feast;
CREATE FOREIGN TABLE good (
    id bigint OPTIONS (entity_key 'true'),
    a bytea OPTIONS (value_type 'IMAGE_BYTES'),
    b bigint OPTIONS (value_type 'INT32'),
    c integer OPTIONS (value_type 'INT64')
) SERVER feast;
ALTER FOREIGN TABLE good ADD COLUMN bad point;
ALTER FOREIGN TABLE good ALTER COLUMN b TYPE text;
ALTER FOREIGN TABLE good ALTER COLUMN b OPTIONS (SET value_type 'FLOAT');
CREATE FOREIGN TABLE bad (id bigint OPTIONS (entity_key 'true'), a int OPTIONS (name 'x'), b int OPTIONS (name 'x')) SERVER feast;
ALTER FOREIGN TABLE good ADD COLUMN d text OPTIONS (name 'a');     -- a dump is restored column by column
EXPLAIN SELECT d FROM good WHERE id = 1;
ALTER FOREIGN TABLE good DROP COLUMN d;
ALTER TABLE good ADD COLUMN d text OPTIONS (name 'id');     -- a join key and a feature may share a name
DROP FOREIGN TABLE good;

-- remote names
CREATE FOREIGN TABLE "bad name" (id bigint OPTIONS (entity_key 'true')) SERVER feast;
CREATE FOREIGN TABLE "Fähre" (id bigint OPTIONS (entity_key 'true')) SERVER feast;
CREATE FOREIGN TABLE "bad name" (id bigint OPTIONS (entity_key 'true')) SERVER feast OPTIONS (feature_view 'fine_name');
ALTER FOREIGN TABLE "bad name" OPTIONS (SET feature_view 'not "fine"');
DROP FOREIGN TABLE "bad name";

-- a temporary table makes nothing remote
RESET dynamo_fdw.remote_ddl;
CREATE FOREIGN TABLE pg_temp.bad (id bigint OPTIONS (entity_key 'true')) SERVER feast;
CREATE FOREIGN TABLE pg_temp.good (id bigint OPTIONS (entity_key 'true')) SERVER feast
    OPTIONS (create_remote_table 'false');
DROP FOREIGN TABLE pg_temp.good;
