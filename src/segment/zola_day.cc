#include "segment/zola_day.h"

#include "base/try.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

namespace marigram::segment {
namespace {

constexpr std::size_t kCell = sizeof(std::uint64_t);
constexpr std::size_t kDateBytes = 10;

template <typename... Args>
std::unexpected<Error> damaged(const std::string& key, fmt::format_string<Args...> cause, Args&&... args) {
  return fail(ErrorCode::kCorruption,
              fmt::format("cannot read {}: {}", key, fmt::format(cause, std::forward<Args>(args)...)));
}

/// Sizes by the names of files.
using Files = std::map<std::string, std::uint64_t, std::less<>>;

class Opening {
 public:
  Opening(const io::ObjectStore& store, const std::string& folder) : store_(store) { day_.folder = folder; }

  Result<ZolaDay> run(const std::vector<io::ObjectInfo>& objects) {
    Files files;
    for (const io::ObjectInfo& object : objects) {
      const std::string name = object.key.substr(day_.folder.size() + 1);
      if (name.contains('/')) continue;
      files[name] = object.size;
      day_.bytes += object.size;
      if (name == std::string(kZolaTime) + kZolaSuffix) day_.version = object.version;
    }
    MARIGRAM_TRY(open_columns(files));
    MARIGRAM_TRY(read_parts());
    MARIGRAM_TRY(check_times());
    MARIGRAM_ASSIGN(day_.first, read_sidecar(files, kZolaFirstValues));
    MARIGRAM_ASSIGN(day_.last, read_sidecar(files, kZolaLastValues));
    if (!day_.is_whole()) return damaged(day_.folder, "a column was cut short while it was read");
    return std::move(day_);
  }

 private:
  std::string key_of(std::string_view name) const { return day_.folder + "/" + std::string(name); }

  Status open_columns(const Files& files) {
    MARIGRAM_ASSIGN(day_.times, open_column(kZolaTime));
    day_.rows = (day_.times.mapping->bytes().size() - sizeof(ZolaHeader)) / kCell;
    MARIGRAM_ASSIGN(day_.symbols, open_column(kZolaSymbol));
    for (const auto& [file, size] : files) {
      if (!file.ends_with(kZolaSuffix)) continue;
      const std::string name = file.substr(0, file.size() - std::string_view(kZolaSuffix).size());
      if (name == kZolaTime || name == kZolaSymbol) continue;
      if (!is_zola_name(name)) return damaged(key_of(file), "no column can be called \"{}\"", name);
      MARIGRAM_ASSIGN(ZolaDay::Column column, open_column(name));
      day_.values.push_back(std::move(column));
    }
    for (const ZolaDay::Column* keys : {&day_.times, &day_.symbols}) {
      if (keys->kind != ValueKind::kInt64) return damaged(keys->key, "its type is f64, want i64");
    }
    return {};
  }

  Result<ZolaDay::Column> open_column(const std::string& name) {
    ZolaDay::Column column{.key = key_of(name + kZolaSuffix), .name = name};
    auto object = store_.open(column.key);
    if (!object && object.error().code == ErrorCode::kNotFound) return damaged(column.key, "it is missing");
    if (!object) return std::unexpected(std::move(object).error());
    MARIGRAM_ASSIGN(column.mapping, (*object)->map());
    const std::span<const std::byte> bytes = column.mapping->bytes();
    ZolaHeader header;
    if (bytes.size() < sizeof(header)) return damaged(column.key, "it is cut short; got {} bytes", bytes.size());
    std::memcpy(&header, bytes.data(), sizeof(header));
    MARIGRAM_TRY(check_header(column.key, header, bytes.size()));
    column.kind = header.type == zola_type(ValueKind::kFloat64) ? ValueKind::kFloat64 : ValueKind::kInt64;
    column.cells = reinterpret_cast<const std::uint64_t*>(bytes.data() + sizeof(header));
    return column;
  }

  Status check_header(const std::string& key, const ZolaHeader& header, std::uint64_t bytes) const {
    if (header.magic != ZolaHeader::kMagic) {
      return damaged(key, "it is no column of a zola folder: it begins with {:08x}, want {:08x}", header.magic,
                     ZolaHeader::kMagic);
    }
    if (header.version != 1) return damaged(key, "its version is {}, want 1", header.version);
    if (header.type != 1 && header.type != 2) return damaged(key, "its type is {}, want 1 or 2", header.type);
    if (header.zero != 0) return damaged(key, "its reserved word is {:08x}, want 0", header.zero);
    const std::uint64_t body = bytes - sizeof(header);
    if (body % kCell != 0 || body / kCell != header.rows) {
      return damaged(key, "its header says {} rows, and {} bytes follow", header.rows, body);
    }
    if (day_.times.mapping == nullptr || header.rows == day_.rows) return {};
    return damaged(key, "it has {} rows, {} has {}", header.rows, day_.times.key, day_.rows);
  }

