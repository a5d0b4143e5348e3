"""Columns of every type, of awkward types, required and nullable ones, nested ones, annotated ones, of files with every
layout: both programs return the same values, cell by cell, and go on appending.

Would fail if one program took a type of the other for another type, or bound a table to columns that the other refuses.
"""

import unittest

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from peers import Ours, Refused, Theirs, V1, commit, marigram
from rows import DAY, YEAR_2024, assert_same_rows, hours, readings, simple, times
from shared_table import BOTH, SharedTable


def batch(day, column, **more):
    return pa.table({"ts": times(hours(YEAR_2024 + day * DAY, len(column))), "x": column, **more})


def integers(kind, *values):
    return pa.array(values, pa.int64()).cast(kind)


def lists(element):
    return pa.array([[1, None, 3], None, [], [None]], pa.list_(element))


ELEMENT, ITEM = pa.field("element", pa.int64()), pa.field("item", pa.int64())
ENTRY = pa.struct([("a", pa.int32()), ("b", pa.string())])
NESTED = {
    "list": lists(ELEMENT),
    "required elements": pa.array([[1, 2], None, []], pa.list_(pa.field("element", pa.int64(), nullable=False))),
    "struct": pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": None}, {"a": 2, "b": ""}], ENTRY),
    "map": pa.array([[("k", 1)], None, [], [("l", None)]], pa.map_(pa.string(), pa.int64())),
    "lists": pa.array([[[1], None, []], None, []], pa.list_(pa.field("element", pa.list_(ELEMENT)))),
    "list of structs": pa.array([[{"a": 1, "b": "x"}, None], None, []], pa.list_(pa.field("element", ENTRY))),
    "struct of lists": pa.array([{"l": [1, None]}, None, {"l": None}], pa.struct([("l", pa.list_(ELEMENT))])),
}


