"""What OpenWrt and Yocto would read of us, as far as a machine without them can tell; the manual pages."""
import re
import shutil
import subprocess

from harness import ROOT, Site, check, run

OPENWRT = ROOT / "platform/openwrt"
RECIPE = ROOT / "platform/yocto/meta-tideline/recipes-tideline/tideline/tideline.bb"
VERSION = re.search(r"project\(tideline VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)

# Of OpenWrt's build system only what shows the variables that a package defines.
RULES = "INCLUDE_DIR:=$(TOPDIR)/include\nINSTALL_DIR:=install -d\nINSTALL_BIN:=install -m755\nINSTALL_CONF:=install -m600\nCP:=cp -a\n"
PACKAGE = """define BuildPackage
$(eval $(call Package/$(1)))
all::
\t@echo "package $(1) $(PKG_VERSION): $(TITLE)"
\t@echo "depends $(DEPENDS)"
prepare::
\t$(call Build/Prepare)
install::
\t$(call Package/$(1)/install,$(DESTDIR))
endef
"""
# procd's part of /etc/rc.common: says what it is asked for.
RC_COMMON = """initscript=$1
for each in open_instance set_param close_instance send_signal; do eval "procd_$each() { echo \\"$each \\$*\\"; }"; done
mkdir() { echo "mkdir $*"; }; chown() { echo "chown $*"; }; chmod() { echo "chmod $*"; }
. "$initscript"
$2
"""


def make(directory, package, target, **variables):
    (directory / "include").mkdir(exist_ok=True)
    (directory / "rules.mk").write_text(RULES)
    (directory / "include/package.mk").write_text(PACKAGE)
    (directory / "include/cmake.mk").write_text("")
    words = {"TOPDIR": directory, "PKG_BUILD_DIR": directory / "source", "PKG_INSTALL_DIR": directory / "built", **variables}
    code, out, error = run(["make", "-C", OPENWRT / package, "--no-print-directory", target, *(f"{k}={v}" for k, v in words.items())])
    check(code == 0 and not error, f"make {target} in platform/openwrt/{package}: {code}\n{out}{error}")
    return out


def test_openwrt_package_takes_the_tree_and_installs(build):
    with Site(build) as site:
        said = make(site.directory, "tideline", "all")
        check(f"package tideline {VERSION}: " in said and "+libuv" in said, f"said {said}")
        check("package tomlplusplus" in make(site.directory, "tomlplusplus", "all"), "tomlplusplus")
        (site.directory / "source").mkdir()
        make(site.directory, "tideline", "prepare")
        check((site.directory / "source/CMakeLists.txt").is_file() and (site.directory / "source/src/agent/main.cpp").is_file(), "the tree was not taken")
        (site.directory / "built/usr/bin").mkdir(parents=True)
        shutil.copy(site.build / "tideline", site.directory / "built/usr/bin")
        device = site.directory / "device"
        make(site.directory, "tideline", "install", DESTDIR=device)
        files = sorted(str(f.relative_to(device)) for f in device.rglob("*") if f.is_file())
        check(files == ["etc/init.d/tideline", "etc/tideline/agent.toml", "usr/bin/tideline"], f"installed {files}")
        code, out, error = run([device / "usr/bin/tideline", "run", "--check", "--config", device / "etc/tideline/agent.toml"])
        check(code == 0, f"the configuration is not sound: {out}{error}")


def test_openwrt_init_asks_procd_for_the_right_things(build):
    init = OPENWRT / "tideline/files/tideline.init"
    with Site(build) as site:
        common = site.directory / "rc.common"
        common.write_text(RC_COMMON)

        def ask(action):
            code, out, error = run(["sh", "-eu", common, init, action])
            check(code == 0 and not error, f"{action}: {code} {error}")
            return out
        said = ask("start_service")
        for wanted in ("set_param command /usr/bin/tideline run --config /etc/tideline/agent.toml", "set_param user tideline", "set_param respawn 3600 2 0",
                       "chown tideline:tideline /srv/tideline"):
            check(wanted in said, f"missing '{wanted}' in:\n{said}")
        check(ask("reload_service") == "send_signal tideline * HUP\n", "reload is a signal, not a restart")
        if shutil.which("shellcheck"):
            said = subprocess.run(["shellcheck", "-s", "dash", init], capture_output=True, text=True, check=False)
            check(said.returncode == 0, said.stdout)
        else:
            print("        not run: shellcheck is not here")


def test_yocto_recipe_fits_the_tree(build):
    text = RECIPE.read_text()
    check(f'PV = "{VERSION}"' in text, f"the recipe is not for {VERSION}")
    folder = re.search(r"THISDIR'\) \+ '([^']+)'", text).group(1)
    check((RECIPE.parent / folder.lstrip("/")).resolve() == ROOT, "EXTERNALSRC is not the tree")
    cmake = "".join(p.read_text() for p in (ROOT / "CMakeLists.txt", ROOT / "platform/debian/package.cmake"))
    for name in re.findall(r"-D(TIDELINE_\w+)=", text):
        check(name in cmake, f"{name} is not an option of the build")


def test_manual_pages_name_every_command(build):
    with Site(build) as site:
        for name in ("tideline", "tideline-hub"):
            _, said, _ = run([site.build / name, "--help"])
            commands = re.findall(r"^  (\w+(?: \w+)?)  +\S", said[said.index("commands:"):], re.M)
            page = (ROOT / f"platform/debian/{name}.1").read_text().replace("\\-", "-")
            missing = [c for c in commands if not re.search(rf"(?m)^\.B.*\b{c}\b", page)]
            check(len(commands) > 8 and not missing, f"{name}.1 does not name {missing} of {commands}")
