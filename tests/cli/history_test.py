"""Versions on the command line: what changed between them, their names, going back, truncating; of tables and of tables in a database.
Without these a script could revert to another version than it named, or count what it did not change."""

import json

from harness import CliTest, main

LATE = """time,station,temp,count,remark
2024-01-01T06:00:00Z,A,6.5,9,new
2024-01-01T07:00:00Z,A,,10,newer
"""


class HistoryTest(CliTest):
    def setUp(self):
        super().setUp()
        self.import_stations()  # version 2
        self.write("late.csv", LATE)
        self.run_cli("import", "stations", "late.csv")  # 3
        self.run_cli("delete", "stations", "--where", "station=B")  # 4

    def changes(self, *args):
        return [(row["change"], row["station"], row["count"])
                for row in map(json.loads, self.out("diff", "stations", *args, "--format", "json").splitlines())]

    def test_diff_tells_rows_and_numbers(self):
        self.assertEqual(self.changes("2", "3"), [("added", "A", 9), ("added", "A", 10)])
        self.assertEqual(self.changes("3", "4"), [("removed", "B", 5), ("removed", "B", 6), ("removed", "B", 7)])
        self.assertEqual(self.changes("4", "2", "--limit", "2"), [("removed", "A", 9), ("removed", "A", 10)])
        self.assertEqual(self.changes("1", "4", "--where", "station=C"), [("added", "C", 8)])
        self.assertEqual(self.changes("3", "4", "--from", "2024-01-01T01:00:00Z", "--to", "2024-01-01T04:00:00Z"), [("removed", "B", 6)])
        self.assertEqual(self.out("diff", "stations", "2", "4", "--count"), "2 rows added, 3 rows removed from version 2 to version 4\n")
        self.assertEqual(self.json("diff", "stations", "4", "2", "--count"), {"from": 4, "to": 2, "added": 3, "removed": 2})
        self.assertEqual(self.out("diff", "stations", "2", "2", "--format", "csv").strip(), "change,time,station,temp,count,remark")
        self.assertIn("removed", self.out("diff", "stations", "3", "4"))
        self.error("diff", "stations", "2", "9", code=3)
        self.error("diff", "stations", "2", "nobody", code=3)
        self.error("diff", "stations", "2", "3", "--from", "noon", code=2)

    def test_versions_have_names(self):
        self.assertEqual(self.out("tag", "stations"), "")
        self.assertEqual(self.out("tag", "stations", "loaded", "2"), "version 2 is named loaded\n")
        self.assertEqual(self.json("tag", "stations", "now"), {"version": 6, "name": "now", "named": 5})
        self.assertEqual(self.json("tag", "stations")["names"], [{"name": "loaded", "version": 2}, {"name": "now", "version": 5}])
        self.assertEqual(len(self.rows("stations", "--at", "loaded")), 8)
        self.assertEqual(self.out("aggregate", "stations", "--agg", "count", "--at", "loaded", "--format", "csv").splitlines()[-1], "8")
        self.assertEqual(len(self.changes("loaded", "now")), 5)
        log = self.json("log", "stations")["commits"]
        self.assertEqual([commit["names"] for commit in log], [[], ["loaded"], [], [], ["now"], []])
        self.assertIn("loaded", self.out("log", "stations").splitlines()[2])
        self.run_cli("vacuum", "stations", "--older-than", "0s", "--history", "1")
        self.assertEqual(len(self.rows("stations", "--at", "loaded")), 8)
        self.assertIn("were given up", self.error("scan", "stations", "--at", "3", code=3))
        self.assertEqual(self.out("tag", "stations", "--delete", "loaded"), "no version is named loaded any more\n")
        self.error("scan", "stations", "--at", "loaded", code=3)
        self.error("tag", "stations", "--delete", "loaded", code=3)
        self.error("tag", "stations", "again", "2", code=3)
        self.assertIn("looks like", self.error("tag", "stations", "2024-01-01", code=1))
        self.error("tag", "stations", "x", "--delete", "y", code=2)

    def test_revert_and_truncate(self):
        self.run_cli("tag", "stations", "loaded", "2")  # 5
        self.assertEqual(self.out("revert", "stations", "loaded", "--dry-run"),
                         "stations would become what it was at version 2: 3 rows added, 2 rows removed\n")
        self.assertEqual(self.json("revert", "stations", "2", "--dry-run"),
                         {"version": 5, "restored": 2, "added": 3, "removed": 2, "dry_run": True})
        before = self.csv_rows("stations", "--at", "2")
        self.assertEqual(self.out("revert", "stations", "loaded"), "stations is at version 6 what it was at version 2\n")
        self.assertEqual(self.csv_rows("stations"), before)
        self.assertEqual(self.json("revert", "stations", "4"), {"version": 7, "restored": 4, "dry_run": False})
        self.assertEqual(len(self.rows("stations")), 7)
        self.assertEqual(self.json("truncate", "stations", "--dry-run"), {"rows": 7, "dry_run": True})
        self.assertEqual(self.out("truncate", "stations"), "deleted 7 rows of stations\n")
        self.assertEqual(self.rows("stations"), [])
        self.assertEqual(self.json("show", "stations")["rows"], 0)
        self.run_cli("import", "stations", "late.csv")
        self.run_cli("revert", "stations", "loaded")
        self.assertEqual(self.csv_rows("stations"), before)
        self.assertIn("sound", self.out("verify", "stations"))
        self.error("revert", "stations", "99", code=3)


