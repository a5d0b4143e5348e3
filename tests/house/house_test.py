"""Holds the sources to the rules in rules.py. Without it the layers would be kept by good will alone.

usage: house_test.py [unittest options]      the tree is the one this file lies in
"""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import rules  # noqa: E402


class House(unittest.TestCase):
    tree = rules.Tree(Path(__file__).resolve().parents[2])


def _test_of(rule):
    def test(self):
        violations = list(rule(self.tree))
        if violations:
            self.fail("\n" + "\n".join(violations))
    test.__doc__ = rule.__doc__
    return test


for _rule in rules.ALL:
    setattr(House, f"test_{_rule.__name__}", _test_of(_rule))

if __name__ == "__main__":
    unittest.main()
