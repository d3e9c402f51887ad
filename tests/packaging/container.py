#!/usr/bin/env python3
"""The hub's container image: built, run as its Containerfile says, an agent enrolled and synced, the container replaced by another.

usage: container.py --build build/release [--image NAME]     needs root and podman; --image takes one that is built already
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

import machine  # noqa: F401: leads to the harness
from harness import ROOT, Agent, Failure, Producer, Site, check, run, wait_until

CONTAINERFILE = ROOT / "platform/container/Containerfile"
VOLUME = "tideline-container-test"


def podman(*words, code=0, seconds=300):
    # Its timers for health checks need a systemd that is running; here the check is asked for.
    got, out, error = run(["podman", *words], seconds, env={**os.environ, "DISABLE_HC_SYSTEMD": "true"})
    check(code is None or got == code, f"podman {' '.join(map(str, words))}: exit code {got}\n{out}{error}")
    return out.strip()


class Image:
    def __init__(self, name):
        self.name = name
        self.container = None

    def hub(self, *words):
        """A command beside the running hub."""
        return podman("exec", self.container, "tideline-hub", *words)

    def start(self):
        self.container = podman("run", "-d", *NETWORK, "-v", f"{VOLUME}:/var/lib/tideline-hub", self.name)
        wait_until(lambda: " serves on " in self.logs(), 30, f"the hub in the container to serve: {self.logs()}")

    def logs(self):
        _, out, error = run(["podman", "logs", self.container])
        return out + error

    def stop(self):
        if self.container:
            podman("stop", "-t", "30", self.container)
            code = podman("inspect", "-f", "{{.State.ExitCode}}", self.container)
            podman("rm", self.container)
            self.container = None
            check(code == "0", f"the container ended with code {code}")


# The test itself runs in a network of its own, and its containers share that: the ports are nobody else's.
# Podman would ask for higher limits than some machines allow.
NETWORK = ["--network", "host", "--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"]


class HubQuery:
    def __init__(self, image):
        self.image = image

    def hub_query(self, *words):
        return json.loads(self.image.hub("query", "--json", "--limit", "100000", *words))


def prove(image, build):
    user = podman("inspect", "-f", "{{.Config.User}}", image.name)
    check(user == "tideline-hub", f"the image runs as '{user}'")
    size = int(podman("inspect", "-f", "{{.Size}}", image.name))
    podman("volume", "create", VOLUME)
    said = podman("run", "--rm", *NETWORK, "-v", f"{VOLUME}:/var/lib/tideline-hub", image.name, "init", "--name", "localhost", "127.0.0.1")
    fingerprint = re.search(r"\b([0-9a-f]{64})\b", said).group(1)
    image.start()
    check(podman("exec", image.container, "id", "-un") == "tideline-hub", "the hub runs as another user")
    podman("healthcheck", "run", image.container)
    with Site(build) as site:
        agent = Agent(site, "contained", 7443, "", "")
        site.agents.append(agent)
        token = re.search(r"--token[ =](\S+)", image.hub("token", "create", "--device", "contained")).group(1)
        agent.run("enroll", "127.0.0.1:7443", f"--token={token}", "--ca-fingerprint", fingerprint)
        agent.start()
        producer = Producer(agent)
        check(producer.send(5000) == 5000, "the agent did not take the readings")
        agent.wait_synced()
        image.stop()
        producer.send(5000)
        image.start()
        agent.wait_synced()
        acknowledged, found, _ = producer.prove(HubQuery(image), "contained")
        agent.stop()
    return f"{size / 1e6:.0f} MB with Debian's base; user {user}; healthy; after another container took over: acknowledged {acknowledged}, at the hub {found}, missing 0"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--image")
    options = parser.parse_args()
    start = time.monotonic()
    image = Image(options.image or "tideline-hub-test")
    try:
        if not options.image:
            podman("build", "--format", "docker", "-t", image.name, "-f", CONTAINERFILE, ROOT, seconds=3600)
            again = [sys.executable, __file__, "--build", options.build, "--image", image.name]
            return subprocess.run(["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *again], check=False).returncode
        print(f"ok      container image  {time.monotonic() - start:.1f} s: {prove(image, options.build)}")
    except (Failure, subprocess.SubprocessError, OSError) as error:
        if image.container:
            print(image.logs())
        print(f"FAILED  container image  {time.monotonic() - start:.1f} s: {error}")
        return 1
    finally:
        if image.container:
            run(["podman", "rm", "-f", image.container])
        run(["podman", "volume", "rm", "-f", VOLUME])
    return 0


if __name__ == "__main__":
    sys.exit(main())
