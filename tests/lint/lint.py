#!/usr/bin/env python3
"""Checks that the tree keeps its own rules. Prints one line per finding; exit 1 if there is any.

Layers        an include goes only downwards (table LAYERS)
C headers     C libraries appear only in src/wrap, system headers also in platform/
Sizes         a source stays under 400 lines, a function under 60 (listed as outliers, not failed, below 80)
Words         no unfinished-work words, no machine paths in tracked files
Pairs         each source in a pure folder has a test in the same place
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# folder prefix of the includer -> folders it may include ("base/x.hpp"); the most specific prefix wins.
BASE = ["base"]
MODEL = BASE + ["model"]
LAYERS = {
    "src/base": BASE,
    "src/model": MODEL,
    "src/wrap": MODEL + ["wrap"],
    "platform": MODEL + ["", "linux", "sim"],  # "" stands for the contract: headers directly in platform/
    "src/block": MODEL + ["wrap/msgpack", "block"],
    "src/link": MODEL + ["wrap/msgpack", "block", "link"],
    "src/context": MODEL + ["wrap/json", "wrap/msgpack", "context"],
    "src/mcp": MODEL + ["wrap/json", "wrap/tls", "mcp"],
    "src/net": MODEL + ["wrap/uv", "wrap/tls", "wrap/msgpack", "block", "link", "mcp", "net"],
    "src/agent/store": MODEL + ["wrap", "", "context", "block", "agent/store"],
    "src/agent/inputs": MODEL + ["wrap", "", "agent/inputs"],
    "src/agent/gateway": MODEL + ["wrap", "", "context", "mcp", "agent/store", "agent/inputs", "agent/gateway"],
    "src/agent": MODEL + ["wrap", "", "context", "block", "link", "mcp", "net", "agent"],
    "src/hub/store": MODEL + ["wrap", "", "context", "block", "link", "hub/store"],
    "src/hub/http": MODEL + ["wrap", "", "mcp", "net", "hub/http"],
    "src/hub/fleet": MODEL + ["wrap", "", "context", "block", "link", "mcp", "net", "hub/store", "hub/http", "hub/fleet"],
    "src/hub/context": MODEL + ["wrap", "", "context", "link", "hub/store", "hub/fleet", "hub/context"],
    "src/hub/mcp": MODEL + ["wrap", "", "context", "link", "mcp", "hub/store", "hub/http", "hub/fleet", "hub/context", "hub/mcp"],
    "src/hub": MODEL + ["wrap", "", "context", "block", "link", "mcp", "net", "hub"],
}
C_LIBRARIES = re.compile(r"^(uv\.h|msgpack|mbedtls/|psa/|openssl/|sqlite3\.h|cJSON|cjson/|toml\+\+|boost/|libpq|nats)")
SYSTEM = re.compile(r"^(sys/|linux/|netinet/|arpa/|net/if|unistd\.h|fcntl\.h|poll\.h|pthread\.h|dirent\.h|signal\.h|termios\.h|sched\.h|time\.h|netdb\.h|pwd\.h|grp\.h)")
UNFINISHED = re.compile(r"\b(FIXME|XXX|HACK)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(work|farm)/")
LINES_MOST = 400
FUNCTION_LISTED = 60
FUNCTION_MOST = 80

problems = []
notes = []


def report(path, line, text):
    problems.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def rules_for(path):
    name = str(path.relative_to(ROOT))
    return next(LAYERS[p] for p in sorted(LAYERS, key=len, reverse=True) if name.startswith(p + "/"))


def allowed(include, rules):
    if "/" not in include:
        return "" in rules
    return any(include.startswith(rule + "/") for rule in rules if rule)


def check_includes(path, text):
    name = str(path.relative_to(ROOT))
    rules = rules_for(path)
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        quote, include = match.groups()
        if quote == '"' and not allowed(include, rules):
            report(path, number, f'"{include}" is not below this folder')
        if quote == "<" and C_LIBRARIES.match(include) and not name.startswith("src/wrap/"):
            report(path, number, f"<{include}>: C libraries are included only in src/wrap")
        if quote == "<" and SYSTEM.match(include) and not name.startswith(("src/wrap/", "platform/")):
            report(path, number, f"<{include}>: system headers are included only in src/wrap and platform")


def check_sizes(path, text):
    lines = text.splitlines()
    if len(lines) > LINES_MOST:
        report(path, 1, f"{len(lines)} lines; one idea per file, at most {LINES_MOST}")
    start = None
    for number, line in enumerate(lines, 1):
        opens = re.match(r"^[A-Za-z~].*[^;]\{$|^  [A-Za-z~][^;=]*\) (const )?(override )?\{$", line)
        if opens and not re.match(r"^(namespace|class|struct|enum|union|extern|const|constexpr|static constexpr|inline constexpr)\b", line.strip()):
            start, indent = number, len(line) - len(line.lstrip())
        elif start and line == " " * indent + "}":
            length = number - start + 1
            if length > FUNCTION_MOST:
                report(path, start, f"function of {length} lines; at most {FUNCTION_LISTED}")
            elif length > FUNCTION_LISTED:
                notes.append(f"{path.relative_to(ROOT)}:{start}: function of {length} lines")
            start = None


def check_words(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if UNFINISHED.search(line) and path.name != "lint.py":
            report(path, number, "unfinished-work word; use TODO(area): what and when it matters, or do it now")
        if MACHINE_PATHS.search(line) and path.name != "lint.py":
            report(path, number, "path of one machine")


def main():
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    files = [ROOT / f for f in listed.stdout.decode().split("\0") if f]
    sources = 0
    for path in files:
        if not path.is_file() or path.suffix in {".bin", ".png", ".db"} or "corpus" in path.parts or "golden" in path.parts:
            continue
        text = path.read_text(errors="replace")
        check_words(path, text)
        name = str(path.relative_to(ROOT))
        if path.suffix in {".cpp", ".hpp"} and name.startswith(("src/", "platform/")):
            sources += 1
            check_includes(path, text)
            check_sizes(path, text)
    top = {f.relative_to(ROOT).parts[0] for f in files if f.exists()}
    extra = {t for t in top if not t.startswith(".")} - {"Makefile", "CMakeLists.txt", "README.md", "src", "platform", "toolchains", "tests"}
    for name in sorted(extra):
        problems.append(f"{name}: not one of the fixed top-level names")
    for line in notes:
        print("note:", line)
    for line in problems:
        print(line)
    print(f"lint: {sources} sources, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
