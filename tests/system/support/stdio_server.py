"""What the two scripted MCP servers share: one JSON-RPC message a line, worker threads, calls that can be cancelled."""
import json
import os
import sys
import threading

_out = threading.Lock()


def send(message):
    with _out:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def answer(request, result):
    send({"jsonrpc": "2.0", "id": request["id"], "result": result})


def refuse(request, code, text, data=None):
    error = {"code": code, "message": text}
    if data is not None:
        error["data"] = data
    send({"jsonrpc": "2.0", "id": request["id"], "error": error})


def notify(method, params):
    send({"jsonrpc": "2.0", "method": method, "params": params})


def text_result(text, **more):
    return {"content": [{"type": "text", "text": text}], **more}


class Calls:
    """Work that a cancellation interrupts."""

    def __init__(self):
        self.events = {}

    def begin(self, request, work):
        event = self.events[request["id"]] = threading.Event()
        threading.Thread(target=work, args=(request, event), daemon=True).start()

    def cancel(self, identity):
        if identity in self.events:
            self.events[identity].set()


def note(name, text):
    """Leaves a trace for the test, where it asked for traces."""
    directory = os.environ.get("TRACES")
    if directory:
        with open(os.path.join(directory, name), "a", encoding="utf-8") as file:
            file.write(text + "\n")


def messages():
    for line in sys.stdin:
        yield json.loads(line)
