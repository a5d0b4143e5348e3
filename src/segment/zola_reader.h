// Reads days of zola folders as native segments are read: values where they lie, page by page (docs/format/zola.md).
#pragma once

#include "io/object_store.h"
#include "segment/native_file.h"
#include "segment/native_reader.h"
#include "segment/zola_day.h"

#include <marigram/error.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace marigram::segment {

/// A day in pages.
class ZolaFile final : public NativeFile {
 public:
  explicit ZolaFile(ZolaDay day);

  const ZolaDay& day() const { return day_; }

  std::uint64_t bytes() const override { return day_.bytes; }
  PageTimes page_times(std::size_t page) const override;
  codec::Bytes block(std::size_t column, std::size_t page) const override;
  Result<BlockValues> read(std::size_t column, std::size_t page) const override;
  Result<BlockView> view(std::size_t column, std::size_t page) const override;

 private:
  bool is_whole() const override { return day_.is_whole(); }
  const ZolaDay::Column& column_at(std::size_t column) const {
    return column == 0 ? day_.times : day_.values[column - 1];
  }
  std::span<const std::uint64_t> cells(std::size_t column, std::size_t page) const;
  std::atomic<bool>& looked_at(std::size_t column, std::size_t page) const;
  bool has_nulls(std::size_t column, std::size_t page) const;
  Status check_times(std::size_t page) const;

  ZolaDay day_;
  /// One a block: of times, that they ascend; of values, that none is null.
  std::unique_ptr<std::atomic<bool>[]> looked_at_;
};

class ZolaReader final : public NativeReader {
 public:
  /// `key` is the file of the day's times. As open_zola_day.
  static Result<std::shared_ptr<ZolaReader>> open(const io::ObjectStore& store, const std::string& key);
  /// The key for a day's folder.
  static std::string key_of(const std::string& folder);

  /// Symbols and sidecars are what .parted and the columns say; `sidecar` says nothing that they do not.
  Status check_claims(std::string_view sidecar) const override;

 private:
  explicit ZolaReader(std::shared_ptr<const ZolaFile> file);
};

}  // namespace marigram::segment
