#!/usr/bin/env python3
"""Installs, runs, upgrades, removes the Debian packages under a real systemd, in a container. One step builds on the one before.

usage: run.py --build build/release      needs root; BUILD/packages holds the packages (make package)
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from machine import ROOT, Machine, base_tree
from harness import Failure, check, wait_until
from world import AGENT, CONFIG, HUB, STATE, SerialLine, World

PREVIOUS = "0.0.1"
DROP_INS = "/etc/systemd/system/tideline.service.d"
NOISE = re.compile(r"^(Reading|Building|The following|  tideline|\d+ (upgraded|newly)|Need to get|After this|Get:|Selecting|\(Reading|Preparing|Unpacking|Setting up|"
                   r"Removing|Purging|The following|debconf: delaying|Created symlink|Removed \"?/etc/systemd|Processing|Installing new version of config)")


def extra_lines(said):
    return [line for line in said.splitlines() if line.strip() and not NOISE.match(line)]


def packages_please_the_checker(world):
    """lintian says nothing, files belong to root."""
    said = subprocess.run(["lintian", "--fail-on=error,warning", *world.packages], capture_output=True, text=True, check=False)
    tags = [line for line in said.stdout.splitlines() if not line.startswith("N:")]
    check(said.returncode == 0 and not tags, "lintian:\n" + "\n".join(tags) + said.stderr)
    for package in world.packages:
        listing = subprocess.run(["dpkg-deb", "-c", package], capture_output=True, text=True, check=True).stdout.splitlines()
        wrong = [line for line in listing if not re.match(r"^(drwxr-xr-x|-rwxr-xr-x .*/usr/bin/.*|-rw-r--r--).*", line) or " root/root " not in line]
        check(not wrong, f"{package.name}: {wrong}")
    return "lintian: no tags"


def install_starts_and_enables(world):
    m = world.machine
    said = world.install(world.previous)
    check(not extra_lines(said), "the installation speaks: " + "\n".join(extra_lines(said)))
    check(m.show(AGENT, "ActiveState") == "active" and m.show(AGENT, "UnitFileState") == "enabled", "the agent is not active and enabled")
    owners = m.run("stat", "-c", "%U:%G %a %n", STATE, CONFIG, "/run/tideline", "/etc/tideline/hub.toml", "/var/lib/tideline-hub").splitlines()
    check(owners == [f"tideline:tideline 750 {STATE}", f"root:tideline 640 {CONFIG}", "tideline:tideline 755 /run/tideline",
                     "root:tideline-hub 640 /etc/tideline/hub.toml", "tideline-hub:tideline-hub 750 /var/lib/tideline-hub"], "owners and modes: " + ", ".join(owners))
    check(m.run("systemctl", "--failed", "--plain", "--no-legend").strip() == "", "units failed")
    return "enabled and active; user, directories and modes right"


def status_and_journal_tell(world):
    m = world.machine
    said = m.run("systemctl", "status", "--no-pager", AGENT)
    status = re.search(r'Status: "(.*)"', said)
    check(status and "to send" in status.group(1), f"no status text:\n{said}")
    journal = [line for line in m.journal(AGENT).splitlines() if line.startswith("agent: tideline ")]
    check(journal and not re.match(r"<\d>|\d{4}-", journal[0]), "the journal has no line of the start")
    memory = next(int(line.split()[1]) for line in pathlib.Path(f"/proc/{m.host_pid(AGENT)}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return f'status "{status.group(1)}"; journal "{journal[0]}"; resident {memory} kB'


def hub_waits_for_init(world):
    """An operator's first steps, as the README has them."""
    m = world.machine
    check(m.show(HUB, "ActiveState") == "inactive" and m.show(HUB, "ConditionResult") == "no", "the hub should wait for its init")
    said = m.run("tideline-hub", "init", "--name", "localhost")
    check("systemctl start tideline-hub" in said, f"init does not say what is next:\n{said}")
    m.run("systemctl", "start", HUB)
    check(m.show(HUB, "ActiveState") == "active", "the hub does not run")
    return f'init, start: hub active, status "{m.show(HUB, "StatusText")}"'


