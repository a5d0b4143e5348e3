// Texts of streams of Arrow rows. Without this test a stream could bring texts into a table that an insert would
// refuse, because they come in another layout, or in a dictionary that is taken for one that was looked at before.
#include "db/checked_rows.h"

#include "model/row_limits.h"

#include <marigram/error.h>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace marigram::db {
namespace {

using ::testing::HasSubstr;
using Texts = std::vector<std::string>;
using Batches = arrow::RecordBatchVector;

template <typename Builder>
std::shared_ptr<arrow::Array> array_of(const Texts& texts) {
  Builder builder;
  for (const std::string& text : texts) EXPECT_TRUE(builder.Append(text).ok());
  EXPECT_TRUE(builder.AppendNull().ok());
  return builder.Finish().ValueOrDie();
}

/// Of the first value, the last, and none.
std::shared_ptr<arrow::Array> indices_into(const std::shared_ptr<arrow::Array>& dictionary) {
  arrow::Int32Builder indices;
  EXPECT_TRUE(indices.Append(0).ok());
  EXPECT_TRUE(indices.Append(static_cast<std::int32_t>(dictionary->length()) - 1).ok());
  EXPECT_TRUE(indices.AppendNull().ok());
  const auto type = arrow::dictionary(arrow::int32(), dictionary->type());
  return arrow::DictionaryArray::FromArrays(type, indices.Finish().ValueOrDie(), dictionary).ValueOrDie();
}

std::shared_ptr<arrow::RecordBatch> batch_of_column(const std::shared_ptr<arrow::Array>& column) {
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("text", column->type())}), column->length(), {column});
}

/// How many batches come before the error; all of them if there is none.
std::pair<std::size_t, std::string> read(const Batches& batches, bool tag, bool imported) {
  auto reader = arrow::RecordBatchReader::Make(batches).ValueOrDie();
  if (imported) {  // as they come from users: each batch has a dictionary of its own, in the same memory
    ArrowArrayStream stream;
    EXPECT_TRUE(arrow::ExportRecordBatchReader(reader, &stream).ok());
    reader = arrow::ImportRecordBatchReader(&stream).ValueOrDie();
  }
  const auto checked = check_texts(reader, "t", tag ? Texts{"text"} : Texts{});
  for (std::size_t read = 0;; ++read) {
    std::shared_ptr<arrow::RecordBatch> batch;
    const arrow::Status status = checked->ReadNext(&batch);
    if (!status.ok()) return {read, status.message()};
    if (batch == nullptr) return {read, ""};
  }
}

/// Texts that are no tag's value; whether a field takes them.
struct Bad {
  std::string text;
  bool field_takes_it = false;
};
const std::vector<Bad> kBad = {{std::string("a\0b", 3), true},
                               {std::string(model::kTagValueBytesMax + 1, 'x'), true},
                               {std::string(model::kStringBytesMax + 1, 'x')},
                               {"\xFF"},
                               {"\xC3"}};

TEST(CheckedRows, EachLayoutIsHeldToTheLimitsOfInserts) {
  for (const Bad& bad : kBad) {
    for (const bool tag : {false, true}) {
      const Texts texts = {"fine", "fine", "", "gr\xC3\xBC\xC3\x9F", bad.text};
      const auto plain = array_of<arrow::StringBuilder>(texts);
      for (const auto& column : {plain, array_of<arrow::LargeStringBuilder>(texts),
                                 array_of<arrow::StringViewBuilder>(texts), indices_into(plain)}) {
        const bool refused = tag || !bad.field_takes_it;
        const auto [batches, error] = read({batch_of_column(column)}, tag, false);
        EXPECT_EQ(batches, refused ? 0U : 1U) << column->type()->ToString();
        const Status insert =
            tag ? model::check_tag_value("t", "text", bad.text) : model::check_string("t", "text", bad.text);
        EXPECT_EQ(error, insert ? "" : insert.error().message);
      }
    }
  }
}

TEST(CheckedRows, ADictionaryIsLookedAtAgainWhenItIsAnother) {
  const auto fine = array_of<arrow::StringBuilder>({"a", "b"});
  const auto other = array_of<arrow::StringBuilder>({"b", "a"});
  const auto bad = array_of<arrow::StringBuilder>({"a", "\xFF"});  // as long as the others
  for (const bool imported : {false, true}) {
    for (const auto& dictionaries :
         {std::vector{fine, fine, bad}, std::vector{fine, other, bad}, std::vector{other, fine->Slice(1), bad},
          std::vector{bad->Slice(0, 1), fine, bad}, std::vector{bad->Slice(0, 1), bad->Slice(0, 1), bad}}) {
      Batches batches;
      for (const auto& dictionary : dictionaries) batches.push_back(batch_of_column(indices_into(dictionary)));
      batches.push_back(batches.front());
      const auto [read_before, error] = read(batches, true, imported);
      EXPECT_EQ(read_before, 2U);
      EXPECT_THAT(error, HasSubstr("no valid UTF-8"));
      batches.erase(batches.begin() + 2);
      EXPECT_EQ(read(batches, true, imported).first, 3U);
    }
  }
}

}  // namespace
}  // namespace marigram::db