  Status read_parts() {
    const std::string key = key_of(kZolaParted);
    auto content = store_.read(key);
    if (!content && content.error().code == ErrorCode::kNotFound) return damaged(key, "it is missing");
    if (!content) return std::unexpected(std::move(content).error());
    const std::string& bytes = content->bytes;
    if (bytes.size() % sizeof(ZolaPart) != 0) return damaged(key, "it has {} bytes, no multiple of 24", bytes.size());
    day_.parts.resize(bytes.size() / sizeof(ZolaPart));
    if (!bytes.empty()) std::memcpy(day_.parts.data(), bytes.data(), bytes.size());
    std::uint64_t row = 0;
    for (std::size_t i = 0; i < day_.parts.size(); ++i) {
      const ZolaPart& part = day_.parts[i];
      if (i > 0 && day_.parts[i - 1].symbol >= part.symbol) {
        return damaged(key, "symbol {} follows {}, want ascending ones", part.symbol, day_.parts[i - 1].symbol);
      }
      if (part.begin != row || part.end <= part.begin || part.end > day_.rows) {
        return damaged(key, "symbol {} has rows {} to {}, want some from {} to at most {}", part.symbol, part.begin,
                       part.end, row, day_.rows);
      }
      row = part.end;
    }
    if (row == day_.rows) return {};
    return damaged(key, "it ends with row {}, {} has {}", row, day_.times.key, day_.rows);
  }

  /// Of each symbol the first time and the last.
  Status check_times() const {
    MARIGRAM_ASSIGN(const std::int64_t day, zola_day_of(day_.folder));
    const std::int64_t begin = day * kMicrosPerDay;
    for (const ZolaPart& part : day_.parts) {
      const std::int64_t first = day_.time(part.begin);
      const std::int64_t last = day_.time(part.end - 1);
      if (begin <= first && first <= last && last < begin + kMicrosPerDay) continue;
      return damaged(day_.times.key, "times of symbol {} go from {} to {} us, want them to ascend within the day",
                     part.symbol, first, last);
    }
    return {};
  }

  Result<std::optional<ZolaDay::Sidecar>> read_sidecar(const Files& files, std::string_view name) const {
    if (!files.contains(name)) return std::nullopt;
    const std::string key = key_of(name);
    MARIGRAM_ASSIGN(io::ObjectContent content, store_.read(key));
    ZolaDay::Sidecar sidecar{.key = key, .bytes = std::move(content.bytes)};
    const std::string& bytes = sidecar.bytes;
    ZolaSidecarHeader header;
    if (bytes.size() < sizeof(header)) return damaged(key, "it is cut short; got {} bytes", bytes.size());
    std::memcpy(&header, bytes.data(), sizeof(header));
    if (header.magic != ZolaSidecarHeader::kMagic || header.zero != 0) {
      return damaged(key, "it does not begin as such a file: got {:08x} and {:08x}, want {:08x} and 0", header.magic,
                     header.zero, ZolaSidecarHeader::kMagic);
    }
    const std::size_t symbols = day_.parts.size();
    const std::size_t columns = day_.values.size();
    if (header.symbols != symbols || header.columns != columns ||
        bytes.size() != sizeof(header) + symbols * (2 + columns) * kCell) {
      return damaged(key, "it says {} symbols and {} columns in {} bytes; the day has {} and {}", header.symbols,
                     header.columns, bytes.size(), symbols, columns);
    }
    for (std::size_t i = 0; i < symbols; ++i) {
      const ZolaPart& part = day_.parts[i];
      const std::uint64_t row = name == kZolaFirstValues ? part.begin : part.end - 1;
      const auto symbol = static_cast<std::int64_t>(sidecar.at(i, 0, columns));
      const auto time = static_cast<std::int64_t>(sidecar.at(i, 1, columns));
      if (symbol == part.symbol && time == day_.time(row)) continue;
      return damaged(key, "symbol {} is said to have time {} us; row {} is symbol {} at {} us", symbol, time, row,
                     part.symbol, day_.time(row));
    }
    return sidecar;
  }

  const io::ObjectStore& store_;
  ZolaDay day_;
};

bool are_same(const std::vector<io::ObjectInfo>& a, const std::vector<io::ObjectInfo>& b) {
  return std::ranges::equal(a, b, [](const io::ObjectInfo& left, const io::ObjectInfo& right) {
    return left.key == right.key && left.version == right.version;
  });
}

}  // namespace

bool ZolaDay::is_whole() const {
  const auto is_whole = [](const Column& column) { return column.mapping->is_whole(); };
  return is_whole(times) && is_whole(symbols) && std::ranges::all_of(values, is_whole);
}

std::uint64_t ZolaDay::Sidecar::at(std::size_t symbol, std::size_t field, std::size_t columns) const {
  std::uint64_t cell = 0;
  std::memcpy(&cell, bytes.data() + sizeof(ZolaSidecarHeader) + (symbol * (2 + columns) + field) * kCell, kCell);
  return cell;
}

Result<ZolaDay> open_zola_day(const io::ObjectStore& store, const std::string& folder) {
  constexpr int kTriesMax = 4;
  MARIGRAM_ASSIGN(auto listed, store.list(folder));
  for (int tries = 0; tries < kTriesMax; ++tries) {
    if (listed.empty()) return fail(ErrorCode::kNotFound, fmt::format("there is no {} in {}", folder, store.name()));
    auto day = Opening(store, folder).run(listed);
    // Its files are of one write only if none was replaced meanwhile.
    MARIGRAM_ASSIGN(auto again, store.list(folder));
    if (are_same(listed, again)) return day;
    listed = std::move(again);
  }
  return fail(ErrorCode::kConflict,
              fmt::format("cannot read {} in {}: it is replaced again and again; try later", folder, store.name()));
}

Result<std::int64_t> zola_day_of(std::string_view folder) {
  if (const auto day = parse_zola_date(folder.substr(0, kDateBytes))) return *day;
  return damaged(std::string(folder), "there is no such date");
}

}  // namespace marigram::segment
