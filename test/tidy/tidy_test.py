#!/usr/bin/env python3
"""The rules over the repository's own files; and, for each rule, a planted breach that it must report."""
import unittest

import bans
import engines
import layers
import repository
import sizes

FILES = repository.files()


class Repository(unittest.TestCase):
    """The repository keeps its own rules."""
    maxDiff = None

    def keeps(self, rule):
        found = rule.violations(FILES)
        self.assertFalse(found, "\n" + "\n".join(found))

    def test_layers(self):
        self.keeps(layers)

    def test_sizes(self):
        self.keeps(sizes)

    def test_bans(self):
        self.keeps(bans)

    def test_engines_are_registered(self):
        self.keeps(engines)

    def test_it_was_looked_at(self):
        self.assertGreater(len([path for path in FILES if path.startswith("src/")]), 20)
        self.assertIn("include/leasehold/leasehold.hpp", FILES)


class Planted(unittest.TestCase):
    """A rule that cannot fail is no rule."""

    def reports(self, rule, path, text, part, others=()):
        files = {path: text, **dict.fromkeys(others, "// Decides nothing.\n")}
        found = [line for line in rule.violations(files) if line.startswith(path)]
        self.assertTrue(any(part in line for line in found), f"{part!r} is not in {found}")

    def accepts(self, rule, path, text, others=()):
        files = {path: text, **dict.fromkeys(others, "// Decides nothing.\n#pragma once\n")}
        self.assertEqual([], [line for line in rule.violations(files) if line.startswith(path)])

    def test_an_engine_must_not_include_core_or_another_engine(self):
        known = ["src/core/keeper.hpp", "src/engines/mem/mem.hpp", "src/engines/local/file.hpp", "src/model/name.hpp"]
        for name in ("core/keeper.hpp", "engines/mem/mem.hpp", "../mem/mem.hpp", "model/name.hpp"):
            self.reports(layers, "src/engines/local/a.cpp", f'#include "{name}"\n', "must not include", known)
        self.accepts(layers, "src/engines/local/a.cpp", '#include "file.hpp"\n#include "engines/local/file.hpp"\n', known)
        self.accepts(layers, "src/engines/local/a.cpp", '// #include "core/keeper.hpp"\n', known)

    def test_tools_see_the_public_api_only(self):
        for path in ("src/cli/a.cpp", "demo/a.cpp", "bench/a.cpp", "examples/a.cpp"):
            self.reports(layers, path, '#include "spi/task.hpp"\n', "must not include", ["src/spi/task.hpp"])
        self.reports(layers, "bench/a.cpp", '#include "../src/spi/task.hpp"\n', "must not include", ["src/spi/task.hpp"])

    def test_public_headers_use_std_only(self):
        self.reports(layers, "include/leasehold/a.hpp", "#include <boost/asio.hpp>\n", "std and Linux alone")
        self.reports(layers, "include/leasehold/a.hpp", "#include <unistd.h>\n", "standard library alone")
        self.accepts(layers, "include/leasehold/asio.hpp", "#include <boost/asio.hpp>\n")
        self.accepts(layers, "include/leasehold/fence/sqlite.hpp", "#include <sqlite3.h>\n")
        self.reports(layers, "include/leasehold/fence/sqlite.hpp", "#include <libpq-fe.h>\n", "standard library alone")
        self.reports(layers, "include/leasehold/fence.hpp", "#include <sqlite3.h>\n", "standard library alone")
        self.reports(layers, "src/core/a.cpp", "#include <fmt/core.h>\n", "std and Linux alone")

    def test_the_model_is_pure(self):
        self.reports(layers, "src/model/a.hpp", "#include <thread>\n", "pure")
        self.reports(layers, "src/model/a.hpp", '#include "core/keeper.hpp"\n', "must not", ["src/core/keeper.hpp"])

    def test_long_files_and_functions(self):
        self.reports(sizes, "src/core/a.cpp", "\n" * 401, "401 lines")
        body = "  x();\n" * 70
        for head in ("int f(int a) {", "c::c(int a) : a_{a}, b_(2) {", "TEST(suite, NAME) {", "auto f() -> int {",
                     "template <class T>\nbool f(T) const noexcept {", 'void f(char const* text = "{") {'):
            text = f"// Decides.\nnamespace a {{\nclass b;\n{head}\n{body}}}\n}}\n"
            self.reports(sizes, "src/core/a.cpp", text, "is the limit")
            self.accepts(sizes, "src/core/a.cpp", text.replace(body, "  if (x) {\n  }\n" * 33))
        self.accepts(sizes, "src/core/a.cpp", "struct a {\n" + "  int f() { return 1; }\n" * 90 + "};\n")
        self.accepts(sizes, "src/core/a.cpp", "#define A \\\n  if (b) { \\\n  }\nclass c {\n" + "  int d;\n" * 90 + "};\n")
        self.accepts(sizes, "src/core/a.cpp", "constexpr int table[] = {\n" + "  1,\n" * 90 + "};\n")
        self.reports(sizes, "test/a.py", "def f():\n" + "  pass\n" * 70, "is the limit")

    def test_bans(self):
        for path, text in (
                ("src/core/a.cpp", "std::chrono::system_clock::now();"),
                ("src/core/a.cpp", "clock_gettime(CLOCK_REALTIME, &t);"),
                ("test/unit/a.cpp", "std::this_thread::sleep_for(1ms);"),
                ("src/core/a.cpp", 'send("DEL", key);'),
                ("src/core/a.cpp", "#include <iostream>"),
                ("src/core/a.cpp", "std::regex r;"),
                ("src/core/a.cpp", "// TO" + "DO later"),
                ("README.md", "see /wor" + "k/main"),
                ("test/unit/a.cpp", "GTEST_SKIP();"),
                ("test/unit/a.cpp", "TEST(a, DISABLED_b) {}"),
                ("src/core/a.cpp", "co_await f({.name = n});"),
                ("src/core/a.cpp", "assert(true);")):
            self.assertTrue([line for line in bans._banned({path: text})], f"{text!r} was let through in {path}")
        self.accepts(bans, "src/core/a.cpp", "// Decides without system_clock.\nstatic_assert(true);\n")
        self.accepts(bans, "src/cli/view/wall_clock.cpp", "// Decides how times look.\nauto t = std::chrono::system_clock::now();\n")

    def test_heads_and_titles(self):
        self.reports(bans, "src/a.hpp", "// Decides.\nint a;\n", "#pragma once")
        self.reports(bans, "src/a.cpp", "int a;\n", "one sentence")
        self.reports(bans, "docs/a.md", "# One\n# Two\n", "2 titles")
        self.accepts(bans, "docs/a.md", "# One\n```sh\n# a comment\n```\n")

    def test_an_unregistered_engine(self):
        files = {"src/engines/new/a.cpp": "", "src/engines/net/a.cpp": "", engines.REGISTRY: '{"old"}'}
        self.assertEqual(2, len(engines.violations(files)))
        files.update({engines.REGISTRY: '{"new"}', "src/engines/new/README.md": "# New"})
        self.assertEqual([], engines.violations(files))


if __name__ == "__main__":
    unittest.main()
