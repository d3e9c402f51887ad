"""What the MCP benchmarks share: a context to run one alone, rows, the SDK servers, what a process costs."""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "system"))
from harness import Failure, Process, Site, check, wait_until  # noqa: E402,F401

MODERN = "2026-07-28"
LEGACY = "2025-11-25"
ENVELOPE = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
INITIALIZE = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
QUIET = "".join(f'[input.{name}]\ntype = "{name}"\nenabled = false\n\n' for name in ("host", "hwmon", "thermal"))
SDK = "sdk {0}.x"
SDK_VERSIONS = {"1": "@modelcontextprotocol/sdk 1.32.2", "2": "@modelcontextprotocol/server 2.4.0"}


class Context:
    """What run(context) is given; made here when a module is run by itself."""

    def __init__(self, build, seconds, repeats, quick, directory):
        self.build = self.programs = pathlib.Path(build).resolve()
        self.seconds = seconds
        self.repeats = repeats
        self.quick = quick
        self.directory = pathlib.Path(directory)
        self.options = None

    def log(self, text):
        print(text, file=sys.stderr, flush=True)


class Rows:
    """Values in the order of the repeats, one row per job, subject and metric."""

    def __init__(self):
        self.rows = {}

    def add(self, job, subject, metric, unit, value, note=""):
        row = self.rows.setdefault((job, subject, metric), dict(job=job, subject=subject, metric=metric, unit=unit, values=[], note=note))
        row["values"].append(value)

    def list(self):
        return list(self.rows.values())


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def message(method, params, number=None):
    """One JSON-RPC message; `number` may be the placeholder of stdio_load."""
    text = compact({"jsonrpc": "2.0", "id": "@", "method": method, "params": params})
    return text.replace('"id":"@",', "") if number is None else text.replace('"@"', str(number), 1)


def call_params(name, arguments, modern):
    return {"name": name, "arguments": arguments, **({"_meta": ENVELOPE} if modern else {})}


def driver(context, name):
    """A program of the target bench_drivers."""
    path = context.build / "tests" / name
    check(path.exists(), f"{path} is missing: ninja -C {context.build} bench_drivers")
    return path


def sdk_directory(context):
    """Where the SDK servers are installed, or None with the reason logged: then they are not run."""
    target = HERE.parents[2] / "build" / "bench" / "sdk"
    done = subprocess.run([str(HERE / "sdk" / "setup"), str(target)], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode == 0:
        return target
    context.log(f"sdk 1.x, sdk 2.x: not run: {done.stderr.strip()[-300:]}")
    return None


def sdk_command(directory, version, way, result, *tls):
    return [directory / "bin" / "node", directory / "server.mjs", version, way, result, *tls]


class SdkServer(Process):
    """An SDK server over HTTP; `port` when it listens."""

    def __init__(self, directory, version, way, result, scratch, *tls):
        super().__init__(sdk_command(directory, version, way, result, *tls), scratch, f"sdk{version}-{way}")
        self.port = int(self.wait_for(r"listening on 127\.0\.0\.1:(\d+)", 30).group(1))


def cpu_seconds(pid):
    """On a processor, all threads that are alive, to the nanosecond (stat has hundredths of a second)."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except OSError:
            pass
    return total / 1e9


def memory_kib(pid, key="Pss"):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1])
    return 0


def main(run, description, more=None):
    """Runs one module by itself and prints its rows. `more` adds options of its own, which stand in the context."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    if more:
        more(parser)
    options = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="bench-")
    context = Context(options.build, options.seconds, options.repeats, options.quick, directory)
    context.options = options
    try:
        rows = run(context)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    for row in rows:
        values = " ".join(f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}" for value in row["values"])
        print(f'{row["job"]:<34} {row["subject"]:<28} {row["metric"]:<22} {values} {row["unit"]}  {row["note"]}')
