"""Third-party servers as children of an agent: every tool of theirs, locally and through the hub, and what happens when one is killed."""
import json
import os
import pathlib
import subprocess
import threading
import time

import harness
import http_client
import tools
from parts_clients import run_matrix


def stdio(world, report):
    return run_matrix(report, "children-stdio", world.directory, "children", ["--", *world.mcp_command(tools.CHILDREN_DEVICE)])


def device(world, report):
    return run_matrix(report, "children-device", world.directory, "children", ["--url", world.url(tools.CHILDREN_DEVICE)])


def find_child(agent_pid, word):
    """The process id of a child of the agent whose command line holds `word`."""
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        parent = int(stat.rsplit(")", 1)[1].split()[1])
        if parent == agent_pid and word in words:
            return int(entry.name)
    return None


def kill(world, report):
    """kill -9 of a child in the middle of a call: the caller hears of it at once, and the next call finds a new child."""
    agent = world.agent(tools.FIXTURE_DEVICE)
    client = http_client.Client(world.url(tools.FIXTURE_DEVICE), timeout=40)

    def once():
        answers = []
        call = threading.Thread(target=lambda: answers.append(
            client.modern("tools/call", {"name": "test_wait", "arguments": {"seconds": 30}})), daemon=True)
        call.start()
        pid = harness.wait_until(lambda: find_child(agent.process.pid, "conformance_fixture"), 10, "the child")
        time.sleep(1)
        start = time.monotonic()
        os.kill(pid, 9)
        call.join(15)
        harness.check(answers, "no answer within 15 s of the kill")
        took = time.monotonic() - start
        answer = answers[0]
        is_error = "error" in answer or answer.get("result", {}).get("isError") is True
        harness.check(is_error, f"the answer is no error: {json.dumps(answer)[:400]}")
        harness.check(took < 3, f"the error came {took:.1f} s after the kill")

        def works():
            result = client.modern("tools/call", {"name": "test_simple_text"}).get("result", {})
            return not result.get("isError") and bool(result.get("content"))
        harness.wait_until(works, 30, "a call to succeed after the restart")
        harness.check(find_child(agent.process.pid, "conformance_fixture") != pid, "the child was not replaced")

    report.run("children-kill", once)
    return ""
