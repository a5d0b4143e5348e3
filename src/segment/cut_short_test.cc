// Segments that another process cuts short while they are open. Without these a reader could be ended by a signal, or
// give zeros for values.
#include "io/local_store.h"
#include "io/temporary_folder.h"
#include "segment/native_reader.h"
#include "segment/native_writer.h"
#include "segment/parquet_writer.h"
#include "segment/test_rows.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace marigram::segment::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kKey = "cut.segment";

struct Case {
  SegmentFormat format;
  bool plain;
};

class CutShort : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override { write(); }

  void write() {
    std::filesystem::remove(path());
    if (GetParam().format == SegmentFormat::kParquet) {
      write_segment(*store_, kKey, rows_);
    } else {
      const auto writer = value_of(
          NativeWriter::create(*store_, kKey, rows_.schema, rows_.index, {}, Compression{.plain = GetParam().plain}));
      expect_ok(writer->write(*rows_.batch));
      value_of(writer->finish());
    }
  }
  std::filesystem::path path() const { return folder_.path() / kKey; }

  io::TemporaryFolder folder_;
  std::shared_ptr<io::ObjectStore> store_ = value_of(io::make_local_store(folder_.path()));
  Rows rows_ = tick_rows(5, 20'000);
};

TEST_P(CutShort, AReaderGivesRowsThatAreRightOrAnError) {
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path()));
  for (const std::int64_t left : {size - 1, size - 5'000, size / 2, size / 3, std::int64_t{5'000}, std::int64_t{0}}) {
    for (const bool reads_before : {false, true}) {
      write();
      const auto reader = value_of(open_segment(*store_, kKey, GetParam().format));
      ReadRequest request = everything(rows_.schema);
      request.batch_rows = 1'000;
      if (reads_before) {
        const auto all = value_of(reader->read(rows_.schema, rows_.index, request));
        while (value_of(all->next())) {
        }
      }
      const auto rows = value_of(reader->read(rows_.schema, rows_.index, request));
      const auto first = value_of(rows->next());
      EXPECT_TRUE(first->Equals(*rows_.batch->Slice(0, first->num_rows())));
      std::filesystem::resize_file(path(), static_cast<std::uintmax_t>(left));
      const auto next = rows->next();
      ASSERT_FALSE(next) << left;
      EXPECT_EQ(next.error().code, ErrorCode::kCorruption);
      EXPECT_THAT(next.error().message, HasSubstr(kKey));
      EXPECT_FALSE(open_segment(*store_, kKey, GetParam().format)) << "its size is looked at when it is opened";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, CutShort,
                         ::testing::Values(Case{SegmentFormat::kParquet, false}, Case{SegmentFormat::kNative, false},
                                           Case{SegmentFormat::kNative, true}));

}  // namespace
}  // namespace marigram::segment::testing
