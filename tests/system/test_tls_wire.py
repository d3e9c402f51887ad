"""TLS as it is on the wire, read from the bytes of a relay between agent and hub: not what either end says of itself alone.

A device with mbedTLS 3.6 (Debian trixie) speaks TLS 1.3, one with 2.28 (bookworm) TLS 1.2 by ECDHE and an AEAD suite; nothing less is taken.
Where OpenSSL serves at the hub, programs that have TLS 1.3 get it on either release.
"""
import ctypes
import re
import ssl
import socket

from harness import Failure, Link, Producer, Site, check, run, wait_until

HANDSHAKE, SERVER_HELLO, SUPPORTED_VERSIONS = 22, 2, 43
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")  # the random of a HelloRetryRequest
TLS_1_2, TLS_1_3 = 0x0303, 0x0304
SUITES = {
    TLS_1_2: {0xC02B: "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256", 0xC02C: "TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384",
              0xC02F: "TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256", 0xC030: "TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384",
              0xCCA8: "TLS-ECDHE-RSA-WITH-CHACHA20-POLY1305-SHA256", 0xCCA9: "TLS-ECDHE-ECDSA-WITH-CHACHA20-POLY1305-SHA256"},
    TLS_1_3: {0x1301: "TLS1-3-AES-128-GCM-SHA256", 0x1302: "TLS1-3-AES-256-GCM-SHA384", 0x1303: "TLS1-3-CHACHA20-POLY1305-SHA256"},
}
NAMES = {TLS_1_2: "TLSv1.2", TLS_1_3: "TLSv1.3"}


class Tap(Link):
    """A relay that keeps the beginning of what the hub says on each connection."""

    def __init__(self, target):
        self.heard = {}
        super().__init__(target)

    def seen(self, one, data):
        if one.getpeername()[1] == self.target[1]:
            kept = self.heard.setdefault(one, bytearray())  # kept open to Python, so that no later connection is taken for it
            if len(kept) < 65536:
                kept += data

    def hellos(self):
        return [hello for kept in list(self.heard.values()) for hello in server_hellos(bytes(kept))]


def server_hellos(data):
    """(version, suite) of each ServerHello in the plain handshake records at the start of one direction of a connection."""
    messages, at = b"", 0
    while at + 5 <= len(data) and data[at] == HANDSHAKE:
        size = int.from_bytes(data[at + 3:at + 5], "big")
        messages += data[at + 5:at + 5 + size]
        at += 5 + size
    found, at = [], 0
    while at + 4 <= len(messages):
        size = int.from_bytes(messages[at + 1:at + 4], "big")
        if messages[at] == SERVER_HELLO:
            body = messages[at + 4:at + 4 + size]
            if body[2:34] != RETRY:
                found.append(version_and_suite(body))
        at += 4 + size
        if found:
            break  # what follows may be encrypted
    return found


def version_and_suite(body):
    after = 35 + body[34]  # version, random, session id
    suite = int.from_bytes(body[after:after + 2], "big")
    version = int.from_bytes(body[0:2], "big")
    at = after + 5
    while at + 4 <= len(body):
        kind, size = int.from_bytes(body[at:at + 2], "big"), int.from_bytes(body[at + 2:at + 4], "big")
        if kind == SUPPORTED_VERSIONS:
            version = int.from_bytes(body[at + 4:at + 6], "big")
        at += 4 + size
    return version, suite


def library_version(program):
    """(major, minor) of the mbedTLS that the program is linked with."""
    _, out, _ = run(["ldd", program])
    match = re.search(r"libmbedcrypto\S* => (\S+)", out)
    if match is None:
        raise Failure(f"{program} has no shared mbedTLS; this test is for the distribution's own: {out}")
    number = ctypes.CDLL(match.group(1)).mbedtls_version_get_number()
    return number >> 24, number >> 16 & 0xFF


