-- SELECT by entity key.
CREATE FOREIGN TABLE driver_stats (
    driver_id bigint OPTIONS (entity_key 'true') NOT NULL,
    event_timestamp timestamptz OPTIONS (event_timestamp 'true'),
    conv_rate real,
    trips integer,
    city text
) SERVER feast;
INSERT INTO driver_stats
    SELECT i, '2026-01-01 00:00+00'::timestamptz + i * interval '1 hour', i / 8.0, i, 'city ' || i
    FROM generate_series(1, 10) i;

-- each form of a key predicate
SELECT driver_id, conv_rate FROM driver_stats WHERE driver_id = 1;
SELECT driver_id, conv_rate FROM driver_stats WHERE 2 = driver_id;
SELECT driver_id, conv_rate FROM driver_stats WHERE driver_id IN (3, 4, 3, 99) ORDER BY 1;
SELECT driver_id, trips FROM driver_stats WHERE driver_id = ANY ('{5,6,NULL,5}') ORDER BY 1;
SELECT driver_id, city FROM driver_stats WHERE driver_id = ANY (ARRAY(SELECT generate_series(9, 12))) ORDER BY 1;
SELECT driver_id FROM driver_stats WHERE driver_id = (SELECT 7);
SELECT driver_id FROM driver_stats WHERE driver_id = 1 OR driver_id IN (2, 3) ORDER BY 1;
SELECT driver_id FROM driver_stats WHERE (driver_id = 1 AND trips > 5) OR (driver_id = 8 AND trips > 5) ORDER BY 1;
SELECT driver_id FROM driver_stats WHERE driver_id IN (1, 2, 3) AND driver_id IN (2, 3, 4) ORDER BY 1;
SELECT driver_id FROM driver_stats WHERE driver_id = 1 AND driver_id = 2;

-- any integer width on either side
SELECT driver_id FROM driver_stats WHERE driver_id = 1::smallint;
SELECT driver_id FROM driver_stats WHERE driver_id = ANY ('{1,2}'::smallint[]) ORDER BY 1;
SELECT driver_id FROM driver_stats WHERE driver_id = ANY ('{1,2}'::integer[]) ORDER BY 1;

-- nothing to ask for
SELECT driver_id FROM driver_stats WHERE driver_id = ANY ('{}');
SELECT driver_id FROM driver_stats WHERE driver_id = ANY (NULL);
SELECT driver_id FROM driver_stats WHERE driver_id = NULL;
SELECT driver_id FROM driver_stats WHERE driver_id = 99;

-- other conditions filter
SELECT driver_id FROM driver_stats WHERE driver_id IN (1, 2, 3) AND city <> 'city 2' ORDER BY 1;
SELECT count(*), sum(trips) FROM driver_stats WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 1000)));
SELECT * FROM driver_stats WHERE driver_id = 3;
SELECT d FROM driver_stats d WHERE driver_id = 3;
SELECT event_timestamp AT TIME ZONE 'UTC' AS utc FROM driver_stats WHERE driver_id = 3;

-- prepared statements, custom and generic plans
PREPARE by_key(bigint) AS SELECT driver_id, trips FROM driver_stats WHERE driver_id = $1;
EXECUTE by_key(1);
EXECUTE by_key(NULL);
PREPARE by_keys(integer[]) AS SELECT driver_id, trips FROM driver_stats WHERE driver_id = ANY ($1) ORDER BY 1;
SET plan_cache_mode = force_generic_plan;
EXECUTE by_key(2);
EXECUTE by_keys('{3,2,1}');
EXECUTE by_keys('{}');
EXECUTE by_keys(NULL);
RESET plan_cache_mode;

-- joins with a local table of entities
CREATE TABLE orders (order_id int, driver_id int);
INSERT INTO orders VALUES (100, 1), (101, 2), (102, 77), (103, 1), (104, NULL);
SELECT o.order_id, d.conv_rate FROM orders o LEFT JOIN driver_stats d USING (driver_id) ORDER BY 1;
SELECT o.order_id, d.trips FROM orders o JOIN driver_stats d ON d.driver_id = o.driver_id ORDER BY 1;
SELECT o.order_id FROM orders o WHERE EXISTS (SELECT FROM driver_stats d WHERE d.driver_id = o.driver_id) ORDER BY 1;
SELECT o.order_id, (SELECT d.city FROM driver_stats d WHERE d.driver_id = o.driver_id) FROM orders o ORDER BY 1;
SELECT o.order_id, d.trips FROM orders o, LATERAL (SELECT trips FROM driver_stats WHERE driver_id = o.driver_id + 1) d
    ORDER BY 1;

-- no key: plans, but does not run
SELECT * FROM driver_stats;
SELECT * FROM driver_stats WHERE driver_id > 5;
SELECT * FROM driver_stats WHERE driver_id = 1 OR trips = 1;
SELECT * FROM driver_stats WHERE driver_id = trips;
SELECT * FROM driver_stats WHERE driver_id = (random() * 10)::int;

