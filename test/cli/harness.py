"""Decides how a case runs the real tool: own directories, own store, real processes; and how it waits: for conditions.

A case is a function `def NAME(t)` of a *_test.py file; `t` is a Case. Run one: harness.py BINARY FILE NAME.
"""
import ctypes
import importlib.util
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PATIENCE = 20  # seconds until a condition that never comes fails the case

# For jobs that look at others. A dead job that init has not collected yet is no overlap.
ALIVE = "alive() { case $(sed -n 's/^State:.\\(.\\).*/\\1/p' /proc/$1/status 2>/dev/null) in ''|Z|X) false;; esac; }; "


class Failure(AssertionError):
    pass


class Skip(Exception):
    """The case cannot run here; its text says why."""


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}"

    def expect(self, code, out=None, err=None):
        """`out` and `err`: the exact text, or a compiled pattern to be found in it."""
        for what, have, want in (("exit code", self.code, code), ("stdout", self.out, out), ("stderr", self.err, err)):
            found = want.search(have) if isinstance(want, re.Pattern) else want is None or want == have
            if not found:
                raise Failure(f"{what}: expected {want!r}\n{self!r}")
        return self


class Job:
    """A started `leasehold`, with pipes. Ended by the case's end at the latest."""

    def __init__(self, case, args, env=None, **kwargs):
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True}
        self.process = subprocess.Popen([case.binary, *args], env=case.environment(env), cwd=case.path, **{**options, **kwargs})
        self.pid = self.process.pid
        self.case = case

    def line(self):
        """The next line of stdout: how a job tells that it runs."""
        text = self.process.stdout.readline()
        if not text:
            raise Failure(f"ended before it said anything: {self.wait()!r}")
        return text.decode().rstrip("\n")

    def wait(self, code=None):
        """Waits for its end, with its stdin left open."""
        stdin, self.process.stdin = self.process.stdin, None
        try:
            out, err = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired as expired:
            raise Failure(f"still runs after {PATIENCE} s: {self.process.args}") from expired
        finally:
            if stdin is not None:
                stdin.close()
        result = Result(self.process.returncode, (out or b"").decode(), (err or b"").decode())
        if code is not None:
            result.expect(code)
        return result

    def send(self, number):
        os.kill(self.pid, number)

    def supervisor(self):
        return self.case.until(lambda: next(iter(children(self.pid)), None), "the supervisor")

    def release(self):
        """Ends a job that reads its stdin."""
        self.process.stdin.close()
        self.process.stdin = None
        return self.wait()


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def job_of(t, run):
    """The direct child of a run's supervisor."""
    supervisor = run.supervisor()
    return t.until(lambda: next(iter(children(supervisor)), None), "the job")


