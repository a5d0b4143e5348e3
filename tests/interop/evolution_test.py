"""What the reference does beyond append (columns added, rows updated, segments split, files vacuumed) is understood here,
and the reverse.

Would fail if we misread a table that has been rewritten, or if either program's vacuum took the other's files.
"""

import datetime
import unittest

import pyarrow as pa

import rows
from peers import Ours, Theirs, V1, commit, marigram
from rows import DAY, YEAR_2024, hours, readings, simple
from shared_table import BOTH, SharedTable

NEW_COLUMNS = [("flag", "bool", pa.bool_()), ("i", "int32", pa.int32()), ("u", "uint64", pa.uint64()),
               ("text", "string", pa.string()), ("at", "timestamp[ns,UTC]", pa.timestamp("ns", "UTC")),
               ("price", "decimal(18,4)", pa.decimal128(18, 4))]


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class Evolution(SharedTable):
    def start(self, who, count=2, tags=(), **creation):
        """A table with `count` appends in turn; returns it with its rows."""
        root = self.root()
        who.create(root, tags=tags, **creation)
        batches = []
        for i in range(count):
            seconds = hours(YEAR_2024 + i * DAY, 24)
            columns = {tag: pa.array(["a", "b"] * 24) for tag in tags}
            batches.append(simple(sorted(seconds * 2) if tags else seconds, i * 48, columns))
            BOTH[(BOTH.index(who) + i) % 2].append(root, batches[-1])
        return root, pa.concat_tables(batches)

    @unittest.skipIf(V1, "v1 keeps its columns")
    def test_columns_added_by_either(self):
        for adder in BOTH:
            for maker in BOTH:
                with self.subTest(added_by=adder.name, made_by=maker.name):
                    root, before = self.start(maker)
                    if adder is Ours:
                        marigram("add-column", root, *(f"{name}:{text}" for name, text, _ in NEW_COLUMNS))
                    else:
                        Theirs.open(root).add_columns(pa.schema([(name, kind) for name, _, kind in NEW_COLUMNS]))
                    wanted = before
                    for name, _, kind in NEW_COLUMNS:
                        wanted = wanted.append_column(name, pa.nulls(before.num_rows, kind))
                    self.assert_rows(root, wanted, "with new columns")
                    for i, who in enumerate((Ours, Theirs)):
                        full = simple(hours(YEAR_2024 + (10 + 2 * i) * DAY, 5), 1000 + i * 100)
                        for name, array in rows.fields(5, i, [(n, k) for n, _, k in NEW_COLUMNS]).items():
                            full = full.append_column(name, array)
                        who.append(root, full)
                        short = simple(hours(YEAR_2024 + (11 + 2 * i) * DAY, 5), 1050 + i * 100)
                        who.append(root, short)
                        for name, _, kind in NEW_COLUMNS:
                            short = short.append_column(name, pa.nulls(5, kind))
                        wanted = pa.concat_tables([wanted, full, short])
                        self.assert_rows(root, wanted, f"after appends by {who.name}")
                    self.assert_sound(root)

    @unittest.skipIf(V1, "v1 has no update")
    def test_rows_updated_by_them(self):
        for tags in ((), ("host",)):
            for maker in BOTH:
                with self.subTest(tags=tags, made_by=maker.name):
                    root, before = self.start(maker, 3, tags)
                    keys = before.select([*tags, "ts"]).slice(10, 30)
                    values = pa.array(range(5000, 5030), pa.int64())
                    table = Theirs.open(root)
                    table.update_rows(keys.append_column("v", values), columns=["v"], expected_version=table.version())
                    changed = pa.concat_arrays([before.column("v").slice(0, 10).combine_chunks(), values,
                                                before.column("v").slice(40).combine_chunks()])
                    wanted = before.set_column(before.schema.get_field_index("v"), "v", changed)
                    self.assert_rows(root, wanted, "updated")
                    columns = {tag: pa.array(["a"] * 3) for tag in tags}
                    for i, who in enumerate(BOTH):
                        more = simple(hours(YEAR_2024 + (20 + i) * DAY, 3), 9000 + 3 * i, columns)
                        who.append(root, more)
                        wanted = pa.concat_tables([wanted, more])
                    self.assert_rows(root, wanted, "updated and appended to")
                    self.assert_refuses_overlap(root, before.slice(12, 1))
                    self.assert_sound(root)

    @unittest.skipIf(V1, "v1 holds one entity")
    def test_segments_split_by_them(self):
        for maker in BOTH:
            with self.subTest(made_by=maker.name):
                root, before = self.start(maker, 3, ("host",))
                report = Theirs.open(root).optimize()
                self.assertFalse(report.no_op)
                self.assert_rows(root, before, "split")
                more = simple(hours(YEAR_2024 + 20 * DAY, 3), 9000, {"host": pa.array(["b"] * 3)})
                Ours.append(root, more)
                self.assert_rows(root, pa.concat_tables([before, more]), "split and appended to")
                self.assertEqual({"a", "b"}, {segment["series"]["host"] for segment in Ours.segments(root)})
                self.assert_refuses_overlap(root, before.slice(12, 1))
                self.assert_sound(root)

    @unittest.skipIf(V1, "v1 has no vacuum")
    def test_their_vacuum_takes_nothing_of_ours(self):
        for maker in BOTH:
            with self.subTest(made_by=maker.name):
                root, before = self.start(maker, 4)
                marigram("checkpoint", root)
                marigram("remove", root, Ours.segments(root)[0]["id"])
                files = sorted(path for path in root.rglob("*") if path.is_file())
                report = Theirs.open(root).vacuum(now(), apply=True)
                self.assertEqual(0, report.deleted_files, [artifact.path for artifact in report.artifacts])
                self.assertEqual(files, sorted(path for path in root.rglob("*") if path.is_file()))
                self.assert_rows(root, before.slice(24), "vacuumed")
                self.assert_sound(root)

    def test_our_vacuum_takes_nothing_of_theirs(self):
        for maker in BOTH:
            with self.subTest(made_by=maker.name):
                root, wanted = self.start(maker, 4)
                if not V1:
                    table = Theirs.open(root)
                    table.update_rows(wanted.slice(5, 1), columns=["v"], expected_version=table.version())
                marigram("vacuum", root, "--older-than", "0s")
                self.assert_rows(root, wanted, "vacuumed")
                more = simple(hours(YEAR_2024 + 30 * DAY, 3), 9000)
                Theirs.append(root, more)
                self.assert_rows(root, pa.concat_tables([wanted, more]), "vacuumed and appended to")
                self.assert_sound(root)

    def test_declared_columns_of_an_empty_table(self):
        """Types given to `create` bind the first append, also one of theirs that fits."""
        kinds = [("i", "int32", pa.int32()), ("text", "string", pa.string()), ("price", "decimal(9,2)", pa.decimal128(9, 2))]
        for first, second in (BOTH, BOTH[::-1]):
            with self.subTest(first=first.name):
                root = self.root()
                options = [word for name, text, _ in kinds for word in ("--field", f"{name}:{text}")]
                Ours.create(root, options=["--unit", "us", *options])
                batches = [readings(hours(YEAR_2024 + i * DAY, 6), i, columns=[(n, k) for n, _, k in kinds]) for i in (1, 2)]
                first.append(root, batches[0])
                second.append(root, batches[1])
                self.assert_rows(root, pa.concat_tables(batches))
                self.assert_sound(root)

    def test_an_empty_table(self):
        for maker, other in (BOTH, BOTH[::-1]):
            with self.subTest(made_by=maker.name):
                root = self.root()
                maker.create(root)
                self.assertEqual(1, Theirs.version(root))
                shown = Ours.show(root)
                self.assertEqual((1, 0, 0), (shown["version"], shown["rows"], shown["segments"]))
                self.assert_sound(root)
                self.assertRaises(Exception, other.create, root)
                self.assertEqual(1, len(commit(root, 1)["actions"][:1]))
                batch = simple(hours(YEAR_2024, 3), 0)
                other.append(root, batch)
                self.assert_rows(root, batch)
