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

-- no key: only where that is meant
CREATE FOREIGN TABLE bad (id bigint, v integer) SERVER feast;
CREATE FOREIGN TABLE bad () SERVER feast;
CREATE FOREIGN TABLE bad (id bigint OPTIONS (entity_key 'false')) SERVER feast OPTIONS (entityless 'false');
CREATE FOREIGN TABLE bad (id bigint OPTIONS (entity_key 'true')) SERVER feast OPTIONS (entityless 'true');
CREATE FOREIGN TABLE good (id bigint, v integer) SERVER feast OPTIONS (entityless 'true');
ALTER FOREIGN TABLE good ALTER COLUMN id OPTIONS (ADD entity_key 'true');
ALTER FOREIGN TABLE good OPTIONS (DROP entityless), ALTER COLUMN id OPTIONS (ADD entity_key 'true');
EXPLAIN (COSTS off) SELECT * FROM good WHERE id = 1;
ALTER FOREIGN TABLE good OPTIONS (ADD entityless 'true');
ALTER FOREIGN TABLE good ALTER COLUMN id OPTIONS (DROP entity_key);
SELECT * FROM good;
INSERT INTO good VALUES (1, 1);
ALTER FOREIGN TABLE good OPTIONS (ADD entityless 'true');
EXPLAIN (COSTS off) SELECT * FROM good;
DROP FOREIGN TABLE good;

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
ALTER FOREIGN TABLE good ADD COLUMN d text OPTIONS (name 'a');
ALTER FOREIGN TABLE good ADD COLUMN d text;
ALTER FOREIGN TABLE good ALTER COLUMN d OPTIONS (ADD name 'a');     -- a dump is restored column by column
EXPLAIN SELECT d FROM good WHERE id = 1;
ALTER FOREIGN TABLE good DROP COLUMN d;
ALTER TABLE good ADD COLUMN d text OPTIONS (name 'id');     -- a join key and a feature may share a name
DROP FOREIGN TABLE good;

-- a column named like an event time
CREATE FOREIGN TABLE good (
    id bigint OPTIONS (entity_key 'true'), created timestamptz, "Event_Timestamp" timestamptz
) SERVER feast;
ALTER FOREIGN TABLE good ALTER COLUMN "Event_Timestamp" OPTIONS (ADD event_timestamp 'true');
ALTER FOREIGN TABLE good ADD COLUMN created_at timestamptz;
DROP FOREIGN TABLE good;
CREATE FOREIGN TABLE "a table" (id bigint OPTIONS (entity_key 'true'), event_ts timestamp) SERVER feast
    OPTIONS (feature_view 'good');
ALTER FOREIGN TABLE "a table" ALTER COLUMN event_ts TYPE timestamptz, ALTER COLUMN event_ts OPTIONS (ADD event_timestamp 'true');
DROP FOREIGN TABLE "a table";
CREATE FOREIGN TABLE good (
    id bigint OPTIONS (entity_key 'true'), created timestamptz OPTIONS (value_type 'UNIX_TIMESTAMP')
) SERVER feast;
DROP FOREIGN TABLE good;

-- what reaches a table from a parent, or from its parent's type
CREATE TYPE pair AS (id bigint, v integer);
CREATE TABLE parts OF pair PARTITION BY RANGE (id);
CREATE TABLE more PARTITION OF parts FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);
CREATE FOREIGN TABLE low PARTITION OF more FOR VALUES FROM (0) TO (10) SERVER feast;
SELECT * FROM parts WHERE id = 1;
INSERT INTO parts VALUES (1, 1);
ALTER FOREIGN TABLE low ALTER COLUMN id OPTIONS (ADD entity_key 'true'), ALTER COLUMN v OPTIONS (ADD name 'w');
ALTER TYPE pair ADD ATTRIBUTE bad point CASCADE;
ALTER TYPE pair ADD ATTRIBUTE w integer CASCADE;
ALTER TYPE pair ADD ATTRIBUTE d date CASCADE;
ALTER TYPE pair ALTER ATTRIBUTE v TYPE money CASCADE;
ALTER TABLE parts NOT OF;
ALTER TABLE parts ADD COLUMN x integer, ADD COLUMN bad point;
ALTER TABLE parts ADD COLUMN w integer;
ALTER TABLE parts ADD COLUMN x integer;
ALTER TABLE parts ALTER COLUMN x TYPE money;
CREATE TABLE parent (a integer);
CREATE FOREIGN TABLE child (id bigint OPTIONS (entity_key 'true')) INHERITS (parent) SERVER feast;
ALTER TABLE parent ADD COLUMN bad interval;
ALTER TABLE parent ADD COLUMN b text;

-- what came past the checks hurts only who asks for it
SET session_replication_role = replica;
ALTER TABLE parts ADD COLUMN bad point, ADD COLUMN worse xml;
RESET session_replication_role;
EXPLAIN (COSTS off) SELECT id, v FROM parts WHERE id = 1;
SELECT * FROM parts WHERE id = 1;
SELECT id FROM parts WHERE id = 1 AND bad IS NULL;
SELECT parts FROM parts WHERE id = 1;
ALTER TABLE parts ADD COLUMN y integer, DROP COLUMN worse;
ALTER TABLE parts ALTER COLUMN v SET DEFAULT 1;
ALTER FOREIGN TABLE low ALTER COLUMN bad OPTIONS (ADD value_type 'STRING');
DROP TABLE parts, parent CASCADE;
DROP TYPE pair;

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
