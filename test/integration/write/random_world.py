"""The tables, views, triggers and functions that random statements (random_statements.py) write through.

They are made twice, over foreign tables in schema "feast" and over plain ones in schema "plain", and are named without
a schema.  A plain table is made to do what DynamoDB does: a row replaces that of its key.  It tells each row by a
NOTICE, which is not undone where the row is.
"""

KEY = "OPTIONS (entity_key 'true') NOT NULL"

# The tables with a key: its columns, and what else they have.
TABLES = {
    "one": ("id bigint", "n integer, s text"),
    "two": ("a integer, b text", "n integer, s text"),
    "defaulted": (
        "id bigint",
        "n integer DEFAULT 7, s text DEFAULT 'none', twice integer GENERATED ALWAYS AS (n * 2) STORED",
    ),
    "triggered": ("id bigint", "n integer, s text"),
    "part0": ("id bigint", "n integer, s text"),
    "part1": ("id bigint", "n integer, s text"),
    "part3": ("id bigint", "n integer, s text"),
    "moving2": ("id bigint", "n integer, s text"),
    "moving3": ("id bigint", "n integer, s text"),
}

PLAIN_PARTITIONS = ["part2", "part7", "moving0", "moving1", "moving_rest"]  # plain in both schemas


def is_transactional(table, key):
    """Is a row of CONTENT stored in PostgreSQL in both schemas?"""
    if table == "moving":
        return key.partition("@")[2] not in ("2", "3")
    return table == "parent" and (int(key) % 4 == 2 or int(key) % 8 == 7)


def content_name(table):
    """Name in CONTENT of the table that a partition is of."""
    return "parent" if table.startswith("part") else "moving" if table.startswith("moving") else table


# The rows of all tables whose keys are among $1: the table, the key and the values.
CONTENT = " UNION ALL ".join(
    "SELECT '{0}', {1}::text, n, s, {2} FROM {0} WHERE {3}".format(
        table,
        "a || b" if table == "two" else "id || '@' || coalesce(n, -1)" if table == "moving" else "id",
        "twice" if table == "defaulted" else "n",
        "a = ANY (%(keys)s::bigint[]) AND b IN ('k0', 'k1', 'k2')" if table == "two" else "id = ANY (%(keys)s)",
    )
    for table in ("one", "two", "defaulted", "triggered", "parent", "moving")
)

# For plain tables: the row of the key goes, and the new one is told. The argument is the name in CONTENT.
REPLACE = """
CREATE FUNCTION key_of(name text, r jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT CASE name WHEN 'two' THEN (r ->> 'a') || (r ->> 'b')
        WHEN 'moving' THEN (r ->> 'id') || '@' || coalesce(r ->> 'n', '-1') ELSE r ->> 'id' END
$$;
CREATE FUNCTION replace_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE 'wrote %', json_build_array(TG_ARGV[0], key_of(TG_ARGV[0], to_jsonb(NEW)), NEW.n, NEW.s);
    PERFORM set_config('test.replaces', 'yes', true);
    IF TG_ARGV[0] = 'two' THEN
        DELETE FROM two WHERE a = (to_jsonb(NEW) ->> 'a')::integer AND b = to_jsonb(NEW) ->> 'b';
    ELSE
        EXECUTE format('DELETE FROM %I WHERE id = $1', TG_TABLE_NAME) USING (to_jsonb(NEW) ->> 'id')::bigint;
    END IF;
    PERFORM set_config('test.replaces', '', true);
    RETURN NEW;
END $$;

CREATE FUNCTION tell_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('test.replaces', true) = 'yes' THEN
        RETURN OLD;
    ELSIF TG_OP = 'DELETE' THEN
        RAISE NOTICE 'wrote %', json_build_array(TG_ARGV[0], key_of(TG_ARGV[0], to_jsonb(OLD)));
        RETURN OLD;
    END IF;
    RAISE NOTICE 'wrote %', json_build_array(TG_ARGV[0], key_of(TG_ARGV[0], to_jsonb(NEW)), NEW.n, NEW.s);
    RETURN NEW;
END $$;
"""

LOCAL = """
CREATE TABLE source AS SELECT g AS g, 't' || g AS t FROM generate_series(1, 12) g;
CREATE TABLE log (seq bigserial, worker text DEFAULT current_setting('test.worker'), what text);

CREATE FUNCTION end_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'the end' USING ERRCODE = 'TE001';
END $$;
CREATE CONSTRAINT TRIGGER ends AFTER INSERT ON log DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.what LIKE '%at commit') EXECUTE FUNCTION end_at_commit();
"""

