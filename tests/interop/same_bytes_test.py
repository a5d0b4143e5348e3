"""The same rows appended by both programs to two tables give the same coverage files, byte for byte, under the same
hashes, and the same commits but for times, random names, file sizes and our extension.

Would fail if a bitmap, a hash's input or a commit's member differed: then the two would slowly stop to agree on a table.
"""

import json
import re
import unittest
from pathlib import Path

import pyarrow as pa

import rows
from peers import Ours, Theirs, V1, commit, commit_path, log_versions
from rows import DAY, HOUR, YEAR_2024, hours, simple
from shared_table import SharedTable

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ONE_SEGMENT = ["--partition", "100000d"]  # theirs never splits an append


def comparable(pairs):
    """A JSON object as its members in order, without what may differ."""
    members = []
    for name, content in pairs:
        if name in ("timestamp", "created_at", "file_size"):
            content = f"some {type(content).__name__}"
        if name != "marigram":
            members.append((name, content))
    return members


def commit_text(root, version):
    read = json.loads(commit_path(root, version).read_text(encoding="utf-8"), object_pairs_hook=comparable)
    members = dict(read)
    members["actions"] = [action for action in members["actions"] if action[0][0] != "Marigram"]
    return json.dumps([(name, members[name]) for name, _ in read], indent=1)


def coverage_files(root):
    """Name without the attempt's UUID: bytes."""
    folder = Path(root) / "_coverage"
    found = {}
    for path in folder.rglob("*.roar"):
        found[UUID.sub("<uuid>", str(path.relative_to(folder)))] = path.read_bytes()
    return found


