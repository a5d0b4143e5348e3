"""A test case that shares tables between ours and theirs, and looks at them from both sides."""

import shutil
import tempfile
import unittest
from pathlib import Path

import pyarrow as pa

from peers import CONFLICT, OVERLAP, Ours, Refused, Theirs, V1, current, log_versions
from rows import UNITS, assert_same_rows, plain

BOTH = (Ours, Theirs)


def bucket_ids(column, width):
    """The buckets of an index column: `width` in seconds for times, in steps for integers."""
    if not pa.types.is_timestamp(column.type):
        return {value // width for value in column.to_pylist()}
    seconds = (value // UNITS[column.type.unit] for value in plain(column))
    return {max(second // width, 0) if V1 else second // width for second in seconds}


class SharedTable(unittest.TestCase):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="marigram-interop-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.folder = Path(folder)

        self.tables = 0

    def root(self):
        """The folder of a new table."""
        self.tables += 1
        return self.folder / f"table{self.tables}"

    def assert_rows(self, root, wanted, said="", types=True):
        for who in BOTH:
            assert_same_rows(self, wanted, who.rows(root), f"{who.name} {said}", types)

    def assert_sound(self, root):
        self.assertEqual([], Ours.problems(root))
        self.assertEqual(list(range(1, current(root) + 1)), log_versions(root), "the log has gaps, or more than CURRENT")
        self.assertEqual(Theirs.version(root), Ours.show(root)["version"])

    def assert_covered(self, root, rows, index="ts", width=3600):
        """Our coverage says what the rows say."""
        ids = sorted(bucket_ids(rows.column(index), width))
        report = Ours.coverage(root)
        self.assertEqual(len(ids), report["covered_buckets"])
        self.assertEqual(ids[-1] - ids[0] + 1, report["expected_buckets"])
        gaps = [right - left - 1 for left, right in zip(ids, ids[1:]) if right - left > 1]
        self.assertEqual(gaps, [gap["buckets"] for gap in report["gaps"]])

    def assert_refuses_overlap(self, root, rows):
        """Both know that these rows' buckets are taken."""
        before = current(root)
        with self.assertRaises(Refused) as caught:
            Ours.append(root, rows)
        self.assertEqual(CONFLICT, caught.exception.code, str(caught.exception))
        self.assertRaises(OVERLAP, Theirs.append, root, rows)
        self.assertEqual(before, current(root))
