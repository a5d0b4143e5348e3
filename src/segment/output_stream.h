// A segment file on its way out: Arrow's OutputStream over an object being written, which adds our checksums.
#pragma once

#include "io/object_store.h"
#include "segment/checksums.h"

#include <marigram/error.h>

#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace marigram::segment {

/// Parquet's writer writes into it; at the end it holds back the tail of the file (page indexes and footer), so that
/// the checksums of everything before the footer can be put into the footer. Failures carry our errors.
class SegmentOutput : public arrow::io::OutputStream {
 public:
  /// `doing` begins messages.
  SegmentOutput(std::unique_ptr<io::WritableObject> object, std::string doing);

  /// From here on bytes are kept in memory: to be called before the Parquet writer is closed.
  Status hold_back();
  /// Adds the checksums to the footer, publishes the object, and returns its size. To be called once, after the Parquet
  /// writer was closed.
  Result<std::uint64_t> finish();

  arrow::Status Close() override;
  bool closed() const override { return closed_; }
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  using arrow::io::OutputStream::Write;
  arrow::Status Write(const void* data, std::int64_t bytes) override;

 private:
  Status put(std::span<const std::byte> bytes);
  Status flush();

  std::unique_ptr<io::WritableObject> object_;
  std::string doing_;
  BlockChecksummer checksummer_;
  std::string buffer_;  // not yet with the object; all of the tail once held back
  bool holding_ = false;
  bool closed_ = false;
  std::int64_t position_ = 0;
};

}  // namespace marigram::segment
