"""Golden texts of every output mode, help, errors, completion, and what JSON promises."""
import json
import os
import re

from harness import Skip, children


def scene(t):
    """Three locks: one with a line, a semaphore, one with everything that can be said of a holder."""
    t.hold("billing/close", "--ttl", "30s", "--identity", "web-3", "--reason", "monthly close", "--label", "team=billing")
    t.hold("nightly")
    t.hold("report", "--slots", "3", "--identity", "api-1")
    t.hold("report", "--slots", "3", "--identity", "api-4")
    t.start("run", "-q", "--name", "nightly", "--", "true")
    t.waiting("nightly")


def ls_as_table(t):
    scene(t)
    out = t.lh("ls").expect(0, err="").out
    t.golden("ls_table.txt", out)
    lines = out.splitlines()
    state, end = lines[0].index("STATE"), len(lines[0])
    t.equal([line[state:].split("  ")[0] for line in lines[1:]], ["held", "held", "2 of 3"])
    t.equal({len(line) for line in lines}, {end})  # the last column is flush right


def ls_as_wide_table(t):
    scene(t)
    t.golden("ls_wide.txt", t.lh("ls", "-o", "wide").expect(0, err="").out)


def ls_as_plain_text(t):
    scene(t)
    out = t.lh("ls", "-o", "plain").expect(0, err="").out
    t.equal({line.count("\t") for line in out.splitlines()}, {6})
    t.golden("ls_plain.txt", out)


def ls_as_names(t):
    scene(t)
    t.lh("ls", "-o", "name").expect(0, "billing/close\nnightly\nreport\n", "")


def ls_as_json(t):
    scene(t)
    t.golden("ls_json.txt", t.lh("ls", "--json").expect(0, err="").out)


def ls_as_ndjson(t):
    scene(t)
    out = t.lh("ls", "-o", "ndjson").expect(0, err="").out
    t.equal([json.loads(line)["name"] for line in out.splitlines()], ["billing/close", "nightly", "report"])


def ls_selects_and_sorts(t):
    scene(t)
    for flags, names in ((["bill"], "billing/close"), (["--state", "waiting"], "nightly"), (["--state", "overdue"], ""),
                         (["--holder", "api-4"], "report"), (["--state", "held", "--sort", "held"], "billing/close nightly report"),
                         (["zzz"], "")):
        t.equal(t.lh("ls", "-o", "name", *flags).expect(0).out.split(), names.split())


def a_holder_past_its_time_is_overdue_everywhere(t):
    watcher = t.start("watch", "n", "--interval", "10ms", "-o", "ndjson")
    t.lh("acquire", "n", "--ttl", "100ms").expect(0)
    t.until(lambda: t.lock("n")["state"] == "overdue", "the end of the TTL")
    t.true(re.search(r"^n +OVERDUE .* ago ", t.lh("ls").out, re.MULTILINE) is not None, t.lh("ls").out)
    t.equal(t.lh("ls", "-o", "name", "--state", "overdue").out, "n\n")
    t.true(t.lh("show", "n").out.startswith("n  OVERDUE  in local:\n"), "show")
    t.equal([json.loads(watcher.line())["event"] for _ in range(2)], ["acquired", "overdue"])


def ls_without_headers(t):
    scene(t)
    for output in ("table", "wide", "plain"):
        t.true("NAME" not in t.lh("ls", "-o", output, "--no-headers").expect(0).out, output)


def ls_of_nothing_is_empty(t):
    for output in ("table", "wide", "name", "ndjson"):
        t.lh("ls", "-o", output).expect(0, "", "")
    t.equal(json.loads(t.lh("ls", "-o", "json").expect(0).out)["items"], [])


def show_as_text(t):
    scene(t)
    t.golden("show_ttl.txt", t.lh("show", "billing/close").expect(0, err="").out)
    t.golden("show_waiting.txt", t.lh("show", "nightly").expect(0, err="").out)
    t.golden("show_plain.txt", t.lh("show", "nightly", "-o", "plain").expect(0, err="").out)
    t.lh("show", "nightly", "-o", "name").expect(0, "nightly\n", "")


def show_as_json_keeps_its_promise(t):
    scene(t)
    out = t.lh("show", "billing/close", "--json").expect(0, err="").out
    t.golden("show_json.txt", out)
    lock = json.loads(out)
    t.equal(list(lock), ["schema", "kind", "name", "store", "state", "mode", "slots", "holders", "waiters", "free_in_ms", "transitions"])
    t.equal(lock["holders"][0]["labels"], {"team": "billing"})


