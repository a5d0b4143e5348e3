"""Without these, Ctrl-C or a kill could leave half an import behind, or a shell without its 130."""

import os
import signal
import subprocess
import threading
import time

from harness import BIN, DEADLINE_S, STATIONS_CREATE, STATIONS_CSV, CliTest, environment, main


class Interrupt(CliTest):
    def start(self, *args, **options):
        process = subprocess.Popen([BIN, *args], cwd=self.folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   preexec_fn=self.heed_signals, **options)
        self.addCleanup(self.close_pipes, process)
        return process

    @staticmethod
    def heed_signals():
        """A test runner in the background ignores Ctrl-C, and so would its children."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    @staticmethod
    def close_pipes(process):
        process.kill()
        process.wait(DEADLINE_S)
        for pipe in (process.stdin, process.stdout, process.stderr):
            try:
                if pipe:
                    pipe.close()
            except BrokenPipeError:
                pass

    def start_import(self, *args):
        """An import that reads an endless pipe, once it has begun to take rows."""
        process = self.start("import", *args, stdin=subprocess.PIPE)

        def feed():
            try:
                process.stdin.write(b"time,station,temp,count,remark\n")
                for i in range(10**9):
                    process.stdin.write(b"%d,A,1,1,some text that makes the line longer\n" % (1_800_000_000 + i))
            except (BrokenPipeError, ValueError):
                pass

        threading.Thread(target=feed, daemon=True).start()
        # More than the pipe and the sample hold was taken: the import itself is reading.
        deadline = time.monotonic() + DEADLINE_S
        while self.bytes_read(process) < 40_000_000 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        return process

    @staticmethod
    def bytes_read(process):
        try:
            with open(f"/proc/{process.pid}/io", encoding="ascii") as file:
                return int(file.readline().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            return 0

    def test_import_leaves_the_table_as_it_was(self):
        self.import_stations()
        before = self.files()
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            process = self.start_import("stations", "-", "--time-format", "epoch_s")
            process.send_signal(number)
            self.assertEqual(process.wait(DEADLINE_S), code)
            self.assertEqual((process.stdout.read(), process.stderr.read()), (b"", b"marigram: interrupted\n"))
            self.assertEqual(self.files(), before)
        self.assertEqual(self.json("verify", "stations")["problems"], [])

    def test_import_leaves_no_table_that_it_made(self):
        process = self.start_import("stations", "-", *STATIONS_CREATE, "--time-format", "epoch_s")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(DEADLINE_S), 130)
        self.assertFalse((self.folder / "stations").exists())

    def test_import_that_waits_for_a_pipe_stops_at_once(self):
        process = self.start("import", "stations", "-", *STATIONS_CREATE, stdin=subprocess.PIPE)
        process.stdin.write(STATIONS_CSV.encode())
        process.stdin.flush()
        # Threads mean that the program proper has begun; then it sleeps for more input.
        while "State:\tS" not in self.status(process) or self.bytes_read(process) < len(STATIONS_CSV):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(DEADLINE_S), 130)

    @staticmethod
    def status(process):
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            return file.read()

    def test_killed_import_leaves_a_whole_table(self):
        self.import_stations()
        process = self.start_import("stations", "-", "--time-format", "epoch_s")
        process.kill()
        process.wait(DEADLINE_S)
        self.assertEqual(self.json("show", "stations")["rows"], 8)
        self.assertTrue(self.json("verify", "stations")["ok"])
        self.write("more.csv", "time,station\n2024-01-02,A\n")
        self.run_cli("import", "stations", "more.csv")
        self.run_cli("vacuum", "stations", "--older-than", "0s")
        self.assertTrue(self.json("verify", "stations")["ok"])
        self.assertEqual(len(self.rows("stations")), 9)

    def test_killed_import_that_made_its_table_may_be_repeated(self):
        process = self.start_import("stations", "-", *STATIONS_CREATE, "--time-format", "epoch_s")
        process.kill()
        process.wait(DEADLINE_S)
        self.import_stations()
        self.assertEqual(len(self.rows("stations")), 8)

    def test_scan(self):
        self.write("many.csv", "time,v\n" + "".join(f"{i},{i}\n" for i in range(300_000)))
        self.run_cli("import", "many", "many.csv", "--create", "--time", "time", "--time-format", "epoch_s", "--bucket", "1s")
        os.mkfifo(self.folder / "pipe")
        process = self.start("scan", "many", "--format", "csv", "-o", "pipe")
        with open(self.folder / "pipe", "rb") as pipe:
            self.assertEqual(pipe.readline(), b"time,v\n")
            process.send_signal(signal.SIGINT)
            while pipe.read(65536):
                pass
        self.assertEqual(process.wait(DEADLINE_S), 130)
        self.assertEqual(process.stderr.read(), b"marigram: interrupted\n")

    def test_scan_to_a_file_leaves_none(self):
        self.write("many.csv", "time,v\n" + "".join(f"{i},{i}\n" for i in range(300_000)))
        self.run_cli("import", "many", "many.csv", "--create", "--time", "time", "--time-format", "epoch_s", "--bucket", "1s")
        before = self.files()
        process = self.start("scan", "many", "-o", "rows.csv")
        while not set(self.files()) - set(before) and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        code = process.wait(DEADLINE_S)
        self.assertIn(code, (0, 130))  # it may have been quicker
        self.assertEqual(set(self.files()) - set(before), {"rows.csv"} if code == 0 else set())


if __name__ == "__main__":
    main()
