-- The feature repository "rides", as the online store of its feature_store.yaml would be configured.
\getenv endpoint DYNAMO_FDW_ENDPOINT
SET timezone = 'UTC';
CREATE EXTENSION dynamo_fdw;
CREATE SERVER feast FOREIGN DATA WRAPPER dynamo_fdw
  OPTIONS (region 'us-west-2', project 'rides', endpoint_url :'endpoint');
CREATE USER MAPPING FOR CURRENT_USER SERVER feast
  OPTIONS (access_key_id 'quickstart', secret_access_key 'quickstart');

-- A feature view. This makes the DynamoDB table rides.driver_hourly_stats.
CREATE FOREIGN TABLE driver_hourly_stats (
  driver_id       bigint OPTIONS (entity_key 'true') NOT NULL,
  event_timestamp timestamptz OPTIONS (event_timestamp 'true'),
  conv_rate       real,
  avg_daily_trips integer
) SERVER feast;

-- Materialize some features.
INSERT INTO driver_hourly_stats VALUES
  (1001, '2026-01-01 10:00', 0.5, 12),
  (1002, '2026-01-01 10:00', 0.25, 7),
  (1003, '2026-01-01 11:00', 0.75, NULL);

-- Look features up by entity key; 1009 has none.
SELECT * FROM driver_hourly_stats WHERE driver_id = ANY ('{1001,1003,1009}') ORDER BY driver_id;

EXPLAIN (VERBOSE, COSTS OFF)
SELECT conv_rate FROM driver_hourly_stats WHERE driver_id = ANY ('{1001,1003,1009}');

-- Join them with a local table.
CREATE TABLE orders (order_id int PRIMARY KEY, driver_id bigint);
INSERT INTO orders VALUES (1, 1002), (2, 1001), (3, 1009);
SELECT o.order_id, o.driver_id, d.conv_rate, d.avg_daily_trips
FROM orders o LEFT JOIN driver_hourly_stats d USING (driver_id)
ORDER BY o.order_id;
