"""What all measurements share: the options, the folder for data, the bounds, and processes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from report import duration

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PACKAGES = ROOT / "deps" / ".cache" / "bench"


class Runner:
    def __init__(self, options, bounds):
        self.options, self.bounds = options, bounds
        self.data = Path(options.data)

    @staticmethod
    def run(command, stdin=None, ends=0):
        """What the process prints last, as JSON. `stdin`: a function that writes to it, or None; `ends`: with which code."""
        environment = dict(os.environ, PYTHONPATH=str(PACKAGES), PYTHONDONTWRITEBYTECODE="1")
        with subprocess.Popen(command, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL, stdout=subprocess.PIPE,
                              env=environment) as process:
            if stdin:
                with process.stdin as pipe:
                    stdin(pipe)
            out = process.stdout.read()
        if process.returncode != ends:
            sys.exit(f"bench: exit code {process.returncode} from {' '.join(map(str, command))[:500]}")
        return json.loads(out.splitlines()[-1])

    def copied(self, size):
        """The bound of what can do no better than copy so many bytes once."""
        return f"{duration(size / self.bounds.copy)}: {size / 1e6:,.2f} MB copied"

    def scaled(self, count, least, multiple=1):
        return max(least, round(count * self.options.scale)) // multiple * multiple


def remove(path):
    path = Path(path)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
