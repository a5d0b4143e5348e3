"""Without these, a gap could be missed or invented: the promise that a table knows what it covers."""

from harness import CliTest, main

REPORT_KEYS = ["from", "to", "covered_buckets", "expected_buckets", "ratio", "max_gap_buckets", "gaps"]


def hour(value):
    return f"2024-01-01T{value:02}:00:00Z"


def gap(begin, end):
    return {"from": hour(begin), "to": hour(end), "buckets": end - begin}


class Coverage(CliTest):
    def setUp(self):
        super().setUp()
        self.import_stations()

    def test_whole_table_json(self):
        report = self.json("coverage", "stations")
        self.assertEqual(list(report), ["table", "from", "to", "bucket", *REPORT_KEYS[2:]])
        self.assertEqual(report, {"table": "stations", "from": hour(0), "to": hour(6), "bucket": "1h", "covered_buckets": 6,
                                  "expected_buckets": 6, "ratio": 1.0, "max_gap_buckets": 0, "gaps": []})

    def test_range(self):
        report = self.json("coverage", "stations", "--from", "2023-12-31T22:00:00Z", "--to", hour(8))
        self.assertEqual((report["covered_buckets"], report["expected_buckets"], report["ratio"]), (6, 10, 0.6))
        self.assertEqual(report["max_gap_buckets"], 2)
        self.assertEqual(report["gaps"], [{"from": "2023-12-31T22:00:00Z", "to": hour(0), "buckets": 2}, gap(6, 8)])

    def test_by_series_json(self):
        answer = self.json("coverage", "stations", "--by", "series")
        self.assertEqual(list(answer), ["table", "bucket", "series"])
        self.assertEqual((answer["table"], answer["bucket"]), ("stations", "1h"))
        self.assertEqual([list(entry) for entry in answer["series"]], [["series", *REPORT_KEYS]] * 3)
        by_station = {entry["series"]["station"]: entry for entry in answer["series"]}
        self.assertEqual(list(by_station), ["A", "B", "C"])
        self.assertEqual(by_station["B"]["covered_buckets"], 3)
        self.assertIn(gap(2, 4), by_station["B"]["gaps"])

    def test_where(self):
        report = self.json("coverage", "stations", "--where", "station=B", "--from", hour(0), "--to", hour(6))
        self.assertEqual((report["covered_buckets"], report["gaps"]), (3, [gap(2, 4), gap(5, 6)]))
        both = self.json("coverage", "stations", "--where", "station=B", "--where", "station=A", "--from", hour(0), "--to", hour(6))
        self.assertEqual((both["covered_buckets"], both["gaps"]), (5, [gap(5, 6)]))
        one = self.json("coverage", "stations", "--by", "series", "--where", "station=C")
        self.assertEqual([entry["series"] for entry in one["series"]], [{"station": "C"}])

    def test_text(self):
        text = self.out("coverage", "stations", "--from", hour(0), "--to", hour(8))
        self.assertEqual(text, (f"stations  {hour(0)} to {hour(8)}  buckets of 1h\n"
                                "covered  6 of 8 buckets, 75.00 %\n"
                                "gaps     1, the longest 2 buckets\n"
                                "\n"
                                "gap from              to                    buckets\n"
                                f"{hour(6)}  {hour(8)}        2\n"))
        self.assertIn("gaps     0\n", self.out("coverage", "stations"))

    def test_text_by_series(self):
        self.assertEqual(self.out("coverage", "stations", "--by", "series", "--from", hour(0), "--to", hour(6)), (
            "series     covered  expected    ratio  missing  gaps  longest\n"
            "station=A        4         6  66.66 %        2     1        2\n"
            "station=B        3         6  50.00 %        3     2        2\n"
            "station=C        1         6  16.66 %        5     1        5\n"))

    def test_only_a_whole_coverage_reads_as_whole(self):
        self.write("rows.csv", "time,v\n" + "".join(f"{i * 60},1\n" for i in range(30_000) if i != 777))
        self.run_cli("import", "t", "rows.csv", "--create", "--time", "time", "--time-format", "epoch_s", "--bucket", "1m")
        self.assertIn("99.99 %", self.out("coverage", "t"))

    def test_many_gaps_are_abridged(self):
        self.write("rows.csv", "time,v\n" + "".join(f"{i * 7200},1\n" for i in range(30)))
        self.run_cli("import", "t", "rows.csv", "--create", "--time", "time", "--time-format", "epoch_s")
        text = self.out("coverage", "t")
        self.assertIn("and 19 more, none longer; `marigram gaps` lists them all\n", text)
        self.assertEqual(len(self.json("coverage", "t")["gaps"]), 29)

    def test_gaps(self):
        out, err = self.run_cli("gaps", "stations", "--where", "station=B", "--from", hour(0), "--to", hour(6))
        self.assertEqual(out, ("from                  to                    buckets\n"
                               f"{hour(2)}  {hour(4)}        2\n"
                               f"{hour(5)}  {hour(6)}        1\n"))
        self.assertEqual(err, "2 gaps, 3 buckets of 1h\n")
        self.assertEqual(self.run_cli("gaps", "stations"), ("", "0 gaps, 0 buckets of 1h\n"))

    def test_gaps_json(self):
        args = ["gaps", "stations", "--where", "station=B", "--from", hour(0), "--to", hour(6)]
        self.assertEqual(self.json(*args), {"table": "stations", "bucket": "1h", "gaps": [gap(2, 4), gap(5, 6)]})
        self.assertEqual(self.json(*args, "--min", "2")["gaps"], [gap(2, 4)])
        self.assertEqual(self.json(*args, "--min", "3")["gaps"], [])

    def test_window(self):
        self.assertEqual(self.json("window", "stations", "--length", "2"), gap(4, 6))
        self.assertEqual(self.json("window", "stations", "--length", "2", "--where", "station=B"), gap(0, 2))
        self.assertEqual(self.json("window", "stations", "--length", "2", "--before", hour(3)), gap(1, 3))
        self.assertEqual(self.json("window", "stations", "--length", "2", "--before", "2024-01-01T02:30:00Z"), gap(1, 3))
        self.assertEqual(self.out("window", "stations", "--length", "6"), f"{hour(0)} to {hour(6)}, 6 buckets\n")

    def test_no_window(self):
        self.assertEqual(self.out("window", "stations", "--length", "7", "--json"), "null\n")
        self.assertEqual(self.run_cli("window", "stations", "--length", "7"), ("", "no window of 7 buckets is fully covered\n"))

    def test_empty_table(self):
        self.run_cli("create", "t", "--time", "time", "--tag", "station")
        self.assertEqual(self.out("coverage", "t"), "t covers nothing\n")
        report = self.json("coverage", "t")
        self.assertEqual((report["from"], report["to"], report["covered_buckets"], report["gaps"]), (None, None, 0, []))
        self.assertEqual(self.json("coverage", "t", "--by", "series")["series"], [])
        self.assertIn("no series that match", self.out("coverage", "t", "--by", "series"))
        self.assertEqual(self.json("gaps", "t")["gaps"], [])
        self.assertEqual(self.out("window", "t", "--length", "1", "--json"), "null\n")
        ranged = self.json("coverage", "t", "--from", hour(0), "--to", hour(6))
        self.assertEqual((ranged["from"], ranged["expected_buckets"], ranged["ratio"], ranged["gaps"]), (hour(0), 6, 0.0, [gap(0, 6)]))

    def test_wrong_tag(self):
        for command in (["coverage"], ["coverage", "--by", "series"], ["gaps"], ["window", "--length", "1"]):
            self.assertIn("temp", self.error(*command, "stations", "--where", "temp=1", code=3))


if __name__ == "__main__":
    main()
