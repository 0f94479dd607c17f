-- What the planner expects, and that it finds the plan with keys whatever is switched off; nothing here asks DynamoDB.
CREATE FUNCTION plan(query text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    output json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO output;
    RETURN output -> 0 -> 'Plan';
END $$;
CREATE FUNCTION rows(query text) RETURNS int LANGUAGE sql AS $$ SELECT (plan(query) ->> 'Plan Rows')::int $$;

CREATE FOREIGN TABLE one (id bigint OPTIONS (entity_key 'true'), n int)
    SERVER feast OPTIONS (create_remote_table 'false');
CREATE FOREIGN TABLE one_more (id int, n bigint OPTIONS (entity_key 'true'))
    SERVER feast OPTIONS (create_remote_table 'false');
CREATE FOREIGN TABLE two (a bigint OPTIONS (entity_key 'true'), b text OPTIONS (entity_key 'true'), n int)
    SERVER feast OPTIONS (create_remote_table 'false');
CREATE FOREIGN TABLE three (a int OPTIONS (entity_key 'true'), b int OPTIONS (entity_key 'true'),
    c int OPTIONS (entity_key 'true')) SERVER feast OPTIONS (create_remote_table 'false');
CREATE TABLE entities AS SELECT g AS a, 'k' || g % 10 AS b, g % 7 AS c FROM generate_series(1, 100) g;
ANALYZE entities;

-- as many rows as keys
SELECT rows('SELECT * FROM one WHERE id = 1') AS one,
    rows('SELECT * FROM one WHERE id IN (1, 2, 3)') AS three,
    rows('SELECT * FROM one WHERE id = 1 OR id = 2 OR n = 1 AND id IN (3, 4)') AS four,
    rows('SELECT * FROM one WHERE id IN (1, 2, 3) AND id = ANY (ARRAY(SELECT a FROM entities))') AS at_most_three,
    rows('SELECT * FROM one WHERE id = ANY (ARRAY(SELECT a FROM entities))') AS unknown;
SELECT rows('SELECT * FROM two WHERE a IN (1, 2, 3) AND b IN (''x'', ''y'')') AS six,
    rows('SELECT * FROM two WHERE (a, b) IN ((1, ''x''), (2, ''y''))') AS two,
    rows('SELECT * FROM three WHERE a = b AND b = c AND c IN (1, 2)') AS same;

-- one row for each entity, however many columns the key has
SELECT rows('SELECT * FROM entities e JOIN one ON one.id = e.a') AS one,
    rows('SELECT * FROM entities e JOIN two USING (a, b)') AS two,
    rows('SELECT * FROM entities e JOIN three USING (a, c) WHERE three.b = 1') AS three;

-- and however many entities there are; NULL is none
CREATE TABLE many AS SELECT g AS a, 'k' || g % 500 AS b, g % 700 AS c, nullif(g % 2, 0) AS d
    FROM generate_series(1, 3000) g;
ANALYZE many;
SELECT query, rows('SELECT * FROM many e ' || query) FROM unnest(ARRAY[
    'JOIN one ON one.id = e.a', 'JOIN one ON e.c = one.id', 'JOIN one ON one.id = e.d', 'LEFT JOIN one ON one.id = e.d',
    'JOIN two USING (a, b)', 'LEFT JOIN two USING (a, b)', 'JOIN two USING (a) WHERE two.b = ''x''',
    'JOIN two USING (a) WHERE two.b IN (''x'', ''y'')', 'JOIN one ON one.id = e.a WHERE one.n > 5',
    'JOIN one ON one.id = e.a AND one.id IN (1, 2, 3)', 'JOIN one ON one.id = e.a JOIN one_more m ON m.n = one.n',
    'JOIN one ON one.id = e.c JOIN one_more m ON m.n = e.a JOIN two ON two.a = e.a AND two.b = e.b',
    'JOIN (SELECT id, n FROM one UNION ALL SELECT n, id FROM one_more) u ON u.id = e.a']) query;
-- all of them have features, unless the query asks for those that have none
SELECT query, rows('SELECT * FROM many e ' || query) FROM unnest(ARRAY[
    'WHERE EXISTS (SELECT FROM one WHERE id = e.a)', 'WHERE a IN (SELECT id FROM one)',
    'WHERE NOT EXISTS (SELECT FROM one WHERE id = e.a)', 'LEFT JOIN one ON id = e.a WHERE id IS NULL']) query;

-- the plan without keys loses
CREATE FUNCTION without_keys(queries text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    settings text[] := '{nestloop,hashjoin,mergejoin,memoize,material,sort,hashagg}';
    query text;
BEGIN
    FOR chosen IN 0..127 LOOP
        FOR i IN 0..6 LOOP
            PERFORM set_config('enable_' || settings[i + 1], (chosen >> i & 1)::text, true);
        END LOOP;
        FOREACH query IN ARRAY queries LOOP
            IF plan(query)::text ~ '"Key Condition": "none"' THEN
                RETURN NEXT format('%s: %s', chosen, query);
            END IF;
        END LOOP;
    END LOOP;
END $$;
SELECT * FROM without_keys(ARRAY[
    'SELECT * FROM entities e JOIN one ON one.id = e.a',
    'SELECT * FROM entities e LEFT JOIN one ON one.id = e.a ORDER BY one.n',
    'SELECT * FROM one RIGHT JOIN entities e ON one.id = e.a',
    'SELECT * FROM entities e JOIN two USING (a, b)',
    'SELECT * FROM entities e, entities f, two WHERE e.a = f.a AND two.a = e.a AND two.b = f.b',
    'SELECT * FROM entities e JOIN two USING (a) WHERE two.b = ''x''',
    'SELECT * FROM entities e JOIN one ON one.id IN (e.a, e.c)',
    'SELECT * FROM entities e WHERE EXISTS (SELECT FROM one WHERE id = e.a)',
    'SELECT * FROM entities e WHERE NOT EXISTS (SELECT FROM one WHERE id = e.a)',
    'SELECT * FROM one WHERE id IN (SELECT a FROM entities)',
    'SELECT * FROM two WHERE (a, b) IN (SELECT a, b FROM entities)',
    'SELECT * FROM one JOIN two ON two.a = one.id JOIN entities e ON e.a = one.id AND e.b = two.b',
    'SELECT one.id, count(*) FROM one JOIN two ON two.a = one.n AND two.b = ''x'' WHERE id IN (1, 2) GROUP BY 1 ORDER BY 1',
    'SELECT * FROM one JOIN one o ON o.id = one.id WHERE o.id IN (1, 2)',
    'SELECT * FROM unnest(''{1,2}''::int[]) u(id) JOIN one USING (id)',
    'SELECT * FROM entities e, LATERAL (SELECT * FROM one WHERE id = e.a ORDER BY n LIMIT 1) o',
    'SELECT * FROM entities e JOIN (SELECT id, n FROM one UNION ALL SELECT n, id FROM one_more) u ON u.id = e.a']);

-- however many rows the rest of the query is expected to have; servers before 18 decide by cost alone
CREATE FUNCTION by_sum_of_series(n int) RETURNS text LANGUAGE sql AS $$
    SELECT format('SELECT FROM %s, one WHERE id = %s', string_agg(format('generate_series(1, 1000) g%s', i), ', '),
        string_agg(format('g%s', i), ' + ')) FROM generate_series(1, n) i
$$;
SELECT n, plan(by_sum_of_series(n))::text ~ '"Key Condition": "none"' AS none FROM unnest('{5,12,30}'::int[]) n;

-- a plan without keys is not compiled before it is refused, and its cost can be read
SET jit = on;
SET jit_above_cost = 0;
CREATE FUNCTION is_compiled(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    output json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO output;
    RETURN output -> 0 -> 'JIT' IS NOT NULL;
END $$;
SELECT is_compiled(query), plan(query) ->> 'Total Cost' AS cost FROM unnest(ARRAY[
    'SELECT n FROM one WHERE n > 5',
    'SELECT count(*) FROM entities e JOIN one ON one.n = e.a',
    'SELECT (SELECT n FROM one LIMIT 1)']) query;
RESET jit;
RESET jit_above_cost;

DROP FUNCTION plan, rows, without_keys, by_sum_of_series, is_compiled;
DROP FOREIGN TABLE one, one_more, two, three;
DROP TABLE entities, many;
