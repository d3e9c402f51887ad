"""An emulated board: qemu, a shell on it, what its writer tells, the power cut. Everything is stopped by process id."""
import pathlib
import re
import select
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from harness import Failure, check  # noqa: E402

# An emulated board on a busy machine is slow: a deadline says that something hangs, never that it is slow.
BOOT_SECONDS = 600
COMMAND_SECONDS = 300


class Event:
    """A line of the writer (guest/writer) with the moment at which this machine had it."""

    def __init__(self, words):
        self.wall = time.time()
        self.kind = words[0]
        self.text = " ".join(words[1:])
        self.uptime = None
        if self.kind in ("synced", "handed"):
            self.first, self.last, self.uptime = int(words[1]), int(words[2]), float(words[3])
        elif self.kind == "start":
            self.uptime = float(words[1])


class Board:
    """One boot, from power on to cut() or off(). The disk outlives it."""

    def __init__(self, image, disk, directory, boot):
        self.boot = boot
        self.directory = pathlib.Path(directory)
        self.console = self.directory / f"console-{boot}.log"
        self.events = []
        self.commands = 0
        self.listeners = [self._listen(name) for name in ("shell", "writer")]
        self.output = open(self.directory / f"qemu-{boot}.log", "wb")
        self.started_wall = time.time()
        self.started = time.monotonic()
        self.child = subprocess.Popen(self._command(pathlib.Path(image), disk), stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output)
        self.shell_port, self.writer_port = [self._accept(listener) for listener in self.listeners]
        self.buffer = b""
        self.reader = threading.Thread(target=self._read_writer, daemon=True)
        self.reader.start()

    def _listen(self, name):
        path = self.directory / f"{name}.sock"
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(1)
        listener.settimeout(60)
        return listener

    def _accept(self, listener):
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            self.cut()
            raise Failure(f"qemu did not start:\n{pathlib.Path(self.output.name).read_text(errors='replace')}") from None
        return connection

    def _command(self, image, disk):
        ports = []
        for number, name in enumerate(("shell", "writer"), start=1):
            ports += ["-chardev", f"socket,id={name},path={self.directory / name}.sock", "-device", f"virtserialport,chardev={name},nr={number}"]
        # cache=writeback: the guest's writes are in this machine's page cache, where the end of qemu does not touch them; its flushes
        # are passed on. -rtc: no battery.
        return ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53", "-accel", "tcg,thread=multi", "-smp", "2", "-m", "512",
                "-rtc", "base=1970-01-01T00:00:00", "-kernel", image / "vmlinuz", "-initrd", image / "initrd",
                "-append", f"console=ttyAMA0 root=/dev/vda rw quiet systemd.show_status=1 TERM=dumb board.boot={self.boot}",
                "-drive", f"if=none,id=disk,file={disk},format=raw,cache=writeback", "-device", "virtio-blk-pci,drive=disk",
                "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci",
                "-device", "virtio-serial-pci", *ports, "-serial", f"file:{self.console}", "-display", "none", "-monitor", "none", "-no-reboot"]

    def _read_writer(self):
        rest = b""
        while True:
            try:
                data = self.writer_port.recv(65536)
            except OSError:
                return
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                words = line.decode(errors="replace").split()
                if words:
                    self.events.append(Event(words))

    def of(self, kind):
        return [event for event in list(self.events) if event.kind == kind]

    def run(self, command, seconds=COMMAND_SECONDS):
        """Runs it in the root shell of the board; returns (code, output)."""
        self.commands += 1
        mark = f"end-of-command-{self.commands}"
        self.shell_port.sendall(f"{{ {command}\n}} </dev/null 2>&1; printf '\\n{mark}:%d\\n' $?\n".encode())
        deadline = time.monotonic() + seconds
        while True:
            found = re.search(rb"\n%s:(\d+)\n" % mark.encode(), self.buffer)
            if found:
                output = self.buffer[:found.start()].decode(errors="replace").strip("\n")
                self.buffer = self.buffer[found.end():]
                return int(found.group(1)), output
            left = deadline - time.monotonic()
            if left <= 0 or self.child.poll() is not None:
                raise Failure(f"boot {self.boot}: no answer to '{command[:80]}' within {seconds} s; the board's console:\n{self.console_tail()}")
            if select.select([self.shell_port], [], [], min(left, 1))[0]:
                self.buffer += self.shell_port.recv(65536)

    def ok(self, command, seconds=COMMAND_SECONDS):
        """Runs it, expects success, returns what it printed."""
        code, output = self.run(command, seconds)
        check(code == 0, f"boot {self.boot}: '{command[:200]}' ended with {code}:\n{output[-3000:]}")
        return output

    def write(self, path, text):
        self.ok(f"cat >{path} <<'END-OF-FILE'\n{text}\nEND-OF-FILE")

    def wait(self, condition, what, seconds=BOOT_SECONDS, pause=0.1):
        """Polls `condition` while the board lives; returns its value."""
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            check(self.child.poll() is None, f"boot {self.boot}: qemu ended while waiting for {what}; the board's console:\n{self.console_tail()}")
            check(time.monotonic() < deadline, f"boot {self.boot}: waited {seconds} s for {what}; the board's console:\n{self.console_tail()}")
            time.sleep(pause)

    def show(self, unit, *properties):
        text = self.ok(f"systemctl show {unit} -p {','.join(properties)}")
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def console_tail(self, lines=25):
        if not self.console.exists():
            return "(none)"
        return "\n".join("   " + line for line in self.console.read_text(errors="replace").splitlines()[-lines:])

    def cut(self):
        """The power goes: nothing on the board is told, nothing is flushed by it."""
        self.child.kill()
        self._end()

    def off(self):
        """A clean shutdown."""
        self.shell_port.sendall(b"systemctl poweroff\n")
        try:
            self.child.wait(BOOT_SECONDS)
        except subprocess.TimeoutExpired:
            self.cut()
            raise Failure(f"boot {self.boot}: did not power off; the board's console:\n{self.console_tail()}") from None
        self._end()

    def _end(self):
        self.child.wait()
        if hasattr(self, "reader"):
            self.reader.join(10)  # what the writer told before the end still counts
        for one in [*self.listeners, getattr(self, "shell_port", None), getattr(self, "writer_port", None)]:
            if one is not None:
                one.close()
        self.output.close()
