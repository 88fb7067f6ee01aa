"""On a real terminal: ^C, ^Z and fg, window size, the waiting line, pipelines, orphaned groups, break's question."""
import os
import re
import signal

from harness import Case as PlainCase, children, is_alive, state_of
from terminal import Terminal


class Case(PlainCase):
    """A case whose terminals are closed at its end."""

    def __init__(self, binary):
        super().__init__(binary)
        self.terminals = []

    def terminal(self, *argv, **kwargs):
        self.terminals.append(Terminal(self, *argv, **kwargs))
        return self.terminals[-1]

    def shell(self):
        """An interactive shell with job control; the prompt is `$> `. Words a case waits for are typed with a backslash, so that
        the echo of what was typed is not taken for them."""
        tty = self.terminal("/bin/bash", "--norc", "--noprofile", "-i", env={"PS1": "$> ", "PS2": "", "HISTFILE": None})
        tty.expect(r"\$> ")
        tty.type("stty -echo; set +o notify; bind 'set enable-bracketed-paste off' 2>/dev/null; echo s\\hell\n")
        tty.expect("shell")
        tty.expect(r"\$> ")
        return tty

    def close(self):
        for tty in self.terminals:
            tty.close()
        super().close()


def the_job_is_in_the_foreground(t):
    tty = t.terminal(t.binary, "run", "--name", "n", "-c", "echo got; read x; echo \"<$x>\"; ps -o stat= -p $$")
    tty.expect("got")
    tty.type("hello\n")
    tty.expect("<hello>")
    tty.expect(r"\+")
    t.equal(tty.wait(), 0)


def RUN_1_interrupt_at_the_terminal_reaches_the_job_once(t):
    tty = t.terminal(t.binary, "run", "--name", "n", "-c", "trap 'echo got-int; exit 9' INT; echo ready; while :; do sleep 0.01; done")
    tty.expect("ready")
    tty.type("\x03")
    tty.expect("got-int")
    t.equal(tty.wait(), 9)


def RUN_1_interrupt_ends_an_unprepared_job_with_130(t):
    tty = t.shell()
    tty.type("leasehold run --name n -- sh -c 'echo u\\p; sleep 60'\n")
    tty.expect("up")
    tty.press("\x03", r"\$> ")
    tty.type("echo code=$?\n")
    tty.expect("code=130")
    t.equal(t.lock("n")["state"], "free")


def RUN_1_interrupt_ends_the_script_around_the_run_as_unwrapped(t):
    tty = t.shell()
    t.file("script", "leasehold run --name n -- sh -c 'echo in-j\\ob; sleep 60'\necho the script went on\n")
    tty.type("bash script\n")
    tty.expect("in-job")
    found = tty.press("\x03", r"the script went on|\$> ")
    t.equal(found.group(0), "$> ")
    tty.type("echo code=$?\n")
    tty.expect("code=130")


def CANCEL_2_interrupt_while_waiting_leaves_the_line(t):
    t.hold("n")
    tty = t.shell()
    tty.type("leasehold run --name n -- true\n")
    tty.expect("waiting for n: held by")
    tty.press("\x03", r"\$> ")
    tty.type("echo code=$?\n")
    tty.expect("code=130")
    t.waiting("n", 0)


def RUN_6_suspend_stops_the_job_and_not_the_lease_and_fg_resumes(t):
    tty = t.shell()
    tty.type("leasehold run --name n --ttl 1s -- sh -c 'echo $$ > pid; echo rea\\dy; read x; echo \"<$x>\"'; echo code=$?\n")
    tty.expect("ready")
    job = int(t.read("pid"))
    tty.press("\x1a", "Stopped")
    tty.expect(r"\$> ")
    t.equal(state_of(job), "T")
    token = t.lock("n")["holders"][0]["token"]
    t.until(lambda: t.lock("n")["holders"][0]["renewed_at"] is not None or True, "a look")
    first = t.lock("n")["holders"][0]["expires_in_ms"]
    t.until(lambda: t.lock("n")["holders"][0]["expires_in_ms"] > first or first > 950, "a renewal while stopped")
    t.equal(t.lock("n")["holders"][0]["token"], token)
    tty.type("fg\n")
    t.until(lambda: state_of(job) != "T", "the job's resumption")
    tty.type("hello\n")
    tty.expect("<hello>")
    tty.type("\n")
    tty.expect(r"\$> ")
    t.equal(t.lock("n")["state"], "free")


