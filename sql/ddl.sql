-- CREATE and DROP carry over to DynamoDB.
SET client_min_messages = warning;
CREATE VIEW owned AS SELECT table_name FROM dynamo_fdw_record WHERE state = 'made' ORDER BY 1;
CREATE VIEW pending AS SELECT table_name FROM dynamo_fdw_record WHERE state <> 'made' ORDER BY 1;
SELECT dynamo_fdw_delete_pending() >= 0 AS swept;

-- the table is made, adopted by a second foreign table, and deleted with the last one
CREATE FOREIGN TABLE a (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
SELECT * FROM owned;
CREATE FOREIGN TABLE a2 (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast OPTIONS (feature_view 'a');
INSERT INTO a VALUES (1, 10);
DROP FOREIGN TABLE a;
SELECT * FROM a2 WHERE id = 1;
DROP FOREIGN TABLE a2;
SELECT * FROM owned;
SELECT * FROM pending;
SELECT dynamo_fdw_delete_pending();
SELECT * FROM pending;

-- rolled back: as before
BEGIN;
CREATE FOREIGN TABLE b (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
INSERT INTO b VALUES (1, 10);
ROLLBACK;
SELECT * FROM owned;
CREATE FOREIGN TABLE b (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
SELECT * FROM b WHERE id = 1;
INSERT INTO b VALUES (1, 11);
BEGIN;
DROP FOREIGN TABLE b;
ROLLBACK;
SELECT * FROM b WHERE id = 1;

-- savepoints: only the last one counts
BEGIN;
SAVEPOINT one;
CREATE FOREIGN TABLE c (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
INSERT INTO c VALUES (1, 1);
ROLLBACK TO one;
DROP FOREIGN TABLE b;
ROLLBACK TO one;
SAVEPOINT two;
CREATE FOREIGN TABLE d (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
RELEASE two;
COMMIT;
SELECT * FROM owned;
CREATE FOREIGN TABLE c (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
SELECT * FROM c WHERE id = 1;
SELECT * FROM b WHERE id = 1;

-- dropped and made again in one transaction: table and items stay
BEGIN;
DROP FOREIGN TABLE b;
CREATE FOREIGN TABLE b (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
COMMIT;
SELECT * FROM b WHERE id = 1;
SELECT * FROM owned;

-- policies
ALTER FOREIGN TABLE c OPTIONS (ADD drop_remote_table 'never');
INSERT INTO c VALUES (2, 2);
DROP FOREIGN TABLE c;
CREATE FOREIGN TABLE c (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast OPTIONS (drop_remote_table 'always');
SELECT * FROM c WHERE id = 2;
DROP FOREIGN TABLE c;
CREATE FOREIGN TABLE c (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
SELECT * FROM c WHERE id = 2;

-- switched off: nothing happens remotely
SET dynamo_fdw.remote_ddl = off;
DROP FOREIGN TABLE c;
CREATE FOREIGN TABLE nothing (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
\set VERBOSITY sqlstate
SELECT * FROM nothing WHERE id = 1;
\set VERBOSITY default
DROP FOREIGN TABLE nothing;
RESET dynamo_fdw.remote_ddl;
SELECT * FROM owned;
CREATE FOREIGN TABLE c (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
DROP FOREIGN TABLE c;

-- renamed: the remote table and the names of features stay
ALTER FOREIGN TABLE d RENAME TO e;
ALTER TABLE e RENAME COLUMN v TO w;
\d e
-- another remote table meant: it is made, and the other one is kept
ALTER FOREIGN TABLE e OPTIONS (SET feature_view 'f');
SELECT * FROM owned;
SELECT foreign_table, remote_table, status, on_create, on_drop, record_state FROM dynamo_fdw_plan() WHERE remote_table ~ '[df]$'
    ORDER BY remote_table;
DROP FOREIGN TABLE e;
CREATE FOREIGN TABLE d (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
DROP FOREIGN TABLE d;
SELECT * FROM owned;

-- by hand
CREATE FOREIGN TABLE e (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
SELECT dynamo_fdw_drop_table('e');
SELECT status, on_create, on_drop, record_state FROM dynamo_fdw_plan() WHERE foreign_table = 'e'::regclass;
SELECT dynamo_fdw_create_table('e');
SELECT status, on_create, on_drop, record_state FROM dynamo_fdw_plan() WHERE foreign_table = 'e'::regclass;
DELETE FROM dynamo_fdw_record;
DROP FOREIGN TABLE e;

-- cascades
CREATE SCHEMA s;
CREATE FOREIGN TABLE s.f (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
CREATE FOREIGN TABLE s.g (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
SELECT * FROM owned;
DROP SCHEMA s CASCADE;
SELECT * FROM owned;
DROP FOREIGN TABLE b;
SELECT dynamo_fdw_delete_pending() > 0 AS some;
SELECT * FROM owned;
SELECT * FROM pending;

-- a partition cannot say at once what its keys are: nothing happens remotely before it does
CREATE TABLE parts (id bigint, k text, v int) PARTITION BY RANGE (id);
CREATE FOREIGN TABLE p PARTITION OF parts FOR VALUES FROM (0) TO (10) SERVER feast;
SELECT * FROM owned;
ALTER FOREIGN TABLE p ALTER COLUMN v OPTIONS (ADD name 'w');
ALTER FOREIGN TABLE p OPTIONS (ADD batch_size '10');
SELECT * FROM owned;
ALTER FOREIGN TABLE p ALTER COLUMN id OPTIONS (ADD entity_key 'true');
SELECT * FROM owned;
ALTER FOREIGN TABLE p ALTER COLUMN k OPTIONS (ADD entity_key 'true');
INSERT INTO parts VALUES (1, 'a', 1);
SELECT * FROM parts WHERE id = 1 AND k = 'a';
ALTER FOREIGN TABLE p OPTIONS (ADD drop_remote_table 'never');
DROP FOREIGN TABLE p;
CREATE FOREIGN TABLE q PARTITION OF parts FOR VALUES FROM (0) TO (10) SERVER feast
    OPTIONS (feature_view 'p', drop_remote_table 'always');
DROP FOREIGN TABLE q;
CREATE FOREIGN TABLE q PARTITION OF parts FOR VALUES FROM (0) TO (10) SERVER feast
    OPTIONS (feature_view 'p', drop_remote_table 'always');
ALTER FOREIGN TABLE q ALTER COLUMN id OPTIONS (ADD entity_key 'true'), ALTER COLUMN k OPTIONS (ADD entity_key 'true'),
    ALTER COLUMN v OPTIONS (ADD name 'w');
SELECT * FROM parts WHERE id = 1 AND k = 'a';
DROP FOREIGN TABLE q;
CREATE FOREIGN TABLE r PARTITION OF parts FOR VALUES FROM (0) TO (10) SERVER feast;
ALTER FOREIGN TABLE r OPTIONS (ADD entityless 'true');
SELECT * FROM owned;
DROP TABLE parts;
SELECT * FROM owned;

-- options changed in the same transaction count
CREATE SERVER moved FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (region 'us-west-2', project 'regress', endpoint_url 'http://127.0.0.1:1');
CREATE USER MAPPING FOR CURRENT_USER SERVER moved OPTIONS (access_key_id 'regress', secret_access_key 'secret');
\set VERBOSITY terse
\getenv endpoint DYNAMO_FDW_ENDPOINT
\if :{?endpoint}
\else
\set endpoint 'http://localhost:8000'
\endif
BEGIN;
SAVEPOINT s;
CREATE FOREIGN TABLE m (id bigint OPTIONS (entity_key 'true')) SERVER moved;
ROLLBACK TO s;
ALTER SERVER moved OPTIONS (SET endpoint_url :'endpoint');
CREATE FOREIGN TABLE m (id bigint OPTIONS (entity_key 'true')) SERVER moved;
COMMIT;
\set VERBOSITY default
SELECT * FROM owned;
DROP SERVER moved CASCADE;
SELECT * FROM owned;

-- a table that a rolled-back savepoint made, meant again by ALTER
CREATE FOREIGN TABLE h1 (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
BEGIN;
SAVEPOINT s;
CREATE FOREIGN TABLE h2 (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
ROLLBACK TO s;
ALTER FOREIGN TABLE h1 OPTIONS (ADD feature_view 'h2');
COMMIT;
INSERT INTO h1 VALUES (1, 1);
SELECT * FROM h1 WHERE id = 1;
DROP FOREIGN TABLE h1;
CREATE FOREIGN TABLE h1 (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
DROP FOREIGN TABLE h1;

-- the table went by another way: what is made anew is owned, and deleted
CREATE FOREIGN TABLE k (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
CREATE FOREIGN TABLE k2 (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast
    OPTIONS (feature_view 'k', drop_remote_table 'always');
SET dynamo_fdw.remote_ddl = off;
DROP FOREIGN TABLE k;
RESET dynamo_fdw.remote_ddl;
DROP FOREIGN TABLE k2;
CREATE FOREIGN TABLE k (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
SELECT * FROM owned;
DROP FOREIGN TABLE k;
SELECT * FROM owned;

-- TRUNCATE: what is refused
CREATE FOREIGN TABLE k (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
INSERT INTO k VALUES (1, 1);
BEGIN;
TRUNCATE k;
ROLLBACK;
DO $$ BEGIN TRUNCATE k; END $$;
CREATE FOREIGN TABLE k2 (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast
    OPTIONS (feature_view 'k', drop_remote_table 'always');
TRUNCATE k;
ALTER FOREIGN TABLE k2 OPTIONS (SET drop_remote_table 'never');
TRUNCATE k, k2;
ALTER FOREIGN TABLE k2 OPTIONS (SET drop_remote_table 'created', ADD create_remote_table 'false');
TRUNCATE k, k2;
DROP FOREIGN TABLE k2;
SET dynamo_fdw.remote_ddl = off;
TRUNCATE k;
RESET dynamo_fdw.remote_ddl;
SELECT * FROM k WHERE id = 1;
-- and what is not
TRUNCATE k;
SELECT * FROM k WHERE id = 1;
INSERT INTO k VALUES (1, 2);
SELECT * FROM k WHERE id = 1;
SELECT dynamo_fdw_forget(id) FROM dynamo_fdw_record WHERE table_name = 'regress.k';
TRUNCATE k;
ALTER FOREIGN TABLE k OPTIONS (ADD drop_remote_table 'always');
DROP FOREIGN TABLE k;

-- the extension goes and comes back within a transaction
CREATE FOREIGN TABLE x (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast;
SELECT dynamo_fdw_delete_pending() >= 0 AS swept;
BEGIN;
SAVEPOINT s;
DROP VIEW owned, pending;
DROP EXTENSION dynamo_fdw CASCADE;
ROLLBACK TO s;
DROP FOREIGN TABLE x;
COMMIT;
SELECT * FROM owned;
SELECT * FROM pending;

-- no user mapping: clear words
CREATE ROLE regress_dynamo_owner;
GRANT USAGE ON FOREIGN SERVER feast TO regress_dynamo_owner;
CREATE SCHEMA theirs AUTHORIZATION regress_dynamo_owner;
SET ROLE regress_dynamo_owner;
CREATE FOREIGN TABLE theirs.t (id bigint OPTIONS (entity_key 'true')) SERVER feast;
SELECT dynamo_fdw_delete_pending();
SELECT * FROM dynamo_fdw_record;
CREATE FOREIGN TABLE theirs.t (id bigint OPTIONS (entity_key 'true')) SERVER feast OPTIONS (create_remote_table 'false');
SELECT * FROM theirs.t WHERE id = 1;
RESET ROLE;
DROP SCHEMA theirs CASCADE;
REVOKE USAGE ON FOREIGN SERVER feast FROM regress_dynamo_owner;
DROP ROLE regress_dynamo_owner;
DROP VIEW owned, pending;
