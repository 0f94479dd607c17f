"""The tables of writes, in Markdown, with their targets."""

from statistics import median

from report import number, row, verdict

# (latency, rows, workers) -> the most that INSERT may take, as a multiple of the floor
TARGETS = {(10, 10000, 10): 1.05, (10, 10000, 40): 1.15}
TARGET_COPY = 1.2  # times what INSERT takes, in the same cells
TARGET_CHANGE = 1.3  # times the floors of UPDATE and DELETE, at this latency:
CHANGE_LATENCY = 10
TARGET_SDK = 20  # times as fast as Feast's SDK ...
SDK_CELL = (0, 10000)  # ... there
TARGET_CPU = 5  # microseconds a row
TARGET_LARGE = 0.9  # of the rate of few rows
TARGET_CELLS = [(10, 10000), SDK_CELL]  # latency, rows

PEERS = {"online_write_batch": "`online_write_batch`", "batch_writer": "`batch_writer`", "pool": "boto3"}


def ratio_of(times, floors):
    return median(times) / sum(median(floor) for floor in floors)


def fastest_of(times, floors):
    return min(times) / sum(min(floor) for floor in floors)


def judged(value, target, sign="≤"):
    """The target and whether it is met; nothing where there is none."""
    if target is None:
        return ""
    return "%s %s %s" % (sign, target, verdict(value <= target if sign == "≤" else value >= target))


def workers_in(cell):
    return sorted({client[1] for client in cell.times if isinstance(client, tuple)})


def show_loads(loads):
    peers = [peer for peer in PEERS if peer in loads[0].times]
    head = ["latency, ms", "rows", "workers", "floor", "INSERT", "× floor", "fastest", "target"]
    head += ["COPY", "× INSERT", "target"]
    row(*head, *(PEERS[peer] for peer in peers))
    row(*["--:"] * (len(head) + len(peers)))
    for cell in loads:
        for workers in workers_in(cell):
            insert, copy, floor = (cell.times[client, workers] for client in ("insert", "copy", "floor"))
            target = TARGETS.get((cell.latency, cell.rows, workers))
            ratio = ratio_of(insert, [floor])
            of_insert = median(copy) / median(insert)
            row(
                str(cell.latency), "{:,}".format(cell.rows), str(workers), number(median(floor)),
                number(median(insert)), "%.2f" % ratio, "%.2f" % fastest_of(insert, [floor]), judged(ratio, target),
                number(median(copy)), "%.2f" % of_insert, judged(of_insert, TARGET_COPY if target else None),
                *(number(median(cell.times[peer])) for peer in peers),
            )


def show_changes(changes):
    row("latency, ms", "rows", "workers", "statement", "floor of reads", "floor of writes", "dynamo_fdw", "× both",
        "fastest", "target")
    row("--:", "--:", "--:", "---", "--:", "--:", "--:", "--:", "--:", "--:")
    for cell in changes:
        for workers in workers_in(cell):
            for name in ("update", "delete"):
                times = cell.times[name, workers]
                floors = [cell.times["read floor"], cell.times[name + " floor", workers]]
                ratio = ratio_of(times, floors)
                row(
                    str(cell.latency), "{:,}".format(cell.rows), str(workers), name.upper(),
                    *(number(median(floor)) for floor in floors), number(median(times)), "%.2f" % ratio,
                    "%.2f" % fastest_of(times, floors),
                    judged(ratio, TARGET_CHANGE if cell.latency == CHANGE_LATENCY else None),
                )


def show_large(cell, memory):
    few, many = sorted(cell.times)
    rates = [rows / median(cell.times[rows]) * 1000 for rows in (few, many)]
    row("rows a second of one INSERT, at 0 ms", "{:,}".format(many),
        "{:,.0f} ({:,.0f} with {:,} rows)".format(rates[1], rates[0], few),
        judged(rates[1] / rates[0], TARGET_LARGE, "≥"))
    row("peak memory", "{:,}".format(many), "%.0f MB (%.0f after one row)" % (memory[1], memory[0]), "")


def show_rest(loads, cpu, large, sessions):
    row("", "rows", "measured", "target")
    row("---", "--:", "--:", "--:")
    for latency, of_statements in cpu.items():
        for name, micros in of_statements.items():
            row("CPU of the backend a row, %s at %s ms" % (name, latency), "10,000", "%.1f µs" % micros,
                judged(micros, TARGET_CPU))
    for cell in loads:
        if (cell.latency, cell.rows) == SDK_CELL and "online_write_batch" in cell.times:
            for workers in workers_in(cell):
                times = median(cell.times["online_write_batch"]) / median(cell.times["insert", workers])
                row("as fast as `online_write_batch`, at %s ms by %d workers" % (cell.latency, workers),
                    "{:,}".format(cell.rows), "%.0f times" % times, judged(times, TARGET_SDK, "≥"))
    show_large(*large)
    for cell in sessions:
        row("4 sessions of 10 workers, at %s ms" % cell.latency, "{:,}".format(cell.rows),
            "%s ms (one of 40: %s)" % (number(median(cell.times["sessions"])), number(median(cell.times["one"]))), "")


def show(loads, changes, cpu, large, sessions):
    print("\n# Writes\n")
    show_loads(loads)
    print()
    show_changes(changes)
    print()
    show_rest(loads, cpu, large, sessions)
