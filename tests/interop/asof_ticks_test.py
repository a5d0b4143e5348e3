"""As-of joins of real trades and quotes, and of two vendors' quotes, beside pandas and polars. Three of four quotes share their
millisecond with the one before, and each names one side only: without these tests a tie could go to the wrong row."""

import itertools
import unittest

import numpy as np
import pandas as pd
import real_ticks
from asof_peers import DIRECTIONS, AsofCase, arrow, cells, cli_options, rows_of_pandas, rows_of_peers

MATRIX = list(itertools.product(DIRECTIONS, (False, True), (None, 0, 1_000, 50_000, 5_000_000)))  # direction, strict, tolerance in us
SIDES = (("bid", "bidsize"), ("ask", "asksize"))


def numbered(rows):
    """With their number, so that of equal rows too it is seen which one was taken."""
    return rows.assign(row=np.arange(len(rows)))


def out_of_order(rows, parts, seed):
    """The rows as they come in these many parts, each of pieces from anywhere: segments overlap, and ties are torn apart."""
    pieces = np.array_split(np.arange(len(rows)), 200)
    np.random.default_rng(seed).shuffle(pieces)
    whole = numbered(rows.iloc[np.concatenate(pieces)].reset_index(drop=True))
    return whole, [whole.iloc[part] for part in np.array_split(np.arange(len(whole)), parts)]


def ties_met(rows, by, numbers):
    """How many probes met a row that shares series and time with others."""
    return int(rows.duplicated([by, "time"], keep=False).to_numpy()[numbers[numbers >= 0]].sum())


