"""As-of joins of a database, through the C API, while the quotes lie in memory, in segments and in memory, and in segments:
beside pandas. Without this test a join in memory could take another row of a tie than one on disk."""

import ctypes
import json
import os
import subprocess
import unittest

import numpy as np
import pandas as pd
import pyarrow as pa
import real_ticks
from asof_peers import DIRECTIONS, AsofCase, arrow, cells, cli_options, rows_of_pandas

TEXTS = ctypes.POINTER(ctypes.c_char_p)
CASES = [(direction, strict, tolerance) for direction in DIRECTIONS for strict, tolerance in ((False, None), (True, None), (False, 1_000), (True, 50_000))]


class AsofOptions(ctypes.Structure):
    """marigram_asof_options of marigram.h"""

    _fields_ = [("size", ctypes.c_size_t), ("direction", ctypes.c_int), ("strict", ctypes.c_int), ("tolerance", ctypes.POINTER(ctypes.c_uint64)),
                ("columns", TEXTS), ("column_count", ctypes.c_size_t), ("ignore_nulls", TEXTS), ("ignore_nulls_count", ctypes.c_size_t),
                ("suffix", ctypes.c_char_p), ("matched_time", ctypes.c_char_p)]


class Database:
    """Opened through the C API."""

    def __init__(self, path):
        self.library = ctypes.CDLL(os.environ["MARIGRAM_LIBRARY"])
        self.library.marigram_last_error.restype = ctypes.c_char_p
        self.handle = ctypes.c_void_p()
        self.call("open", str(path).encode(), None, ctypes.byref(self.handle))

    def call(self, function, *arguments):
        if getattr(self.library, f"marigram_{function}")(*arguments) != 0:
            raise AssertionError(f"{function}: {self.library.marigram_last_error().decode()}")

    def close(self):
        self.call("close", self.handle)

    def insert(self, rows):
        """Their numbers, as values: in batches of one series."""
        for _, part in rows.groupby((rows["symbol"] != rows["symbol"].shift()).cumsum()):
            times = part["time"].to_numpy("datetime64[ns]").astype(np.int64)
            values = part["row"].to_numpy(np.float64)
            names, tags = ((ctypes.c_char_p * 1)(text.encode()) for text in ("symbol", part["symbol"].iloc[0]))
            self.call("insert_batch", self.handle, b"ny", b"quotes", ctypes.c_void_p(times.ctypes.data), ctypes.c_void_p(values.ctypes.data),
                      ctypes.c_size_t(len(part)), names, tags, ctypes.c_size_t(1))

    def asof(self, probes, direction, strict, tolerance):
        options = AsofOptions(size=ctypes.sizeof(AsofOptions), direction=DIRECTIONS.index(direction), strict=strict)
        if tolerance is not None:
            options.tolerance = ctypes.pointer(ctypes.c_uint64(tolerance * 1_000))
        into, out = (ctypes.create_string_buffer(64) for _ in range(2))  # of struct ArrowArrayStream
        probes.to_reader()._export_to_c(ctypes.addressof(into))
        self.call("asof", self.handle, b"ny", b"quotes", into, ctypes.byref(options), out)
        return pa.RecordBatchReader._import_from_c(ctypes.addressof(out)).read_all()


@unittest.skipUnless(real_ticks.TICKS.is_dir(), "../shared/data/ticks is not there")
class InMemory(AsofCase):
    def make_database(self, first):
        """The table is made by the command line, whose rows lie in segments when it ends."""
        self.run_cli("db", "init", "market")
        rows = first[["time", "symbol", "row"]].rename(columns={"row": "value"}).astype({"value": float})
        rows.to_csv(self.folder / "first.csv", index=False, date_format="%Y-%m-%dT%H:%M:%S.%fZ")
        self.run_cli("db", "write", "market", "ny", "first.csv", "--table", "quotes", "--tag", "symbol", "--duplicates", "all")

    def rows_in_segments(self):
        shown = subprocess.run([os.environ["MARIGRAM_BIN"], "show", self.folder / "market/tables/ny/quotes", "--json"], capture_output=True, check=True)
        return json.loads(shown.stdout)["rows"]

    def test_rows_in_memory(self):
        quotes = pd.concat([real_ticks.equity(*day, "quote") for day in real_ticks.QUOTED], ignore_index=True)
        pieces = np.array_split(np.arange(len(quotes)), 60)
        np.random.default_rng(4).shuffle(pieces)
        rows = quotes.iloc[np.concatenate(pieces)].reset_index(drop=True)
        rows["row"] = np.arange(len(rows))
        trades = pd.concat([real_ticks.equity(*day, "trade") for day in real_ticks.QUOTED], ignore_index=True)
        trades = trades.sample(frac=1, random_state=1, ignore_index=True)[["time", "symbol", "price"]]
        half = len(rows) // 2
        self.make_database(rows[:half])
        database = Database(self.folder / "market")
        try:
            database.insert(rows[half:])
            for flushed in (False, True):
                self.assertEqual(self.rows_in_segments(), len(rows) if flushed else half)
                for case in CASES:
                    self.compare(database.asof(arrow(trades), *case), rows, trades, case, flushed)
                database.call("flush", database.handle)
        finally:
            database.close()
        file = self.save(trades, "probes.parquet")
        for case in CASES:
            self.compare(self.joined("market/tables/ny/quotes", file, *cli_options(*case)), rows, trades, case, "closed")

    def compare(self, got, rows, probes, case, state):
        want = cells(arrow(rows), rows_of_pandas(rows, probes, "symbol", *case))
        want = want.set_column(want.column_names.index("row"), "value", want["row"].cast(pa.float64()))
        self.assert_same(got, want, ["value", "matched_time"], (state, *case))
        self.assert_same(got, arrow(probes), probes.columns, (state, *case))


if __name__ == "__main__":
    unittest.main()