def test_what_is_negotiated_is_on_the_wire(build):
    with Site(build) as site:
        library = library_version(site.build / "tideline")
        expected = TLS_1_3 if library >= (3, 6) else TLS_1_2
        site.init_hub()
        site.start_hub()
        tap = Tap(("127.0.0.1", site.hub_port))
        site.links.append(tap)
        own_port, site.hub_port = site.hub_port, tap.port
        agent = site.agent("board", port=tap.port)  # enrols through the relay too
        site.hub_port = own_port
        check(tap.hellos(), "the enrolment went through the relay")
        agent.start()
        producer = Producer(agent)
        for wanted in ("full", "resumed"):  # the second connection resumes the session of the first
            check(producer.send(100) == 100, "100 readings were acknowledged")
            agent.wait_synced()
            says = wait_until(lambda: agent.status()["link"]["protection"], 10, "the agent to say how it is protected")
            check(says.endswith(", resumed") == (wanted == "resumed"), f"a {wanted} handshake was expected, the agent says {says}")
            if wanted == "full":
                tap.reset()
        agent.stop()
        hub_says = re.findall(r"device 'board' is online: [^,]+, (TLSv[\d.]+, [A-Z0-9-]+)", site.hub_process.text())
        hellos = tap.hellos()
        check(len(hellos) >= 3, f"a ServerHello for the enrolment and each connection: {hellos}")
        for version, suite in hellos:
            check(version == expected, f"mbedTLS {library}: {version:#06x} on the wire, expected {expected:#06x}")
            check(suite in SUITES[version], f"suite {suite:#06x} of {NAMES[version]} is not among those allowed")
        version, suite = hellos[-1]
        name = f"{NAMES[version]}, {SUITES[version][suite]}"
        check(says.startswith(name), f"the agent says '{says}', the wire {name}")
        check(hub_says and hub_says[-1] == name, f"the hub says {hub_says}, the wire {name}")
        print(f"        mbedTLS {library[0]}.{library[1]}: {len(hellos)} of {len(hellos)} handshakes on the wire are {name}; the last: {says}")


def serves_by_openssl(site):
    _, out, _ = run(["ldd", site.build / "tideline-hub"])
    return "libssl" in out


def attempt(site, change):
    """Whether a client with what `change` makes of its context gets a TLS connection to the hub."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1
    change(context)
    with socket.create_connection(("127.0.0.1", site.hub_port), timeout=10) as plain:
        try:
            with context.wrap_socket(plain) as secured:
                return secured.version()
        except (ssl.SSLError, ConnectionError):
            return None


def only(version, ciphers=None):
    def change(context):
        context.maximum_version = version
        context.minimum_version = version
        context.set_ciphers((ciphers or "ALL") + ":@SECLEVEL=0")  # the client itself would take anything
    return change


def test_the_hub_takes_nothing_older_or_weaker(build):
    with Site(build) as site:
        site.init_hub()
        site.start_hub()
        check(attempt(site, only(ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-GCM-SHA256")) == "TLSv1.2", "TLS 1.2 with ECDHE and AEAD is taken")
        refused = {"TLS 1.0": only(ssl.TLSVersion.TLSv1), "TLS 1.1": only(ssl.TLSVersion.TLSv1_1),
                   "a suite without AEAD": only(ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA256"),
                   "a suite without forward secrecy": only(ssl.TLSVersion.TLSv1_2, "AES128-GCM-SHA256")}
        for what, change in refused.items():
            got = attempt(site, change)
            check(got is None, f"{what}: refused, but got {got}")


def test_a_program_with_tls_1_3_gets_it_and_resumes_across_a_restart_of_the_hub(build):
    with Site(build) as site:
        site.init_hub()
        site.start_hub()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE

        def ask(session):
            with socket.create_connection(("127.0.0.1", site.hub_port), timeout=10) as plain, context.wrap_socket(plain, session=session) as secured:
                secured.sendall(b"GET /health HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n")
                answer = b""
                while part := secured.recv(65536):
                    answer += part
                check(answer.startswith(b"HTTP/1.1 "), f"an answer of HTTP came: {answer[:80]}")
                return secured.version(), secured.session_reused, secured.session

        expected = "TLSv1.3" if serves_by_openssl(site) or library_version(site.build / "tideline") >= (3, 6) else "TLSv1.2"
        version, reused, session = ask(None)
        check((version, reused) == (expected, False), f"a full handshake with {expected}: {version}, {reused}")
        version, reused, session = ask(session)
        check((version, reused) == (expected, True), f"resumed with {expected}: {version}, {reused}")
        site.stop_hub()
        site.start_hub()
        version, reused, _ = ask(session)
        check((version, reused) == (expected, True), f"the restarted hub opens its old tickets: {version}, {reused}")
