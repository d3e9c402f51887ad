"""The operator's commands and third-party MCP servers at the agent: real processes, called over `tideline mcp`, hurt in every way."""
import contextlib
import json
import os
import pathlib
import sys
import time

from harness import Site, check, wait_until
from mcp_stdio import ENVELOPE, MODERN, Stdio

SUPPORT = pathlib.Path(__file__).resolve().parent / "support"
QUIET = "".join(f'[input.{name}]\ntype = "{name}"\nenabled = false\n' for name in ("host", "hwmon", "thermal"))
TASKS = {"extensions": {"io.modelcontextprotocol/tasks": {}}}


def toml(value):
    return json.dumps(value)


def child(name, script, *words, **keys):
    lines = [f"[child.{name}]", f"command = {toml([sys.executable, str(SUPPORT / script), *words])}"]
    return "\n".join(lines + [f"{key} = {value if isinstance(value, str) and value.startswith('{') else toml(value)}" for key, value in keys.items()]) + "\n"


def action(name, command, arguments="", **keys):
    lines = [f"[action.{name}]", f"command = {toml([str(word) for word in command])}", *(f"{key} = {toml(value)}" for key, value in {"description": "For the test.", **keys}.items())]
    return "\n".join(lines) + "\n" + arguments


@contextlib.contextmanager
def running(build, extra, clients=1):
    with Site(build) as site:
        agent = site.agent("edge", enroll=False, port=1)
        (site.directory / "traces").mkdir()
        agent.extra = QUIET + extra.replace("@traces", str(site.directory / "traces"))
        agent.write_config()
        agent.start()
        with contextlib.ExitStack() as stack:
            yield agent, *[stack.enter_context(Stdio(agent)) for _ in range(clients)]


def envelope(capabilities, **more):
    return {**ENVELOPE, "io.modelcontextprotocol/clientCapabilities": capabilities, **more}


def call(client, name, arguments=None, capabilities=None, seconds=15, meta=None, **more):
    return client.request("tools/call", {"name": name, "arguments": arguments or {}, **more, "_meta": envelope(capabilities or {}, **(meta or {}))}, seconds)


def text(response):
    return "\n".join(block["text"] for block in response["result"]["content"])


def wait_for_tool(client, name):
    wait_until(lambda: name in [tool["name"] for tool in client.result("tools/list")["tools"]], 15, f"the tool {name}")


def status_of(agent, name):
    return next(one for one in agent.status()["children"] if one["name"] == name)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_legacy_server_is_called_by_modern_and_legacy_clients(build):
    with running(build, child("old", "legacy_server.py", env='{ SECRET = "hidden-value" }'), 2) as (agent, modern, legacy):
        wait_for_tool(modern, "old__echo")
        check(text(call(modern, "old__echo", {"text": "h\u00e9"})) == "h\u00e9", "a modern client is answered")
        legacy.initialize()
        result = legacy.legacy("tools/call", {"name": "old__echo", "arguments": {"text": "x", "n": 9007199254740993}})
        check(result["structuredContent"]["n"] == 9007199254740993, "numbers keep their digits")
        check(modern.result("resources/read", uri="legacy://note")["contents"][0]["text"] == "hello", "a resource is read")
        check(modern.result("resources/read", uri="legacy://item/5")["contents"][0]["uri"] == "legacy://item/5", "a templated resource is read")
        check(modern.modern("resources/read", uri="legacy://item/0")["error"]["code"] == -32602, "not found has the code of the client's era")
        check(legacy.request("resources/read", {"uri": "legacy://item/0"})["error"]["code"] == -32002, "not found has the code of the client's era")
        prompt = modern.result("prompts/get", name="old__greet", arguments={"who": "you"})
        check(prompt["messages"][0]["content"]["text"] == "greet you", f"a prompt by its own name: {prompt}")
        values = modern.result("completion/complete", ref={"type": "ref/prompt", "name": "old__greet"}, argument={"name": "who", "value": ""})
        check(values["completion"]["values"] == ["greet"], f"a completion: {values}")
        names = text(call(modern, "old__environment")).split()
        check("SECRET" in names and "PATH" in names, f"what was named is passed: {names}")
        check(not {"PWD", "OLDPWD", "LS_COLORS", "VIRTUAL_ENV", "NOTIFY_SOCKET"} & set(names), f"nothing else is: {names}")
        check("hidden-value" not in agent.process.text(), "values of variables are not logged")
        check("hello from standard error" in agent.process.text(), "its standard error is in the log")


