"""What this machine can do at most: the storage under the edge for the same bytes in the same commits."""
import json
import pathlib
import subprocess
import tempfile

from peer import built

WIRE_BYTES_A_READING = 2.05  # of the mix, measured by edge.py
BYTES_A_READING = 2.34  # of the mix at 1,000 a block (BY_HAND.md, block)


def raw_tls(context):
    """The agent's TLS alone on one core, as readings of the mix's bytes on the wire."""
    command = [context.build / "tests" / "tls_bench", "--benchmark_filter=^bulk_up/openssl/61440", "--benchmark_format=json", f"--benchmark_repetitions={context.repeats}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    values = [one["bytes_per_second"] / WIRE_BYTES_A_READING for one in json.loads(done.stdout)["benchmarks"] if one.get("run_type") == "iteration"]
    return [{"job": "drain to the hub", "subject": "limit: TLS alone", "metric": "readings", "unit": "1/s", "values": values,
             "note": f"tls_bench, both ends on one core, {WIRE_BYTES_A_READING} B a reading"}]


def run(context):
    if not context.wants("limits"):
        return []
    program = built(pathlib.Path(__file__).resolve().parents[1] / "limits" / "store_limit.cpp", "sqlite3")
    rows = []
    for per_commit in (1000, 10_000):
        values = {"sqlite": [], "log": []}
        for _ in range(context.repeats):
            for kind, got in values.items():
                directory = tempfile.mkdtemp(dir=context.directory)
                commits = context.size(3000, 300) * 1000 // per_commit
                done = subprocess.run([program, kind, directory, str(round(per_commit * BYTES_A_READING)), str(commits)], capture_output=True, text=True, check=True, timeout=120)
                got.append(float(done.stdout) * per_commit)
        for kind, subject in (("sqlite", "limit: SQLite"), ("log", "limit: file log")):
            rows.append({"job": "edge ingest, link down", "subject": subject, "metric": "readings" if per_commit == 1000 else f"readings, {per_commit:,} a commit", "unit": "1/s",
                         "values": values[kind], "durable": "synced", "note": f"{BYTES_A_READING} B a reading, {per_commit:,} a commit, nothing else done"})
        context.log(f"{per_commit} a commit: SQLite {values['sqlite'][-1] / 1e6:.2f} M/s, file {values['log'][-1] / 1e6:.2f} M/s")
    return rows + raw_tls(context)
