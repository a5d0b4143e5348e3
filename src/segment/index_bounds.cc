#include "segment/index_bounds.h"

#include "base/try.h"
#include "model/index.h"
#include "model/schema.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <variant>

namespace marigram::segment {
namespace {

constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;

/// Where a bound lies among the keys: the first key at or after it; unset if it lies beyond the last one.
std::optional<std::uint64_t> first_key_at(const IndexValue& value, TimeUnit unit) {
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return *number;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<std::uint64_t>(*number) ^ kSignBit;
  const Instant instant = std::get<Instant>(value);
  if (const auto units = to_units_ceil(instant, unit)) return static_cast<std::uint64_t>(*units) ^ kSignBit;
  // The instant lies outside what the unit can express.
  return instant.seconds < 0 ? std::optional<std::uint64_t>(0) : std::nullopt;
}

Status check_domain(const model::IndexKind& kind, const std::optional<IndexValue>& value) {
  if (!value || model::value_matches(kind, *value)) return {};
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot read a range: wrong type of bound; got {}, want a value of type {}",
                          format_index_value(*value), model::index_kind_name(kind)));
}

}  // namespace

Result<IndexBounds> IndexBounds::make(const model::IndexKind& kind, const model::DataType& type,
                                      const std::optional<IndexValue>& from, const std::optional<IndexValue>& to) {
  MARIGRAM_TRY(check_domain(kind, from));
  MARIGRAM_TRY(check_domain(kind, to));
  IndexBounds bounds;
  bounds.bias_ = std::holds_alternative<model::UInt64Index>(kind) ? 0 : kSignBit;
  if (from) {
    const auto low = first_key_at(*from, type.unit);
    bounds.none_ = !low;
    bounds.low_ = low.value_or(0);
  }
  if (to) {
    const auto end = first_key_at(*to, type.unit);
    if (end) {
      bounds.none_ = bounds.none_ || *end == 0 || *end - 1 < bounds.low_;
      bounds.high_ = *end - 1;
    }
  }
  return bounds;
}

}  // namespace marigram::segment
