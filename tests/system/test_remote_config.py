"""Configuration from the hub: desired/config is applied while running, by beginning anew, refused, and taken back by the device alone."""
import json

from harness import Site, check, wait_until

REMOTE = '[remote]\nconfirm_within = "6s"\n\n'
QUIET = "".join(f'[input.{kind}]\ntype = "{kind}"\nenabled = false\n\n' for kind in ("host", "hwmon", "thermal"))


def desire(site, value):
    site.hub_run("context", "set", "edge", "desired/config", json.dumps(value))


def reported(site, path):
    """At the hub; None when nothing is there."""
    answer = json.loads(site.hub_run("context", "list", "edge", "reported", "--json"))
    for entry in answer["entries"]:
        if entry["path"] == path:
            return entry["value"]
    return None


def state(site):
    return (reported(site, "reported/_state/config") or {}).get("state")


def site_with_device(build):
    site = Site(build)
    site.__enter__()
    site.init_hub()
    site.start_hub()
    agent = site.agent("edge", extra=REMOTE + QUIET)
    agent.start()
    agent.process.wait_for("link up", 30)
    return site, agent


def test_an_input_is_added_without_a_restart(build):
    site, agent = site_with_device(build)
    with site:
        source = site.directory / "value"
        source.write_text("42\n")
        wanted = {"input": {"door": {"type": "file", "path": str(source), "interval": "100ms"}}}
        desire(site, wanted)
        wait_until(lambda: state(site) == "applied", 30, "the change to be applied")
        check(reported(site, "reported/config") == wanted, "the device reports what is in force")
        wait_until(lambda: any(s["points"] for s in agent.query("--series", "door")["series"]), 15, "readings of the new input")
        check("beginning anew" not in agent.process.text(), "nothing was restarted")


def test_a_change_that_needs_a_restart_begins_the_process_anew_and_survives_kill(build):
    site, agent = site_with_device(build)
    with site:
        pid = agent.process.pid
        desire(site, {"hub": {"keepalive": "17s"}})
        wait_until(lambda: state(site) == "applied", 40, "the change to be applied")
        check("beginning anew" in agent.process.text() and agent.process.alive() and agent.process.pid == pid, "the same process began anew")
        agent.kill()
        agent.start()
        wait_until(lambda: state(site) == "applied", 30, "the change to be in force after kill -9")


def test_a_wrong_change_is_refused_with_the_reason_and_changes_nothing(build):
    site, agent = site_with_device(build)
    with site:
        desire(site, {"hub": {"keepalive": "1ms"}})
        wait_until(lambda: state(site) == "refused", 30, "the change to be refused")
        error = reported(site, "reported/_error/config")
        check("[hub] keepalive" in error, f"the reason names the key: {error}")
        check(reported(site, "reported/config") is None, "nothing of it is in force")
        desire(site, {"action": {"shell": {"description": "x", "command": ["/bin/true"]}}})
        wait_until(lambda: "commands" in (reported(site, "reported/_error/config") or ""), 30, "programs to be refused")
        check("beginning anew" not in agent.process.text(), "nothing was restarted")


def test_a_change_that_cuts_the_device_off_is_taken_back_by_the_device_alone(build):
    site, agent = site_with_device(build)
    with site:
        desire(site, {"hub": {"address": "127.0.0.1:1"}})
        agent.process.wait_for("is taken back", 60)
        wait_until(lambda: state(site) == "refused", 60, "the device to be back")
        error = reported(site, "reported/_error/config")
        check("not reached" in error, f"why: {error}")
        agent.kill()
        agent.start()
        agent.process.wait_for("link up", 30)
        check(state(site) == "refused", "it is not tried again")
