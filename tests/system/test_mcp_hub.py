"""The hub's MCP endpoints with real agents behind the link: relayed calls, calls on many devices, sleeping devices, keys, a device that
does not read."""
import json
import os
import re
import signal
import sys

from harness import Site, check, wait_until
from mcp_client import TASKS, HubClient, serve_http, text_of

QUIET = "".join(f'[input.{name}]\ntype = "{name}"\nenabled = false\n\n' for name in ("host", "hwmon", "thermal"))
DEVICE = "/mcp/device/{}"


def has_tools(client):
    return wait_until(lambda: len(client.tools()) > 5, 20, "the hub to know the tools of the device")


def start(site, *names):
    port = serve_http(site)
    site.init_hub()
    site.start_hub()
    agents = [site.agent(name, extra=QUIET) for name in names]
    for agent in agents:
        agent.start()
    for name in names:
        has_tools(HubClient(port, DEVICE.format(name)))
    return port, agents


def values(site, device, series):
    answer = site.hub_query("--device", device, "--series", series)
    return [point["value"] for one in answer["series"] for point in one["points"]]


def test_tools_resources_and_prompts_of_a_device_are_reached_through_the_hub(build):
    with Site(build) as site:
        port, (agent,) = start(site, "pump-1")
        client = HubClient(port, DEVICE.format("pump-1"))
        check(not client.tool("record", readings=[{"series": "temp", "value": 21.5}]).get("isError"), "record through the hub")
        latest = client.tool("latest", series="temp")
        check("21.5" in text_of(latest), text_of(latest))
        status = client.result("resources/read", uri="tideline://status")
        check(json.loads(status["contents"][0]["text"])["device"] == "pump-1", status)
        prompts = client.result("prompts/list")["prompts"]
        check({"diagnose_device", "explain_outage"} <= {prompt["name"] for prompt in prompts}, prompts)
        code, message = client.post("tools/call", name="no_such_tool", arguments={})
        check(code == 200 and message["error"]["code"] == -32602, message)
        code, message = HubClient(port, DEVICE.format("nobody")).post("tools/list")
        check(code == 404, f"{code} {message}")


def test_a_tool_runs_on_one_device_or_on_many_and_what_is_missing_is_named(build):
    with Site(build) as site:
        port, agents = start(site, "a-1", "a-2", "b-1")
        client = HubClient(port)
        check("device" in client.tools()["record"]["inputSchema"]["required"], "the fleet's tool asks for the device")
        one = client.tool("sync_status", device="a-2")
        check(one["structuredContent"]["device"] == "a-2", one)
        many = client.tool("sync_status", device="a-*")["structuredContent"]
        check(many["devices"] == 2 and many["ok"] == 2 and many["complete"], many)
        agents[1].stop()
        wait_until(lambda: not next(d for d in site.hub_devices() if d["id"] == "a-2")["online"], 20, "a-2 to be offline")
        some = client.tool("sync_status", device="*")["structuredContent"]
        states = {one["device"]: one["status"] for one in some["results"]}
        check(states == {"a-1": "ok", "a-2": "offline", "b-1": "ok"} and not some["complete"], some)
        none = client.tool("sync_status", device="c-*")
        check(none["isError"] and "list_devices" in text_of(none), none)


