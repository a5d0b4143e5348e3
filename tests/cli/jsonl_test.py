"""Without these, JSON lines could lose keys that come late, or change types on the way."""

import gzip
import json

from harness import CliTest, main

CREATE = ["--create", "--time", "time", "--tag", "station"]


def lines(*objects):
    return "".join(json.dumps(item) + "\n" for item in objects)


class JsonLines(CliTest):
    def test_values_of_every_type(self):
        rows = [{"time": "2024-01-01T00:00:00Z", "station": "A", "f": 1.5, "i": 3, "b": True, "s": "x\n\u00fc"},
                {"station": "B", "time": "2024-01-01T01:00:00+01:00", "f": 2, "i": None, "s": ""}]
        self.write("rows.jsonl", lines(*rows))
        self.run_cli("import", "t", "rows.jsonl", *CREATE)
        self.assertEqual(self.rows("t"), [
            {"time": "2024-01-01T00:00:00Z", "station": "A", "f": 1.5, "i": 3, "b": True, "s": "x\n\u00fc"},
            {"time": "2024-01-01T00:00:00Z", "station": "B", "f": 2.0, "i": None, "b": None, "s": None}])

    def test_comes_back_as_it_went_out(self):
        self.import_stations()
        self.run_cli("scan", "stations", "-o", "rows.jsonl")
        self.run_cli("import", "again", "rows.jsonl", *CREATE)
        self.assertEqual(self.rows("again"), self.rows("stations"))

    def test_gzip_and_standard_input(self):
        text = lines({"time": "2024-01-01T00:00:00Z", "station": "A", "v": 1}).encode()
        self.write("rows.jsonl.gz", gzip.compress(text))
        self.run_cli("import", "t", "rows.jsonl.gz", *CREATE)
        self.run_cli("import", "u", "-", "--format", "jsonl", *CREATE, stdin=text)
        self.assertEqual(self.rows("t"), self.rows("u"))

    def test_epochs(self):
        for number, value in enumerate([1704067200000, 1704067200000.0, "1704067200000"]):
            self.write("rows.jsonl", lines({"time": value, "station": "A", "v": 1}))
            self.run_cli("import", f"t{number}", "rows.jsonl", *CREATE, "--time-format", "epoch_ms")
            self.assertEqual(self.rows(f"t{number}")[0]["time"], "2024-01-01T00:00:00Z")
        self.write("rows.jsonl", lines({"time": 1704067200, "station": "A"}))
        self.assertIn("holds numbers, want times; say --time-format epoch_s", self.error("import", "u", "rows.jsonl", *CREATE, code=1))

    def test_keys_that_come_late(self):
        self.import_stations()
        objects = [{"time": f"2024-02-{day:02}", "station": "A"} for day in range(1, 29)]
        objects[20]["temp"] = 7  # beyond the first row, and an integer
        self.write("rows.jsonl", lines(*objects))
        self.run_cli("import", "stations", "rows.jsonl")
        self.assertEqual([row["temp"] for row in self.rows("stations", "--from", "2024-02-21", "--to", "2024-02-22")], [7.0])

    def test_map_set_drop(self):
        self.write("rows.jsonl", lines({"when": "2024-01-01", "t": 1, "nested": {"a": [1]}}))
        self.assertIn("column \"nested\" holds objects; want plain values, or leave it out with --drop nested",
                      self.error("import", "t", "rows.jsonl", *CREATE, "--map", "when=time", "--set", "station=A", code=1))
        self.run_cli("import", "t", "rows.jsonl", *CREATE, "--map", "when=time", "--set", "station=A", "--drop", "nested")
        self.assertEqual(self.rows("t"), [{"t": 1, "time": "2024-01-01T00:00:00Z", "station": "A"}])

    def test_text_that_looks_like_times(self):
        self.write("rows.jsonl", lines({"time": "2024-01-01", "station": "2024-01-01", "seen": "2024-01-01T00:00:00Z"}))
        self.run_cli("import", "t", "rows.jsonl", *CREATE)
        self.assertEqual(self.rows("t"), [{"time": "2024-01-01T00:00:00Z", "station": "2024-01-01", "seen": "2024-01-01T00:00:00Z"}])
        self.assertEqual(self.json("show", "t")["fields"][0]["type"], "timestamp[us]")

    def refuse(self, text, table="t"):
        self.write("rows.jsonl", text)
        before = self.files()
        create = [] if table == "stations" else CREATE
        message = self.error("import", table, "rows.jsonl", *create, code=1)
        self.assertEqual(self.files(), before)
        return message

    def test_errors_name_line_column_and_value(self):
        good = {"time": "2024-01-01", "station": "A", "temp": 1.5, "count": 1, "remark": "x"}
        self.assertIn("it is empty", self.refuse(""))
        self.assertIn("it is empty", self.refuse("\n \n"))
        self.assertIn("line 2, got {\"time\":, want one JSON object a line", self.refuse(lines(good) + '{"time":\n'))
        self.assertIn("line 1, got [1], want one JSON object a line", self.refuse("[1]\n"))
        self.import_stations()
        self.assertIn('line 3, column "count": got "x", want a number as on the lines before',
                      self.refuse(lines(good) + "\n" + lines(dict(good, count="x")), "stations"))
        self.assertIn('line 2, column "count": got 1.5, want int64', self.refuse(lines(good, dict(good, count=1.5)), "stations"))
        self.assertIn('line 2, column "remark": got 5, want a string as on the lines before', self.refuse(lines(good, dict(good, remark=5)), "stations"))
        self.assertIn("line 1, column \"station\": got no value, want one, since it is a tag",
                      self.refuse(lines({"time": "2024-01-02"}), "stations"))
        self.assertIn("line 2, column \"time\": got \"noon\"", self.refuse(lines(good, dict(good, time="noon")), "stations"))
        self.assertIn("line 1, column \"time\": got no value", self.refuse(lines({"station": "A"}), "stations"))

    def test_unknown_keys_are_not_lost(self):
        self.import_stations()
        good = {"time": "2024-01-02", "station": "A"}
        self.assertIn('the table has no column "wind"; leave it out with --drop wind',
                      self.refuse(lines(dict(good, wind=1)), "stations"))
        # Far beyond what is looked at first.
        many = [{"time": f"2024-01-02T00:00:00.{i:06}Z", "station": "A", "remark": "x" * 80} for i in range(20_000)]
        many[-1]["wind"] = 1
        message = self.refuse(lines(*many), "stations")
        self.assertIn("line 20000, key \"wind\" is not among the columns; take it out with --drop wind", message)


if __name__ == "__main__":
    main()
