"""Drives the binary named by MARIGRAM_BIN. Each test has a folder of its own, which is the working directory."""

import csv
import io
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = os.environ.get("MARIGRAM_BIN", str(ROOT / "build" / "release" / "bin" / "marigram"))
DEADLINE_S = 120

COMMANDS = ["create", "import", "append", "scan", "asof", "window-join", "latest", "aggregate", "export", "coverage", "gaps", "window",
            "show", "log", "diff", "tag", "revert", "segments", "delete", "truncate", "remove",
            "add-column", "verify", "checkpoint", "compact", "rollup", "retention", "tier", "vacuum", "clone", "db init", "db tables", "db write", "db query", "db explain", "db series",
            "db tags", "db delete", "db truncate", "db diff", "db tag", "db revert", "db flush", "db compact", "db rollup", "db retention", "db tier", "db drop", "db undrop", "db rename", "db vacuum", "db jobs", "db backup", "db verify-backup", "db restore", "db clone", "db stats", "db verify",
            "completion"]
WORDS = list(dict.fromkeys(command.split()[0] for command in COMMANDS))  # that may come first

# Three series over six hours; B lacks 02:00 and 03:00, C stands alone in the last hour. One string field, one int.
STATIONS_CSV = """time,station,temp,count,remark
2024-01-01T00:00:00Z,A,1.5,1,
2024-01-01T01:00:00Z,A,2.5,2,dry
2024-01-01T02:00:00Z,A,,3,"wet, cold"
2024-01-01T03:00:00Z,A,4.5,4,NA
2024-01-01T00:00:00Z,B,10,5,x
2024-01-01T01:00:00Z,B,11,6,y
2024-01-01T04:00:00Z,B,14,7,z
2024-01-01T05:00:00Z,C,-0.25,8,last
"""
STATIONS_CREATE = ["--create", "--time", "time", "--tag", "station", "--bucket", "1h"]


def environment(**changes):
    """The environment with a fixed locale and without what would change colours; None removes a variable."""
    env = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "LC_CTYPE", "LANG")}
    env.update({"LC_ALL": "C.UTF-8", "TERM": "xterm"})
    env.update({key: value for key, value in changes.items() if value is not None})
    for key, value in changes.items():
        if value is None:
            env.pop(key, None)
    return env


class CliTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="marigram-cli-"))
        self.addCleanup(self.remove_folder)

    def remove_folder(self):
        for path in [self.folder, *self.folder.rglob("*")]:
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
        shutil.rmtree(self.folder)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    def run_cli(self, *args, code=0, stdin=b"", env=None):
        """Runs to the end and checks the exit code; returns (stdout, stderr) as text."""
        done = subprocess.run([BIN, *map(str, args)], cwd=self.folder, env=env or environment(), timeout=DEADLINE_S,
                              input=stdin if isinstance(stdin, bytes) else stdin.encode(), capture_output=True)
        out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        self.assertEqual(done.returncode, code, f"{args}\nstdout: {out}\nstderr: {err}")
        return out, err

    def out(self, *args, **options):
        return self.run_cli(*args, **options)[0]

    def error(self, *args, code, **options):
        """The message of a run that must fail without output."""
        out, err = self.run_cli(*args, code=code, **options)
        self.assertEqual(out, "")
        self.assertTrue(err.startswith("marigram: "), err)
        return err

    def json(self, *args, **options):
        return json.loads(self.out(*args, "--json", **options))

    def json_error(self, *args, code, **options):
        out, err = self.run_cli(*args, "--json", code=code, **options)
        self.assertEqual(out, "")
        return json.loads(err)["error"]

    def rows(self, table, *args):
        """The rows of a scan as dictionaries."""
        return [json.loads(line) for line in self.out("scan", table, "--format", "json", *args).splitlines()]

    def csv_rows(self, table, *args):
        return list(csv.reader(io.StringIO(self.out("scan", table, "--format", "csv", *args))))

    def import_stations(self, table="stations"):
        self.write("stations.csv", STATIONS_CSV)
        self.run_cli("import", table, "stations.csv", *STATIONS_CREATE)
        return table

    def files(self):
        """Every file below the folder, relative."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())

    def on_terminal(self, *args, columns=80, stdin=subprocess.DEVNULL, code=0, **changes):
        """Runs with standard output and error on a terminal; returns all that it showed."""
        return run_on_terminal([BIN, *map(str, args)], self, columns, stdin, code, environment(**changes))


def run_on_terminal(command, test, columns, stdin, code, env):
    leader, follower = pty.openpty()
    import fcntl
    import struct
    import termios
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(command, cwd=test.folder, env=env, stdin=stdin, stdout=follower, stderr=follower)
    os.close(follower)
    shown = b""
    while select.select([leader], [], [], DEADLINE_S)[0]:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        shown += part
    os.close(leader)
    test.assertEqual(process.wait(DEADLINE_S), code, shown)
    return shown.decode().replace("\r\n", "\n")


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=2)
