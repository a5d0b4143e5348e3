"""Without these, a scan could print other rows, columns or digits than were asked for."""

import csv
import io
import json

from harness import CliTest, main


class Scan(CliTest):
    def setUp(self):
        super().setUp()
        self.import_stations()

    def counts(self, *args):
        """The rows of a scan by their number in the file."""
        return [row["count"] for row in self.rows("stations", *args)]

    def test_table(self):
        self.assertEqual(self.out("scan", "stations"), (
            "time                  station   temp  count  remark\n"
            "2024-01-01T00:00:00Z  A          1.5      1  null\n"
            "2024-01-01T00:00:00Z  B         10.0      5  x\n"
            "2024-01-01T01:00:00Z  A          2.5      2  dry\n"
            "2024-01-01T01:00:00Z  B         11.0      6  y\n"
            "2024-01-01T02:00:00Z  A         null      3  wet, cold\n"
            "2024-01-01T03:00:00Z  A          4.5      4  null\n"
            "2024-01-01T04:00:00Z  B         14.0      7  z\n"
            "2024-01-01T05:00:00Z  C        -0.25      8  last\n"))

    def test_csv(self):
        self.assertEqual(self.out("scan", "stations", "--format", "csv", "--where", "station=A"), (
            "time,station,temp,count,remark\n"
            "2024-01-01T00:00:00Z,A,1.5,1,\n"
            "2024-01-01T01:00:00Z,A,2.5,2,dry\n"
            "2024-01-01T02:00:00Z,A,,3,\"wet, cold\"\n"
            "2024-01-01T03:00:00Z,A,4.5,4,\n"))

    def test_json_lines(self):
        text = self.out("scan", "stations", "--json", "--limit", "1")
        self.assertEqual(text, '{"time":"2024-01-01T00:00:00Z","station":"A","temp":1.5,"count":1,"remark":null}\n')
        self.assertEqual(text, self.out("scan", "stations", "--format", "json", "--limit", "1"))

    def test_order(self):
        self.assertEqual(self.counts(), [1, 5, 2, 6, 3, 4, 7, 8])
        self.assertEqual(self.counts("--order", "series"), [1, 2, 3, 4, 5, 6, 7, 8])
        self.assertEqual(sorted(self.counts("--order", "any")), [1, 2, 3, 4, 5, 6, 7, 8])

    def test_range(self):
        self.assertEqual(self.counts("--from", "2024-01-01T03:00:00Z"), [4, 7, 8])
        self.assertEqual(self.counts("--to", "2024-01-01T01:00:00Z"), [1, 5])
        self.assertEqual(self.counts("--from", "2024-01-01T01:00:00+01:00", "--to", "2024-01-01T01:00:00.000000001Z"), [1, 5, 2, 6])
        self.assertEqual(self.counts("--from", "2024-01-02"), [])

    def test_where(self):
        self.assertEqual(self.counts("--where", "station=B"), [5, 6, 7])
        self.assertEqual(self.counts("--where", "station=B", "--where", "station=C"), [5, 6, 7, 8])
        self.assertEqual(self.counts("--where", "station=nowhere"), [])
        self.assertIn("temp", self.error("scan", "stations", "--where", "temp=1.5", code=3))

    def test_where_with_two_tags(self):
        self.write("rows.csv", "time,a,b\n" + "".join(f"2024-01-01,{a},{b}\n" for a in "xy" for b in "pq"))
        self.run_cli("import", "t", "rows.csv", "--create", "--time", "time", "--tag", "a", "--tag", "b")
        rows = self.rows("t", "--where", "a=x", "--where", "b=p", "--where", "b=q")
        self.assertEqual([row["a"] + row["b"] for row in rows], ["xp", "xq"])

    def test_columns(self):
        self.assertEqual(self.csv_rows("stations", "--columns", "temp,station", "--limit", "1"), [["temp", "station"], ["1.5", "A"]])
        self.assertEqual(self.csv_rows("stations", "--columns", "temp", "--columns", "time", "--limit", "1")[0], ["temp", "time"])
        self.assertIn("wind", self.error("scan", "stations", "--columns", "wind", code=3))

    def test_limit(self):
        self.assertEqual(self.counts("--limit", "3"), [1, 5, 2])
        self.assertEqual(self.counts("--limit", "0"), [])
        self.assertEqual(self.counts("--limit", "100"), [1, 5, 2, 6, 3, 4, 7, 8])

    def test_at_version_and_time(self):
        self.write("more.csv", "time,station\n2024-01-02,A\n")
        self.run_cli("import", "stations", "more.csv")
        log = self.json("log", "stations")["commits"]
        self.assertEqual(len(self.rows("stations")), 9)
        self.assertEqual(len(self.rows("stations", "--at", "2")), 8)
        self.assertEqual(len(self.rows("stations", "--at", log[1]["timestamp"])), 8)
        self.assertEqual(len(self.rows("stations", "--at", "1")), 0)
        self.error("scan", "stations", "--at", "9", code=3)
        self.error("scan", "stations", "--at", "1999-01-01", code=3)

    def test_a_table_shows_forty_rows_and_says_how_many_more(self):
        self.write("many.csv", "time,s\n" + "".join(f"2024-01-01T{i // 60:02}:{i % 60:02}:00Z,{'ab'[i % 2]}\n" for i in range(200)))
        self.run_cli("import", "many", "many.csv", "--create", "--time", "time", "--tag", "s", "--bucket", "1m")
        out, err = self.run_cli("scan", "many")
        self.assertEqual(len(out.splitlines()), 41)
        self.assertEqual(err, "160 rows more; --limit N shows N\n")
        out, err = self.run_cli("scan", "many", "--where", "s=a", "--from", "2024-01-01T00:10:00Z")
        self.assertEqual((len(out.splitlines()), err), (41, "55 rows more; --limit N shows N\n"))
        out, err = self.run_cli("scan", "many", "--limit", "150")
        self.assertEqual((len(out.splitlines()), err), (151, ""))
        out, err = self.run_cli("scan", "many", "--to", "2024-01-01T00:40:00Z")
        self.assertEqual((len(out.splitlines()), err), (41, ""))
        self.assertEqual(len(self.csv_rows("many")), 201)

    def test_a_table_before_its_first_rows(self):
        self.run_cli("create", "t", "--time", "time")
        self.assertEqual(self.rows("t"), [])
        self.run_cli("create", "u", "--time", "time", "--field", "v:float64")
        self.assertEqual(self.csv_rows("u"), [["time", "v"]])

    def test_formats_agree(self):
        for order in ("time", "series", "any"):
            from_json = self.rows("stations", "--order", order)
            header, *cells = self.csv_rows("stations", "--order", order)
            self.assertEqual(header, list(from_json[0]))
            self.assertEqual([["" if value is None else str(value) for value in row.values()] for row in from_json], cells)

    def test_a_table_without_columns_prints_nothing(self):
        for format in ("csv", "json", "table"):
            self.assertEqual(self.out("scan", "stations", "--at", "1", "--format", format), "")

    def test_text_that_needs_quotes(self):
        values = ["a,b", 'say "hi"', "two\nlines", " blank ", "Zürich 東京", "\x1b[31mred"]
        text = io.StringIO()
        csv.writer(text).writerows([["time", "v"]] + [[f"2024-01-01T00:00:0{i}Z", value] for i, value in enumerate(values)])
        self.write("rows.csv", text.getvalue())
        self.run_cli("import", "t", "rows.csv", "--create", "--time", "time", "--bucket", "1s")
        self.assertEqual([row["v"] for row in self.rows("t")], values)
        self.assertEqual([row[1] for row in self.csv_rows("t")][1:], values)
        table = self.out("scan", "t")
        self.assertEqual(len(table.splitlines()), 7)
        self.assertNotIn("\x1b", table)
        self.assertIn("two\\nlines", table)

    def test_digits(self):
        values = ["0.1", "1e-300", "1.7976931348623157e+308", "-0.0", "123456789.12345679", "5e-324"]
        self.write("rows.csv", "time,v\n" + "".join(f"2024-01-01T00:00:0{i}Z,{value}\n" for i, value in enumerate(values)))
        self.run_cli("import", "t", "rows.csv", "--create", "--time", "time", "--bucket", "1s")
        self.assertEqual([row[1] for row in self.csv_rows("t")][1:], values)
        text = self.out("scan", "t", "--format", "json", "--columns", "v")
        self.assertEqual([json.loads(line)["v"] for line in text.splitlines()], [float(value) for value in values])


if __name__ == "__main__":
    main()
