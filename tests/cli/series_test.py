"""Without these, `latest`, `aggregate` and `window-join` could answer for other rows than were asked for, or not say what they read."""

import json

from harness import CliTest, main

PROBES = """time,station,id
2024-01-01T02:30:00Z,B,1
2024-01-01T02:30:00Z,A,2
2023-12-31T20:00:00Z,A,3
2024-01-01T02:00:00Z,D,4
"""


class Series(CliTest):
    def setUp(self):
        super().setUp()
        self.import_stations()
        self.write("probes.csv", PROBES)

    def rows(self, *args, **options):
        return [list(json.loads(line).values()) for line in self.out(*args, "--json", **options).splitlines()]

    def test_latest(self):
        self.assertEqual(self.rows("latest", "stations", "--columns", "count"), [
            ["A", "2024-01-01T03:00:00Z", 4], ["B", "2024-01-01T04:00:00Z", 7], ["C", "2024-01-01T05:00:00Z", 8]])
        self.assertEqual(self.rows("latest", "stations", "--first", "--columns", "count", "--where", "station=B"),
                         [["B", "2024-01-01T00:00:00Z", 5]])
        self.assertEqual(self.rows("latest", "stations", "--on", "2024-01-01T02:30:00Z", "--columns", "temp"), [
            ["A", "2024-01-01T02:00:00Z", None], ["B", "2024-01-01T01:00:00Z", 11]])
        self.assertEqual(self.rows("latest", "stations", "--on", "2024-01-01T02:30:00Z", "--columns", "temp", "--last-non-null", "temp",
                                   "--where", "station=A"), [["A", "2024-01-01T02:00:00Z", 2.5]])
        self.assertEqual(self.rows("latest", "stations", "--first", "--on", "2024-01-01T04:30:00Z", "--columns", "count"),
                         [["C", "2024-01-01T05:00:00Z", 8]])
        self.assertIn("read 1 of 1 window", self.run_cli("latest", "stations", "--explain")[1])
        self.assertIn("station is no field", self.error("latest", "stations", "--columns", "station", code=1))

    def test_aggregate(self):
        self.assertEqual(self.rows("aggregate", "stations", "--agg", "count", "--agg", "mean=avg(temp)", "--agg", "max(count)"),
                         [[8, 43.25 / 7, 8]])
        self.assertEqual(self.rows("aggregate", "stations", "--agg", "sum(count)", "--by-series"), [["A", 10], ["B", 18], ["C", 8]])
        self.assertEqual(self.rows("aggregate", "stations", "--agg", "first(temp)", "--agg", "vwap(temp,count)", "--every", "2h", "--by",
                                   "station", "--where", "station=A", "--from", "2024-01-01T01:00:00Z"),
                         [["A", "2024-01-01T00:00:00Z", 2.5, 2.5], ["A", "2024-01-01T02:00:00Z", 4.5, 4.5]])
        self.assertEqual(self.out("aggregate", "stations", "--agg", "n=count", "--format", "csv"), "n\n8\n")

    def test_aggregate_says_what_it_read(self):
        self.run_cli("compact", "stations", "--segments", "native")
        remarks = self.run_cli("aggregate", "stations", "--agg", "sum(count)", "--explain")[1]
        self.assertIn("read 1 of 1 segment", remarks)
        self.assertIn("blocks: 0 skipped, 0 answered by statistics, 2 decoded", remarks)
        lines = "".join(f"2024-01-01T{minute // 3600:02}:{minute // 60 % 60:02}:{minute % 60:02}Z,h{host},{minute}\n"
                        for host in (1, 2) for minute in range(2000))
        self.write("long.csv", "time,host,value\n" + lines)
        self.run_cli("create", "ticks", "--time", "time", "--tag", "host", "--segments", "native", "--duplicates", "all")
        self.run_cli("import", "ticks", "long.csv")
        out, remarks = self.run_cli("aggregate", "ticks", "--agg", "sum(value)", "--where", "host=h2", "--explain", "--json")
        self.assertEqual(json.loads(out), {"sum(value)": 1999000})
        self.assertIn("blocks: 2 skipped, 2 answered by statistics, 0 decoded", remarks)

    def test_window_join(self):
        rows = self.rows("window-join", "stations", "--probes", "probes.csv", "--before", "90m", "--after", "30m", "--agg", "count", "--agg",
                         "sum(count)", "--agg", "last(temp)")
        self.assertEqual([row[2:] for row in rows], [[1, 1, 6, 11.0], [2, 3, 9, 4.5], [3, 0, None, None], [4, 0, None, None]])

    def test_usage(self):
        self.assertIn("--before, --after or both", self.error("window-join", "stations", "--probes", "probes.csv", "--agg", "count", code=2))
        self.assertIn("--before \"5\"", self.error("window-join", "stations", "--probes", "probes.csv", "--agg", "count", "--before", "5", code=2))
        self.assertIn("avg(x)", self.error("aggregate", "stations", "--agg", "avg", code=2))
        self.assertIn("got `mean`", self.error("aggregate", "stations", "--agg", "mean(temp)", code=2))
        self.assertIn("--every", self.error("aggregate", "stations", "--agg", "count", "--every", "x", code=2))
        self.assertIn("no column volume", self.error("aggregate", "stations", "--agg", "sum(volume)", code=3))
        self.error("aggregate", "stations", code=2)


if __name__ == "__main__":
    main()
