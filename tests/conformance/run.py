#!/usr/bin/env python3
"""Runs the conformance tests: the official suite, third-party clients and servers, and malformed traffic, against real processes.

usage: run.py [--build build/release] [--only PART,...] [--list] [--verbose]
"""
import argparse
import sys
import time
import traceback

import tools  # first: it knows where the harness is
import harness
import malformed
import parts_children
import parts_clients
import parts_suite

PARTS = {
    "sdk-fixture": parts_clients.sdk_fixture,
    "sdk-stdio": parts_clients.sdk_stdio,
    "sdk-device": parts_clients.sdk_device,
    "sdk-fleet": parts_clients.sdk_fleet,
    "inspector-stdio": parts_clients.inspector_stdio,
    "inspector-device": parts_clients.inspector_device,
    "inspector-fleet": parts_clients.inspector_fleet,
    "suite-2026-07-28": parts_suite.modern,
    "suite-2025-11-25": parts_suite.legacy,
    "suite-older": parts_suite.older,
    "children-stdio": parts_children.stdio,
    "children-device": parts_children.device,
    "children-kill": parts_children.kill,
    "children-stop": parts_children.stop,
    "malformed-stdio": malformed.stdio,
    "malformed-http": malformed.http,
    "malformed-memory": malformed.memory,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--only", default="", help="names of parts, or their beginnings, separated by commas")
    parser.add_argument("--list", action="store_true", help="names of the parts")
    parser.add_argument("--verbose", action="store_true", help="also what went well or does not apply")
    options = parser.parse_args()
    if options.list:
        print("\n".join(PARTS))
        return 0
    wanted = [w for w in options.only.split(",") if w]
    chosen = [name for name in PARTS if not wanted or any(name.startswith(w) for w in wanted)]
    if not chosen:
        parser.error(f"no part is called {options.only}; --list shows them")
    tools.prepare_packages()
    report = tools.Report(options.verbose)
    world = tools.World(options.build)
    try:
        for name in chosen:
            start = time.monotonic()
            before = report.failed
            try:
                summary = PARTS[name](world, report) or ""
            except Exception as error:  # noqa: BLE001: a part may fail in any way
                report.fail(name, error)
                summary = ""
                if not isinstance(error, harness.Failure):
                    traceback.print_exc()
            result = "ok" if report.failed == before else "FAILED"
            print(f"== {name}: {result}{', ' + summary if summary else ''}, {time.monotonic() - start:.1f} s", flush=True)
    finally:
        world.close(report.failed > 0)
    left_out = len(PARTS) - len(chosen)
    print(f"conformance: {report.passed} passed, {report.failed} failed, {report.inapplicable} not applicable"
          + (f", {left_out} parts left out by --only" if left_out else ""))
    return 1 if report.failed or not report.passed else 0


if __name__ == "__main__":
    sys.exit(main())
