"""Plants violations in a scratch tree and sees each rule find them, and nothing else. Without it a rule that
matches nothing would pass for ever.
"""

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import rules  # noqa: E402
from source_text import code_of, includes_of  # noqa: E402

ROOMS = "# rooms\nbase 1\nio 2\nmodel 2\nsegment 3\nlog 3\ntable 5\ndb 7\nsql 8\ncli 9\n"


class Planted(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.plant("cmake/rooms.txt", ROOMS)

    def plant(self, path, text):
        target = Path(self.folder.name) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def found(self, rule):
        return list(rule(rules.Tree(self.folder.name)))

    def assert_finds(self, rule, *expected):
        """The rule reports exactly one violation for each expected beginning, in order of path."""
        found = self.found(rule)
        self.assertEqual(len(found), len(expected), found)
        for got, want in zip(found, expected):
            self.assertTrue(got.startswith(want), f"{got!r} does not start with {want!r}")

    def test_include_up_or_sideways(self):
        self.plant("src/base/up.cc", '// x\n#include "io/store.h"\n')
        self.plant("src/io/side.h", '// x\n#include "model/schema.h"\n')
        self.plant("src/io/fine.h", '// x\n#include "base/time.h"\n#include "io/store.h"\n#include <marigram/error.h>\n')
        self.plant("src/log/side_test.cc", '// x\n#  include  "segment/reader.h"\n')
        self.plant("src/misc/lost.h", '// x\n')
        self.plant("src/table/bare.cc", '// x\n#include "bare.h"\n// #include "db/database.h"\n/*\n#include "db/a.h"\n*/\n')
        self.assert_finds(rules.includes_go_down, "src/base/up.cc:2:", "src/io/side.h:2:", "src/log/side_test.cc:2:",
                          "src/misc/lost.h: misc/ is no room", "src/table/bare.cc:2:")

    def test_test_support_in_the_product(self):
        self.plant("src/table/a.cc", '// x\n#include "table/test_rows.h"\n')
        self.plant("src/table/a_test.cc", '// x\n#include "table/test_rows.h"\n')
        self.plant("src/table/test_more.h", '// x\n#include "table/test_rows.h"\n')
        self.assert_finds(rules.product_includes_no_test_support, "src/table/a.cc:2:")

    def test_public_header_with_foreign_include(self):
        self.plant("include/marigram/a.h", "// x\n#include <arrow/api.h>\n")
        self.plant("include/marigram/b.h", '// x\n#include "base/time.h"\n')
        self.plant("include/marigram/c.h", "// x\n#include <marigram/a.h>\n#include <string_view>\n#include <fmt/format.h>\n")
        self.assert_finds(rules.public_headers_stand_alone, "include/marigram/a.h:2:", "include/marigram/b.h:2:",
                          "include/marigram/c.h:4:")

    def test_third_party_out_of_its_room(self):
        self.plant("src/log/a.cc", "// x\n#include <arrow/api.h>\n")
        self.plant("src/io/b_test.cc", "// x\n#include <parquet/types.h>\n")
        self.plant("src/table/c.cc", "// x\n#include <arrow/api.h>\n#include <duckdb.hpp>\n")
        self.plant("src/sql/d.cc", "// x\n#include <duckdb/main/connection.hpp>\n#include <arrow/api.h>\n")
        self.assert_finds(rules.third_party_stays_in_its_rooms, "src/io/b_test.cc:2:", "src/log/a.cc:2:",
                          "src/table/c.cc:3:")

    def test_storage_call_out_of_io(self):
        for name, line in (("a", "std::ofstream out(path);"), ("b", "int fd = ::open(path, 0);"),
                           ("c", "FILE* f = fopen(p, \"r\");"), ("d", "std::filesystem::remove_all(p);"),
                           ("e", "fsync(fd);"), ("f", "::rename(a, b);"), ("g", "unlink(p);"),
                           ("h", "arrow::io::ReadableFile::Open(p);"), ("i", "#include <fcntl.h>"),
                           ("j", "if (fs::exists(p)) return;")):
            self.plant(f"src/table/{name}.cc", f"// x\n{line}\n")
        self.plant("src/table/fine.cc", "// x: std::ofstream, fopen()\nauto t = Table::open(p); store.open(p); s->rename(a);\n"
                                        "#include <filesystem>\nnamespace fs = std::filesystem;\nfs::path f(std::filesystem::path p);\n"
                                        "Result<Table> open(int p);\nLog::open(x);\nauto m = \"::open(\";\n")
        self.plant("src/table/fine_test.cc", "// x\n#include <filesystem>\nstd::ofstream out(path);\n")
        self.plant("src/table/test_rows.h", "// x\n#include <fstream>\n")
        self.plant("src/io/local_store.cc", "// x\n#include <fcntl.h>\nint fd = ::open(p, 0);\n")
        self.assert_finds(rules.storage_calls_stay_in_io, *(f"src/table/{name}.cc:2:" for name in "abcdefghij"))

    def test_thread_or_clock_below_the_wiring(self):
        for name, line in (("a", "std::thread t(f);"), ("b", "auto n = std::chrono::system_clock::now();"),
                           ("c", "clock_gettime(CLOCK_REALTIME, &t);"), ("d", "auto t = time(nullptr);"),
                           ("e", "auto f = std::async(g);"), ("f", "std::vector<std::jthread> w;")):
            self.plant(f"src/log/{name}.cc", f"// x\n{line}\n")
        self.plant("src/base/stray.cc", "// x\nstd::this_thread::sleep_for(d);\n")
        self.plant("src/base/thread_pool.cc", "// x\nstd::thread t(f);\n")
        self.plant("src/base/clock.cc", "// x\nstd::chrono::system_clock::now();\n")
        self.plant("src/db/jobs.cc", "// x\nstd::thread t(f);\n")
        self.plant("src/log/fine.cc", "// x\nauto n = clock.now(); row.time(0, 1); std::thread::hardware_concurrency();\n")
        self.plant("src/log/fine_test.cc", "// x\nstd::thread t(f);\n")
        self.assert_finds(rules.threads_and_clocks_are_handed_in, "src/base/stray.cc:2:",
                          *(f"src/log/{name}.cc:2:" for name in "abcdef"))

    def test_long_file(self):
        self.plant("src/io/long.cc", "// x\n" * rules.FILE_LINES_MAX)
        self.plant("src/io/short.cc", "// x\n" * (rules.FILE_LINES_MAX - 1))
        self.assert_finds(rules.files_are_short, "src/io/long.cc: ")

    def test_source_that_nothing_builds(self):
        self.plant("src/io/CMakeLists.txt", "marigram_room(io SOURCES a.cc TESTS aa_test.cc)  # lost.cc\n")
        self.plant("src/CMakeLists.txt", "add_executable(m io/main.cc)\n")
        for name in ("a.cc", "aa_test.cc", "main.cc", "lost.cc", "a_test.cc"):
            self.plant(f"src/io/{name}", "// x\n")
        self.assert_finds(rules.every_source_is_built, "src/io/a_test.cc: ", "src/io/lost.cc: ")

    def test_header_without_purpose_or_guard(self):
        self.plant("src/io/a.h", "#pragma once\n")
        self.plant("src/io/b.h", "// x\nint b;\n")
        self.plant("src/io/a_test.cc", "#include <a>\n")
        self.plant("src/io/c.cc", "#include <a>\nusing namespace std;\nusing namespace std::string_literals;\n")
        self.assert_finds(rules.headers_and_tests_say_what_they_are, "src/io/a.h:1:", "src/io/a_test.cc:1:", "src/io/b.h: ", "src/io/c.cc:2:")

    def test_sleeping_test(self):
        self.plant("src/io/a_test.cc", "// x\nvoid f() { std::this_thread::sleep_for(d); }\nvoid g() { usleep(5); }\n")
        self.plant("src/io/b_test.cc", "// x\nstruct C { void sleep_for(int d) const; };\nvoid f() { clock.sleep_for(d); }\n")
        self.assert_finds(rules.tests_do_not_sleep, "src/io/a_test.cc:2:", "src/io/a_test.cc:3:")

    def test_unfinished_text_and_machine_paths(self):
        self.plant("docs/a.md", "TO" + "DO: write\n")
        self.plant("docs/b.md", "see /wo" + "rk/x\n")
        self.plant("docs/c.md", "from https://pypi.o" + "rg/simple\n")
        self.plant("docs/d.md", "a/wo" + "rk/x and the network\n")
        self.plant("docs/e.bin", "\0")
        (Path(self.folder.name) / "docs/e.bin").write_bytes(b"\xff\xfe TO" b"DO")
        self.assert_finds(rules.text_is_finished, "docs/a.md:1:", "docs/b.md:1:", "docs/c.md:1:")

    def test_comments_and_literals_are_not_code(self):
        text = 'a = 1\'000; // fopen(\nb = R"x(fopen( " )x"; c = "\\"fopen("; d = \'"\'; /* e\nfopen( */ g();\n'
        code = code_of(text)
        self.assertNotIn("fopen", code)
        self.assertIn("g();", code)
        self.assertIn("d = ", code)
        self.assertEqual(code.count("\n"), text.count("\n"))
        self.assertEqual(len(code), len(text))
        self.assertEqual(list(includes_of('#include <a>\n// #include <b>\n#include "c/d.h"  // why\n')),
                         [(1, "a", False), (3, "c/d.h", True)])


if __name__ == "__main__":
    unittest.main()
