"""Without these, bad lines through `db write` could be taken, or leave a table, a tag, a field or a series behind."""

import json

from harness import CliTest, main

GOOD = "cpu,host=a usage=1.5,n=1i 1\n"
CSV = ("--format", "csv", "--table", "cpu", "--time", "time", "--tag", "host", "--precision", "ns")
JSON = ("--format", "jsonl")


def row(table="cpu", time=2, tags=None, fields=None):
    return json.dumps({"table": table, "time": time, "tags": tags or {}, "fields": fields or {"usage": 1.5}})


MANY = {f"tag{i:04}": "x" for i in range(1000)}
RESERVED = "which is reserved; choose another name"
OUT_OF_TIME = "out of range"

# What is wrong, the options, the input behind a good line of another series, and words of the message.
LINES = [
    ("nan", (), b"cpu usage=NaN 2", ["line 2, column 11", "`NaN`", "want a number"]),
    ("inf", (), b"cpu usage=inf 2", ["line 2", "`inf`"]),
    ("time beyond 64 bits", (), b"cpu usage=1 9223372036854775808", ["line 2", "9223372036854775808", OUT_OF_TIME]),
    ("time beyond the unit", ("--precision", "s"), b"cpu usage=1.5 9223372037", ["n.cpu", "9223372037 s", OUT_OF_TIME]),
    ("time beyond the unit, in a new table", ("--precision", "s"), b"new usage=1.5 9223372037", ["n.new", "9223372037 s"]),
    ("time that is no number", (), b"cpu usage=1 now", ["line 2", "now"]),
    ("no table", (), b",host=a usage=1 2", ["line 2", "want a measurement's name"]),
    ("long table", (), b"t" * 256 + b" usage=1 2", ["256 bytes"]),
    ("table that is no UTF-8", (), b"\xff usage=1 2", ["line 2", "UTF-8"]),
    ("NUL in a table", (), b"a\0b usage=1 2", ["line 2", r"\x00"]),
    ("no tag's value", (), b"cpu,host usage=1 2", ["line 2", "want an equals sign", '"host"']),
    ("64 KiB in a tag", (), b"cpu,host=" + b"x" * 65536 + b" usage=1 2", ['tag "host"', "65536 bytes", "want at most 16384"]),
    ("1,000 tags", (), b"cpu," + b",".join(f"{name}=x".encode() for name in MANY) + b" usage=1 2", ["got 1000, want at most 256"]),
    ("tag that is no UTF-8", (), b"cpu,host=\xc3( usage=1 2", ["line 2", "UTF-8"]),
    ("NUL in a tag", (), b"cpu,host=a\0b usage=1 2", ["line 2", r"\x00"]),
    ("tag named like the time", (), b"cpu,time=x usage=1 2", ['tag "time"', "time column", "choose another name"]),
    ("field named like the time", (), b"cpu time=1 2", ['field "time"', "time column"]),
    ("reserved tag", (), b"cpu,__name__=x usage=1 2", ['tag "__name__"', RESERVED]),
    ("reserved field", (), b"cpu __x=1 2", ['field "__x"', RESERVED]),
    ("tag that is a field of the row", (), b"cpu,zone=x zone=1 2", ['field "zone" is a tag too']),
    ("tag that is a field of the table", (), b"cpu,n=x more=1 2", ["n is a field of the table"]),
    ("field that is a tag of the table", (), b"cpu host=1 2", ["host is a tag of the table"]),
    ("tag twice", (), b"cpu,host=a,host=b usage=1 2", ["line 2", '"host"', "twice"]),
    ("field twice", (), b"cpu usage=1,usage=1 2", ["line 2", '"usage"', "twice"]),
    ("no field", (), b"cpu,host=a 2", ["line 2"]),
    ("another type", (), b"cpu,zone=x n=1.5 2", ["field n is of type int64; got float64"]),
    ("quote that is not closed", (), b'cpu note="x 2', ["line 2"]),
]
CELLS = [
    ("too few cells", b"2,a\n", ["line 2", "got 2 cells, want 3"]),
    ("too many cells", b"2,a,1.5,7\n", ["line 2", "got 4 cells, want 3"]),
    ("no time", b",a,1.5\n", ["line 2", "time"]),
    ("time beyond 64 bits", b"9223372036854775808,a,1.5\n", ["line 2", "time", "9223372036854775808"]),
    ("time beyond the unit", b"2300-01-01T00:00:00Z,a,1.5\n", ["line 2", "time"]),
    ("64 KiB in a tag", b"2," + b"x" * 65536 + b",1.5\n", ['tag "host"', "65536 bytes"]),
    ("tag that is no UTF-8", b"2,\xff,1.5\n", ["line 2", "UTF-8"]),
    ("NUL in a tag", b"2,a\0b,1.5\n", ['tag "host"', "NUL"]),
    ("another type", b"2,a,1.5\n3,a,many\n", ["usage"]),
    ("quote that is not closed", b'2,"a,1.5\n', ["line 2", "not closed"]),
]
HEADERS = [
    ("reserved field", b"time,host,__x\n2,a,1.5\n", ['field "__x"', RESERVED]),
    ("column twice", b"time,host,usage,usage\n2,a,1.5,2.5\n", ["line 1", '"usage" is there twice']),
    ("column without name", b"time,host,\n2,a,1.5\n", ["line 1"]),
    ("no time", b"when,host,usage\n2,a,1.5\n", ["line 1", '"time"']),
]
OBJECTS = [
    ("nan", '{"table":"cpu","time":2,"fields":{"usage":NaN}}', ["line 1", "JSON"]),
    ("time beyond 64 bits", row(time=2**63), ["line 1", '"time"', "9223372036854775808"]),
    ("time beyond the unit", row(time="2300-01-01T00:00:00Z"), ["line 1", OUT_OF_TIME]),
    ("no table", row(table=""), ["line 1", '"table"', "empty"]),
    ("long table", row(table="t" * 241), ["241 bytes", "want at most 240"]),
    ("NUL in a table", row(table="a\0b"), [r'"a\x00b"', "NUL"]),
    ("64 KiB in a tag", row(tags={"host": "x" * 65536}), ['tag "host"', "65536 bytes"]),
    ("1,000 tags", row(tags=MANY), ["got 1000, want at most 256"]),
    ("half of a surrogate pair", row(tags={"host": "\ud800"}), ["line 1", "JSON"]),
    ("NUL in a tag", row(tags={"host": "a\0b"}), ['tag "host"', "NUL"]),
    ("NUL in a name", row(tags={"a\0b": "x"}), [r'tag "a\x00b"', "NUL"]),
    ("no name of a tag", row(tags={"": "x"}), ["tag", "name"]),
    ("tag named like the time", row(tags={"time": "x"}), ['tag "time"', "time column"]),
    ("reserved field", row(fields={"__x": 1.5}), ['field "__x"', RESERVED]),
    ("tag that is a field of the row", row(tags={"zone": "x"}, fields={"zone": 1.5}), ['field "zone" is a tag too']),
    ("another type", row(tags={"zone": "x"}, fields={"usage": "x"}), ["field usage is of type float64; got string"]),
    ("no fields", '{"table":"cpu","time":2,"fields":{}}', ["line 1", '"fields"']),
    ("a list as field", row(fields={"usage": [1]}), ["line 1", "usage"]),
    ("no object", "[1]", ["line 1", "want an object"]),
]