def test_bad_definitions_are_left_out_one_by_one(build):
    with running(build, child("old", "legacy_server.py", exclude=["wait"])) as (agent, client):
        wait_for_tool(client, "old__echo")
        tools = {tool["name"]: tool for tool in client.result("tools/list")["tools"] if tool["name"].startswith("old__")}
        check(set(tools) == {"old__echo", "old__slow", "old__grow", "old__touch", "old__environment", "old__null_text"}, f"the good ones are offered: {sorted(tools)}")
        check(tools["old__echo"]["x-vendor"] == {"kept": 9007199254740993} and tools["old__echo"]["annotations"]["readOnlyHint"], "what we do not know is kept")
        quarantined = "\n".join(status_of(agent, "old")["quarantined"])
        check(all(word in quarantined for word in ("no_schema", "wrong_schema", "bad name!", "not an object")), f"status tells why: {quarantined}")
        findings = client.tool("doctor")["findings"]
        check(any(one["check"] == "child old" and one["health"] == "warning" for one in findings), f"doctor tells: {findings}")


def test_progress_cancel_and_changes_are_relayed(build):
    with running(build, child("old", "legacy_server.py", env='{ TRACES = "@traces" }'), 2) as (agent, client, other):
        wait_for_tool(client, "old__slow")
        check(text(call(client, "old__slow", meta={"progressToken": "mine"})) == "counted", "the call ended")
        steps = [m["params"] for m in client.notifications if m["method"] == "notifications/progress"]
        check([s["progress"] for s in steps] == [1, 2, 3] and all(s["progressToken"] == "mine" and s["total"] == 3 for s in steps), f"progress: {steps}")
        other.initialize()
        other.send({"jsonrpc": "2.0", "id": "w", "method": "tools/call", "params": {"name": "old__wait"}})
        trace = agent.site.directory / "traces" / "wait"
        wait_until(lambda: trace.exists(), 10, "the call to begin")
        other.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "w"}})
        wait_until(lambda: "cancelled" in trace.read_text(), 10, "the server to hear of the cancellation")
        other.legacy("resources/subscribe", {"uri": "legacy://note"})
        wait_until(lambda: call(client, "old__touch") and any(m["method"] == "notifications/resources/updated" for m in drain(other)), 10, "the update")
        call(client, "old__grow")
        check(other.notification("notifications/tools/list_changed") is not None, "the change of the list is told")
        wait_for_tool(client, "old__grown")


def drain(client):
    client.legacy("ping")
    return client.notifications


def test_a_killed_child_fails_its_calls_at_once_and_comes_back(build):
    with running(build, child("old", "legacy_server.py")) as (agent, client):
        wait_for_tool(client, "old__wait")
        client.send({"jsonrpc": "2.0", "id": "w", "method": "tools/call", "params": {"name": "old__wait", "_meta": ENVELOPE}})
        wait_until(lambda: status_of(agent, "old")["calls"] == 1, 10, "the call")
        pid = status_of(agent, "old")["pid"]
        start = time.monotonic()
        os.kill(pid, 9)
        response = client.response("w")
        took = time.monotonic() - start
        check(response["result"]["isError"] and "not known" in text(response), f"the error says what is known: {response}")
        check(took < 1, f"at once: {took:.2f} s")
        start = time.monotonic()
        wait_until(lambda: not call(client, "old__echo", {"text": "x"})["result"].get("isError"), 10, "a call to succeed")
        print(f"        the error came after {took * 1000:.0f} ms, the next call succeeded after {time.monotonic() - start:.1f} s")
        now = status_of(agent, "old")
        check(now["pid"] != pid and now["failures"] == 1 and now["last_exit"] == "signal 9", f"a new process: {now}")


def test_a_child_that_always_dies_is_started_ever_more_seldom_and_disturbs_nobody(build):
    with running(build, child("dying", "legacy_server.py", "--dies", env='{ TRACES = "@traces" }') + child("new", "modern_server.py") + '[child.missing]\ncommand = ["/nonexistent/server"]\n') as (agent, client):
        wait_for_tool(client, "new__echo")
        time.sleep(4)
        starts = len((agent.site.directory / "traces" / "starts").read_text().splitlines())
        check(2 <= starts <= 8, f"{starts} starts in 4 s")
        check(not call(client, "new__echo")["result"].get("isError"), "the other one answers")
        check(status_of(agent, "dying")["state"] in ("waiting", "starting") and status_of(agent, "dying")["last_exit"] == "exit code 3", "its state is told")
        check("cannot start /nonexistent/server" in status_of(agent, "missing")["last_exit"], "so is a program that is not there")


