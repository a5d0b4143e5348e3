"""Without these, a backup could be taken for sound that is not, or restored to something else than what was backed up."""

import json
import os
import shutil

from harness import CliTest, main

DAY = 86_400_000_000_000


class Backup(CliTest):
    def setUp(self):
        super().setUp()
        self.run_cli("db", "init", "d")
        self.write_rows("n", "t", range(4))

    def write_rows(self, name_space, table, days, value=1, path="d"):
        self.run_cli("db", "write", path, name_space, stdin="".join(f"{table},host=h{i % 2} v={value} {i * DAY}\n" for i in days))

    def days(self, path="d", table="n.t", *args):
        rows = [json.loads(line) for line in self.out("db", "query", path, table, "--json", *args).splitlines()]
        return len(rows)

    def test_backup_and_restore(self):
        answer = self.json("db", "backup", "d", "copy")
        self.assertEqual((answer["database"], answer["snapshot"], answer["base"]), ("d", "copy", None))
        self.assertEqual((answer["tables"], answer["rows"], answer["shared_files"]), (1, 4, 0))
        self.write_rows("n", "t", range(4, 6))
        self.assertEqual((self.days("d"), self.days("copy")), (6, 4))
        self.error("db", "backup", "d", "copy", code=4)
        self.assertRegex(self.out("db", "restore", "copy", "back"), r"^restored back from copy: 1 table, 4 rows, \d+ files, .*\n$")
        self.assertEqual(self.days("back"), 4)
        self.assertTrue(self.json("db", "verify", "back")["ok"])
        self.error("db", "restore", "copy", "d", code=4)
        self.error("db", "restore", "nowhere", "e", code=3)
        self.assertFalse((self.folder / "e").exists())

    def test_it_is_still_called_snapshot(self):
        self.assertRegex(self.out("db", "snapshot", "d", "copy"), r"^backed up d to copy: 1 table, 4 rows, \d+ files, .*\n$")
        self.assertEqual(self.days("copy"), 4)

    def test_chain(self):
        self.run_cli("db", "backup", "d", "s1")
        self.write_rows("n", "u", range(3))
        self.assertRegex(self.out("db", "backup", "d", "s2", "--base", "s1"), r"; of these \d+ files, .* are shared with s1\n$")
        self.write_rows("n", "t", range(9, 12))
        answer = self.json("db", "backup", "d", "s3", "--base", "s2")
        self.assertGreater(answer["shared_files"], 5)
        self.assertLess(answer["shared_bytes"], answer["bytes"])
        shutil.rmtree(self.folder / "s1")
        shutil.rmtree(self.folder / "d")
        for snapshot, rows in (("s2", 4), ("s3", 7)):
            self.assertTrue(self.json("db", "verify-backup", snapshot)["ok"])
            self.assertEqual(self.days(snapshot), rows)
        self.assertIn("nowhere", self.error("db", "backup", "s3", "s4", "--base", "nowhere", code=3))
        self.run_cli("db", "restore", "s3", "d")
        self.assertIn("backup.json", self.error("db", "backup", "d", "s4", "--base", "d", code=1))
        self.assertFalse((self.folder / "s4").exists())

    def test_damage(self):
        self.run_cli("db", "backup", "d", "copy")
        self.assertRegex(self.out("db", "verify-backup", "copy"), r"^copy: sound; checked \d+ files, .*\n$")
        segment = next((self.folder / "copy" / "tables").rglob("*.parquet"), None) or next((self.folder / "copy" / "tables").rglob("*.mgs"))
        content = bytearray(segment.read_bytes())
        content[len(content) // 2] ^= 1
        segment.write_bytes(content)
        name = str(segment.relative_to(self.folder / "copy"))
        self.assertEqual(self.json("db", "verify-backup", "copy", code=1)["problems"], [f"{name} is not what was written"])
        self.assertIn(f"problem: {name} is not what was written\ncopy: 1 problem; ", self.out("db", "verify-backup", "copy", code=1))
        self.assertIn(name, self.error("db", "restore", "copy", "back", code=1))
        self.error("db", "query", "back", "n.t", code=3)
        segment.unlink()
        self.assertEqual(self.json("db", "verify-backup", "copy", code=1)["problems"], [f"{name} is missing"])
        self.error("db", "verify-backup", "nowhere", code=3)
        self.error("db", "verify-backup", "d", code=1)

    def test_parts(self):
        self.write_rows("n", "u", range(3))
        self.write_rows("m", "t", range(2))
        self.run_cli("db", "backup", "d", "copy")
        answer = self.json("db", "restore", "copy", "dry", "--dry-run")
        self.assertEqual((answer["dry_run"], answer["tables"], answer["rows"]), (True, 3, 9))
        self.assertTrue(self.out("db", "restore", "copy", "dry", "--dry-run").startswith("would restore dry from copy: 3 tables, 9 rows, "))
        self.assertFalse((self.folder / "dry").exists())
        self.assertEqual(self.json("db", "restore", "copy", "r1", "--namespace", "m")["rows"], 2)
        self.assertEqual(self.days("r1", "m.t"), 2)
        self.error("db", "query", "r1", "n.t", code=3)
        self.assertEqual(self.json("db", "restore", "copy", "r2", "--table", "n.u")["rows"], 3)
        self.error("db", "query", "r2", "n.t", code=3)
        self.assertEqual(self.json("db", "restore", "copy", "r3", "--from", "1970-01-02", "--to", str(2 * DAY))["rows"], 5)
        self.assertEqual((self.days("r3", "n.t"), self.days("r3", "n.u"), self.days("r3", "m.t")), (2, 2, 1))
        self.assertTrue(self.json("db", "verify", "r3")["ok"])
        self.assertIn("n.nosuch", self.error("db", "restore", "copy", "r4", "--table", "n.nosuch", code=3))
        self.error("db", "restore", "copy", "r4", "--namespace", "nosuch", code=3)
        self.error("db", "restore", "copy", "r4", "--table", "n.nosuch", "--dry-run", code=3)

    def test_clone_in_a_database(self):
        self.assertEqual(self.out("db", "clone", "d", "n.t", "n.u"), "cloned n.t to n.u\n")
        self.write_rows("n", "u", range(10, 12))
        self.run_cli("db", "delete", "d", "n.t", "--where", "host=h1")
        self.assertEqual((self.days("d", "n.t"), self.days("d", "n.u")), (2, 6))
        commits = self.json("log", "d/tables/n/u")["commits"]
        version = str(next(commit["version"] for commit in commits if commit["operation"] == "append"))
        self.assertEqual(self.json("db", "clone", "d", "n.u", "n.old", "--at", version), {"table": "n.u", "clone": "n.old"})
        self.assertEqual(self.days("d", "n.old"), 4)
        self.error("db", "clone", "d", "n.t", "n.u", code=4)
        self.error("db", "clone", "d", "n.nosuch", "n.w", code=3)
        self.error("db", "clone", "d", "n.t", "n.w", "--at", "99", code=3)
        self.assertTrue(self.json("db", "verify", "d")["ok"])

    def test_clone_of_a_table(self):
        self.import_stations()
        self.assertEqual(self.out("clone", "stations", "trial"), "cloned stations at version 2 to trial\n")
        self.assertEqual(self.json("clone", "stations", "empty", "--at", "1"), {"table": "stations", "clone": "empty", "version": 1})
        self.assertEqual((len(self.rows("trial")), len(self.rows("empty"))), (8, 0))
        self.assertGreater(max(os.stat(path).st_nlink for path in (self.folder / "trial").rglob("*") if path.is_file()), 1)
        self.run_cli("delete", "trial", "--where", "station=A")
        self.run_cli("compact", "trial")
        self.run_cli("vacuum", "trial", "--older-than", "0s", "--history", "1")
        self.assertEqual((len(self.rows("trial")), len(self.rows("stations"))), (4, 8))
        shutil.rmtree(self.folder / "stations")
        self.assertTrue(self.json("verify", "trial")["ok"])
        self.error("clone", "trial", "trial", code=4)
        self.error("clone", "nowhere", "other", code=3)
        self.assertFalse((self.folder / "other").exists())
        self.assertEqual([path.name for path in self.folder.iterdir() if path.name.startswith(".")], [])


if __name__ == "__main__":
    main()
