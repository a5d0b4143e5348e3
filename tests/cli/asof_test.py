"""Without these, a probe could be joined to another row, or lose its own columns on the way through the command line."""

import json

from harness import CliTest, main

PROBES = """time,station,id
2024-01-01T02:30:00Z,B,1
2024-01-01T02:30:00Z,A,2
2024-01-01T00:00:00Z,A,3
2023-12-31T23:00:00Z,A,4
2024-01-01T09:00:00Z,D,5
"""


class Asof(CliTest):
    def setUp(self):
        super().setUp()
        self.import_stations()
        self.write("probes.csv", PROBES)

    def joined(self, *args, probes="probes.csv", **options):
        """The rows of a join by the numbers of their probes: count in the table, None without a row."""
        rows = [json.loads(line) for line in self.out("asof", "stations", "--probes", probes, "--json", *args, **options).splitlines()]
        self.assertEqual([row["id"] for row in rows], list(range(1, len(rows) + 1)), "in the order of the probes")
        return [row["count"] for row in rows]

    def test_table(self):
        self.assertEqual(self.out("asof", "stations", "--probes", "probes.csv", "--columns", "temp"), (
            "time                  station  id  temp  matched_time\n"
            "2024-01-01T02:30:00Z  B         1  11.0  2024-01-01T01:00:00Z\n"
            "2024-01-01T02:30:00Z  A         2  null  2024-01-01T02:00:00Z\n"
            "2024-01-01T00:00:00Z  A         3   1.5  2024-01-01T00:00:00Z\n"
            "2023-12-31T23:00:00Z  A         4  null  null\n"
            "2024-01-01T09:00:00Z  D         5  null  null\n"))

    def test_directions(self):
        self.assertEqual(self.joined(), [6, 3, 1, None, None])
        self.assertEqual(self.joined("--direction", "forward"), [7, 4, 1, 1, None])
        self.assertEqual(self.joined("--direction", "nearest"), [6, 3, 1, 1, None])
        self.assertEqual(self.joined("--strict"), [6, 3, None, None, None])
        self.assertEqual(self.joined("--direction", "forward", "--strict"), [7, 4, 2, 1, None])

    def test_tolerance(self):
        self.assertEqual(self.joined("--tolerance", "30m"), [None, 3, 1, None, None])
        self.assertEqual(self.joined("--tolerance", "1799999999999ns"), [None, None, 1, None, None])

    def test_last_value_that_is_not_null(self):
        rows = [json.loads(line) for line in self.out("asof", "stations", "--probes", "probes.csv", "--columns", "count,temp",
                                                      "--last-non-null", "temp", "--json").splitlines()]
        self.assertEqual([(row["count"], row["temp"]) for row in rows[:2]], [(6, 11.0), (3, 2.5)])
        self.assertEqual(rows[1]["matched_time"], "2024-01-01T02:00:00Z")

    def test_where_and_names(self):
        self.assertEqual(self.joined("--where", "station=A"), [None, 3, 1, None, None])
        row = json.loads(self.out("asof", "stations", "--probes", "probes.csv", "--matched-time", "seen", "--json").splitlines()[0])
        self.assertEqual(list(row), ["time", "station", "id", "temp", "count", "remark", "seen"])

    def test_inputs_and_outputs(self):
        self.assertEqual(self.joined(probes="-", stdin=PROBES), [6, 3, 1, None, None])
        self.run_cli("asof", "stations", "--probes", "probes.csv", "-o", "joined.parquet")
        self.run_cli("import", "copy", "joined.parquet", "--create", "--time", "time", "--tag", "station", "--bucket", "1s")
        self.assertEqual(sorted(row["id"] for row in self.rows("copy")), [1, 2, 3, 4, 5])
        self.write("probes.jsonl", '{"time":"2024-01-01T02:30:00Z","station":"B","id":1}\n')
        self.assertEqual(self.joined(probes="probes.jsonl"), [6])

    def test_native_segments_and_earlier_versions(self):
        self.run_cli("compact", "stations", "--segments", "native")
        self.assertEqual(self.joined(), [6, 3, 1, None, None])
        self.write("late.csv", "time,station,temp,count,remark\n2024-01-01T02:10:00Z,B,1,9,\n")
        self.run_cli("import", "stations", "late.csv")
        self.assertEqual(self.joined()[0], 9)
        self.assertEqual(self.joined("--at", "2")[0], 6)

    def test_columns_of_the_probes_are_renamed(self):
        self.write("probes.csv", PROBES.replace("time,station,id", "at,place,id"))
        self.assertEqual(self.joined("--map", "at=time", "--map", "place=station"), [6, 3, 1, None, None])

    def test_bad_input(self):
        self.assertIn("no column volume", self.error("asof", "stations", "--probes", "probes.csv", "--columns", "volume", code=3))
        self.assertIn("--tolerance", self.error("asof", "stations", "--probes", "probes.csv", "--tolerance", "5 parsec", code=2))
        self.assertIn("--probes", self.error("asof", "stations", code=2))
        self.error("asof", "stations", "--probes", "absent.csv", code=3)
        self.write("odd.csv", "time,id\n2024-01-01T00:00:00Z,1\n")
        self.assertIn("station", self.error("asof", "stations", "--probes", "odd.csv", code=1))
        row = json.loads(self.out("asof", "stations", "--probes", "probes.csv", "--columns", "station", "--suffix", "_there", "--json").splitlines()[0])
        self.assertEqual(row["station_there"], "B")
        self.assertIn("two columns station",
                      self.error("asof", "stations", "--probes", "probes.csv", "--columns", "station", code=1))


if __name__ == "__main__":
    main()