def test_known_lists_spare_the_start_until_the_first_call(build):
    extra = child("old", "legacy_server.py", env='{ TRACES = "@traces" }') + child("new", "modern_server.py", idle_stop="1s", env='{ TRACES = "@traces" }')
    with running(build, extra) as (agent, client):
        wait_for_tool(client, "old__echo")
        wait_for_tool(client, "new__echo")
        wait_until(lambda: status_of(agent, "new")["state"] == "asleep", 10, "the idle one to be stopped")
        check(text(call(client, "new__echo", {"a": 1})) == "{'a': 1}", "a call starts it")
        agent.stop()
        traces = agent.site.directory / "traces"
        check("closed" in (traces / "starts").read_text(), "it was asked to end before it was made to")
        before = len((traces / "starts").read_text().splitlines())
        agent.start()
        with Stdio(agent) as again:
            names = [tool["name"] for tool in again.result("tools/list")["tools"]]
            check("old__echo" in names and "new__echo" in names, "the lists are known")
            check(status_of(agent, "old")["state"] == "asleep", f"nothing was started: {status_of(agent, 'old')}")
            check(len((traces / "starts").read_text().splitlines()) == before, "nothing was started")
            start = time.monotonic()
            check(text(call(again, "old__echo", {"text": "now"})) == "now", "the first call starts it")
            print(f"        the first call of a sleeping Python server took {time.monotonic() - start:.2f} s")


def test_questions_tasks_and_capabilities_pass_through(build):
    with running(build, child("new", "modern_server.py", env='{ TRACES = "@traces" }'), 2) as (agent, client, old):
        wait_for_tool(client, "new__ask")
        refused = call(client, "new__ask")
        check(refused["error"]["code"] == -32021 and refused["error"]["data"]["requiredCapabilities"] == {"elicitation": {"form": {}}}, f"its complaint is the caller's: {refused}")
        forms = {"elicitation": {"form": {}}}
        asked = call(client, "new__ask", capabilities=forms)["result"]
        check(asked["resultType"] == "input_required" and "who" in asked["inputRequests"], f"the question: {asked}")
        answered = call(client, "new__ask", capabilities=forms, inputResponses={"who": {"action": "accept", "content": {"name": "Ada"}}}, requestState=asked["requestState"])
        check(text(answered) == "Ada True", f"answer and state came back as they were: {answered}")
        old.initialize(capabilities={"elicitation": {}})
        old.send({"jsonrpc": "2.0", "id": "q", "method": "tools/call", "params": {"name": "new__ask", "arguments": {}}})
        question = old.receive()
        check(question["method"] == "elicitation/create", f"a legacy client is asked by a request: {question}")
        old.send({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {"name": "Bob"}}})
        check(text(old.response("q")) == "Bob True", "and its answer arrives")
        check(text(call(client, "new__long")) == "done without a task", "no task for who cannot")
        task = call(client, "new__long", capabilities=TASKS)["result"]
        check(task["resultType"] == "task" and task["taskId"] == "new.job.1", f"a task: {task}")
        got = client.request("tasks/get", {"taskId": "new.job.1", "_meta": envelope(TASKS)})["result"]
        check(got["status"] == "completed" and got["taskId"] == "new.job.1" and got["result"]["content"][0]["text"] == "the end", f"its end: {got}")
        client.request("tasks/cancel", {"taskId": "new.job.1", "_meta": envelope(TASKS)})
        check((agent.site.directory / "traces" / "tasks").read_text() == "tasks/cancel job.1\n", "the server hears its own id")
        meta = call(client, "new__meta", meta={"traceparent": "00-1", "vendor/k": 7, "progressToken": 5})["result"]["structuredContent"]
        check(meta["traceparent"] == "00-1" and meta["vendor/k"] == 7 and meta["io.modelcontextprotocol/protocolVersion"] == MODERN, f"what may pass passes: {meta}")
        call(client, "new__log", meta={"io.modelcontextprotocol/logLevel": "info"})
        check(client.notification("notifications/message")["params"]["data"] == {"deep": [1]}, "a log line is relayed")


def test_a_flooding_child_does_not_delay_another(build):
    with running(build, child("old", "legacy_server.py") + child("new", "modern_server.py"), 2) as (agent, client, other):
        wait_for_tool(client, "old__echo")
        wait_for_tool(client, "new__flood")
        client.send({"jsonrpc": "2.0", "id": "f", "method": "tools/call", "params": {"name": "new__flood", "_meta": ENVELOPE}})
        slowest = 0
        for _ in range(100):
            start = time.monotonic()
            check(text(call(other, "old__echo", {"text": "x"})) == "x", "the other one answers")
            slowest = max(slowest, time.monotonic() - start)
        print(f"        slowest of 100 calls beside a child that writes 128 MiB: {slowest * 1000:.0f} ms")
        check(slowest < 0.5, f"slowest call {slowest:.2f} s")