def RUN_6_a_job_sent_to_the_background_goes_on(t):
    """The job starts no process while it waits: a child stopped between dash's vfork and exec keeps dash from stopping, run or not."""
    os.mkfifo(t.file("go"))
    tty = t.shell()
    tty.type("leasehold run --name n -- sh -c 'echo $$ > pid; echo rea\\dy; read x < go; echo w\\ent'\n")
    tty.expect("ready")
    tty.press("\x1a", "Stopped")
    tty.type("bg\n")
    t.until(lambda: state_of(int(t.read("pid"))) != "T", "the job's resumption")
    t.file("go", "on\n")
    tty.expect("went")
    tty.type("wait; echo code=$?\n")
    tty.expect("code=0")


def RUN_6_a_run_stopped_while_waiting_keeps_its_place_and_starts_stopped(t):
    holder = t.hold("n")
    tty = t.shell()
    tty.type("leasehold run --name n -- sh -c 'echo job-$((6*7))'; echo code=$?\n")
    tty.expect("waiting for n")
    tty.press("\x1a", "Stopped")
    t.waiting("n")
    holder.release().expect(0)
    t.until(lambda: t.lock("n")["state"] == "held", "its turn")
    tty.type("echo mark\\er\n")
    found = tty.expect(r"marker|job-42")
    t.equal(found.group(0), "marker")
    tty.type("fg\n")
    tty.expect("job-42")
    t.until(lambda: t.lock("n")["state"] == "free", "the end")


def RUN_6_suspend_without_a_shell_goes_on_as_unwrapped(t):
    """In an orphaned group nobody could resume us: the kernel ignores ^Z, and so does the run."""
    tty = t.terminal(t.binary, "run", "--name", "n", "-c", "echo ready; read x; echo \"<$x>\"")
    tty.expect("ready")
    tty.type("\x1a")
    tty.type("hello\n")
    tty.expect("<hello>")
    t.equal(tty.wait(), 0)


def a_pager_behind_the_run_keeps_the_terminal(t):
    tty = t.shell()
    tty.type("leasehold run --name n -- sh -c 'echo page; sleep 0.1' | sh -c 'read line; read answer < /dev/tty; echo \"$line $answer\"'\n")
    t.until(lambda: t.lock("n")["state"] == "held", "the lock")
    tty.type("yes\n")
    tty.expect("page yes")


def a_job_in_a_pipeline_gets_the_terminal_when_it_reads(t):
    tty = t.shell()
    tty.type("leasehold run --name n -- sh -c 'echo rea\\dy >&2; read x < /dev/tty; echo \"<$x>\"' | cat\n")
    tty.expect("ready")
    tty.type("hello\n")
    tty.expect("<hello>")
    tty.expect(r"\$> ")


def the_window_size_reaches_the_job(t):
    tty = t.terminal(t.binary, "run", "--name", "n", "-c", "trap 'stty size' WINCH; stty size; while :; do sleep 0.01; done")
    tty.expect("24 100")
    tty.resize(30, 90)
    tty.expect("30 90")
    tty.type("\x03")
    t.equal(tty.wait(), 130)


