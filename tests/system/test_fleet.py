"""Hub and agents together: nothing lost, nothing twice, whatever is killed, cut or restored from an old copy."""
import json
import random
import re
import shutil
import threading
import time

from harness import Producer, Site, check, run, wait_until

QUIET = '[input.host]\ntype = "host"\nenabled = false\n\n[input.hwmon]\ntype = "hwmon"\nenabled = false\n\n[input.thermal]\ntype = "thermal"\nenabled = false\n'


def verify(site, **expected):
    report = json.loads(site.hub_run("verify", "--json"))
    for name, value in {"duplicates": 0, "missing": 0, "unreadable_blocks": 0, **expected}.items():
        check(report[name] == value, f"verify: {name} is {report[name]}, expected {value}: {report}")
    return report


def test_readings_reach_the_hub(build):
    with Site(build) as site:
        site.init_hub()
        site.start_hub()
        agent = site.agent("pump-7")
        agent.start()
        agent.run("record", "temp{room=a}=21.4", "pump.on=true", 'msg="started"')
        agent.wait_synced()
        answer = site.hub_query("--device", "pump-7", "--series", "temp")
        check(answer["series"][0]["points"][0]["value"] == 21.4, f"{answer}")
        device = site.hub_devices()[0]
        check(device["id"] == "pump-7" and device["online"], f"{device}")
        agent.stop()
        site.stop_hub()
        verify(site)


def test_an_outage_with_twenty_kills(build):
    with Site(build) as site:
        site.init_hub()
        site.start_hub()
        agent = site.agent("edge", extra=QUIET)
        site.stop_hub()
        producer = Producer(agent, step_ns=18_000_000)  # 200,000 readings are an hour of production
        seed = random.randrange(1 << 30)
        chance = random.Random(seed)
        for _ in range(20):
            agent.start()
            killer = threading.Timer(chance.uniform(0.05, 0.6), agent.process.child.kill)
            killer.start()
            producer.send(40_000)
            killer.join()
            agent.kill()
        agent.start()
        producer.send(max(0, 200_000 - producer.acknowledged_count()))
        site.start_hub()
        agent.wait_synced(90)
        acknowledged, found, extra = producer.prove(site, "edge")
        print(f"        {acknowledged} acknowledged, {found} at the hub ({extra} of unanswered batches), 20 kills, seed {seed}")
        agent.stop()
        site.stop_hub()
        verify(site)


def test_a_silent_link_is_noticed_and_nothing_is_lost(build):
    with Site(build) as site:
        site.init_hub()
        site.start_hub()
        link = site.link()
        agent = site.agent("edge", port=link.port, extra=QUIET, hub='keepalive = "5s"')
        agent.start()
        producer = Producer(agent)
        producer.send(5_000)
        agent.wait_synced()
        link.blackhole()
        producer.send(20_000)
        wait_until(lambda: agent.status()["link"]["state"] != "online", 40, "the agent to notice the dead link")
        agent.kill()
        link.heal()
        agent.start()
        agent.wait_synced(60)
        producer.prove(site, "edge")
        agent.stop()


def test_a_hub_restored_from_an_older_backup(build):
    with Site(build) as site:
        site.init_hub()
        site.start_hub()
        agent = site.agent("edge", extra=QUIET)
        agent.start()
        producer = Producer(agent)
        producer.send(10_000)
        agent.wait_synced()
        site.hub_run("backup", site.directory / "hub.backup")
        producer.send(10_000)
        agent.wait_synced()
        site.stop_hub()
        site.hub_run("restore", site.directory / "hub.backup")
        site.start_hub()
        wait_until(lambda: agent.status()["link"]["state"] == "online", 60, "the agent to come back")
        producer.send(1_000)
        agent.wait_synced(60)
        producer.prove(site, "edge")
        agent.stop()
        site.stop_hub()
        verify(site)


