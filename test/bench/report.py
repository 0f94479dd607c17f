"""The tables of a benchmark, in Markdown, with the targets that the project has set itself."""

from statistics import median

# (latency, entities) -> the most that dynamo_fdw may take, as a multiple of the floor
TARGETS = {(10, 100): 1.15, (10, 500): 1.15, (10, 1000): 1.25, (10, 2000): 1.4, (10, 10000): 1.2}
TARGET_CPU = 4  # ms for 1,000 entities
TARGET_SDK = 20  # times as fast as Feast's SDK ...
SDK_CELL = (0, 500)  # ... there

PEERS = {"online_read": "`online_read`", "get_online_features": "`get_online_features`", "boto3": "boto3"}


def number(value):
    """Three digits, roughly."""
    return "%.2f" % value if value < 10 else "%.1f" % value if value < 100 else "{:,.0f}".format(value)


def verdict(ok):
    return "ok" if ok else "**over**"


def row(*fields):
    print("| %s |" % " | ".join(fields))


def show_times(cells):
    clients = [client for client in PEERS if client in cells[0].times]
    head = ["latency, ms", "entities", "workers", "floor", "dynamo_fdw", "× floor", "fastest", "target"]
    head += [PEERS[client] for client in clients]
    row(*head)
    row(*["--:"] * len(head))
    for cell in cells:
        medians = {client: median(times) for client, times in cell.times.items()}
        ratio = medians["ours"] / medians["floor"]
        target = TARGETS.get((cell.latency, cell.entities))
        row(
            str(cell.latency),
            "{:,}".format(cell.entities),
            str(cell.workers),
            number(medians["floor"]),
            number(medians["ours"]),
            "%.2f" % ratio,
            "%.2f" % (min(cell.times["ours"]) / min(cell.times["floor"])),
            "≤ %s %s" % (target, verdict(ratio <= target)) if target else "",
            *(number(medians[client]) if client in medians else "" for client in clients),
        )


def show_rest(cells, cpu, memory):
    row("backend", "entities", "measured", "target")
    row("---", "--:", "--:", "--:")
    for (latency, entities), ms in cpu.items():
        row("CPU for 1,000, at %s ms" % latency, "{:,}".format(entities), number(ms) + " ms",
            "≤ %d ms %s" % (TARGET_CPU, verdict(ms <= TARGET_CPU)))
    for entities, (small, large) in memory.items():
        row("peak memory", "{:,}".format(entities), "%.0f MB (%.0f after one entity)" % (large, small), "")
    for cell in cells:
        if (cell.latency, cell.entities) == SDK_CELL and "online_read" in cell.times:
            times = median(cell.times["online_read"]) / median(cell.times["ours"])
            row("as fast as `online_read`, at %s ms" % cell.latency, str(cell.entities), "%.0f times" % times,
                "≥ %d times %s" % (TARGET_SDK, verdict(times >= TARGET_SDK)))


def show(cells, cpu, memory):
    print("# Reads\n")
    show_times(cells)
    print()
    show_rest(cells, cpu, memory)
