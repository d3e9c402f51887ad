"""MCP at the edge: `tideline mcp` with raw lines in both eras, as the agent itself and as a bridge to a daemon."""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

from harness import ROOT, check, lone_agent, pss_kib
from mcp_stdio import ENVELOPE, MODERN, Stdio, check_schema

LEGACY = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
QUIET = '[input.host]\nenabled = false\n[store]\nnormal_commit = "200ms"\n'
TOOLS = ["doctor", "latest", "list_series", "query", "record", "sync_now", "sync_status"]


def edge(build, daemon, extra=QUIET):
    return lone_agent(build, daemon, extra)


def check_built_in(names, text):
    check([n for n in names if n in TOOLS] == TOOLS, f"{text}: {names}")


def ingest(agent, lines):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(agent.state / "ingest.sock"))
        connection.sendall((lines + "\n#sync\n").encode())
        check(json.loads(connection.makefile().readline())["rejected"] == 0, "the line was refused")


def check_legacy(agent, version):
    with Stdio(agent) as app:
        opened = app.initialize(version)
        check(opened["protocolVersion"] == version, f"{version}: {opened}")
        check(opened["serverInfo"]["name"] == "tideline", f"{opened}")
        check(app.legacy("ping") == {}, "ping")
        check_built_in([t["name"] for t in app.legacy("tools/list")["tools"]], version)
        answer = app.legacy("tools/call", {"name": "record", "arguments": {"readings": [{"series": "temp{room=a}", "value": 21.5, "unit": "Cel"}]}})
        check("resultType" not in answer and answer["structuredContent"]["durable"] is True, f"record: {answer}")
        answer = app.legacy("tools/call", {"name": "query", "arguments": {"series": "temp"}})
        check(answer["structuredContent"]["series"][0]["points"][-1]["value"] == 21.5, f"query: {answer}")
        check("21.5" in answer["content"][0]["text"], f"the text has no value: {answer['content']}")
        check(len(app.legacy("resources/list")["resources"]) == 4, "resources")
        check("tideline://series/{name}" in [t["uriTemplate"] for t in app.legacy("resources/templates/list")["resourceTemplates"]], "templates")
        read = app.legacy("resources/read", {"uri": "tideline://series/temp%7Broom%3Da%7D"})
        check("ttlMs" not in read and json.loads(read["contents"][0]["text"])["series"][0]["key"] == "temp{room=a}", f"read: {read}")
        check([p["name"] for p in app.legacy("prompts/list")["prompts"]] == ["diagnose_device", "explain_outage"], "prompts")
        check("pump-7" in app.legacy("prompts/get", {"name": "diagnose_device"})["messages"][0]["content"]["text"], "prompt")
        if version != "2024-11-05":
            done = app.legacy("completion/complete", {"ref": {"type": "ref/resource", "uri": "tideline://series/{name}"}, "argument": {"name": "name", "value": "te"}})
            check(done["completion"]["values"] == ["temp{room=a}"], f"{done}")
        check(app.request("resources/read", {"uri": "tideline://nothing"})["error"]["code"] == -32002, "unknown resource")
        check(app.request("tools/call", {"name": "nothing"})["error"]["code"] == -32602, "unknown tool")
        check(app.legacy("tools/call", {"name": "query", "arguments": {"from": "yesterday-ish"}})["isError"], "a wrong time")
        check(app.close() == 0, "exit code")


def test_legacy_sessions_without_a_daemon(build):
    with edge(build, daemon=False) as agent:
        for version in LEGACY:
            check_legacy(agent, version)


def test_legacy_sessions_through_the_bridge(build):
    with edge(build, daemon=True) as agent:
        for version in LEGACY:
            check_legacy(agent, version)


def check_modern(agent):
    with Stdio(agent) as app:
        found = app.result("server/discover")
        check(found["supportedVersions"] == [MODERN] and found["resultType"] == "complete", f"{found}")
        listed = app.result("tools/list")
        check_built_in([t["name"] for t in listed["tools"]], "tools")
        check(listed["ttlMs"] > 0 and listed["cacheScope"] == "private", f"cache hint of the list: {listed['ttlMs']}")
        for tool in listed["tools"]:
            check(tool["inputSchema"]["type"] == "object" and tool["outputSchema"]["type"] == "object" and tool["description"] and "readOnlyHint" in tool["annotations"], f"{tool}")
        app.tool("record", readings=[{"series": "level", "value": 3, "unit": "m"}])
        newest = app.tool("latest", series="level")["series"][0]
        check(newest["latest"]["value"] == 3 and 0 <= newest["latest"]["age_s"] < 60, f"{newest}")
        read = app.result("resources/read", uri="tideline://status")
        check(read["ttlMs"] >= 0 and json.loads(read["contents"][0]["text"])["device"] == "pump-7", f"{read}")
        missing = app.modern("resources/read", uri="tideline://nothing")["error"]
        check(missing["code"] == -32602 and missing["data"] == {"uri": "tideline://nothing"}, f"{missing}")
        check(app.modern("ping")["error"]["code"] == -32601, "ping is gone")
        check(app.request("server/discover")["error"]["code"] == -32602, "discover without envelope")
        check(app.request("tools/list")["error"]["code"] == -32602, "no envelope and no session")
        # A legacy session on the same stream: a probe does not lock it.
        app.initialize()
        check("resultType" not in app.legacy("tools/list"), "legacy after modern")
        check("resultType" in app.result("tools/list"), "modern inside a session")
        check(app.close() == 0, "exit code")


