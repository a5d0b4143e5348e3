// Tables that something else has damaged: log, CURRENT, segments, coverage files, paths; and tables that a newer
// program wrote. Without these damage could pass for data, spread by the next write, or leave the user without a way
// out.
#include "subject.h"

#include <algorithm>

namespace marigram::bad_input {
namespace {

namespace fs = std::filesystem;

using DamagedTable = BadInput;

INSTANTIATE_TEST_SUITE_P(Damage, DamagedTable, ::testing::Values(Dialect::kV1, Dialect::kV7),
                         [](const auto& parameter) { return parameter.param == Dialect::kV1 ? "V1" : "V7"; });

fs::path first_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  EXPECT_FALSE(files.empty()) << folder;
  return files.empty() ? fs::path() : files.front();
}

fs::path current_of(const fs::path& table) {
  return table / "_timeseries_log" / "CURRENT";
}

TEST_P(DamagedTable, MissingSegment) {
  const fs::path damaged = copy("damaged");
  const SegmentInfo segment = Table::open(damaged.string())->segments().front();
  fs::rename(damaged / segment.path, folder_ / "kept.parquet");
  const Image before = image_of(damaged);
  const auto rows = count_rows(Table::open(damaged.string()).value());
  ASSERT_FALSE(rows);
  expect_words(rows.error().message, {segment.path, "bring the file back", "marigram remove"});
  expect_run({"scan", damaged.string(), "--format", "parquet", "-o", (folder_ / "out.parquet").string()},
             ErrorCode::kCorruption, {segment.path, "marigram remove"}, damaged);
  EXPECT_FALSE(fs::exists(folder_ / "out.parquet"));
  const auto report = Table::verify(damaged.string());
  ASSERT_TRUE(report && report->problems.size() == 1);
  expect_words(report->problems.front(), {segment.path});
  EXPECT_TRUE(same_image(before, image_of(damaged)));
  // Its rows are gone, the others can be had: take the segment out of the table.
  const fs::path trimmed = folder_ / "trimmed";
  fs::copy(damaged, trimmed, fs::copy_options::recursive);
  EXPECT_EQ(run_program({"remove", trimmed.string(), segment.id}).status, 0);
  expect_usable(trimmed, kHours / 2);
  fs::rename(folder_ / "kept.parquet", damaged / segment.path);
  expect_usable(damaged);
}

TEST_P(DamagedTable, DamagedSegment) {
  const fs::path damaged = copy("damaged");
  const SegmentInfo segment = Table::open(damaged.string())->segments().front();
  std::string bytes = bytes_of(damaged / segment.path);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  write_bytes(damaged / segment.path, bytes);
  const auto rows = count_rows(Table::open(damaged.string()).value());
  ASSERT_FALSE(rows);
  expect_words(rows.error().message, {segment.path});
  expect_run({"scan", damaged.string(), "-o", (folder_ / "out.csv").string()}, ErrorCode::kCorruption, {segment.path},
             damaged);
  EXPECT_FALSE(fs::exists(folder_ / "out.csv"));
}

TEST_P(DamagedTable, UnreadableCommits) {
  const std::string whole = bytes_of(commit(table(), 2));
  std::string other_number = whole;
  other_number.replace(other_number.find("\"version\":2"), 11, "\"version\":9");
  for (const std::string& bytes :
       {std::string(), std::string("{}"), std::string("nonsense"), std::string(64, '\0'), other_number, whole + "x",
        whole.substr(0, whole.size() / 2), whole.substr(0, whole.size() - 1), "[" + whole + "]"}) {
    SCOPED_TRACE(bytes.substr(0, 40));
    const fs::path damaged = copy("damaged");
    write_bytes(commit(damaged, 2), bytes);
    expect_unusable(damaged, ErrorCode::kCorruption, {"0000000002.json"});
    write_bytes(commit(damaged, 2), whole);
    expect_usable(damaged);
  }
}

TEST_P(DamagedTable, MissingCommit) {
  for (const int version : {1, 2, 3}) {
    const fs::path damaged = copy("damaged");
    fs::rename(commit(damaged, version), folder_ / "kept.json");
    expect_unusable(damaged, ErrorCode::kCorruption, {"000000000" + std::to_string(version) + ".json"});
    fs::rename(folder_ / "kept.json", commit(damaged, version));
    expect_usable(damaged);
  }
}

TEST_P(DamagedTable, WrongCurrentAndTheWayOut) {
  for (const std::string& bytes :
       {std::string(), std::string("nonsense\n"), std::string("-1\n"), std::string("3 4\n"),
        std::string("99999999999999999999\n"), std::string("0x3\n"), std::string(4'096, '1'), std::string("12\n")}) {
    SCOPED_TRACE(bytes.substr(0, 20));
    const fs::path damaged = copy("damaged");
    write_bytes(current_of(damaged), bytes);
    expect_unusable(damaged, ErrorCode::kCorruption, {"verify --repair"});
    const Ran repaired = run_program({"verify", damaged.string(), "--repair"});
    EXPECT_EQ(repaired.status, 0) << repaired.out << repaired.err;
    EXPECT_EQ(bytes_of(current_of(damaged)), "3\n");
    expect_usable(damaged);
  }
}

/// Old, absent or with other white space: what a killed writer or an editor leaves is no damage.
TEST_P(DamagedTable, CurrentThatLagsBehind) {
  for (const std::string& bytes :
       {std::string("2\n"), std::string("0\n"), std::string("3"), std::string(" 3 \r\n\n")}) {
    SCOPED_TRACE(bytes);
    const fs::path lagging = copy("lagging");
    write_bytes(current_of(lagging), bytes);
    auto opened = Table::open(lagging.string());
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(count_rows(*opened).value(), static_cast<std::uint64_t>(kHours));
    ASSERT_TRUE(append_rows(*opened, *hours(100, 1)));
    EXPECT_EQ(bytes_of(current_of(lagging)), "4\n");
    expect_usable(lagging, kHours + 1);
  }
}

TEST_P(DamagedTable, CoverageFilesOfAnotherTable) {
  const fs::path other = make_table("other", 200);
  const fs::path damaged = copy("damaged");
  write_bytes(damaged / "kept", "");
  const auto replace_all = [&](const std::string& kind) {
    const std::string stranger = bytes_of(first_below(other / "_coverage" / kind));
    for (const auto& entry : fs::directory_iterator(damaged / "_coverage" / kind)) write_bytes(entry.path(), stranger);
  };
  replace_all("table");
  // The snapshot can be had again from the segments' own files, so nothing is lost and nothing is believed.
  auto opened = Table::open(damaged.string());
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->coverage()->covered_buckets, static_cast<std::uint64_t>(kHours));
  const auto overlap = append_rows(*opened, *hours(0, 1));
  ASSERT_FALSE(overlap);
  EXPECT_EQ(overlap.error().code, ErrorCode::kOverlap);

  replace_all("segments");
  const Image before = image_of(damaged);
  opened = Table::open(damaged.string());
  ASSERT_TRUE(opened);
  const auto report = opened->coverage();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kCorruption);
  expect_words(report.error().message, {"_coverage/segments/", "another table", "verify --repair"});
  const auto appended = append_rows(*opened, *hours(100, 1));
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code, ErrorCode::kCorruption);
  write_parquet(input("more.parquet"), *hours(100, 1));
  EXPECT_TRUE(same_image(before, image_of(damaged)));
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"coverage", damaged.string()}, {"append", damaged.string(), input("more.parquet").string()}}) {
    expect_run(arguments, ErrorCode::kCorruption, {"_coverage/segments/", "another table", "verify --repair"}, damaged);
  }
  EXPECT_EQ(run_program({"verify", damaged.string()}).status, 1);
  EXPECT_EQ(run_program({"verify", damaged.string(), "--repair"}).status, 0);
  expect_usable(damaged);
}

