"""What the hub tells of devices that are connected, and what it does when one is revoked or when it stops."""
import json
import re
import time

from harness import Producer, Site, check, run, wait_until
from test_hub_cli import https

QUIET = '[input.host]\ntype = "host"\ninterval = "1h"\n'


def metric(site, name):
    body = https(site, path="/metrics")[2]
    return float(re.search(rf"^{re.escape(name)} (\S+)$", body, re.M).group(1))


def online(agent):
    wait_until(lambda: agent.status()["link"]["state"] == "online", 20, f"{agent.name} to be online")


def test_metrics_and_devices_follow_a_device(build):
    with Site(build) as site:
        site.init_hub()
        site.start_hub()
        agent = site.agent("pump-7", extra=QUIET)
        agent.start()
        online(agent)
        producer = Producer(agent)
        producer.send(5_000)
        agent.wait_synced()
        check(metric(site, "tideline_hub_devices_online") == 1, "one device is online")
        check(metric(site, "tideline_hub_readings_accepted_total") >= 5_000, "readings are counted")
        check(metric(site, 'tideline_hub_blocks_total{result="duplicate"}') == 0, "nothing came twice")
        check(metric(site, "tideline_hub_commit_seconds_count") >= 1, "commits are counted")
        check(metric(site, "tideline_hub_enrolments_total") == 1, "one enrolment")
        wait_until(lambda: metric(site, 'tideline_hub_backlog_readings{stream="normal"}') == 0, 10, "the backlog to be gone")
        health = json.loads(https(site)[2])
        check(health["devices_online"] == 1 and health["store"]["last_commit_age_seconds"] < 60, f"{health}")
        device = site.hub_devices()[0]
        check(device["online"] and device["backlog_readings"] == 0 and device["agent_version"] and device["newest_value"], f"{device}")
        latest = json.loads(site.hub_run("query", "--latest", "--series", "produced", "--json"))["latest"]
        check([v["value"] for v in latest] == [4_999], f"{latest}")
        agent.stop()
        wait_until(lambda: metric(site, "tideline_hub_devices_online") == 0, 10, "the device to be offline")
        check(not site.hub_devices()[0]["online"], "the list agrees")
        site.stop_hub()
        check(site.hub_devices()[0]["last_seen"] is not None, "last seen is kept")


def test_a_revoked_device_is_sent_away_and_let_in_by_a_new_token(build):
    with Site(build) as site:
        site.init_hub()
        hub = site.start_hub()
        agent = site.agent("pump-7", extra=QUIET)
        agent.start()
        online(agent)
        site.hub_run("device", "revoke", "pump-7")
        wait_until(lambda: "revoked" in (agent.status()["link"].get("last_error") or ""), 10, "the device to be told")
        wait_until(lambda: not site.hub_devices()[0]["online"], 10, "the device to be offline")
        check("revoked" in hub.text(), "the hub's log tells")
        agent.stop()
        agent.start()
        wait_until(lambda: metric(site, "tideline_hub_links_refused_total") >= 1, 20, "the device to be refused")
        check(site.hub_devices()[0]["revoked"], "still revoked")
        agent.stop()
        agent.enroll()
        agent.start()
        online(agent)
        check(not site.hub_devices()[0]["revoked"], "a new token lets it in again")
        agent.stop()
        site.stop_hub()


def test_a_hub_with_devices_stops_at_once_and_they_come_back(build):
    with Site(build) as site:
        site.init_hub()
        site.start_hub()
        agents = [site.agent(f"pump-{i}", extra=QUIET) for i in range(3)]
        for agent in agents:
            agent.start()
            online(agent)
        start = time.monotonic()
        site.stop_hub()
        check(time.monotonic() - start < 3, f"stopped within 3 s, not {time.monotonic() - start:.1f}")
        wait_until(lambda: all(a.status()["link"]["state"] != "online" for a in agents), 10, "the devices to notice")
        site.start_hub()
        for agent in agents:
            online(agent)
        check(metric(site, 'tideline_hub_tls_handshakes_total{kind="resumed"}') >= 3, "sessions were resumed after the restart")
        for agent in agents:
            agent.stop()
        site.stop_hub()


def test_a_backup_while_the_hub_serves_is_whole(build):
    with Site(build) as site:
        site.init_hub()
        site.start_hub()
        agent = site.agent("pump-7", extra=QUIET)
        agent.start()
        producer = Producer(agent)
        producer.send(20_000)
        agent.wait_synced()
        site.hub_run("backup", site.directory / "copy")
        check(json.loads(site.hub_run("verify", "--json"))["readings"] >= 20_000, "verify beside a hub that serves")
        producer.send(1_000)
        agent.wait_synced()
        agent.stop()
        site.stop_hub()
        site.hub_run("restore", site.directory / "copy")
        report = json.loads(site.hub_run("verify", "--json"))
        check(report["sound"] and report["readings"] >= 20_000, f"{report}")
        check((site.hub_state / "hub.db.replaced").exists(), "the archive that was there is kept")
        code, out, _ = run(site.hub_command("devices"))
        check(code == 0 and "no hub runs" in out, out)
