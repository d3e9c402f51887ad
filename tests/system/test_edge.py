"""The agent alone: durable before acknowledged, readable before and after kill -9, damage survived, errors that say what to do."""
import json
import os
import pathlib
import random
import socket
import sqlite3
import time

from harness import Producer, Site, check, own_kib, pss_kib, run, wait_until

LINE = "t,room=a v=21.5 1700000000000000000\n"
QUIET = '[input.host]\ntype = "host"\nenabled = false\n\n[input.hwmon]\ntype = "hwmon"\nenabled = false\n\n[input.thermal]\ntype = "thermal"\nenabled = false\n'


def points(answer, name):
    return [(p["time"], p["value"]) for s in answer["series"] if s["name"] == name for p in s["points"]]


def test_ingest_then_query_without_a_daemon(build):
    with Site(build) as site:
        agent = site.agent("edge", enroll=False, port=1)
        agent.run("ingest", stdin=LINE)
        check(points(agent.query("--series", "t"), "t") == [("2023-11-14T22:13:20Z", 21.5)], "the reading came back")


def test_ingest_then_query_before_and_after_kill(build):
    with Site(build) as site:
        agent = site.agent("edge", enroll=False, port=1)
        agent.start()
        agent.run("ingest", stdin=LINE)
        before = points(agent.query("--series", "t"), "t")
        agent.kill()
        agent.start()
        after = points(agent.query("--series", "t"), "t")
        check(before == after == [("2023-11-14T22:13:20Z", 21.5)], f"before {before}, after {after}")


def test_record_returns_after_the_sync(build):
    with Site(build) as site:
        agent = site.agent("edge", enroll=False, port=1)
        trace = site.directory / "trace"
        code, out, error = run(["strace", "-f", "-e", "trace=fdatasync,fsync,exit_group", "-o", trace, *agent.command("record", "x=1")])
        check(code == 0, f"record failed: {out}{error}")
        calls = trace.read_text().splitlines()
        syncs = [i for i, line in enumerate(calls) if "sync(" in line and "= 0" in line]
        ends = [i for i, line in enumerate(calls) if "exit_group(0)" in line]
        check(syncs and ends and syncs[0] < ends[0], "a sync came before the exit")
        check(points(agent.query("--series", "x"), "x")[0][1] == 1, "x is there")


def test_bad_lines_are_reported_and_the_good_ones_kept(build):
    with Site(build) as site:
        agent = site.agent("edge", enroll=False, port=1)
        agent.start()
        lines = 'a v=1 1700000000000000000\nnonsense\n{"series":"b","value":2,"time":1700000000}\n{"series":\na v=2 1700000001000000000\n'
        code, out, error = run(agent.command("ingest"), stdin=lines)
        check(code == 1, f"exit code {code} for partly bad input")
        check("line 2" in error and "line 4" in error, f"bad lines named: {error}")
        check("3" in out + error and "2" in out + error, "both counts told")
        check(len(points(agent.query("--series", "a"), "a")) == 2 and len(points(agent.query("--series", "b"), "b")) == 1, "good lines kept")


def damage_and_restart(agent, path, total, least_lost):
    size = path.stat().st_size
    path.write_bytes(random.Random(5).randbytes(size))
    start = time.monotonic()
    agent.start()
    took = time.monotonic() - start
    check(took < 3, f"started within 3 s: {took:.2f}")
    status = agent.status()
    gaps = [g for g in agent.query("--series", "produced", "--gaps")["gaps"] if g["reason"] == "damaged"]
    lost = sum(g["count"] for g in gaps)
    answer = agent.query("--series", "produced", "--aggregate", "count")
    count = sum(p["value"] for s in answer["series"] for p in s["points"])
    check(count + lost == total, f"{count} readings readable and {lost} declared lost, {total} were acknowledged; gaps {gaps}")
    check(lost >= least_lost, f"{lost} declared lost, expected at least {least_lost}")
    print(f"        of {total} readings {count} were saved, {lost} declared lost, start took {took:.2f} s")
    bad = [p.name for p in agent.state.iterdir() if p.name.startswith("bad-")]
    check(1 <= len(bad) <= 4, f"the damaged file is kept aside under its quota: {bad}")
    agent.run("record", "after=1")
    check(status["store"]["bad_segments"] >= 1, "status tells of the damaged segment")


def held_by_segment(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return database.execute("SELECT coalesce(sum(count), 0) FROM block").fetchone()[0]


def test_a_sealed_segment_overwritten_with_random_bytes(build):
    with Site(build) as site:
        agent = site.agent("edge", enroll=False, port=1, extra=QUIET)
        agent.start()
        value = random.Random(1)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(agent.state / "ingest.sock"))
            answers = connection.makefile("r")
            for batch in range(60):
                connection.sendall("".join(f"produced v={value.random()!r} {1_700_000_000_000_000_000 + (batch * 20000 + i) * 1000}\n"
                                           for i in range(20000)).encode() + b"#sync\n")
                check(json.loads(answers.readline())["accepted"] == 20000, "accepted")
        total = 60 * 20000
        agent.stop()
        segments = sorted(agent.state.glob("seg-normal-*.db"))
        check(len(segments) >= 2, f"more than one segment: {segments}")
        lost = held_by_segment(segments[0])
        damage_and_restart(agent, segments[0], total, lost)
        agent.kill()


