#!/usr/bin/env python3
"""MCP over standard input and output: calls of `latest`, one in flight and 64; from start to the first answer; what a call costs.

tideline as a bridge to the daemon and direct (no daemon: the process is the agent), in both eras, against servers made with the TypeScript SDK
whose `latest` answers the same result from memory, and two limits: libuv and cJSON that parse and answer, and cat that sends back. CPU and memory
of tideline's bridge are those of bridge and daemon together.
"""
import json
import statistics
import subprocess
import tempfile

from mcp_peers import (ENVELOPE, INITIALIZE, QUIET, SDK, SDK_VERSIONS, Rows, Site, call_params, check, driver, main, message, sdk_command,
                       sdk_directory)

SERIES = 16
ASKED = {"series": "temp"}
PLACE = "##########"
WARM = {"tideline": 500, "sdk": 3000, "limit": 500}


def script(path, modern):
    """The words of stdio_load: greeting of the era, then the call."""
    lines = []
    if modern:
        lines.append("ask " + message("server/discover", {"_meta": ENVELOPE}, 1))
    else:
        lines.append("ask " + message("initialize", INITIALIZE, 1))
        lines.append("tell " + message("notifications/initialized", {}))
    lines.append("expect structuredContent")
    lines.append("call " + message("tools/call", call_params("latest", ASKED, modern), PLACE))
    path.write_text("\n".join(lines) + "\n")
    return path


def echo_script(path, expect):
    path.write_text(f"expect {expect}\ncall {message('tools/call', call_params('latest', ASKED, True), PLACE)}\n")
    return path


class Subject:
    def __init__(self, name, script_file, command, daemon=None, note=""):
        self.name = name
        self.script = script_file
        self.command = [str(word) for word in command]
        self.daemon = daemon
        self.note = note

    def load(self, context, *options):
        accounted = ["--account", self.daemon.pid] if self.daemon else []
        words = [driver(context, "stdio_load"), self.script, *options, *accounted, "--", *self.command]
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120, check=False)
        check(done.returncode == 0, f"{self.name}: {done.stderr[-600:]}")
        return json.loads(done.stdout)


def prepare_agent(site, name):
    """An agent of this device alone, with readings; no hub is needed."""
    agent = site.agent(name, port=1, extra=QUIET, enroll=False)
    agent.run("record", *(f"s{i:02}={20 + i / 10}" for i in range(SERIES - 1)), "temp=21.4")
    return agent


def ask_once(context, subject):
    """The result of one call, for the peers to repeat."""
    words = [line.split(" ", 1) for line in subject.script.read_text().splitlines()]
    sent = [rest.replace(PLACE, "1000000000") for verb, rest in words if verb in ("ask", "tell", "call")]
    child = subprocess.Popen(subject.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    child.stdin.write("\n".join(sent) + "\n")
    child.stdin.flush()
    while True:
        line = child.stdout.readline()
        check(line, f"{subject.name} ended without an answer")
        if '"id":1000000000' in line:
            break
    child.stdin.close()
    child.wait(10)
    result = json.loads(line)["result"]
    check(not result.get("isError"), line)
    return {"content": result["content"], "structuredContent": result["structuredContent"]}


def subjects_of(context, site):
    scratch = site.directory
    modern, legacy = script(scratch / "modern.script", True), script(scratch / "legacy.script", False)
    beside, alone = prepare_agent(site, "beside"), prepare_agent(site, "alone")
    daemon = beside.start()
    bridge, direct = beside.command("mcp"), alone.command("mcp")
    both = "CPU and PSS of bridge and daemon together"
    found = [Subject("tideline", modern, bridge, daemon, f"bridge to the daemon, 2026-07-28; {both}"),
             Subject("tideline: direct", modern, direct, None, "no daemon, 2026-07-28"),
             Subject("tideline: legacy", legacy, bridge, daemon, f"bridge, 2025-11-25; {both}"),
             Subject("tideline: direct, legacy", legacy, direct, None, "no daemon, 2025-11-25")]
    result = scratch / "result.json"
    result.write_text(json.dumps(ask_once(context, found[0])))
    sdk = sdk_directory(context)
    if sdk:
        for version, name, era in (("1", SDK.format(1), legacy), ("2", SDK.format(2), modern), ("2", SDK.format(2) + ": legacy", legacy)):
            found.append(Subject(name, era, sdk_command(sdk, version, "stdio", result), None, f"{SDK_VERSIONS[version]}, the same result from memory"))
    found.append(Subject("limit: libuv and cJSON", echo_script(scratch / "floor.script", "structuredContent"),
                         [driver(context, "stdio_floor"), result], None, "parses the request, prints the same result"))
    found.append(Subject("limit: cat", echo_script(scratch / "cat.script", "latest"), ["cat"], None, "sends the request back"))
    return found


def add_load(rows, job, subject, load):
    rows.add(job, subject.name, "calls", "calls/s", load["calls_s"], subject.note)
    rows.add(job, subject.name, "p50", "us", load["p50_us"], subject.note)
    rows.add(job, subject.name, "p99", "us", load["p99_us"], subject.note)
    rows.add(job, subject.name, "server CPU a call", "us", sum(one["cpu_us"] for one in load["servers"]), subject.note)
    rows.add(job, subject.name, "PSS", "MB", sum(one["pss_kib"] for one in load["servers"]) / 1024, subject.note)


def run(context):
    rows = Rows()
    tempfile.tempdir = str(context.directory)
    with Site(context.programs) as site:
        subjects = subjects_of(context, site)
        for _ in range(context.repeats):
            for subject in subjects:
                kind = subject.name.split()[0].rstrip(":")
                for window, job in ((1, "mcp stdio, 1 in flight"), (64, "mcp stdio, 64 in flight")):
                    load = subject.load(context, "--window", window, "--seconds", context.seconds, "--warm", WARM[kind])
                    add_load(rows, job, subject, load)
                    if load["driver_cpu_us"] > 0.8 * 1e6 / load["calls_s"]:
                        context.log(f"{job}: {subject.name}: the driver was busy {load['driver_cpu_us']:.1f} us a call: a lower bound")
                starts = [subject.load(context, "--first")["first_us"] / 1000 for _ in range(1 if context.quick else 3)]
                rows.add("mcp stdio, start", subject.name, "first answer", "ms", statistics.median(starts), "spawn to the first answer of latest")
                context.log(f"{subject.name}: {load['calls_s']:,.0f} calls/s with 64 in flight, first answer after {starts[0]:.1f} ms")
    return rows.list()


if __name__ == "__main__":
    main(run, __doc__.splitlines()[0])
