#!/usr/bin/env python3
"""A broken block must be reported, by its page and line."""
import contextlib
import io
import os
import tempfile
import unittest

import blocks

HEAD = "# Page\n\nText.\n\n"


class Blocks(unittest.TestCase):
    def page(self, language, text):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "page.md")
            with open(path, "w", encoding="utf-8") as file:
                file.write(HEAD + text)
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                code = blocks.test(language, path)
            return code, output.getvalue()

    def test_good_blocks_pass(self):
        self.assertEqual(0, self.page("cpp", "```cpp\nauto lease = locks.try_acquire(\"a\", {.ttl = 10s});\n```\n")[0])
        self.assertEqual(0, self.page("cpp", "<!-- prelude: int f() { return 1; } -->\n```cpp\n#include <vector>\nstd::vector v{f()};\n```\n")[0])
        self.assertEqual(0, self.page("sh", "```sh\ntrue\n```\n```console\n$ false\n```\n")[0])

    def test_broken_blocks_fail(self):
        for language, text in (("cpp", "```cpp\nlocks.no_such_thing();\n```\n"), ("cpp", "```cpp\nint main() { return 3; }\n```\n"),
                               ("sh", "```sh\nfalse\ntrue\n```\n"), ("sh", "```sh\necho $unset\n```\n")):
            code, output = self.page(language, text)
            self.assertEqual(1, code, text)
            self.assertIn("page.md:6", output)


if __name__ == "__main__":
    unittest.main()
