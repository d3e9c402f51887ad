#!/usr/bin/env python3
"""make bench: all whole-program jobs and micro benchmarks, ours, the peers' and the limits', in one run; writes RESULTS.md.

usage: run.py --build build/release [--agent build/bench] [--quick] [--only NAME ...] [--out tests/bench/RESULTS.md]

--agent: where the agent lies that is measured, as packages for boards have it; the profile takes that of --build, which has its symbols.
--quick takes a tenth of the readings, one repeat, a small fleet and no profile, and leaves RESULTS.md alone. --only runs the jobs whose
names begin so.
"""
import argparse
import importlib
import json
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "whole"), str(HERE.parent / "system")]
import report  # noqa: E402

MODULES = ("limits", "edge", "mcp_stdio", "hub_http", "fleet", "profile", "peer_rsyslog", "peer_mosquitto", "peer_nats", "micro", "instructions")


class Context:
    def __init__(self, options, directory):
        self.build = pathlib.Path(options.build).resolve()
        self.programs = directory / "programs"
        self.programs.mkdir()
        (self.programs / "tideline").symlink_to(pathlib.Path(options.agent or options.build).resolve() / "tideline")
        (self.programs / "tideline-hub").symlink_to(self.build / "tideline-hub")
        self.quick = options.quick
        self.repeats = 1 if options.quick else options.repeats
        self.seconds = 1 if options.quick else 2
        self.directory = directory
        self.only = options.only
        self.started = time.monotonic()

    def size(self, whole, quick):
        return quick if self.quick else whole

    def wants(self, name):
        return not self.only or any(name.startswith(one) or one.startswith(name) for one in self.only)

    def log(self, text):
        print(f"[{time.monotonic() - self.started:7.1f} s] {text}", flush=True)


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8") if line.startswith("model name")), platform.machine())
    cores = subprocess.run(["nproc"], capture_output=True, text=True, check=True).stdout.strip()
    load = open("/proc/loadavg", encoding="utf-8").read().split()[0]
    compiler = subprocess.run(["c++", "--version"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    libraries = [f"{name} {subprocess.run(['pkg-config', '--modversion', package], capture_output=True, text=True, check=False).stdout.strip()}"
                 for name, package in (("SQLite", "sqlite3"), ("libuv", "libuv"), ("OpenSSL", "openssl"))]
    peers = [subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n")[0][:40]
             for command in (["rsyslogd", "-v"], ["nats-server", "-v"], ["node", "-v"]) if shutil.which(command[0])]
    return {"versions": "; ".join([compiler, *libraries, *peers]) + ".", "processor": model, "cores": cores, "kernel": platform.release().split("-")[0], "load": load, "date": time.strftime("%Y-%m-%d")}


def keep(context, options, result):
    result["machine"]["took"] = round(time.monotonic() - context.started)
    result["machine"]["load_after"] = open("/proc/loadavg", encoding="utf-8").read().split()[0]
    (context.build / "bench.json").write_text(json.dumps(result, indent=1))
    if not options.quick and not options.only:
        report.write(result, options.out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--agent")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "RESULTS.md")
    options = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="tideline-bench-"))
    context = Context(options, directory)
    rows, missing, about = [], [], machine()
    result = {"machine": about, "rows": rows, "missing": missing, "quick": options.quick}
    try:
        for name in MODULES:
            if not context.wants(name) and not any(one.startswith(name) for one in options.only):
                continue
            try:
                rows += importlib.import_module(name).run(context)
            except Exception as error:  # one job that cannot run must not cost the others
                traceback.print_exc()
                missing.append(f"{name}: {error}")
            keep(context, options, result)  # what there is survives an interrupt
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print(report.table(result))
    if not options.quick and not options.only:
        print(f"written: {options.out}")
    if missing:
        print("not run: " + "; ".join(missing))
    return 1 if any(not m.endswith("not installed") for m in missing) else 0


if __name__ == "__main__":
    sys.exit(main())
