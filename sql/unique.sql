-- What the planner makes of it that no two rows have the same entity key; nothing here asks DynamoDB.
SET dynamo_fdw.enable_lookup_join = off;
CREATE FUNCTION plan(query text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    output json;
BEGIN
    EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) ' || query INTO output;
    RETURN output -> 0 -> 'Plan';
END $$;
CREATE FUNCTION is_dropped(query text) RETURNS boolean LANGUAGE sql AS $$
    SELECT plan(query)::text !~ '(Foreign Scan|Append)'
$$;

CREATE DOMAIN small_id AS integer CHECK (VALUE > 0);
CREATE FOREIGN TABLE big (id bigint OPTIONS (entity_key 'true'), n int, m bigint)
    SERVER feast OPTIONS (create_remote_table 'false');
CREATE FOREIGN TABLE small (n int, id small_id OPTIONS (entity_key 'true'))
    SERVER feast OPTIONS (create_remote_table 'false');
CREATE FOREIGN TABLE pair (a int OPTIONS (entity_key 'true'), b text OPTIONS (entity_key 'true'), n int)
    SERVER feast OPTIONS (create_remote_table 'false');
CREATE FOREIGN TABLE odd (v varchar(10) OPTIONS (entity_key 'true'), raw bytea OPTIONS (entity_key 'true'),
    at timestamptz OPTIONS (entity_key 'true')) SERVER feast OPTIONS (create_remote_table 'false');
CREATE TABLE entities AS SELECT g AS i, g::bigint AS l, g::smallint AS s, g::numeric AS q, 'k' || g AS t,
    ('k' || g)::varchar AS c, ('k' || g)::name AS nm, '\x01'::bytea AS r, now() AS d, current_date AS e
    FROM generate_series(1, 5) g;

-- a LEFT JOIN on the whole key whose columns nobody needs is none
SELECT "on", is_dropped(format('SELECT e.i FROM entities e LEFT JOIN %s f ON %s', "table", "on")) AS dropped
FROM (VALUES
    ('big', 'f.id = e.l'), ('big', 'f.id = e.i'), ('big', 'e.s = f.id'), ('big', 'f.id = e.l AND f.n > e.i'),
    ('big', 'f.id = e.l + 1'), ('big', 'f.id = 5'),
    ('small', 'f.id = e.i'), ('small', 'f.id = e.l'), ('small', 'f.id = e.s'),
    ('pair', 'f.a = e.i AND f.b = e.t'), ('pair', 'f.b = e.c AND f.a = e.s'), ('pair', 'f.a = e.i AND f.b = ''x'''),
    ('pair', 'f.a = 1 AND f.b = e.nm'), ('pair', '(f.a, f.b) = (e.i, e.t)'),
    ('odd', 'f.v = e.t AND f.raw = e.r AND f.at = e.d'), ('odd', 'f.v = e.c AND f.raw = e.r AND f.at = e.e')
) AS joins ("table", "on");

-- it is one where a row may have several partners
SELECT "on", is_dropped(format('SELECT e.i FROM entities e LEFT JOIN %s f ON %s', "table", "on")) AS dropped
FROM (VALUES
    ('big', 'f.n = e.i'), ('big', 'f.id > e.i'), ('big', 'f.id = e.q'), ('big', 'f.id IN (e.i, e.s)'),
    ('big', 'f.id = e.i OR f.id = e.s'), ('big', 'f.id + 1 = e.i'), ('big', 'f.id = f.m'), ('big', 'true'),
    ('pair', 'f.a = e.i'), ('pair', 'f.a = e.i AND f.b IN (''x'', ''y'')'), ('pair', 'f.a = e.i AND f.b > e.t'),
    ('odd', 'f.v = e.t AND f.raw = e.r')
) AS joins ("table", "on");

