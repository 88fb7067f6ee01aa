"""leasehold once: one completion per window, its stdout for everybody after; what failed, crashed or was lost is not recorded."""
import json
import os
import re
import signal

from harness import children, job_of
from redis_test import Case as WithRedis


def Case(binary):
    return WithRedis(binary)


COUNT = "echo x >> runs; echo out $(wc -l < runs); echo err >&2"


def runs(t):
    return len(t.read("runs").splitlines())


def ONCE_1_the_second_call_runs_nothing_and_prints_what_the_first_stored(t):
    for _ in range(2):
        t.lh("once", "--key", "k", "--window", "1d", "-c", COUNT).expect(0, "out 1\n")
    t.equal(runs(t), 1)
    t.lh("once", "--key", "k", "--window", "1d", "-v", "-c", COUNT).expect(0, "out 1\n", re.compile("k was done before"))
    t.equal(t.lock("k")["state"], "free")
    t.lh("once", "--key", "other", "--window", "1d", "-c", COUNT).expect(0, "out 2\n", "err\n")


def ONCE_1_calls_at_once_share_one_run(t):
    calls = [t.start("once", "--key", "k", "--window", "1d", "-c", COUNT) for _ in range(6)]
    for call in calls:
        call.wait().expect(0, "out 1\n")
    t.equal(runs(t), 1)


def ONCE_1_on_redis_too(t):
    t.ready()
    flags = ("-S", t.url(), "--key", "k", "--window", "1d", "-c", COUNT)
    t.lh("once", *flags).expect(0, "out 1\n", "err\n")
    t.lh("once", *flags).expect(0, "out 1\n", "")
    t.equal(runs(t), 1)


def ONCE_2_after_the_window_it_runs_again(t):
    t.lh("once", "--key", "k", "--window", "50ms", "-c", COUNT).expect(0, "out 1\n")
    t.until(lambda: t.lh("once", "--key", "k", "--window", "1d", "-c", COUNT).expect(0).out == "out 2\n", "the end of the window")


def ONCE_3_a_crash_in_the_middle_is_retried_and_told(t):
    first = t.start("once", "--key", "k", "--window", "1d", "--identity", "doomed", "--", "sh", "-c", "echo began >&2; exec sleep 60")
    job = job_of(t, first)
    supervisor = first.supervisor()
    for process in (supervisor, first.pid, job):  # all at once: the machine crashed
        os.kill(process, signal.SIGSTOP)
    for process in (supervisor, first.pid, job):
        os.kill(process, signal.SIGKILL)
    first.wait(-signal.SIGKILL)
    again = t.lh("once", "--key", "k", "--window", "1d", "-c", COUNT)
    again.expect(0, "out 1\n", re.compile(r"the attempt before did not finish: doomed \(.*\) died at \d\d:"))
    t.lh("once", "--key", "k", "--window", "1d", "-c", COUNT).expect(0, "out 1\n", "")


def ONCE_4_a_job_that_lost_its_lease_is_not_recorded(t):
    first = t.start("once", "--key", "k", "--window", "1d", "--", "sh", "-c", "trap 'echo late; exit 0' TERM; echo >&2; while :; do sleep 0.01; done")
    first.process.stderr.readline()
    t.lh("break", "k", "--token", str(t.lock("k")["holders"][0]["token"]), "--reason", "test", "--now", "--yes").expect(0)
    first.wait().expect(79, "late\n", re.compile("LH-LEASE-LOST"))
    t.lh("once", "--key", "k", "--window", "1d", "-c", COUNT).expect(0, "out 1\n")


def ONCE_5_a_job_that_fails_is_not_recorded_and_its_exit_code_is_ours(t):
    for code in (1, 3, 75):
        t.lh("once", "--key", "k", "--window", "1d", "--", "sh", "-c", f"echo bad; exit {code}").expect(code, "bad\n", "")
    t.lh("once", "--key", "k", "--window", "1d", "--", "sh", "-c", "kill -9 $$").expect(128 + 9, "")
    t.lh("once", "--key", "k", "--window", "1d", "--max-runtime", "100ms", "--", "sleep", "60").expect(124, "", re.compile("LH-MAX-RUNTIME"))
    t.lh("once", "--key", "k", "--window", "1d", "--", "no-such-command").expect(127, "", re.compile("LH-NOT-FOUND"))
    t.lh("once", "--key", "k", "--window", "1d", "-c", COUNT).expect(0, "out 1\n", "err\n")


