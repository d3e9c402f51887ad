#!/usr/bin/env python3
"""MCP over Streamable HTTP at the hub: `latest` of the fleet, `query` of a day of 1 Hz data, calls to devices behind the link.

Real hub, real agents, real TLS; an API key and the audit are on. Load comes from wrk (one thread). `latest` is compared with servers made with the
TypeScript SDK that answer the same result from memory: without key, audit or database, so with less to do.
"""
import concurrent.futures
import contextlib
import http.client
import json
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from mcp_peers import (ENVELOPE, INITIALIZE, LEGACY, MODERN, QUIET, SDK, SDK_VERSIONS, Rows, SdkServer, Site, call_params, check, cpu_seconds, driver, main,
                       memory_kib, message, sdk_directory, wait_until)
from mcp_client import HubClient, serve_http

PLACE = "##########"
POST = pathlib.Path(__file__).resolve().parent / "hub_http_post.lua"
DAY = 86_400
SERIES = 16
ALL_CONNECTIONS = (1, 64, 1024)
OTHER_LOADS = (2, 4, 8, 16, 32, 128, 256, 512)  # for the plot of latency against load, ours alone


class Request:
    """One MCP request as wrk sends it, in a file."""

    def __init__(self, directory, name, tool, arguments, key=None, session=None, legacy=False):
        self.name = name
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": LEGACY if legacy else MODERN}
        if not legacy:
            headers.update({"Mcp-Method": "tools/call", "Mcp-Name": tool})
        if key:
            headers["Authorization"] = f"Bearer {key}"
        if session:
            headers["Mcp-Session-Id"] = session
        self.headers = headers
        self.body = message("tools/call", call_params(tool, arguments, not legacy), PLACE)
        self.file = pathlib.Path(directory) / f"{name}.request"
        self.file.write_text("".join(f"{k}: {v}\n" for k, v in headers.items()) + "\n" + self.body)

    def ask(self, connection, path):
        """The result of one such request; everything about it must be well."""
        connection.request("POST", path, self.body.replace(PLACE, "1"), self.headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        check(answer.status == 200, f"{self.name}: {answer.status} {text[:500]}")
        result = json.loads(text)["result"]
        check(not result.get("isError"), f"{self.name}: {text[:500]}")
        return result, len(text)


def load(request, pid, port, connections, seconds, tls=False, paths=("/mcp",), settle=0):
    """Runs wrk and returns what it printed, with rate, processor time and memory of the server. The first and the average answer must be alike."""
    connection = (http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=ssl._create_unverified_context()) if tls
                  else http.client.HTTPConnection("127.0.0.1", port, timeout=60))
    with contextlib.closing(connection):
        size = request.ask(connection, paths[0])[1]
    url = f"http{'s' if tls else ''}://127.0.0.1:{port}{paths[0]}"
    words = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds + settle))}s", "--timeout", "30s", "-s", POST, url, "--", request.file, *paths]
    begin_cpu, begin = cpu_seconds(pid), time.monotonic()
    wrk = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    time.sleep((seconds + settle) * 0.8)
    pss = memory_kib(pid) / 1024
    out = wrk.communicate(timeout=seconds + settle + 90)[0]
    check(wrk.returncode == 0 and "{" in out, f"wrk, {request.name}: {out[-500:]}")
    seen = json.loads(out[out.rindex("{"):])
    failed = seen["status"] + seen["read"] + seen["write"] + seen["timeout"] + seen["connect"]
    check(failed <= seen["calls"] / 1000, f"{request.name} at {connections} connections: {seen}")
    check(seen["calls"] > 0, f"{request.name} at {connections} connections: no answer in {time.monotonic() - begin:.1f} s: {seen}")
    check(seen["bytes"] / seen["calls"] > 0.9 * size, f"{request.name}: answers became shorter than {size} bytes: {seen}")
    seen.update(rate=seen["calls"] / seen["seconds"], cpu_us=(cpu_seconds(pid) - begin_cpu) * 1e6 / seen["calls"], pss=pss)
    return seen


