#!/usr/bin/env python3
"""Thousands of devices at one hub: memory of a connection, ingest over all, time until all are synced after the hub was stopped or killed, and what
MCP calls take meanwhile.

The devices are fleet_sim: one process, each device with the agent's own HubLink (TLS, tickets, Uplink, backoff) over a store in memory; their
certificates are signed with the hub's authority beforehand. One real agent beside them answers calls. Hub and devices share the machine, so a
storm costs both ends' handshakes here.
"""
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time

from mcp_peers import QUIET, Failure, Rows, Site, check, cpu_seconds, driver, main, memory_kib, wait_until
from mcp_client import HubClient, serve_http

BLOCK_READINGS = 250
BLOCK_SERIES = 4
CONNECTING = 128
PATIENCE = 900


class Simulator:
    """fleet_sim, by its commands."""

    def __init__(self, context, identities, port, devices):
        words = [driver(context, "fleet_sim"), "run", identities, "--port", port, "--devices", devices, "--readings", BLOCK_READINGS, "--series", BLOCK_SERIES]
        self.log = open(identities.parent / "fleet_sim.log", "ab")
        self.child = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.devices = devices
        check(json.loads(self.child.stdout.readline())["ready"] == devices, "fleet_sim is ready")

    def do(self, command):
        self.child.stdin.write(command + "\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline()
        check(line, f"fleet_sim ended at '{command}'")
        answer = json.loads(line)
        check("error" not in answer, f"{command}: {answer}")
        return answer

    def wait(self, condition, what, since, seconds=PATIENCE):
        """Seconds from `since` (time.monotonic()) until `condition` of the status holds; the status then."""
        while True:
            status = self.do("status")
            if condition(status):
                return status["at"] - since, status
            check(time.monotonic() - since < seconds, f"waited {seconds} s for {what}: {status}")
            time.sleep(0.05 + self.devices / 20_000)

    def wait_online(self, since):
        return self.wait(lambda s: s["online"] == s["devices"], "all to be online", since)

    def wait_synced(self, since):
        return self.wait(lambda s: s["synced"] == s["devices"], "all to be synced", since)

    def quit(self):
        if self.child.poll() is None:
            self.child.stdin.write("quit\n")
            self.child.stdin.flush()
            try:
                self.child.wait(30)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self.log.close()


class Prober(threading.Thread):
    """Asks the hub all the time, one call after the other: `latest` of the fleet and a call to the one real device. Keeps the milliseconds of each
    answer that was asked for after the hub served again; a refused connection is a hub that is down, not a slow one."""

    def __init__(self, port, device):
        super().__init__(daemon=True)
        self.port, self.device = port, device
        self.latest, self.calls, self.failures = [], [], 0
        self.ending = threading.Event()

    def run(self):
        fleet = device = None
        while not self.ending.is_set():
            try:
                fleet = fleet or HubClient(self.port)
                device = device or HubClient(self.port, f"/mcp/device/{self.device}")
                self.ask(fleet, self.latest, "latest", devices=self.device, series="temp")
                self.ask(device, self.calls, "sync_status")
            except (OSError, ValueError, Failure):
                self.failures += 1
                fleet = device = None
            time.sleep(0.02)

    def ask(self, client, kept, tool, **arguments):
        begin = time.perf_counter()
        status, answer = client.post("tools/call", name=tool, arguments=arguments)
        took = (time.perf_counter() - begin) * 1e3
        if status != 200 or "result" not in answer or answer["result"].get("isError") or answer["result"].get("resultType", "complete") != "complete":
            raise Failure(f"{tool}: {status}")
        kept.append(took)

    def end(self):
        self.ending.set()
        self.join(70)


def percent(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))] if ordered else float("nan")


class Bench:
    def __init__(self, context, site, sizes):
        self.context, self.site, self.sizes = context, site, sizes
        self.identities = site.directory / "load"
        self.identities.mkdir()
        self.port = serve_http(site)
        site.init_hub()
        site.start_hub()
        self.probe = site.agent("probe", extra=QUIET)
        site.stop_hub()
        self.fingerprints = self.make_identities(max(sizes))
        self.template = site.directory / "hub-template"
        shutil.copytree(site.hub_state, self.template, ignore=shutil.ignore_patterns("*.sock"))

    def make_identities(self, count):
        """Two processes, because signing is what takes the time."""
        begin = time.monotonic()
        half = (count + 1) // 2
        makers = [subprocess.Popen([str(w) for w in (driver(self.context, "fleet_sim"), "identities", self.identities, "--ca", self.site.hub_state / "ca.crt",
                                                     "--ca-key", self.site.hub_state / "ca.key", "--first", first, "--count", many)], stdout=subprocess.PIPE, text=True)
                  for first, many in ((0, half), (half, count - half))]
        lines = "".join(maker.communicate(timeout=900)[0] for maker in makers).splitlines()
        check(len(lines) == count, f"{len(lines)} identities of {count}")
        self.context.log(f"{count} certificates in {time.monotonic() - begin:.1f} s")
        return [line.split() for line in sorted(lines)]

    def begin(self, devices):
        """A fresh hub that knows the probe and the first `devices` of the fleet, as if each had enrolled."""
        shutil.rmtree(self.site.hub_state)
        shutil.copytree(self.template, self.site.hub_state)
        shutil.rmtree(self.probe.state / "store", ignore_errors=True)
        with sqlite3.connect(self.site.hub_state / "hub.db") as database:
            now = time.time_ns()
            database.executemany("INSERT INTO device(name, certificate, enrolled_ns, revoked, last_seen_ns, agent_version) VALUES(?, ?, ?, 0, 0, '')",
                                 [(name, fingerprint, now) for name, fingerprint in self.fingerprints[:devices]])
        database.close()
        self.site.start_hub()
        self.probe.start()
        self.probe.run("record", "temp=21.5")
        self.wait_probe()

    def wait_probe(self):
        wait_until(lambda: self.probe_answers(), 60, "the probe to answer calls")

    def probe_answers(self):
        try:
            return not HubClient(self.port, "/mcp/device/probe").tool("sync_status").get("isError")
        except (OSError, Failure, ValueError):
            return False

    def end(self):
        self.probe.stop()
        self.site.stop_hub()

    def hub_pid(self):
        return self.site.hub_process.pid


