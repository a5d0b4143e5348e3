// Storage that refuses: folders that may only be read, disks that are full, files that may not grow. Without these an
// append could end by a signal, or leave temporary files or half of itself behind.
#include "subject.h"

#include "base/manual_clock.h"
#include "base/thread_pool.h"
#include "io/fault_store.h"
#include "table/append.h"
#include "table/engine.h"
#include "table/verify.h"

#include <algorithm>
#include <csignal>

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

namespace marigram::bad_input {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kNobody = 65'534;

using RefusingStorage = BadInput;

INSTANTIATE_TEST_SUITE_P(Storage, RefusingStorage, ::testing::Values(Dialect::kV1, Dialect::kV7),
                         [](const auto& parameter) { return parameter.param == Dialect::kV1 ? "V1" : "V7"; });

bool become_nobody() {
  if (::geteuid() != 0) return true;
  return ::setresgid(kNobody, kNobody, kNobody) == 0 && ::setresuid(kNobody, kNobody, kNobody) == 0;
}

/// Mounts of this process only. A user who is not the superuser may have them in a user namespace, where allowed.
bool own_mounts() {
  const int flags = CLONE_NEWNS | (::geteuid() == 0 ? 0 : CLONE_NEWUSER);
  return ::unshare(flags) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

void set_mode(const fs::path& folder, fs::perms files, fs::perms folders) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    fs::permissions(entry.path(), entry.is_directory() ? folders : files);
  }
  fs::permissions(folder, folders);
}

/// Every command that writes.
std::vector<std::vector<std::string>> writers(const fs::path& table, const fs::path& rows) {
  const std::string path = table.string();
  const std::string segment = Table::open(path)->segments().front().id;
  std::vector<std::vector<std::string>> all = {{"append", path, rows.string()},
                                               {"import", path, rows.string()},
                                               {"remove", path, segment},
                                               {"checkpoint", path}};
  if (Table::open(path)->info().dialect == Dialect::kV7) all.push_back({"add-column", path, "wind:float64"});
  return all;
}

TEST_P(RefusingStorage, FolderThatMayOnlyBeRead) {
  if (run_program({"--version"}, become_nobody).status != 0)
    GTEST_SKIP() << "no ordinary user may run the program here";
  write_parquet(input("more.parquet"), *hours(100, 1));
  set_mode(folder_, fs::perms(0444), fs::perms(0555));
  for (const auto& arguments : writers(table(), input("more.parquet"))) {
    expect_run(arguments, ErrorCode::kPermissionDenied, {table().string()}, folder_, become_nobody);
  }
  EXPECT_EQ(run_program({"scan", table().string(), "--format", "csv"}, become_nobody).status, 0);
  EXPECT_EQ(run_program({"coverage", table().string()}, become_nobody).status, 0);
  EXPECT_EQ(run_program({"verify", table().string()}, become_nobody).status, 0);
  set_mode(folder_, fs::perms(0644), fs::perms(0755));
  expect_usable(table());
}

