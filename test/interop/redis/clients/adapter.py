"""What the Python adapters share: the lines of README.md, and the critical section of the stress."""
import os
import sys
import time


class Client:
    def acquire(self, name, ttl_ms, wait_ms):
        raise NotImplementedError

    def release(self):
        raise NotImplementedError

    def stress(self, name, ttl_ms, seconds, folder):
        count = 0
        inside = os.path.join(folder, "inside")
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not self.acquire(name, ttl_ms, 1000):
                continue
            try:
                os.mkdir(inside)
            except FileExistsError:
                return "overlap"
            time.sleep(0.001)
            os.rmdir(inside)
            self.release()
            count += 1
        return f"done {count}"


def answer(client, verb, *args):
    if verb == "acquire":
        return "held" if client.acquire(args[0], int(args[1]), int(args[2])) else "busy"
    if verb == "release":
        return "released" if client.release() else "lost"
    if verb == "stress":
        return client.stress(args[0], int(args[1]), float(args[2]), args[3])
    return f"error unknown verb {verb}"


def serve(client):
    for line in sys.stdin:
        try:
            said = answer(client, *line.split())
        except Exception as why:  # whatever it is, the test prints it
            said = f"error {type(why).__name__}: {why}"
        print(said, flush=True)