def measure_connect(bench, rows, job, simulator):
    """None has a ticket yet: full handshakes with client certificates, as many at a time as the hub takes. Then what each connection holds."""
    pid = bench.hub_pid()
    before, cpu = memory_kib(pid), cpu_seconds(pid)
    began = simulator.do(f"connect {CONNECTING}")["at"]
    took, _ = simulator.wait_online(began)
    note = f"full mutual handshakes, {CONNECTING} devices on their way at a time, both ends on this machine"
    rows.add(job, "tideline", "first connect, all online", "s", took, note)
    rows.add(job, "tideline", "first connect", "devices/s", simulator.devices / took, note)
    rows.add(job, "tideline", "hub CPU a full handshake", "ms", (cpu_seconds(pid) - cpu) * 1e3 / simulator.devices, "session and database work included")
    time.sleep(2)
    rows.add(job, "tideline", "hub PSS a connection, idle", "KB", (memory_kib(pid) - before) * 1.024 / simulator.devices, "connected, no reading yet")


def measure_ingest(bench, rows, job, simulator, blocks):
    """Every device has `blocks` blocks more at the same moment; until the hub acknowledged them all."""
    pid = bench.hub_pid()
    before = simulator.do("status")
    cpu = cpu_seconds(pid)
    began = simulator.do(f"send {blocks}")["at"]
    took, after = simulator.wait_synced(began)
    readings = after["produced"] - before["produced"]
    note = f"{blocks} blocks of {BLOCK_READINGS} readings a device, synced at the hub"
    rows.add(job, "tideline", "ingest", "readings/s", readings / took, note)
    rows.add(job, "tideline", "hub CPU a million readings", "s", (cpu_seconds(pid) - cpu) * 1e6 / readings, note)
    rows.add(job, "tideline", "wire bytes a reading", "B", (after["sent_bytes"] - before["sent_bytes"]) / readings, "TLS included, up")


def measure_storm(bench, rows, job, simulator, way):
    """The hub is gone and started again at once; each device has one block more meanwhile."""
    site = bench.site
    gone = time.monotonic()
    if way == "SIGTERM":
        site.stop_hub()
    else:
        site.hub_process.kill()
    simulator.do("send 1")
    site.start_hub()
    started = time.monotonic()
    prober = Prober(bench.port, "probe")
    prober.start()
    note = f"from the hub's start; it was down {started - gone:.1f} s"
    online, _ = simulator.wait_online(started)
    synced, status = simulator.wait_synced(started)
    cpu = cpu_seconds(bench.hub_pid())
    prober.end()
    job = f"{job}, after {way}"
    rows.add(job, "tideline", "all online", "s", online, note)
    rows.add(job, "tideline", "all synced", "s", synced, note)
    rows.add(job, "tideline", "resumed", "%", 100 * status["resumed"] / status["devices"], "of the devices, by session ticket")
    rows.add(job, "tideline", "hub CPU until synced", "s", cpu, "of one core")
    rows.add(job, "tideline", "hub PSS after it", "MB", memory_kib(bench.hub_pid()) / 1024, "")
    for what, values in (("latest of the fleet", prober.latest), ("call to a device", prober.calls)):
        for share in (50, 99):
            rows.add(job, "tideline", f"{what}, p{share}", "ms", percent(values, share), f"until all were synced, one caller, {len(values)} calls")
    bench.context.log(f"{job}: online {online:.1f} s, synced {synced:.1f} s, resumed {status['resumed']}, hub CPU {cpu:.1f} s, "
                      f"latest p99 {percent(prober.latest, 99):.0f} ms of {len(prober.latest)}, {prober.failures} refused meanwhile")


def measure_size(bench, rows, devices):
    context = bench.context
    job = f"fleet of {devices:,} devices"
    bench.begin(devices)
    simulator = Simulator(context, bench.identities, bench.site.hub_port, devices)
    try:
        measure_connect(bench, rows, job, simulator)
        blocks = 2 if context.quick else max(4, 40_000 // devices)
        for _ in range(context.repeats):
            measure_ingest(bench, rows, job, simulator, blocks)
        for _ in range(context.repeats if devices <= 1000 else 1):
            for way in ("SIGTERM", "kill -9"):
                measure_storm(bench, rows, job, simulator, way)
    finally:
        simulator.quit()
    bench.end()


def run(context):
    # One descriptor a device in each of hub and fleet_sim; both raise their own limit as far as this one allows.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    asked = getattr(getattr(context, "options", None), "devices", None)
    sizes = [size for size in asked or ((500,) if context.quick else (1000, 5000, 10_000)) if size + 200 < most]
    rows = Rows()
    tempfile.tempdir = str(context.directory)
    with Site(context.programs) as site:
        bench = Bench(context, site, sizes)
        for devices in sizes:
            measure_size(bench, rows, devices)
    return rows.list()


if __name__ == "__main__":
    main(run, __doc__.splitlines()[0], lambda parser: parser.add_argument("--devices", type=int, nargs="+", help="other sizes of the fleet"))
