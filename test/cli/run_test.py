"""What a job gets, and what holding means: environment, descriptors, groups, several names, bounds."""
import json
import os
import re
import signal
import time

from harness import descendants, is_alive

ENVIRONMENT = ["sed", "-z", "/^LEASEHOLD_/!d; s/$/\\n/", "/proc/self/environ"]  # as it is, duplicates included


def runs_without_any_configuration(t):
    t.lh("run", "--name", "nightly", "--", "echo", "done", env={"LEASEHOLD_CONFIG": None, "XDG_STATE_HOME": None}).expect(0, "done\n", "")
    t.true(os.path.exists(t.file(".local/state/leasehold/store")), "no store in ~/.local/state")


def runs_a_shell_line(t):
    t.lh("run", "--name", "n", "-c", "echo a | tr a b; exit 4").expect(4, "b\n", "")


def RUN_7_the_job_gets_name_token_and_no_credentials(t):
    job = t.lh("run", "--name", "n", "--ttl", "30s", "--identity", "me", "--", *ENVIRONMENT,
               env={"LEASEHOLD_TOKEN": "stale", "LEASEHOLD_SOCKET": "stale", "LEASEHOLD_HOLDER": "stale"}).expect(0)
    lines = job.out.replace("\0", "").splitlines()
    values = dict(line.split("=", 1) for line in lines)
    t.equal(sorted(values), sorted(line.split("=")[0] for line in lines))
    t.equal(values["LEASEHOLD_NAME"], "n")
    t.equal(values["LEASEHOLD_STORE"], "local:")
    t.equal(values["LEASEHOLD_HOLDER"], "me")
    t.equal(values["LEASEHOLD_TTL_MS"], "30000")
    t.true(int(values["LEASEHOLD_TOKEN"]) > 0, "no token")
    t.true(values["LEASEHOLD_SOCKET"].startswith("@leasehold/"), "no socket")


def RUN_7_a_nested_run_clears_the_outer_set(t):
    line = "leasehold run --name inner -c 'echo $LEASEHOLD_NAME $LEASEHOLD_TTL_MS; leasehold check'"
    t.lh("run", "--name", "outer", "--ttl", "20s", "-c", line).expect(0, "inner 0\nno limit\n", "")


def RUN_7_tokens_grow_from_run_to_run(t):
    tokens = [int(t.lh("run", "--name", "n", "-c", "echo $LEASEHOLD_TOKEN").expect(0).out) for _ in range(3)]
    t.true(tokens == sorted(set(tokens)), f"tokens do not grow: {tokens}")


def RUN_7_no_descriptor_of_ours_is_inherited(t):
    for flags in ([], ["--ttl", "30s"], ["--status-fd", "2"]):
        open_ones = t.lh("run", "--name", "n", *flags, "--", "ls", "/proc/self/fd").expect(0).out.split()
        t.equal(open_ones, ["0", "1", "2", "3"])  # 3 is ls's own


def RUN_7_the_callers_descriptors_are_inherited(t):
    read, write = os.pipe()
    t.lh("run", "--name", "n", "-c", f"echo hello >&{write}", pass_fds=[write]).expect(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        t.equal(pipe.read(), "hello\n")


def RUN_8_stdin_and_stdout_belong_to_the_job(t):
    t.lh("run", "-v", "--name", "n", "--", "cat", stdin="abc").expect(0, "abc", re.compile("holding n, token"))


def the_job_gets_default_signals_and_an_empty_mask(t):
    status = t.lh("run", "--name", "n", "--", "cat", "/proc/self/status").expect(0).out
    t.equal(re.search(r"SigBlk:\s*(\w+)", status).group(1), "0" * 16)
    t.equal(int(re.search(r"SigIgn:\s*(\w+)", status).group(1), 16) & (1 << (signal.SIGTERM - 1)), 0)


def an_ignored_hangup_stays_ignored(t):
    status = t.lh("run", "--name", "n", "--", "cat", "/proc/self/status",
                  preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)).expect(0).out
    t.equal(int(re.search(r"SigIgn:\s*(\w+)", status).group(1), 16) & 1, 1)


def two_runs_never_overlap(t):
    line = "mkdir inside || echo overlap >> bad; sleep 0.02; rmdir inside; echo x >> runs"
    jobs = [t.start("run", "-q", "--name", "n", "-c", line) for _ in range(8)]
    for job in jobs:
        job.wait(0)
    t.equal((t.read("bad"), len(t.read("runs").splitlines())), ("", 8))


def MULTI_1_several_names_are_sorted_and_taken_once(t):
    out = t.lh("run", "--name", "b", "--name", "a", "--name", "b", "-c", 'echo "$LEASEHOLD_NAME"; leasehold ls -o name').expect(0).out
    t.equal(out, "a\nb\na\nb\n")


