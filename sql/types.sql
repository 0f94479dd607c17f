-- Columns of the types beside the plain scalars.
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN percent AS smallint CHECK (VALUE BETWEEN 0 AND 100);
CREATE FOREIGN TABLE typed (
    id bigint OPTIONS (entity_key 'true'),
    i2 smallint, pc percent, m mood, u uuid, tu uuid OPTIONS (value_type 'TIME_UUID'), n numeric, j json, jb jsonb,
    jt text OPTIONS (value_type 'JSON'), d date, t timestamp, z timestamptz OPTIONS (value_type 'ZONED_TIMESTAMP')
) SERVER feast;
INSERT INTO typed VALUES
    (1, 32767, 100, 'happy', '6f1b8c1e-9d54-4c8e-8a57-2b5c5c8f1a11', '2e1d3f0a-1111-11ee-8c99-0242ac120002',
     123456789012345678901234567890.123456789, '{"a": [1, 2.50]}', '{"a": [1, 2.50]}', '{"a": NaN}',
     '2026-02-03', '2026-02-03 04:05:06.9', '2026-02-03 04:05:06+02'),
    (2, -32768, 0, 'sad', NULL, NULL, 'NaN', 'null', '"text"', NULL, '0001-01-01 BC', '1960-01-01', NULL);
SELECT * FROM typed WHERE id IN (1, 2) ORDER BY id;
INSERT INTO typed (id, d) VALUES (3, 'infinity');
INSERT INTO typed (id, d) VALUES (3, '294277-01-01');
INSERT INTO typed (id, pc) VALUES (3, 101);

-- lists
CREATE FOREIGN TABLE lists (
    id bigint OPTIONS (entity_key 'true'),
    b bytea[], s text[], v varchar[], i2 smallint[], i4 integer[], i8 bigint[], f8 double precision[], f4 real[],
    yes boolean[], at timestamptz[], d date[], u uuid[], n numeric[], j jsonb[], m mood[], p percent[]
) SERVER feast;
INSERT INTO lists VALUES
    (1, '{"\\x00ff","\\x"}', '{a,"",Zürich}', '{x}', '{-1,2}', '{1,2,-3}', '{9223372036854775807}', '{1.5,NaN}', '{0.1}',
     '{t,f}', '{2026-01-01 00:00:01.5+00}', '{2026-01-01}', '{6f1b8c1e-9d54-4c8e-8a57-2b5c5c8f1a11}', '{1.50}',
     ARRAY['{"a": 1}'::jsonb], '{ok,sad}', '{1,2}'),
    (2, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}');
\x on
SELECT * FROM lists WHERE id IN (1, 2) ORDER BY id;
\x off
INSERT INTO lists (id, i4) VALUES (3, '{1,NULL}');
INSERT INTO lists (id, i4) VALUES (3, '{{1,2},{3,4}}');

-- sets: each element once
CREATE FOREIGN TABLE sets (
    id bigint OPTIONS (entity_key 'true'),
    s text[] OPTIONS (value_type 'STRING_SET'), i integer[] OPTIONS (value_type 'INT32_SET'),
    u uuid[] OPTIONS (value_type 'UUID_SET'), d double precision[] OPTIONS (value_type 'DOUBLE_SET'),
    b boolean[] OPTIONS (value_type 'BOOL_SET'), at timestamptz[] OPTIONS (value_type 'UNIX_TIMESTAMP_SET')
) SERVER feast;
INSERT INTO sets VALUES
    (1, '{b,a,b,"",ab,""}', '{3,3,1,-2,1,3}', '{6f1b8c1e-9d54-4c8e-8a57-2b5c5c8f1a11}', '{NaN,0,1.5,-0,NaN,-1}', '{t,f,t}',
     '{2026-01-01 00:00:00.5+00,2026-01-01 00:00:00.7+00}'),
    (2, '{}', '{}', '{}', '{}', '{}', '{}');
SELECT * FROM sets WHERE id IN (1, 2) ORDER BY id;
SET statement_timeout = '10s';      -- no time that grows with the square
INSERT INTO sets (id, i) SELECT 3, array_agg(i % 100000 ORDER BY i) FROM generate_series(1, 200000) i;
RESET statement_timeout;
SELECT array_length(i, 1), i[1], i[100000] FROM sets WHERE id = 3;

