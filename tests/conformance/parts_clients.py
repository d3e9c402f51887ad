"""Third-party clients against us: the TypeScript SDKs in all their modes, and the Inspector's command line."""
import json

import harness
import tools

# (client, mode): the SDK 1.x knows only the legacy revisions.
CLIENTS = [("sdk1", "legacy"), ("sdk2", "legacy"), ("sdk2", "auto"), ("sdk2", "pin")]


def run_matrix(report, part, directory, profile, target, clients=CLIENTS):
    counts = []
    for client, mode in clients:
        command = ["node", tools.PACKAGES / "clients" / "matrix.mjs", "--client", client, "--mode", mode, "--profile", profile, *target]
        code, out, error = tools.run_program(command, directory, 240)
        name = f"{part} {client} {mode}"
        passed = failed = 0
        for line in out.splitlines():
            word, _, rest = line.partition(" ")
            if word == "ok":
                passed += 1
                report.ok(f"{name} {rest}")
            elif word == "n/a":
                report.not_applicable(f"{name} {rest.split(':')[0]}", rest.partition(": ")[2])
            elif word == "FAIL":
                failed += 1
                report.fail(f"{name} {rest.split(':')[0]}", rest.partition(": ")[2])
        if (code != 0) != (failed > 0) or passed + failed == 0:
            report.fail(name, f"the client ended with code {code}: {error[-600:]}")
        counts.append(f"{client} {mode} {passed}/{passed + failed}")
    return ", ".join(counts)


def sdk_fixture(world, report):
    """The fixture alone: a self-test of the checks."""
    return run_matrix(report, "sdk-fixture", tools.PACKAGES, "fixture", ["--", world.fixture])


def sdk_stdio(world, report):
    return run_matrix(report, "sdk-stdio", world.directory, "fixture", ["--", *world.mcp_command(tools.FIXTURE_DEVICE)])


def sdk_device(world, report):
    return run_matrix(report, "sdk-device", world.directory, "fixture", ["--url", world.url(tools.FIXTURE_DEVICE)])


def sdk_fleet(world, report):
    return run_matrix(report, "sdk-fleet", world.directory, "fleet", ["--device", tools.FIXTURE_DEVICE, "--url", world.url()])


def inspector(world, report, part, target, calls):
    """`calls`: (name, words, text that the answer must hold). Each with both eras."""
    passed = 0
    for era, revision in (("legacy", "2025-11-25"), ("auto", "2026-07-28"), ("modern", "2026-07-28")):
        def run(words, code=0, era=era):
            command = [tools.MODULES / ".bin" / "mcp-inspector", "--cli", *target, "--protocol-era", era, "--format", "json", "-q", *words]
            got, out, error = tools.run_program(command, world.directory, 60)
            harness.check(got == code, f"exit code {got} instead of {code}: {error[-500:]}")
            return out, error

        def initialize():
            out, _ = run(["--method", "initialize"])
            harness.check(revision in out, f"expected revision {revision} in {out[:500]}")

        def strict():
            out, error = run(["--method", "tools/list", "--strict"])
            harness.check("Warning" not in error, f"--strict warns: {error[:600]}")
            harness.check(json.loads(out), "an empty list")

        def other(words, wanted):
            out, _ = run(words)
            harness.check(wanted in out, f"expected '{wanted}' in {out[:500]}")

        passed += report.run(f"{part} {era} initialize", initialize)
        passed += report.run(f"{part} {era} tools/list --strict", strict)
        for name, words, wanted in calls:
            passed += report.run(f"{part} {era} {name}", lambda words=words, wanted=wanted: other(words, wanted))
        passed += report.run(f"{part} {era} unknown tool", lambda: run(["--method", "tools/call", "--tool-name", "no_such_tool"], code=5))
    return f"{passed} checks"


FIXTURE_CALLS = [
    ("tools/call", ["--method", "tools/call", "--tool-name", "test_add", "--tool-arg", "a=40", "--tool-arg", "b=2"], "42"),
    ("resources/list", ["--method", "resources/list"], "test://static-text"),
    ("resources/templates/list", ["--method", "resources/templates/list"], "test://template/{id}/data"),
    ("resources/read", ["--method", "resources/read", "--uri", "test://static-text"], "static text resource"),
    ("prompts/list", ["--method", "prompts/list"], "test_simple_prompt"),
    ("prompts/get", ["--method", "prompts/get", "--prompt-name", "test_prompt_with_arguments", "--prompt-args", "arg1=x", "arg2=y"], "arg1='x'"),
]


def inspector_stdio(world, report):
    # What starts with two dashes would be the Inspector's own, so the command goes into a script.
    script = world.directory / "tideline-mcp"
    words = " ".join(f"'{w}'" for w in world.mcp_command(tools.FIXTURE_DEVICE))
    script.write_text(f"#!/bin/sh\nexec {words}\n")
    script.chmod(0o755)
    return inspector(world, report, "inspector-stdio", [script], FIXTURE_CALLS)


def inspector_device(world, report):
    return inspector(world, report, "inspector-device", [world.url(tools.FIXTURE_DEVICE), "--transport", "http"], FIXTURE_CALLS)


def inspector_fleet(world, report):
    calls = [
        ("list_devices", ["--method", "tools/call", "--tool-name", "list_devices"], tools.FIXTURE_DEVICE),
        ("tool of a device", ["--method", "tools/call", "--tool-name", "test_add", "--tool-arg", f"device={tools.FIXTURE_DEVICE}",
                              "--tool-arg", "a=40", "--tool-arg", "b=2"], "42"),
    ]
    return inspector(world, report, "inspector-fleet", [world.url(), "--transport", "http"], calls)
