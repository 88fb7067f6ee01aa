"""OWN-10 and RUN-3 together: what `leasehold break` leaves of a job is gone before the next one begins."""
import json
import os
import re

from harness import ALIVE, descendants

STUBBORN = "trap '' TERM; sh -c 'trap \"\" TERM; echo holds; while :; do sleep 0.01; done' & wait"


def broken(t, *flags, now=False, **kwargs):
    """A run of a job that ignores TERM, broken while another waits; returns both runs and when they were."""
    run = t.start("run", "--name", "n", *flags, "-c", STUBBORN, **kwargs)
    run.line()
    pids = " ".join(map(str, descendants(run.supervisor())))
    next_one = t.start("run", "--name", "n", *flags, "-c", f"{ALIVE} for p in {pids}; do alive $p && echo overlap; done; echo took")
    t.waiting("n")
    token = t.lock("n")["holders"][0]["token"]
    t.lh("break", "n", "--token", str(token), "--yes", "--reason", "stuck", *(["--now"] if now else [])).expect(0)
    return run, next_one


def fill(pipe):
    os.set_blocking(pipe, False)
    try:
        while True:
            os.write(pipe, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(pipe, True)


def OWN_10_a_broken_jobs_group_is_gone_before_the_next_holder_begins(t):
    for flags in ([], ["--slots", "1"], ["--ttl", "1s"], ["--slots", "1", "--ttl", "1s"]):
        run, next_one = broken(t, *flags)
        next_one.wait().expect(0, "took\n")
        run.wait(79)


def OWN_10_a_patient_kill_after_does_not_outlast_the_lock_delay(t):
    run, next_one = broken(t, "--kill-after", "1m")
    next_one.wait().expect(0, "took\n")
    run.wait(79)


def OWN_10_now_hands_over_beside_the_job(t):
    """The other side of the promise: with --now the next holder begins although the job still has its time to stop."""
    run, next_one = broken(t, now=True)
    next_one.wait().expect(0, re.compile("overlap"))
    run.wait(79)


def OWN_10_break_says_how_long_the_name_stays_busy(t):
    t.hold("n")
    token = t.lock("n")["holders"][0]["token"]
    out = t.lh("break", "n", "--token", str(token), "--yes", "--reason", "r", "--json").expect(0).out
    left = json.loads(out)["free_in_ms"]
    t.true(0 < left <= 2000, f"free in {left} ms")


def break_and_run_tell_of_the_lock_delay(t):
    for text in (t.lh("help", "break").out, t.lh("help", "run").out):
        t.true(re.search(r"two seconds", " ".join(text.split())) is not None, text)


def OWN_10_a_blocked_stderr_does_not_hold_up_the_end_of_a_broken_job(t):
    """Nobody reads what the run has to say (a paused pager, ^S at the terminal)."""
    read, write = os.pipe()
    fill(write)
    run, next_one = broken(t, stderr=write)
    next_one.wait().expect(0, "took\n")
    os.close(write)
    with os.fdopen(read) as pipe:
        pipe.read()
    run.wait(79)
