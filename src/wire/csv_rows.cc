#include "wire/csv_rows.h"

#include "base/try.h"
#include "wire/number_text.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace marigram::wire {
namespace {

using model::FieldType;
using model::FieldValue;

constexpr std::size_t kSampleBytesMax = std::size_t{4} << 20U;
/// In the order in which they are tried on a column without type; what fits none of them is a string.
constexpr std::array kInferred = {FieldType::kInt64, FieldType::kUInt64, FieldType::kFloat64, FieldType::kBool};

bool is_null(const CsvCell& cell, FieldType type) {
  if (type == FieldType::kString) return cell.text.empty() && !cell.quoted;
  constexpr std::array<std::string_view, 7> kNulls = {"", "NA", "N/A", "NaN", "nan", "null", "NULL"};
  return std::ranges::find(kNulls, cell.text) != kNulls.end();
}

template <typename Number>
std::optional<FieldValue> number_of(std::string_view text) {
  Number number = 0;
  if (parse_number(text, number) != Parsed::kYes) return std::nullopt;
  return number;
}

std::optional<FieldValue> float_of(std::string_view text) {
  double number = 0;
  if (parse_float(text, number) == Parsed::kYes) return number;
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

/// What a cell that is not null says; unset if it is not of that type.
std::optional<FieldValue> value_of(std::string_view text, FieldType type) {
  switch (type) {
    case FieldType::kFloat64:
      return float_of(text);
    case FieldType::kInt64:
      return number_of<std::int64_t>(text);
    case FieldType::kUInt64:
      return number_of<std::uint64_t>(text);
    case FieldType::kBool:
      if (const auto truth = parse_bool(text); truth && text.size() > 1) return *truth;
      return std::nullopt;
    case FieldType::kString:
      return std::string(text);
  }
  return std::nullopt;
}

std::unexpected<Error> unusable(std::string_view cause) {
  return fail(ErrorCode::kInvalidInput, fmt::format("the header cannot be used: {}", cause));
}

}  // namespace

void CsvParser::parse(std::string_view record) {
  if (record.empty() || state_ == State::kRefused) return;
  if (state_ == State::kRows) {
    parse_row(record);
  } else if (state_ == State::kSample) {
    keep(record);
  } else if (auto header = parse_header(record); !header) {
    state_ = State::kRefused;
    refuse(std::move(header.error().message));
  }
}

void CsvParser::skipped() {
  if (state_ == State::kHeader) state_ = State::kRefused;
}

void CsvParser::end() {
  if (state_ == State::kHeader) refuse("the text is empty; want a header line with the columns' names");
  if (state_ == State::kSample) end_sample();
}

Status CsvParser::parse_header(std::string_view record) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (record.starts_with(kByteOrderMark)) record.remove_prefix(kByteOrderMark.size());
  if (const auto problem = splitter_.split(record)) return unusable(problem->reason);
  bool known = true;
  columns_.reserve(splitter_.cells().size());
  for (const CsvCell& cell : splitter_.cells()) {
    Column& column = columns_.emplace_back(Column{.name = std::string(cell.text)});
    if (column.name == mapping_.time_column) {
      column.role = Role::kTime;
    } else if (std::ranges::find(mapping_.tags, column.name) != mapping_.tags.end()) {
      column.role = Role::kTag;
    } else if (const auto declared = mapping_.types.find(column.name); declared != mapping_.types.end()) {
      column.type = declared->second;
    } else {
      known = false;
    }
  }
  MARIGRAM_TRY(check_columns());
  state_ = State::kSample;
  if (known || mapping_.sample_rows == 0) end_sample();
  return {};
}

Status CsvParser::check_columns() const {
  std::set<std::string_view> names;
  for (const Column& column : columns_) {
    if (column.name.empty()) return unusable("a column has no name");
    if (!names.insert(column.name).second) return unusable(fmt::format("column {:?} is there twice", column.name));
  }
  std::vector<std::string_view> wanted = {mapping_.time_column};
  wanted.insert(wanted.end(), mapping_.tags.begin(), mapping_.tags.end());
  for (const auto& [name, type] : mapping_.types) wanted.emplace_back(name);
  for (const std::string_view name : wanted) {
    if (!names.contains(name)) {
      return unusable(fmt::format("there is no column {:?}; got {}", name, fmt::join(names, ", ")));
    }
  }
  return {};
}

