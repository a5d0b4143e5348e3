// A day of a zola folder: its files, mapped and held against each other, all but what needs a look at every row
// (docs/format/zola.md).
#pragma once

#include "io/object_store.h"
#include "segment/zola_format.h"

#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::segment {

/// Immutable; thread-safe.
struct ZolaDay {
  struct Column {
    std::string key = {};  // in the store
    std::string name = {};
    ValueKind kind = ValueKind::kInt64;
    std::unique_ptr<io::Mapping> mapping = {};
    const std::uint64_t* cells = nullptr;  // of the mapping; one a row
  };
  struct Sidecar {
    std::string key = {};
    std::string bytes = {};

    /// Number `field` of what it says of symbol number `symbol`: its name, its time, its values.
    std::uint64_t at(std::size_t symbol, std::size_t field, std::size_t columns) const;
  };

  std::string folder = {};
  std::string version = {};  // in the store, of the file of times
  std::uint64_t bytes = 0;   // of all files
  std::uint64_t rows = 0;
  Column times = {};
  Column symbols = {};
  std::vector<Column> values = {};   // by name
  std::vector<ZolaPart> parts = {};  // each with rows, which follow one another
  std::optional<Sidecar> first = {};
  std::optional<Sidecar> last = {};

  /// Whether no column has been cut short since it was opened, so that what was read may be zeros.
  bool is_whole() const;
  std::int64_t time(std::uint64_t row) const { return static_cast<std::int64_t>(times.cells[row]); }
};

/// `folder`: a date, with ".old" behind it or not. kNotFound: there is none; kCorruption names the file; kConflict: it
/// is replaced again and again. O(symbols).
Result<ZolaDay> open_zola_day(const io::ObjectStore& store, const std::string& folder);

/// The day that `folder` would hold, counted from 1970-01-01. kCorruption: there is no such date.
Result<std::int64_t> zola_day_of(std::string_view folder);

}  // namespace marigram::segment