# n says what the triggers of "triggered" do.
OBJECTS = """
CREATE TABLE parent (id bigint, n integer, s text) PARTITION BY LIST ((id % 4));
CREATE TABLE part2 PARTITION OF parent FOR VALUES IN (2);
ALTER TABLE parent ATTACH PARTITION part0 FOR VALUES IN (0);
ALTER TABLE parent ATTACH PARTITION part1 FOR VALUES IN (1);
CREATE TABLE sub PARTITION OF parent FOR VALUES IN (3) PARTITION BY LIST ((id % 8));
ALTER TABLE sub ATTACH PARTITION part3 FOR VALUES IN (3);
CREATE TABLE part7 PARTITION OF sub FOR VALUES IN (7);

-- rows move between these
CREATE TABLE moving (id bigint NOT NULL, n integer, s text) PARTITION BY LIST (n);
CREATE TABLE moving0 PARTITION OF moving FOR VALUES IN (0);
CREATE TABLE moving1 PARTITION OF moving FOR VALUES IN (1);
CREATE TABLE moving_rest PARTITION OF moving DEFAULT;
ALTER TABLE moving ATTACH PARTITION moving2 FOR VALUES IN (2);
ALTER TABLE moving ATTACH PARTITION moving3 FOR VALUES IN (3);

CREATE FUNCTION before_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.n = 0 THEN
        RETURN NULL;
    ELSIF NEW.n = 1 THEN
        NEW.s = NEW.s || ' changed';
    ELSIF NEW.n = 2 THEN
        INSERT INTO one VALUES (NEW.id, NEW.n, NEW.s || ' by a trigger');
    ELSIF NEW.n = 3 THEN
        NEW.s = NEW.s || ' over ' || coalesce((SELECT s FROM triggered WHERE id = NEW.id), 'none');
    ELSIF NEW.n = 4 THEN
        INSERT INTO triggered VALUES (NEW.id, 5, NEW.s || ' inner'), (NEW.id + 20, 1, NEW.s || ' inner');
    ELSIF NEW.n = 13 THEN
        RAISE 'before' USING ERRCODE = 'TE002';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION after_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log (what) SELECT TG_TABLE_NAME || ' has ' || s FROM triggered WHERE id = NEW.id;
    IF NEW.n = 6 THEN
        INSERT INTO two VALUES (NEW.id, 'k0', NEW.n, NEW.s || ' after');
    ELSIF NEW.n = 14 THEN
        RAISE 'after' USING ERRCODE = 'TE003';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log (what) SELECT TG_WHEN || ' sees ' || count(*) || ' of ' || TG_TABLE_NAME FROM triggered
        WHERE id = ANY (ARRAY(SELECT current_setting('test.base')::bigint + generate_series(0, 39)));
    RETURN NULL;
END $$;
CREATE TRIGGER before_row BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION before_row();
CREATE TRIGGER after_row AFTER INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION after_row();
CREATE TRIGGER before_statement BEFORE INSERT ON triggered EXECUTE FUNCTION statement();
CREATE TRIGGER after_statement AFTER INSERT ON triggered EXECUTE FUNCTION statement();
CREATE TRIGGER after_statement AFTER INSERT ON parent EXECUTE FUNCTION statement();


CREATE FUNCTION before_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    n integer = CASE TG_OP WHEN 'DELETE' THEN OLD.n ELSE NEW.n END;
BEGIN
    IF n = 0 THEN
        RETURN NULL;
    ELSIF n = 2 THEN
        INSERT INTO one VALUES (OLD.id, n, OLD.s || ' by ' || TG_OP);
    ELSIF n = 4 THEN
        DELETE FROM one WHERE id = OLD.id;
    ELSIF n = 13 THEN
        RAISE 'before' USING ERRCODE = 'TE002';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    ELSIF n = 1 THEN
        NEW.s = NEW.s || ' changed';
    ELSIF n = 3 THEN
        NEW.s = OLD.s || ' over ' || coalesce((SELECT s FROM one WHERE id = NEW.id), 'none');
    ELSIF n = 5 THEN
        NEW.n = 8;
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION after_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log (what) VALUES (TG_OP || ' ' || OLD::text || ' -> ' || coalesce(NEW::text, '') || ' found '
        || (SELECT count(*) FROM triggered WHERE id = OLD.id AND s = NEW.s));
    IF NEW.n = 6 THEN
        UPDATE two SET s = two.s || ' after' WHERE a = NEW.id AND b = 'k0';
    ELSIF OLD.n = 6 THEN
        DELETE FROM two WHERE a = OLD.id AND b = 'k0';
    ELSIF NEW.n = 14 OR OLD.n = 14 THEN
        RAISE 'after' USING ERRCODE = 'TE003';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER before_change BEFORE UPDATE OR DELETE ON triggered FOR EACH ROW
    WHEN (current_setting('test.replaces', true) IS DISTINCT FROM 'yes') EXECUTE FUNCTION before_change();
CREATE TRIGGER after_change AFTER UPDATE OR DELETE ON triggered FOR EACH ROW
    WHEN (current_setting('test.replaces', true) IS DISTINCT FROM 'yes') EXECUTE FUNCTION after_change();
CREATE TRIGGER before_change_all BEFORE UPDATE OR DELETE ON triggered
    WHEN (current_setting('test.replaces', true) IS DISTINCT FROM 'yes') EXECUTE FUNCTION statement();
CREATE TRIGGER after_change_all AFTER UPDATE OR DELETE ON triggered
    WHEN (current_setting('test.replaces', true) IS DISTINCT FROM 'yes') EXECUTE FUNCTION statement();
CREATE TRIGGER after_change_all AFTER UPDATE OR DELETE ON parent EXECUTE FUNCTION statement();

CREATE FUNCTION after_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log (what) SELECT TG_TABLE_NAME || ' has ' || s FROM parent WHERE id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER after_part AFTER INSERT ON parent FOR EACH ROW EXECUTE FUNCTION after_part();

CREATE VIEW low AS SELECT * FROM one WHERE id % 40 <> 7 WITH CHECK OPTION;
CREATE VIEW lower AS SELECT id, n, s FROM low WHERE n IS DISTINCT FROM 9 WITH LOCAL CHECK OPTION;
CREATE VIEW by_trigger AS SELECT id, n, s FROM one;
CREATE FUNCTION instead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO one VALUES (NEW.id, NEW.n, NEW.s || ' instead');
    INSERT INTO two VALUES (NEW.id, 'k1', NEW.n, NEW.s || ' instead');
    RETURN NEW;
END $$;
CREATE TRIGGER instead INSTEAD OF INSERT ON by_trigger FOR EACH ROW EXECUTE FUNCTION instead();
CREATE FUNCTION instead_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM one WHERE id = OLD.id;
        RETURN OLD;
    END IF;
    UPDATE one SET n = NEW.n, s = NEW.s || ' instead' WHERE id = OLD.id;
    RETURN NEW;
END $$;
CREATE TRIGGER change INSTEAD OF UPDATE OR DELETE ON by_trigger FOR EACH ROW EXECUTE FUNCTION instead_change();
CREATE VIEW secure WITH (security_barrier) AS SELECT * FROM defaulted WHERE s IS DISTINCT FROM 'hidden';
CREATE VIEW by_rule AS SELECT a::bigint AS id, n, s FROM two WHERE b = 'k2';
CREATE RULE instead AS ON INSERT TO by_rule DO INSTEAD
    INSERT INTO two VALUES (NEW.id, 'k2', NEW.n, NEW.s) RETURNING a::bigint, n, s;
CREATE RULE also AS ON INSERT TO by_rule DO ALSO INSERT INTO log (what) VALUES ('rule ' || NEW.s);

CREATE FUNCTION peek(bigint) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN RETURN (SELECT s FROM one WHERE id = $1); END $$;
CREATE FUNCTION put(bigint, text) RETURNS bigint LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO one VALUES ($1, 10, $2); RETURN $1; END $$;
CREATE FUNCTION put_sql(bigint, text) RETURNS bigint LANGUAGE sql AS
    $$ INSERT INTO one VALUES ($1, 11, $2) RETURNING id $$;
CREATE FUNCTION put_both(bigint, text) RETURNS text LANGUAGE sql AS
    $$ INSERT INTO one VALUES ($1, 12, $2); INSERT INTO triggered VALUES ($1, 3, $2);
       SELECT s FROM one WHERE id = $1 $$;
CREATE FUNCTION put_set(bigint, integer, text) RETURNS SETOF one LANGUAGE sql AS
    $$ INSERT INTO one SELECT $1 + g, g, $3 || g FROM generate_series(1, $2) g RETURNING * $$;
CREATE FUNCTION put_then_set(bigint, integer, text) RETURNS SETOF one LANGUAGE sql AS
    $$ INSERT INTO one SELECT $1 + g, g, $3 || g FROM generate_series(1, $2) g;
       SELECT * FROM one WHERE id = ANY (ARRAY(SELECT $1 + generate_series(1, $2))) ORDER BY id $$;
CREATE FUNCTION put_unread(bigint, text) RETURNS SETOF bigint LANGUAGE sql AS
    $$ WITH i AS (INSERT INTO one VALUES ($1, 15, $2), ($1 + 1, 15, $2) RETURNING id) SELECT 1::bigint $$;
CREATE FUNCTION put_each(bigint, integer, text) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
BEGIN
    FOR g IN 1 .. $2 LOOP
        INSERT INTO one VALUES ($1 + g, g, $3 || g);
        RETURN NEXT $1 + g;
    END LOOP;
END $$;
CREATE FUNCTION put_into(bigint, text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    got text;
BEGIN
    INSERT INTO triggered VALUES ($1, 1, $2) RETURNING s INTO got;
    RETURN got;
END $$;
-- it survives a failure after the first row
CREATE FUNCTION try_put(bigint, text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO one SELECT $1 + g, 10 / (2 - g), $2 || g FROM generate_series(1, 3) g;
    RETURN 0;
EXCEPTION WHEN division_by_zero THEN
    RETURN 1;
END $$;
CREATE PROCEDURE put_and_commit(bigint, text) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO one VALUES ($1, 1, $2 || 1);
    COMMIT;
    INSERT INTO one VALUES ($1 + 1, 2, $2 || 2);
    ROLLBACK;
    INSERT INTO triggered VALUES ($1 + 2, 3, $2 || 3);
END $$;
CREATE FUNCTION bump(bigint) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    bumped integer;
BEGIN
    UPDATE one SET n = coalesce(n, 0) + 100, s = s || '^' WHERE id = $1 RETURNING n INTO bumped;
    RETURN bumped;
END $$;
CREATE FUNCTION bump_sql(bigint) RETURNS text LANGUAGE sql AS
    $$ UPDATE one SET s = 'bumped' WHERE id = $1 RETURNING s $$;
CREATE FUNCTION drop_sql(bigint) RETURNS bigint LANGUAGE sql AS
    $$ DELETE FROM two WHERE a = $1 AND b IN ('k0', 'k1', 'k2'); DELETE FROM one WHERE id = $1 RETURNING id $$;
CREATE FUNCTION change_each(bigint, integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT * FROM one WHERE id = ANY (ARRAY(SELECT $1 + generate_series(1, $2))) ORDER BY id LOOP
        UPDATE one SET s = r.s || ';', n = one.n + 1 WHERE id = r.id;
        UPDATE two SET s = r.s WHERE a = r.id AND b = 'k1';
        IF r.id % 3 = 0 THEN
            DELETE FROM one WHERE id = r.id;
        END IF;
        RETURN NEXT r.s || (SELECT count(*) FROM one WHERE id = r.id);
    END LOOP;
END $$;
CREATE FUNCTION try_change(bigint) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    UPDATE one SET n = n / 0 WHERE id = $1;
    RETURN 0;
EXCEPTION WHEN division_by_zero THEN
    UPDATE one SET s = s || ' caught' WHERE id = $1;
    RETURN 1;
END $$;
-- rows of any statement, read by a loop that ends early
CREATE FUNCTION some_rows(query text, most integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    FOR r IN EXECUTE query LOOP
        RETURN NEXT r::text;
        most = most - 1;
        EXIT WHEN most <= 0;
    END LOOP;
END $$;
CREATE FUNCTION open_cursor(query text) RETURNS refcursor LANGUAGE plpgsql AS $$
DECLARE
    c refcursor = 'c';
BEGIN
    OPEN c FOR EXECUTE query;
    RETURN c;
END $$;
"""


