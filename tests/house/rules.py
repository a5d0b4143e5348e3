"""The house's rules, one function each: given a Tree, it yields one line of text per violation.

docs/architecture.md says why the rules are there; cmake/rooms.txt says which room lies on which row.
"""

import re
import subprocess
from pathlib import Path

from source_text import code_of, includes_of, line_of

FILE_LINES_MAX = 600

# Rooms that may name Arrow's and Parquet's C++ headers, and DuckDB's.
ARROW_ROOMS = {"segment", "table", "query", "db", "cli", "sql", "server"}
DUCKDB_ROOMS = {"sql"}
# Rooms that may call the operating system for storage.
STORAGE_ROOMS = {"io", "cli"}
# From this room's row up, threads may be started and clocks read; below, only these files of base/ do.
WIRING_ROOM = "db"
BASE_MACHINE_FILES = re.compile(r"^(thread_pool|clock|system_clock)\.(h|cc)$")

STORAGE_HEADERS = {"fcntl.h", "unistd.h", "dirent.h", "sys/mman.h", "sys/stat.h", "sys/file.h", "sys/uio.h",
                   "sys/sendfile.h", "fstream"}
STORAGE_CALLS = re.compile(
    r"\b(?:std::filesystem|fs)::(?!path\b)\w+|\bstd::(?:[oi]?fstream|basic_[oi]?fstream|fopen|freopen|rename|tmpfile)\b"
    r"|(?<![\w.>:])::(?:open|openat|creat|close|read|write|rename|link|unlink|mkdir|rmdir|stat|fstat|remove)\s*\("
    r"|(?<![\w.>:])(?:::)?(?:fopen|freopen|fdopen|openat|renameat2?|unlink(?:at)?|fsync|fdatasync|ftruncate|fallocate|"
    r"pread|pwrite|preadv|pwritev|mmap|munmap|opendir|readdir|mkstemp|mkdtemp)\s*\("
    r"|\barrow::io::(?:FileOutputStream|ReadableFile|MemoryMappedFile)\b|\barrow::fs::")
THREAD_OR_CLOCK = re.compile(
    r"\bstd::(?:thread|jthread)\b(?!::)|\bstd::async\b|\bpthread_create\b|\bthis_thread::sleep_(?:for|until)\b"
    r"|\b(?:system|steady|high_resolution|utc|file)_clock::now\b|\bclock_gettime\b|\bgettimeofday\b"
    r"|(?<![\w.>])(?:std::)?time\s*\(\s*(?:nullptr|NULL|0)\s*\)")

# Spelled in pieces, so that this file passes its own test.
UNFINISHED = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b")
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:" + "|".join(("wo" + "rk", "ro" + "ot", "fa" + "rm")) + r")/")
REGISTRY_HOST = re.compile("|".join((r"pypi\.o" + "rg", "pythonho" + "sted", r"npmjs\.c" + "om", r"crates\.i" + "o",
                                     r"deb\.deb" + "ian", r"proxy\.gol" + "ang", r"repo1?\.mav" + "en")))


class Tree:
    """The files of a source tree: those git knows or would add, or all of them where there is no git."""

    def __init__(self, root):
        self.root = Path(root)
        self.rows = {}
        for line in (self.root / "cmake" / "rooms.txt").read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                room, row = line.split()
                self.rows[room] = int(row)
        if (self.root / ".git").exists():
            listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=self.root, check=True,
                                    capture_output=True, text=True).stdout.split("\0")
        else:
            listed = [str(path.relative_to(self.root)) for path in self.root.rglob("*")]
        self.files = sorted(path for path in listed if path and (self.root / path).is_file())

    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8")

    def sources(self, *folders):
        for path in self.files:
            if path.endswith((".cc", ".h")) and path.startswith(tuple(folder + "/" for folder in folders)):
                yield path

    def room_sources(self):
        """Yields (path, room) for each source below src/."""
        for path in self.sources("src"):
            yield path, path.split("/")[1]


def is_test(path):
    """A test, or test support: test_*.h, test_*.cc."""
    return path.endswith("_test.cc") or re.fullmatch(r"test_\w+\.(h|cc)", path.split("/")[-1]) is not None


def includes_go_down(tree):
    for path, room in tree.room_sources():
        if room not in tree.rows:
            yield f"{path}: {room}/ is no room; cmake/rooms.txt lists {', '.join(tree.rows)}"
            continue
        for line, included, quoted in includes_of(tree.text(path)):
            if not quoted:
                continue
            target = included.split("/")[0]
            if target not in tree.rows or "/" not in included:
                yield f"{path}:{line}: \"{included}\" does not start with a room; quote paths relative to src/"
            elif target != room and tree.rows[target] >= tree.rows[room]:
                yield (f"{path}:{line}: \"{included}\" is on row {tree.rows[target]}; "
                       f"{room}/ (row {tree.rows[room]}) may include lower rows only")


def product_includes_no_test_support(tree):
    for path, _ in tree.room_sources():
        for line, included, _ in includes_of(tree.text(path)):
            if is_test(included) and not is_test(path):
                yield f"{path}:{line}: {included} is for tests only"


