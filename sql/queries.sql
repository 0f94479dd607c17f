-- Conditions on keys in every kind of query.
CREATE FOREIGN TABLE stats (
    id bigint OPTIONS (entity_key 'true'),
    ts timestamptz OPTIONS (event_timestamp 'true'),
    trips integer,
    city text
) SERVER feast;
CREATE FOREIGN TABLE fares (id integer OPTIONS (entity_key 'true'), fare integer) SERVER feast;
INSERT INTO stats SELECT i, '2026-01-01', i * 10, 'city ' || i % 3 FROM generate_series(1, 20) i;
INSERT INTO fares SELECT i, i * 100 FROM generate_series(1, 20) i UNION ALL SELECT 50, 50;
CREATE TABLE orders (o integer PRIMARY KEY, id integer);
INSERT INTO orders SELECT o, o % 5 FROM generate_series(1, 10) o;
ANALYZE orders;

-- conditions that follow from others
SELECT s.trips, f.fare FROM stats s, fares f WHERE s.id = f.id AND f.id = 4;
SELECT s.trips, f.fare FROM stats s JOIN fares f USING (id) WHERE s.id IN (4, 5) ORDER BY 1;
SELECT a.trips, b.trips FROM stats a JOIN stats b ON b.id = a.trips / 10 + 1 WHERE a.id = 1;

SELECT s.trips, f.fare FROM stats s JOIN fares f ON f.id = s.id WHERE f.id = ANY ('{4,5}') AND s.id <> 4 ORDER BY 1;
SELECT s.id, f.fare FROM stats s LEFT JOIN fares f ON f.id = s.id AND f.fare > 400 WHERE s.id = ANY ('{4,5,99}')
    ORDER BY 1;
SELECT f.id, s.trips FROM stats s RIGHT JOIN fares f USING (id) WHERE f.id = 4 OR f.id = 5 AND f.fare > 0 ORDER BY 1;
SELECT o, f.fare, s.trips FROM orders o LEFT JOIN fares f ON f.id = o.id LEFT JOIN stats s ON s.id = f.id
    WHERE o.id IN (0, 1) AND o.o > 4 ORDER BY 1;
SELECT id FROM stats s WHERE id = ANY ('{4,5}') AND NOT EXISTS (SELECT FROM fares f WHERE f.id = s.id AND fare = 400);
SELECT id FROM stats s WHERE id IN (SELECT id FROM fares WHERE id = ANY ('{4,5}')) ORDER BY 1;
SELECT s.id, f.id FROM stats s FULL JOIN fares f ON f.id = s.id WHERE s.id = ANY ('{4,5}') ORDER BY 1;
SELECT fare FROM fares WHERE fare = id AND fare = ANY ('{5,50}');
-- a condition on no column, in the outermost join
SELECT o, f.fare FROM orders o LEFT JOIN fares f ON f.id = o.id WHERE current_setting('server_version') = 'none';
SELECT count(f.fare) FROM orders o LEFT JOIN fares f ON f.id = o.id WHERE current_setting('server_version') <> 'none';
-- not to what an outer join keeps
SELECT s.id, f.fare FROM stats s LEFT JOIN fares f ON f.id = s.id AND f.id = ANY ('{4}');
SELECT s.id, f.fare FROM stats s FULL JOIN (SELECT * FROM fares WHERE id = ANY ('{4,5}')) f ON f.id = s.id;

-- sub-selects that PostgreSQL makes no join of
SELECT trips FROM stats WHERE id = 3 OR id IN (SELECT id FROM orders WHERE o < 3) ORDER BY 1;
SELECT trips FROM stats WHERE (id = ANY (SELECT id FROM orders) OR id = ANY ('{7,NULL}')) AND trips > 20 ORDER BY 1;
SELECT trips FROM stats WHERE (id IN (SELECT id FROM orders WHERE o < 3)) IS TRUE ORDER BY 1;
SELECT trips FROM stats WHERE id = 3 OR id IN (SELECT 2.0 UNION ALL SELECT 2.5 UNION ALL SELECT NULL) ORDER BY 1;
SELECT trips FROM stats WHERE id = 3 OR id IN (SELECT NULL::integer);
SELECT trips FROM stats WHERE id = 3 OR id IN (SELECT fare / 100 FROM fares WHERE id IN (4, 5)) ORDER BY 1;
SELECT o, s.trips FROM orders LEFT JOIN stats s ON s.id = o OR s.id IN (SELECT 20) WHERE o < 3 ORDER BY 1, 2;
SELECT o, (SELECT sum(trips) FROM stats WHERE id = 3 OR id IN (SELECT i.o FROM orders i WHERE i.o < orders.o OFFSET 0))
    FROM orders WHERE o < 4 ORDER BY 1;
