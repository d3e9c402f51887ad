"""API keys of a running hub: in force when the command has ended, revoked the same way; what callers did stands in the audit."""
import http.client
import json
import re
import ssl

from harness import Site, check, run

INITIALIZE = {"jsonrpc": "2.0", "id": 1, "method": "initialize",
              "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}


def post(site, key=None):
    context = ssl.create_default_context(cafile=site.hub_state / "ca.crt")
    connection = http.client.HTTPSConnection("localhost", site.hub_port, context=context, timeout=10)
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    connection.request("POST", "/mcp", json.dumps(INITIALIZE), headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers


def create(site, *words):
    out = site.hub_run("key", "create", *words)
    check(len(re.findall(r"tlk_\w+_[\w-]+", out)) == 1, f"one key expected in: {out}")
    return re.search(r"tlk_([0-9a-f]+)_[\w-]+", out).group(0, 1)


def test_a_key_is_in_force_when_the_command_has_ended(build):
    with Site(build) as site:
        site.init_hub()
        site.start_hub()
        check(post(site)[0] == 200, "without keys this machine is let in")
        key, key_id = create(site, "--role", "viewer", "--name", "first")
        status, headers = post(site)
        check(status == 401 and "Bearer" in headers["WWW-Authenticate"], f"with a key nobody comes in without: {status}")
        check(post(site, key)[0] == 200, "the key works at once")
        check(post(site, key[:-1] + ("A" if key[-1] != "A" else "B"))[0] == 401, "another secret does not")
        other, _ = create(site, "--role", "admin", "--ttl", "90d")
        check(post(site, other)[0] == 200, "a second key works")
        site.hub_run("key", "revoke", key_id)
        check(post(site, key)[0] == 401, "a revoked key does not")
        check(post(site, other)[0] == 200, "the other one still does")
        listed = json.loads(site.hub_run("key", "list", "--json"))["keys"]
        check([(k["name"], k["state"], k["role"]) for k in listed] == [("first", "revoked", "viewer"), ("", "works", "admin")], listed)
        check(key.split("_")[2] not in site.hub_process.text(), "no secret in the log")
        site.stop_hub()
        site.start_hub()
        check(post(site, key)[0] == 401 and post(site, other)[0] == 200, "the same after a restart")


def test_keys_without_a_hub(build):
    with Site(build) as site:
        code, out, error = run(site.hub_command("key", "create", "--role", "viewer"))
        check(code == 2 and "init" in error and out == "", error)
        site.init_hub()
        made = json.loads(site.hub_run("key", "create", "--role", "operator", "--devices", "{site=berlin}", "--json"))
        check(made["role"] == "operator" and made["expires"] is None and made["is_first"] is True, made)
        for words, text in ((["--role", "root"], "root"), ([], "--role"), (["--role", "viewer", "--devices", "{a"], "{a"), (["--role", "viewer", "--ttl", "1s"], "1s")):
            code, out, error = run(site.hub_command("key", "create", *words))
            check(code == 2 and text in error and out == "", f"{words}: {code} {error}")
        code, _, error = run(site.hub_command("key", "revoke", "nobody"))
        check(code == 1 and "nobody" in error, error)
        site.hub_run("key", "revoke", made["id"])
        check("revoked" in site.hub_run("key", "list"), "the list says so")
        check(json.loads(site.hub_run("audit", "--json")) == {"audit": []}, "nothing was called")
        for words, text in ((["--since", "yesterday"], "yesterday"), (["--limit", "0"], "--limit")):
            code, out, error = run(site.hub_command("audit", *words))
            check(code == 2 and text in error and out == "", f"{words}: {code} {error}")
