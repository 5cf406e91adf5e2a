"""An etcd cluster on this machine, for measuring beside it: members on 127.0.0.1 with fsync on, as etcd does by default.

    python benches/peers/etcd_cluster.py [--members 3] [--folder FOLDER] [--etcd PATH]

Prints the members' client URLs, one line with commas, once they answer; runs until it gets Ctrl-C or SIGTERM, ends the members, and removes
what they wrote unless a folder was named. Debian has the server as `etcd-server`. The folder decides which disk is measured.
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(etcd, folder, members):
    ports = free_ports(2 * members)
    clients = [f"http://127.0.0.1:{port}" for port in ports[::2]]
    peers = [f"http://127.0.0.1:{port}" for port in ports[1::2]]
    cluster = ",".join(f"m{number}={peer}" for number, peer in enumerate(peers))
    processes = []
    for number, (client, peer) in enumerate(zip(clients, peers)):
        log = open(os.path.join(folder, f"m{number}.log"), "ab")
        processes.append(subprocess.Popen(
            [etcd, "--name", f"m{number}", "--data-dir", os.path.join(folder, f"m{number}"), "--logger", "zap", "--log-level", "warn",
             "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
             "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log))
    return processes, clients


def healthy(client):
    try:
        with urllib.request.urlopen(f"{client}/health", timeout=2) as answer:
            return b'"true"' in answer.read()
    except OSError:
        return False


def wait(processes, clients):
    until = time.monotonic() + 30
    while not all(healthy(client) for client in clients):
        ended = [process.args[2] for process in processes if process.poll() is not None]
        if ended or time.monotonic() > until:
            raise SystemExit(f"no cluster: {', '.join(ended) or 'it is not healthy after 30 s'}")
        time.sleep(0.1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=3)
    parser.add_argument("--folder")
    parser.add_argument("--etcd", default=os.environ.get("JARRE_ETCD") or shutil.which("etcd"))
    args = parser.parse_args()
    if not args.etcd:
        raise SystemExit("there is no `etcd` on the path: install it (Debian: etcd-server), or name one by --etcd")
    folder = args.folder or tempfile.mkdtemp(prefix="etcd-cluster-")
    os.makedirs(folder, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    processes = []
    try:
        processes, clients = start(args.etcd, folder, args.members)
        wait(processes, clients)
        print(",".join(clients), flush=True)
        for process in processes:
            process.wait()
    except KeyboardInterrupt:
        pass
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
        if not args.folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
