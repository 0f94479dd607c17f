-- The validator: unknown options and bad values are refused where they are set.

-- unknown, misspelt, or in the wrong place
CREATE SERVER bad FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (regoin 'us-west-2');
CREATE SERVER bad FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (region 'us-west-2', xyzzy '1');
CREATE SERVER bad FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (region 'us-west-2', secret_access_key 'hidden');
CREATE SERVER bad FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (region 'us-west-2', entity_key 'true');
CREATE FOREIGN DATA WRAPPER bad HANDLER dynamo_fdw_handler VALIDATOR dynamo_fdw_validator OPTIONS (region 'us-west-2');
CREATE USER MAPPING FOR PUBLIC SERVER feast OPTIONS (region 'us-west-2');
CREATE FOREIGN TABLE bad (id bigint OPTIONS (entity_keys 'true')) SERVER feast;
CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (endpoint_url 'http://localhost');

-- region is required
CREATE SERVER bad FOREIGN DATA WRAPPER dynamo_fdw;
CREATE SERVER bad FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (project 'p');
ALTER SERVER feast OPTIONS (DROP region);

-- values
CREATE SERVER bad FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (region 'Frankfurt');
CREATE SERVER bad FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (region 'us-west-2', project '');
ALTER SERVER feast OPTIONS (ADD batch_size '0');
ALTER SERVER feast OPTIONS (ADD batch_size '101');
ALTER SERVER feast OPTIONS (ADD batch_size '1.5');
ALTER SERVER feast OPTIONS (ADD batch_size 'many');
ALTER SERVER feast OPTIONS (ADD max_read_workers '-1');
ALTER SERVER feast OPTIONS (ADD max_write_workers '101');
ALTER SERVER feast OPTIONS (ADD total_max_retry_attempts '0');
ALTER SERVER feast OPTIONS (ADD connect_timeout '0');
ALTER SERVER feast OPTIONS (ADD read_timeout 'nan');
ALTER SERVER feast OPTIONS (ADD keepalive_timeout '1e9');
ALTER SERVER feast OPTIONS (ADD retry_mode 'legacy');
ALTER SERVER feast OPTIONS (ADD warmup_connections 'later');
ALTER SERVER feast OPTIONS (ADD max_pool_connections '0');
ALTER SERVER feast OPTIONS (ADD fdw_tuple_cost '-1');
ALTER SERVER feast OPTIONS (ADD consistent_reads 'maybe');
ALTER SERVER feast OPTIONS (ADD use_fips_endpoint 'perhaps');
ALTER SERVER feast OPTIONS (ADD use_dualstack_endpoint '2');
ALTER SERVER feast OPTIONS (ADD drop_remote_table 'sometimes');
ALTER SERVER feast OPTIONS (ADD entity_key_serialization_version '4');
ALTER SERVER feast OPTIONS (ADD table_name_template '{project}.{view}');
ALTER SERVER feast OPTIONS (ADD table_name_template '{project}');
ALTER SERVER feast OPTIONS (ADD ca_bundle 'relative.pem');
ALTER SERVER feast OPTIONS (SET endpoint_url 'ftp://localhost');
ALTER SERVER feast OPTIONS (SET endpoint_url 'http://user:password@localhost');
ALTER SERVER feast OPTIONS (SET endpoint_url 'http://localhost/path');
ALTER SERVER feast OPTIONS (SET endpoint_url 'http://localhost:99999');
ALTER SERVER feast OPTIONS (SET endpoint_url 'http://');
CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (table_name 'no spaces');
CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (table_name 'ab');
CREATE FOREIGN TABLE bad (id bigint OPTIONS (value_type 'INTEGER')) SERVER feast;
CREATE FOREIGN TABLE bad (id timestamptz OPTIONS (entity_key 'true', event_timestamp 'true')) SERVER feast;

-- ttl: a length of time that doesn't hang on the calendar or on settings
CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (ttl '');
CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (ttl 'a day');
CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (ttl '1 month');
CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (ttl '1 year 2 days');
CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (ttl 'P1M');
CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (ttl '-1 day');
CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (ttl '1 day ago');
CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (ttl '2 days -1 hour');
CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (ttl 'infinity');
CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (ttl '315576000000.000001 seconds');
CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (ttl '99999999999 days');
ALTER SERVER feast OPTIONS (ADD ttl '1 day');

-- ttl_attribute: an attribute that Feast has no use for, of a table with a ttl
CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (ttl '1 day', ttl_attribute 'event_ts');
ALTER SERVER feast OPTIONS (ADD ttl_attribute '');
ALTER SERVER feast OPTIONS (ADD ttl_attribute 'entity_id');
ALTER SERVER feast OPTIONS (ADD ttl_attribute 'values');
CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (ttl_attribute 'expires_at');
CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (ttl '0', ttl_attribute 'expires_at');
DO $$
BEGIN
    EXECUTE format('ALTER SERVER feast OPTIONS (ADD ttl_attribute %L)', repeat('x', 254) || U&'\00E9');
