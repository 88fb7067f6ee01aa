"""Bad input: a typed error that names the part and the remedy; nothing left locked, no crash."""
import os
import re


def NAME_3_names_that_cannot_be(t):
    t.lh("run", "--name", "keep", "--", "true").expect(0)
    for name in ("", "x" * 256, "x" * 4096, "a\nb", "a\tb", "\x7f", b"\xff\xfe", b"a\xc3", b"\xed\xa0\x80"):
        for args in (["run", "--name", name, "--", "touch", "ran"], ["acquire", name, "--ttl", "5s"], ["show", name]):
            result = t.lh(*args)
            t.true(result.code == 64 and "LH-BAD-NAME" in result.err, f"{name!r}: {result!r}")
    t.true(not os.path.exists(t.file("ran")), "a job ran")
    t.equal(t.lh("ls", "-o", "name").out, "")


def NAME_3_names_that_can_be(t):
    for name in ("../../etc/passwd", "a b", "é", "e\u0301", "{x}", "x" * 255, "%2e%2e", "'\"`$(id)", "-n", "--", "\u2028", "*"):
        out = t.lh("run", "--name", name, "-c", "printf %s \"$LEASEHOLD_NAME\"; leasehold ls -o name").expect(0).out
        t.equal(out, name + name + "\n")


def RENEW_9_ttls_that_cannot_be(t):
    for ttl in ("0", "-1", "-5s", "1e99", "99999999999999999999", "", "5x", "abc", "5 s", "nan", "inf", "0x10", "10000d", "1ms"):
        result = t.lh("run", "--name", "n", "--ttl", ttl, "--", "touch", "ran")
        t.true(result.code == 64, f"--ttl {ttl!r}: {result!r}")
    t.true(not os.path.exists(t.file("ran")), "a job ran")
    t.equal(t.lh("ls", "-o", "name").out, "")


def time_spans_that_can_be(t):
    for ttl, ms in (("30s", 30000), ("1m", 60000), ("1500ms", 1500), ("2", 2000), ("0.5", 500), ("PT30S", 30000), ("1m30s", None), ("pt30s", None)):
        result = t.lh("run", "--name", "n", "--ttl", ttl, "-c", "echo $LEASEHOLD_TTL_MS")
        if ms is None:
            t.true(result.code in (0, 64), f"{ttl}: {result!r}")
        else:
            result.expect(0, f"{ms}\n", "")


def stores_that_cannot_be(t):
    directory = t.file("dir/x", "text").removesuffix("/x")
    for url, code in (("nosuch:", 64), ("local:?bogus=1", 64), ("nosuch", 78), (":", 64), ("", 78),
                      (f"local:{directory}", None), (f"local:{directory}/x", None), (f"local:{directory}/x/y", None),
                      ("local:/proc/nosuch/store", None), ("local:" + "/x" * 3000, None), ("local:/dev/null", None)):
        result = t.lh("run", "-S", url, "--name", "n", "--", "touch", "ran")
        t.true(result.code == code if code else 64 <= result.code <= 78, f"{url[:60]!r}: {result!r}")
        t.true(re.search(r"\[LH-[A-Z-]+\]\n", result.err) is not None, f"{url[:60]!r}: no code: {result!r}")
    t.true(not os.path.exists(t.file("ran")), "a job ran")
    t.equal(t.read("dir/x"), "text")


def damaged_stores_are_refused_and_left_alone(t):
    t.lh("run", "--name", "n", "--", "true").expect(0)
    path = t.file("state/leasehold/store")
    with open(path, "rb") as file:
        good = file.read(1 << 16)
    for damage in (lambda f: f.truncate(100), lambda f: f.truncate(0), lambda f: f.write(b"\0" * 64), lambda f: f.write(os.urandom(4096))):
        with open(path, "r+b") as file:
            damage(file)
        with open(path, "rb") as file:
            before = file.read(1 << 16)
        for args in (["run", "--name", "n", "--", "true"], ["ls"], ["show", "n"], ["doctor"]):
            result = t.lh(*args)
            t.true(result.code in (1, 69, 78), f"{args}: {result!r}")
            t.true(path in result.err + result.out, f"the file is not named: {result!r}")
        with open(path, "rb") as file:
            t.true(file.read(1 << 16) == before, "a damaged store was written to")
        with open(path, "wb") as file:
            file.write(good)


