"""A small Debian with systemd as its first process, in a container of its own network: for packages, units and what supervises them.

The tree is made once by mmdebstrap (build/package-test/SUITE) and copied for each run. Needs root; nothing of this machine changes.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))
from harness import Failure, check, wait_until  # noqa: E402

BASE = ["systemd", "systemd-sysv", "dbus", "adduser", "procps"]
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_PAGER": "",
               "SYSTEMD_COLORS": "0"}


def suite_here():
    """Packages that were built here depend on the libraries of this release."""
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=", 1)[1].strip('"')
    raise Failure("/etc/os-release names no release")


def archive_of(suite):
    got = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"], capture_output=True, text=True, check=True)
    for line in got.stdout.splitlines():
        uri, release = line.rsplit(" ", 1)
        if release.endswith(suite):
            return uri
    raise Failure(f"apt on this machine knows no archive of {suite}")


def base_tree(cache, packages):
    """The tree with `packages` and what they need: made when it is missing or was made for others."""
    suite = suite_here()
    tree = cache / suite
    stamp = " ".join(sorted({*BASE, *packages}))
    mark = cache / f"{suite}.packages"
    if mark.is_file() and mark.read_text() == stamp:
        return tree
    print(f"   making a small Debian {suite} in {tree}", flush=True)
    shutil.rmtree(tree, ignore_errors=True)
    cache.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "--aptopt=Apt::Install-Recommends \"false\"", "--include=" + ",".join(stamp.split()),
                           suite, str(tree), f"deb {archive_of(suite)} {suite} main"], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise Failure(f"mmdebstrap: {made.stderr[-2000:]}")
    mark.write_text(stamp)
    return tree


class Machine:
    """Use as a context manager: booted inside the block, gone after it."""

    def __init__(self, base, tree):
        self.tree = pathlib.Path(tree)
        shutil.rmtree(self.tree, ignore_errors=True)
        subprocess.run(["cp", "-a", "--reflink=auto", str(base), str(self.tree)], check=True)
        self.write("/etc/hosts", "127.0.0.1 localhost\n")
        self.write("/etc/hostname", "packaged\n")
        self.log = self.tree.with_suffix(".log")
        self.container = None
        self.leader = None

    def __enter__(self):
        self.boot()
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and self.leader:
            print("-- the journal's last lines\n" + self.run("journalctl", "--no-pager", "-o", "short-precise", "-n", "60", code=None), flush=True)
        self.halt()
        shutil.rmtree(self.tree, ignore_errors=True)

    def boot(self):
        command = ["systemd-nspawn", "--quiet", "-D", str(self.tree), "--machine=tideline-test", "--register=no", "--keep-unit", "--private-network", "--boot"]
        self.container = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=open(self.log, "wb"), stderr=subprocess.STDOUT)
        try:
            self.leader = wait_until(self._find_leader, 30, "systemd inside the container")
            wait_until(lambda: self.run("systemctl", "is-system-running", code=None).strip() in ("running", "degraded"), 60, "the container to boot")
        except Failure as failure:
            said = self.log.read_text(errors="replace")[-1500:]
            self.halt()
            raise Failure(f"{failure}; systemd-nspawn cannot run here, so nothing was tested. It said: {said or 'nothing'}") from None

    def halt(self):
        if self.container is None:
            return
        if self.leader and self.container.poll() is None:
            os.kill(self.leader, signal.SIGRTMIN + 4)  # poweroff
        else:
            self.container.terminate()
        try:
            self.container.wait(60)
        except subprocess.TimeoutExpired:
            self.container.kill()
            self.container.wait()
        self.container = self.leader = None

    def _find_leader(self):
        check(self.container.poll() is None, f"systemd-nspawn ended with code {self.container.returncode}")
        for pid in self._descendants(self.container.pid):
            try:
                if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "systemd":
                    return pid
            except OSError:
                pass
        return None

    def _descendants(self, pid):
        try:
            children = [int(c) for t in pathlib.Path(f"/proc/{pid}/task").iterdir() for c in (t / "children").read_text().split()]
        except OSError:
            return []
        return children + [d for c in children for d in self._descendants(c)]

    def run(self, *command, code=0, stdin=None, seconds=120):
        """Runs it as root inside; returns what it printed. `code` None: any."""
        done = subprocess.run(["nsenter", "-t", str(self.leader), "-a", "-w", "env", "-i", *(f"{k}={v}" for k, v in ENVIRONMENT.items()), *map(str, command)],
                              input=stdin if stdin is not None else "", capture_output=True, text=True, timeout=seconds, check=False)
        said = done.stdout + done.stderr
        check(code is None or done.returncode == code, f"{' '.join(map(str, command))}: exit code {done.returncode}, expected {code}\n{said}")
        return said

    def path(self, name):
        return self.tree / str(name).lstrip("/")

    def write(self, name, text):
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text)  # owner and mode of a file that exists stay

    def show(self, unit, name):
        """A property of a unit."""
        return self.run("systemctl", "show", "-P", name, unit).strip()

    def journal(self, unit):
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit)

    def host_pid(self, unit):
        """Of the unit's main process, as this side of the container sees it."""
        inside = self.show(unit, "MainPID")
        for pid in self._descendants(self.leader):
            try:
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            if any(line.startswith("NSpid:") and line.split()[-1] == inside for line in status.splitlines()):
                return pid
        raise Failure(f"{unit} has no main process")
