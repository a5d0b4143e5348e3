"""Aggregates on a peer: a process of its own that prints one JSON object as query_bench does.

usage: aggregate_peer.py make <peer> <place> <folder of Parquet files>: have the peer keep their rows in its own format
       aggregate_peer.py ask <question as JSON>
"""

import json
import re
import sys
from pathlib import Path

from peers import Sums, peak_memory_bytes, timed, with_times

REPEAT, REPEAT_S = 5, 10  # times, and seconds behind which it is not asked again


def kind_of(aggregate):
    """Integers stay integers."""
    return "int64" if re.match(r"sum\(requests|count", aggregate) else "double"


def select(question, source, bucket, cast, time):
    """The question in SQL. `bucket` and `time` write an interval of microseconds' begin and a time, `cast` an aggregate's type."""
    keys = (["host"] if question["by"] else []) + (["ts"] if question["every_us"] else [])
    columns = ["host"] if question["by"] else []
    if question["every_us"]:
        columns.append(f"{bucket(question['every_us'])} as bucket")
    columns += [f'{cast(function(aggregate), kind_of(aggregate))} as "{aggregate}"' for aggregate in question["aggregates"]]
    conditions = []
    if question["where"]:
        conditions.append(f"host in ({', '.join(repr(host) for host in question['where'])})")
    if question["range"]:
        begin, end = question["range"]
        conditions.append(f"ts >= {time(begin)} and ts < {time(end)}")
    numbers = ", ".join(str(i + 1) for i in range(len(keys)))
    return (f"select {', '.join(columns)} from {source}" + (f" where {' and '.join(conditions)}" if conditions else "")
            + (f" group by {numbers} order by {numbers}" if keys else ""))


def function(aggregate):
    return "count(*)" if aggregate == "count" else aggregate


# ---- DuckDB, over the Parquet files and on a table of its own ----

def duckdb_connection(question):
    import duckdb
    return duckdb.connect(question["place"], read_only=True) if question["who"] == "duckdb native" else duckdb.connect()


def ask_duckdb(question):
    source = "fleet" if question["who"] == "duckdb native" else f"read_parquet('{question['files']}/*.parquet')"
    connection = duckdb_connection(question)
    query = select(question, source,
                   lambda every_us: f"time_bucket(to_microseconds({every_us}), ts, timestamp '1970-01-01')",
                   lambda what, kind: f"({what})::bigint" if kind == "int64" else what, lambda time: f"make_timestamp({time})")
    return lambda: connection.sql(query).to_arrow_table()


def make_duckdb(place, files):
    import duckdb
    with duckdb.connect(place) as connection:
        connection.execute(f"create table fleet as select * from read_parquet('{files}/*.parquet') order by host, ts")


# ---- Polars, over the Parquet files ----

def ask_polars(question):
    import polars as pl
    frame = pl.scan_parquet(f"{question['files']}/*.parquet")
    if question["where"]:
        frame = frame.filter(pl.col("host").cast(pl.String).is_in(question["where"]))
    if question["range"]:
        begin, end = (pl.lit(time).cast(pl.Datetime("us")) for time in question["range"])
        frame = frame.filter((pl.col("ts") >= begin) & (pl.col("ts") < end))
    keys = [pl.col("host")] if question["by"] else []
    if question["every_us"]:
        keys.append(pl.col("ts").dt.truncate(f"{question['every_us']}us").alias("bucket"))
    aggregates = []
    for aggregate in question["aggregates"]:
        what, _, column = aggregate.rstrip(")").partition("(")
        value = pl.len() if what == "count" else getattr(pl.col(column), {"avg": "mean"}.get(what, what))()
        aggregates.append((value.cast(pl.Int64) if kind_of(aggregate) == "int64" else value).alias(aggregate))
    query = frame.group_by(keys).agg(aggregates).sort([key.meta.output_name() for key in keys]) if keys else frame.select(aggregates)
    return lambda: query.collect(engine="streaming").to_arrow()


# ---- chdb, on a table of its own ----

def chdb_session(place):
    import chdb.session
    return chdb.session.Session(place)


def ask_chdb(question):
    session = chdb_session(question["place"])
    query = select(question, "bench.fleet",
                   lambda every_us: f"toDateTime64(toStartOfInterval(ts, interval {every_us // 1_000_000} second), 6, 'UTC')",
                   lambda what, kind: f"toInt64({what})" if kind == "int64" else what,
                   lambda time: f"fromUnixTimestamp64Micro({time}, 'UTC')")
    return lambda: session.query(query, "ArrowTable")


def make_chdb(place, files):
    session = chdb_session(place)
    session.query("create database bench")
    session.query("create table bench.fleet (ts DateTime64(6, 'UTC'), host LowCardinality(String), usage Float64, requests Int64)"
                  " engine = MergeTree order by (host, ts)")
    for file in sorted(Path(files).glob("*.parquet")):
        session.query(f"insert into bench.fleet select * from file('{file}', Parquet)")
    session.query("optimize table bench.fleet final")


ASK = {"duckdb": ask_duckdb, "duckdb native": ask_duckdb, "polars": ask_polars, "chdb": ask_chdb}
MAKE = {"duckdb native": make_duckdb, "chdb": make_chdb}


def sums_of(answer):
    import pyarrow as pa
    sums = Sums()
    for batch in answer.combine_chunks().to_batches():
        columns = {{"bucket": "ts"}.get(name, name): batch.column(name) for name in batch.schema.names}
        sums.add(pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)))
    return sums.sums


def main():
    if sys.argv[1] == "make":
        who, place, files = sys.argv[2:]
        MAKE[who](place, files)
        print("{}")
        return
    question = json.loads(sys.argv[2])
    ask = ASK[question["who"]](question)
    ready = peak_memory_bytes()
    answer = ask()
    times = [timed(ask)]
    while len(times) < REPEAT and sum(seconds for seconds, _ in times) < REPEAT_S:
        times.append(timed(ask))
    print(json.dumps(with_times({"ready_bytes": ready, "peak_bytes": peak_memory_bytes(), "sums": sums_of(answer)}, times)))


if __name__ == "__main__":
    main()