TEST_P(RefusingStorage, FileSystemMountedForReading) {
  const std::string path = table().string();
  const auto mount_for_reading = [&] {
    return own_mounts() && ::mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
           ::mount("none", path.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  };
  if (run_program({"--version"}, mount_for_reading).status != 0) GTEST_SKIP() << "mounting is not allowed here";
  write_parquet(input("more.parquet"), *hours(100, 1));
  for (const auto& arguments : writers(table(), input("more.parquet"))) {
    expect_run(arguments, ErrorCode::kPermissionDenied, {path, "mount it for writing"}, folder_, mount_for_reading);
  }
  EXPECT_EQ(run_program({"verify", path}, mount_for_reading).status, 0);
  expect_usable(table());
}

/// A file system of 1 MiB holds a copy of the table, and then no more than a few appends: the one that does not fit
/// leaves those before it, and no temporary file.
TEST_P(RefusingStorage, FullDisk) {
  const fs::path disk = folder_ / "disk";
  fs::create_directories(disk);
  write_parquet(input("much.parquet"), *hours(100, 100'000));
  // All within one process: its mounts go when it ends. A shell copies, appends and looks.
  const std::string rows = input("much.parquet").string();
  const auto small_disk = [&] { return own_mounts() && ::mount("none", disk.c_str(), "tmpfs", 0, "size=1m") == 0; };
  if (run_program({"--version"}, small_disk).status != 0) GTEST_SKIP() << "mounting is not allowed here";
  const fs::path answer = folder_ / "answer";
  const std::string script = "cp -r " + table().string() +
                             " disk/t; find disk | sort > before; " MARIGRAM_BIN " append disk/t " + rows +
                             " 2> message; echo $? > status; find disk | sort > after; " MARIGRAM_BIN
                             " verify disk/t > verified; cp -r disk/t survivor; "
                             "rm -r disk/t/data; " MARIGRAM_BIN " create disk/new --time ts > made";
  const auto by_shell = [&] {
    if (!small_disk() || ::chdir(folder_.c_str()) != 0) return false;
    ::execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
    return false;
  };
  ASSERT_EQ(run_program({}, by_shell).status, 0);
  EXPECT_EQ(bytes_of(folder_ / "status"), "1\n");
  expect_words(bytes_of(folder_ / "message"), {"marigram: ", "no space left", "free space, then retry"});
  EXPECT_EQ(bytes_of(folder_ / "before"), bytes_of(folder_ / "after"));
  EXPECT_NE(bytes_of(folder_ / "verified").find("sound"), std::string::npos);
  expect_usable(folder_ / "survivor");
}

TEST_P(RefusingStorage, FilesThatMayNotGrow) {
  write_parquet(input("much.parquet"), *hours(100, 2'000));
  write_parquet(input("more.parquet"), *hours(100, 1));
  for (const ::rlim_t bytes : {0, 1, 100, 1'000}) {
    SCOPED_TRACE(bytes);
    const auto limit_files = [&] {
      const ::rlimit limit = {bytes, bytes};
      return ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
    };
    expect_run({"append", table().string(), input("much.parquet").string()}, ErrorCode::kResourceExhausted,
               {"file too large", "ulimit -f"}, folder_, limit_files);
    expect_run({"scan", table().string(), "-o", (folder_ / "out.csv").string()}, ErrorCode::kResourceExhausted,
               {"out.csv"}, folder_, [&] {
                 const ::rlimit limit = {std::min<::rlim_t>(bytes, 100), 100};
                 return ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
               });
  }
  expect_usable(table());
}

/// The library leaves signals alone: a program under such a limit ignores SIGXFSZ, and then gets an error.
TEST_P(RefusingStorage, FilesThatMayNotGrowInTheLibrary) {
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  struct sigaction handled = {};
  ASSERT_EQ(::sigaction(SIGXFSZ, &ignore, &handled), 0);
  ::rlimit unlimited = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  const auto rows = hours(100, 2'000);
  auto opened = Table::open(table().string());
  ASSERT_TRUE(opened);
  const Image before = image_of(table());
  const ::rlimit limit = {500, unlimited.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  const auto refused = append_rows(*opened, *rows);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &unlimited), 0);
  ASSERT_EQ(::sigaction(SIGXFSZ, &handled, nullptr), 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  expect_words(refused.error().message, {"file too large", "ulimit -f"});
  EXPECT_TRUE(same_image(before, image_of(table())));
  EXPECT_TRUE(append_rows(*opened, *rows));
  expect_usable(table(), kHours + 2'000);
}

bool is_stray_coverage(const std::string& key, const std::vector<std::string>& before) {
  return key.starts_with("_coverage/") && std::ranges::find(before, key) == before.end();
}

/// Each storage call of an append in turn finds the disk full; then there is space again.
TEST_P(RefusingStorage, NoSpaceAtAnyCall) {
  const auto append_hours = [](table::Engine& engine, std::int64_t first) {
    arrow::TableBatchReader reader(hours(first, 3));
    return table::append(engine, reader);
  };
  std::uint64_t point = 0;
  for (bool fired = true; fired; ++point) {
    SCOPED_TRACE(point);
    ManualClock clock;
    ThreadPool pool(1);
    const auto store = io::make_fault_store(clock);
    const table::Environment environment{.store = store, .clock = &clock, .pool = &pool};
    const auto engine = table::Engine::create(
        environment, {.time_column = "ts", .tags = {{.name = "station", .type = "string"}}, .dialect = dialect()});
    ASSERT_TRUE(engine && append_hours(**engine, 0));
    const auto keys = [&] {
      std::vector<std::string> all;
      const auto listed = store->list("").value();
      for (const auto& object : listed) all.push_back(object.key);
      return all;
    };
    const auto before = keys();
    store->arm(io::FaultStore::Mode::kNoSpaceOnce, point, point);
    const auto refused = append_hours(**engine, 10);
    fired = store->fired();
    store->disarm();
    if (!refused) {
      EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted) << refused.error().message;
      expect_words(refused.error().message, {"free space, then retry"});
      // v1 names coverage files by their content alone, so another writer may count on them: they stay.
      auto after = keys();
      if (v1()) std::erase_if(after, [&](const std::string& key) { return is_stray_coverage(key, before); });
      EXPECT_EQ(after, before);
    }
    const auto again = append_hours(**engine, refused ? 20 : 10);
    ASSERT_TRUE(again) << again.error().message;
    const auto report = table::verify(environment, false);
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->problems.empty()) << report->problems.front();
    EXPECT_EQ(report->rows, refused ? 9U : 6U);
  }
  EXPECT_GT(point, 10U);
}

}  // namespace
}  // namespace marigram::bad_input
