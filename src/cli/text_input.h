// The text of a CSV or JSON lines input, which can be sampled before it is read and remembers what was read last.
#pragma once

#include "cli/recent_text.h"

#include <cstddef>
#include <cstdint>
#include <memory>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

namespace marigram::cli {

/// Where a sample may be cut: after any line, or after one that no quoted value runs over.
enum class SampleCut { kLine, kCsvRow };

/// Read by one thread at a time; `recent` may be searched meanwhile.
class TextInput final : public arrow::io::InputStream {
 public:
  TextInput(std::shared_ptr<arrow::io::InputStream> source, std::size_t recent_bytes);

  struct Sample {
    std::shared_ptr<arrow::Buffer> text;
    bool whole = false;  ///< there is no more than this
  };
  /// The first `bytes_max` bytes down to whole rows; reads will start with them again. To be called once, before any
  /// read. Until the first read, `recent` searches the sample.
  arrow::Result<Sample> sample(std::size_t bytes_max, SampleCut cut);

  const RecentText& recent() const { return recent_; }

  arrow::Result<std::int64_t> Read(std::int64_t bytes, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(std::int64_t bytes) override;
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  arrow::Status Close() override;
  bool closed() const override { return source_->closed(); }

 private:
  std::shared_ptr<arrow::io::InputStream> source_;
  std::shared_ptr<arrow::Buffer> sampled_;  // all that was read for the sample
  std::int64_t sampled_given_ = 0;
  std::int64_t position_ = 0;
  RecentText recent_;
};

}  // namespace marigram::cli
