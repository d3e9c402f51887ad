"""What the writer told of every boot, and the proof by identity against the hub.

Reading i of boot b is value i of the series NAME{boot=b}. `synced` numbers were acknowledged by the agent and known here before the
power went; `handed` ones were only written to its socket.
"""
import bisect
import collections
import datetime

from harness import check

# Between the clocks of hub and board, and from the board to this process, on a machine that is busy.
TOLERANCE_SECONDS = 3.0


def seconds_of(text):
    """RFC 3339 with nanoseconds to seconds since 1970."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.datetime.fromisoformat(whole + "+00:00").timestamp() + float("0." + (fraction or "0"))


class BootRecord:
    """One boot as this machine saw it. `clock` is what its readings must be judged by in the end: floor, rtc or hub."""

    def __init__(self, board, clock, is_cut=False):
        self.boot = board.boot
        self.clock = clock
        self.is_cut = is_cut
        self.started_wall = board.started_wall
        self.events = list(board.events)

    def numbers(self, kind):
        return {i for event in self.events if event.kind == kind for i in range(event.first, event.last + 1)}


class Found:
    """What the hub has of one series."""

    def __init__(self, site, device, series):
        answer = site.hub_query("--device", device, "--series", series)
        check(not answer["truncated"], f"{series}: more readings than one answer holds; the proof needs all")
        self.points = [point for one in answer["series"] for point in one["points"]]
        self.quality = sorted({one["time_quality"] for one in answer["series"]})
        self.counts = collections.Counter(point["value"] for point in self.points)

    def compare(self, numbers):
        """(missing, twice) of `numbers`."""
        return sorted(numbers - self.counts.keys()), sorted(i for i, n in self.counts.items() if n > 1)


def judge_times(record, found, told):
    """Every acknowledged reading against the moments at which this machine heard of its batch and of the one before it. Returns the
    largest deviation beyond those bounds, in seconds. `told` are two moments between which the hub last told the board the time."""
    events = [event for event in record.events if event.kind == "synced"]
    firsts = [event.first for event in events]
    worst = 0.0
    for point in found.points:
        at = bisect.bisect_right(firsts, point["value"]) - 1
        if at < 0 or point["value"] > events[at].last:
            continue  # on the disk, but the answer was lost with the power
        moment = seconds_of(point["time"])
        if record.clock == "floor":
            # Not told the time in this boot: counted from the newest date that the board was ever told, at the pace of the board.
            earliest, latest = told[0], told[1] + events[at].uptime
        else:
            earliest, latest = events[at - 1].wall if at else record.started_wall, events[at].wall
        worst = max(worst, earliest - moment, moment - latest)
    return worst