-- and where somebody needs its columns
SELECT query, is_dropped(query) FROM unnest(ARRAY[
    'SELECT f.n FROM entities e LEFT JOIN big f ON f.id = e.i',
    'SELECT e.i FROM entities e LEFT JOIN big f ON f.id = e.i ORDER BY f.n',
    'SELECT e.i FROM entities e LEFT JOIN big f ON f.id = e.i WHERE f.id IS NULL',
    'SELECT f FROM entities e LEFT JOIN big f ON f.id = e.i',
    'SELECT e.i FROM entities e JOIN big f ON f.id = e.i',
    'SELECT count(f.id) FROM entities e LEFT JOIN big f ON f.id = e.i']) query;

-- of a chain the end goes first; a view is that, too
CREATE VIEW features AS SELECT e.i, f.n, g.id AS other FROM entities e LEFT JOIN big f ON f.id = e.i
    LEFT JOIN small g ON g.id = f.n;
SELECT query, plan(query)::text ~ '"big"' AS big, plan(query)::text ~ '"small"' AS small FROM unnest(ARRAY[
    'SELECT i FROM features', 'SELECT count(*) FROM features', 'SELECT n FROM features',
    'SELECT other FROM features']) query;

-- a row has one partner at most; a semi-join with the whole key is a join
SELECT query, plan(query) ->> 'Join Type' AS join, plan(query) ->> 'Inner Unique' AS "unique" FROM unnest(ARRAY[
    'SELECT e.t, f.n FROM entities e LEFT JOIN big f ON f.id = e.i',
    'SELECT e.t, f.n FROM entities e JOIN pair f ON f.a = e.i AND f.b = e.t',
    'SELECT e.t, f.n FROM entities e JOIN pair f ON f.a IN (e.i, e.s) AND f.b = e.t',
    'SELECT e.t FROM entities e WHERE EXISTS (SELECT FROM big f WHERE f.id = e.i AND f.n > 5)',
    'SELECT e.t FROM entities e WHERE e.i IN (SELECT id FROM small)',
    'SELECT e.t FROM entities e WHERE (e.i, e.t) IN (SELECT a, b FROM pair)']) query;

-- the rows of children and partitions are in their parents, too
CREATE FOREIGN TABLE parent (id bigint OPTIONS (entity_key 'true'))
    SERVER feast OPTIONS (create_remote_table 'false');
SELECT is_dropped('SELECT e.i FROM entities e LEFT JOIN parent f ON f.id = e.i');
CREATE TABLE child () INHERITS (parent);
CREATE TABLE parts (id bigint, n int) PARTITION BY LIST (n);
CREATE FOREIGN TABLE part (id bigint OPTIONS (entity_key 'true'), n int)
    SERVER feast OPTIONS (create_remote_table 'false');
ALTER TABLE parts ATTACH PARTITION part FOR VALUES IN (1);
SELECT is_dropped('SELECT e.i FROM entities e LEFT JOIN parent f ON f.id = e.i') AS parent,
    is_dropped('SELECT e.i FROM entities e LEFT JOIN ONLY parent f ON f.id = e.i') AS only_parent,
    is_dropped('SELECT e.i FROM entities e LEFT JOIN parts f ON f.id = e.i') AS parts,
    is_dropped('SELECT e.i FROM entities e LEFT JOIN part f ON f.id = e.i') AS part;

-- a view without entities has no key
CREATE FOREIGN TABLE single (n int) SERVER feast OPTIONS (entityless 'true', create_remote_table 'false');
SELECT is_dropped('SELECT e.i FROM entities e LEFT JOIN single ON true');

-- a plan is made anew when the key changes
PREPARE joined AS SELECT e.i FROM entities e LEFT JOIN pair f ON f.a = e.i AND f.b = e.t;
EXPLAIN (COSTS OFF) EXECUTE joined;
ALTER FOREIGN TABLE pair ALTER n OPTIONS (ADD entity_key 'true');
SELECT is_dropped('EXECUTE joined');
ALTER FOREIGN TABLE pair ALTER n OPTIONS (DROP entity_key);
SELECT is_dropped('EXECUTE joined');

DROP FUNCTION plan, is_dropped;
DROP VIEW features;
DROP TABLE parts, child, entities;
DROP FOREIGN TABLE big, small, pair, odd, parent, single;
DROP DOMAIN small_id;
