// Packed pages: whatever the bytes, decoders stay inside them, come to an end, and skip to what reading gives.
#include "segment/delta_decoder.h"
#include "segment/hybrid_decoder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

namespace {

using marigram::codec::Bytes;
using marigram::segment::DeltaDecoder;
using marigram::segment::HybridDecoder;

constexpr std::size_t kValuesMax = 10'000;

void check_hybrid(Bytes bytes, unsigned bit_width, std::size_t skipped) {
  std::vector<std::uint32_t> values(kValuesMax);
  HybridDecoder reading(bytes, bit_width);
  std::size_t count = 0;
  while (count < kValuesMax && reading.read(&values[count], 1)) ++count;
  values.resize(count);
  skipped = std::min(skipped, count);
  HybridDecoder skipping(bytes, bit_width);
  std::vector<std::uint32_t> rest(count - skipped);
  if (!skipping.skip(skipped) || !skipping.read(rest.data(), rest.size())) std::abort();
  if (!std::ranges::equal(rest, std::span(values).subspan(skipped))) std::abort();
}

/// Of stretches with more than `unwanted` values only.
std::vector<std::uint64_t> deltas(Bytes bytes, std::size_t unwanted) {
  std::vector<std::uint64_t> values;
  DeltaDecoder decoder(bytes);
  DeltaDecoder::Stretch stretch;
  std::size_t seen = 0;
  while (seen < kValuesMax && decoder.next(stretch, unwanted) && stretch.count > 0) {
    for (std::size_t i = 0; i < stretch.count && stretch.count > unwanted; ++i) {
      values.push_back(stretch.values.empty() ? stretch.first + stretch.step * i : stretch.values[i]);
    }
    seen += stretch.count;
  }
  return values;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Bytes bytes = Bytes(data, size).subspan(2);
  check_hybrid(bytes, data[0] % 33U, data[1]);
  const std::vector<std::uint64_t> all = deltas(bytes, 0);
  const std::vector<std::uint64_t> large = deltas(bytes, data[1]);
  // What is left after small stretches were passed over is a part of all, in order.
  auto at = all.begin();
  for (const std::uint64_t value : large) {
    at = std::find(at, all.end(), value);
    if (at++ == all.end()) std::abort();
  }
  return 0;
}
