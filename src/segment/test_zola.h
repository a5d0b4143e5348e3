// Zola folders for tests, byte by byte as docs/format/zola.md has them and without the product's own writer; and what
// their bytes say, read without any check.
#pragma once

#include "io/object_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <compare>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace marigram::segment::testing {

inline constexpr std::int64_t kZolaDayUs = 86'400'000'000;

struct ZolaRow {
  std::int64_t symbol = 0;
  std::int64_t time = 0;
  std::vector<std::optional<std::uint64_t>> cells = {};  // bits of values; unset: null

  auto key() const { return std::pair(symbol, time); }
  friend bool operator==(const ZolaRow&, const ZolaRow&) = default;
  friend auto operator<=>(const ZolaRow&, const ZolaRow&) = default;
};

/// Bytes by their keys in the store.
using ZolaFiles = std::map<std::string, std::string>;

struct ZolaTestColumn {
  std::string name;
  bool is_float = false;

  std::uint64_t null() const { return is_float ? 0x7FF8'0000'0000'0000 : std::uint64_t{1} << 63U; }
  bool is_null(std::uint64_t cell) const {
    return is_float ? (cell & ~(std::uint64_t{1} << 63U)) > 0x7FF0'0000'0000'0000 : cell == null();
  }
};

template <typename T>
void put(T number, std::string& out) {
  out.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

template <typename T>
T take(const std::string& bytes, std::size_t at) {
  T number{};
  std::memcpy(&number, bytes.data() + at, sizeof(number));
  return number;
}

inline std::string column_bytes(bool is_float, const std::vector<std::uint64_t>& cells) {
  std::string out = "ALOZ";
  put<std::uint32_t>(1, out);
  put<std::uint32_t>(is_float ? 2 : 1, out);
  put<std::uint32_t>(0, out);
  put<std::uint64_t>(cells.size(), out);
  for (const std::uint64_t cell : cells) put(cell, out);
  return out;
}

/// The files of a day. `rows`: by (symbol, time).
inline void add_day(const std::string& folder, const std::vector<ZolaTestColumn>& columns,
                    const std::vector<ZolaRow>& rows, ZolaFiles& files) {
  std::vector<std::uint64_t> symbols;
  std::vector<std::uint64_t> times;
  std::vector<std::vector<std::uint64_t>> cells(columns.size());
  std::map<std::int64_t, std::pair<std::size_t, std::size_t>> parts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    symbols.push_back(static_cast<std::uint64_t>(rows[i].symbol));
    times.push_back(static_cast<std::uint64_t>(rows[i].time));
    for (std::size_t c = 0; c < columns.size(); ++c) cells[c].push_back(rows[i].cells[c].value_or(columns[c].null()));
    parts.try_emplace(rows[i].symbol, i, i).first->second.second = i + 1;
  }
  const auto add = [&](const std::string& name, std::string bytes) { files[folder + "/" + name] = std::move(bytes); };
  add("timestamp.col", column_bytes(false, times));
  add("symbol.col", column_bytes(false, symbols));
  for (std::size_t c = 0; c < columns.size(); ++c) {
    add(columns[c].name + ".col", column_bytes(columns[c].is_float, cells[c]));
  }
  std::string parted;
  std::string head = "DISZ";
  put(static_cast<std::uint32_t>(parts.size()), head);
  put(static_cast<std::uint32_t>(columns.size()), head);
  put<std::uint32_t>(0, head);
  std::string first = head;
  std::string last = head;
  for (const auto& [symbol, range] : parts) {
    put(symbol, parted);
    put<std::uint64_t>(range.first, parted);
    put<std::uint64_t>(range.second, parted);
    for (const auto& [sidecar, row] : {std::pair(&first, range.first), std::pair(&last, range.second - 1)}) {
      put(symbol, *sidecar);
      put(times[row], *sidecar);
      for (const auto& column : cells) put(column[row], *sidecar);
    }
  }
  add(".parted", parted);
  add(".first_values", first);
  add(".last_values", last);
}

inline std::string zola_schema(const std::vector<ZolaTestColumn>& columns) {
  std::string text;
  for (const ZolaTestColumn& column : columns) text += column.name + (column.is_float ? ":f64\n" : ":i64\n");
  return text;
}

/// What the bytes of a day say, if they are as many as they should be.
inline void read_naively(const ZolaFiles& files, const std::string& folder, const std::vector<ZolaTestColumn>& columns,
                         std::vector<ZolaRow>& rows) {
  const auto file = [&](const std::string& name) { return files.at(folder + "/" + name); };
  const auto cell = [](const std::string& bytes, std::size_t row) { return take<std::uint64_t>(bytes, 24 + 8 * row); };
  const std::string parted = file(".parted");
  for (std::size_t at = 0; at < parted.size(); at += 24) {
    for (auto row = take<std::uint64_t>(parted, at + 8); row < take<std::uint64_t>(parted, at + 16); ++row) {
      ZolaRow& read = rows.emplace_back();
      read.symbol = take<std::int64_t>(parted, at);
      read.time = static_cast<std::int64_t>(cell(file("timestamp.col"), row));
      for (const ZolaTestColumn& column : columns) {
        const std::uint64_t bits = cell(file(column.name + ".col"), row);
        read.cells.push_back(column.is_null(bits) ? std::nullopt : std::optional(bits));
      }
    }
  }
}

inline void put_all(io::ObjectStore& store, const ZolaFiles& files) {
  for (const auto& [key, bytes] : files) ASSERT_TRUE(store.put(key, bytes));
}

/// Rows of a day by (symbol, time), several of equal times, some values null; `day` counts from 1970.
inline std::vector<ZolaRow> draw_day(std::mt19937_64& random, std::int64_t day,
                                     const std::vector<ZolaTestColumn>& columns, std::size_t rows,
                                     std::int64_t symbols) {
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  std::vector<ZolaRow> drawn(rows);
  const std::int64_t span = below(3) == 0 ? 20 : kZolaDayUs;
  for (ZolaRow& row : drawn) {
    row.symbol = below(symbols) - symbols / 3;
    row.time = day * kZolaDayUs + below(span);
    for (const ZolaTestColumn& column : columns) {
      const std::uint64_t bits = random();
      const bool null = below(6) == 0 || column.is_null(bits);
      row.cells.push_back(null ? std::nullopt : std::optional(bits));
    }
  }
  std::ranges::stable_sort(drawn, {}, &ZolaRow::key);
  return drawn;
}

}  // namespace marigram::segment::testing
