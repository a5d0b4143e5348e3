"""Rows for the tests: every type that both programs can hold, awkward values, times before 1970; and how to compare them.

All random choices come from the seed that the caller gives.
"""

import decimal
import random
from collections import Counter

import pyarrow as pa

from peers import V1

UNITS = {"ms": 10**3, "us": 10**6, "ns": 10**9}
HOUR = 3600
DAY = 24 * HOUR
YEAR_2024 = 1704067200  # seconds at 2024-01-01T00:00:00Z, which begins a bucket of any width in use here but 7d

FIELDS = [
    ("flag", pa.bool_()),
    ("i32", pa.int32()),
    ("i64", pa.int64()),
    ("f32", pa.float32()),
    ("f64", pa.float64()),
    ("text", pa.string()),
    ("blob", pa.binary()),
    ("at_ms", pa.timestamp("ms")),
    ("at_us", pa.timestamp("us")),
    ("at_ns", pa.timestamp("ns")),
    ("small_price", pa.decimal128(9, 2)),
    ("price", pa.decimal128(18, 4)),
    ("big_price", pa.decimal128(38, 10)),
    ("nothing", pa.float64()),
]
if not V1:  # 0.1.4 forgets zones, and reads uint64 as int64
    FIELDS += [
        ("u64", pa.uint64()),
        ("at_ms_utc", pa.timestamp("ms", "UTC")),
        ("at_us_york", pa.timestamp("us", "America/New_York")),
        ("at_ns_utc", pa.timestamp("ns", "UTC")),
    ]

TEXTS = ["", "a", "temp=5 °C", "日本", "line\nbreak,\"quote\"", "x" * 300]
DOUBLES = [0.0, -0.0, 1.5, -2.25, float("inf"), float("-inf"), float("nan"), 5e-324, 1.7976931348623157e308]


def value(kind, rng):
    if pa.types.is_boolean(kind):
        return rng.random() < 0.5
    if pa.types.is_integer(kind) or pa.types.is_timestamp(kind):
        bits = 64 if pa.types.is_timestamp(kind) else kind.bit_width
        if pa.types.is_timestamp(kind):  # years that RFC 3339 can spell, on both sides of 1970
            return rng.randrange(-10**8, 4 * 10**9) * UNITS[kind.unit] + rng.randrange(UNITS[kind.unit])
        low, high = (0, 2**bits - 1) if str(kind).startswith("uint") else (-2**(bits - 1), 2**(bits - 1) - 1)
        return rng.choice([low, high, 0, 1, rng.randint(low, high)])
    if kind == pa.float32():
        return rng.choice([value for value in DOUBLES if not 0 < abs(value) < 1e-300 and not 1e300 < value < float("inf")])
    if pa.types.is_floating(kind):
        return rng.choice(DOUBLES + [rng.uniform(-1e6, 1e6)])
    if pa.types.is_string(kind):
        return rng.choice(TEXTS)
    if pa.types.is_binary(kind):
        return rng.choice([b"", b"\0\xff\xfe", bytes(range(256)), rng.randbytes(5)])
    largest = 10**kind.precision - 1
    return decimal.Decimal(rng.choice([0, 1, -1, largest, -largest, rng.randint(-largest, largest)])).scaleb(
        -kind.scale, decimal.Context(prec=76))


def fields(count, seed, columns=None):
    """Columns of all types, a quarter of the values null; `nothing` is null throughout."""
    rng = random.Random(seed)
    made = {}
    for name, kind in columns or FIELDS:
        values = [None if name == "nothing" or rng.random() < 0.25 else value(kind, rng) for _ in range(count)]
        made[name] = pa.array(values, pa.int64()).cast(kind) if pa.types.is_timestamp(kind) else pa.array(values, kind)
    return made


def times(seconds, unit="us", zone=None, offset=0):
    """A timestamp column; `offset` is in the column's unit."""
    return pa.array([int(s * UNITS[unit]) + offset for s in seconds], pa.int64()).cast(pa.timestamp(unit, zone))


def hours(begin, count, step=HOUR):
    return [begin + i * step for i in range(count)]


def readings(seconds, seed=1, tags=None, unit="us", zone=None, columns=None):
    """A table: tags, time, all fields."""
    made = dict(tags or {})
    made["ts"] = times(seconds, unit, zone)
    made.update(fields(len(seconds), seed, columns))
    return pa.table(made)


def simple(seconds, start=0, tags=None, unit="us"):
    """A table of time and a field `v` that counts from `start`, so that every row can be told from any other."""
    made = dict(tags or {})
    made["ts"] = times(seconds, unit)
    made["v"] = pa.array(range(start, start + len(seconds)), pa.int64())
    return pa.table(made)


def plain(column):
    """Values that compare as the bits they are: NaN equals itself, -0.0 is not 0.0, times are counts of their unit."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.int64()).to_pylist()
    if pa.types.is_floating(column.type):
        return [None if value is None else repr(value) for value in column.to_pylist()]
    if pa.types.is_decimal(column.type):
        return [None if value is None else str(value) for value in column.to_pylist()]
    return column.to_pylist()


def counted(table, names):
    return Counter(map(repr, zip(*(plain(table.column(name)) for name in names))))


def assert_same_rows(test, wanted, got, who, types=True):
    """The same rows in any order, the same columns in the same order; `types`: also of the same types."""
    test.assertEqual(wanted.schema.names, got.schema.names, f"{who}: columns")
    if types:
        test.assertEqual([(field.name, str(field.type)) for field in wanted.schema],
                         [(field.name, str(field.type)) for field in got.schema], f"{who}: types")
    test.assertEqual(wanted.num_rows, got.num_rows, f"{who}: rows")
    left, right = counted(wanted, wanted.schema.names), counted(got, wanted.schema.names)
    if left != right:
        test.fail(f"{who}: {sum((left - right).values())} rows differ; "
                  f"missing {list((left - right))[:2]}, unexpected {list((right - left))[:2]}")
