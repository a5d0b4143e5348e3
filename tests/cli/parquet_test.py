"""Without these, Parquet files that people bring could not be imported, or bring other values than they hold."""

import subprocess

from harness import BIN, STATIONS_CREATE, CliTest, environment, main


class Parquet(CliTest):
    def setUp(self):
        super().setUp()
        self.import_stations()
        self.run_cli("scan", "stations", "-o", "rows.parquet")

    def test_comes_back_as_it_went_out(self):
        self.run_cli("import", "again", "rows.parquet", *STATIONS_CREATE)
        self.assertEqual(self.rows("again"), self.rows("stations"))
        self.assertEqual(self.json("show", "again")["fields"], self.json("show", "stations")["fields"])

    def test_is_known_by_its_content(self):
        (self.folder / "rows.parquet").rename(self.folder / "rows.csv")
        self.run_cli("import", "again", "rows.csv", *STATIONS_CREATE)
        self.assertEqual(self.json("show", "again")["rows"], 8)

    def test_standard_input(self):
        content = (self.folder / "rows.parquet").read_bytes()
        self.run_cli("import", "file", "-", "--format", "parquet", *STATIONS_CREATE, stdin=content)
        self.run_cli("import", "guessed", "-", *STATIONS_CREATE, stdin=content)
        with open(self.folder / "rows.parquet", "rb") as file:
            subprocess.run([BIN, "import", "redirected", "-", *STATIONS_CREATE], cwd=self.folder, env=environment(), stdin=file,
                           stdout=subprocess.DEVNULL, check=True)
        for table in ("file", "guessed", "redirected"):
            self.assertEqual(self.rows(table), self.rows("stations"))

    def test_map_set_drop(self):
        self.run_cli("import", "again", "rows.parquet", "--create", "--time", "at", "--tag", "station", "--tag", "country", "--map",
                     "time=at", "--set", "country=DE", "--drop", "remark", "--drop", "count")
        self.assertEqual(self.rows("again")[0], {"at": "2024-01-01T00:00:00Z", "station": "A", "temp": 1.5, "country": "DE"})

    def test_unit_and_types_follow_the_table(self):
        self.run_cli("create", "narrow", "--time", "time", "--unit", "ms", "--tag", "station", "--field", "temp:float64", "--field",
                     "count:float64", "--field", "remark:string")
        self.run_cli("import", "narrow", "rows.parquet")
        self.assertEqual(self.json("show", "narrow")["time"]["unit"], "ms")
        self.assertEqual(self.rows("narrow", "--limit", "1")[0]["count"], 1.0)

    def test_integers_as_times(self):
        self.write("ints.csv", "n,v\n1704067200,1\n")
        self.run_cli("import", "ints", "ints.csv", "--create", "--time", "n", "--index-type", "int64", "--index-step", "1")
        self.run_cli("scan", "ints", "-o", "ints.parquet")
        self.assertIn("got int64, want times; say --time-format epoch_s",
                      self.error("import", "t", "ints.parquet", "--create", "--time", "n", code=1))
        self.run_cli("import", "t", "ints.parquet", "--create", "--time", "n", "--time-format", "epoch_s")
        self.assertEqual(self.rows("t"), [{"n": "2024-01-01T00:00:00Z", "v": 1}])

    def test_damage(self):
        whole = (self.folder / "rows.parquet").read_bytes()
        before = self.files()
        for name, content in [("cut", whole[:len(whole) // 2]), ("magic", b"PAR1"), ("empty", b""), ("noise", b"PAR1" + bytes(500) + b"PAR1")]:
            with self.subTest(name=name):
                self.write("bad.parquet", content)
                self.assertIn("bad.parquet", self.error("import", "t", "bad.parquet", *STATIONS_CREATE, code=1))
        (self.folder / "bad.parquet").unlink()
        self.assertEqual(self.files(), before)

    def test_columns_that_the_table_lacks(self):
        self.run_cli("scan", "stations", "--columns", "time,station,temp", "-o", "few.parquet")
        self.run_cli("import", "few", "few.parquet", *STATIONS_CREATE)
        self.assertIn("the table has no column \"count\"", self.error("import", "few", "rows.parquet", code=1))


if __name__ == "__main__":
    main()