-- what has a JSON form: INSERT takes what SELECT shows
CREATE FOREIGN TABLE forms (
    id bigint OPTIONS (entity_key 'true'),
    m jsonb OPTIONS (value_type 'MAP'), st json OPTIONS (value_type 'STRUCT'),
    ml jsonb OPTIONS (value_type 'MAP_LIST'), ma jsonb[] OPTIONS (value_type 'MAP_LIST'),
    vl jsonb OPTIONS (value_type 'VALUE_LIST'), vs jsonb OPTIONS (value_type 'VALUE_SET'),
    sm jsonb OPTIONS (value_type 'SCALAR_MAP'), z jsonb OPTIONS (value_type 'ZONED_TIMESTAMP')
) SERVER feast;
INSERT INTO forms VALUES
    (1, '{"i": 1, "d": 1.0, "e": 1e30, "min": -9223372036854775808, "less": -9223372036854775809, "s": "Zürich \" \n", "t": true, "n": null, "l": [1, 2], "x": [1, 2.5], "o": {"a": {}},
          "m": [{"a": 1}, {}], "v": [[1], ["a"]], "mixed": [1, "a", null], "none": [], "big": 9223372036854775808}',
     '{"b": 1e3, "a": 9223372036854775807}', '[{"a": 1}, {"b": [true]}]', ARRAY['{"a": 1}', '{}']::jsonb[],
     '[[1, 2], [3]]', '["a", 1]',
     '[{"key_type": "INT64", "key": 1, "value": "one"}, {"key_type": "BYTES", "key": "00ff", "value": null},
       {"key_type": "FLOAT", "key": 0.1, "value": {"a": 1}}, {"key_type": "BOOL", "key": true, "value": [1]}]',
     '{"unix_timestamp": 1720000000, "zone": "Europe/Zurich"}'),
    (2, '{}', '{}', '[]', '{}', '[]', '[]', '[]', '{"unix_timestamp": 0, "zone": ""}');
\x on
SELECT * FROM forms WHERE id IN (1, 2) ORDER BY id;
\x off
INSERT INTO forms SELECT 3, m, st, ml, ma, vl, vs, sm, z FROM forms WHERE id = 1;
SELECT a.m = b.m AND a.st::text = b.st::text AND a.ml = b.ml AND a.ma = b.ma AND a.vl = b.vl AND a.vs = b.vs
       AND a.sm = b.sm AND a.z = b.z AS same
    FROM forms a, forms b WHERE a.id = 1 AND b.id = 3;
INSERT INTO forms (id, m) VALUES (4, '[1]');
INSERT INTO forms (id, m) VALUES (4, '{"a": 1e400}');
INSERT INTO forms (id, ml) VALUES (4, '[{}, 1]');
INSERT INTO forms (id, vl) VALUES (4, '{}');
INSERT INTO forms (id, sm) VALUES (4, '[{"key": 1}]');
INSERT INTO forms (id, sm) VALUES (4, '[{"key_type": "INT32", "key": 2147483648, "value": 1}]');
INSERT INTO forms (id, sm) VALUES (4, '[{"key_type": "UUID", "key": 5, "value": 1}]');
INSERT INTO forms (id, z) VALUES (4, '{"zone": "UTC"}');
DROP FOREIGN TABLE forms;

-- a list of JSON in an array, or in JSON itself
CREATE FOREIGN TABLE jsons (
    id bigint OPTIONS (entity_key 'true'), j json OPTIONS (value_type 'JSON_LIST'), jb jsonb OPTIONS (value_type 'JSON_LIST')
) SERVER feast;
CREATE FOREIGN TABLE arrays (id bigint OPTIONS (entity_key 'true'), j json[], jb jsonb[])
    SERVER feast OPTIONS (feature_view 'jsons', create_remote_table 'false');
INSERT INTO jsons VALUES
    (1, ' [{"b":  1, "a": [1.50,2], "b": 2} , null,"], [" ,[ ]]', '[{"b":  1, "a": [1.50,2], "b": 2}, null, "], [", []]'),
    (2, '[]', '[]'), (3, NULL, NULL);
SELECT * FROM jsons WHERE id IN (1, 2, 3) ORDER BY id;
SELECT id, array_length(j, 1), j[1], jb[1], jb FROM arrays WHERE id IN (1, 2, 3) ORDER BY id;
UPDATE jsons SET jb = jb || '[{"c": 3}]', j = json_build_array(j -> 0 -> 'a') WHERE id = 1;
SELECT * FROM jsons WHERE id = 1;
INSERT INTO jsons (id, j) VALUES (4, '{"a": [1]}');
INSERT INTO jsons (id, jb) VALUES (4, 'null');
DROP FOREIGN TABLE jsons, arrays;