-- a composite key, its columns in another order than Feast's
CREATE FOREIGN TABLE pairs (
    "Trips Together" integer,
    driver_id bigint OPTIONS (entity_key 'true'),
    customer text OPTIONS (entity_key 'true', name 'customer_id')
) SERVER feast;
INSERT INTO pairs SELECT d * 10 + c, d, 'C-' || c FROM generate_series(1, 3) d, generate_series(1, 3) c;
SELECT * FROM pairs WHERE driver_id = 1 AND customer = 'C-2';
SELECT * FROM pairs WHERE (driver_id, customer) IN ((1, 'C-1'), (2, 'C-3'), (9, 'C-9')) ORDER BY 1;
SELECT * FROM pairs WHERE driver_id IN (1, 2) AND customer = ANY ('{C-1,C-2}') ORDER BY 1;
SELECT * FROM pairs WHERE customer = 'C-1' AND driver_id = ANY (ARRAY[3, 2]) ORDER BY 1;
SELECT * FROM pairs WHERE (driver_id = 1 OR customer = 'C-1') AND driver_id = 1 AND customer IN ('C-1', 'C-2') ORDER BY 1;
SELECT * FROM pairs WHERE driver_id = 1;
CREATE TABLE wanted (d int, c varchar);
INSERT INTO wanted VALUES (1, 'C-3'), (2, 'C-1');
SELECT p.* FROM wanted JOIN pairs p ON p.driver_id = d AND p.customer = c ORDER BY 1;
DROP TABLE wanted;

-- keys from two tables, for several feature views
CREATE TABLE ds (d int);
CREATE TABLE cs (c text);
INSERT INTO ds VALUES (1), (2);
INSERT INTO cs VALUES ('C-1'), ('C-2');
SELECT p."Trips Together", q."Trips Together" FROM ds CROSS JOIN cs
    JOIN pairs p ON p.driver_id = d AND p.customer = c JOIN pairs q ON q.driver_id = d AND q.customer = c ORDER BY 1;
DROP TABLE ds, cs;

-- repeated values don't multiply
SELECT count(*) FROM pairs WHERE driver_id = ANY (ARRAY(SELECT g % 5 FROM generate_series(1, 20000) g))
    AND customer = ANY (ARRAY(SELECT 'C-' || g % 5 FROM generate_series(1, 20000) g));

-- keys of every type
CREATE FOREIGN TABLE by_int4 (k integer OPTIONS (entity_key 'true'), v text) SERVER feast;
CREATE FOREIGN TABLE by_text (k varchar(40) OPTIONS (entity_key 'true'), v text) SERVER feast;
CREATE FOREIGN TABLE by_bytea (k bytea OPTIONS (entity_key 'true'), v text) SERVER feast;
CREATE FOREIGN TABLE by_time (k timestamptz OPTIONS (entity_key 'true'), v text) SERVER feast;
INSERT INTO by_int4 VALUES (-2147483648, 'min'), (2147483647, 'max');
INSERT INTO by_text VALUES ('', 'empty'), ('quote '' " \', 'quoted'), ('Zürich 東京 🚀', 'unicode');
INSERT INTO by_bytea VALUES ('\x', 'empty'), ('\x00ff', 'bytes');
INSERT INTO by_time VALUES ('1969-12-31 23:59:59+00', 'before'), ('2026-02-03 04:05:06+00', 'after');
SELECT * FROM by_int4 WHERE k IN (-2147483648, 2147483647, 2147483648) ORDER BY 1;
SELECT * FROM by_int4 WHERE k = 9223372036854775807;
SELECT * FROM by_text WHERE k IN ('', 'quote '' " \', 'Zürich 東京 🚀') ORDER BY v;
SELECT * FROM by_text WHERE k = ANY ('{"",nobody}'::text[]);
SELECT * FROM by_bytea WHERE k IN ('\x', '\x00ff') ORDER BY v;
SELECT k AT TIME ZONE 'UTC' AS k, v FROM by_time
    WHERE k IN ('1969-12-31 23:59:59+00', '2026-02-03 04:05:06+00', '2026-02-03 04:05:06.5+00', 'infinity') ORDER BY 1;

-- an entityless view has one row, and says so
CREATE FOREIGN TABLE city_totals (open_requests bigint, surge double precision) SERVER feast;
CREATE FOREIGN TABLE city_totals (open_requests bigint, surge double precision) SERVER feast
    OPTIONS (entityless 'true');
SELECT * FROM city_totals;
INSERT INTO city_totals VALUES (12, 1.5);
INSERT INTO city_totals VALUES (13, 1.25);
SELECT * FROM city_totals;
SELECT surge FROM city_totals WHERE open_requests > 100;

DROP TABLE orders;
DROP FOREIGN TABLE driver_stats, pairs, by_int4, by_text, by_bytea, by_time, city_totals;
