-- IMPORT FOREIGN SCHEMA: what it makes of a small project, in the form of Feast's SQL registry. The bytes are those of
-- Feast's protos: feature views driver_stats, zone_load, totals and archive, an on-demand view, two services.
CREATE SCHEMA of_feast;
CREATE TABLE of_feast.feature_views (project_id text, feature_view_name text, feature_view_proto bytea);
CREATE TABLE of_feast.stream_feature_views (LIKE of_feast.feature_views);
CREATE TABLE of_feast.on_demand_feature_views (LIKE of_feast.feature_views);
CREATE TABLE of_feast.feature_services (project_id text, feature_service_name text, feature_service_proto bytea);
INSERT INTO of_feast.feature_views VALUES
    ('rides', 'driver_stats', '\x0ac0020a0c6472697665725f7374617473120572696465731a0b655f6472697665725f696422190a09636f6e765f72617465'
        '1006220a7368617265206f66203122090a0554726970731003220a0a06626164676573101722080a04637469641020220b0a'
        '076e6f7468696e67101332003aa4010806120f0a02696412096472697665725f69641a0f6576656e745f74696d657374616d'
        '7082013a0a387b226e616d65223a202273222c20227461626c65223a202277617265686f7573652e64726976657273222c20'
        '227175657279223a2022227d8a013c66656173742e696e6672612e6f66666c696e655f73746f7265732e636f6e747269622e'
        '706f7374677265732e506f737467726553514c536f75726365a20101734001521977686174206973206b6e6f776e206f6620'
        '6120647269766572620d0a096472697665725f696410041200'),
    ('rides', 'zone_load', '\x0a350a097a6f6e655f6c6f6164120572696465731a06655f7a6f6e65220b0a0777616974696e6710043200400162080a047a'
        '6f6e6510021200'),
    ('rides', 'totals', '\x0a490a06746f74616c73120572696465731a0c655f5f5f64756d6d795f69642a0a0a047465616d12026d6c220a0a066163746976'
        '65100432004001620e0a0a5f5f64756d6d795f696410021200'),
    ('rides', 'archive', '\x0a350a0761726368697665120572696465731a0b655f6472697665725f696422050a017810043200620d0a09647269766572'
        '5f696410041200');
INSERT INTO of_feast.on_demand_feature_views VALUES
    ('rides', 'fare', '\x0ab4010a0466617265120572696465731a080a04666172651005223b0a0c6472697665725f7374617473122b1a290a0c6472'
        '697665725f737461747312190a09636f6e765f726174651006220a7368617265206f66203122180a0571756f7465120f120d'
        '08079201081a060a026b6d1005521e0a1c0a01661a1764656620662878293a0a2020202072657475726e20780a5a06707974'
        '686f6e6a0c655f5f5f64756d6d795f6964720e0a0a5f5f64756d6d795f696410021200');
INSERT INTO of_feast.feature_services VALUES
    ('rides', 'trip', '\x0af7010a0474726970120572696465731a340a0c6472697665725f737461747312090a055472697073100312190a09636f6e'
        '765f726174651006220a7368617265206f6620311a350a097a6f6e655f6c6f6164120b0a0777616974696e6710041a066f72'
        '6967696e22130a047a6f6e65120b6f726967696e5f7a6f6e651a3f0a097a6f6e655f6c6f6164120b0a0777616974696e6710'
        '041a0b64657374696e6174696f6e22180a047a6f6e65121064657374696e6174696f6e5f7a6f6e651a140a06746f74616c73'
        '120a0a0661637469766510041a100a046661726512080a046661726510052a12666f72207468652066617265206d6f64656c'),
    ('rides', 'old', '\x0a1e0a036f6c64120572696465731a100a076172636869766512050a01781004');

-- Nothing yet says where the registry is, or what it is.
CREATE SCHEMA rides;
IMPORT FOREIGN SCHEMA rides FROM SERVER feast INTO rides;
ALTER SERVER feast OPTIONS (ADD registry 'of_feast', ADD registry_type 'sql');
IMPORT FOREIGN SCHEMA ride FROM SERVER feast INTO rides;
IMPORT FOREIGN SCHEMA rides FROM SERVER feast INTO rides OPTIONS (import_tll 'true');

IMPORT FOREIGN SCHEMA rides LIMIT TO (zone_load, archive) FROM SERVER feast INTO rides;
DROP FOREIGN TABLE rides.zone_load;

-- The NOTICE shows what is to be filled in for the on-demand view.
IMPORT FOREIGN SCHEMA rides FROM SERVER feast INTO rides OPTIONS (create_remote_table 'true');
\d rides.driver_stats
\d rides.totals
SELECT obj_description('rides.driver_stats'::regclass), col_description('rides.driver_stats'::regclass, 3),
    obj_description('rides.trip'::regproc);

-- With a function for the on-demand view.
SET client_min_messages = warning;
DROP SCHEMA rides CASCADE;
RESET client_min_messages;
CREATE SCHEMA rides;
CREATE FUNCTION rides.fare(conv_rate real, km double precision) RETURNS double precision LANGUAGE sql IMMUTABLE
    RETURN 2.5 + km * (1 - conv_rate);
IMPORT FOREIGN SCHEMA rides FROM SERVER feast INTO rides OPTIONS (create_remote_table 'true');
SELECT pg_get_function_arguments('rides.trip'::regproc);
SELECT unnest(string_to_array(pg_get_function_result('rides.trip'::regproc), ', ')) AS result;

INSERT INTO rides.driver_stats VALUES (1001, '2026-01-01 00:00+00', 0.5, 12, '{fast,kind}', '{"a": 1}');
INSERT INTO rides.zone_load VALUES ('N', '2026-01-01 00:00+00', 7), ('S', '2026-01-01 00:00+00', 0);
INSERT INTO rides.totals VALUES ('2026-01-01 00:00+00', 321);
\pset null '(null)'
SELECT * FROM rides.trip('{1001,1002,NULL,1001}', '{N,S,N,X}', '{S,N,NULL,S}', '{10,10,10,NULL}');
\pset null ''
EXPLAIN (COSTS OFF) SELECT * FROM rides.trip('{1001}', '{N}', '{S}', '{10}');

SET client_min_messages = warning;
DROP SCHEMA rides, of_feast CASCADE;
ALTER SERVER feast OPTIONS (DROP registry, DROP registry_type);
