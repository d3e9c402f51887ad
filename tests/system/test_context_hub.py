"""The context of devices with real processes: writes at both ends while they cannot meet, kill -9, backups and images, subscribers, fleets."""
import json
import shutil
import signal
import threading
import time

from harness import Producer, Site, check, run, wait_until
from mcp_client import TASKS, HubClient, serve_http, text_of
from mcp_stdio import ENVELOPE, Stdio

QUIET = "".join(f'[input.{name}]\ntype = "{name}"\nenabled = false\n\n' for name in ("host", "hwmon", "thermal"))
DEVICE = "/mcp/device/{}"


def start(site, *names, extra=""):
    port = serve_http(site)
    site.init_hub()
    site.start_hub()
    agents = [site.agent(name, extra=QUIET + extra) for name in names]
    for agent in agents:
        agent.start()
    return port, agents


def is_online(site, name):
    return next(device for device in site.hub_devices() if device["id"] == name)["online"]


def wait_online(site, *names):
    for name in names:
        wait_until(lambda: is_online(site, name), 30, f"{name} to be online")


def wait_offline(site, name):
    wait_until(lambda: not is_online(site, name), 30, f"{name} to be offline")


def at_edge(agent, path):
    """The entry as the device shows it; nothing there is no error here."""
    code, out, _ = run(agent.command("context", "get", path, "--json"))
    return json.loads(out) if out.strip() else {"exists": False, "code": code}


def at_hub(site, name, path):
    code, out, error = run(site.hub_command("context", "get", name, path, "--json"))
    check(out.strip(), f"{code} {error}")
    return json.loads(out)


def set_at_hub(site, name, path, value, *words):
    return site.hub_run("context", "set", name, path, json.dumps(value), *words)


def set_at_edge(agent, path, value, *words):
    return agent.run("context", "set", path, json.dumps(value), *words)


def wait_equal(site, agent, *paths, seconds=30):
    """Both ends hold the same registers of these paths."""
    def same():
        for path in paths:
            edge, hub = at_edge(agent, path), at_hub(site, agent.name, path)
            for member in ("exists", "value", "version"):
                if edge.get(member) != hub.get(member):
                    return False
            if edge.get("conflict", {}).get("version") != hub.get("conflict", {}).get("version"):
                return False
        return True
    wait_until(same, seconds, f"both ends to hold the same of {paths}")


def test_a_write_at_the_hub_reaches_a_device_that_was_off(build):
    with Site(build) as site:
        port, (agent,) = start(site, "pump-1")
        wait_online(site, "pump-1")
        agent.stop()
        wait_offline(site, "pump-1")
        set_at_hub(site, "pump-1", "desired/mode", {"speed": 3})
        fleet = HubClient(port)
        diff = fleet.tool("context_diff")["structuredContent"]
        check(diff["different"] == 1 and not diff["differences"][0]["delivered"], diff)
        agent.start()
        wait_until(lambda: at_edge(agent, "desired/mode").get("value") == {"speed": 3}, 30, "the write to arrive")
        wait_until(lambda: fleet.tool("context_diff")["structuredContent"]["differences"][0]["delivered"], 10, "the hub to know")
        set_at_edge(agent, "reported/mode", {"speed": 3})
        wait_until(lambda: fleet.tool("context_diff")["structuredContent"]["equal"] == 1, 10, "the report to arrive")
        set_at_edge(agent, "reported/_error/mode", "too fast")
        error = wait_until(lambda: fleet.tool("context_diff")["structuredContent"]["differences"], 10, "the error to arrive")
        check(error[0]["error"] == "too fast" and error[0]["equal"], error)


