// Blocks against their values. Without this test a value could come back as another, statistics could leave out blocks
// that hold what is looked for, and damaged bytes could be read beyond their end.
#include "segment/native_block.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace marigram::segment {
namespace {

using codec::Buffer;

constexpr ValueKind kKinds[] = {ValueKind::kBool,    ValueKind::kInt32,   ValueKind::kInt64, ValueKind::kUInt64,
                                ValueKind::kFloat32, ValueKind::kFloat64, ValueKind::kText};

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t end) { return engine_() % end; }

  /// Of several habits: noise, walks, constants, extremes; some with nulls.
  BlockValues values(ValueKind kind, std::size_t rows) {
    BlockValues values;
    const std::uint64_t habit = below(5);
    const std::uint64_t null_in = below(3) == 0 ? 1 + below(4) : 0;  // 1: all
    std::uint64_t walk = below(1'000);
    for (std::size_t row = 0; row < rows; ++row) {
      const bool null = null_in != 0 && below(null_in) == 0;
      if (null_in != 0) values.valid.push_back(null ? 0 : 1);
      walk += below(7) - 3;
      if (kind == ValueKind::kText) {
        values.texts.push_back(null ? std::string_view() : text(habit));
      } else {
        values.cells.push_back(null ? 0 : cell(kind, habit, walk));
      }
    }
    if (std::ranges::count(values.valid, 0) == 0) values.valid.clear();
    return values;
  }

 private:
  std::string_view text(std::uint64_t habit) {
    static const std::vector<std::string> words = {
        "", "a", "red", "green", std::string("\0x", 2), std::string(300, 'z')};
    return words[below(habit == 0 ? 1 : words.size())];
  }

  std::uint64_t cell(ValueKind kind, std::uint64_t habit, std::uint64_t walk) {
    switch (kind) {
      case ValueKind::kBool:
        return habit == 0 ? 1 : below(2);
      case ValueKind::kInt32:
        return static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(integer(habit, walk))));
      case ValueKind::kFloat32: {
        if (habit == 1) return static_cast<std::uint32_t>(engine_());
        const double value = number(habit, walk);
        return std::bit_cast<std::uint32_t>(static_cast<float>(value));
      }
      case ValueKind::kFloat64:
        return habit == 1 ? engine_() : std::bit_cast<std::uint64_t>(number(habit, walk));
      default:
        return integer(habit, walk);
    }
  }

  std::uint64_t integer(std::uint64_t habit, std::uint64_t walk) {
    if (habit == 0) return 42;
    if (habit == 1) return engine_();
    if (habit == 2) return below(2) == 0 ? std::uint64_t{1} << 63 : (std::uint64_t{1} << 63) - 1;
    return walk;
  }

  double number(std::uint64_t habit, std::uint64_t walk) {
    static const std::vector<double> extremes = {0.0,
                                                 -0.0,
                                                 std::numeric_limits<double>::infinity(),
                                                 -std::numeric_limits<double>::infinity(),
                                                 5e-324,
                                                 1.7976931348623157e308,
                                                 std::numeric_limits<double>::quiet_NaN()};
    if (habit == 0) return -0.0;
    if (habit == 2) return extremes[below(extremes.size())];
    return static_cast<double>(static_cast<std::int64_t>(walk)) / 100;
  }

  std::mt19937_64 engine_;
};

std::size_t nulls_of(const BlockValues& values) {
  return static_cast<std::size_t>(std::ranges::count(values.valid, 0));
}

bool same(const BlockValues& a, const BlockValues& b) {
  return a.cells == b.cells && a.texts == b.texts && a.valid == b.valid;
}

/// Bytes in memory of their own, so that a sanitizer sees a read beyond their end.
std::optional<BlockValues> decode(bool plain, const Buffer& bytes, ValueKind kind, std::size_t rows,
                                  std::size_t nulls) {
  static thread_local Buffer own;  // the texts point into it
  own = Buffer(bytes.begin(), bytes.end());
  own.shrink_to_fit();
  BlockValues out;
  const bool whole = plain ? decode_plain(own, kind, rows, nulls, out) : decode_packed(own, kind, rows, nulls, out);
  return whole ? std::optional(out) : std::nullopt;
}

