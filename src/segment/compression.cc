#include "segment/compression.h"

#include <arrow/result.h>
#include <arrow/util/compression.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>

namespace marigram::segment {
namespace {

constexpr std::size_t kBlockBytesMax = std::size_t{64} << 20;  // of a block that is compressed

struct NamedMethod {
  std::string_view name;
  bool plain;
  codec::Method method;
};
constexpr std::array<NamedMethod, 6> kMethods{{{"none", true, codec::Method::kQuick},
                                               {"delta", false, codec::Method::kDelta},
                                               {"double_delta", false, codec::Method::kDoubleDelta},
                                               {"gorilla", false, codec::Method::kGorilla},
                                               {"dictionary", false, codec::Method::kDictionary},
                                               {"auto", false, codec::Method::kAuto}}};
/// In the order of ByteCodec.
constexpr std::array<std::string_view, 4> kCodecs{"", "lz4", "zstd", "snappy"};

std::unique_ptr<arrow::util::Codec> make(ByteCodec codec) {
  constexpr std::array kTypes{arrow::Compression::UNCOMPRESSED, arrow::Compression::LZ4, arrow::Compression::ZSTD,
                              arrow::Compression::SNAPPY};
  auto made = arrow::util::Codec::Create(kTypes[static_cast<std::size_t>(codec)]);
  return made.ok() ? *std::move(made) : nullptr;
}

}  // namespace

Result<Compression> parse_compression(std::string_view text, const std::string& doing) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const auto method = std::ranges::find(kMethods, text.substr(0, colon), &NamedMethod::name);
  const auto codec =
      colon == text.size() ? kCodecs.begin() : std::find(kCodecs.begin() + 1, kCodecs.end(), text.substr(colon + 1));
  if (method == kMethods.end() || codec == kCodecs.end()) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("{}: there is no compression '{}'; use none, delta, double_delta, gorilla, dictionary or "
                            "auto, and behind it, if wanted, :zstd, :lz4 or :snappy",
                            doing, text));
  }
  return Compression{
      .plain = method->plain, .method = method->method, .bytes = static_cast<ByteCodec>(codec - kCodecs.begin())};
}

codec::Buffer compress(ByteCodec codec, codec::Bytes block) {
  const auto compressor = block.size() <= kBlockBytesMax ? make(codec) : nullptr;
  if (!compressor) return {};
  const auto size = static_cast<std::int64_t>(block.size());
  codec::Buffer out;
  codec::put_uleb128(block.size(), out);
  const std::size_t head = out.size();
  out.resize(head + static_cast<std::size_t>(compressor->MaxCompressedLen(size, block.data())));
  const auto written =
      compressor->Compress(size, block.data(), static_cast<std::int64_t>(out.size() - head), out.data() + head);
  if (!written.ok()) return {};
  out.resize(head + static_cast<std::size_t>(*written));
  if (out.size() >= block.size()) out.clear();
  return out;
}

bool decompress(ByteCodec codec, codec::Bytes bytes, codec::Buffer& block) {
  const auto size = codec::take_uleb128(bytes);
  const auto decompressor = make(codec);
  if (!size || *size == 0 || *size > kBlockBytesMax || !decompressor) return false;
  block.resize(*size);
  const auto written = decompressor->Decompress(static_cast<std::int64_t>(bytes.size()), bytes.data(),
                                                static_cast<std::int64_t>(block.size()), block.data());
  return written.ok() && static_cast<std::uint64_t>(*written) == *size;
}

}  // namespace marigram::segment