class Columns(SharedTable):
    def take_turns(self, *batches, first=Theirs, types=True, wanted=None):
        """Appends in turn; `wanted` are the rows in the table's types, if other than the batches'."""
        root = self.root()
        first.create(root)
        wanted = wanted or batches
        for i, rows in enumerate(batches):
            (BOTH if first is Ours else BOTH[::-1])[i % 2].append(root, rows)
            self.assert_rows(root, pa.concat_tables(wanted[:i + 1]), f"after append {i + 1}", types)
        self.assert_sound(root)
        return root

    def refuse(self, who, root, rows):
        with self.assertRaises(Exception) as caught:
            who.append(root, rows)
        if who is Ours:
            self.assertIsInstance(caught.exception, Refused)
        return str(caught.exception)

    def test_nested(self):
        for first in BOTH:
            for name, array in NESTED.items():
                with self.subTest(name=name, first=first.name):
                    self.take_turns(*(batch(day, array) for day in range(3)), first=first, types=False)

    def test_names_of_list_elements(self):
        """Arrow says item where Parquet says element; v7 of theirs wants the table's, v1 has Parquet's alone."""
        for mine, other in ((ELEMENT, ITEM), (ITEM, ELEMENT)):
            with self.subTest(table=mine.name):
                root = self.root()
                Theirs.create(root)
                batches = [batch(0, lists(mine)), batch(1, lists(other)), batch(2, lists(mine))]
                for who, rows in zip((Theirs, Ours, Theirs), batches):
                    who.append(root, rows)
                self.assert_rows(root, pa.concat_tables([rows.cast(batches[0].schema) for rows in batches]), types=False)
                self.assert_sound(root)

    def test_wide_decimals_and_fixed_binaries(self):
        wide = pa.array([1, None, -10**18], pa.int64()).cast(pa.decimal256(60, 20))
        fixed = pa.array([b"\0\xff\x80z", None, b"\0\0\0\0"], pa.binary(4))
        for first in BOTH:
            with self.subTest(first=first.name):
                self.take_turns(*(batch(day, wide, fixed=fixed) for day in range(3)), first=first)

    def test_time_columns_of_any_declared_nullability(self):
        """Theirs wants of every append what the first had: a table that ours made must say what its rows said."""
        def rows(day, *nullable):
            made = simple(hours(YEAR_2024 + day * DAY, 5), 10 * day)
            return made.cast(pa.schema([field.with_nullable(n) for field, n in zip(made.schema, nullable)]))

        for first in BOTH:
            for nullable in ((True, True), (False, True), (True, False), (False, False)):
                with self.subTest(first=first.name, nullable=nullable):
                    root = self.take_turns(*(rows(day, *nullable) for day in range(4)), first=first, types=True)
                    others = rows(9, *(not n for n in nullable))
                    self.refuse(Theirs, root, others)
                    if V1:
                        self.refuse(Ours, root, others)
                    else:  # no value is null, so ours makes them what the table wants
                        Ours.append(root, others)
                        self.assertEqual(25, Theirs.rows(root).num_rows)
                        self.assert_sound(root)

    @unittest.skipIf(V1, "v1 drops rows without a time")
    def test_null_keys(self):
        for column in ("ts", "host"):
            rows = simple(hours(YEAR_2024, 4), 0, {"host": pa.array(["a"] * 4)})
            none = pa.array([True, False, True, True])
            i = rows.schema.get_field_index(column)
            rows = rows.set_column(i, column, pc.if_else(none, rows.column(i), None))
            for maker in BOTH:
                with self.subTest(column=column, made_by=maker.name):
                    root = self.root()
                    maker.create(root, tags=["host"])
                    self.assertIn("null", self.refuse(Ours, root, rows))
                    if column == "host":
                        self.assertIn("null", self.refuse(Theirs, root, rows))
                        continue
                    Theirs.append(root, rows)  # it keeps rows that have no place in time: ours neither returns nor hides them
                    self.assertEqual((4, 3), (Theirs.rows(root).num_rows, Ours.rows(root).num_rows))
                    self.assertIn("ts is null in row 1", str(Ours.problems(root)))

    @unittest.skipUnless(V1, "v7 refuses them or has problems with them")
    def test_rows_without_a_time_in_v1(self):
        for who in BOTH:
            with self.subTest(who=who.name):
                root = self.root()
                Theirs.create(root)
                rows = simple(hours(YEAR_2024, 4), 0)
                none = pa.array([True, False, True, True])
                who.append(root, rows.set_column(0, "ts", pc.if_else(none, rows.column(0), None)))
                self.assertEqual((4, 3), (Theirs.rows(root).num_rows, Ours.rows(root).num_rows))
                self.assert_sound(root)
                self.assert_refuses_overlap(root, rows.slice(2))
                BOTH[1 - BOTH.index(who)].append(root, rows.slice(1, 1))  # the hour of the row that had no time

    def test_no_rows(self):
        for maker in BOTH:
            root = self.root()
            maker.create(root)
            for who in BOTH:
                self.refuse(who, root, simple([], 0))
            self.assertEqual(1, Theirs.version(root))

    @unittest.skipIf(V1, "v1 wants the exact type")
    def test_narrower_columns_of_every_kind(self):
        pairs = {pa.int32(): (pa.int8(), pa.int16()), pa.int64(): (pa.int8(), pa.int16(), pa.int32()),
                 pa.uint64(): (pa.uint8(), pa.uint16(), pa.uint32())}
        for wide, narrow in pairs.items():
            for first in BOTH:
                with self.subTest(wide=str(wide), first=first.name):
                    columns = [integers(kind, 7, None, 100) for kind in (wide, wide, *(n for n in narrow for _ in BOTH))]
                    batches = [batch(day, column) for day, column in enumerate(columns)]
                    self.take_turns(*batches, first=first, wanted=[rows.cast(batches[0].schema) for rows in batches])
        root = self.take_turns(batch(0, integers(pa.int64(), 1)))
        for wrong in (pa.uint64(), pa.uint32(), pa.float64(), pa.string()):
            for who in BOTH:
                self.refuse(who, root, batch(1, integers(wrong, 1)))

    @unittest.skipIf(V1, "v1 wants the exact type")
    def test_narrower_keys(self):
        def rows(first, index, tag):
            return pa.table({"host": integers(tag, 1, 2), "n": integers(index, first, first + 10), "v": pa.array([1.5, None])})

        for maker in BOTH:
            with self.subTest(made_by=maker.name):
                root = self.root()
                maker.create(root, index="n", kind="int64", step=10, tags=["host:int64"])
                kinds = (pa.int64(), pa.int64()), (pa.int32(), pa.int8()), (pa.int8(), pa.int16()), (pa.int16(), pa.int32())
                batches = [rows(30 * i, *kind) for i, kind in enumerate(kinds)]
                for i, made in enumerate(batches):
                    BOTH[i % 2].append(root, made)
                self.assert_rows(root, pa.concat_tables([made.cast(batches[0].schema) for made in batches]))
                self.assert_refuses_overlap(root, batches[2])
                self.assert_sound(root)

    @unittest.skipIf(V1, "v1 keeps no annotations")
    def test_annotations_of_theirs_stay(self):
        def rows(day, annotated):
            made = simple(hours(YEAR_2024 + day * DAY, 3), 3 * day)
            if not annotated:
                return made
            fields = [made.schema.field(0), made.schema.field(1).with_metadata({"unit": "m"})]
            return made.cast(pa.schema(fields, metadata={"owner": "x"}))

        root = self.take_turns(rows(0, True), rows(1, False), rows(2, True), rows(3, True), rows(4, False))
        marigram("add-column", root, "more:int64")
        Theirs.append(root, rows(5, True))
        schema = commit(root, 7)["actions"][0]["UpdateTableMeta"]["logical_schema"]
        self.assertEqual({"owner": "x"}, schema["metadata"])
        self.assertEqual([{}, {"unit": "m"}, {}], [column.get("metadata", {}) for column in schema["columns"]])
        for path in root.rglob("data/_managed/append/*.parquet"):
            self.assertEqual(b"m", pq.read_schema(path).field("v").metadata[b"unit"], path)

    @unittest.skipIf(V1, "v1 takes Parquet files")
    def test_pandas_words_bind_nobody(self):
        batches = [simple(hours(YEAR_2024 + i * DAY, 3), 3 * i).replace_schema_metadata({"pandas": f'{{"i":{i}}}'})
                   for i in range(3)]
        self.take_turns(*batches, first=Ours)

    def test_rows_that_came_as_text(self):
        """Segments of our own making, in v1 too, where they otherwise are files as they came."""
        for maker in BOTH:
            with self.subTest(made_by=maker.name):
                root = self.root()
                maker.create(root)
                batches = [simple(hours(YEAR_2024 + i * DAY, 24), 24 * i) for i in range(4)]
                for i, rows in enumerate(batches):
                    (Theirs.append, Ours.add)[i % 2](root, rows)
                self.assert_rows(root, pa.concat_tables(batches))
                self.assert_covered(root, pa.concat_tables(batches))
                self.assert_refuses_overlap(root, batches[1])
                self.assert_sound(root)

    def test_layouts_of_files(self):
        layouts = [{"compression": name} for name in ("snappy", "zstd")]
        layouts += [{"compression": "none"}, {"compression": "gzip"}, {"compression": "lz4"}, {"compression": "brotli"},
                    {"data_page_version": "2.0"}, {"version": "1.0"}, {"use_dictionary": False}, {"row_group_size": 7},
                    {"write_statistics": False}, {"store_schema": False}, {"write_page_index": True},
                    {"write_page_checksum": True}] if V1 else [{"compression": "uncompressed"},
                                                               {"max_rows_per_row_group": 7}]
        for layout in layouts:
            with self.subTest(**layout):
                columns = None if V1 and layout.get("version") != "1.0" else [("v", pa.float64()), ("s", pa.string())]
                root = self.root()
                Theirs.create(root)
                batches = [readings(hours(YEAR_2024 + i * DAY, 24), i, columns=columns) for i in range(2)]
                Theirs.append(root, batches[0], **layout)
                Ours.append(root, batches[1], **(layout if V1 else {}))
                self.assert_rows(root, pa.concat_tables(batches), types=not V1)
                self.assert_sound(root)

    @unittest.skipUnless(V1, "v7 refuses all of these at the door")
    def test_types_that_v1_takes_for_others(self):
        """Theirs takes Parquet's type for the column's; ours reads what it then says, and appends what keeps its meaning."""
        keeps = {"int8": (pa.int8(), pa.int32()), "large_string": (pa.large_string(), pa.string()),
                 "dictionary": (pa.dictionary(pa.int32(), pa.string()), pa.string()),
                 "timestamp[s]": (pa.timestamp("s"), pa.timestamp("ms"))}
        turns = {"uint32": (pa.uint32(), pa.int32()), "date32": (pa.date32(), pa.int32()),
                 "time64": (pa.time64("us"), pa.int64()), "duration": (pa.duration("us"), pa.int64()),
                 "large_list": (pa.large_list(pa.int64()), pa.list_(pa.int64())),
                 "fixed_size_list": (pa.list_(pa.int64(), 1), pa.list_(pa.int64()))}
        for name, (kind, taken) in {**keeps, **turns}.items():
            with self.subTest(name=name):
                values = [[1], None, [3]] if "list" in name else ["1", None, "3"] if taken == pa.string() else None
                column = pa.array(values, kind) if values else pa.array([1, None, 3], pa.int32()).cast(
                    pa.int64() if name in ("time64", "duration", "timestamp[s]") else pa.int32()).cast(kind)
                held = pa.array(values, taken) if values else column.cast(taken)
                root = self.root()
                Theirs.create(root)
                Theirs.append(root, batch(0, column))
                self.assert_rows(root, batch(0, held), types=False)
                if name in keeps:
                    Ours.append(root, batch(1, column))
                    self.assert_rows(root, pa.concat_tables([batch(0, held), batch(1, held)]), types=False)
                else:
                    self.assertIn("column x has type", self.refuse(Ours, root, batch(1, column)))
                    Ours.append(root, batch(1, held))
                self.assert_sound(root)

    def test_queries_of_both_over_segments_of_both(self):
        """Whole segments, row groups and pages are left out by what the other program wrote about them."""
        root = self.root()
        tags = () if V1 else ("host",)
        Ours.create(root, step="1s", tags=tags)
        wanted = []
        for i in range(4):
            seconds = hours(YEAR_2024 + i * 10 * DAY, 40_000, 20)
            host = {} if V1 else {"host": pa.array([("a", "b")[i % 2]] * len(seconds))}
            wanted.append(simple(seconds, i * len(seconds), host))
        for i, rows in enumerate(wanted):
            BOTH[i % 2].append(root, rows)
        rows = pa.concat_tables(wanted)
        begin, end = "2024-01-14T03:00:07", "2024-01-14T05:00:00"
        inside = rows.filter(pc.and_(
            pc.greater_equal(rows.column("ts"), pa.scalar(begin).cast(pa.timestamp("us"))),
            pc.less(rows.column("ts"), pa.scalar(end).cast(pa.timestamp("us")))))
        self.assertEqual(359, inside.num_rows)
        assert_same_rows(self, inside, Ours.rows(root, "--from", begin + "Z", "--to", end + "Z"), "ours")
        said = Theirs.query(root, f"select v from t where ts >= timestamp '{begin}' and ts < timestamp '{end}' order by v")
        self.assertEqual(sorted(inside.column("v").to_pylist()), [row["v"] for row in said])
        self.assertEqual([{"v": 77_777}], Theirs.query(root, "select v from t where v = 77777"))
        if not V1:
            only = rows.filter(pc.equal(rows.column("host"), "b"))
            assert_same_rows(self, only, Ours.rows(root, "--where", "host=b"), "ours")
            self.assertEqual([{"n": only.num_rows, "s": pc.sum(only.column("v")).as_py()}],
                             Theirs.query(root, "select count(*) n, sum(v) s from t where host = 'b'"))
