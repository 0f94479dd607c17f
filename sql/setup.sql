-- What the other tests share: the extension and a server on the endpoint in
-- $DYNAMO_FDW_ENDPOINT (DynamoDB Local), with static keys.
\getenv endpoint DYNAMO_FDW_ENDPOINT
\if :{?endpoint}
\else
\set endpoint 'http://localhost:8000'
\endif
CREATE EXTENSION dynamo_fdw;
CREATE SERVER feast FOREIGN DATA WRAPPER dynamo_fdw
    OPTIONS (region 'us-west-2', project 'regress', endpoint_url :'endpoint');
CREATE USER MAPPING FOR CURRENT_USER SERVER feast
    OPTIONS (access_key_id 'regress', secret_access_key 'secret');

-- Does it answer? That there is no such table is an answer, too. "make installcheck" looks for the sentence.
CREATE SERVER probe FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (region 'us-west-2', project 'regress',
    endpoint_url :'endpoint', create_remote_table 'false', connect_timeout '10', read_timeout '30',
    total_max_retry_attempts '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER probe
    OPTIONS (access_key_id 'regress', secret_access_key 'secret');
CREATE FOREIGN TABLE probe (id bigint OPTIONS (entity_key 'true')) SERVER probe;
\set VERBOSITY sqlstate
SELECT FROM probe WHERE id = 1;
SELECT :'SQLSTATE' LIKE '08%' AS silent \gset
\if :silent
\echo no DynamoDB answers at :endpoint: start DynamoDB Local there or set DYNAMO_FDW_ENDPOINT
\endif
DROP SERVER probe CASCADE;
