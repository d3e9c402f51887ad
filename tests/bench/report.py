"""Turns the rows of a benchmark run into text: a table for the terminal, and RESULTS.md with ratios, targets and plots."""
import pathlib
import statistics
import subprocess

#: job, metric, what is aimed at as text and number, +1 when more is better and -1 when less is, and of which subject
#: ("" for ours) or as a multiple of which one ("/name").
TARGETS = (
    ("edge ingest, link down", "readings", "≥ 1.5 M/s synced", 1.5e6, 1, ""),
    ("edge ingest, 5 s commit", "readings", "≥ 4 M/s", 4e6, 1, ""),
    ("drain to the hub", "readings", "≥ 5 M/s", 5e6, 1, ""),
    ("bytes on the wire", "quantised sensors", "≤ 1.5", 1.5, -1, ""),
    ("bytes on the wire", "full-precision noise", "≤ 9.5", 9.5, -1, ""),
    ("drain to the hub", "bytes on the wire", "≤ 3.2", 3.2, -1, ""),
    ("bytes written to disk", "10 readings/s, commit each 10 s", "≤ 40", 40, -1, ""),
    ("bytes written to disk", "10 readings/s, commit each 60 s", "≤ 20", 20, -1, ""),
    ("bytes written to disk", "full ingest", "≤ 20", 20, -1, ""),
    ("edge ingest, link down", "agent memory, peak PSS", "≤ 8 MB", 8, -1, ""),
    ("drain to the hub", "agent memory, peak PSS", "≤ 8 MB", 8, -1, ""),
    ("edge idle", "agent memory, PSS", "≤ 4 MB", 4, -1, ""),
    ("mcp stdio, 1 in flight", "calls", "≥ 3 × SDK 1.x", 3, 1, "/sdk 1"),
    ("mcp stdio, 1 in flight", "calls", "direct ≥ 5 × SDK 1.x", 5, 1, ": direct/sdk 1"),
    ("mcp stdio, 64 in flight", "calls", "direct ≥ 8 × SDK 1.x", 8, 1, ": direct/sdk 1"),
    ("mcp stdio, start", "first answer", "≤ 10 ms", 10, -1, ": direct"),
    # Each SDK beside the revision of the protocol that it speaks: 2025-11-25 with a session, and 2026-07-28.
    ("hub http latest, 64 connections", "calls", "≥ 10 × SDK 1.x", 10, 1, ": legacy/sdk 1"),
    ("hub http latest, 64 connections", "calls", "≥ 10 × SDK 2.x", 10, 1, "/sdk 2"),
    ("hub http call to a device, 1 connection", "p50 added by hub and link", "≤ 500 us", 500, -1, ""),
    ("hub http calls over 64 devices, 64 connections", "calls", "≥ 5,000/s", 5000, 1, ""),
    ("fleet of 10,000 devices", "hub PSS a connection, idle", "≤ 60 KB", 60, -1, ""),
    ("fleet of 10,000 devices, after SIGTERM", "all synced", "≤ 60 s", 60, -1, ""),
    ("fleet of 10,000 devices, after kill -9", "all synced", "≤ 60 s", 60, -1, ""),
)


def number(value):
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.2f} M"
    if abs(value) >= 1e4:
        return f"{value / 1e3:,.1f} k"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:,.3g}"


def median(row):
    return statistics.median(row["values"]) if row["values"] else None


def spread(row):
    least = min(row["values"])
    return f"{max(row['values']) / least:.2f}" if len(row["values"]) > 1 and least > 0 else ""


def table(result):
    lines = []
    for row in result["rows"]:
        value = "not run" if not row["values"] else f"{number(median(row))} {row['unit']}"
        lines.append(f"{row['job'][:34]:<35}{row['subject'][:22]:<23}{row['metric'][:38]:<39}{value:>16}  {spread(row) if row['values'] else '':<6}{row.get('note', '')[:60]}")
    return "\n".join(lines)


