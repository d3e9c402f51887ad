"""The hub's command line and its HTTP side, without any device: what it prints, what it refuses, with which exit code."""
import hashlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import stat

from harness import Process, Site, check, run


def only_line(error):
    lines = [line for line in error.strip().splitlines() if line]
    check(len(lines) == 1, f"one line expected, not {len(lines)}: {error}")
    return lines[0]


def https(site, method="GET", path="/healthz", headers=None, name="localhost"):
    context = ssl.create_default_context(cafile=site.hub_state / "ca.crt")
    connection = http.client.HTTPSConnection(name, site.hub_port, context=context, timeout=10)
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, body


def raw_https(site, data, alpn=None):
    """Sends bytes over TLS and returns everything that comes back until the hub closes."""
    context = ssl.create_default_context(cafile=site.hub_state / "ca.crt")
    if alpn:
        context.set_alpn_protocols(alpn)
    with socket.create_connection(("127.0.0.1", site.hub_port), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(data)
            answer = b""
            while True:
                try:
                    part = connection.recv(65536)
                except (ssl.SSLError, ConnectionError):
                    break
                if not part:
                    break
                answer += part
            return answer.decode(errors="replace")


def test_init_makes_private_keys_once(build):
    with Site(build) as site:
        out = site.hub_run("init", "--name", "localhost", "127.0.0.1")
        fingerprint = re.search(r"\b([0-9a-f]{64})\b", out).group(1)
        der = ssl.PEM_cert_to_DER_cert((site.hub_state / "ca.crt").read_text())
        check(hashlib.sha256(der).hexdigest() == fingerprint, "init prints the SHA-256 of the authority's certificate")
        for name in ("ca.key", "server.key"):
            mode = stat.S_IMODE((site.hub_state / name).stat().st_mode)
            check(mode == 0o600, f"{name} is {oct(mode)}")
        check(stat.S_IMODE(site.hub_state.stat().st_mode) == 0o700, "the state directory is private")
        before = (site.hub_state / "ca.key").read_bytes()
        code, _, error = run(site.hub_command("init"))
        check(code == 1 and str(site.hub_state) in only_line(error), error)
        check((site.hub_state / "ca.key").read_bytes() == before, "nothing was overwritten")


def test_wrong_input_is_named_with_what_to_do(build):
    with Site(build) as site:
        def fails(words, code, *texts, config=None):
            extra = []
            if config is not None:
                (site.directory / "wrong.toml").write_text(config)
                extra = ["--config", site.directory / "wrong.toml"]
            got, out, error = run(site.hub_command(*words, *extra))
            check(got == code, f"{words}: exit code {got}, expected {code}: {out}{error}")
            for text in texts:
                check(text in only_line(error), f"{words}: '{text}' expected in: {error}")
            check(out == "", f"{words}: nothing on stdout: {out}")

        fails(["serve"], 2, "tideline-hub init", str(site.hub_state))
        fails(["devices"], 2, "tideline-hub init")
        fails(["token", "create", "--device", "x"], 2, "tideline-hub init")
        fails(["init", "--name", "no name"], 2, "no name")
        fails(["init", "--nam", "x"], 2, "--nam", "--name")
        site.init_hub()
        fails(["serve"], 2, "wrong.toml:2", "listn", "listen", config='[hub]\nlistn = "0.0.0.0:1"\n')
        fails(["serve"], 2, "wrong.toml:1", "hubb", "hub", config="[hubb]\n")
        fails(["serve"], 2, "wrong.toml:2", "listen", config='[hub]\nlisten = "7443"\n')
        fails(["serve"], 2, "wrong.toml:3", "loopback_port", "65535", config="[http]\n\nloopback_port = 70000\n")
        fails(["serve", "--config", "/nonexistent/hub.toml"], 2, "/nonexistent/hub.toml")
        fails(["token", "create"], 2, "--device")
        fails(["token", "create", "--device", "Pump 7"], 2, "Pump 7")
        fails(["token", "create", "--device", "p", "--ttl", "soon"], 2, "soon")
        fails(["token", "create", "--device", "p", "--labels", "site"], 2, "site")
        fails(["device", "revoke", "nobody"], 1, "nobody")
        fails(["device", "revoke"], 2, "device")
        fails(["query", "--since", "yesterday"], 2, "yesterday")
        fails(["query", "--from", "2026-13-01"], 2, "2026-13-01")
        fails(["query", "--since", "1h", "--to", "2026-01-01"], 2, "--since")
        fails(["query", "--aggregate", "median"], 2, "median", "mean")
        fails(["query", "--step", "1m"], 2, "--aggregate")
        fails(["query", "--limit", "0"], 2, "--limit", "100000")
        fails(["query", "--limit", "100001"], 2, "--limit", "100000")
        fails(["query", "--series", "a{"], 2, "a{")
        fails(["backup"], 2, "FILE")
        fails(["restore", "/nonexistent"], 2, "/nonexistent")
        (site.directory / "no.backup").write_text("not a database, but long enough to be looked at\n" * 100)
        fails(["restore", site.directory / "no.backup"], 1, "no.backup")
        program = site.build / "tideline-hub"
        for words, text in ((["frobnicate"], "frobnicate"), (["devicez"], "devices"), (["token"], "token")):
            code, out, error = run([program, *words])
            check(code == 2 and text in error and out == "", f"{words}: {code} {out}{error}")


def test_help_exists_for_every_command(build):
    with Site(build) as site:
        program = site.build / "tideline-hub"
        code, out, _ = run([program, "--help"])
        check(code == 0, "help is no error")
        names = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  ", out, re.M)
        check({"init", "serve", "token create", "devices", "query", "verify", "backup", "restore"} <= set(names), f"{names}")
        for name in names:
            code, out, error = run([program, *name.split(), "--help"])
            check(code == 0 and out.startswith(f"usage: tideline-hub {name}"), f"{name}: {code} {out[:200]}{error}")
        code, out, _ = run([program, "--version"])
        check(code == 0 and re.fullmatch(r"tideline-hub \d+\.\d+\.\d+\n", out), out)
        code, out, _ = run([program, "serve", "--help-config"])
        check(code == 0 and "loopback_port" in out and "device_life" in out, out)
        (site.directory / "documented.toml").write_text(out)
        site.init_hub()
        code, _, error = run(site.hub_command("serve", "--check", "--config", site.directory / "documented.toml"))
        check(code == 0, f"the documentation is a configuration: {error}")


def test_health_and_metrics_over_tls(build):
    with Site(build) as site:
        site.init_hub()
        hub = site.start_hub()
        start = hub.text()
        check(site.fingerprint[:16] in start, f"the start line names the authority: {start}")
        status, headers, body = https(site)
        health = json.loads(body)
        check(status == 200 and health["status"] == "ok" and health["store"]["writable"], body)
        check(headers["Content-Type"] == "application/json", str(headers))
        status, headers, body = https(site, path="/metrics")
        check(status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4"), f"{status} {headers}")
        check("\ntideline_hub_devices_online 0\n" in body and 'tideline_hub_build_info{version="' in body, body)
        check(re.search(r"^tideline_hub_http_requests_total 2$", body, re.M), "this is the second request")
        check(int(re.search(r"^process_resident_memory_bytes (\d+)$", body, re.M).group(1)) > 1_000_000, "memory is told")
        for method, path, expected in (("GET", "/", 404), ("POST", "/metrics", 405), ("HEAD", "/healthz", 200), ("DELETE", "/nothing", 404)):
            status, headers, body = https(site, method, path)
            check(status == expected, f"{method} {path}: {status}")
            check((body == "") == (method == "HEAD"), f"{method} {path}: {body}")
        check(https(site, name="127.0.0.1")[0] == 200, "the certificate holds the address too")
        site.stop_hub()


def test_http_that_is_wrong_gets_an_answer_and_the_hub_goes_on(build):
    with Site(build) as site:
        site.init_hub()
        site.start_hub()
        cases = ((b"nonsense\r\n\r\n", "400"), (b"GET / HTTP/1.1\r\n\r\n", "400"),
                 (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20000 + b"\r\n\r\n", "431"),
                 (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", "413"),
                 (b"GET / HTTP/3.0\r\n\r\n", "505"))
        for data, status in cases:
            answer = raw_https(site, data)
            check(answer.startswith(f"HTTP/1.1 {status} "), f"{data[:40]}: {answer[:80]}")
            check("Connection: close" in answer, answer[:200])
        two = raw_https(site, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", ["http/1.1"])
        check(two.count("HTTP/1.1 200 OK") == 2, "pipelined requests are answered in order")
        check(two.index("application/json") < two.index("version=0.0.4"), "in order")
        posted = raw_https(site, b"POST /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        check(posted.startswith("HTTP/1.1 405 "), posted[:80])
        link = raw_https(site, b"\x00\x00\x00\x02\xff\xff", ["tideline/1"])
        check("HTTP" not in link, f"a device is not spoken to in HTTP: {link[:80]}")
        with socket.create_connection(("127.0.0.1", site.hub_port), timeout=10) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")  # no TLS
            check(b"200 OK" not in plain.recv(4096), "nothing is served in the clear")
        check(https(site)[0] == 200, "the hub is well")
        site.stop_hub()


def test_a_loopback_port_serves_pages_without_tls(build):
    with Site(build) as site:
        site.init_hub()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        config = site.directory / "local.toml"
        config.write_text(f'[hub]\nlisten = "127.0.0.1:0"\n[http]\nloopback_port = {port}\n')
        hub = Process(site.hub_command("serve", "--config", config), site.directory, "local")
        hub.wait_for(r"127\.0\.0\.1:(\d+)")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/metrics")
        check(b"tideline_hub_uptime_seconds" in connection.getresponse().read(), "metrics in the clear on loopback")
        check(hub.stop() == 0, "a clean end")


def test_only_one_hub_serves_a_state_and_a_port(build):
    with Site(build) as site:
        site.init_hub()
        hub = site.start_hub()
        code, out, error = run(site.hub_command("serve", "--config", site.directory / "hub.toml"))
        check(code == 1 and str(hub.pid) in only_line(error), f"the process that has it is named: {code} {out}{error}")
        other = site.directory / "other"
        run([site.build / "tideline-hub", "init", "--state", other])
        config = site.directory / "other.toml"
        config.write_text(f'[hub]\nlisten = "127.0.0.1:{site.hub_port}"\n')
        code, _, error = run([site.build / "tideline-hub", "serve", "--state", other, "--config", config])
        last = error.strip().splitlines()[-1]
        check(code == 1 and f"127.0.0.1:{site.hub_port}" in last and "in use" in last, f"{code} {error}")
        code, _, error = run(site.hub_command("restore", site.hub_state / "hub.db"))
        check(code == 1 and "stop it" in only_line(error), f"{code} {error}")
        site.stop_hub()


def test_tokens_and_devices_with_and_without_a_running_hub(build):
    with Site(build) as site:
        site.init_hub()
        out = site.hub_run("token", "create", "--device", "pump-7", "--labels", "site=berlin,line=3")
        check(re.search(r"tideline enroll localhost:\d+ .*--token[= ]\S{43} --ca-fingerprint [0-9a-f]{64}", out), out)
        token = json.loads(site.hub_run("token", "create", "--device", "pump-8", "--ttl", "1h", "--json"))
        check(len(token["token"]) == 43 and token["ca_fingerprint"] == site.fingerprint, f"{token}")
        site.start_hub()
        running = json.loads(site.hub_run("token", "create", "--device", "pump-9", "--json"))
        check(running["address"] == f"localhost:{site.hub_port}", f"the address of the hub that runs: {running['address']}")
        listed = json.loads(site.hub_run("token", "list", "--json"))["tokens"]
        check({t["device"]: t["state"] for t in listed} == {"pump-7": "open", "pump-8": "open", "pump-9": "open"}, f"{listed}")
        check(all(token["token"] not in p.read_bytes().decode("latin-1") for p in site.hub_state.iterdir() if p.is_file()), "the secret is not kept")
        site.hub_run("device", "revoke", "pump-8")
        devices = {d["id"]: d for d in json.loads(site.hub_run("devices", "--json"))["devices"]}
        check(devices["pump-7"]["labels"] == {"line": "3", "site": "berlin"} and not devices["pump-7"]["online"], f"{devices}")
        check(devices["pump-8"]["revoked"], "revoked by the running hub")
        check("pump-7" in site.hub_run("devices", "--device", "{site=berlin}") and "pump-9" not in site.hub_run("devices", "--device", "{site=berlin}"), "selector")
        check("revoked" in site.hub_run("devices"), "the table tells")
        site.stop_hub()
        states = {t["device"]: t["state"] for t in json.loads(site.hub_run("token", "list", "--json"))["tokens"]}
        check(states["pump-8"] == "used", f"the revoked device's token is withdrawn: {states}")
        site.hub_run("device", "revoke", "pump-9")


def test_questions_to_an_empty_hub(build):
    with Site(build) as site:
        site.init_hub()
        answer = site.hub_query()
        check(answer["series"] == [] and answer["gaps"] == [] and not answer["truncated"], f"{answer}")
        check("no readings" in site.hub_run("query", "--since", "1h"), "a table for people")
        check("nothing is missing" in site.hub_run("query", "--gaps"), "gaps")
        check(json.loads(site.hub_run("query", "--latest", "--json")) == {"latest": []}, "latest")
        check(json.loads(site.hub_run("verify", "--json"))["sound"], "verify")
        site.hub_run("backup", site.directory / "copy")
        code, _, error = run(site.hub_command("backup", site.directory / "copy"))
        check(code == 1 and "never overwrites" in only_line(error), error)
        site.hub_run("restore", site.directory / "copy")
        check(site.hub_query()["series"] == [], "restored")
        for path in site.hub_state.glob("hub.db*"):
            path.unlink()
        code, _, error = run(site.hub_command("serve"))
        check(code == 1 and "hub.db is missing" in only_line(error) and "restore" in error, f"no empty archive is made by accident: {error}")
        site.hub_run("restore", site.directory / "copy")
        site.start_hub()
        site.stop_hub()


def test_a_hub_restarts_under_the_same_keys(build):
    with Site(build) as site:
        site.init_hub()
        site.start_hub()
        context = ssl.create_default_context(cafile=site.hub_state / "ca.crt")
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # the ticket comes with the handshake

        def connect(session=None):
            plain = socket.create_connection(("127.0.0.1", site.hub_port), timeout=10)
            with context.wrap_socket(plain, server_hostname="localhost", session=session) as connection:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                check(b"200 OK" in connection.recv(65536), "served")
                return connection.session, connection.session_reused

        session, reused = connect()
        check(not reused, "the first handshake is a full one")
        check(connect(session)[1], "the second is resumed")
        for number in (signal.SIGTERM, signal.SIGINT):
            site.hub_process.child.send_signal(number)
            check(site.hub_process.child.wait(20) == 0, f"exit code after {number}")
            site.start_hub()
            check(connect(session)[1], "resumed after a restart: its ticket keys were kept")
        site.hub_process.kill()
        site.start_hub()
        site.hub_run("token", "create", "--device", "after-a-kill")
        site.stop_hub()
        check(not os.path.exists(site.hub_state / "admin.sock"), "the command socket is gone")
        check(pathlib.Path(site.hub_state / "tickets.key").stat().st_mode & 0o777 == 0o600, "ticket keys are private")
