-- What EXPLAIN shows; nothing of it asks DynamoDB.

-- A plan without what differs between server versions: 18 tells what is disabled, and which side of a derived
-- equality stands first changed with 16.
CREATE FUNCTION plan(query text, format text DEFAULT 'TEXT') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    output text;
    line text;
BEGIN
    FOR output IN EXECUTE format('EXPLAIN (COSTS OFF, FORMAT %s) %s', format, query) LOOP
        FOREACH line IN ARRAY string_to_array(output, E'\n') LOOP
            IF line !~ 'Disabled' THEN
                RETURN NEXT regexp_replace(line, '\((\$\d) = (s\.\w+)\)', '(\2 = \1)', 'g');
            END IF;
        END LOOP;
    END LOOP;
END $$;

CREATE FOREIGN TABLE shown (
    id bigint OPTIONS (entity_key 'true'),
    kind text OPTIONS (entity_key 'true'),
    ts timestamptz OPTIONS (event_timestamp 'true'),
    a int, b text
) SERVER feast OPTIONS (create_remote_table 'false', batch_size '40');
EXPLAIN (COSTS OFF) SELECT a FROM shown WHERE id = 1 AND kind = 'x' AND b > 'm';
EXPLAIN (COSTS OFF, VERBOSE) SELECT * FROM shown WHERE id = ANY ('{1,2}') AND kind IN ('x', 'y');
EXPLAIN (COSTS OFF, VERBOSE) SELECT count(*) FROM shown WHERE (id, kind) IN ((1, 'x'), (2, 'y'));
SELECT plan('SELECT a FROM shown WHERE id = 1');
SELECT plan('SELECT a FROM shown WHERE id = 1 AND kind = ''x''', 'JSON');
EXPLAIN (COSTS OFF, VERBOSE) INSERT INTO shown SELECT i, 'x', now() FROM generate_series(1, 3) i;
EXPLAIN (COSTS OFF) UPDATE shown SET a = 1 WHERE id = 1 AND kind = 'x';
EXPLAIN (COSTS OFF) SELECT v.i, s.a FROM generate_series(1, 3) v(i) LEFT JOIN shown s ON s.id = v.i AND s.kind = 'x';
SELECT trim(line) FROM plan('SELECT v.i, s.a FROM generate_series(1, 3) v(i)
    LEFT JOIN shown s ON s.id = v.i AND s.kind = ''x'' AND s.a > v.i WHERE s.a IS DISTINCT FROM 4', 'JSON') line
    WHERE line ~ 'Lookup|Feature|Remote|Filter';
SET dynamo_fdw.enable_lookup_join = off;
EXPLAIN (COSTS OFF) SELECT v.i, s.a FROM generate_series(1, 3) v(i) LEFT JOIN shown s ON s.id = v.i AND s.kind = 'x';
RESET dynamo_fdw.enable_lookup_join;
SELECT plan('SELECT s.a FROM generate_series(1, 3) x(i), unnest(''{a,b}''::text[]) y(k), shown s
    WHERE s.id = x.i AND s.kind = y.k');

-- the plan without keys loses, whatever is switched off
CREATE TABLE entities (id bigint);
SET enable_nestloop = off;
SELECT plan('SELECT s.a FROM entities e JOIN shown s ON s.id = e.id AND s.kind = ''x''');
SET dynamo_fdw.enable_lookup_join = off;
SELECT plan('SELECT s.a FROM entities e JOIN shown s ON s.id = e.id AND s.kind = ''x''');
RESET dynamo_fdw.enable_lookup_join;
RESET enable_nestloop;

-- keys that follow from conditions on other tables; few rows of another table are looked up one by one
CREATE FUNCTION key_conditions(query text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT trim(line) FROM plan(query) line WHERE line ~ 'Key Condition' ORDER BY trim(line) COLLATE "C"
$$;
CREATE FOREIGN TABLE other (id integer OPTIONS (entity_key 'true'), a bigint)
    SERVER feast OPTIONS (create_remote_table 'false');
CREATE FOREIGN TABLE third (k varchar(20) OPTIONS (entity_key 'true'), a bigint)
    SERVER feast OPTIONS (create_remote_table 'false');
SELECT key_conditions('SELECT * FROM shown s JOIN other o USING (id) WHERE s.id = ANY (''{1,2,3}'') AND s.kind = ''x''');
SELECT key_conditions('SELECT * FROM other o LEFT JOIN shown s ON s.id = o.id AND s.kind = ''x''
    LEFT JOIN other p ON p.id = s.id WHERE o.id = ANY (''{1,2}'') OR o.id = 7 AND o.a > 3');
SELECT key_conditions('SELECT * FROM shown s LEFT JOIN third t ON t.k = s.kind
    WHERE s.id = 1 AND s.kind = ANY (''{x,y}'')');
SELECT key_conditions('SELECT * FROM other o LEFT JOIN other p ON p.id = o.id AND p.id = ANY (''{1,2}'')');
INSERT INTO entities SELECT generate_series(1, 5);
ANALYZE entities;
SELECT key_conditions('SELECT * FROM entities e JOIN other o USING (id) WHERE e.id = ANY (''{1,2,3}'')');
SELECT line FROM plan(format('SELECT * FROM entities e JOIN other o USING (id) WHERE e.id = ANY (%L)',
    ARRAY(SELECT generate_series(1, 5000)))) line WHERE line ~ '(Feature View|Key Condition):';
SET dynamo_fdw.enable_lookup_join = off;
SELECT key_conditions(format('SELECT * FROM entities e JOIN other o USING (id) WHERE e.id = ANY (%L)',
    ARRAY(SELECT generate_series(1, 5000)))) !~ '{' AS one_by_one;
RESET dynamo_fdw.enable_lookup_join;
DROP FOREIGN TABLE other, third;
DROP FUNCTION key_conditions;
DROP TABLE entities;
DROP FOREIGN TABLE shown;
DROP FUNCTION plan;

-- What EXPLAIN ANALYZE counts, whatever else the server's version shows. Bytes and connections hang on what ran before.
CREATE FOREIGN TABLE counted (id bigint OPTIONS (entity_key 'true'), a int)
    SERVER feast OPTIONS (batch_size '10', consumed_capacity 'true');
CREATE FUNCTION counts(query text) RETURNS TABLE (name text, value jsonb) LANGUAGE plpgsql AS $$
DECLARE
    plan jsonb;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO plan;
    RETURN QUERY SELECT e.key, e.value FROM jsonb_each(plan -> 0 -> 'Plan') e
        WHERE e.key ~ '^(Items|Unprocessed|Requests|Retries|Throttles|Consumed)';
END $$;
SELECT * FROM counts('INSERT INTO counted SELECT i, i FROM generate_series(1, 95) i');
SELECT * FROM counts('SELECT * FROM counted WHERE id = ANY (ARRAY(SELECT generate_series(1, 100)))');
SELECT * FROM counts('SELECT * FROM counted WHERE id = ANY (''{}'')');
DROP FOREIGN TABLE counted;
DROP FUNCTION counts;
-- not counted, and not there
SELECT dynamo_fdw_stats_reset();
SELECT server_name, requests FROM dynamo_fdw_stats;
SELECT dynamo_fdw_stats_reset('feast');
SELECT dynamo_fdw_stats_reset('nowhere');
SELECT dynamo_fdw_version() ~ '^dynamo_fdw [0-9.]+, compiled for PostgreSQL [0-9]+.*libcurl/.*OpenSSL.*json-c [0-9.]+$' AS version;