def json_documents_follow_the_schema(t):
    scene(t)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/cli/schema/leasehold-v1.schema.json")
    with open(path, encoding="utf-8") as file:
        schema = json.load(file)
    token = str(t.lock("billing/close")["holders"][0]["token"])
    outputs = [t.lh("ls", "--json").out, t.lh("show", "report", "--json").out, t.lh("show", "free", "--json").out,
               t.lh("doctor", "--json").out, t.lh("version", "--json").out, t.lh("config", "show", "--json").out,
               t.lh("run", "--name", "n", "--json", "--", "leasehold", "check", "--json").out, t.lh("ls", "--bogus", "--json").err,
               t.lh("run", "--dry-run", "--name", "n", "--json", "--", "true").out, t.lh("acquire", "x", "--ttl", "5s", "--json").out,
               t.lh("bench", "--duration", "50ms", "--clients", "2", "--json").out,
               t.lh("break", "billing/close", "--token", token, "--yes", "--reason", "r", "--json").out,
               t.lh("run", "--name", "n", "--status-fd", "1", "--", "true").out,
               t.lh("watch", "nightly", "--until", "held", "--json").out.splitlines()[0]]
    kinds = set()
    for text in outputs:
        document = json.loads(text)
        kinds.add(document["kind"])
        check(t, document, schema["$defs"][document["kind"]], schema, document["kind"])
    t.equal(len(kinds), 13)


def check(t, value, rule, schema, where):
    """As much of JSON Schema as our schema uses."""
    if "$ref" in rule:
        rule = schema["$defs"][rule["$ref"].rpartition("/")[2]]
    types = rule.get("type", [])
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
    types = [types] if isinstance(types, str) else types
    name = names[type(value)]
    t.true(not types or name in types or name == "integer" and "number" in types, f"{where} is {name}, not {types}")
    t.true("const" not in rule or rule["const"] == value, f"{where} is {value!r}")
    t.true("enum" not in rule or value in rule["enum"], f"{where} is {value!r}")
    if isinstance(value, dict):
        missing = set(rule.get("required", [])) - set(value)
        t.true(not missing, f"{where} lacks {missing}")
        for key, child in value.items():
            t.true(rule.get("additionalProperties") is not None or key in rule.get("properties", {}), f"{where}.{key} is not in the schema")
            check(t, child, rule.get("properties", {}).get(key, {}), schema, f"{where}.{key}")
    if isinstance(value, list):
        for child in value:
            check(t, child, rule.get("items", {}), schema, f"{where}[]")


def the_busy_message_names_the_holder(t):
    t.hold("nightly", "--reason", "monthly close")
    t.golden("busy.txt", t.lh("run", "-n", "--name", "nightly", "--", "true").expect(75, "").err)
    t.golden("busy_json.txt", t.lh("run", "-n", "--json", "--name", "nightly", "--", "true").expect(75, "").err)


def errors_as_json_are_one_object_on_stderr(t):
    for args in (["nonsense", "--json"], ["run", "--json", "--nope"], ["show", "", "-o", "json"], ["ls", "-S", "nosuch:", "--json"]):
        result = t.lh(*args)
        error = json.loads(result.err)
        t.equal((error["kind"], error["exit_code"]), ("error", result.code))
        t.true(error["code"].startswith("LH-") and error["message"], error)
        t.equal(result.out, "")


def help_texts(t):
    t.golden("help.txt", t.lh("help").expect(0, err="").out, exact=True)
    t.golden("help_run.txt", t.lh("help", "run").expect(0, err="").out, exact=True)
    for topic in ("exit-codes", "stores", "config", "environment", "errors"):
        t.golden(f"help_{topic}.txt", t.lh("help", topic).expect(0, err="").out, exact=True)


def help_can_be_asked_for_in_three_ways(t):
    t.equal(t.lh("run", "--help").out, t.lh("help", "run").out)
    t.equal(t.lh("-h").out, t.lh("help").out)
    t.equal(t.lh("--help", "config", "show").out, t.lh("help", "config", "show").out)


def no_help_is_wider_than_a_window(t):
    for word in commands(t):
        for line in t.lh("help", *word.split()).expect(0).out.splitlines():
            t.true(len(line) <= 132, f"help {word}: {len(line)} columns: {line}")


def commands(t):
    block = t.lh("help").out.partition("commands:\n")[2].partition("\n\n")[0]
    return [re.match(r"  (\S+(?: \S+)?)  ", line).group(1) for line in block.splitlines()]


def version_is_told(t):
    t.lh("version").expect(0, re.compile(r"^leasehold \d+\.\d+\.\d+\n$"), "")
    t.equal(t.lh("--version").out, t.lh("version").out)


