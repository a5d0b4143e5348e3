"""Aggregates of a hundred million rows of a fleet of hosts: ours on native segments, DuckDB on Parquet files of the same rows;
by minute also DuckDB and chdb on tables of their own, and Polars on the Parquet files."""

import json
import os
import shutil
import statistics
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import data
from report import Line, compare, count, duration, table
from runner import HERE, Runner

HOSTS, DAYS, STEP_S = 1_000, 12, 10
DAY_US = 86_400_000_000
BEGIN_US = data.BEGIN_S * 1_000_000
SCHEMA = pa.schema([("ts", pa.timestamp("us")), ("host", pa.dictionary(pa.int32(), pa.string())), ("usage", pa.float64()),
                    ("requests", pa.int64())])
HOUR_NS = 3_600_000_000_000


class Aggregate(Runner):
    def __init__(self, options, bounds):
        super().__init__(options, bounds)
        self.program = Path(options.program).parent / "query_bench"
        self.lines, self.blocks, self.upkeep, self.plain_per_s = [], [], [], 0
        self.hosts = self.scaled(HOSTS, 4)
        self.days = DAYS if options.scale > 0.01 else 3
        self.ticks = 86_400 // STEP_S
        self.names = pa.array([f"host_{i:04d}" for i in range(self.hosts)])

    def results(self):
        return [table(self.lines), "Blocks: " + "; ".join(self.blocks), "Upkeep: " + "; ".join(self.upkeep)] if self.lines else []

    # ---- data ----

    def day(self, number):
        """A day's rows by (host, time)."""
        random = np.random.default_rng([data.SEED, number])
        shape = (self.hosts, self.ticks)
        usage = np.clip(np.round(50 + np.cumsum(random.normal(0, 0.2, shape), axis=1), 2), 0, 100)
        requests = random.poisson(200, shape)
        times = BEGIN_US + number * DAY_US + np.tile(np.arange(self.ticks) * STEP_S * 1_000_000, self.hosts)
        hosts = pa.DictionaryArray.from_arrays(pa.array(np.repeat(np.arange(self.hosts, dtype="i4"), self.ticks)), self.names)
        return pa.record_batch([pa.array(times).cast(pa.timestamp("us")), hosts, pa.array(usage.ravel()),
                                pa.array(requests.ravel())], schema=SCHEMA)

    def write_rows(self, path):
        with pa.ipc.new_stream(path, SCHEMA) as out:
            for number in range(self.days):
                out.write_batch(self.day(number))

    def write_parquet(self, path):
        path = Path(path)
        path.mkdir(parents=True)
        for number in range(self.days):
            pq.write_table(pa.Table.from_batches([self.day(number)]), path / f"day-{number:02d}.parquet", compression="zstd")

    # ---- measurements ----

    def aggregate(self):
        parameters = [self.hosts, self.days]
        rows = data.kept(self.data, "fleet.arrows", parameters, self.write_rows)
        parquet = data.kept(self.data, "fleet-parquet", parameters, self.write_parquet)
        ours = data.kept(self.data, "fleet", [*parameters, data.NATIVE_FORMAT], lambda path: self.run(
            [self.program, "make", path, rows, "--tag", "host", "--format", "native"]))
        some = [f"host_{i:04d}" for i in range(0, self.hosts, max(1, self.hosts // 50))]
        middle = (BEGIN_US + DAY_US // 3, BEGIN_US + (self.days - 1) * DAY_US - DAY_US // 3)
        half_day = (BEGIN_US + DAY_US + DAY_US // 4, BEGIN_US + DAY_US + DAY_US * 3 // 4)
        every = ["avg(usage)", "max(usage)", "sum(requests)", "count"]
        self.measure(ours, parquet, f"{len(some)} hosts, most of the days, in one", every, where=some, within=middle, goal="≥ 10x")
        self.measure(ours, parquet, "all hosts, all days, in one", every, goal="≥ 10x")
        self.measure(ours, parquet, "all hosts, for each host and day", every, by=True, every_ns=24 * HOUR_NS)
        self.measure(ours, parquet, "8 hosts, half a day, for each host and minute", ["max(usage)"], by=True,
                     every_ns=HOUR_NS // 60, where=some[:8], within=half_day)
        self.measure(ours, parquet, "all hosts, for each hour", ["avg(usage)"], every_ns=HOUR_NS)
        both = ["avg(usage)", "max(usage)"]
        minute = HOUR_NS // 60
        native = {who: data.kept(self.data, place, parameters, lambda path, who=who: self.run_peer("make", who, path, parquet))
                  for who, place in (("duckdb native", "fleet.duckdb"), ("chdb", "fleet-chdb"))}
        self.measure(ours, parquet, "all hosts in one, for each minute", both, every_ns=minute, goal="≥ 10x", others=native)
        self.measure(ours, parquet, "for each host and minute", both, by=True, every_ns=minute, goal="≥ 10x", others=native)
        rolled = data.kept(self.data, "fleet-rollups", [*parameters, data.NATIVE_FORMAT], lambda path: self.roll(ours, path))
        hundred = [f"host_{i:04d}" for i in range(0, self.hosts, max(1, self.hosts // 100))]
        self.measure(rolled, parquet, f"{len(hundred)} hosts, for each host and hour, from rollups", both, by=True, every_ns=HOUR_NS,
                     where=hundred)
        self.measure(rolled, parquet, "for each host and hour, from rollups", both, by=True, every_ns=HOUR_NS)
        self.keep_up(rolled, hundred)
        self.live_a_month()

    def roll(self, ours, path):
        shutil.copytree(ours, path)
        made = self.run([self.program, "roll", path, "--tag", "host", "--set", "1m,1h,1d"])
        self.upkeep.append(f"levels of 1m, 1h and 1d made: {count(made['rows'])} rows in {duration(statistics.median(made['times_s']))}")

    def keep_up(self, rolled, some):
        """On a copy, whose files are never changed but replaced."""
        copy = Path(self.data) / "fleet-upkeep"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(rolled, copy, copy_function=os.link)
        os.sync()  # what other lines left unwritten is not to be waited for here
        done = self.run(list(map(str, [self.program, "upkeep", copy, "--tag", "host", "--range-us", BEGIN_US + DAY_US, "--where", *some])))
        shutil.rmtree(copy)
        self.upkeep.append(f"refresh after a late row: {duration(statistics.median(done['times_s']))} (goal < 10 ms), {done['rows']} rows of levels")
        self.upkeep.append(f"delete of {len(some)} hosts, {count(done['deleted'])} of {count(done['of'])} rows: "
                           f"{duration(statistics.median(done['delete']['times_s']))} (goal < 100 ms)")

    def live_a_month(self):
        folder = Path(self.data) / "month"
        shutil.rmtree(folder, ignore_errors=True)
        days = 30 if self.options.scale > 0.01 else 2
        done = self.run(list(map(str, [self.program, "month", folder, "--days", days, "--series", min(self.hosts, 100)])))
        shutil.rmtree(folder)
        written = done["written"]
        self.upkeep.append(
            f"{days} days in {count(done['flushes'])} flushes of {count(done['rows'])} rows: written {(written + done['rewritten']) / written:.2f} times, "
            f"with rollups {(written + done['rewritten'] + done['rollups']) / written:.2f} times; {done['segments']} segments; on disk "
            f"{done['disk'] / done['live']:.2f} times what is live, {done['kept'] / done['live']:.2f} behind vacuum, and {done['retained'] / done['kept']:.0%} of "
            "that once rows are kept for 7 days")
        self.upkeep.append(f"each hour of those {days} days from rollups, {count(done['hours'])} rows: {duration(done['asked_s'])} (goal < 5 ms)")

    def run_peer(self, *words):
        return self.run([sys.executable, str(HERE / "aggregate_peer.py"), *map(str, words)])

    def plain(self, rows):
        """The bound of what looks at a number of each row: all processors doing nothing else, with numbers in memory."""
        self.plain_per_s = self.plain_per_s or 1 / statistics.median(self.run([self.program, "plain"])["times_s"])
        return f"{duration(rows / self.plain_per_s)}: {self.plain_per_s / 1e9:.1f} G numbers/s looked at"

    def measure(self, ours, parquet, name, aggregates, by=False, every_ns=0, where=(), within=(), goal="", others=None):
        """`others`: peers with a table of their own, and where it lies; Polars comes with them."""
        command = [self.program, "aggregate", ours, "--tag", "host", "--every-ns", every_ns]
        for aggregate in aggregates:
            command += ["--agg", aggregate]
        command += ["--by-series"] if by else []
        command += ["--range-us", *within] if within else []
        command += ["--where", *where] if where else []
        question = {"files": str(parquet), "aggregates": aggregates, "by": by, "every_us": every_ns // 1_000,
                    "where": list(where), "range": list(within)}
        rows = self.hosts * self.days * self.ticks
        peers = {"duckdb": None} | (others | {"polars": None} if others else {})
        line = Line(f"{count(rows)} rows: {name}", dict.fromkeys(peers, goal), self.plain(rows) if others else "")
        for _ in range(self.options.rounds):
            mine = self.run(list(map(str, command)))
            line.add("marigram", statistics.median, mine)
            for who, place in peers.items():
                peer = self.run_peer("ask", json.dumps(question | {"who": who, "place": str(place)}))
                line.add(who, statistics.median, peer)
                compare(line.name, who, mine["sums"], peer["sums"])
        self.lines.append(line)
        self.blocks.append(f"{name}: " + ", ".join(f"{number:,} {what}" for what, number in mine["blocks"].items()))
        print(f"  {line.name}: " + ", ".join(f"{who} {duration(statistics.median(figures))}"
                                             for who, figures in line.figures.items()), flush=True)
