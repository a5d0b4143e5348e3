#include "segment/hybrid_decoder.h"

#include "base/cache_line.h"
#include "codec/packed_bits.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace marigram::segment {

bool HybridDecoder::read(std::uint32_t* out, std::size_t count) {
  while (count > 0) {
    if (left_ == 0 && !next_run()) return false;
    const std::size_t take = std::min(count, left_);
    if (packed_.empty()) {
      std::fill_n(out, take, value_);
    } else {
      codec::unpack(packed_, bit_width_, next_, take, out);
      next_ += take;
    }
    out += take;
    left_ -= take;
    count -= take;
  }
  return true;
}

bool HybridDecoder::skip(std::size_t count) {
  while (count > 0) {
    if (left_ == 0 && !next_run()) return false;
    const std::size_t take = std::min(count, left_);
    next_ += take;
    left_ -= take;
    count -= take;
  }
  return true;
}

void HybridDecoder::prefetch(std::size_t ahead, std::size_t count) const {
  constexpr std::size_t kLinesMax = 8;
  const std::size_t passed = packed_.empty() ? 0 : (left_ + 7) / 8 * bit_width_;  // as if all runs were packed
  const std::size_t begin = ahead * bit_width_ / 8;
  if (begin < passed || begin - passed >= bytes_.size()) return;
  const codec::Bytes values = bytes_.subspan(begin - passed);
  const std::size_t size =
      std::min({count * bit_width_ / 8 + kCacheLineBytes, values.size(), kLinesMax * kCacheLineBytes});
  for (std::size_t at = 0; at < size; at += kCacheLineBytes) __builtin_prefetch(values.data() + at);
}

/// A run begins with its length shifted left by one: in values, or, if the lowest bit is set, in groups of eight packed
/// ones.
bool HybridDecoder::next_run() {
  const auto header = codec::take_uleb128(bytes_);
  if (!header || *header >> 1U == 0) return false;
  const std::uint64_t length = *header >> 1U;
  packed_ = {};
  next_ = 0;
  value_ = 0;
  if ((*header & 1U) == 0 || bit_width_ == 0) {
    const std::size_t size = (*header & 1U) == 0 ? (bit_width_ + 7) / 8 : 0;
    if (bytes_.size() < size) return false;
    value_ = static_cast<std::uint32_t>(codec::load_word(bytes_.first(size), 0));
    if (bit_width_ < 32 && value_ >> bit_width_ != 0) return false;
    bytes_ = bytes_.subspan(size);
    left_ = std::min<std::uint64_t>(length, SIZE_MAX / 8) * ((*header & 1U) == 0 ? 1 : 8);
    return true;
  }
  // Some writers cut the padding off the last group.
  const std::size_t size = std::min<std::uint64_t>(length, bytes_.size() / bit_width_ + 1) * bit_width_;
  packed_ = bytes_.first(std::min(size, bytes_.size()));
  bytes_ = bytes_.subspan(packed_.size());
  left_ = packed_.size() * 8 / bit_width_;
  // Where the headers of runs to come will be, if those are as long, as writers make them.
  const std::size_t coming = 3 * (packed_.size() + 1);
  if (coming < bytes_.size()) __builtin_prefetch(bytes_.data() + coming);
  return left_ > 0;
}

}  // namespace marigram::segment
