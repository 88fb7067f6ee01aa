#!/usr/bin/env python3
"""Tells how a configuration's tests ended, from ctest's JUnit files: what skipped and why, what failed and its output, the totals.

usage: outcome.py CONFIGURATION FIRST.xml [AGAIN.xml]

AGAIN is a second run, with nothing beside it, of what failed first. A test that passes then is listed as unsteady.
The last line is the totals. Exit code 1: something failed, or nothing ran.
"""
import re
import sys
import xml.etree.ElementTree as tree

LINES_SHOWN = 40


def cases_of(path):
    try:
        return {case.get("name"): case for case in tree.parse(path).getroot().iter("testcase")}
    except (OSError, tree.ParseError):
        return {}


def output_of(case):
    return (case.findtext("system-out") or "").rstrip()


def reason(case):
    lines = [line.strip() for line in output_of(case).splitlines() if re.search(r"skip", line, re.IGNORECASE)]
    told = [line for line in lines if not line.startswith("[")]
    after = re.search(r": Skipped\n(.+)", output_of(case))
    return after.group(1).strip() if after else (told or lines or ["no reason given"])[0]


def is_skipped(case):
    skipped = case.find("skipped")  # what failed dependencies kept from running is "run", without this message
    return case.get("status") == "disabled" or skipped is not None and skipped.get("message", "").startswith("SKIP")


def has_failed(case):
    return case.get("status") not in ("run", "disabled", "notrun") or case.find("failure") is not None


def show_failure(configuration, case):
    print(f"\n      failed in {configuration}: {case.get('name')}, whose output ends:")
    for line in output_of(case).splitlines()[-LINES_SHOWN:]:
        print(f"      | {line}")


def main(configuration, first, again=None):
    cases = cases_of(first)
    second = cases_of(again) if again else {}
    for name, case in cases.items():
        if is_skipped(case):
            print(f"      skipped in {configuration}: {name}: {reason(case)}")
    failed = [name for name, case in cases.items() if has_failed(case)]
    unsteady = [name for name in failed if name in second and not has_failed(second[name])]
    for name in unsteady:
        print(f"      unsteady in {configuration}: {name} failed beside others and passed alone; its first output ends:")
        for line in output_of(cases[name]).splitlines()[-LINES_SHOWN:]:
            print(f"      | {line}")
    lasting = [name for name in failed if name not in unsteady]
    for name in lasting:
        show_failure(configuration, cases[name])
    ran = len(cases)
    percent = int(100 * (ran - len(lasting)) / ran) if ran else 0
    remark = f" ({len(unsteady)} unsteady)" if unsteady else ""
    print(f"{configuration}: {percent}% tests passed, {len(lasting)} tests failed out of {ran}{remark}")
    return 1 if lasting or not ran else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