PREPARE by_sub_select(integer) AS SELECT trips FROM stats WHERE id = $1 OR id IN (SELECT o FROM orders WHERE o < $1)
    ORDER BY 1;
SET plan_cache_mode = force_generic_plan;
EXECUTE by_sub_select(3);
EXECUTE by_sub_select(2);
RESET plan_cache_mode;
DEALLOCATE by_sub_select;
-- those that hang on the row have no values by themselves, and what is no sub-select's fault is not blamed on it
SELECT trips FROM stats WHERE id = 3 OR id IN (SELECT id FROM orders WHERE orders.o = stats.trips);
SELECT trips FROM stats WHERE id = 3 OR EXISTS (SELECT FROM orders WHERE orders.id = stats.id);
SELECT trips FROM stats WHERE id = 3 OR EXISTS (SELECT FROM orders WHERE orders.id = stats.trips);
SELECT trips FROM stats WHERE id NOT IN (SELECT id FROM orders);
SELECT trips FROM stats WHERE trips = 3 OR id IN (SELECT id FROM orders);

-- other tables as the source of keys
SELECT g, s.trips FROM generate_series(19, 21) g LEFT JOIN stats s ON s.id = g ORDER BY 1;
SELECT u.id, s.trips FROM unnest('{3,1,99}'::bigint[]) WITH ORDINALITY u(id, o) LEFT JOIN stats s USING (id) ORDER BY o;
SELECT v.x, s.trips FROM (VALUES (1), (2)) v(x) JOIN stats s ON s.id = v.x ORDER BY 1;
SELECT trips FROM stats WHERE id IN (SELECT id FROM orders WHERE o < 3) ORDER BY 1;
SELECT trips FROM stats WHERE id = (SELECT max(id) FROM orders);
SELECT trips FROM stats WHERE id = ANY (SELECT generate_series(1, 3)) ORDER BY 1;
SELECT o FROM orders WHERE NOT EXISTS (SELECT FROM stats s WHERE s.id = orders.id) ORDER BY 1;
SELECT o FROM orders LEFT JOIN stats s ON s.id = orders.id WHERE s.id IS NULL ORDER BY 1;
SELECT o FROM orders WHERE id IN (SELECT id FROM stats WHERE id = ANY ('{1,2}')) ORDER BY 1;
SELECT o, trips FROM stats s RIGHT JOIN orders USING (id) WHERE o < 7 ORDER BY 1;
SELECT o, trips FROM (SELECT * FROM orders WHERE o < 3) o
    FULL JOIN (SELECT * FROM stats WHERE id IN (1, 20)) s USING (id) ORDER BY 1;
SELECT o, trips FROM orders FULL JOIN stats USING (id);

-- sub-queries; what they look for changes with each row, or does not
SELECT o, (SELECT trips FROM stats s WHERE s.id = orders.id AND o > 2) AS trips FROM orders WHERE o < 5 ORDER BY 1;
SELECT o, (SELECT count(*) FROM stats WHERE id IN (1, 2, 3) AND trips > o * 10) AS n FROM orders WHERE o < 4 ORDER BY 1;
SELECT o, l.* FROM orders, LATERAL (SELECT trips, fare FROM stats JOIN fares USING (id) WHERE id = orders.id LIMIT 1) l
    WHERE o < 3 ORDER BY 1;
