"""Every row of the table of exit codes (leasehold-exit-codes(7))."""
import json
import os
import re
import resource
import signal

from harness import Skip, children, descendants, is_alive

ANY = re.compile("")


def RUN_2_the_jobs_exit_code_is_ours(t):
    for code in (0, 1, 3, 255):
        t.lh("run", "--name", "n", "--", "sh", "-c", f"exit {code}").expect(code, "", "")


def RUN_2_a_job_may_itself_return_75_and_the_status_file_tells(t):
    for code in (75, 79, 124):
        t.lh("run", "--name", "n", "--status-file", "status", "--", "sh", "-c", f"exit {code}").expect(code, "", "")
        status = json.loads(t.read("status"))
        t.equal((status["outcome"], status["exit_code"], status["job"]["exit_code"], status["code"]), ("completed", code, code, None))


def RUN_2_64_for_a_wrong_command_line(t):
    for args in (["run"], ["run", "--name", "n"], ["run", "--name", "n", "--"], ["run", "--", "true"], ["nonsense"],
                 ["run", "--name", "n", "--bogus", "--", "true"], ["run", "--name", "n", "-w", "soon", "--", "true"],
                 ["run", "--name", "n", "-n", "-w", "1", "--", "true"], ["run", "--name", "n", "-c", "true", "--", "true"],
                 ["run", "--name", "n", "-s", "--slots", "2", "--", "true"], ["run", "--name", "n", "true"], []):
        t.lh(*args).expect(64, "", re.compile(r"^leasehold: .*\[LH-USAGE\]\n"))


def RUN_2_64_for_an_unknown_scheme(t):
    t.lh("run", "-S", "nosuch:", "--name", "n", "--", "true").expect(64, "", re.compile("nosuch.*LH-BAD-OPTION"))


def RUN_2_69_when_the_store_has_no_room_and_the_job_does_not_start(t):
    def no_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    t.lh("run", "--name", "n", "--", "touch", "ran", preexec_fn=no_files).expect(69, "", re.compile("LH-STORE-UNREACHABLE"))
    t.true(not os.path.exists(t.file("ran")), "the job ran")


def RUN_2_70_when_the_supervisor_fails_before_the_job(t):
    t.hold("n")
    waiter = t.start("run", "--name", "n", "--", "touch", "ran")
    t.waiting("n")
    os.kill(waiter.supervisor(), signal.SIGKILL)
    waiter.wait().expect(70, "", re.compile("killed by signal 9.*LH-INTERNAL"))
    t.true(not os.path.exists(t.file("ran")), "the job ran")


def RUN_2_71_when_the_system_refuses(t):
    def no_descriptors():
        resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))

    t.lh("run", "--name", "n", "--", "true", preexec_fn=no_descriptors).expect(71, "", re.compile("LH-OS-REFUSED"))


def RUN_2_75_when_busy(t):
    t.hold("n")
    t.lh("run", "-n", "--name", "n", "--", "true").expect(75, "", re.compile("n is busy: held by .*LH-BUSY"))
    t.lh("run", "-w", "0.05", "--name", "n", "--", "true").expect(75, "", re.compile("LH-BUSY"))
    t.lh("run", "-n", "-E", "9", "--name", "n", "--", "true").expect(9, "", re.compile("LH-BUSY"))
    t.lh("run", "-n", "-E0", "--name", "n", "--", "true").expect(0, "", re.compile("LH-BUSY"))


def RUN_2_77_when_not_permitted(t):
    t.lh("init", f"local:{t.path}/locked/store").expect(0)
    os.chmod(t.file("locked"), 0)

    def become_nobody():
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)

    os.chmod(t.path, 0o755)
    if not os.access(t.binary, os.X_OK) or not others_reach(t.binary):
        raise Skip("an unprivileged user cannot reach the binary under test")
    result = t.lh("run", "-S", f"local:{t.path}/locked/store", "--name", "n", "--", "true", preexec_fn=become_nobody)
    os.chmod(t.file("locked"), 0o700)
    result.expect(77, "", re.compile("LH-NOT-PERMITTED"))


def others_reach(path):
    path = os.path.realpath(path)
    while path != "/":
        if not os.stat(path).st_mode & 0o001:
            return False
        path = os.path.dirname(path)
    return True


def RUN_2_78_names_file_and_line(t):
    path = t.file("c.toml", "default_store = 'local:'\n\nttl = '3s'\n")
    t.lh("run", "--config", path, "--name", "n", "--", "true").expect(78, "", re.compile(r'c\.toml:3: unknown key "ttl".*LH-CONFIG'))


