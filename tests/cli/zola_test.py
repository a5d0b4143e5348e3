"""Without these, a zola folder could be written to, or be another one once it went through the command line."""

import json
import struct
import unittest
from pathlib import Path

from harness import ROOT, CliTest, main

FOLDERS = ROOT.parent / "shared" / "fixtures" / "zola" / "db"
CREATE = ["--create", "--time", "timestamp", "--tag", "symbol:int64", "--duplicates", "all"]
DAY_US = 86_400_000_000

TICKS = """time,id,price,size
2024-01-15T23:59:59.999999Z,7,1.5,3
2024-01-15T00:00:00Z,7,,4
2024-01-15T09:30:00Z,-2,0.25,
2024-01-15T09:30:00Z,-2,0.5,1
2024-01-18T00:00:00Z,9,-1e300,9223372036854775807
1969-12-31T23:59:59Z,7,0,0
"""


def read_day(folder):
    """The rows of a day, byte by byte; raises where they are not what docs/format/zola.md says."""
    columns = {}
    for path in sorted(folder.glob("*.col")):
        data = path.read_bytes()
        magic, version, kind, zero, rows = struct.unpack("<4sIIIQ", data[:24])
        assert (magic, version, zero, len(data)) == (b"ALOZ", 1, 0, 24 + 8 * rows), path
        columns[path.stem] = struct.unpack(f"<{rows}{'q' if kind == 1 else 'd'}", data[24:])
    parts = list(struct.iter_unpack("<qQQ", (folder / ".parted").read_bytes()))
    assert [begin for _, begin, _ in parts] == [0] + [end for _, _, end in parts[:-1]], folder
    assert parts == sorted(parts) and parts[-1][2] == len(columns["symbol"]), folder
    names = [line.split(":")[0] for line in (folder.parent / ".schema").read_text().splitlines()]
    assert set(columns) == {"timestamp", "symbol", *names}, folder
    for symbol, begin, end in parts:
        assert set(columns["symbol"][begin:end]) == {symbol}, folder
        assert list(columns["timestamp"][begin:end]) == sorted(columns["timestamp"][begin:end]), folder
    for name, rows in ((".first_values", [begin for _, begin, _ in parts]), (".last_values", [end - 1 for _, _, end in parts])):
        raw = {stem: (folder / f"{stem}.col").read_bytes()[24:] for stem in columns}
        expected = struct.pack("<4sIII", b"DISZ", len(parts), len(names), 0)
        for row in rows:
            expected += b"".join(raw[stem][8 * row:8 * row + 8] for stem in ["symbol", "timestamp", *names])
        assert (folder / name).read_bytes() == expected, folder / name
    return [dict(zip(columns, values)) for values in zip(*columns.values())]


