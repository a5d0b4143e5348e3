// Parquet files of another project's test suite: odd encodings, damaged checksums, types of long ago. Without these a
// file that our own writer never makes could crash the program or leave something behind.
#include "subject.h"

#include <cstdlib>
#include <set>

namespace marigram::bad_input {
namespace {

namespace fs = std::filesystem;

/// A checkout of apache/parquet-testing, where there is one beside the project or MARIGRAM_PARQUET_TESTING names it.
std::vector<fs::path> files_of_others() {
  const char* named = std::getenv("MARIGRAM_PARQUET_TESTING");
  const fs::path folder =
      named != nullptr ? fs::path(named) : fs::path(MARIGRAM_SOURCE_DIR) / "../shared/suites/parquet-testing";
  std::vector<fs::path> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".parquet") files.push_back(entry.path());
  }
  return files;
}

using OthersFiles = BadInput;

INSTANTIATE_TEST_SUITE_P(Others, OthersFiles, ::testing::Values(Dialect::kV1, Dialect::kV7),
                         [](const auto& parameter) { return parameter.param == Dialect::kV1 ? "V1" : "V7"; });

TEST_P(OthersFiles, AreRefusedByATableOfOtherColumns) {
  const auto files = files_of_others();
  if (files.empty()) GTEST_SKIP() << "no checkout of apache/parquet-testing; MARIGRAM_PARQUET_TESTING may name one";
  const Image before = image_of(table());
  for (const fs::path& file : files) {
    for (const std::string command : {"append", "import"}) {
      SCOPED_TRACE(command + " " + file.filename().string());
      const Ran ran = run_program({command, table().string(), file.string()});
      EXPECT_EQ(ran.status, 1) << ran.err;
      EXPECT_TRUE(ran.err.starts_with("marigram: ")) << ran.err;
      expect_words(ran.err, {});
      EXPECT_TRUE(same_image(before, image_of(table())));
    }
  }
  expect_usable(table());
}

/// Each of their columns as the time of a new table: whatever comes in makes a sound table, and what does not leaves
/// none.
TEST_P(OthersFiles, MakeSoundTablesOrNone) {
  const auto files = files_of_others();
  if (files.empty()) GTEST_SKIP() << "no checkout of apache/parquet-testing; MARIGRAM_PARQUET_TESTING may name one";
  int taken = 0;
  for (const fs::path& file : files) {
    for (const std::string column : {"id", "a", "timestamp_col", "int_col", "ts", "x", "event_time"}) {
      SCOPED_TRACE(file.filename().string() + " " + column);
      const fs::path made = folder_ / "made";
      std::vector<std::string> arguments = {"import", made.string(), file.string(), "--create",  "--time",
                                            column,   "--bucket",    "1s",          "--dialect", v1() ? "v1" : "v7"};
      if (column != "timestamp_col" && column != "event_time")
        arguments.insert(arguments.end(), {"--time-format", "epoch_s"});
      const Ran ran = run_program(arguments);
      EXPECT_TRUE(ran.status == 0 || ran.status == 1 || ran.status == 4) << ran.status << ran.err;
      expect_words(ran.err, {});
      EXPECT_EQ(fs::exists(made), ran.status == 0) << ran.err;
      if (ran.status != 0) continue;
      ++taken;
      const auto report = Table::verify(made.string());
      EXPECT_TRUE(report && report->problems.empty());
      fs::remove_all(made);
    }
  }
  EXPECT_GE(taken, 1);
}

}  // namespace
}  // namespace marigram::bad_input
