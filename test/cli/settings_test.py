"""Which setting wins, what a file may say, and that no secret is ever printed."""
import json
import os
import re


def shown(t, *flags, **kwargs):
    items = json.loads(t.lh("config", "show", "--json", *flags, **kwargs).expect(0, err="").out)["items"]
    return {item["key"]: (item["value"], item["origin"]) for item in items}


def the_default_is_the_local_store(t):
    t.equal(shown(t), {"default_store": ("local:", "default"), "output": ("json", "flag --json")})


def flags_win_over_variables_over_project_over_user(t):
    user = t.file("config/leasehold/config.toml", 'namespace = "user"\ncolor = "never"\noutput = "plain"\nop_timeout = "1s"\n')
    t.file("leasehold.toml", 'namespace = "project"\ncolor = "always"\noutput = "wide"\n')
    env = {"LEASEHOLD_CONFIG": None, "XDG_CONFIG_HOME": t.file("config"), "LEASEHOLD_NAMESPACE": "variable", "LEASEHOLD_COLOR": "auto"}
    values = shown(t, "--project", "--namespace", "flag", env=env)
    t.equal(values["namespace"], ("flag", "flag --namespace"))
    t.equal(values["color"], ("auto", "LEASEHOLD_COLOR"))
    t.equal(values["output"], ("json", "flag --json"))
    t.equal(values["op_timeout"], ("1s", f"{user}:4"))
    t.equal(shown(t, env={**env, "LEASEHOLD_PROJECT": "1", "LEASEHOLD_NAMESPACE": None})["namespace"], ("project", "./leasehold.toml:1"))


def a_stray_project_file_is_not_obeyed(t):
    t.file("leasehold.toml", 'default_store = "nonsense"\n')
    t.equal(shown(t, env={"LEASEHOLD_CONFIG": None})["default_store"], ("local:", "default"))


def the_users_file_is_found_in_home(t):
    t.file(".config/leasehold/config.toml", 'namespace = "home"\n')
    t.equal(shown(t, env={"LEASEHOLD_CONFIG": None})["namespace"][0], "home")
    t.equal("namespace" in shown(t, "--config", "none", env={"LEASEHOLD_CONFIG": None}), False)


def a_named_store_is_used(t):
    path = t.file("c.toml", f'default_store = "main"\n[store.main]\nurl = "local:{t.path}/named/store"\n')
    t.lh("run", "--config", path, "--name", "n", "-c", "echo $LEASEHOLD_STORE").expect(0, "main\n", "")
    t.true(os.path.exists(t.file("named/store")), "not there")
    t.lh("ls", "--config", path, "-S", "mian").expect(78, "", re.compile('no store is called "mian".*did you mean -S main', re.DOTALL))


def a_lock_rule_sets_ttl_and_slots(t):
    path = t.file("c.toml", '[lock."*"]\nttl = "9s"\n[lock."billing/*"]\nttl = 30\nslots = 2\n')
    env = {"LEASEHOLD_CONFIG": path}
    t.lh("run", "--name", "x", "-c", "echo $LEASEHOLD_TTL_MS", env=env).expect(0, "9000\n")
    t.lh("run", "--name", "billing/x", "-c", "echo $LEASEHOLD_TTL_MS; leasehold show billing/x --json", env=env).expect(
        0, re.compile(r'^30000\n.*"slots":2'))
    t.lh("run", "--name", "x", "--ttl", "20s", "-c", "echo $LEASEHOLD_TTL_MS", env=env).expect(0, "20000\n")


def mistakes_are_named_with_file_and_line(t):
    for text, message in (
            ("default_stor = 'x'\n", r':1: unknown key "default_stor".*did you mean default_store'),
            ("[store.a]\nurl = 'local:'\n[store.b]\nulr = 'x'\n", r":3: \[store.b\] has no url"),
            ("[store.a]\nurl = 'local:'\npasword_file = 'x'\n", r':3: unknown key "pasword_file" in \[store.a\].*did you mean password_file'),
            ("[lock.'x']\n\nttl = 'soon'\n", r":3: ttl is a time span"),
            ("[lock.'x']\nslots = 0\n", r":2: slots is a whole number of at least 1"),
            ("[lock.'x']\nslots = 1.5\n", r":2: slots is a whole number"),
            ("[lock.'x']\nmetric = 'yes'\n", r":2: metric is true or false"),
            ("store = 'x'\n", r':1: "store" is a table'),
            ("output = 'tabel'\n", r":1: output is one of"),
            ("a = \n", r":1: "),
            ("\n\nx = [1, 2\n", r":\d: ")):
        path = t.file("c.toml", text)
        t.lh("ls", "--config", path).expect(78, "", re.compile(r"^leasehold: .*c\.toml" + message, re.DOTALL))


