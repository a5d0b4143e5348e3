"""Aggregates on DuckDB, over Parquet files: a process of its own that prints one JSON object as query_bench does.

usage: aggregate_peer.py <question as JSON>
"""

import json
import re
import sys

from peers import Sums, peak_memory_bytes, timed, with_times

REPEAT = 5


def sql(question):
    keys = (["host"] if question["by"] else []) + (["ts"] if question["every_us"] else [])
    columns = (["host"] if question["by"] else [])
    if question["every_us"]:
        columns.append(f"time_bucket(to_microseconds({question['every_us']}), ts, timestamp '1970-01-01') as ts")
    for aggregate in question["aggregates"]:
        function = "count(*)" if aggregate == "count" else aggregate
        kind = "::bigint" if re.match(r"sum\(requests|count", aggregate) else ""
        columns.append(f'({function}){kind} as "{aggregate}"')
    conditions = []
    if question["where"]:
        conditions.append(f"host in ({', '.join(repr(host) for host in question['where'])})")
    if question["range"]:
        begin, end = question["range"]
        conditions.append(f"ts >= make_timestamp({begin}) and ts < make_timestamp({end})")
    return (f"select {', '.join(columns)} from read_parquet('{question['files']}/*.parquet')"
            + (f" where {' and '.join(conditions)}" if conditions else "")
            + (f" group by {', '.join(str(i + 1) for i in range(len(keys)))} order by all" if keys else ""))


def main():
    import duckdb
    question = json.loads(sys.argv[1])
    connection = duckdb.connect()
    query = sql(question)

    def aggregate():
        return connection.sql(query).to_arrow_table()
    ready = peak_memory_bytes()
    aggregate()
    times = [timed(aggregate) for _ in range(REPEAT)]
    sums = Sums()
    for batch in aggregate().combine_chunks().to_batches():
        sums.add(batch)
    print(json.dumps(with_times({"ready_bytes": ready, "peak_bytes": peak_memory_bytes(), "sums": sums.sums}, times)))


if __name__ == "__main__":
    main()
