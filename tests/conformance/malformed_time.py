"""Clients over HTTP that are slow, gone, or never read: what the hub does about them, and that others do not notice."""
import concurrent.futures
import json
import socket
import struct
import time

import harness
import malformed_http
from http_client import Client, envelope, read_answer, read_head
from malformed_http import body, check, headers, still_works, succeeds

LISTEN = {"toolsListChanged": True, "resourceSubscriptions": ["test://watched-resource"]}


def slow_body(c):
    with c.connect() as slow:
        slow.sendall(c.head(headers=headers("server/discover"), length=500) + b'{"jsonrpc"')
        start = time.monotonic()
        still_works(c)
        check(time.monotonic() - start < 2, "one slow client held up another")
        slow.settimeout(45)
        try:
            status, _, _ = read_head(slow)
            check(status == 408, f"a body that does not come: HTTP {status}")
        except ConnectionError:
            pass
        took = time.monotonic() - start
        check(took < 40, f"a body that does not come was waited for {took:.0f} s")


def slow_head(c):
    with c.connect() as slow:
        slow.sendall(b"POST /mcp HTTP/1.1\r\nHost: ")
        slow.settimeout(45)
        start = time.monotonic()
        try:
            status, _, _ = read_head(slow)
            check(status == 408, f"a head that does not come: HTTP {status}")
        except ConnectionError:
            pass
        check(time.monotonic() - start < 40, "a head that does not come was waited for too long")


def open_listen(c, read=True):
    connection = c.connect()
    text = body("subscriptions/listen", {"notifications": LISTEN}, "L1")
    connection.sendall(c.head(headers=headers("subscriptions/listen"), length=len(text)) + text.encode())
    if not read:
        return connection, b""
    status, head, rest = read_head(connection)
    check(status == 200 and "text/event-stream" in head["content-type"] and "no-cache" in head["cache-control"], f"head of a listen: {status} {head}")
    while b"acknowledged" not in rest:
        rest += connection.recv(65536)
    return connection, rest


def half_open(connection):
    """Ends a connection by a reset, as a client that crashed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def half_open_stream(c):
    for _ in range(10):
        half_open(open_listen(c)[0])
    for _ in range(3):
        succeeds(c.request("tools/call", {"name": "test_trigger_tool_change"}))
    still_works(c)


def listen_hears(c):
    connection, rest = open_listen(c)
    with connection:
        time.sleep(0.3)
        succeeds(c.request("tools/call", {"name": "test_trigger_tool_change"}))
        connection.settimeout(3)
        while b"notifications/tools/list_changed" not in rest:
            rest += connection.recv(65536)
        events = [line for line in rest.decode().splitlines() if line.startswith("data:")]
        check(all(json.loads(e[5:])["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == "L1" for e in events), f"untagged: {events}")


def task_listens(c):
    """A listen is granted only tasks of which it will hear: those of a third-party server, two hops away, are asked for instead."""
    tasks = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
    task = c.modern("tools/call", {"name": "slow_compute", "arguments": {"seconds": 0.2}, "_meta": envelope(tasks)})["result"]["taskId"]
    text = body("subscriptions/listen", {"notifications": {"taskIds": [task]}, "_meta": envelope(tasks)}, "L1")
    with c.connect() as connection:
        connection.sendall(c.head(headers=headers("subscriptions/listen"), length=len(text)) + text.encode())
        _, _, rest = read_head(connection)
        while b"\n\n" not in rest:
            rest += connection.recv(65536)
        granted = json.loads(rest.decode().split("data:")[1].split("\n")[0])["params"]["notifications"]
        check(granted == {}, f"granted {granted}, of which nothing will be heard")
    harness.wait_until(lambda: c.modern("tasks/get", {"taskId": task, "_meta": envelope(tasks)})["result"]["status"] == "completed", 5, "the task to complete")


def keep_alive_comments(c):
    connection, _ = open_listen(c)
    with connection:
        connection.settimeout(20)
        start = time.monotonic()
        rest = b""
        while b"\n:" not in rest and not rest.startswith(b":"):
            part = connection.recv(65536)
            check(part, "the stream ended")
            rest += part.split(b"\r\n", 1)[-1]
        check(time.monotonic() - start < 17, "keep-alive comments must come every 15 s")


def closed_call_is_cancelled(c):
    def count():
        return int(c.modern("tools/call", {"name": "test_cancel_count"})["result"]["content"][0]["text"])
    before = count()
    connection = c.connect()
    text = body("tools/call", {"name": "test_wait", "arguments": {"seconds": 30}})
    connection.sendall(c.head(headers=headers("tools/call", "test_wait"), length=len(text)) + text.encode())
    time.sleep(0.5)
    connection.close()
    harness.wait_until(lambda: count() == before + 1, 5, "the closed connection to cancel the call at the device")


def never_reads(c):
    """Clients that ask for much and read nothing do not hold up others."""
    value = "x" * 200_000
    text = body("tools/call", {"name": "test_echo", "arguments": {"value": value}})
    idle = []
    try:
        for _ in range(8):
            connection = c.connect()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(c.head(headers=headers("tools/call", "test_echo"), length=len(text)) + text.encode())
            idle.append(connection)
        idle.append(open_listen(c, read=False)[0])
        start = time.monotonic()
        for _ in range(10):
            still_works(c)
        check(time.monotonic() - start < 5, f"ten calls took {time.monotonic() - start:.1f} s beside clients that do not read")
    finally:
        for connection in idle:
            half_open(connection)


def one_connection(c):
    """Several requests one after the other on one connection."""
    with c.connect() as connection:
        for n in range(3):
            text = body("tools/call", {"name": "test_simple_text"}, n)
            connection.sendall(c.head(headers=headers("tools/call", "test_simple_text"), length=len(text)) + text.encode())
            check(read_answer(connection).messages[-1]["id"] == n, "answers on one connection")


QUICK = [half_open_stream, listen_hears, task_listens, closed_call_is_cancelled, never_reads, one_connection]
SLOW = [slow_body, slow_head, keep_alive_comments]
FAST = malformed_http.FAST + QUICK


def run_all(report, part, url):
    """The slow ones wait beside the others."""
    with concurrent.futures.ThreadPoolExecutor(len(SLOW)) as pool:
        waiting = {function.__name__: pool.submit(function, Client(url)) for function in SLOW}
        passed = malformed_http.run(report, part, url, FAST)
        for name, future in waiting.items():
            passed += report.run(f"{part} {name}", future.result)
    return f"{passed}/{len(FAST) + len(SLOW)}"