class Export(CliTest):
    def setUp(self):
        super().setUp()
        self.write("ticks.csv", TICKS)
        self.run_cli("import", "ticks", "ticks.csv", "--create", "--time", "time", "--tag", "id:int64", "--duplicates", "all")

    def test_the_folder_is_what_the_format_says(self):
        self.assertEqual(self.out("export", "ticks", "--format", "zola", "-o", "z"), "exported 6 rows of ticks to z, 3 days\n")
        folders = sorted(path.name for path in (self.folder / "z").iterdir())
        self.assertEqual(folders, [".schema", "1969.12.31", "2024.01.15", "2024.01.18"])
        self.assertEqual((self.folder / "z/.schema").read_text(), "price:f64\nsize:i64\n")
        rows = [read_day(self.folder / "z" / name) for name in folders[1:]]
        self.assertEqual([[row["symbol"] for row in day] for day in rows], [[7], [-2, -2, 7, 7], [9]])
        first = rows[1][0]
        self.assertEqual((first["timestamp"] // DAY_US, first["price"], first["size"]), (19_737, 0.25, -2**63))
        self.assertNotEqual(rows[1][2]["price"], rows[1][2]["price"])  # null is NaN
        self.assertEqual(rows[2][0]["size"], 2**63 - 1)

    def test_there_and_back(self):
        self.run_cli("export", "ticks", "--format", "zola", "-o", "z")
        expected = [{"timestamp" if key == "time" else "symbol" if key == "id" else key: value for key, value in row.items()}
                    for row in self.rows("ticks", "--order", "series")]
        self.assertEqual(self.rows("z", "--order", "series"), expected)
        self.assertIn("6 rows", self.out("import", "back", "z", *CREATE))
        self.assertEqual(self.rows("back", "--order", "series"), expected)
        self.run_cli("import", "into", "z", "--format", "zola", "--map", "timestamp=time", "--map", "symbol=id", "--create",
                     "--time", "time", "--tag", "id:int64", "--duplicates", "all")
        self.assertEqual(self.rows("into"), self.rows("ticks"))
        self.run_cli("export", "z", "--format", "zola", "-o", "again")
        self.assertEqual(tree(self.folder / "again"), tree(self.folder / "z"))

    def test_versions_and_columns(self):
        self.write("more.csv", TICKS.replace("2024", "2025"))
        self.run_cli("import", "ticks", "more.csv")
        self.run_cli("export", "ticks", "--format", "zola", "-o", "z", "--at", "2", "--columns", "size")
        self.assertEqual(self.json("show", "z")["rows"], 6)
        self.assertEqual(self.json("show", "z")["fields"], [{"name": "size", "type": "int64"}])

    def test_parquet(self):
        self.assertEqual(self.out("export", "ticks", "--format", "parquet", "-o", "t.parquet"), "exported 6 rows of ticks to t.parquet\n")
        self.run_cli("import", "copy", "t.parquet", "--create", "--time", "time", "--tag", "id:int64", "--duplicates", "all")
        self.assertEqual(self.rows("copy", "--order", "series"), self.rows("ticks", "--order", "series"))
        self.assertIn("it is there", self.error("export", "ticks", "--format", "parquet", "-o", "t.parquet", code=4))
        self.run_cli("export", "ticks", "--format", "parquet", "-o", "some.parquet", "--columns", "size")
        self.run_cli("import", "some", "some.parquet", "--create", "--time", "time", "--tag", "id:int64", "--duplicates", "all")
        self.assertEqual(self.json("show", "some")["fields"], [{"name": "size", "type": "int64"}])

    def test_values_that_are_lost_are_told(self):
        self.write("odd.jsonl", '{"t":"2024-01-15T00:00:00Z","id":1,"n":-9223372036854775808}\n{"t":"2024-01-15T00:00:01Z","id":1,"n":null}\n')
        self.run_cli("import", "odd", "odd.jsonl", "--create", "--time", "t", "--tag", "id:int64", "--field", "n:int64", "--duplicates", "all")
        out, err = self.run_cli("export", "odd", "--format", "zola", "-o", "z")
        self.assertEqual(err, "marigram: 1 value that zola_db reads as nulls: NaN, or -2^63\n")
        self.assertEqual(self.json("export", "odd", "--format", "zola", "-o", "y"),
                         {"table": "odd", "format": "zola", "output": "y", "rows": 2, "lost_values": 1})

    def test_what_is_refused_leaves_nothing(self):
        before = self.files()
        self.import_stations()
        self.assertIn("tag station is of type string", self.error("export", "stations", "--format", "zola", "-o", "z", code=1))
        self.assertIn("no such column", self.error("export", "ticks", "--format", "zola", "-o", "z", "--columns", "speed", code=3))
        self.assertIn("no such column", self.error("export", "ticks", "--format", "parquet", "-o", "z", "--columns", "speed", code=3))
        self.assertIn("does not exist", self.error("export", "ticks", "--format", "zola", "-o", "no/z", code=3))
        self.assertIn("does not exist", self.error("export", "ticks", "--format", "parquet", "-o", "no/z", code=3))
        self.assertIn("it is there", self.error("export", "ticks", "--format", "zola", "-o", "ticks", code=4))
        self.error("export", "none", "--format", "zola", "-o", "z", code=3)
        self.error("export", "ticks", "-o", "z", code=2)
        self.error("export", "ticks", "--format", "csv", "-o", "z", code=2)
        self.run_cli("create", "empty", "--time", "t", "--tag", "id:int64")
        self.assertIn("append rows first", self.error("export", "empty", "--format", "zola", "-o", "z", code=1))
        self.write("ns.jsonl", '{"t":"2024-01-15T00:00:00.000000001Z","id":1,"n":1}\n')
        self.run_cli("import", "ns", "ns.jsonl", "--create", "--time", "t", "--unit", "ns", "--tag", "id:int64")
        self.assertIn("column t", self.error("export", "ns", "--format", "zola", "-o", "z", code=1))
        left = [name for name in self.files() if name.split("/")[0] not in ("stations", "stations.csv", "empty", "ns", "ns.jsonl")]
        self.assertEqual(left, before)
        self.assertEqual(list(self.folder.glob(".tmp-*")), [])

    def test_nothing_is_written_to_a_folder(self):
        self.run_cli("export", "ticks", "--format", "zola", "-o", "z")
        before = tree(self.folder / "z")
        for command in (["import", "z", "ticks.csv"], ["append", "z", "t.parquet"], ["compact", "z"], ["vacuum", "z"], ["checkpoint", "z"],
                        ["remove", "z", "2024.01.15/timestamp.col"], ["add-column", "z", "x:int64"], ["verify", "z", "--repair"],
                        ["create", "z", "--time", "t"]):
            if command[0] == "append":
                self.run_cli("export", "ticks", "--format", "parquet", "-o", "t.parquet")
            if command[0] == "import":
                command += ["--map", "time=timestamp", "--map", "id=symbol"]
            self.assertIn("zola folder", self.error(*command, code=5))
        self.assertEqual(tree(self.folder / "z"), before)
        self.assertIn("keeps none", self.error("scan", "z", "--at", "1", code=3))
        self.assertEqual(self.out("verify", "z"), "z: sound; checked 0 commits, 3 segments, 6 rows\n")
        self.assertEqual(self.json("show", "z")["segment_format"], "zola")
        self.assertIn("no zola folder", self.error("import", "ticks", "ticks", "--format", "zola", code=3))

    def test_damage_is_a_problem(self):
        self.run_cli("export", "ticks", "--format", "zola", "-o", "z")
        path = self.folder / "z/2024.01.15/symbol.col"
        data = path.read_bytes()
        path.write_bytes(data[:24] + struct.pack("<q", 5) + data[32:])
        self.assertIn("problem: cannot read 2024.01.15/symbol.col: row 0 is of symbol 5", self.out("verify", "z", code=1))
        path.write_bytes(data[:-1])
        self.assertIn("cannot read 2024.01.15/symbol.col", self.error("scan", "z", code=1))

    def test_joins(self):
        self.run_cli("export", "ticks", "--format", "zola", "-o", "z")
        self.write("probes.csv", "timestamp,symbol\n2024-01-17T00:00:00Z,7\n2024-01-14T00:00:00Z,9\n2024-01-14T00:00:00Z,7\n")
        for direction, sizes in (("backward", [3, None, 0]), ("forward", [None, 2**63 - 1, 4])):
            rows = self.out("asof", "z", "--probes", "probes.csv", "--direction", direction, "--columns", "size", "--json").splitlines()
            self.assertEqual([json.loads(row)["size"] for row in rows], sizes)

    def test_queries_answer_as_of_a_table(self):
        """Of pages of one series too, of which a native segment knows aggregates and a zola folder nothing."""
        text = "timestamp,symbol,price,size\n"
        for i in range(40_000):
            day, second = 14 + i // 20_000, i % 20_000 * 4
            clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
            text += f"2024-01-{day}T{clock}Z,{(i % 20_000) // 18_000},{i % 977 / 8 if i % 11 else ''},{i % 131}\n"
        self.write("many.csv", text)
        self.write("probes.csv", "timestamp,symbol\n" + "".join(
            f"2024-01-{day}T{hour:02}:30:00Z,{symbol}\n" for day in (13, 14, 15, 17) for hour in (0, 8, 15, 20) for symbol in (0, 1, 2)))
        self.run_cli("import", "many", "many.csv", *CREATE, "--segments", "native")
        self.run_cli("export", "many", "--format", "zola", "-o", "many.zola")
        for query in (["aggregate", "--agg", "count(price)", "--agg", "sum(price)", "--agg", "max(size)", "--agg", "first(price)", "--by", "symbol"],
                      ["aggregate", "--agg", "count", "--agg", "avg(size)", "--every", "1h"],
                      ["latest"], ["latest", "--first"], ["latest", "--last-non-null", "price"], ["latest", "--on", "2024-01-14T12:00:00Z"],
                      ["window-join", "--probes", "probes.csv", "--before", "30m", "--agg", "sum(size)", "--agg", "vwap(price,size)"],
                      ["asof", "--probes", "probes.csv"], ["asof", "--probes", "probes.csv", "--direction", "forward", "--last-non-null", "price"],
                      ["scan", "--order", "series", "--from", "2024-01-14T09:00:00Z", "--to", "2024-01-15T11:00:00Z", "--where", "symbol=0"]):
            answers = [self.out(query[0], table, *query[1:], "--json") for table in ("many.zola", "many")]
            self.assertGreater(len(answers[0]), 0, query)
            self.assertEqual(*answers, query)


@unittest.skipUnless(FOLDERS.is_dir(), "no folders of zola_db")
class SameBytes(CliTest):
    def test_what_zola_db_wrote(self):
        for name in ("quotes", "edge", "rewrite"):
            self.run_cli("import", name, FOLDERS / name, *CREATE)
            self.run_cli("export", name, "--format", "zola", "-o", f"{name}.zola")
            self.assertEqual(tree(self.folder / f"{name}.zola"), tree(FOLDERS / name), name)


def tree(folder: Path):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


if __name__ == "__main__":
    main()
