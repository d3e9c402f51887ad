#!/usr/bin/env python3
"""make board: the agent's package on an emulated arm64 board under systemd, power cuts in the middle of writes, and a proof by identity.

usage: run.py --build build/release --deb FILE [--cuts 10] [--quick | --without-sync] [--seed N] [--keep]
"""
import argparse
import json
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from board import Board  # noqa: E402
from checks import Memory, check_reload, check_sandbox, check_watchdog  # noqa: E402
from harness import ROOT, Failure, Site, check  # noqa: E402
from ledger import TOLERANCE_SECONDS, BootRecord, Found, judge_times, seconds_of  # noqa: E402

DEVICE = "board-1"
HOST = "10.0.2.2"  # this machine's loopback, as the board sees it
AGENT = """[device]
id = "{device}"

[hub]
address = "{host}:{port}"
keepalive = "5s"
backoff_cap = "5s"

[input.host]
type = "host"
interval = "1s"
"""
NO_SYNC = "/usr/local/bin/no_sync.so"
# A system call outside the unit's filter ends the agent instead of failing: then nothing that was denied can stay unnoticed.
STRICT = "[Service]\nSystemCallErrorNumber=kill\n"

started = time.monotonic()


def say(text):
    print(f"[{time.monotonic() - started:6.1f} s] {text}", flush=True)


def show(text):
    print("\n".join("             | " + line for line in text.rstrip().splitlines()), flush=True)


class BoardSite(Site):
    """The hub on this machine, with a certificate for the name by which the board dials it."""

    def init_hub(self):
        out = self.hub_run("init", "--name", HOST, "127.0.0.1")
        self.fingerprint = re.search(r"\b([0-9a-f]{64})\b", out).group(1)

    def token(self):
        return re.search(r"--token[ =](\S+)", self.hub_run("token", "create", "--device", DEVICE)).group(1)


