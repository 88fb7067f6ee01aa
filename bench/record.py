#!/usr/bin/env python3
"""Writes the results in build/bench/*.json into docs/performance.md, between its markers, with the machine they are from."""
import glob
import json
import os
import re
import time

BEGIN = "<!-- bench:begin (written by bench/record.py from build/bench/*.json; do not edit by hand) -->"
END = "<!-- bench:end -->"


def number(value):
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def line(row):
    verdict = {True: "yes", False: "**no**", None: "stated"}[row["pass"]]
    cells = [f"`{row['id']}`", f"{number(row['ours'])} {row['unit']}", number(row["limit"]), number(row["peer"]),
             number(row["ratio"]), row["goal"] or "–", verdict, str(row["runs"])]
    return "| " + " | ".join(cells) + " |"


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = re.findall(r"^model name\s*: (.+)$", file.read(), re.MULTILINE)
    return f"{len(names)} × {names[0]}" if names else f"{os.cpu_count()} CPUs"


def table():
    rows = []
    for path in sorted(glob.glob("build/bench/*.json")):
        with open(path, encoding="utf-8") as file:
            rows += json.load(file)
    head = ["| id | ours | limit | peer | ratio | goal | reached | runs |", "|---|---|---|---|---|---|---|---|"]
    where = f"Virtual machine, {processor()}, Linux {os.uname().release}, {time.strftime('%Y-%m-%d')}."
    return "\n".join([where, ""] + head + [line(row) for row in rows])


def main():
    os.chdir(os.path.join(os.path.dirname(__file__), ".."))
    with open("docs/performance.md", encoding="utf-8") as file:
        text = file.read()
    new = re.sub(r"<!-- bench:begin.*?-->.*?<!-- bench:end -->", lambda _: f"{BEGIN}\n\n{table()}\n\n{END}", text, flags=re.DOTALL)
    with open("docs/performance.md", "w", encoding="utf-8") as file:
        file.write(new)


if __name__ == "__main__":
    main()