def RUN_2_79_when_the_lease_is_lost(t):
    for flags, code in (([], 79), (["--lost-exit-code", "42"], 42)):
        job = t.hold("n", "--status-file", "status", *flags)
        token = t.lock("n")["holders"][0]["token"]
        t.lh("break", "n", "--token", str(token), "--yes", "--reason", "test", "--now").expect(0)
        job.wait().expect(code, "", re.compile("lost the lease of n.*LH-LEASE-LOST", re.DOTALL))
        status = json.loads(t.read("status"))
        t.equal((status["outcome"], status["code"], status["exit_code"]), ("lost", "LH-LEASE-LOST", code))


def RUN_2_124_when_max_runtime_is_reached(t):
    t.lh("run", "--name", "n", "--max-runtime", "0.1", "--status-file", "status", "--", "sleep", "60").expect(
        124, "", re.compile("--max-runtime 100ms reached.*LH-MAX-RUNTIME"))
    t.equal(json.loads(t.read("status"))["job"]["signal"], signal.SIGTERM)
    t.equal(t.lock("n")["state"], "free")


def RUN_2_124_kills_a_job_that_ignores_term(t):
    t.lh("run", "--name", "n", "--max-runtime", "0.1", "--kill-after", "0.1", "--", "sh", "-c", "trap '' TERM; sleep 60").expect(124)


def RUN_2_125_when_supervision_broke(t):
    job = t.hold("n", "--status-file", "status")
    os.kill(job.supervisor(), signal.SIGKILL)
    job.wait().expect(125, "", re.compile("killed by signal 9.*unknown result.*LH-SUPERVISION-BROKEN"))
    t.equal(json.loads(t.read("status"))["outcome"], "broken")


def RUN_2_126_when_it_cannot_be_executed(t):
    path = t.file("data", "no program\n", 0o644)
    t.lh("run", "--name", "n", "--", path).expect(126, "", re.compile("cannot execute .*data: Permission denied.*LH-CANNOT-EXECUTE"))


def RUN_2_127_when_it_is_not_found(t):
    t.lh("run", "--name", "n", "--", "no-such-command").expect(127, "", re.compile("command not found: no-such-command.*LH-NOT-FOUND"))
    t.equal(t.lock("n")["state"], "free")


def RUN_2_128_plus_the_signal_that_ended_the_job(t):
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV):
        t.lh("run", "--name", "n", "--status-file", "status", "--", "sh", "-c", f"kill -{int(number)} $$").expect(128 + number, "", "")
        t.equal(json.loads(t.read("status"))["job"]["signal"], number)


def CANCEL_2_a_signal_while_waiting_leaves_the_line_at_once(t):
    holder = t.hold("n")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
        waiter = t.start("run", "-q", "--name", "n", "--status-file", "status", "--", "touch", "ran")
        t.waiting("n")
        waiter.send(number)
        waiter.wait().expect(128 + number, "", "")
        t.waiting("n", 0)
        t.equal(json.loads(t.read("status"))["outcome"], "cancelled")
    holder.release().expect(0)
    t.true(not os.path.exists(t.file("ran")), "the job ran")


def CANCEL_2_a_dead_front_leaves_the_line(t):
    holder = t.hold("n")
    waiter = t.start("run", "-q", "--name", "n", "--", "touch", "ran")
    t.waiting("n")
    supervisor = waiter.supervisor()
    waiter.send(signal.SIGKILL)
    t.waiting("n", 0)
    t.until(lambda: not is_alive(supervisor), "the supervisor's end")
    holder.release().expect(0)
    t.true(not os.path.exists(t.file("ran")), "the job ran")


def other_commands_answer_no_with_1(t):
    t.lh("show", "n").expect(1, "n is free\n", "")
    t.lh("break", "n", "--token", "1", "--yes", "--reason", "r").expect(1, "", re.compile("nothing to break.*LH-TOKEN-MOVED"))
    t.hold("n")
    t.lh("break", "n", "--token", "99999999", "--yes", "--reason", "r").expect(1, "", re.compile("LH-TOKEN-MOVED"))
    t.lh("show", "n").expect(0)


def nothing_is_left_running_after_a_run(t):
    job = t.hold("n")
    tree = descendants(job.pid)
    t.true(len(tree) >= 2, "front, supervisor and job")
    job.release().expect(0)
    t.equal([pid for pid in tree if os.path.exists(f"/proc/{pid}")], [])
    t.equal(children(job.pid), [])
