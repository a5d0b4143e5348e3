// How many bytes a point takes in the head, on real data: text files of series, each a number of points, then time and
// value of each point (samples of Beringei's tests). Prints one JSON object:
//
//   payload_bytes   of the chunks, if each series is cut into chunks by itself, as the Gorilla paper counts
//   chunk_bytes     of the chunks in the head and of what finds them, when the same points have arrived `rounds` times
//                   over as `series` long series, one point of each after the other
//   head_bytes      that the head takes all told, with rows that are not compressed yet
#include "measure.h"

#include "head/chunk.h"
#include "head/head.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram::bench {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kSeries = 64;
constexpr std::size_t kRounds = 100;

using Series = std::vector<std::pair<std::int64_t, double>>;  // times in nanoseconds

std::vector<Series> read_series(const std::string& path) {
  std::ifstream file(path);
  if (!file) stop("cannot open " + path);
  std::vector<Series> all;
  for (std::size_t count = 0; file >> count;) {
    Series series(count);
    for (auto& [time, value] : series) {
      if (!(file >> time >> value)) stop("cannot read " + path);
      time *= kSecond;
    }
    all.push_back(std::move(series));
  }
  return all;
}

std::size_t payload_bytes(const Series& series, const head::Fields& fields) {
  head::Rows rows(fields);
  for (const auto& [time, value] : series) {
    rows.times.push_back(time);
    rows.columns[0].cells.push_back(std::bit_cast<std::uint64_t>(value));
    rows.columns[0].valid.push_back(1);
  }
  codec::Buffer chunks;
  for (std::size_t begin = 0; begin < rows.size(); begin += head::kChunkRowsMax) {
    head::encode_chunk(rows, begin, std::min(rows.size(), begin + head::kChunkRowsMax), chunks);
  }
  return chunks.size();
}

/// Some long series made of all short ones: each joined to the last, its time going on by as much as its own steps.
std::vector<Series> joined(const std::vector<Series>& all) {
  std::vector<Series> long_ones(kSeries);
  for (std::size_t i = 0; i < all.size() * kRounds; ++i) {
    const Series& next = all[i % all.size()];
    Series& target = long_ones[i % kSeries];
    const std::int64_t step = next.size() > 1 ? next[1].first - next[0].first : 60 * kSecond;
    const std::int64_t shift = target.empty() || next.empty() ? 0 : target.back().first + step - next[0].first;
    for (const auto& [time, value] : next) target.emplace_back(time + shift, value);
  }
  return long_ones;
}

/// Appends a point of each series at a time; the points that arrived.
std::size_t fill(head::Head& head, const std::shared_ptr<const head::Fields>& fields, const std::vector<Series>& all) {
  std::size_t points = 0;
  for (std::size_t at = 0;; ++at) {
    std::vector<head::SeriesId> ids;
    std::vector<std::int64_t> times;
    model::FieldColumn values;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (at >= all[i].size()) continue;
      ids.push_back(static_cast<head::SeriesId>(i));
      times.push_back(all[i][at].first);
      values.cells.push_back(std::bit_cast<std::uint64_t>(all[i][at].second));
    }
    if (ids.empty()) return points;
    const std::vector<const model::FieldColumn*> columns{&values};
    const head::Route route(ids);
    head::ShardSet full = 0;
    {
      const head::Head::Lock lock(head, route.shards());
      full = head.append(lock, fields, {.series = ids, .times = times, .fields = columns}, route);
    }
    head.tidy(full);
    points += ids.size();
  }
}

struct Chunks {
  std::size_t points = 0;
  std::size_t bytes = 0;
};

Chunks chunks_of(head::Head& head) {
  Chunks all;
  for (const head::ShardView& shard : head.view(head::Head::Lock(head, head::kAllShards))) {
    for (const head::ChunkRunPtr& run : shard.sealed->chunks) {
      all.points += run->rows();
      all.bytes += run->bytes.size() + run->entries.size() * sizeof(head::ChunkEntry);
    }
  }
  return all;
}

Json measure(const std::string& path) {
  const auto fields = std::make_shared<const head::Fields>(head::Fields{{.name = "value"}});
  const std::vector<Series> all = read_series(path);
  std::size_t points = 0;
  std::size_t payload = 0;
  for (const Series& series : all) {
    points += series.size();
    payload += payload_bytes(series, *fields);
  }
  head::MemoryBudget budget;
  head::Head head(head::EqualTimes::kLast, budget);
  const std::size_t head_points = fill(head, fields, joined(all));
  const Chunks chunks = chunks_of(head);
  return {{"points", points},
          {"payload_bytes", payload},
          {"chunk_points", chunks.points},
          {"chunk_bytes", chunks.bytes},
          {"head_points", head_points},
          {"head_bytes", budget.used()},
          {"series", kSeries},
          {"rounds", kRounds}};
}

}  // namespace
}  // namespace marigram::bench

int main(int argc, char** argv) {
  if (argc != 2) marigram::bench::stop("want one argument, the file of series");
  std::puts(marigram::bench::measure(argv[1]).dump().c_str());
  return EXIT_SUCCESS;
}
