"""The units as systemd judges them, and sd_notify's protocol with a supervisor of our own: ready, status, signs of life, reload, stop."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

from harness import ROOT, Process, Site, check, run, wait_until

UNITS = ROOT / "platform/systemd"
EXPOSURE_MOST = 1.5
QUIET = '[input.host]\ntype = "host"\nenabled = false\n\n[input.hwmon]\ntype = "hwmon"\nenabled = false\n\n[input.thermal]\ntype = "thermal"\nenabled = false\n'


def unit_for(site, name):
    """The unit with the program of this build: systemd-analyze wants it to be there."""
    text = (UNITS / f"{name}.service").read_text().replace(f"/usr/bin/{name}", str(site.build / name))
    path = site.directory / f"{name}.service"
    path.write_text(text)
    return path


def verify(unit):
    code, out, error = run(["systemd-analyze", "verify", "--man=no", unit])
    # Of unknown keys and wrong values it tells, and returns 0.
    check(code == 0 and not (out + error).strip(), f"systemd-analyze verify {unit.name}: exit code {code}\n{out}{error}")


def test_units_and_examples_are_verified(build):
    with Site(build) as site:
        for name in ("tideline", "tideline-hub"):
            verify(unit_for(site, name))
        unit = unit_for(site, "tideline")
        drop_ins = site.directory / "tideline.service.d"
        drop_ins.mkdir()
        examples = sorted((UNITS / "examples").glob("*.conf"))
        check(examples, "no examples found")
        for example in examples:
            copy = shutil.copy(example, drop_ins)
            verify(unit)
            pathlib.Path(copy).unlink()
        for example in examples:
            shutil.copy(example, drop_ins)
        verify(unit)
        (drop_ins / "wrong.conf").write_text("[Service]\nDeviceAlow=char-ttyS rw\n")
        _, out, error = run(["systemd-analyze", "verify", "--man=no", unit])
        check("DeviceAlow" in out + error, "a mistake in a drop-in is not seen: drop-ins are not looked at")
        print(f"        verified: tideline, tideline-hub, with {', '.join(e.name for e in examples)}")


def exposure(unit):
    _, out, error = run(["systemd-analyze", "security", "--offline=yes", "--no-pager", unit])
    match = re.search(r"Overall exposure level for \S+: ([\d.]+)", out)
    check(match, f"systemd-analyze security says no figure:\n{out}{error}")
    return float(match.group(1))


def test_exposure_is_low(build):
    with Site(build) as site:
        agent, hub = exposure(unit_for(site, "tideline")), exposure(unit_for(site, "tideline-hub"))
        print(f"        exposure: tideline.service {agent}, tideline-hub.service {hub}")
        check(agent <= EXPOSURE_MOST and hub <= EXPOSURE_MOST, f"agent {agent}, hub {hub}; at most {EXPOSURE_MOST}")


class Supervisor:
    """Listens as systemd does, and knows who sent each message."""

    def __init__(self, directory):
        self.path = str(directory / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(self.path)
        self.socket.settimeout(0.1)
        self.messages = []  # (monotonic time, pid, {KEY: value})
        self.running = True
        self.on_ready = None
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self):
        while self.running:
            try:
                data, extra, _, _ = self.socket.recvmsg(8192, socket.CMSG_SPACE(12))
            except TimeoutError:
                continue
            pid = next((struct.unpack("3i", d)[0] for _, kind, d in extra if kind == socket.SCM_CREDENTIALS), None)
            fields = dict(line.split("=", 1) for line in data.decode().splitlines() if "=" in line)
            if "READY" in fields and self.on_ready:
                self.on_ready()
            self.messages.append((time.monotonic(), pid, fields))

    def close(self):
        self.running = False
        self.thread.join(2)
        self.socket.close()

    def environment(self, watchdog=None):
        extra = {"WATCHDOG_USEC": str(int(watchdog * 1_000_000))} if watchdog else {}
        return {**os.environ, "NOTIFY_SOCKET": self.path, **extra}

    def count(self, key):
        return sum(key in fields for _, _, fields in self.messages)

    def wait_for(self, key, number=1, seconds=15):
        wait_until(lambda: self.count(key) >= number, seconds, f"{key}= number {number}; so far {[f for _, _, f in self.messages]}")
        return [m for m in self.messages if key in m[2]][number - 1]

    def times(self, key):
        return [at for at, _, fields in self.messages if key in fields]

    def status(self):
        return next(fields["STATUS"] for _, _, fields in reversed(self.messages) if "STATUS" in fields)


@contextlib.contextmanager
def supervised(build):
    with Site(build) as site:
        supervisor = Supervisor(site.directory)
        try:
            yield site, site.agent("edge", enroll=False, port=1, extra=QUIET), supervisor
        finally:
            supervisor.close()


def test_ready_comes_after_store_and_sockets(build):
    with supervised(build) as (site, agent, supervisor):
        seen = []
        supervisor.on_ready = lambda: seen.append([agent.answers(), (agent.state / "ingest.sock").is_socket()])
        agent.start(env=supervisor.environment())
        _, pid, fields = supervisor.wait_for("READY")
        check(fields["READY"] == "1" and pid == agent.process.pid, f"{fields} from {pid}")
        check(seen[0] == [True, True], f"at READY=1: agent.sock answers, ingest.sock is there: {seen[0]}")
        check(re.search(r"\d+ readings to send", fields["STATUS"]), f"status '{fields['STATUS']}'")
        agent.run("ingest", stdin="t v=1 1700000000000000000\n")
        wait_until(lambda: "1 reading" in supervisor.status(), 10, "the status to tell the backlog")
        agent.stop()
        check(supervisor.count("STOPPING") == 1, "STOPPING=1 once")
        check(supervisor.count("WATCHDOG") == 0, "no signs of life when nobody asked")
        print(f'        status "{fields["STATUS"]}", then "{supervisor.status()}"')


def test_signs_of_life_come_in_half_the_time(build):
    limit = 1.0
    with supervised(build) as (site, agent, supervisor):
        agent.start(env=supervisor.environment(limit))
        supervisor.wait_for("WATCHDOG", 8)
        agent.stop()
        times = [supervisor.times("READY")[0], *supervisor.times("WATCHDOG")]
        longest = max(b - a for a, b in zip(times, times[1:]))
        check(longest < limit, f"longest silence {longest:.2f} s of {limit} s")
        middle = sorted(b - a for a, b in zip(times, times[1:]))[len(times) // 2 - 1]
        check(middle < 0.6 * limit, f"signs of life {middle:.2f} s apart: half the time is {limit / 2} s")
        print(f"        WATCHDOG_USEC {limit} s: {middle:.2f} s apart, longest {longest:.2f} s")


def test_reload_is_told(build):
    with supervised(build) as (site, agent, supervisor):
        agent.start(env=supervisor.environment())
        supervisor.wait_for("READY")
        before = time.monotonic()
        os.kill(agent.process.pid, signal.SIGHUP)
        _, _, fields = supervisor.wait_for("RELOADING")
        stamp = int(fields["MONOTONIC_USEC"]) / 1e6
        check(fields["RELOADING"] == "1" and before <= stamp <= time.monotonic(), f"{fields}")
        supervisor.wait_for("READY", 2)
        agent.config.write_text(agent.config.read_text() + "\n[nonsense]\nx = 1\n")
        os.kill(agent.process.pid, signal.SIGHUP)
        _, _, fields = supervisor.wait_for("READY", 3)
        check("configuration file is wrong" in fields["STATUS"] and "nonsense" in fields["STATUS"], f"status '{fields['STATUS']}'")
        check(agent.process.alive(), "the agent goes on")
        agent.stop()
        print(f'        status "{fields["STATUS"]}"')


def check_silence(supervisor, agent, limit, hang):
    """`hang` is a block in which the store cannot sync. The agent must fall silent in it, and be heard again after it."""
    supervisor.wait_for("WATCHDOG", 2)
    with hang:
        agent.ingest = subprocess.Popen(list(map(str, agent.command("ingest"))), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        agent.ingest.stdin.write(b"t v=1 1700000000000000000\n")
        agent.ingest.stdin.close()
        wait_until(lambda: time.monotonic() - supervisor.times("WATCHDOG")[-1] > 2 * limit, 6 * limit + 10, "signs of life to end while the store hangs")
        last = supervisor.times("WATCHDOG")[-1]
        check(agent.process.alive(), "the agent itself lives")
        said = supervisor.count("WATCHDOG")
    supervisor.wait_for("WATCHDOG", said + 2, seconds=20)
    check(agent.ingest.wait(20) == 0, "the reading was acknowledged after the disk came back")
    return [t for t in supervisor.times("WATCHDOG") if t > last][0] - last


def test_a_sync_that_hangs_silences_the_watchdog(build):
    """Without root: strace holds one sync of the store for some seconds."""
    limit, hold = 1.0, 4
    with supervised(build) as (site, agent, supervisor):
        agent.start(env=supervisor.environment(limit))
        pid = agent.process.pid
        syncs = "fsync,fdatasync,sync_file_range,msync"
        tracer = Process(["strace", "-f", "-q", "-p", pid, "-e", f"trace={syncs}", "-e", f"inject={syncs}:delay_enter={hold * 1_000_000}:when=1"],
                         site.directory, "strace")
        wait_until(lambda: f"TracerPid:\t{tracer.pid}" in pathlib.Path(f"/proc/{pid}/status").read_text(), 10, "strace to attach")
        silence = check_silence(supervisor, agent, limit, contextlib.nullcontext())
        tracer.stop()
        agent.stop()
        print(f"        one sync held for {hold} s: silent for {silence:.1f} s of WATCHDOG_USEC {limit} s, then heard again")


@contextlib.contextmanager
def own_filesystem(path, megabytes=64):
    image = path.with_suffix(".img")
    with open(image, "wb") as file:
        file.truncate(megabytes << 20)
    for command in (["mkfs.ext4", "-q", image], ["mount", "-o", "loop", image, path]):
        code, out, error = run(command)
        check(code == 0, f"{command[0]}: {out}{error}")
    try:
        yield
    finally:
        run(["fsfreeze", "--unfreeze", path])
        wait_until(lambda: run(["umount", path])[0] == 0, 20, "the file system to be given back")


@contextlib.contextmanager
def frozen(path):
    check(run(["fsfreeze", "--freeze", path])[0] == 0, "the file system cannot be frozen")
    try:
        yield
    finally:
        run(["fsfreeze", "--unfreeze", path])


def test_a_frozen_file_system_silences_the_watchdog(build):
    """A disk that answers nothing: every write to the store waits in the kernel until it is thawed."""
    if os.geteuid() != 0 or not pathlib.Path("/dev/loop-control").exists():
        print("        not run: a file system of one's own needs root and loop devices")
        return
    limit = 1.0
    with supervised(build) as (site, agent, supervisor), own_filesystem(agent.state):
        agent.start(env=supervisor.environment(limit))
        silence = check_silence(supervisor, agent, limit, frozen(agent.state))
        agent.stop()
        print(f"        ext4 frozen: silent for {silence:.1f} s of WATCHDOG_USEC {limit} s, heard again after the thaw")
