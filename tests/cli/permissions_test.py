"""Without these, a refusal by the operating system could look like damage, or leave something half done."""

import os
import subprocess
import unittest

from harness import BIN, STATIONS_CREATE, STATIONS_CSV, CliTest, environment, main

NOBODY = 65534


def can_run_as_nobody():
    """The superuser may do anything, so it hands the program to an ordinary user, if that one may run it."""
    if os.geteuid() != 0:
        return True
    try:
        return subprocess.run([BIN, "--version"], user=NOBODY, group=NOBODY, capture_output=True, check=False).returncode == 0
    except PermissionError:
        return False


@unittest.skipUnless(can_run_as_nobody(), "no ordinary user may run the program here")
class Permissions(CliTest):
    def setUp(self):
        super().setUp()
        self.import_stations()
        self.write("more.csv", STATIONS_CSV.replace("2024-01-01", "2024-01-02"))
        self.run_cli("scan", "stations", "-o", "rows.parquet")

    def refused(self, *args):
        """Runs as an ordinary user; returns the message of exit code 5."""
        as_user = {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}
        done = subprocess.run([BIN, *args], cwd=self.folder, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, **as_user)
        self.assertEqual((done.returncode, done.stdout), (5, ""), f"{args}: {done.stderr}")
        self.assertTrue(done.stderr.startswith("marigram: "), done.stderr)
        return done.stderr

    def lock(self, mode_of_files, mode_of_folders):
        for path in [*self.folder.rglob("*"), self.folder]:
            path.chmod(mode_of_folders if path.is_dir() else mode_of_files)

    def test_a_table_that_may_only_be_read(self):
        self.lock(0o444, 0o555)
        before = self.files()
        for args in (["import", "stations", "more.csv"], ["import", "new", "more.csv", *STATIONS_CREATE], ["append", "stations", "rows.parquet"],
                     ["create", "new", "--time", "time"], ["remove", "stations", self.json("segments", "stations")["segments"][0]["id"]],
                     ["add-column", "stations", "wind:float64"], ["checkpoint", "stations"], ["scan", "stations", "-o", "out.csv"]):
            with self.subTest(args=args):
                self.refused(*args)
        self.assertEqual(self.files(), before)
        self.assertTrue(self.json("verify", "stations")["ok"])

    def test_files_that_may_not_be_read(self):
        self.lock(0o444, 0o555)
        (self.folder / "more.csv").chmod(0)
        self.assertIn("more.csv", self.refused("import", "stations", "more.csv"))
        (self.folder / "stations").chmod(0)
        self.refused("show", "stations")
        self.refused("scan", "stations")


if __name__ == "__main__":
    main()
