"""Decides what must not be written, and names what to write instead."""
import re
from dataclasses import dataclass, field

from repository import CODE, code_of, line_of


@dataclass
class Ban:
    pattern: str
    instead: str
    where: tuple = ()                            # prefixes of paths; empty: everywhere
    only: tuple = CODE                           # ends of paths; empty: every file
    but: dict = field(default_factory=dict)      # prefix of a path: why it is exempt
    comments: bool = False                       # look into comments and literals too


# Patterns are broken by a [class] where this file would otherwise match itself.
BANS = [
    Ban(r"\bsystem_clock\b|\bCLOCK_REALTIME\w*|\bgettimeofday\b|\btime\s*\((nullptr|NULL|0)\)",
        "no wall clock decides anything: leasehold::clock (CLOCK_BOOTTIME), through the environment", ("src/", "include/"),
        but={"src/cli/view/wall_clock.cpp": "shows times to people",
             "src/engines/cosmos/wall_clock.cpp": "dates the first request, before the service has told its own time",
             "src/engines/rabbitmq/wall_clock.cpp": "the floor under the first token of a queue, as of local:",
             "src/engines/redis/wall_clock.cpp": "a health check shows it beside the server's",
             "src/engines/local/token_floor.cpp": "orders tokens over the loss of a store; grants and ends nothing"}),
    Ban(r"\bthis_thread::sleep_\w+|::sleep\s*\(|\busleep\s*\(|\bnanosleep\b",
        "no sleeps in unit tests: advance virtual time, or wait for the condition",
        ("test/unit/", "test/sim/", "test/conformance/"),
        but={"test/conformance/local_fixture.cpp": "time passes for real on a real engine",
             "test/conformance/mem_fixture.cpp": "the same, for mem: on the real clock",
             "test/conformance/rabbitmq_fixture.cpp": "time passes for real on a real server",
             "test/conformance/redis_fixture.cpp": "time passes for real on a real server",
             "test/conformance/cosmos_fixture.cpp": "the same",
             "test/conformance/redlock_fixture.cpp": "the same, on three of them"}),
    Ban(r"\"DEL\\?[\" ]|redis\.call\(\s*'del'", "a raw DEL frees another's lock: compare and delete", ("src/",), comments=True),
    Ban(r"\bstd::w?regex\b|#\s*include\s*<regex>", "std::regex is slow and recurses: parse by hand", ("src/", "include/")),
    Ban(r"#\s*include\s*<iostream>|\bstd::endl\b", "<iostream> costs start-up time: fmt in the tool, nothing in the library",
        ("src/", "include/")),
    Ban(r"\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b", "left-overs: do it now, or open an issue", only=(), comments=True),
    Ban(r"/wor[k]/(main|shared|steering)|/far[m]/|\.\./share[d]/|/tmp/l[h]/", "a path of one machine",
        only=(), comments=True),
    Ban(r"\bGTEST_SKIP\(\)\s*;", "a skip says why: GTEST_SKIP() << \"...\"", ("test/",)),
    Ban(r"\bDISABLED_\w+", "a disabled test is no test: mend it or remove it", ("test/",)),
    Ban(r"\bco_await\b[^;{]*[({,]\s*\{\s*\.\w", "g++ 12 frees such a temporary twice: name the aggregate first", ("src/",)),
    Ban(r"(?<!::)\b(assert\s*\(|#\s*include\s*<cassert>)", "LEASEHOLD_ASSERT stays on in release", ("src/",)),
]


def _banned(files):
    for path, text in files.items():
        code = code_of(text) if path.endswith(CODE) else text
        for ban in BANS:
            if ban.where and not path.startswith(ban.where) or ban.only and not path.endswith(ban.only):
                continue
            if any(path.startswith(prefix) for prefix in ban.but):
                continue
            looked_at = text if ban.comments else code
            for match in re.finditer(ban.pattern, looked_at):
                yield f"{path}:{line_of(looked_at, match.start())}: '{match.group(0).strip()}': {ban.instead}"


def _heads(files):
    """A source begins with a comment that says what it decides, or with the header that does; a header is included once."""
    for path, text in files.items():
        if path.endswith(CODE):
            if not text.startswith("//") and (path.endswith(".hpp") or not re.match(r'#include ("|<leasehold/)', text)):
                yield f"{path}:1: begin with a comment of one sentence: what this file decides"
            if path.endswith(".hpp") and "#pragma once" not in text:
                yield f"{path}:1: #pragma once is missing"


def _titles(files):
    for path, text in files.items():
        if path.endswith(".md"):
            outside = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
            titles = len(re.findall(r"^# ", outside, re.MULTILINE))
            if titles != 1:
                yield f"{path}: {titles} titles; one '# ' per file"


def violations(files):
    return [*_banned(files), *_heads(files), *_titles(files)]