class SameBytes(SharedTable):
    maxDiff = None

    def compare(self, *batches, **creation):
        """Each of the two makes a table of the batches; returns that of ours."""
        creation = {"index": "ts", **creation}
        ours, theirs = self.root(), self.root()
        Ours.create(ours, **creation, options=ONE_SEGMENT)
        Theirs.create(theirs, **creation)
        for i, batch in enumerate(batches):
            Ours.append(ours, batch, f"part{i}")
            Theirs.append(theirs, batch, f"part{i}")
        for version in range(1, len(batches) + 2):
            left, right = (UUID.sub("<uuid>", commit_text(root, version)) for root in (ours, theirs))
            self.assertEqual(right, left)
        left, right = coverage_files(ours), coverage_files(theirs)
        self.assertEqual(sorted(right), sorted(left))
        self.assertEqual(2 * len(batches), len(left))
        for name, content in right.items():
            self.assertEqual(content.hex(), left[name].hex(), name)
        return ours

    @staticmethod
    def layouts(root):
        """How the segments say what entities they hold, once each."""
        return {layout if isinstance(layout, str) else next(iter(layout))
                for version in log_versions(root) for action in commit(root, version)["actions"]
                if "AddSegment" in action for layout in [action["AddSegment"]["entity_layout"]]}

    def test_writers_that_alternate_leave_the_coverage_of_one(self):
        """Each adds to the bitmaps that the other wrote."""
        tags = {} if V1 else {"host": pa.array(["a", "b", "c"] * 20)}
        batches = [simple([s + i * 40 * HOUR for s in hours(YEAR_2024, 20 if tags else 60) for _ in range(3 if tags else 1)],
                          0, tags) for i in range(8)]
        roots = {}
        for name, writers in (("theirs", [Theirs]), ("mixed", [Ours, Theirs]), ("mixed otherwise", [Theirs, Ours])):
            roots[name] = self.root()
            writers[-1].create(roots[name], tags=list(tags))
            for i, batch in enumerate(batches if tags else [batch.slice(0, 40) for batch in batches]):
                writers[i % len(writers)].append(roots[name], batch, **({"name": f"part{i}"} if V1 else {}))
        def of_the_table(root):  # ours cuts an append at days, so that its segments have other bitmaps
            return {name: content.hex() for name, content in coverage_files(root).items() if name.startswith("table")}

        wanted = of_the_table(roots.pop("theirs"))
        self.assertEqual(len(batches), len(wanted))
        for name, root in roots.items():
            with self.subTest(name=name):
                self.assertEqual(wanted, of_the_table(root))
                self.assert_sound(root)

    def test_widths_and_zones(self):
        for step, width in (("1s", 1), ("30s", 30), ("5m", 300), ("90m", 5400), ("1h", HOUR), ("1d", DAY), ("7d", 7 * DAY)):
            for zone in (None, "America/New_York"):
                with self.subTest(step=step, zone=zone):
                    begin = YEAR_2024 // width * width
                    self.compare(simple(hours(begin, 50, width), 0), simple(hours(begin + 90 * width, 9, 3 * width), 50),
                                 simple(hours(begin - 7 * width, 7, width), 59), step=step, timezone=zone)

    def test_units_and_full_precision(self):
        for unit in rows.UNITS:
            for offset in (0, 1, rows.UNITS[unit] * HOUR - 1):
                with self.subTest(unit=unit, offset=offset):
                    self.compare(*(pa.table({"ts": rows.times(hours(YEAR_2024 + i * DAY, 12), unit, offset=offset)})
                                   for i in range(3)))

    def test_times_before_1970(self):
        if V1:  # all earlier times share bucket 0
            self.compare(simple(hours(-40 * HOUR, 80), 0))
        else:  # not across 1970, where a partition of ours begins
            self.compare(simple(hours(-80 * HOUR, 80), 0), simple(hours(-90 * 365 * DAY, 30), 80),
                         simple(hours(0, 20), 110))

    def test_dense_and_scattered_buckets(self):
        """Each kind of container: runs, arrays, bitmaps of more than 4,096 values, several of them."""
        def every(begin, count, step):
            return simple(hours(begin, count, step), 0)

        self.compare(every(YEAR_2024, 70_000, 1), every(YEAR_2024 + 30 * DAY, 9_000, 7),
                     every(YEAR_2024 + 60 * DAY, 200, 100_003), every(YEAR_2024 - 30 * DAY, 30_000, 2), step="1s")

    def test_every_type(self):
        batches = [rows.readings(hours(YEAR_2024 + i * DAY, 24), i) for i in range(2)]
        fixed = pa.array([b"abcd", None] * 12, pa.binary(4))
        root = self.compare(*(batch.append_column("fixed", fixed) for batch in batches))
        if not V1:
            self.assertEqual({"NotApplicable"}, self.layouts(root))

    def test_required_columns(self):
        batch = simple(hours(YEAR_2024, 6), 0)
        self.compare(batch.cast(pa.schema([field.with_nullable(False) for field in batch.schema])))

    @unittest.skipUnless(V1, "v1: several rows in a bucket, one entity of strings")
    def test_one_entity_and_crowded_buckets(self):
        tags = {name: pa.array(["é"] * 48) for name in ("site", "host")}
        batches = [simple(hours(YEAR_2024 + i * DAY, 48, HOUR // 4), 0, tags) for i in range(2)]
        for names in (["site"], ["site", "host"], ["host", "site"]):
            with self.subTest(names=names):
                self.compare(*batches, tags=names)

    @unittest.skipIf(V1, "v1 holds one entity")
    def test_entities(self):
        kinds = {"string": pa.array(["b", "", "é", "a" * 300]), "int32": pa.array([5, -1, -2**31, 2**31 - 1], pa.int32()),
                 "int64": pa.array([5, -1, -2**63, 2**63 - 1]), "uint64": pa.array([5, 0, 2**64 - 1, 2**63], pa.uint64())}
        for names in (["string"], ["int32"], ["int64"], ["uint64"], ["string", "int64"], list(kinds)):
            with self.subTest(names=names):
                mixed = [simple([s for s in hours(YEAR_2024 + i * DAY, 10) for _ in range(4)], 0,
                                {name: pa.concat_arrays([kinds[name]] * 10) for name in names}) for i in range(2)]
                single = simple(hours(YEAR_2024 + 9 * DAY, 8), 0,
                                {name: pa.concat_arrays([kinds[name].slice(2, 1)] * 8) for name in names})
                root = self.compare(*mixed, single, tags=[f"{name}:{name}" for name in names])
                self.assertEqual({"Mixed", "Single"}, self.layouts(root))

    @unittest.skipIf(V1, "v1 holds one entity")
    def test_many_entities_of_runs_and_holes(self):
        hosts, seconds = [], []
        for host in range(60):
            for hour in range(0, 400, 1 + host % 5):
                hosts.append(f"host-{host * 7919 % 60}")
                seconds.append(YEAR_2024 + hour * HOUR)
        self.compare(simple(seconds, 0, {"host": pa.array(hosts)}),
                     simple([second + 500 * HOUR for second in seconds], 0, {"host": pa.array(hosts)}), tags=["host"])

    @unittest.skipIf(V1, "v1 orders by time only")
    def test_integer_indexes(self):
        cases = {"int64": [[-2**63, -2**63 + 10, -25], [-5, 0, 5, 15], [100, 2**63 - 1]],
                 "uint64": [[0, 10, 25], [2**63 - 1, 2**63 + 9], [2**64 - 30, 2**64 - 1]]}
        for kind, batches in cases.items():
            for tags in ((), ("host",)):
                for step in (1, 5):
                    with self.subTest(kind=kind, tags=tags, step=step):
                        tables = []
                        for values in batches:
                            columns = {tag: pa.array(["a"] * len(values)) for tag in tags}
                            columns["n"] = pa.array(values, pa.int64() if kind == "int64" else pa.uint64())
                            tables.append(pa.table({**columns, "v": pa.array(range(len(values)), pa.int32())}))
                        self.compare(*tables, index="n", kind=kind, step=step, tags=tags)
