"""The tool on a real Redis server: bad input is told with a remedy, harms no data, locks nothing, and no secret is ever said."""
import os
import re
import shutil
import signal
import socket
import subprocess
import urllib.parse

from harness import ALIVE, Case as Plain, Skip, descendants, is_alive, job_of

SECRET = "hunter2#?@:/% &"
QUOTED = urllib.parse.quote(SECRET, safe="")
GUARD_ALONE = ":1\r\n"  # the one key that stays


def program():
    chosen = os.environ.get("LEASEHOLD_TEST_REDIS_SERVER")
    for name in [chosen] if chosen else ["redis-server", "redis-check-rdb", "valkey-server"]:
        found = shutil.which(name)
        if found:
            return found
    raise Skip("redis-server is not installed")


class Case(Plain):
    """With a server of its own, its data in the case's folder; the harness kills it with everything else."""

    def __init__(self, binary):
        super().__init__(binary)
        self.socket = None
        self.port = None

    def serve(self, *flags):
        self.socket = self.file("redis.sock")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        subprocess.Popen(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", self.socket, "--dir", self.path, "--save", "",
                          "--loglevel", "warning", *flags], executable=program(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.until(lambda: os.path.exists(self.socket) and self.ask("PING")[:1] in ("+", "-"), "the server")

    def url(self, login="", query="max_ttl=2s"):
        return f"redis+unix://{login}{self.socket}?{query}"

    def ask(self, *words):
        """The reply, as it comes."""
        text = f"*{len(words)}\r\n" + "".join(f"${len(w.encode())}\r\n{w}\r\n" for w in words)
        try:
            with socket.socket(socket.AF_UNIX) as link:
                link.settimeout(5)
                link.connect(self.socket)
                link.sendall(text.encode())
                return link.recv(1 << 16).decode()
        except OSError:
            return ""

    def ready(self, *flags):
        self.serve(*flags)
        self.lh("init", self.url()).expect(0)


def NAME_3_names_are_keys_as_they_are(t):
    t.ready()
    names = ("a b", "{x}", "a{tag}b", "}{", "{}", "%", "%41", "100%s", "é", "'\"`$(id)", "-n", "*", "x" * 255, "[a-z]", "\\x00", "a:b:c", "\u2028")
    for name in names:
        script = "printf '%s' \"$LEASEHOLD_NAME\"; leasehold ls -S \"$STORE\" -o name"
        out = t.lh("run", "-S", t.url(), "--name", name, "-c", script, env={"STORE": t.url()}).expect(0).out
        t.equal(out, name + name + "\n")
        held = t.hold(name, "-S", t.url())
        t.true(t.ask("GET", name).startswith("$32\r\n"), f"{name!r} is no key of the server")
        t.true(t.ask("SET", name, "x", "NX", "PX", "1000").startswith("$-1"), f"{name!r} does not exclude others")
        t.lh("show", "-S", t.url(), "-o", "plain", "--", name).expect(0)
        held.release()
    t.equal(t.ask("DBSIZE"), GUARD_ALONE)


def NAME_3_keys_of_its_own_are_no_names(t):
    t.ready()
    for args in (["run", "--name", "lh:guard", "--", "touch", "ran"], ["show", "lh:index"], ["break", "lh:guard", "--token", "1", "--reason", "r", "--yes"]):
        result = t.lh(args[0], "-S", t.url(), *args[1:]).expect(64, None, re.compile("LH-BAD-NAME"))
        t.true("choose another name" in result.err, repr(result))
    t.true(not os.path.exists(t.file("ran")), "a job ran")


def RENEW_9_a_ttl_beyond_the_longest_is_refused(t):
    t.ready()
    for query in ("max_ttl=2s", "max_ttl=1h"):  # known here, or by the server alone
        result = t.lh("run", "-S", t.url(query=query), "--name", "x", "--ttl", "10s", "--", "touch", "ran").expect(64, None, re.compile("LH-BAD-OPTION"))
        t.true("2 s" in result.err or "2s" in result.err, f"the limit is not told: {result!r}")
    t.equal(t.ask("EXISTS", "x"), ":0\r\n")
    t.true(not os.path.exists(t.file("ran")), "a job ran")


def data_under_a_name_is_refused_and_left_alone(t):
    t.ready()
    for make, look in ((("RPUSH", "x", "1"), ("LRANGE", "x", "0", "-1")), (("HSET", "x", "a", "b"), ("HGETALL", "x")), (("SADD", "x", "m"), ("SMEMBERS", "x")),
                       (("ZADD", "x", "1", "m"), ("ZRANGE", "x", "0", "-1")), (("XADD", "x", "1-1", "f", "v"), ("XLEN", "x"))):
        t.ask(*make)
        before = t.ask(*look)
        for args in (["run", "--name", "x", "--", "touch", "ran"], ["run", "--slots", "2", "--name", "x", "--", "touch", "ran"], ["show", "x"],
                     ["acquire", "x", "--ttl", "1s"], ["break", "x", "--token", "1", "--reason", "r", "--yes"]):
            result = t.lh(args[0], "-S", t.url(), *args[1:]).expect(78, None, re.compile("LH-MODE-MISMATCH"))
            t.true("\n  " in result.err, f"no remedy: {result!r}")
        t.equal(t.ask(*look), before)
        t.equal(t.lh("ls", "-S", t.url(), "-o", "name").expect(0).out, "")
        t.ask("DEL", "x")
    t.true(not os.path.exists(t.file("ran")), "a job ran")
    t.equal(t.ask("DBSIZE"), GUARD_ALONE)


def a_plain_value_under_a_name_is_somebodys_lock(t):
    t.ready()
    t.ask("SET", "x", "user data")
    t.lh("run", "-n", "-S", t.url(), "--name", "x", "--", "touch", "ran").expect(75)
    t.lh("break", "-S", t.url(), "x", "--token", "1", "--reason", "r", "--yes").expect(1)
    t.equal(t.ask("GET", "x"), "$9\r\nuser data\r\n")
    t.true(not os.path.exists(t.file("ran")), "a job ran")


def INFO_1_foreign_locks_are_shown(t):
    t.ready()
    t.ask("SET", "x", "somebody", "NX", "PX", "60000")
    shown = t.lh("show", "-S", t.url(), "x").expect(0).out
    t.true("another client" in shown, shown)
    t.true("somebody" not in shown, "the owner's value is as good as a password")
    lock = t.lock("x", "-S", t.url())
    t.equal(lock["state"], "held")


def a_database_that_is_not_there(t):
    t.serve()
    for url in (f"redis://127.0.0.1:{t.port}/99", t.url(query="db=99"), f"redis://127.0.0.1:{t.port}/x", t.url(query="db=-1")):
        result = t.lh("run", "-S", url, "--name", "x", "--", "touch", "ran").expect(64, None, re.compile("LH-BAD-OPTION"))
        t.true("database" in result.err, repr(result))
    t.true(not os.path.exists(t.file("ran")), "a job ran")
    t.equal(t.ask("DBSIZE"), ":0\r\n")


def doctor_of_a_server_that_is_refused_says_why(t):
    t.serve("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru")
    out = t.lh("doctor", "-S", t.url()).expect(1).out
    t.true("allkeys-lru" in out and "noeviction" in out, out)
    t.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    t.ask("REPLICAOF", "127.0.0.1", "1")
    out = t.lh("doctor", "-S", t.url()).expect(1).out
    t.true("replica" in out and "master" in out, out)


def everything_said(t, url):
    """What each command says, on both streams and in each form, with `url` as a flag and out of a file."""
    file = t.file("lh.toml", f'default_store = "main"\n[store.main]\nurl = "{url}"\n', 0o600)
    commands = (["ls"], ["show", "x"], ["doctor"], ["config", "show"], ["run", "-n", "--name", "x", "--", "true"], ["acquire", "-n", "x", "--ttl", "1s"],
                ["break", "x", "--token", "1", "--reason", "r", "--yes"], ["renew", "nonsense"])
    for form in ([], ["--json"], ["-o", "plain"]):
        for store in (["-S", url], ["--config", file]):
            for args in commands:
                if args[0] != "run" or not form:
                    yield args, t.lh(args[0], *form, *store, *args[1:])
    yield ["init"], t.lh("init", url)
    yield ["bench"], t.lh("bench", "-S", url, "--duration", "50ms")


def URI_1_no_secret_in_anything_that_is_said(t):
    t.serve("--requirepass", SECRET)
    worked = 0
    for login in (f":{QUOTED}@", f"nobody:{QUOTED}@"):
        for url in (t.url(login), f"redis://{login}127.0.0.1:{t.port}?max_ttl=2s"):
            for args, result in everything_said(t, url):
                for part in ("hunter2", QUOTED, "%23%3F"):
                    t.true(part not in result.out + result.err, f"{args} as {login}: {result!r}")
                worked += result.code == 0 and args[0] == "ls"
                if "nobody" in login and args[0] in ("ls", "show", "acquire", "run"):
                    result.expect(77, "", re.compile("LH-NOT-PERMITTED"))
    t.true(worked == 12, f"the right password worked {worked} times")


def URI_1_no_secret_where_the_url_itself_is_bad(t):
    t.serve()
    for tail in ("/99", "/x", "?nosuch=1", "?max_ttl=x", "?safety=x", "/0?db=1", ":99999", ":x"):
        for scheme in ("redis", "rediss", "reds", "redis+unix"):
            url = f"{scheme}://me:{QUOTED}@127.0.0.1{tail}"
            for args in (["ls", "-S", url], ["doctor", "-S", url], ["init", url], ["ls", "--json", "-S", url]):
                result = t.lh(*args)
                t.true("hunter2" not in result.out + result.err, f"{args}: {result!r}")
                t.true(result.code != 0, f"{args}: {result!r}")
    raw = f"redis://me:hunter2#@127.0.0.1:{t.port}"  # not percent-encoded, as people write it
    result = t.lh("ls", "-S", raw)
    t.true(result.code != 0 and "hunter2" not in result.out + result.err, repr(result))


def FAIL_6_init_and_probation_are_told(t):
    t.serve()
    result = t.lh("run", "-n", "-S", t.url(), "--name", "x", "--", "touch", "ran").expect(75, None, re.compile("LH-PROBATION"))
    t.true(re.search(r"fresh.* another [23] s", result.err) is not None, repr(result))
    typed = re.search(r"leasehold (init \S+)\n", result.err)
    t.true(typed is not None, f"what to type is not told: {result!r}")
    t.lh(*typed.group(1).split()).expect(0)
    t.lh("run", "-n", "-S", t.url(), "--name", "x", "--", "touch", "ran").expect(0)
    t.true(os.path.exists(t.file("ran")), "no job ran")


def URI_3_the_files_of_a_configured_store_are_used(t):
    if shutil.which("openssl") is None:
        raise Skip("openssl is not installed")
    key, certificate = t.file("key.pem"), t.file("cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    t.serve("--requirepass", SECRET, "--tls-port", str(port), "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-auth-clients", "no")
    t.lh("init", t.url(f":{QUOTED}@")).expect(0)
    secret = t.file("secret", SECRET + "\n", 0o600)
    config = t.file("lh.toml", f'[store.far]\nurl = "rediss://localhost:{port}?max_ttl=2s"\npassword_file = "{secret}"\nca_file = "{certificate}"\n', 0o600)
    result = t.lh("run", "--config", config, "-S", "far", "--name", "x", "--", "true")
    if "LH-UNSUPPORTED" in result.err:
        raise Skip("built without TLS")
    result.expect(0, "", "")
    out = t.lh("doctor", "--config", config, "-S", "far").expect(0).out
    t.true("certificate is checked" in out and "hunter2" not in out, out)
    config = t.file("foreign.toml", f'[store.far]\nurl = "rediss://localhost:{port}?max_ttl=2s"\npassword_file = "{secret}"\n', 0o600)
    result = t.lh("run", "--config", config, "-S", "far", "--name", "x", "--", "true").expect(78, "", re.compile("certificate"))
    t.true("hunter2" not in result.err, repr(result))


STUBBORN = "trap '' TERM; sh -c 'trap \"\" TERM; echo leads; while :; do sleep 0.01; done' & wait"


def ELECT_7_a_leader_that_cannot_renew_is_gone_before_another_leads(t):
    """Its supervisor is stopped, as by a starved machine: the front ends the job in time, and the candidate with 79."""
    t.ready()
    store = ["-S", t.url(), "--ttl", "1s"]
    old = t.start("elect", "n", *store, "--", "sh", "-c", STUBBORN)
    old.line()
    pids = descendants(old.supervisor())
    new = t.start("elect", "n", *store, "--", "sh", "-c", f"{ALIVE} for p in {' '.join(map(str, pids))}; do alive $p && echo overlap; done; echo took")
    t.until(lambda: '"count":1' in t.lh("show", "n", "--json", "-S", t.url()).out, "the second candidate")
    os.kill(old.supervisor(), signal.SIGSTOP)
    new.wait().expect(0, "took\n")
    old.wait(79)


def ELECT_8_a_leader_whose_store_is_gone_is_stopped_and_ends_when_it_cannot_stand_again(t):
    t.ready()
    run = t.start("elect", "n", "-S", t.url(), "--ttl", "1s", "--on-lost", "echo lost", "--", "sh", "-c", "echo leads; exec sleep 1000")
    run.line()
    job = job_of(t, run)
    t.ask("SHUTDOWN", "NOSAVE")
    run.wait().expect(69, "lost\n")
    t.true(not is_alive(job), "the job is gone")


def every_crontab_line_is_one_that_redis_can_carry_out(t):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/recipes.md"), encoding="utf-8") as file:
        lines = re.findall(r"^[*\d].* (leasehold run .*) -- ", file.read(), re.MULTILINE)
    t.true(len(lines) >= 6, "lines")
    t.serve()
    t.lh("init", t.url(query="")).expect(0)
    for line in lines:
        t.lh(*line.split()[1:], "-S", t.url(query=""), "--", "true").expect(0, "", "")