def public_headers_stand_alone(tree):
    for path in tree.sources("include"):
        for line, included, quoted in includes_of(tree.text(path)):
            standard = re.fullmatch(r"[a-z_]+|stddef\.h|stdint\.h", included)  # the latter for C
            if quoted or not (standard or included.startswith("marigram/")):
                yield f"{path}:{line}: {included}; a public header includes <marigram/…> and the standard library only"


def third_party_stays_in_its_rooms(tree):
    for path, room in tree.room_sources():
        for line, included, _ in includes_of(tree.text(path)):
            if included.startswith(("arrow/", "parquet/")) and room not in ARROW_ROOMS:
                yield f"{path}:{line}: <{included}>; only {', '.join(sorted(ARROW_ROOMS))} may use Arrow and Parquet"
            if included.startswith("duckdb") and room not in DUCKDB_ROOMS:
                yield f"{path}:{line}: <{included}>; only {', '.join(sorted(DUCKDB_ROOMS))} may use DuckDB"


def storage_calls_stay_in_io(tree):
    for path, room in tree.room_sources():
        if room in STORAGE_ROOMS or is_test(path):
            continue
        text = tree.text(path)
        for line, included, _ in includes_of(text):
            if included in STORAGE_HEADERS:
                yield f"{path}:{line}: <{included}>; only io/ is a door to storage"
        code = code_of(text)
        for match in STORAGE_CALLS.finditer(code):
            yield f"{path}:{line_of(code, match.start())}: {match[0].strip()}; only io/ is a door to storage"


def threads_and_clocks_are_handed_in(tree):
    for path, room in tree.room_sources():
        handed_in = tree.rows.get(room, 0) < tree.rows[WIRING_ROOM]
        if not handed_in or is_test(path) or (room == "base" and BASE_MACHINE_FILES.match(path.split("/")[-1])):
            continue
        code = code_of(tree.text(path))
        for match in THREAD_OR_CLOCK.finditer(code):
            yield (f"{path}:{line_of(code, match.start())}: {match[0].strip()}; below {WIRING_ROOM}/ "
                   "threads and clocks are handed in")


def files_are_short(tree):
    for path in tree.files:
        if path.endswith((".cc", ".h", ".py", ".sh", ".cmake")):
            lines = tree.text(path).count("\n")
            if lines >= FILE_LINES_MAX:
                yield f"{path}: {lines} lines, want fewer than {FILE_LINES_MAX}; split it by concept"


def every_source_is_built(tree):
    """Each .cc is named in the CMakeLists.txt of its folder or of one above, as a path relative to that file."""
    for path in tree.sources("src", "tests", "bench", "examples"):
        if not path.endswith(".cc") or path.startswith("tests/data/"):
            continue
        parts = path.split("/")
        for depth in range(len(parts) - 1, 0, -1):
            lists = "/".join(parts[:depth]) + "/CMakeLists.txt"
            named = "/".join(parts[depth:])
            if lists in tree.files and re.search(rf"(?<![\w/.]){re.escape(named)}(?![\w/.])",
                                                 re.sub(r"#.*", "", tree.text(lists))):
                break
        else:
            yield f"{path}: no CMakeLists.txt names it, so nothing builds it"


def headers_and_tests_say_what_they_are(tree):
    for path in tree.sources("src", "include", "tests", "bench"):
        text = tree.text(path)
        if (path.endswith(".h") or is_test(path)) and not re.match(r"\s*//", text):
            yield f"{path}:1: starts without a comment that says what it is for"
        if path.endswith(".h") and not re.search(r"^#pragma once$", text, re.MULTILINE):
            yield f"{path}: has no #pragma once"
        code = code_of(text)
        for match in re.finditer(r"\busing\s+namespace\s+(?!std::(?:\w+_)?literals\b)[\w:]+", code):
            yield f"{path}:{line_of(code, match.start())}: {match[0]}; name what is used"


def tests_do_not_sleep(tree):
    for path in tree.sources("src", "tests"):
        if is_test(path):
            code = code_of(tree.text(path))
            for match in re.finditer(r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\s*\(", code):
                before = code[:match.start()].rstrip()
                if before.endswith(("this_thread::", "::", ";", "{", "}", ")")) and "clock" not in before[-20:]:
                    yield f"{path}:{line_of(code, match.start())}: {match[0]}…; wait for the event or use a virtual clock"


def text_is_finished(tree):
    for path in tree.files:
        if path.startswith("tests/data/") or path == "LICENSE":
            continue
        try:
            text = tree.text(path)
        except UnicodeDecodeError:
            continue
        for what, pattern in (("unfinished", UNFINISHED), ("a path of one machine", MACHINE_PATH),
                              ("a registry's host", REGISTRY_HOST)):
            for match in pattern.finditer(text):
                yield f"{path}:{line_of(text, match.start())}: {match[0]} ({what})"


ALL = (includes_go_down, product_includes_no_test_support, public_headers_stand_alone, third_party_stays_in_its_rooms,
       storage_calls_stay_in_io, threads_and_clocks_are_handed_in, files_are_short, every_source_is_built,
       headers_and_tests_say_what_they_are, tests_do_not_sleep, text_is_finished)
