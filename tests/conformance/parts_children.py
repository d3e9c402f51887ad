"""Third-party servers as children of an agent: every tool of theirs, locally and through the hub, and what happens when one is killed."""
import json
import os
import pathlib
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


def children_of(agent_pid):
    """Process id -> command line of the agent's direct children."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        parent = int(stat.rsplit(")", 1)[1].split()[1])
        if parent == agent_pid:
            found[int(entry.name)] = words
    return found


def find_child(agent_pid, word):
    return next((pid for pid, words in children_of(agent_pid).items() if word in words), None)


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


def stop(world, report):
    """An agent that is stopped takes its children with it, and has them again after a start."""
    agent = world.agent(tools.CHILDREN_DEVICE)
    client = http_client.Client(world.url(tools.CHILDREN_DEVICE), timeout=40)

    def calls():
        for name, arguments in (("everything__echo", {"message": "hi"}), ("memory__read_graph", {})):
            result = client.modern("tools/call", {"name": name, "arguments": arguments}).get("result", {})
            if result.get("isError") or not result.get("content"):
                return False
        return True

    def once():
        harness.wait_until(calls, 30, "both children to answer")
        before = children_of(agent.process.pid)
        harness.check(len(before) == 2, f"expected two children, got {before}")
        agent.stop()
        left = [words for pid, words in before.items() if pathlib.Path(f"/proc/{pid}").exists()]
        harness.check(not left, f"still running after the agent's end: {left}")
        agent.start()
        harness.wait_until(calls, 60, "both children to answer after a restart")

    report.run("children-stop", once)