class DatabaseHistoryTest(CliTest):
    def setUp(self):
        super().setUp()
        self.run_cli("db", "init", "m")
        self.run_cli("db", "write", "m", "t", stdin="cpu,host=a v=1 1000000000\ncpu,host=b v=2 1000000000\n")
        self.first = self.json("db", "tag", "m", "t.cpu", "first")["named"]
        self.run_cli("db", "write", "m", "t", stdin="cpu,host=a v=10 1000000000\ncpu,host=a v=3 2000000000\n")

    def query(self, *args):
        return [(row["host"], row["v"]) for row in
                map(json.loads, self.out("db", "query", "m", "t.cpu", "--format", "json", *args).splitlines())]

    def test_tables_of_a_database_have_a_history(self):
        self.assertEqual(self.query("--at", "first"), [("a", 1), ("b", 2)])
        self.assertEqual(self.query("--at", str(self.first), "--where", "host!=a"), [("b", 2)])
        self.assertEqual(self.out("db", "query", "m", "t.cpu", "--agg", "sum", "--at", "first", "--format", "csv").splitlines()[-1], "3.0")
        self.error("db", "query", "m", "t.cpu", "--at", "never", code=3)
        newest = self.json("db", "tag", "m", "t.cpu")["version"]
        self.assertEqual(self.json("db", "diff", "m", "t.cpu", "first", str(newest), "--count"),
                         {"from": self.first, "to": newest, "added": 2, "removed": 1})
        self.assertIn("2 rows added", self.out("db", "diff", "m", "t.cpu", "first", str(newest), "--count"))
        self.assertEqual(self.out("db", "revert", "m", "t.cpu", "first", "--dry-run"),
                         f"t.cpu would become what it was at version {self.first}: 1 row added, 2 rows removed\n")
        self.run_cli("db", "revert", "m", "t.cpu", "first")
        self.assertEqual(self.query(), [("a", 1), ("b", 2)])
        self.assertEqual(self.json("db", "truncate", "m", "t.cpu", "--dry-run"), {"rows": 2, "dry_run": True})
        self.assertEqual(self.out("db", "truncate", "m", "t.cpu"), "deleted 2 rows of t.cpu\n")
        self.assertEqual(self.query(), [])
        self.run_cli("db", "revert", "m", "t.cpu", str(newest))
        self.assertEqual(self.query(), [("a", 10), ("b", 2), ("a", 3)])
        self.run_cli("db", "tag", "m", "t.cpu", "--delete", "first")
        self.assertEqual(self.json("db", "tag", "m", "t.cpu")["names"], [])


if __name__ == "__main__":
    main()
