"""MCP over HTTP as the system tests speak it: one kept connection, the newest revision, tools by name."""
import http.client
import json
import socket

from harness import check

VERSION = "2026-07-28"
TASKS = {"extensions": {"io.modelcontextprotocol/tasks": {}}}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class HubClient:
    def __init__(self, port, path="/mcp", key=None, capabilities=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.path = path
        self.key = key
        self.capabilities = capabilities or {}
        self.last = 0

    def post(self, method, **params):
        """Status and message of one request."""
        self.last += 1
        params["_meta"] = {"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": self.capabilities}
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": VERSION, "Mcp-Method": method}
        named = params.get("name") or params.get("uri") or params.get("taskId")
        if named:
            headers["Mcp-Name"] = named
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        body = json.dumps({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params})
        self.connection.request("POST", self.path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.getheader("Content-Type", "").startswith("application/json"):
            return answer.status, json.loads(text)
        return answer.status, text

    def result(self, method, **params):
        status, message = self.post(method, **params)
        check(status == 200 and "result" in message, f"{method}: {status} {message}")
        return message["result"]

    def tool(self, name, **arguments):
        return self.result("tools/call", name=name, arguments=arguments)

    def tools(self):
        return {tool["name"]: tool for tool in self.result("tools/list")["tools"]}


def text_of(result):
    return "\n".join(block.get("text", "") for block in result.get("content", []))


def serve_http(site):
    """Gives the hub of a site a port in the clear; before it starts."""
    site.http_port = free_port()
    site.hub_extra += f"[http]\nloopback_port = {site.http_port}\n"
    return site.http_port
