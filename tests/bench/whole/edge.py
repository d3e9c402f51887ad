"""The edge, real processes, real TLS, real files: taking readings with the link down, draining them to the hub, both at once.

"synced": every batch is acknowledged to the producer after a sync, and the hub acknowledges after its own: a power cut loses nothing.
"""
import datetime
import pathlib
import re
import shutil
import socket
import statistics
import sys
import threading
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "system"))
from harness import Site, wait_until  # noqa: E402
from job_mix import Mix, Noise, Quantised  # noqa: E402
from measure import Disk, Watch, cpu_seconds, sent_bytes  # noqa: E402

QUIET = "".join(f'[input.{kind}]\ntype = "{kind}"\nenabled = false\n\n' for kind in ("host", "hwmon", "thermal"))
STORE = '[store]\nsize = "16 GiB"\nfree_space = "64 MiB"\n'
WINDOW = 64  # #sync lines under way
GROWTH = 100  # commits after which the WAL of the active segment is as long as it becomes (limits::checkpoint_pages, three pages a commit)
TIME = re.compile(r"(\S+Z) \w+ uplink: link up")


def batches(per_sync, total, mix=Mix):
    """Up to 500,000 readings of prepared batches, to be sent round and round."""
    mix = mix(7)
    count = max(1, min(total, 500_000) // per_sync)
    return [mix.lines(per_sync) + b"#sync\n" for _ in range(count)]


def send(agent, prepared, total, per_sync, watch=None):
    """Readings a second from the first byte to the last acknowledgement."""
    rounds = total // per_sync
    room = threading.Semaphore(WINDOW)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(agent.state / "ingest.sock"))
        answers = connection.makefile("rb")

        def listen():
            for i in range(rounds):
                answer = answers.readline()
                if b'"error"' in answer or b'"rejected":0' not in answer:
                    raise RuntimeError(f"refused: {answer!r}")
                room.release()
                if watch and i % 64 == 0:
                    watch.look()

        listener = threading.Thread(target=listen)
        begin = time.perf_counter()
        listener.start()
        for i in range(rounds):
            room.acquire()
            connection.sendall(prepared[i % len(prepared)])
        listener.join()
        return rounds * per_sync / (time.perf_counter() - begin)


def last_ack(agent):
    """(wall time of the last acknowledgement, everything is acknowledged)."""
    status = agent.status()
    now = datetime.datetime.fromisoformat(status["time"][:26].rstrip("Z") + "+00:00").timestamp()
    return now - status["link"].get("last_ack_age_s", 0), status["backlog_readings"] == 0 and not status.get("backlog_is_upper_bound")


def link_up_time(agent):
    stamps = TIME.findall(agent.process.text())
    return datetime.datetime.fromisoformat(stamps[-1][:26].rstrip("Z") + "+00:00").timestamp()


def drain(site, agent, count, watch_hub=True):
    """Starts the hub; seconds from link-up to the last acknowledgement, and what it cost."""
    agent_cpu = cpu_seconds(agent.process.pid)
    hub = site.start_hub()
    watch = Watch(agent.process.pid, hub.pid)

    def is_done():
        watch.look()
        return last_ack(agent)[1]

    wait_until(is_done, 60 + count / 200_000, "the backlog to be drained")
    took = last_ack(agent)[0] - link_up_time(agent)
    return {
        "rate": count / took, "wire": agent.status()["link"]["wire_bytes_sent"] / count, "agent_pss": watch.peak[0], "hub_pss": watch.peak[1],
        "agent_cpu": (cpu_seconds(agent.process.pid) - agent_cpu) / count * 1e6, "hub_cpu": cpu_seconds(hub.pid) / count * 1e6,
    }


def site_with_agent(context, directory=None, store=STORE, build=None):
    site = Site(build or context.programs)
    site.__enter__()
    site.init_hub()
    site.start_hub()
    agent = site.agent("edge", extra=QUIET + store)
    site.stop_hub()
    if directory is not None:
        target = pathlib.Path(directory) / "edge"
        if not target.exists():
            shutil.move(agent.state, target)
        agent.state = target
    agent.start()
    return site, agent


def row(job, metric, unit, values, note="", subject="tideline", durable="synced"):
    return {"job": job, "subject": subject, "metric": metric, "unit": unit, "values": values, "durable": durable, "note": note}