def test_a_device_restored_from_an_older_image(build):
    with Site(build) as site:
        site.init_hub()
        site.start_hub()
        agent = site.agent("edge", extra=QUIET)
        agent.start()
        producer = Producer(agent)
        producer.send(10_000)
        agent.wait_synced()
        agent.stop()
        image = site.directory / "image"
        shutil.copytree(agent.state, image)
        agent.start()
        producer.send(20_000)
        agent.wait_synced()
        agent.stop()
        shutil.rmtree(agent.state)
        shutil.copytree(image, agent.state)
        site.stop_hub()
        agent.start()                       # off line: it cannot know yet that it is an old image
        producer.send(5_000)                # new readings under numbers that the hub holds already
        agent.kill()
        agent.start()
        producer.send(5_000)
        site.start_hub()
        agent.wait_synced(60)
        acknowledged, found, _ = producer.prove(site, "edge")
        check(acknowledged == found == 40_000, f"{acknowledged} acknowledged, {found} found")
        status = agent.status()
        check(status["store"]["incarnation"] >= 1, f"incarnation raised: {status['store']}")
        gaps = agent.query("--gaps")["gaps"]
        check(any(g["reason"] == "rollback" for g in gaps), f"the device declares what its image lacks: {gaps}")
        check(not site.hub_query("--device", "edge", "--gaps")["gaps"], "nothing is missing at the hub")
        agent.stop()
        site.stop_hub()
        verify(site)


def test_enrolment_refusals_are_clear_on_both_sides(build):
    with Site(build) as site:
        site.init_hub()
        site.start_hub()
        agent = site.agent("pump-7", enroll=False)
        out = site.hub_run("token", "create", "--device", "pump-7")
        token = re.search(r"--token[ =](\S+)", out).group(1)

        def refused(who, code, device_text, hub_text, token_used, fingerprint):
            offset = len(site.hub_process.text())
            got, out_, error = run(who.command("enroll", f"127.0.0.1:{site.hub_port}", "--token", token_used, "--ca-fingerprint", fingerprint))
            check(got == code, f"exit code {got}, expected {code}: {out_}{error}")
            check(device_text in error, f"'{device_text}' expected in: {error}")
            if hub_text:
                wait_until(lambda: hub_text in site.hub_process.text()[offset:], 5, f"'{hub_text}' in the hub's log")

        refused(agent, 3, "token", "token", "A" * 43, site.fingerprint)
        refused(agent, 3, "fingerprint", None, token, "0" * 64)
        agent.run("enroll", f"127.0.0.1:{site.hub_port}", "--token", token, "--ca-fingerprint", site.fingerprint)
        other = site.agent("pump-8", enroll=False)
        refused(other, 3, "used", "used", token, site.fingerprint)
        modes = {p.name: oct(p.stat().st_mode & 0o777) for p in (agent.state / "identity").iterdir() if "key" in p.name}
        check(modes and all(mode == "0o600" for mode in modes.values()), f"keys are private: {modes}")


def test_a_second_device_with_the_same_id_is_refused(build):
    with Site(build) as site:
        site.init_hub()
        site.start_hub()
        first = site.agent("pump-7")
        first.start()
        wait_until(lambda: first.status()["link"]["state"] == "online", 20, "the first to be online")
        image = site.directory / "twin"
        twin = site.agent("twin", enroll=False)
        shutil.rmtree(twin.state)
        first.stop()
        shutil.copytree(first.state, twin.state)
        del image
        # The twin gets a certificate of its own for the same id: a new token for pump-7, used elsewhere.
        out = site.hub_run("token", "create", "--device", "pump-7")
        token = re.search(r"--token[ =](\S+)", out).group(1)
        shutil.rmtree(twin.state / "identity")
        twin.config.write_text(f'[device]\nid = "pump-7"\n\n[hub]\naddress = "127.0.0.1:{site.hub_port}"\n')
        twin.run("enroll", f"127.0.0.1:{site.hub_port}", "--token", token, "--ca-fingerprint", site.fingerprint)
        twin.start()
        wait_until(lambda: twin.status()["link"]["state"] == "online", 20, "the newly enrolled one to be online")
        first.start()
        wait_until(lambda: "pump-7" in (first.status()["link"].get("last_error") or ""), 20, "the older one to be told why")
        check("certificate" in first.status()["link"]["last_error"], first.status()["link"]["last_error"])
        twin.stop()
        first.stop()
