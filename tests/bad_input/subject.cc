#include "subject.h"

#include <arrow/c/bridge.h>

#include <atomic>
#include <fstream>
#include <iterator>

#include <unistd.h>

namespace marigram::bad_input {

namespace fs = std::filesystem;

Image image_of(const fs::path& folder) {
  Image image;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_symlink() && entry.is_directory()) continue;  // an empty one says nothing
    const auto mode = static_cast<unsigned>(entry.symlink_status().permissions());
    std::string what =
        std::to_string(static_cast<int>(entry.symlink_status().type())) + " " + std::to_string(mode) + " ";
    if (entry.is_symlink()) {
      what += fs::read_symlink(entry.path()).string();
    } else if (entry.is_regular_file()) {
      what += bytes_of(entry.path());
    }
    image.emplace(entry.path().lexically_relative(folder).string(), std::move(what));
  }
  return image;
}

::testing::AssertionResult same_image(const Image& before, const Image& after) {
  if (before == after) return ::testing::AssertionSuccess();
  auto result = ::testing::AssertionFailure();
  for (const auto& [path, what] : before) {
    if (!after.contains(path)) result << path << " is gone; ";
    if (after.contains(path) && after.at(path) != what) result << path << " changed; ";
  }
  for (const auto& [path, what] : after) {
    if (!before.contains(path)) result << path << " is new; ";
  }
  return result;
}

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  EXPECT_TRUE(in) << file;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_bytes(const fs::path& file, const std::string& bytes) {
  fs::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  EXPECT_TRUE(out.flush()) << file;
}

void edit(const fs::path& file, const std::string& from, const std::string& to) {
  std::string bytes = bytes_of(file);
  const std::size_t at = bytes.find(from);
  ASSERT_NE(at, std::string::npos) << from << " in " << bytes;
  write_bytes(file, bytes.replace(at, from.size(), to));
}

int exit_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return 3;
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kOverlap:
    case ErrorCode::kConflict:
      return 4;
    case ErrorCode::kPermissionDenied:
      return 5;
    default:
      return 1;
  }
}

Result<AppendResult> append_rows(Table& table, const arrow::Table& rows) {
  ArrowArrayStream stream = {};
  const auto reader = std::make_shared<arrow::TableBatchReader>(rows);
  EXPECT_TRUE(arrow::ExportRecordBatchReader(reader, &stream).ok());
  return table.append(&stream);
}

Result<std::uint64_t> count_rows(const Table& table, const ScanRequest& request) {
  ArrowArrayStream stream = {};
  if (auto opened = table.scan(request, &stream); !opened) return std::unexpected(opened.error());
  const auto reader = *arrow::ImportRecordBatchReader(&stream);
  std::uint64_t rows = 0;
  while (true) {
    auto batch = reader->Next();
    if (!batch.ok()) return fail(ErrorCode::kIo, batch.status().message());
    if (*batch == nullptr) return rows;
    EXPECT_TRUE((*batch)->ValidateFull().ok());
    rows += static_cast<std::uint64_t>((*batch)->num_rows());
  }
}

void expect_words(const std::string& message, const Words& words) {
  for (const std::string& word : words) EXPECT_NE(message.find(word), std::string::npos) << word << " in: " << message;
  EXPECT_EQ(message.find("defect"), std::string::npos) << message;
}

BadInput::BadInput() {
  static std::atomic<int> made = 0;
  folder_ =
      fs::temp_directory_path() / ("marigram-bad-input-" + std::to_string(::getpid()) + "-" + std::to_string(made++));
  fs::remove_all(folder_);
  fs::create_directories(folder_ / "input");
  make_table("table", 0);
}

BadInput::~BadInput() {
  fs::remove_all(folder_);
}

fs::path BadInput::make_table(const std::string& name, std::int64_t first_hour) const {
  const fs::path path = folder_ / name;
  auto table = Table::create(
      path.string(),
      {.time_column = "ts", .tags = {{.name = "station", .type = "string"}}, .bucket = "1h", .dialect = dialect()});
  EXPECT_TRUE(table && append_rows(*table, *hours(first_hour, kHours / 2)) &&
              append_rows(*table, *hours(first_hour + kHours / 2, kHours / 2)));
  return path;
}

fs::path BadInput::copy(const std::string& name) {
  const fs::path path = folder_ / name;
  fs::remove_all(path);
  fs::copy(table(), path, fs::copy_options::recursive);
  return path;
}

fs::path BadInput::commit(const fs::path& table, int version) const {
  const std::string digits = std::to_string(version);
  return table / "_timeseries_log" / (std::string(10 - digits.size(), '0') + digits + ".json");
}

