// Coverage files (docs/format/coverage.md). v1: one 32-bit bitmap. v7 without tags: one treemap. v7 with tags:
//
//   "TSTECOV2"
//   u32 number of series, then for each series, ascending:
//     u32 number of tag values, then each: u8 type and
//       1  u64 length, UTF-8 bytes
//       2  i32
//       3  i64
//       4  u64
//     u64 length, treemap (run-optimised)
//
// Integers outside the treemaps are big-endian.
#include "base/try.h"
#include "coverage/bucket_set.h"
#include "coverage/coverage_map.h"
#include "model/index.h"

#include <marigram/error.h>
#include <marigram/series.h>
#include <marigram/table.h>

#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <simdjson.h>

namespace marigram::coverage {
namespace {

constexpr std::string_view kMagic = "TSTECOV2";
enum ValueType : std::uint8_t { kText = 1, kInt32 = 2, kInt64 = 3, kUInt64 = 4 };

template <typename T>
T big_endian(T value) {
  return std::endian::native == std::endian::little ? std::byteswap(value) : value;
}

template <typename T>
void append_be(std::string& out, T value) {
  value = big_endian(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void append_value(std::string& out, const TagValue& value) {
  out.push_back(static_cast<char>(value.index() + 1));
  std::visit(
      [&](const auto& held) {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::string>) {
          append_be<std::uint64_t>(out, held.size());
          out += held;
        } else {
          append_be(out, held);
        }
      },
      value);
}

std::string encode_series(const model::IndexSpec& index, const CoverageMap& map) {
  std::string out(kMagic);
  append_be(out, static_cast<std::uint32_t>(map.size()));
  for (const auto& [series, set] : map) {
    assert(series.size() == index.tags.size());
    append_be(out, static_cast<std::uint32_t>(series.size()));
    for (const TagValue& value : series) append_value(out, value);
    const std::string treemap = set.to_v7_run_optimised_bytes();
    append_be<std::uint64_t>(out, treemap.size());
    out += treemap;
  }
  return out;
}

/// Reads a file of many series from front to back; every length is checked against the bytes that are left.
class SeriesReader {
 public:
  SeriesReader(const model::IndexSpec& index, std::string_view bytes) : index_(index), all_(bytes), rest_(bytes) {}

  Result<CoverageMap> read() {
    MARIGRAM_ASSIGN(const std::string_view magic, take(kMagic.size(), "the magic"));
    if (magic != kMagic) return damaged("no coverage of many series begins here", "other bytes");
    MARIGRAM_ASSIGN(const auto count, number<std::uint32_t>("the number of series"));
    CoverageMap map;
    for (std::uint32_t i = 0; i < count; ++i) {
      MARIGRAM_ASSIGN(SeriesKey key, series());
      MARIGRAM_TRY(check_order(map, key));
      MARIGRAM_ASSIGN(BucketSet set, buckets());
      map.emplace_hint(map.end(), std::move(key), std::move(set));
    }
    if (!rest_.empty()) return damaged("bytes follow the last series", fmt::format("{} bytes", rest_.size()));
    return map;
  }

 private:
  std::unexpected<Error> damaged(std::string_view cause, std::string_view got) const {
    return fail(ErrorCode::kCorruption,
                fmt::format("cannot read coverage: {} at byte {}; got {}", cause, all_.size() - rest_.size(), got));
  }

  Result<std::string_view> take(std::uint64_t length, std::string_view what) {
    if (length > rest_.size()) {
      return damaged(fmt::format("{} is cut short", what), fmt::format("{} of {} bytes", rest_.size(), length));
    }
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }

  template <typename T>
  Result<T> number(std::string_view what) {
    MARIGRAM_ASSIGN(const std::string_view bytes, take(sizeof(T), what));
    T value;
    std::memcpy(&value, bytes.data(), sizeof(value));
    return big_endian(value);
  }

  template <typename T>
  Result<TagValue> integer() {
    MARIGRAM_ASSIGN(const T value, number<T>("a tag value"));
    return value;
  }

  Result<TagValue> text() {
    MARIGRAM_ASSIGN(const auto length, number<std::uint64_t>("the length of a tag value"));
    MARIGRAM_ASSIGN(const std::string_view bytes, take(length, "a tag value"));
    if (!simdjson::validate_utf8(bytes))
      return damaged("a tag value that ends here is not UTF-8", fmt::format("{} bytes", length));
    return std::string(bytes);
  }

  Result<TagValue> value() {
    MARIGRAM_ASSIGN(const auto type, number<std::uint8_t>("the type of a tag value"));
    switch (type) {
      case kText:
        return text();
      case kInt32:
        return integer<std::int32_t>();
      case kInt64:
        return integer<std::int64_t>();
      case kUInt64:
        return integer<std::uint64_t>();
      default:
        return damaged("unknown type of tag value", fmt::format("{}, want 1 to 4", type));
    }
  }

  Result<SeriesKey> series() {
    MARIGRAM_ASSIGN(const auto values, number<std::uint32_t>("the number of tag values"));
    if (values != index_.tags.size()) {
      return damaged("a series with another number of tags", fmt::format("{}, want {}", values, index_.tags.size()));
    }
    SeriesKey key;
    for (std::uint32_t i = 0; i < values; ++i) {
      MARIGRAM_ASSIGN(TagValue tag, value());
      key.push_back(std::move(tag));
    }
    return key;
  }

  /// Series ascend, and a tag has one type in all of them.
  Status check_order(const CoverageMap& map, const SeriesKey& key) const {
    if (map.empty()) return {};
    const SeriesKey& last = map.rbegin()->first;
    for (std::size_t i = 0; i < key.size(); ++i) {
      if (key[i].index() == last[i].index()) continue;
      return damaged(fmt::format("tag `{}` changes its type in a series that ends", index_.tags[i]),
                     format_series(index_.tags, key));
    }
    if (last < key) return {};
    return damaged(last == key ? "a series appears twice and ends" : "series do not ascend where one ends",
                   format_series(index_.tags, key));
  }

  Result<BucketSet> buckets() {
    MARIGRAM_ASSIGN(const auto length, number<std::uint64_t>("the length of a bitmap"));
    MARIGRAM_ASSIGN(const std::string_view bytes, take(length, "a bitmap"));
    auto set = BucketSet::from_v7_bytes(bytes);
    if (!set)
      return damaged(fmt::format("{} in the bitmap that ends", set.error().message), fmt::format("{} bytes", length));
    return set;
  }

  const model::IndexSpec& index_;
  std::string_view all_;
  std::string_view rest_;
};

const BucketSet* only_set(const CoverageMap& map) {
  assert(map.empty() || (map.size() == 1 && map.begin()->first.empty()));
  return map.empty() ? nullptr : &map.begin()->second;
}

}  // namespace

std::string encode(Dialect dialect, const model::IndexSpec& index, const CoverageMap& map) {
  if (dialect == Dialect::kV7 && !index.tags.empty()) return encode_series(index, map);
  const BucketSet none;
  const BucketSet* set = only_set(map);
  if (set == nullptr) set = &none;
  return dialect == Dialect::kV1 ? set->to_v1_bytes() : set->to_v7_bytes();
}

Result<CoverageMap> decode(Dialect dialect, const model::IndexSpec& index, std::string_view bytes) {
  if (dialect == Dialect::kV7 && !index.tags.empty()) return SeriesReader(index, bytes).read();
  MARIGRAM_ASSIGN(BucketSet set,
                  dialect == Dialect::kV1 ? BucketSet::from_v1_bytes(bytes) : BucketSet::from_v7_bytes(bytes));
  CoverageMap map;
  if (!set.empty()) map.emplace(SeriesKey{}, std::move(set));
  return map;
}

}  // namespace marigram::coverage