void CsvParser::keep(std::string_view record) {
  sample_.push_back({.line = line(), .text = std::string(record)});
  sample_bytes_ += record.size();
  if (sample_.size() >= mapping_.sample_rows || sample_bytes_ >= kSampleBytesMax) end_sample();
}

void CsvParser::end_sample() {
  infer_types();
  state_ = State::kRows;
  for (const Record& record : std::exchange(sample_, {})) {
    set_record(record.line, record.text);
    parse_row(record.text);
  }
}

void CsvParser::infer_types() {
  struct Guess {
    bool has_value = false;
    std::array<bool, kInferred.size()> fits = {true, true, true, true};
  };
  std::vector<Guess> guesses(columns_.size());
  for (const Record& record : sample_) {
    if (splitter_.split(record.text) || splitter_.cells().size() != columns_.size()) continue;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const CsvCell& cell = splitter_.cells()[i];
      if (columns_[i].type || columns_[i].role != Role::kField || is_null(cell, FieldType::kFloat64)) continue;
      guesses[i].has_value = true;
      for (std::size_t type = 0; type < kInferred.size(); ++type) {
        bool& fits = guesses[i].fits[type];
        fits = fits && value_of(cell.text, kInferred[type]);
      }
    }
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].type) continue;
    const auto fits = std::ranges::find(guesses[i].fits, true) - guesses[i].fits.begin();
    const bool is_text = static_cast<std::size_t>(fits) == kInferred.size();
    columns_[i].type = is_text ? FieldType::kString : kInferred[static_cast<std::size_t>(fits)];
    if (!guesses[i].has_value) columns_[i].type = FieldType::kFloat64;
  }
}

void CsvParser::parse_row(std::string_view record) {
  if (!simdjson::validate_utf8(record.data(), record.size())) return refuse("the text is no valid UTF-8");
  if (const auto problem = splitter_.split(record)) return refuse(problem->at, std::string(problem->reason));
  const auto& cells = splitter_.cells();
  if (cells.size() != columns_.size()) {
    return refuse(fmt::format("got {} cells, want {} as in the header", cells.size(), columns_.size()));
  }
  tags_.clear();
  fields_.clear();
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (auto parsed = parse_cell(columns_[i], cells[i]); !parsed) {
      return refuse(cells[i].at, std::move(parsed.error().message));
    }
  }
  add(mapping_.table, tags_, time_, fields_);
}

Status CsvParser::parse_cell(const Column& column, const CsvCell& cell) {
  if (column.role == Role::kTime) {
    auto time = parse_time(cell.text);
    if (!time) {
      return fail(ErrorCode::kInvalidInput, fmt::format("column {:?}: {}", column.name, time.error().message));
    }
    time_ = *time;
  } else if (column.role == Role::kTag) {
    tags_.push_back({.name = column.name, .value = std::string(cell.text)});
  } else if (is_null(cell, *column.type)) {
    fields_.push_back({.name = column.name, .value = {}});
  } else {
    auto value = value_of(cell.text, *column.type);
    if (!value) {
      return fail(ErrorCode::kInvalidInput, fmt::format("column {:?}: got {:?}, want {}", column.name,
                                                        beginning(cell.text, 60), field_type_name(*column.type)));
    }
    fields_.push_back({.name = column.name, .value = *std::move(value)});
  }
  return {};
}

Result<std::int64_t> CsvParser::parse_time(std::string_view text) const {
  if (!mapping_.time_unit) {
    MARIGRAM_ASSIGN(const Instant instant, parse_rfc3339(text));
    return to_units_exact(instant, options().unit);
  }
  std::int64_t units = 0;
  if (parse_number(text, units) != Parsed::kYes) {
    return fail(ErrorCode::kInvalidInput, fmt::format("got {:?}, want an integer of 64 bits, a time in {}",
                                                      beginning(text, 60), time_unit_name(*mapping_.time_unit)));
  }
  return to_units_exact(Instant::from_units(units, *mapping_.time_unit), options().unit);
}

}  // namespace marigram::wire