def test_both_ends_write_without_a_link_and_nothing_is_lost_whatever_the_rule(build):
    rules = ("last_writer", "device_wins", "hub_wins", "keep_both")
    declared = "".join(f'[context.entry."{rule}"]\nrule = "{rule}"\n\n' for rule in rules)
    with Site(build) as site:
        port, (agent,) = start(site, "pump-1", extra=declared)
        wait_online(site, "pump-1")
        set_at_edge(agent, "seen", 1)
        wait_equal(site, agent, "seen")
        agent.stop()
        wait_offline(site, "pump-1")
        for rule in rules:
            set_at_hub(site, "pump-1", rule, "of the hub")
            set_at_edge(agent, rule, "of the device")
        agent.start()
        wait_equal(site, agent, *rules)
        values = {rule: at_hub(site, "pump-1", rule)["value"] for rule in rules}
        check(values == {"last_writer": "of the device", "device_wins": "of the device", "hub_wins": "of the hub", "keep_both": "of the device"}, values)
        both = {"of the hub", "of the device"}
        for rule in rules:
            for entry in (at_hub(site, "pump-1", rule), at_edge(agent, rule)):
                check({entry["value"], entry["conflict"]["value"]} == both, entry)
        listed = json.loads(site.hub_run("context", "list", "pump-1", "--conflicts", "--json"))
        check(listed["conflicts"] == len(rules) and {entry["path"] for entry in listed["entries"]} == set(rules), listed)
        set_at_hub(site, "pump-1", "keep_both", "agreed")
        wait_equal(site, agent, "keep_both")
        check("conflict" not in at_edge(agent, "keep_both"), "who saw both has settled it")
        history = json.loads(site.hub_run("context", "get", "pump-1", "keep_both", "--history", "--json"))["history"]
        check({one.get("value") for one in history} == both | {"agreed"}, history)


def test_writes_at_both_ends_survive_kill_minus_nine(build):
    with Site(build) as site:
        port, (agent,) = start(site, "pump-1")
        wait_online(site, "pump-1")
        link_paths = []
        for round_number in range(4):
            set_at_edge(agent, f"edge/{round_number}", round_number)
            set_at_hub(site, "pump-1", f"hub/{round_number}", round_number)
            link_paths += [f"edge/{round_number}", f"hub/{round_number}"]
            agent.kill()
            if round_number % 2:
                site.hub_process.kill()
            set_at_edge(agent, f"edge/off/{round_number}", round_number)
            set_at_hub(site, "pump-1", f"hub/off/{round_number}", round_number)
            link_paths += [f"edge/off/{round_number}", f"hub/off/{round_number}"]
            if round_number % 2:
                site.start_hub()
            agent.start()
        wait_equal(site, agent, *link_paths, seconds=60)
        for path in link_paths:
            check(at_edge(agent, path)["value"] == int(path[-1]), path)


def test_a_hub_from_a_backup_and_a_device_from_an_image_meet_again(build):
    with Site(build) as site:
        port, (agent,) = start(site, "pump-1")
        wait_online(site, "pump-1")
        set_at_hub(site, "pump-1", "hub/before", 1)
        set_at_edge(agent, "edge/before", 1)
        wait_equal(site, agent, "hub/before", "edge/before")
        backup = site.directory / "backup.db"
        site.hub_run("backup", backup)
        set_at_hub(site, "pump-1", "hub/after", 2)
        set_at_edge(agent, "edge/after", 2)
        wait_equal(site, agent, "hub/after", "edge/after")
        site.stop_hub()
        site.hub_run("restore", backup)
        set_at_hub(site, "pump-1", "hub/restored", 3)
        site.start_hub()
        wait_equal(site, agent, "hub/before", "hub/after", "hub/restored", "edge/before", "edge/after", seconds=60)
        check(at_hub(site, "pump-1", "hub/after")["value"] == 2, "the hub got its own write back from the device")

        agent.stop()
        image = site.directory / "image"
        shutil.copytree(agent.state, image)
        agent.start()
        set_at_edge(agent, "edge/lost", 4)
        set_at_hub(site, "pump-1", "hub/lost", 4)
        wait_equal(site, agent, "edge/lost", "hub/lost")
        agent.kill()
        shutil.rmtree(agent.state)
        shutil.copytree(image, agent.state)
        set_at_edge(agent, "edge/new", 5)
        agent.start()
        wait_equal(site, agent, "edge/lost", "hub/lost", "edge/new", "hub/restored", seconds=60)
        check(at_edge(agent, "edge/lost")["value"] == 4, "the device got its own write back from the hub")


