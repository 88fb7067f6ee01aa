#!/usr/bin/env python3
"""docs/cases.md against the tests; and planted breaches that the check must report."""
import unittest

import cases
import repository

TABLE = """# Cases
| id | situation | tests |
|---|---|---|
| OWN-1 | a \\| b | unit: `OWN_1_a`; sim: `OWN_1_b` `OWN_1_OWN_2_c` |
| OWN-2 | c | none yet |
"""
SOURCES = {"test/unit/a_test.cpp": "TEST(own, OWN_1_a) {}", "test/sim/b_test.cpp": "SIM(OWN_1, b)\nTEST(x, OWN_1_OWN_2_c)"}


class Cases(unittest.TestCase):
    maxDiff = None

    def test_the_table_names_tests_that_exist(self):
        found = cases.check(repository.files(), strict=False)
        self.assertFalse(found, "\n" + "\n".join(found))

    def check(self, strict=False, table=TABLE, **more):
        return "\n".join(cases.check({cases.TABLE: table, **SOURCES, **more}, strict))

    def test_it_accepts_what_is_true(self):
        self.assertEqual("", self.check())

    def test_it_reports_a_test_that_is_not_there(self):
        self.assertIn("OWN-1 names unit: `OWN_1_a`", self.check(**{"test/unit/a_test.cpp": "// OWN_1_a"}))

    def test_it_reports_a_test_without_a_row(self):
        self.assertIn("no row for WAIT-3", self.check(**{"test/unit/c_test.cpp": "TEST(w, WAIT_3_x)"}))

    def test_strict_reports_an_id_without_a_test_and_a_test_left_out(self):
        self.assertIn("OWN-3 has no test yet", self.check(True, TABLE + "| OWN-3 | d | none yet |\n"))
        self.assertIn("OWN-2 does not name sim: `OWN_1_OWN_2_c`", self.check(True))

    def test_a_row_that_waits_for_its_engine_needs_no_test(self):
        table = TABLE + "\n| id | engine | situation |\n|---|---|---|\n| OWN-9 | redis | `x` |\n"
        self.assertEqual("", self.check(False, table))
        self.assertNotIn("OWN-9", self.check(True, table))
        self.assertIn("move the row up", self.check(True, table, **{"test/unit/c_test.cpp": "TEST(o, OWN_9_x)"}))
        self.assertIn("| OWN-9 | redis | `x` |", cases.written({cases.TABLE: table, **SOURCES}))

    def test_it_reports_an_empty_table(self):
        self.assertIn("has no case", self.check(table="# Cases\n"))

    def test_written_is_accepted(self):
        written = cases.written({cases.TABLE: TABLE, **SOURCES})
        self.assertEqual("", self.check(True, written))
        self.assertIn("| OWN-2 | c | sim: `OWN_1_OWN_2_c` |", written)


if __name__ == "__main__":
    unittest.main()
