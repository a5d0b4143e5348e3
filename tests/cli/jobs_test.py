"""Background jobs on the command line. Without this nobody would see that a job fails, and what an operator has paused would go on
after a restart. Times are those of the machine's clock, so rows are written around it."""

import datetime
import json

from harness import CliTest, main

DAY = datetime.timedelta(days=1)
KINDS = ["refresh", "expire", "tier", "compact", "vacuum"]


class JobsTest(CliTest):
    def setUp(self):
        super().setUp()
        self.run_cli("db", "init", "d")
        self.now = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0)

    def write_rows(self, hours):
        lines = []
        for hour in hours:
            time = int((self.now - hour * DAY / 24).timestamp()) * 1_000_000_000
            lines.append(f"cpu,host=a v={hour} {time}\n")
        self.run_cli("db", "write", "d", "n", stdin="".join(lines))

    def jobs(self, *options, **run):
        return self.json("db", "jobs", "d", *options, **run)["jobs"]

    def job(self, kind, table="cpu"):
        job, = [job for job in self.jobs() if (job["kind"], job["table"]) == (kind, table)]
        return job

    def test_what_there_is_to_do_is_done_and_told(self):
        self.write_rows(range(24 * 10))
        self.run_cli("db", "rollup", "d", "n.cpu", "--set", "1h,1d")
        self.run_cli("db", "retention", "d", "n.cpu", "--keep", "rows=20d")
        self.write_rows(range(24 * 10, 24 * 40))
        listed = self.jobs()
        self.assertEqual([(job["namespace"], job["table"], job["kind"]) for job in listed],
                         [("", "", "vacuum")] + [("n", "cpu", kind) for kind in KINDS])
        self.assertEqual({job["state"] for job in listed}, {"waiting"})
        self.assertEqual({job["next"] for job in listed}, {None}, "nobody has it open")
        done, = self.jobs("--run", "refresh")
        self.assertEqual((done["kind"], done["table"], done["runs"], done["failures"]), ("refresh", "cpu", 1, 0))
        self.assertRegex(done["result"], r"^[\d,]+ rows of rollups in \d+ commits?$")
        self.assertEqual(self.out("db", "jobs", "d", "--run", "refresh"), "nothing to do\n")
        out = self.out("db", "jobs", "d", "--run")
        self.assertRegex(out, r"expire +n\.cpu +waiting +\S+Z +[\d,]+ rows and \d+ of rollups expired +0")
        rows = [json.loads(line) for line in self.out("db", "query", "d", "n.cpu", "--json").splitlines()]
        self.assertLessEqual(len(rows), 20 * 24 + 25)
        self.assertGreaterEqual(len(rows), 20 * 24)
        # What was done is there later.
        self.assertEqual(self.job("refresh")["result"], done["result"])
        self.assertEqual(self.job("refresh")["ended"], done["ended"])
        self.assertEqual(self.job("expire")["runs"], 1)
        self.assertIn(done["result"], self.out("db", "jobs", "d"))

    def test_pause_lasts(self):
        self.write_rows(range(3))
        out = self.out("db", "jobs", "d", "--pause", "compact")
        self.assertRegex(out, r"compact +n\.cpu +paused")
        self.assertRegex(out, r"refresh +n\.cpu +waiting")
        self.assertEqual(self.job("compact")["state"], "paused")
        self.write_rows(range(3, 6))
        self.assertEqual(self.job("compact")["state"], "paused")
        self.run_cli("db", "jobs", "d", "--pause", "all")
        self.assertEqual({job["state"] for job in self.jobs()}, {"paused"})
        self.run_cli("db", "jobs", "d", "--resume", "vacuum")
        self.assertEqual(sorted({job["kind"] for job in self.jobs() if job["state"] == "waiting"}), ["vacuum"])
        self.run_cli("db", "jobs", "d", "--resume", "all")
        self.assertEqual({job["state"] for job in self.jobs()}, {"waiting"})

    def test_a_job_that_fails_tells_why(self):
        self.write_rows(range(24))
        self.run_cli("db", "rollup", "d", "n.cpu", "--set", "1h")
        self.write_rows(range(24, 48))
        for path in (self.folder / "d" / "tables" / "n" / "cpu" / "data").rglob("*"):
            if path.is_file():
                path.chmod(0o644)
                path.write_bytes(b"x" * path.stat().st_size)
        out, _ = self.run_cli("db", "jobs", "d", "--run", "refresh", code=1)
        self.assertRegex(out, r"refresh +n\.cpu +waiting +\S+Z +1 +.*data/")
        failed = self.job("refresh")
        self.assertEqual((failed["failures"], failed["runs"]), (1, 0))
        self.assertIn("data/", failed["last_error"])
        self.assertIsNotNone(failed["failed"])
        self.jobs("--run", "refresh", code=1)
        self.assertEqual(self.job("refresh")["failures"], 2)

    def test_a_damaged_file_is_forgotten(self):
        self.write_rows(range(3))
        self.run_cli("db", "jobs", "d", "--pause", "all")
        for text in ("", "{", '{"format":1,"paused":7,"jobs":[]}'):
            (self.folder / "d" / "jobs.json").write_text(text)
            self.assertEqual({job["state"] for job in self.jobs()}, {"waiting"})
        self.run_cli("db", "jobs", "d", "--run")

    def test_what_makes_no_sense(self):
        self.assertIn("refresh", self.error("db", "jobs", "d", "--pause", "sleep", code=2))
        self.error("db", "jobs", "d", "--run", "sleep", code=2)
        self.assertIn("db init", self.error("db", "jobs", "nowhere", code=3))
        self.error("db", "jobs", "nowhere", "--run", code=3)


if __name__ == "__main__":
    main()
