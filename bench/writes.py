"""The benches of the write path: inserts beside other stores, opening after a crash, a million series, bytes a point, and
what was written last."""

import os
import signal
import statistics
from pathlib import Path

from report import Line, count, duration, markdown, megabytes
from runner import ROOT, Runner, remove

PEERS = ("ugnos", "duckdb", "sqlite", "rocksdb")
ROUND = 1000  # points of a batch: one of each series
BERINGEI = ROOT.parent / "shared" / "suites" / "beringei" / "samples5000.txt"

# (points a write, durability, threads): goal. The goals are for two cores, so they stand where two threads write.
INSERTS = {(batch, durability, threads): "" for batch in (1, ROUND) for durability in ("none", "interval", "sync")
           for threads in (1, 2, 8)}
INSERTS |= {(1, "sync", 64): "≥ 100 k/s", (1, "interval", 2): "≥ 1 M/s", (ROUND, "interval", 2): "≥ 5 M/s",
            (ROUND, "none", 2): "≥ 10 M/s, ≥ 3x duckdb"}


class Inserts(Line):
    """Times are those of a point."""

    def __init__(self, name, goal, bound):
        super().__init__(name, goal, bound)
        self.settings = {}

    def add_run(self, who, result):
        points = result["points"]
        self.add(who, sum, result | {"times_s": [result["seconds"] / points], "cpu_s": [result["cpu_s"] / points]})
        self.settings[who] = result["setting"]