def add(rows, job, subject, seen, note):
    rows.add(job, subject, "calls", "calls/s", seen["rate"], note)
    rows.add(job, subject, "p50", "us", seen["p50_us"], note)
    rows.add(job, subject, "p99", "us", seen["p99_us"], note)
    rows.add(job, subject, "server CPU a call", "us", seen["cpu_us"], note)
    rows.add(job, subject, "PSS", "MB", seen["pss"], note)


class Bench:
    """A hub with a key and its devices; `day` has a day of readings, all answer calls."""

    def __init__(self, context, site, devices, day=True):
        self.context = context
        self.site = site
        self.port = serve_http(site)
        site.init_hub()
        site.start_hub()
        out = site.hub_run("key", "create", "--role", "operator", "--name", "bench")
        self.key = re.search(r"tlk_[A-Za-z0-9_-]+", out).group(0)
        self.names = [f"d-{i:02}" for i in range(devices)]
        self.agents = [site.agent(name, extra=QUIET) for name in self.names]
        for agent in self.agents:
            agent.start(ready=False)
        wait_until(lambda: sum(d["online"] for d in site.hub_devices()) == len(self.names), 120, "the devices to be online")
        for agent in self.agents:
            agent.run("record", "temp=21.5")
        self.start_s = int(time.time()) - DAY - 60
        if day:
            self.ingest_day(self.agents[0])
        for path in self.paths():
            wait_until(lambda path=path: len(HubClient(self.port, path, self.key).tools()) > 5, 30, f"the tools of {path}")
        context.log(f"hub with {len(self.names)} devices" + (f", a day of 1 Hz readings at {self.names[0]}" if day else ""))

    def paths(self):
        return [f"/mcp/device/{name}" for name in self.names]

    def ingest_day(self, agent):
        """A walk in steps of 0.01, and a few more series with one value each for `latest`."""
        value, lines = 2000, [f"s{i:02} v={20 + i / 10}\n" for i in range(SERIES)]
        for i in range(DAY):
            value += (i * 7919) % 3 - 1
            lines.append(f"temp v={value / 100:.2f} {(self.start_s + i) * 1_000_000_000}\n")
        agent.run("ingest", stdin="".join(lines).encode())
        agent.wait_synced()

    def request(self, name, tool, arguments, **options):
        return Request(self.site.directory, name, tool, arguments, key=self.key, **options)

    def legacy_session(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        return open_session(connection, {"Authorization": f"Bearer {self.key}"})


def open_session(connection, headers=None):
    """A session of the older revisions, initialised; its id."""
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **(headers or {})}
    connection.request("POST", "/mcp", message("initialize", INITIALIZE, 1), headers)
    answer = connection.getresponse()
    answer.read()
    session = answer.getheader("Mcp-Session-Id")
    check(session, f"no session: {answer.status}")
    connection.request("POST", "/mcp", message("notifications/initialized", {}), {**headers, "Mcp-Session-Id": session, "MCP-Protocol-Version": LEGACY})
    connection.getresponse().read()
    connection.close()
    return session


class Peer:
    """An SDK server and the request that it is asked."""

    def __init__(self, version, server, request, name, tls):
        self.version, self.server, self.request, self.name, self.tls = version, server, request, name, tls
        self.note = SDK_VERSIONS[version] + (", one session, JSON answers" if version == "1" else ", createMcpHandler") + ", the same result from memory"


def start_peers(context, bench, result):
    sdk = sdk_directory(context)
    if sdk is None:
        return []
    scratch, state = bench.site.directory, bench.site.hub_state
    peers = []
    for version in ("1", "2"):
        for way in ("http", "https"):
            server = SdkServer(sdk, version, way, result, scratch, state / "server.crt", state / "server.key")
            session = None
            if version == "1":
                connection = (http.client.HTTPConnection("127.0.0.1", server.port) if way == "http" else
                              http.client.HTTPSConnection("127.0.0.1", server.port, context=ssl._create_unverified_context()))
                session = open_session(connection)
            request = Request(scratch, f"sdk{version}-{way}", "latest", ASKED, session=session, legacy=version == "1")
            peers.append(Peer(version, server, request, SDK.format(version) + (": tls" if way == "https" else ""), way == "https"))
            load(request, server.pid, server.port, 16, 1 if context.quick else 3, way == "https")  # compiled by now
    return peers