def test_the_active_segment_overwritten_after_kill(build):
    """Its WAL is intact: what stands there is saved, the rest is declared."""
    with Site(build) as site:
        agent = site.agent("edge", enroll=False, port=1, extra=QUIET)
        agent.start()
        producer = Producer(agent)
        check(producer.send(50_000) == 50_000, "sent")
        agent.kill()
        segment = sorted(agent.state.glob("seg-normal-*.db"))[-1]
        damage_and_restart(agent, segment, 50_000, 0)
        agent.kill()


def test_the_active_segment_overwritten_after_a_clean_stop(build):
    """No WAL is left: all its readings are lost, and the number is right."""
    with Site(build) as site:
        agent = site.agent("edge", enroll=False, port=1, extra=QUIET)
        agent.start()
        producer = Producer(agent)
        check(producer.send(50_000) == 50_000, "sent")
        agent.stop()
        segment = sorted(agent.state.glob("seg-normal-*.db"))[-1]
        damage_and_restart(agent, segment, 50_000, 50_000)
        agent.kill()


def test_errors_name_the_thing_and_have_their_exit_code(build):
    with Site(build) as site:
        agent = site.agent("edge", enroll=False, port=1)

        def fails(words, code, *texts, config=None):
            if config is not None:
                agent.config.write_text(config)
            got, out, error = run(agent.command(*words))
            lines = [line for line in error.strip().splitlines() if line]
            check(got == code, f"{words}: exit code {got}, expected {code}: {out}{error}")
            check(len(lines) == 1, f"{words}: one line expected: {error}")
            for text in texts:
                check(text in error, f"{words}: '{text}' expected in: {error}")

        fails(["run"], 2, "edge.toml:2", "intervall", "interval", config="[input.host]\nintervall = \"1s\"\n")
        fails(["run"], 2, "edge.toml:2", "interval", config="[input.host]\ninterval = \"5 parsecs\"\n")
        fails(["run"], 2, "edge.toml", config="[device\n")
        agent.write_config()
        code, _, error = run([agent.site.build / "tideline", "run", "--config", "/nonexistent/agent.toml", "--state", agent.state])
        check(code == 2 and "/nonexistent/agent.toml" in error, error)
        code, _, error = run([agent.site.build / "tideline", "frobnicate"])
        check(code == 2 and "frobnicate" in error, error)
        fails(["record", "x"], 2, "x")
        fails(["query", "--since", "yesterday"], 2, "yesterday")
        fails(["enroll", "127.0.0.1:1", "--token", "t", "--ca-fingerprint", "0" * 64], 4, "127.0.0.1:1")
        agent.start()
        fails(["run"], 1, str(agent.process.pid))
        agent.stop()


def test_memory_does_not_grow_with_the_backlog(build):
    with Site(build) as site:
        agent = site.agent("edge", enroll=False, port=1)
        agent.start()
        agent.run("record", "warm=1")
        line = "".join(f"backlog v={i % 977}i {1_700_000_000_000_000_000 + i * 1_000_000}\n" for i in range(100_000)).encode()

        def fill(times):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(agent.state / "ingest.sock"))
                answers = connection.makefile("r")
                for _ in range(times):
                    connection.sendall(line + b"#sync\n")
                    check('"accepted":100000' in answers.readline(), "accepted")

        fill(1)
        time.sleep(1)
        before = pss_kib(agent.process.pid)
        fill(99)
        time.sleep(1)
        after = pss_kib(agent.process.pid)
        own = own_kib(agent.process.pid)
        print(f"        PSS with 0.1 M readings {before} KiB, with 10 M {after} KiB, of which the agent's own data {own} KiB")
        check(after - before < 1024, f"grew by {after - before} KiB")
        check(own < 4096, f"{own} KiB of data is above 4 MB")
        agent.kill()


def test_a_missing_sensor_is_a_warning(build):
    with Site(build) as site:
        agent = site.agent("edge", enroll=False, port=1, extra='[input.gone]\ntype = "file"\npath = "/nonexistent/sensor"\ninterval = "200ms"\n')
        agent.start()
        wait_until(lambda: "/nonexistent/sensor" in agent.process.text(), 5, "the warning")
        time.sleep(1)
        check(agent.process.text().count("/nonexistent/sensor") <= 2, "the warning is not repeated")
        agent.stop()


def test_no_space_is_a_clear_error(build):
    if os.geteuid() != 0:
        return
    with Site(build) as site:
        agent = site.agent("edge", enroll=False, port=1, extra=QUIET + '\n[store]\nfree_space = "1 MiB"\n')
        code, _, error = run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", agent.state])
        if code != 0:
            return  # not allowed to mount here
        try:
            agent.start()
            filler = pathlib.Path(agent.state) / "other-program"
            with open(filler, "wb") as file:
                try:
                    while True:
                        file.write(b"x" * 65536)
                        file.flush()
                except OSError:
                    pass
            chance = random.Random(3)
            lines = "".join(f"noise v={chance.random()!r}\n" for _ in range(200_000))  # more than any reserve holds
            code, out, error = run(agent.command("ingest"), stdin=lines)
            check(code == 1 and "space" in error, f"code {code}: {out}{error}")
            check(agent.process.alive(), "the agent lives on")
            filler.unlink()
            wait_until(lambda: run(agent.command("record", "x=2"))[0] == 0, 20, "space to be found again")
            agent.stop()
        finally:
            if agent.process and agent.process.alive():
                agent.process.kill()
            run(["umount", agent.state])