class Listener:
    """A client at the hub that listens for resources, on a connection of its own."""

    def __init__(self, port, path, *uris):
        self.heard = []
        self.client = HubClient(port, path)
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._listen, args=(uris,), daemon=True)
        self.thread.start()
        check(self.ready.wait(10), "the listen to be granted")

    def _listen(self, uris):
        connection = self.client.connection
        params = {"notifications": {"resourceSubscriptions": list(uris)},
                  "_meta": {"io.modelcontextprotocol/protocolVersion": ENVELOPE["io.modelcontextprotocol/protocolVersion"], "io.modelcontextprotocol/clientCapabilities": {}}}
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                   "MCP-Protocol-Version": ENVELOPE["io.modelcontextprotocol/protocolVersion"], "Mcp-Method": "subscriptions/listen"}
        body = json.dumps({"jsonrpc": "2.0", "id": "L", "method": "subscriptions/listen", "params": params})
        connection.request("POST", self.client.path, body, headers)
        answer = connection.getresponse()
        try:
            for line in answer:
                if not line.startswith(b"data:"):
                    continue
                message = json.loads(line[5:])
                if message.get("method") == "notifications/subscriptions/acknowledged":
                    self.ready.set()
                if message.get("method") == "notifications/resources/updated":
                    self.heard.append((time.monotonic(), message["params"]["uri"]))
        except (OSError, ValueError, AttributeError):
            pass


def test_subscribers_at_the_hub_hear_of_both_sides_and_of_each_change_once(build):
    with Site(build) as site:
        port, (agent,) = start(site, "pump-1")
        wait_online(site, "pump-1")
        wait_until(lambda: "context_get" in HubClient(port, DEVICE.format("pump-1")).tools(), 20, "the device's tools")
        fleet = Listener(port, "/mcp", "tideline://fleet/devices/pump-1/context/mode")
        device = Listener(port, DEVICE.format("pump-1"), "tideline://context/mode")
        set_at_edge(agent, "mode", "by the device")
        wait_until(lambda: fleet.heard and device.heard, 10, "both to hear of the device's write")
        time.sleep(0.5)
        check(len(fleet.heard) == 1 and len(device.heard) == 1, f"{fleet.heard} {device.heard}")
        set_at_hub(site, "pump-1", "mode", "by the hub")
        wait_until(lambda: len(fleet.heard) > 1 and len(device.heard) > 1, 10, "both to hear of the hub's write")
        value = HubClient(port, DEVICE.format("pump-1")).result("resources/read", uri="tideline://context/mode")
        check("by the hub" in value["contents"][0]["text"], "who is told reads the new value from the device")
        time.sleep(0.5)
        agent.stop()
        wait_offline(site, "pump-1")
        before = len(device.heard), len(fleet.heard)
        check(before == (2, 2), before)
        HubClient(port, DEVICE.format("pump-1")).tool("context_set", path="mode", value="by the hub alone")
        wait_until(lambda: (len(device.heard), len(fleet.heard)) == (3, 3), 10, "both to hear while the device is away")
        agent.start()
        wait_equal(site, agent, "mode")
        time.sleep(0.5)
        check((len(device.heard), len(fleet.heard)) == (3, 3), "what was told is not told again")


