"""`leasehold elect`: one leader at a time, whose job is gone before the next one leads; what candidates and followers see."""
import json
import os
import re
import signal
import socket

from harness import ALIVE, descendants, is_alive, job_of

STUBBORN = "trap '' TERM; sh -c 'trap \"\" TERM; echo leads $LEASEHOLD_TOKEN; while :; do sleep 0.01; done' & wait"


def leader(t, *flags, job="echo leads $LEASEHOLD_TOKEN; read line; exit 0", **kwargs):
    """A candidate that leads, and the number of its term."""
    run = t.start("elect", "n", *flags, "--", "sh", "-c", job, **kwargs)
    return run, int(run.line().split()[1])


def depose(t, term):
    t.lh("break", "n", "--token", str(term), "--yes", "--reason", "r").expect(0)


def a_leader_resigns_when_its_command_ends_and_passes_its_exit_code_on(t):
    t.lh("elect", "n", "--", "sh", "-c", "leasehold check >/dev/null && echo $LEASEHOLD_NAME; exit 3").expect(3, "n\n", "")
    t.equal(t.lock("n")["state"], "free")


def ELECT_7_the_old_leaders_job_is_gone_before_another_leads(t):
    for flags in ([], ["--ttl", "1s"]):
        old, term = leader(t, *flags, "--one-term", job=STUBBORN)
        pids = " ".join(map(str, descendants(old.supervisor())))
        new = t.start("elect", "n", *flags, "--", "sh", "-c", f"{ALIVE} for p in {pids}; do alive $p && echo overlap; done; echo took")
        t.waiting("n")
        depose(t, term)
        new.wait().expect(0, "took\n")
        old.wait(79)


def ELECT_7_the_job_of_a_leader_that_is_killed_is_gone_before_another_leads(t):
    for which in ("front", "supervisor"):
        old, _ = leader(t, job=STUBBORN)
        pids = descendants(old.supervisor())
        new = t.start("elect", "n", "--", "sh", "-c", f"{ALIVE} for p in {' '.join(map(str, pids))}; do alive $p && echo overlap; done; echo took")
        t.waiting("n")
        os.kill(old.pid if which == "front" else old.supervisor(), signal.SIGKILL)
        new.wait().expect(0, "took\n")
        t.equal([pid for pid in pids if is_alive(pid)], [])


def ELECT_8_a_candidate_whose_term_was_lost_stands_again_with_a_larger_term(t):
    run, first = leader(t, "--on-lost", "echo lost $LEASEHOLD_TOKEN $LEASEHOLD_NAME")
    depose(t, first)
    t.equal(run.line(), f"lost {first} n")
    second = int(run.line().split()[1])
    t.true(second > first, f"term {second} after {first}")
    err = run.release().expect(0).err
    t.true("lost the lease of n; the job was stopped" in err, err)


def ELECT_8_on_lost_runs_once_the_job_is_gone(t):
    run, term = leader(t, "--one-term", "--on-lost", f"{ALIVE} for p in $(cat pids); do alive $p && echo overlap; done; echo lost", job=STUBBORN)
    t.file("pids", " ".join(map(str, descendants(run.supervisor()))))
    depose(t, term)
    run.wait().expect(79, "lost\n")


def ELECT_8_on_lost_that_fails_is_said_and_changes_nothing(t):
    run, term = leader(t, "--one-term", "--on-lost", "exit 7")
    depose(t, term)
    run.wait().expect(79, err=re.compile("--on-lost ended with 7"))


def with_one_term_a_lost_term_ends_the_candidate(t):
    run, term = leader(t, "--one-term", "--lost-exit-code", "33", "--status-file", "status")
    depose(t, term)
    run.wait(33)
    status = json.loads(t.read("status"))
    t.equal((status["outcome"], status["exit_code"], status["locks"][0]["token"]), ("lost", 33, term))


def ELECT_9_the_line_for_the_elected_comes_first_and_can_refuse_the_office(t):
    t.lh("elect", "n", "--on-elected", "echo up $LEASEHOLD_NAME; exit 0", "--", "echo", "two  words", "$HOME").expect(0, "up n\ntwo  words $HOME\n", "")
    t.lh("elect", "n", "--on-elected", "echo no; exit 9", "--", "echo", "led").expect(9, "no\n", "")
    t.lh("elect", "n", "--on-elected", "kill -TERM $$", "--", "echo", "led").expect(128 + signal.SIGTERM, "")
    t.lh("elect", "n", "--on-elected", "true", "--", "/nowhere").expect(127)
    t.equal(t.lock("n")["state"], "free")


def without_a_command_it_leads_until_it_is_stopped(t):
    run = t.start("elect", "n", "--on-elected", "echo up")
    t.equal(run.line(), "up")
    t.equal(t.lock("n")["state"], "held")
    run.send(signal.SIGTERM)
    run.wait(128 + signal.SIGTERM)
    t.equal(t.lock("n")["state"], "free")


