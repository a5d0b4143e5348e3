// An open segment in blocks: its structure, and blocks as they are asked for.
#pragma once

#include "io/object_store.h"
#include "model/schema.h"
#include "segment/native_block.h"
#include "segment/native_structure.h"

#include <marigram/error.h>
#include <marigram/series.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace marigram::segment {

/// Values of a block: numbers side by side in the file where they lie so, else decoded. Borrows the file.
struct BlockView {
  const void* cells = nullptr;  // of each row, `width` bytes; a null is 0. Not of texts
  unsigned width = 8;           // 4 only of int32 and float32; of 8, as in BlockValues
  BlockValues decoded = {};     // `valid`, and values that are not in the file

  bool is_null(std::size_t row) const { return !decoded.valid.empty() && decoded.valid[row] == 0; }
};

/// The times of a page, not checked. Bits of values, as in BlockStatistics.
struct PageTimes {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t least = 0;
  std::uint64_t largest = 0;
};

/// A native segment, or what is read as one (zola_reader.h). Immutable but for the memory of what was checked;
/// thread-safe.
class NativeFile {
 public:
  /// Maps the file and checks its structure. kNotFound, kCorruption.
  static Result<std::shared_ptr<const NativeFile>> open(io::ObjectStore& store, const std::string& key);
  virtual ~NativeFile() = default;

  const std::string& key() const { return key_; }
  /// "cannot read data/x.mgs"
  const std::string& doing() const { return doing_; }
  virtual std::uint64_t bytes() const { return mapping_->bytes().size(); }
  const NativeStructure& structure() const { return structure_; }
  /// Whether structure() has `blocks`, as it has of a native segment.
  bool has_statistics() const { return !structure_.blocks.empty(); }
  /// Its columns in their order: tags, the time, fields. Types are of the columns' kinds.
  const model::Schema& schema() const { return schema_; }

  std::uint64_t page_begin(std::size_t page) const { return page == 0 ? 0 : structure_.page_ends[page - 1]; }
  std::size_t page_rows(std::size_t page) const { return structure_.page_ends[page] - page_begin(page); }
  std::uint64_t series_begin(std::size_t series) const { return series == 0 ? 0 : structure_.series_ends[series - 1]; }
  /// The page of a row.
  std::size_t page_of(std::uint64_t row) const;
  /// The series of a row.
  std::size_t series_of(std::uint64_t row) const;

  /// The value of a tag, counted as the file's, in a series.
  TagValue tag_value(std::size_t tag, std::size_t series) const;
  /// The series of those tags, in the file's order and types.
  std::optional<std::size_t> find_series(std::span<const TagValue> tags) const;

  /// kCorruption if the file has been cut short since it was opened, so that what was read may be zeros: to be asked
  /// when something has been made of its bytes.
  Status check_whole() const;

  /// A hint: the blocks of these pages, or the first of them, are read soon.
  void will_read(std::size_t first_page, std::size_t last_page) const;
  virtual PageTimes page_times(std::size_t page) const;
  /// The bytes of a block, of `column` of block_columns(), not checked.
  virtual codec::Bytes block(std::size_t column, std::size_t page) const;
  /// Whether view() gives a block's values where they lie in the file.
  bool is_plain(std::size_t column, std::size_t page) const;
  /// The values of a block. Texts point into the file. kCorruption.
  virtual Result<BlockValues> read(std::size_t column, std::size_t page) const;
  /// The same without a copy, if there is a way.
  virtual Result<BlockView> view(std::size_t column, std::size_t page) const;

 protected:
  NativeFile() = default;

  std::string key_;
  std::string doing_;
  NativeStructure structure_;
  model::Schema schema_;

 private:
  virtual bool is_whole() const { return mapping_->is_whole(); }
  Result<codec::Bytes> block_bytes(std::size_t column, std::size_t page) const;

  std::unique_ptr<io::Mapping> mapping_;
  mutable std::unique_ptr<std::atomic<bool>[]> verified_;  // one a block; set once its checksum matched
};

}  // namespace marigram::segment