void BadInput::expect_run(const std::vector<std::string>& arguments, ErrorCode code, const Words& words,
                          const fs::path& untouched, const std::function<bool()>& prepare) {
  const Image before = image_of(untouched);
  const Ran ran = run_program(arguments, prepare);
  EXPECT_EQ(ran.status, exit_status(code)) << arguments.front() << ": " << ran.err;
  EXPECT_EQ(ran.out, "");
  EXPECT_TRUE(ran.err.starts_with("marigram: ")) << ran.err;
  expect_words(ran.err, words);
  EXPECT_TRUE(same_image(before, image_of(untouched)));
}

void BadInput::expect_refused(const std::string& name, ErrorCode code, const Words& words) {
  SCOPED_TRACE(name);
  const fs::path file = input(name);
  const Image before = image_of(folder_);
  auto opened = Table::open(table().string());
  ASSERT_TRUE(opened) << opened.error().message;
  const auto refused = opened->append_parquet(file.string());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, code) << error_code_name(refused.error().code) << ": " << refused.error().message;
  expect_words(refused.error().message, words);
  expect_words(refused.error().message, {name});
  EXPECT_TRUE(same_image(before, image_of(folder_)));
  expect_run({"append", table().string(), file.string()}, code, words, folder_);
  if (v1()) refuse_inside(file, code, words);
  try_import(file);
  // The handle that refused is as good as before.
  const auto next = opened->coverage();
  EXPECT_TRUE(next && next->covered_buckets == kHours);
  expect_usable(table());
}

void BadInput::try_import(const fs::path& file) {
  const fs::path trial = copy("imported");
  const Image before = image_of(trial);
  const Ran ran = run_program({"import", trial.string(), file.string(), "--format", "parquet"});
  if (ran.status == 0) {
    EXPECT_TRUE(Table::verify(trial.string())->problems.empty());
  } else {
    EXPECT_TRUE(ran.status == 1 || ran.status == 4) << ran.status << ran.err;
    EXPECT_TRUE(ran.err.starts_with("marigram: ")) << ran.err;
    EXPECT_TRUE(same_image(before, image_of(trial)));
  }
  fs::remove_all(trial);
}

void BadInput::refuse_inside(const fs::path& file, ErrorCode code, const Words& words) {
  const fs::path holder = copy("holder");
  const fs::path inside = holder / "data" / file.filename();
  fs::copy_file(file, inside);
  const Image before = image_of(holder);
  const auto refused = Table::open(holder.string())->append_parquet(inside.string());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, code) << refused.error().message;
  expect_words(refused.error().message, words);
  EXPECT_TRUE(same_image(before, image_of(holder)));
  fs::remove_all(holder);
}

void BadInput::expect_unusable(const fs::path& damaged, ErrorCode code, const Words& words) {
  write_parquet(input("more.parquet"), *hours(100, 1));
  const Image before = image_of(damaged);
  const auto opened = Table::open(damaged.string());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, code) << error_code_name(opened.error().code) << ": " << opened.error().message;
  expect_words(opened.error().message, words);
  EXPECT_TRUE(same_image(before, image_of(damaged)));
  const std::string path = damaged.string();
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"show", path},
                                             {"scan", path},
                                             {"append", path, input("more.parquet").string()},
                                             {"checkpoint", path},
                                             {"vacuum", path, "--older-than", "0s"}}) {
    expect_run(arguments, code, words, damaged);
  }
  const auto report = Table::verify(path);
  if (code == ErrorCode::kInvalidInput) {  // not damaged, only not for us
    ASSERT_FALSE(report);
    expect_words(report.error().message, words);
  } else {
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_FALSE(report->problems.empty());
  }
  EXPECT_TRUE(same_image(before, image_of(damaged)));
}

void BadInput::expect_usable(const fs::path& path, std::uint64_t rows) {
  const auto report = Table::verify(path.string());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->problems.empty()) << report->problems.front();
  const fs::path trial = folder_ / "trial";
  fs::remove_all(trial);
  fs::copy(path, trial, fs::copy_options::recursive);
  {
    auto table = Table::open(trial.string());
    ASSERT_TRUE(table) << table.error().message;
    EXPECT_EQ(count_rows(*table).value(), rows);
    const auto appended = append_rows(*table, *hours(1'000'000, 1));
    ASSERT_TRUE(appended) << appended.error().message;
    EXPECT_EQ(count_rows(*table).value(), rows + 1);
  }
  fs::remove_all(trial);
}

}  // namespace marigram::bad_input