def files_that_cannot_be_read_are_errors(t):
    t.lh("ls", "--config", "/no/such/file").expect(78, "", re.compile("no configuration file"))
    t.lh("ls", "--config", t.path).expect(78, "", re.compile("cannot read"))


def a_settings_variable_with_a_bad_value_is_named(t):
    t.lh("ls", env={"LEASEHOLD_OUTPUT": "tabel"}).expect(64, "", re.compile("LEASEHOLD_OUTPUT: no output format"))
    t.lh("ls", env={"LEASEHOLD_OP_TIMEOUT": "soon"}).expect(64, "", re.compile("LEASEHOLD_OP_TIMEOUT.*no time span"))


SECRET = "hunter2-secret"


def secret_free(t, result):
    t.true(SECRET not in result.out + result.err and "hunter2" not in result.out + result.err, f"a secret is out: {result!r}")


def URI_1_no_password_in_any_output(t):
    url = f"redis://user:{SECRET}@localhost:1/0"
    t.file("password", SECRET + "\n")
    path = t.file("c.toml", f'default_store = "{url}"\n[store.main]\nurl = "{url}"\n[store.filed]\nurl = "redis://localhost:1/0"\n'
                  f'password_file = "{t.path}/password"\n')
    for flags in (["-S", url], ["--config", path], ["--config", path, "-S", "main"], ["--config", path, "-S", "filed"]):
        for command in (["ls"], ["show", "n"], ["run", "--name", "n", "--status-file", "status", "-v", "--", "env"],
                        ["acquire", "n", "--ttl", "5s"], ["doctor"], ["init"], ["config", "show", "--origin"],
                        ["run", "--dry-run", "--name", "n", "--", "true"], ["break", "n", "--token", "1", "--yes", "--reason", "r"]):
            for output in ([], ["--json"]):
                secret_free(t, t.lh(*command, *flags, *output) if "--" not in command
                            else t.lh(command[0], *flags, *output, *command[1:]))
    t.true(SECRET not in t.read("status"), "a secret is in the status file")
    secret_free(t, t.lh("init", url))
    secret_free(t, t.lh("ls", env={"LEASEHOLD_STORE": url}))
    secret_free(t, t.lh("ls", "-S", f"nosuch://u:{SECRET}@h"))
    secret_free(t, t.lh("ls", "-S", f"local://u:{SECRET}@h/x"))
    secret_free(t, t.lh("config", "show", "--json", env={"LEASEHOLD_STORE": url}))


def URI_1_a_redacted_store_of_an_outer_run_is_not_used_by_mistake(t):
    t.lh("ls", env={"LEASEHOLD_STORE": "redis://u:***@h"}).expect(78, "", re.compile("password removed"))


def a_password_file_that_is_missing_or_empty_is_named(t):
    t.file("empty", "\n")
    for name, message in (("missing", "no password file"), ("empty", "is empty")):
        path = t.file("c.toml", f'[store.main]\nurl = "redis://h"\npassword_file = "{t.path}/{name}"\n')
        t.lh("ls", "--config", path, "-S", "main").expect(78, "", re.compile(r"c\.toml:3: .*" + message))
    path = t.file("c.toml", '[store.main]\nurl = "redis://h"\npassword_file = "credential:redis"\n')
    t.lh("ls", "--config", path, "-S", "main").expect(78, "", re.compile("CREDENTIALS_DIRECTORY"))


def config_show_as_table(t):
    path = t.file("c.toml", f'default_store = "main"\n[store.main]\nurl = "redis://u:{SECRET}@h/0"\n[lock."a/*"]\nttl = "30s"\n')
    t.golden("config_show.txt", t.lh("config", "show", "--origin", "--config", path).expect(0, err="").out)
    t.golden("config_show_plain.txt", t.lh("config", "show", "-o", "plain", "--config", path).expect(0, err="").out)


def URI_2_line_breaks_do_not_pass_through(t):
    result = t.lh("ls", "-S", "local:/tmp/x\nleasehold: forged")
    t.true("\nleasehold: forged" not in result.err, result.err)
    result = t.lh("run", "--name", "a\r\nb", "--", "true").expect(64)
    t.true("\r" not in result.err and "\nb" not in result.err, result.err)
