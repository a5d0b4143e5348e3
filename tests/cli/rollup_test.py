"""Rollups on the command line: values of all types give the same aggregates from levels as from rows, late rows are there at once,
and what is not understood is refused."""

import random

from harness import CliTest, main

AGGREGATES = [f"{kind}({field})" for kind in ("count", "min", "max", "first", "last") for field in ("f", "g", "i", "j", "u", "b", "s")]
AGGREGATES += [f"{kind}({field})" for kind in ("sum", "avg") for field in ("f", "g", "i", "j", "u", "b")] + ["count"]
FIELDS = {"f": "float64", "g": "float32", "i": "int64", "j": "int32", "u": "uint64", "b": "bool", "s": "string"}


class RollupTest(CliTest):
    def setUp(self):
        super().setUp()
        source = random.Random(5)
        lines = ["time,host," + ",".join(FIELDS)]
        for minute in sorted(source.sample(range(3 * 1440), 2_000)):
            time = f"2024-03-{30 + minute // 1440:02}" if minute < 2880 else "2024-04-01"
            time += f"T{minute // 60 % 24:02}:{minute % 60:02}:00Z"
            for host in source.sample("abc", source.randrange(1, 4)):
                cells = [source.randrange(-999, 999) / 4, source.randrange(99) / 2, source.randrange(-2**60, 2**60) // 4096,
                         source.randrange(-2**31, 2**31), source.randrange(2**52), source.choice(["true", "false"]),
                         source.choice("xyzä") * source.randrange(1, 4)]
                lines.append(f"{time},{host}," + ",".join("" if source.random() < 0.1 else str(cell) for cell in cells))
        self.write("values.csv", "\n".join(lines) + "\n")
        fields = [part for name, kind in FIELDS.items() for part in ("--field", f"{name}:{kind}")]
        self.run_cli("create", "values", "--time", "time", "--tag", "host", *fields, "--bucket", "1m", "--duplicates", "last",
                     "--rollups", "1m,15m,1d", "--rollup-timezone", "Europe/Berlin")
        self.run_cli("import", "values", "values.csv")

    def answers(self, *options):
        wanted = [part for aggregate in AGGREGATES for part in ("--agg", aggregate)]
        return self.run_cli("aggregate", "values", *wanted, "--format", "csv", "--explain", *options)

    def test_all_types_are_the_same_from_levels_and_rows(self):
        ways = [["--every", "15m"], ["--every", "1d", "--timezone", "Europe/Berlin", "--by-series"],
                ["--every", "1mo", "--timezone", "Europe/Berlin"], ["--by", "host", "--from", "2024-03-30T10:07:00Z"], []]
        of_rows = [self.answers(*way) for way in ways]
        self.assertEqual([level["interval"] for level in self.json("rollup", "values", "--dry-run")["levels"]], ["1m", "15m", "1d"])
        for level in self.json("rollup", "values")["levels"]:
            self.assertEqual(level["pending"], 0)
            self.assertGreater(level["rows"], 0)
        for way, (want, explained) in zip(ways, of_rows):
            self.assertNotIn("rollups", explained)
            got, explained = self.answers(*way)
            self.assertEqual(got, want, way)
            self.assertIn("rollups of ", explained, way)

    def test_late_rows_and_deletes_are_there_at_once(self):
        self.run_cli("rollup", "values")
        self.write("late.csv", "time,host,f\n2024-03-30T00:00:30Z,a,1e9\n")
        self.run_cli("import", "values", "late.csv")
        self.assertIn("1000000000", self.answers()[0])
        self.assertGreater(self.json("rollup", "values", "--dry-run")["levels"][0]["pending"], 0)
        self.assertIn("1000000000", self.answers()[0])
        self.assertEqual(self.json("rollup", "values")["rows"], 3)
        self.run_cli("delete", "values", "--if", "f=1e9")
        self.assertNotIn("1000000000", self.answers()[0])
        self.run_cli("rollup", "values")
        self.assertNotIn("1000000000", self.answers()[0])
        self.assertTrue(self.json("verify", "values")["ok"])

    def test_levels_are_chosen_and_given_up(self):
        self.run_cli("rollup", "values")
        report = self.json("rollup", "values", "--set", "15m,1h", "--rollup-timezone", "Europe/Berlin")
        self.assertEqual([level["interval"] for level in report["levels"]], ["15m", "1h"])
        self.assertIn("keeps no rollups", self.out("rollup", "values", "--none"))
        self.assertNotIn("rollups", self.answers()[1])
        self.assertEqual([commit["operation"] for commit in self.json("log", "values")["commits"]].count("set_rollups"), 2)

    def test_intervals_are_filled(self):
        self.write("gaps.csv", "time,host,x\n2024-01-01T00:00:00Z,a,1\n2024-01-01T01:00:00Z,a,3\n2024-01-01T04:00:00Z,a,9\n")
        self.run_cli("import", "gaps", "gaps.csv", "--create", "--time", "time", "--tag", "host")

        def cells(*options):
            out = self.out("aggregate", "gaps", "--agg", "count", "--agg", "sum(x)", "--every", "1h", "--format", "csv", *options)
            return [line.split(",", 1)[1] for line in out.splitlines()[1:]]

        self.assertEqual(cells(), ["1,1", "1,3", "1,9"])
        self.assertEqual(cells("--fill", "null"), ["1,1", "1,3", "0,", "0,", "1,9"])
        self.assertEqual(cells("--fill", "previous", "--fill-limit", "1"), ["1,1", "1,3", "0,3", "0,", "1,9"])
        self.assertEqual(cells("--fill", "linear"), ["1,1", "1,3", "0,5", "0,7", "1,9"])
        self.assertEqual(cells("--fill", "-1"), ["1,1", "1,3", "0,-1", "0,-1", "1,9"])
        late = ["--from", "2024-01-01T02:00:00Z", "--to", "2024-01-01T06:00:00Z", "--fill", "previous"]
        self.assertEqual(cells(*late), ["0,", "0,", "1,9", "0,9"])
        self.assertEqual(cells(*late, "--fill-lookback", "1h"), ["0,3", "0,3", "1,9", "0,9"])
        aggregate = ["aggregate", "gaps", "--agg", "count"]
        self.assertIn("want none, null", self.error(*aggregate, "--every", "1h", "--fill", "next", code=2))
        self.assertIn("by -1.5", self.error("aggregate", "gaps", "--agg", "sum(x)", "--every", "1h", "--fill", "-1.5", code=1))
        self.assertIn("for --every", self.error(*aggregate, "--fill", "null", code=2))
        self.assertIn("for --fill previous", self.error(*aggregate, "--every", "1h", "--fill-limit", "2", code=2))
        self.assertIn("no interval begins there", self.error(*aggregate, "--every", "1h", "--from", "2024-01-01T02:30:00Z",
                                                             "--fill", "previous", "--fill-lookback", "1h", code=1))

    def test_what_is_not_understood_is_refused(self):
        self.assertIn("1h and 90m", self.error("rollup", "values", "--set", "1h,90m", code=1))
        self.assertIn("fortnight", self.error("rollup", "values", "--set", "1fortnight", code=1))
        self.assertIn("Mars", self.error("rollup", "values", "--set", "1h", "--rollup-timezone", "Mars/Olympus", code=1))
        self.assertIn("got `s`", self.error("rollup", "values", "--set", "1h", "--percentiles", "s", code=1))
        self.assertIn("without intervals", self.error("rollup", "values", "--percentiles", "f", code=2))
        self.run_cli("create", "steps", "--time", "n", "--index-type", "int64", "--index-step", "10", "--tag", "x")
        self.assertIn("timestamp index", self.error("rollup", "steps", "--set", "1h", code=1))
        self.run_cli("create", "old", "--time", "t", "--dialect", "v1")
        self.assertIn("use dialect v7", self.error("rollup", "old", "--set", "1h", code=1))


if __name__ == "__main__":
    main()
