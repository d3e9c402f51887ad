"""What must hold of the installed service on the board: reload, sandbox, watchdog, memory."""
import json
import re

from harness import check

ADDED = """
[input.added]
type = "file"
path = "/sys/class/block/vda/size"
interval = "1s"
"""
# PSS: what the agent adds to the board; pages of the C library that others use too are counted by their share.
PROPORTIONAL_KIB = 5 * 1024
EXPOSURE = 1.5


def agent_pid(board):
    return int(board.show("tideline", "MainPID")["MainPID"])


def check_reload(board, say, config):
    """A sensor is added without a restart; a wrong file keeps what there was and says so."""
    pid = agent_pid(board)
    board.write("/etc/tideline/agent.toml", config + ADDED)
    board.ok("systemctl reload tideline")
    has_added = lambda: json.loads(board.ok("tideline query --json --series added --limit 1"))["series"]
    board.wait(has_added, "a reading of the added sensor", pause=0.5)
    board.write("/etc/tideline/agent.toml", config + ADDED + "\n[input.wrong]\ntype = \"teapot\"\n")
    board.run("systemctl reload tideline")
    board.wait(lambda: "teapot" in board.run("systemctl status tideline --no-pager; tideline status")[1] or "wrong" in
               board.show("tideline", "StatusText").get("StatusText", ""), "the refused configuration in the service's status", pause=0.5)
    text = board.show("tideline", "StatusText")["StatusText"]
    board.write("/etc/tideline/agent.toml", config + ADDED)
    board.ok("systemctl reload tideline")
    check(agent_pid(board) == pid, "the agent was restarted by a reload")
    say(f"reload: an added sensor reads; a wrong file changed nothing and said: {text}")


def check_sandbox(board, say, show, is_thorough=False):
    state = board.show("tideline", "NRestarts", "Result", "ActiveState", "WatchdogUSec", "MemoryCurrent", "StatusText")
    check(state["ActiveState"] == "active" and state["Result"] == "success" and state["NRestarts"] == "0", f"the service is not as it should be: {state}")
    denied = board.run("{ journalctl -b --no-pager; dmesg; } | grep -E 'type=1326|SIGSYS|status=31'")[1]
    check(not denied, f"system calls were denied:\n{denied}")
    failed = board.ok("systemctl --failed --plain --no-legend")
    check(not failed, f"units failed on the board:\n{failed}")
    show(board.ok("SYSTEMD_COLORS=0 systemctl status tideline --no-pager -l -n 12"))
    warnings = board.ok("journalctl -b -u tideline --no-pager -o cat | grep -E '^<[0-4]>| warning | error ' || true")
    if is_thorough:
        exposure = re.search(r"exposure level for tideline.service: ([0-9.]+) (\w+)", board.ok("systemd-analyze security tideline --no-pager | tail -2"))
        check(exposure and float(exposure.group(1)) <= EXPOSURE, f"systemd-analyze security: {exposure and exposure.group(0)}")
        say(f"systemd-analyze security on the board: {exposure.group(1)} {exposure.group(2)}")
    if warnings:
        say("warnings of the agent in the journal:")
        show(warnings)
    say("the service runs in its sandbox: no denied system call, no restart")


class Memory:
    """Of the agent by the board's kernel; the largest seen is judged at the end, when everything else has been."""

    def __init__(self):
        self.largest = {"Rss": 0, "Pss": 0}

    def look(self, board):
        text = board.ok(f"cat /proc/{agent_pid(board)}/smaps_rollup")
        kib = {name: int(value) for name, value in re.findall(r"^(Rss|Pss|Anonymous):\s+(\d+) kB", text, re.MULTILINE)}
        self.largest = {name: max(value, kib[name]) for name, value in self.largest.items()}
        return f"resident {kib['Rss']} KiB, proportional {kib['Pss']} KiB, of it anonymous {kib['Anonymous']} KiB"

    def judge(self, say):
        say(f"the agent's memory at most: resident {self.largest['Rss']} KiB, proportional {self.largest['Pss']} KiB")
        check(self.largest["Pss"] <= PROPORTIONAL_KIB, f"the agent takes {self.largest['Pss']} KiB, more than {PROPORTIONAL_KIB}")


def check_watchdog(board, say):
    """An agent that stands still is ended and started again by systemd; what it had on disk is there."""
    board.ok("mkdir -p /run/systemd/system/tideline.service.d")
    board.write("/run/systemd/system/tideline.service.d/watchdog.conf", "[Service]\nWatchdogSec=10s\nTimeoutAbortSec=5s\n")
    board.ok("systemctl daemon-reload; systemctl restart tideline")
    pid = agent_pid(board)
    board.ok("sleep 12")
    check(agent_pid(board) == pid, "the watchdog ended an agent that was well")
    board.ok(f"kill -STOP {pid}")
    board.wait(lambda: agent_pid(board) not in (0, pid) and board.ok("systemctl is-active tideline || true") == "active", "the watchdog to start the agent again", pause=1)
    journal = board.ok("journalctl -b -u tideline --no-pager -o cat")
    check("watchdog" in journal.lower(), "the journal does not say that it was the watchdog")
    check(board.show("tideline", "NRestarts")["NRestarts"] == "1", "one restart")
    board.ok("rm -r /run/systemd/system/tideline.service.d; systemctl daemon-reload; systemctl restart tideline; systemctl reset-failed")
    say("watchdog: 12 s of normal life pass, an agent that is stopped is started again (WatchdogSec=10s for this)")
