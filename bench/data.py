"""The data of the benches: a feed of prices made from a fixed seed, and a table whose coverage spans ten years."""

import datetime
import json
import os
import shutil
from pathlib import Path

import blake3
import numpy as np
import pyarrow as pa
import pyroaring

SEED = 20240101
BEGIN_S = 1704067200  # 2024-01-01T00:00:00Z
SYMBOLS = 100
SCHEMA = pa.schema([
    ("ts", pa.timestamp("us")), ("symbol", pa.string()), ("open", pa.float64()), ("high", pa.float64()),
    ("low", pa.float64()), ("close", pa.float64()), ("volume", pa.int64()),
])
NATIVE_FORMAT = 4  # of what native segments look like, and compaction makes: raise it, and tables are made anew
ROW_BYTES = 8 + 4 + 5 + 4 * 8 + 8  # of such a row in Arrow: "SYM00" is an offset and five letters


class Feed:
    """Batches in the order a feed delivers them: time after time, each with all symbols. A day holds `ticks_per_day`
    times, `step_s` apart, from midnight on; None: days are full. Prices walk at random in cents."""

    def __init__(self, rows_per_batch, step_s, ticks_per_day=None):
        self.ticks = rows_per_batch // SYMBOLS
        self.step_s = step_s
        self.ticks_per_day = ticks_per_day or 86_400 // step_s
        self.rng = np.random.default_rng(SEED)
        self.price = self.rng.uniform(20, 500, SYMBOLS)
        names = pa.array([f"SYM{i:02d}" for i in range(SYMBOLS)])
        self.symbols = names.take(pa.array(np.tile(np.arange(SYMBOLS), self.ticks)))

    def batch(self, number):
        """Batches come in order: `number` only says where on the time line."""
        tick = number * self.ticks + np.arange(self.ticks)
        day, within = np.divmod(tick, self.ticks_per_day)
        times = (BEGIN_S + day * 86_400 + within * self.step_s) * 1_000_000
        shape = (self.ticks, SYMBOLS)
        close = np.maximum(self.price + np.cumsum(self.rng.normal(0, 0.02, shape), axis=0), 1.0)
        start = np.vstack([self.price, close[:-1]])
        self.price = close[-1]
        spread = np.abs(self.rng.normal(0, 0.01, shape))
        columns = [start, np.maximum(start, close) + spread, np.minimum(start, close) - spread, close]
        columns = [np.round(column, 2).ravel() for column in columns]
        volume = self.rng.geometric(0.002, self.ticks * SYMBOLS)
        return pa.record_batch([pa.array(np.repeat(times, SYMBOLS)).cast(pa.timestamp("us")), self.symbols,
                                *map(pa.array, columns), pa.array(volume)], schema=SCHEMA)

    def write(self, sink, batches):
        """An Arrow IPC stream of the first `batches` batches."""
        with pa.ipc.new_stream(sink, SCHEMA) as out:
            for number in range(batches):
                out.write_batch(self.batch(number))


# ---- ten years of coverage ----

COVERAGE_BEGIN_MINUTE = 1420070400 // 60  # 2015-01-01
COVERAGE_MINUTES = 3653 * 1440
GAPS_PER_SERIES = 300


def first_rows(series):
    """One row a series, in the first minute: what the coverage table really holds."""
    ts = pa.array(np.full(series, COVERAGE_BEGIN_MINUTE * 60_000_000)).cast(pa.timestamp("us"))
    return pa.record_batch([ts, pa.array([f"unit{i:05d}" for i in range(series)]), pa.array(np.zeros(series))],
                           names=["ts", "symbol", "value"])


def _bitmaps(series):
    """Each series misses some 300 stretches of 1 to 120 minutes of its own, and 40 stretches of a day that all miss;
    the first and the last minute are there."""
    rng = np.random.default_rng(SEED)
    begin, end = COVERAGE_BEGIN_MINUTE, COVERAGE_BEGIN_MINUTE + COVERAGE_MINUTES
    outages = [(int(at), int(at) + 1440) for at in rng.integers(begin + 1, end - 1441, 40)]
    for _ in range(series):
        present = pyroaring.BitMap()
        present.add_range(begin, end)
        starts = rng.integers(begin + 1, end - 121, GAPS_PER_SERIES)
        lengths = rng.integers(1, 121, GAPS_PER_SERIES)
        for at, length in zip(starts.tolist(), lengths.tolist()):
            present.remove_range(at, at + length)
        for at, to in outages:
            present.remove_range(at, to)
        present.run_optimize()
        yield present


def _coverage_file(names, bitmaps):
    """TSTECOV2, see docs/format/coverage.md. The minute m is id m ^ 2^63: part 0x80000000."""
    out = [b"TSTECOV2", len(names).to_bytes(4, "big")]
    for name, bitmap in zip(names, bitmaps):
        tree = (1).to_bytes(8, "little") + (0x80000000).to_bytes(4, "little") + bitmap.serialize()
        out += [(1).to_bytes(4, "big"), b"\x01", len(name).to_bytes(8, "big"), name.encode(),
                len(tree).to_bytes(8, "big"), tree]
    return b"".join(out)


def widen_coverage(table, series):
    """Gives a table of first_rows() a coverage of ten years without its five billion rows: coverage never reads data, so
    only the table's snapshot is replaced, under the name of its bytes, in the last commit."""
    table = Path(table)
    log = table / "_timeseries_log"
    content = _coverage_file([f"unit{i:05d}" for i in range(series)], _bitmaps(series))
    kind = b"entity-tblcov-v1\0C2:tsE1:6:symbolKTM" + (1).to_bytes(4, "little") + b"N"
    digest = blake3.blake3(kind + b"\0" + content).hexdigest()[:32]
    commit = log / f"{int((log / 'CURRENT').read_text()):010d}.json"
    [old] = (table / "_coverage" / "table").iterdir()
    version, _, rest = old.name.partition("-tblcov-")
    fresh = f"{version}-tblcov-{digest}-{rest.partition('-')[2]}"
    (old.parent / fresh).write_bytes(content)
    old.unlink()
    commit.write_text(commit.read_text().replace(old.name, fresh))
    return len(content)


# ---- what is made once and kept ----

def kept(folder, name, parameters, make):
    """The path folder/name, made by make(path) unless it was already made with these parameters."""
    path = Path(folder) / name
    stamp = Path(folder) / f"{name}.json"
    wanted = json.dumps(parameters, sort_keys=True)
    if not (path.exists() and stamp.exists() and stamp.read_text() == wanted):
        for old in (path, stamp):
            shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        begin = datetime.datetime.now()
        make(path)
        os.sync()
        stamp.write_text(wanted)
        seconds = (datetime.datetime.now() - begin).total_seconds()
        print(f"  made {name}: {disk_bytes(path) / 1e6:,.0f} MB in {seconds:,.1f} s", flush=True)
    return path


def disk_bytes(path):
    path = Path(path)
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
