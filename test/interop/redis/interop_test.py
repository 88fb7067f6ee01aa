"""One key, leasehold on one side and a client of another language on the other.

usage: interop_test.py CLIENT PEERS_FOLDER OURS   (CLIENT: redis-py, node-redlock, ioredis, redsync, article or fleet)
Exit code 77: the client, or the server, cannot be had here.
"""
import os
import shutil
import sys
import tempfile
import threading
import time
import unittest

import peers
from server import PROGRAM, Server

SKIPPED = 77
NAME = "orders/42"
LONG = 20_000
SHORT = 700


class Side(unittest.TestCase):
    kind = ""
    kinds = None

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)

    def start(self, name):
        peer = self.kinds.start(name, self.server.port)
        self.addCleanup(peer.close)
        return peer


class Both(Side):
    """Each test in both directions."""

    def each_way(self):
        for holder, other in (("leasehold", self.kind), (self.kind, "leasehold")):
            with self.subTest(holder=holder):
                self.server.command("FLUSHALL")
                yield self.start(holder), self.start(other)

    def test_one_holds_and_the_other_is_refused(self):
        for holder, other in self.each_way():
            self.assertEqual(holder.ask(f"acquire {NAME} {LONG} 0"), "held")
            self.assertEqual(other.ask(f"acquire {NAME} {LONG} 0"), "busy")
            self.assertEqual(holder.ask("release"), "released")
            self.assertEqual(other.ask(f"acquire {NAME} {LONG} 0"), "held")

    def test_the_other_waits_and_gets_it_after_the_release(self):
        for holder, other in self.each_way():
            self.assertEqual(holder.ask(f"acquire {NAME} {LONG} 0"), "held")
            other.begin(f"acquire {NAME} {LONG} {LONG // 2}")
            time.sleep(0.3)
            began = time.monotonic()
            self.assertEqual(holder.ask("release"), "released")
            self.assertEqual(other.end(), "held")
            self.assertLess(time.monotonic() - began, LONG / 4000, "not by the TTL")

    def test_FAIL_a_holder_that_crashed_is_succeeded_after_its_ttl(self):
        for holder, other in self.each_way():
            began = time.monotonic()
            self.assertEqual(holder.ask(f"acquire {NAME} 1500 0"), "held")
            holder.crash()
            self.assertEqual(other.ask(f"acquire {NAME} {LONG} {LONG}"), "held")
            self.assertGreater(time.monotonic() - began, 1.4)

    def test_OWN_1_a_late_release_does_not_free_the_others_lock(self):
        late = self.start(self.kind)
        ours = self.start("leasehold")
        third = self.start(self.kind)
        self.assertEqual(late.ask(f"acquire {NAME} {SHORT} 0"), "held")
        self.assertEqual(ours.ask(f"acquire {NAME} {LONG} {LONG}"), "held")
        self.assertEqual(late.ask("release"), "lost")
        self.assertEqual(ours.ask("held"), "yes")
        self.assertEqual(third.ask(f"acquire {NAME} {LONG} 0"), "busy")

    def test_OWN_1_our_late_release_does_not_free_theirs(self):
        ours = self.start("leasehold")
        theirs = self.start(self.kind)
        third = self.start("leasehold")
        self.assertEqual(ours.ask(f"acquire {NAME} {LONG} 0"), "held")
        self.assertEqual(self.server.command("DEL", NAME), ":1")
        self.assertEqual(theirs.ask(f"acquire {NAME} {LONG} 0"), "held")
        self.assertEqual(ours.ask("release"), "lost")
        self.assertEqual(third.ask(f"acquire {NAME} {LONG} 0"), "busy")
        self.assertEqual(theirs.ask("release"), "released")


class Article(Side):
    """SET NX PX and a delete that compares nothing: exclusion holds while nobody's time runs out."""

    def test_exclusion_while_nobody_expires(self):
        ours, theirs = self.start("leasehold"), self.start("article")
        self.assertEqual(theirs.ask(f"acquire {NAME} {LONG} 0"), "held")
        self.assertEqual(ours.ask(f"acquire {NAME} {LONG} 0"), "busy")
        self.assertEqual(theirs.ask("release"), "released")
        self.assertEqual(ours.ask(f"acquire {NAME} {LONG} {LONG}"), "held")
        self.assertEqual(theirs.ask(f"acquire {NAME} {LONG} 0"), "busy")

    def test_its_blind_delete_is_told_as_a_loss_by_the_next_renewal(self):
        ours, theirs = self.start("leasehold"), self.start("article")
        self.assertEqual(theirs.ask(f"acquire {NAME} {SHORT} 0"), "held")
        self.assertEqual(ours.ask(f"acquire {NAME} 3000 {LONG}"), "held")
        self.assertEqual(theirs.ask("release"), "released", "it deletes what is ours")
        until = time.monotonic() + 3
        while ours.ask("held") == "yes":
            self.assertLess(time.monotonic(), until, "told late")
            time.sleep(0.02)


class Fleet(Side):
    """Everybody at once on one key."""

    def test_no_two_hold_together(self):
        seconds = float(os.environ.get("INTEROP_STRESS_SECONDS", "5"))
        folder = tempfile.mkdtemp(prefix="leasehold-fleet-")
        self.addCleanup(shutil.rmtree, folder, True)
        members = [self.start(name) for name in available(self.kinds, ("leasehold", "leasehold") + self.kinds.names)]
        answers = {}

        def play(member, number):
            answers[number, member.name] = member.ask(f"stress {NAME} 10000 {seconds} {folder}")

        threads = [threading.Thread(target=play, args=(m, i)) for i, m in enumerate(members)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print("fleet:", ", ".join(f"{name} {said}" for (_, name), said in sorted(answers.items())))
        self.assertEqual(len(answers), len(members), "one failed")
        self.assertNotIn("overlap", answers.values())
        for (_, name), said in answers.items():
            self.assertGreater(int(said.split()[1]), 0, f"{name} never got it")


def available(kinds, names):
    out = []
    for name in names:
        try:
            kinds.start(name, 1).close()
            out.append(name)
        except peers.Missing as why:
            print(f"the fleet goes without {name}: {why}")
    return out


def main(kind, folder, ours):
    kinds = peers.Kinds(folder, ours)
    suite = {"article": Article, "fleet": Fleet}.get(kind, Both)
    suite.kind, suite.kinds = kind, kinds
    try:
        peers.need(PROGRAM)
        if suite is not Fleet:
            kinds.start(kind, 1).close()
    except peers.Missing as why:
        print(f"SKIPPED: {kind}: {why}")
        return SKIPPED
    result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(suite))
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
