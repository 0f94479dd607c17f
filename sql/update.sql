-- UPDATE, DELETE and COPY.
CREATE FOREIGN TABLE changed (id bigint OPTIONS (entity_key 'true'), kind text OPTIONS (entity_key 'true'),
    ts timestamptz OPTIONS (event_timestamp 'true'), n int, s text, l int[]) SERVER feast;
COPY changed FROM stdin;
1	a	2026-01-01	10	one	{1}
2	a	2026-01-01	20	two	{2}
3	b	2026-01-01	30	three	\N
4	b	2026-01-01	\N	\N	{}
\.
CREATE FUNCTION changed() RETURNS SETOF changed LANGUAGE sql AS
    $$ SELECT * FROM changed WHERE id BETWEEN 1 AND 4 AND id IN (1, 2, 3, 4) AND kind IN ('a', 'b') ORDER BY id, kind $$;
SELECT * FROM changed();

-- by key; what is not named stays
UPDATE changed SET n = 11 WHERE id = 1 AND kind = 'a';
UPDATE changed SET n = n + 1, l = l || n WHERE id IN (1, 2) AND kind = 'a' RETURNING *;
UPDATE changed SET (n, s) = (SELECT 7, 'seven'), ts = '2026-02-02' WHERE id = 4 AND kind = 'b' RETURNING id, n, s, ts;
UPDATE changed SET s = NULL, l = NULL WHERE id = 2 AND kind = 'a';
UPDATE changed SET s = 'none' WHERE (id, kind) IN ((1, 'b'), (5, 'a'));
UPDATE changed SET s = 'few' WHERE id = ANY ('{1,2,3}') AND kind IN ('a', 'b') AND n > 25;
UPDATE changed c SET s = c.kind || c.id || o.s FROM changed o WHERE c.id = 3 AND c.kind = 'b' AND o.id = 1 AND o.kind = 'a';
SELECT * FROM changed();

-- with other tables, by a lookup join; a row that a join finds twice is changed once
CREATE TABLE news (id int, kind text, n int);
INSERT INTO news VALUES (1, 'a', 100), (2, 'a', 200), (1, 'a', 101), (9, 'a', 900), (NULL, 'a', 0);
EXPLAIN (COSTS OFF) UPDATE changed c SET n = c.n + news.n FROM news WHERE news.id = c.id AND news.kind = c.kind;
UPDATE changed c SET n = news.n % 100 FROM news WHERE news.id = c.id AND news.kind = c.kind RETURNING c.id, c.n;
EXPLAIN (COSTS OFF, VERBOSE) DELETE FROM changed c USING news WHERE news.id = c.id AND news.kind = c.kind AND c.n > 0;
UPDATE changed c SET s = c::text FROM news WHERE news.id = c.id AND news.kind = c.kind AND c::text <> '' RETURNING c;
DELETE FROM changed c USING news WHERE news.id = c.id AND news.kind = c.kind AND c.n > 0 RETURNING *;
DELETE FROM changed WHERE (id, kind) IN (SELECT id, kind FROM news);
DELETE FROM changed WHERE id = 4 AND kind = 'b' RETURNING s, tableoid::regclass;
DELETE FROM changed WHERE id = 4 AND kind = 'b';
SELECT * FROM changed();

-- views
CREATE VIEW some_changed AS SELECT id, kind, n, n * 2 AS twice FROM changed WHERE n < 50 WITH CHECK OPTION;
UPDATE some_changed SET n = 40 WHERE id = 3 AND kind = 'b';
UPDATE some_changed SET n = 60 WHERE id = 3 AND kind = 'b';
UPDATE some_changed SET twice = 1 WHERE id = 3 AND kind = 'b';
DELETE FROM some_changed WHERE id = 1 AND kind = 'a';
SELECT * FROM changed();
DROP VIEW some_changed;

-- triggers: before may change features, but no key
CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '% % %: % -> %', TG_WHEN, TG_OP, TG_LEVEL, OLD, NEW;
    IF TG_WHEN = 'BEFORE' AND TG_OP = 'UPDATE' AND TG_LEVEL = 'ROW' THEN
        NEW.s = OLD.s || '+';
        IF NEW.n < 0 THEN NEW.id = 77; END IF;
        IF NEW.n = 0 THEN RETURN NULL; END IF;
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER before_row BEFORE UPDATE OR DELETE ON changed FOR EACH ROW EXECUTE FUNCTION fired();
CREATE TRIGGER after_row AFTER INSERT OR UPDATE OR DELETE ON changed FOR EACH ROW EXECUTE FUNCTION fired();
CREATE TRIGGER after_all AFTER INSERT OR UPDATE OR DELETE ON changed FOR EACH STATEMENT EXECUTE FUNCTION fired();
UPDATE changed SET n = 31 WHERE id = 3 AND kind = 'b' RETURNING *;
UPDATE changed SET n = 0 WHERE id = 3 AND kind = 'b';
UPDATE changed SET n = -1 WHERE id = 3 AND kind = 'b';
COPY changed FROM stdin;
1	a	2026-01-01	10	copied	\N
\.
DELETE FROM changed WHERE id = 1 AND kind = 'a';
SELECT * FROM changed();
DROP TRIGGER before_row ON changed;
DROP TRIGGER after_row ON changed;
DROP TRIGGER after_all ON changed;
DROP FUNCTION fired;

-- generated columns and defaults
CREATE FOREIGN TABLE generated (id bigint OPTIONS (entity_key 'true'), a int DEFAULT 5, b int,
    sum int GENERATED ALWAYS AS (a + b) STORED) SERVER feast;
