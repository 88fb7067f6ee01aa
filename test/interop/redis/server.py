"""Decides how a throw-away redis-server is started for a test: a child of ours, on loopback, its data in a folder that goes away."""
import os
import shutil
import socket
import subprocess
import tempfile
import time


PROGRAM = os.environ.get("LEASEHOLD_TEST_REDIS_SERVER", "redis-server")


class Server:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="leasehold-redis-")
        self.port = free_port()
        self.process = subprocess.Popen(
            [PROGRAM, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder, "--save", "", "--appendonly", "no"],
            stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        until = time.monotonic() + 20
        while self.command("PING") != "+PONG":
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{PROGRAM} did not start")
            time.sleep(0.01)

    def command(self, *words):
        """Answers the first line of the reply; empty when there is no server."""
        request = f"*{len(words)}\r\n" + "".join(f"${len(w)}\r\n{w}\r\n" for w in words)
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as link:
                link.sendall(request.encode())
                return link.makefile("rb").readline().decode().strip()
        except OSError:
            return ""

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
