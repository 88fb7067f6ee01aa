"""Decides how the clients under test come into being: installed once into build/peers, then started with a port."""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
CLIENTS = os.path.join(HERE, "clients")
INSTALL_SECONDS = 300


class Missing(Exception):
    """This client cannot be had here; the reason is for the list of skipped tests."""


class Peer:
    """A client process behind the lines of README.md."""

    def __init__(self, name, command, env=None):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
                                        env={**os.environ, **(env or {})})

    def ask(self, line):
        self.begin(line)
        return self.end()

    def begin(self, line):
        self.process.stdin.write(line + "\n")

    def end(self):
        said = self.process.stdout.readline().strip()
        if not said or said.startswith("error"):
            raise AssertionError(f"{self.name}: {said or 'ended'}")
        return said

    def crash(self):
        self.process.kill()
        self.close()

    def close(self):
        if self.process.stdin.closed:
            return
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def run(command, cwd, env=None):
    try:
        done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=INSTALL_SECONDS, env={**os.environ, **(env or {})}, check=False)
    except (OSError, subprocess.TimeoutExpired) as why:
        raise Missing(f"{' '.join(command)}: {why}") from why
    if done.returncode != 0:
        last = (done.stdout.strip().splitlines() or ["no output"])[-1]
        raise Missing(f"{' '.join(command)}: {last}")


def need(command):
    if shutil.which(command) is None:
        raise Missing(f"no {command} here")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def install(folder, commands, env=None, source=""):
    """Runs `commands` in `folder` unless they ran before, for the same `source`; a half-done installation is begun anew."""
    done = os.path.join(folder, "installed")
    if os.path.exists(done) and read(done) == source:
        return
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for command in commands:
        run(command, folder, env)
    with open(done, "w", encoding="utf-8") as file:
        file.write(source)


class Kinds:
    """Starts clients by their names; `folder` is where peers are installed."""

    names = ("redis-py", "node-redlock", "ioredis", "redsync")

    def __init__(self, folder, ours):
        self.folder = folder
        self.ours = ours

    def start(self, name, port):
        return {"leasehold": self.leasehold, "redis-py": self.redis_py, "article": self.article, "node-redlock": self.redlock,
                "ioredis": self.ioredis, "redsync": self.redsync}[name](str(port))

    def leasehold(self, port):
        return Peer("leasehold", [self.ours, port])

    def python(self, script, name, port):
        folder = os.path.join(self.folder, "python")
        target = os.path.join(folder, "packages")
        install(folder, [[sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", target,
                          "redis"]])
        return Peer(name, [sys.executable, os.path.join(CLIENTS, script), port], {"PYTHONPATH": target})

    def redis_py(self, port):
        return self.python("redis_py.py", "redis-py", port)

    def article(self, port):
        return self.python("article.py", "article", port)

    def node(self, script, name, port):
        need("npm")
        folder = os.path.join(self.folder, "node")
        install(folder, [["npm", "init", "--yes"], ["npm", "install", "--no-audit", "--no-fund", "redlock", "ioredis"]])
        return Peer(name, ["node", os.path.join(CLIENTS, script), port], {"NODE_PATH": os.path.join(folder, "node_modules")})

    def redlock(self, port):
        return self.node("redlock.js", "node-redlock", port)

    def ioredis(self, port):
        return self.node("ioredis.js", "ioredis", port)

    def redsync(self, port):
        need("go")
        folder = os.path.join(self.folder, "go")
        source = os.path.join(CLIENTS, "redsync")
        copy = [sys.executable, "-c", "import shutil, sys; shutil.copytree(sys.argv[1], 'source')", source]
        build = ["go", "-C", "source", "build", "-mod=mod", "-o", os.path.join(folder, "redsync"), "."]
        install(folder, [copy, ["go", "-C", "source", "get", "github.com/go-redsync/redsync/v4", "github.com/redis/go-redis/v9"], build],
                source=read(os.path.join(source, "main.go")))
        return Peer("redsync", [os.path.join(folder, "redsync"), port])
