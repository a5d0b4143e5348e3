"""Without these, pipes, full disks and output files could end in noise, half a file, or a wrong exit code."""

import os
import subprocess
import unittest

from harness import BIN, CliTest, environment, main


class Output(CliTest):
    def setUp(self):
        super().setUp()
        self.write("many.csv", "time,v\n" + "".join(f"{i},{i}\n" for i in range(200_000)))
        self.run_cli("import", "many", "many.csv", "--create", "--time", "time", "--time-format", "epoch_s", "--bucket", "1s")

    def pipe_to_head(self, *args):
        process = subprocess.Popen([BIN, *args], cwd=self.folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        first = process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        self.assertEqual((process.wait(60), err), (0, b""), args)
        return first

    def test_a_reader_that_goes_away_is_no_failure(self):
        for output_format in ("csv", "json", "table"):
            self.assertIn(b"time", self.pipe_to_head("scan", "many", "--format", output_format, "--limit", "150000"))
        for output_format in ("arrow", "parquet"):
            self.pipe_to_head("scan", "many", "--format", output_format)
        self.pipe_to_head("--help")
        self.pipe_to_head("completion", "bash")
        self.pipe_to_head("show", "many", "--json")

    def test_shell_pipeline(self):
        done = subprocess.run(["bash", "-c", "set -o pipefail; \"$0\" scan many --format csv | head -n 1", BIN], cwd=self.folder,
                              env=environment(), capture_output=True, check=True)
        self.assertEqual((done.stdout, done.stderr), (b"time,v\n", b""))

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full")
    def test_full_output_is_a_failure(self):
        for args in (["scan", "many", "--format", "csv"], ["show", "many"], ["scan", "many", "--format", "parquet"],
                     ["completion", "zsh"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([BIN, *args], cwd=self.folder, env=environment(), stdout=full, stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 1, args)
            self.assertIn(b"No space left on device", done.stderr)
        self.assertIn("No space left", self.error("scan", "many", "-o", "/dev/full", "--format", "csv", code=1))

    def test_closed_output_is_a_failure(self):
        done = subprocess.run(["bash", "-c", "\"$0\" show many >&-", BIN], cwd=self.folder, env=environment(), capture_output=True, check=False)
        self.assertEqual(done.returncode, 1)

    def test_file(self):
        out, err = self.run_cli("scan", "many", "-o", "rows.csv", "--columns", "v")
        self.assertEqual((out, err), ("", "wrote 200,000 rows to rows.csv\n"))
        self.assertEqual((self.folder / "rows.csv").read_text().splitlines(), ["v"] + [str(i) for i in range(200_000)])
        self.assertEqual((self.folder / "rows.csv").read_text(), self.out("scan", "many", "--format", "csv", "--columns", "v"))

    def test_format_by_name(self):
        starts = {"a.csv": b"v\n", "a.json": b'{"v":', "a.jsonl": b'{"v":', "a.arrow": b"\xff\xff\xff\xff", "a.parquet": b"PAR1", "a.txt": b"v\n0\n"}
        for name, start in starts.items():
            self.run_cli("scan", "many", "-o", name, "--columns", "v", "--limit", "10")
            self.assertTrue((self.folder / name).read_bytes().startswith(start), name)
        self.run_cli("scan", "many", "-o", "b.txt", "--format", "parquet", "--limit", "10")
        self.assertTrue((self.folder / "b.txt").read_bytes().startswith(b"PAR1"))

    def test_a_failed_scan_leaves_the_old_file(self):
        self.write("rows.csv", "old")
        segment = self.json("segments", "many")["segments"][0]["path"]
        path = self.folder / "many" / segment
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.chmod(0o644)
        path.write_bytes(content)
        before = self.files()
        self.assertIn(segment, self.error("scan", "many", "-o", "rows.csv", code=1))
        self.assertEqual((self.folder / "rows.csv").read_text(), "old")
        self.assertEqual(self.files(), before)

    def test_places_that_cannot_be_written(self):
        self.error("scan", "many", "-o", "nowhere/rows.csv", code=3)
        self.error("scan", "many", "-o", "many", "--format", "csv", code=1)

    def test_standard_output_by_name(self):
        out, _ = self.run_cli("scan", "many", "-o", "/dev/stdout", "--format", "csv", "--limit", "2")
        self.assertEqual(out, "time,v\n1970-01-01T00:00:00Z,0\n1970-01-01T00:00:01Z,1\n")


if __name__ == "__main__":
    main()