TEST_P(DamagedTable, PathsThatLeadOut) {
  fs::copy_file(table() / Table::open(table().string())->segments().front().path, folder_ / "outside.parquet");
  const SegmentInfo segment = Table::open(table().string())->segments().front();
  const std::string outside = (folder_ / "outside.parquet").string();
  for (const std::string& path : {std::string("../outside.parquet"), outside, std::string("data/../../outside.parquet"),
                                  std::string("./data/x.parquet"), std::string("data//x.parquet"), std::string("..")}) {
    SCOPED_TRACE(path);
    const fs::path damaged = copy("damaged");
    edit(commit(damaged, 2), "\"path\":\"" + segment.path + "\"", "\"path\":\"" + path + "\"");
    expect_unusable(damaged, ErrorCode::kCorruption, {"0000000002.json", path});
  }
  const fs::path damaged = copy("damaged");
  const std::string text = bytes_of(commit(damaged, 2));
  const std::string key = "\"coverage_path\":\"_coverage/table/";
  edit(commit(damaged, 2), key, "\"coverage_path\":\"../_coverage/table/");
  expect_unusable(damaged, ErrorCode::kCorruption, {"0000000002.json", "../_coverage/table/"});
}

TEST_P(DamagedTable, LinksThatLeadOut) {
  const SegmentInfo segment = Table::open(table().string())->segments().front();
  const fs::path damaged = copy("damaged");
  fs::rename(damaged / segment.path, folder_ / "outside.parquet");
  fs::create_symlink(folder_ / "outside.parquet", damaged / segment.path);
  const auto rows = count_rows(Table::open(damaged.string()).value());
  ASSERT_FALSE(rows);
  expect_words(rows.error().message, {segment.path, "link leads outside"});
  expect_run({"scan", damaged.string(), "-o", (folder_ / "out.csv").string()}, ErrorCode::kIo,
             {segment.path, "link leads outside"}, damaged);

  // A folder that leads out is not written through either.
  const fs::path led = copy("led");
  fs::create_directories(folder_ / "elsewhere");
  fs::remove_all(led / "_coverage");
  fs::create_directory_symlink(folder_ / "elsewhere", led / "_coverage");
  write_parquet(input("more.parquet"), *hours(100, 1));
  const Ran ran = run_program({"append", led.string(), input("more.parquet").string()});
  EXPECT_NE(ran.status, 0);
  EXPECT_TRUE(fs::is_empty(folder_ / "elsewhere"));
}