ASKED = {"devices": "d-00", "series": "temp"}
ARRIVALS = 10  # synced batches a second, each of which changes what the hub holds, while `latest` is measured


@contextlib.contextmanager
def arrivals(agent):
    """Readings of a device come while the body runs, as they do at a hub: it keeps answers only until something changes."""
    stop = threading.Event()

    def send():
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(agent.state / "ingest.sock"))
            answers = connection.makefile("rb")
            value = 0
            while not stop.wait(1 / ARRIVALS):
                value += 1
                connection.sendall(b"arriving v=%di\n#sync\n" % value)
                check(b'"accepted":1' in answers.readline(), "a reading that arrives meanwhile is taken")

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        sender = pool.submit(send)
        try:
            yield
        finally:
            stop.set()
        sender.result()  # readings that did not come make the figures wrong


def measure_latest(context, rows, bench, peers):
    latest = bench.request("latest", "latest", ASKED)
    old = bench.request("latest-legacy", "latest", ASKED, session=bench.legacy_session(), legacy=True)
    hub = bench.site.hub_process.pid
    for connections in ALL_CONNECTIONS:
        job = f"hub http latest, {connections} connections"
        # All of wrk's connections do their handshakes first, about 5 ms each at the hub: they get their time before the measurement counts.
        settle = connections * 0.012 if connections > 100 else 0
        add(rows, job, "tideline", load(latest, hub, bench.port, connections, context.seconds), f"loopback in the clear, key and audit on, 2026-07-28; {ARRIVALS} batches of readings a second come meanwhile")
        if connections <= 64:
            add(rows, job, "tideline: tls", load(latest, hub, bench.site.hub_port, connections, context.seconds, tls=True), "handshakes included")
        else:
            add(rows, job, "tideline: tls", late_load(latest, bench, connections, context.seconds, settle), "rate and CPU after the handshakes, latencies of the whole run")
        if connections == 64:
            add(rows, job, "tideline: legacy", load(old, hub, bench.port, connections, context.seconds), "one session, 2025-11-25")
        for peer in peers:
            if peer.tls and connections > 64:
                continue
            add(rows, job, peer.name, load(peer.request, peer.server.pid, peer.server.port, connections, context.seconds, peer.tls), peer.note)


def measure_loads(context, rows, bench):
    latest = bench.request("latest-loads", "latest", ASKED)
    for connections in OTHER_LOADS:
        seen = load(latest, bench.site.hub_process.pid, bench.port, connections, 1)
        for metric, unit, key in (("calls", "calls/s", "rate"), ("p50", "us", "p50_us"), ("p99", "us", "p99_us")):
            rows.add(f"hub http latest, {connections} connections", "tideline", metric, unit, seen[key], "for the plot, one run of 1 s")


def late_load(request, bench, connections, seconds, settle):
    """Rate and processor time at the hub in the last part of the run, when all handshakes are done; counted by the hub."""
    counts = []
    watcher = http.client.HTTPConnection("127.0.0.1", bench.port, timeout=60)  # one of limits::http_connections, so wrk has one less

    def count():
        watcher.request("GET", "/metrics")
        text = watcher.getresponse().read().decode()
        return float(re.search(r"^tideline_hub_http_requests_total ([0-9.e+]+)", text, re.M).group(1)), cpu_seconds(bench.site.hub_process.pid), time.monotonic()

    count()
    words = ["wrk", "-t1", f"-c{connections - 1}", f"-d{round(seconds + settle) + 1}s", "--timeout", "60s", "-s", POST,
             f"https://127.0.0.1:{bench.site.hub_port}/mcp", "--", request.file]
    wrk = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    time.sleep(settle)
    counts.append(count())
    time.sleep(seconds)
    counts.append(count())
    pss = memory_kib(bench.site.hub_process.pid) / 1024
    out = wrk.communicate(timeout=90)[0]
    watcher.close()
    seen = json.loads(out[out.rindex("{"):])
    calls = counts[1][0] - counts[0][0]
    check(calls > 0, f"no calls at {connections} TLS connections after {settle} s: {seen}")
    seen.update(rate=calls / (counts[1][2] - counts[0][2]), cpu_us=(counts[1][1] - counts[0][1]) * 1e6 / calls, pss=pss)
    return seen


