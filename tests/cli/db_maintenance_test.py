"""Without these, upkeep of a database could lose rows, or say that all is well when it is not."""

import json
import signal
import subprocess

from harness import BIN, CliTest, environment, main

DAY = 86_400_000_000_000


class Maintenance(CliTest):
    def setUp(self):
        super().setUp()
        self.run_cli("db", "init", "d")
        self.write_rows("d", range(4))

    def write_rows(self, path, days, value=1):
        self.run_cli("db", "write", path, "n", stdin="".join(f"t,host=h{i % 2} v={value} {i * DAY}\n" for i in days))

    def count(self, path="d"):
        rows = [json.loads(line) for line in self.out("db", "query", path, "n.t", "--json").splitlines()]
        return len(rows)

    def test_delete(self):
        self.assertEqual(self.out("db", "delete", "d", "n.t", "--where", "host=h1"), "deleted 2 rows of n.t\n")
        self.assertEqual(self.json("db", "delete", "d", "n.t", "--from", DAY * 2, "--to", DAY * 2),
                         {"rows": 1, "dry_run": False})
        self.assertEqual(self.count(), 1)
        self.assertEqual(self.json("db", "delete", "d", "n.t", "--where", "host=nobody"), {"rows": 0, "dry_run": False})
        self.error("db", "delete", "d", "n.nosuch", "--from", "0", code=3)
        self.assertIn("all of them would go", self.error("db", "delete", "d", "n.t", code=2))

    def test_compact(self):
        self.write_rows("d", range(4), value=2)
        self.run_cli("db", "flush", "d")
        planned = self.json("db", "compact", "d", "--dry-run")
        self.assertRegex(self.out("db", "compact", "d", "--dry-run"), r"^would rewrite 8 segments \(.*\) of d\n$")
        answer = self.json("db", "compact", "d")
        self.assertEqual(planned, {key: answer[key] for key in ("segments_before", "bytes_before")} | {"dry_run": True})
        self.assertEqual((answer["segments_before"], answer["segments_after"]), (8, 4))
        self.assertLess(answer["bytes_after"], answer["bytes_before"])
        self.assertEqual(self.count(), 4)
        self.assertRegex(self.out("db", "compact", "d"), r"^compacted d: 0 segments \(0 B\) became 0 \(0 B\)\n$")

    def test_flush(self):
        self.assertEqual(self.json("db", "flush", "d"), {"rows": 0})
        self.assertEqual(self.out("db", "flush", "d"), "flushed 0 rows of d\n")

    def test_stats(self):
        answer = self.json("db", "stats", "d")
        table, = answer["tables"]
        self.assertGreater(table.pop("bytes"), 0)
        self.assertEqual(table, {"namespace": "n", "table": "t", "rows": 4, "series": 2, "segments": 4})
        self.assertEqual(list(answer["recovery"]), ["batches", "rows", "cut_bytes", "orphans", "seconds"])
        self.assertIn("0 rows were not in segments yet", self.out("db", "stats", "d"))

    def test_verify(self):
        lines = self.out("db", "verify", "d").splitlines()
        self.assertRegex(lines[0], r"^n\.t: sound; checked \d commits, 4 segments, 4 rows$")
        self.assertEqual(lines[1], "write-ahead log: sound; checked 0 batches in 0 files")  # all is in segments
        answer = self.json("db", "verify", "d")
        self.assertTrue(answer["ok"])
        self.assertEqual((answer["tables"][0]["table"], answer["tables"][0]["rows"], answer["log"]["problems"]), ("t", 4, []))
        self.error("db", "verify", "nowhere", code=3)

    def test_verify_mends_tables(self):
        for sidecar in (self.folder / "d" / "tables" / "n" / "t" / "_coverage").rglob("*.roar"):
            sidecar.unlink()
        out, _ = self.run_cli("db", "verify", "d", code=1)
        self.assertRegex(out, r"(?m)^problem: ")
        self.assertIn("repaired: ", self.out("db", "verify", "d", "--repair"))
        self.assertTrue(self.json("db", "verify", "d")["ok"])

    def crash(self):
        """A writer killed when three batches of two rows were acknowledged; returns the log's file."""
        writer = subprocess.Popen([BIN, "db", "write", "d", "n", "--batch", "2"], cwd=self.folder, env=environment(),
                                  stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lines = "".join(f"t,host=h{i % 2} v=1 {i * DAY}\n" for i in range(4, 10)) + "#" * 100 + "\n"
        writer.stdin.write(lines.encode() + b"# nothing\n" * 100_000)
        writer.stdin.flush()
        writer.kill()
        writer.communicate()
        self.assertEqual(writer.returncode, -signal.SIGKILL)
        return max((self.folder / "d" / "wal").glob("*.wal"))

    def test_what_a_crash_left_is_found_and_told(self):
        self.crash()
        self.assertEqual(self.json("db", "stats", "d")["recovery"]["rows"], 6)
        self.assertEqual(self.count(), 10)
        self.crash()
        self.assertEqual(self.json("db", "flush", "d"), {"rows": 6})

    def test_verify_saves_what_is_whole_of_a_damaged_log(self):
        log = self.crash()
        data = bytearray(log.read_bytes())
        start = int((log.parent / "START").read_text().split()[0])  # what lies before is in segments
        data[max(start - int(log.stem), 64) + 40] ^= 0x20  # in the first of three batches, behind the file's header
        log.write_bytes(data)
        self.assertIn("db verify --repair", self.error("db", "query", "d", "n.t", code=1))
        out, _ = self.run_cli("db", "verify", "d", code=1)
        self.assertIn(f"wal/{log.name}", out)
        self.assertIn("--repair saves what is whole", out)
        out = self.out("db", "verify", "d", "--repair")
        self.assertRegex(out, rf"(?m)^lost: wal/{log.name}: \d+ bytes up to offset \d+ ")
        self.assertRegex(out, rf"(?m)^repaired: wal/{log.name} is now wal/{log.name}\.damaged-\d{{8}}T\d{{6}}Z$")
        self.assertEqual(self.count() % 2, 0)
        self.assertGreaterEqual(self.count(), 4)
        self.assertEqual(len(list((self.folder / "d" / "wal").glob("*.damaged-*"))), 1)
        self.assertTrue(self.json("db", "verify", "d")["ok"])
        self.write_rows("d", range(20, 22))


if __name__ == "__main__":
    main()
