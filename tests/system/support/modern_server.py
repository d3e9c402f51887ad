"""A stdio MCP server of revision 2026-07-28 alone: questions in the middle of a call, tasks, listens."""
import os
import sys

from stdio_server import Calls, answer, messages, note, notify, refuse, text_result

MODERN = "2026-07-28"
VERSION = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
TASKS = "io.modelcontextprotocol/tasks"
OBJECT = {"type": "object"}
TOOLS = [
    {"name": "echo", "description": "Says it again.", "inputSchema": OBJECT},
    {"name": "meta", "description": "Tells the _meta it got.", "inputSchema": OBJECT},
    {"name": "ask", "description": "Asks for a name.", "inputSchema": OBJECT},
    {"name": "long", "description": "A task.", "inputSchema": OBJECT},
    {"name": "log", "description": "Logs.", "inputSchema": OBJECT},
    {"name": "flood", "description": "Says nothing useful, very often.", "inputSchema": OBJECT},
]
STATE = "st\u00e4te/\"quoted\"/9007199254740993"
calls = Calls()


def complete(request, result, **more):
    answer(request, {"resultType": "complete", **result, **more})


def listed(request, result):
    complete(request, result, ttlMs=1000, cacheScope="private")


def task(status, **more):
    return {"taskId": "job.1", "status": status, "createdAt": "2026-08-01T09:00:00Z", "lastUpdatedAt": "2026-08-01T09:00:00Z", "ttlMs": 60000, "pollIntervalMs": 100, **more}


def call_tool(request):
    params = request["params"]
    name = params["name"]
    meta = params["_meta"]
    capabilities = meta[CAPABILITIES]
    if name == "echo":
        complete(request, text_result(str(params.get("arguments"))))
    elif name == "meta":
        complete(request, text_result("", structuredContent=meta))
    elif name == "ask":
        if "inputResponses" in params:
            good = params.get("requestState") == STATE
            complete(request, text_result(f"{params['inputResponses']['who']['content']['name']} {good}"))
        elif "elicitation" not in capabilities:
            refuse(request, -32021, "needs elicitation", {"requiredCapabilities": {"elicitation": {"form": {}}}})
        else:
            question = {"method": "elicitation/create", "params": {"mode": "form", "message": "Who?", "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}}}}
            answer(request, {"resultType": "input_required", "requestState": STATE, "inputRequests": {"who": question}})
    elif name == "long":
        if TASKS in capabilities.get("extensions", {}):
            answer(request, {"resultType": "task", **task("working")})
        else:
            complete(request, text_result("done without a task"))
    elif name == "log":
        notify("notifications/message", {"level": "warning", "logger": "it", "data": {"deep": [1]}})
        complete(request, text_result(str(meta.get("io.modelcontextprotocol/logLevel"))))
    elif name == "flood":
        calls.begin(request, flood)
    else:
        refuse(request, -32602, f"unknown tool {name}")


def flood(request, event):
    line = "x" * 65536 + "\n"
    for _ in range(2000):
        if event.is_set():
            return
        sys.stdout.write(line)
    complete(request, text_result("flooded"))


def serve(request):
    method = request.get("method")
    params = request.get("params", {})
    if method == "notifications/cancelled":
        return calls.cancel(params["requestId"])
    if "id" not in request:
        return None
    if params.get("_meta", {}).get(VERSION) != MODERN:
        return refuse(request, -32022, "unsupported protocol version", {"supported": [MODERN]})
    if method == "server/discover":
        return listed(request, {"supportedVersions": [MODERN], "capabilities": {"tools": {"listChanged": True}, "extensions": {TASKS: {}}}})
    if method == "tools/list":
        return listed(request, {"tools": TOOLS})
    if method == "tools/call":
        return call_tool(request)
    if method == "tasks/get":
        if params["taskId"] != "job.1":
            return refuse(request, -32602, "no such task")
        return complete(request, task("completed", result={"resultType": "complete", **text_result("the end")}))
    if method in ("tasks/cancel", "tasks/update"):
        note("tasks", f"{method} {params['taskId']}")
        return complete(request, {})
    if method == "subscriptions/listen":
        return notify("notifications/subscriptions/acknowledged", {"_meta": {"io.modelcontextprotocol/subscriptionId": request["id"]}, "notifications": params["notifications"]})
    return refuse(request, -32601, "Method not found")


def main():
    note("modern_starts", str(os.getpid()))
    for request in messages():
        serve(request)


main()
