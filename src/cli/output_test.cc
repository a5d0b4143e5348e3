// Without these, `scan -o` could leave half a file, or replace a device by a file.
#include "cli/output.h"

#include "base/hash.h"

#include <gtest/gtest.h>

#include <marigram/error.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace marigram::cli {
namespace {

class OutputTest : public testing::Test {
 protected:
  OutputTest() { std::filesystem::create_directories(folder_); }
  ~OutputTest() override { std::filesystem::remove_all(folder_); }

  static std::string content(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  const std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("marigram-output-" + random_uuid());
};

TEST_F(OutputTest, AppearsAtFinish) {
  const auto path = folder_ / "rows.csv";
  auto output = Output::file(path);
  ASSERT_TRUE(output);
  ASSERT_TRUE(output->write(std::string(200'000, 'x')));
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE(output->finish());
  EXPECT_EQ(content(path).size(), 200'000U);
  EXPECT_EQ(output->position(), 200'000U);
}

TEST_F(OutputTest, LeavesNothingWithoutFinish) {
  const auto path = folder_ / "rows.csv";
  std::ofstream(path) << "old";
  {
    auto output = Output::file(path);
    ASSERT_TRUE(output);
    ASSERT_TRUE(output->write(std::string(200'000, 'x')));
  }
  EXPECT_EQ(content(path), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(OutputTest, WritesThroughLinksAndDevices) {
  const auto path = folder_ / "rows.csv";
  std::ofstream(path) << "old";
  std::filesystem::create_symlink(path, folder_ / "link.csv");
  auto output = Output::file(folder_ / "link.csv");
  ASSERT_TRUE(output && output->write("new") && output->finish());
  EXPECT_EQ(content(path), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "link.csv"));
  auto null = Output::file("/dev/null");
  ASSERT_TRUE(null && null->write("x") && null->finish());
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST_F(OutputTest, SaysWhatIsWrong) {
  EXPECT_EQ(Output::file(folder_ / "none" / "x.csv").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Output::file(folder_).error().code, ErrorCode::kInvalidInput);
  if (std::filesystem::exists("/dev/full")) {
    auto full = Output::file("/dev/full");
    ASSERT_TRUE(full && full->write("x"));
    EXPECT_EQ(full->finish().error().code, ErrorCode::kResourceExhausted);
  }
}

}  // namespace
}  // namespace marigram::cli
