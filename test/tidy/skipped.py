#!/usr/bin/env python3
"""Lists the tests that skipped, by name and with their reason, from a JUnit file of ctest."""
import re
import sys
import xml.etree.ElementTree as tree


def reason(case):
    output = case.findtext("system-out") or ""
    lines = [line.strip() for line in output.splitlines() if re.search(r"skip", line, re.IGNORECASE)]
    told = [line for line in lines if not line.startswith("[")]
    after = re.search(r": Skipped\n(.+)", output)
    return after.group(1).strip() if after else (told or lines or ["no reason given"])[0]


def main(path, configuration):
    try:
        cases = tree.parse(path).getroot().iter("testcase")
    except (OSError, tree.ParseError):
        return
    for case in cases:
        skipped = case.find("skipped")  # what failed dependencies kept from running is in the list of failures
        if case.get("status") == "disabled" or skipped is not None and skipped.get("message", "").startswith("SKIP"):
            print(f"      skipped in {configuration}: {case.get('name')}: {reason(case)}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
