"""The parts about malformed traffic: on standard input, over HTTP, and that it costs no memory."""
import harness
import malformed_http
import malformed_stdio
import tools

WARM_UP = 2
ROUNDS = 4
GROWTH_KIB = 512


def stdio(world, report):
    alone = malformed_stdio.run(report, "malformed-stdio fixture", [world.fixture])
    agent = malformed_stdio.run(report, "malformed-stdio agent", world.mcp_command(tools.FIXTURE_DEVICE))
    return f"fixture alone {alone}, through the agent {agent}"


def http(world, report):
    return malformed_http.run(report, "malformed-http", world.url(tools.FIXTURE_DEVICE), malformed_http.FAST + malformed_http.SLOW)


def memory(world, report):
    """Rounds of all quick checks; after the first ones neither hub nor agent may grow."""
    url = world.url(tools.FIXTURE_DEVICE)
    processes = {"hub": world.site.hub_process, "agent": world.agent(tools.FIXTURE_DEVICE).process}
    quiet = tools.Report()
    sizes = {name: [] for name in processes}
    for _ in range(WARM_UP + ROUNDS):
        malformed_http.run(quiet, "malformed-memory", url, malformed_http.FAST)
        malformed_stdio.run(quiet, "malformed-memory", world.mcp_command(tools.FIXTURE_DEVICE))
        for name, process in processes.items():
            sizes[name].append(harness.pss_kib(process.pid))
    for name, kib in sizes.items():
        def check_growth(name=name, kib=kib):
            growth = kib[-1] - kib[WARM_UP - 1]
            harness.check(growth <= GROWTH_KIB, f"{name} grew by {growth} KiB over {ROUNDS} rounds (allowed: {GROWTH_KIB}): {kib}")
        report.run(f"malformed-memory {name}", check_growth)
    return ", ".join(f"{name} {' '.join(str(k) for k in kib)} KiB" for name, kib in sizes.items())