def ELECT_10_a_signal_ends_the_candidacy_while_it_stands_and_while_it_leads(t):
    first, _ = leader(t)
    second = t.start("elect", "n", "--", "true")
    t.waiting("n")
    second.send(signal.SIGTERM)
    second.wait(128 + signal.SIGTERM)
    t.waiting("n", 0)
    job = job_of(t, first)
    first.send(signal.SIGTERM)
    first.wait(128 + signal.SIGTERM)
    t.true(not is_alive(job), "the job is gone")
    t.equal(t.lock("n")["state"], "free")


def ELECT_10_told_to_end_while_the_term_is_lost_it_does_not_stand_again(t):
    run, term = leader(t, job=STUBBORN)
    run.send(signal.SIGTERM)  # the job ignores it
    depose(t, term)
    run.wait(79)


def ELECT_10_told_to_end_during_on_lost_it_does_not_stand_again(t):
    run, term = leader(t, "--on-lost", "trap 'echo told; exit 0' TERM; echo lost; while :; do sleep 0.01; done")
    depose(t, term)
    t.equal(run.line(), "lost")
    run.send(signal.SIGTERM)
    run.wait().expect(79, "told\n")


def a_candidate_is_ready_for_systemd_as_soon_as_it_stands(t):
    first, _ = leader(t)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(t.file("notify"))
        listener.settimeout(20)
        second = t.start("elect", "n", "--", "sh", "-c", "echo leads; read line", env={"NOTIFY_SOCKET": t.file("notify")})
        t.equal(listener.recv(300).decode(), "READY=1")
        t.true(listener.recv(300).decode().startswith("STATUS=waiting for n"), "it says that it waits")
        first.release().expect(0)
        second.line()
        said = []
        t.until(lambda: said.append(listener.recv(300).decode()) or said[-1].startswith("STATUS=holding n, token "), "STATUS")
        second.release()


def what_cannot_be_is_refused(t):
    for args, text in ((["elect"], "elect needs NAME"), (["elect", "n"], "nothing to do when elected"),
                       (["elect", "n", "x", "--", "true"], "leasehold elect NAME -- COMMAND"), (["elect", "", "--", "true"], "lock name"),
                       (["elect", "n", "--observe", "--", "true"], "--observe does not stand"),
                       (["elect", "n", "--observe", "--on-lost", "true"], "--observe does not stand"),
                       (["elect", "n", "--interval", "1s", "--", "true"], "--interval needs --observe"),
                       (["elect", "n", "--on-elect", "true"], "did you mean --on-elected?"),
                       (["elect", "n", "--slots", "2", "--", "true"], "unknown flag --slots")):
        t.lh(*args).expect(64, "", re.compile(re.escape(text)))


def ELECT_11_followers_are_told_of_each_leader_once(t):
    follower = t.start("elect", "n", "--observe", "--interval", "10ms", "-o", "plain")
    t.equal(follower.line().split("\t")[1:], ["none", "n", "", ""])
    first, one = leader(t, "--identity", "a")
    t.equal(follower.line().split("\t")[1:], ["leader", "n", "a", str(one)])
    second = t.start("elect", "n", "--identity", "b", "--", "sh", "-c", "echo leads $LEASEHOLD_TOKEN; read line; exit 0")
    t.waiting("n")
    first.release().expect(0)
    two = second.line().split()[1]
    told = [follower.line().split("\t")[1:]]
    if told[0][0] == "none":
        told.append(follower.line().split("\t")[1:])
    t.equal(told[-1], ["leader", "n", "b", two])
    second.release().expect(0)
    t.equal(follower.line().split("\t")[1:], ["none", "n", "", ""])


def followers_see_leaders_in_every_format(t):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/cli/schema/leasehold-v1.schema.json")
    with open(path, encoding="utf-8") as file:
        rule = json.load(file)["$defs"]["leader"]
    _, term = leader(t, "--identity", "node-3")
    one = json.loads(t.start("elect", "n", "--observe", "--json").line())
    t.equal(sorted(one), sorted(rule["required"]))
    t.equal((one["kind"], one["name"], one["leader"]), ("leader", "n", {"identity": "node-3", "term": term}))
    t.equal(json.loads(t.start("elect", "free", "--observe", "-o", "ndjson").line())["leader"], None)
    t.equal(t.start("elect", "n", "--observe", "-o", "name").line(), "node-3")
    t.golden("elect_observe.txt", t.start("elect", "n", "--observe").line() + "\n" + t.start("elect", "free", "--observe").line() + "\n")


def the_help_is_golden(t):
    t.golden("help_elect.txt", t.lh("help", "elect").expect(0, err="").out, exact=True)
