"""The other side of the benches: each run measures one thing of one peer in a process of its own, as table_bench does
for ours, and prints one JSON object of the same form.

usage: peers.py <what> <peer> <options as JSON>
"""

import json
import sys
import time
from pathlib import Path


def peak_memory_bytes():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def timed(call):
    """Seconds on the wall, and of all processors together."""
    begin, cpu_begin = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - begin, time.process_time() - cpu_begin


def with_times(result, times):
    wall, cpu = zip(*times)
    return dict(result, times_s=wall, cpu_s=cpu)


class Sums:
    """As table_bench's: integers and times modulo 2^64, floats as they come, strings by their bytes."""

    def __init__(self):
        self.sums = {"rows": 0}

    def add(self, batch):
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc
        self.sums["rows"] += batch.num_rows
        for field, column in zip(batch.schema, batch.columns):
            if pa.types.is_dictionary(field.type):
                column = column.dictionary_decode()
            if pa.types.is_timestamp(field.type) or field.type == pa.int64():
                values = column.cast(pa.timestamp("us")) if pa.types.is_timestamp(field.type) else column
                values = values.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False).view(np.uint64)
                value = (self.sums.get(field.name, 0) + int(values.sum(dtype=np.uint64))) % 2**64
            elif field.type == pa.float64():
                value = self.sums.get(field.name, 0.0) + float(column.fill_null(0).to_numpy(zero_copy_only=False).sum())
            else:
                lengths = pc.binary_length(column.cast(pa.string()))
                value = self.sums.get(field.name, 0) + (pc.sum(lengths).as_py() or 0)
            self.sums[field.name] = value


# ---- append ----

def append_package(options):
    import timeseries_table_format as ttf
    table = ttf.TimeSeriesTable.create(table_root=options["table"], index_column="ts", index_type="timestamp",
                                       index_granularity=options["bucket"], entity_columns=["symbol"])
    return table.append


def append_pyarrow(options):
    """Only Parquet files: no log, no coverage, nothing checked, nothing synced."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    folder = Path(options["table"])
    folder.mkdir()
    files = iter(range(10**9))

    def write(rows):
        rows = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
        pq.write_table(rows, folder / f"{next(files):06d}.parquet", compression="zstd")
    return write


def append_duckdb(options):
    import duckdb
    import pyarrow as pa
    connection = duckdb.connect(options["table"])
    connection.execute("create table t (ts timestamp, symbol varchar, open double, high double, low double,"
                       " close double, volume bigint)")

    def insert(rows):
        connection.register("rows", pa.Table.from_batches([rows]))
        connection.execute("insert into t select * from rows")
        connection.unregister("rows")
    return insert


def append(peer, options):
    import pyarrow as pa
    make = {"package": append_package, "pyarrow": append_pyarrow, "duckdb": append_duckdb}[peer]
    write = make(options)
    times, rows, ready = [], 0, 0
    source = sys.stdin.buffer if options["input"] == "-" else pa.OSFile(options["input"])
    with pa.ipc.open_stream(source) as stream:
        if options.get("one_commit"):
            table = stream.read_all()
            ready = peak_memory_bytes()
            times.append(timed(lambda: write(table)))
            rows = table.num_rows
        else:
            for batch in stream:
                ready = ready or peak_memory_bytes()
                times.append(timed(lambda: write(batch)))
                rows += batch.num_rows
    return with_times({"commits": len(times), "rows": rows, "ready_bytes": ready}, times)


# ---- scan and range ----

def quoted(micros):
    import datetime
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=micros)
    return at.isoformat(sep=" ")


def of_symbol(options):
    return f" and symbol = '{options['symbol']}'" if options.get("symbol") else ""


def scan_package(options):
    """DataFusion, as the package embeds it. A time is given in the column's own type, so that it can prune."""
    import timeseries_table_format as ttf
    session = ttf.Session()
    session.register_tstable("t", options["table"])
    suffix = " order by ts, symbol" if options.get("ordered") else ""

    def read(span):
        if span is None:
            return session.sql_reader("select * from t" + suffix)
        low, high = (f"arrow_cast('{quoted(at)}', 'Timestamp(Microsecond, None)')" for at in span)
        return session.sql_reader(f"select * from t where ts >= {low} and ts < {high}" + of_symbol(options) + suffix)
    return read


def scan_pyarrow(options):
    import pyarrow as pa
    import pyarrow.dataset as ds
    files = sorted(map(str, Path(options["files"]).rglob("*.parquet")))
    dataset = ds.dataset(files, format="parquet")

    def read(span):
        if span is None:
            return dataset.scanner().to_reader()
        low, high = (pa.scalar(at, pa.timestamp("us")) for at in span)
        wanted = (ds.field("ts") >= low) & (ds.field("ts") < high)
        if options.get("symbol"):
            wanted &= ds.field("symbol") == options["symbol"]
        return dataset.scanner(filter=wanted).to_reader()
    return read


