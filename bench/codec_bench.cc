// How many bytes blocks of a set of series take, and how long it takes to encode and to decode them. The set is a
// folder with three files of 8-byte numbers: `counts`, the points of each series, `times`, of all series one after the
// other, and `integers` or `doubles`, their values. Blocks are those of native segments: 8,192 points of one series,
// times and values apart. Prints one JSON object: points, and of each method bytes, encode_s and decode_s, both of one
// thread.
#include "measure.h"

#include "codec/doubles.h"
#include "codec/integers.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram::bench {
namespace {

using codec::Method;

constexpr std::size_t kBlockRows = 8'192;
constexpr int kRounds = 5;  // the quickest counts
constexpr std::array<std::pair<const char*, Method>, 4> kMethods{
    {{"auto", Method::kAuto}, {"delta", Method::kDelta}, {"gorilla", Method::kGorilla}, {"quick", Method::kQuick}}};

template <typename T>
std::vector<T> read_numbers(const std::filesystem::path& path) {
  std::vector<T> numbers(std::filesystem::file_size(path) / sizeof(T));
  std::ifstream file(path, std::ios::binary);
  const auto size = static_cast<std::streamsize>(numbers.size() * sizeof(T));
  if (!file.read(reinterpret_cast<char*>(numbers.data()), size)) stop("cannot read " + path.string());
  return numbers;
}

/// Begin and size of each.
std::vector<std::pair<std::size_t, std::size_t>> blocks_of(const std::vector<std::int64_t>& counts) {
  std::vector<std::pair<std::size_t, std::size_t>> blocks;
  std::size_t begin = 0;
  for (const std::int64_t count : counts) {
    const std::size_t end = begin + static_cast<std::size_t>(count);
    for (; begin < end; begin += blocks.back().second) blocks.emplace_back(begin, std::min(kBlockRows, end - begin));
  }
  return blocks;
}

void encode(std::span<const std::int64_t> values, Method method, codec::Buffer& out) {
  codec::encode_integers(values, 0, out, method);
}
void encode(std::span<const double> values, Method method, codec::Buffer& out) {
  codec::encode_doubles(values, out, method);
}
bool decode(codec::Bytes& bytes, std::span<std::int64_t> values) {
  return codec::decode_integers(bytes, 0, values);
}
bool decode(codec::Bytes& bytes, std::span<double> values) {
  return codec::decode_doubles(bytes, values);
}

struct Figures {
  std::size_t bytes = 0;
  double encode_s = std::numeric_limits<double>::infinity();
  double decode_s = std::numeric_limits<double>::infinity();
};

template <typename Work>
void time(double& best, Work work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
}

template <typename T>
Figures measure(const std::vector<T>& values, const std::vector<std::pair<std::size_t, std::size_t>>& blocks,
                Method method) {
  Figures figures;
  codec::Buffer bytes;
  std::vector<T> decoded(values.size());
  for (int round = 0; round < kRounds; ++round) {
    bytes.clear();
    time(figures.encode_s, [&] {
      for (const auto& [begin, count] : blocks) encode(std::span(values).subspan(begin, count), method, bytes);
    });
    bool whole = true;
    time(figures.decode_s, [&] {
      codec::Bytes rest(bytes);
      for (const auto& [begin, count] : blocks) whole &= decode(rest, std::span(decoded).subspan(begin, count));
    });
    const auto same = [](T a, T b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); };
    if (!whole || !std::ranges::equal(values, decoded, same)) stop("values did not come back");
  }
  figures.bytes = bytes.size();
  return figures;
}

Json to_json(const Figures& figures) {
  return {{"bytes", figures.bytes}, {"encode_s", figures.encode_s}, {"decode_s", figures.decode_s}};
}

Json run(const std::filesystem::path& folder) {
  const auto blocks = blocks_of(read_numbers<std::int64_t>(folder / "counts"));
  const auto times = read_numbers<std::int64_t>(folder / "times");
  Json json{{"points", times.size()}};
  for (const auto& [name, method] : kMethods) {
    const Figures values = std::filesystem::exists(folder / "doubles")
                               ? measure(read_numbers<double>(folder / "doubles"), blocks, method)
                               : measure(read_numbers<std::int64_t>(folder / "integers"), blocks, method);
    json[name] = {{"times", to_json(measure(times, blocks, method))}, {"values", to_json(values)}};
  }
  return json;
}

}  // namespace
}  // namespace marigram::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: codec_bench FOLDER\n");
    return EXIT_FAILURE;
  }
  std::printf("%s\n", marigram::bench::run(argv[1]).dump().c_str());
  return EXIT_SUCCESS;
}