def unknown_words_suggest_the_nearest(t):
    for args, hint in ((["rnu"], "did you mean: leasehold run"), (["config", "shwo"], None), (["config"], "leasehold config show"),
                       (["run", "--nmae", "x"], "did you mean --name?"), (["ls", "--sorted", "held"], "did you mean --sort?"),
                       (["run", "--on-lost", "trem", "--name", "n"], "did you mean term?"), (["help", "exit-code"], "did you mean: leasehold help exit-codes"),
                       (["completion", "bsh"], "did you mean bash?"), (["ls", "-o", "jsno"], "did you mean json?"), (["ls", "-Z"], None),
                       (["--name", "n", "run"], None)):
        result = t.lh(*args).expect(64, "")
        t.true(hint is None or hint in result.err, f"{args}: {result!r}")


def flags_and_commands_are_not_abbreviated(t):
    for args in (["run", "--na", "n", "--", "true"], ["ru"], ["run", "--max", "3", "--name", "n", "--", "true"], ["vers"]):
        t.lh(*args).expect(64)


def flags_that_are_not_there_yet_are_unknown(t):
    for args in (["ls", "--agent", "x"], ["serve"], ["gc"], ["watch", "--since", "1"]):
        t.lh(*args).expect(64, "", re.compile("unknown (flag|command)"))


def global_flags_go_before_and_after(t):
    t.equal(t.lh("--json", "ls").expect(0).out, t.lh("ls", "--json").expect(0).out)
    t.equal(t.lh("-o", "json", "ls").out, t.lh("ls", "-ojson").out)
    t.equal(t.lh("--output=json", "ls").out, t.lh("ls", "--output", "json").out)


def values_that_are_missing_or_too_much(t):
    for args in (["run", "--name"], ["ls", "-o"], ["ls", "--json=yes"], ["run", "--slots", "0", "--name", "n", "--", "true"],
                 ["run", "--slots", "x", "--name", "n", "--", "true"], ["run", "-E", "256", "--name", "n", "--", "true"],
                 ["run", "--label", "novalue", "--name", "n", "--", "true"], ["run", "--status-fd", "77", "--name", "n", "--", "true"],
                 ["run", "--max-runtime", "0", "--name", "n", "--", "true"], ["show"], ["show", "a", "b"], ["version", "x"],
                 ["bench", "--clients", "0"], ["bench", "--duration", "0"], ["watch", "--until", "free"], ["break", "n", "--yes", "--reason", "r"],
                 ["break", "n", "--token", "1", "--yes"], ["break", "n", "--reason", "r"]):
        t.lh(*args).expect(64, "", re.compile(r"LH-"))


def metadata_that_is_too_long_is_refused_by_name(t):
    result = t.lh("run", "--name", "n", "--reason", "x" * 100000, "--", "true")
    t.true(result.code == 64 and "reason" in result.err, repr(result)[:500])


def what_others_wrote_cannot_drive_the_terminal(t):
    t.hold("n", "--reason", "\x1b[31mred\nforged", "--identity", "a\x07b", "--label", "k=\x1b]0;x\x07")
    for args in (["ls"], ["ls", "-o", "wide"], ["ls", "-o", "plain"], ["show", "n"], ["run", "-n", "--name", "n", "--", "true"]):
        result = t.lh(*args)
        t.true(not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", result.out + result.err), f"{args}: {result!r}")
        t.true("\nforged" not in result.out + result.err, f"{args}: {result!r}")


def a_store_file_of_no_name_is_not_opened_twice(t):
    t.lh("init", f"local:{t.path}/s/store").expect(0, "", "")
    t.lh("init", f"local:{t.path}/s/store").expect(0, "", "")
    t.hold("n", "-S", f"local:{t.path}/s/store")
    t.lh("init", f"local:{t.path}/s/store")
    t.equal(t.lh("ls", "-S", f"local:{t.path}/s/store", "-o", "name").expect(0).out, "n\n")
