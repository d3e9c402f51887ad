"""What `make cross` says when it cannot go on: a clear line and exit code 2. Nothing is built here."""
import os
import pathlib
import re
import shutil
import tempfile

from harness import ROOT, check, run

BOARD = "aarch64-linux-gnu"


def refused(command, words, env=None, seconds=60):
    code, out, error = run(command, seconds, env=env)
    check(code != 0, f"{command}: exit code 0 where it must fail")
    for word in words:
        check(word in out + error, f"{command}: '{word}' is not in what it says:\n{out}{error}")
    return code


def refused_with_two(command, words, env=None, seconds=60):
    code = refused(command, words, env, seconds)
    check(code == 2, f"{command}: exit code {code}, expected 2")


def test_a_wrong_target_is_answered_with_those_known(build):
    refused_with_two([ROOT / "toolchains/cross"], ["make cross A=TRIPLET", BOARD, "riscv64-linux-gnu"])
    refused_with_two([ROOT / "toolchains/cross", "mips-linux-gnu"], ["no such target: 'mips-linux-gnu'", BOARD, "toolchains/README.md"])
    refused_with_two([ROOT / "toolchains/sysroot", "mips-linux-gnu"], ["no such target: 'mips-linux-gnu'", BOARD])


def test_a_missing_compiler_is_named_with_its_package(build):
    with tempfile.TemporaryDirectory() as directory:
        # All commands of this machine but the package manager and cross compilers.
        for folder in ("/usr/bin", "/bin"):
            for tool in pathlib.Path(folder).iterdir():
                link = pathlib.Path(directory) / tool.name
                if tool.name != "apt-get" and not re.search(r"-linux-.*-g(cc|\+\+)", tool.name) and not link.is_symlink():
                    link.symlink_to(tool)
        env = dict(os.environ, PATH=directory)
        refused_with_two([ROOT / "toolchains/cross", BOARD], [f"{BOARD}-g++ is not on the PATH", f"apt-get install g++-{BOARD}"], env)
        by_hand = ["cmake", "-S", ROOT, "-B", f"{directory}/build", "-G", "Ninja", "--toolchain", ROOT / f"toolchains/{BOARD}.cmake"]
        refused(by_hand, [f"{BOARD}-g++ is not on the PATH", f"apt-get install g++-{BOARD}"], env)


def test_a_missing_library_is_named_with_its_package(build):
    with tempfile.TemporaryDirectory() as directory:
        # No distribution has an archive of cJSON; only `toolchains/sysroot` makes one.
        refused(["cmake", "-S", ROOT, "-B", f"{directory}/native", "-G", "Ninja", "-DTIDELINE_LINK=static"],
                ["libraries not found", "cjson: header cJSON.h", "Debian: libcjson-dev", "make packages"], seconds=120)


def test_a_library_missing_in_a_boards_tree_is_named(build):
    tree = ROOT / "build/sysroot" / BOARD
    if not tree.is_dir() or not shutil.which(f"{BOARD}-g++"):
        print(f"        not run: no tree of {BOARD} here (make cross A={BOARD})")
        return
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as directory:
        copy = pathlib.Path(directory) / "tree"
        run(["cp", "-al", tree, copy])
        for library in (copy / f"usr/lib/{BOARD}").glob("libmbedtls.*"):
            library.unlink()
        refused(["cmake", "-S", ROOT, "-B", f"{directory}/build", "-G", "Ninja", "--toolchain", ROOT / f"toolchains/{BOARD}.cmake",
                 f"-DTIDELINE_SYSROOT={copy}", "-DTIDELINE_LINK=archives"],
                ["libraries not found", "mbedtls: header mbedtls/ssl.h", "Debian: libmbedtls-dev", "toolchains/sysroot TRIPLET", str(copy)], seconds=120)
        refused(["cmake", "-S", ROOT, "-B", f"{directory}/other", "-G", "Ninja", "--toolchain", ROOT / f"toolchains/{BOARD}.cmake",
                 f"-DTIDELINE_SYSROOT={directory}/none"], ["no usr/include in it", f"toolchains/sysroot {BOARD}"], seconds=120)


def test_an_unreachable_archive_is_said(build):
    if not shutil.which("mmdebstrap") or not shutil.which(f"{BOARD}-gcc"):
        print("        not run: mmdebstrap or the cross compiler is not installed here")
        return
    with tempfile.TemporaryDirectory() as directory:
        env = dict(os.environ, MIRROR="http://127.0.0.1:9/debian")  # nobody listens on the port for discarding
        refused_with_two([ROOT / "toolchains/sysroot", BOARD, f"{directory}/tree"], ["could not get the packages", f"{directory}/tree.log"], env, 240)
        check(not pathlib.Path(f"{directory}/tree").exists(), "no half-made tree is left in its place")