def test_the_fleet_is_asked_as_a_whole_also_about_sleeping_devices(build):
    with Site(build) as site:
        port, agents = start(site, "a-1", "b-1")
        fleet = HubClient(port)
        for agent, value in zip(agents, (20.5, 30.5)):
            agent.run("record", f"temp={value}")
            agent.wait_synced()
        agents[1].stop()
        wait_until(lambda: not next(d for d in site.hub_devices() if d["id"] == "b-1")["online"], 20, "b-1 to be offline")
        states = {d["device"]: d["state"] for d in fleet.tool("list_devices")["structuredContent"]["devices"]}
        check(states == {"a-1": "online", "b-1": "offline"}, states)
        values = {v["device"]: v["value"] for v in fleet.tool("latest", series="temp")["structuredContent"]["values"]}
        check(values == {"a-1": 20.5, "b-1": 30.5}, values)
        answer = fleet.tool("query", devices="*", series="temp", **{"from": "-5m"})["structuredContent"]
        check(answer["rows"] == 2 and answer["completeness"]["devices_waiting"] == 1, answer)
        check("record" in text_of(fleet.tool("find_tools", query="store a reading")), "find_tools finds")
        check(fleet.tool("describe_device", device="b-1")["structuredContent"]["state"] == "offline", "describe_device")
        check(fleet.tool("describe_device", device="c-1")["isError"], "a device that is not there")
        check(fleet.tool("list_gaps")["structuredContent"]["total"] == 0, "no gaps")
        alone = HubClient(port, DEVICE.format("b-1"))
        latest = alone.tool("latest", series="temp")
        check(latest["structuredContent"]["series"][0]["latest"]["value"] == 30.5 and "offline since" in text_of(latest), latest)
        check(alone.tool("query", series="temp", **{"from": "-5m"})["structuredContent"]["rows"] == 1, "history from the hub")
        resource = fleet.result("resources/read", uri="tideline://fleet/devices/b-1")["contents"][0]
        check(json.loads(resource["text"])["device"] == "b-1", resource)
        check("b-1" in json.dumps(fleet.result("prompts/get", name="explain_outage", arguments={"device": "b-1"})), "the prompt names the device")
        completion = fleet.result("completion/complete", ref={"type": "ref/prompt", "name": "explain_outage"}, argument={"name": "device", "value": "b"})
        check(completion["completion"]["values"] == ["b-1"], completion)


def test_a_call_for_a_sleeping_device_runs_once_although_hub_and_agent_are_killed(build):
    with Site(build) as site:
        port, (agent,) = start(site, "pump-1")
        agent.kill()
        wait_until(lambda: not site.hub_devices()[0]["online"], 60, "pump-1 to be offline")
        client = HubClient(port, DEVICE.format("pump-1"), capabilities=TASKS)
        task = client.tool("record", readings=[{"series": "once", "value": 1}])
        check(task["resultType"] == "task" and task["status"] == "working", task)
        plain = HubClient(port, DEVICE.format("pump-1")).tool("record", readings=[{"series": "never", "value": 1}])
        check(plain["isError"] and "queue_call" in text_of(plain), plain)
        site.hub_process.kill()
        site.start_hub()
        agent.start()
        client = HubClient(port, DEVICE.format("pump-1"), capabilities=TASKS)
        done = lambda: client.result("tasks/get", taskId=task["taskId"])["status"] == "completed"  # noqa: E731
        wait_until(done, 60, "the task to be done")
        result = client.result("tasks/get", taskId=task["taskId"])["result"]
        check(result["structuredContent"]["recorded"] == 1, result)
        agent.kill()
        site.hub_process.kill()
        site.start_hub()
        agent.start()
        agent.wait_synced()
        check(HubClient(port, DEVICE.format("pump-1"), capabilities=TASKS).result("tasks/get", taskId=task["taskId"])["status"] == "completed", "kept over kill -9")
        wait_until(lambda: values(site, "pump-1", "once") == [1], 20, "exactly one reading at the hub")
        check(values(site, "pump-1", "never") == [], "a refused call is not run")


def test_a_call_that_was_interrupted_is_unknown_and_runs_again_only_if_that_does_no_harm(build):
    with Site(build) as site:
        port = serve_http(site)
        site.init_hub()
        site.start_hub()
        traces = {name: site.directory / f"{name}.trace" for name in ("once", "again")}
        slow = "import sys, time; open(sys.argv[1], 'a').write('ran\\n'); time.sleep(4)"
        actions = "".join(f'[action.{name}]\ndescription = "For the test."\ncommand = {json.dumps([sys.executable, "-c", slow, str(trace)])}\n'
                          f'idempotent = {"true" if name == "again" else "false"}\ndestructive = false\n\n' for name, trace in traces.items())
        agent = site.agent("pump-1", extra=QUIET + actions)
        agent.start()
        fleet = HubClient(port)
        wait_until(lambda: "once" in fleet.tools(), 20, "the hub to know the actions")
        calls = {name: fleet.tool("queue_call", device="pump-1", tool=name)["structuredContent"]["id"] for name in traces}
        wait_until(lambda: all(trace.exists() for trace in traces.values()), 20, "both to run")
        agent.kill()
        agent.start()
        state = lambda name: fleet.tool("queued_calls", id=calls[name])["structuredContent"]["calls"][0]  # noqa: E731
        wait_until(lambda: state("once")["state"] == "unknown", 60, "the fate of the first to be unknown")
        wait_until(lambda: state("again")["state"] == "done", 60, "the second to be done")
        ran = {name: trace.read_text().count("ran") for name, trace in traces.items()}
        check(ran == {"once": 1, "again": 2}, ran)
        check("not known" in state("once")["error"]["message"], state("once"))


