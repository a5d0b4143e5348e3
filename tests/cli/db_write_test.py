"""Without these, `db write` could take other rows than its input has, or leave half of a batch behind."""

import gzip
import json
import signal
import subprocess
import time

from harness import BIN, CliTest, environment, main

LINES = "".join(f"cpu,host=h{i % 3} usage={i}.5,n={i}i {1_700_000_000_000_000_000 + i}\n" for i in range(10))


class Write(CliTest):
    def setUp(self):
        super().setUp()
        self.run_cli("db", "init", "d")

    def rows(self, table="n.cpu", *args):
        return [json.loads(line) for line in self.out("db", "query", "d", table, "--json", *args).splitlines()]

    def test_init(self):
        self.assertEqual(self.out("db", "init", "e"), "made database e\n")
        self.assertIn("there is one", self.error("db", "init", "e", code=4))
        self.assertEqual(self.json("db", "init", "f"), {"database": "f"})
        self.assertIn("db init", self.error("db", "write", "nowhere", "n", stdin=LINES, code=3))
        self.assertFalse((self.folder / "nowhere").exists())

    def test_line_protocol(self):
        out, err = self.run_cli("db", "write", "d", "n", stdin=LINES)
        self.assertRegex(out, r"^wrote 10 rows into n of d, \d+\.\d\d s, [\d,]+ rows/s\n$")
        self.assertEqual(err, "")
        rows = self.rows()
        self.assertEqual([row["n"] for row in rows], list(range(10)))
        self.assertEqual(rows[4], {"time": "2023-11-14T22:13:20.000000004Z", "host": "h1", "n": 4, "usage": 4.5})

    def test_several_files_compressed_too(self):
        lines = LINES.splitlines(keepends=True)
        self.write("a.lp", "".join(lines[:4]))
        self.write("b.lp.gz", gzip.compress("".join(lines[4:]).encode()))
        answer = self.json("db", "write", "d", "n", "a.lp", "b.lp.gz", "--batch", "3")
        self.assertEqual({key: answer[key] for key in ("rows", "batches", "skipped")}, {"rows": 10, "batches": 4, "skipped": 0})
        self.assertEqual(len(self.rows()), 10)

    def test_precision(self):
        for unit, stamp in (("s", "1700000000"), ("ms", "1700000000000"), ("us", "1700000000000000"), ("ns", "1700000000000000000")):
            self.run_cli("db", "write", "d", "n", "--precision", unit, stdin=f"p_{unit} v=1 {stamp}\n")
            self.assertEqual(self.rows(f"n.p_{unit}"), [{"time": "2023-11-14T22:13:20Z", "v": 1.0}])

    def test_lines_without_a_time_get_the_time_now(self):
        before = int(time.time())
        self.run_cli("db", "write", "d", "n", stdin="p v=1\n")
        self.assertEqual(len(self.rows("n.p", "--from", str(before * 10**9))), 1)

    def test_csv(self):
        self.write("rows.csv", "when,host,usage,note\n2024-01-01T00:00:00Z,a,1,\n2024-01-01T00:00:01Z,b,2.5,\"x, y\"\n")
        self.run_cli("db", "write", "d", "n", "rows.csv", "--table", "t", "--time", "when", "--tag", "host")
        self.assertEqual(self.rows("n.t"), [{"time": "2024-01-01T00:00:00Z", "host": "a", "note": None, "usage": 1.0},
                                            {"time": "2024-01-01T00:00:01Z", "host": "b", "note": "x, y", "usage": 2.5}])
        self.write("more.csv", "when,host,usage\n1704067202,a,7\n")
        self.run_cli("db", "write", "d", "n", "more.csv", "--table", "t", "--time", "when", "--tag", "host", "--precision", "s",
                     "--field", "usage:float64")
        self.assertEqual(self.rows("n.t")[-1]["usage"], 7.0)

    def test_json_lines(self):
        self.run_cli("db", "write", "d", "n", "--format", "jsonl",
                     stdin='{"table":"t","tags":{"host":"a"},"time":"2024-01-01T00:00:00Z","fields":{"v":1.5,"up":true}}\n')
        self.assertEqual(self.rows("n.t"), [{"time": "2024-01-01T00:00:00Z", "host": "a", "up": True, "v": 1.5}])

    def test_a_bad_line_stops_with_nothing_of_its_batch(self):
        lines = LINES.splitlines(keepends=True)
        lines[7] = "cpu,host=a usage=\n"
        message = self.error("db", "write", "d", "n", "--batch", "3", stdin="".join(lines), code=1)
        self.assertIn("standard input: line 8, column ", message)
        self.assertIn("6 rows before it were written, and nothing of its batch", message)
        self.assertEqual([row["n"] for row in self.rows()], list(range(6)))

    def test_bad_lines_may_be_left_out(self):
        lines = LINES.splitlines(keepends=True)
        bad = [f"bad line {i}\n" for i in range(12)]
        out, err = self.run_cli("db", "write", "d", "n", "--skip-bad-lines", stdin="".join(lines[:5] + bad + lines[5:]))
        self.assertIn("wrote 10 rows into n of d, left out 12 lines", out)
        self.assertEqual(err.count("\n"), 11)
        self.assertIn("standard input: line 6, column ", err)
        self.assertIn("2 more bad lines", err)
        self.assertEqual(len(self.rows()), 10)
        self.assertEqual(self.json("db", "write", "d", "n", "--skip-bad-lines", stdin="nonsense\n")["skipped"], 1)

    def test_a_batch_that_does_not_fit_is_refused_whole(self):
        self.run_cli("db", "write", "d", "n", stdin="t v=1.5 1\n")
        self.assertIn("0 rows before it were written", self.error("db", "write", "d", "n", stdin="t v=2.5 2\nu v=1 1\nt v=3i 3\n", code=1))
        self.assertEqual(self.error("db", "query", "d", "n.u", code=3).count("\n"), 1)
        self.assertEqual(len(self.rows("n.t")), 1)
        self.run_cli("db", "write", "d", "n", "--widen", stdin="t v=3i 3\n")
        self.assertEqual([row["v"] for row in self.rows("n.t")], [1.5, 3.0])

    def test_duplicates(self):
        twice = "t v=1 5\nt v=2 5\n"
        for policy, values in (("last", [2.0]), ("all", [1.0, 2.0])):
            self.run_cli("db", "write", "d", policy, "--duplicates", policy, stdin=twice)
            self.assertEqual([row["v"] for row in self.rows(f"{policy}.t")], values)
        self.error("db", "write", "d", "reject", "--duplicates", "reject", stdin=twice, code=4)

    def test_batches_of_long_rows_have_fewer(self):
        long = "x" * 1_000_000
        answer = self.json("db", "write", "d", "n", stdin="".join(f't s="{long}" {i}\n' for i in range(40)))
        self.assertEqual((answer["rows"], answer["batches"]), (40, 14))
        self.assertEqual(len(self.rows("n.t")), 40)

    def test_durabilities(self):
        for durability in ("sync", "interval", "none"):
            self.run_cli("db", "write", "d", durability, "--durability", durability, stdin=LINES)
            self.assertEqual(len(self.rows(f"{durability}.cpu")), 10)

    def test_progress_on_a_terminal(self):
        self.write("a.lp", LINES)
        shown = self.on_terminal("db", "write", "d", "n", "a.lp")
        self.assertIn("wrote 10 rows", shown)
        self.assertNotIn("\x1b", self.on_terminal("db", "write", "d", "n", "a.lp", NO_COLOR="1"))

    def test_missing_file(self):
        self.assertIn("nowhere.lp", self.error("db", "write", "d", "n", "nowhere.lp", code=3))

    def begin_to_write(self):
        """A writer whose first batch is acknowledged and which waits for more."""
        writer = subprocess.Popen([BIN, "db", "write", "d", "n", "--batch", "100"], cwd=self.folder, env=environment(),
                                  stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        writer.stdin.write(LINES.encode() * 1000)  # more than the pipe holds: what was taken over was written
        writer.stdin.flush()
        return writer

    def test_a_second_writer_is_told_who_owns_it(self):
        writer = self.begin_to_write()
        message = self.error("db", "write", "d", "n", stdin=LINES, code=4)
        self.assertIn(f"process {writer.pid} on ", message)
        self.assertEqual(self.json_error("db", "delete", "d", "n.cpu", "--from", "0", code=4)["code"], "conflict")
        out, err = self.run_cli("db", "tables", "d")
        self.assertIn("not ours", err)
        writer.communicate()
        self.assertEqual(writer.returncode, 0)
        self.assertEqual(len(self.rows()), 10)

    def test_an_interrupted_writer_leaves_whole_batches(self):
        writer = self.begin_to_write()
        writer.send_signal(signal.SIGINT)
        self.assertIn(b"interrupted", writer.communicate()[1])
        self.assertEqual(writer.returncode, 130)
        self.assertEqual(len(self.rows()), 10)

    def test_what_a_killed_writer_had_acknowledged_is_there(self):
        writer = self.begin_to_write()
        writer.kill()
        writer.communicate()
        self.assertEqual(len(self.rows()), 10)
        self.assertTrue(self.json("db", "verify", "d")["ok"])


if __name__ == "__main__":
    main()
