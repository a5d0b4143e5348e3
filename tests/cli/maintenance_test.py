"""Without these, the commands that look after a table could misreport what they did, or do more than was asked."""

from harness import CliTest, main


class Maintenance(CliTest):
    def setUp(self):
        super().setUp()
        self.import_stations()

    def test_show(self):
        text = self.out("show", "stations")
        for line in ("table      stations\n", "version    2 (v7)\n", "rows       8\n", "segments   1 (parquet)\n", "time       time (timestamp, us)\n",
                     "range      2024-01-01T00:00:00Z to 2024-01-01T05:00:00Z\n", "bucket     1h\n", "tags       station string\n",
                     "fields     temp float64, count int64, remark string\n"):
            self.assertIn(line, text)

    def test_show_json(self):
        shown = self.json("show", "stations")
        self.assertEqual(list(shown), ["version", "dialect", "rows", "segments", "time", "tags", "fields", "bucket",
                                       "duplicates", "segment_format", "compression", "features"])
        self.assertEqual(shown["tags"], [{"name": "station", "type": "string"}])
        self.assertEqual(shown["time"], {"name": "time", "unit": "us", "min": "2024-01-01T00:00:00Z", "max": "2024-01-01T05:00:00Z"})

    def test_compression(self):
        self.assertIn("there is no compression 'gzip'; use none, delta", self.error("compact", "stations", "--compression", "gzip", code=1))
        self.assertIn("compression 'delta' is of native segments", self.error("compact", "stations", "--compression", "delta", code=1))
        self.assertEqual(self.json("show", "stations")["version"], 2)
        rows = self.rows("stations")
        self.run_cli("compact", "stations", "--segments", "native", "--compression", "gorilla:zstd")
        self.assertEqual(self.rows("stations"), rows)
        self.assertIn("segments   1 (native)\ncompression gorilla:zstd\n", self.out("show", "stations"))
        version = self.json("show", "stations")["version"]
        self.run_cli("compact", "stations", "--compression", "gorilla:zstd")
        self.assertEqual(self.json("show", "stations")["version"], version)
        self.run_cli("create", "t", "--time", "time", "--segments", "native", "--compression", "delta:lz4")
        self.assertEqual(self.json("show", "t")["compression"], "delta:lz4")
        self.error("create", "u", "--time", "time", "--compression", "delta", code=1)
        self.assertFalse((self.folder / "u").exists())

    def test_log(self):
        commits = self.json("log", "stations")
        self.assertEqual(list(commits), ["version", "commits"])
        self.assertEqual([list(commit) for commit in commits["commits"]], [["version", "timestamp", "operation", "added_segments",
                                                                           "removed_segments", "added_rows", "transaction_id", "names"]] * 2)
        self.assertEqual([(commit["version"], commit["operation"], commit["added_rows"]) for commit in commits["commits"]],
                         [(1, "create", 0), (2, "append", 8)])
        self.assertEqual([commit["version"] for commit in self.json("log", "stations", "--limit", "1")["commits"]], [2])
        lines = self.out("log", "stations").splitlines()
        self.assertEqual(lines[0].split(), ["version", "time", "operation", "segments", "removed", "rows"])
        self.assertEqual(lines[2].split()[2:], ["append", "+1", "+8"])

    def test_segments(self):
        answer = self.json("segments", "stations")
        self.assertEqual(list(answer), ["version", "segments"])
        segment, = answer["segments"]
        self.assertEqual(list(segment), ["id", "path", "format", "min", "max", "rows", "bytes", "series"])
        self.assertEqual((segment["format"], segment["rows"], segment["series"]), ("parquet", 8, None))
        self.assertEqual((self.folder / "stations" / segment["path"]).stat().st_size, segment["bytes"])
        self.assertIn(segment["id"], self.out("segments", "stations"))

    def test_segment_of_one_series(self):
        self.write("one.csv", "time,station\n2024-01-02,A\n")
        self.run_cli("import", "stations", "one.csv")
        self.assertEqual([segment["series"] for segment in self.json("segments", "stations")["segments"]], [None, {"station": "A"}])
        self.assertIn("station=A", self.out("segments", "stations"))

    def test_delete(self):
        self.assertIn("all of them would go", self.error("delete", "stations", code=2))
        coldest = ["delete", "stations", "--where", "station=A", "--if", "temp<3"]
        self.assertEqual(self.json(*coldest, "--dry-run"), {"version": 2, "rows": 2, "dry_run": True})
        self.assertEqual(len(self.rows("stations")), 8)
        self.assertEqual(self.out(*coldest), "deleted 2 rows of stations\n")
        self.assertEqual(self.json(*coldest), {"version": 3, "rows": 0, "dry_run": False})
        self.assertEqual(self.out("delete", "stations", "--if", "remark=wet, cold"), "deleted 1 row of stations\n")
        self.assertEqual(self.out("delete", "stations", "--if", "count!=4", "--to", "2024-01-01T03:00:01Z", "--from", "2024-01-01T01:00:00Z"),
                         "deleted 1 row of stations\n")
        self.assertEqual([(row["station"], row["count"]) for row in self.rows("stations")], [("B", 5), ("A", 4), ("B", 7), ("C", 8)])
        self.assertEqual(len(self.rows("stations", "--at", "2")), 8)
        for condition in ["temp", "=1", "temp!1", "nosuch=1", "station=A", "temp=warm"]:
            self.error("delete", "stations", "--if", condition, code=2)
        self.assertEqual(self.json("verify", "stations")["problems"], [])

    def test_remove_and_vacuum(self):
        segment = self.json("segments", "stations")["segments"][0]
        path = self.folder / "stations" / segment["path"]
        self.assertIn("no-such-segment", self.error("remove", "stations", segment["id"], "no-such-segment", code=3))
        self.assertEqual(self.json("show", "stations")["rows"], 8)
        self.assertEqual(self.json("remove", "stations", segment["id"]), {"version": 3, "removed": [segment["id"]]})
        self.assertEqual(self.json("show", "stations")["rows"], 0)
        self.assertEqual(self.rows("stations"), [])
        self.assertTrue(path.exists())
        self.assertEqual(len(self.rows("stations", "--at", "2")), 8)

        self.assertEqual(self.json("vacuum", "stations"), {"dry_run": False, "files": 0, "bytes": 0, "oldest": 1, "paths": []})
        would = self.json("vacuum", "stations", "--older-than", "0s", "--dry-run")
        self.assertTrue(would["dry_run"])
        before = self.files()
        self.assertEqual(self.files(), before)
        out, err = self.run_cli("vacuum", "stations", "--older-than", "0s")
        self.assertEqual(sorted(out.splitlines()), sorted(would["paths"]))
        self.assertIn("deleted", err)
        self.assertEqual(sorted(set(before) - set(self.files())), sorted("stations/" + path for path in would["paths"]))
        self.assertEqual(self.json("verify", "stations")["problems"], [])

    def test_vacuum_takes_strays_but_not_strangers(self):
        (self.folder / "stations" / "data" / "_managed" / "append" / "00000000-0000-4000-8000-000000000000.parquet").write_bytes(b"stray")
        (self.folder / "stations" / "notes.txt").write_text("mine")
        would = self.json("vacuum", "stations", "--older-than", "0s", "--dry-run")
        self.assertEqual((would["files"], would["bytes"]), (1, 5))
        self.run_cli("vacuum", "stations", "--older-than", "0s")
        self.assertEqual((self.folder / "stations" / "notes.txt").read_text(), "mine")
        self.assertEqual(len(self.rows("stations")), 8)

    def test_add_column(self):
        self.assertEqual(self.json("add-column", "stations", "wind:float64", "seen:timestamp[us,UTC]"),
                         {"version": 3, "added": [{"name": "wind", "type": "float64"}, {"name": "seen", "type": "timestamp[us,UTC]"}]})
        self.assertEqual(self.rows("stations")[0]["wind"], None)
        self.write("more.csv", "time,station,wind,seen\n2024-01-02,A,3,2024-01-02T01:00:00+01:00\n")
        self.run_cli("import", "stations", "more.csv")
        row, = self.rows("stations", "--from", "2024-01-02")
        self.assertEqual((row["wind"], row["seen"]), (3.0, "2024-01-02T00:00:00Z"))
        self.assertIn("version 5", self.out("add-column", "stations", "gust:float64"))
        self.assertIn("wind", self.error("add-column", "stations", "wind:float64", code=4))

    def test_checkpoint(self):
        self.assertEqual(self.json("checkpoint", "stations"), {"table": "stations", "version": 2})
        self.assertEqual(self.out("checkpoint", "stations"), "checkpointed stations at version 2\n")
        self.assertEqual(len(self.rows("stations")), 8)
        self.assertEqual(self.json("verify", "stations")["problems"], [])

    def test_verify_sound(self):
        answer = self.json("verify", "stations")
        self.assertEqual(answer, {"ok": True, "commits": 2, "segments": 1, "rows": 8, "problems": [], "repaired": []})
        self.assertEqual(self.out("verify", "stations"), "stations: sound; checked 2 commits, 1 segment, 8 rows\n")

    def test_verify_finds_and_repairs(self):
        for sidecar in (self.folder / "stations" / "_coverage").rglob("*.roar"):
            sidecar.unlink()
        out, _ = self.run_cli("verify", "stations", code=1)
        self.assertRegex(out, r"^problem: ")
        self.assertRegex(out, r"stations: \d problems? left;")
        answer, _ = self.run_cli("verify", "stations", "--json", code=1)
        self.assertIn('"ok":false', answer)
        repaired = self.json("verify", "stations", "--repair")
        self.assertTrue(repaired["ok"])
        self.assertTrue(repaired["repaired"])
        self.assertTrue(self.json("verify", "stations")["ok"])
        self.assertEqual(self.json("coverage", "stations")["covered_buckets"], 6)

    def test_verify_says_what_cannot_be_repaired(self):
        segment = self.json("segments", "stations")["segments"][0]["path"]
        (self.folder / "stations" / segment).unlink()
        out, _ = self.run_cli("verify", "stations", "--repair", code=1)
        self.assertIn(segment, out)

    def test_verify_repairs_current(self):
        (self.folder / "stations" / "_timeseries_log" / "CURRENT").write_text("nonsense\n")
        self.assertIn("verify --repair", self.error("show", "stations", code=1))
        self.assertTrue(self.json("verify", "stations", "--repair")["ok"])
        self.assertEqual(len(self.rows("stations")), 8)

    def test_a_newer_table_is_refused_by_name(self):
        commit = self.folder / "stations" / "_timeseries_log" / "0000000001.json"
        text = commit.read_text()
        self.assertIn('"required_reader_features":[', text)
        commit.write_text(text.replace('"required_reader_features":[', '"required_reader_features":["time_machine"', 1)
                          .replace('"time_machine""', '"time_machine","'))
        self.assertIn("time_machine", self.error("show", "stations", code=1))


if __name__ == "__main__":
    main()
