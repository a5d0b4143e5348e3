"""Without these, `append` could hide which of several files went in."""

from harness import STATIONS_CREATE, CliTest, main


class Append(CliTest):
    def setUp(self):
        super().setUp()
        self.import_stations()
        self.run_cli("scan", "stations", "--from", "2024-01-01", "--to", "2024-01-01T02:00:00Z", "-o", "first.parquet")
        self.run_cli("scan", "stations", "--from", "2024-01-01T02:00:00Z", "-o", "second.parquet")
        self.run_cli("create", "t", "--time", "time", "--tag", "station")

    def test_one_commit_each(self):
        self.assertEqual(self.out("append", "t", "first.parquet", "second.parquet"),
                         "appended 8 rows from 2 files to t: 2 segments, version 3\n")
        self.assertEqual(self.rows("t"), self.rows("stations"))

    def test_json(self):
        self.assertEqual(self.json("append", "t", "first.parquet", "second.parquet"), {
            "table": "t", "rows": 8, "segments": 2, "version": 3, "files": [
                {"file": "first.parquet", "rows": 4, "segments": 1, "version": 2},
                {"file": "second.parquet", "rows": 4, "segments": 1, "version": 3}]})

    def test_failure_says_what_stays(self):
        message = self.error("append", "t", "first.parquet", "nowhere.parquet", "second.parquet", code=3)
        self.assertIn("nowhere.parquet", message)
        self.assertIn("the first 1 of 3 files are in the table", message)
        self.assertEqual(self.json("show", "t")["rows"], 4)

    def test_overlap(self):
        self.run_cli("append", "t", "first.parquet")
        self.error("append", "t", "first.parquet", code=4)
        error = self.json_error("append", "t", "first.parquet", code=4)
        self.assertEqual((error["code"], error["buckets"]), ("overlap", 4))
        self.assertEqual(self.json("show", "t")["rows"], 4)

    def test_no_parquet(self):
        self.write("rows.parquet", "time,station\n")
        self.assertIn("rows.parquet", self.error("append", "t", "rows.parquet", code=1))
        self.write("empty.parquet", "")
        self.assertIn("empty.parquet", self.error("append", "t", "empty.parquet", code=1))
        self.assertEqual(self.json("show", "t")["version"], 1)

    def test_other_columns(self):
        self.run_cli("append", "t", "first.parquet")
        self.run_cli("scan", "stations", "--from", "2024-01-01T02:00:00Z", "--columns", "station,temp", "-o", "few.parquet")
        self.assertEqual(self.json_error("append", "t", "few.parquet", code=1)["code"], "schema_mismatch")


if __name__ == "__main__":
    main()