def test_a_queued_call_can_be_taken_back(build):
    with Site(build) as site:
        port, (agent,) = start(site, "pump-1")
        agent.stop()
        wait_until(lambda: not site.hub_devices()[0]["online"], 20, "pump-1 to be offline")
        client = HubClient(port)
        kept = client.tool("queue_call", device="pump-1", tool="record", arguments={"readings": [{"series": "taken_back", "value": 1}]})["structuredContent"]
        check(kept["state"] == "queued", kept)
        wrong = client.tool("queue_call", device="pump-1", tool="record", arguments={"readings": "no list"})
        check(wrong["isError"], wrong)
        back = client.tool("cancel_queued_call", id=kept["id"])["structuredContent"]
        check(back["state"] == "cancelled", back)
        agent.start()
        agent.wait_synced()
        check(client.tool("queued_calls")["structuredContent"]["calls"][0]["state"] == "cancelled", "the list tells")
        check(values(site, "pump-1", "taken_back") == [], "a cancelled call is not run")


def make_key(site, *words):
    return re.search(r"tlk_\S+", site.hub_run("key", "create", *words)).group(0)


def test_keys_roles_and_devices(build):
    with Site(build) as site:
        port, agents = start(site, "a-1", "b-1")
        check(HubClient(port).post("tools/list")[0] == 200, "without keys this machine is served")
        admin = make_key(site, "--role", "admin")
        viewer = make_key(site, "--role", "viewer", "--devices", "a-*")
        wait_until(lambda: HubClient(port).post("tools/list")[0] == 401, 10, "the first key to close the door")
        check(HubClient(port, key="tlk_000000000000_wrong").post("tools/list")[0] == 401, "a wrong key")
        tools = HubClient(port, key=viewer).tools()
        check("sync_status" in tools and "record" not in tools, f"a viewer sees tools that read: {sorted(tools)}")
        code, message = HubClient(port, DEVICE.format("a-1"), key=viewer).post("tools/call", name="record", arguments={"readings": []})
        check(message["error"]["code"] == -32602, message)
        check(HubClient(port, DEVICE.format("b-1"), key=viewer).post("tools/list")[0] == 404, "a device that is not his does not exist")
        check(HubClient(port, key=viewer).tool("sync_status", device="*")["structuredContent"]["devices"] == 1, "his devices only")
        check("record" in HubClient(port, key=admin).tools(), "an admin sees all")
        ident = viewer.split("_")[1]
        site.hub_run("key", "revoke", ident)
        wait_until(lambda: HubClient(port, key=viewer).post("tools/list")[0] == 401, 10, "the revoked key to be refused")
        wait_until(lambda: any(row["principal"] == f"key:{ident}" and row["target"] == "sync_status" for row in json.loads(site.hub_run("audit", "--json"))["audit"]),
                   10, "the line that his call left")


def test_a_device_that_does_not_read_holds_up_nobody(build):
    with Site(build) as site:
        port, agents = start(site, "good", "stalled")
        os.kill(agents[1].process.pid, signal.SIGSTOP)
        try:
            clients = [HubClient(port, DEVICE.format("stalled")) for _ in range(40)]
            body = {"readings": [{"series": "x", "value": 1, "labels": {"pad": "p" * 100}}] * 100}
            for client in clients:
                client.last += 1
                text = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "record", "arguments": body, "_meta": {
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}}})
                client.connection.request("POST", client.path, text, {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                                                                    "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "record"})
            good = HubClient(port, DEVICE.format("good"))
            for _ in range(50):
                check(not good.tool("sync_status").get("isError"), "the other device answers")
            check(len(good.tools()) > 5, "lists are answered")
            busy = HubClient(port, DEVICE.format("stalled")).tool("sync_status")
            check(busy["isError"] and "later" in text_of(busy), busy)
            check(len(HubClient(port, DEVICE.format("stalled")).tools()) > 5, "the stalled device's own list too")
        finally:
            os.kill(agents[1].process.pid, signal.SIGCONT)
        for client in clients[:5]:
            check(client.connection.getresponse().status == 200, "calls are answered when it wakes up")
