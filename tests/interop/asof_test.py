"""As-of joins beside pandas.merge_asof and polars join_asof, on random rows and on real trades and quotes. Without these our model
and our join could share a misunderstanding."""

import os
import random
import subprocess
import tempfile
import unittest
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

TICKS = Path(__file__).resolve().parents[3] / "shared" / "data" / "ticks"


def differences(left, right):
    """How many cells are not the same; null is null."""
    left, right = np.asarray(left), np.asarray(right)
    return int((~((left == right) | (pd.isna(left) & pd.isna(right)))).sum())


class Asof(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="marigram-asof-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_cli(self, *args):
        done = subprocess.run([os.environ["MARIGRAM_BIN"], *map(str, args)], cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def save(self, frame, name):
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), self.folder / name)
        return name

    def make_table(self, name, parts, segments):
        """A tick table of rows that came in these parts."""
        self.run_cli("create", name, "--time", "time", "--unit", "us", "--tag", "symbol", "--bucket", "1s", "--duplicates", "all", "--segments", segments)
        for part in parts:
            self.run_cli("import", name, self.save(part, "part.parquet"))

    def joined(self, table, probes, *options):
        self.run_cli("asof", table, "--probes", self.save(probes, "probes.parquet"), "-o", "joined.parquet", *options)
        (self.folder / "joined.parquet").replace(self.folder / "read.parquet")
        return pq.read_table(self.folder / "read.parquet").to_pandas()

    def compare(self, table, rows, probes, columns, direction, strict, tolerance):
        """`rows` in the order in which they came. Returns how many cells were compared with pandas."""
        options = ["--direction", direction] + ["--strict"] * strict + (["--tolerance", f"{tolerance}us"] if tolerance is not None else [])
        got = self.joined(table, probes, *options)
        rows = rows.sort_values("time", kind="stable")
        rows["matched_time"] = rows["time"]
        ordered = probes.reset_index().sort_values("time", kind="stable")
        limit = {} if tolerance is None else {"tolerance": pd.Timedelta(tolerance, unit="us")}
        want = pd.merge_asof(ordered, rows, on="time", by="symbol", direction=direction, allow_exact_matches=not strict, **limit)
        want = want.set_index("index").sort_index()
        for column in [*columns, "matched_time"]:
            self.assertEqual(differences(got[column], want[column]), 0, (column, "pandas", *options))
        if direction != "nearest":  # of two rows as far away polars takes another
            limit = {} if tolerance is None else {"tolerance": f"{tolerance}us"}
            other = pl.from_pandas(ordered).join_asof(pl.from_pandas(rows), on="time", by="symbol", strategy=direction,
                                                      allow_exact_matches=not strict, check_sortedness=False, **limit).sort("index").to_pandas()
            for column in [*columns, "matched_time"]:
                self.assertEqual(differences(got[column], other[column]), 0, (column, "polars", *options))
        return len(probes) * (len(columns) + 1)

    def test_random_rows(self):
        compared = 0
        for seed in range(1, 25):
            choose = random.Random(seed)
            numbers = np.random.default_rng(seed)
            span_us = choose.choice([50, 10_000, 5 * 86_400_000_000])
            base = choose.choice([0, -3 * 86_400_000_000, 1_700_000_000_000_000])

            def frame(count, symbols):
                times = base + numbers.integers(0, span_us, count)
                return pd.DataFrame({"time": times.astype("datetime64[us]"), "symbol": numbers.choice(list(symbols), count)})

            parts = []
            for _ in range(choose.randint(1, 4)):
                part = frame(choose.randint(1, 300), "abcd")
                part["value"] = np.where(numbers.random(len(part)) < 0.2, np.nan, numbers.random(len(part)))
                parts.append(part)
            table = f"t{seed}"
            self.make_table(table, parts, choose.choice(["parquet", "native"]))
            if seed % 2 == 0:
                self.run_cli("compact", table, "--segments", choose.choice(["parquet", "native"]))
            probes = frame(500, "abcdx")
            probes["size"] = numbers.integers(0, 100, len(probes))
            for direction in ("backward", "forward", "nearest"):
                tolerance = choose.choice([None, span_us // 100, 0])
                compared += self.compare(table, pd.concat(parts, ignore_index=True), probes, ["value"], direction, choose.random() < 0.4, tolerance)
        self.assertGreaterEqual(compared, 50_000)

    @unittest.skipUnless(TICKS.is_dir(), "the real ticks are not there")
    def test_real_trades_and_quotes(self):
        days = [("ibm", "20131007"), ("bac", "20131007"), ("ibm", "20131008")]
        quotes = pd.concat([ticks(symbol, day, "quote") for symbol, day in days], ignore_index=True)
        trades = pd.concat([ticks(symbol, day, "trade") for symbol, day in [*days, ("spy", "20131007")]], ignore_index=True)
        trades = trades.sample(frac=1, random_state=1).reset_index(drop=True)
        self.make_table("quotes", [quotes], "native")
        for direction, strict, tolerance in (("backward", False, None), ("backward", True, 5_000_000), ("forward", False, 20_000), ("nearest", False, None)):
            self.compare("quotes", quotes, trades, ["bid", "ask"], direction, strict, tolerance)
        got = self.joined("quotes", trades, "--last-non-null", "bid,ask")  # a quote names one side only
        for column in ("bid", "ask"):
            side = quotes[quotes[column].notna()][["time", "symbol", column]].sort_values("time", kind="stable")
            want = pd.merge_asof(trades.reset_index().sort_values("time", kind="stable"), side, on="time", by="symbol")
            self.assertEqual(differences(got[column], want.set_index("index").sort_index()[column]), 0, column)


def ticks(symbol, day, kind):
    """LEAN's: milliseconds of the day in New York; prices in hundredths of a cent, 0 for the side that a quote does not name."""
    with zipfile.ZipFile(TICKS / f"{symbol}_{day}_{kind}.zip") as archive, archive.open(archive.namelist()[0]) as file:
        table = pd.read_csv(file, header=None)
    midnight = pd.Timestamp(day, tz="America/New_York").tz_convert("UTC").tz_localize(None)
    frame = pd.DataFrame({"time": (midnight + pd.to_timedelta(table[0], unit="ms")).astype("datetime64[us]"), "symbol": symbol})
    if kind == "trade":
        return frame.assign(price=table[1] / 10_000, size=table[2])
    return frame.assign(**{side: np.where(table[at] > 0, table[at] / 10_000, np.nan) for side, at in (("bid", 1), ("ask", 3))})


if __name__ == "__main__":
    unittest.main()