EXCEPTION WHEN invalid_parameter_value THEN
    RAISE NOTICE '256 bytes are too many';
END $$;
DO $$
BEGIN
    EXECUTE format('ALTER SERVER feast OPTIONS (ADD ttl_attribute %L)', repeat('x', 253) || U&'\00E9');
END $$;
ALTER SERVER feast OPTIONS (DROP ttl_attribute);

-- both together, and apart again
SET dynamo_fdw.remote_ddl = off;
CREATE FOREIGN TABLE living (id bigint OPTIONS (entity_key 'true')) SERVER feast OPTIONS (ttl '0');
ALTER FOREIGN TABLE living OPTIONS (ADD ttl_attribute 'expires_at');
ALTER FOREIGN TABLE living OPTIONS (SET ttl '315576000000 seconds', ADD ttl_attribute 'expires_at');
ALTER FOREIGN TABLE living OPTIONS (SET ttl '0 seconds');
ALTER FOREIGN TABLE living OPTIONS (DROP ttl);
ALTER FOREIGN TABLE living OPTIONS (DROP ttl, DROP ttl_attribute);
ALTER FOREIGN TABLE living OPTIONS (ADD ttl '1 week 2 days 03:04:05.678901');
ALTER FOREIGN TABLE living OPTIONS (SET ttl '1 day, 0:00:00');
ALTER FOREIGN TABLE living OPTIONS (SET ttl 'PT36H');
ALTER FOREIGN TABLE living OPTIONS (SET ttl '86400');
DROP FOREIGN TABLE living;
RESET dynamo_fdw.remote_ddl;

-- keys go together, and no message shows a secret
CREATE USER MAPPING FOR PUBLIC SERVER feast OPTIONS (access_key_id 'a');
CREATE USER MAPPING FOR PUBLIC SERVER feast OPTIONS (secret_access_key 'hidden');
CREATE USER MAPPING FOR PUBLIC SERVER feast OPTIONS (access_key_id 'a', secret_access_key '');
CREATE USER MAPPING FOR PUBLIC SERVER feast
    OPTIONS (access_key_id 'a', secret_access_key 'b', session_token E'token\r\nX-Header: value');

-- roles
CREATE USER MAPPING FOR PUBLIC SERVER feast OPTIONS (role_arn 'feast-reader');
CREATE USER MAPPING FOR PUBLIC SERVER feast OPTIONS (role_arn 'arn:aws:iam::123456789012:role/r', external_id 'a b');
CREATE USER MAPPING FOR PUBLIC SERVER feast OPTIONS (role_arn 'arn:aws:iam::123456789012:role/r', role_session_name 'x');
CREATE USER MAPPING FOR PUBLIC SERVER feast OPTIONS (role_arn 'arn:aws:iam::123456789012:role/r', duration_seconds '60');
CREATE USER MAPPING FOR PUBLIC SERVER feast OPTIONS (external_id '42');
CREATE USER MAPPING FOR PUBLIC SERVER feast OPTIONS (session_token 'alone');
CREATE USER MAPPING FOR PUBLIC SERVER feast OPTIONS (access_key_id 'a', secret_access_key 'b', duration_seconds '900');
CREATE USER MAPPING FOR PUBLIC SERVER feast OPTIONS (credentials_required 'perhaps');

-- settings of remote tables
ALTER SERVER feast OPTIONS (ADD tags 'team');
ALTER SERVER feast OPTIONS (ADD tags '{"team": 1}');
ALTER SERVER feast OPTIONS (ADD tags '{"AWS:team": "ml"}');
ALTER SERVER feast OPTIONS (ADD tags '{"": "ml"}');
ALTER SERVER feast OPTIONS (ADD tags '{"team": "a;b"}');
ALTER SERVER feast OPTIONS (ADD deletion_protection 'perhaps');
ALTER SERVER feast OPTIONS (ADD billing_mode 'ON_DEMAND');
ALTER SERVER feast OPTIONS (ADD billing_mode 'PAY_PER_REQUEST', ADD read_capacity '5');
ALTER SERVER feast OPTIONS (ADD billing_mode 'PROVISIONED', ADD max_write_units '5');
ALTER SERVER feast OPTIONS (ADD read_capacity '0');
ALTER SERVER feast OPTIONS (ADD max_read_units '0');
ALTER SERVER feast OPTIONS (ADD table_class 'INFREQUENT');
ALTER SERVER feast OPTIONS (ADD warm_throughput '12000');
ALTER SERVER feast OPTIONS (ADD warm_throughput 'ReadUnitsPerSecond=1,ReadUnitsPerSecond=2');
ALTER SERVER feast OPTIONS (ADD sse_kms_key 'my key');
ALTER SERVER feast OPTIONS (ADD point_in_time_recovery '7 days');
ALTER SERVER feast OPTIONS (ADD stream_view_type 'ALL');

