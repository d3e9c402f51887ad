#!/usr/bin/env python3
"""What one bad device costs the others: latency of lists and calls at the hub's MCP endpoint, with all devices well, and again while one
device has stopped reading its socket (with calls waiting for it) and another floods the hub with readings.

usage: fleet_stall.py --build build/release [--devices 200] [--seconds 10]

Prints medians and 99th percentiles in milliseconds of both runs and their ratio. Real agents, real TLS, one hub, one machine.
"""
import argparse
import multiprocessing
import os
import pathlib
import signal
import statistics
import sys
import threading
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "system"))
from harness import Producer, Site, check, wait_until  # noqa: E402
from mcp_client import HubClient, serve_http  # noqa: E402

QUIET = "".join(f'[input.{name}]\ntype = "{name}"\nenabled = false\n\n' for name in ("host", "hwmon", "thermal"))


def measure(port, names, seconds):
    """Latencies in ms of tools/list at the fleet, and of a call to one device after the other."""
    fleet = HubClient(port)
    devices = [HubClient(port, f"/mcp/device/{name}") for name in names]
    lists, calls = [], []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for device in devices:
            begin = time.perf_counter()
            check(not device.tool("sync_status").get("isError"), f"{device.path} answers")
            calls.append((time.perf_counter() - begin) * 1e3)
            begin = time.perf_counter()
            fleet.result("tools/list")
            lists.append((time.perf_counter() - begin) * 1e3)
            if time.monotonic() >= until:
                break
    return lists, calls


def shown(values):
    ordered = sorted(values)
    return f"median {statistics.median(ordered):7.2f}   p99 {ordered[int(len(ordered) * 0.99)]:7.2f}   of {len(ordered)}"


def keep_asking(port, name, stop):
    """One caller of the stalled device: waits for its answer, as a client does."""
    client = HubClient(port, f"/mcp/device/{name}")
    client.connection.timeout = 3
    while not stop.is_set():
        try:
            client.post("tools/call", name="sync_status", arguments={})
        except OSError:
            client.connection.close()
        time.sleep(0.01)


def trouble(port, stalled, producer, flooding, stop):
    """Runs in a process of its own, so that the client that measures is not held up by it."""
    os.nice(5)
    callers = [threading.Thread(target=keep_asking, args=(port, stalled, stop), daemon=True) for _ in range(40)]
    for caller in callers:
        caller.start()
    while not stop.is_set():
        producer.send(100_000, batch=20_000)
        flooding.value = producer.acknowledged_count()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    with Site(options.build) as site:
        port = serve_http(site)
        site.init_hub()
        site.start_hub()
        names = [f"d-{i:03}" for i in range(options.devices)]
        agents = [site.agent(name, extra=QUIET) for name in names]
        for agent in agents:
            agent.start(ready=False)
        wait_until(lambda: sum(d["online"] for d in site.hub_devices()) == options.devices, 120, "all devices to be online")
        wait_until(lambda: len(HubClient(port).tools()) > 5, 30, "the catalog")
        good = names[2:]
        print(f"{options.devices} devices online", flush=True)
        before = measure(port, good, options.seconds)
        os.kill(agents[0].process.pid, signal.SIGSTOP)
        stop = multiprocessing.Event()
        flooding = multiprocessing.Value("q", 0)
        bad = multiprocessing.Process(target=trouble, args=(port, names[0], Producer(agents[1]), flooding, stop), daemon=True)
        bad.start()
        time.sleep(1)
        after = measure(port, good, options.seconds)
        stop.set()
        os.kill(agents[0].process.pid, signal.SIGCONT)
        bad.join(60)
        for what, one, two in (("tools/list", before[0], after[0]), ("tools/call", before[1], after[1])):
            print(f"{what}  all well      {shown(one)}")
            print(f"{what}  one stalled, one flooding ({flooding.value:,} readings)  {shown(two)}   ratio of medians {statistics.median(two) / statistics.median(one):.2f}")


if __name__ == "__main__":
    main()
