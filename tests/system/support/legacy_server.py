"""A stdio MCP server of revision 2025-11-25, with bad habits: notifications before the greeting, chatter on stdout, broken definitions."""
import os
import sys
import time

from stdio_server import Calls, answer, messages, note, notify, refuse, text_result

OBJECT = {"type": "object"}
TOOLS = [
    {"name": "echo", "description": "Says it again.", "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}}, "annotations": {"readOnlyHint": True},
     "x-vendor": {"kept": 9007199254740993}},
    {"name": "slow", "description": "Counts, with progress.", "inputSchema": OBJECT},
    {"name": "wait", "description": "Waits until it is cancelled.", "inputSchema": OBJECT},
    {"name": "grow", "description": "Adds a tool.", "inputSchema": OBJECT},
    {"name": "touch", "description": "Changes the resource.", "inputSchema": OBJECT},
    {"name": "environment", "description": "Tells the names of its variables.", "inputSchema": OBJECT},
    {"name": "no_schema", "description": "Broken: no inputSchema."},
    {"name": "wrong_schema", "description": "Broken.", "inputSchema": {"type": "array"}},
    {"name": "null_text", "description": None, "inputSchema": OBJECT},
    {"name": "bad name!", "description": "Broken.", "inputSchema": OBJECT},
    "not even an object",
]
RESOURCES = [{"uri": "legacy://note", "name": "note", "mimeType": "text/plain"}]
calls = Calls()
watched = set()


def count(request, event):
    token = request["params"].get("_meta", {}).get("progressToken")
    for i in range(1, 4):
        if event.wait(0.1):
            return
        if token is not None:
            notify("notifications/progress", {"progressToken": token, "progress": i, "total": 3, "message": f"step {i}"})
    answer(request, text_result("counted"))


def wait(request, event):
    note("wait", "begun")
    if event.wait(60):
        note("wait", "cancelled")


def call_tool(request):
    name = request["params"]["name"]
    arguments = request["params"].get("arguments", {})
    if name == "echo":
        answer(request, text_result(arguments.get("text", ""), structuredContent=arguments))
    elif name == "slow":
        calls.begin(request, count)
    elif name == "wait":
        calls.begin(request, wait)
    elif name == "grow":
        TOOLS.append({"name": "grown", "description": "New.", "inputSchema": OBJECT})
        notify("notifications/tools/list_changed", {})
        answer(request, text_result("grown"))
    elif name == "touch":
        if "legacy://note" in watched:
            notify("notifications/resources/updated", {"uri": "legacy://note"})
        answer(request, text_result("touched"))
    elif name == "environment":
        answer(request, text_result(" ".join(sorted(os.environ))))
    elif name == "null_text":
        answer(request, text_result("fine"))
    else:
        refuse(request, -32602, f"unknown tool {name}")


def serve(request):
    method = request.get("method")
    params = request.get("params", {})
    if method == "initialize":
        answer(request, {"protocolVersion": "2025-11-25", "serverInfo": {"name": "legacy", "version": "1"},
                         "capabilities": {"tools": {"listChanged": True}, "resources": {"subscribe": True}, "prompts": {}, "completions": {}}})
    elif method == "tools/list":
        answer(request, {"tools": TOOLS})
    elif method == "resources/list":
        answer(request, {"resources": RESOURCES})
    elif method == "resources/templates/list":
        answer(request, {"resourceTemplates": [{"uriTemplate": "legacy://item/{id}", "name": "item"}]})
    elif method == "resources/read":
        if params["uri"] == "legacy://none" or params["uri"].startswith("legacy://item/0"):
            refuse(request, -32002, "Resource not found", {"uri": params["uri"]})
        else:
            answer(request, {"contents": [{"uri": params["uri"], "mimeType": "text/plain", "text": "hello"}]})
    elif method in ("resources/subscribe", "resources/unsubscribe"):
        (watched.add if method == "resources/subscribe" else watched.discard)(params["uri"])
        answer(request, {})
    elif method == "prompts/list":
        answer(request, {"prompts": [{"name": "greet", "arguments": [{"name": "who", "required": True}]}]})
    elif method == "prompts/get":
        answer(request, {"messages": [{"role": "user", "content": {"type": "text", "text": f"{params['name']} {params['arguments']['who']}"}}]})
    elif method == "completion/complete":
        answer(request, {"completion": {"values": [params["ref"].get("name") or params["ref"].get("uri")]}})
    elif method == "tools/call":
        call_tool(request)
    elif method == "ping":
        answer(request, {})
    elif method == "notifications/cancelled":
        calls.cancel(params["requestId"])
    elif "id" in request:
        refuse(request, -32601, "Method not found")


def main():
    note("starts", str(os.getpid()))
    print("Server running on stdio", file=sys.stdout, flush=True)
    print("hello from standard error", file=sys.stderr, flush=True)
    if "--dies" in sys.argv:
        sys.exit(3)
    if "--slow-start" in sys.argv:
        time.sleep(0.5)
    notify("notifications/tools/list_changed", {})
    for request in messages():
        serve(request)
    note("starts", "closed")


main()
