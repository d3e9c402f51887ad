"""Real processes for the system tests and the demo: a hub, agents, a link that can be cut, a producer that keeps its receipts.

Everything runs in one temporary directory, on loopback, on ports the kernel chose, and is stopped by process id.
"""
import contextlib
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Failure(Exception):
    """A check that did not hold; the text says what was expected and what was seen."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def wait_until(condition, seconds, what):
    """Polls `condition` until it is true or the deadline passes; returns its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"waited {seconds} s for {what}")
        time.sleep(0.05)


class Process:
    """A child with its stdout and stderr in files, so that it never blocks on a pipe."""

    def __init__(self, arguments, directory, name, env=None):
        self.name = name
        self.log_path = pathlib.Path(directory) / f"{name}.log"
        self.log = open(self.log_path, "ab")
        self.start_offset = self.log_path.stat().st_size
        self.child = subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=env)

    @property
    def pid(self):
        return self.child.pid

    def text(self):
        with open(self.log_path, "rb") as file:
            file.seek(self.start_offset)
            return file.read().decode(errors="replace")

    def alive(self):
        return self.child.poll() is None

    def wait_for(self, pattern, seconds=15):
        """Waits for a line that matches; returns the match."""
        def found():
            match = re.search(pattern, self.text())
            if match is None and not self.alive():
                raise Failure(f"{self.name} ended with code {self.child.returncode} before '{pattern}':\n{self.text()[-2000:]}")
            return match
        return wait_until(found, seconds, f"'{pattern}' from {self.name}")

    def stop(self, seconds=20):
        if self.alive():
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
                raise Failure(f"{self.name} did not stop within {seconds} s of SIGTERM")
        self.log.close()
        return self.child.returncode

    def kill(self):
        """As kill -9."""
        if self.alive():
            self.child.kill()
        self.child.wait()
        self.log.close()


def run(arguments, seconds=60, stdin=None, env=None):
    """Runs to the end; returns (code, stdout, stderr)."""
    done = subprocess.run([str(a) for a in arguments], input=stdin, capture_output=True, timeout=seconds, env=env, check=False,
                          **({"text": True} if not isinstance(stdin, bytes) else {}))
    decode = (lambda b: b.decode(errors="replace")) if isinstance(done.stdout, bytes) else (lambda s: s)
    return done.returncode, decode(done.stdout), decode(done.stderr)


class Link:
    """A TCP relay between agent and hub that can be cut the hard way: blackhole() forwards nothing and closes nothing."""

    def __init__(self, target):
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.pairs = {}
        self.holding = False
        self.running = True
        self.lock = threading.Lock()
        self.bytes = 0
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def blackhole(self):
        with self.lock:
            self.holding = True

    def heal(self):
        """New connections pass again; those that were open during the blackhole stay dead, as after a router reboot."""
        with self.lock:
            self.holding = False
            for one in list(self.pairs):
                self._drop(one)

    def reset(self):
        with self.lock:
            for one in list(self.pairs):
                self._drop(one)

    def close(self):
        self.running = False
        self.thread.join(2)
        self.listener.close()
        with self.lock:
            for one in list(self.pairs):
                self._drop(one)

    def seen(self, one, data):
        """For those who read along: what `one` (of the agent or of the hub) has just said."""

    def _drop(self, one):
        other = self.pairs.pop(one, None)
        if other is not None:
            self.pairs.pop(other, None)
            other.close()
        one.close()

    def _serve(self):
        while self.running:
            with self.lock:
                watched = [] if self.holding else list(self.pairs)
            try:
                ready, _, _ = select.select([self.listener] + watched, [], [], 0.05)
            except (OSError, ValueError):
                continue
            for one in ready:
                if one is self.listener:
                    self._accept()
                else:
                    self._forward(one)

    def _accept(self):
        incoming, _ = self.listener.accept()
        with self.lock:
            if self.holding:
                self.pairs[incoming] = socket.socket()  # held open, answered by nobody
                return
        try:
            outgoing = socket.create_connection(self.target, timeout=2)
        except OSError:
            incoming.close()
            return
        outgoing.settimeout(None)
        with self.lock:
            self.pairs[incoming] = outgoing
            self.pairs[outgoing] = incoming

    def _forward(self, one):
        with self.lock:
            other = self.pairs.get(one)
            if self.holding or other is None:
                return
            try:
                data = one.recv(65536)
                if data:
                    other.sendall(data)
                    self.bytes += len(data)
                    self.seen(one, data)
                    return
            except OSError:
                pass
            self._drop(one)


