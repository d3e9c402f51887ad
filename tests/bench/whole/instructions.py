#!/usr/bin/env python3
"""Instructions an operation of every micro benchmark, counted by callgrind: they do not drift with the machine or with what else it does.

The benchmarks run as they are; callgrind's counters are zeroed where Google Benchmark begins a timed loop and written out where it ends, so setting up is
not counted (what stands between PauseTiming and ResumeTiming is). Only the user's side: system calls cost one instruction here.
"""
import glob
import json
import os
import re
import shutil
import subprocess

from mcp_peers import Rows, main

BEGIN = "benchmark::State::StartKeepRunning()"
END = "benchmark::State::FinishKeepRunning()"
# Timed loops of these hold pauses, a disk or millions of readings: what is counted would be the preparation, or take minutes.
LEFT_OUT = re.compile(r"^(archive_apply|outbox_|store_open_10_million|uplink_drain|idle_session_memory|query_month|query_fleet|latest_of_2000|store_query|store_fetch)")
QUICK = re.compile(r"^(influx_one_series|call_modern|link_encode_block|block_open)$")


def names(program):
    out = subprocess.run([program, "--benchmark_list_tests"], capture_output=True, text=True, check=True).stdout
    return [name for name in out.split() if not LEFT_OUT.match(name)]


def counted(path):
    """Instructions of one dump."""
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith(("summary:", "totals:")):
                return int(line.split()[1])
    return 0


def measure(program, name, directory):
    """Instructions and items of one turn of the loop of benchmark `name`; None when it made no dump."""
    for old in glob.glob(f"{directory}/callgrind.*"):
        os.unlink(old)
    words = ["valgrind", "--tool=callgrind", f"--zero-before={BEGIN}", f"--dump-before={END}", f"--callgrind-out-file={directory}/callgrind", "-q",
             program, f"--benchmark_filter=^{re.escape(name)}$", "--benchmark_min_time=0.01", "--benchmark_format=json"]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300, check=False)
    # Each calibrating run makes a dump; the last one is of the run that is reported.
    dumps = sorted(glob.glob(f"{directory}/callgrind.*"), key=lambda path: int(path.rsplit(".", 1)[1]))
    if done.returncode != 0 or not dumps:
        return None
    found = json.loads(done.stdout[done.stdout.index("{"):])["benchmarks"][0]
    turns = found["iterations"]
    seconds = found["real_time"] * {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}[found["time_unit"]]
    items = found.get("items_per_second", 0) * found.get("cpu_time", 0) / found["real_time"] * seconds
    return counted(dumps[-1]) / turns, max(1, round(items))


def run(context):
    if shutil.which("valgrind") is None:
        context.log("instructions: not run: valgrind is missing (tests/packages.txt)")
        return []
    rows = Rows()
    for program in sorted(context.build.glob("tests/*_bench")):
        for name in names(program):
            if context.quick and not QUICK.match(name):
                continue
            found = measure(program, name, context.directory)
            if found is None:
                context.log(f"instructions: {name}: not counted")
                continue
            instructions, items = found
            rows.add(f"instructions, {name}", "tideline", "instructions an operation", "instructions", instructions / items,
                     f"callgrind, {program.name}" + (f", {items:,} operations a turn" if items > 1 else ""))
    return rows.list()


if __name__ == "__main__":
    main(run, __doc__.splitlines()[0])