def MULTI_2_all_names_or_none(t):
    t.hold("b")
    t.lh("run", "-n", "--name", "a", "--name", "b", "--name", "c", "--", "true").expect(75, "", re.compile("b is busy"))
    t.equal(t.lh("ls", "-o", "name").out, "b\n")


def MULTI_3_the_loss_of_one_name_is_the_loss_of_all(t):
    job = t.start("run", "--name", "a", "--name", "b", "-c", "echo holds; read line")
    job.line()
    token = t.lock("b")["holders"][0]["token"]
    t.lh("break", "b", "--token", str(token), "--yes", "--reason", "r", "--now").expect(0)
    job.wait().expect(79, "", re.compile("lost the lease of b"))
    t.equal(t.lock("a")["state"], "free")


def readers_share_and_exclude_a_writer(t):
    one, two = t.hold("n", "-s"), t.hold("n", "-s")
    t.lh("run", "-n", "--name", "n", "--", "true").expect(75)
    one.release().expect(0)
    two.release().expect(0)
    t.lh("run", "-n", "--name", "n", "--", "true").expect(0)


def slots_admit_so_many_and_no_more(t):
    held = [t.hold("n", "--slots", "2") for _ in range(2)]
    t.lh("run", "-n", "--name", "n", "--slots", "2", "--", "true").expect(75)
    held[0].release().expect(0)
    t.lh("run", "-n", "--name", "n", "--slots", "2", "--", "true").expect(0)


def NAME_4_another_kind_of_lock_is_an_error_of_its_own(t):
    t.hold("n", "--slots", "2")
    t.lh("run", "-n", "--name", "n", "--", "true").expect(78, "", re.compile("LH-MODE-MISMATCH"))


def RUN_5_the_lease_is_held_until_the_whole_group_is_gone(t):
    job = t.start("run", "--name", "n", "-c", "sh -c 'read line < fifo' & echo started; exit 3", preexec_fn=lambda: os.mkfifo(t.file("fifo")))
    t.equal(job.line(), "started")
    supervisor = job.supervisor()
    t.until(lambda: len(descendants(supervisor)) == 1, "the direct child's end")
    t.equal(t.lock("n")["state"], "held")
    with open(t.file("fifo"), "w", encoding="ascii") as fifo:
        fifo.write("go\n")
    job.wait(3)
    t.equal(t.lock("n")["state"], "free")


def RUN_5_a_daemon_outlives_the_run_unless_wait_tree(t):
    os.mkfifo(t.file("fifo"))
    line = "setsid sh -c 'echo $$ > pid; read line < fifo' > /dev/null 2>&1 & while [ ! -s pid ]; do :; done"
    t.lh("run", "--name", "n", "-c", line, env={"PATH": "/usr/bin:/bin"}).expect(0)
    daemon = int(t.read("pid"))
    t.true(is_alive(daemon), "the daemon is gone")
    os.kill(daemon, signal.SIGKILL)
    os.unlink(t.file("pid"))
    job = t.start("run", "--name", "n", "--wait-tree", "-c", line + "; echo started")
    t.equal(job.line(), "started")
    supervisor = job.supervisor()
    t.until(lambda: len(descendants(supervisor)) == 1, "the direct child's end")
    t.equal(t.lock("n")["state"], "held")
    os.kill(int(t.read("pid")), signal.SIGKILL)
    job.wait(0)
    t.equal(t.lock("n")["state"], "free")


def hold_at_least_keeps_the_name_busy_after_a_short_job(t):
    t.lh("run", "--name", "n", "--hold-at-least", "30s", "--", "true").expect(0)
    t.equal(t.lock("n")["state"], "held_off")
    t.lh("run", "-n", "--name", "n", "--", "true").expect(75)
    t.lh("run", "--name", "m", "--hold-at-least", "50ms", "--", "true").expect(0)
    t.lh("run", "-w", "10", "--name", "m", "--", "true").expect(0)


def RUN_3_a_lost_lease_stops_the_job_although_it_exits_0(t):
    job = t.start("run", "--name", "n", "-c", "trap 'exit 0' TERM; echo holds; while :; do sleep 0.01; done")
    job.line()
    token = t.lock("n")["holders"][0]["token"]
    t.lh("break", "n", "--token", str(token), "--yes", "--reason", "r").expect(0)
    job.wait().expect(79, "", re.compile("LH-LEASE-LOST"))


def RUN_3_a_job_that_ignores_term_is_killed(t):
    job = t.start("run", "--name", "n", "--kill-after", "0.2", "-c", "trap '' TERM; echo holds; while :; do sleep 0.01; done")
    job.line()
    token = t.lock("n")["holders"][0]["token"]
    t.lh("break", "n", "--token", str(token), "--yes", "--reason", "r", "--now").expect(0)
    job.wait(79)