def the_waiting_line_is_rewritten_and_wiped(t):
    holder = t.hold("n", "--reason", "monthly close")
    tty = t.terminal(t.binary, "run", "--name", "n", "--", "echo", "done")
    tty.expect(r"\r\x1b\[Kwaiting for n: held by \S+ \(pid \d+, \w+\) for \d+m?s.*  \[\d+m?s\]")
    tty.expect(r"\r\x1b\[Kwaiting for n: .*  \[1s\]")
    holder.release().expect(0)
    tty.expect(r"\r\x1b\[K[^w]*done")
    t.equal(tty.wait(), 0)


def the_waiting_line_fits_the_window(t):
    t.hold("n", "--identity", "x" * 90)
    tty = t.terminal(t.binary, "run", "--name", "n", "--", "true", columns=40)
    line = tty.expect(r"\x1b\[K(waiting[^\r]*)").group(1)
    tty.expect(r"\x1b\[K(waiting[^\r]*)\r")
    t.true(len(line) <= 39, f"{len(line)} columns: {line!r}")
    tty.type("\x03")
    tty.wait()


def the_terminal_is_given_back_when_the_supervisor_is_killed(t):
    tty = t.shell()
    tty.type("leasehold run --name n -- sh -c 'echo $$ > pid; echo rea\\dy; sleep 60'; echo code=$?\n")
    tty.expect("ready")
    job = int(t.read("pid"))
    with open(f"/proc/{job}/stat", encoding="ascii") as file:
        supervisor = int(file.read().rpartition(")")[2].split()[1])
    os.kill(supervisor, signal.SIGKILL)
    tty.expect("code=125")
    tty.type("echo still-h\\ere\n")
    tty.expect("still-here")
    t.true(not is_alive(job), "the job is alive")


def a_hangup_ends_the_job(t):
    tty = t.terminal(t.binary, "run", "--name", "n", "-c", "echo $$ > pid; echo ready; sleep 60")
    tty.expect("ready")
    job = int(t.read("pid"))
    os.close(tty.fd)
    tty.fd = os.open("/dev/null", os.O_RDWR)
    t.until(lambda: not is_alive(job), "the job's end")
    t.until(lambda: t.lock("n")["state"] == "free", "the release")


def break_asks_for_the_name(t):
    t.hold("n")
    tty = t.terminal(t.binary, "break", "n", "--reason", "stuck")
    tty.expect("type the lock's name to break it")
    tty.type("m\n")
    tty.expect("nothing was done")
    t.equal(tty.wait(), 1)
    t.equal(t.lock("n")["state"], "held")
    tty = t.terminal(t.binary, "break", "n", "--reason", "stuck")
    tty.expect("is held by .*, token \\d+")
    tty.expect("type the lock's name to break it")
    tty.type("n\n")
    tty.expect("took n from")
    t.equal(tty.wait(), 0)


def ls_points_at_what_needs_a_look(t):
    t.hold("a")
    t.lh("acquire", "n", "--ttl", "50ms").expect(0)
    t.until(lambda: t.lock("n")["state"] == "overdue", "the end of the TTL")
    tty = t.terminal(t.binary, "ls")
    tty.expect("OVERDUE")
    tty.expect("2 locks in local:, 1 needs a look: leasehold show n\r")


def colour_marks_states_on_a_terminal_only(t):
    t.hold("n")
    t.true("\x1b[" not in t.lh("ls").out, "colour in a pipe")
    t.true("\x1b[32mheld\x1b[0m" in t.lh("ls", "--color", "always").out, "no colour although asked")
    t.true("\x1b[32mheld" in t.lh("ls", env={"FORCE_COLOR": "1"}).out, "FORCE_COLOR is not heard")
    for env, wanted in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        tty = t.terminal(t.binary, "ls", env=env)
        found = tty.expect(r"n +(\x1b\[32m)?held")
        t.equal(found.group(1) is not None, wanted)
        tty.expect("1 lock in local:")
        t.equal(tty.wait(), 0)
    t.equal(len(children(os.getpid())) >= 1, True)
    t.true(re.search("1 lock in", t.lh("ls").err) is None, "a summary in a pipe")