def agent_enrols_and_syncs(world):
    """A user's first steps."""
    m = world.machine
    said = m.run("tideline-hub", "token", "create", "--device", "packaged")
    command = re.search(r"tideline enroll \S+ .*", said).group(0)
    said = m.run(*command.split())
    owners = set(m.run("sh", "-c", f"stat -c '%U %a' {STATE}/identity/*").splitlines())
    check(all(o.startswith("tideline ") for o in owners), f"identity belongs to {owners}")
    world.edit('#[hub]\n#address = "hub.example.net:7443"', '[hub]\naddress = "localhost:7443"')
    m.run("systemctl", "restart", AGENT)
    check(world.producer.send(2000) == 2000, "the agent did not take the readings")
    wait_until(lambda: world.status()["backlog_readings"] == 0, 30, "everything to be synced")
    return f'synced; status "{m.show(AGENT, "StatusText")}"'


def reload_takes_a_new_sensor(world):
    m = world.machine
    m.write("/srv/level", "7\n")
    m.write("/srv/empty.toml", "")
    before = world.pid()
    good = m.path(CONFIG).read_text()
    m.write(CONFIG, good + '\n[input.level]\ntype = "file"\npath = "/srv/level"\ninterval = "200ms"\n')
    m.run("systemctl", "reload", AGENT)

    def points():
        # A command reads the same file, and would say that it is wrong.
        answer = json.loads(m.run("tideline", "query", "--config", "/srv/empty.toml", "--json", "--since", "1h", "--series", "*level*"))
        return sum(len(s["points"]) for s in answer["series"])
    wait_until(points, 15, "readings of the new sensor")
    check(world.pid() == before, "the reload restarted the agent")

    with_level = m.path(CONFIG).read_text()
    m.write(CONFIG, with_level + "\n[input.level]\nintervall = 3\n")
    m.run("systemctl", "reload", AGENT)
    said = wait_until(lambda: (s := m.show(AGENT, "StatusText")) and "configuration file is wrong" in s and s, 10, "the status to say that the file is wrong")
    count = points()
    wait_until(lambda: points() > count, 10, "the sensor of before to go on")
    check(world.pid() == before and "nothing was changed" in m.journal(AGENT), "the old configuration was not kept")

    m.write(CONFIG, with_level)
    m.run("systemctl", "reload", AGENT)
    wait_until(lambda: "wrong" not in m.show(AGENT, "StatusText"), 10, "the status to be clear again")
    return f'new series without a restart; a wrong file: status "{said}"'


def wrong_file_at_start_is_not_tried_again(world):
    m = world.machine
    good = m.path(CONFIG).read_text()
    m.write(CONFIG, good + "\n[nonsense]\nx = 1\n")
    restarts = m.show(AGENT, "NRestarts")
    m.run("systemctl", "restart", AGENT, code=1)
    check(m.show(AGENT, "ActiveState") == "failed" and m.show(AGENT, "NRestarts") == restarts, "a wrong configuration is tried again and again")
    said = [line for line in m.journal(AGENT).splitlines() if "nonsense" in line]
    m.write(CONFIG, good)
    m.run("systemctl", "restart", AGENT)
    check(said, "the journal does not name the mistake")
    return f'failed, not restarted; journal "{said[-1]}"'


def watchdog_restarts_what_hangs(world):
    m = world.machine
    m.write(f"{DROP_INS}/watchdog.conf", "[Service]\nWatchdogSec=2s\n")
    m.run("systemctl", "daemon-reload")
    m.run("systemctl", "restart", AGENT)
    before = world.pid()
    time.sleep(5)  # two and a half times the limit: an agent that is well is left alone
    check(world.pid() == before and m.show(AGENT, "NRestarts") == "0", "an agent that was well was restarted")
    stopped = time.monotonic()
    os.kill(m.host_pid(AGENT), signal.SIGSTOP)
    wait_until(lambda: m.show(AGENT, "NRestarts") == "1" and m.show(AGENT, "ActiveState") == "active", 30, "the watchdog to restart the agent")
    took = time.monotonic() - stopped
    check("Watchdog timeout" in m.journal(AGENT), "the journal does not speak of the watchdog")
    m.path(f"{DROP_INS}/watchdog.conf").unlink()
    m.run("systemctl", "daemon-reload")
    m.run("systemctl", "restart", AGENT)
    return f"WatchdogSec=2s: stopped process replaced and ready after {took:.1f} s"


def kill_loses_nothing_acknowledged(world):
    m = world.machine
    kills = 3
    for number in range(kills):
        sender = threading.Thread(target=world.producer.send, args=(200_000, 500))
        sender.start()
        wanted = world.producer.acknowledged_count() + 5000
        wait_until(lambda: world.producer.acknowledged_count() >= wanted or not sender.is_alive(), 60, "readings to be acknowledged")  # noqa: B023
        os.kill(m.host_pid(AGENT), signal.SIGKILL)
        sender.join(60)
        wait_until(lambda: m.show(AGENT, "NRestarts") == str(number + 1), 20, "the restart")  # noqa: B023
        world.wait_active()
    return f"{kills} times kill -9 while sending: restarted, {world.check_nothing_lost()}"


