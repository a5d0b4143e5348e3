"""Without these, queries of a database could print other rows or aggregates than were asked for."""

import csv
import io
import json

from harness import CliTest, main

HOUR = 3_600_000_000_000
BEGIN = 1_704_067_200_000_000_000  # 2024-01-01


class Query(CliTest):
    def setUp(self):
        super().setUp()
        self.run_cli("db", "init", "d")
        self.run_cli("db", "write", "d", "acme", stdin="".join(
            f"cpu,host={host}{',core=' + core if core else ''} usage={hour * 10 + k} {BEGIN + hour * HOUR}\n"
            for k, (host, core) in enumerate((("a", ""), ("b", "0"), ("b", "1"))) for hour in range(6)))
        self.run_cli("db", "write", "d", "acme", stdin=f"disk,host=a free=7i {BEGIN}\n")
        self.run_cli("db", "write", "d", "other", stdin=f"cpu,host=z usage=1 {BEGIN}\n")

    def usage(self, *args):
        return [row["usage"] for row in self.lines(*args)]

    def lines(self, *args):
        return [json.loads(line) for line in self.out("db", "query", "d", "acme.cpu", "--json", *args).splitlines()]

    def test_table(self):
        self.assertEqual(self.out("db", "query", "d", "acme.cpu", "--limit", "4"), (
            "time                  host  core  usage\n"
            "2024-01-01T00:00:00Z  a     null    0.0\n"
            "2024-01-01T00:00:00Z  b     0       1.0\n"
            "2024-01-01T00:00:00Z  b     1       2.0\n"
            "2024-01-01T01:00:00Z  a     null   10.0\n"))

    def test_columns_come_in_the_order_in_which_they_came_to_the_table(self):
        self.run_cli("db", "write", "d", "acme", stdin="new,z=1,y=1 v=1,u=1 1\nnew,a=1 w=1,b=1 2\n")
        out = self.out("db", "query", "d", "acme.new", "--format", "csv", "--limit", "0")
        self.assertEqual(out, "time,y,z,a,v,u,w,b\n")
        self.run_cli("db", "write", "d", "acme", stdin="new,x=1 t=1 3\n")
        self.assertEqual(self.out("db", "query", "d", "acme.new", "--format", "csv", "--limit", "0"), "time,y,z,a,x,v,u,w,b,t\n")

    def test_formats_are_those_of_scan(self):
        out = self.out("db", "query", "d", "acme.cpu", "--format", "csv", "--limit", "1")
        self.assertEqual(list(csv.reader(io.StringIO(out))), [["time", "host", "core", "usage"], ["2024-01-01T00:00:00Z", "a", "", "0.0"]])
        self.run_cli("db", "query", "d", "acme.cpu", "-o", "rows.parquet")
        self.assertIn("18 rows", self.out("import", "t", "rows.parquet", "--create", "--time", "time", "--tag", "host", "--duplicates", "all"))

    def test_a_table_ends_after_forty_rows(self):
        self.run_cli("db", "write", "d", "acme", stdin="".join(f"many v=1 {i}\n" for i in range(41)))
        out, err = self.run_cli("db", "query", "d", "acme.many")
        self.assertEqual((out.count("\n"), err), (41, "there are more rows; --limit N shows N\n"))
        out, err = self.run_cli("db", "query", "d", "acme.many", "--to", "39")
        self.assertEqual((out.count("\n"), err), (41, ""))

    def test_ranges_include_both_ends(self):
        self.assertEqual(self.usage("--where", "host=a", "--from", "2024-01-01T01:00:00Z", "--to", "2024-01-01T03:00:00Z"), [10, 20, 30])
        self.assertEqual(self.usage("--where", "host=a", "--from", BEGIN + HOUR, "--to", BEGIN + HOUR), [10])
        self.assertEqual(self.usage("--to", "-1"), [])

    def test_where(self):
        for conditions, expected in (([], 18), (["host=a"], 6), (["host!=a"], 12), (["host=~a|b"], 18), (["host!~b.*"], 6),
                                     (["host=b", "core=1"], 6), (["core="], 6), (["core!="], 12), (["host=~"], 0), (["nosuch=x"], 0)):
            with self.subTest(conditions=conditions):
                args = [part for condition in conditions for part in ("--where", condition)]
                self.assertEqual(len(self.lines(*args)), expected)

    def test_order(self):
        self.assertEqual(self.usage("--order", "series", "--limit", "7"), [0, 10, 20, 30, 40, 50, 1])
        self.assertEqual(sorted(self.usage("--order", "any")), sorted(self.usage()))

    def test_fields(self):
        self.assertIn("nosuch", self.error("db", "query", "d", "acme.cpu", "--field", "nosuch", code=3))
        self.assertEqual(list(self.lines("--field", "usage", "--limit", "1")[0]), ["time", "host", "core", "usage"])

    def test_aggregates(self):
        self.assertEqual([row["usage"] for row in self.lines("--agg", "avg")], [26.0])
        self.assertEqual([(row["host"], row["usage"]) for row in self.lines("--agg", "max", "--by", "host")], [("a", 50), ("b", 52)])
        rows = self.lines("--agg", "sum", "--every", "3h", "--by", "host")
        self.assertEqual([(row["host"], row["time"][11:13], row["usage"]) for row in rows],
                         [("a", "00", 30), ("a", "03", 120), ("b", "00", 69), ("b", "03", 249)])
        self.assertEqual([row["usage"] for row in self.lines("--agg", "count", "--by-series")], [6, 6, 6])
        self.assertEqual([row["usage"] for row in self.lines("--agg", "median", "--where", "host=a")], [25])
        self.assertEqual([row["usage"] for row in self.lines("--agg", "p100", "--by", "host,core")], [50, 51, 52])

    def test_tables(self):
        self.assertEqual(self.out("db", "tables", "d"), (
            "namespace  table  rows  from                  to\n"
            "acme       cpu      18  2024-01-01T00:00:00Z  2024-01-01T05:00:00Z\n"
            "acme       disk      1  2024-01-01T00:00:00Z  2024-01-01T00:00:00Z\n"
            "other      cpu       1  2024-01-01T00:00:00Z  2024-01-01T00:00:00Z\n"))
        self.assertEqual(self.json("db", "tables", "d", "other"), {"tables": [
            {"namespace": "other", "table": "cpu", "rows": 1, "from": "2024-01-01T00:00:00Z", "to": "2024-01-01T00:00:00Z"}]})
        self.assertEqual(self.json("db", "tables", "d", "nobody"), {"tables": []})

    def test_series(self):
        self.assertEqual(self.out("db", "series", "d", "acme"), "cpu,core=0,host=b\ncpu,core=1,host=b\ncpu,host=a\ndisk,host=a\n")
        self.assertEqual(self.out("db", "series", "d", "acme.cpu", "--where", "host!=b"), "cpu,host=a\n")
        self.assertEqual(self.json("db", "series", "d", "acme.disk"), {"series": [{"table": "disk", "tags": {"host": "a"}}]})
        self.error("db", "series", "d", "acme.nosuch", code=3)

    def test_tags(self):
        self.assertEqual(self.out("db", "tags", "d", "acme.cpu"), "core\nhost\n")
        self.assertEqual(self.out("db", "tags", "d", "acme.cpu", "host"), "a\nb\n")
        self.assertEqual(self.json("db", "tags", "d", "acme.cpu", "core", "--where", "core!=0"), {"values": ["1"]})
        self.assertEqual(self.json("db", "tags", "d", "acme.cpu"), {"tags": ["core", "host"]})
        self.assertIn("name a tag", self.error("db", "tags", "d", "acme.cpu", "--where", "core=0", code=2))

    def test_missing(self):
        for command in (["query"], ["tags"], ["series"]):
            self.error("db", *command, "d", "acme.nosuch", code=3)
            self.assertIn("db init", self.error("db", *command, "nowhere", "acme.cpu", code=3))
        self.assertFalse((self.folder / "nowhere").exists())

    def test_names_with_dots_and_blanks(self):
        self.run_cli("db", "write", "d", "acme", stdin="a.b\\ c v=1 1\n")
        self.assertIn("1.0", self.out("db", "query", "d", "acme.a.b c"))


if __name__ == "__main__":
    main()
