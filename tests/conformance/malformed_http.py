"""Malformed and unusual traffic over HTTP against the hub's endpoint of one device: status codes and JSON-RPC codes of each."""
import json

import harness
from http_client import CAPABILITIES, MODERN, VERSION, Client, envelope, read_answer

check = harness.check


def expect(answer, status, code=None, request_id=None):
    check(answer.status == status, f"expected HTTP {status}, got {answer}")
    if code is not None:
        check(answer.code == code, f"expected error {code}, got {answer}")
        check(answer.messages[-1].get("id") == request_id, f"expected id {request_id!r}, got {answer}")


def succeeds(answer):
    check(answer.status == 200 and answer.messages and "result" in answer.messages[-1], f"expected a result, got {answer}")
    return answer


def still_works(c):
    succeeds(c.request("tools/call", {"name": "test_simple_text"}))


def body(method, params=None, request_id=1):
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": {"_meta": envelope(), **(params or {})}})


def headers(method, name=None, **more):
    out = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method, **more}
    return {**out, "Mcp-Name": name} if name else out


# ---- The front: verb, host, origin, type

def verbs(c):
    for verb in ("GET", "DELETE", "PUT", "PATCH", "OPTIONS"):
        answer = c.send(verb=verb, headers={"MCP-Protocol-Version": MODERN})
        expect(answer, 405)
        check("POST" in answer.headers.get("allow", ""), f"405 must say Allow: POST, got {answer.headers}")


def hosts(c):
    expect(c.request("server/discover", headers={"Host": "evil.example.com"}), 403)
    expect(c.request("server/discover", headers={"Host": f"evil.example.com:{c.address[1]}"}), 403)
    check(c.request("server/discover", headers={"Host": None}).status in (400, 403), "a request without Host must be refused")
    check(c.request("server/discover", headers={"Host": [c.host, "evil.example.com"]}).status in (400, 403), "two Hosts must be refused")
    for host in (f"localhost:{c.address[1]}", f"[::1]:{c.address[1]}", "127.0.0.1"):
        succeeds(c.request("server/discover", headers={"Host": host}))


def origins(c):
    for origin in ("http://evil.example.com", "null", "http://127.0.0.1.evil.example.com", f"http://evil.example.com@{c.host}x", ""):
        expect(c.request("server/discover", headers={"Origin": origin}), 403)
    succeeds(c.request("server/discover", headers={"Origin": f"http://{c.host}"}))


def content_types(c):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", None):
        expect(c.request("server/discover", headers={"Content-Type": kind}), 415)
    succeeds(c.request("server/discover", headers={"Content-Type": "application/json; charset=utf-8"}))
    succeeds(c.request("server/discover", headers={"Content-Type": "Application/JSON"}))


def accepts(c):
    for accept in (None, "application/json", "*/*", "text/event-stream, application/json;q=0.5"):
        succeeds(c.request("server/discover", headers={"Accept": accept}))
    expect(c.request("server/discover", headers={"Accept": "text/html"}), 406)


def paths(c):
    other = Client(f"http://{c.host}/mcp/device/no-such-device")
    expect(other.request("server/discover"), 404)
    for path in ("/mcp/device/", "/mcp/devices", "/mcp/device/%2e%2e/x", "/MCP"):
        expect(Client(f"http://{c.host}{path}").request("server/discover"), 404)


# ---- What does not parse

def bad_json(c):
    for text in (b"{nonsense", b"", b'{"jsonrpc":"2.0","id":1,"method":"\xff"}', b"{} {}", b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"ping"}'):
        expect(c.send(text, headers("server/discover")), 400, -32700)
        expect(c.send(text), 400, -32700)
    still_works(c)


def wrong_messages(c):
    for text in ("{}", '"x"', '{"jsonrpc":"2.0","id":null,"method":"ping"}', '{"jsonrpc":"2.0","id":1.5,"method":"ping"}'):
        expect(c.send(text, headers("ping")), 400, -32600)
        expect(c.send(text), 400, -32600)


def batches(c):
    batch = f"[{body('server/discover')}]"
    expect(c.send(batch, headers("server/discover")), 400, -32600)
    expect(c.send(batch, {"MCP-Protocol-Version": "2025-11-25"}), 400, -32600)
    expect(c.send("[]", {"MCP-Protocol-Version": "2025-03-26"}), 400, -32600)
    answer = c.send('[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"tools/list"}]', {"MCP-Protocol-Version": "2025-03-26"})
    check(answer.status == 200 and sorted(m["id"] for m in answer.messages[-1]) == [1, 2], f"a batch of 2025-03-26: {answer}")


def duplicate_keys(c):
    text = '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"about","name":"test_simple_text","_meta":' + json.dumps(envelope()) + "}}"
    expect(c.send(text, headers("tools/call", "about")), 400, -32602, 3)
    expect(c.send('{"jsonrpc":"2.0","id":3,"id":4,"method":"ping"}', headers("ping")), 400, -32600)


