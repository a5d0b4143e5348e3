"""Without these, escapes could end up in files, or people at a terminal see no progress and no picture."""

import subprocess

from harness import STATIONS_CREATE, CliTest, main


class Terminal(CliTest):
    def setUp(self):
        super().setUp()
        self.import_stations()
        self.range = ["--from", "2024-01-01T00:00:00Z", "--to", "2024-01-01T08:00:00Z"]

    def test_heat_strip(self):
        shown = self.on_terminal("coverage", "stations", *self.range, columns=17)
        self.assertIn("\x1b[32m" + "█" * 12 + "\x1b[31m" + "····" + "\x1b[0m\n", shown)

    def test_heat_strip_without_colour(self):
        shown = self.on_terminal("coverage", "stations", *self.range, columns=9, NO_COLOR="1")
        self.assertIn("\n██████··\n", shown)
        self.assertNotIn("\x1b", shown)

    def test_heat_strip_without_unicode(self):
        shown = self.on_terminal("coverage", "stations", *self.range, columns=9, NO_COLOR="1", LC_ALL="C")
        self.assertIn("\n######..\n", shown)

    def test_heat_strip_by_series(self):
        shown = self.on_terminal("coverage", "stations", "--by", "series", *self.range, columns=90, NO_COLOR="1")
        lines = shown.splitlines()
        self.assertEqual(len(lines), 4)
        self.assertTrue(all(len(line) <= 89 for line in lines), lines)
        self.assertRegex(lines[2], r"station=B .*  █+▄·+█+▂·+$")
        self.assertNotIn("█", self.on_terminal("coverage", "stations", "--by", "series", *self.range, columns=60, NO_COLOR="1"))

    def test_no_strip_and_no_escapes_in_a_pipe(self):
        for args in (["coverage", "stations"], ["coverage", "stations", "--by", "series"], ["scan", "stations"], ["log", "stations"],
                     ["segments", "stations"], ["gaps", "stations", "--to", "2024-01-02"], ["show", "stations"]):
            text = self.out(*args)
            self.assertNotIn("\x1b", text)
            self.assertNotIn("█", text)

    def test_header_is_marked_on_a_terminal_only(self):
        self.assertTrue(self.on_terminal("scan", "stations", columns=200).startswith("\x1b[1mtime"))
        for changes in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertNotIn("\x1b", self.on_terminal("scan", "stations", **changes))

    def test_empty_no_color_counts_as_unset(self):
        self.assertIn("\x1b[1m", self.on_terminal("scan", "stations", NO_COLOR=""))

    def test_files_get_no_colour(self):
        self.on_terminal("scan", "stations", "-o", "rows.txt")
        self.assertNotIn("\x1b", (self.folder / "rows.txt").read_text())

    def write_many(self):
        return self.write("many.csv", "time,station\n" + "".join(f"{i},A\n" for i in range(500_000)))

    def test_progress(self):
        create = ["--create", "--time", "time", "--tag", "station", "--time-format", "epoch_s", "--bucket", "1s"]
        shown = self.on_terminal("import", "many", self.write_many(), *create, columns=120)
        self.assertRegex(shown, r"\r\x1b\[Kimport many\.csv  [█░]{24} +\d+ %  [\d,]+ rows  [\d,]+ rows/s")
        self.assertRegex(shown, r"\r\x1b\[Kimported 500,000 rows into many")
        with subprocess.Popen(["cat", "many.csv"], cwd=self.folder, stdout=subprocess.PIPE) as cat:
            shown = self.on_terminal("import", "piped", "-", *create, columns=120, stdin=cat.stdout)
        self.assertRegex(shown, r"\x1b\[Kimport standard input  [\d,]+ rows  [\d,]+ rows/s")
        for number, changes in enumerate(({"NO_COLOR": "1"}, {"TERM": "dumb"})):
            shown = self.on_terminal("import", f"quiet{number}", "many.csv", *create, columns=120, **changes)
            self.assertRegex(shown, r"^imported 500,000 rows into quiet\d: [^\r\x1b]*\n$")

    def test_progress_is_taken_away_before_an_error(self):
        self.write("bad.csv", "time,station\n2024-02-01,A\n2024-02-02,\n")
        shown = self.on_terminal("import", "stations", "bad.csv", code=1)
        self.assertRegex(shown.split("\x1b[K")[-1], r"^marigram: cannot import bad\.csv: line 3")

    def test_binary_formats_stay_off_the_terminal(self):
        for output_format in ("arrow", "parquet"):
            shown = self.on_terminal("scan", "stations", "--format", output_format, code=2)
            self.assertIn("add -o FILE or redirect standard output", shown)

    def test_narrow_terminals(self):
        for columns in (1, 5, 20):
            self.on_terminal("coverage", "stations", *self.range, columns=columns)
            self.on_terminal("coverage", "stations", "--by", "series", *self.range, columns=columns)
            self.on_terminal("import", f"t{columns}", "stations.csv", *STATIONS_CREATE, columns=columns)


if __name__ == "__main__":
    main()
