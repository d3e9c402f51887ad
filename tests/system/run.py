#!/usr/bin/env python3
"""Runs the system tests: every function named test_* in tests/system/test_*.py, one after the other, against real processes.

usage: run.py --build build/release [NAME...]     NAME picks tests whose name contains it
"""
import argparse
import importlib.util
import pathlib
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def load_tests():
    for path in sorted(HERE.glob("test_*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, function in list(vars(module).items()):
            if name.startswith("test_") and callable(function):
                yield f"{path.stem}.{name}", function


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/release")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    passed = failed = 0
    for name, function in load_tests():
        if options.names and not any(wanted in name for wanted in options.names):
            continue
        start = time.monotonic()
        try:
            function(options.build)
            passed += 1
            print(f"ok      {name}  {time.monotonic() - start:.1f} s", flush=True)
        except Exception as error:  # noqa: BLE001: a test may fail in any way
            failed += 1
            print(f"FAILED  {name}  {time.monotonic() - start:.1f} s: {error}", flush=True)
            if error.__class__.__name__ != "Failure":
                traceback.print_exc()
    print(f"system tests: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
