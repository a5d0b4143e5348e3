"""Retention on the command line: what is old goes and rollups go on telling of it, late rows are added to them, and what is not
understood is refused. Times are those of the machine's clock, so rows are written around it."""

import datetime

from harness import CliTest, main

DAY = datetime.timedelta(days=1)


class RetentionTest(CliTest):
    def setUp(self):
        super().setUp()
        now = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0)
        self.now = now
        lines = ["time,host,x"]
        for hour in range(40 * 24):
            time = (now - hour * DAY / 24).strftime("%Y-%m-%dT%H:%M:%SZ")
            lines += [f"{time},a,{hour}", f"{time},b,{-hour}"]
        self.write("rows.csv", "\n".join(lines) + "\n")

    def make(self, *options):
        self.run_cli("create", "t", "--time", "time", "--tag", "host", "--field", "x:float64", "--bucket", "1h", "--segments", "native",
                     *options)
        self.run_cli("import", "t", "rows.csv")

    def answer(self, *options):
        return self.out("aggregate", "t", "--agg", "count", "--agg", "sum(x)", "--agg", "last(x)", "--format", "csv", *options)

    def oldest(self, host):
        return self.out("scan", "t", "--where", f"host={host}", "--format", "csv", "--limit", "1").splitlines()[1].split(",")[0]

    def test_rollups_go_on_telling_of_rows_that_are_gone(self):
        self.make("--rollups", "6h,1d")
        daily = self.answer("--every", "1d", "--by", "host")
        would = self.json("retention", "t", "--dry-run")
        self.assertEqual((would["rows"], would["rules"]), (0, []))
        would = self.json("retention", "t", "--keep", "rows=7d,6h=20d", "--dry-run")
        self.assertGreaterEqual(would["rows"], 2 * 24 * 32)
        self.assertEqual(self.answer("--every", "1d", "--by", "host"), daily, "nothing went")
        done = self.json("retention", "t", "--keep", "rows=7d,6h=20d")
        self.assertGreaterEqual(done["rows"], 2 * 24 * 32)
        self.assertGreater(done["rollup_rows"], 2 * 4 * 18)
        horizons = done["rules"][0]["horizons"]
        self.assertLessEqual(horizons["rows"], (self.now - 7 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ"))
        self.assertEqual(self.oldest("a"), horizons["rows"])
        self.assertTrue(horizons["6h"].endswith("T00:00:00Z"), "where a day begins")
        self.assertEqual(self.answer("--every", "1d", "--by", "host"), daily)
        self.assertEqual(self.json("retention", "t")["rows"], 0)
        late = (self.now - 15 * DAY).strftime("%Y-%m-%dT%H:30:00Z")
        self.write("late.csv", f"time,host,x\n{late},a,1e9\n")
        self.run_cli("import", "t", "late.csv")
        with_late = self.answer("--every", "1d", "--by", "host")
        self.assertEqual(sum(a != b for a, b in zip(with_late.splitlines(), daily.splitlines())), 1)
        self.run_cli("rollup", "t")
        self.assertEqual(self.oldest("a"), horizons["rows"], "it is in the rollups")
        self.assertEqual(self.answer("--every", "1d", "--by", "host"), with_late)
        self.assertEqual([commit["operation"] for commit in self.json("log", "t")["commits"]].count("merge_late_rows"), 1)
        self.assertIn("want whole intervals of", self.error("delete", "t", "--from", late, "--to", horizons["rows"], code=1))
        self.run_cli("delete", "t", "--where", "host=a")
        self.assertNotIn(",a,", self.answer("--every", "1d", "--by", "host"))
        self.assertTrue(self.json("verify", "t")["ok"])
        self.run_cli("compact", "t")
        self.assertGreater(self.json("vacuum", "t", "--older-than", "0s", "--history", "1")["files"], 40, "the space is given back")
        self.assertTrue(self.json("verify", "t")["ok"])
        self.assertEqual(self.answer("--every", "1d", "--by", "host").count(",b,"), daily.count(",b,"))
        self.assertIn("were given up", self.error("scan", "t", "--at", "2", code=3))
        self.assertIn("--history", self.error("vacuum", "t", "--history", "0", code=2))

    def test_rules_by_tags(self):
        self.make()
        rules = self.json("retention", "t", "--keep", "host=a:rows=2d", "--keep", "rows=20d")["rules"]
        self.assertEqual([rule["where"] for rule in rules], [{"host": ["a"]}, {}])
        for rule, host, days in zip(rules, "ab", (2, 20)):
            self.assertEqual(self.oldest(host), rule["horizons"]["rows"])
            self.assertEqual(rule["horizons"]["rows"], (self.now - days * DAY).strftime("%Y-%m-%dT%H:%M:%SZ"))
        out = self.out("retention", "t", "--none")
        self.assertIn("for ever", out)
        self.assertEqual(self.oldest("a"), rules[0]["horizons"]["rows"], "what is gone stays so")

    def test_tables_that_others_read_lose_whole_segments(self):
        self.run_cli("import", "t", "rows.csv", "--create", "--time", "time", "--tag", "host", "--bucket", "1h")
        before = len(self.json("segments", "t")["segments"])
        done = self.json("retention", "t", "--keep", "rows=7d")
        self.assertEqual(len(self.json("segments", "t")["segments"]), before - done["segments"])
        self.assertIn("T00:00:00Z", self.oldest("a"), "segments are of days")
        self.assertIn("by tags", self.error("retention", "t", "--keep", "host=a:rows=1d", code=1))
        self.assertIn("beside rollups", self.error("rollup", "t", "--set", "1d", code=1))

    def test_what_is_not_understood_is_refused(self):
        self.make("--rollups", "1h,1d")
        self.assertIn("NAME", self.out("retention", "--help"))
        self.assertIn("--keep", self.error("retention", "t", "--keep", "7d", code=2))
        self.assertIn("twice", self.error("retention", "t", "--keep", "rows=7d,rows=8d", code=2))
        self.assertIn("soon", self.error("retention", "t", "--keep", "rows=soon", code=1))
        self.assertIn("neither rows nor a level", self.error("retention", "t", "--keep", "rows=1d,1w=2d", code=1))
        self.assertIn("is no tag", self.error("retention", "t", "--keep", "x=1:rows=1d", code=1))
        self.assertIn("kept as long", self.error("retention", "t", "--keep", "rows=7d,1h=1d", code=1))
        self.run_cli("create", "steps", "--time", "n", "--index-type", "int64", "--index-step", "10", "--tag", "x")
        self.assertIn("timestamp index", self.error("retention", "steps", "--keep", "rows=1d", code=1))
        self.run_cli("retention", "t", "--keep", "rows=7d")
        self.assertIn("cannot give up level 1h", self.error("rollup", "t", "--set", "1d", code=1))

    def test_a_database_does_the_same(self):
        self.run_cli("db", "init", "d")
        self.run_cli("db", "write", "d", "n", "rows.csv", "--format", "csv", "--table", "t", "--tag", "host")
        self.run_cli("db", "flush", "d")
        self.run_cli("db", "rollup", "d", "n.t", "--set", "1h,1d")
        would = self.json("db", "retention", "d", "n.t", "--dry-run")
        self.assertEqual(would["rows"], 0)
        done = self.json("db", "retention", "d", "n.t", "--keep", "rows=7d,1h=20d")
        self.assertGreaterEqual(done["rows"], 2 * 24 * 32)
        self.assertTrue(self.json("db", "verify", "d")["ok"])
        self.assertIn("expired 0 rows", self.out("db", "retention", "d", "n.t"))
        daily = self.out("db", "query", "d", "n.t", "--agg", "count", "--every", "1d", "--format", "csv")
        self.run_cli("db", "compact", "d")
        vacuumed = self.json("db", "vacuum", "d", "--older-than", "0s", "--history", "1")
        self.assertGreater(vacuumed["files"], 40, "the space is given back")
        self.assertTrue(all(path.startswith("n/t/") for path in vacuumed["paths"]), vacuumed["paths"][:3])
        self.assertEqual(self.out("db", "query", "d", "n.t", "--agg", "count", "--every", "1d", "--format", "csv"), daily)
        self.assertTrue(self.json("db", "verify", "d")["ok"])


if __name__ == "__main__":
    main()
