#include "head/series_budget.h"

#include <marigram/error.h>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstdint>
#include <string>
#include <utility>

namespace marigram::head {

SeriesBudget::SeriesBudget(std::string name_space, std::uint64_t max)
    : namespace_(std::move(name_space)), max_(std::min(max, kSeriesMax)) {}

Status SeriesBudget::take(std::uint64_t count) {
  std::uint64_t used = used_.load(std::memory_order_relaxed);
  do {
    if (count > max_ - used) return refuse(count, used);
  } while (!used_.compare_exchange_weak(used, used + count, std::memory_order_relaxed));
  return {};
}

Status SeriesBudget::check(std::uint64_t count) const {
  const std::uint64_t used = this->used();
  return count > max_ - used ? Status(refuse(count, used)) : Status();
}

std::unexpected<Error> SeriesBudget::refuse(std::uint64_t count, std::uint64_t used) const {
  return fail(ErrorCode::kResourceExhausted,
              fmt::format("cannot add {} series to namespace {}: it has {} and its limit is {}; raise the "
                          "namespace's series limit, drop tables, or keep values that never repeat out of the tags",
                          count, namespace_, used, max_));
}

void SeriesBudget::give_back(std::uint64_t count) {
  [[maybe_unused]] const std::uint64_t before = used_.fetch_sub(count, std::memory_order_relaxed);
  assert(before >= count);
}

}  // namespace marigram::head