class BadInput(CliTest):
    def setUp(self):
        super().setUp()
        self.run_cli("db", "init", "d")
        self.run_cli("db", "write", "d", "n", stdin=GOOD)

    def tables(self):
        """Each file of each table, and its bytes."""
        return {str(path): path.read_bytes() for path in (self.folder / "d" / "tables").rglob("*") if path.is_file()}

    def answers(self):
        return [self.out("db", *args) for args in (("tables", "d", "--json"), ("query", "d", "n.cpu", "--json"),
                                                  ("series", "d", "n", "--json"), ("tags", "d", "n.cpu", "--json"))]

    def expect_refused(self, cases):
        before, answers = self.tables(), self.answers()
        for what, options, text, words in cases:
            with self.subTest(what):
                message = self.error("db", "write", "d", "n", *options, stdin=text, code=1)
                self.assertEqual(message.count("\n"), 1)
                self.assertLess(len(message), 600)
                for word in [*words, "0 rows before it were written, and nothing of its batch"]:
                    self.assertIn(word, message)
                self.assertEqual(self.tables(), before)
        self.assertEqual(self.answers(), answers)

    def test_line_protocol(self):
        good = b"cpu,fresh=x usage=1.5,more=2 2\n"
        self.expect_refused((what, options, good + text + b"\n", words) for what, options, text, words in LINES)

    def test_csv(self):
        self.expect_refused((what, CSV, b"time,host,usage\n" + text, words) for what, text, words in CELLS)
        self.expect_refused((what, CSV, text, words) for what, text, words in HEADERS)

    def test_json_lines(self):
        self.expect_refused((what, JSON, text + "\n", words) for what, text, words in OBJECTS)

    def test_namespaces(self):
        before = self.tables()
        for name, word in (("", "empty"), (b"\xff", "UTF-8"), ("n" * 241, "241 bytes")):
            message = self.error("db", "write", "d", name if isinstance(name, str) else name.decode(errors="surrogateescape"),
                                 stdin=GOOD, code=1)
            self.assertIn("namespace", message)
            self.assertIn(word, message)
        self.assertEqual(self.tables(), before)

    def test_the_ends_of_time_and_of_floats(self):
        lines = f"t v=1 {2**63 - 1}\nt v=2 {-2**63}\nt v=-0.0 0\n"
        self.run_cli("db", "write", "d", "n", stdin=lines)
        rows = [json.loads(line) for line in self.out("db", "query", "d", "n.t", "--json").splitlines()]
        self.assertEqual([row["time"] for row in rows], ["1677-09-21T00:12:43.145224192Z", "1970-01-01T00:00:00Z",
                                                         "2262-04-11T23:47:16.854775807Z"])
        self.assertEqual(str(rows[1]["v"]), "-0.0")
        self.run_cli("db", "write", "d", "n", *CSV, stdin="time,host,inf\n1,a,inf\n2,a,-inf\n3,a,NaN\n4,a,1.5\n")
        out = self.out("db", "query", "d", "n.cpu", "--format", "csv")
        self.assertEqual([line.split(",")[-1] for line in out.splitlines()[1:]], ["inf", "-inf", "", "1.5"])


if __name__ == "__main__":
    main()
