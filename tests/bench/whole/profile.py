#!/usr/bin/env python3
"""Where the time goes, per reading and per call: perf's samples of the running processes, put together by part.

A sample in the kernel belongs to the reason for which the kernel was entered, one in user space to the library or to the part of ours whose
function it hit. Samples are of processor time: waiting costs none. The agent is that of the release build, whose functions can be told
apart; the one that is measured elsewhere is linked as a whole.
"""
import collections
import pathlib
import re
import shutil
import subprocess
import time

from edge import batches, drain, send, site_with_agent
from hub_http import ASKED, Bench, arrivals, load
from mcp_peers import Site, cpu_seconds, main

KERNEL = (
    ("kernel: sync to the disk", r"fdatasync|fsync|sys_sync"),
    ("kernel: sockets", r"sock_|tcp_|unix_stream|sys_sendto|sys_recvfrom|sys_sendmsg|sys_recvmsg|net_rx"),
    ("kernel: files", r"ext4_|vfs_|sys_pwrite|sys_pread|sys_ftruncate|sys_fallocate|sys_openat|sys_unlink|sys_write|sys_read"),
    ("kernel: waiting and waking", r"futex|epoll|schedule|sys_poll|eventfd"),
    ("kernel: memory", r"page_fault|mmap|munmap|madvise|sys_brk"),
)
LIBRARIES = (("TLS and hashes", r"libmbed|libcrypto|libssl"), ("SQLite", r"libsqlite"), ("event loop", r"libuv"))
COMMON = (
    ("copying and comparing", r"^_*mem(cpy|move|cmp|chr|set)|^_*str(len|chr|cmp)"),
    ("allocating", r"malloc|^_*(libc_)?c?free$|_int_free|realloc|operator new|operator delete|unlink_chunk|calloc"),
)
OURS = (
    ("lines: parsing", r"LineParser|LineSplitter|LineIntake|IngestSession|read_number|take_digits|from_chars|find_unescaped"),
    ("lines: collecting", r"Collector|ReadingBatch|LatestReadings|ReportFilter|SeriesRules"),
    ("blocks", r"block::|Grouper|BlockBuilder"),
    ("link", r"link::|Uplink|DeviceLink|net::"),
    ("HTTP", r"beast|http::|Http"),
    ("MCP and JSON", r"mcp::|json::|Gateway|Router|Fleet|Mcp|Relay|Conversation|Builtin|LocalSession|Table::|format_|cJSON"),
    ("TLS and hashes", r"tls::"),
    ("store", r"[Oo]utbox|Store|Segment|Ring|Archive|Records|sqlite::|crc"),
    ("event loop", r"uv::"),
)


def part_of(frames):
    """`frames` are (function, library) from the innermost outwards."""
    function, library = frames[0]
    if "kernel" in library or library.startswith("[") and library != "[vdso]":
        stack = " ".join(f for f, one in frames if "kernel" in one)
        return next((name for name, pattern in KERNEL if re.search(pattern, stack)), "kernel: other")
    for name, pattern in LIBRARIES:
        if re.search(pattern, library):
            return name
    for name, pattern in COMMON:
        if re.search(pattern, function):
            return name
    other = "other of ours" if "tideline" in library else "C and C++ library"
    return next((name for name, pattern in OURS if re.search(pattern, function)), other)


def parts(data):
    """Samples by part, from perf's file."""
    out = subprocess.run(["perf", "script", "-i", data, "-F", "ip,sym,dso"], capture_output=True, text=True, check=True).stdout
    counted = collections.Counter()
    for sample in out.split("\n\n"):
        frames = [(m.group(1), pathlib.Path(m.group(2)).name if "[" not in m.group(2) else m.group(2))
                  for m in re.finditer(r"^\s*[0-9a-f]+ (.+) \((.+)\)$", sample, re.M)]
        if frames:
            counted[part_of(frames)] += 1
    return counted


class Profile:
    """Samples a process inside a with block."""

    def __init__(self, context, pid):
        self.data, self.pid = pathlib.Path(context.directory) / f"{pid}.perf", pid

    def __enter__(self):
        self.perf = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "1999", "-g", "-o", self.data, "-p", str(self.pid)], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        self.begin = cpu_seconds(self.pid)
        return self

    def __exit__(self, *error):
        self.cpu = cpu_seconds(self.pid) - self.begin
        self.perf.terminate()
        self.perf.wait(30)

    def rows(self, job, unit, count, note):
        counted = parts(self.data)
        total = sum(counted.values())
        scale = self.cpu / count * {"ns a reading": 1e9, "us a call": 1e6}[unit]
        return [{"job": job, "subject": "tideline", "metric": name, "unit": unit, "values": [scale * samples / total], "note": f"{100 * samples / total:.0f} %", "profile": note}
                for name, samples in counted.most_common() if samples >= total / 100]


def of_readings(context):
    total = context.size(10_000_000, 1_000_000)
    prepared = batches(1000, total)
    site, agent = site_with_agent(context, build=context.build)
    with site:
        with Profile(context, agent.process.pid) as profile:
            send(agent, prepared, total, 1000)
        rows = profile.rows("profile: ingest, the agent", "ns a reading", total, "1,000 a #sync")
        with Profile(context, agent.process.pid) as profile:
            drain(site, agent, total, False)
        rows += profile.rows("profile: drain, the agent", "ns a reading", total, "")
    site, agent = site_with_agent(context, build=context.build)
    with site:
        site.start_hub()
        agent.process.wait_for("link up", 60)
        with Profile(context, site.hub_process.pid) as profile:
            send(agent, prepared, total, 1000)
            agent.wait_synced()
        rows += profile.rows("profile: intake, the hub", "ns a reading", total, "readings came as they were taken")
    return rows


def of_calls(context):
    with Site(context.build) as site:
        bench = Bench(context, site, 8, day=False)
        rows = []
        for job, request, paths in (("profile: latest of the fleet, the hub", bench.request("latest", "latest", ASKED), ["/mcp"]),
                                    ("profile: call to a device, the hub", bench.request("device", "latest", {"series": "temp"}), bench.paths())):
            with arrivals(bench.agents[-1]), Profile(context, site.hub_process.pid) as profile:
                seen = load(request, site.hub_process.pid, bench.port, 64, context.seconds, paths=paths)
            rows += profile.rows(job, "us a call", seen["calls"], "64 connections in the clear, key and audit on")
        return rows


def run(context):
    if context.quick or not context.wants("profile"):
        return []
    if shutil.which("perf") is None or shutil.which("wrk") is None:
        raise RuntimeError("perf or wrk not installed")
    return of_readings(context) + of_calls(context)


if __name__ == "__main__":
    main(run, __doc__.splitlines()[0])