class Scenario:
    def __init__(self, site, options):
        self.site = site
        self.cuts = options.cuts
        self.is_quick = options.quick
        self.is_without_sync = options.without_sync
        self.image = ROOT / "build/board/image"
        self.disk = site.directory / "disk.img"
        self.random = random.Random(options.seed)
        self.board = None
        self.records = []
        self.epochs = set()
        self.measured = []
        self.replayed = 0
        self.told = None
        self.memory = Memory()

    def prepare(self, deb):
        self.run_here(ROOT / "tests/board/image", self.image, seconds=1800)
        self.run_here("cp", "--sparse=always", self.image / "disk.img", self.disk)
        self.run_here("/sbin/debugfs", "-w", "-R", f"write {deb} /root/tideline.deb", self.disk)
        if self.is_without_sync:
            library = self.site.directory / "no_sync.so"
            self.run_here("aarch64-linux-gnu-gcc", "-shared", "-fPIC", "-nostdlib", ROOT / "tests/board/no_sync.c", "-o", library)
            self.run_here("/sbin/debugfs", "-w", "-R", f"write {library} {NO_SYNC}", self.disk)
        say(f"disk ready, with {deb.name} on it, not installed")

    @staticmethod
    def run_here(*command, seconds=120):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=seconds, check=False)
        check(done.returncode == 0, f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def boot(self, boot):
        self.board = Board(self.image, self.disk, self.site.directory, boot)
        return self.board

    def status(self):
        return json.loads(self.board.ok("tideline status --json"))

    def install(self):
        board = self.boot(0)
        year = board.ok("date +%Y")
        check(year == "1970", f"the board has no battery clock and no network time, but it is {year} there")
        say(f"boot 0: systemd {board.ok('systemctl --version').split()[1]} is up, the clock says {board.ok('date')}")
        show(board.ok("dpkg -i /root/tideline.deb"))
        for question, answer in (("is-active", "active"), ("is-enabled", "enabled")):
            check(board.ok(f"systemctl {question} tideline") == answer, f"systemctl {question} tideline")
        say("dpkg's scripts have made the user, enabled and started the service; it samples without any configuration")
        board.write("/etc/tideline/agent.toml", AGENT.format(device=DEVICE, host=HOST, port=self.site.hub_port))
        code, answer = board.run(f"tideline enroll {HOST}:{self.site.hub_port} --token {self.site.token()} --ca-fingerprint {'0' * 64}")
        check(code != 0, f"a hub of another authority was accepted with the clock at 1970:\n{answer}")
        say(f"another authority is refused with this clock, too: {answer}")
        show(board.ok(f"tideline enroll {HOST}:{self.site.hub_port} --token {self.site.token()} --ca-fingerprint {self.site.fingerprint}"))
        board.ok("mkdir -p /run/systemd/system/tideline.service.d")
        board.write("/run/systemd/system/tideline.service.d/strict.conf", STRICT)
        board.ok("systemctl daemon-reload; systemctl restart tideline; mkdir -p /var/lib/board; touch /var/lib/board/writes; systemctl start board-writer")
        say("enrolled and restarted; for this boot a denied system call ends the agent")
        self.wait_writer(3)
        self.wait_link()
        if not self.is_without_sync:
            check_reload(board, say, AGENT.format(device=DEVICE, host=HOST, port=self.site.hub_port))
        self.pause_writer()
        self.wait_synced()
        if not self.is_without_sync:
            check_sandbox(board, say, show, is_thorough=True)
        say(f"agent after that: {self.memory.look(board)}")
        board.ok("rm -r /run/systemd/system/tideline.service.d; systemctl daemon-reload; systemctl restart tideline")
        if not self.is_quick:
            check_watchdog(board, say)
        if self.is_without_sync:
            board.ok("mkdir /etc/systemd/system/tideline.service.d")
            board.write("/etc/systemd/system/tideline.service.d/no_sync.conf", f"[Service]\nEnvironment=LD_PRELOAD={NO_SYNC}\n")
        self.keep_record("hub")
        board.off()
        say("clean power off")

    def wait_writer(self, batches):
        already = len(self.board.of("synced"))
        self.board.wait(lambda: len(self.board.of("synced")) >= already + batches, "acknowledged batches of the writer")
        refused = self.board.of("refused")
        check(not refused, f"the agent refused readings of the writer: {refused and refused[0].text}")

    def pause_writer(self):
        self.board.ok("rm /var/lib/board/writes; systemctl stop board-writer; touch /var/lib/board/writes; sync")

    def wait_link(self):
        self.board.wait(lambda: self.status()["clock_quality"] == "hub", "the hub's time", pause=0.5)

    def wait_synced(self):
        self.board.wait(lambda: self.status()["synced"], "nothing left to send", pause=0.5)

    def wait_ready(self):
        board = self.board
        state = board.wait(lambda: self.ready_state(), "the service to be active")
        wall = time.monotonic() - board.started
        self.replayed += int(board.ok("dmesg | grep -c 'EXT4-fs (vda): recovery complete' || true"))
        epoch = self.status()["store"]
        self.epochs.add((epoch["epoch"], epoch["incarnation"]))
        check(self.is_without_sync or (epoch["bad_segments"] == 0 and not epoch["failed"]), f"boot {board.boot}: the store is damaged: {epoch}")
        return state, wall

    def ready_state(self):
        state = self.board.show("tideline", "ActiveState", "ActiveEnterTimestampMonotonic", "ExecMainStartTimestampMonotonic", "Result")
        check(state["ActiveState"] != "failed", f"boot {self.board.boot}: the service failed: {state}\n{self.board.run('journalctl -b -u tideline --no-pager | tail -30')[1]}")
        return state if state["ActiveState"] == "active" else None

    def measure(self, state, wall, synced=""):
        """Times of one boot, by the board's clock since its kernel started and by this machine's since qemu did."""
        board = self.board
        start = int(state["ExecMainStartTimestampMonotonic"]) / 1e6
        ready = int(state["ActiveEnterTimestampMonotonic"]) / 1e6
        first = board.of("synced")[0]
        self.measured.append({"service started": start, "ready": ready, "ready, wall": wall, "first acknowledged": first.uptime,
                              "first acknowledged, wall": first.wall - board.started_wall})
        say(f"boot {board.boot}: service started {start:.1f} s, ready {ready:.1f} s, first acknowledged reading of the writer {first.uptime:.1f} s on the "
            f"board's clock ({first.wall - board.started_wall:.1f} s after power on){synced}; {self.memory.look(board)}")

    def keep_record(self, clock):
        self.records.append(BootRecord(self.board, clock))

    def cut_in_the_middle(self, clock):
        """A random moment while the writer writes; nothing is asked of the board meanwhile."""
        seconds = self.random.uniform(0.2, 5)
        time.sleep(seconds)
        before = len(self.board.of("synced"))
        self.board.cut()
        record = BootRecord(self.board, clock, is_cut=True)
        self.records.append(record)
        say(f"power cut {self.board.boot}, after {seconds:.2f} s: {len(record.numbers('synced')):,} readings acknowledged in this boot, clock: {clock}")
        check(before > 0, "the writer wrote when the power went")

    def connected_boot(self):
        """From a clean disk with the hub there: how long until the board's first readings are at the hub. Then the hub goes, then the power."""
        self.boot(1)
        state, wall = self.wait_ready()
        self.wait_writer(1)
        self.wait_link()
        self.told = (self.board.started_wall, time.time())
        self.pause_writer()
        self.wait_synced()
        uptime, seconds = self.board.ok("cat /proc/uptime").split()[0], time.monotonic() - self.board.started
        self.measure(state, wall, f"; all of it at the hub {uptime} s on the board's clock ({seconds:.1f} s after power on)")
        self.site.stop_hub()
        say("the hub is gone")
        self.board.ok("systemctl start board-writer")
        self.wait_writer(3)
        self.cut_in_the_middle("hub")

    def lonely_boot(self, boot):
        self.boot(boot)
        state, wall = self.wait_ready()
        self.wait_writer(3)
        self.measure(state, wall)
        clock = "floor"
        if boot % 2 == 0:
            # The time comes late and from elsewhere: a person, a GPS receiver, network time. Readings made before it move with it.
            self.board.ok(f"date -s @{time.time():.3f}")
            self.board.wait(lambda: self.status()["clock_quality"] == "rtc", "the agent to take over the clock", pause=0.3)
            self.wait_writer(2)
            clock = "rtc"
        self.cut_in_the_middle(clock)

    def last_boot(self):
        board = self.boot(self.cuts + 1)
        state, wall = self.wait_ready()
        self.wait_writer(3)
        self.measure(state, wall)
        before = self.status()
        say(f"boot {board.boot}: {before['backlog_readings']:,} readings wait for a hub, clock quality {before['clock_quality']}; the hub returns")
        back = time.monotonic()
        self.site.start_hub()
        self.wait_link()
        say(f"link up with the clock at {board.ok('date +%Y')}, {time.monotonic() - back:.1f} s after the hub's start: {self.status()['link']['protection']}")
        self.wait_writer(3)
        self.pause_writer()
        self.wait_synced()
        say(f"nothing left to send {time.monotonic() - back:.1f} s after the hub's return")
        show(board.ok("tideline status; tideline verify"))
        self.keep_record("hub")
        check_sandbox(board, say, show)
        board.off()

    def prove(self):
        lost = handed_lost = acknowledged = cut = found_all = handed_all = 0
        for record in self.records:
            numbers = record.numbers("synced")
            found = Found(self.site, DEVICE, f"board.synced{{boot={record.boot}}}")
            missing, twice = found.compare(numbers)
            check(not missing, f"boot {record.boot}: {len(missing)} acknowledged readings are not at the hub, first {missing[:5]}")
            check(not twice, f"boot {record.boot}: {len(twice)} readings are at the hub more than once, first {twice[:5]}")
            lost += len(missing)
            worst = judge_times(record, found, self.told)
            check(worst < TOLERANCE_SECONDS, f"boot {record.boot} (clock: {record.clock}): a reading's time is {worst:.1f} s off")
            if record.clock == "floor":
                check(found.quality == ["floor"], f"boot {record.boot} was never told the time, but its readings claim {found.quality}")
            acknowledged += len(numbers)
            cut += len(numbers) if record.is_cut else 0
            found_all += len(found.points)
            handed = record.numbers("handed") if record.is_cut else set()
            gone, twice = Found(self.site, DEVICE, f"board.handed{{boot={record.boot}}}").compare(handed)
            check(not twice, f"boot {record.boot}: control readings are at the hub more than once, first {twice[:5]}")
            handed_all += len(handed)
            handed_lost += len(gone)
            say(f"boot {record.boot:2}: acknowledged {len(numbers):6,}, at the hub {len(found.points):6,}, lost 0, twice 0; times at most "
                f"{max(worst, 0):.2f} s outside their bounds, clock {record.clock}, quality {'/'.join(found.quality)}; control: {len(gone):,} of {len(handed):,} lost")
        say(f"PROOF: {acknowledged:,} readings acknowledged in {len(self.records)} boots, {cut:,} of them in the {self.cuts} that ended with a power cut; "
            f"at the hub {found_all:,}; lost {lost}, duplicates 0")
        say(f"CONTROL: of {handed_all:,} readings of class bulk that were counted when merely handed over, the same proof misses {handed_lost:,}")
        # About every second cut comes just after a commit, which takes the other class along; ten in a row do not.
        check(handed_lost > 0 or self.cuts < 10, "the control lost nothing: the power cuts prove nothing")

    def prove_loss(self):
        """The agent believed in syncs that never were. What it acknowledged then must be missed by the proof."""
        lost = 0
        for record in self.records:
            numbers = record.numbers("synced")
            missing, _ = Found(self.site, DEVICE, f"board.synced{{boot={record.boot}}}").compare(numbers)
            say(f"boot {record.boot}: acknowledged {len(numbers):,}, {len(missing):,} of them are not at the hub")
            check(not missing or record.is_cut, "readings were lost without a power cut")
            lost += len(missing)
        check(lost > 0, "an agent whose syncs do nothing lost nothing: the power cuts prove nothing")
        say(f"CONTROL: without syncs {lost:,} acknowledged readings were lost by {self.cuts} power cuts")

    def first_samples(self):
        """Boot to the first sample of the board's own sensors, by the true time that the hub gave it later."""
        points = Found(self.site, DEVICE, "load.1m").points
        moments = sorted(seconds_of(point["time"]) for point in points)
        for record in self.records:
            if record.clock != "floor":
                # Boot 0 sampled before it was enrolled: the hub has those at their true time as well.
                after = [moment for moment in moments if moment > record.started_wall]
                check(after and after[0] - record.started_wall < 3600, f"boot {record.boot}: no sample of the board's sensors at its true time")
                say(f"boot {record.boot}: first sample of the host's sensors {after[0] - record.started_wall:.1f} s after power on")

    def finish(self):
        self.prove()
        self.first_samples()
        check(len(self.epochs) == 1, f"epoch and incarnation changed over the boots: {self.epochs}")
        say(f"one epoch, incarnation {next(iter(self.epochs))[1]} in all boots; the file system replayed its journal in {self.replayed} of them")
        gaps = json.loads(self.site.hub_run("query", "--json", "--gaps", "--device", DEVICE))["gaps"]
        say(f"gaps at the hub: {len(gaps)}")
        show("\n".join(json.dumps(gap) for gap in gaps[:20]) or "none")
        check(not gaps, "a gap means lost readings that had been numbered, and none were dropped here")
        self.site.stop_hub()
        show(self.site.hub_run("verify"))
        self.run_here("/sbin/e2fsck", "-fn", self.disk)
        say("the board's file system is clean")
        self.memory.judge(say)
        for name in self.measured[0]:
            values = sorted(one[name] for one in self.measured)
            say(f"{name:25} least {values[0]:5.1f} s, median {values[len(values) // 2]:5.1f} s, most {values[-1]:5.1f} s of {len(values)} boots")

    def run(self, deb):
        say("hub: certificate authority, database, serve on loopback")
        self.site.init_hub()
        self.site.start_hub()
        self.prepare(deb)
        self.install()
        self.connected_boot()
        for boot in range(2, self.cuts + 1):
            self.lonely_boot(boot)
        self.last_boot()
        if self.is_without_sync:
            self.prove_loss()
        else:
            self.finish()

    def explain(self):
        """For a failure: what the board says, if it still can."""
        board = self.board
        if board is None:
            return
        if board.child.poll() is None:
            for command in ("systemctl status tideline --no-pager", "journalctl -b -u tideline -u board-writer --no-pager | tail -40", "dmesg | tail -15"):
                try:
                    say(command)
                    show(board.run(command, 60)[1])
                except (Failure, OSError) as failure:
                    show(str(failure))
                    break


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--deb", required=True, type=pathlib.Path)
    parser.add_argument("--cuts", type=int, default=None, help="power cuts; 10, or 2 with --quick")
    parser.add_argument("--quick", action="store_true", help="no watchdog")
    parser.add_argument("--without-sync", action="store_true", help="control: the agent's fsync does nothing, so that the proof must fail; implies --quick")
    parser.add_argument("--seed", type=int, default=None, help="of the moments of the power cuts; printed")
    parser.add_argument("--keep", action="store_true", help="leave disk, consoles and the hub's state, say where")
    options = parser.parse_args()
    options.quick |= options.without_sync
    if options.cuts is None:
        options.cuts = 2 if options.quick else 10
    check(options.cuts >= 2, "--cuts must be at least 2")
    check(options.deb.is_file(), f"no package {options.deb}: TESTS=0 toolchains/cross aarch64-linux-gnu makes it")
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that qemu and hub are stopped
    if options.seed is None:
        options.seed = random.randrange(1_000_000)
    say(f"{options.cuts} power cuts, seed {options.seed}")
    with BoardSite(options.build, options.keep) as site:
        if options.keep:
            say(f"everything stays in {site.directory}")
        scenario = Scenario(site, options)
        try:
            scenario.run(options.deb.resolve())
        except (Failure, KeyboardInterrupt):
            scenario.explain()
            raise
        finally:
            if scenario.board is not None:
                scenario.board.cut()
    say(f"done{'' if options.without_sync else ': nothing lost, nothing twice'}, in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"board FAILED: {failure}", file=sys.stderr)
        sys.exit(1)