def boot_brings_it_back(world):
    m = world.machine
    m.halt()
    m.boot()
    world.wait_active()
    microseconds = int(m.show(AGENT, "ActiveEnterTimestampMonotonic")) - int(m.show(AGENT, "InactiveExitTimestampMonotonic"))
    check(m.show(HUB, "ActiveState") == "active", "the hub did not come back")
    return f"agent and hub run after a boot; agent ready {microseconds / 1000:.0f} ms after its start"


def upgrade_keeps_backlog_and_configuration(world):
    m = world.machine
    m.run("systemctl", "stop", HUB)
    m.run("chmod", "644", CONFIG)  # an administrator's choice
    before_text, before_pid = m.path(CONFIG).read_text(), world.pid()
    world.producer.send(20_000)
    backlog = world.status()["backlog_readings"]
    check(backlog >= 20_000, f"a backlog of {backlog}")
    said = world.install(world.packages, options=("--force-confold",))
    world.wait_active()
    check(m.run("dpkg-query", "-W", "-f", "${Version}", "tideline").strip() != PREVIOUS, "nothing was upgraded")
    check(world.pid() != before_pid, "the agent of before still runs")
    check(m.path(CONFIG).read_text() == before_text, "the changed configuration was not kept")
    mode = m.run("stat", "-c", "%U:%G %a", CONFIG).strip()
    check(mode == "root:tideline 644", f"owner and mode became {mode}")
    check("[hub]" in m.path("/etc/tideline/hub.toml").read_text(), "the untouched configuration should be the new one")
    check(m.path(CONFIG + ".dpkg-dist").is_file(), "the new default should lie beside the changed file")
    check(m.show(HUB, "ActiveState") == "active", f"the upgrade should start the hub\n{said}")
    return f"{PREVIOUS} to {world.version}: backlog of {backlog}; {world.check_nothing_lost()}; agent.toml kept"


def hub_has_everything_once(world):
    m = world.machine
    m.run("chmod", "640", CONFIG)
    m.run("systemctl", "restart", AGENT)
    m.run("systemctl", "start", HUB)
    wait_until(lambda: world.status()["backlog_readings"] == 0, 60, "the backlog to be synced")
    acknowledged, found, extra = world.producer.prove(world, "packaged")
    return f"acknowledged {acknowledged}, at the hub {found}, of them {extra} sent without an answer; missing 0, duplicates 0"


def serial_line_needs_its_drop_in(world):
    m = world.machine
    line = SerialLine(m)
    good = m.path(CONFIG).read_text()
    m.write(CONFIG, good + f'\n[input.scale]\ntype = "serial"\ndevice = "{line.path}"\ninterval = "500ms"\n')
    m.run("systemctl", "reload", AGENT)

    def state():
        return next((i for i in world.status()["inputs"] if i["name"] == "scale"), {})
    refused = wait_until(lambda: state().get("last_error"), 10, "the sandbox to refuse the line")
    m.run("sh", "-c", f"install -D -m 644 /usr/share/doc/tideline/examples/serial.conf -t {DROP_INS}")
    m.run("systemctl", "daemon-reload")
    m.run("systemctl", "restart", AGENT)

    def readings():
        line.say("12.5\n")
        return state().get("readings", 0) > 2
    wait_until(readings, 20, "readings of the serial line")
    m.run("sh", "-c", f"rm {DROP_INS}/serial.conf")
    m.write(CONFIG, good)
    m.run("systemctl", "daemon-reload")
    m.run("systemctl", "restart", AGENT)
    line.close()
    return f'without it "{refused}"; with it the line is read (a pseudo terminal of group dialout)'


