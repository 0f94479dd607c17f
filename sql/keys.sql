-- Which conditions name keys: beyond the forms of select.sql, keys equal to each other and operands of other types.
CREATE FOREIGN TABLE cells (
    x bigint OPTIONS (entity_key 'true'),
    y integer OPTIONS (entity_key 'true'),
    z bigint OPTIONS (entity_key 'true'),
    v text
) SERVER feast;
INSERT INTO cells SELECT x, y, z, format('%s-%s-%s', x, y, z)
    FROM generate_series(1, 3) x, generate_series(1, 3) y, generate_series(1, 3) z;

-- keys made equal to each other
SELECT v FROM cells WHERE x = y AND y = z AND z = 2;
SELECT v FROM cells WHERE x = y AND y = z AND z IN (1, 3, 5000000000) ORDER BY 1;
SELECT v FROM cells WHERE x = y AND y = 3 AND z = 1;
SELECT v FROM cells WHERE x = y AND y IN (2, 3) AND x IN (1, 2) AND z = x;
SELECT v FROM cells WHERE (x = y OR x = 1) AND y IN (2, 3) AND z = 1 ORDER BY 1;
SELECT v FROM cells WHERE (x = y OR (x = 1 AND y = 2)) AND z = 1 AND x IN (1, 2) ORDER BY 1;
SELECT v FROM cells WHERE x = y AND (y = z OR z = 3) AND z IN (1, 3) AND x IN (1, 2) ORDER BY 1;
SELECT c.v FROM generate_series(2, 4) g JOIN cells c ON c.x = g AND c.y = c.x AND c.z = 1 ORDER BY 1;
SELECT v FROM cells WHERE x = y AND z = 1;
SELECT v FROM cells WHERE x = x AND y = 1 AND z = 1;

-- row comparison
SELECT v FROM cells WHERE ROW(x, y, z) = ROW(1, 2, 3);
SELECT v FROM cells WHERE (x, y, z) IN (SELECT 1, 2, 3 UNION ALL SELECT 3, 2, 1) ORDER BY 1;
SELECT v FROM cells WHERE (x, y, z) IN (VALUES (1, 2, 3), (3, 2, 1)) ORDER BY 1;

-- sub-selects for one of the keys; for several at once there is no set of values
SELECT v FROM cells WHERE (x = 1 AND y IN (SELECT 2) OR x IN (SELECT 3) AND y = 3) AND z = 3 ORDER BY 1;
SELECT v FROM cells WHERE (x, y) IN (SELECT 1, 2) AND z = 3 OR (x, y, z) = (3, 2, 1) ORDER BY 1;

-- keys that equal columns of another table, whose conditions name them
CREATE TABLE places (a bigint, b integer, c smallint, d bigint);
INSERT INTO places SELECT i, i, i, i % 2 FROM generate_series(1, 4) i;
SELECT a, v FROM places JOIN cells ON x = a AND y = b AND z = 1 WHERE (a, b) IN ((1, 1), (3, 3), (3, 2)) ORDER BY 1;
SELECT a, v FROM places LEFT JOIN cells ON x = a AND y = c AND z = 1 WHERE (a = 1 AND d = 1 OR a IN (2, 3))
    AND c = ANY ('{1,2,3}') ORDER BY 1;
SELECT a, v FROM places LEFT JOIN cells ON x = a AND y = a AND z = a WHERE a = ANY ('{1,4}') ORDER BY 1;
SELECT a, v FROM places LEFT JOIN cells ON x = a AND y = b AND z = c WHERE a = ANY ('{1,4}') AND b = a AND c = b ORDER BY 1;
SELECT p.a, v FROM places p JOIN places q ON q.b = p.a LEFT JOIN cells ON x = q.b AND y = 2 AND z = q.c
    WHERE p.a = ANY ('{2,3}') AND q.c = ANY ('{3,4}'::numeric[]) ORDER BY 1;
SELECT a, v FROM places LEFT JOIN cells ON x = a AND y = 1 AND z = 1 WHERE a IS NULL OR a = ANY ('{1,5000000000}')
    ORDER BY 1;
DROP TABLE places;

-- conditions on some of the keys meet those on others
SELECT v FROM cells WHERE (x, y) IN ((1, 1), (2, 2), (3, 1)) AND (y, z) IN ((1, 2), (2, 3)) ORDER BY 1;
SELECT v FROM cells WHERE (x, y, z) IN ((1, 1, 1), (2, 2, 2)) AND x = ANY ('{2,3}') AND z = ANY ('{1,2}');
SELECT v FROM cells WHERE x = ANY ('{1,2}') AND x = ANY ('{2,3}') AND y = 1 AND z = 1 AND z = ANY ('{1}');
SELECT v FROM cells WHERE ((x = 1 AND y = 1) OR (y = 2 AND z = 2)) AND (z = 2 OR x = 1) AND x IN (1, 3) AND z IN (1, 2)
    AND y IN (1, 2) ORDER BY 1;

