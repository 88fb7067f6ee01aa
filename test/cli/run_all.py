#!/usr/bin/env python3
"""Runs all cases, or those whose name contains a word, without ctest: run_all.py BINARY [WORD]."""
import glob
import os
import re
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
word = sys.argv[2] if len(sys.argv) > 2 else ""
failed, count = [], 0
for path in sorted(glob.glob(f"{here}/*_test.py")):
    with open(path, encoding="utf-8") as file:
        names = re.findall(r"^def (\w+)\(t\):", file.read(), re.MULTILINE)
    for name in names:
        if word in f"{os.path.basename(path)} {name}":
            count += 1
            code = subprocess.run([sys.executable, "-B", f"{here}/harness.py", sys.argv[1], path, name], check=False).returncode
            if code not in (0, 77):
                failed.append(name)
                print(f"FAILED {name}", flush=True)
print(f"{count} cases, {len(failed)} failed")
sys.exit(bool(failed))
