"""Decides how a case plays the user at a terminal: a real pseudo-terminal with a session of its own."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

from harness import PATIENCE, Failure


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def keep_output(fd):
    """Keys that make a signal drop what was written and not yet read: with a reader as slow as a loaded machine, the very answer
    to an earlier press."""
    settings = termios.tcgetattr(fd)
    settings[3] |= termios.NOFLSH
    termios.tcsetattr(fd, termios.TCSANOW, settings)


class Terminal:
    def __init__(self, case, *argv, env=None, rows=24, columns=100):
        self.case, self.text = case, ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            set_size(0, rows, columns)  # before the program can ask
            keep_output(0)
            os.chdir(case.path)
            os.execve(argv[0], argv, case.environment(env))
        self.status = None

    def resize(self, rows, columns):
        set_size(self.fd, rows, columns)

    def type(self, text):
        os.write(self.fd, text.encode())

    def press(self, key, pattern):
        """Presses a key that makes a signal until it shows: on a busy machine an interactive bash that is still setting up its
        child can swallow it, with any child."""
        for _ in range(PATIENCE):
            self.type(key)
            try:
                return self.expect(pattern, 1)
            except Failure:
                continue
        return self.expect(pattern)

    def expect(self, pattern, patience=PATIENCE):
        """Reads until `pattern` appears; what was before and with it is consumed."""
        end = time.monotonic() + patience
        while True:
            found = re.search(pattern, self.text)
            if found:
                self.text = self.text[found.end():]
                return found
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            try:
                chunk = os.read(self.fd, 4096) if ready else b""
            except OSError:
                chunk = b""
            if not chunk:
                raise Failure(f"the terminal never showed {pattern!r}; last: {self.text[-2000:]!r}")
            self.text += chunk.decode(errors="replace")

    def wait(self):
        """The exit code, 128+n for a signal, as a shell would say."""
        end = time.monotonic() + PATIENCE
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > end:
                raise Failure(f"the terminal's program did not end; last: {self.text[-2000:]!r}")
            else:
                self.drain()
        return 128 - self.status if self.status < 0 else self.status

    def drain(self):
        ready, _, _ = select.select([self.fd], [], [], 0.01)
        if ready:
            try:
                self.text += os.read(self.fd, 4096).decode(errors="replace")
            except OSError:
                time.sleep(0.01)

    def close(self):
        os.close(self.fd)
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
