// Blocks of values: whatever the bytes, decoders stay inside them, and what they give can be encoded and comes back.
//
// The first byte says what the rest is: a block of integers, doubles or strings, or values to be encoded. The second
// one says how many values a block is asked for.
#include "codec/doubles.h"
#include "codec/integers.h"
#include "codec/strings.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace {

using marigram::codec::Buffer;
using marigram::codec::Bytes;
using marigram::codec::Method;

constexpr std::array kMethods{Method::kQuick,       Method::kAuto,    Method::kDelta,
                              Method::kDoubleDelta, Method::kGorilla, Method::kDictionary};

void require(bool holds) {
  if (!holds) std::abort();
}

void check_integers(const std::vector<std::int64_t>& values, std::int64_t base) {
  for (const Method method : kMethods) {
    Buffer block;
    marigram::codec::encode_integers(values, base, block, method);
    Bytes bytes(block);
    std::vector<std::int64_t> decoded(values.size());
    require(marigram::codec::decode_integers(bytes, base, decoded) && bytes.empty() && decoded == values);
  }
}

void check_doubles(const std::vector<double>& values) {
  for (const Method method : kMethods) {
    Buffer block;
    marigram::codec::encode_doubles(values, block, method);
    Bytes bytes(block);
    std::vector<std::uint64_t> decoded(values.size());
    require(marigram::codec::decode_doubles(bytes, decoded) && bytes.empty());
    require(std::memcmp(decoded.data(), values.data(), values.size() * sizeof(double)) == 0);
  }
}

void check_strings(const std::vector<std::string_view>& values) {
  Buffer block;
  marigram::codec::encode_strings(values, block);
  Bytes bytes(block);
  std::vector<std::string_view> decoded(values.size());
  require(marigram::codec::decode_strings(bytes, decoded) && bytes.empty() && decoded == values);
}

void decode(std::uint8_t kind, std::size_t count, Bytes bytes) {
  if (kind == 0) {
    std::vector<std::int64_t> values(count);
    if (marigram::codec::decode_integers(bytes, 0, values)) check_integers(values, 0);
  } else if (kind == 1) {
    std::vector<std::uint64_t> bits(count);
    if (!marigram::codec::decode_doubles(bytes, bits)) return;
    std::vector<double> values(count);
    std::memcpy(values.data(), bits.data(), count * sizeof(double));
    check_doubles(values);
  } else {
    std::vector<std::string_view> values(count);
    if (marigram::codec::decode_strings(bytes, values)) check_strings(values);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Bytes bytes = Bytes(data, size).subspan(2);
  if (data[0] % 4 < 3) {
    decode(data[0] % 4, std::size_t{1} + data[1], bytes);
    return 0;
  }
  std::vector<std::int64_t> integers(bytes.size() / sizeof(std::int64_t));
  if (integers.empty()) return 0;
  std::memcpy(integers.data(), bytes.data(), integers.size() * sizeof(std::int64_t));
  std::vector<double> doubles(integers.size());
  std::ranges::transform(integers, doubles.begin(), std::bit_cast<double, std::int64_t>);
  check_integers(integers, data[1] % 2 == 0 ? 0 : integers.front());
  check_doubles(doubles);
  return 0;
}