class Site:
    """One hub and its agents in one temporary directory. Use as a context manager."""

    def __init__(self, build, keep=False):
        self.build = pathlib.Path(build).resolve()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tideline-"))
        self.keep = keep
        self.hub_state = self.directory / "hub"
        self.hub_process = None
        self.hub_port = 0
        self.hub_extra = ""  # more sections of hub.toml
        self.agents = []
        self.links = []

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for agent in self.agents:
            with contextlib.suppress(Exception):
                agent.process and agent.process.kill()
        if self.hub_process:
            with contextlib.suppress(Exception):
                self.hub_process.kill()
        for link in self.links:
            link.close()
        if kind is not None:
            self.print_logs()
        if not self.keep:
            shutil.rmtree(self.directory, ignore_errors=True)

    def print_logs(self, lines=25):
        for path in sorted(self.directory.glob("*.log")):
            tail = path.read_text(errors="replace").splitlines()[-lines:]
            print(f"-- last lines of {path.name}")
            print("\n".join("   " + line for line in tail), flush=True)

    def hub_command(self, *words):
        return [self.build / "tideline-hub", *words, "--state", self.hub_state]

    def hub_run(self, *words, code=0, seconds=120):
        got, out, error = run(self.hub_command(*words), seconds)
        check(got == code, f"tideline-hub {' '.join(map(str, words))}: exit code {got}, expected {code}\n{out}{error}")
        return out

    def init_hub(self):
        out = self.hub_run("init", "--name", "localhost", "127.0.0.1")
        self.fingerprint = re.search(r"\b([0-9a-f]{64})\b", out).group(1)
        config = self.directory / "hub.toml"
        config.write_text(f'[hub]\nlisten = "127.0.0.1:{self.hub_port}"\n')

    def start_hub(self):
        (self.directory / "hub.toml").write_text(f'[hub]\nlisten = "127.0.0.1:{self.hub_port}"\n\n{self.hub_extra}')
        self.hub_process = Process(self.hub_command("serve", "--config", self.directory / "hub.toml"), self.directory, "hub")
        match = self.hub_process.wait_for(r"127\.0\.0\.1:(\d+)")
        self.hub_port = int(match.group(1))
        return self.hub_process

    def stop_hub(self):
        code = self.hub_process.stop()
        check(code == 0, f"hub ended with code {code} after SIGTERM")

    def link(self):
        link = Link(("127.0.0.1", self.hub_port))
        self.links.append(link)
        return link

    def agent(self, name, port=None, extra="", hub="", enroll=True):
        """`hub` is more lines of the [hub] section, `extra` more sections."""
        agent = Agent(self, name, port or self.hub_port, extra, hub)
        self.agents.append(agent)
        if enroll:
            agent.enroll()
        return agent

    def hub_query(self, *words, limit=100000):
        return json.loads(self.hub_run("query", "--json", "--limit", limit, *words))

    def hub_devices(self):
        return json.loads(self.hub_run("devices", "--json"))["devices"]


