"""The two programs that share tables: the reference's Python package (theirs) and the command line `marigram` (ours).

Both are driven through the same few functions, whose tables are pyarrow's.
"""

import io
import json
import os
import re
import subprocess
import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import timeseries_table_format as ttf

VERSION = ttf.__version__
V1 = VERSION == "0.1.4"
DIALECT = "v1" if V1 else "v7"
BINARY = os.environ["MARIGRAM_BIN"]

# Exit codes of the command line.
OK, FAILURE, USAGE, NOT_FOUND, CONFLICT = 0, 1, 2, 3, 4


class Refused(Exception):
    """`marigram` ended with another code than 0."""

    def __init__(self, code, text):
        super().__init__(f"exit code {code}: {text}")
        self.code = code


def marigram(*arguments):
    """Standard output of one run; Refused if it fails."""
    done = subprocess.run([BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    if done.returncode != OK:
        raise Refused(done.returncode, done.stderr.decode(errors="replace") + done.stdout.decode(errors="replace"))
    return done.stdout


class Ours:
    name = "ours"

    @staticmethod
    def create(root, index="ts", kind="timestamp", step="1h", tags=(), timezone=None, options=()):
        """`tags`: names, or name:type. `options` go to the command line as they are."""
        words = ["create", root, "--time", index, "--dialect", DIALECT]
        words += ["--bucket", step] if kind == "timestamp" else ["--index-type", kind, "--index-step", step]
        for tag in tags:
            words += ["--tag", tag]
        if timezone:
            words += ["--timezone", timezone]
        marigram(*words, *options)

    @staticmethod
    def append(root, rows, name=None, **options):
        """Appends one file; returns the version."""
        return json.loads(marigram("append", root, write_rows(root, rows, name, **options), "--json"))["version"]

    @staticmethod
    def add(root, rows):
        """Appends as a stream of rows, which a v1 table too takes into segments of ours; times in UTC."""
        text = io.BytesIO()
        pa.csv.write_csv(rows, text)
        path = Path(f"{root}-{uuid.uuid4().hex}.csv")
        path.write_bytes(text.getvalue())
        marigram("import", root, path)

    @staticmethod
    def rows(root, *options):
        return pa.ipc.open_stream(io.BytesIO(marigram("scan", root, "--format", "arrow", *options))).read_all()

    @staticmethod
    def show(root):
        return json.loads(marigram("show", root, "--json"))

    @staticmethod
    def segments(root):
        return json.loads(marigram("segments", root, "--json"))["segments"]

    @staticmethod
    def coverage(root, *options):
        return json.loads(marigram("coverage", root, "--json", *options))

    @staticmethod
    def problems(root):
        """What `verify` finds; empty for a sound table."""
        done = subprocess.run([BINARY, "verify", str(root), "--json"], capture_output=True, text=True, timeout=120)
        try:
            report = json.loads(done.stdout)
            return report["problems"]
        except (ValueError, KeyError):
            return [f"verify said {done.returncode}: {done.stdout}{done.stderr}"]


class Theirs:
    name = "theirs"

    @staticmethod
    def create(root, index="ts", kind="timestamp", step="1h", tags=(), timezone=None):
        tags = [tag.partition(":")[0] for tag in tags]
        if V1:
            ttf.TimeSeriesTable.create(table_root=str(root), time_column=index, bucket=step, entity_columns=tags,
                                       timezone=timezone)
        else:
            ttf.TimeSeriesTable.create(table_root=str(root), index_column=index, index_type=kind,
                                       index_granularity=step, entity_columns=tags, timezone=timezone)

    @staticmethod
    def open(root):
        return ttf.TimeSeriesTable.open(str(root))

    @staticmethod
    def append(root, rows, name=None, **options):
        """`options`: in v1 pyarrow's for the file, in v7 those of their append."""
        table = Theirs.open(root)
        if V1:
            return table.append_parquet(str(write_rows(root, rows, name, **options)))
        return table.append(rows, **options).committed_version

    @staticmethod
    def rows(root):
        session = ttf.Session()
        session.register_tstable("t", str(root))
        return session.sql("select * from t")

    @staticmethod
    def query(root, text):
        """Of the table `t`, as a list of rows."""
        session = ttf.Session()
        session.register_tstable("t", str(root))
        return session.sql(text).to_pylist()

    @staticmethod
    def version(root):
        return Theirs.open(root).version()


# What an append of theirs raises when the rows' buckets are covered already, and when another writer was quicker.
OVERLAP = ttf.CoverageOverlapError if V1 else ttf.IndexIntervalOverlapError


def lost_race(error):
    """Whether an append of theirs failed only because another writer took its version: then it may be tried again."""
    if isinstance(error, ttf.ConflictError):
        return True
    return isinstance(error, ttf.StorageError) and "exist" in str(error).lower()


def write_rows(root, rows, name=None, **options):
    """A Parquet file of the rows, `options` of pyarrow. In v1 it becomes the segment, so it is put in the table's folder."""
    folder = Path(root) / "data" if V1 else Path(str(root) + "-input")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name or uuid.uuid4().hex}.parquet"
    unfinished = path.with_suffix(".part")  # the writer may be killed
    pq.write_table(rows, unfinished, **options)
    unfinished.rename(path)
    return path


def commit_path(root, version):
    return Path(root) / "_timeseries_log" / f"{version:010d}.json"


def commit(root, version):
    return json.loads(commit_path(root, version).read_text(encoding="utf-8"))


def current(root):
    return int((Path(root) / "_timeseries_log" / "CURRENT").read_text(encoding="ascii"))


def set_current(root, version):
    (Path(root) / "_timeseries_log" / "CURRENT").write_text(f"{version}\n", encoding="ascii")


def log_versions(root):
    """The numbers of all commit files, in order."""
    names = (path.name for path in (Path(root) / "_timeseries_log").iterdir())
    return sorted(int(name[:-5]) for name in names if re.fullmatch(r"\d{10,}\.json", name))