def make_world(session):
    """All of it; the session is of a superuser and has the server "feast"."""
    session.run("SET client_min_messages = error; DROP SCHEMA IF EXISTS plain, feast CASCADE")
    for schema in ("plain", "feast"):
        session.run("CREATE SCHEMA %s; SET search_path = %s, public" % (schema, schema))
        session.run(LOCAL)
        for table, (keys, values) in TABLES.items():
            if schema == "feast":
                columns = ", ".join("%s %s" % (key, KEY) for key in keys.split(", "))
                session.table(table, columns + ", " + values)
            else:
                session.run("CREATE TABLE %s (%s NOT NULL, %s)" % (table, keys.replace(",", " NOT NULL,"), values))
        session.run(OBJECTS)
        session.run(REPLACE)
        for table in PLAIN_PARTITIONS if schema == "feast" else [*TABLES, *PLAIN_PARTITIONS]:
            session.run(
                "CREATE TRIGGER zzz_replace BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION replace_row('%s')"
                % (table, content_name(table))
            )
            if schema == "plain":
                session.run(
                    "CREATE TRIGGER zzz_tell BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION tell_change('%s')"
                    % (table, content_name(table))
                )
    session.run("RESET search_path")


def open_world(session, role):
    """Lets a role use it."""
    for schema in ("plain", "feast"):
        session.run("GRANT ALL ON SCHEMA %s TO %s" % (schema, role))
        session.run("GRANT ALL ON ALL TABLES IN SCHEMA %s TO %s" % (schema, role))
        session.run("GRANT ALL ON ALL SEQUENCES IN SCHEMA %s TO %s" % (schema, role))