def ingest_and_drain(context):
    """Jobs a, b and the memory and processor parts of g: one backlog, taken and drained."""
    total = context.size(10_000_000, 1_000_000)
    got = {name: [] for name in ("ingest", "cpu", "pss", "drain", "wire", "drain_pss", "drain_cpu", "hub_cpu", "hub_pss", "idle")}
    prepared = batches(1000, total)
    for _ in range(context.repeats):
        site, agent = site_with_agent(context)
        with site:
            got["idle"].append(Watch(agent.process.pid).look() or 0)
            watch = Watch(agent.process.pid)
            watch.look()
            got["idle"][-1] = watch.peak[0]
            cpu = cpu_seconds(agent.process.pid)
            got["ingest"].append(send(agent, prepared, total, 1000, watch))
            got["cpu"].append((cpu_seconds(agent.process.pid) - cpu) / total * 1e6)
            got["pss"].append(watch.peak[0])
            drained = drain(site, agent, total)
            for name, key in (("drain", "rate"), ("wire", "wire"), ("drain_pss", "agent_pss"), ("drain_cpu", "agent_cpu"), ("hub_cpu", "hub_cpu"), ("hub_pss", "hub_pss")):
                got[name].append(drained[key])
        context.log(f"ingest {got['ingest'][-1] / 1e6:.2f} M/s, drain {got['drain'][-1] / 1e6:.2f} M/s")
    size = f"{total / 1e6:g} M readings, 1,000 a #sync, {WINDOW} under way"
    return [
        row("edge ingest, link down", "readings", "1/s", got["ingest"], size),
        row("edge ingest, link down", "agent processor", "s/M", got["cpu"]),
        row("edge ingest, link down", "agent memory, peak PSS", "MB", got["pss"]),
        row("edge idle", "agent memory, PSS", "MB", got["idle"]),
        row("drain to the hub", "readings", "1/s", got["drain"], "from link-up to the last acknowledgement, synced at the hub"),
        row("drain to the hub", "bytes on the wire", "B/reading", got["wire"], "TLS and frames included"),
        row("drain to the hub", "agent memory, peak PSS", "MB", got["drain_pss"]),
        row("drain to the hub", "agent processor", "s/M", got["drain_cpu"]),
        row("drain to the hub", "hub processor", "s/M", got["hub_cpu"]),
        row("drain to the hub", "hub memory, peak PSS", "MB", got["hub_pss"]),
    ]


def ingest_by_batch(context):
    """Throughput against batch size: the plot."""
    rows = []
    for per_sync in (1, 10, 100, 1000, 10_000):
        total = context.size(min(2_000_000, per_sync * 20_000), min(200_000, per_sync * 2_000))
        prepared = batches(per_sync, total)
        values = []
        for _ in range(context.repeats):
            site, agent = site_with_agent(context)
            with site:
                values.append(send(agent, prepared, total, per_sync))
        rows.append(row("edge ingest by batch", f"{per_sync} a #sync", "1/s", values))
        context.log(f"{per_sync} a #sync: {values[-1] / 1e6:.3f} M/s")
    return rows