def doctor_as_text(t):
    result = t.lh("doctor").expect(0, err="")
    t.true(all(re.match(r"(pass|warn|fail)  \S+/\S+: |      remedy: ", line) for line in result.out.splitlines()), result.out)


def doctor_fails_on_a_store_that_cannot_be_opened(t):
    t.file("dir/store/x", "")
    result = t.lh("doctor", "-S", f"local:{t.path}/dir/store/x").expect(1)
    t.true("fail  store/reach" in result.out and "remedy: " in result.out, result.out)


def doctor_warns_of_a_password_in_the_url(t):
    result = t.lh("doctor", "-S", "redis://user:s3cret@127.0.0.1:1").expect(1, re.compile("^warn  config/password: .*\n +remedy: ", re.MULTILINE))
    t.true("s3cret" not in repr(result), result)


def doctor_strict_counts_warnings(t):
    path = t.file("c.toml", "", 0o666)
    os.chmod(path, 0o666)
    t.lh("doctor", "--config", path).expect(0, re.compile("warn  config/writable"))
    t.lh("doctor", "--config", path, "--strict").expect(1)


def watch_tells_what_happens(t):
    watcher = t.start("watch", "n", "--interval", "10ms", "-o", "ndjson")
    holder = t.hold("n")
    first = json.loads(watcher.line())
    t.equal((first["event"], first["name"], first["holder"]["pid"]), ("acquired", "n", children(holder.pid)[0]))
    holder.release().expect(0)
    t.equal(json.loads(watcher.line())["event"], "released")


def watch_as_text(t):
    watcher = t.start("watch", "--interval", "10ms")
    holder = t.hold("n", "--identity", "me")
    lines = [watcher.line()]
    holder.release().expect(0)
    lines.append(watcher.line())
    t.golden("watch.txt", re.sub(r"token \d+", "token TOKEN", "\n".join(lines) + "\n"))


def watch_until_a_state(t):
    t.lh("watch", "n", "--until", "free").expect(0, "", "")
    holder = t.hold("n")
    t.lh("watch", "n", "--until", "held", "-q").expect(0, "", "")
    t.lh("watch", "n", "--until", "free", "-q", "-w", "0.05", "--interval", "10ms").expect(75)
    waiter = t.start("watch", "n", "-q", "--until", "free", "--interval", "10ms")
    holder.release().expect(0)
    waiter.wait(0)


def bench_measures_and_leaves_nothing(t):
    t.golden("bench.txt", re.sub(r"[\d.]+", "N", t.lh("bench", "--clients", "2", "--duration", "100ms", "--keys", "2").expect(0, err="").out))
    t.equal(t.lh("ls", "-o", "name").out, "")


def completion_is_what_is_packaged(t):
    directory = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../packaging/completion")
    for shell, name in (("bash", "leasehold.bash"), ("zsh", "_leasehold"), ("fish", "leasehold.fish")):
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            t.equal(t.lh("completion", shell).expect(0, err="").out, file.read())


def completion_works_in_bash(t):
    def complete(*words):
        script = ("eval \"$(leasehold completion bash)\"; COMP_WORDS=(leasehold \"$@\"); COMP_CWORD=$#; _leasehold; echo \"${COMPREPLY[@]}\"")
        import subprocess
        done = subprocess.run(["bash", "-c", script, "bash", *words], env=t.environment(), capture_output=True, check=True)
        return done.stdout.decode().split()

    t.equal(complete("re"), ["renew", "release"])
    t.equal(complete("run", "--max"), ["--max-runtime"])
    t.equal(complete("run", "--on-lost", ""), ["term", "kill", "ignore"])
    t.true("kill" not in complete("elect", "n", "--on-lost", ""), "there it is a line")
    t.equal(complete("ls", "-o", "n"), ["name", "ndjson"])
    t.equal(complete("config", ""), ["show"])
    t.true("--no-headers" in complete("ls", "--no-"), "global flags")


def stdout_that_is_full_is_an_error(t):
    if not os.path.exists("/dev/full"):
        raise Skip("no /dev/full here")
    import subprocess
    with open("/dev/full", "wb") as full:
        done = subprocess.run([t.binary, "help"], env=t.environment(), stdout=full, stderr=subprocess.PIPE, check=False)
    t.equal(done.returncode, 71)
    t.true(b"writing to stdout" in done.stderr, done.stderr)


def quiet_and_verbose(t):
    t.lh("run", "-v", "--name", "n", "--", "true").expect(0, "", re.compile(r"^leasehold: holding n, token \d+\n$"))
    t.lh("init", "-v").expect(0, "", "leasehold: local: is ready\n")
    t.lh("init").expect(0, "", "")
