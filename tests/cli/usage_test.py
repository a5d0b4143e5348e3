"""Without these, a script could not tell a typing mistake from a failure, nor find out what a command takes."""

import json
import re
import shutil

from harness import COMMANDS, WORDS, CliTest, main


class Usage(CliTest):
    def test_version(self):
        self.assertRegex(self.out("--version"), r"^marigram \d+\.\d+\.\d+\n$")

    def test_help_lists_every_command(self):
        text = self.out("--help")
        self.assertEqual(re.findall(r"^  ([a-z-]+) {2,}", text.split("Subcommands:")[1], re.M), WORDS)
        group = self.out("db", "--help").split("Subcommands:")[1]
        self.assertEqual(["db " + word for word in re.findall(r"^  ([a-z-]+) {2,}", group, re.M)],
                         [command for command in COMMANDS if command.startswith("db ")])
        self.assertIn("Exit status: 0 ok, 1 failure, 2 usage", text)

    def test_every_command_has_help_with_an_example_and_json(self):
        for command in COMMANDS:
            text = self.out(*command.split(), "--help")
            self.assertEqual(text, self.out(*command.split(), "-h"))
            self.assertRegex(text, r"\nExample:\n  .*marigram " + command)
            self.assertIn("  --json ", text)
            self.assertIn(f"\nUsage: marigram {command}", text)

    def test_examples_parse(self):
        # A missing table is found only after the arguments were understood.
        for command in COMMANDS:
            if command == "completion":
                continue
            example = self.out(*command.split(), "--help").split("Example:\n  marigram ")[1].split()
            self.run_cli(*example, code=0 if command in ("create", "db init") else 3)
            for made in ("weather", "metrics"):
                shutil.rmtree(self.folder / made, ignore_errors=True)

    def test_usage_errors(self):
        self.import_stations()
        wrong = [
            [],
            ["nonsense"],
            ["show"],
            ["show", "stations", "extra"],
            ["show", "stations", "--nonsense"],
            ["create", "t"],
            ["create", "t", "--time", "time", "--unit", "parsec"],
            ["create", "t", "--time", "time", "--bucket", "1w"],
            ["create", "t", "--time", "time", "--partition", "0d"],
            ["create", "t", "--time", "time", "--tag", "a:float64"],
            ["create", "t", "--time", "time", "--tag", ":string"],
            ["create", "t", "--time", "time", "--field", "a"],
            ["create", "t", "--time", "time", "--field", "a:nonsense"],
            ["create", "t", "--time", "time", "--dialect", "v2"],
            ["create", "t", "--time", "time", "--index-type", "int64"],
            ["create", "t", "--time", "time", "--index-step", "5"],
            ["import", "stations"],
            ["import", "stations", "x.csv", "--time", "time"],
            ["import", "stations", "x.csv", "--create"],
            ["import", "stations", "x.csv", "--format", "xml"],
            ["import", "stations", "x.csv", "--time-format", "iso"],
            ["import", "stations", "x.csv", "--map", "a"],
            ["import", "stations", "x.csv", "--map", "=b"],
            ["import", "stations", "x.csv", "--set", "a"],
            ["append", "stations"],
            ["scan", "stations", "--from", "yesterday"],
            ["scan", "stations", "--from", "17"],
            ["scan", "stations", "--from", "2024-01-02", "--to", "2024-01-01"],
            ["scan", "stations", "--from", "2024-01-02", "--to", "2024-01-02"],
            ["scan", "stations", "--where", "station"],
            ["scan", "stations", "--order", "random"],
            ["scan", "stations", "--limit", "-1"],
            ["scan", "stations", "--limit", "many"],
            ["scan", "stations", "--format", "xml"],
            ["scan", "stations", "--at", "99999999999999999999999"],
            ["coverage", "stations", "--by", "day"],
            ["gaps", "stations", "--min", "0"],
            ["window", "stations"],
            ["window", "stations", "--length", "0"],
            ["window", "stations", "--length", "2", "--before", "x"],
            ["log", "stations", "--limit", "x"],
            ["remove", "stations"],
            ["add-column", "stations"],
            ["add-column", "stations", "wind"],
            ["vacuum", "stations", "--older-than", "soon"],
            ["completion"],
            ["completion", "tcsh"],
            ["db"],
            ["db", "nonsense"],
            ["db", "init"],
            ["db", "write", "d"],
            ["db", "write", "d", "n", "--format", "xml"],
            ["db", "write", "d", "n", "--batch", "0"],
            ["db", "write", "d", "n", "--format", "csv"],
            ["db", "write", "d", "n", "rows.csv"],
            ["db", "write", "d", "n", "--table", "t"],
            ["db", "write", "d", "n", "--format", "csv", "--table", "t", "--field", "a:decimal(5,2)"],
            ["db", "query", "d"],
            ["db", "query", "d", "table"],
            ["db", "query", "d", ".t"],
            ["db", "query", "d", "n.t", "--from", "yesterday"],
            ["db", "query", "d", "n.t", "--from", "2", "--to", "1"],
            ["db", "query", "d", "n.t", "--where", "host"],
            ["db", "query", "d", "n.t", "--where", "=a"],
            ["db", "query", "d", "n.t", "--where", "host=~("],
            ["db", "query", "d", "n.t", "--agg", "mode"],
            ["db", "query", "d", "n.t", "--every", "1h"],
            ["db", "query", "d", "n.t", "--agg", "avg", "--every", "1 fortnight"],
            ["db", "query", "d", "n.t", "--by", "host"],
            ["db", "delete", "d", "n.t"],
            ["db", "backup", "d"],
            ["db", "snapshot", "d"],
            ["db", "verify-backup"],
            ["db", "restore", "s"],
            ["db", "restore", "s", "d", "--table", "t"],
            ["db", "restore", "s", "d", "--table", "n.t", "--namespace", "n"],
            ["db", "restore", "s", "d", "--from", "2", "--to", "1"],
            ["db", "clone", "d", "n.t"],
            ["db", "clone", "d", "n.t", "m.t"],
            ["clone", "t"],
        ]
        before = self.files()
        for args in wrong:
            with self.subTest(args=args):
                self.assertRegex(self.error(*args, code=2), r"\nRun `marigram( [a-z-]+)* --help` to see what it takes\.\n$")
                error = self.json_error(*args, code=2)
                self.assertEqual(error["code"], "usage")
                self.assertTrue(error["message"])
        self.assertEqual(self.files(), before)

    def test_missing_table_is_not_found(self):
        for args in [["show"], ["log"], ["segments"], ["scan"], ["coverage"], ["gaps"], ["window", "--length", "1"], ["verify"],
                     ["checkpoint"], ["vacuum"]]:
            with self.subTest(args=args):
                self.assertIn("nowhere", self.error(*args, "nowhere", code=3))
                self.assertEqual(self.json_error(*args, "nowhere", code=3)["code"], "not_found")
        self.error("remove", "nowhere", "segment", code=3)
        self.error("add-column", "nowhere", "a:int64", code=3)
        self.write("x.csv", "time\n")
        self.assertIn("--create makes one", self.error("import", "nowhere", "x.csv", code=3))
        self.assertEqual(self.files(), ["x.csv"])

    def test_errors_are_one_json_object_on_standard_error(self):
        out, err = self.run_cli("show", "nowhere", "--json", code=3)
        self.assertEqual(out, "")
        self.assertEqual(err.count("\n"), 1)
        self.assertEqual(list(json.loads(err)), ["error"])

    def test_output_without_a_known_ending_needs_a_format(self):
        self.import_stations()
        self.assertIn("add --format", self.error("scan", "stations", "-o", "rows.xyz", code=2))

    def test_json_flag_may_stand_anywhere(self):
        self.import_stations()
        self.assertEqual(self.out("show", "--json", "stations"), self.out("show", "stations", "--json"))


if __name__ == "__main__":
    main()
