// Without these, what was looked at to guess the columns could be lost to the import, or cut within a quoted value.
#include "cli/text_input.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace marigram::cli {
namespace {

std::shared_ptr<TextInput> input_of(const std::string& text) {
  return std::make_shared<TextInput>(std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(text)), 1'000);
}

std::string read_all(TextInput& input, std::int64_t block) {
  std::string out;
  while (true) {
    const auto buffer = input.Read(block).ValueOrDie();
    if (buffer->size() == 0) return out;
    out += buffer->ToString();
  }
}

TEST(TextInput, SamplesWholeRows) {
  const auto input = input_of("a,b\n1,\"x\ny\"\n2,z\n");
  const auto sample = input->sample(10, SampleCut::kCsvRow).ValueOrDie();
  EXPECT_EQ(sample.text->ToString(), "a,b\n");  // the break at 8 lies within quotes
  EXPECT_FALSE(sample.whole);
}

TEST(TextInput, SamplesLines) {
  const auto input = input_of("{\"a\":\"\\\"\"}\n{}\n");
  EXPECT_EQ(input->sample(12, SampleCut::kLine).ValueOrDie().text->ToString(), "{\"a\":\"\\\"\"}\n");
}

TEST(TextInput, SamplesAllThereIs) {
  const auto input = input_of("a\n1");
  const auto sample = input->sample(100, SampleCut::kCsvRow).ValueOrDie();
  EXPECT_EQ(sample.text->ToString(), "a\n1");
  EXPECT_TRUE(sample.whole);
}

TEST(TextInput, ShowsPartOfARowLongerThanTheSample) {
  EXPECT_EQ(input_of("abcdefgh\n")->sample(4, SampleCut::kLine).ValueOrDie().text->ToString(), "abcd");
}

RC_GTEST_PROP(TextInput, ReadsEverythingAfterASample, ()) {
  const auto text = *rc::gen::string<std::string>();
  const auto sample = *rc::gen::inRange<std::size_t>(1, 50);
  const auto block = *rc::gen::inRange<std::int64_t>(1, 50);
  const auto input = input_of(text);
  RC_ASSERT(input->sample(sample, SampleCut::kCsvRow).ok());
  RC_ASSERT(read_all(*input, block) == text);
  RC_ASSERT(input->Tell().ValueOrDie() == static_cast<std::int64_t>(text.size()));
}

}  // namespace
}  // namespace marigram::cli
