"""Without these, a completion script could be out of date or break the shell that sources it."""

import re
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import BIN, COMMANDS, WORDS, CliTest, environment, main


def options_of(help_text):
    return set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", "\n".join(re.findall(r"^  (-.*?)(?:  .*)?$", help_text, re.M))))


class Completion(CliTest):
    def setUp(self):
        super().setUp()
        for shell in ("bash", "zsh", "fish"):
            self.write(f"marigram.{shell}", self.out("completion", shell))
        (self.folder / "weather").mkdir()
        (self.folder / "weird name").mkdir()
        self.write("weather.csv", "")

    def complete(self, *words):
        """What bash offers for the last of the words."""
        script = ('source ./marigram.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _marigram; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "--norc", "-c", script, "bash", "marigram", *words], cwd=self.folder, env=environment(),
                              capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, "")
        return sorted(done.stdout.split("\n")[:-1]) if done.stdout.strip() else []

    def test_json(self):
        answer = self.json("completion", "fish")
        self.assertEqual(list(answer), ["shell", "script"])
        self.assertEqual(answer["script"], (self.folder / "marigram.fish").read_text())

    def test_bash_registers_itself(self):
        done = subprocess.run(["bash", "--norc", "-u", "-c", "source ./marigram.bash && complete -p marigram"], cwd=self.folder,
                              capture_output=True, text=True, check=True)
        self.assertEqual((done.stdout, done.stderr), ("complete -F _marigram marigram\n", ""))

    def test_bash_commands(self):
        self.assertEqual(self.complete(""), sorted(WORDS))
        self.assertEqual(["db " + word for word in self.complete("db", "")],
                         sorted(command for command in COMMANDS if command.startswith("db ")))
        self.assertEqual(self.complete("db", "ta"), ["tables", "tag", "tags"])
        self.assertEqual(self.complete("co"), ["compact", "completion", "coverage"])
        self.assertEqual(self.complete("--v"), ["--version"])
        self.assertEqual(self.complete("nonsense", "x"), [])

    def test_bash_options_are_those_of_the_help(self):
        for command in COMMANDS:
            offered = set(self.complete(*command.split(), "-"))
            self.assertEqual(offered, options_of(self.out(*command.split(), "--help")), command)

    def test_bash_values(self):
        self.assertEqual(self.complete("scan", "t", "--format", ""), ["arrow", "csv", "json", "parquet", "table"])
        self.assertEqual(self.complete("scan", "t", "--format", "c"), ["csv"])
        self.assertEqual(self.complete("scan", "t", "--format", "=", "c"), ["csv"])
        self.assertEqual(self.complete("scan", "t", "--format", "="), ["arrow", "csv", "json", "parquet", "table"])
        self.assertEqual(self.complete("import", "t", "f", "--unit", ""), ["ms", "ns", "s", "us"])
        self.assertEqual(self.complete("coverage", "--by", ""), ["series"])
        self.assertEqual(self.complete("completion", ""), ["bash", "fish", "zsh"])
        self.assertEqual(self.complete("db", "query", "d", "n.t", "--order", ""), ["any", "series", "time"])
        self.assertEqual(self.complete("db", "write", "d", "n", "--durability", "=", "i"), ["interval"])
        self.assertEqual(self.complete("scan", "t", "--from", ""), [])  # a time: nothing to offer
        self.assertEqual(self.complete("scan", "t", "--from", "-"), [])

    def test_bash_paths(self):
        self.assertEqual(self.complete("show", "we"), ["weather", "weird name"])
        self.assertEqual(self.complete("import", "weather", "wea"), ["weather", "weather.csv"])
        self.assertEqual(self.complete("scan", "weather", "-o", "weather.c"), ["weather.csv"])
        self.assertEqual(self.complete("create", "t", "--calendar", "weather.c"), ["weather.csv"])
        self.assertEqual(self.complete("db", "stats", "we"), ["weather", "weird name"])
        self.assertEqual(self.complete("db", "write", "weather", "n", "wea"), ["weather", "weather.csv"])

    @unittest.skipUnless(shutil.which("zsh"), "no zsh")
    def test_zsh(self):
        script = "autoload -Uz compinit && compinit -u -d ./dump && source ./marigram.zsh && print -r -- $_comps[marigram]"
        done = subprocess.run(["zsh", "-f", "-c", script], cwd=self.folder, env=environment(HOME=str(self.folder)),
                              capture_output=True, text=True, check=True)
        self.assertEqual((done.stdout, done.stderr), ("_marigram\n", ""))
        subprocess.run(["zsh", "-f", "-n", "marigram.zsh"], cwd=self.folder, check=True)

    @unittest.skipUnless(shutil.which("fish"), "no fish")
    def test_fish(self):
        def offered(line):
            done = subprocess.run(["fish", "--no-config", "-c", f"source marigram.fish; complete -C '{line}'"], cwd=self.folder,
                                  env=environment(HOME=str(self.folder)), capture_output=True, text=True, check=True)
            self.assertEqual(done.stderr, "")
            return sorted(row.split("\t")[0] for row in done.stdout.splitlines())
        self.assertEqual(offered("marigram co"), ["completion", "coverage"])
        self.assertEqual(offered("marigram scan t --format "), ["arrow", "csv", "json", "parquet", "table"])
        self.assertEqual(offered("marigram scan --li"), ["--limit"])
        self.assertEqual(offered("marigram show we"), ["weather/", "weird name/"])
        self.assertIn("weather.csv", offered("marigram import weather wea"))
        self.assertEqual(offered("marigram db ta"), ["tables", "tag", "tags"])
        self.assertEqual(offered("marigram db verify --re"), ["--repair"])
        self.assertEqual(offered("marigram db query d n.t --ag"), ["--agg"])

    def test_every_script_names_every_option(self):
        for shell in ("bash", "zsh", "fish"):
            script = (self.folder / f"marigram.{shell}").read_text()
            for command in COMMANDS:
                self.assertIn(command.split()[-1], script)
                for option in options_of(self.out(*command.split(), "--help")):
                    spelt = option if shell != "fish" else f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}"
                    self.assertIn(spelt, script, f"{shell} {command}")

    def test_scripts_do_not_depend_on_where_they_are_made(self):
        self.assertNotIn(str(Path(BIN).parent), (self.folder / "marigram.bash").read_text())


if __name__ == "__main__":
    main()