def test_modern_requests_both_ways(build):
    for daemon in (False, True):
        with edge(build, daemon) as agent:
            check_modern(agent)


def test_listeners_hear_of_new_data(build):
    for daemon in (False, True):
        with edge(build, daemon) as agent, Stdio(agent) as app:
            app.tool("record", readings=[{"series": "temp", "value": 1}])
            app.send({"jsonrpc": "2.0", "id": "L", "method": "subscriptions/listen", "params": {
                "_meta": ENVELOPE, "notifications": {"toolsListChanged": True, "resourceSubscriptions": ["tideline://series/temp", "tideline://status"]}}})
            granted = app.notification("notifications/subscriptions/acknowledged")["params"]
            check(granted["notifications"]["resourceSubscriptions"] == ["tideline://series/temp", "tideline://status"], f"{granted}")
            ingest(agent, "temp v=2")
            heard = {app.notification("notifications/resources/updated")["params"]["uri"] for _ in range(2)}
            check(heard == {"tideline://series/temp", "tideline://status"}, f"{heard}")
            read = json.loads(app.result("resources/read", uri="tideline://series/temp")["contents"][0]["text"])
            check(read["series"][0]["points"][-1]["value"] == 2, f"{read}")
            app.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "L"}})
            app.result("tools/list")
            ingest(agent, "temp v=3")
            time.sleep(1.5)
            app.result("tools/list")
            check(not app.notifications, f"heard after the end: {app.notifications}")


def test_subscribers_of_a_session_hear_of_new_data(build):
    with edge(build, daemon=True) as agent, Stdio(agent) as app:
        app.initialize()
        app.legacy("tools/call", {"name": "record", "arguments": {"readings": [{"series": "temp", "value": 1}]}})
        app.legacy("resources/subscribe", {"uri": "tideline://series/temp"})
        agent.run("record", "temp=2", "other=1")
        check(app.notification("notifications/resources/updated")["params"]["uri"] == "tideline://series/temp", "what changed")
        app.legacy("resources/unsubscribe", {"uri": "tideline://series/temp"})
        agent.run("record", "temp=3")
        time.sleep(1.5)
        app.legacy("ping")
        check(not app.notifications, f"{app.notifications}")


def test_two_applications_at_once_without_a_daemon(build):
    with edge(build, daemon=False) as agent, Stdio(agent) as first:
        first.result("server/discover")
        with Stdio(agent) as second:
            first.tool("record", readings=[{"series": "shared", "value": 7}])
            check(second.tool("latest", series="shared")["series"][0]["latest"]["value"] == 7, "the second sees what the first stored")
            check(json.loads(agent.run("status", "--json"))["device"] == "pump-7", "commands find the agent too")
            check(first.close() == 0, "the first leaves")
            check(second.wait() == 4, f"the second ends with code 4, got {second.child.returncode}")
            second.threads[1].join(5)
            check("went away" in "".join(second.errors), f"it says why: {second.errors}")


def test_many_applications_start_at_the_same_time(build):
    with edge(build, daemon=False) as agent, contextlib.ExitStack() as stack:
        apps = [stack.enter_context(Stdio(agent)) for _ in range(6)]
        for app in apps:
            check_built_in([t["name"] for t in app.result("tools/list", seconds=20)["tools"]], "tools")


def test_a_killed_daemon_ends_its_bridges_and_loses_nothing(build):
    with edge(build, daemon=True) as agent, Stdio(agent) as app:
        app.tool("record", readings=[{"series": "kept", "value": i} for i in range(10)])
        agent.kill()
        start = time.monotonic()
        check(app.wait() == 4, f"exit code {app.child.returncode}")
        check(time.monotonic() - start < 2, "at once")
        app.threads[1].join(5)
        check("went away" in "".join(app.errors), f"{app.errors}")
        with Stdio(agent) as again:
            answer = again.tool("query", series="kept")
            check([p["value"] for p in answer["series"][0]["points"]] == list(range(10)), f"{answer}")


