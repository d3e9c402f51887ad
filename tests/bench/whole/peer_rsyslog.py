"""rsyslog: lines by TCP into a disk queue, forwarded over TLS to a second rsyslog that writes a file. The queue is in the page cache: a
checkpoint each 1,000 messages, no sync (with syncQueueFiles it takes hundreds of readings a second).
"""
import pathlib
import socket
import tempfile
import time

from measure import wait_idle
from peer import Watch, certificates, cpu_seconds, free_port, grown, json_lines, missing, rows, sent_bytes, started, wait_port

EDGE = """
global(workDirectory="{queue}" defaultNetstreamDriverCAFile="{ca}" defaultNetstreamDriver="gtls" maxMessageSize="16k")
module(load="imptcp")
template(name="asis" type="string" string="%rawmsg%\\n")
ruleset(name="up" queue.type="Direct") {{
  action(type="omfwd" target="localhost" port="{hub}" protocol="tcp" template="asis" StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name"
         StreamDriverPermittedPeers="localhost" queue.type="Disk" queue.filename="edge" queue.size="100000000" queue.maxFileSize="16m"
         queue.maxDiskSpace="8g" queue.checkpointInterval="1000" queue.dequeueBatchSize="1024" queue.saveOnShutdown="on"
         action.resumeRetryCount="-1" action.resumeInterval="1")
}}
input(type="imptcp" address="127.0.0.1" port="{port}" ruleset="up")
"""
HUB = """
global(workDirectory="{queue}" defaultNetstreamDriverCAFile="{ca}" defaultNetstreamDriverCertFile="{crt}" defaultNetstreamDriverKeyFile="{key}" maxMessageSize="16k")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
template(name="asis" type="string" string="%rawmsg%\\n")
ruleset(name="down") {{ action(type="omfile" file="{out}" template="asis" flushOnTXEnd="on" ioBufferSize="256k") }}
input(type="imtcp" port="{hub}" ruleset="down")
"""


def once(context, prepared, count, got):
    directory = pathlib.Path(tempfile.mkdtemp(dir=context.directory))
    for name in ("edge-queue", "hub-queue"):
        (directory / name).mkdir()
    pem = certificates(directory)
    port, hub_port, out = free_port(), free_port(), directory / "out.txt"
    (directory / "edge.conf").write_text(EDGE.format(queue=directory / "edge-queue", ca=pem["ca.crt"], hub=hub_port, port=port))
    (directory / "hub.conf").write_text(HUB.format(queue=directory / "hub-queue", ca=pem["ca.crt"], crt=pem["own.crt"], key=pem["own.key"], hub=hub_port, out=out))
    with started("rsyslogd", "-n", "-iNONE", "-f", directory / "edge.conf", directory=directory, name="edge") as edge:
        wait_port(port)
        watch, cpu = Watch(edge.pid), cpu_seconds(edge.pid)
        begin = time.monotonic()
        with socket.create_connection(("127.0.0.1", port)) as connection:
            for at in range(0, len(prepared), 1 << 20):
                connection.sendall(prepared[at:at + (1 << 20)])
                watch.look()
        # The queue gives no receipt: all is taken when the process has become quiet.
        took = wait_idle(edge.pid) - begin
        got["ingest"].append(count / took)
        got["ingest_cpu"].append((cpu_seconds(edge.pid) - cpu) / count * 1e6)
        got["pss"].append(watch.peak[0])
        cpu = cpu_seconds(edge.pid)
        with started("rsyslogd", "-n", "-iNONE", "-f", directory / "hub.conf", directory=directory, name="hub") as hub:
            got["drain"].append(count / grown(out, count - 1, 60 + count / 10_000))
            got["wire"].append(sent_bytes(hub_port) / count)
            got["drain_cpu"].append((cpu_seconds(edge.pid) - cpu) / count * 1e6)
            got["hub_cpu"].append(cpu_seconds(hub.pid) / count * 1e6)


def run(context):
    if not context.wants("peer_rsyslog"):
        return []
    if gone := missing("rsyslogd", "openssl"):
        raise RuntimeError(gone)
    count = context.size(500_000, 100_000)
    prepared = json_lines(count)
    got = {key: [] for key in ("ingest", "ingest_cpu", "pss", "drain", "wire", "drain_cpu", "hub_cpu")}
    for _ in range(context.repeats):
        once(context, prepared, count, got)
        context.log(f"rsyslog: ingest {got['ingest'][-1] / 1e3:.0f} k/s, drain {got['drain'][-1] / 1e3:.0f} k/s")
    return rows("rsyslog, disk queue", "page cache", got, f"{count / 1e6:g} M readings, one a line, TLS by GnuTLS")
