"""Tables that use what only Marigram has (checkpoints, calendars, partitions, transaction ids) still open, and still
take appends, in the reference.

Would fail if an extension stood where the reference looks, or if ours were lost by a commit of theirs.
"""

import json
import unittest

import pyarrow as pa

from peers import Ours, Theirs, V1, commit, current, marigram
from rows import DAY, YEAR_2024, hours, simple
from shared_table import BOTH, SharedTable

# New York's trading hours, as docs/format/coverage.md spells a calendar.
CALENDAR = {"timezone": "America/New_York", "holidays": ["2024-01-01"],
            "sessions": [{"days": ["mon", "tue", "wed", "thu", "fri"], "open": "09:00", "close": "16:00"}]}


class Extensions(SharedTable):
    def append_in_turn(self, root, count, start=0):
        batches = []
        for i in range(start, start + count):
            batches.append(simple(hours(YEAR_2024 + i * DAY, 24), i * 24))
            BOTH[i % 2].append(root, batches[-1])
        return batches

    def test_checkpoints(self):
        for maker in BOTH:
            with self.subTest(made_by=maker.name):
                root = self.root()
                maker.create(root)
                batches = []
                for i in range(3):
                    batches += self.append_in_turn(root, 3, 3 * i)
                    marigram("checkpoint", root)
                    self.assert_rows(root, pa.concat_tables(batches), f"after checkpoint {i + 1}")
                batches += self.append_in_turn(root, 3, 9)
                self.assert_rows(root, pa.concat_tables(batches), "after the last checkpoint")
                self.assert_refuses_overlap(root, batches[0])
                self.assert_sound(root)

    def test_a_checkpoint_of_segments_removed_and_rewritten_by_them(self):
        root = self.root()
        Theirs.create(root)
        batches = self.append_in_turn(root, 4)
        marigram("checkpoint", root)
        if not V1:
            table = Theirs.open(root)
            table.update_rows(batches[0].slice(3, 4), columns=["v"], expected_version=table.version())
        marigram("remove", root, Ours.segments(root)[-1]["id"])
        marigram("checkpoint", root)
        batches = batches[:3] + self.append_in_turn(root, 2, 8)
        self.assert_rows(root, pa.concat_tables(batches))
        self.assert_sound(root)

    def test_a_calendar_lasts_through_their_appends(self):
        calendar = self.folder / "calendar.json"
        calendar.write_text(json.dumps(CALENDAR), encoding="utf-8")
        root = self.root()
        Ours.create(root, options=["--calendar", calendar])
        batches = self.append_in_turn(root, 4)
        self.assert_rows(root, pa.concat_tables(batches))
        report = Ours.coverage(root, "--from", "2024-01-01T00:00:00Z", "--to", "2024-01-05T00:00:00Z")
        self.assertEqual(3 * 7, report["expected_buckets"])
        self.assertEqual([], report["gaps"])
        marigram("checkpoint", root)
        self.append_in_turn(root, 1, 10)
        self.assertEqual(4 * 7, Ours.coverage(root, "--from", "2024-01-01", "--to", "2024-01-06")["expected_buckets"])
        self.assert_sound(root)

    def test_a_partition_width_lasts_through_their_appends(self):
        root = self.root()
        Ours.create(root, options=["--partition", "12h"])
        batches = self.append_in_turn(root, 3)
        self.assert_rows(root, pa.concat_tables(batches))
        if not V1:  # a v1 segment is the file as it came
            bounds = [segment for segment in Ours.segments(root) if segment["rows"] == 12]
            self.assertEqual(4, len(bounds), "two appends of ours, each of two halves of a day")
        self.assert_sound(root)

    def test_what_ours_adds_to_a_commit_stands_beside_what_theirs_reads(self):
        root = self.root()
        Ours.create(root)
        Ours.append(root, simple(hours(YEAR_2024, 3), 0))
        Theirs.append(root, simple(hours(YEAR_2024 + DAY, 3), 3))
        known = {"UpdateTableMeta", "AddSegment", "RemoveSegment", "UpdateTableCoverage"}
        for version in range(1, current(root) + 1):
            read = commit(root, version)
            extra = [name for action in read["actions"] for name in action if name not in known]
            if version == 3:
                self.assertEqual([], extra)
            elif V1:
                self.assertEqual([], extra)
                self.assertTrue(read["marigram"]["transaction_id"])
            else:
                self.assertEqual(["Marigram"], extra)
        meta = commit(root, 1)["actions"][0]["UpdateTableMeta"]
        self.assertFalse(meta.get("required_reader_features"), "a plain table asks nothing of its readers")
        self.assertFalse(meta.get("required_writer_features"), "a plain table asks nothing of its writers")

    @unittest.skipIf(V1, "v1 has no features")
    def test_a_policy_on_duplicates_is_refused_by_name(self):
        for policy in ("last", "all"):
            with self.subTest(policy=policy):
                root = self.root()
                Ours.create(root, options=["--duplicates", policy])
                Ours.append(root, simple(hours(YEAR_2024, 3), 0))
                with self.assertRaisesRegex(Exception, "marigram_duplicates"):
                    Theirs.open(root)
                self.assertEqual([], Ours.problems(root))

    def test_time_travel_over_their_commits(self):
        root = self.root()
        Theirs.create(root)
        batches = self.append_in_turn(root, 4)
        for version in range(2, 6):
            self.assertEqual(24 * (version - 1), Ours.rows(root, "--at", str(version)).num_rows)
        self.assertEqual(len(batches) * 24, Ours.rows(root, "--from", "2024-01-01", "--to", "2024-01-05").num_rows)

    @unittest.skipIf(V1, "v1 declares no features")
    def test_a_table_that_grows_is_refused_by_name(self):
        root = self.root()
        Ours.create(root, tags=("host",), options=("--growing",))
        with self.assertRaisesRegex(Exception, "reader features.*marigram_growing"):
            Theirs.open(root)
