"""The real ticks of ../shared/data, as tables with UTC times."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TICKS = DATA / "ticks"
FX = DATA / "fx"
QUOTED = (("bac", "20131007"), ("ibm", "20131007"), ("ibm", "20131008"))


def equity(symbol, day, kind):
    """Milliseconds of the day in New York; prices in hundredths of a cent. A quote names one side, the other is 0: null here."""
    names = ["ms", "price", "size"] if kind == "trade" else ["ms", "bid", "bidsize", "ask", "asksize"]
    table = read(TICKS / f"{symbol}_{day}_{kind}.zip", [*names, "exchange", "condition", "suspicious"])
    midnight = pd.Timestamp(day, tz="America/New_York").tz_convert("UTC").tz_localize(None)
    table.insert(0, "time", (midnight + pd.to_timedelta(table.pop("ms"), unit="ms")).astype("datetime64[us]"))
    table.insert(1, "symbol", symbol)
    for price, size in (("price", "size"),) if kind == "trade" else (("bid", "bidsize"), ("ask", "asksize")):
        there = table[price] > 0
        table[size] = table[size].astype("Int64").where(there)
        table[price] = np.where(there, table[price] / 10_000, np.nan)
    return table


def fx(vendor, day):
    """Milliseconds of the day, Oanda's in UTC, FXCM's five hours behind it in summer too."""
    table = read(FX / f"{vendor}_nzdusd_{day}_quote.zip", ["ms", "bid", "ask"])
    midnight = pd.Timestamp(day) + pd.Timedelta(hours=5 if vendor == "fxcm" else 0)
    table.insert(0, "time", (midnight + pd.to_timedelta(table.pop("ms"), unit="ms")).astype("datetime64[us]"))
    table.insert(1, "vendor", vendor)
    return table


def read(path, names):
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
        return pd.read_csv(file, header=None, names=names, dtype={"exchange": str, "condition": str})
