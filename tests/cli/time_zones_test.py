"""Without these a day could begin an hour off, or a row be counted on the wrong day, where clocks are set: every change of
every zone from 1900 to 2037, held against Python's zoneinfo."""

import datetime
import struct
import zoneinfo
from pathlib import Path

from harness import CliTest, main

UTC = datetime.timezone.utc
SECOND = datetime.timedelta(seconds=1)
FOLDER = Path("/usr/share/zoneinfo")
BEGIN = datetime.datetime(1900, 1, 1, tzinfo=UTC)
END = datetime.datetime(2038, 1, 1, tzinfo=UTC)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
WIDTHS = ["1h", "4h", "1w", "1mo"]  # beside 1d; one a zone, in turn


def changes(name):
    """When the clocks of a zone are set: the 64-bit transition times of its file (RFC 8536)."""
    data = (FOLDER / name).read_bytes()

    def counts(at):
        return struct.unpack(">6l", data[at + 20:at + 44])
    isutc, isstd, leap, times, types, chars = counts(0)
    second = 44 + times * 5 + types * 6 + chars + leap * 8 + isstd + isutc
    count = counts(second)[3]
    for seconds in struct.unpack(f">{count}q", data[second + 44:second + 44 + 8 * count]):
        if BEGIN.timestamp() <= seconds < END.timestamp():
            yield EPOCH + datetime.timedelta(seconds=seconds)


def shown(time, zone):
    return time.astimezone(zone).replace(tzinfo=None)


def when_shown(local, zone):
    """The times at which clocks show `local`; where they skip it, that at which they do."""
    guesses = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    there = sorted({guess for guess in guesses if shown(guess, zone) == local})
    if there:
        return there
    low, high = min(guesses) - SECOND, max(guesses) + SECOND
    while high - low > SECOND:
        middle = low + (high - low) // 2 // SECOND * SECOND
        low, high = (low, middle) if shown(middle, zone) >= local else (middle, high)
    return [high]


def midnight(day):
    return datetime.datetime.combine(day, datetime.time())


def bucket_of(time, zone, width):
    local = shown(time, zone)
    if width.endswith("h"):
        hours = datetime.timedelta(hours=int(width[:-1]))
        down = midnight(local.date()) + (local - midnight(local.date())) // hours * hours
        # What clocks showed before they were set back may be later than what they show: by a day where they cross the date line.
        day_before = time - datetime.timedelta(days=1)
        is_far = abs(shown(day_before, zone) + datetime.timedelta(days=1) - local) > datetime.timedelta(hours=3)
        return max(at for number in range(-1, 26 if is_far else 3) for at in when_shown(down + number * hours, zone) if at <= time)
    days = datetime.timedelta(days=1)
    begin = {"1d": local.date(), "1w": local.date() - local.weekday() * days, "1mo": local.date().replace(day=1)}[width]
    after = {"1d": begin + days, "1w": begin + 7 * days, "1mo": (begin + 31 * days).replace(day=1)}[width]
    ends = when_shown(midnight(after), zone)[0]
    # Behind its end clocks may show times of before once more.
    return when_shown(midnight(begin), zone)[0] if time < ends else ends


class TimeZonesTest(CliTest):
    def test_every_change_of_every_zone(self):
        names = sorted(name for name in zoneinfo.available_timezones() - {"Factory", "localtime"} if (FOLDER / name).is_file())
        self.assertGreater(len(names), 400)
        times = {}
        for name in names:
            around = {change + datetime.timedelta(seconds=seconds) for change in changes(name)
                      for seconds in (-86_400, -7_200, -1, 0, 1, 1_799, 3_600, 50_000)}
            times[name] = sorted(around | {BEGIN, END - SECOND})
        self.write("times.csv", "time,zone\n" + "".join(f"{time:%Y-%m-%dT%H:%M:%S}Z,{name}\n"
                                                        for name in names for time in times[name]))
        self.run_cli("import", "times", "times.csv", "--create", "--time", "time", "--tag", "zone", "--duplicates", "all",
                     "--bucket", "1d", "--partition", "100000d", "--segments", "native")
        for number, name in enumerate(names):
            zone = zoneinfo.ZoneInfo(name)
            for width in ("1d", WIDTHS[number % len(WIDTHS)]):
                want = {}
                for time in times[name]:
                    start = f"{bucket_of(time, zone, width):%Y-%m-%dT%H:%M:%S}Z"
                    want[start] = want.get(start, 0) + 1
                out = self.out("aggregate", "times", "--agg", "count", "--every", width, "--timezone", name, "--where",
                               f"zone={name}", "--format", "csv")
                got = dict(line.split(",") for line in out.splitlines()[1:])
                self.assertEqual({start: int(count) for start, count in got.items()}, want, f"{name} {width}")

    def test_intervals_of_a_calendar(self):
        self.import_stations()
        daily = ["aggregate", "stations", "--agg", "count", "--format", "csv", "--every"]
        self.assertEqual(self.out(*daily, "1d", "--timezone", "America/New_York").splitlines()[1:],
                         ["2023-12-31T05:00:00Z,7", "2024-01-01T05:00:00Z,1"])
        self.assertEqual(self.out(*daily, "1w").splitlines()[1:], ["2024-01-01T00:00:00Z,8"])
        self.assertEqual(self.out(*daily, "1y", "--timezone", "Europe/Berlin").splitlines()[1:], ["2023-12-31T23:00:00Z,8"])
        self.assertEqual(self.out(*daily, "2h", "--origin", "2024-01-01T01:00:00Z").splitlines()[1:],
                         ["2023-12-31T23:00:00Z,2", "2024-01-01T01:00:00Z,3", "2024-01-01T03:00:00Z,2", "2024-01-01T05:00:00Z,1"])
        self.assertIn("Mars/Olympus", self.error(*daily, "1d", "--timezone", "Mars/Olympus", code=1))
        for wrong in (["1x"], ["0mo"], ["mo"], ["2000000y"], ["1d", "--origin", "noon"]):
            self.error(*daily, *wrong, code=2)
        self.error("aggregate", "stations", "--agg", "count", "--timezone", "UTC", code=2)


if __name__ == "__main__":
    main()
