"""Malformed and unusual traffic on standard input, against `tideline mcp` and against the fixture: what each line is answered with.

Every check starts a process of its own, sends exact bytes and compares ids, codes and order.
"""
import json
import os
import select
import subprocess
import time

import harness
from http_client import CAPABILITIES, MODERN, VERSION, envelope

check = harness.check


class Stdio:
    """A server process, spoken to in bytes."""

    def __init__(self, command):
        self.child = subprocess.Popen([str(a) for a in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.buffer = b""
        os.set_blocking(self.child.stdout.fileno(), False)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()

    def send(self, *lines):
        for line in lines:
            data = line if isinstance(line, bytes) else (line if isinstance(line, str) else json.dumps(line)).encode()
            self.child.stdin.write(data + b"\n")
        self.child.stdin.flush()

    def raw(self, seconds=10):
        """The next line, or None when none comes in time."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.child.stdout], [], [], left)[0]:
                return None
            part = self.child.stdout.read()
            if not part:
                return None
            self.buffer += part
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line

    def answer(self, seconds=10):
        """The next message that is not a notification."""
        while True:
            line = self.raw(seconds)
            check(line is not None, f"no answer within {seconds} s (exit code {self.child.poll()})")
            message = json.loads(line)
            if isinstance(message, list) or "method" not in message:
                return message

    def ask(self, *lines):
        self.send(*lines)
        return self.answer()

    def quiet(self, seconds=0.4):
        line = self.raw(seconds)
        check(line is None, f"expected no answer, got {line!r}")

    def end(self, seconds=2.5):
        """Closes its input and waits for its end."""
        self.child.stdin.close()
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise harness.Failure(f"still running {seconds} s after the end of its input") from None


def request(request_id, method, params=None, **meta):
    params = dict(params or {})
    params.setdefault("_meta", {**envelope(), **meta})
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def call(request_id, tool, arguments=None):
    return request(request_id, "tools/call", {"name": tool, "arguments": arguments or {}})


def initialize(revision="2025-11-25", request_id=0):
    return {"jsonrpc": "2.0", "id": request_id, "method": "initialize",
            "params": {"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "raw", "version": "0"}}}


def error_of(message, code, request_id=None):
    """The answer is this error, for this id; None: for no id at all (the schema has no null)."""
    check("error" in message, f"expected error {code}, got {json.dumps(message)[:300]}")
    check(message["error"]["code"] == code, f"expected error {code}, got {message['error']}")
    if request_id is None:
        check("id" not in message, f"expected no id, got {message.get('id')!r}")
    else:
        check(message.get("id") == request_id, f"expected id {request_id!r}, got {message.get('id')!r}")
    check(isinstance(message["error"].get("message"), str) and message["error"]["message"], "an error needs a message for people")


def still_works(s):
    message = s.ask(call(777, "test_simple_text"))
    check(message.get("id") == 777 and "result" in message, f"the stream is not usable any more: {json.dumps(message)[:300]}")


# ---- What does not parse

def bad_json(s):
    for line in ("{nonsense", '{"jsonrpc":"2.0","id":1,', '{"a":01}', '\ufeff{"jsonrpc":"2.0"}', b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}', "{} {}"):
        error_of(s.ask(line), -32700)
    still_works(s)


def wrong_messages(s):
    error_of(s.ask('"text"'), -32600)
    error_of(s.ask("{}"), -32600)
    error_of(s.ask('{"id":5,"method":"ping"}'), -32600, 5)
    error_of(s.ask('{"jsonrpc":"1.0","id":6,"method":"ping"}'), -32600, 6)
    error_of(s.ask('{"jsonrpc":"2.0","id":7,"method":7}'), -32600, 7)
    error_of(s.ask('{"jsonrpc":"2.0","id":null,"method":"ping"}'), -32600)
    error_of(s.ask('{"jsonrpc":"2.0","id":1.5,"method":"ping"}'), -32600)
    error_of(s.ask('{"jsonrpc":"2.0","id":{},"method":"ping"}'), -32600)
    error_of(s.ask('{"jsonrpc":"2.0","id":8,"method":"ping","params":[]}'), -32602, 8)
    still_works(s)


def duplicate_keys(s):
    error_of(s.ask('{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}'), -32600)
    meta = json.dumps(envelope())
    for params in (f'{{"name":"test_simple_text","name":"about","_meta":{meta}}}', f'{{"name":"test_simple_text","n\\u0061me":"about","_meta":{meta}}}',
                   f'{{"name":"test_simple_text","_meta":{meta[:-1]},"{VERSION}":"2026-07-28"}}}}'):
        error_of(s.ask(f'{{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{params}}}'), -32602, 3)
    still_works(s)


def batch_without_permission(s):
    error_of(s.ask("[]"), -32600)
    error_of(s.ask(json.dumps([request(1, "server/discover")])), -32600)
    s.ask(initialize())
    error_of(s.ask('[{"jsonrpc":"2.0","id":1,"method":"ping"}]'), -32600)
    still_works(s)


def batch_of_2025_03_26(s):
    s.ask(initialize("2025-03-26"))
    s.send('{"jsonrpc":"2.0","method":"notifications/initialized"}')
    answers = s.ask('[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/x"},{"jsonrpc":"2.0","id":2,"method":"tools/call",'
                    '"params":{"name":"test_simple_text"}},17]')
    check(isinstance(answers, list), f"a batch is answered with an array, got {json.dumps(answers)[:200]}")
    by_id = {a.get("id"): a for a in answers}
    check(set(by_id) == {1, 2, None} and by_id[1]["result"] == {} and by_id[None]["error"]["code"] == -32600, f"answers of the batch: {json.dumps(answers)[:400]}")


def long_line(s):
    error_of(s.ask(json.dumps(call(1, "test_echo", {"value": "x" * (5 * 1024 * 1024)}))), -32600)
    still_works(s)


def deep_nesting(s):
    error_of(s.ask('{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":' + "[" * 1000 + "]" * 1000 + "}}"), -32600)
    error_of(s.ask("[" * 100000), -32600)
    still_works(s)


def line_ends(s):
    s.child.stdin.write(b"\r\n\n  \n" + json.dumps(request(1, "server/discover")).encode() + b"\r\n")
    s.child.stdin.flush()
    check(s.answer().get("id") == 1, "a line that ends with CR LF was not answered")
    whole = json.dumps(request("in pieces", "server/discover")).encode() + b"\n"
    for at in range(0, len(whole), 7):
        s.child.stdin.write(whole[at:at + 7])
        s.child.stdin.flush()
    check(s.answer().get("id") == "in pieces", "a line sent in pieces was not answered")


def exact_values(s):
    for raw_id in ("9007199254740993", "-0", "18446744073709551616", '"a\\u0000b\\ud83d\\ude00"', '"1"'):
        s.send(f'{{"jsonrpc":"2.0","id":{raw_id},"method":"server/discover","params":{{"_meta":{json.dumps(envelope())}}}}}')
        line = s.raw() or b""
        check(f'"id":{raw_id}'.encode() in line, f"id {raw_id} did not come back as it was: {line[:200]!r}")
    value = '{"big":1795220321549123456,"exact":42.0,"huge":1e400,"nul":"a\\u0000b"}'
    s.send(f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"test_echo","arguments":{{"value":{value}}},"_meta":{json.dumps(envelope())}}}}}')
    line = s.raw(10) or b""
    check(f'"structuredContent":{{"value":{value}}}'.encode() in line, f"values changed on the way: {line[:600]!r}")


# ---- Which era

def discover_then_initialize(s):
    check("result" in s.ask(request(1, "server/discover")), "server/discover failed")
    answer = s.ask(initialize())
    check(answer["result"]["protocolVersion"] == "2025-11-25", f"initialize after discover: {json.dumps(answer)[:300]}")


def initialize_then_discover(s):
    for revision, wanted in (("2025-06-18", "2025-06-18"),):
        check(s.ask(initialize(revision))["result"]["protocolVersion"] == wanted, "initialize")
    answer = s.ask(request(2, "server/discover"))
    check(MODERN in answer["result"]["supportedVersions"], "an envelope makes a request modern, also in a session")
    check(s.ask('{"jsonrpc":"2.0","id":3,"method":"ping"}')["result"] == {}, "the session lives on")
    error_of(s.ask(initialize(request_id=4)), -32600, 4)


def old_revision(revision, wanted):
    def run(s):
        check(s.ask(initialize(revision))["result"]["protocolVersion"] == wanted, f"revision {revision}")
        s.send('{"jsonrpc":"2.0","method":"notifications/initialized"}')
        tools = s.ask('{"jsonrpc":"2.0","id":1,"method":"tools/list"}')["result"]
        check(any(t["name"] == "test_simple_text" for t in tools["tools"]) and "resultType" not in tools, "list of tools in an old revision")
        answer = s.ask('{"jsonrpc":"2.0","id":2,"method":"resources/read","params":{"uri":"test://nowhere"}}')
        error_of(answer, -32002, 2)
    run.__name__ = f"revision_{revision}"
    return run


def no_session(s):
    check(s.ask('{"jsonrpc":"2.0","id":1,"method":"ping"}')["result"] == {}, "ping without a session")
    error_of(s.ask('{"jsonrpc":"2.0","id":2,"method":"tools/list"}'), -32602, 2)
    error_of(s.ask('{"jsonrpc":"2.0","id":3,"method":"server/discover"}'), -32602, 3)


def wrong_envelope(s):
    answer = s.ask(request(1, "tools/list", **{VERSION: "2030-01-01"}))
    error_of(answer, -32022, 1)
    data = answer["error"]["data"]
    check(data["requested"] == "2030-01-01" and data["supported"] == [MODERN], f"data of -32022: {data}")
    error_of(s.ask(request(2, "tools/list", **{VERSION: "2025-11-25"})), -32022, 2)
    error_of(s.ask(request(3, "tools/list", {"_meta": {VERSION: MODERN}})), -32602, 3)
    error_of(s.ask(request(4, "tools/list", {"_meta": {VERSION: MODERN, CAPABILITIES: []}})), -32602, 4)
    error_of(s.ask(request(5, "tools/list", {"_meta": 5})), -32602, 5)
    error_of(s.ask(request(6, "tools/list", **{"io.modelcontextprotocol/logLevel": "loud"})), -32602, 6)
    error_of(s.ask(request(7, "tools/list", **{"progressToken": 1.5})), -32602, 7)


def removed_methods(s):
    for number, method in enumerate(("initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "tasks/list", "tasks/result",
                                     "notifications/progress", "sampling/createMessage", "no/such"), 1):
        error_of(s.ask(request(number, method, {"uri": "test://static-text", "level": "info", "taskId": "x"})), -32601, number)


def wrong_params(s):
    error_of(s.ask(call(1, "no_such_tool")), -32602, 1)
    error_of(s.ask(request(2, "tools/call", {"name": 5})), -32602, 2)
    error_of(s.ask(request(3, "tools/call", {"name": "about", "arguments": []})), -32602, 3)
    error_of(s.ask(request(4, "tools/list", {"cursor": "made-up"})), -32602, 4)
    error_of(s.ask(request(5, "prompts/get", {"name": "test_prompt_with_arguments", "arguments": {"arg1": 5}})), -32602, 5)
    answer = s.ask(request(6, "resources/read", {"uri": "test://nowhere"}))
    error_of(answer, -32602, 6)
    check(answer["error"]["data"] == {"uri": "test://nowhere"}, f"data.uri: {answer['error'].get('data')}")
    error_of(s.ask(request(7, "tasks/get", {"taskId": "x"})), -32021, 7)
    error_of(s.ask(request(8, "tools/call", {"name": "test_input_required_result_request_state", "arguments": {}, "requestState": "forged",
                                             "_meta": envelope({"elicitation": {}})})), -32602, 8)


# ---- Requests that end in other ways

def duplicate_id(s):
    s.send(call(1, "test_wait", {"seconds": 30}))
    error_of(s.ask(call(1, "test_simple_text")), -32600, 1)


def cancelled(s):
    s.send(call("slow", "test_wait", {"seconds": 30}))
    time.sleep(0.2)
    s.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "slow", "reason": "test"}},
           {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "unknown"}},
           {"jsonrpc": "2.0", "method": "notifications/nobody/knows"},
           {"jsonrpc": "2.0", "id": 99, "result": {}})
    still_works(s)
    s.quiet()


def out_of_order(s):
    s.send(call(1, "test_wait", {"seconds": 0.6}), call(2, "test_simple_text"))
    check([s.answer()["id"], s.answer()["id"]] == [2, 1], "a quick call waited for a slow one")


def listen(s):
    answers = []
    s.send(request("L1", "subscriptions/listen", {"notifications": {"toolsListChanged": True, "resourceSubscriptions": ["test://watched-resource"]}}))
    first = json.loads(s.raw() or b"{}")
    key = "io.modelcontextprotocol/subscriptionId"
    check(first.get("method") == "notifications/subscriptions/acknowledged" and first["params"]["_meta"][key] == "L1", f"first message of a listen: {first}")
    time.sleep(0.3)
    s.send(call(2, "test_trigger_tool_change"))
    deadline = time.monotonic() + 5
    while len(answers) < 2 and time.monotonic() < deadline:
        line = s.raw(1)
        if line is not None:
            answers.append(json.loads(line))
    changes = [a for a in answers if a.get("method") == "notifications/tools/list_changed"]
    check(changes and changes[0]["params"]["_meta"][key] == "L1", f"change of the tools: {answers}")


def end_of_input(s):
    s.send(request("L1", "subscriptions/listen", {"notifications": {"toolsListChanged": True}}), call(2, "test_wait", {"seconds": 30}))
    time.sleep(0.3)
    code = s.end()
    check(code == 0, f"exit code {code} at the end of input")


def end_of_reader(s):
    s.send(call(1, "test_wait", {"seconds": 30}))
    time.sleep(0.2)
    s.child.stdout.close()
    try:
        s.send(*[call(n, "test_simple_text") for n in range(2, 5)])
        s.child.stdin.close()
    except BrokenPipeError:
        pass
    try:
        s.child.wait(2.5)
    except subprocess.TimeoutExpired:
        raise harness.Failure("still running after its reader left") from None
    check(s.child.returncode >= 0, f"ended by signal {-s.child.returncode}")


CHECKS = [bad_json, wrong_messages, duplicate_keys, batch_without_permission, batch_of_2025_03_26, long_line, deep_nesting, line_ends, exact_values,
          discover_then_initialize, initialize_then_discover, old_revision("2024-11-05", "2024-11-05"), old_revision("2025-03-26", "2025-03-26"),
          old_revision("2025-06-18", "2025-06-18"), old_revision("2025-11-25", "2025-11-25"), old_revision("2026-07-28", "2025-11-25"),
          old_revision("1999-01-01", "2025-11-25"), no_session, wrong_envelope, removed_methods, wrong_params, duplicate_id, cancelled, out_of_order, listen,
          end_of_input, end_of_reader]


def run(report, part, command):
    passed = 0
    for function in CHECKS:
        def once(function=function):
            with Stdio(command) as s:
                function(s)
        passed += report.run(f"{part} {function.__name__}", once)
    return f"{passed}/{len(CHECKS)}"
