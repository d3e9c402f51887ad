#!/usr/bin/env python3
"""From exec to ready: how long an agent takes until it tells its supervisor READY=1, and until agent.sock has answered a question.

    tests/bench/whole/start.py --build build/release [--repeats 15] [--readings 1000000]

First with a fresh state directory each time, then with one that holds that many readings not yet sent, stopped cleanly and killed.
"""
import argparse
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "system"))
from harness import Producer, Site, wait_until  # noqa: E402


def start_once(agent, kill):
    """(milliseconds to READY=1, to the answer of a status request)"""
    where = agent.site.directory / "notify"
    where.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(where))
        supervisor.settimeout(30)
        environment = dict(os.environ, NOTIFY_SOCKET=str(where))
        with open(agent.site.directory / "start.log", "ab") as log:
            start = time.perf_counter()
            child = subprocess.Popen([str(w) for w in agent.command("run")], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        while b"READY=1" not in supervisor.recv(4096):
            pass
        ready = time.perf_counter() - start
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(agent.state / "agent.sock"))
            connection.sendall(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
            connection.settimeout(30)
            connection.recv(65536)
        answered = time.perf_counter() - start
        child.kill() if kill else child.terminate()
        child.wait()
    return ready * 1000, answered * 1000


def show(name, rows):
    ready, answered = zip(*rows)
    print(f"{name:<34}{min(ready):>8.1f}{statistics.median(ready):>8.1f}{max(ready):>8.1f}{statistics.median(answered):>14.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--readings", type=int, default=1_000_000)
    options = parser.parse_args()
    with Site(options.build) as site:
        agent = site.agent("board", enroll=False, port=1)
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n{'milliseconds from exec':<34}{'READY=1, least':>8}{'median':>8}{'most':>8}{'first answer':>14}")
        rows = []
        for _ in range(options.repeats):
            shutil.rmtree(agent.state)
            agent.state.mkdir()
            rows.append(start_once(agent, kill=False))
        show("fresh state", rows)
        shutil.rmtree(agent.state)
        agent.state.mkdir()
        agent.start()
        producer = Producer(agent)
        producer.send(options.readings, batch=10_000)
        wait_until(lambda: agent.backlog() >= options.readings, 60, "the readings")
        agent.stop()
        show(f"{options.readings} readings kept", [start_once(agent, kill=False) for _ in range(options.repeats)])
        show("the same after kill -9", [start_once(agent, kill=True) for _ in range(options.repeats)])


main()
