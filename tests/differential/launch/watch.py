"""Runs one process and tells on which sockets its network namespace listens.

Started by the oracle inside namespaces of its own, never imported: reads `argv`, `cwd`, `env`
and `ports` as JSON, and writes `sockets`, `exit_code` and `output`.
"""

import fcntl
import json
import socket
import struct
import subprocess
import sys
import tempfile
import time

PATIENCE = 25.0  # seconds in which something must listen, or the process end
ANSWER = 6.0  # seconds in which a listener may answer a request
CALM = 0.5  # seconds without a change after which the sockets are believed
LISTEN = "0A"


def raise_loopback():
    """Set the flag IFF_UP of `lo`, which a new network namespace has down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, 0x8913, request))[1]
        fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))


def listening():
    """The addresses of the namespace's listening TCP sockets."""
    found = set()
    for path, family in (("/proc/net/tcp", socket.AF_INET), ("/proc/net/tcp6", socket.AF_INET6)):
        with open(path) as table:
            for line in list(table)[1:]:
                local, state = line.split()[1], line.split()[3]
                if state == LISTEN:
                    address, port = local.split(":")
                    words = struct.unpack(f">{len(address) // 8}I", bytes.fromhex(address))
                    packed = struct.pack(f"<{len(words)}I", *words)
                    found.add((socket.inet_ntop(family, packed), int(port, 16)))
    return found


def answers(host, port):
    """Whether an HTTP request gets any answer: by then the server has loaded its app."""
    there = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    try:
        with socket.create_connection((there, port), timeout=1) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.recv(1) != b""
    except OSError:
        return False


def reached(port):
    """Whether a client gets a connection at 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def settle(process, ports):
    """Wait until the process has ended, or what listens has answered and stays the same. For
    `ports` that don't listen yet it waits longer: a script may start its servers one by one, and
    some of them load for long.
    """
    begin = changed = time.monotonic()
    sockets, answered, first = set(), set(), None
    while process.poll() is None:
        now = time.monotonic()
        current = listening()
        if current != sockets:
            sockets, changed = current, now
        if sockets and first is None:
            first = now
        answered |= {each for each in sockets - answered if answers(*each)}
        if first is None and now - begin > PATIENCE:
            return
        done = sockets and (sockets <= answered or now - first > ANSWER)
        if done and ports - {port for _, port in sockets} and now - begin < PATIENCE:
            done = False
        if done and time.monotonic() - changed > CALM:
            return
        time.sleep(0.05)


def main():
    raise_loopback()
    request = json.load(sys.stdin)
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                request["argv"],
                cwd=request["cwd"],
                env=request["env"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            print(json.dumps({"sockets": [], "exit_code": 127, "output": str(error)}))
            return
        settle(process, set(request["ports"]))
        exit_code = process.poll()
        sockets = []  # a container ends with its first process, whatever else it has started
        if exit_code is None:
            sockets = [[*each, reached(each[1])] for each in sorted(listening())]
            process.kill()
        output.seek(0)
        text = output.read()[-4000:].decode("utf-8", "replace")
    print(json.dumps({"sockets": sockets, "exit_code": exit_code, "output": text}))


main()
