#!/usr/bin/env python3
"""One writer of a shared table, a process of its own so that it can be killed.

usage: committer.py ours|theirs <table> <first hour> <hours> <writers> [tag]

Says "ready", waits for a line on its standard input, then appends one row an hour, of series host=<tag> if there is a
tag, one commit each, trying again whenever another writer was quicker; a row that is in the table already counts as
appended (it was, by a predecessor that was killed before it could say so). Prints each hour's number once its row is
known to be in the table. Ends with 0 after the last. Of several <writers> none runs far ahead of the others, so that they
do meet.
"""

import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa

from peers import BINARY, CONFLICT, OK, OVERLAP, V1, Theirs, current, lost_race, write_rows
from rows import HOUR, YEAR_2024, simple

TRIES_MAX = 20_000
AHEAD_MAX = 3  # rows, of the mean of all writers


def rows_of(hour, tag):
    return simple([YEAR_2024 + hour * HOUR], hour, {"host": pa.array([tag])} if tag else None)


def append_ours(root, path):
    done = subprocess.run([BINARY, "append", root, str(path), "--json"], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True)
    if done.returncode == OK:
        return True
    if done.returncode == CONFLICT:
        return '"overlap"' in done.stderr + done.stdout
    sys.exit(f"ours: exit code {done.returncode}: {done.stderr}{done.stdout}")


def append_theirs(root, path, rows):
    try:
        table = Theirs.open(root)
        if V1:
            table.append_parquet(str(path))
        else:
            table.append(rows)
        return True
    except OVERLAP:
        return True
    except Exception as error:
        if lost_race(error):
            return False
        raise


def main():
    who, root = sys.argv[1:3]
    first, count, writers = map(int, sys.argv[3:6])
    tag = sys.argv[6] if len(sys.argv) > 6 else None
    print("ready", flush=True)
    sys.stdin.readline()
    for hour in range(first, first + count):
        rows = rows_of(hour, tag)
        name = f"hour-{hour}-{tag}"
        path = Path(root) / "data" / f"{name}.parquet" if V1 else Path(root + "-input") / f"{name}.parquet"
        if not path.exists():
            path = write_rows(root, rows, name)
        while current(root) <= (hour - first - AHEAD_MAX) * writers:
            time.sleep(0.001)
        for _ in range(TRIES_MAX):
            if append_ours(root, path) if who == "ours" else append_theirs(root, path, rows):
                break
            time.sleep(0.002)
        else:
            sys.exit(f"{who}: hour {hour} never found its turn")
        print(hour, flush=True)


if __name__ == "__main__":
    main()
