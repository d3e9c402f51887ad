#!/usr/bin/env python3
"""How soon a change of the context reaches who subscribed at the other end: idle, and while a backlog of readings drains.

usage: context.py --build build/release [--readings 10000000] [--rounds 100]

Down: a client writes at the hub's fleet endpoint, a client on the device's stdio hears. Up: a client on the device's stdio writes, a client of
the fleet's endpoint hears. Milliseconds from before the call to after the notice; both clients are this program. Real agent, real TLS, loopback.
"""
import argparse
import json
import pathlib
import queue
import random
import socket
import statistics
import sys
import threading
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "system"))
from harness import Site, check, wait_until  # noqa: E402
from mcp_client import VERSION, HubClient, serve_http  # noqa: E402
from mcp_stdio import ENVELOPE, Stdio  # noqa: E402

QUIET = "".join(f'[input.{name}]\ntype = "{name}"\nenabled = false\n\n' for name in ("host", "hwmon", "thermal"))


def record(agent, count, batch=20_000):
    """Noise in full precision: eight bytes a reading, so that the backlog is long on the wire too."""
    noise = random.Random(1)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(agent.state / "ingest.sock"))
        answers = connection.makefile("r")
        for first in range(0, count, batch):
            size = min(batch, count - first)
            lines = "".join(f"noise v={noise.random()} {1_700_000_000_000_000_000 + i * 1_000_000}\n" for i in range(first, first + size))
            connection.sendall((lines + "#sync\n").encode())
            check(json.loads(answers.readline())["accepted"] == size, "the readings are accepted")


class Backlog:
    """Looks at what is left, beside the measurement."""

    def __init__(self, agent):
        self.agent = agent
        self.left = agent.backlog()
        self.first = self.left
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self):
        while self.left > 0:
            time.sleep(0.2)
            self.left = self.agent.backlog()


class EdgeApp:
    """An AI application on the device: writes, and hears of one resource."""

    def __init__(self, agent, uri):
        self.app = Stdio(agent)
        self.app.send({"jsonrpc": "2.0", "id": "L", "method": "subscriptions/listen", "params": {"_meta": ENVELOPE, "notifications": {"resourceSubscriptions": [uri]}}})
        self.app.notification("notifications/subscriptions/acknowledged")

    def hear(self, seconds):
        """Waits for the notice; the time when it was read."""
        self.app.notification("notifications/resources/updated", seconds)
        return time.perf_counter()

    def write(self, value):
        self.app.tool("context_set", path="up", value=value)

    def close(self):
        self.app.__exit__(None, None, None)


class HubListener:
    def __init__(self, port, uri):
        self.heard = queue.Queue()
        self.ready = threading.Event()
        threading.Thread(target=self._listen, args=(HubClient(port), uri), daemon=True).start()
        check(self.ready.wait(20), "the listen to be granted")

    def _listen(self, client, uri):
        meta = {"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {}}
        body = json.dumps({"jsonrpc": "2.0", "id": "L", "method": "subscriptions/listen", "params": {"notifications": {"resourceSubscriptions": [uri]}, "_meta": meta}})
        client.connection.request("POST", client.path, body, {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                                                             "MCP-Protocol-Version": VERSION, "Mcp-Method": "subscriptions/listen"})
        try:
            for line in client.connection.getresponse():
                if b"subscriptions/acknowledged" in line:
                    self.ready.set()
                elif b"resources/updated" in line:
                    self.heard.put(time.perf_counter())
        except OSError:
            pass


def measure(hub, listener, edge, rounds, goes_on):
    """Milliseconds down and up, until `rounds` are done or `goes_on()` is false."""
    down, up = [], []
    for i in range(rounds):
        if not goes_on():
            break
        begin = time.perf_counter()
        check(not hub.tool("context_set", device="edge-1", path="down", value=i).get("isError"), "the hub writes")
        down.append((edge.hear(60) - begin) * 1e3)
        begin = time.perf_counter()
        edge.write(i)
        up.append((listener.heard.get(timeout=60) - begin) * 1e3)
        time.sleep(0.02)
    return down, up


def report(title, down, up):
    for name, values in (("down", down), ("up", up)):
        if len(values) > 1:
            ordered = sorted(values)
            print(f"{title:28} {name:4} n={len(values):4} median {statistics.median(values):7.1f} ms  95% {ordered[int(0.95 * (len(values) - 1))]:7.1f}  most {ordered[-1]:7.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--readings", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    with Site(options.build) as site:
        port = serve_http(site)
        site.init_hub()
        site.start_hub()
        agent = site.agent("edge-1", extra=QUIET)
        agent.start()
        wait_until(lambda: site.hub_devices()[0]["online"], 30, "the device to be online")
        edge = EdgeApp(agent, "tideline://context/down")
        listener = HubListener(port, "tideline://fleet/devices/edge-1/context/up")
        report("idle", *measure(HubClient(port), listener, edge, options.rounds, lambda: True))
        site.stop_hub()
        begin = time.monotonic()
        record(agent, options.readings)
        print(f"{options.readings:,} readings recorded in {time.monotonic() - begin:.0f} s", flush=True)
        site.start_hub()
        listener = HubListener(port, "tideline://fleet/devices/edge-1/context/up")
        wait_until(lambda: site.hub_devices()[0]["online"], 60, "the device to be online again")
        backlog = Backlog(agent)
        check(backlog.left > 0, "a backlog drains")
        begin = time.monotonic()
        down, up = measure(HubClient(port), listener, edge, 100_000, lambda: backlog.left > 0)
        took = time.monotonic() - begin
        report(f"{backlog.first:,} draining", down, up)
        print(f"drained in about {took:.1f} s, {backlog.first / took:,.0f} readings a second", flush=True)
        edge.close()


if __name__ == "__main__":
    main()