def test_nothing_is_left_after_the_agent_stopped(build):
    with running(build, child("old", "legacy_server.py") + child("new", "modern_server.py") + action("nap", ["/bin/sleep", "60"], timeout="2m")) as (agent, client):
        wait_for_tool(client, "old__echo")
        wait_for_tool(client, "new__echo")
        pids = [status_of(agent, name)["pid"] for name in ("old", "new")]
        client.send({"jsonrpc": "2.0", "id": "n", "method": "tools/call", "params": {"name": "nap", "_meta": ENVELOPE}})
        time.sleep(0.3)
        start = time.monotonic()
        agent.stop()
        took = time.monotonic() - start
        check(took < 3, f"stopped in {took:.1f} s")
        check(not any(is_alive(pid) for pid in pids), "the children are gone")


# Actions

ECHO = [sys.executable, "-c", "import json, sys; print(json.dumps(sys.argv[1:]))"]


def test_arguments_are_typed_and_never_more_than_one_element(build):
    arguments = ('[action.echo.arguments.name]\nmax_length = 200\n[action.echo.arguments.level]\ntype = "integer"\nminimum = -5\nmaximum = 5\ndefault = 0\n'
                 '[action.echo.arguments.zone]\nvalues = ["a", "b"]\nrequired = false\n')
    extra = action("echo", [*ECHO, "{name}", "--level={level}", "--zone={zone}"], arguments, structured=True, read_only=True)
    with running(build, extra) as (agent, client):
        output = lambda **given: call(client, "echo", given)["result"]["structuredContent"]["output"]  # noqa: E731
        check(output(name="x") == ["x", "--level=0"], "defaults, and elements left out")
        check(output(name="x", level=-5, zone="b") == ["x", "--level=-5", "--zone=b"], "all of them")
        for nasty in ("a b", "; touch /tmp/x", "$(id)", "`id`", "a\nb", "{name}", "--x\u0301".replace("--", "x--"), "*", "'\"\\", "|cat", "&& true", "\u2028", ""):
            check(output(name=nasty) == [nasty, "--level=0"], f"one element: {nasty!r}")
        for given in ({"name": "-rf"}, {"name": "--help"}, {"name": 5}, {"name": "x", "level": 6}, {"name": "x", "level": "1"}, {"name": "x", "zone": "c"}, {}, {"name": "x", "more": 1},
                      {"name": "a\0b"}, {"name": "x" * 201}):
            result = call(client, "echo", given)["result"]
            check(result["isError"] and "structuredContent" not in result, f"refused: {given} {result}")
        check("touch /tmp/x" not in agent.process.text(), "values of arguments are not logged")
        tool = next(one for one in client.result("tools/list")["tools"] if one["name"] == "echo")
        check(tool["annotations"] == {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": True}, f"hints: {tool}")


def test_commands_are_bounded_in_time_and_output_with_all_they_started(build):
    with Site(build) as site:
        trace = site.directory / "pids"
        extra = (action("hang", [sys.executable, SUPPORT / "grandchild.py", trace], timeout="1s") +
                 action("talk", [sys.executable, "-c", "print('x' * 5000)"], output_limit="1 KiB") +
                 action("fail", [sys.executable, "-c", "import sys; print('part'); print('why', file=sys.stderr); sys.exit(7)"]) +
                 action("gone", ["/nonexistent/program"]) + action("show", ["/usr/bin/env"], environment=["TIDELINE_TEST_SHOWN"]))
        agent = site.agent("edge", enroll=False, port=1, extra=QUIET + extra)
        agent.start(env={**os.environ, "TIDELINE_TEST_SHOWN": "1", "TIDELINE_TEST_HIDDEN": "2"})
        with Stdio(agent) as client:
            start = time.monotonic()
            late = call(client, "hang")
            took = time.monotonic() - start
            check(late["result"]["isError"] and "took longer than" in text(late) and 1 <= took < 3, f"ended in time: {took:.1f} s {late}")
            pids = [int(word) for word in trace.read_text().split()]
            wait_until(lambda: not any(is_alive(pid) for pid in pids), 5, "the group to be gone")
            long = call(client, "talk")["result"]
            check(long["structuredContent"]["is_cut"] and len(long["content"][0]["text"]) == 1024, "the output is cut and says so")
            failed = call(client, "fail")
            check(failed["result"]["isError"] and failed["result"]["structuredContent"]["exit_code"] == 7 and "part" in text(failed) and "why" in text(failed), f"failure: {failed}")
            check("cannot start" in text(call(client, "gone")), "a program that is not there")
            shown = text(call(client, "show"))
            check("TIDELINE_TEST_SHOWN=1" in shown and "HIDDEN" not in shown and "HOME=" not in shown, f"the environment is what was named: {shown}")


def test_a_cancelled_command_is_ended_and_one_too_many_is_busy(build):
    with Site(build) as site:
        trace = site.directory / "pids"
        agent = site.agent("edge", enroll=False, port=1, extra=QUIET + action("hang", [sys.executable, SUPPORT / "grandchild.py", trace], timeout="50s"))
        agent.start()
        with Stdio(agent) as client:
            client.send({"jsonrpc": "2.0", "id": "h", "method": "tools/call", "params": {"name": "hang", "_meta": ENVELOPE}})
            wait_until(lambda: trace.exists() and len(trace.read_text().split()) == 2, 10, "the command")
            check("busy" in text(call(client, "hang")), "one more is answered busy")
            client.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "h"}})
            pids = [int(word) for word in trace.read_text().split()]
            wait_until(lambda: not any(is_alive(pid) for pid in pids), 5, "the group to be gone")