def ingest_committed_every_5_s(context):
    """Class normal as sensors use it: nobody waits for the sync, which comes within 5 s."""
    total = context.size(20_000_000, 2_000_000)
    prepared = [batch[:-len(b"#sync\n")] for batch in batches(10_000, total)]
    values = []
    for _ in range(context.repeats):
        site, agent = site_with_agent(context)
        with site, socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(agent.state / "ingest.sock"))
            begin = time.perf_counter()
            for i in range(total // 10_000):
                connection.sendall(prepared[i % len(prepared)])
            connection.sendall(b"#sync\n")
            answer = connection.makefile("rb").readline()
            values.append(total / (time.perf_counter() - begin))
            if b'"error"' in answer:
                raise RuntimeError(answer)
        context.log(f"{values[-1] / 1e6:.2f} M/s")
    return [row("edge ingest, 5 s commit", "readings", "1/s", values, "one #sync at the end", durable="within 5 s")]


def both_at_once(context):
    """Job c: the hub is there while readings come."""
    total = context.size(5_000_000, 500_000)
    prepared = batches(1000, total)
    taken, through = [], []
    for _ in range(context.repeats):
        site, agent = site_with_agent(context)
        with site:
            site.start_hub()
            agent.process.wait_for("link up", 60)
            begin = time.time()
            taken.append(send(agent, prepared, total, 1000))
            wait_until(lambda: last_ack(agent)[1], 120, "the rest to be drained")
            through.append(total / (last_ack(agent)[0] - begin))
        context.log(f"taken {taken[-1] / 1e6:.2f} M/s, at the hub {through[-1] / 1e6:.2f} M/s")
    return [row("ingest and drain at once", "taken", "1/s", taken), row("ingest and drain at once", "at the hub", "1/s", through)]


def wire_by_signal(context):
    """Bytes on the wire, TLS and frames included, for signals that compress well and for one that does not."""
    rows = []
    for mix, name in ((Quantised, "quantised sensors"), (Noise, "full-precision noise")):
        total = context.size(500_000, 100_000)
        site, agent = site_with_agent(context)
        with site:
            send(agent, batches(10_000, total, mix), total, 10_000)
            rows.append(row("bytes on the wire", name, "B/reading", [drain(site, agent, total)["wire"]], "16 series at 1 Hz, 1.5 ms of jitter, drained; exact, one run"))
        context.log(f"{name}: {rows[-1]['values'][0]:.2f} B a reading on the wire")
    return rows


def flat_with_backlog(context):
    """Show 3: the rates at backlogs of 1, 10 and 100 million readings."""
    rows = []
    sample = context.size(3_000_000, 500_000)
    prepared = batches(10_000, sample)
    for millions in (1, 10) if context.quick else (1, 10, 100):
        taken, drained = [], []
        for _ in range(context.repeats if millions < 100 else 1):
            site, agent = site_with_agent(context)
            with site:
                send(agent, prepared, millions * 1_000_000, 10_000)
                taken += [send(agent, prepared, sample, 10_000) for _ in range(3)]
                drained.append(drain(site, agent, millions * 1_000_000 + 3 * sample)["rate"])
        rows.append(row("by size of the backlog", f"ingest, {millions} M", "1/s", taken, f"{sample / 1e6:g} M more on top of it, three times; 10,000 a #sync"))
        rows.append(row("by size of the backlog", f"drain, {millions} M", "1/s", drained, f"of it and of the {3 * sample / 1e6:g} M"))
        context.log(f"{millions} M: ingest {statistics.median(taken) / 1e6:.2f}, drain {statistics.median(drained) / 1e6:.2f} M/s")
    return rows


def written_to_disk(context):
    """Job g: bytes at the block device, acknowledged data deleted, at 10 readings a second and at full ingest."""
    rows = []
    with Disk(context.directory, 1024) as disk:
        if disk.available:
            return [row("bytes written to disk", "not run", "", [], disk.available)]
        for seconds in (1, 5, 10, 60):
            # Time passes faster for the store: commits of 10 * seconds readings each, as many as fit into a bounded run.
            growing, steady = written_by_commits(context, disk, 10 * seconds, GROWTH, context.size(400, 60))
            name = f"10 readings/s, commit each {seconds} s"
            rows.append(row("bytes written to disk", name, "B/reading", [steady], "drained and deleted as it goes; each commit is forced by #sync"))
            rows.append(row("bytes written to disk", f"{name}, the first {GROWTH} commits", "B/reading", [growing],
                            "once after a start: each lengthens the WAL, which costs a commit of ext4's journal too"))
            context.log(f"commit each {seconds} s: {steady:.1f} B a reading, {growing:.1f} while the WAL grows")
        rows.append(row("bytes written to disk", "full ingest", "B/reading", written_at_full_ingest(context, disk)))
    return rows


def written_by_commits(context, disk, readings, *commits):
    """Bytes a reading, of so many commits one after the other."""
    prepared = batches(readings, readings * sum(commits))
    site, agent = site_with_agent(context, disk.mount, STORE + 'history = "0 B"\n')
    written = []
    with site:
        site.start_hub()
        agent.process.wait_for("link up", 60)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(agent.state / "ingest.sock"))
            answers = connection.makefile("rb")
            sent = 0
            for count in commits:
                before = disk.written_bytes()
                for _ in range(count):
                    connection.sendall(prepared[sent % len(prepared)])
                    answers.readline()
                    sent += 1
                wait_until(lambda: last_ack(agent)[1], 60, "the rest to be drained")
                written.append((disk.written_bytes() - before) / (readings * count))
        agent.stop()
    subprocess_remove(agent.state)
    return written


def written_at_full_ingest(context, disk):
    total = context.size(5_000_000, 1_000_000)
    prepared = batches(1000, total)
    site, agent = site_with_agent(context, disk.mount, '[store]\nsize = "256 MiB"\nfree_space = "16 MiB"\nhistory = "0 B"\n')
    with site:
        site.start_hub()
        agent.process.wait_for("link up", 60)
        before = disk.written_bytes()
        send(agent, prepared, total, 1000)
        wait_until(lambda: last_ack(agent)[1], 120, "the rest to be drained")
        written = disk.written_bytes() - before
        agent.stop()
    subprocess_remove(agent.state)
    return [written / total]


def subprocess_remove(directory):
    for path in sorted(pathlib.Path(directory).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    pathlib.Path(directory).rmdir()


JOBS = {
    "ingest": ingest_and_drain, "batch": ingest_by_batch, "normal": ingest_committed_every_5_s, "both": both_at_once, "wire": wire_by_signal, "flat": flat_with_backlog,
    "disk": written_to_disk,
}


def run(context):
    rows = []
    for name, job in JOBS.items():
        if context.wants(f"edge-{name}"):
            context.log(f"edge-{name}")
            rows += job(context)
    return rows