def deep_nesting(c):
    deep = '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":' + "[" * 1000 + "]" * 1000 + "}}"
    expect(c.send(deep, headers("ping")), 400, -32600)
    still_works(c)


def long_body(c):
    big = body("tools/call", {"name": "test_echo", "arguments": {"value": "x" * (5 * 1024 * 1024)}})
    expect(c.send(big, headers("tools/call", "test_echo")), 413)
    # Refused by its length alone, before the body comes.
    with c.connect() as connection:
        connection.sendall(c.head(headers=headers("tools/call", "test_echo"), length=1 << 40))
        check(read_answer(connection).status == 413, "a body of a terabyte must be refused at once")
    still_works(c)


def long_head(c):
    expect(c.request("server/discover", headers={"X-Long": "x" * 70000}), 431)
    expect(c.request("server/discover", headers={f"X-{i}": "x" for i in range(1000)}), 431)
    still_works(c)


def smuggling(c):
    text = body("server/discover")
    both = headers("server/discover", **{"Transfer-Encoding": "chunked"})
    check(c.send(text, both).status == 400, "Content-Length and Transfer-Encoding together must be refused")
    check(c.request("server/discover", headers={"Content-Length": [str(len(text)), "5"]}).status == 400, "two lengths must be refused")
    check(c.request("server/discover", headers={"Content-Length": "+5"}).status == 400, "a length with a sign must be refused")
    still_works(c)


# ---- The ladder of the newest revision

def envelopes(c):
    head = headers("tools/list")
    expect(c.send('{"jsonrpc":"2.0","id":1,"method":"tools/list"}', head), 400, -32602, 1)
    for meta in ({VERSION: MODERN}, {CAPABILITIES: {}}, {VERSION: 5, CAPABILITIES: {}}, {VERSION: MODERN, CAPABILITIES: []}):
        expect(c.send(body("tools/list", {"_meta": meta}), head), 400, -32602, 1)
    expect(c.send('{"jsonrpc":"2.0","id":9,"method":"server/discover"}', headers("server/discover")), 400, -32602, 9)


def versions(c):
    expect(c.request("tools/list", headers={"MCP-Protocol-Version": None}), 400, -32020, 1)
    for version in ("2025-11-25", "2030-01-01", "", "x"):
        expect(c.request("tools/list", headers={"MCP-Protocol-Version": version}, request_id="v"), 400, -32020, "v")
    answer = c.request("tools/list", {"_meta": {VERSION: "2030-01-01", CAPABILITIES: {}}}, {"MCP-Protocol-Version": "2030-01-01"}, request_id=4)
    expect(answer, 400, -32022, 4)
    data = answer.messages[-1]["error"]["data"]
    supported = c.modern("server/discover")["result"]["supportedVersions"]
    check(data["requested"] == "2030-01-01" and data["supported"] and set(data["supported"]) <= set(supported), f"data of -32022: {data}")


def method_headers(c):
    for value in (None, "tools/call", "TOOLS/LIST", "=?base64?dG9vbHMvbGlzdA?=", ["tools/list", "tools/list"]):
        expect(c.request("tools/list", headers={"Mcp-Method": value}, request_id=7), 400, -32020, 7)
    succeeds(c.request("tools/list", headers={"mcp-METHOD": "  tools/list "}))


def name_headers(c):
    params = {"name": "test_simple_text"}
    for value in (None, "about", "Test_Simple_Text", "", "=?base64?dGVzdF9zaW1wbGVfdGV4dA=?=", "=?base64?!!!?=", "=?base64?dGVzdF9zaW1wbGVfdGV4dA==",
                  ["test_simple_text", "about"]):
        expect(c.request("tools/call", params, {"Mcp-Name": value}, request_id=8), 400, -32020, 8)
    succeeds(c.request("tools/call", params, {"Mcp-Name": "=?base64?dGVzdF9zaW1wbGVfdGV4dA==?="}))
    succeeds(c.request("tools/call", params, {"mcp-name": " test_simple_text\t"}))
    expect(c.request("resources/read", {"uri": "test://static-text"}, {"Mcp-Name": "test://static-binary"}, request_id=8), 400, -32020, 8)
    expect(c.request("prompts/get", {"name": "test_simple_prompt"}, {"Mcp-Name": None}, request_id=8), 400, -32020, 8)


def param_headers(c):
    def call(arguments, value, request_id=9):
        own = {} if value is None else {"Mcp-Param-Region": value}
        return c.request("tools/call", {"name": "test_x_mcp_header", "arguments": arguments}, own, request_id=request_id)
    succeeds(call({"region": "north"}, "north"))
    succeeds(call({"region": "süd"}, "=?base64?c8O8ZA==?="))
    succeeds(call({}, None))
    succeeds(call({"region": "=?base64?x"}, "=?base64?x"))
    for arguments, value in (({"region": "north"}, None), ({"region": "north"}, "south"), ({"region": "north"}, "North"), ({}, "north"),
                             ({"region": "süd"}, "=?base64?c8O8ZA=?="), ({"region": "süd"}, "=?BASE64?c8O8ZA==?=")):
        expect(call(arguments, value), 400, -32020, 9)