def test_silence_and_deafness_are_told_apart(build):
    with edge(build, daemon=True) as agent:
        agent.run("record", "temp=1")
        agent.stop()
        time.sleep(1.2)
        agent.start()
        time.sleep(1.2)
        with Stdio(agent) as app:
            def state(**arguments):
                return app.tool("query", series="temp", **arguments)["completeness"]
            check(state(**{"from": "-1s"})["state"] == "silent", f"{state(**{'from': '-1s'})}")
            down = state(**{"from": "-1h"})
            check(down["state"] == "partial" and "not_listening" in down, f"{down}")
            hole = app.tool("query", series="temp", **{"from": down["not_listening"]["from"], "to": down["not_listening"]["to"]})["completeness"]
            check(hole["state"] == "not_listening", f"{hole}")
            check(app.tool("query", series="none")["completeness"]["state"] == "unknown_series", "unknown series")
            check(app.tool("query", series="temp", **{"from": "2100-01-01"})["completeness"]["state"] == "future", "future")
            newest = app.tool("latest", series="temp")["series"][0]
            check(newest["latest"]["value"] == 1 and newest["since_then"] == "not_listening", f"{newest}")


def malformed():
    """(bytes, code expected without an id, or None when nothing may be answered)"""
    yield b"{this is not json\n", -32700
    yield b"\xff\xfe\n", -32700
    yield b"\xef\xbb\xbf{}\n", -32700
    yield b'{"jsonrpc":"2.0","id":null,"method":"ping"}\n', -32600
    yield b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}\n', -32600
    yield b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]\n', -32600
    yield b"[]\n", -32600
    yield b"17\n", -32600
    yield b'{"jsonrpc":"2.0","id":null}\n', -32600
    yield b"\n\r\n   \n", None
    yield b'{"jsonrpc":"2.0","method":"notifications/never-heard-of"}\n', None
    yield b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"gone"}}\n', None
    yield b'{"jsonrpc":"2.0","id":99,"result":{}}\n', None
    yield b'{"jsonrpc":"2.0","id":1,"method":"ping","params":' + b"[" * 1000 + b"]" * 1000 + b"}\n", -32600
    yield b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"' + b"a" * (5 << 20) + b'"}}\n', -32600


def check_malformed(app):
    for data, code in malformed():
        app.raw(data)
        if code is not None:
            answer = app.receive(20)
            got = answer.get("error", {}).get("code")
            shown = data[:60]
            # Depth is found while reading the text: what is too deep counts as JSON that cannot be read.
            check(got == code or (got == -32700 and b"[[[" in data), f"{shown}: {answer}")
            check(answer.get("id", "absent") is not None, f"{shown}: the schema has no null id: {answer}")
        app.raw(b'{"jsonrpc":"2.0","id":"still there","method":"ping"}\r\n')
        check(app.receive(20) == {"jsonrpc": "2.0", "id": "still there", "result": {}}, f"after {data[:60]}")


def test_malformed_input_is_answered_and_survived(build):
    for daemon in (False, True):
        with edge(build, daemon) as agent, Stdio(agent) as app:
            check_malformed(app)
            pid = agent.process.pid if daemon else app.child.pid
            before = pss_kib(pid)
            for _ in range(3):
                check_malformed(app)
            check(pss_kib(pid) < before + 2048, f"memory grew from {before} to {pss_kib(pid)} KiB")


def test_a_batch_belongs_to_its_revision(build):
    with edge(build, daemon=False) as agent, Stdio(agent) as app:
        app.initialize("2025-03-26")
        app.send([{"jsonrpc": "2.0", "id": "a", "method": "ping"}, {"jsonrpc": "2.0", "id": "b", "method": "tools/call", "params": {"name": "query", "arguments": {}}}])
        answers = app.receive()
        check(sorted(a["id"] for a in answers) == ["a", "b"], f"{answers}")


def test_end_of_input_ends_listens_and_the_process(build):
    for daemon in (False, True):
        with edge(build, daemon) as agent, Stdio(agent) as app:
            app.send({"jsonrpc": "2.0", "id": "L", "method": "subscriptions/listen", "params": {"_meta": ENVELOPE, "notifications": {"toolsListChanged": True}}})
            app.notification("notifications/subscriptions/acknowledged")
            start = time.monotonic()
            check(app.close() == 0, f"exit code {app.child.returncode}")
            check(time.monotonic() - start < 1, "at once")
            check(app.receive()["id"] == "L", "the result of the listen")
            check(app.receive()["method"] == "notifications/cancelled", "then its cancellation")
            check(app.receive() is None, "then nothing")


