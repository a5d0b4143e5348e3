"""Bytes a point, time and value together, and how quickly they are encoded and decoded, beside other formats.

Of each set, series by series: ours in blocks of 8,192 points, as native segments have them; Gorilla as it was published, in the same
blocks; pcodec, each series' column whole, at its default level; Parquet, all series in one file, zstd, of dictionaries, byte streams
split and deltas the smallest; DuckDB, a file of its own with all series in one table. Sets of shared/ are left out where that is not
there. Then how quickly blocks of one encoding each are decoded."""

import csv
import io
import time
import zipfile
from pathlib import Path

import numpy as np

from report import markdown
from runner import ROOT, Runner, remove

SHARED = ROOT.parent / "shared"
HOSTS, POINTS = 100, 8_640  # a day of one a 10 s
SECOND = 1_000_000_000
BEGIN = 1_704_067_200 * SECOND


class Compression(Runner):
    def __init__(self, options, bounds):
        super().__init__(options, bounds)
        self.program = Path(options.program).parent / "codec_bench"
        self.rows = [["set", "points", "auto", "Gorilla", "pcodec", "Parquet", "DuckDB", "auto to the best", "goal",
                      "encode auto / pcodec", "decode auto / Gorilla / pcodec"]]
        self.columns = [["set", "column", "bytes a value", "decode auto", "Gorilla", "ratio", "blocks"]]
        self.made_rows = [["blocks of", "bytes a value", "decoded to the cache", "Gorilla", "ratio", "to memory", "of the bound"]]

    def compression(self):
        for name, series in self.sets():
            self.measure(name, series)
        self.made()

    def results(self):
        return [markdown(rows) for rows in (self.rows, self.columns, self.made_rows) if len(rows) > 1]

    # ---- sets: name and [(times, values)] ----

    def sets(self):
        hosts, points = self.scaled(HOSTS, 2), POINTS if self.options.scale > 0.01 else 200
        random = np.random.default_rng(20240101)
        walk = np.empty((hosts, points))
        at = random.uniform(0, 100, hosts)
        for i in range(points):
            at = np.clip(at + random.normal(0, 1, hosts), 0, 100)
            walk[:, i] = at
        times = BEGIN + np.arange(points) * 10 * SECOND
        yield "cpu, integers", [(times, np.round(one).astype("i8")) for one in walk]
        yield "cpu, two decimals", [(times, np.round(one, 2)) for one in walk]
        yield "cpu, full doubles", [(times, one) for one in walk]
        if not SHARED.exists():
            print(f"  not available: {SHARED.name}")
            return
        yield "Beringei", list(self.beringei(SHARED / "suites" / "beringei" / "samples5000.txt"))
        yield "NAB", [self.nab(path) for path in sorted((SHARED / "data" / "nab" / "data").rglob("*.csv"))]
        ticks = sorted((SHARED / "data" / "ticks").glob("*.zip"))
        yield "trades, price", [self.ticks(path, 1) for path in ticks if "trade" in path.name]
        yield "quotes, bid", [self.ticks(path, 1) for path in ticks if "quote" in path.name]
        yield "weather, temperature", list(self.weather(SHARED / "data" / "weather" / "nycflights13_weather.csv", "temp"))

    @staticmethod
    def beringei(path):
        words = iter(path.read_text().split())
        for count in words:
            points = [(int(next(words)) * SECOND, float(next(words))) for _ in range(int(count))]
            if points:
                yield np.array([time for time, _ in points]), np.array([value for _, value in points])

    @staticmethod
    def nab(path):
        with open(path) as file:
            rows = list(csv.reader(file))[1:]
        times = np.array([row[0] for row in rows], dtype="datetime64[ns]").astype("i8")
        return times, np.array([float(row[1]) for row in rows])

    @staticmethod
    def ticks(path, column):
        """Milliseconds of the day; prices are integers, in hundredths of a cent."""
        with zipfile.ZipFile(path) as archive:
            rows = list(csv.reader(io.TextIOWrapper(archive.open(archive.namelist()[0]))))
        return (np.array([int(row[0]) * 1_000_000 for row in rows]), np.array([int(row[column]) for row in rows]))

    @staticmethod
    def weather(path, column):
        with open(path) as file:
            rows = [row for row in csv.DictReader(file) if row[column] not in ("", "NA")]
        for origin in sorted({row["origin"] for row in rows}):
            own = [row for row in rows if row["origin"] == origin]
            times = np.array([row["time_hour"].replace(" ", "T").rstrip("Z") for row in own], dtype="datetime64[ns]")
            yield times.astype("i8"), np.array([float(row[column]) for row in own])

    # ---- sides ----

    def measure(self, name, series):
        points = sum(len(times) for times, _ in series)
        ours = self.ours(series)
        pcodec = self.pcodec(series)
        sizes = {"Gorilla": sum(part["bytes"] for part in ours["published"].values()), "pcodec": pcodec["bytes"],
                 "Parquet": self.parquet(series), "DuckDB": self.duckdb(series)}

        def total(method, what):
            return sum(ours[method][part][what] for part in ("times", "values"))

        def speed(seconds):
            return f"{2 * points / seconds / 1e6:,.0f}"  # numbers
        auto, best = total("auto", "bytes"), min(sizes.values())
        row = [name, f"{points:,}", *(f"{size / points:.3f}" for size in (auto, *sizes.values())), f"{auto / best:.2f}x", "≤ 1.1x",
               f"{speed(total('auto', 'encode_s'))} / {speed(pcodec['encode_s'])} M/s",
               f"{speed(total('auto', 'decode_s'))} / {speed(total('published', 'decode_s'))} / {speed(pcodec['decode_s'])} M/s"]
        self.rows.append(row)
        for part in ("times", "values"):
            self.add_column(name, part, points, ours["auto"][part], ours["published"][part])
        print(f"  {name}: {row[2]} bytes a point, Gorilla {row[3]}, pcodec {row[4]}, Parquet {row[5]}, DuckDB {row[6]}", flush=True)

    def add_column(self, name, part, points, ours, gorilla):
        blocks = sorted(ours["blocks"].items(), key=lambda block: -block[1])
        self.columns.append([name, part, f"{ours['bytes'] / points:.3f}", f"{points / ours['decode_s'] / 1e9:.2f} G/s",
                             f"{points / gorilla['decode_s'] / 1e9:.2f} G/s", f"{gorilla['decode_s'] / ours['decode_s']:.1f}x",
                             ", ".join(f"{count} {encoding}" for encoding, count in blocks[:3])
                             + (f", {len(blocks) - 3} others" if len(blocks) > 3 else "")])

    def made(self):
        """Blocks of one encoding each; the bound is the memory that can be filled in the time."""
        fill, *results = self.run([self.program, "--made", str(self.scaled(2_048, 16))])
        for result in results:
            self.made_rows.append([result["name"], f"{result['bytes']:.3f}", f"{result['cached'] / 1e9:.2f} G/s",
                                   f"{result['gorilla'] / 1e9:.2f} G/s", f"{result['cached'] / result['gorilla']:.1f}x",
                                   f"{result['memory'] / 1e9:.2f} G/s", f"{result['memory'] / fill['memory']:.2f}"])
        self.made_rows.append([fill["name"], "", "", "", "", f"{fill['memory'] / 1e9:.2f} G/s", "1.00"])

    def ours(self, series):
        folder = self.data / "codec"
        remove(folder)
        folder.mkdir()
        values = np.concatenate([values for _, values in series])
        np.array([len(times) for times, _ in series], dtype="i8").tofile(folder / "counts")
        np.concatenate([times for times, _ in series]).astype("i8").tofile(folder / "times")
        values.tofile(folder / ("doubles" if values.dtype == np.float64 else "integers"))
        return self.run([self.program, folder])

    @staticmethod
    def pcodec(series):
        """The quickest of as many rounds as ours has."""
        from pcodec import ChunkConfig, standalone
        columns = [column for pair in series for column in pair]
        encode_s = decode_s = float("inf")
        for _ in range(7):
            begin = time.perf_counter()
            packed = [standalone.simple_compress(column, ChunkConfig()) for column in columns]
            encoded = time.perf_counter()
            for one in packed:
                standalone.simple_decompress(one)
            encode_s, decode_s = min(encode_s, encoded - begin), min(decode_s, time.perf_counter() - encoded)
        return {"bytes": sum(map(len, packed)), "encode_s": encode_s, "decode_s": decode_s}

    @staticmethod
    def parquet(series):
        """The sum of the smallest of each column."""
        import pyarrow as pa
        import pyarrow.parquet as pq
        total = 0
        for column in (0, 1):
            values = pa.table({"v": np.concatenate([pair[column] for pair in series])})
            encodings = ["BYTE_STREAM_SPLIT"] + (["DELTA_BINARY_PACKED"] if values["v"].type == pa.int64() else [])
            sizes = []
            for encoding in [None, *encodings]:
                file = io.BytesIO()
                pq.write_table(values, file, compression="zstd", use_dictionary=encoding is None,
                               column_encoding={"v": encoding} if encoding else None)
                sizes.append(file.tell())
            total += min(sizes)
        return total

    def duckdb(self, series):
        """What the file grows by."""
        import duckdb
        sizes = []
        for full in (False, True):
            path = self.data / "codec.duckdb"
            remove(path)
            with duckdb.connect(str(path)) as connection:
                numbers = {"t": np.concatenate([times for times, _ in series]),
                           "v": np.concatenate([values for _, values in series])}
                connection.execute("CREATE TABLE points AS SELECT * FROM numbers" + ("" if full else " LIMIT 0"))
                connection.execute("CHECKPOINT")
            sizes.append(path.stat().st_size)
            remove(path)
            del numbers
        return sizes[1] - sizes[0]
