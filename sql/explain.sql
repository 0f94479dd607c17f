-- What EXPLAIN shows; nothing of it asks DynamoDB.
CREATE FOREIGN TABLE shown (
    id bigint OPTIONS (entity_key 'true'),
    kind text OPTIONS (entity_key 'true'),
    ts timestamptz OPTIONS (event_timestamp 'true'),
    a int, b text
) SERVER feast OPTIONS (create_remote_table 'false', batch_size '40');
EXPLAIN (COSTS OFF) SELECT a FROM shown WHERE id = 1 AND kind = 'x' AND b > 'm';
EXPLAIN (COSTS OFF, VERBOSE) SELECT * FROM shown WHERE id = ANY ('{1,2}') AND kind IN ('x', 'y');
EXPLAIN (COSTS OFF, VERBOSE) SELECT count(*) FROM shown WHERE (id, kind) IN ((1, 'x'), (2, 'y'));
EXPLAIN (COSTS OFF, VERBOSE) SELECT a FROM shown WHERE id = 1;
EXPLAIN (COSTS OFF, FORMAT JSON) SELECT a FROM shown WHERE id = 1 AND kind = 'x';
EXPLAIN (COSTS OFF, VERBOSE) INSERT INTO shown SELECT i, 'x', now() FROM generate_series(1, 3) i;
EXPLAIN (COSTS OFF) UPDATE shown SET a = 1 WHERE id = 1;
EXPLAIN (COSTS OFF) SELECT v.i, s.a FROM generate_series(1, 3) v(i) LEFT JOIN shown s ON s.id = v.i AND s.kind = 'x';
EXPLAIN (COSTS OFF) SELECT s.a FROM generate_series(1, 3) x(i), unnest('{a,b}'::text[]) y(k), shown s
    WHERE s.id = x.i AND s.kind = y.k;

-- the plan without keys loses, whatever is switched off
CREATE TABLE entities (id bigint);
SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT s.a FROM entities e JOIN shown s ON s.id = e.id AND s.kind = 'x';
RESET enable_nestloop;
DROP TABLE entities;
DROP FOREIGN TABLE shown;