-- negations that are equalities, and tests; no key is NULL
SELECT v FROM cells WHERE NOT (x <> 1) AND NOT (y <> ALL ('{1}')) AND NOT (z NOT IN (1, 2)) ORDER BY 1;
SELECT v FROM cells WHERE x IS NOT DISTINCT FROM 1 AND NOT (y IS DISTINCT FROM 2) AND z = 3;
SELECT v FROM cells WHERE x IS NOT DISTINCT FROM NULL::bigint AND y = 1 AND z = 1;
SELECT v FROM cells WHERE (x = 1 AND y = 1) IS TRUE AND z = 1;
SELECT v FROM cells WHERE (x = 1 OR x IS NULL) AND y = 1 AND z = 1;
SELECT v FROM cells WHERE x IS NULL AND y = 1 AND z = 1;
SELECT v FROM cells WHERE (x = 1) IS NOT FALSE AND y = 1 AND z = 1;

-- whole numbers of any type, on either side; others are no key
SELECT v FROM cells WHERE x = 1.0 AND y = 2.000 AND z = 3::smallint;
SELECT v FROM cells WHERE x = 1 AND z = 1
    AND y = ANY ('{1,2.5,1e30,-1e30,NaN,Infinity,3.000,9223372036854775808,NULL}'::numeric[]) ORDER BY 1;
SELECT v FROM cells WHERE x::integer = 1 AND y::bigint = 2 AND z::numeric = 3;
SELECT v FROM cells WHERE x::smallint = 1 AND y::smallint = 2 AND z::numeric = 3.5;
SELECT v FROM cells WHERE x = '1' AND y = '2' AND z = '3';
SELECT v FROM cells WHERE x = 1 AND y = 5000000000 AND z = 1;
SELECT v FROM cells WHERE x = 1 AND y = ANY ('{1,5000000000}'::bigint[]) AND z = ANY ('{{1,NULL},{2,2}}') ORDER BY 1;
SELECT v FROM cells WHERE x = coalesce(NULL, 1) AND y = CASE WHEN x IS NULL THEN 2 ELSE 3 END AND z = 1;
SELECT v FROM cells WHERE x = 1.0::float8 AND y = 1 AND z = 1;

-- other names of text
CREATE DOMAIN word AS varchar(20) CHECK (VALUE <> '');
CREATE FOREIGN TABLE words (w word OPTIONS (entity_key 'true'), n integer) SERVER feast;
INSERT INTO words VALUES ('public', 1), ('pad', 2), ('pad  ', 3);
SELECT n FROM words WHERE w = 'public'::name;
SELECT n FROM words WHERE w = ANY ('{public,pad}'::name[]) ORDER BY 1;
SELECT n FROM words WHERE w = current_schema();
SELECT n FROM words WHERE w = 'pad'::word;
SELECT n FROM words WHERE w = ANY ('{pad}'::word[]);
SELECT n FROM words WHERE w::text = 'pad  '::text;
SELECT n FROM words WHERE w = 'pad'::char(5);
SELECT n FROM words WHERE w::varchar(3) = 'pad';

-- dates and local times, in the session's time zone: summer time skips and repeats an hour
SET TIME ZONE 'Europe/Zurich';
CREATE FOREIGN TABLE moments (k timestamptz OPTIONS (entity_key 'true'), n integer) SERVER feast;
INSERT INTO moments VALUES ('2024-03-31 00:00+01', 1), ('2024-07-01 00:00+02', 2), ('2024-03-31 03:30+02', 3),
    ('2024-10-27 02:30+02', 4), ('2024-10-27 02:30+01', 5);
CREATE TABLE plain_moments AS SELECT * FROM moments WHERE n > 0
    AND k = ANY (ARRAY['2024-03-31', '2024-07-01', '2024-03-31 03:30+02', '2024-10-27 02:30+02',
                       '2024-10-27 02:30+01']::timestamptz[]);
SELECT n FROM moments WHERE k = date '2024-03-31';
SELECT n FROM moments WHERE k = ANY ('{2024-03-31,2024-07-01,infinity,-infinity,5874897-12-31,4714-11-24 BC,
    294276-12-31,294277-01-01}'::date[]) ORDER BY 1;
SELECT n FROM moments WHERE k = ANY ('{2024-03-31 02:30,2024-10-27 02:30,infinity,294276-12-31 23:59:59,
    4714-11-24 00:00 BC}'::timestamp[]) ORDER BY 1;
SELECT n FROM plain_moments WHERE k IN (timestamp '2024-03-31 02:30', timestamp '2024-10-27 02:30') ORDER BY 1;
SELECT n FROM moments WHERE timestamp '2024-07-01 00:00' = k OR k IN (current_date, localtimestamp, now());
SET TIME ZONE 'UTC';
SELECT n FROM moments WHERE k = timestamp '2024-06-30 22:00';
RESET TIME ZONE;
SELECT n FROM moments WHERE k::date = '2024-07-01';

DROP TABLE plain_moments;
DROP FOREIGN TABLE cells, words, moments;
DROP DOMAIN word;
