"""What the jobs against peers share: certificates, free ports, waiting for a file to grow to its end, rows."""
import contextlib
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from job_mix import Mix
from measure import Watch, cpu_seconds, sent_bytes


def missing(*commands):
    """What is not installed, for the report."""
    gone = [c for c in commands if shutil.which(c) is None]
    return f"{', '.join(gone)} not installed" if gone else ""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificates(directory):
    """A certificate authority and one certificate for localhost, for both ends: EC P-256."""
    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, cwd=directory)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=bench ca", "-days", "2")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "own.key", "-out", "own.csr", "-subj", "/CN=localhost")
    (directory / "own.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "own.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", "own.crt", "-days", "2", "-extfile", "own.ext")
    return {name: directory / name for name in ("ca.crt", "own.crt", "own.key")}


def built(source, *libraries):
    """Our small program beside a peer's library; what is missing raises."""
    program = pathlib.Path(tempfile.mkdtemp(prefix="tideline-peer-")) / source.stem
    done = subprocess.run(["g++", "-std=c++20", "-O2", str(source), "-o", str(program), *(f"-l{one}" for one in libraries)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{source.name} cannot be built (lib{libraries[0]}-dev not installed?)")
    return program


@contextlib.contextmanager
def started(*words, directory, name, env=None):
    """A process that is stopped by its id when the block ends."""
    with open(directory / f"{name}.log", "ab") as log:
        child = subprocess.Popen([str(w) for w in words], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory, env=env)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def wait_port(port, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port}")


def json_lines(count):
    """One reading a line as a JSON object, as programs would send them to a log shipper."""
    return Mix().lines(count, influx=False)


def grown(path, lines, most, pids=(), watch=None):
    """Waits until the file has that many lines; returns (seconds from its first byte, when that came)."""
    first, size, count = None, 0, 0
    deadline = time.monotonic() + most
    while time.monotonic() < deadline:
        now = path.stat().st_size if path.exists() else 0
        if now and first is None:
            first = time.monotonic()
        if now != size:
            with open(path, "rb") as file:
                file.seek(size)
                count += file.read(now - size).count(b"\n")
            size = now
        if count >= lines:
            return time.monotonic() - first
        if watch:
            watch.look()
        time.sleep(0.02)
    raise RuntimeError(f"only {count:,} of {lines:,} lines after {most} s")


def rows(subject, durable, got, note=""):
    """The same jobs and metrics as edge.py has for Tideline."""
    names = {
        "ingest": ("edge ingest, link down", "readings", "1/s"), "ingest_cpu": ("edge ingest, link down", "agent processor", "s/M"),
        "pss": ("edge ingest, link down", "agent memory, peak PSS", "MB"), "drain": ("drain to the hub", "readings", "1/s"),
        "wire": ("drain to the hub", "bytes on the wire", "B/reading"), "drain_cpu": ("drain to the hub", "agent processor", "s/M"),
        "hub_cpu": ("drain to the hub", "hub processor", "s/M"),
    }
    return [{"job": job, "subject": subject, "metric": metric, "unit": unit, "values": got[key], "durable": durable, "note": note if key == "ingest" else ""}
            for key, (job, metric, unit) in names.items() if got.get(key)]


__all__ = ["Watch", "built", "certificates", "cpu_seconds", "free_port", "grown", "json_lines", "missing", "pathlib", "rows", "sent_bytes", "started", "wait_port"]
