"""NATS: JetStream at a leaf node, file storage, and a stream at the hub that sources it over a leaf connection with TLS. Published messages are
acknowledged from the page cache; JetStream syncs each two minutes.
"""
import json
import pathlib
import subprocess
import tempfile
import time
import urllib.request

from peer import Watch, built, certificates, cpu_seconds, free_port, json_lines, missing, rows, sent_bytes, started, wait_port

LEAF = """
listen: 127.0.0.1:{port}
server_name: leaf
jetstream {{ store_dir: "{store}", domain: leaf, max_file_store: 8GB }}
leafnodes {{ reconnect: 1, remotes: [ {{ url: "tls://localhost:{hub}", tls {{ ca_file: "{ca}" }} }} ] }}
"""
HUB = """
listen: 127.0.0.1:{plain}
http: 127.0.0.1:{monitor}
server_name: hub
jetstream {{ store_dir: "{store}", domain: hub, max_file_store: 8GB }}
leafnodes {{ listen: 127.0.0.1:{hub}, tls {{ cert_file: "{crt}", key_file: "{key}" }} }}
"""
WINDOW = 4000


def messages(monitor):
    with urllib.request.urlopen(f"http://127.0.0.1:{monitor}/jsz?streams=1", timeout=5) as answer:
        details = json.load(answer).get("account_details") or []
    return sum(s["state"]["messages"] for account in details for s in account.get("stream_detail") or [])


def once(context, program, lines, count, got):
    directory = pathlib.Path(tempfile.mkdtemp(dir=context.directory))
    pem = certificates(directory)
    port, hub_port, plain, monitor = free_port(), free_port(), free_port(), free_port()
    (directory / "lines").write_bytes(lines)
    (directory / "leaf.conf").write_text(LEAF.format(port=port, hub=hub_port, ca=pem["ca.crt"], store=directory / "leaf-store"))
    (directory / "hub.conf").write_text(HUB.format(plain=plain, hub=hub_port, monitor=monitor, crt=pem["own.crt"], key=pem["own.key"], store=directory / "hub-store"))
    hub = ("nats-server", "-c", directory / "hub.conf")
    with started("nats-server", "-c", directory / "leaf.conf", directory=directory, name="leaf") as leaf:
        wait_port(port)
        with started(*hub, directory=directory, name="hub"):  # once, so that its stream knows its source
            wait_port(plain)
            time.sleep(2.5)
            subprocess.run([program, "setup", str(port), str(plain)], check=True, capture_output=True, timeout=30)
            time.sleep(1)
        watch, cpu = Watch(leaf.pid), cpu_seconds(leaf.pid)
        done = subprocess.run([program, "publish", str(port), str(directory / "lines"), str(WINDOW)], capture_output=True, text=True, timeout=300, check=True)
        got["ingest"].append(count / float(done.stdout))
        got["ingest_cpu"].append((cpu_seconds(leaf.pid) - cpu) / count * 1e6)
        watch.look()
        got["pss"].append(watch.peak[0])
        cpu = cpu_seconds(leaf.pid)
        with started(*hub, directory=directory, name="hub") as central:
            wait_port(monitor)
            deadline, first = time.monotonic() + 60 + count / 10_000, None
            while time.monotonic() < deadline:
                held = messages(monitor)
                if held and first is None:
                    first, held_first = time.monotonic(), held
                if held >= count:
                    break
                time.sleep(0.05)
            else:
                raise RuntimeError(f"only {held:,} of {count:,} messages at the hub")
            got["drain"].append((count - held_first) / max(0.05, time.monotonic() - first))
            got["wire"].append(sent_bytes(hub_port) / count)
            got["drain_cpu"].append((cpu_seconds(leaf.pid) - cpu) / count * 1e6)
            got["hub_cpu"].append(cpu_seconds(central.pid) / count * 1e6)


def run(context):
    if not context.wants("peer_nats"):
        return []
    if gone := missing("nats-server", "openssl"):
        raise RuntimeError(gone)
    program = built(pathlib.Path(__file__).resolve().parents[1] / "peers" / "nats_peer.cpp", "nats")
    count = context.size(500_000, 100_000)
    lines = json_lines(count)
    got = {key: [] for key in ("ingest", "ingest_cpu", "pss", "drain", "wire", "drain_cpu", "hub_cpu")}
    for _ in range(context.repeats):
        once(context, program, lines, count, got)
        context.log(f"nats: ingest {got['ingest'][-1] / 1e3:.0f} k/s, drain {got['drain'][-1] / 1e3:.0f} k/s")
    return rows("NATS, leaf and JetStream", "page cache", got, f"{count / 1e6:g} M readings, one a message, {WINDOW} under way")