def unknown_methods(c):
    for method in ("no/such", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "tasks/list", "tasks/result", "initialize"):
        expect(c.request(method, {"level": "info", "uri": "test://static-text"}, request_id="m"), 404, -32601, "m")
    initialize = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "0"}}
    expect(c.legacy("initialize", initialize, headers("initialize"), request_id=5), 400, -32020, 5)


def handler_errors(c):
    expect(c.request("tools/call", {"name": "no_such_tool"}, request_id=1), 200, -32602, 1)
    expect(c.request("tools/list", {"cursor": "made-up"}, request_id=2), 200, -32602, 2)
    expect(c.request("prompts/get", {"name": "no_such_prompt"}, request_id=3), 200, -32602, 3)
    answer = c.request("resources/read", {"uri": "test://nowhere"}, request_id=4)
    expect(answer, 200, -32602, 4)
    check(answer.messages[-1]["error"].get("data", {}).get("uri") == "test://nowhere", f"data.uri: {answer}")
    answer = c.request("tools/call", {"name": "test_missing_capability"}, request_id=5)
    expect(answer, 400, -32021, 5)
    check(answer.messages[-1]["error"]["data"]["requiredCapabilities"] == {"sampling": {}}, f"data of -32021: {answer}")
    expect(c.request("tasks/get", {"taskId": "x"}, request_id=6), 400, -32021, 6)


def notifications_and_responses(c):
    expect(c.send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}'), 202)
    expect(c.send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}', {"MCP-Protocol-Version": MODERN}), 202)
    expect(c.send('{"jsonrpc":"2.0","id":1,"result":{}}', {"MCP-Protocol-Version": MODERN}), 400, -32600)
    expect(c.send('{"jsonrpc":"2.0","id":1,"result":{}}', {"MCP-Protocol-Version": "2025-11-25"}), 202)


# ---- Older revisions

def legacy_sessions(c):
    parameters = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "0"}}
    answer = succeeds(c.legacy("initialize", parameters))
    check(answer.messages[-1]["result"]["protocolVersion"] == "2025-06-18", f"initialize: {answer}")
    session = answer.headers.get("mcp-session-id", "")
    check(len(session) >= 22 and all(0x21 <= ord(ch) <= 0x7e for ch in session), f"session id {session!r} is short or not visible ASCII")
    own = {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-06-18"}
    expect(c.send('{"jsonrpc":"2.0","method":"notifications/initialized"}', own), 202)
    succeeds(c.legacy("tools/list", headers=own, request_id=2))
    expect(c.legacy("initialize", parameters, own, request_id=3), 400, -32600, 3)
    answer = c.legacy("resources/read", {"uri": "test://nowhere"}, own, request_id=4)
    expect(answer, 200, -32002, 4)
    check(answer.messages[-1]["error"].get("data", {}).get("uri") == "test://nowhere", f"data.uri: {answer}")
    for wrong in ("no-such-session", session[:-1]):
        expect(c.legacy("tools/list", headers={**own, "Mcp-Session-Id": wrong}), 404)
    expect(c.send(verb="GET", headers={**own, "Accept": "application/json"}), 406)
    check(c.send(verb="DELETE", headers=own).status in (200, 204), "DELETE ends the session")
    expect(c.legacy("tools/list", headers=own), 404)
    expect(c.send(verb="DELETE", headers=own), 404)


def abandoned_sessions(c):
    """Clients that never end their sessions shut out nobody: the sessions used longest ago give way."""
    parameters = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "0"}}
    sessions = [succeeds(c.legacy("initialize", parameters)).headers["mcp-session-id"] for _ in range(300)]
    succeeds(c.legacy("ping", headers={"Mcp-Session-Id": sessions[-1]}))
    expect(c.legacy("ping", headers={"Mcp-Session-Id": sessions[0]}), 404)


def legacy_without_session(c):
    succeeds(c.legacy("ping", headers={"MCP-Protocol-Version": "2025-11-25"}))
    answer = succeeds(c.legacy("tools/list", headers={"MCP-Protocol-Version": "2025-06-18"}))
    check("resultType" not in answer.messages[-1]["result"], "a legacy answer with a modern member")
    expect(c.legacy("tools/list", headers={"MCP-Protocol-Version": "1999-01-01"}), 400)


FAST = [verbs, hosts, origins, content_types, accepts, paths, bad_json, wrong_messages, batches, duplicate_keys, deep_nesting, long_body, long_head, smuggling,
        envelopes, versions, method_headers, name_headers, param_headers, unknown_methods, handler_errors, notifications_and_responses, legacy_sessions,
        abandoned_sessions, legacy_without_session]


def run(report, part, url, checks):
    passed = 0
    for function in checks:
        passed += report.run(f"{part} {function.__name__}", lambda function=function: function(Client(url)))
    return passed