SET enable_material = off;
SET enable_memoize = off;
SELECT o, trips FROM orders, stats s WHERE s.id IN (1, 2) AND o < 3 ORDER BY 1, 2;
SELECT o, trips FROM orders JOIN stats s ON s.id = orders.id WHERE o > 4 ORDER BY 1;
RESET enable_material;
RESET enable_memoize;
WITH w AS MATERIALIZED (SELECT * FROM stats WHERE id IN (1, 2)) SELECT count(*) FROM w a, w b;
WITH w AS NOT MATERIALIZED (SELECT * FROM stats) SELECT trips FROM w WHERE id = 2;
WITH RECURSIVE r(i) AS (
    SELECT 1::bigint UNION ALL SELECT s.trips / 10 + 1 FROM r JOIN stats s ON s.id = r.i WHERE i < 4
) SELECT * FROM r;
SELECT trips FROM stats WHERE id = 1 UNION ALL SELECT fare FROM fares WHERE id IN (1, 2) ORDER BY 1;
SELECT trips FROM (SELECT id, trips FROM stats UNION ALL SELECT id::bigint, fare FROM fares) u WHERE id = 3 ORDER BY 1;

-- above the scan
SELECT id, rank() OVER (ORDER BY trips DESC) FROM stats WHERE id IN (1, 2, 3) ORDER BY 1;
SELECT DISTINCT ON (city) city, trips FROM stats WHERE id IN (1, 2, 3, 4) ORDER BY city, trips;
SELECT id, city, count(*) FROM stats WHERE id IN (1, 4) GROUP BY GROUPING SETS ((id), (city), ()) ORDER BY 1, 2;
SELECT trips FROM stats WHERE id = ANY ('{5,6,7}') ORDER BY id DESC LIMIT 2;
SELECT trips FROM stats WHERE id = 1 FOR UPDATE;
SELECT o, trips FROM orders JOIN stats s USING (id) WHERE o < 3 ORDER BY 1 FOR SHARE;

-- whole rows and system columns
SET TIME ZONE 'UTC';
SELECT s, row(s), (s).trips FROM stats s WHERE id = 1;
RESET TIME ZONE;
SELECT tableoid::regclass, trips FROM stats WHERE id = 1;
SELECT xmin FROM stats WHERE id = 1;

-- views
CREATE VIEW open_view AS SELECT id, trips FROM stats WHERE trips <> 20;
CREATE VIEW barrier_view WITH (security_barrier) AS SELECT id, trips FROM stats WHERE trips <> 20;
CREATE FUNCTION tell(integer) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
    RAISE NOTICE 'sees %', $1;
    RETURN true;
END $$;
SELECT * FROM open_view WHERE id IN (1, 2, 3) ORDER BY 1;
SELECT * FROM barrier_view WHERE id IN (1, 2) AND tell(trips);
SELECT * FROM barrier_view WHERE id = 1 OR (id = 2 AND tell(trips));

-- prepared statements
PREPARE by_ids(numeric[], smallint) AS SELECT trips FROM stats WHERE id = ANY ($1) OR id = $2 ORDER BY 1;
SET plan_cache_mode = force_custom_plan;
EXECUTE by_ids('{1,2.5,3.0}', 5);
SET plan_cache_mode = force_generic_plan;
EXECUTE by_ids('{1,2.5,3.0}', 5);
EXECUTE by_ids(NULL, NULL);
RESET plan_cache_mode;
DEALLOCATE by_ids;

-- cursors
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT trips FROM stats WHERE id IN (1, 2, 3) ORDER BY 1;
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
FETCH LAST FROM c;
DECLARE h CURSOR WITH HOLD FOR SELECT trips FROM stats WHERE id IN (1, 2, 3) ORDER BY 1;
FETCH 1 FROM h;
COMMIT;
FETCH ALL FROM h;
CLOSE h;

-- PL/pgSQL and functions in SQL
DO $$
DECLARE
    r record;
    ids bigint[] := '{1,2}';
BEGIN
    SELECT * INTO r FROM orders WHERE o = 3;
    RAISE NOTICE '%', (SELECT trips FROM stats WHERE id = r.id);
    FOR r IN SELECT trips FROM stats WHERE id = ANY (ids || 4) ORDER BY 1 LOOP
        RAISE NOTICE '%', r.trips;
    END LOOP;
    FOR i IN 1..8 LOOP              -- enough for a generic plan
        ASSERT (SELECT trips FROM stats WHERE id = i) = i * 10;
    END LOOP;
