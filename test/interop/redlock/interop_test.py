"""Five servers, one key: leasehold as a majority on one side and node-redlock or redsync on the other, or all of them at once.

usage: interop_test.py CLIENT PEERS_FOLDER OURS   (CLIENT: node-redlock, redsync or fleet)
Exit code 77: the client, or the server, cannot be had here.
"""
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "redis"))
import peers  # noqa: E402
from server import PROGRAM, Server  # noqa: E402

SKIPPED = 77
NODES = 5
NAME = "orders/42"
LONG = 20_000
OTHERS = ("node-redlock", "redsync")


class Nodes(unittest.TestCase):
    kind = ""
    kinds = None

    def setUp(self):
        self.servers = [Server() for _ in range(NODES)]
        for server in self.servers:
            self.addCleanup(server.close)
        self.addCleanup(self.thaw)
        self.ports = ",".join(str(s.port) for s in self.servers)
        self.ask_once("leasehold")  # initializes the nodes

    def thaw(self):
        for server in self.servers:
            if server.process.poll() is None:
                server.process.send_signal(signal.SIGCONT)

    def start(self, name):
        peer = self.kinds.start(name, self.ports)
        self.addCleanup(peer.close)
        return peer

    def ask_once(self, name):
        peer = self.start(name)
        self.assertEqual(peer.ask(f"acquire first/{name} {LONG} {LONG}"), "held")
        self.assertEqual(peer.ask("release"), "released")
        return peer


class Both(Nodes):
    """Each test in both directions, with all nodes and with one that is dead."""

    def each_way(self):
        for dead in (None, 1):
            if dead is not None:
                self.servers[dead].process.kill()
            for holder, other in (("leasehold", self.kind), (self.kind, "leasehold")):
                with self.subTest(holder=holder, dead=dead):
                    for number, server in enumerate(self.servers):
                        if number != dead:
                            server.command("DEL", NAME)
                    yield self.start(holder), self.start(other)

    def test_one_holds_and_the_other_is_refused(self):
        for holder, other in self.each_way():
            self.assertEqual(holder.ask(f"acquire {NAME} {LONG} 0"), "held")
            self.assertEqual(other.ask(f"acquire {NAME} {LONG} 0"), "busy")
            self.assertEqual(holder.ask("release"), "released")
            self.assertEqual(other.ask(f"acquire {NAME} {LONG} {LONG}"), "held")

    def test_FAIL_a_holder_that_crashed_is_succeeded_after_its_ttl(self):
        for holder, other in self.each_way():
            began = time.monotonic()
            self.assertEqual(holder.ask(f"acquire {NAME} 1500 0"), "held")
            holder.crash()
            self.assertEqual(other.ask(f"acquire {NAME} {LONG} {LONG}"), "held")
            self.assertGreater(time.monotonic() - began, 1.4)

    def test_OWN_1_a_late_release_does_not_free_the_others_lock(self):
        for late, other in self.each_way():
            if late.name == "leasehold":
                continue  # it renews; nothing of its is ever late
            self.assertEqual(late.ask(f"acquire {NAME} 700 0"), "held")
            self.assertEqual(other.ask(f"acquire {NAME} {LONG} {LONG}"), "held")
            self.assertEqual(late.ask("release"), "lost")
            self.assertEqual(other.ask("held"), "yes")
            self.assertEqual(self.start(self.kind).ask(f"acquire {NAME} {LONG} 0"), "busy")


class Fleet(Nodes):
    """Everybody at once on one key."""

    def setUp(self):
        super().setUp()
        self.members = [self.start(name) for name in available(self.kinds, ("leasehold", "leasehold") + OTHERS)]
        for number, member in enumerate(self.members):
            self.assertEqual(member.ask(f"acquire first/{number} {LONG} {LONG}"), "held")
            self.assertEqual(member.ask("release"), "released")

    def play(self, seconds, in_the_middle=None):
        folder = tempfile.mkdtemp(prefix="leasehold-fleet-")
        self.addCleanup(shutil.rmtree, folder, True)
        answers = {}

        def one(member, number):
            answers[number, member.name] = member.ask(f"stress {NAME} 10000 {seconds} {folder}")

        threads = [threading.Thread(target=one, args=(m, i)) for i, m in enumerate(self.members)]
        for thread in threads:
            thread.start()
        if in_the_middle:
            time.sleep(seconds / 4)
            in_the_middle()
        for thread in threads:
            thread.join()
        print("fleet:", ", ".join(f"{name} {said}" for (_, name), said in sorted(answers.items())))
        self.assertEqual(len(answers), len(self.members), "one failed")
        self.assertNotIn("overlap", answers.values())
        return {key: int(said.split()[1]) for key, said in answers.items()}

    def test_no_two_hold_together(self):
        for (_, name), count in self.play(float(os.environ.get("INTEROP_STRESS_SECONDS", "5"))).items():
            self.assertGreater(count, 0, f"{name} never got it")

    def test_FAIL_no_two_hold_together_while_a_node_dies(self):
        for (_, name), count in self.play(float(os.environ.get("INTEROP_STRESS_SECONDS", "5")), self.servers[2].process.kill).items():
            self.assertGreater(count, 0, f"{name} never got it")

    def test_FAIL_no_two_hold_together_while_a_node_is_stopped(self):
        def stop():
            self.servers[3].process.send_signal(signal.SIGSTOP)

        counts = self.play(float(os.environ.get("INTEROP_STRESS_SECONDS", "8")), stop)
        self.assertGreater(sum(counts.values()), 10, "nearly nobody got it")


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
    suite = Fleet if kind == "fleet" else Both
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