class Writes(Runner):
    def __init__(self, options, bounds):
        super().__init__(options, bounds)
        self.inserts, self.facts = [], []
        self.place = self.data / "written"
        self.programs = Path(options.program).parent
        self.peers = {who: Path(options.peers) / f"{who}_writes" for who in PEERS}

    # ---- inserts ----

    def insert(self):
        for who, program in self.peers.items():
            if not program.exists():
                print(f"  {who}: not available; bench/peers/build says why")
        sides = {"marigram": self.programs / "marigram_writes"}
        sides |= {who: program for who, program in self.peers.items() if program.exists()}
        for (batch, durability, threads), goal in sorted(INSERTS.items()):
            self.insert_by(sides, batch, durability, threads, goal)

    def insert_by(self, sides, batch, durability, threads, goal):
        name = f"{count(batch)} point{'s' * (batch > 1)} a write, {durability}, {threads} thread{'s' * (threads > 1)}"
        line = Inserts(name, goal, self.insert_bound(batch, durability, threads))
        words = ["--batch", batch, "--durability", durability, "--threads", threads,
                 "--points", self.scaled(10_000_000, ROUND * 4, ROUND), "--seconds", self.seconds(batch)]
        for _ in range(self.options.rounds):
            for who, program in sides.items():
                line.add_run(who, self.in_fresh_folder([program, self.place, *map(str, words)]))
        self.inserts.append(line)
        print(f"  {line.name}: " + ", ".join(f"{who} {rate(figures)}" for who, figures in line.figures.items()), flush=True)

    def in_fresh_folder(self, command):
        """The program compares what it finds at the end with what it wrote, and fails if that differs."""
        remove(self.place)
        self.place.mkdir()
        os.sync()
        result = self.run(command)
        remove(self.place)
        return result

    def seconds(self, batch):
        """A run ends then, if it has not written all points."""
        if self.options.scale < 1:
            return 1
        return 2 if batch == 1 else 5

    def insert_bound(self, batch, durability, threads):
        if durability != "sync":
            return ""
        latency = self.bounds.fdatasync
        return f"{amount(batch * threads / latency)}: all threads share an fdatasync of {duration(latency)}"

    # ---- opening, memory ----

    def recovery(self):
        """A log is written and its writer killed; the next who opens the database has the rows back."""
        size = self.scaled(1 << 30, 1 << 20)
        program, seconds, peaks = self.programs / "database_bench", [], (0, 0)
        for _ in range(self.options.rounds):
            remove(self.place)
            written = self.run([program, "log", self.place, "--bytes", str(size)], ends=-signal.SIGKILL)
            os.sync()
            found = self.run([program, "recover", self.place])
            if found["points"] != written["points"]:
                raise SystemExit(f"bench: recovery found {found['points']} points, want {written['points']}")
            seconds.append(found["seconds"])
            peaks = found["peak_bytes"], found["ready_bytes"]
        remove(self.place)
        points = written["points"] / statistics.median(seconds)
        self.fact(f"open with {size / 2**20:,.0f} MiB of write-ahead log, {written['points'] / 1e6:,.1f} M points",
                  f"{spread(seconds, duration)} = {amount(points)}", "< 10 s", f"peak {megabytes(peaks)} MB")

    def series(self):
        series = self.scaled(1_000_000, ROUND, ROUND)
        program, made, opened = self.programs / "database_bench", [], []
        for _ in range(self.options.rounds):
            remove(self.place)
            made.append(self.run([program, "make-series", self.place, "--series", str(series)]))
            os.sync()
            opened.append(self.run([program, "open-series", self.place, "--series", str(series)]))
        remove(self.place)
        for result in made + opened:
            if result["series"] != series:
                raise SystemExit(f"bench: found {result['series']} series, want {series}")
        self.fact(f"open with {count(series)} series, and read one", spread([one["seconds"] for one in opened], duration),
                  "< 2 s", f"the open alone {spread([one['open_s'] for one in opened], duration)}")
        name = f"memory of {count(series)} series"
        for what, results, goal in (("new, a point each", made, "< 1 GiB"), ("after open", opened, "")):
            held = [one["peak_bytes"] - one["ready_bytes"] for one in results]
            parts = f"series {results[-1]['series_bytes'] / series:,.0f}"
            if "row_bytes" in results[-1]:
                parts += f", rows {results[-1]['row_bytes'] / series:,.0f}"
            self.fact(f"{name}, {what}", f"{spread(held, lambda size: f'{size / 2**20:,.0f} MiB')}", goal,
                      f"{statistics.median(held) / series:,.0f} bytes a series; by our own count {parts}")
        self.fact(f"{count(series)} new series, 1,000 points a write",
                  spread([one["seconds"] for one in made], duration), "",
                  amount(series / statistics.median([one["seconds"] for one in made])))

    def head(self):
        if not BERINGEI.exists():
            print(f"  not available: {BERINGEI.name}")
            return
        found = self.run([self.programs / "head_bench", BERINGEI])
        self.fact(f"{found['points']:,} points of Beringei's samples, as chunks",
                  f"{found['payload_bytes'] / found['points']:.3f} bytes a point", "≤ 1.37", "5,000 short series")
        name = f"the same {found['rounds']} times over in the head, as {found['series']} long series"
        for what, part, remark in (("chunks", "chunk", "with what finds them"),
                                   ("all told", "head", "with rows that are not compressed yet")):
            self.fact(f"{name}: {what}", f"{found[f'{part}_bytes'] / found[f'{part}_points']:.3f} bytes a point", "",
                      f"{remark}; {found[f'{part}_points'] / 1e6:.1f} M points")

    def recent(self):
        """A dashboard of the last hour, beside nothing and beside a steady stream of points."""
        command = [self.programs / "database_bench", "recent", self.place, "--seconds", "10" if self.options.scale == 1 else "1"]
        found = []
        for _ in range(self.options.rounds):
            remove(self.place)
            found.append(self.run(command))
        remove(self.place)
        for name, key, goals in (("nothing is written", "quiet", ("< 2 ms", "")),
                                 (f"{amount(statistics.median([one['per_second'] for one in found]))} points are written",
                                  "writing", ("", "< 10 ms"))):
            for what, figure, goal in (("median", "median_s", goals[0]), ("99th percentile", "p99_s", goals[1])):
                times = [one[key][figure] for one in found]
                self.fact(f"the last hour of 100 series by minute, while {name}: {what}", spread(times, duration), goal,
                          f"{found[-1][key]['queries']:,} queries, the longest {duration(max(one[key]['most_s'] for one in found))}; "
                          f"{found[-1]['flushes']} flushes")

    def fact(self, what, ours, goal, remark):
        self.facts.append([what, ours, goal, remark])
        print(f"  {what}: {ours}; {remark}", flush=True)

    # ---- tables ----

    def results(self):
        texts = []
        if self.inserts:
            texts.append(markdown(self.insert_rows()))
        if self.facts:
            texts.append(markdown([["what", "ours", "goal", "remark"], *self.facts]))
        return texts

    def insert_rows(self):
        rows = [["what", "ours", "peer", "its setting", "its figure", "ratio", "of rounds", "CPU ratio", "goal", "bound",
                 "peak MB (before)", "peer's"]]
        for line in self.inserts:
            for peer in PEERS:
                ours = [line.name, rate(line.figures["marigram"]), peer]
                if peer not in line.figures:
                    rows.append(ours + ["not available"] + [""] * (len(rows[0]) - 4))
                    continue
                ratios = line.ratios(peer)
                rows.append(ours + [line.settings[peer], rate(line.figures[peer]), f"{statistics.median(ratios):.2f}x",
                                    f"{min(ratios):.2f}–{max(ratios):.2f}", line.cpu_ratio(peer), line.goal, line.bound,
                                    megabytes(line.peaks["marigram"]), megabytes(line.peaks[peer])])
        return rows


def amount(per_second):
    for size, letter in ((1e6, " M"), (1e3, " k")):
        if per_second >= size:
            return f"{per_second / size:.3g}{letter}/s"
    return f"{per_second:.3g}/s"


def rate(seconds_a_point):
    return amount(1 / statistics.median(seconds_a_point))


def spread(values, text):
    """The median, and between what it lies."""
    if len(values) == 1:
        return text(values[0])
    return f"{text(statistics.median(values))} ({text(min(values))}–{text(max(values))})"
