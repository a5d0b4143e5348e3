"""As-of joins: quotes of many symbols over some days, and probes in several orders, beside DuckDB, Polars, pandas, and a
binary search a probe over mapped columns, as zola does it. Each has its data in memory, in the form that suits it best."""

import json
import os
import statistics
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import data
from report import Line, compare, count, duration, table
from runner import HERE, Runner

SYMBOLS, DAYS, QUOTES = 500, 5, 4_000  # quotes of a symbol a day
PROBES = 1_000_000
DEEP_DAYS = 20  # on which half of the symbols have no quotes
DAY_US = 86_400_000_000
BEGIN_DAY = data.BEGIN_S // 86_400
SCHEMA = pa.schema([("ts", pa.timestamp("us")), ("symbol", pa.dictionary(pa.int32(), pa.string())), ("bid", pa.float64()),
                    ("ask", pa.float64())])
ORDERS = {"time": "by time", "series": "by (symbol, time)", "random": "in random order"}
PEERS = ["polars", "pandas", "duckdb"]


class Asof(Runner):
    def __init__(self, options, bounds):
        super().__init__(options, bounds)
        self.program = Path(options.program).parent / "query_bench"
        self.lines = []
        self.symbols = self.scaled(SYMBOLS, 5)
        self.quotes = QUOTES if options.scale > 0.01 else 50
        self.names = pa.array([f"S{i:03d}" for i in range(self.symbols)])

    def results(self):
        return [table(self.lines)] if self.lines else []

    # ---- data ----

    def day(self, number):
        """A day's quotes by (symbol, time); no symbol has two of one time."""
        random = np.random.default_rng([data.SEED, number])
        times = np.sort(random.integers(0, DAY_US, (self.symbols, self.quotes)), axis=1)
        for own in times:
            while (same := np.flatnonzero(np.diff(own) == 0)).size:
                own[same + 1] += 1
        bid = np.round(100 + np.cumsum(random.normal(0, 0.02, times.shape), axis=1), 2)
        ask = np.round(bid + random.integers(1, 10, times.shape) / 100, 2)
        return (BEGIN_DAY + number) * DAY_US + times, bid, ask

    def write_quotes(self, path):
        """A batch a day, as a feed has them: by time."""
        with pa.ipc.new_stream(path, SCHEMA) as out:
            for number in range(DAYS):
                times, bid, ask = self.day(number)
                order = np.argsort(times, axis=None, kind="stable")
                symbols = pa.DictionaryArray.from_arrays(
                    pa.array(np.repeat(np.arange(self.symbols, dtype="i4"), self.quotes)[order]), self.names)
                out.write_batch(pa.record_batch([pa.array(times.ravel()[order]).cast(pa.timestamp("us")), symbols,
                                                 pa.array(bid.ravel()[order]), pa.array(ask.ravel()[order])], schema=SCHEMA))

    def write_columns(self, path):
        """What the binary search maps: a folder a day."""
        for number in range(DAYS):
            folder = Path(path) / str(BEGIN_DAY + number)
            folder.mkdir(parents=True)
            times, bid, ask = self.day(number)
            columns = {"symbols": np.arange(self.symbols), "begins": np.arange(self.symbols + 1) * self.quotes,
                       "times": times, "bid": bid, "ask": ask}
            for name, values in columns.items():
                values.tofile(folder / name)

    def write_probes(self, path, order):
        """`number`: of the symbol, for the search that knows no names."""
        random = np.random.default_rng(data.SEED)
        probes = self.scaled(PROBES, 1_000)
        symbols = random.integers(0, self.symbols, probes, dtype="i4")
        times = BEGIN_DAY * DAY_US + random.integers(0, DAYS * DAY_US, probes)
        if order == "time":
            chosen = np.argsort(times)
        elif order == "series":
            chosen = np.lexsort((times, symbols))
        else:
            chosen = slice(None)
        batch = pa.record_batch({
            "ts": pa.array(times[chosen]).cast(pa.timestamp("us")),
            "symbol": pa.DictionaryArray.from_arrays(pa.array(symbols[chosen]), self.names),
            "number": pa.array(symbols[chosen].astype("i8"))})
        with pa.ipc.new_stream(path, batch.schema) as out:
            out.write_batch(batch)

    def write_deep_quotes(self, path):
        """On the first day of all symbols, on the others of every other one."""
        random = np.random.default_rng(data.SEED)
        with pa.ipc.new_stream(path, SCHEMA) as out:
            for number in range(DEEP_DAYS + 1):
                symbols = np.arange(0, self.symbols, 2 if number > 0 else 1, dtype="i4")
                rows = symbols.size * self.quotes // 4
                times = (BEGIN_DAY + number) * DAY_US + np.sort(random.choice(DAY_US, rows, replace=False))
                prices = pa.array(np.round(random.uniform(90, 110, rows), 2))
                names = pa.DictionaryArray.from_arrays(pa.array(random.choice(symbols, rows)), self.names)
                out.write_batch(pa.record_batch([pa.array(times).cast(pa.timestamp("us")), names, prices, prices], schema=SCHEMA))

    def write_deep_probes(self, path, which):
        """Of the last day, of symbols that have quotes then (`near`) or of the others (`far`)."""
        random = np.random.default_rng(data.SEED)
        probes = self.scaled(PROBES, 1_000)
        symbols = random.integers(0, self.symbols // 2, probes, dtype="i4") * 2 + (which == "far")
        # Not of its first hour, before which some may have no quote yet.
        times = (BEGIN_DAY + DEEP_DAYS) * DAY_US + np.sort(random.integers(DAY_US // 24, DAY_US, probes))
        batch = pa.record_batch({"ts": pa.array(times).cast(pa.timestamp("us")),
                                 "symbol": pa.DictionaryArray.from_arrays(pa.array(symbols), self.names)})
        with pa.ipc.new_stream(path, batch.schema) as out:
            out.write_batch(batch)

    def kept_table(self, format, compression, quotes):
        return data.kept(self.data, f"{Path(quotes).stem}-{format}-{compression}", [self.symbols, self.quotes, data.NATIVE_FORMAT],
                         lambda path: self.run([self.program, "make", path, quotes, "--format", format, "--compression",
                                                compression]))

    @staticmethod
    def write_parquet(quotes, path):
        with pa.ipc.open_stream(quotes) as stream, pq.ParquetWriter(path, stream.schema, compression="zstd") as out:
            for batch in stream:
                out.write_batch(batch)

    # ---- measurements ----

    def asof(self):
        parameters = [self.symbols, self.quotes]
        quotes = data.kept(self.data, "quotes.arrows", parameters, self.write_quotes)
        columns = data.kept(self.data, "quotes-columns", parameters, self.write_columns)
        parquet = data.kept(self.data, "quotes.parquet", parameters, lambda path: self.write_parquet(quotes, path))
        plain, packed, open_ = (self.kept_table(format, compression, quotes) for format, compression in
                                (("native", "none"), ("native", "auto"), ("parquet", "auto")))
        for order in ORDERS:
            probes = data.kept(self.data, f"probes-{order}.arrows", [*parameters, self.options.scale],
                               lambda path: self.write_probes(path, order))
            for direction in ("backward", "forward"):
                peers = {who: self.peer(who, quotes, probes, direction) for who in PEERS}
                self.measure(order, direction, "plain", {
                    "marigram": self.join(plain, probes, direction), **peers,
                    "search": lambda: self.run([self.program, "search", columns, probes, "--direction", direction])})
                if direction == "forward":
                    continue
                self.measure(order, direction, "packed", {"marigram": self.join(packed, probes, direction),
                                                          "polars": peers["polars"]})
                self.measure(order, direction, "Parquet", {
                    "marigram": self.join(open_, probes, direction),
                    "polars": self.peer("polars", parquet, probes, direction)})

        self.lookback()

    def lookback(self):
        """Probes whose rows lie many partitions back, beside probes that meet them in the first."""
        parameters = [self.symbols, self.quotes]
        table = self.kept_table("native", "none", data.kept(self.data, "deep.arrows", parameters, self.write_deep_quotes))
        far, near = (self.join(table, data.kept(self.data, f"probes-{which}.arrows", [*parameters, self.options.scale],
                                                lambda path: self.write_deep_probes(path, which)), "backward")
                     for which in ("far", "near"))
        probes = self.scaled(PROBES, 1_000)
        line = Line(f"{count(probes)} probes by time, backward, {DEEP_DAYS} partitions back, plain", {"in the first": "≥ 0.5x"},
                    "", probes)
        for _ in range(self.options.rounds):
            for who, side in {"marigram": far, "in the first": near}.items():
                line.add(who, statistics.median, side())
        self.show(line)

    def join(self, table, probes, direction):
        return lambda: self.run([self.program, "join", table, probes, "--direction", direction])

    def peer(self, who, quotes, probes, direction):
        options = {"quotes": str(quotes), "probes": str(probes), "direction": direction}
        return lambda: self.run([sys.executable, str(HERE / "asof_peers.py"), who, json.dumps(options)])

    def measure(self, order, direction, form, sides):
        probes = self.scaled(PROBES, 1_000)
        line = Line(f"{count(probes)} probes {ORDERS[order]}, {direction}, {form}", self.goals(form), "", probes)
        for _ in range(self.options.rounds):
            wanted = None
            for who, side in sides.items():
                result = side()
                line.add(who, statistics.median, result)
                wanted = wanted or result["sums"]
                compare(line.name, who, wanted, result["sums"])
        line.bound = self.bound(order, probes, statistics.median(line.figures["marigram"]))
        self.show(line)

    def bound(self, order, probes, ours):
        """A copy of time, bid and ask of each quote and each result; and the lines of memory of eight numbers that must come:
        all of the quotes' times, those of bid and ask that some probe meets, and of the result one a probe and column, but
        where probes that follow one another are joined so."""
        quotes = self.symbols * DAYS * self.quotes
        met = 1 - (1 - min(1, probes / quotes)) ** 8
        lines = quotes / 8 * (1 + 2 * met) + 3 * probes / (8 if order == "series" else 1)
        missed = lines * self.bounds.miss / os.cpu_count()
        return f"{self.copied(24 * (quotes + probes))}; {duration(missed)}: {lines / 1e6:.1f} M lines missed, ours {ours / missed:.1f}x"

    def show(self, line):
        self.lines.append(line)
        print(f"  {line.name}: " + ", ".join(f"{who} {duration(statistics.median(figures))}"
                                             for who, figures in line.figures.items()), flush=True)

    @staticmethod
    def goals(form):
        return {"plain": {"polars": "≥ 10x", "duckdb": "≥ 50x", "search": "≥ 8x"}, "Parquet": {"polars": "≥ 3x"}}.get(form, {})
