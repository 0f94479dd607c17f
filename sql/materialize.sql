-- The newest row of each key of an interval, from a batch source.
CREATE TABLE stats_source ("Driver" bigint, at timestamp, rate float8, written timestamptz);
INSERT INTO stats_source VALUES
    (1, '2026-03-01 10:00', 0.1, '2026-03-01 10:01+00'),
    (1, '2026-03-01 11:00', 0.2, '2026-03-01 11:01+00'),
    (1, '2026-03-01 11:00', 0.3, '2026-03-01 11:02+00'),
    (1, '2026-03-01 11:00', 0.4, NULL),
    (2, '2026-03-01 09:00', 0.5, NULL),
    (3, '2026-03-01 12:00:00.000001', 0.6, NULL),
    (4, NULL, 0.7, NULL);
CREATE FOREIGN TABLE stats (
    driver_id integer OPTIONS (entity_key 'true', source_column 'Driver'),
    event_timestamp timestamptz OPTIONS (event_timestamp 'true'),
    conv_rate real OPTIONS (source_column 'rate')
) SERVER feast OPTIONS (batch_source 'stats_source', timestamp_field 'at', created_timestamp_column 'written');
SELECT dynamo_fdw_materialize('stats', '2026-03-01 09:00+00', '2026-03-01 12:00+00');
SELECT driver_id, event_timestamp AT TIME ZONE 'UTC', conv_rate FROM stats WHERE driver_id IN (1, 2, 3, 4) ORDER BY 1;

-- incremental, and of all views of the schema
SELECT * FROM dynamo_fdw_materialize_all('public', end_date => '2026-03-02 00:00+00');
SELECT conv_rate FROM stats WHERE driver_id = 3;
SELECT feature_view, start_date AT TIME ZONE 'UTC' AS start_date, end_date AT TIME ZONE 'UTC' AS end_date, rows
    FROM dynamo_fdw_intervals;
SELECT dynamo_fdw_materialize('stats', end_date => '2026-03-01 00:00+00');

-- what is wrong
SELECT dynamo_fdw_materialize('stats', '2026-03-02 00:00+00', '2026-03-01 00:00+00');
SELECT dynamo_fdw_materialize('stats', source => 'stats_source; DROP TABLE stats_source');
SELECT dynamo_fdw_materialize('stats', source => '(SELECT * FROM stats_source WHERE at > $1)');
SELECT dynamo_fdw_materialize('stats', source => '(SELECT "Driver", at FROM stats_source)');
SELECT dynamo_fdw_materialize('stats_source');
ALTER FOREIGN TABLE stats OPTIONS (DROP batch_source);
SELECT dynamo_fdw_materialize('stats');
INSERT INTO stats VALUES (NULL, '2026-03-01 09:00+00', 0);
DELETE FROM dynamo_fdw_interval;
DROP FOREIGN TABLE stats;
SELECT count(*) FROM dynamo_fdw_interval;
DROP TABLE stats_source;