COPY generated (id, b) FROM stdin;
1	1
\.
UPDATE generated SET b = 10 WHERE id = 1 RETURNING *;
UPDATE generated SET a = DEFAULT, sum = DEFAULT WHERE id = 1 RETURNING *;
UPDATE generated SET sum = 1 WHERE id = 1;
SELECT * FROM generated WHERE id = 1;

-- partitions: a row moves into one, but not out of it
CREATE TABLE parted (id bigint, kind text, ts timestamptz, n int, s text, l int[]) PARTITION BY LIST (kind);
ALTER TABLE parted ATTACH PARTITION changed FOR VALUES IN ('a', 'b');
CREATE TABLE parted_local PARTITION OF parted FOR VALUES IN ('x');
INSERT INTO parted (id, kind, ts, n) VALUES (1, 'x', '2026-01-01', 1), (2, 'a', '2026-01-01', 2);
UPDATE parted SET kind = 'b' WHERE id = 1 AND kind = 'x' RETURNING tableoid::regclass, *;
UPDATE parted SET n = n + 1 WHERE id IN (1, 2) AND kind IN ('a', 'b', 'x') RETURNING tableoid::regclass, id, n;
UPDATE parted SET kind = 'x' WHERE id = 2 AND kind = 'a';
COPY parted FROM stdin;
1	a	2026-01-01	10	copied	\N
2	x	2026-01-01	10	copied	\N
\.
DELETE FROM parted WHERE id IN (1, 2) AND kind IN ('a', 'b', 'x') RETURNING tableoid::regclass, id, kind, n;
ALTER TABLE parted DETACH PARTITION changed;
DROP TABLE parted;

-- a row moves to where the same statement changes others; it is not found there once more
CREATE TABLE sorted (id bigint, n int, s text) PARTITION BY LIST (n);
CREATE TABLE sorted_local PARTITION OF sorted FOR VALUES IN (1);
CREATE FOREIGN TABLE sorted_two (id bigint OPTIONS (entity_key 'true'), n int, s text) SERVER feast;
CREATE FOREIGN TABLE sorted_none (id bigint OPTIONS (entity_key 'true'), n int, s text) SERVER feast;
ALTER TABLE sorted ATTACH PARTITION sorted_two FOR VALUES IN (2);
ALTER TABLE sorted ATTACH PARTITION sorted_none FOR VALUES IN (0);
INSERT INTO sorted VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 1, 'c'), (4, 2, 'd'), (5, 0, 'e');
UPDATE sorted SET n = 2, s = s || '!' WHERE id IN (1, 2, 3, 4);
SELECT tableoid::regclass, * FROM sorted WHERE id IN (1, 2, 3, 4, 5) ORDER BY id;
INSERT INTO sorted VALUES (6, 1, 'f');
UPDATE sorted SET n = 0, s = s || '?' WHERE id IN (2, 5, 6);
SELECT tableoid::regclass, * FROM sorted WHERE id IN (1, 2, 3, 4, 5, 6) ORDER BY id;
DROP TABLE sorted;

-- children whose columns have another order
CREATE TABLE heirs (id bigint, n int, s text);
CREATE FOREIGN TABLE first_heir (id bigint OPTIONS (entity_key 'true'), n int, s text) INHERITS (heirs) SERVER feast;
CREATE FOREIGN TABLE second_heir (s text, gone int, n int, x text, id bigint OPTIONS (entity_key 'true')) SERVER feast;
ALTER FOREIGN TABLE second_heir DROP COLUMN gone;
ALTER FOREIGN TABLE second_heir INHERIT heirs;
INSERT INTO heirs VALUES (1, 1, 'local');
INSERT INTO first_heir VALUES (1, 2, 'first');
INSERT INTO second_heir (id, n, s, x) VALUES (1, 3, 'second', 'x'), (2, 4, 'second', 'y');
UPDATE heirs SET n = n + 10, s = upper(s) WHERE id IN (1, 2) RETURNING tableoid::regclass, heirs;
SELECT * FROM second_heir WHERE id IN (1, 2) ORDER BY id;
DELETE FROM heirs WHERE id = 1 RETURNING tableoid::regclass, *;
DELETE FROM heirs WHERE id IN (1, 2);
DROP TABLE heirs CASCADE;

-- what can't be
UPDATE changed SET kind = 'c' WHERE id = 3 AND kind = 'b';
UPDATE changed SET ts = NULL WHERE id = 3 AND kind = 'b';
UPDATE changed SET n = 1;
UPDATE changed SET n = 1 WHERE id = 3;
DELETE FROM changed WHERE n = 1;
DELETE FROM changed;
BEGIN;
DECLARE three CURSOR FOR SELECT * FROM changed WHERE id = 3 AND kind = 'b';
MOVE three;
UPDATE changed SET n = 1 WHERE CURRENT OF three;
ROLLBACK;
UPDATE changed SET n = 1 WHERE n / 0 = 1 AND id = 3 AND kind = 'b';
MERGE INTO changed c USING news ON c.id = news.id WHEN MATCHED THEN UPDATE SET n = 1;
COPY changed FROM stdin;
7	a	2026-01-01	10	fine	\N
\N	a	2026-01-01	10	bad	\N
\.
EXPLAIN (COSTS OFF, VERBOSE) UPDATE changed SET n = n + 1 WHERE id = 3 AND kind = 'b';
EXPLAIN (COSTS OFF, VERBOSE) DELETE FROM changed WHERE id = 3 AND kind = 'b';
SELECT * FROM changed();

DROP FUNCTION changed();
DROP FOREIGN TABLE changed, generated;
DROP TABLE news;
