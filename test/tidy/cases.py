#!/usr/bin/env python3
"""Decides whether docs/cases.md tells the truth: every case id names its tests, and every test with an id is named.

usage: cases.py [--strict | --write]
  (none)    fails on a row that names a test which is not there, and on a test whose id has no row
  --strict  fails also on an id without any test, and on a row that leaves out one of its tests
  --write   fills the last column from the sources
"""
import os
import re
import sys

import repository

TABLE = "docs/cases.md"
NONE = "none yet"
HEAD = re.compile(r"^\|\s*id\s*\|")
ROW = re.compile(r"^\|\s*([A-Z]+-\d+)\s*\|(.*)\|([^|]*)\|\s*$")
NAME = re.compile(r"\b(?:[A-Z]+_\d+_)+[a-z]\w*")
MACRO = re.compile(r"\b[A-Z_]+\(\s*([A-Z]+_\d+)\s*,\s*([a-z]\w*)")  # CONFORMANCE(RENEW_3, a_sentence)
ID = re.compile(r"([A-Z]+)_(\d+)_")


def tests(files):
    """{case id: {"folder: `NAME`"}} of what is written in test/."""
    found = {}
    for path, text in files.items():
        if not path.startswith("test/") or path.startswith("test/tidy/") or path.count("/") < 2:
            continue
        if path.endswith(repository.CODE):
            text = repository.code_of(text)
        names = {match.group(0) for match in NAME.finditer(text)}
        names |= {f"{match.group(1)}_{match.group(2)}" for match in MACRO.finditer(text)}
        for name in names:
            ids = re.match(r"(?:[A-Z]+_\d+_)+", name).group(0)
            for group, number in ID.findall(ids):
                found.setdefault(f"{group}-{number}", set()).add(f"{path.split('/')[1]}: `{name}`")
    return found


def rows(text):
    """Yields (line number, id, set of named tests) of the tables; the set is None in a table without the column `tests`."""
    owed = False
    for number, line in enumerate(text.splitlines(), 1):
        match = ROW.match(line)
        if HEAD.match(line):
            owed = line.rstrip(" |").endswith("tests")
        elif match and not owed:
            yield number, match.group(1), None
        elif match:
            cell = match.group(3)
            folder, named = None, set()
            for word in re.findall(r"(\w+):|`([^`]+)`", cell):
                if word[0]:
                    folder = word[0]
                else:
                    named.add(f"{folder}: `{word[1]}`")
            yield number, match.group(1), named


def check(files, strict):
    there, table, found = tests(files), files.get(TABLE, ""), []
    every = set().union(*there.values()) if there else set()
    listed = set()
    for number, case, named in rows(table):
        place = f"{TABLE}:{number}: {case}"
        listed.add(case)
        if named is None:
            found += [f"{place} waits, but {test} is there: move the row up" for test in sorted(there.get(case, set())) if strict]
            continue
        found += [f"{place} names {test}, which is not there" for test in sorted(named - every)]
        if strict:
            found += [f"{place} has no test yet"] if not there.get(case) else []
            found += [f"{place} does not name {test}" for test in sorted(there.get(case, set()) - named)]
    found += [f"{TABLE}: no row for {case}, which {', '.join(sorted(there[case]))} tests" for case in sorted(there.keys() - listed)]
    return found if listed else [f"{TABLE} has no case"]


def written(files):
    there = tests(files)

    owed = {number for number, _, named in rows(files[TABLE]) if named is not None}

    def row(number, line):
        if number not in owed:
            return line
        match = ROW.match(line)
        folders = {}
        for test in sorted(there.get(match.group(1), [])):
            folder, name = test.split(": ")
            folders.setdefault(folder, []).append(name)
        cell = "; ".join(f"{folder}: {' '.join(names)}" for folder, names in folders.items()) or NONE
        return f"| {match.group(1)} |{match.group(2)}| {cell} |"
    return "\n".join(row(number, line) for number, line in enumerate(files[TABLE].splitlines(), 1)) + "\n"


def main(argument=""):
    files = repository.files()
    if argument == "--write":
        with open(os.path.join(repository.ROOT, TABLE), "w", encoding="utf-8") as file:
            file.write(written(files))
        return 0
    found = check(files, argument == "--strict")
    print("\n".join(found))
    if found and argument == "--strict":
        print(f"{len(found)} to mend; `python3 test/tidy/cases.py --write` fills the last column from the tests")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
