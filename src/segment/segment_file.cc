#include "segment/segment_file.h"

#include "base/hash.h"
#include "base/try.h"
#include "io/object_store.h"
#include "segment/arrow_status.h"
#include "segment/checksums.h"
#include "segment/memory_pool.h"

#include <marigram/error.h>

#include <arrow/buffer.h>
#include <fmt/format.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace marigram::segment {
namespace {

constexpr std::size_t kMagicBytes = 4;
constexpr std::size_t kTrailerBytes = 8;  // u32 length of the footer, magic
constexpr std::string_view kMagic = "PAR1";
constexpr std::string_view kEncryptedMagic = "PARE";

/// Bytes of a segment file; keeps the file mapped.
class MappedBuffer : public arrow::Buffer {
 public:
  MappedBuffer(std::span<const std::byte> bytes, std::shared_ptr<const SegmentFile> file)
      : arrow::Buffer(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<std::int64_t>(bytes.size())),
        file_(std::move(file)) {}

 private:
  std::shared_ptr<const SegmentFile> file_;
};

std::string_view as_chars(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

SegmentFile::~SegmentFile() = default;

parquet::ReaderProperties SegmentFile::reader_properties() const {
  parquet::ReaderProperties properties(memory_pool());
  properties.set_page_checksum_verification(!has_checksums());
  return properties;
}

Result<std::shared_ptr<const SegmentFile>> SegmentFile::open(io::ObjectStore& store, const std::string& key) {
  std::shared_ptr<SegmentFile> file(new SegmentFile);
  file->key_ = key;
  file->doing_ = "cannot read " + key;
  MARIGRAM_ASSIGN(const auto object, store.open(key));  // the mapping lives on without it
  MARIGRAM_ASSIGN(file->mapping_, object->map());
  file->bytes_ = file->mapping_->bytes();
  MARIGRAM_TRY(guarded(file->doing_, true, [&] { return file->read_footer(); }));
  MARIGRAM_TRY(file->check_whole());
  return file;
}

Status SegmentFile::check_whole() const {
  if (mapping_->is_whole()) return {};
  return fail(ErrorCode::kCorruption, doing_ + ": it was cut short while it was read");
}

Status SegmentFile::read_footer() {
  const auto corrupt = [&](std::string cause) {
    return fail(ErrorCode::kCorruption, fmt::format("{}: {}", doing_, cause));
  };
  const std::string_view all = as_chars(bytes_);
  if (all.ends_with(kEncryptedMagic)) return corrupt("it is encrypted, which tables do not support");
  if (all.size() < kMagicBytes + kTrailerBytes || !all.starts_with(kMagic) || !all.ends_with(kMagic)) {
    return corrupt(fmt::format("it is not a Parquet file, or is cut short; got {} bytes", all.size()));
  }
  std::uint32_t length = 0;
  std::memcpy(&length, all.data() + all.size() - kTrailerBytes, sizeof(length));
  if (length == 0 || length > all.size() - kMagicBytes - kTrailerBytes) {
    return corrupt(fmt::format("its footer claims {} bytes of a file of {}", length, all.size()));
  }
  data_end_ = all.size() - kTrailerBytes - length;
  const std::string_view footer = all.substr(data_end_, length);
  MARIGRAM_ASSIGN(checksums_, read_checksums(footer, data_end_, doing_));
  if (checksums_) verified_ = std::make_unique<std::atomic<bool>[]>(checksums_->blocks.size());
  metadata_ = parquet::FileMetaData::Make(footer.data(), static_cast<std::int64_t>(footer.size()), reader_properties());
  if (!checksums_ && metadata_->created_by() == kCreatedBy)
    return corrupt("its footer is damaged: the checksums are gone");
  return check_row_counts();
}

Status SegmentFile::check_row_counts() {
  const auto damaged = [&](std::string cause) {
    return fail(ErrorCode::kCorruption, fmt::format("{}: its footer is damaged: {}", doing_, cause));
  };
  if (metadata_->is_encryption_algorithm_set()) {
    return fail(ErrorCode::kCorruption, fmt::format("{}: it is encrypted, which tables do not support", doing_));
  }
  std::int64_t total = 0;
  for (int i = 0; i < metadata_->num_row_groups(); ++i) {
    const std::int64_t rows = metadata_->RowGroup(i)->num_rows();
    if (rows < 0 || __builtin_add_overflow(total, rows, &total)) {
      return damaged(fmt::format("row group {} has {} rows", i, rows));
    }
    group_rows_.push_back(rows);
  }
  if (total == metadata_->num_rows()) return {};
  return damaged(fmt::format("its row groups have {} rows together, the file has {}", total, metadata_->num_rows()));
}

std::shared_ptr<const PageTable> SegmentFile::known_page_table(int row_group, int leaf) const {
  const std::lock_guard lock(mutex_);
  const auto found = page_tables_.find({row_group, leaf});
  return found == page_tables_.end() ? nullptr : found->second;
}

void SegmentFile::remember_page_table(int row_group, int leaf, std::shared_ptr<const PageTable> table) const {
  const std::lock_guard lock(mutex_);
  page_tables_[{row_group, leaf}] = std::move(table);
}

Result<std::shared_ptr<arrow::Buffer>> SegmentFile::slice(std::uint64_t offset, std::uint64_t length) const {
  if (offset > bytes_.size() || length > bytes_.size() - offset) {
    return fail(ErrorCode::kCorruption, fmt::format("{}: it refers to {} bytes from byte {}, and has {}", doing_,
                                                    length, offset, bytes_.size()));
  }
  MARIGRAM_TRY(verify(offset, length));
  return std::make_shared<MappedBuffer>(bytes_.subspan(offset, length), shared_from_this());
}

Status SegmentFile::verify(std::uint64_t offset, std::uint64_t length) const {
  if (!checksums_ || length == 0 || offset >= data_end_) return {};  // the footer was verified when it was read
  const std::uint64_t width = checksums_->block_bytes;
  const std::uint64_t last = (std::min(offset + length, data_end_) - 1) / width;
  for (std::uint64_t block = offset / width; block <= last; ++block) {
    if (verified_[block].load(std::memory_order_relaxed)) continue;
    const std::uint64_t begin = block * width;
    const std::uint64_t size = std::min(width, data_end_ - begin);
    const std::uint32_t computed = crc32c(as_chars(bytes_.subspan(begin, size)));
    if (computed != checksums_->blocks[block]) {
      return fail(ErrorCode::kCorruption,
                  fmt::format("{}: bytes {} to {} are damaged: checksum {:08x} stored, {:08x} computed", doing_, begin,
                              begin + size, checksums_->blocks[block], computed));
    }
    verified_[block].store(true, std::memory_order_relaxed);
  }
  return {};
}

}  // namespace marigram::segment
