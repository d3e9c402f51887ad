#!/usr/bin/env python3
"""make demo: the main job from nothing. Hub and agent on loopback, real readings of this machine, a producer that keeps its
receipts, two outages with the agent killed in the middle of each, and a proof by identity at the end.

usage: demo.py --build build/release [--quick] [--keep]
"""
import argparse
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import Failure, Producer, Site, check, wait_until  # noqa: E402

AGENT = """
[input.host]
type = "host"
interval = "1s"

[input.thermal]
type = "thermal"
interval = "2s"
"""

started = time.monotonic()


def say(text):
    print(f"[{time.monotonic() - started:6.1f} s] {text}", flush=True)


def show(text):
    print("\n".join("             " + line for line in text.rstrip().splitlines()), flush=True)


def outage(agent, producer, count, cut, restore, describe):
    say(f"outage: {describe}")
    cut()
    before = agent.backlog()
    say(f"producer sends {count:,} readings; the agent is killed with kill -9 in the middle")
    killer = threading.Timer(0.15, agent.process.child.kill)
    killer.start()
    sent = producer.send(count, batch=500)
    killer.join()
    agent.kill()
    say(f"killed after {sent:,} acknowledged readings of this round; starting it again, still without a hub")
    agent.start()
    producer.send(count - sent)
    backlog = agent.backlog()
    say(f"queue at the device: {before:,} -> {backlog:,} readings that no hub has confirmed to this process, on disk, synced")
    check(backlog > before, "the queue grew")
    restore()
    start = time.monotonic()
    agent.wait_synced(90)
    say(f"hub is back: queue empty {time.monotonic() - start:.1f} s later")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--quick", action="store_true", help="a tenth of the readings")
    parser.add_argument("--keep", action="store_true", help="leave the state directories")
    options = parser.parse_args()
    total = 20_000 if options.quick else 200_000
    with Site(options.build, options.keep) as site:
        say("hub: make a certificate authority and a database (tideline-hub init), serve on loopback")
        site.init_hub()
        site.start_hub()
        link = site.link()
        say("device pump-7: one-time token, enrol (key made on the device), run")
        agent = site.agent("pump-7", port=link.port, extra=AGENT, hub='keepalive = "5s"')
        agent.start()
        producer = Producer(agent)
        say(f"producer: {total // 2:,} readings through ingest.sock, each batch acknowledged after the sync")
        check(producer.send(total // 2) == total // 2, "all were acknowledged")
        agent.wait_synced()
        show(agent.run("status"))
        outage(agent, producer, total // 4, site.stop_hub, site.start_hub, "the hub is stopped cleanly")
        outage(agent, producer, total // 4, link.blackhole, link.heal, "the link swallows everything, without FIN or RST")
        say("proof: every acknowledged reading, by its number, at the hub")
        acknowledged, found, extra = producer.prove(site, "pump-7")
        say(f"acknowledged {acknowledged:,}; at the hub {found:,} ({extra:,} from batches whose answer was lost); missing 0, twice 0")
        say("this machine's own sensors, asked at the hub and at the edge")
        wait_until(lambda: site.hub_query("--device", "pump-7", "--series", "memory*", "--since", "1h")["series"], 20, "host readings at the hub")
        show(site.hub_run("query", "--device", "pump-7", "--series", "cpu*", "--since", "1h", "--aggregate", "mean", "--step", "10s"))
        show(agent.run("query", "--series", "load*", "--since", "1h", "--limit", "3"))
        show(site.hub_run("devices"))
        agent.stop()
        site.stop_hub()
        say("verify: every block at the hub is read back")
        show(site.hub_run("verify"))
    say("done: nothing lost, nothing twice")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"demo FAILED: {failure}", file=sys.stderr)
        sys.exit(1)
