-- INSERT: each scalar type, requests, errors.
CREATE FOREIGN TABLE scalars (
    id bigint OPTIONS (entity_key 'true'),
    ts timestamptz OPTIONS (event_timestamp 'true'),
    b bytea, s text, i4 integer, i8 bigint, f8 double precision, f4 real, yes boolean, at timestamptz,
    "Odd ""Name"".x" varchar
) SERVER feast;
INSERT INTO scalars VALUES
    (1, '2026-01-01 00:00+00', '\x00ff', 'Zürich', -1, -2, 1.5, 0.1, true, '2026-01-01 12:00:00+00', 'odd'),
    (2, '2026-01-01 00:00:00.000001+00', '\x', '', 0, 0, 0, 0, false, '1970-01-01 00:00:00+00', ''),
    (3, '9999-12-31 23:59:59.999999+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, '0001-01-01 00:00+00', NULL, NULL, 2147483647, 9223372036854775807, 'NaN', '-Infinity', NULL,
     '1960-01-01 00:00:00.75+00', NULL);
SET timezone = 'UTC';
SELECT * FROM scalars WHERE id IN (1, 2, 3, 4) ORDER BY id;

-- the whole row is replaced; columns left out are NULL
INSERT INTO scalars (id, ts, s) VALUES (1, '2025-01-01 00:00+00', 'replaced');
SELECT * FROM scalars WHERE id = 1;

-- of two rows with one key the last wins
INSERT INTO scalars (id, ts, i4) SELECT 5, '2026-01-01 00:00+00', i FROM generate_series(1, 300) i;
SELECT i4 FROM scalars WHERE id = 5;

-- RETURNING, defaults, INSERT ... SELECT, CTEs, prepared statements
ALTER FOREIGN TABLE scalars ALTER COLUMN s SET DEFAULT 'by default';
INSERT INTO scalars (id, ts) VALUES (6, '2026-01-01 00:00+00') RETURNING id, s, i4;
WITH new AS (INSERT INTO scalars (id, ts, i4) VALUES (7, '2026-01-01 00:00+00', 7) RETURNING *) SELECT id, i4 FROM new;
WITH new AS (INSERT INTO scalars (id, ts, i4) VALUES (8, '2026-01-01 00:00+00', 8)) SELECT 1 AS one;
PREPARE put(bigint, integer) AS INSERT INTO scalars (id, ts, i4) VALUES ($1, '2026-01-01 00:00+00', $2);
EXECUTE put(9, 9);
INSERT INTO scalars (id, ts, i4) SELECT i, '2026-01-01 00:00+00', i FROM generate_series(1000, 1999) i;
SELECT count(*), sum(i4) FROM scalars WHERE id = ANY (ARRAY(SELECT generate_series(6, 2500)));

-- AFTER triggers find the rows written
CREATE TABLE seen (found bigint);
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO seen SELECT count(*) FROM scalars WHERE id = ANY ('{20,21,22,23,24,25,26}');
    RETURN NULL;
END $$;
CREATE TRIGGER look AFTER INSERT ON scalars FOR EACH STATEMENT EXECUTE FUNCTION look();
INSERT INTO scalars (id, ts) SELECT i, now() FROM generate_series(20, 22) i;
SELECT * FROM seen;
WITH unread AS (INSERT INTO scalars (id, ts) VALUES (23, now()), (24, now())) SELECT 1 AS one;
SELECT * FROM seen;
WITH read AS (INSERT INTO scalars (id, ts) VALUES (25, now()) RETURNING id),
    unread AS (INSERT INTO scalars (id, ts) SELECT id + 1, now() FROM read RETURNING id) SELECT 1 AS one;
SELECT * FROM seen;
DROP TRIGGER look ON scalars;
DROP FUNCTION look;
DROP TABLE seen;

-- a table without event timestamp writes the statement's time
CREATE FOREIGN TABLE scalars_ts (id bigint OPTIONS (entity_key 'true'), ts timestamptz OPTIONS (event_timestamp 'true'))
    SERVER feast OPTIONS (feature_view 'no_ts', create_remote_table 'false');
CREATE FOREIGN TABLE no_ts (id bigint OPTIONS (entity_key 'true'), v text) SERVER feast;
INSERT INTO no_ts VALUES (1, 'x');
SELECT now() - ts BETWEEN '-1 minute' AND '1 minute' AS just_now FROM scalars_ts WHERE id = 1;

-- a row that its view refuses is not written
CREATE VIEW few AS SELECT * FROM no_ts WHERE id < (SELECT max(s.id) FROM scalars s WHERE s.id = no_ts.id * 0 + 9)
    WITH CHECK OPTION;
INSERT INTO few VALUES (5, 'fine');
INSERT INTO few VALUES (50, 'refused');
SELECT * FROM no_ts WHERE id IN (5, 50);
DROP VIEW few;

-- a partition
CREATE TABLE parent (id bigint, v text) PARTITION BY LIST (id);
ALTER TABLE parent ATTACH PARTITION no_ts FOR VALUES IN (1, 2);
INSERT INTO parent VALUES (2, 'through the parent');
SELECT * FROM parent WHERE id = 2;
INSERT INTO parent VALUES (3, 'nowhere');
ALTER TABLE parent DETACH PARTITION no_ts;
DROP TABLE parent;

-- bad rows
INSERT INTO scalars (id) VALUES (1);
INSERT INTO scalars (ts) VALUES ('2026-01-01');
INSERT INTO scalars (id, ts) VALUES (1, 'infinity');
INSERT INTO scalars (id, ts) VALUES (1, '0001-12-31 00:00 BC');
INSERT INTO scalars (id, ts) VALUES (1, '10000-01-01');
INSERT INTO scalars (id, ts, at) VALUES (1, now(), '-infinity');
INSERT INTO scalars (id, ts) VALUES (1, '294276-12-31');
INSERT INTO scalars (id, ts, at) VALUES (40, now(), '294276-12-31');
SELECT at FROM scalars WHERE id = 40;
INSERT INTO scalars (id, ts, s) VALUES (1, '2026-01-01', repeat('x', 410000));
INSERT INTO scalars (id, ts, s) VALUES (30, '2026-01-01', repeat('x', 400000));
SELECT length(s) FROM scalars WHERE id = 30;
CREATE FOREIGN TABLE narrow (k bigint OPTIONS (entity_key 'true', value_type 'INT32'),
    t timestamptz OPTIONS (entity_key 'true'), v bigint OPTIONS (value_type 'INT32')) SERVER feast;
INSERT INTO narrow VALUES (2147483648, '2026-01-01', 1);
INSERT INTO narrow VALUES (1, '2026-01-01 00:00:00.5', 1);
INSERT INTO narrow VALUES (1, '2026-01-01', 2147483648);
INSERT INTO narrow VALUES (1, '2026-01-01', 1) ON CONFLICT DO NOTHING;

-- what the catalogs say, of a view too
CREATE VIEW over AS SELECT id, ts, i4 FROM scalars;
INSERT INTO over VALUES (1, '2026-01-01', 1);
SELECT table_name, is_insertable_into FROM information_schema.tables WHERE table_name IN ('scalars', 'over') ORDER BY 1;
SELECT is_updatable, is_insertable_into, is_trigger_updatable FROM information_schema.views WHERE table_name = 'over';
SELECT DISTINCT table_name, is_updatable FROM information_schema.columns WHERE table_name IN ('scalars', 'over') ORDER BY 1;
DROP VIEW over;
DROP FOREIGN TABLE scalars, scalars_ts, no_ts, narrow;