def test_a_device_that_is_away_is_answered_for_by_the_hub(build):
    with Site(build) as site:
        port, (agent,) = start(site, "pump-1")
        wait_online(site, "pump-1")
        client = HubClient(port, DEVICE.format("pump-1"))
        wait_until(lambda: "context_get" in client.tools(), 20, "the device's tools")
        schemas = {name: tool["outputSchema"] for name, tool in client.tools().items() if name.startswith("context_")}
        set_at_edge(agent, "mode", "auto")
        wait_equal(site, agent, "mode")
        agent.stop()
        wait_offline(site, "pump-1")
        got = client.tool("context_get", path="mode")
        check(got["structuredContent"]["value"] == "auto" and "offline since" in text_of(got), got)
        written = client.tool("context_set", path="mode", value="eco", if_version=got["structuredContent"]["version"])
        check(written["structuredContent"]["value"] == "eco" and "will get it" in text_of(written), written)
        stale = client.tool("context_set", path="mode", value="x", if_version=got["structuredContent"]["version"])
        check(stale["isError"] and "the version is" in text_of(stale), stale)
        check(client.tool("context_set", path="reported/x", value=1)["isError"], "reported/ is the device's")
        listed = client.tool("context_list")
        check([entry["path"] for entry in listed["structuredContent"]["entries"]] == ["mode"], listed)
        for name, answer in (("context_get", got), ("context_set", written), ("context_list", listed)):
            for member in schemas[name].get("required", []):
                check(member in answer["structuredContent"], f"{name}: {member} is missing: {answer}")
        read = client.result("resources/read", uri="tideline://context/mode")
        check(json.loads(read["contents"][0]["text"])["value"] == "eco", read)
        agent.start()
        wait_equal(site, agent, "mode")
        check(at_edge(agent, "mode")["value"] == "eco", "it arrives")


def test_keys_see_and_write_only_what_they_may(build):
    with Site(build) as site:
        port, _ = start(site)
        for name, place in (("a-1", "berlin"), ("b-1", "rome")):
            site.hub_run("token", "create", "--device", name, "--labels", f"site={place}")
        key = lambda *words: json.loads(site.hub_run("key", "create", "--json", *words))["key"]  # noqa: E731
        viewer, operator = key("--role", "viewer"), key("--role", "operator", "--devices", "{site=berlin}")
        client = HubClient(port, key=operator)
        many = client.tool("context_set", device="*", path="mode", value=1)["structuredContent"]
        check(many["devices"] == 1 and many["results"][0]["device"] == "a-1", many)
        check(client.tool("context_set", device="b-1", path="mode", value=1)["isError"], "another site's device does not exist")
        check(client.tool("context_get", device="b-1", path="mode")["isError"], "nor can it be read")
        reader = HubClient(port, key=viewer)
        names = {name for name in reader.tools() if name.startswith("context_")}
        check(names == {"context_get", "context_list", "context_diff"}, names)
        code, message = reader.post("tools/call", name="context_set", arguments={"device": "a-1", "path": "mode", "value": 2})
        check("error" in message, message)
        check(reader.tool("context_get", device="a-1", path="mode")["structuredContent"]["value"] == 1, "reading is allowed")
        wait_until(lambda: any(line["target"] == "context_set" for line in json.loads(site.hub_run("audit", "--json"))["audit"]), 10, "the line that each write leaves")


def test_a_write_to_a_fleet_is_one_task_and_reaches_those_that_were_away(build, count=6):
    with Site(build) as site:
        names = [f"d-{i:02}" for i in range(count)]
        port, agents = start(site, *names)
        wait_online(site, *names)
        away = agents[: count // 2]
        for agent in away:
            agent.stop()
        for agent in away:
            wait_offline(site, agent.name)
        client = HubClient(port, capabilities=TASKS)
        task = client.tool("context_set", device="d-*", path="desired/mode", value="eco", wait_seconds=120)
        check(task["resultType"] == "task", task)
        wait_until(lambda: all(at_edge(agent, "desired/mode").get("value") == "eco" for agent in agents[count // 2:]), 30, "those online to have it")
        check(client.result("tasks/get", taskId=task["taskId"])["status"] == "working", "it waits for the others")
        site.hub_process.kill()
        site.start_hub()
        for agent in away:
            agent.start()
        client = HubClient(port, capabilities=TASKS)
        done = lambda: client.result("tasks/get", taskId=task["taskId"])["status"] == "completed"  # noqa: E731
        wait_until(done, 60, "the task to end")
        result = client.result("tasks/get", taskId=task["taskId"])["result"]["structuredContent"]
        check(result["delivered"] == count and result["waiting"] == 0, result)
        for agent in agents:
            check(at_edge(agent, "desired/mode")["value"] == "eco", agent.name)
        direct = HubClient(port).tool("context_set", device="d-*", path="desired/mode", value="max", wait_seconds=20)["structuredContent"]
        check(direct["delivered"] == count, direct)