def test_a_person_is_asked_before_a_command_that_wants_it(build):
    with running(build, action("touch", ["/usr/bin/touch", "{path}"], "[action.touch.arguments.path]\n", confirm=True), 2) as (agent, client, old):
        path = agent.site.directory / "touched"
        given = {"path": str(path)}
        check(call(client, "touch", given)["error"]["code"] == -32021, "a client that cannot ask is told")
        forms = {"elicitation": {"form": {}}}
        yes = {"confirm": {"action": "accept", "content": {"confirm": True}}}
        asked = call(client, "touch", given, forms)["result"]
        check(str(path) in asked["inputRequests"]["confirm"]["params"]["message"], f"the question shows the arguments: {asked}")
        stolen = call(client, "touch", {"path": str(path) + "2"}, forms, inputResponses=yes, requestState=asked["requestState"])
        check(stolen["error"]["code"] == -32602 and not path.exists(), f"a yes to other arguments is none: {stolen}")
        done = call(client, "touch", given, forms, inputResponses=yes, requestState=asked["requestState"])
        check(not done["result"].get("isError") and path.exists(), f"a yes runs it: {done}")
        again = call(client, "touch", given, forms, inputResponses=yes, requestState=asked["requestState"])
        check(again["result"]["resultType"] == "input_required", "a yes counts once")
        path.unlink()
        old.initialize(capabilities={"elicitation": {}})
        old.send({"jsonrpc": "2.0", "id": "q", "method": "tools/call", "params": {"name": "touch", "arguments": given}})
        question = old.receive()
        old.send({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "decline"}})
        check("did not agree" in text(old.response("q")) and not path.exists(), "a no does not")


def test_a_slow_command_becomes_a_task_that_outlives_the_agent(build):
    slow = [sys.executable, "-c", "import time; time.sleep(1.5); print('finally')"]
    extra = action("slow", slow, task_after="200ms") + action("nap", ["/bin/sleep", "50"], task_after="0s", timeout="1m")
    with running(build, extra) as (agent, client):
        check("finally" in text(call(client, "slow")), "who knows no tasks waits")
        task = call(client, "slow", capabilities=TASKS)["result"]
        check(task["resultType"] == "task" and task["status"] == "working", f"a task: {task}")
        nap = call(client, "nap", capabilities=TASKS)["result"]
        get = lambda of, who: who.request("tasks/get", {"taskId": of["taskId"], "_meta": envelope(TASKS)})["result"]  # noqa: E731
        wait_until(lambda: get(task, client)["status"] == "completed", 10, "its end")
        check("finally" in get(task, client)["result"]["content"][0]["text"], "with its result")
        time.sleep(0.5)
        agent.kill()
        agent.start()
        with Stdio(agent) as again:
            check("finally" in get(task, again)["result"]["content"][0]["text"], "the result outlives the agent")
            cut = get(nap, again)
            check(cut["status"] == "failed" and "not known" in cut["error"]["message"], f"what ran then has failed: {cut}")
            nap = call(again, "nap", capabilities=TASKS)["result"]
            again.request("tasks/cancel", {"taskId": nap["taskId"], "_meta": envelope(TASKS)})
            check(get(nap, again)["status"] == "cancelled", "a task can be cancelled")
            check(again.request("tasks/get", {"taskId": "task-1-" + "0" * 32, "_meta": envelope(TASKS)})["error"]["code"] == -32602, "an id that is none")
