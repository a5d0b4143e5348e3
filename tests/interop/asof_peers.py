"""As-of joins of the command line, and those of pandas and polars."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

DIRECTIONS = ("backward", "forward", "nearest")


def arrow(frame):
    return pa.Table.from_pandas(frame, preserve_index=False)


def rows_of_pandas(rows, probes, by, direction, strict, tolerance):
    """Number of the row that pandas joins to each probe, -1 for none. `rows` in the order in which they came; `tolerance`: microseconds.

    Its ties are ours: backward takes the last row of a time, forward the first, and nearest is backward where both are as far.
    """
    limit = {} if tolerance is None else {"tolerance": pd.Timedelta(tolerance, unit="us")}
    joined = pd.merge_asof(in_order(probes, by, "probe"), in_order(rows, by, "row"), on="time", by=by, direction=direction,
                           allow_exact_matches=not strict, **limit)
    return numbers_by_probe(joined["probe"], joined["row"])


def rows_of_peers(rows, probes, by, direction, strict, tolerance):
    """Those of pandas, with which polars must agree: but for nearest, where it may take another of the rows that are as near."""
    numbers = rows_of_pandas(rows, probes, by, direction, strict, tolerance)
    other = rows_of_polars(rows, probes, by, direction, strict, tolerance)
    if direction == "nearest":
        times, at = rows["time"].to_numpy(), probes["time"].to_numpy()
        of_pandas, of_polars = (np.where(found < 0, np.timedelta64(-1, "ns"), abs(times[found] - at)) for found in (numbers, other))
        agree = (of_pandas == of_polars).all()
    else:
        agree = (numbers == other).all()
    if not agree:
        raise AssertionError(f"pandas and polars differ: {direction}, {strict=}, {tolerance=}")
    return numbers


def rows_of_polars(rows, probes, by, direction, strict, tolerance):
    """The same of polars."""
    limit = {} if tolerance is None else {"tolerance": f"{tolerance}us"}
    joined = pl.from_pandas(in_order(probes, by, "probe")).join_asof(
        pl.from_pandas(in_order(rows, by, "row")), on="time", by=by, strategy=direction, allow_exact_matches=not strict,
        check_sortedness=False, **limit)
    return numbers_by_probe(joined["probe"].to_pandas(), joined["row"].to_pandas())


def in_order(frame, by, number):
    """By time, and rows of one time as they came."""
    keys = frame[["time", by]].astype({"time": "datetime64[ns]"})
    return keys.assign(**{number: np.arange(len(frame))}).sort_values("time", kind="stable", ignore_index=True)


def numbers_by_probe(probes, rows):
    numbers = np.empty(len(probes), np.int64)
    numbers[probes.to_numpy()] = rows.fillna(-1).to_numpy(np.int64)
    return numbers


def cells(rows, numbers):
    """The rows of a table of these numbers, null for -1; and their times."""
    taken = rows.take(pa.array(numbers, pa.int64(), mask=numbers < 0))
    return taken.append_column("matched_time", taken["time"])


class AsofCase(unittest.TestCase):
    """A folder of tables that the tests of a class share."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="marigram-asof-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)

    @classmethod
    def run_cli(cls, *args):
        done = subprocess.run([os.environ["MARIGRAM_BIN"], *map(str, args)], cwd=cls.folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{args}: {done.stderr}")

    @classmethod
    def save(cls, rows, name):
        pq.write_table(rows if isinstance(rows, pa.Table) else arrow(rows), cls.folder / name)
        return name

    @classmethod
    def make_table(cls, name, parts, tag="symbol", segments="native", compression="auto"):
        """A tick table of rows that came in these parts."""
        options = ["--compression", compression] if segments == "native" else []
        cls.run_cli("create", name, "--time", "time", "--unit", "us", "--tag", tag, "--bucket", "1s", "--duplicates", "all",
                    "--segments", segments, *options)
        for part in parts:
            cls.run_cli("import", name, cls.save(part, "part.parquet"))

    def joined(self, table, probes, *options):
        """`probes`: the name of a file."""
        self.run_cli("asof", table, "--probes", probes, "--format", "arrow", "-o", "joined.arrow", *options)
        joined = pa.ipc.open_stream(self.folder / "joined.arrow").read_all()
        (self.folder / "joined.arrow").unlink()
        return joined

    def assert_same(self, got, want, columns, what):
        """Every cell of these columns; returns how many there were."""
        self.assertEqual(got.num_rows, want.num_rows, what)
        for name in columns:
            column = want[name].cast(got[name].type)
            if not got[name].combine_chunks().equals(column.combine_chunks()):
                pairs = zip(got[name].to_pylist(), column.to_pylist())
                wrong = [(row, *pair) for row, pair in enumerate(pairs) if pair[0] != pair[1]]
                self.fail(f"{name}: {len(wrong)} of {len(column)} cells differ, the first as {wrong[:3]}: {what}")
        return got.num_rows * len(columns)


def cli_options(direction, strict, tolerance):
    return ["--direction", direction] + ["--strict"] * strict + ([] if tolerance is None else ["--tolerance", f"{tolerance}us"])
