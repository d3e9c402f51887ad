"""The parts about malformed traffic: on standard input, over HTTP, and that it costs no memory."""
import pathlib

import harness
import malformed_http
import malformed_stdio
import malformed_time
import tools

WARM_UP = 2
ROUNDS = 4
GROWTH_KIB = 512  # the hub's archive caches what it writes to the audit, some 10 KiB a round


def anonymous_kib(pid):
    """What the process itself wrote. The share of libraries in Pss changes with every process that comes and goes beside it."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1])
    raise harness.Failure("no Pss_Anon in smaps_rollup")


def stdio(world, report):
    alone = malformed_stdio.run(report, "malformed-stdio fixture", [world.fixture])
    agent = malformed_stdio.run(report, "malformed-stdio agent", world.mcp_command(tools.FIXTURE_DEVICE))
    return f"fixture alone {alone}, through the agent {agent}"


def http(world, report):
    return malformed_time.run_all(report, "malformed-http", world.url(tools.FIXTURE_DEVICE))


def memory(world, report):
    """Rounds of all quick checks; after the first ones neither hub nor agent may grow."""
    url = world.url(tools.FIXTURE_DEVICE)
    processes = {"hub": world.site.hub_process, "agent": world.agent(tools.FIXTURE_DEVICE).process}
    quiet = tools.Report()
    sizes = {name: [] for name in processes}
    for _ in range(WARM_UP + ROUNDS):
        malformed_http.run(quiet, "malformed-memory", url, malformed_time.FAST)
        malformed_stdio.run(quiet, "malformed-memory", world.mcp_command(tools.FIXTURE_DEVICE))
        for name, process in processes.items():
            sizes[name].append(anonymous_kib(process.pid))
    for name, kib in sizes.items():
        def check_growth(name=name, kib=kib):
            growth = kib[-1] - kib[WARM_UP - 1]
            harness.check(growth <= GROWTH_KIB, f"{name} grew by {growth} KiB over {ROUNDS} rounds (allowed: {GROWTH_KIB}): {kib}")
        report.run(f"malformed-memory {name}", check_growth)
    return ", ".join(f"{name} {' '.join(str(k) for k in kib)} KiB" for name, kib in sizes.items())