def against(rows, row):
    """Ratio of our median to each other subject's of the same job and metric."""
    ratios = []
    for other in rows:
        if other is row or other["subject"] == row["subject"] or (other["job"], other["metric"]) != (row["job"], row["metric"]) or not other["values"]:
            continue
        if median(other):
            ratios.append(f"{median(row) / median(other):.2f} × {other['subject']}")
    return ", ".join(ratios)


def find(rows, job, metric, subject):
    """The row of a subject, or of the first whose name begins so."""
    of_job = [row for row in rows if (row["job"], row["metric"]) == (job, metric) and row["values"]]
    return next((row for row in of_job if row["subject"] == subject), next((row for row in of_job if row["subject"].startswith(subject)), None))


def targets(rows):
    """Each target with what was measured and how far it is from it."""
    lines = ["| what | target | measured | verdict | of the limits | against peers |", "|---|---|---:|---|---|---|"]
    for job, metric, text, wanted, direction, who in TARGETS:
        ours, _, other = who.partition("/")
        row = next((r for r in rows if (r["job"], r["metric"], r["subject"]) == (job, metric, f"tideline{ours}") and r["values"]), None)
        base = find(rows, job, metric, other) if other else None
        if row is None or (other and base is None):
            lines.append(f"| {job}: {metric} | {text} | not run | | | |")
            continue
        value = median(row) / median(base) if base else median(row)
        shown = f"{number(median(row))} {row['unit']}" + (f", {value:.2f} ×" if base else "")
        is_met = value >= wanted if direction > 0 else value <= wanted
        others = [(r["subject"], median(row) / median(r)) for r in rows
                  if (r["job"], r["metric"]) == (job, metric) and r["values"] and median(r) and not r["subject"].startswith("tideline")]
        limits = ", ".join(f"{ratio:.2f} × {name.removeprefix('limit: ')}" for name, ratio in others if name.startswith("limit: "))
        peers = ", ".join(f"{ratio:.3g} × {name}" for name, ratio in others if not name.startswith("limit: "))
        verdict = "met" if is_met else f"**not reached: {value / wanted:.2f} × of it**"
        lines.append(f"| {job}{ours}: {metric} | {text} | {shown} | {verdict} | {limits} | {peers} |")
    return lines


def profiles(rows):
    lines = []
    job = None
    for row in rows:
        if row["job"] != job:
            job = row["job"]
            total = sum(median(r) for r in rows if r["job"] == job)
            lines += ["", f"**{job.removeprefix('profile: ').capitalize()}** ({row['profile'] or 'no other load'}): {number(total)} {row['unit']}", "",
                      f"| part | {row['unit']} | share |", "|---|---:|---:|"]
        lines.append(f"| {row['metric']} | {number(median(row))} | {row['note']} |")
    return lines


