"""Without these, an import of CSV could change values, mistake columns, or not take what people have."""

import gzip
import subprocess

from harness import BIN, STATIONS_CREATE, STATIONS_CSV, CliTest, environment, main


class Import(CliTest):
    def test_stations(self):
        self.write("stations.csv", STATIONS_CSV)
        out, err = self.run_cli("import", "stations", "stations.csv", *STATIONS_CREATE)
        self.assertRegex(out, r"^imported 8 rows into stations: 1 segment, version 2, \d+\.\d\d s, [\d,]+ rows/s\n$")
        self.assertEqual(err, "")
        shown = self.json("show", "stations")
        self.assertEqual(shown["fields"], [{"name": "temp", "type": "float64"}, {"name": "count", "type": "int64"},
                                           {"name": "remark", "type": "string"}])
        self.assertEqual(shown["time"], {"name": "time", "unit": "us", "min": "2024-01-01T00:00:00Z", "max": "2024-01-01T05:00:00Z"})
        rows = self.rows("stations", "--order", "series")
        self.assertEqual(rows[0], {"time": "2024-01-01T00:00:00Z", "station": "A", "temp": 1.5, "count": 1, "remark": None})
        self.assertEqual(rows[2], {"time": "2024-01-01T02:00:00Z", "station": "A", "temp": None, "count": 3, "remark": "wet, cold"})
        self.assertIsNone(rows[3]["remark"])
        self.assertEqual([row["count"] for row in rows], list(range(1, 9)))

    def test_json_summary(self):
        self.write("stations.csv", STATIONS_CSV)
        summary = self.json("import", "stations", "stations.csv", *STATIONS_CREATE)
        self.assertEqual(list(summary), ["table", "file", "created", "rows", "segments", "version", "seconds", "rows_per_second"])
        self.assertEqual([summary[key] for key in ("table", "file", "created", "rows", "segments", "version")],
                         ["stations", "stations.csv", True, 8, 1, 2])

    def test_gzip_also_in_parts(self):
        text = STATIONS_CSV.encode()
        self.write("stations.csv.gz", gzip.compress(text[:100]) + gzip.compress(text[100:]))
        self.run_cli("import", "stations", "stations.csv.gz", *STATIONS_CREATE)
        self.assertEqual(self.json("show", "stations")["rows"], 8)

    def test_standard_input(self):
        for name, content in [("plain", STATIONS_CSV.encode()), ("gzip", gzip.compress(STATIONS_CSV.encode()))]:
            self.run_cli("import", name, "-", *STATIONS_CREATE, stdin=content)
            self.assertEqual(self.json("show", name)["rows"], 8)

    def test_slow_pipe(self):
        process = subprocess.Popen([BIN, "import", "stations", "-", *STATIONS_CREATE], cwd=self.folder, env=environment(),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for character in STATIONS_CSV.encode():
            process.stdin.write(bytes([character]))
            process.stdin.flush()
        out, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assertIn(b"imported 8 rows", out)

    def test_second_file_follows_the_table(self):
        self.import_stations()
        # Integers where the table has floats, columns in another order, one missing.
        self.write("more.csv", "station,temp,time,count\nA,7,2024-01-02T00:00:00Z,9\n")
        out, err = self.run_cli("import", "stations", "more.csv")
        self.assertIn("imported 1 row ", out)
        self.assertIn("more.csv has no column \"remark\"; its rows get null", err)
        self.assertEqual(self.rows("stations", "--from", "2024-01-02"),
                         [{"time": "2024-01-02T00:00:00Z", "station": "A", "temp": 7.0, "count": 9, "remark": None}])

    def test_create_is_harmless_when_the_table_is_there(self):
        self.run_cli("create", "stations", "--time", "time", "--tag", "station")
        self.write("stations.csv", STATIONS_CSV)
        self.assertFalse(self.json("import", "stations", "stations.csv", *STATIONS_CREATE)["created"])
        self.assertEqual(self.json("show", "stations")["rows"], 8)

    def test_create_refuses_another_table(self):
        self.import_stations()
        self.write("more.csv", "t,station\n2024-01-02T00:00:00Z,A\n")
        self.assertIn("time column time", self.error("import", "stations", "more.csv", "--create", "--time", "t", "--tag", "station", code=4))
        self.error("import", "stations", "more.csv", "--create", "--time", "time", code=4)

    def test_map_set_drop(self):
        self.write("rows.csv", "when,t,junk\n2024-01-01T00:00:00Z,1,x\n")
        self.run_cli("import", "t", "rows.csv", "--create", "--time", "time", "--tag", "site", "--tag", "room:int64", "--map",
                     "when=time", "--map", "t=temp", "--set", "site=main=1", "--set", "room=7", "--drop", "junk")
        self.assertEqual(self.rows("t"), [{"time": "2024-01-01T00:00:00Z", "temp": 1, "site": "main=1", "room": 7}])
        # The same again, now that the table has its columns.
        self.write("rows.csv", "when,t,junk\n2024-01-01T00:00:00Z,2,x\n")
        self.run_cli("import", "t", "rows.csv", "--map", "when=time", "--map", "t=temp", "--set", "site=side", "--set",
                     "room=7", "--drop", "junk")
        self.assertEqual([row["temp"] for row in self.rows("t", "--where", "site=side")], [2])

    def test_field_overrides_the_guess(self):
        self.write("rows.csv", "time,code,late\n2024-01-01T00:00:00Z,007,\n")
        self.run_cli("import", "t", "rows.csv", "--create", "--time", "time", "--field", "code:string", "--field", "late:string",
                     "--field", "extra:bool")
        self.assertEqual(self.rows("t"), [{"time": "2024-01-01T00:00:00Z", "code": "007", "late": None, "extra": None}])

    def test_guessed_types(self):
        self.write("rows.csv", "time,i,f,s,b,d,t,none\n"
                               "2024-01-01T00:00:00Z,1,1.5,x,true,2024-01-01,2024-01-01 10:00:00,\n"
                               "2024-01-01T01:00:00Z,NA,NaN,,false,NA,NA,NA\n")
        _, err = self.run_cli("import", "t", "rows.csv", "--create", "--time", "time")
        self.assertIn("column \"none\" has no value at the beginning of rows.csv and is taken as float64; say --field none:TYPE", err)
        types = {field["name"]: field["type"] for field in self.json("show", "t")["fields"]}
        self.assertEqual(types, {"i": "int64", "f": "float64", "s": "string", "b": "bool", "d": "string", "t": "timestamp[us]",
                                 "none": "float64"})
        rows = self.rows("t")
        self.assertEqual(rows[0], {"time": "2024-01-01T00:00:00Z", "i": 1, "f": 1.5, "s": "x", "b": True, "d": "2024-01-01",
                                   "t": "2024-01-01T10:00:00Z", "none": None})
        self.assertEqual({key: value for key, value in rows[1].items() if value is not None},
                         {"time": "2024-01-01T01:00:00Z", "b": False})

    def test_tag_values_are_text(self):
        # Namibia's code, leading zeros, and text that looks like a number or a date.
        self.write("rows.csv", "time,tag\n" + "".join(f"2024-01-01T00:00:00Z,{value}\n" for value in
                                                      ["NA", "007", "1.50", "2024-01-01", "true", "\"a,b\"", "Zürich"]))
        self.run_cli("import", "t", "rows.csv", "--create", "--time", "time", "--tag", "tag")
        self.assertEqual([row["tag"] for row in self.rows("t")],
                         ["007", "1.50", "2024-01-01", "NA", "Zürich", "a,b", "true"])
        self.assertEqual(len(self.rows("t", "--where", "tag=a,b")), 1)

    def test_integer_tags(self):
        self.write("rows.csv", "time,room\n2024-01-01T00:00:00Z,10\n2024-01-01T00:00:00Z,9\n")
        self.run_cli("import", "t", "rows.csv", "--create", "--time", "time", "--tag", "room:int64")
        self.assertEqual([row["room"] for row in self.rows("t")], [9, 10])
        self.assertEqual(len(self.rows("t", "--where", "room=10")), 1)

    def test_time_formats(self):
        cases = [("epoch_s", "1704067200"), ("epoch_s", "1704067200.0"), ("epoch_ms", "1704067200000"), ("epoch_us", "1704067200000000"),
                 ("epoch_ns", "1704067200000000000"), ("%d.%m.%Y %H:%M", "01.01.2024 00:00"),
                 ("%Y-%m-%d %H:%M:%S %z", "2023-12-31 19:00:00 -0500"), (None, "2024-01-01"), (None, "2024-01-01 00:00:00"),
                 (None, "2024-01-01T05:30:00+05:30"), (None, "2024-01-01T00:00:00.000000Z")]
        for number, (time_format, text) in enumerate(cases):
            with self.subTest(time_format=time_format, text=text):
                self.write("rows.csv", f"time,v\n{text},1\n")
                extra = ["--time-format", time_format] if time_format else []
                self.run_cli("import", f"t{number}", "rows.csv", "--create", "--time", "time", *extra)
                self.assertEqual(self.rows(f"t{number}"), [{"time": "2024-01-01T00:00:00Z", "v": 1}])

    def test_units_keep_every_digit(self):
        self.write("rows.csv", "time,v\n1969-12-31T23:59:59.999999999Z,1\n")
        self.run_cli("import", "ns", "rows.csv", "--create", "--time", "time", "--unit", "ns")
        self.assertEqual(self.rows("ns")[0]["time"], "1969-12-31T23:59:59.999999999Z")
        self.assertIn("--unit", self.error("import", "us", "rows.csv", "--create", "--time", "time", code=1))
        self.write("epoch.csv", "time,v\n1,1\n")
        self.run_cli("import", "ens", "epoch.csv", "--create", "--time", "time", "--time-format", "epoch_ns")
        self.assertEqual(self.rows("ens")[0]["time"], "1970-01-01T00:00:00.000000001Z")

    def test_rows_come_in_any_order(self):
        self.write("rows.csv", "time,v\n2024-01-03,3\n2024-01-01,1\n2024-01-02,2\n")
        for table, extra in [("plain", []), ("sorted", ["--sort"])]:
            self.run_cli("import", table, "rows.csv", "--create", "--time", "time", *extra)
            self.assertEqual([row["v"] for row in self.rows(table)], [1, 2, 3])

    def test_byte_order_mark_crlf_and_blank_lines(self):
        self.write("rows.csv", "\ufefftime,v\r\n2024-01-01,1\r\n\r\n2024-01-02,2\r\n")
        self.run_cli("import", "t", "rows.csv", "--create", "--time", "time")
        self.assertEqual([row["v"] for row in self.rows("t")], [1, 2])

    def test_breaks_within_values(self):
        self.write("rows.csv", "time,v\n2024-01-01,\"two\nlines, \"\"quoted\"\"\"\n")
        self.run_cli("import", "t", "rows.csv", "--create", "--time", "time")
        self.assertEqual(self.rows("t")[0]["v"], "two\nlines, \"quoted\"")

    def test_many_blocks(self):
        # More text than Arrow reads at once, and than the types are guessed from.
        rows = 600_000
        with open(self.folder / "rows.csv", "w", encoding="utf-8") as file:
            file.write("time,v,text\n")
            for i in range(rows):
                file.write(f"{1_704_067_200 + i},{i},some text to make the line longer {i}\n")
        summary = self.json("import", "t", "rows.csv", "--create", "--time", "time", "--time-format", "epoch_s", "--bucket", "1s")
        self.assertEqual(summary["rows"], rows)
        last = self.rows("t", "--from", "2024-01-07T22:39:59Z")
        self.assertEqual(last, [{"time": "2024-01-07T22:39:59Z", "v": rows - 1,
                                 "text": f"some text to make the line longer {rows - 1}"}])


if __name__ == "__main__":
    main()
