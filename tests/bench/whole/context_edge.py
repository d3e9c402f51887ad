#!/usr/bin/env python3
"""The context of a device with 10,000 entries: what a get and a durable set cost over agent.sock, memory, database, restart.

usage: context_edge.py --build build/release [--entries 10000]

One program, one connection; a set is answered when it is on the disk. Values of about 45 bytes.
"""
import argparse
import json
import pathlib
import socket
import statistics
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "system"))
from harness import Site, check, pss_kib  # noqa: E402

QUIET = "".join(f'[input.{name}]\ntype = "{name}"\nenabled = false\n\n' for name in ("host", "hwmon", "thermal"))


class Client:
    def __init__(self, agent):
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(str(agent.state / "agent.sock"))
        self.lines = self.connection.makefile("rb")

    @staticmethod
    def line(method, **params):
        return (json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tideline/context_" + method, "params": params}) + "\n").encode()

    def ask(self, line):
        """Microseconds."""
        start = time.perf_counter()
        self.connection.sendall(line)
        answer = self.lines.readline()
        took = (time.perf_counter() - start) * 1e6
        check(b'"result"' in answer, answer)
        return took


def path_at(i):
    return f"plant/pump/{i}/setpoint"


def value_at(i, n=0):
    return {"bar": i + 0.25, "unit": "bar", "by": f"rule {n}"}


def show(what, times):
    times = sorted(times)
    print(f"{what:44} median {statistics.median(times):9.0f} us   95 % {times[int(len(times) * 0.95)]:9.0f} us   most {times[-1]:9.0f} us", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--entries", type=int, default=10_000)
    options = parser.parse_args()
    with Site(options.build) as site:
        agent = site.agent("pump-7", port=9, extra=QUIET, enroll=False)
        agent.start()
        empty = pss_kib(agent.process.pid)
        client = Client(agent)
        start = time.perf_counter()
        for first in range(0, options.entries, 50):
            last = min(first + 50, options.entries)
            client.connection.sendall(b"".join(client.line("set", path=path_at(i), value=value_at(i)) for i in range(first, last)))
            for _ in range(first, last):
                check(b'"result"' in client.lines.readline(), "set")
        print(f"{options.entries} sets, 50 under way: {options.entries / (time.perf_counter() - start):.0f} a second, all durable", flush=True)
        show("get over agent.sock", [client.ask(client.line("get", path=path_at(i * 7919 % options.entries))) for i in range(5000)])
        show("set, durable, one at a time", [client.ask(client.line("set", path=path_at(i * 7919 % options.entries), value=value_at(i, 1))) for i in range(500)])
        full = pss_kib(agent.process.pid)
        client.connection.close()
        agent.stop()
        size = sum(one.stat().st_size for one in agent.state.glob("context.db*"))
        start = time.perf_counter()
        agent.start()
        took = time.perf_counter() - start
        again = pss_kib(agent.process.pid)
        print(f"PSS: {empty} KiB empty, {full} KiB after all this, {again} KiB after a restart; context.db {size / 1024:.0f} KiB; start {took:.2f} s", flush=True)
        agent.stop()


if __name__ == "__main__":
    main()