def scan_duckdb(options):
    import duckdb
    connection = duckdb.connect()
    connection.execute("set parquet_metadata_cache = true")
    files = str(Path(options["files"]) / "**" / "*.parquet")
    connection.execute(f"create view t as select * from read_parquet('{files}')")
    suffix = " order by ts, symbol" if options.get("ordered") else ""

    def read(span):
        where = "" if span is None else f" where ts >= '{quoted(span[0])}' and ts < '{quoted(span[1])}'" + of_symbol(options)
        return connection.sql("select * from t" + where + suffix).to_arrow_reader(65_536)
    return read


def drain(reader, sums=None):
    for batch in reader:
        if sums is not None:
            sums.add(batch)


def scan(peer, options):
    spans = options.get("ranges") or [None]
    make = {"package": scan_package, "pyarrow": scan_pyarrow, "duckdb": scan_duckdb}[peer]
    begin = time.perf_counter()
    read = make(options)
    open_s = time.perf_counter() - begin
    ready = peak_memory_bytes()
    first, _ = timed(lambda: drain(read(spans[0])))
    for span in spans[1:]:
        drain(read(span))
    times = [timed(lambda: drain(read(span))) for _ in range(options["repeat"]) for span in spans]
    peak = peak_memory_bytes()
    sums = Sums()
    for span in spans:
        drain(read(span), sums)
    return with_times({"open_s": open_s, "first_s": first, "ready_bytes": ready, "peak_bytes": peak,
                       "sums": sums.sums}, times)


# ---- open ----

def open_table(peer, options):
    import timeseries_table_format as ttf
    ready = peak_memory_bytes()
    times = [timed(lambda: ttf.TimeSeriesTable.open(options["table"])) for _ in range(options["repeat"])]
    version = ttf.TimeSeriesTable.open(options["table"]).version()
    return with_times({"sums": {"version": version}, "ready_bytes": ready}, times)


# ---- coverage ----

def load_bitmaps(path):
    """The 32-bit bitmaps of a TSTECOV2 file whose series have one tag and one part, see docs/format/coverage.md."""
    import pyroaring
    content = Path(path).read_bytes()
    at, bitmaps = 12, []
    for _ in range(int.from_bytes(content[8:12], "big")):
        at += 5
        at += 8 + int.from_bytes(content[at:at + 8], "big")
        size = int.from_bytes(content[at:at + 8], "big")
        bitmaps.append(pyroaring.BitMap.deserialize(content[at + 8 + 12:at + 8 + size]))
        at += 8 + size
    return bitmaps


def gaps_of(bitmap, low, high):
    """The missing stretches of [low, high), as arrays of firsts and lengths."""
    import numpy as np
    missing = np.frombuffer(bitmap.flip(low, high).to_array(), dtype=np.uint32)
    if len(missing) == 0:
        return missing, missing
    breaks = np.flatnonzero(np.diff(missing) != 1) + 1
    starts = np.concatenate([[0], breaks])
    return missing[starts], np.diff(np.concatenate([starts, [len(missing)]]))


def coverage(peer, options):
    """Roaring bitmaps by themselves, through numpy: what one would do by hand with pyroaring."""
    import numpy  # noqa: F401  here, not in the time
    import pyroaring
    [path] = (Path(options["table"]) / "_coverage" / "table").iterdir()
    ready = peak_memory_bytes()

    def answers(bitmaps):
        if not options["by_series"]:
            bitmaps = [pyroaring.BitMap.union(*bitmaps)]
        low = min(bitmap.min() for bitmap in bitmaps)
        high = max(bitmap.max() for bitmap in bitmaps) + 1
        sums = {"reports": len(bitmaps), "covered": 0, "expected": 0, "gaps": 0, "missing": 0, "longest": 0}
        for bitmap in bitmaps:
            _, lengths = gaps_of(bitmap, low, high)
            sums["covered"] += len(bitmap)
            sums["expected"] += high - low
            sums["gaps"] += len(lengths)
            sums["missing"] += int(lengths.sum())
            sums["longest"] = max(sums["longest"], int(lengths.max(initial=0)))
        return sums

    begin = time.perf_counter()
    bitmaps = load_bitmaps(path)
    sums = answers(bitmaps)
    first = time.perf_counter() - begin
    times = [timed(lambda: answers(bitmaps)) for _ in range(options["repeat"])]
    return with_times({"first_s": first, "ready_bytes": ready, "sums": sums}, times)


def main():
    what, peer, options = sys.argv[1:]
    options = json.loads(options)
    result = {"append": append, "scan": scan, "open": open_table, "coverage": coverage}[what](peer, options)
    result.setdefault("peak_bytes", peak_memory_bytes())
    print(json.dumps(result))


if __name__ == "__main__":
    main()
