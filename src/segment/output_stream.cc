#include "segment/output_stream.h"

#include "base/try.h"
#include "segment/arrow_status.h"
#include "segment/checksums.h"

#include <marigram/error.h>

#include <arrow/result.h>
#include <arrow/status.h>
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace marigram::segment {
namespace {

constexpr std::size_t kBufferBytes = 1 << 20;
constexpr std::string_view kMagic = "PAR1";
constexpr std::size_t kTrailerBytes = 8;  // u32 length of the footer, magic

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

SegmentOutput::SegmentOutput(std::unique_ptr<io::WritableObject> object, std::string doing)
    : object_(std::move(object)), doing_(std::move(doing)) {
  set_mode(arrow::io::FileMode::WRITE);
  buffer_.reserve(kBufferBytes);
}

arrow::Status SegmentOutput::Close() {
  closed_ = true;
  return arrow::Status::OK();
}

arrow::Status SegmentOutput::Write(const void* data, std::int64_t bytes) {
  position_ += bytes;
  if (!holding_ && buffer_.size() + static_cast<std::size_t>(bytes) > kBufferBytes) {
    if (const Status status = flush(); !status) return to_arrow_status(status.error());
  }
  buffer_.append(static_cast<const char*>(data), static_cast<std::size_t>(bytes));
  return arrow::Status::OK();
}

Status SegmentOutput::put(std::span<const std::byte> bytes) {
  checksummer_.add(bytes);
  return object_->write(bytes);
}

Status SegmentOutput::flush() {
  MARIGRAM_TRY(put(as_bytes(buffer_)));
  buffer_.clear();
  return {};
}

Status SegmentOutput::hold_back() {
  MARIGRAM_TRY(flush());
  holding_ = true;
  return {};
}

Result<std::uint64_t> SegmentOutput::finish() {
  const std::string_view tail = buffer_;
  std::uint32_t length = 0;
  const bool whole = holding_ && tail.size() > kTrailerBytes && tail.ends_with(kMagic);
  if (whole) std::memcpy(&length, tail.data() + tail.size() - kTrailerBytes, sizeof(length));
  if (!whole || length == 0 || length > tail.size() - kTrailerBytes) {
    return fail(ErrorCode::kInternal,
                fmt::format("{}: the Parquet writer left no footer; got {} bytes", doing_, tail.size()));
  }
  const std::size_t footer_at = tail.size() - kTrailerBytes - length;
  MARIGRAM_TRY(put(as_bytes(tail.substr(0, footer_at))));
  const FileChecksums sums = checksummer_.finish();
  std::string end = add_checksums(tail.substr(footer_at, length), sums);
  if (end.size() > UINT32_MAX) {
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("{}: its footer of {} bytes is too large", doing_, end.size()));
  }
  length = static_cast<std::uint32_t>(end.size());
  end.append(reinterpret_cast<const char*>(&length), sizeof(length));
  end += kMagic;
  MARIGRAM_TRY(object_->write(as_bytes(end)));
  MARIGRAM_TRY(object_->finish());
  return sums.covered + end.size();
}

}  // namespace marigram::segment
