"""The man pages: one per command, every flag in them, clean for mandoc."""
import os
import re
import shutil
import subprocess

from harness import Skip

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../packaging/man")


def commands(t):
    block = t.lh("help").out.partition("commands:\n")[2].partition("\n\n")[0]
    return [re.match(r"  (\S+(?: \S+)?)  ", line).group(1) for line in block.splitlines()]


def page(name):
    with open(os.path.join(DIRECTORY, f"man{name[-1]}", name), encoding="utf-8") as file:
        return file.read().replace("\\-", "-")


def flags_of(text):
    return set(re.findall(r"^  (?:-\w, |    )--([a-z-]+)", text, re.MULTILINE))


def every_command_has_a_page_with_all_its_flags(t):
    for command in commands(t):
        text = page(f"leasehold-{command.replace(' ', '-')}.1")
        own = flags_of(t.lh("help", *command.split()).out.partition("flags of every command:")[0])
        told = set(re.findall(r"^\.It Fl (?:\w , )?-?(?:Fl )?-?([a-z-]+)", text, re.MULTILINE)) | set(re.findall(r"Fl -([a-z-]+)", text))
        t.true(own <= told, f"leasehold-{command}(1) lacks {sorted(own - told)}")
        invented = told - own - flags_of(t.lh("help", "ls").out.partition("flags of every command:")[2])
        t.true(not invented or command == "help", f"leasehold-{command}(1) tells of {sorted(invented)}, which is not there")


def the_main_page_has_the_global_flags_and_all_commands(t):
    text = page("leasehold.1")
    told = set(re.findall(r"Fl -([a-z-]+)", text))
    wanted = flags_of(t.lh("help", "ls").out.partition("flags of every command:")[2])
    t.equal(sorted(wanted - told), [])
    for command in commands(t):
        t.true(f"leasehold-{command.replace(' ', '-')} 1" in text, f"leasehold(1) lacks {command}")


def every_scheme_and_query_key_is_told(t):
    engines = os.path.join(DIRECTORY, "../../src/engines")
    told = (page("leasehold.1"), t.lh("help", "stores").out)
    for engine in ("local", "mem", "redis"):
        sources = [os.path.join(engines, engine, name) for name in os.listdir(os.path.join(engines, engine)) if name.endswith(".cpp")]
        code = "".join(open(path, encoding="utf-8").read() for path in sources)
        keys = re.findall(r'"(\w+)"', " ".join(re.findall(r"check_query\(\w+, \{([^}]*)\}", code)))
        t.true(keys or engine == "mem", f"{engine} has keys")
        for word in (f"{engine}:", *keys):
            t.equal([word for text in told if word not in text], [])


def the_exit_codes_are_all_told(t):
    text = page("leasehold-exit-codes.7")
    for code in re.findall(r"^  (\d+)  ", t.lh("help", "exit-codes").out, re.MULTILINE):
        t.true(re.search(rf"^\.It Sy {code}\b|^\.It {code}\b", text, re.MULTILINE) is not None, f"no {code}")
    for code in re.findall(r"LH-[A-Z-]+", t.lh("help", "errors").out):
        t.true(code in text or code == "LH-", f"no {code}")


def the_configuration_page_has_every_key(t):
    text = page("leasehold.toml.5")
    for key in ("default_store", "namespace", "output", "color", "op_timeout", "no_input", "url", "password_file", "ca_file",
                "ttl", "slots", "metric"):
        t.true(re.search(rf"^\.It Ic {key}\b", text, re.MULTILINE) is not None, f"no {key}")


def pages_are_clean(t):
    if not shutil.which("mandoc"):
        raise Skip("mandoc is not installed")
    pages = [os.path.join(root, name) for root, _, names in os.walk(DIRECTORY) for name in names]
    t.true(len(pages) >= 19, f"{len(pages)} pages")
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *pages], capture_output=True, text=True, check=False)
    t.equal((done.returncode, done.stdout), (0, ""))
