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
