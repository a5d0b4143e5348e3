"""Without these, a new table could differ from what its creator asked for."""

import json

from harness import CliTest, main


class Create(CliTest):
    def test_defaults(self):
        self.assertEqual(self.out("create", "t", "--time", "time"), "created table t (v7, buckets of 1h)\n")
        shown = self.json("show", "t")
        self.assertEqual(shown, {"version": 1, "dialect": "v7", "rows": 0, "segments": 0,
                                 "time": {"name": "time", "unit": None, "min": None, "max": None},
                                 "tags": [], "fields": [], "bucket": "1h", "duplicates": "reject",
                                 "segment_format": "parquet", "compression": "auto",
                                 "features": shown["features"]})

    def test_json(self):
        self.assertEqual(self.json("create", "t", "--time", "time"), {"table": "t", "version": 1, "dialect": "v7"})

    def test_whole_schema(self):
        self.run_cli("create", "t", "--time", "at", "--unit", "ms", "--tag", "site", "--tag", "room:int64", "--field",
                     "temp:float64", "--field", "name with:colon:string", "--bucket", "15 Minutes", "--timezone",
                     "Europe/Berlin")
        shown = self.json("show", "t")
        self.assertEqual(shown["time"]["unit"], "ms")
        self.assertEqual(shown["tags"], [{"name": "site", "type": "string"}, {"name": "room", "type": "int64"}])
        self.assertEqual(shown["fields"], [{"name": "temp", "type": "float64"}, {"name": "name with:colon", "type": "string"}])
        self.assertEqual(shown["bucket"], "15m")
        self.assertIn("Europe/Berlin", self.out("show", "t"))

    def test_repeated_options_take_one_value_each(self):
        # Otherwise the table's name would be swallowed as another tag.
        self.run_cli("create", "--time", "time", "--tag", "a", "--tag", "b", "t")
        self.assertEqual([tag["name"] for tag in self.json("show", "t")["tags"]], ["a", "b"])

    def test_integer_index(self):
        self.run_cli("create", "t", "--time", "block", "--index-type", "uint64", "--index-step", "1000", "--field", "fee:int64")
        shown = self.json("show", "t")
        self.assertEqual(shown["bucket"], "1000")
        self.assertIsNone(shown["time"]["unit"])
        self.write("rows.csv", "block,fee\n5,1\n2500,2\n18446744073709551615,3\n")
        self.run_cli("import", "t", "rows.csv")
        self.assertEqual(self.rows("t", "--from", "6", "--to", "18446744073709551615"), [{"block": 2500, "fee": 2}])
        coverage = self.json("coverage", "t", "--from", "0", "--to", "4000")
        self.assertEqual([coverage[key] for key in ("from", "to", "covered_buckets", "expected_buckets")], [0, 4000, 2, 4])
        self.assertEqual(coverage["gaps"], [{"from": 1000, "to": 2000, "buckets": 1}, {"from": 3000, "to": 4000, "buckets": 1}])
        self.error("scan", "t", "--from", "2024-01-01", code=2)
        self.error("scan", "t", "--from", "-1", code=2)

    def test_negative_integer_index(self):
        self.run_cli("create", "t", "--time", "n", "--index-type", "int64", "--index-step", "10")
        self.write("rows.csv", "n,v\n-25,1\n-5,2\n5,3\n")
        self.run_cli("import", "t", "rows.csv")
        self.assertEqual([row["v"] for row in self.rows("t", "--from", "-24", "--to", "5")], [2])

    def test_duplicates(self):
        for policy in ("last", "all"):
            self.run_cli("create", policy, "--time", "time", "--duplicates", policy)
            shown = self.json("show", policy)
            self.assertEqual((shown["duplicates"], shown["features"]), (policy, ["marigram_duplicates"]))
            self.write("rows.csv", "time,v\n2024-01-01T00:00:00Z,1\n2024-01-01T00:00:00Z,2\n")
            self.run_cli("import", policy, "rows.csv")
            self.run_cli("import", policy, "rows.csv")
            rows = [row["v"] for row in self.rows(policy)]
            self.assertEqual(rows, [2] if policy == "last" else [1, 2, 1, 2])
        self.error("create", "t", "--time", "time", "--dialect", "v1", "--duplicates", "all", code=1)

    def test_dialect_v1(self):
        self.run_cli("create", "t", "--time", "time", "--dialect", "v1")
        self.assertEqual(self.json("show", "t")["dialect"], "v1")

    def test_calendar(self):
        calendar = {"timezone": "UTC", "sessions": [{"days": ["mon", "tue"], "open": "09:00", "close": "11:00"}], "holidays": []}
        self.write("calendar.json", json.dumps(calendar))
        self.run_cli("create", "t", "--time", "time", "--calendar", "calendar.json")
        # Monday is whole; on Tuesday 10:00 is missing; Wednesday is closed.
        self.write("rows.csv", "time,v\n2024-01-01T09:30:00Z,1\n2024-01-01T10:30:00Z,1\n2024-01-02T09:00:00Z,1\n")
        self.run_cli("import", "t", "rows.csv")
        coverage = self.json("coverage", "t", "--from", "2024-01-01", "--to", "2024-01-04")
        self.assertEqual((coverage["covered_buckets"], coverage["expected_buckets"]), (3, 4))
        self.assertEqual([gap["buckets"] for gap in coverage["gaps"]], [1])
        self.assertEqual(self.json("window", "t", "--length", "3")["buckets"], 3)
        self.error("create", "u", "--time", "time", "--calendar", "nowhere.json", code=3)
        self.write("bad.json", "{")
        self.error("create", "u", "--time", "time", "--calendar", "bad.json", code=1)
        self.assertFalse((self.folder / "u" / "_timeseries_log").exists())

    def test_a_table_that_grows_takes_series_without_a_tag(self):
        self.run_cli("create", "t", "--time", "ts", "--tag", "host", "--tag", "rack", "--field", "v:int64", "--growing")
        self.assertIn("marigram_growing", self.json("show", "t")["features"])
        self.write("rows.csv", "ts,host,v\n2024-01-01T00:00:00Z,a,1\n2024-01-01T00:00:00Z,,2\n2024-01-01T00:00:00Z,NA,3\n")
        self.run_cli("import", "t", "rows.csv")
        self.write("rows.jsonl", '{"ts": "2024-01-01T00:00:00Z", "rack": "r", "v": 4}\n')
        self.run_cli("import", "t", "rows.jsonl")
        tags = [(row["host"], row["rack"], row["v"]) for row in self.rows("t", "--order", "series")]
        self.assertEqual(tags, [(None, None, 2), (None, "r", 4), ("NA", None, 3), ("a", None, 1)])
        self.assertEqual([row["v"] for row in self.rows("t", "--where", "host=", "--where", "rack=")], [2])
        self.run_cli("verify", "t")

    def test_twice_is_a_conflict(self):
        self.run_cli("create", "t", "--time", "time")
        before = self.files()
        self.assertIn("a table is there already", self.error("create", "t", "--time", "time", code=4))
        self.assertEqual(self.json_error("create", "t", "--time", "time", code=4)["code"], "already_exists")
        self.assertEqual(self.files(), before)


if __name__ == "__main__":
    main()
