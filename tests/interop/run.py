#!/usr/bin/env python3
"""Runs one file of interoperation tests against one version of the reference's Python package, or against peers.

usage: run.py <version or peers> <tests> [unittest options]      for instance  run.py 0.9.0 same_bytes_test -k append

The packages lie where deps/interop puts them. Without them (a clone that has never been online, or another Python)
nothing can be compared: the exit code is then 77, which ctest shows as skipped; in continuous integration (CI=true) it is
a failure. It is 77 too where every test was skipped because its data is not there. The command line that is tested is
$MARIGRAM_BIN, the library $MARIGRAM_LIBRARY, else those of the release build.
"""

import importlib
import os
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SKIPPED = 77


def without_packages(packages, cause):
    ci = os.environ.get("CI") == "true"
    print(f"{'failed' if ci else 'skipped'}: {packages} {cause}; run deps/interop", flush=True)
    sys.exit(1 if ci else SKIPPED)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__.strip())
    version, tests = sys.argv[1:3]
    packages = ROOT / "deps" / ".cache" / f"interop-{version}"
    if not (packages / ".stamp").exists():
        without_packages(packages.name, "is not there")
    os.environ.setdefault("MARIGRAM_BIN", str(ROOT / "build" / "release" / "bin" / "marigram"))
    os.environ.setdefault("MARIGRAM_LIBRARY", str(ROOT / "build" / "release" / "lib" / "libmarigram.so"))
    os.environ["PYTHONPATH"] = os.pathsep.join((str(packages), str(HERE)))  # of the processes that tests start
    sys.path[:0] = [str(packages), str(HERE)]
    sys.dont_write_bytecode = True
    try:
        importlib.import_module("pandas" if version == "peers" else "timeseries_table_format")
    except ImportError as error:
        without_packages(packages.name, f"cannot be loaded by {sys.executable} ({error})")
    done = unittest.main(module=importlib.import_module(tests), argv=[tests, "-v", *sys.argv[3:]], exit=False)
    if 0 < done.test.countTestCases() == len(done.result.skipped):
        sys.exit(SKIPPED)
    sys.exit(not done.result.wasSuccessful())


if __name__ == "__main__":
    main()
