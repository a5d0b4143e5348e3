#include "head/shard.h"

#include <algorithm>
#include <utility>

namespace marigram::head {
namespace {

constexpr std::size_t kFirstBlockRows = 64;
constexpr std::size_t kBlockRowsMax = 16'384;

std::size_t weight(const Run& run) {
  return run.rows.size();
}
std::size_t weight(const ChunkRun& run) {
  return run.bytes.size();
}

bool can_merge(const Run& /*older*/, const Run& /*newer*/) {
  return true;
}
bool can_merge(const ChunkRun& older, const ChunkRun& newer) {
  return older.fields->size() == newer.fields->size();
}

/// Merges the newest two as long as the newer is not much smaller: leaves O(log) of them, each piece merged O(log)
/// times.
template <typename Ptr, typename Merge>
void merge_similar(std::vector<Ptr>& runs, Merge merge) {
  while (runs.size() >= 2) {
    const Ptr newer = runs.back();
    const Ptr older = runs[runs.size() - 2];
    if (weight(*newer) * 2 < weight(*older) || !can_merge(*older, *newer)) return;
    runs.pop_back();
    runs.back() = merge(*older, *newer);
  }
}

struct Cut {
  ChunkRunPtr chunks;  // null: no series has enough rows
  RunPtr rest;         // null: no rows are left
};

/// Compresses what makes whole chunks.
Cut cut_chunks(const RunPtr& run, MemoryBudget& budget) {
  auto chunks = std::make_shared<ChunkRun>();
  chunks->fields = run->fields;
  std::size_t rest_rows = 0;
  for (std::size_t i = 0; i < run->series.size(); ++i) {
    Stretch stretch = run->stretch(i);
    for (; stretch.end - stretch.begin >= kChunkRowsMax; stretch.begin += kChunkRowsMax) {
      const std::size_t end = stretch.begin + kChunkRowsMax;
      const std::uint64_t at = chunks->bytes.size();
      const ChunkInfo info = encode_chunk(run->rows, stretch.begin, end, chunks->bytes);
      chunks->entries.push_back({.series = run->series[i], .info = info, .max = run->rows.times[end - 1], .begin = at});
    }
    rest_rows += stretch.end - stretch.begin;
  }
  if (chunks->entries.empty()) return {.chunks = nullptr, .rest = run};
  chunks->entries.shrink_to_fit();
  chunks->bytes.shrink_to_fit();
  chunks->charge = MemoryCharge(budget, chunks->bytes.capacity() + chunks->entries.capacity() * sizeof(ChunkEntry));
  RunBuilder rest(run->fields, rest_rows);
  for (std::size_t i = 0; i < run->series.size(); ++i) {
    Stretch stretch = run->stretch(i);
    stretch.begin += (stretch.end - stretch.begin) / kChunkRowsMax * kChunkRowsMax;
    if (stretch.begin < stretch.end) rest.add(run->series[i], {&stretch, 1}, EqualTimes::kKeep);
  }
  return {.chunks = std::move(chunks), .rest = rest_rows > 0 ? rest.finish(budget) : nullptr};
}

}  // namespace

/// Who was late to hear of new fields may bring rows with fewer than those before them; they get the others as nulls,
/// so that what arrives later never has fewer fields, and merging loses none.
Block& Shard::block_with_room(const std::shared_ptr<const Fields>& fields) {
  if (!fields_ || fields_->size() < fields->size()) fields_ = fields;
  if (open_ && (open_->is_full() || open_->fields()->size() != fields_->size())) seal_open();
  if (!open_) {
    open_ = std::make_shared<Block>(fields_, std::clamp(rows_, kFirstBlockRows, kBlockRowsMax), *budget_);
  }
  return *open_;
}

void Shard::seal_open() {
  auto next = std::make_shared<Sealed>(*sealed_);
  next->blocks.push_back(std::move(open_));
  open_ = nullptr;
  sealed_ = std::move(next);
}

bool Shard::append(const std::shared_ptr<const Fields>& fields, const ArrivingRows& rows,
                   std::span<const std::uint32_t> chosen) {
  rows_ += chosen.size();
  while (!chosen.empty()) chosen = chosen.subspan(block_with_room(fields).append(rows, chosen));
  return !sealed_->blocks.empty() && !tidying_;
}

ShardView Shard::view() const {
  return {.sealed = sealed_, .open = open_, .open_rows = open_ ? open_->size() : 0};
}

ShardView Shard::take() {
  ShardView all = view();
  open_ = nullptr;
  sealed_ = std::make_shared<const Sealed>();
  rows_ = 0;
  ++taken_;
  return all;
}

void Shard::tidy() {
  std::unique_lock lock(mutex_);
  if (tidying_ || sealed_->blocks.empty()) return;
  tidying_ = true;
  const std::shared_ptr<const Sealed> before = sealed_;
  const std::uint64_t taken = taken_;
  lock.unlock();
  auto after = std::make_shared<Sealed>(tidied(*before));
  lock.lock();
  tidying_ = false;
  if (taken_ != taken) return;
  const auto arrived = sealed_->blocks.begin() + static_cast<std::ptrdiff_t>(before->blocks.size());
  after->blocks.assign(arrived, sealed_->blocks.end());
  sealed_ = std::move(after);
}

Sealed Shard::tidied(Sealed sealed) const {
  for (const auto& block : sealed.blocks) {
    sealed.runs.push_back(sort_block(*block, block->size(), equal_, *budget_));
    merge_similar(sealed.runs,
                  [&](const Run& older, const Run& newer) { return merge_runs(older, newer, equal_, *budget_); });
    if (sealed.runs.size() > 1) continue;
    Cut cut = cut_chunks(sealed.runs.back(), *budget_);
    if (!cut.chunks) continue;
    sealed.runs.clear();
    if (cut.rest) sealed.runs.push_back(std::move(cut.rest));
    sealed.chunks.push_back(std::move(cut.chunks));
    merge_similar(sealed.chunks,
                  [&](const ChunkRun& older, const ChunkRun& newer) { return merge_chunks(older, newer, *budget_); });
  }
  sealed.blocks.clear();
  return sealed;
}

}  // namespace marigram::head
