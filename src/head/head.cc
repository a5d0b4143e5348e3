#include "head/head.h"

#include "base/patient_lock.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace marigram::head {
namespace {

bool has_rows(const ShardView& shard) {
  if (shard.open_rows > 0) return true;
  return shard.sealed && !(shard.sealed->blocks.empty() && shard.sealed->runs.empty() && shard.sealed->chunks.empty());
}

}  // namespace

bool has_rows(const HeadView& view) {
  return std::ranges::any_of(view, [](const ShardView& shard) { return has_rows(shard); });
}

Route::Route(std::span<const SeriesId> series) {
  for (const SeriesId id : series) ++begins_[shard_of(id) + 1];
  for (std::size_t i = 0; i < kShards; ++i) {
    if (begins_[i + 1] > 0) shards_ |= ShardSet{1} << i;
  }
  std::partial_sum(begins_.begin(), begins_.end(), begins_.begin());
  if (series.size() == 1) return;
  rows_.resize(series.size());
  auto next = begins_;
  for (std::uint32_t row = 0; row < series.size(); ++row) rows_[next[shard_of(series[row])]++] = row;
}

Head::Lock::Lock(Head& head, ShardSet shards) : head_(&head), shards_(shards) {
  for_each_shard(shards_, [&](std::size_t i) { lock_patiently(head_->shards_[i]->mutex()); });
}

Head::Lock::~Lock() {
  if (head_ == nullptr) return;
  for_each_shard(shards_, [&](std::size_t i) { head_->shards_[i]->mutex().unlock(); });
}

Head::Lock::Lock(Lock&& other) noexcept : head_(std::exchange(other.head_, nullptr)), shards_(other.shards_) {}

Head::Lock& Head::Lock::operator=(Lock&& other) noexcept {
  std::swap(head_, other.head_);
  std::swap(shards_, other.shards_);
  return *this;
}

Head::Head(EqualTimes equal, MemoryBudget& budget) {
  shards_.reserve(kShards);
  for (std::size_t i = 0; i < kShards; ++i) shards_.push_back(std::make_unique<Shard>(equal, budget));
}

ShardSet Head::append(const Lock& lock, const std::shared_ptr<const Fields>& fields, const ArrivingRows& rows,
                      const Route& route) {
  ShardSet untidy = 0;
  for_each_shard(lock.shards() & route.shards(), [&](std::size_t i) {
    if (shards_[i]->append(fields, rows, route.rows(i))) untidy |= ShardSet{1} << i;
  });
  return untidy;
}

HeadView Head::view(const Lock& lock) const {
  HeadView views;
  for_each_shard(lock.shards(), [&](std::size_t i) { views[i] = shards_[i]->view(); });
  return views;
}

HeadView Head::take(const Lock& lock) {
  HeadView views;
  for_each_shard(lock.shards(), [&](std::size_t i) { views[i] = shards_[i]->take(); });
  return views;
}

void Head::tidy(ShardSet shards) {
  for_each_shard(shards, [&](std::size_t i) { shards_[i]->tidy(); });
}

}  // namespace marigram::head
