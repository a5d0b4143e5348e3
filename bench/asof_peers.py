"""As-of joins of the peers: one of them in a process of its own, with its data in memory, as query_bench is ours. Prints
one JSON object of the same form. Probes that a peer wants sorted are sorted within the time; what it gives stays in
the order that it gives.

usage: asof_peers.py <peer> <options as JSON>
"""

import json
import sys

from peers import Sums, peak_memory_bytes, timed, with_times

REPEAT = 5


def read(path):
    import pyarrow as pa
    with pa.ipc.open_stream(pa.OSFile(path)) as stream:
        return stream.read_all()


def is_parquet(options):
    return options["quotes"].endswith(".parquet")


def polars(options):
    import polars as pl
    by_time = options["probes"].endswith("probes-time.arrows")
    probes = pl.from_arrow(read(options["probes"])).with_columns(pl.col("symbol").cast(pl.Categorical))

    def load():
        if is_parquet(options):
            frame = pl.read_parquet(options["quotes"])
        else:
            frame = pl.from_arrow(read(options["quotes"]))
        return frame.with_columns(pl.col("symbol").cast(pl.Categorical), pl.col("ts").alias("matched_time")).set_sorted("ts")
    quotes = None if is_parquet(options) else load()

    def join():
        left = probes.set_sorted("ts") if by_time else probes.sort("ts")
        right = load() if quotes is None else quotes
        return left.join_asof(right, on="ts", by="symbol", strategy=options["direction"], check_sortedness=False)
    return join, lambda joined: joined.with_columns(pl.col("symbol").cast(pl.String)).to_arrow()


def pandas(options):
    import pandas as pd
    import pyarrow as pa
    by_time = options["probes"].endswith("probes-time.arrows")
    probes = read(options["probes"]).to_pandas()
    quotes = read(options["quotes"]).to_pandas()
    quotes["matched_time"] = quotes["ts"]

    def join():
        left = probes if by_time else probes.sort_values("ts")
        return pd.merge_asof(left, quotes, on="ts", by="symbol", direction=options["direction"])
    return join, lambda joined: pa.Table.from_pandas(joined, preserve_index=False)


def duckdb(options):
    import duckdb as peer
    connection = peer.connect()
    arrow_quotes, arrow_probes = read(options["quotes"]), read(options["probes"])
    connection.register("arrow_quotes", arrow_quotes)
    connection.register("arrow_probes", arrow_probes)
    connection.execute("create type symbols as enum (select distinct symbol::varchar from arrow_quotes order by all)")
    for name in ("quotes", "probes"):
        connection.execute(f"create table {name} as select * replace (symbol::varchar::symbols as symbol) from arrow_{name}")
        connection.unregister(f"arrow_{name}")
    sign = ">=" if options["direction"] == "backward" else "<="
    query = ("select p.*, q.bid, q.ask, q.ts as matched_time from probes p asof left join quotes q"
             f" on p.symbol = q.symbol and p.ts {sign} q.ts")
    return (lambda: connection.sql(query).to_arrow_table()), lambda joined: joined


def main():
    who, options = sys.argv[1:]
    join, to_arrow = {"polars": polars, "pandas": pandas, "duckdb": duckdb}[who](json.loads(options))
    ready = peak_memory_bytes()
    join()
    times = [timed(join) for _ in range(REPEAT)]
    peak = peak_memory_bytes()
    sums = Sums()
    for batch in to_arrow(join()).combine_chunks().to_batches():
        sums.add(batch)
    print(json.dumps(with_times({"ready_bytes": ready, "peak_bytes": peak, "sums": sums.sums}, times)))


if __name__ == "__main__":
    main()