CREATE FOREIGN TABLE bad (id bigint) SERVER feast OPTIONS (write_mode 'newest');
CREATE SERVER plain FOREIGN DATA WRAPPER dynamo_fdw
    OPTIONS (region 'eu-central-1', session_based_auth 'false', use_fips_endpoint 'off', retry_mode 'standard');
ALTER SERVER plain OPTIONS (SET retry_mode 'adaptive', ADD warmup_connections 'true', ADD keepalive_timeout '7.5');

-- which of the region's endpoints; endpoint_url comes before all
SET dynamo_fdw.remote_ddl = off;
CREATE FOREIGN TABLE plain_view (id bigint OPTIONS (entity_key 'true')) SERVER plain OPTIONS (table_name 'plain_view');
ALTER SERVER plain OPTIONS (SET use_fips_endpoint 'on');
ALTER SERVER plain OPTIONS (ADD use_dualstack_endpoint 'true');
ALTER SERVER plain OPTIONS (DROP use_fips_endpoint);
ALTER SERVER plain OPTIONS (ADD endpoint_url 'https://dynamodb.example');
ALTER SERVER plain OPTIONS (ADD use_fips_endpoint 'on', SET use_dualstack_endpoint 'off');
ALTER SERVER plain OPTIONS (DROP endpoint_url, SET region 'local');
DROP SERVER plain CASCADE;
RESET dynamo_fdw.remote_ddl;

-- superusers only: no other one may name these options
CREATE ROLE regress_dynamo_user;
CREATE ROLE regress_dynamo_heir;
GRANT USAGE ON FOREIGN DATA WRAPPER dynamo_fdw TO regress_dynamo_user, regress_dynamo_heir;
SET ROLE regress_dynamo_user;
CREATE SERVER bad FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (region 'us-west-2', ca_bundle '/tmp/ca.pem');
CREATE SERVER mine FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (region 'us-west-2');
ALTER SERVER mine OPTIONS (ADD ca_bundle '/tmp/ca.pem');
DO $$ BEGIN ALTER SERVER mine OPTIONS (ADD ca_bundle '/tmp/ca.pem'); END $$;
CREATE SERVER bad FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (region 'us-west-2', sts_endpoint_url 'https://sts.example');
SET dynamo_fdw.allowed_endpoints = '*';

-- nor make or change a mapping that lends the credentials of the server process
CREATE USER MAPPING FOR CURRENT_USER SERVER mine OPTIONS (credentials_required 'false');
CREATE USER MAPPING FOR CURRENT_USER SERVER mine OPTIONS (profile 'x');
CREATE USER MAPPING FOR CURRENT_USER SERVER mine OPTIONS (role_arn 'arn:aws:iam::123456789012:role/r');
CREATE USER MAPPING FOR CURRENT_USER SERVER mine OPTIONS (credentials_required 'true',
    access_key_id 'a', secret_access_key 'b', role_arn 'arn:aws:iam::123456789012:role/r', external_id '42');
ALTER USER MAPPING FOR CURRENT_USER SERVER mine OPTIONS (DROP access_key_id, DROP secret_access_key);
RESET ROLE;
ALTER USER MAPPING FOR regress_dynamo_user SERVER mine OPTIONS (SET credentials_required 'false');
SET ROLE regress_dynamo_user;
ALTER USER MAPPING FOR CURRENT_USER SERVER mine OPTIONS (SET access_key_id 'c');
ALTER USER MAPPING FOR CURRENT_USER SERVER mine OPTIONS (SET access_key_id 'c', DROP credentials_required);
RESET ROLE;

-- the owner of a server may alter the other options beside them, and the value goes with the server
ALTER SERVER mine OPTIONS (ADD ca_bundle '/tmp/ca.pem');
SET ROLE regress_dynamo_user;
ALTER SERVER mine OPTIONS (ADD batch_size '10');
ALTER SERVER mine OPTIONS (SET ca_bundle '/tmp/other.pem');
ALTER SERVER mine OPTIONS (DROP ca_bundle, SET batch_size '20');
RESET ROLE;
ALTER SERVER mine OWNER TO regress_dynamo_heir;
SET ROLE regress_dynamo_heir;
ALTER SERVER mine OPTIONS (DROP batch_size);
RESET ROLE;
SELECT srvoptions FROM pg_foreign_server WHERE srvname = 'mine';
DROP SERVER mine CASCADE;
REVOKE USAGE ON FOREIGN DATA WRAPPER dynamo_fdw FROM regress_dynamo_user, regress_dynamo_heir;
DROP ROLE regress_dynamo_user, regress_dynamo_heir;