-- reading is lenient where nothing is lost
CREATE FOREIGN TABLE others (
    id bigint OPTIONS (entity_key 'true'),
    i4 bigint[], i8 smallint[], f4 double precision[], s integer[]
) SERVER feast OPTIONS (feature_view 'lists', create_remote_table 'false');
SELECT id, i4, f4 FROM others WHERE id = 1;
SELECT i8 FROM others WHERE id = 1;
SELECT s FROM others WHERE id = 1;
SELECT s FROM others WHERE id = 2;

-- length and precision are those of the column
CREATE FOREIGN TABLE wide (id bigint OPTIONS (entity_key 'true'), ts timestamptz OPTIONS (event_timestamp 'true'),
    s text, n numeric, l text[]) SERVER feast;
CREATE FOREIGN TABLE narrow (id bigint OPTIONS (entity_key 'true'), ts timestamptz(0) OPTIONS (event_timestamp 'true'),
    s varchar(3), n numeric(4, 1), l varchar(2)[]) SERVER feast OPTIONS (feature_view 'wide', create_remote_table 'false');
INSERT INTO wide VALUES (1, '2026-01-01 00:00:00.4+00', 'abc  ', 12.34, '{ab}'), (2, now(), 'abcd', 12345, '{abc}');
SELECT id, ts, s || '|' AS s, n, l FROM narrow WHERE id = 1;
SELECT s FROM narrow WHERE id = 2;
SELECT n FROM narrow WHERE id = 2;
SELECT l FROM narrow WHERE id = 2;
DROP FOREIGN TABLE wide, narrow;

-- what a domain says holds for what is read: keys, NULLs and elements, too
CREATE DOMAIN word AS text CHECK (VALUE ~ '^[a-z]+$');
CREATE DOMAIN given AS integer NOT NULL;
CREATE DOMAIN moment AS timestamptz NOT NULL CHECK (VALUE < '3000-01-01');
CREATE DOMAIN few AS word[] CHECK (array_length(VALUE, 1) < 3);
CREATE FOREIGN TABLE plain (k text OPTIONS (entity_key 'true'), ts timestamptz OPTIONS (event_timestamp 'true'),
    i integer, l text[]) SERVER feast;
CREATE FOREIGN TABLE checked (k text OPTIONS (entity_key 'true'), ts moment OPTIONS (event_timestamp 'true'),
    i given, l few) SERVER feast OPTIONS (feature_view 'plain', create_remote_table 'false');
CREATE FOREIGN TABLE words (k word OPTIONS (entity_key 'true')) SERVER feast
    OPTIONS (feature_view 'plain', create_remote_table 'false');
CREATE FOREIGN TABLE short (k varchar(2) OPTIONS (entity_key 'true')) SERVER feast
    OPTIONS (feature_view 'plain', create_remote_table 'false');
INSERT INTO plain VALUES ('a', '2026-01-01 00:00:00+00', 1, '{a,b}'), ('NO', '3026-01-01 00:00:00+00', NULL, '{a,B}'),
    ('more', now(), 1, '{a,b,c}');
SELECT * FROM checked WHERE k = 'a';
SELECT ts FROM checked WHERE k = 'NO';
SELECT i FROM checked WHERE k = 'NO';
SELECT l FROM checked WHERE k = 'NO';
SELECT l FROM checked WHERE k = 'more';
SELECT k FROM words WHERE k IN ('a', 'NONE');
SELECT k FROM words WHERE k = 'NO';
SELECT k FROM short WHERE k = 'a';
SELECT k FROM short WHERE k = 'more';
DROP FOREIGN TABLE plain, checked, words, short;
DROP DOMAIN few, moment, given, word;

-- what does not go together
CREATE FOREIGN TABLE bad (id bigint OPTIONS (entity_key 'true'), f integer[] OPTIONS (value_type 'INT32')) SERVER feast;
CREATE FOREIGN TABLE bad (id bigint OPTIONS (entity_key 'true'), f uuid OPTIONS (value_type 'STRING')) SERVER feast;
CREATE FOREIGN TABLE bad (id bigint OPTIONS (entity_key 'true'), f point[]) SERVER feast;
DROP FOREIGN TABLE typed, lists, sets, others;
DROP DOMAIN percent;
DROP TYPE mood;
