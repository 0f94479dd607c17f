"""The tables of joins, in Markdown, with their targets."""

from statistics import median

from report import number, row, verdict

# (latency, views, entities) -> the most that a join may take, as a multiple of the floor of one view
TARGETS = {(10, 3, 500): 1.4, (10, 10, 1): 1.3}
TARGET_SDK = 20  # times as fast as Feast's SDK ...
SDK_CELLS = [(10, 3, 10000), (0, 3, 10000)]  # ... there

COLUMNS = {
    "off": "no lookup join",
    "feature_service": "`get_online_features`",
    "by_hand": "psycopg, boto3",
}


def place(cell):
    return cell.latency, cell.views, cell.entities


def columns_of_floor(cell, client):
    """What the client takes: milliseconds, as a multiple of the floor, and the same of the fastest round of each."""
    ours, floor = cell.times[client], cell.times["floor"]
    ratio = median(ours) / median(floor)
    target = TARGETS.get(place(cell))
    return [
        number(median(ours)),
        "%.2f" % ratio,
        "%.2f" % (min(ours) / min(floor)),
        "≤ %s %s" % (target, verdict(ratio <= target)) if target else "",
    ]


def show_cells(cells):
    clients = [client for client in COLUMNS if client in cells[0].times]
    head = ["latency, ms", "views", "entities", "floor of one view", "dynamo_fdw", "× floor", "fastest", "target"]
    head += [COLUMNS[client] for client in clients]
    row(*head)
    row(*["--:"] * len(head))
    for cell in cells:
        row(
            str(cell.latency),
            str(cell.views),
            "{:,}".format(cell.entities),
            number(median(cell.times["floor"])),
            *columns_of_floor(cell, "ours"),
            *(number(median(cell.times[client])) if cell.times[client] else "" for client in clients),
        )


def show_forms(forms):
    row("latency, ms", "views", "entities", "asked by", "dynamo_fdw", "× floor", "fastest", "target")
    row("--:", "--:", "--:", "---", "--:", "--:", "--:", "--:")
    for cell in forms:
        where = [str(cell.latency), str(cell.views), "{:,}".format(cell.entities)]
        for name in cell.times:
            if name != "floor":
                row(*where, name, *columns_of_floor(cell, name))


def show_rest(cells, memory):
    row("backend", "views", "entities", "measured", "target")
    row("---", "--:", "--:", "--:", "--:")
    for (views, entities), (small, large) in memory.items():
        row("peak memory", str(views), "{:,}".format(entities), "%.0f MB (%.0f after one entity)" % (large, small), "")
    for cell in cells:
        if place(cell) in SDK_CELLS and "feature_service" in cell.times:
            times = median(cell.times["feature_service"]) / median(cell.times["ours"])
            row("as fast as `get_online_features`, at %s ms" % cell.latency, str(cell.views),
                "{:,}".format(cell.entities), "%.0f times" % times,
                "≥ %d times %s" % (TARGET_SDK, verdict(times >= TARGET_SDK)))


def show(cells, forms, memory):
    print("\n# Joins\n")
    show_cells(cells)
    print()
    show_forms(forms)
    print()
    show_rest(cells, memory)
