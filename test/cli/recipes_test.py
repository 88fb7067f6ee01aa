"""docs/recipes.md: each crontab line and each unit does what the page says, with stand-ins for the programs."""
import configparser
import os
import re
import shlex
import signal
import socket

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/recipes.md")


def blocks(language):
    with open(PAGE, encoding="utf-8") as file:
        return re.findall(rf"^```{language}\n(.*?)^```", file.read(), re.MULTILINE | re.DOTALL)


def stand_in(t, command, body):
    """The command with its program replaced by `body`, and leasehold found in PATH."""
    command = command.replace("/usr/bin/leasehold", "leasehold")
    for program in re.findall(r"/usr/local/bin/(\S+)", command):
        t.file(f"bin/{program}", f"#!/bin/sh\necho {program} >> {t.path}/ran\n{body}\n", mode=0o755)
    return command.replace("/usr/local/bin/", f"{t.path}/bin/")


def ran(t):
    return t.read("ran").split()


def cron_lines():
    lines = [line for block in blocks("crontab") for line in block.splitlines()]
    parsed = [re.fullmatch(r"(?:[\d*/,-]+ ){5} *(leasehold run .*)", line) for line in lines]
    assert len(lines) >= 6 and all(parsed), lines
    return [match.group(1) for match in parsed]


def sh(t, command):
    return t.lh("run", "--name", "cron-itself", "--", "/bin/sh", "-c", command)  # cron's way: a shell


def every_crontab_line_runs_its_program_once(t):
    for command in cron_lines():
        before = len(ran(t))
        sh(t, stand_in(t, command, "exit 0")).expect(0, "", "")
        t.equal(len(ran(t)), before + 1)


def a_busy_crontab_line_skips_or_waits_as_it_says(t):
    skipped = 0
    for command in cron_lines():
        if " -n -E 0 " not in command:
            t.true(" -w " in command, command)
            continue
        name = re.search(r"--name (\S+)", command).group(1)
        holder = t.hold(name)
        before = len(ran(t))
        sh(t, stand_in(t, command, "exit 0")).expect(0)
        t.equal(len(ran(t)), before)
        holder.release().expect(0)
        skipped += 1
    t.true(skipped >= 3, f"{skipped} lines skip")


def with_hold_at_least_a_second_machine_comes_too_late(t):
    command = next(c for c in cron_lines() if "--hold-at-least" in c)
    for _ in range(2):
        sh(t, stand_in(t, command, "exit 0")).expect(0)
    t.equal(len(ran(t)), 1)


def units():
    out = []
    for text in blocks("ini"):
        unit = configparser.ConfigParser(interpolation=None)
        unit.optionxform = str
        unit.read_string(text)
        out.append(unit["Service"])
    assert len(out) >= 3
    return out


def start_unit(t, unit, body, listener=None):
    words = shlex.split(stand_in(t, unit["ExecStart"], body))
    t.equal(words.pop(0), "leasehold")
    return t.start(*words, env={"NOTIFY_SOCKET": t.file("notify")} if listener else None)


def every_unit_runs_its_program_and_ends_by_term(t):
    for unit in units():
        t.true(unit["Environment"].startswith("LEASEHOLD_STORE="), "the store is named")
        if unit["Type"] == "oneshot":
            start_unit(t, unit, "exit 0").wait(0)
            continue
        t.equal((unit["Type"], unit["KillMode"]), ("notify", "mixed"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(t.file("notify"))
            listener.settimeout(20)
            service = start_unit(t, unit, "echo runs; exec sleep 1000", listener)
            t.equal(service.line(), "runs")
            t.true("READY=1" in [listener.recv(300).decode() for _ in range(2)], "ready")
            service.send(signal.SIGTERM)
            service.wait(128 + signal.SIGTERM)
        os.unlink(t.file("notify"))
    t.equal(len(ran(t)), len(units()))


def a_unit_stands_by_while_another_runs(t):
    for unit in units():
        if unit["Type"] == "oneshot":
            continue
        first = start_unit(t, unit, "echo runs; exec sleep 1000")
        first.line()
        second = start_unit(t, unit, "echo runs; exec sleep 1000")
        name = re.search(r"(?:--name|elect) (\S+)", unit["ExecStart"]).group(1)
        t.waiting(name)
        first.send(signal.SIGTERM)
        first.wait(128 + signal.SIGTERM)
        t.equal(second.line(), "runs")
        second.send(signal.SIGTERM)
        second.wait(128 + signal.SIGTERM)