def state_of(pid):
    """'R', 'S', 'T', 'Z', …; None: gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return None


def is_alive(pid):
    return state_of(pid) not in (None, "Z", "X")


class Case:
    def __init__(self, binary):
        self.path = tempfile.mkdtemp(prefix="leasehold-cli-")
        self.started = []
        bin_directory = os.path.join(self.path, "bin")
        os.mkdir(bin_directory)
        self.binary = os.path.join(bin_directory, "leasehold")
        os.symlink(binary, self.binary)

    def environment(self, extra=None):
        """Nothing of the caller's but what programs need; the user's directories are the case's own."""
        env = {"PATH": f"{self.path}/bin:/usr/local/bin:/usr/bin:/bin", "HOME": self.path, "TZ": "UTC", "LC_ALL": "C.UTF-8",
               "TERM": "xterm", "XDG_STATE_HOME": f"{self.path}/state", "LEASEHOLD_CONFIG": "none"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        env.update(extra or {})
        return {key: value for key, value in env.items() if value is not None}

    def lh(self, *args, env=None, stdin="", **kwargs):
        done = subprocess.run([self.binary, *args], env=self.environment(env), cwd=self.path, input=stdin.encode(),
                              capture_output=True, timeout=PATIENCE * 2, check=False, **kwargs)
        return Result(done.returncode, done.stdout.decode(errors="backslashreplace"),
                      done.stderr.decode(errors="backslashreplace"))

    def start(self, *args, **kwargs):
        job = Job(self, args, **kwargs)
        self.started.append(job)
        return job

    def hold(self, name, *flags, **kwargs):
        """A run that holds `name` until `release()` or the end of the case."""
        job = self.start("run", "--name", name, *flags, "--", "sh", "-c", "echo holds; read line; exit 0", **kwargs)
        if job.line() != "holds":
            raise Failure(f"{name} is not held")
        return job

    def until(self, condition, what):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(0.005)
        pictures = "\n".join(map(picture_of, descendants(os.getpid())))
        raise Failure(f"waited {PATIENCE} s in vain for {what}; processes then:\n{pictures}")

    def file(self, name, text=None, mode=None):
        """The path of a file of the case; with `text`, written."""
        path = os.path.join(self.path, name)
        if text is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            if mode is not None:
                os.chmod(path, mode)
        return path

    def read(self, name):
        try:
            with open(os.path.join(self.path, name), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def lock(self, name, *flags):
        """`show NAME` as JSON."""
        return json.loads(self.lh("show", name, "--json", *flags).out)

    def waiting(self, name, count=1):
        """Waits until `count` clients wait for `name`."""
        self.until(lambda: self.lock(name)["waiters"]["count"] == count, f"{count} in line for {name}")

    def equal(self, have, want):
        if have != want:
            raise Failure(f"expected {want!r}\nhave     {have!r}")

    def true(self, condition, what):
        if not condition:
            raise Failure(what)

    def golden(self, name, text, exact=False):
        """Compares with golden/NAME, volatile parts replaced unless `exact`. LEASEHOLD_UPDATE_GOLDEN=1 writes it instead."""
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden", name)
        have = text if exact else normal(text, self.path)
        if os.environ.get("LEASEHOLD_UPDATE_GOLDEN") == "1":
            with open(path, "w", encoding="utf-8") as file:
                file.write(have)
            return
        with open(path, encoding="utf-8") as file:
            want = file.read()
        if have != want:
            raise Failure(f"golden/{name} differs\n--- expected\n{want}--- have\n{have}")

    def close(self):
        for pid in descendants(os.getpid()):  # orphans included: we are their subreaper
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        for job in self.started:
            job.process.wait()
            for pipe in (job.process.stdin, job.process.stdout, job.process.stderr):
                if pipe is not None:
                    pipe.close()
        shutil.rmtree(self.path, ignore_errors=True)


def descendants(pid):
    out = []
    for child in children(pid):
        out += [child, *descendants(child)]
    return out


def read_proc(path):
    try:
        with open(f"/proc/{path}", encoding="utf-8", errors="replace") as file:
            return file.read().replace("\0", " ").strip()
    except OSError:
        return "?"


def picture_of(pid):
    """What a process is and what each of its threads is doing, for a failure's report."""
    try:
        threads = sorted(os.listdir(f"/proc/{pid}/task"), key=int)
    except OSError:
        return f"{pid} gone"
    doing = [f"{read_proc(f'{pid}/task/{t}/wchan')}/{read_proc(f'{pid}/task/{t}/syscall').split(' ')[0]}" for t in threads]
    status = dict(line.split(":\t", 1) for line in read_proc(f"{pid}/status").splitlines() if ":\t" in line)
    signals = " ".join(f"{k}={status.get(k)}" for k in ("SigPnd", "ShdPnd", "SigBlk"))
    return f"{pid} child of {status.get('PPid')}, {state_of(pid)}, [{', '.join(doing)}] {signals}: {read_proc(f'{pid}/cmdline')}"


def normal(text, directory):
    """What differs from run to run, replaced by its kind."""
    user = re.escape(pwd.getpwuid(os.getuid()).pw_name)
    rules = [(re.escape(directory), "TMP"), (re.escape(socket.gethostname()), "HOST"),
             (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "INSTANT"), (r"\b\d\d:\d\d:\d\d\b", "TIME"),
             (r"HOST/\d+", "HOST/PID"), (r"pid \d+", "pid PID"), (r'"pid":\d+', '"pid":PID'),
             (rf'"user":"{user}"', '"user":"USER"'), (rf"PID, {user}\)", "PID, USER)"), (rf"\b{user}\b", "USER"),
             (r'("\w+_ms"):\d+', r"\1:MS"), (r'("\w*token"):\d+', r"\1:TOKEN"), (r'("transitions"):\d+', r"\1:TOKEN"),
             (r"\b\d{13,20}\b", "TOKEN"), (r"\b(\d+d)?(\d+h)?(\d+m)?\d+(ms|s|m|h)\b", "SPAN"), (r" {2,}", "  ")]
    for pattern, replacement in rules:
        text = re.sub(pattern, replacement, text)
    return text


def main(binary, path, name):
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # what a background shell or Python ignores would be ignored by the tool too
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec = importlib.util.spec_from_file_location("cases", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: nothing a case starts outlives it
    case = module.Case(os.path.abspath(binary)) if hasattr(module, "Case") else Case(os.path.abspath(binary))
    try:
        getattr(module, name)(case)
    except Failure as failure:
        print(f"{name}: {failure}", file=sys.stderr)
        return 1
    except Skip as reason:
        print(f"skipped {name}: {reason}")
        return 77
    finally:
        case.close()
    return 0


if __name__ == "__main__":
    import harness  # this file under the name that the cases know: one Failure, not two
    sys.exit(harness.main(*sys.argv[1:]))
