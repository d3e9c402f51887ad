"""`tideline mcp` as an AI application sees it: a child whose standard input and output carry one JSON-RPC message a line."""
import json
import queue
import subprocess
import threading

from harness import Failure, check

MODERN = "2026-07-28"
ENVELOPE = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}


KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float), "null": type(None)}


def fits(schema, value, place):
    try:
        check_schema(schema, value, place)
        return True
    except Failure:
        return False


def check_schema(schema, value, place):
    """The keywords that our own schemas use; any other keyword in one of them is a failure here."""
    if "anyOf" in schema:
        check(any(fits(one, value, place) for one in schema["anyOf"]), f"{place}: {value!r} fits none of {schema['anyOf']}")
    unknown = set(schema) - {"type", "enum", "anyOf", "properties", "required", "items", "description", "default", "additionalProperties"}
    check(not unknown, f"{place}: keywords {unknown} are not checked here")
    kinds = schema.get("type", list(KINDS))
    kinds = [kinds] if isinstance(kinds, str) else kinds
    is_one = any(isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool)) for kind in kinds)
    check(is_one, f"{place}: {value!r} is no {kinds}")
    check("enum" not in schema or value in schema["enum"], f"{place}: {value!r} is none of {schema.get('enum')}")
    if isinstance(value, dict):
        for name in schema.get("required", []):
            check(name in value, f"{place}.{name} is missing")
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                check_schema(inner, value[name], f"{place}.{name}")
    if isinstance(value, list) and "items" in schema:
        for index, one in enumerate(value):
            check_schema(schema["items"], one, f"{place}[{index}]")


class Stdio:
    """Starts the command; keeps everything it says. Every line of stdout must be JSON."""

    def __init__(self, agent, env=None):
        self.child = subprocess.Popen([str(a) for a in agent.command("mcp")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
        self.lines = queue.Queue()
        self.errors = []
        self.notifications = []
        self.last_id = 0
        self.threads = [threading.Thread(target=self._read, daemon=True), threading.Thread(target=self._read_errors, daemon=True)]
        for thread in self.threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        for thread in self.threads:
            thread.join(5)

    def _read(self):
        for line in self.child.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def _read_errors(self):
        for line in self.child.stderr:
            self.errors.append(line.decode(errors="replace"))

    def raw(self, data):
        self.child.stdin.write(data)
        self.child.stdin.flush()

    def send(self, message):
        self.raw((json.dumps(message) + "\n").encode())

    def receive(self, seconds=10):
        """The next message, or None at the end of output."""
        try:
            line = self.lines.get(timeout=seconds)
        except queue.Empty:
            raise Failure(f"no message within {seconds} s; stderr: {''.join(self.errors)[-1000:]}") from None
        return None if line is None else json.loads(line)

    def request(self, method, params=None, seconds=10):
        """Sends a request without envelope; returns the whole response. Notifications meanwhile are kept."""
        self.last_id += 1
        message = {"jsonrpc": "2.0", "id": self.last_id, "method": method}
        if params is not None:
            message["params"] = params
        self.send(message)
        return self.response(self.last_id, seconds)

    def modern(self, method, seconds=10, **params):
        return self.request(method, {**params, "_meta": ENVELOPE}, seconds)

    def response(self, wanted, seconds=10):
        while True:
            message = self.receive(seconds)
            check(message is not None, f"output ended before the answer to {wanted}; stderr: {''.join(self.errors)[-1000:]}")
            if "method" not in message and message.get("id") == wanted:
                return message
            self.notifications.append(message)

    def result(self, method, seconds=10, **params):
        response = self.modern(method, seconds, **params)
        check("result" in response, f"{method}: {response}")
        return response["result"]

    def tool(self, name, **arguments):
        """The structured content of a call that must succeed."""
        result = self.result("tools/call", name=name, arguments=arguments)
        check(not result.get("isError"), f"{name}: {result}")
        return result["structuredContent"]

    def initialize(self, version="2025-11-25", capabilities=None):
        response = self.request("initialize", {"protocolVersion": version, "capabilities": capabilities or {}, "clientInfo": {"name": "t", "version": "1"}})
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return response["result"]

    def legacy(self, method, params=None):
        response = self.request(method, params or {})
        check("result" in response, f"{method}: {response}")
        return response["result"]

    def notification(self, method, seconds=15):
        """The next notification of this kind, those already seen included."""
        while True:
            for i, message in enumerate(self.notifications):
                if message.get("method") == method:
                    return self.notifications.pop(i)
            message = self.receive(seconds)
            check(message is not None, f"output ended before {method}")
            self.notifications.append(message)

    def close(self, seconds=5):
        """End of input, as when the application quits; returns the exit code."""
        self.child.stdin.close()
        return self.child.wait(seconds)

    def wait(self, seconds=5):
        return self.child.wait(seconds)