class Ticks(AsofCase):
    def save_probes(self, probes, by):
        """In three orders, and of three units of time: files, each with the numbers of its probes."""
        orders = {"ns": np.random.default_rng(1).permutation(len(probes)), "us": probes["time"].argsort(kind="stable").to_numpy(),
                  "ms": np.lexsort((probes["time"], probes[by]))}
        return [(self.save(probes.iloc[order].astype({"time": f"datetime64[{unit}]"}), f"{unit}.parquet"), order) for unit, order in orders.items()]

    @staticmethod
    def in_turn(number, tables, probes):
        """The table and the probes of one case: each has its turn with every direction; all with all would take minutes."""
        return tables[number % len(tables)], *probes[number // len(tables) % len(probes)]


@unittest.skipUnless(real_ticks.TICKS.is_dir(), "../shared/data/ticks is not there")
class TradesAndQuotes(Ticks):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.quotes = numbered(pd.concat([real_ticks.equity(*day, "quote") for day in real_ticks.QUOTED], ignore_index=True))
        cls.trades = pd.concat([real_ticks.equity(*day, "trade") for day in real_ticks.QUOTED], ignore_index=True)
        mixed, parts = out_of_order(cls.quotes, 6, 2)
        cls.arrivals = ((cls.quotes, ("auto", "none", "parquet")), (mixed, ("auto_mixed", "none_mixed", "parquet_mixed", "compacted")))
        for rows, tables in cls.arrivals:
            for table in tables:
                kind = table.partition("_")[0]
                options = {"segments": "parquet"} if kind == "parquet" else {"compression": "none" if kind == "none" else "auto"}
                cls.make_table(table, [rows] if rows is cls.quotes else parts, **options)
        cls.run_cli("compact", "compacted", "--segments", "native")

    def test_every_direction(self):
        self.assertEqual((len(self.quotes), len(self.trades)), (711_672, 145_846))
        probes = self.save_probes(self.trades, "symbol")
        names = {name: f"{name}_quote" for name in ("exchange", "condition", "suspicious")}
        compared = ties = 0
        for rows, tables in self.arrivals:
            want = arrow(rows.rename(columns=names))
            columns = [*want.column_names[2:], "matched_time"]
            for number, case in enumerate(MATRIX):
                numbers = rows_of_peers(rows, self.trades, "symbol", *case)
                ties += ties_met(rows, "symbol", numbers)
                table, file, order = self.in_turn(number, tables, probes)
                got = self.joined(table, file, *cli_options(*case), "--suffix", "_quote")
                compared += self.assert_same(got, cells(want, numbers[order]), columns, (table, file, *case))
                self.assert_same(got, arrow(self.trades.iloc[order]), self.trades.columns, "columns of the probes")
        print(f"{compared:,} cells, {ties:,} rows of ties, no mismatch", flush=True)
        self.assertGreater(ties, 1_000_000)

    def test_last_bid_and_last_ask(self):
        """Sides that a quote does not name are null, and passed over: each side is as in a table of its own."""
        probes = self.save_probes(self.trades[["time", "symbol", "price"]], "symbol")
        compared = 0
        for rows, tables in self.arrivals:
            want = arrow(rows)
            sides = [(names, np.flatnonzero(rows[names[0]].notna())) for names in SIDES]
            for number, case in enumerate(MATRIX[::2]):  # every direction, tolerance and strictness still comes
                table, file, order = self.in_turn(number, tables, probes)
                got = self.joined(table, file, *cli_options(*case), "--columns", "bid,bidsize,ask,asksize,row", "--last-non-null", "bid,bidsize,ask,asksize")
                for names, there in sides:
                    numbers = rows_of_pandas(rows.iloc[there], self.trades, "symbol", *case)[order]
                    joined = cells(want, np.where(numbers < 0, -1, there[numbers]))
                    compared += self.assert_same(got, joined, names, (table, file, *case))
                joined = cells(want, rows_of_pandas(rows, self.trades, "symbol", *case)[order])
                compared += self.assert_same(got, joined, ["row", "matched_time"], (table, file, *case))
        print(f"{compared:,} cells, no mismatch", flush=True)

    def test_series_without_rows(self):
        """SPY was traded, and has no quotes."""
        trades = real_ticks.equity("spy", "20131007", "trade")[["time", "symbol", "price", "size"]]
        for (file, order), direction in zip(self.save_probes(trades, "symbol"), DIRECTIONS):
            got = self.joined("auto", file, "--direction", direction)
            self.assert_same(got, arrow(trades.iloc[order]), trades.columns, direction)
            self.assertEqual({got[name].null_count for name in ("bid", "ask", "exchange", "row", "matched_time")}, {250_601})


@unittest.skipUnless(real_ticks.FX.is_dir(), "../shared/data/fx is not there")
class TwoVendors(Ticks):
    """Each vendor's quotes are joined to those of the other."""

    def test_every_direction(self):
        quotes = pd.concat([real_ticks.fx(vendor, day) for day in ("20140501", "20140502") for vendor in ("oanda", "fxcm")], ignore_index=True)
        self.assertEqual(len(quotes), 211_541)
        rows, parts = out_of_order(quotes, 4, 3)
        for table, options in (("auto", {}), ("none", {"compression": "none"}), ("parquet", {"segments": "parquet"})):
            self.make_table(table, parts, tag="vendor", **options)
        quotes["vendor"] = quotes["vendor"].map({"oanda": "fxcm", "fxcm": "oanda"})
        probes = self.save_probes(quotes, "vendor")
        want = arrow(rows.rename(columns={"bid": "bid_other", "ask": "ask_other"}))
        compared = 0
        for number, case in enumerate(MATRIX):
            numbers = rows_of_peers(rows, quotes, "vendor", *case)
            table, file, order = self.in_turn(number, ("auto", "none", "parquet"), probes)
            got = self.joined(table, file, *cli_options(*case), "--suffix", "_other")
            compared += self.assert_same(got, cells(want, numbers[order]), ["bid_other", "ask_other", "row", "matched_time"], (table, file, *case))
        print(f"{compared:,} cells, no mismatch", flush=True)


if __name__ == "__main__":
    unittest.main()
