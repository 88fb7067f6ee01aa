#!/usr/bin/env python3
"""Decides what the shared library exports: the public API, the SPI for engines in modules, and nothing else. usage: exports.py PREFIX"""
import pathlib
import re
import subprocess
import sys

OURS = re.compile(r"^(typeinfo (name )?for |vtable for |VTT for |guard variable for |construction vtable for )?leasehold::")
INTERNAL = re.compile(r"leasehold::v\d+_\d+::(core|model|engines|local|mem)::")


def main(prefix):
    libraries = sorted(pathlib.Path(prefix).rglob("libleasehold.so*"))
    names = [path.name for path in libraries]
    version = re.search(r"libleasehold\.so\.(\d+)\.(\d+)\.(\d+)", " ".join(names))
    if not version:
        print(f"no versioned library below {prefix}: {names}")
        return 1
    dynamic = subprocess.run(["readelf", "-d", libraries[0]], capture_output=True, text=True, check=True).stdout
    soname = f"libleasehold.so.{version.group(1)}.{version.group(2)}"
    symbols = subprocess.run(["nm", "-DC", "--defined-only", libraries[0]], capture_output=True, text=True, check=True).stdout
    exported = [line.split(maxsplit=2)[2] for line in symbols.splitlines()]
    wrong = [name for name in exported if not OURS.match(name) or INTERNAL.search(name.split("(")[0])]
    print("\n".join(f"exported, and should not be: {name}" for name in wrong))
    print(f"{len(exported)} symbols exported")
    if f"[{soname}]" not in dynamic:
        print(f"the SONAME is not {soname}")
        return 1
    return 1 if wrong or not exported else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