Buffer encode(bool plain, ValueKind kind, std::size_t rows, const BlockValues& values) {
  Buffer bytes;
  plain ? encode_plain(kind, rows, values, bytes) : encode_packed(kind, rows, values, codec::Method::kAuto, bytes);
  return bytes;
}

TEST(NativeBlock, ValuesComeBackBitForBit) {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const ValueKind kind = kKinds[seed % std::size(kKinds)];
    const std::size_t rows = 1 + random.below(seed % 10 == 0 ? 8'192 : 100);
    const BlockValues values = random.values(kind, rows);
    for (const bool plain : {true, false}) {
      const auto back = decode(plain, encode(plain, kind, rows, values), kind, rows, nulls_of(values));
      ASSERT_TRUE(back);
      ASSERT_TRUE(same(*back, values));
    }
  }
}

TEST(NativeBlock, PlainValuesLieSideBySide) {
  const std::vector<double> numbers = {1.5, -2.5, 0.0};
  BlockValues values;
  for (const double number : numbers) values.cells.push_back(std::bit_cast<std::uint64_t>(number));
  const Buffer bytes = encode(true, ValueKind::kFloat64, 3, values);
  ASSERT_EQ(bytes.size(), 24U);
  EXPECT_EQ(std::memcmp(bytes.data(), numbers.data(), bytes.size()), 0);
  values.valid = {1, 0, 1};
  EXPECT_EQ(encode(true, ValueKind::kFloat64, 3, values).size(), 25U);
  EXPECT_EQ(encode(true, ValueKind::kFloat64, 3, values).back(), 0b101);
}

/// What damage leaves is refused or is other values; never a crash, and never of the wrong number.
TEST(NativeBlock, DamageIsNeverReadBeyond) {
  for (std::uint64_t seed = 0; seed < 70; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const ValueKind kind = kKinds[seed % std::size(kKinds)];
    const std::size_t rows = 1 + random.below(40);
    const BlockValues values = random.values(kind, rows);
    const std::size_t nulls = nulls_of(values);
    for (const bool plain : {true, false}) {
      const Buffer bytes = encode(plain, kind, rows, values);
      for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(
            decode(plain, Buffer(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)), kind, rows, nulls));
      }
      Buffer more = bytes;
      more.push_back(0);
      EXPECT_FALSE(decode(plain, more, kind, rows, nulls));
      for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        Buffer flipped = bytes;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        const auto back = decode(plain, flipped, kind, rows, nulls);
        EXPECT_TRUE(!back || back->cells.size() + back->texts.size() == rows);
      }
    }
  }
}

// ---- statistics ----

template <typename T>
void expect_integers(const std::vector<std::uint64_t>& cells, const BlockStatistics& statistics) {
  std::vector<T> numbers;
  for (const std::uint64_t cell : cells) numbers.push_back(static_cast<T>(cell));
  EXPECT_EQ(static_cast<T>(statistics.least), *std::ranges::min_element(numbers));
  EXPECT_EQ(static_cast<T>(statistics.largest), *std::ranges::max_element(numbers));
  __extension__ using Wide = __int128;
  const Wide sum = std::accumulate(numbers.begin(), numbers.end(), Wide{0});
  EXPECT_EQ(statistics.sum, static_cast<std::uint64_t>(sum));
  EXPECT_EQ(statistics.sum_rest, static_cast<std::uint64_t>(sum >> 64));
}

double as_double(ValueKind kind, std::uint64_t cell) {
  return kind == ValueKind::kFloat64 ? std::bit_cast<double>(cell)
                                     : static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(cell)));
}

