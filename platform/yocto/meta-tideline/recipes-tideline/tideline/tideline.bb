SUMMARY = "Edge agent: buffers readings of sensors and syncs them to a hub"
DESCRIPTION = "Samples the sensors of its device, takes readings from other programs, keeps them on disk through every outage, syncs them to a hub over TLS, and serves its tools to AI applications by the Model Context Protocol."
SECTION = "net"
# The terms are those of the repository; it has no licence file of its own to check.
LICENSE = "CLOSED"
PV = "0.1.0"

DEPENDS = "libuv msgpack-c sqlite3 mbedtls cjson tomlplusplus"

# The tree that this layer lies in.
inherit externalsrc cmake systemd useradd
EXTERNALSRC = "${@os.path.abspath(d.getVar('THISDIR') + '/../../../../..')}"
EXTERNALSRC_BUILD = "${WORKDIR}/build"

EXTRA_OECMAKE = " \
    -DCMAKE_BUILD_TYPE=MinSizeRel \
    -DTIDELINE_TESTS=OFF \
    -DTIDELINE_HUB=OFF \
    -DTIDELINE_UNIT_DIR=${systemd_system_unitdir} \
"

SYSTEMD_SERVICE:${PN} = "tideline.service"

USERADD_PACKAGES = "${PN}"
USERADD_PARAM:${PN} = "--system --user-group --home-dir ${localstatedir}/lib/tideline --no-create-home --shell /sbin/nologin tideline"

# It may hold secrets of child servers. The state directory is systemd's to make (StateDirectory=).
do_install:append() {
    chown root:tideline ${D}${sysconfdir}/tideline/agent.toml
    chmod 0640 ${D}${sysconfdir}/tideline/agent.toml
}

CONFFILES:${PN} = "${sysconfdir}/tideline/agent.toml"
