"""Turns the rows of a benchmark run into text: a table for the terminal, and RESULTS.md with ratios, targets and plots."""
import pathlib
import statistics
import subprocess

#: (job, metric) -> (target as text, the number, +1 when more is better and -1 when less is)
TARGETS = {
    ("edge ingest, link down", "readings"): ("≥ 1.5 M/s", 1.5e6, 1),
    ("edge ingest, 5 s commit", "readings"): ("≥ 4 M/s", 4e6, 1),
    ("drain to the hub", "readings"): ("≥ 5 M/s", 5e6, 1),
    ("drain to the hub", "bytes on the wire"): ("≤ 3.2", 3.2, -1),
    ("drain to the hub", "agent memory, peak PSS"): ("≤ 8 MB", 8, -1),
    ("edge ingest, link down", "agent memory, peak PSS"): ("≤ 8 MB", 8, -1),
    ("edge idle", "agent memory, PSS"): ("≤ 4 MB", 4, -1),
    ("bytes written to disk", "10 readings/s, commit each 10 s"): ("≤ 40", 40, -1),
    ("bytes written to disk", "10 readings/s, commit each 60 s"): ("≤ 20", 20, -1),
    ("bytes written to disk", "full ingest"): ("≤ 20", 20, -1),
}


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


def verdict(row):
    target = TARGETS.get((row["job"], row["metric"]))
    if target is None or row["subject"] != "tideline":
        return ""
    text, value, direction = target
    is_met = median(row) >= value if direction > 0 else median(row) <= value
    return f"{text}: {'met' if is_met else f'{median(row) / value:.2f} ×'}"


def write(result, path):
    machine = result["machine"]
    lines = [
        "# Results",
        "",
        f"`make bench` on {machine['date']}: {machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}; load average {machine['load']} before, "
        f"{machine['load_after']} after; {machine['took'] // 60} min. Medians of the repeats; spread is the largest divided by the least. Ratios are of medians in this run.",
        "",
        "*synced*: acknowledged after a sync at every place that counts, so that a power cut loses nothing. *page cache*: survives the end of the process, not of",
        "the power. *memory*: survives neither.",
        "",
    ]
    job = None
    for row in result["rows"]:
        if row["job"] != job:
            job = row["job"]
            lines += ["", f"## {job[0].upper()}{job[1:]}", "", "| subject | what | median | spread | durable | against | target | note |", "|---|---|---:|---:|---|---|---|---|"]
        if not row["values"]:
            lines.append(f"| {row['subject']} | {row['metric']} | | | | | | {row.get('note', '')} |")
            continue
        ratios = against(result["rows"], row) if row["subject"] == "tideline" else ""
        lines.append(f"| {row['subject']} | {row['metric']} | {number(median(row))} {row['unit']} | {spread(row)} | {row.get('durable', '')} | {ratios} | {verdict(row)} | {row.get('note', '')} |")
    if result["missing"]:
        lines += ["", "## Not run", ""] + [f"* {text}" for text in result["missing"]]
    lines += plots(result, path.parent)
    path.write_text("\n".join(lines) + "\n")


def plots(result, directory):
    """Throughput against batch size, drawn by gnuplot from a CSV file."""
    points = [(int(row["metric"].split()[0]), median(row), row["subject"]) for row in result["rows"] if row["job"] == "edge ingest by batch" and row["values"]]
    if not points:
        return []
    data = directory / "ingest_by_batch.csv"
    data.write_text("readings a #sync,readings a second\n" + "".join(f"{size},{rate:.0f}\n" for size, rate, subject in points if subject == "tideline"))
    return draw(directory, data, "ingest_by_batch.svg", "readings in one #sync", "readings a second, synced", "Throughput against batch size")


def draw(directory, data, name, x, y, title):
    script = (f'set terminal svg size 720,400 dynamic; set output "{directory / name}"; set datafile separator ","; set logscale xy; set grid; '
              f'set key off; set title "{title}"; set xlabel "{x}"; set ylabel "{y}"; set format x "10^{{%L}}"; set format y "10^{{%L}}"; '
              f'plot "{data}" using 1:2 every ::1 with linespoints pointtype 7 linewidth 2')
    try:
        subprocess.run(["gnuplot", "-e", script], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return ["", f"No plot: gnuplot is not here. The numbers are in `{data.name}`."]
    return ["", f"![{title}]({name})"]
