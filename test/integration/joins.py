"""What the tests of lookup joins share."""

NODE = "Lookup Join"
READ = "BatchGetItem"
GUC = "dynamo_fdw.enable_lookup_join"


def plan(session, query):
    """EXPLAIN's lines."""
    return [line for (line,) in session.run("EXPLAIN " + query)]


def nodes(session, query):
    """How many lookup joins the plan of a query has."""
    return sum(NODE in line for line in plan(session, query))


def analyzed(session, query):
    """The lookup join of EXPLAIN ANALYZE, which must have just one."""
    found = []
    todo = [session.value("EXPLAIN (ANALYZE, FORMAT JSON) " + query)[0]["Plan"]]
    while todo:
        node = todo.pop()
        todo += node.get("Plans", [])
        if node.get("Custom Plan Provider") == NODE:
            found.append(node)
    (node,) = found
    return node


def asked(proxy):
    """The reads so far: of each, the number of keys by table (without the project)."""
    return [
        {name.split(".")[1]: len(table["Keys"]) for name, table in read.json()["RequestItems"].items()}
        for read in proxy.of(READ)
    ]


def keys_asked(proxy, table="drivers"):
    """How many keys of a table each read asked for, in order of arrival."""
    return [read[table] for read in asked(proxy) if table in read]
