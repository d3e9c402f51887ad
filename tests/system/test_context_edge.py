"""The context at the edge: command line, MCP over stdio, and what is left after kill -9."""
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time

from harness import check, lone_agent, wait_until
from mcp_stdio import Stdio, check_schema

QUIET = '[input.host]\nenabled = false\n[context.entry."pump/*/setpoint"]\ntype = "number"\nminimum = 0\nmaximum = 10\n[context.entry.mode]\nenum = ["eco", "full"]\n'


def edge(build, daemon):
    return lone_agent(build, daemon, QUIET)


def tideline(agent, *words):
    """(code, stdout, stderr) of a command that may fail."""
    done = subprocess.run([str(a) for a in agent.command(*words)], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def expect(agent, words, code, text):
    got, out, err = tideline(agent, *words)
    check(got == code and text in out + err, f"{words}: exit {got}, wanted {code} and '{text}': {out}{err}")
    return out


def check_commands(agent):
    expect(agent, ["context", "set", "mode", '"eco"'], 0, "Durable")
    check(expect(agent, ["context", "get", "mode"], 0, "eco") == '"eco"\n', "the value alone")
    expect(agent, ["context", "set", "mode", "eco"], 2, "--text")
    expect(agent, ["context", "set", "mode", "off", "--text"], 2, "must be one of")
    expect(agent, ["context", "set", "pump/7/setpoint", "10.5"], 2, "at most 10")
    expect(agent, ["context", "set", "desired/mode", "1"], 3, "written at the hub")
    expect(agent, ["context", "get", "nothing"], 1, "nothing is there")
    expect(agent, ["context", "set", "/mode", "1"], 2, "a path")
    written = json.loads(expect(agent, ["context", "set", "job", '{"step": 1, "of": 12345678901234567890}', "--json"], 0, ""))
    check(written["writer"] == "device" and written["version"].endswith("-d"), f"{written}")
    expect(agent, ["context", "set", "job", '{"step": 2}', "--merge", "--if-version", written["version"]], 0, "12345678901234567890")
    expect(agent, ["context", "set", "job", "3", "--if-version", written["version"]], 1, "the version is")
    history = json.loads(expect(agent, ["context", "get", "job", "--history", "--json"], 0, ""))["history"]
    check([one["value"]["step"] for one in history] == [2, 1], f"{history}")
    listed = [json.loads(line)["path"] for line in expect(agent, ["context", "list", "--json"], 0, "").splitlines()]
    check(listed == ["job", "mode"], f"{listed}")
    expect(agent, ["context", "set", "soon", "1", "--ttl", "1s"], 0, "expires")
    wait_until(lambda: tideline(agent, "context", "get", "soon")[0] == 1, 10, "the end of an entry")
    expect(agent, ["context", "delete", "mode"], 0, "Durable")
    expect(agent, ["context", "delete", "mode"], 1, "nothing is there")


def test_commands_with_and_without_a_daemon(build):
    for daemon in (True, False):
        with edge(build, daemon) as agent:
            check_commands(agent)


def test_watch_prints_changes_as_they_come(build):
    with edge(build, daemon=False) as agent:
        expect(agent, ["context", "watch"], 4, "no agent runs")
    with edge(build, daemon=True) as agent:
        watch = subprocess.Popen([str(a) for a in agent.command("context", "watch", "pump", "--json")], stdout=subprocess.PIPE, text=True)
        try:
            deadline = time.monotonic() + 20
            seen = []
            reader = threading.Thread(target=lambda: seen.append(json.loads(watch.stdout.readline())), daemon=True)
            reader.start()
            while not seen and time.monotonic() < deadline:  # the watch begins when it begins
                expect(agent, ["context", "set", "other", "1"], 0, "")
                expect(agent, ["context", "set", "pump/1", "5"], 0, "")
                reader.join(0.2)
            check(seen and seen[0]["path"] == "pump/1" and seen[0]["value"] == 5, f"{seen}")
        finally:
            watch.kill()
            watch.wait()


def test_tools_answer_as_their_schemas_say(build):
    for daemon in (True, False):
        with edge(build, daemon) as agent, Stdio(agent) as app:
            schemas = {tool["name"]: tool for tool in app.result("tools/list")["tools"]}
            for name, arguments in [("context_set", {"path": "pump/7/setpoint", "value": 5}), ("context_get", {"path": "pump/7/setpoint", "history": 3}),
                                    ("context_list", {"prefix": "pump"}), ("context_delete", {"path": "pump/7/setpoint"}), ("context_get", {"path": "pump/7/setpoint"})]:
                answer = app.tool(name, **arguments)
                check_schema(schemas[name]["outputSchema"], answer, name)
            refused = app.result("tools/call", name="context_set", arguments={"path": "pump/7/setpoint", "value": 11})
            check(refused["isError"] and "at most 10" in refused["content"][0]["text"], f"{refused}")
            app.tool("context_set", path="note", value={"by": "me"})
            read = app.result("resources/read", uri="tideline://context/note")
            check(json.loads(read["contents"][0]["text"])["value"] == {"by": "me"} and 0 <= read["ttlMs"] <= 1000, f"{read}")
            templates = [one["uriTemplate"] for one in app.result("resources/templates/list")["resourceTemplates"]]
            check("tideline://context/{+path}" in templates, f"{templates}")


def test_a_subscriber_hears_of_a_change_made_elsewhere(build):
    with edge(build, daemon=True) as agent, Stdio(agent) as app:
        app.initialize()
        app.legacy("resources/subscribe", {"uri": "tideline://context/pump/7"})
        expect(agent, ["context", "set", "other", "1"], 0, "")
        expect(agent, ["context", "set", "pump/7", "5"], 0, "")
        heard = app.notification("notifications/resources/updated")["params"]["uri"]
        check(heard == "tideline://context/pump/7", heard)
        expect(agent, ["context", "delete", "pump/7"], 0, "")
        app.notification("notifications/resources/updated")


class Setter:
    """One connection that sets entries one after the other and remembers the acknowledged ones."""

    def __init__(self, agent):
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.settimeout(20)
        self.connection.connect(str(agent.state / "agent.sock"))
        self.lines = self.connection.makefile("rw")

    def set(self, path, value):
        """True when acknowledged; False when the agent is gone."""
        try:
            self.lines.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tideline/context_set", "params": {"path": path, "value": value}}) + "\n")
            self.lines.flush()
            line = self.lines.readline()
        except OSError:
            return False
        if not line.endswith("\n"):
            return False
        check("result" in json.loads(line), f"{path}: {line}")
        return True


def test_every_acknowledged_change_survives_kill_9(build):
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    with edge(build, daemon=False) as agent:
        acknowledged = {}
        number = 0
        rounds = 0
        while number < 200 or rounds < 3:  # a quiet machine makes them all in one round
            rounds += 1
            agent.start()
            setter = Setter(agent)
            killer = threading.Timer(chance.uniform(0.005, 0.3), lambda: os.kill(agent.process.pid, signal.SIGKILL))
            killer.start()
            while True:
                path = f"k/{number % 50}"
                number += 1
                if not setter.set(path, number):
                    break
                acknowledged[path] = number
            killer.join()
            agent.kill()
        agent.start()
        for path, value in acknowledged.items():
            # The one that was cut off may be there too: then it is newer.
            found = json.loads(expect(agent, ["context", "get", path], 0, ""))
            check(found >= value, f"seed {seed}: {path} is {found}, acknowledged was {value}")
        check(rounds > 1 and len(acknowledged) > 10, f"seed {seed}: {rounds} rounds, {len(acknowledged)} entries")
