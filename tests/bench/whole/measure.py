"""What a process costs, as the kernel counts it: processor seconds, memory, bytes on a connection, bytes written to a block device."""
import contextlib
import os
import pathlib
import re
import subprocess
import tempfile
import time

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of the process and of its children that ended."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(f) for f in fields[11:15]) / TICK


def pss_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1000 * 1.024
    return 0.0


def sent_bytes(port):
    """Bytes that loopback connections to `port` sent so far, TLS included, TCP and IP headers not."""
    out = subprocess.run(["ss", "-tinH", "dst", f"127.0.0.1:{port}"], capture_output=True, text=True, check=False).stdout
    return sum(int(n) for n in re.findall(r"bytes_sent:(\d+)", out))


class Watch:
    """Peak PSS of processes while something runs: call look() now and then."""

    def __init__(self, *pids):
        self.pids = pids
        self.peak = [0.0] * len(pids)

    def look(self):
        for i, pid in enumerate(self.pids):
            with contextlib.suppress(OSError):
                self.peak[i] = max(self.peak[i], pss_mb(pid))


class Disk:
    """A directory on an ext4 file system of its own (default journal) in a file, so that its block counters see our writes alone.

    Needs root and loop devices; `available` says why not otherwise.
    """

    def __init__(self, directory, size_mb=2048):
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=directory))
        self.image = self.directory / "disk.img"
        self.mount = self.directory / "disk"
        self.loop = ""
        self.available = ""
        self.mount.mkdir()
        try:
            with open(self.image, "wb") as file:
                for _ in range(size_mb):  # written, not sparse: allocation of the file below must not be measured
                    file.write(bytes(1 << 20))
            subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True, capture_output=True)
            self.loop = subprocess.run(["losetup", "--show", "--direct-io=on", "-f", self.image], check=True, capture_output=True, text=True).stdout.strip()
            subprocess.run(["mount", "-o", "noatime", self.loop, self.mount], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.available = f"no loop device here: {getattr(error, 'stderr', b'') or error}"
            self.close()

    def written_bytes(self):
        subprocess.run(["sync", "-f", self.mount], check=False)
        fields = pathlib.Path(f"/sys/block/{pathlib.Path(self.loop).name}/stat").read_text().split()
        return int(fields[6]) * 512

    def flushes(self):
        fields = pathlib.Path(f"/sys/block/{pathlib.Path(self.loop).name}/stat").read_text().split()
        return int(fields[15]) if len(fields) > 15 else 0

    def close(self):
        subprocess.run(["umount", self.mount], check=False, capture_output=True)
        if self.loop:
            subprocess.run(["losetup", "-d", self.loop], check=False, capture_output=True)
        with contextlib.suppress(OSError):
            self.image.unlink()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def wait_idle(pid, seconds=0.5, most=60):
    """Until a process has used (nearly) no processor time for so long; the moment of its last work."""
    deadline = time.monotonic() + most
    busy_at, before = time.monotonic(), cpu_seconds(pid)
    while time.monotonic() < deadline and time.monotonic() - busy_at < seconds:
        time.sleep(0.05)
        now = cpu_seconds(pid)
        if now - before > 0.011:
            busy_at = time.monotonic()
        before = now
    return busy_at
