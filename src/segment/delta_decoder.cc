#include "segment/delta_decoder.h"

#include "codec/packed_bits.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace marigram::segment {
namespace {

constexpr std::uint64_t kBlockValuesMax = 1 << 16;  // writers use 128 and 256

}  // namespace

bool DeltaDecoder::next(Stretch& stretch, std::size_t unwanted) {
  stretch = {};
  if (!started_) {
    if (!start()) return false;
    if (left_ == 0) return true;
    --left_;
    stretch = {.count = 1, .first = last_, .step = 0, .values = {}};
    return true;
  }
  if (left_ == 0) return true;
  return decode_block(stretch, unwanted < std::min<std::uint64_t>(left_, miniblocks_ * miniblock_values_));
}

bool DeltaDecoder::start() {
  started_ = true;
  const auto block = codec::take_uleb128(bytes_);
  const auto miniblocks = block ? codec::take_uleb128(bytes_) : std::nullopt;
  const auto count = miniblocks ? codec::take_uleb128(bytes_) : std::nullopt;
  const auto first = count ? codec::take_zigzag(bytes_) : std::nullopt;
  if (!first || *block == 0 || *block > kBlockValuesMax || *miniblocks == 0 || *block % *miniblocks != 0) return false;
  miniblocks_ = *miniblocks;
  miniblock_values_ = *block / *miniblocks;
  if (miniblock_values_ % 32 != 0) return false;
  left_ = *count;
  last_ = *first;
  return true;
}

bool DeltaDecoder::decode_block(Stretch& stretch, bool wanted) {
  const auto least = codec::take_zigzag(bytes_);
  if (!least || bytes_.size() < miniblocks_) return false;
  const codec::Bytes widths = bytes_.first(miniblocks_);
  bytes_ = bytes_.subspan(miniblocks_);
  stretch.count = std::min<std::uint64_t>(left_, miniblocks_ * miniblock_values_);
  left_ -= stretch.count;
  const std::size_t used = (stretch.count + miniblock_values_ - 1) / miniblock_values_;  // the others have no bytes
  if (std::ranges::all_of(widths.first(used), [](std::uint8_t width) { return width == 0; })) {
    stretch.first = last_ + *least;
    stretch.step = *least;
    last_ += *least * stretch.count;
    return true;
  }
  values_.resize(miniblocks_ * miniblock_values_);
  std::uint64_t* out = values_.data();
  std::uint64_t last = last_;
  for (std::size_t i = 0; i < used; ++i, out += miniblock_values_) {
    const unsigned width = widths[i];
    const std::size_t size = miniblock_values_ / 8 * width;
    if (width > 64 || bytes_.size() < size) return false;
    const std::size_t count = std::min(miniblock_values_, stretch.count - i * miniblock_values_);
    if (!wanted) {
      last += *least * count + (width == 0 ? 0 : codec::sum_packed(bytes_, width, count));
    } else {
      if (width == 0) {
        std::fill_n(out, count, 0);
      } else {
        codec::unpack(bytes_, width, 0, count, out);
      }
      for (std::size_t k = 0; k < count; ++k) out[k] = last += out[k] + *least;
    }
    bytes_ = bytes_.subspan(size);
  }
  last_ = last;
  if (wanted) stretch.values = std::span<const std::uint64_t>(values_).first(stretch.count);
  return true;
}

}  // namespace marigram::segment