def RUN_3_on_lost_kill_does_not_ask(t):
    job = t.start("run", "--name", "n", "--on-lost", "kill", "--status-file", "status", "-c", "trap 'exit 0' TERM; echo holds; while :; do sleep 0.01; done")
    job.line()
    token = t.lock("n")["holders"][0]["token"]
    t.lh("break", "n", "--token", str(token), "--yes", "--reason", "r", "--now").expect(0)
    job.wait(79)
    t.equal(json.loads(t.read("status"))["job"]["signal"], signal.SIGKILL)


def RUN_3_on_lost_ignore_warns_and_lets_the_job_end(t):
    job = t.hold("n", "--on-lost", "ignore", "--status-file", "status")
    token = t.lock("n")["holders"][0]["token"]
    t.lh("break", "n", "--token", str(token), "--yes", "--reason", "r", "--now").expect(0)
    t.until(lambda: t.lock("n")["state"] == "free", "the eviction")
    job.release().expect(79, "", re.compile("WARNING: the lease of n is lost and the job goes on.*the job ran on", re.DOTALL))
    t.equal(json.loads(t.read("status"))["job"]["exit_code"], 0)


def RUN_6_a_stopped_front_does_not_stop_renewal(t):
    job = t.hold("n", "--ttl", "600ms")
    job.send(signal.SIGSTOP)
    end = time.monotonic() + 1.5  # two TTLs: only renewal keeps it
    t.until(lambda: time.monotonic() > end or t.lock("n")["state"] != "held", "two TTLs")
    t.equal(t.lock("n")["state"], "held")
    job.send(signal.SIGCONT)
    job.release().expect(0)


def check_answers_inside_a_job(t):
    t.lh("run", "--name", "n", "--", "leasehold", "check").expect(0, "no limit\n", "")
    t.lh("run", "--name", "n", "--ttl", "30s", "--", "leasehold", "check").expect(0, re.compile(r"^(29|30)s\n$"), "")
    state = json.loads(t.lh("run", "--name", "n", "--ttl", "30s", "--", "leasehold", "check", "--json").expect(0).out)
    t.true(state["held"] and 20000 < state["remaining_ms"] <= 30000 and state["locks"][0]["name"] == "n", state)


def check_answers_79_once_the_lease_is_lost(t):
    line = "trap '' TERM; echo holds; read line; leasehold check; echo $?"
    job = t.start("run", "--name", "n", "--on-lost", "ignore", "-c", line)
    job.line()
    token = t.lock("n")["holders"][0]["token"]
    t.lh("break", "n", "--token", str(token), "--yes", "--reason", "r", "--now").expect(0)
    job.release().expect(79, re.compile("79\n$"), re.compile("the lease is lost: stop what it protects"))


def check_outside_a_job_is_a_usage_error(t):
    t.lh("check").expect(64, "", re.compile("LEASEHOLD_SOCKET is not set"))
    t.lh("check", env={"LEASEHOLD_SOCKET": "@leasehold/none"}).expect(79, "", re.compile("the supervisor is gone"))


def dry_run_says_and_does_nothing(t):
    result = t.lh("run", "--dry-run", "-w", "5m", "--name", "b", "--name", "a", "--ttl", "30s", "--", "echo", "a b").expect(0)
    t.golden("dry_run.txt", result.out)
    t.equal(t.lh("ls", "-o", "name").out, "")


def the_status_descriptor_gets_the_same_object(t):
    read, write = os.pipe()
    t.lh("run", "--name", "n", "--status-fd", str(write), "-c", f"[ ! -e /proc/self/fd/{write} ]", pass_fds=[write]).expect(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        t.golden("status.json", pipe.read())


def systemd_is_told(t):
    import socket
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(t.file("notify"))
        listener.settimeout(20)
        job = t.hold("n", env={"NOTIFY_SOCKET": t.file("notify")})
        token = t.lock("n")["holders"][0]["token"]
        t.equal(listener.recv(200).decode(), f"STATUS=holding n, token {token}")
        t.equal(listener.recv(200).decode(), "READY=1")
        job.release().expect(0)
        t.equal(listener.recv(200).decode(), "STOPPING=1")


def elsewhere_than_on_a_terminal_waiting_is_one_line_per_holder(t):
    first = t.hold("n")
    waiter = t.start("run", "--name", "n", "--", "true")
    t.waiting("n")
    first.release().expect(0)
    err = waiter.wait(0).err
    t.golden("waiting.txt", err)


def a_quiet_wait_says_nothing(t):
    first = t.hold("n")
    waiter = t.start("run", "-q", "--name", "n", "--", "true")
    t.waiting("n")
    first.release().expect(0)
    waiter.wait().expect(0, "", "")