END $$;
CREATE FUNCTION inlined(bigint) RETURNS TABLE (trips integer) LANGUAGE sql STABLE
    AS 'SELECT trips FROM stats WHERE id = $1';
CREATE FUNCTION called(bigint) RETURNS integer LANGUAGE sql AS 'SELECT trips FROM stats WHERE id = $1';
SELECT * FROM inlined(3);
SELECT o, i.trips, called(o) FROM orders, inlined(orders.id) i WHERE o < 3 ORDER BY 1;

-- statements that take their rows from a query
CREATE TABLE target AS SELECT id, trips FROM stats WHERE id IN (1, 2);
MERGE INTO target t USING (SELECT id, fare FROM fares WHERE id IN (2, 3)) f ON f.id = t.id
    WHEN MATCHED THEN UPDATE SET trips = f.fare WHEN NOT MATCHED THEN INSERT VALUES (f.id, f.fare);
SELECT * FROM target ORDER BY 1;
UPDATE target SET trips = s.trips + 1 FROM stats s WHERE s.id = target.id;
DELETE FROM target USING fares f WHERE f.id = target.id AND f.fare > 200;
COPY (SELECT * FROM target ORDER BY 1) TO STDOUT;
COPY (SELECT id, trips FROM stats WHERE id = 3) TO STDOUT;
CREATE MATERIALIZED VIEW copied AS SELECT id, trips FROM stats WHERE id IN (1, 2);
REFRESH MATERIALIZED VIEW copied;
SELECT * FROM copied ORDER BY 1;
DROP MATERIALIZED VIEW copied;
DROP TABLE target;

-- a partitioned table whose partitions are foreign, and a child
SET client_min_messages = error;    -- the remote table exists already
CREATE TABLE parts (id bigint, trips integer) PARTITION BY RANGE (id);
CREATE FOREIGN TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (10) SERVER feast OPTIONS (feature_view 'low');
ALTER FOREIGN TABLE low ALTER id OPTIONS (entity_key 'true');
CREATE FOREIGN TABLE high PARTITION OF parts FOR VALUES FROM (10) TO (20) SERVER feast OPTIONS (feature_view 'high');
ALTER FOREIGN TABLE high ALTER id OPTIONS (entity_key 'true');
CREATE TABLE rest PARTITION OF parts FOR VALUES FROM (20) TO (30);
RESET client_min_messages;
INSERT INTO parts SELECT i, i * 10 FROM generate_series(1, 29) i;
SELECT tableoid::regclass, trips FROM parts WHERE id IN (3, 13, 23) ORDER BY 2;
SELECT o, trips FROM orders JOIN parts ON parts.id = o * 9 WHERE o < 4 ORDER BY 1;
PREPARE by_id(bigint) AS SELECT tableoid::regclass, trips FROM parts WHERE id = $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE by_id(13);
EXECUTE by_id(23);
RESET plan_cache_mode;
SET enable_partitionwise_join = on;
SELECT a.trips, b.trips FROM parts a JOIN parts b USING (id) WHERE a.id IN (3, 13) ORDER BY 1;
RESET enable_partitionwise_join;
SELECT * FROM parts WHERE trips = 30;
CREATE TABLE parent (id bigint, trips integer);
INSERT INTO parent VALUES (7, 7);
ALTER FOREIGN TABLE stats INHERIT parent;
SELECT tableoid::regclass, * FROM parent WHERE id IN (7, 8) ORDER BY 1, 2;
SELECT * FROM ONLY parent WHERE id IN (7, 8);
ALTER FOREIGN TABLE stats NO INHERIT parent;

-- what foreign tables don't have
SELECT * FROM stats TABLESAMPLE SYSTEM (10) WHERE id = 1;
ANALYZE stats;

DEALLOCATE by_id;
DROP TABLE parts, parent, orders;
DROP VIEW open_view, barrier_view;
DROP FUNCTION tell, inlined, called;
DROP FOREIGN TABLE stats, fares;
