// How many bytes blocks of a set of series take, and how long it takes to encode and to decode them. The set is a
// folder with three files of 8-byte numbers: `counts`, the points of each series, `times`, of all series one after the
// other, and `integers` or `doubles`, their values. Blocks are those of native segments: 8,192 points of one series,
// times and values apart. They are decoded one after the other to one place, as by who adds them up. Prints one JSON
// object: points, and of each method and of Gorilla as it was published (gorilla.h) bytes, encode_s and decode_s, both
// of one thread, and of ours how many blocks have which encoding.
//
// With --made: how quickly made blocks of one encoding each are decoded, to one place of 8,192 values and to memory, of
// so many blocks. Prints a JSON array: name, bytes a value, values a second to each of both places; the first line is
// that of memory filled.
#include "gorilla.h"
#include "measure.h"

#include "codec/doubles.h"
#include "codec/integers.h"
#include "codec/packed_bits.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram::bench {
namespace {

using codec::Method;

constexpr std::size_t kBlockRows = 8'192;
constexpr int kRounds = 7;  // the quickest counts
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
bool decode(codec::Bytes& bytes, std::int64_t /*to*/, std::span<std::uint64_t> cells) {
  return codec::decode_integers(bytes, 0, cells);
}
bool decode(codec::Bytes& bytes, double /*to*/, std::span<std::uint64_t> cells) {
  return codec::decode_doubles(bytes, cells);
}

// ---- which encoding a block has: its tags (codec/integers.h, doubles.h, sequence.h) ----

std::string name_of_integers(codec::Bytes block) {
  constexpr std::array<const char*, 6> kNames{"constant", "packed", "deltas", "double deltas", "ticks", "sequence"};
  constexpr std::array<const char*, 4> kForms{"numbers", "differences", "second differences", "distinct"};
  const unsigned tag = block[0];
  if ((tag & 7U) != 5) return kNames.at(tag & 7U);
  block = block.subspan(1);
  (void)codec::take_uleb128(block);
  (void)codec::take_uleb128(block);
  return std::string("bins of ") + kForms.at(block[0]);
}

std::string name_of(codec::Bytes block, std::int64_t /*of integers*/) {
  return name_of_integers(block);
}
std::string name_of(codec::Bytes block, double /*of doubles*/) {
  const unsigned tag = block[0] & 15U;
  if ((tag & 7U) < codec::kIntegerTagsEnd) return "decimals, " + name_of_integers(block);
  if (tag == 6) return "XOR";
  if (tag == 7) return "dictionary";
  if (tag == 14) return "ordered, " + name_of_integers(block.subspan(1));
  if (block[0] >> 4U != 0) return "decimals, " + name_of_integers(block.subspan(1));
  block = block.subspan(2);
  (void)codec::take_uleb128(block);
  return "decimals and others, " + name_of_integers(block);
}

// ---- a set ----

struct Figures {
  std::size_t bytes = 0;
  double encode_s = std::numeric_limits<double>::infinity();
  double decode_s = std::numeric_limits<double>::infinity();
  std::map<std::string, int> blocks = {};
};

template <typename Work>
void time(double& best, Work work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
}

template <typename T>
bool are_same(std::span<const T> values, std::span<const std::uint64_t> cells) {
  return std::ranges::equal(values, cells, {}, std::bit_cast<std::uint64_t, T>);
}

using Blocks = std::vector<std::pair<std::size_t, std::size_t>>;

template <typename T>
void check(const std::vector<T>& values, const Blocks& blocks, codec::Bytes bytes, Figures& figures) {
  for (const auto& [begin, count] : blocks) {
    ++figures.blocks[name_of(bytes, T{})];
    std::vector<std::uint64_t> decoded(count);
    if (!decode(bytes, T{}, decoded) || !are_same<T>(std::span(values).subspan(begin, count), decoded)) {
      stop("values did not come back");
    }
  }
}

/// `encode(begin, count, out)` appends a block, `decode(bytes, cells)` takes it off.
template <typename Encode, typename Decode>
Figures measure(const Blocks& blocks, Encode encode, Decode decode) {
  Figures figures;
  codec::Buffer bytes;
  std::vector<std::uint64_t> decoded(kBlockRows);
  for (int round = 0; round < kRounds; ++round) {
    bytes.clear();
    time(figures.encode_s, [&] {
      for (const auto& [begin, count] : blocks) encode(begin, count, bytes);
    });
    time(figures.decode_s, [&] {
      codec::Bytes rest(bytes);
      for (const auto& block : blocks) decode(rest, std::span(decoded).first(block.second));
    });
  }
  figures.bytes = bytes.size();
  return figures;
}

template <typename T>
Figures measure_ours(const std::vector<T>& values, const Blocks& blocks, Method method) {
  codec::Buffer bytes;
  const auto put = [&](std::size_t begin, std::size_t count, codec::Buffer& out) {
    encode(std::span(values).subspan(begin, count), method, out);
  };
  for (const auto& [begin, count] : blocks) put(begin, count, bytes);
  Figures figures = measure(blocks, put, [](codec::Bytes& block, std::span<std::uint64_t> cells) {
    if (!decode(block, T{}, cells)) stop("values did not come back");
  });
  check(values, blocks, bytes, figures);
  return figures;
}

/// Gorilla as it was published. `decode` as above.
template <typename T, typename Decode>
Figures measure_gorilla(const std::vector<T>& values, const Blocks& blocks, Decode decode) {
  const auto put = [&](std::size_t begin, std::size_t count, codec::Buffer& out) {
    gorilla::encode(std::span(values).subspan(begin, count), out);
  };
  for (const auto& [begin, count] : blocks) {
    codec::Buffer block;
    put(begin, count, block);
    codec::Bytes bytes(block);
    std::vector<std::uint64_t> decoded(count);
    decode(bytes, decoded);
    if (!are_same<T>(std::span(values).subspan(begin, count), decoded)) stop("values did not come back from Gorilla");
  }
  return measure(blocks, put, decode);
}

Json to_json(const Figures& figures) {
  return {{"bytes", figures.bytes},
          {"encode_s", figures.encode_s},
          {"decode_s", figures.decode_s},
          {"blocks", figures.blocks}};
}

template <typename T>
void run_values(const std::vector<T>& values, const Blocks& blocks, Json& json) {
  for (const auto& [name, method] : kMethods) json[name]["values"] = to_json(measure_ours(values, blocks, method));
  const std::vector<double> doubles(values.begin(), values.end());
  json["published"]["values"] = to_json(measure_gorilla(doubles, blocks, gorilla::decode_values));
}

Json run(const std::filesystem::path& folder) {
  const auto blocks = blocks_of(read_numbers<std::int64_t>(folder / "counts"));
  const auto times = read_numbers<std::int64_t>(folder / "times");
  Json json{{"points", times.size()}};
  for (const auto& [name, method] : kMethods) json[name]["times"] = to_json(measure_ours(times, blocks, method));
  json["published"]["times"] = to_json(measure_gorilla(times, blocks, gorilla::decode_times));
  if (std::filesystem::exists(folder / "doubles")) {
    run_values(read_numbers<double>(folder / "doubles"), blocks, json);
  } else {
    run_values(read_numbers<std::int64_t>(folder / "integers"), blocks, json);
  }
  return json;
}

// ---- made blocks ----

using Random = std::mt19937_64;

template <typename T>
std::vector<T> made(Random& random, const std::function<T(Random&)>& next) {
  std::vector<T> values(kBlockRows);
  for (T& value : values) value = next(random);
  return values;
}

double gorilla_decode_s(const std::vector<double>& values) {
  return measure_gorilla(values, {{0, values.size()}}, gorilla::decode_values).decode_s;
}
/// As times if they ascend, else as values.
double gorilla_decode_s(const std::vector<std::int64_t>& values) {
  if (!std::ranges::is_sorted(values)) return gorilla_decode_s(std::vector<double>(values.begin(), values.end()));
  return measure_gorilla(values, {{0, values.size()}}, gorilla::decode_times).decode_s;
}

/// Of a block, again and again to one place; and of many of it, one behind the other, to many places.
template <typename T>
Json measure_made(const std::string& name, const std::vector<T>& values, const std::string& encoding, Method method,
                  std::span<std::uint64_t> memory) {
  codec::Buffer block;
  encode(values, method, block);
  if (name_of(block, T{}) != encoding) stop(name + ": encoded as " + name_of(block, T{}) + ", want " + encoding);
  std::vector<std::uint64_t> decoded(values.size());
  double cached_s = std::numeric_limits<double>::infinity();
  double memory_s = cached_s;
  const std::size_t copies = memory.size() / values.size();
  codec::Buffer bytes;
  for (std::size_t i = 0; i < copies; ++i) bytes.insert(bytes.end(), block.begin(), block.end());
  bool whole = true;
  for (int round = 0; round < kRounds; ++round) {
    time(cached_s, [&] {
      for (std::size_t i = 0; i < copies; ++i) {
        codec::Bytes rest(block);
        whole &= decode(rest, T{}, decoded);
      }
    });
    time(memory_s, [&] {
      codec::Bytes rest(bytes);
      for (std::size_t i = 0; i < copies; ++i)
        whole &= decode(rest, T{}, memory.subspan(i * values.size(), values.size()));
    });
  }
  if (!whole || !are_same<T>(values, decoded) || !are_same<T>(values, memory.last(values.size()))) {
    stop("values did not come back");
  }
  const auto all = static_cast<double>(copies * values.size());
  return {{"name", name},
          {"bytes", static_cast<double>(block.size()) / static_cast<double>(values.size())},
          {"cached", all / cached_s},
          {"gorilla", static_cast<double>(values.size()) / gorilla_decode_s(values)},
          {"memory", all / memory_s}};
}

Json fill(std::span<std::uint64_t> memory) {
  double seconds = std::numeric_limits<double>::infinity();
  for (int round = 0; round < kRounds; ++round)
    time(seconds, [&] { std::ranges::fill(memory, static_cast<std::uint64_t>(round)); });
  return {{"name", "memory filled with a constant"}, {"memory", static_cast<double>(memory.size()) / seconds}};
}

Json run_made(std::size_t memory_blocks) {
  Random random(1);
  Json json = Json::array();
  std::vector<std::uint64_t> memory(memory_blocks * kBlockRows);
  {
    const auto integers = [&](const std::string& name, const std::string& encoding, auto next, Method method) {
      json.push_back(measure_made<std::int64_t>(name, made<std::int64_t>(random, next), encoding, method, memory));
    };
    json.push_back(fill(memory));
    for (unsigned width = 1; width <= 32; ++width) {
      const auto next = [&](Random& bits) { return static_cast<std::int64_t>(bits() >> (64 - width)); };
      integers(std::to_string(width) + " bits", "packed", next, Method::kQuick);
    }
    std::int64_t last = 0;
    integers("a constant", "constant", [](Random&) { return 7; }, Method::kQuick);
    integers("a time every 10 s", "deltas", [&](Random&) { return last += 10'000'000'000; }, Method::kQuick);
    integers(
        "a time every 0 to 255", "deltas",
        [&](Random& bits) { return last += static_cast<std::int64_t>(bits() % 256); }, Method::kDelta);
    integers(
        "a walk, some long steps", "bins of differences",
        [&, step = std::student_t_distribution<>(2)](Random& bits) mutable {
          return last += static_cast<std::int64_t>(std::lround(50 * step(bits)));
        },
        Method::kAuto);
  }
  const auto doubles = [&](const std::string& name, const std::string& encoding, auto next, Method method) {
    json.push_back(measure_made<double>(name, made<double>(random, next), encoding, method, memory));
  };
  const auto below = [](Random& bits, std::uint64_t end) { return static_cast<double>(bits() % end); };
  doubles(
      "two decimals, below 100", "decimals, packed", [&](Random& bits) { return below(bits, 10'000) / 100; },
      Method::kQuick);
  doubles("integers below 256", "decimals, packed", [&](Random& bits) { return below(bits, 256); }, Method::kQuick);
  doubles(
      "two decimals, 1 in 50 another", "decimals and others, packed",
      [&](Random& bits) { return bits() % 50 == 0 ? below(bits, 10'000) / 7 : below(bits, 10'000) / 100; },
      Method::kQuick);
  doubles("12 different", "dictionary", [&](Random& bits) { return std::sqrt(below(bits, 12)); }, Method::kQuick);
  double at = 50;
  doubles(
      "a walk, all bits", "XOR",
      [&, step = std::normal_distribution<>(0, 1)](Random& bits) mutable { return at += step(bits); },
      Method::kGorilla);
  return json;
}

}  // namespace
}  // namespace marigram::bench

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const bool made = words.size() == 2 && words[0] == "--made";
  if (!made && words.size() != 1) {
    std::fprintf(stderr, "usage: codec_bench FOLDER, or codec_bench --made BLOCKS\n");
    return EXIT_FAILURE;
  }
  const auto json = made ? marigram::bench::run_made(std::stoul(words[1])) : marigram::bench::run(words[0]);
  std::printf("%s\n", json.dump().c_str());
  return EXIT_SUCCESS;
}
