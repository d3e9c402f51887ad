"""mosquitto: publishers with QoS 1 into a broker whose bridge (QoS 1, TLS) carries everything to a second broker, where a lasting subscriber
writes a file. With its default persistence the broker keeps messages in memory and writes its database when it ends or each half hour.
"""
import pathlib
import subprocess
import tempfile

from peer import Watch, built, certificates, cpu_seconds, free_port, grown, json_lines, missing, rows, sent_bytes, started, wait_port

EDGE = """
user root
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {store}/
max_queued_messages 0
max_inflight_messages 1000
connection up
address localhost:{hub}
topic readings out 1
cleansession false
start_type automatic
restart_timeout 1
bridge_cafile {ca}
bridge_protocol_version mqttv311
try_private false
"""
HUB = """
user root
listener {hub} 127.0.0.1
cafile {ca}
certfile {crt}
keyfile {key}
allow_anonymous true
listener {plain} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {store}/
max_queued_messages 0
max_inflight_messages 1000
"""
WINDOW = 1000


def once(context, program, lines, count, got):
    directory = pathlib.Path(tempfile.mkdtemp(dir=context.directory))
    for name in ("edge-store", "hub-store"):
        (directory / name).mkdir()
    pem = certificates(directory)
    port, hub_port, plain, out = free_port(), free_port(), free_port(), directory / "out.txt"
    (directory / "lines").write_bytes(lines)
    (directory / "edge.conf").write_text(EDGE.format(port=port, hub=hub_port, ca=pem["ca.crt"], store=directory / "edge-store"))
    (directory / "hub.conf").write_text(HUB.format(hub=hub_port, plain=plain, ca=pem["ca.crt"], crt=pem["own.crt"], key=pem["own.key"], store=directory / "hub-store"))
    with started("mosquitto", "-c", directory / "edge.conf", directory=directory, name="edge") as edge:
        wait_port(port)
        cpu = cpu_seconds(edge.pid)
        done = subprocess.run([program, "publish", str(port), str(directory / "lines"), str(WINDOW)], capture_output=True, text=True, timeout=300, check=True)
        got["ingest"].append(count / float(done.stdout))
        got["ingest_cpu"].append((cpu_seconds(edge.pid) - cpu) / count * 1e6)
        watch = Watch(edge.pid)
        watch.look()
        got["pss"].append(watch.peak[0])
        cpu = cpu_seconds(edge.pid)
        with started("mosquitto", "-c", directory / "hub.conf", directory=directory, name="hub") as hub:
            wait_port(plain)
            with started(program, "subscribe", plain, out, count, directory=directory, name="subscriber"):
                got["drain"].append(count / grown(out, count - 1, 60 + count / 5_000))
            got["wire"].append(sent_bytes(hub_port) / count)
            got["drain_cpu"].append((cpu_seconds(edge.pid) - cpu) / count * 1e6)
            got["hub_cpu"].append(cpu_seconds(hub.pid) / count * 1e6)


def run(context):
    if not context.wants("peer_mosquitto"):
        return []
    if gone := missing("mosquitto", "openssl"):
        raise RuntimeError(gone)
    program = built(pathlib.Path(__file__).resolve().parents[1] / "peers" / "mqtt_peer.cpp", "mosquitto")
    count = context.size(300_000, 30_000)
    lines = json_lines(count)
    got = {key: [] for key in ("ingest", "ingest_cpu", "pss", "drain", "wire", "drain_cpu", "hub_cpu")}
    for _ in range(context.repeats):
        once(context, program, lines, count, got)
        context.log(f"mosquitto: ingest {got['ingest'][-1] / 1e3:.0f} k/s, drain {got['drain'][-1] / 1e3:.0f} k/s")
    return rows("mosquitto, bridge", "memory", got, f"{count / 1e6:g} M readings, QoS 1, {WINDOW} under way, default persistence")
