"""Decides which layer may include which: the table of docs/architecture.md, as data."""
import os
import re

from repository import CODE, code_of, line_of

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)

# A layer (the longest matching prefix of a path) and the prefixes of what it may include. `SELF` is its own folder.
SELF = "SELF"
PUBLIC = "include/leasehold/"
ASSERT = "src/model/assert.hpp"
ALLOWED = {
    "include/leasehold/": [SELF],
    "src/model/": [SELF, PUBLIC, "src/spi/"],
    "src/spi/": [SELF, PUBLIC, ASSERT],
    "src/core/": [SELF, PUBLIC, "src/model/", "src/spi/"],
    "src/engines/": [SELF, PUBLIC, ASSERT, "src/spi/", "src/engines/net/"],
    "src/engines/redlock/": [SELF, PUBLIC, ASSERT, "src/spi/", "src/model/quorum.hpp"],  # what the model explores is what ships
    "src/cli/": [SELF, PUBLIC],
    "src/agent/": [SELF, PUBLIC],
    "demo/": [SELF, PUBLIC],
    "examples/": [SELF, PUBLIC],
    "bench/": [SELF, PUBLIC],
}
# The list of the engines has to name them all; the peers of redis: and redlock: send the engines' own scripts.
EXEMPT = {"src/engines/builtin.cpp": ["src/engines/"], "src/engines/builtin.hpp": ["src/engines/"],
          "bench/redis_peers.cpp": ["src/engines/redis/"], "bench/redlock_peers.cpp": ["src/engines/redis/"]}

# The library itself stands on std and Linux; tool, demo and tests may use packages.
STANDS_ON_STD = ("include/", "src/model/", "src/spi/", "src/core/", "src/engines/local/", "src/engines/mem/")
SYSTEM_FOLDERS = ("leasehold/", "sys/", "linux/")
# Headers that are compiled with what the user brings, and what that is; the library includes none of them.
BRIDGES = {"include/leasehold/asio.hpp": ("asio", "boost/", "fcntl.h"),
           "include/leasehold/fence/postgres.hpp": ("libpq-fe.h", "postgresql/libpq-fe.h"),
           "include/leasehold/fence/sqlite.hpp": ("sqlite3.h",)}
# What a pure decision cannot need.
IMPURE = {"thread", "mutex", "shared_mutex", "condition_variable", "semaphore", "latch", "barrier", "future", "random",
          "iostream", "fstream", "filesystem", "csignal", "ctime", "cstdio", "coroutine", "fcntl.h", "unistd.h", "poll.h",
          "pthread.h", "time.h", "signal.h", "sys/mman.h", "sys/socket.h", "sys/stat.h", "linux/futex.h"}


def layer_of(path):
    """The layer, and the folder that is the file's own within it."""
    for layer in sorted(ALLOWED, key=len, reverse=True):
        if path.startswith(layer):
            own = layer
            if layer == "src/engines/" and path.count("/") > 2:
                own = layer + path[len(layer):].split("/")[0] + "/"
            return layer, own
    return None, None


def target_of(path, name, known):
    """The repository's file that an include names, if it is one: beside the file, below src/, or below include/."""
    beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
    for candidate in (beside, "src/" + name, "include/" + name):
        if candidate in known:
            return candidate
    return None


def _edge(path, name, target, layer, own):
    allowed = [own if prefix == SELF else prefix for prefix in ALLOWED[layer]] + EXEMPT.get(path, [])
    if target and not any(target.startswith(prefix) for prefix in allowed):
        return f"{layer}* must not include {target}; it may include {', '.join(allowed)}"
    if not target and path.startswith(STANDS_ON_STD) and not name.startswith(BRIDGES.get(path, ("*",))):
        if "/" in name and not name.startswith(SYSTEM_FOLDERS):
            return f"the library itself stands on std and Linux alone, not <{name}>"
        if path.startswith("include/") and name.endswith(".h"):
            return f"public headers use the standard library alone, not <{name}>"
    if layer == "src/model/" and path != ASSERT and name in IMPURE:
        return f"src/model is pure: no I/O, clock, thread or randomness of its own, so no <{name}>; take the value as an argument"
    return None


def violations(files):
    found = []
    for path, text in files.items():
        layer, own = layer_of(path)
        if layer is None or not path.endswith(CODE):
            continue
        source = code_of(text, keep_strings=True)
        for match in INCLUDE.finditer(source):
            name = match.group(2)
            wrong = _edge(path, name, target_of(path, name, files), layer, own)
            if wrong:
                found.append(f"{path}:{line_of(source, match.start())}: {wrong}")
    return found