def write(result, path):
    machine, rows = result["machine"], result["rows"]
    lines = [
        "# Results",
        "",
        f"`make bench` on {machine['date']}: {machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}; load average {machine['load']} before, "
        f"{machine['load_after']} after; {machine['took'] // 60} min. {machine.get('versions', '')}",
        "Medians of the repeats; spread is the largest divided by the least. Ratios are of medians in this run. Made by `tests/bench/report.py`: changes here are",
        "overwritten. What the figures mean and why a target is missed: `tests/bench/README.md`.",
        "",
        "*synced*: acknowledged after a sync at every place that counts, so that a power cut loses nothing. *page cache*: survives the end of the process, not of",
        "the power. *memory*: survives neither. Peers take one reading a message, which they do not parse.",
        "",
        "## Targets", "", *targets(rows), "",
        "## Plots", *plots(result, path.parent), "",
        "## Where the time goes", *profiles([row for row in rows if row["job"].startswith("profile: ") and row["values"]]),
    ]
    first = {}
    for row in rows:
        first.setdefault(row["job"], len(first))
    job = None
    for row in sorted(rows, key=lambda r: first[r["job"]]):  # a job's rows stand together, whichever module measured them
        if row["job"].startswith(("profile: ", "micro: ", "instructions, ")):
            continue
        if row["job"] != job:
            job = row["job"]
            lines += ["", f"## {job[0].upper()}{job[1:]}", "", "| subject | what | median | spread | durable | against | note |", "|---|---|---:|---:|---|---|---|"]
        if not row["values"]:
            lines.append(f"| {row['subject']} | {row['metric']} | | | | | {row.get('note', '')} |")
            continue
        ratios = against(rows, row) if row["subject"] == "tideline" else ""
        lines.append(f"| {row['subject']} | {row['metric']} | {number(median(row))} {row['unit']} | {spread(row)} | {row.get('durable', '')} | {ratios} | {row.get('note', '')} |")
    lines += micro([row for row in rows if row["values"]])
    if result["missing"]:
        lines += ["", "## Not run", ""] + [f"* {text}" for text in result["missing"]]
    path.write_text("\n".join(lines) + "\n")


def micro(rows):
    """Nanoseconds (they drift with the machine) and instructions (they do not) side by side."""
    counted = {row["job"].removeprefix("instructions, "): median(row) for row in rows if row["job"].startswith("instructions, ")}
    lines = []
    job = None
    for row in rows:
        if not row["job"].startswith("micro: "):
            continue
        if row["job"] != job:
            job = row["job"]
            lines += ["", f"## {job[0].upper()}{job[1:]}", "", "| benchmark | ns a turn | spread | instructions an operation |", "|---|---:|---:|---:|"]
        name = row["metric"]
        lines.append(f"| `{name}` | {number(median(row))} | {spread(row)} | {number(counted[name]) if name in counted else ''} |")
    return lines


def plots(result, directory):
    """Throughput against batch size and latency against load, drawn by gnuplot from CSV files."""
    rows = [row for row in result["rows"] if row["values"] and row["subject"] == "tideline"]
    batch = [(int(row["metric"].split()[0]), median(row)) for row in rows if row["job"] == "edge ingest by batch"]
    load = {}
    for row in rows:
        words = row["job"].split()
        if row["job"].startswith("hub http latest, ") and row["metric"] in ("calls", "p50", "p99"):
            load.setdefault(int(words[3]), {})[row["metric"]] = median(row)
    full = [(size, *(load[size][name] for name in ("calls", "p50", "p99"))) for size in sorted(load) if len(load[size]) == 3]
    return (draw(directory, "ingest_by_batch", ("readings in one #sync", "readings a second, synced"), batch, "Throughput against batch size: edge ingest, link down")
            + draw(directory, "latency_by_load", ("connections", "calls a second", "p50 us", "p99 us"), full, "Latency against load: latest of the fleet over HTTP"))


def draw(directory, name, columns, points, title):
    """The first column against each other one; of four columns the second is not drawn."""
    if not points:
        return []
    data = directory / f"{name}.csv"
    data.write_text(",".join(columns) + "\n" + "".join(",".join(f"{value:.0f}" for value in point) + "\n" for point in points))
    curves = ", ".join(f'"{data}" using 1:{i + 1} every ::1 with linespoints pointtype 7 linewidth 2 title "{columns[i]}"' for i in ((1,) if len(columns) == 2 else (2, 3)))
    script = (f'set terminal svg size 720,400 dynamic; set output "{directory / name}.svg"; set datafile separator ","; set logscale xy; set grid; set key top left; '
              f'set title "{title}"; set xlabel "{columns[0]}"; set format x "10^{{%L}}"; set format y "10^{{%L}}"; plot {curves}')
    try:
        subprocess.run(["gnuplot", "-e", script], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return ["", f"No plot: gnuplot is not here. The numbers are in `{data.name}`."]
    return ["", f"![{title}]({name}.svg)"]