def ONCE_6_a_long_output_is_printed_whole_and_cut_in_the_record(t):
    whole = t.lh("once", "--key", "k", "--window", "1d", "-c", "seq 100000").expect(0).out
    t.equal(len(whole.splitlines()), 100000)
    kept = t.lh("once", "--key", "k", "--window", "1d", "-c", COUNT).expect(0, err="").out
    t.equal(len(kept), 4096)
    t.true(kept.startswith("1\n2\n") and kept.endswith(f"\n[cut: {len(whole)} bytes in all]\n"), kept[-80:])


def ONCE_6_an_empty_output_counts_as_done(t):
    t.lh("once", "--key", "k", "--window", "1d", "-c", "echo x >> runs").expect(0, "", "")
    t.lh("once", "--key", "k", "--window", "1d", "-c", "echo x >> runs").expect(0, "", "")
    t.equal(runs(t), 1)


def ONCE_9_whoever_does_not_wait_is_told_who_is_at_it(t):
    t.hold("k", "--identity", "me")
    t.lh("once", "-n", "--key", "k", "--window", "1d", "-c", COUNT).expect(75, "", re.compile(r"k is busy: held by me.*\[LH-BUSY\]"))
    t.lh("once", "-w", "50ms", "-E", "0", "--key", "k", "--window", "1d", "-c", COUNT).expect(0, "")
    t.equal(runs(t), 0)


def ONCE_9_a_signal_while_waiting_leaves_the_line(t):
    t.hold("k")
    waiter = t.start("once", "--key", "k", "--window", "1d", "-c", COUNT)
    t.waiting("k")
    waiter.send(signal.SIGTERM)
    waiter.wait().expect(128 + signal.SIGTERM, "")
    t.waiting("k", 0)
    t.equal(runs(t), 0)


def ONCE_9_a_signal_ends_the_job_and_records_nothing(t):
    first = t.start("once", "--key", "k", "--window", "1d", "--", "sh", "-c", "echo >&2; exec sleep 60")
    first.process.stderr.readline()
    first.send(signal.SIGTERM)
    first.wait().expect(128 + signal.SIGTERM, "")
    t.lh("once", "--key", "k", "--window", "1d", "-c", COUNT).expect(0, "out 1\n", "err\n")


def ONCE_12_wrong_command_lines(t):
    for args in (["--window", "1d", "--", "true"], ["--key", "k", "--", "true"], ["--key", "k", "--window", "1d"],
                 ["--key", "k", "--window", "0", "--", "true"], ["--key", "k", "--window", "367d", "--", "true"],
                 ["--key", "k", "--window", "soon", "--", "true"], ["--key", "k", "--window", "1d", "-s", "--", "true"]):
        t.lh("once", *args).expect(64, "", re.compile(r"^leasehold: .*\[LH-USAGE\]\n"))
    t.lh("once", "--key", "", "--window", "1d", "--", "true").expect(64, "", re.compile("LH-BAD-NAME"))
    config = t.file("config.toml", "[lock.k]\nslots = 3\n")
    t.lh("once", "--config", config, "--key", "k", "--window", "1d", "--", "true").expect(78, "", re.compile("semaphore of k.*LH-CONFIG"))


def ONCE_10_a_store_that_records_nothing_refuses_before_anything_runs(t):
    nodes = "&".join(f"node=redis%2Bunix%3A%2F%2F%2Fnowhere{i}" for i in range(3))
    t.lh("once", "-S", f"redlock:?{nodes}&lazy=1", "--key", "k", "--window", "1d", "-c", COUNT).expect(64, "", re.compile("LH-UNSUPPORTED"))
    t.equal(runs(t), 0)


def once_help(t):
    t.golden("help_once.txt", t.lh("help", "once").expect(0, err="").out, exact=True)
