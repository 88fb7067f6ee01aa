#!/usr/bin/env python3
"""Decides what a code block of README.md and docs/ must be able to do.

- `cpp` with a `main`: a program; it is compiled and run, with asserts on.
- `cpp` without: the body of a function that has `leasehold::store locks` (a client of a `memory_engine`) and `using
  namespace std::chrono_literals`; its `#include` lines are moved to the top. It is compiled and run. Declarations it needs and that would bore a reader stand before it in a comment: <!-- prelude: struct { void update(int) {} } db; -->
- `sh`: run by `sh -eu` with the built `leasehold` in PATH and a home of its own; blocks of one page share a folder.
- `cmake`: used by test/package. Everything else (console, text, json, toml, mermaid) shows, and is not run; it is listed.

usage: blocks.py cpp|sh PAGE                 test the blocks of one page
       blocks.py list PAGE...                what is shown only
       blocks.py --print LANGUAGE N PAGE     the N-th block of a language
Environment: CXX_COMMAND (compiler and flags for cpp), LINK_FLAGS, TOOL_DIR (the folder of the tool).
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass

BLOCK = re.compile(r"(?:<!--\s*prelude:(.*?)-->\s*)?^```(\w*)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TESTED = {"cpp", "sh", "cmake"}
WRAP = """#include <leasehold/leasehold.hpp>
#include <iostream>
#include <mutex>
#include <thread>
{includes}
namespace {{
using namespace std::chrono_literals;
{prelude}
void block([[maybe_unused]] leasehold::store locks) {{
#line {line} "{page}"
{body}}}
}}  // namespace
int main() {{
  leasehold::memory_engine engine;
  block(engine.connect());
}}
"""


@dataclass
class Block:
    page: str
    line: int  # of its first line of code
    language: str
    flags: str
    prelude: str
    body: str

    @property
    def place(self):
        return f"{self.page}:{self.line}"


def blocks(page):
    with open(page, encoding="utf-8") as file:
        text = file.read()
    for match in BLOCK.finditer(text):
        prelude, language, flags, body = match.groups()
        line = text.count("\n", 0, match.start(4)) + 1
        yield Block(page, line, language or "text", flags.strip(), prelude or "", body)


def is_program(block):
    return re.search(r"^int main\(", block.body, re.MULTILINE) is not None


def source_of(block):
    if is_program(block):
        return f'#line {block.line} "{block.page}"\n{block.body}'
    includes = "\n".join(re.findall(r"^#include.*$", block.body, re.MULTILINE))
    body = re.sub(r"^#include.*$|^using namespace std::chrono_literals;$", "", block.body, flags=re.MULTILINE)
    return WRAP.format(includes=includes, prelude=block.prelude, line=block.line, page=block.page, body=body)


def run(command, **more):
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120,
                         stdin=subprocess.DEVNULL, **more)
    return ran.returncode, ran.stdout


def home(folder):
    cache = os.environ.get("CCACHE_DIR", os.path.expanduser("~/.cache/ccache"))
    return {**os.environ, "CCACHE_DIR": cache, "HOME": folder, "XDG_STATE_HOME": folder, "XDG_RUNTIME_DIR": folder, "XDG_CONFIG_HOME": folder,
            "PATH": os.environ.get("TOOL_DIR", "") + os.pathsep + os.environ["PATH"]}


def test_cpp(block, folder):
    with open(os.path.join(folder, "block.cpp"), "w", encoding="utf-8") as file:
        file.write(source_of(block))
    compiler = shlex.split(os.environ["CXX_COMMAND"])
    for command in ([*compiler, "-c", "block.cpp", "-o", "block.o"],  # apart, so that a compiler cache can help
                    [*compiler, "block.o", "-o", "block", *shlex.split(os.environ["LINK_FLAGS"])],
                    ["./block"]):
        code, output = run(command, cwd=folder, env=home(folder))
        if code:
            break
    return code, output


def test_sh(block, folder):
    return run(["sh", "-eu", "-c", block.body], cwd=folder, env=home(folder))


def test(language, page):
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for block in blocks(page):
            if block.language != language:
                continue
            code, output = (test_cpp if language == "cpp" else test_sh)(block, folder)
            failed += code != 0
            print(f"{'FAILED' if code else 'ok'} {block.place}" + (f" (exit code {code})\n{output}" if code else ""))
    return 1 if failed else 0


def main(arguments):
    if arguments[0] == "--print":
        found = [block for block in blocks(arguments[3]) if block.language == arguments[1]]
        sys.stdout.write(found[int(arguments[2]) - 1].body)
        return 0
    if arguments[0] == "list":
        for page in arguments[1:]:
            for block in blocks(page):
                if block.language not in TESTED:
                    print(f"shown only: {block.place}: {block.language}")
        return 0
    return test(arguments[0], arguments[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
