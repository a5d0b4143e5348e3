#!/usr/bin/env python3
"""Measures Marigram beside its peers on the same data, in one run, and prints the ratios.

Each figure is that of a process of its own, ours and the peers' in turn (A B A B), so that what else the machine does
hits all alike. Before anything counts, both sides' answers are compared. README.md says what each line means; the data
is made from a fixed seed and kept in build/bench-data.

usage: make bench, or bench/bench.py [--quick] [--only NAME]... [--rounds N] [--fresh]
"""

import argparse
import importlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from report import Line, compare, count, duration, table
from runner import HERE, PACKAGES, ROOT, Runner, remove
from writes import Writes

TABLES = ["append", "scan", "range", "open", "coverage"]
WRITES = ["insert", "recovery", "series", "head", "recent"]
OTHERS = ["aggregate", "asof", "compression"]  # each of a file of its own
SKIPPED = 77


class Tables(Runner):
    """The benches of tables."""

    def __init__(self, options, bounds):
        super().__init__(options, bounds)
        self.lines = []

    def results(self):
        return [table(self.lines)] if self.lines else []

    # ---- processes ----

    def ours(self, *words, stdin=None):
        return self.run([self.options.program, *map(str, words)], stdin)

    def peer(self, what, who, stdin=None, **options):
        return self.run([sys.executable, str(HERE / "peers.py"), what, who, json.dumps(options)], stdin)

    def rounds(self, line, sides, figure):
        """`sides`: name to function giving a result. Ours comes first; all must agree on `sums`."""
        self.lines.append(line)
        for _ in range(self.options.rounds):
            wanted = None
            for who, measure in sides.items():
                os.sync()  # what earlier runs left to write is not this one's to wait for
                result = measure()
                line.add(who, figure, result)
                wanted = wanted or result.get("sums")
                if "sums" in result:
                    compare(line.name, who, wanted, result["sums"])
        print(f"  {line.name}: " + ", ".join(f"{who} {duration(statistics.median(figures))}"
                                             for who, figures in line.figures.items()), flush=True)

    def scan_sides(self, ours, package, order, repeat, words=(), **options):
        """One scan of ours (`words`: its own options) and the peers' of the same (`options`), each in the order asked for.
        Pyarrow has no scan in an order."""
        sides = {"marigram": lambda: self.ours("scan", ours, *words, "--order", order, "--repeat", repeat)}
        for who in ("package", "pyarrow", "duckdb") if order == "any" else ("package", "duckdb"):
            sides[who] = lambda who=who: self.peer("scan", who, table=str(package), files=str(package / "data"),
                                                   repeat=repeat, ordered=order != "any", **options)
        return sides

    # ---- data ----

    def feed_sizes(self):
        """(batches, rows a batch) of the feed of one tick a second."""
        return 10, self.scaled(1_000_000, 2_000, 100)

    def feed_file(self):
        batches, rows = self.feed_sizes()

        def make(path):
            with open(path, "wb") as sink:
                data.Feed(rows, 1).write(sink, batches)
        return data.kept(self.data, "feed.arrows", [batches, rows], make)

    def feed_tables(self):
        """The feed as a table of ours and one of the package's, a commit a batch."""
        feed = self.feed_file()
        parameters = self.feed_sizes()
        return (data.kept(self.data, "feed-marigram", parameters, lambda path: self.ours("append", path, feed)),
                data.kept(self.data, "feed-package", parameters, lambda path: self.peer(
                    "append", "package", table=str(path), input=str(feed), bucket="1s")))

    # ---- measurements ----

    def append(self):
        batches, rows = self.feed_sizes()
        feed, place = self.feed_file(), self.data / "appended"
        for one_commit in (False, True):
            commits = 1 if one_commit else batches
            sizes = []

            def run(measure):
                remove(place)
                result = measure()
                if result["rows"] != batches * rows:
                    sys.exit(f"bench: append left {result['rows']} rows, want {batches * rows}")
                sizes.append(data.disk_bytes(place))
                remove(place)
                return result

            def peer(who):
                return lambda: run(lambda: self.peer("append", who, table=str(place), input=str(feed), bucket="1s",
                                                     one_commit=one_commit))
            words = ["append", place, feed] + (["--one-commit"] if one_commit else [])
            sides = {"marigram": lambda: run(lambda: self.ours(*words)), "package": peer("package"),
                     "pyarrow": peer("pyarrow")}
            if not one_commit:
                sides["duckdb"] = peer("duckdb")
            line = Line(f"append {count(batches * rows)} rows in {commits} commit{'s' * (commits > 1)}",
                        None if one_commit else {"package": "≥ 3x"}, rows=batches * rows)
            self.rounds(line, sides, sum)
            least = sizes[0] / self.bounds.write + commits * self.bounds.fsync
            line.bound = f"{duration(least)}: {sizes[0] / 1e6:,.0f} MB to disk, {commits} fsync"

    def scan(self):
        batches, rows = self.feed_sizes()
        ours, package = self.feed_tables()
        bound = batches * rows * data.ROW_BYTES
        for order in ("any", "time"):
            line = Line(f"scan {count(batches * rows)} rows, in {order} order", {"package": "≥ 2x"}, self.copied(bound),
                        batches * rows)
            self.rounds(line, self.scan_sides(ours, package, order, 2), statistics.median)

    def range(self):
        segments, rows = self.scaled(1000, 5), self.scaled(100_000, 1_000, 100) if self.options.smoke else 100_000
        ticks = rows // data.SYMBOLS

        def write(pipe):
            data.Feed(rows, 60, ticks).write(pipe, segments)  # a day a batch, a tick a minute
        parameters = [segments, rows]
        ours = data.kept(self.data, "days-marigram", parameters, lambda path: self.ours(
            "append", path, "-", "--bucket", "1m", stdin=write))
        package = data.kept(self.data, "days-package", parameters, lambda path: self.peer(
            "append", "package", stdin=write, table=str(path), input="-", bucket="1m"))
        step = max(1, segments // 20)
        starts = [data.BEGIN_S + day * 86_400 + day * 977 % max(1, (ticks - 60) * 60)
                  for day in range(step // 2, segments, step)]
        ranges = [[start * 1_000_000, (start + 3600) * 1_000_000] for start in starts]
        words = [word for low, high in ranges for word in ("--range", f"{low}:{high}")]
        for order, symbol, named, goal in (("any", None, "one hour", {"package": "≥ 10x, < 5 ms"}),
                                           ("time", None, "one hour in time order", None),
                                           ("any", "SYM42", "one hour of one symbol", None)):
            chosen = ["--symbol", symbol] if symbol else []
            sides = self.scan_sides(ours, package, order, 3, words + chosen, ranges=ranges, symbol=symbol)
            symbols = 1 if symbol else data.SYMBOLS
            line = Line(f"{named} of {count(segments * rows)} rows in {count(segments)} segments", goal,
                        self.copied(min(60, ticks) * symbols * data.ROW_BYTES))
            self.rounds(line, sides, statistics.median)

    def open(self):
        commits = self.scaled(10_000, 20)

        def make(path):
            self.ours("append", path, "-", stdin=lambda pipe: data.Feed(100, 1).write(pipe, commits))
        table = data.kept(self.data, "commits", [commits], make)
        without = self.data / "commits-without-checkpoint"
        remove(without)
        shutil.copytree(table / "_timeseries_log", without / "_timeseries_log",
                        ignore=shutil.ignore_patterns("_checkpoints"))
        log_bytes = data.disk_bytes(without)
        self.ours("open", table, "--checkpoint", "--repeat", 1)
        checkpoints = (table / "_timeseries_log" / "_checkpoints").iterdir()  # some older ones are kept
        checkpoint_bytes = max(map(data.disk_bytes, checkpoints))
        for name, place, size, goal in (
                ("with checkpoint", table, checkpoint_bytes, {"package": "≥ 20x, < 10 ms"}),
                ("without checkpoint", without, log_bytes, None)):
            sides = {"marigram": lambda: self.ours("open", place, "--repeat", 5),
                     "package": lambda: self.peer("open", "package", table=str(place), repeat=3)}
            line = Line(f"open after {count(commits)} commits, {name}", goal, self.copied(size))
            self.rounds(line, sides, statistics.median)
        remove(without)

    def coverage(self):
        series = self.scaled(1000, 5)

        def make(path):
            def write(pipe):
                first = data.first_rows(series)
                with pa.ipc.new_stream(pipe, first.schema) as out:
                    out.write_batch(first)
            self.ours("append", path, "-", "--bucket", "1m", stdin=write)
            data.widen_coverage(path, series)
        table = data.kept(self.data, "coverage", [series], make)
        size = data.disk_bytes(table / "_coverage" / "table")
        for by_series, name in ((True, "each"), (False, "all as one")):
            words = ["coverage", table, "--repeat", 10] + (["--by-series"] if by_series else [])
            for first in (False, True):
                sides = {"marigram": lambda: self.ours(*words),
                         "pyroaring": lambda: self.peer("coverage", "pyroaring", table=str(table), repeat=3,
                                                        by_series=by_series)}
                line = Line(f"ratio and gaps, 10 years of minutes x {count(series)} series, {name}"
                            + (", with open" if first else ""), None if first else {"pyroaring": "< 50 ms"}, self.copied(size))
                self.rounds(line, sides, "first_s" if first else statistics.median)


def machine():
    name = next((line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines()
                 if line.startswith("model name")), platform.machine())
    return f"{name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the data")
    parser.add_argument("--smoke", action="store_true", help="a few thousand rows: only that it works")
    parser.add_argument("--only", action="append", choices=TABLES + WRITES + OTHERS, help="may be repeated")
    parser.add_argument("--rounds", type=int, help="runs of each side, in turn (3; 1 with --smoke)")
    parser.add_argument("--fresh", action="store_true", help="make the data and the tables anew")
    parser.add_argument("--program", default=ROOT / "build" / "release" / "bin" / "bench" / "table_bench")
    parser.add_argument("--peers", default=ROOT / "build" / "bench-peers" / "bin", help="of bench/peers/build")
    parser.add_argument("--data", default=ROOT / "build" / "bench-data")
    options = parser.parse_args()
    options.scale = 0.0005 if options.smoke else 0.1 if options.quick else 1.0
    options.rounds = options.rounds or (1 if options.smoke else 3)
    chosen = options.only or TABLES + WRITES + OTHERS
    if set(chosen) & set(TABLES + OTHERS):
        load_packages()
    if options.fresh:
        remove(options.data)
    Path(options.data).mkdir(parents=True, exist_ok=True)
    machine_bounds = bounds.Bounds(options.data)
    tables, writes = Tables(options, machine_bounds), Writes(options, machine_bounds)
    benches = dict.fromkeys(TABLES, tables) | dict.fromkeys(WRITES, writes)
    for name in chosen:
        if name in OTHERS:
            benches[name] = getattr(importlib.import_module(name), name.capitalize())(options, machine_bounds)
        print(name, flush=True)
        getattr(benches[name], name)()
    results = [result for bench in dict.fromkeys(map(benches.get, chosen)) for result in bench.results()]
    print("\n\n".join([f"\n{machine()}; {machine_bounds.text()}", *results]))


def load_packages():
    """The benches of tables are made of them."""
    global pa, data
    if subprocess.run([ROOT / "deps" / "bench", "--check"]).returncode != 0:
        print("bench: the packages to compare with are not there; run deps/bench", file=sys.stderr)
        sys.exit(SKIPPED)
    sys.path.insert(0, str(PACKAGES))
    import pyarrow as pa

    import data


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    import bounds
    main()
