"""RUN-9: a supervisor that does not answer (stopped, starved) costs the lease, and the front ends the job before another holds."""
import json
import os
import re
import signal
import time

from break_test import fill
from harness import ALIVE, descendants, is_alive, job_of

STUBBORN = "trap '' TERM; sh -c 'trap \"\" TERM; echo holds; while :; do sleep 0.01; done' & wait"


def alive_again(pids):
    return f"{ALIVE} for p in {' '.join(map(str, pids))}; do alive $p && echo overlap $p; done; echo took"


def RUN_9_a_frozen_supervisors_job_is_gone_before_the_next_holder_begins(t):
    run = t.start("run", "--name", "n", "--ttl", "1s", "--status-file", "status", "-c", STUBBORN)
    run.line()
    supervisor = run.supervisor()
    tree = descendants(supervisor)
    t.true(len(tree) >= 2, f"job and grandchild: {tree}")
    next_one = t.start("run", "--name", "n", "--ttl", "1s", "-c", alive_again(tree))
    t.waiting("n")
    os.kill(supervisor, signal.SIGSTOP)
    next_one.wait().expect(0, "took\n")
    run.wait().expect(79, "", re.compile("LH-LEASE-LOST"))
    t.true(not is_alive(supervisor), "the supervisor is still there")
    status = json.loads(t.read("status"))
    t.equal((status["outcome"], status["exit_code"], status["code"]), ("lost", 79, "LH-LEASE-LOST"))


def RUN_9_the_job_of_a_frozen_supervisor_is_asked_before_it_is_killed(t):
    run = t.start("run", "--name", "n", "--ttl", "3s", "--lost-exit-code", "9", "-c",
                  "trap 'echo asked; exit 0' TERM; echo holds; while :; do sleep 0.01; done")
    run.line()
    os.kill(run.supervisor(), signal.SIGSTOP)
    run.wait().expect(9, "asked\n")


def RUN_9_wait_tree_covers_what_left_the_group(t):
    run = t.start("run", "--name", "n", "--ttl", "1s", "--wait-tree", "-c",
                  "setsid sh -c 'trap \"\" TERM; echo holds; while :; do sleep 0.01; done' & wait")
    run.line()
    supervisor = run.supervisor()
    tree = t.until(lambda: (found := descendants(supervisor))[1:] and found, "job and daemon")
    os.kill(supervisor, signal.SIGSTOP)
    run.wait(79)
    t.equal([pid for pid in tree if is_alive(pid)], [])


def RUN_9_a_storm_of_signals_does_not_hold_the_front_up(t):
    """Nobody reads what the front passes on to a frozen supervisor."""
    run = t.start("run", "-q", "--name", "n", "--ttl", "2s", "-c", STUBBORN)
    run.line()
    os.kill(run.supervisor(), signal.SIGSTOP)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        run.send(signal.SIGWINCH)
    run.wait(79)


def RUN_9_a_blocked_stderr_does_not_hold_the_front_up(t):
    read, write = os.pipe()
    fill(write)
    run = t.start("run", "--name", "n", "--ttl", "1s", "-c", STUBBORN, stderr=write)
    run.line()
    tree = descendants(run.supervisor())
    os.kill(run.supervisor(), signal.SIGSTOP)
    t.until(lambda: not any(map(is_alive, tree)), "the end of the job")
    os.close(write)
    with os.fdopen(read) as pipe:
        pipe.read()
    run.wait(79)


def RUN_9_a_supervisor_that_wakes_in_time_keeps_its_job(t):
    run = t.hold("n", "--ttl", "9s")
    supervisor = run.supervisor()
    os.kill(supervisor, signal.SIGSTOP)
    t.until(lambda: t.lock("n")["holders"][0]["expires_in_ms"] < 5500, "a missed renewal")
    os.kill(supervisor, signal.SIGCONT)
    t.until(lambda: t.lock("n")["holders"][0]["expires_in_ms"] > 7000, "a renewal")
    run.release().expect(0)


def RUN_9_on_lost_ignore_lets_the_job_of_a_frozen_supervisor_go_on(t):
    run = t.hold("n", "--ttl", "500ms", "--on-lost", "ignore")
    supervisor = run.supervisor()
    job = job_of(t, run)
    os.kill(supervisor, signal.SIGSTOP)
    t.until(lambda: t.lock("n")["state"] in ("free", "overdue"), "the end of the TTL")
    t.true(is_alive(job), "the job was killed")
    os.kill(supervisor, signal.SIGCONT)
    run.release().expect(79, "", re.compile("the job ran on"))


def RUN_9_a_run_frozen_as_a_whole_finds_its_lease_lost_on_waking(t):
    run = t.hold("n", "--ttl", "500ms")
    supervisor = run.supervisor()
    run.send(signal.SIGSTOP)
    os.kill(supervisor, signal.SIGSTOP)
    t.until(lambda: t.lock("n")["state"] in ("free", "overdue"), "the end of the TTL")
    os.kill(supervisor, signal.SIGCONT)
    run.send(signal.SIGCONT)
    run.wait(79)
