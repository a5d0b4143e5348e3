"""A table made by one program can be read and appended to by the other, in turn, whatever it holds.

Would fail if a commit, a segment or a coverage file of ours said something that the reference does not understand or
understands otherwise, or the reverse.
"""

import unittest

import pyarrow as pa

import rows
from peers import Ours, Refused, Theirs, V1, marigram
from rows import DAY, HOUR, YEAR_2024, hours, readings, simple
from shared_table import SharedTable

YORK = "America/New_York"


class Exchange:
    """Appends in turn; `first` makes the table. The two subclasses below are the two directions."""

    first = second = None

    def exchange(self, *batches, index="ts", width=HOUR, types=True, **creation):
        root = self.root()
        self.first.create(root, index=index, **creation)
        wanted = batches[0].slice(0, 0)
        for i, batch in enumerate(batches):
            who = (self.first, self.second)[i % 2]
            who.append(root, batch)
            wanted = pa.concat_tables([wanted, batch.select(wanted.schema.names)])
            self.assert_rows(root, wanted, f"after append {i + 1}, by {who.name}", types)
        self.assert_sound(root)
        self.assert_covered(root, wanted, index, width)
        for batch in batches:
            self.assert_refuses_overlap(root, batch)
        return root

    def test_every_type_with_nulls_and_extremes(self):
        self.exchange(readings(hours(YEAR_2024, 60), 1), readings(hours(YEAR_2024 + 7 * DAY, 40), 2),
                      readings(hours(YEAR_2024 - 7 * DAY, 20), 3))

    def test_every_unit_and_zone_of_the_time_column(self):
        for unit in rows.UNITS:
            for zone in (None, "UTC", YORK):
                with self.subTest(unit=unit, zone=zone):
                    columns = [("v", pa.int64())]
                    self.exchange(*(readings(hours(YEAR_2024 + i * DAY, 9), i, unit=unit, zone=zone, columns=columns)
                                    for i in range(3)), types=not V1)

    def test_times_of_full_precision(self):
        for unit in rows.UNITS:
            with self.subTest(unit=unit):
                first = pa.table({"ts": rows.times(hours(YEAR_2024, 5), unit, offset=rows.UNITS[unit] * HOUR - 1)})
                self.exchange(first, pa.table({"ts": rows.times(hours(YEAR_2024 + DAY, 5), unit, offset=1)}))

    def test_times_before_1970(self):
        around = simple(hours(-30 * HOUR, 48), 0)
        if V1:  # all earlier times share bucket 0
            self.exchange(around, simple(hours(60 * HOUR, 5), 48))
        else:
            self.exchange(around, simple(hours(-90 * 365 * DAY, 30), 48), simple(hours(-60 * HOUR, 30), 78))

    def test_bucket_widths_and_time_zones(self):
        for step, width, zone in (("30s", 30, None), ("90m", 5400, None), ("1d", DAY, YORK), ("7d", 7 * DAY, "UTC")):
            with self.subTest(step=step):
                begin = YEAR_2024 // width * width
                self.exchange(simple(hours(begin, 8, width), 0), simple(hours(begin + 10 * width, 3, width), 8),
                              width=width, step=step, timezone=zone)

    def test_columns_in_any_order(self):
        first, second, third = (readings(hours(YEAR_2024 + i * DAY, 20), i) for i in range(3))
        names = sorted(first.schema.names)
        self.exchange(first, second.select(names), third.select(names[::-1]))

    def test_required_columns(self):
        def batch(begin, start):
            table = simple(hours(begin, 6), start)
            return table.cast(pa.schema([field.with_nullable(False) for field in table.schema]))

        self.exchange(batch(YEAR_2024, 0), batch(YEAR_2024 + DAY, 6))

    def test_many_rows_over_many_days(self):
        def batch(begin, start):
            return simple(hours(begin, 20_000, 60), start)

        self.exchange(batch(YEAR_2024, 0), batch(YEAR_2024 + 15 * DAY, 20_000), batch(YEAR_2024 - 15 * DAY, 40_000),
                      step="1m", width=60)

    def test_rows_that_are_not_sorted(self):
        mixed = simple(hours(YEAR_2024, 30), 0).take([(i * 7) % 30 for i in range(30)])
        self.exchange(mixed, simple(hours(YEAR_2024 + 3 * DAY, 30), 30).take([29 - i for i in range(30)]))

    def test_removed_segments_are_gone_for_both_and_their_time_is_free(self):
        root = self.root()
        self.first.create(root)
        batches = [simple(hours(YEAR_2024 + i * DAY, 24), i * 24) for i in range(4)]
        for i, batch in enumerate(batches):
            (self.first, self.second)[i % 2].append(root, batch)
        for segment in Ours.segments(root)[1:3]:
            marigram("remove", root, segment["id"])
        self.assert_rows(root, pa.concat_tables([batches[0], batches[3]]), "after remove")
        self.assert_refuses_overlap(root, batches[0])
        for who, batch in zip((self.second, self.first), batches[1:3]):
            who.append(root, batch)
        self.assert_rows(root, pa.concat_tables(batches), "after append")
        self.assert_sound(root)

    @unittest.skipUnless(V1, "v1: tags are one entity of strings")
    def test_one_entity(self):
        for names in (["host"], ["site", "host"]):
            with self.subTest(names=names):
                tags = {name: pa.array([f"é-{name}"] * 12) for name in names}
                batches = [simple(hours(YEAR_2024 + i * DAY, 12), 12 * i, tags) for i in range(3)]
                root = self.exchange(*batches, tags=names)
                other = simple(hours(YEAR_2024 + 9 * DAY, 2), 0, {name: pa.array(["other"] * 2) for name in names})
                self.assertRaises(Refused, Ours.append, root, other)
                self.assertRaises(Exception, Theirs.append, root, other)

    @unittest.skipIf(V1, "v1 holds one entity")
    def test_tags_of_every_type(self):
        values = {"string": ["", "é", "JFK", "x" * 200], "int32": [-2**31, -1, 0, 2**31 - 1],
                  "int64": [-2**63, -1, 7, 2**63 - 1], "uint64": [0, 1, 2**63, 2**64 - 1]}
        kinds = {"string": pa.string(), "int32": pa.int32(), "int64": pa.int64(), "uint64": pa.uint64()}

        def batch(begin, start, tags):
            return simple([s for s in hours(begin, 10) for _ in range(4)], start,
                          {name: pa.array(values[kind] * 10, kinds[kind]) for name, kind in tags})

        for tags in (*([("tag", kind)] for kind in kinds), [(kind, kind) for kind in kinds],
                     [("b", "string"), ("a", "uint64")]):
            with self.subTest(tags=tags):
                root = self.exchange(batch(YEAR_2024, 0, tags), batch(YEAR_2024 + DAY, 40, tags),
                                     batch(YEAR_2024 + 3 * DAY, 80, tags), tags=[f"{n}:{k}" for n, k in tags])
                series = Ours.coverage(root, "--by", "series")["series"]
                self.assertEqual([30] * 4, [report["covered_buckets"] for report in series])

    @unittest.skipIf(V1, "v1 holds one entity")
    def test_entities_cover_apart_from_each_other(self):
        def batch(host, begin, start):
            return simple(hours(begin, 6), start, {"host": pa.array([host] * 6)})

        self.exchange(batch("a", YEAR_2024, 0), batch("b", YEAR_2024, 6), batch("c", YEAR_2024 + 3 * HOUR, 12),
                      batch("a", YEAR_2024 + 6 * HOUR, 18), tags=["host"])

    @unittest.skipIf(V1, "v1 orders by time only")
    def test_integer_indexes(self):
        cases = {"int64": [[-2**63, -2**63 + 10, -25], [-5, 0, 15, 25], [100, 2**63 - 1]],
                 "uint64": [[0, 10, 25], [2**63 - 1, 2**63 + 9], [2**64 - 30, 2**64 - 1]]}
        for kind, batches in cases.items():
            for tags in ((), ("host",)):
                with self.subTest(kind=kind, tags=tags):
                    tables = []
                    for values in batches:
                        columns = {tag: pa.array(["a"] * len(values)) for tag in tags}
                        columns["n"] = pa.array(values, pa.int64() if kind == "int64" else pa.uint64())
                        tables.append(pa.table({**columns, "v": pa.array(range(len(values)), pa.int32())}))
                    self.exchange(*tables, index="n", kind=kind, step=10, width=10, tags=tags)

    @unittest.skipIf(V1, "v1 wants the exact type")
    def test_narrower_columns_are_widened(self):
        def batch(begin, integers, reals):
            return pa.table({"ts": rows.times(hours(begin, 3)), "i": pa.array([1, None, -7], integers),
                             "f": pa.array([0.5, None, -2.0], reals)})

        wide = [batch(YEAR_2024 + i * DAY, pa.int64(), pa.float64()) for i in range(3)]
        root = self.root()
        self.first.create(root)
        self.first.append(root, wide[0])
        for i, who in enumerate((self.second, self.first), 1):
            who.append(root, batch(YEAR_2024 + i * DAY, pa.int32(), pa.float32()))
        self.assert_rows(root, pa.concat_tables(wide))
        self.assert_sound(root)


class MadeHere(Exchange, SharedTable):
    first, second = Ours, Theirs


class MadeThere(Exchange, SharedTable):
    first, second = Theirs, Ours
