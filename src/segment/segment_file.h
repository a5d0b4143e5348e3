// The bytes of a segment file, mapped, with its footer. Every byte handed out has been checked against the checksums
// that the file carries (files of ours; others have none).
#pragma once

#include "io/object_store.h"
#include "segment/checksums.h"

#include <marigram/error.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace arrow {
class Buffer;
}
namespace parquet {
class FileMetaData;
class ReaderProperties;
}  // namespace parquet

namespace marigram::segment {

/// How our writer names itself in the footer. Every file that it wrote carries checksums.
inline constexpr std::string_view kCreatedBy = "marigram version 0.1.0";

struct PageTable;

/// Immutable but for the memory of what was checked and read; thread-safe.
class SegmentFile : public std::enable_shared_from_this<SegmentFile> {
 public:
  /// Maps the file and reads its footer. kNotFound; kCorruption: not Parquet, cut short, damaged footer, encrypted.
  static Result<std::shared_ptr<const SegmentFile>> open(io::ObjectStore& store, const std::string& key);
  ~SegmentFile();

  const std::string& key() const { return key_; }
  /// "cannot read data/x.parquet"
  const std::string& doing() const { return doing_; }
  std::uint64_t size() const { return bytes_.size(); }
  /// Where the footer begins; all pages and page indexes lie before.
  std::uint64_t data_end() const { return data_end_; }
  const std::shared_ptr<parquet::FileMetaData>& metadata() const { return metadata_; }
  /// Whether the file carries checksums of ours. If not, Parquet's page checksums, where present, are to be verified.
  bool has_checksums() const { return checksums_.has_value(); }
  parquet::ReaderProperties reader_properties() const;

  std::int64_t group_rows(int row_group) const { return group_rows_[static_cast<std::size_t>(row_group)]; }
  /// What page_table() remembers; null if it does not yet.
  std::shared_ptr<const PageTable> known_page_table(int row_group, int leaf) const;
  void remember_page_table(int row_group, int leaf, std::shared_ptr<const PageTable> table) const;

  /// kCorruption if the file has been cut short since it was opened, so that what was read may be zeros: to be asked
  /// when something has been made of its bytes.
  Status check_whole() const;
  /// Bytes [offset, offset + length) of the file, without a copy; the buffer keeps the mapping alive. kCorruption
  /// beyond the end, or if the bytes do not match their checksums.
  Result<std::shared_ptr<arrow::Buffer>> slice(std::uint64_t offset, std::uint64_t length) const;

 private:
  SegmentFile() = default;
  Status read_footer();
  Status check_row_counts();
  Status verify(std::uint64_t offset, std::uint64_t length) const;

  std::string key_;
  std::string doing_;
  std::unique_ptr<io::Mapping> mapping_;
  std::span<const std::byte> bytes_;  // of the mapping
  std::uint64_t data_end_ = 0;
  std::shared_ptr<parquet::FileMetaData> metadata_;
  std::optional<FileChecksums> checksums_;
  std::vector<std::int64_t> group_rows_;
  mutable std::unique_ptr<std::atomic<bool>[]> verified_;  // one a block; set once its checksum matched
  mutable std::mutex mutex_;
  mutable std::map<std::pair<int, int>, std::shared_ptr<const PageTable>> page_tables_;  // guarded by mutex_
};

}  // namespace marigram::segment