TEST_P(DamagedTable, TablesOfANewerProgram) {
  const auto newer = [&](const std::string& from, const std::string& to, const Words& words) {
    SCOPED_TRACE(to);
    const fs::path damaged = copy("newer");
    for (const int version : {1, 2}) edit(commit(damaged, version), from, to);
    expect_unusable(damaged, ErrorCode::kInvalidInput, words);
  };
  if (v1()) {
    newer("\"format_version\":1", "\"format_version\":2", {"format_version", "2", "newer"});
    return;
  }
  newer("\"protocol_version\":7", "\"protocol_version\":8", {"protocol_version", "8", "newer"});
  const std::string readers = "\"required_reader_features\":[";
  const bool empty = bytes_of(commit(table(), 1)).find(readers + "]") != std::string::npos;
  newer(readers, readers + "\"time_machine\"" + (empty ? "" : ","), {"time_machine", "newer"});
}

TEST_P(DamagedTable, WriterFeaturesBindWritersOnly) {
  if (v1()) GTEST_SKIP() << "v1 knows no features";
  const fs::path newer = copy("newer");
  const std::string writers = "\"required_writer_features\":[";
  for (const int version : {1, 2}) {
    const std::string text = bytes_of(commit(newer, version));
    const bool empty = text.find(writers + "]") != std::string::npos;
    edit(commit(newer, version), writers, writers + "\"time_machine\"" + (empty ? "" : ","));
  }
  EXPECT_EQ(count_rows(Table::open(newer.string()).value()).value(), static_cast<std::uint64_t>(kHours));
  write_parquet(input("more.parquet"), *hours(100, 1));
  const std::string path = newer.string();
  expect_run({"append", path, input("more.parquet").string()}, ErrorCode::kInvalidInput, {"time_machine", "newer"},
             newer);
  expect_run({"import", path, input("more.parquet").string()}, ErrorCode::kInvalidInput, {"time_machine", "newer"},
             newer);
  expect_run({"add-column", path, "wind:float64"}, ErrorCode::kInvalidInput, {"time_machine", "newer"}, newer);
  const std::string segment = Table::open(path)->segments().front().id;
  expect_run({"remove", path, segment}, ErrorCode::kInvalidInput, {"time_machine", "newer"}, newer);
}

}  // namespace
}  // namespace marigram::bad_input
