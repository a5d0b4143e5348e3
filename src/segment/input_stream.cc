#include "segment/input_stream.h"

#include "base/try.h"
#include "segment/arrow_status.h"
#include "segment/segment_file.h"

#include <marigram/error.h>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

using BufferPtr = std::shared_ptr<arrow::Buffer>;

arrow::Status check_length(std::int64_t bytes) {
  return bytes >= 0 ? arrow::Status::OK() : arrow::Status::Invalid("negative length ", bytes);
}

class InputFile : public arrow::io::RandomAccessFile {
 public:
  explicit InputFile(std::shared_ptr<const SegmentFile> file) : file_(std::move(file)) {
    set_mode(arrow::io::FileMode::READ);
  }

  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  arrow::Result<std::int64_t> GetSize() override { return static_cast<std::int64_t>(file_->size()); }
  bool supports_zero_copy() const override { return true; }

  arrow::Status Seek(std::int64_t position) override {
    ARROW_RETURN_NOT_OK(check_length(position));
    position_ = position;
    return arrow::Status::OK();
  }

  arrow::Result<BufferPtr> ReadAt(std::int64_t position, std::int64_t bytes, bool allow_short_read) override {
    ARROW_RETURN_NOT_OK(check_length(position));
    ARROW_RETURN_NOT_OK(check_length(bytes));
    auto offset = static_cast<std::uint64_t>(position);
    auto length = static_cast<std::uint64_t>(bytes);
    if (allow_short_read) {
      offset = std::min(offset, file_->size());
      length = std::min(length, file_->size() - offset);
    }
    auto slice = file_->slice(offset, length);
    if (!slice) return to_arrow_status(slice.error());
    return *std::move(slice);
  }

  arrow::Result<BufferPtr> ReadAt(std::int64_t position, std::int64_t bytes) override {
    return ReadAt(position, bytes, true);
  }

  arrow::Result<std::int64_t> ReadAt(std::int64_t position, std::int64_t bytes, bool allow_short_read,
                                     void* out) override {
    ARROW_ASSIGN_OR_RAISE(const BufferPtr buffer, ReadAt(position, bytes, allow_short_read));
    if (buffer->size() > 0) std::memcpy(out, buffer->data(), static_cast<std::size_t>(buffer->size()));
    return buffer->size();
  }

  arrow::Result<std::int64_t> ReadAt(std::int64_t position, std::int64_t bytes, void* out) override {
    return ReadAt(position, bytes, true, out);
  }

  arrow::Result<BufferPtr> Read(std::int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(BufferPtr buffer, ReadAt(position_, bytes));
    position_ += buffer->size();
    return buffer;
  }

  arrow::Result<std::int64_t> Read(std::int64_t bytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const std::int64_t read, ReadAt(position_, bytes, out));
    position_ += read;
    return read;
  }

 private:
  std::shared_ptr<const SegmentFile> file_;
  std::int64_t position_ = 0;
  bool closed_ = false;
};

class RangeStream : public arrow::io::InputStream {
 public:
  explicit RangeStream(std::vector<BufferPtr> parts) : parts_(std::move(parts)) { set_mode(arrow::io::FileMode::READ); }

  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  bool supports_zero_copy() const override { return true; }

  arrow::Result<std::string_view> Peek(std::int64_t bytes) override {
    ARROW_RETURN_NOT_OK(check_length(bytes));
    const std::int64_t rest = rest_of_part();
    if (rest == 0) return std::string_view();
    return std::string_view(reinterpret_cast<const char*>(parts_[part_]->data()) + in_part_,
                            static_cast<std::size_t>(std::min(bytes, rest)));
  }

  arrow::Result<BufferPtr> Read(std::int64_t bytes) override {
    ARROW_RETURN_NOT_OK(check_length(bytes));
    const std::int64_t take = std::min(bytes, rest_of_part());
    if (take == 0) return std::make_shared<arrow::Buffer>(nullptr, 0);
    BufferPtr slice = arrow::SliceBuffer(parts_[part_], in_part_, take);
    in_part_ += take;
    position_ += take;
    return slice;
  }

  arrow::Result<std::int64_t> Read(std::int64_t bytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const BufferPtr buffer, Read(bytes));
    if (buffer->size() > 0) std::memcpy(out, buffer->data(), static_cast<std::size_t>(buffer->size()));
    return buffer->size();
  }

 private:
  /// Bytes left in the current part, moving on to the next one when it is used up; 0 at the end.
  std::int64_t rest_of_part() {
    while (part_ < parts_.size() && in_part_ == parts_[part_]->size()) {
      ++part_;
      in_part_ = 0;
    }
    return part_ < parts_.size() ? parts_[part_]->size() - in_part_ : 0;
  }

  std::vector<BufferPtr> parts_;
  std::size_t part_ = 0;
  std::int64_t in_part_ = 0;
  std::int64_t position_ = 0;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<arrow::io::RandomAccessFile> make_input_file(std::shared_ptr<const SegmentFile> file) {
  return std::make_shared<InputFile>(std::move(file));
}

Result<std::shared_ptr<arrow::io::InputStream>> make_input_stream(const SegmentFile& file,
                                                                  const std::vector<ByteRange>& ranges) {
  std::vector<BufferPtr> parts;
  for (const ByteRange& range : ranges) {
    MARIGRAM_ASSIGN(BufferPtr part, file.slice(range.offset, range.length));
    parts.push_back(std::move(part));
  }
  return std::make_shared<RangeStream>(std::move(parts));
}

}  // namespace marigram::segment
