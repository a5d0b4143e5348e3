"""Without these, a bad file could leave half a table, or a message that does not say where to look."""

import gzip

from harness import STATIONS_CREATE, STATIONS_CSV, CliTest, main

CREATE = ["--create", "--time", "time"]


class ImportErrors(CliTest):
    def refuse(self, content, *args, code=1, name="rows.csv", table="t"):
        """The message of an import that must fail, and leave nothing of a table that it would have made."""
        self.write(name, content)
        existed = (self.folder / table).exists()
        before = self.files()
        message = self.error("import", table, name, *args, code=code)
        self.assertEqual(self.files(), before)
        self.assertEqual((self.folder / table).exists(), existed)
        return message

    def test_bad_cell_names_line_column_and_value(self):
        self.import_stations()
        text = "time,station,temp,count\n2024-01-02,A,1,1\n\n2024-01-03,A,\"1\",x y\n"
        self.assertEqual(self.refuse(text, table="stations"),
                         'marigram: cannot import rows.csv: line 4, column "count": got "x y", want int64\n')

    def test_bad_cell_far_into_the_file(self):
        lines = ["time,v"] + [f"{i},{i}" for i in range(2_000_000)]
        lines[1_900_000] = "1899999,1.5"
        create = [*CREATE, "--time-format", "epoch_s", "--bucket", "1s", "--partition", "1000d"]
        self.assertEqual(self.refuse("\n".join(lines), *create),
                         'marigram: cannot import rows.csv: line 1900001, column "v": got "1.5", want int64\n')

    def test_bad_cell_after_values_over_lines(self):
        text = "time,v,w\n2024-01-01,\"a\nb\nc\",1\n2024-01-02,d,2\nnoon,e,3\n"
        self.assertRegex(self.refuse(text, *CREATE), r'line 6, column "time": got "noon", want an RFC 3339 time; --time-format')

    def test_missing_time_and_tag(self):
        self.assertIn('line 3, column "time": got no value, want a time', self.refuse("time,v\n2024-01-01,1\n,2\n", *CREATE))
        self.assertIn('line 3, column "time": got no value', self.refuse("time,v\n2024-01-01,1\nNA,2\n", *CREATE))
        self.assertIn('line 3, column "s": got no value, want one, since it is a tag',
                      self.refuse("time,s\n2024-01-01,x\n2024-01-02,\n", *CREATE, "--tag", "s"))

    def test_no_rows(self):
        self.assertEqual(self.refuse("time,v\n", *CREATE), "marigram: cannot import rows.csv: it holds no rows\n")
        self.import_stations()
        self.assertIn("it holds no rows", self.refuse("time,station\n", table="stations"))

    def test_wrong_number_of_cells(self):
        self.assertEqual(self.refuse("time,v\n2024-01-01,1\n2024-01-02\n", *CREATE),
                         'marigram: cannot import rows.csv: line 3, "2024-01-02": got 1 cells, want 2 as in the header\n')
        self.assertIn("line 2", self.refuse("time,v\n2024-01-01,1,3\n2024-01-02,2\n", *CREATE))

    def test_time_beyond_the_unit(self):
        self.assertIn("got \"2400-01-01\", want a time in ns", self.refuse("time,v\n2400-01-01,1\n", *CREATE, "--unit", "ns"))

    def test_columns(self):
        self.assertIn("it has no column \"time\"", self.refuse("t,v\n2024-01-01,1\n", *CREATE))
        self.assertIn("it has no column \"s\"", self.refuse("time,v\n2024-01-01,1\n", *CREATE, "--tag", "s"))
        self.assertIn("column \"v\" comes twice", self.refuse("time,v,v\n2024-01-01,1,2\n", *CREATE))
        self.assertIn("comes twice", self.refuse("time,v,w\n2024-01-01,1,2\n", *CREATE, "--map", "w=v"))
        self.assertIn("--map names column \"x\", which is not among its columns (time, v)",
                      self.refuse("time,v\n2024-01-01,1\n", *CREATE, "--map", "x=y"))
        self.assertIn("--drop names column \"x\"", self.refuse("time,v\n2024-01-01,1\n", *CREATE, "--drop", "x"))
        self.assertIn("--set v=x is no float64", self.refuse("time\n2024-01-01\n", *CREATE, "--set", "v=x", "--field", "v:float64"))
        self.import_stations()
        self.assertIn("the table has no column \"wind\"; leave it out with --drop wind",
                      self.refuse("time,station,wind\n2024-01-02,A,1\n", table="stations"))
        self.assertIn("it has no column \"station\", which the table needs", self.refuse("time\n2024-01-02\n", table="stations"))
        self.assertIn("--set names column \"wind\", which the table does not have",
                      self.refuse("time,station\n2024-01-02,A\n", "--set", "wind=1", table="stations"))

    def test_overlap(self):
        self.import_stations()
        self.assertIn("station=", self.refuse(STATIONS_CSV, table="stations", code=4))
        error = self.json_error("import", "stations", "rows.csv", code=4)
        self.assertEqual(error["code"], "overlap")
        self.assertEqual(error["buckets"], 8)
        self.assertRegex(error["series"], "^station=[ABC]$")
        self.assertRegex(error["example"], r"^\[2024-01-01T0")
        self.assertEqual(self.json("show", "stations")["rows"], 8)

    def test_a_failed_import_may_be_repeated(self):
        self.refuse("time,v\n2024-01-01,1\n2024-01-02\n", *CREATE)
        self.write("rows.csv", "time,v\n2024-01-01,1\n")
        self.run_cli("import", "t", "rows.csv", *CREATE)

    def test_a_folder_that_was_there_stays(self):
        (self.folder / "t").mkdir()
        self.write("t/notes.txt", "mine")
        self.refuse("time,v\n2024-01-01,x\nx,1\n", *CREATE, "--field", "v:float64")
        self.assertEqual((self.folder / "t" / "notes.txt").read_text(), "mine")

    def test_files(self):
        self.assertIn("nowhere.csv: No such file", self.error("import", "t", "nowhere.csv", *CREATE, code=3))
        self.assertIn("it is a folder", self.error("import", "t", ".", *CREATE, code=1))
        self.assertIn("it is empty", self.refuse("", *CREATE))
        self.assertIn("standard input: it is empty", self.error("import", "t", "-", *CREATE, code=1))
        whole = gzip.compress(STATIONS_CSV.encode())
        self.assertIn("rows.csv.gz", self.refuse(whole[:-12], *STATIONS_CREATE, name="rows.csv.gz"))
        damaged = bytearray(whole)
        damaged[30] ^= 0xFF
        self.assertIn("rows.csv.gz", self.refuse(bytes(damaged), *STATIONS_CREATE, name="rows.csv.gz"))
        self.assertIn("not UTF-8", self.refuse(b"time,v\n2024-01-01,\xff\xfe\n", *CREATE))

    def test_refused_tables(self):
        self.import_stations()
        self.write("rows.csv", "time,station,temp,count,remark\n2024-01-02,A,1,1,x\n")
        (self.folder / "stations" / "_timeseries_log" / "CURRENT").write_text("nonsense")
        self.error("import", "stations", "rows.csv", code=1)


if __name__ == "__main__":
    main()
