"""What the conformance parts have in common: the report, the third-party programs, and the site they run against."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "system"))
import harness  # noqa: E402

PACKAGES = ROOT / "build" / "conformance"
MODULES = PACKAGES / "node_modules"
FIXTURE_DEVICE = "fixture"
CHILDREN_DEVICE = "children"


class Report:
    """Counts and prints: one line for each check that failed or did not apply, one for each group that went well."""

    def __init__(self, verbose=False):
        self.passed = self.failed = self.inapplicable = 0
        self.verbose = verbose

    def ok(self, name, quiet=True):
        self.passed += 1
        if self.verbose or not quiet:
            print(f"ok      {name}", flush=True)

    def fail(self, name, text):
        self.failed += 1
        print(f"FAILED  {name}: {text}", flush=True)

    def not_applicable(self, name, why):
        self.inapplicable += 1
        if self.verbose:
            print(f"n/a     {name}: {why}", flush=True)

    def run(self, name, check):
        """`check` is a function that raises harness.Failure; True when it did not."""
        try:
            check()
        except Exception as error:  # noqa: BLE001: a check may fail in any way
            self.fail(name, f"{'' if isinstance(error, harness.Failure) else type(error).__name__ + ' '}{error}")
            return False
        self.ok(name)
        return True


def node_environment(directory):
    """Nothing of the caller's but a path with our Node.js first; HOME so that no program writes into the real one."""
    return {"PATH": f"{PACKAGES / 'bin'}:{os.environ['PATH']}", "HOME": str(directory), "MCP_INSPECTOR_SECRET_STORE": "memory", "NO_COLOR": "1",
            "TERM": "dumb", "LANG": "C.UTF-8"}


def run_program(arguments, directory, seconds, **more):
    """Runs to the end; returns (code, stdout, stderr). Code 124 when it took too long; the whole process group is ended then."""
    child = subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env={**node_environment(directory), **more}, start_new_session=True, text=True, errors="replace", cwd=directory)
    try:
        out, error = child.communicate(timeout=seconds)
        return child.returncode, out, error
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, 9)
        out, error = child.communicate()
        return 124, out, f"{error}\nstopped after {seconds} s"


def prepare_packages():
    code, out, error = harness.run([HERE / "setup"], 600)
    harness.check(code == 0, f"setup failed:\n{out}{error}")
    # Modules are found from where a script lies, so ours are run from beside the packages.
    target = PACKAGES / "clients"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(HERE / "clients", target)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def toml_list(values):
    return "[" + ", ".join('"' + str(v) + '"' for v in values) + "]"


class World:
    """One hub with two devices: `fixture` shows the fixture's tools under their own names, `children` two third-party servers.

    Made when a part first asks for it, so that parts which need no hub do not wait for one.
    """

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.site_ = None
        self.http_port = 0

    @property
    def fixture(self):
        return self.build / "tests" / "conformance_fixture"

    @property
    def site(self):
        if self.site_ is None:
            self.site_ = harness.Site(self.build)
            self._start(self.site_)
        return self.site_

    @property
    def directory(self):
        return self.site.directory

    def close(self, failed):
        if self.site_ is None:
            return
        for agent in self.site_.agents:  # by SIGTERM first: an agent then ends its children too
            with contextlib.suppress(Exception):
                agent.process.stop(5)
        self.site_.__exit__(RuntimeError if failed else None, None, None)

    def url(self, device=None):
        self.site  # noqa: B018: starts it
        return f"http://127.0.0.1:{self.http_port}/mcp" + (f"/device/{device}" if device else "")

    def agent(self, name):
        return next(a for a in self.site.agents if a.name == name)

    def mcp_command(self, name):
        return self.agent(name).command("mcp")

    def _start(self, site):
        self.http_port = free_port()
        site.init_hub()
        site.hub_extra = f"[http]\nloopback_port = {self.http_port}\n"
        site.start_hub()
        memory = site.directory / "memory.json"
        server = lambda name: toml_list([PACKAGES / "bin" / "node", MODULES / "@modelcontextprotocol" / name / "dist" / "index.js"])  # noqa: E731
        site.agent(FIXTURE_DEVICE, extra=f'[child.fixture]\ncommand = {toml_list([self.fixture])}\nprefix = ""\n')
        site.agent(CHILDREN_DEVICE, extra=f'[child.everything]\ncommand = {server("server-everything")}\n\n'
                                          f'[child.memory]\ncommand = {server("server-memory")}\nenv = {{ MEMORY_FILE_PATH = "{memory}" }}\n')
        for agent in site.agents:
            agent.start(env={**os.environ, "SECRET_OF_THE_AGENT": "1"})
        for agent, tool in ((FIXTURE_DEVICE, "test_simple_text"), (CHILDREN_DEVICE, "everything__echo"), (CHILDREN_DEVICE, "memory__read_graph")):
            harness.wait_until(lambda a=agent, t=tool: t in self.tool_names(a), 60, f"tool {tool} of {agent} at the hub")

    def tool_names(self, device):
        import http_client
        try:
            return [t["name"] for t in http_client.Client(self.url(device)).modern("tools/list")["result"]["tools"]]
        except (OSError, KeyError, ValueError):
            return []
