"""A plain MCP client over HTTP on raw sockets: sends exactly what it is told, right or wrong, and shows exactly what came back."""
import json
import socket
import urllib.parse

MODERN = "2026-07-28"
VERSION = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def messages(self):
        """The JSON-RPC messages of the body, of JSON and of an event stream."""
        if "text/event-stream" in self.headers.get("content-type", ""):
            return [json.loads(line[5:]) for line in self.body.decode().splitlines() if line.startswith("data:")]
        return [json.loads(self.body)] if self.body.strip() else []

    @property
    def code(self):
        """The JSON-RPC error code of the last message, or None."""
        messages = self.messages
        return messages[-1].get("error", {}).get("code") if messages and isinstance(messages[-1], dict) else None

    def __repr__(self):
        return f"HTTP {self.status} {self.body[:300]!r}"


def envelope(capabilities=None, **more):
    return {VERSION: MODERN, CAPABILITIES: capabilities or {}, **more}


def read_head(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError(f"closed after {data[:200]!r}")
        data += part
    head, rest = data.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, value = line.split(":", 1)
        headers[name.strip().lower()] = value.strip()
    return int(lines[0].split()[1]), headers, rest


def read_answer(connection):
    status, headers, rest = read_head(connection)
    more = lambda: connection.recv(65536)  # noqa: E731
    if "content-length" in headers:
        wanted = int(headers["content-length"])
        while len(rest) < wanted:
            part = more()
            if not part:
                raise ConnectionError("closed in the body")
            rest += part
        return Answer(status, headers, rest[:wanted])
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while True:
            while b"\r\n" not in rest:
                rest += more() or b"0\r\n\r\n"
            size, rest = rest.split(b"\r\n", 1)
            size = int(size.split(b";")[0], 16)
            while len(rest) < size + 2:
                part = more()
                if not part:
                    raise ConnectionError("closed in a chunk")
                rest += part
            if size == 0:
                return Answer(status, headers, body)
            body, rest = body + rest[:size], rest[size + 2:]
    if status in (202, 204, 304):
        return Answer(status, headers, rest)
    while True:
        part = more()
        if not part:
            return Answer(status, headers, rest)
        rest += part


class Client:
    def __init__(self, url, timeout=15):
        parts = urllib.parse.urlsplit(url)
        self.address = (parts.hostname, parts.port)
        self.path = parts.path
        self.host = parts.netloc
        self.timeout = timeout
        self.next_id = 0

    def connect(self):
        return socket.create_connection(self.address, timeout=self.timeout)

    def head(self, verb="POST", headers=None, length=None):
        """Default headers, each replaced by `headers` (ignoring case), or left out where that says None."""
        all_headers = {"Host": self.host, "Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if length is not None:
            all_headers["Content-Length"] = str(length)
        for name, value in (headers or {}).items():
            all_headers = {k: v for k, v in all_headers.items() if k.lower() != name.lower()}
            all_headers[name] = value
        lines = [f"{verb} {self.path} HTTP/1.1"]
        for name, value in all_headers.items():
            lines += [f"{name}: {v}" for v in (value if isinstance(value, list) else [value]) if v is not None]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")

    def send(self, body=b"", headers=None, verb="POST"):
        body = body if isinstance(body, bytes) else body.encode()
        with self.connect() as connection:
            try:
                connection.sendall(self.head(verb, headers, len(body)) + body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before it was read to the end: the answer may still be there
            return read_answer(connection)

    def request(self, method, params=None, headers=None, request_id=None):
        """A modern request with the headers that belong to it; `headers` replace or remove some."""
        params = dict(params or {})
        params.setdefault("_meta", envelope())
        self.next_id += 1
        body = json.dumps({"jsonrpc": "2.0", "id": self.next_id if request_id is None else request_id, "method": method, "params": params})
        own = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
        name = params.get("taskId") if method.startswith("tasks/") else params.get("uri") if method == "resources/read" else params.get("name")
        if isinstance(name, str):
            own["Mcp-Name"] = name
        for key, value in (headers or {}).items():
            own = {k: v for k, v in own.items() if k.lower() != key.lower()}
            own[key] = value
        return self.send(body, own)

    def modern(self, method, params=None):
        """The last message of the answer."""
        return self.request(method, params).messages[-1]

    def legacy(self, method, params=None, headers=None, request_id=1):
        message = {"jsonrpc": "2.0", "id": request_id, "method": method}
        if params is not None:
            message["params"] = params
        return self.send(json.dumps(message), headers)
