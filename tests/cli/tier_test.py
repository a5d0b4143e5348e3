"""Tiers, dropped and renamed tables, and plans on the command line. Times are those of the machine's clock, so rows are written
around it."""

import datetime
import os

from harness import CliTest, main

DAY = datetime.timedelta(days=1)


class TierTest(CliTest):
    def setUp(self):
        super().setUp()
        now = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
        times = [(now - day * DAY + hour * DAY / 24).strftime("%Y-%m-%dT%H:%M:%SZ") for day in range(10) for hour in range(24)]
        self.write("rows.csv", "\n".join(["time,host,x"] + [f"{time},a,{i}" for i, time in enumerate(times)]) + "\n")

    def make(self, *options):
        self.run_cli("create", "t", "--time", "time", "--tag", "host", "--field", "x:float64", "--segments", "native", *options)
        self.run_cli("import", "t", "rows.csv")

    def all_rows(self):
        return self.out("scan", "t", "--format", "csv")

    def tiers(self, *options):
        report = self.json("tier", "t", *options)
        return {tier["tier"]: tier["rows"] for tier in report["tiers"]}, report

    def test_old_rows_become_cold_and_read_the_same(self):
        self.make()
        before = self.all_rows()
        self.assertEqual(self.tiers()[0], {"warm": 240, "cold": 0})
        usage, report = self.tiers("--cold-after", "4d")
        self.assertEqual(sum(usage.values()), 240)
        self.assertGreaterEqual(usage["cold"], 5 * 24)
        self.assertLessEqual(usage["cold"], 6 * 24)
        self.assertEqual(report["rows"], usage["cold"])
        self.assertEqual(self.all_rows(), before)
        self.assertEqual(self.tiers()[1]["rows"], 0)
        self.assertEqual(self.json("log", "t")["commits"][-1]["operation"], "tier")
        self.assertIn("sound", self.out("verify", "t"))
        usage, report = self.tiers("--cold-after", "2d", "--cold-compression", "auto:lz4")
        self.assertGreater(usage["cold"], 6 * 24)
        self.assertEqual(self.json("tier", "t", "--dry-run")["rows"], 0)
        self.run_cli("compact", "t")
        self.assertEqual(self.tiers()[0], usage)

    def test_another_folder_holds_what_is_cold(self):
        os.mkdir(str(self.folder / "disk2"))
        self.make("--cold-after", "4d", "--cold-root", str(self.folder / "disk2"))
        before = self.all_rows()
        self.run_cli("tier", "t")
        cold = [name for _, _, names in os.walk(str(self.folder / "disk2")) for name in names]
        self.assertGreaterEqual(len(cold), 5)
        self.assertEqual(self.all_rows(), before)
        os.rename(str(self.folder / "disk2"), str(self.folder / "gone"))
        self.assertIn("disk2", self.error("scan", "t", code=1))
        os.rename(str(self.folder / "gone"), str(self.folder / "disk2"))
        self.assertIn("perhaps of earlier versions", self.error("tier", "t", "--cold-root", str(self.folder / "disk3"), code=1))
        self.run_cli("truncate", "t")
        self.run_cli("vacuum", "t", "--older-than", "0s", "--history", "1")
        self.assertEqual([name for _, _, names in os.walk(str(self.folder / "disk2")) for name in names], [])

    def test_what_is_wrong_is_refused(self):
        self.make()
        self.error("tier", "t", "--cold-after", "soon", code=1)
        self.error("tier", "t", "--cold-after", "1d", "--cold-root", "relative", code=1)
        self.error("tier", "t", "--cold-after", "1d", "--dry-run", code=2)
        self.run_cli("create", "open", "--time", "time", "--tag", "host", "--field", "x:float64")
        self.assertIn("other programs", self.error("tier", "open", "--cold-after", "1d", code=1))
        self.run_cli("tier", "open", "--cold-after", "1d", "--cold-segments", "parquet")


class DropTest(CliTest):
    def setUp(self):
        super().setUp()
        self.run_cli("db", "init", "m")
        self.write("rows.lp", "cpu,host=a load=1 1700000000000000000\ncpu,host=b load=2 1700000060000000000\n")
        self.run_cli("db", "write", "m", "acme", "rows.lp")

    def names(self):
        return [table["table"] for table in self.json("db", "tables", "m")["tables"]]

    def test_tables_are_dropped_had_back_renamed_and_swept_away(self):
        before = self.out("db", "query", "m", "acme.cpu", "--format", "csv")
        self.assertEqual(self.json("db", "drop", "m", "acme.cpu", "--dry-run")["rows"], 2)
        self.run_cli("db", "drop", "m", "acme.cpu")
        self.assertEqual(self.names(), [])
        self.error("db", "query", "m", "acme.cpu", code=3)
        self.error("db", "drop", "m", "acme.cpu", code=3)
        self.assertEqual([table["table"] for table in self.json("db", "undrop", "m")["dropped"]], ["cpu"])
        self.run_cli("db", "write", "m", "acme", "rows.lp")
        self.assertIn("rename that one first", self.error("db", "undrop", "m", "acme.cpu", code=4))
        self.run_cli("db", "rename", "m", "acme.cpu", "acme.new")
        self.run_cli("db", "undrop", "m", "acme.cpu")
        self.assertEqual(self.names(), ["cpu", "new"])
        for name in ["cpu", "new"]:
            self.assertEqual(self.out("db", "query", "m", f"acme.{name}", "--format", "csv"), before)
        self.error("db", "rename", "m", "acme.cpu", "acme.new", code=4)
        self.error("db", "rename", "m", "acme.cpu", "other.cpu", code=2)
        self.run_cli("db", "drop", "m", "acme.new")
        self.assertEqual(self.json("db", "vacuum", "m", "--dry-run")["files"], 0, "it is not old enough")
        self.assertGreater(self.json("db", "vacuum", "m", "--older-than", "0s")["files"], 0)
        self.assertEqual(self.json("db", "undrop", "m")["dropped"], [])
        self.assertEqual(sorted(os.listdir(self.folder / "m/tables/acme")), ["cpu"])

    def test_plans_are_told(self):
        self.run_cli("db", "rollup", "m", "acme.cpu", "--set", "1m")
        plan = self.json("db", "explain", "m", "acme.cpu", "--agg", "max", "--every", "1h")
        self.assertEqual((plan["rows"], plan["rollups"]), (1, [{"interval": "1m", "rows": 2}]))
        self.assertIn("rollups of 1m: 2 rows", self.out("db", "explain", "m", "acme.cpu", "--agg", "max", "--every", "1h"))
        self.error("db", "explain", "m", "acme.cpu", code=2)


main()
