-- Failures of the service, by SQLSTATE; their words are tested elsewhere.
CREATE SERVER dead FOREIGN DATA WRAPPER dynamo_fdw
    OPTIONS (region 'us-west-2', project 'regress', endpoint_url 'http://127.0.0.1:1', total_max_retry_attempts '2');
CREATE USER MAPPING FOR CURRENT_USER SERVER dead OPTIONS (access_key_id 'a', secret_access_key 'b');
CREATE FOREIGN TABLE t_dead (id bigint OPTIONS (entity_key 'true'), v int) SERVER dead
    OPTIONS (create_remote_table 'false');
\set VERBOSITY sqlstate
SELECT * FROM t_dead WHERE id = 1;
INSERT INTO t_dead VALUES (1, 1);
CREATE FOREIGN TABLE t_dead2 (id bigint OPTIONS (entity_key 'true'), v int) SERVER dead;
DROP FOREIGN TABLE t_dead;

CREATE FOREIGN TABLE missing (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast
    OPTIONS (create_remote_table 'false');
SELECT * FROM missing WHERE id = 1;
INSERT INTO missing VALUES (1, 1);
\set VERBOSITY terse
SELECT * FROM missing WHERE id = 1;
DROP FOREIGN TABLE missing;

-- stored values that are not what the column says
\set VERBOSITY default
CREATE FOREIGN TABLE stored (id bigint OPTIONS (entity_key 'true'), v text, w bigint) SERVER feast;
CREATE FOREIGN TABLE expected (id bigint OPTIONS (entity_key 'true'), v boolean, w integer) SERVER feast
    OPTIONS (feature_view 'stored', create_remote_table 'false');
INSERT INTO stored VALUES (1, 'text', 5), (2, NULL, 5000000000);
SELECT id, v FROM expected WHERE id = 1;
SELECT id, w FROM expected WHERE id = 1;
SELECT id, v FROM expected WHERE id = 2;
SELECT id, w FROM expected WHERE id = 2;
CREATE DOMAIN small AS bigint CHECK (VALUE < 10);
ALTER FOREIGN TABLE expected ALTER COLUMN w TYPE small;
SELECT id, w FROM expected WHERE id = 1;
SELECT id, w FROM expected WHERE id = 2;
DROP FOREIGN TABLE stored, expected;
DROP DOMAIN small;
-- a key of every type, as messages name it
CREATE FOREIGN TABLE keyed (
    a bigint OPTIONS (entity_key 'true'), b integer OPTIONS (entity_key 'true'), c text OPTIONS (entity_key 'true'),
    d varchar OPTIONS (entity_key 'true'), e bytea OPTIONS (entity_key 'true'),
    f timestamptz OPTIONS (entity_key 'true'), v text
) SERVER feast;
INSERT INTO keyed VALUES (-9223372036854775808, -1, '', 'x, y', '\x00ff', '2026-01-02 03:04:05+00', 'text');
ALTER FOREIGN TABLE keyed ALTER COLUMN v TYPE boolean;
SELECT v FROM keyed WHERE (a, b, c, d, e, f) = (-9223372036854775808, -1, '', 'x, y', '\x00ff', '2026-01-02 03:04:05+00');
DROP FOREIGN TABLE keyed;

-- no mapping, or one without keys
CREATE ROLE regress_dynamo_reader;
CREATE SERVER no_mapping FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (region 'us-west-2', project 'regress');
CREATE FOREIGN TABLE t (id bigint OPTIONS (entity_key 'true'), v int) SERVER no_mapping
    OPTIONS (create_remote_table 'false');
GRANT SELECT ON t TO regress_dynamo_reader;
SET ROLE regress_dynamo_reader;
SELECT * FROM t WHERE id = 1;
RESET ROLE;
CREATE USER MAPPING FOR regress_dynamo_reader SERVER no_mapping;
SET ROLE regress_dynamo_reader;
SELECT * FROM t WHERE id = 1;
\set VERBOSITY sqlstate
SELECT * FROM t WHERE id = 1;
\set VERBOSITY default
RESET ROLE;
SET client_min_messages = warning;
DROP SERVER no_mapping CASCADE;
DROP SERVER dead CASCADE;
DROP ROLE regress_dynamo_reader;
