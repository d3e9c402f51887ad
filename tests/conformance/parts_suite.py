"""The official conformance suite, run against the hub's endpoint of one device whose only child is the fixture."""
import json
import re

import harness
import tools


def results(directory):
    """Scenario -> list of its checks, from what the suite wrote."""
    found = {}
    for path in sorted(directory.glob("**/checks.json")):
        name = re.sub(r"^server-|-\d{4}-\d\d-\d\dT.*$", "", path.parent.name)
        found.setdefault(name, []).extend(json.loads(path.read_text()))
    return found


def run(world, report, revision, least, choice=("--requirements",)):
    """`least`: so many scenarios there are, whatever else changes."""
    url = world.url(tools.FIXTURE_DEVICE)
    output = world.directory / f"suite-{revision}"
    command = [tools.MODULES / ".bin" / "conformance", "server", "--url", url, *choice, revision, "-o", output]
    code, out, error = tools.run_program(command, world.directory, 420)
    scenarios = results(output)
    passed = failed = 0
    for name, checks in scenarios.items():
        bad = [c for c in checks if c["status"] == "FAILURE"]
        passed += sum(c["status"] == "SUCCESS" for c in checks)
        failed += len(bad)
        if bad:
            report.fail(f"suite {revision} {name}", "; ".join(f"{c['id']}: {c.get('errorMessage', '')}" for c in bad)[:1500])
        elif any(c["status"] == "SUCCESS" for c in checks):
            report.ok(f"suite {revision} {name}")
        else:
            report.not_applicable(f"suite {revision} {name}", "; ".join(f"{c['id']} {c['status'].lower()}" for c in checks) or "no check was made")
        for c in checks:  # what the suite itself left out, or only advises
            if c["status"] in ("SKIPPED", "WARNING"):
                report.not_applicable(f"suite {revision} {name} {c['id']}", f"{c['status'].lower()}: {c.get('errorMessage') or c.get('details')}")
    if code != 0:
        report.fail(f"suite {revision}", f"exit code {code}\n{out[-2500:]}{error[-1000:]}")
    harness.check(len(scenarios) >= least, f"{len(scenarios)} scenarios were run, expected {least} or more\n{out[-1500:]}")
    return f"exit code {code}, {len(scenarios)} scenarios, {passed} checks passed, {failed} failed"


def modern(world, report):
    return run(world, report, "2026-07-28", 37)


def legacy(world, report):
    return run(world, report, "2025-11-25", 30)


def older(world, report):
    """No requirements were frozen for these two: all scenarios that apply to them."""
    choice = ("--suite", "all", "--spec-version")
    return "; ".join(run(world, report, revision, least, choice) for revision, least in (("2025-06-18", 25), ("2025-03-26", 1)))
