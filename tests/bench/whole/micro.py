"""The micro benchmarks (Google Benchmark) as rows: median nanoseconds an operation of three repetitions."""
import json
import subprocess

LEFT_OUT = "-store_open_10_million.*|query_month.*|uplink_drain.*"  # minutes each: run them by hand
LEFT_OUT_QUICK = "|archive_.*|outbox_.*"  # prepare for 10 to 30 s


def run(context):
    if not context.wants("micro"):
        return []
    rows = []
    for program in sorted((context.build / "tests").glob("*_bench")):
        command = [program, "--benchmark_format=json", f"--benchmark_min_time={0.02 if context.quick else 0.05}", f"--benchmark_repetitions={context.repeats}",
                   f"--benchmark_filter={LEFT_OUT}{LEFT_OUT_QUICK if context.quick else ''}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
        if not done.stdout.strip():
            continue  # all of its benchmarks are left out
        values = {}
        for one in json.loads(done.stdout)["benchmarks"]:
            if one.get("run_type") == "iteration" and not one.get("error_occurred"):
                scale = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}[one["time_unit"]]
                values.setdefault(one["run_name"], []).append(one["cpu_time"] * scale)
        name = program.name.removesuffix("_bench")
        rows += [{"job": f"micro: {name}", "subject": "tideline", "metric": metric, "unit": "ns", "values": got} for metric, got in values.items()]
        context.log(f"micro {name}: {len(values)} benchmarks")
    return rows
