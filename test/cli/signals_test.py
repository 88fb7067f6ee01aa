"""RUN-1 and RUN-4: signals reach the job's group; whoever of the two processes dies, no job runs without its lease."""
import json
import os
import re
import signal
import sys
import time

from harness import ALIVE, descendants, is_alive, job_of, state_of

FAMILY = """
import os, signal, sys, time
ready, told = os.pipe()
child = os.fork()
def end(number, frame):
    os.write(1, b"parent\\n" if child else b"grandchild\\n")
    if child:
        os.waitpid(child, 0)
    os._exit(5)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, end)
if child:
    os.read(ready, 1)
    os.write(1, b"ready\\n")
else:
    os.write(told, b"x")
while True:
    time.sleep(1)
"""


def RUN_1_signals_are_forwarded_to_the_group(t):
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT):
        job = t.start("run", "--name", "n", "--", sys.executable, "-c", FAMILY)
        t.equal(job.line(), "ready")
        job.send(number)
        result = job.wait(5)
        t.equal(sorted(result.out.split()), ["grandchild", "parent"])


def RUN_1_a_second_interrupt_kills(t):
    job = t.start("run", "--name", "n", "-c", "trap 'echo one' INT; echo ready; while :; do sleep 0.01; done")
    job.line()
    job.send(signal.SIGINT)
    t.equal(job.line(), "one")
    job.send(signal.SIGINT)
    job.wait(128 + signal.SIGKILL)
    t.equal(t.lock("n")["state"], "free")


def RUN_1_an_unhandled_signal_ends_job_and_run_alike(t):
    for number in (signal.SIGTERM, signal.SIGUSR1):
        job = t.hold("n")
        job.send(number)
        job.wait(128 + number)


def RUN_4_a_killed_front_ends_the_job_and_then_frees_the_name(t):
    run = t.start("run", "--name", "n", "-c", "trap 'sleep 0.2; echo ended > ended; exit' TERM; echo holds; while :; do sleep 0.01; done")
    run.line()
    supervisor, job = run.supervisor(), job_of(t, run)
    run.send(signal.SIGKILL)
    t.lh("run", "--name", "n", "-c", f"{ALIVE} cat ended; alive {job} && echo overlap; true").expect(0, "ended\n")
    t.until(lambda: not is_alive(supervisor), "the supervisor's end")


def RUN_4_a_killed_supervisor_takes_the_whole_group_with_it(t):
    run = t.start("run", "--name", "n", "-c", "trap '' TERM; sh -c 'trap \"\" TERM; echo holds; while :; do sleep 0.01; done' & wait")
    run.line()
    supervisor = run.supervisor()
    tree = descendants(supervisor)
    t.true(len(tree) >= 2, f"job and grandchild: {tree}")
    next_one = t.start("run", "--name", "n", "-c", ALIVE + "for p in " + " ".join(map(str, tree)) + "; do alive $p && echo overlap; done; echo took")
    t.waiting("n")
    os.kill(supervisor, signal.SIGKILL)
    run.wait(125)
    t.equal([pid for pid in tree if is_alive(pid)], [])
    next_one.wait().expect(0, "took\n")


def RUN_4_both_killed_at_once_no_two_jobs_overlap(t):
    run = t.start("run", "--name", "n", "-c", "echo holds; while :; do sleep 0.01; done")
    run.line()
    supervisor, job = run.supervisor(), job_of(t, run)
    next_one = t.start("run", "--name", "n", "-c", f"{ALIVE} alive {job} && echo overlap; echo took")
    t.waiting("n")
    run.send(signal.SIGKILL)
    os.kill(supervisor, signal.SIGKILL)
    next_one.wait().expect(0, "took\n")


def RUN_4_random_kills_never_let_two_jobs_overlap(t):
    """Each job makes a directory and kills itself if it is there; a job that dies leaves it to the next, which checks its pid."""
    line = (ALIVE + "if [ -s owner ] && alive $(cat owner); then echo overlap >> bad; fi; "
            "echo $$ > owner; echo up; while :; do sleep 0.005; done")
    for round_number in range(6):
        run = t.start("run", "-q", "--name", "n", "-c", line)
        t.equal(run.line(), "up")
        victim = run.pid if round_number % 2 else run.supervisor()
        os.kill(victim, signal.SIGKILL)
    t.equal(t.read("bad"), "")


def RUN_6_stopping_the_front_by_hand_stops_the_job_and_not_the_supervisor(t):
    run = t.start("run", "--name", "n", "-c", "echo holds; read line; echo end")
    run.line()
    supervisor, job = run.supervisor(), job_of(t, run)
    os.kill(job, signal.SIGSTOP)
    t.until(lambda: state_of(run.pid) == "T", "the front's stop")
    t.true(state_of(supervisor) in ("S", "R"), "the supervisor is stopped")
    run.send(signal.SIGCONT)
    t.until(lambda: state_of(job) != "T", "the job's resumption")
    t.until(lambda: state_of(run.pid) != "T", "the front's resumption")
    t.equal(run.release().expect(0).out, "end\n")


def RUN_6_a_job_resumed_by_somebody_else_wakes_the_front(t):
    run = t.start("run", "--name", "n", "-c", "echo holds; read line; exit 6")
    run.line()
    job = job_of(t, run)
    os.kill(job, signal.SIGSTOP)
    t.until(lambda: state_of(run.pid) == "T", "the front's stop")
    os.kill(job, signal.SIGCONT)
    t.until(lambda: state_of(run.pid) != "T", "the front's resumption")
    run.release().expect(6)


def RUN_6_a_stopped_job_that_is_killed_wakes_the_front(t):
    run = t.start("run", "--name", "n", "--max-runtime", "0.4", "--", "sh", "-c", "echo holds; kill -STOP $$")
    run.line()
    t.until(lambda: state_of(run.pid) == "T", "the front's stop")
    run.wait(124)


def a_status_file_is_there_also_after_the_supervisors_death(t):
    run = t.hold("n", "--status-file", "status")
    job = job_of(t, run)
    os.kill(run.supervisor(), signal.SIGKILL)
    run.wait(125)
    status = json.loads(t.read("status"))
    t.equal((status["outcome"], status["code"], status["job"]["pid"]), ("broken", "LH-SUPERVISION-BROKEN", job))


def a_hundred_quick_runs_leave_nothing(t):
    before = time.monotonic()
    for _ in range(100):
        t.lh("run", "--name", "n", "--", "true").expect(0, "", "")
    t.equal(t.lh("ls", "-o", "name").out, "")
    t.true(time.monotonic() - before < 60, "a run takes longer than half a second")


def RUN_1_signals_that_come_at_any_moment_are_not_lost(t):
    """TERM at a random point of a run's life ends it: as 143, or as the job's own end if that came first."""
    for delay_us in range(0, 6000, 300):
        run = t.start("run", "-q", "--name", "n", "--", "sleep", "30")
        time.sleep(delay_us / 1e6)
        run.send(signal.SIGTERM)
        code = run.wait().code
        t.true(code in (128 + signal.SIGTERM, -signal.SIGTERM), f"after {delay_us} µs: {code}")
    t.equal(t.lock("n")["state"], "free")
    t.true(re.fullmatch("", t.lh("ls", "-o", "name").out) is not None, "something is left")