class Agent:
    def __init__(self, site, name, port, extra, hub):
        self.site = site
        self.name = name
        self.state = site.directory / name
        self.state.mkdir(exist_ok=True)
        self.config = site.directory / f"{name}.toml"
        self.port = port
        self.extra = extra
        self.hub = hub
        self.process = None
        self.write_config()

    def write_config(self):
        self.config.write_text(f'[device]\nid = "{self.name}"\n\n[hub]\naddress = "127.0.0.1:{self.port}"\n{self.hub}\n\n{self.extra}\n')

    def command(self, *words):
        return [self.site.build / "tideline", *words, "--config", self.config, "--state", self.state]

    def run(self, *words, code=0, seconds=60, stdin=None):
        got, out, error = run(self.command(*words), seconds, stdin)
        check(got == code, f"tideline {' '.join(map(str, words))}: exit code {got}, expected {code}\n{out}{error}")
        return out

    def enroll(self):
        out = self.site.hub_run("token", "create", "--device", self.name)
        self.token = re.search(r"--token[ =](\S+)", out).group(1)
        self.run("enroll", f"127.0.0.1:{self.site.hub_port}", "--token", self.token, "--ca-fingerprint", self.site.fingerprint)

    def start(self, ready=True, env=None):
        self.process = Process(self.command("run"), self.site.directory, self.name, env)
        if ready:
            wait_until(lambda: (self.process.alive() or self._ended()) and self.answers(), 15, f"{self.name} to answer")
        return self.process

    def _ended(self):
        raise Failure(f"{self.name} ended with code {self.process.child.returncode}:\n{self.process.text()[-2000:]}")

    def stop(self):
        code = self.process.stop()
        check(code == 0, f"{self.name} ended with code {code} after SIGTERM")

    def kill(self):
        self.process.kill()

    def answers(self):
        """Whether the daemon itself (not a command beside it) serves its last socket."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(self.state / "agent.sock"))
                return True
        except OSError:
            return False

    def status(self):
        return json.loads(self.run("status", "--json"))

    def query(self, *words):
        return json.loads(self.run("query", "--json", "--limit", 100000, *words))

    def backlog(self):
        return self.status()["backlog_readings"]

    def wait_synced(self, seconds=60):
        wait_until(lambda: self.backlog() == 0, seconds, f"{self.name} to have nothing left to send")


@contextlib.contextmanager
def lone_agent(build, daemon, extra):
    """An agent without a hub that answers (its link stays idle: it is not enrolled), running or for the commands that need no daemon."""
    with Site(build) as site:
        agent = site.agent("pump-7", port=9, extra=extra, enroll=False)
        if daemon:
            agent.start()
        yield agent
        if agent.process and agent.process.alive():
            agent.stop()


class Producer:
    """Sends numbered readings to ingest.sock and keeps those that were acknowledged: the list for the proof.

    Reading i of series `name` has value i and time start + i * step, so that it is identified by itself.
    """

    def __init__(self, agent, name="produced", start_ns=1_700_000_000_000_000_000, step_ns=1_000_000):
        self.agent = agent
        self.name = name
        self.start_ns = start_ns
        self.step_ns = step_ns
        self.next = 0
        self.acknowledged = []   # half-open ranges of i
        self.uncertain = []      # sent, connection lost before the answer: may or may not be there

    def send(self, count, batch=1000):
        """Sends `count` readings in batches, each acknowledged; returns how many were. Stops at a lost connection."""
        done = 0
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(60)
                connection.connect(str(self.agent.state / "ingest.sock"))
                answers = connection.makefile("r")
                while done < count:
                    size = min(batch, count - done)
                    first = self.next
                    lines = "".join(f"{self.name} v={i}i {self.start_ns + i * self.step_ns}\n" for i in range(first, first + size))
                    self.next += size
                    self.uncertain.append((first, first + size))
                    connection.sendall((lines + "#sync\n").encode())
                    answer = answers.readline()
                    if not answer:
                        raise ConnectionError("closed")
                    reply = json.loads(answer)
                    check(reply.get("rejected") == 0, f"rejected readings: {answer}")
                    if "error" in reply:
                        continue
                    check(reply["accepted"] == size, f"accepted {reply['accepted']} of {size}")
                    self.uncertain.pop()
                    self.acknowledged.append((first, first + size))
                    done += size
        except OSError:
            pass
        return done

    def acknowledged_count(self):
        return sum(last - first for first, last in self.acknowledged)

    def prove(self, site, device):
        """Every acknowledged reading is at the hub exactly once with its value. Returns (acknowledged, found, extra)."""
        seen = {}
        wrong = 0
        step = 50_000
        for first in range(0, self.next, step):
            from_ns = self.start_ns + first * self.step_ns
            to_ns = self.start_ns + (first + step) * self.step_ns
            answer = site.hub_query("--device", device, "--series", self.name, "--from", f"{from_ns / 1e9:.9f}", "--to", f"{to_ns / 1e9:.9f}")
            for series in answer["series"]:
                for point in series["points"]:
                    seen[point["value"]] = seen.get(point["value"], 0) + 1
        missing = [i for first, last in self.acknowledged for i in range(first, last) if i not in seen]
        twice = [i for i, n in seen.items() if n != 1]
        uncertain = {i for first, last in self.uncertain for i in range(first, last)}
        acknowledged = {i for first, last in self.acknowledged for i in range(first, last)}
        unknown = [i for i in seen if i not in acknowledged and i not in uncertain]
        check(not missing, f"{len(missing)} acknowledged readings are not at the hub, first {missing[:5]}")
        check(not twice, f"{len(twice)} readings are at the hub more than once, first {twice[:5]}")
        check(not unknown and wrong == 0, f"{len(unknown)} readings at the hub were never sent, first {unknown[:5]}")
        return self.acknowledged_count(), len(seen), len(seen) - self.acknowledged_count()


def pss_kib(pid):
    """Proportional set size: what the process really costs."""
    return memory_kib(pid, "Pss")


def own_kib(pid):
    """Heap, stacks and written data: the part of the memory that does not depend on which other programs share its libraries."""
    return memory_kib(pid, "Anonymous")


def memory_kib(pid, kind):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1])
    raise Failure(f"no {kind} in smaps_rollup")