void expect_floats(ValueKind kind, const std::vector<std::uint64_t>& cells, const BlockStatistics& statistics) {
  double sum = 0;
  long double exact = 0;
  std::vector<double> numbers;
  for (const std::uint64_t cell : cells) {
    sum += as_double(kind, cell);
    exact += as_double(kind, cell);
    if (!std::isnan(as_double(kind, cell))) numbers.push_back(as_double(kind, cell));
  }
  const double told = std::bit_cast<double>(statistics.sum);
  EXPECT_TRUE(told == sum || (std::isnan(told) && std::isnan(sum)));
  const double whole = told + std::bit_cast<double>(statistics.sum_rest);
  if (std::isfinite(sum)) {
    EXPECT_NEAR(whole, static_cast<double>(exact), std::abs(sum) * 1e-15);
  }
  if (numbers.empty()) {
    EXPECT_TRUE(std::isnan(as_double(kind, statistics.least)) && std::isnan(as_double(kind, statistics.largest)));
  } else {
    EXPECT_EQ(as_double(kind, statistics.least), *std::ranges::min_element(numbers));
    EXPECT_EQ(as_double(kind, statistics.largest), *std::ranges::max_element(numbers));
  }
}

TEST(NativeBlock, StatisticsAreThoseOfTheValues) {
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const ValueKind kind = kKinds[seed % std::size(kKinds)];
    const std::size_t rows = 1 + random.below(50);
    const BlockValues values = random.values(kind, rows);
    const BlockStatistics statistics = statistics_of(kind, rows, values);
    EXPECT_EQ(statistics.nulls, nulls_of(values));
    std::vector<std::uint64_t> cells;
    for (std::size_t row = 0; row < values.cells.size(); ++row) {
      if (values.valid.empty() || values.valid[row] != 0) cells.push_back(values.cells[row]);
    }
    if (cells.empty()) {
      EXPECT_EQ(statistics, (BlockStatistics{.nulls = statistics.nulls}));
      continue;
    }
    EXPECT_EQ(statistics.first, cells.front());
    EXPECT_EQ(statistics.last, cells.back());
    if (kind == ValueKind::kFloat32 || kind == ValueKind::kFloat64) {
      expect_floats(kind, cells, statistics);
    } else if (kind == ValueKind::kUInt64) {
      expect_integers<std::uint64_t>(cells, statistics);
    } else {
      expect_integers<std::int64_t>(cells, statistics);
    }
  }
}

// ---- times of several series ----

TEST(NativeBlock, TimesOfSeveralSeriesComeBack) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    std::vector<std::uint32_t> rows(1 + random.below(30));
    std::vector<std::int64_t> times;
    for (std::uint32_t& count : rows) {
      count = static_cast<std::uint32_t>(1 + random.below(20));
      std::uint64_t time = random.below(2) == 0 ? 0 : random.below(1U << 30U) - (std::uint64_t{1} << 63);
      for (std::uint32_t i = 0; i < count; ++i) {
        times.push_back(static_cast<std::int64_t>(time));
        time += seed % 2 == 0 ? 10 : random.below(1'000);
      }
    }
    Buffer bytes;
    encode_series_times(times, rows, codec::Method::kAuto, bytes);
    std::vector<std::int64_t> back(times.size());
    ASSERT_TRUE(decode_series_times(bytes, rows, back));
    EXPECT_EQ(back, times);
    bytes.pop_back();
    EXPECT_FALSE(decode_series_times(bytes, rows, back));
  }
}

TEST(NativeBlock, SeriesThatTickAlikeCostNextToNothing) {
  const std::vector<std::uint32_t> rows(800, 10);
  std::vector<std::int64_t> times;
  for (std::size_t i = 0; i < rows.size() * 10; ++i) {
    times.push_back(1'700'000'000'000'000'000 + static_cast<std::int64_t>(i % 10) * 10'000'000'000);
  }
  Buffer bytes;
  encode_series_times(times, rows, codec::Method::kAuto, bytes);
  EXPECT_LT(bytes.size(), 32U);
}

}  // namespace
}  // namespace marigram::segment