def test_input_from_a_file_is_answered(build):
    with edge(build, daemon=False) as agent:
        lines = [{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}}},
                 {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}]
        path = agent.site.directory / "input"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        with open(path, "rb") as file:
            done = subprocess.run([str(a) for a in agent.command("mcp")], stdin=file, capture_output=True, timeout=20, check=False)
        check(done.returncode == 0 and [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1, 2], f"{done}")


def test_a_reader_that_does_not_read_is_not_read(build):
    for daemon in (False, True):
        with edge(build, daemon) as agent:
            child = subprocess.Popen([str(a) for a in agent.command("mcp")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            try:
                pid = agent.process.pid if daemon else child.pid
                line = (json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": ENVELOPE}}) + "\n").encode()
                child.stdin.write(line)
                child.stdin.flush()
                check(child.stdout.readline(), "the first answer")
                before = pss_kib(pid)
                os.set_blocking(child.stdin.fileno(), False)
                sent = 0
                quiet_since = time.monotonic()
                rest = b""
                while time.monotonic() - quiet_since < 1 and sent < 100_000:  # 20 KB each: nobody should take 2 GB
                    rest = rest or line * 64
                    try:
                        count = os.write(child.stdin.fileno(), rest)
                    except BlockingIOError:
                        time.sleep(0.02)
                        continue
                    rest = rest[count:]
                    sent += 64
                    quiet_since = time.monotonic()
                check(sent < 50_000, f"{sent} requests were taken from a client that reads nothing")
                check(pss_kib(pid) < before + 16 * 1024, f"memory grew from {before} to {pss_kib(pid)} KiB")
                agent.run("status") if daemon else None
            finally:
                child.kill()
                child.wait()


def test_answers_fit_their_output_schemas(build):
    with edge(build, daemon=False, extra=QUIET.replace("enabled = false", 'interval = "100ms"')) as agent, Stdio(agent) as app:
        schemas = {tool["name"]: tool["outputSchema"] for tool in app.result("tools/list")["tools"]}
        app.tool("record", readings=[{"series": "t", "value": "text"}, {"series": "b", "value": True}, {"series": "i", "value": 9007199254740993}])
        calls = [("list_series", {}), ("latest", {}), ("latest", {"series": "none"}), ("query", {}), ("query", {"series": "none"}), ("query", {"step": "1m"}),
                 ("query", {"from": "-2h", "to": "-1h"}), ("record", {"readings": [{"series": "t", "value": "x", "time": "-5m"}]}), ("sync_status", {}), ("sync_now", {}), ("doctor", {})]
        for name, arguments in calls:
            check_schema(schemas[name], app.tool(name, **arguments), name)


def test_a_session_ends_with_sigterm_too(build):
    with edge(build, daemon=False) as agent, Stdio(agent) as app:
        app.tool("record", readings=[{"series": "t", "value": 1}])
        app.child.send_signal(signal.SIGTERM)
        check(app.wait() == 0, f"exit code {app.child.returncode}")
        check(not pathlib.Path(agent.state / "agent.sock").exists(), "the socket is gone")


def test_what_the_readme_tells_to_paste_works(build):
    text = (ROOT / "README.md").read_text()
    servers = [server for block in re.findall(r"```json\n(.*?)```", text, re.S) for server in json.loads(block).get("mcpServers", {}).values() if "command" in server]
    check(len(servers) == 2, f"{servers}")
    for server in servers:
        with edge(build, daemon=False) as agent:
            # The two things that a test must not touch: the system's state directory and somebody's home.
            words = [str(agent.state) if word.startswith("/home/") else word for word in server["args"]]
            if "--state" not in words:
                words += ["--state", str(agent.state)]
            agent.command = lambda *_, words=words: [server["command"], *words, "--config", agent.config]
            with Stdio(agent, env={"PATH": f"{pathlib.Path(build).resolve()}:/usr/bin:/bin"}) as app:
                check_built_in([t["name"] for t in app.result("tools/list")["tools"]], "tools")


def test_the_command_says_why_it_cannot_start(build):
    with edge(build, daemon=False) as agent:
        agent.config.write_text("[device]\nidd = 1\n")
        with Stdio(agent) as app:
            check(app.wait() == 2, f"exit code {app.child.returncode}")
            app.threads[1].join(5)
            check("idd" in "".join(app.errors), f"{app.errors}")
            check(app.receive() is None, "nothing on stdout")