def measure_queries(context, rows, bench):
    hub = bench.site.hub_process.pid
    first, last = bench.start_s, bench.start_s + DAY
    times = {"from": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(first)), "to": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(last))}
    day = bench.request("day", "query", {"devices": "d-00", "series": "temp", **times, "aggregate": "mean", "step": "1m", "limit": 2000})
    raw = bench.request("raw", "query", {"devices": "d-00", "series": "temp", **times, "limit": 1000})
    for request, job, note in ((day, "hub http query, a day of 1 Hz as minutes", "86,400 readings to 1,440 means"), (raw, "hub http query, 1,000 rows", "newest rows, raw")):
        for connections in (1, 64) if context.quick else ALL_CONNECTIONS:
            seconds = context.seconds if connections <= 64 else 3 * context.seconds  # an answer takes a second and more
            add(rows, f"{job}, {connections} connections", "tideline", load(request, hub, bench.port, connections, seconds), note)


def measure_devices(context, rows, bench):
    """Calls of the agents' own `latest` through hub and link, and the same call on the device."""
    hub = bench.site.hub_process.pid
    call = bench.request("device", "latest", {"series": "temp"})
    one = load(call, hub, bench.port, 1, context.seconds, paths=bench.paths()[:1])
    add(rows, "hub http call to a device, 1 connection", "tideline", one, "one device, its own `latest`")
    script = bench.site.directory / "device.script"
    script.write_text("ask " + message("server/discover", {"_meta": ENVELOPE}, 1) + "\nexpect structuredContent\ncall "
                      + message("tools/call", call_params("latest", {"series": "temp"}, True), PLACE) + "\n")
    words = [driver(context, "stdio_load"), script, "--seconds", context.seconds, "--warm", 200, "--socket", bench.agents[0].state / "agent.sock"]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=90, check=False)
    check(done.returncode == 0, f"agent.sock: {done.stderr}")
    local = json.loads(done.stdout)
    rows.add("hub http call to a device, 1 connection", "tideline: on the device", "p50", "us", local["p50_us"], "the same call at the agent's socket")
    rows.add("hub http call to a device, 1 connection", "tideline", "p50 added by hub and link", "us", one["p50_us"] - local["p50_us"], "HTTP, hub, TLS link and back")
    for connections in (64,) if context.quick else (64, 1024):
        seen = load(call, hub, bench.port, connections, context.seconds, paths=bench.paths())
        add(rows, f"hub http calls over {len(bench.names)} devices, {connections} connections", "tideline", seen, "all agents run on this machine, too")


def run(context):
    if shutil.which("wrk") is None:
        context.log("hub http: not run: wrk is missing (tests/packages.txt)")
        return []
    rows = Rows()
    tempfile.tempdir = str(context.directory)
    with Site(context.programs) as site:
        bench = Bench(context, site, 8 if context.quick else 64)
        result = site.directory / "result.json"
        connection = http.client.HTTPConnection("127.0.0.1", bench.port, timeout=30)
        result.write_text(json.dumps(bench.request("once", "latest", ASKED).ask(connection, "/mcp")[0]))
        connection.close()
        peers = start_peers(context, bench, result)
        try:
            for _ in range(context.repeats):
                with arrivals(bench.agents[-1]):
                    measure_latest(context, rows, bench, peers)
                measure_queries(context, rows, bench)
                measure_devices(context, rows, bench)
            if not context.quick:
                with arrivals(bench.agents[-1]):
                    measure_loads(context, rows, bench)
        finally:
            for peer in peers:
                peer.server.kill()
    return rows.list()


if __name__ == "__main__":
    main(run, __doc__.splitlines()[0])