def drop_ins_are_taken(world):
    """The examples as an administrator would use them, all at once."""
    m = world.machine
    m.run("addgroup", "--quiet", "--system", "gpio")
    m.run("sh", "-c", f"mkdir -p {DROP_INS} && cp /usr/share/doc/tideline/examples/*.conf {DROP_INS}/")
    m.run("systemctl", "daemon-reload")
    said = m.run("systemd-analyze", "verify", "--man=no", AGENT)
    check(said.strip() == "", f"systemd-analyze verify:\n{said}")
    m.run("systemctl", "restart", AGENT)
    allowed = m.show(AGENT, "DeviceAllow")
    groups = {m.run("getent", "group", g).split(":")[2] for g in ("gpio", "dialout")}
    have = set(re.search(r"^Groups:\s*(.*)$", pathlib.Path(f"/proc/{m.host_pid(AGENT)}/status").read_text(), re.M).group(1).split())
    check("char-ttyUSB" in allowed and "char-gpiochip" in allowed and groups <= have, f"devices {allowed}, groups {have}")
    m.run("sh", "-c", f"rm {DROP_INS}/*.conf")
    m.run("systemctl", "daemon-reload")
    m.run("systemctl", "restart", AGENT)
    return "all examples at once: verified, agent runs with the groups gpio and dialout (a GPIO chip is not in a container: opening one is not tried)"


def remove_keeps_and_purge_removes(world):
    m = world.machine
    text = m.path(CONFIG).read_text()
    world.apt("remove", "tideline", "tideline-hub")
    check(m.run("systemctl", "is-active", AGENT, code=None).strip() == "inactive" and not m.path("/usr/bin/tideline").exists(), "remove leaves it running")
    check(m.path(STATE + "/identity").is_dir() and m.path(CONFIG).read_text() == text, "remove took state or configuration")
    world.install(world.packages)
    world.wait_active()
    lost = world.check_nothing_lost()
    check(m.path(CONFIG).read_text() == text, "the configuration is not the one of before")
    world.apt("purge", "tideline", "tideline-hub")
    left = m.run("sh", "-c", "find / -xdev -name '*tideline*' -not -path '/proc/*' -not -path '/var/log/*' -not -path '/var/cache/*.deb' -not -path '/tmp/*'").split()
    check(left in ([], [DROP_INS]), f"left after purge: {left}")
    return f"after remove and install again: {lost}; after purge nothing is left but the users"


STEPS = [packages_please_the_checker, install_starts_and_enables, status_and_journal_tell, hub_waits_for_init, agent_enrols_and_syncs, reload_takes_a_new_sensor,
         wrong_file_at_start_is_not_tried_again, watchdog_restarts_what_hangs, kill_loses_nothing_acknowledged, boot_brings_it_back,
         upgrade_keeps_backlog_and_configuration, hub_has_everything_once, serial_line_needs_its_drop_in, drop_ins_are_taken, remove_keeps_and_purge_removes]


def field(package, name):
    return subprocess.run(["dpkg-deb", "-f", package, name], capture_output=True, text=True, check=True).stdout.strip()


def as_previous(package, directory):
    """The same program as an older package with other defaults in its configuration."""
    tree = directory / package.stem
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*", f"Version: {PREVIOUS}", control.read_text()))
    for config in (tree / "etc/tideline").iterdir():
        text = config.read_text()
        config.write_text("# of an older version\n" + (text.replace("[hub]", "[older]") if config.name == "hub.toml" else text))
    older = directory / f"{field(package, 'Package')}_{PREVIOUS}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, older], check=True, capture_output=True)
    shutil.rmtree(tree)
    return older


def run_steps(world):
    for number, step in enumerate(STEPS, 1):
        start = time.monotonic()
        try:
            said = step(world)
        except (Failure, OSError, subprocess.SubprocessError) as error:
            print(f"FAILED  {step.__name__}  {time.monotonic() - start:.1f} s: {error}", flush=True)
            print(f"package tests: {number - 1} passed, 1 failed, {len(STEPS) - number} not run")
            raise
        print(f"ok      {step.__name__}  {time.monotonic() - start:.1f} s: {said}", flush=True)
    print(f"package tests: {len(STEPS)} passed, 0 failed")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/release")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("package tests: a container with systemd needs root: sudo make package-test")
    packages = sorted(pathlib.Path(options.build).resolve().glob("packages/*.deb"))
    if {field(p, "Package") for p in packages} != {"tideline", "tideline-hub"}:
        sys.exit(f"package tests: {options.build}/packages should hold the packages tideline and tideline-hub: make package")
    needed = {re.split(r"[ |]", part.strip())[0] for p in packages for part in field(p, "Depends").split(",")}
    with tempfile.TemporaryDirectory(prefix="tideline-") as name:
        directory = pathlib.Path(name)
        try:
            base = base_tree(ROOT / "build/package-test", needed)
            previous = [as_previous(p, directory) for p in packages]
            with Machine(base, directory / "machine") as machine:
                world = World(machine, packages, previous, directory)
                world.version = field(packages[0], "Version")
                run_steps(world)
        except (Failure, OSError, subprocess.SubprocessError) as error:
            print(f"package tests: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
