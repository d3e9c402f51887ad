"""What the steps of the package tests share: the booted machine with its agent and hub, and a serial line into it."""
import fcntl
import json
import os
import shutil
import struct

import machine  # noqa: F401: leads to the harness
from harness import Producer, check, wait_until

AGENT, HUB = "tideline.service", "tideline-hub.service"
STATE = "/var/lib/tideline"
CONFIG = "/etc/tideline/agent.toml"
UNLOCK_TERMINAL, NUMBER_OF_TERMINAL = 0x40045431, 0x80045430  # ioctl_tty(2); Python has no names for them


class World:
    """What the steps share: the booted machine, the packages, the producer with its receipts."""

    def __init__(self, machine, packages, previous, directory):
        self.machine = machine
        self.packages = packages
        self.previous = previous
        os.symlink(machine.path(STATE), directory / "state")  # a socket's path has room for 107 bytes
        self.state = directory / "state"
        self.producer = Producer(self)
        self.seen_versions = []

    def apt(self, *words, options=()):
        return self.machine.run("apt-get", "-y", "-q", *(w for o in options for w in ("-o", f"Dpkg::Options::={o}")), *words, seconds=300)

    def install(self, packages, options=()):
        for package in packages:
            shutil.copy(package, self.machine.path("/var/cache"))
        return self.apt("install", *(f"/var/cache/{p.name}" for p in packages), options=options)

    def hub_query(self, *words):
        return json.loads(self.machine.run("tideline-hub", "query", "--json", "--limit", "100000", *words))

    def status(self):
        return json.loads(self.machine.run("tideline", "status", "--json"))

    def pid(self):
        return self.machine.show(AGENT, "MainPID")

    def wait_active(self, seconds=30):
        wait_until(lambda: self.machine.show(AGENT, "ActiveState") == "active", seconds, "the agent to be active")

    def edit(self, old, new):
        text = self.machine.path(CONFIG).read_text()
        check(old in text, f"{CONFIG} has no '{old}'")
        self.machine.write(CONFIG, text.replace(old, new, 1))

    def held(self):
        """How many different values the agent still has of what the producer sent."""
        seen = set()
        for first in range(0, self.producer.next, 50_000):
            begin = self.producer.start_ns + first * self.producer.step_ns
            end = begin + 50_000 * self.producer.step_ns
            answer = json.loads(self.machine.run("tideline", "query", "--json", "--limit", "100000", "--series", self.producer.name, "--from", f"{begin / 1e9:.9f}",
                                                 "--to", f"{end / 1e9:.9f}"))
            seen.update(p["value"] for s in answer["series"] for p in s["points"])
        return seen

    def check_nothing_lost(self):
        held = self.held()
        missing = [i for first, last in self.producer.acknowledged for i in range(first, last) if i not in held]
        check(not missing, f"{len(missing)} acknowledged readings are gone, first {missing[:5]}")
        return f"{self.producer.acknowledged_count()} readings acknowledged, none missing"


class SerialLine:
    """A terminal inside the container whose other end is here: what an adapter is to the agent, group dialout included."""

    def __init__(self, machine):
        self.end = os.open(f"/proc/{machine.leader}/root/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        fcntl.ioctl(self.end, UNLOCK_TERMINAL, struct.pack("i", 0))
        number = struct.unpack("i", fcntl.ioctl(self.end, NUMBER_OF_TERMINAL, struct.pack("i", 0)))[0]
        self.path = f"/dev/pts/{number}"
        machine.run("chgrp", "dialout", self.path)
        machine.run("chmod", "660", self.path)
        self.held = os.open(f"/proc/{machine.leader}/root{self.path}", os.O_RDWR | os.O_NOCTTY)  # a terminal that nobody opens hangs up

    def say(self, line):
        os.write(self.end, line.encode())

    def close(self):
        os.close(self.held)
        os.close(self.end)
