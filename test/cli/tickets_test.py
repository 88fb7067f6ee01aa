"""acquire, renew, release: leases for pipelines that cannot wrap one process."""
import json
import re


def acquire_prints_a_ticket_and_holds(t):
    result = t.lh("acquire", "n", "--ttl", "30s", "--identity", "me", "--reason", "deploy").expect(0, re.compile(r"^\S+\n$"), re.compile("nothing renews it"))
    lock = t.lock("n")
    t.equal((lock["state"], lock["holders"][0]["identity"], lock["holders"][0]["reason"]), ("held", "me", "deploy"))
    t.lh("run", "-n", "--name", "n", "--", "true").expect(75)
    t.lh("release", "n", "--ticket", result.out.strip()).expect(0, "", "")
    t.equal(t.lock("n")["state"], "free")


def a_ticket_comes_by_flag_by_variable_or_by_stdin(t):
    for give in (lambda ticket: {"args": ["--ticket", ticket]}, lambda ticket: {"env": {"LEASEHOLD_TICKET": ticket}},
                 lambda ticket: {"stdin": ticket + "\n"}, lambda ticket: {"args": ["--ticket", "-"], "stdin": ticket}):
        ticket = t.lh("acquire", "n", "--ttl", "30s", "-q").expect(0, err="").out.strip()
        given = give(ticket)
        t.lh("release", "n", *given.pop("args", []), **given).expect(0, "", "")


def acquire_in_json_can_be_piped_into_release(t):
    text = t.lh("acquire", "n", "--ttl", "30s", "--json").expect(0, err="").out
    document = json.loads(text)
    t.true(20000 < document["remaining_ms"] <= 30000 and document["token"] > 0, document)
    t.lh("release", "n", stdin=text).expect(0, "", "")


def renew_extends_and_prints_the_ticket_to_use(t):
    ticket = t.lh("acquire", "n", "--ttl", "2s", "-q").expect(0).out.strip()
    before = t.lock("n")["holders"][0]
    t.until(lambda: t.lock("n")["holders"][0]["expires_in_ms"] < 1500, "half a second")
    ticket = t.lh("renew", "n", "--ticket", ticket, "-q").expect(0, err="").out.strip()
    after = t.lock("n")["holders"][0]
    t.true(after["expires_in_ms"] > 1500, after)
    t.equal(after["token"], before["token"])
    t.lh("release", "n", "--ticket", ticket).expect(0)


def RENEW_2_an_expired_ticket_is_lost_for_good(t):
    ticket = t.lh("acquire", "n", "--ttl", "300ms", "-q").expect(0).out.strip()
    t.lh("run", "-w", "20", "--name", "n", "--", "true").expect(0)
    t.lh("renew", "n", "--ticket", ticket).expect(79, "", re.compile("LH-LEASE-LOST|LH-LEASE-EXPIRED|LH-NOT-OWNER"))
    t.lh("release", "n", "--ticket", ticket).expect(79)


def OWN_1_a_ticket_of_an_older_lease_releases_nothing(t):
    ticket = t.lh("acquire", "n", "--ttl", "300ms", "-q").expect(0).out.strip()
    t.lh("run", "-w", "20", "--name", "n", "--", "true").expect(0)
    t.hold("n")
    t.lh("release", "n", "--ticket", ticket).expect(79)
    t.equal(t.lock("n")["state"], "held")


def a_released_ticket_is_worth_nothing(t):
    ticket = t.lh("acquire", "n", "--ttl", "30s", "-q").expect(0).out.strip()
    t.lh("release", "n", "--ticket", ticket).expect(0)
    t.lh("release", "n", "--ticket", ticket).expect(79)


def tickets_that_are_none_are_refused(t):
    t.lh("acquire", "n", "--ttl", "30s", "-q").expect(0)
    t.lh("release", "n").expect(64, "", re.compile("no ticket"))
    for ticket in ("x", "../..", "A" * 5000, '{"ticket": 5}', "é"):
        result = t.lh("release", "n", "--ticket", ticket)
        t.true(result.code in (64, 79), f"{ticket[:20]!r}: {result!r}")
    t.equal(t.lock("n")["state"], "held")


def a_ticket_is_good_for_its_own_name_only(t):
    ticket = t.lh("acquire", "a", "--ttl", "30s", "-q").expect(0).out.strip()
    t.lh("acquire", "b", "--ttl", "30s", "-q").expect(0)
    t.true(t.lh("release", "b", "--ticket", ticket).code in (64, 79), "b was released with a's ticket")
    t.equal(t.lock("b")["state"], "held")


def acquire_needs_a_ttl(t):
    t.lh("acquire", "n").expect(64, "", re.compile("needs --ttl"))
    t.lh("acquire", "n", env={"LEASEHOLD_CONFIG": t.file("c.toml", "[lock.n]\nttl = '5s'\n")}).expect(0)


def acquire_waits_or_not(t):
    holder = t.hold("n")
    t.lh("acquire", "n", "--ttl", "5s", "-n").expect(75, "", re.compile("n is busy.*LH-BUSY"))
    t.lh("acquire", "n", "--ttl", "5s", "-w", "50ms").expect(75)
    waiter = t.start("acquire", "n", "--ttl", "5s", "-q")
    t.waiting("n")
    holder.release().expect(0)
    waiter.wait(0)
