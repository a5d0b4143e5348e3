// CSV by Arrow's streaming reader.
#include "base/try.h"
#include "cli/arrow_bridge.h"
#include "cli/input_file.h"
#include "cli/row_source.h"
#include "cli/text_input.h"
#include "cli/text_source.h"

#include <marigram/error.h>

#include <fmt/format.h>
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/csv/options.h>
#include <arrow/csv/reader.h>
#include <arrow/io/interfaces.h>
#include <arrow/io/memory.h>
#include <arrow/record_batch.h>
#include <arrow/status.h>
#include <arrow/type.h>

namespace marigram::cli {

namespace {

arrow::csv::ParseOptions parse_options() {
  auto options = arrow::csv::ParseOptions::Defaults();
  options.newlines_in_values = true;
  return options;
}

// Strings are never null here: what an empty cell of a text column means depends on the column (import_rows.cc).
arrow::csv::ConvertOptions convert_options() {
  auto options = arrow::csv::ConvertOptions::Defaults();
  options.null_values = {"", "NA", "NaN", "nan", "N/A", "null", "NULL"};
  options.strings_can_be_null = false;
  return options;
}

// The number after `word` in Arrow's message.
std::optional<std::size_t> number_after(std::string_view message, std::string_view word) {
  const std::size_t at = message.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view digits = message.substr(at + word.size());
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

// The value in `... invalid value 'x'`.
std::optional<std::string> quoted_value(std::string_view message) {
  constexpr std::string_view kBefore = "invalid value '";
  const std::size_t begin = message.find(kBefore);
  const std::size_t end = message.rfind('\'');
  if (begin == std::string_view::npos || end < begin + kBefore.size()) return std::nullopt;
  return std::string(message.substr(begin + kBefore.size(), end - begin - kBefore.size()));
}

class CsvSource final : public TextSource {
 public:
  using TextSource::TextSource;

  Status learn_columns(std::size_t sample_bytes) override;
  Status start(const std::vector<ReadColumn>& wanted, const std::vector<std::string>& ignored) override;
  std::string locate(const std::string& column, std::string_view value, std::uint64_t row) const override;

 private:
  Error failure(const arrow::Status& status) const override;
  Error bad_cell(std::size_t column, const std::string& value) const;
  Error bad_width(std::size_t want, std::size_t got) const;
  std::optional<std::size_t> position_of(const std::string& column) const;

  std::vector<ReadColumn> wanted_;
};

Status CsvSource::learn_columns(std::size_t sample_bytes) {
  auto sample = text()->sample(sample_bytes, SampleCut::kCsvRow);
  if (!sample.ok()) return std::unexpected(failure(sample.status()));
  if (sample->text->size() == 0) {
    return fail(
        ErrorCode::kInvalidInput,
        fmt::format("cannot import {}: it is empty; want a header line with the columns' names", file().name()));
  }
  std::optional<std::size_t> sampled;
  if (!sample->whole) sampled = static_cast<std::size_t>(sample->text->size());
  auto read_options = arrow::csv::ReadOptions::Defaults();
  read_options.block_size = static_cast<std::int32_t>(sample->text->size());
  auto reader = arrow::csv::StreamingReader::Make(arrow::io::default_io_context(),
                                                  std::make_shared<arrow::io::BufferReader>(sample->text), read_options,
                                                  parse_options(), convert_options());
  if (!reader.ok()) return std::unexpected(failure(reader.status()));
  set_columns(*(*reader)->schema(), sampled);
  return {};
}

Status CsvSource::start(const std::vector<ReadColumn>& wanted, const std::vector<std::string>& /*ignored*/) {
  wanted_ = wanted;
  auto read_options = arrow::csv::ReadOptions::Defaults();
  read_options.block_size = kBlockBytes;
  auto convert = convert_options();
  for (const ReadColumn& column : wanted) {
    convert.include_columns.push_back(column.name);
    convert.column_types[column.name] = column.type;
  }
  auto reader = arrow::csv::StreamingReader::Make(arrow::io::default_io_context(), text(), read_options,
                                                  parse_options(), convert);
  if (!reader.ok()) return std::unexpected(failure(reader.status()));
  set_reader(*reader);
  return {};
}

std::optional<std::size_t> CsvSource::position_of(const std::string& column) const {
  const auto found = std::ranges::find(columns(), column, &FileColumn::name);
  if (found == columns().end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns().begin());
}

std::string CsvSource::locate(const std::string& column, std::string_view value, std::uint64_t /*row*/) const {
  const auto position = position_of(column);
  if (!position) return {};
  const auto row = text()->recent().find_csv([&](const std::vector<std::string>& cells) -> std::optional<std::string> {
    if (cells.size() <= *position || cells[*position] != value) return std::nullopt;
    return cells[*position];
  });
  return row ? fmt::format("line {}", row->line) : "";
}

// Arrow's complaint, retold with the line: `In CSV column #1: CSV conversion error to double: invalid value 'x'`,
// `CSV parse error: Expected 3 columns, got 2: ...`.
Error CsvSource::failure(const arrow::Status& status) const {
  const std::string& message = status.message();
  if (status.IsInvalid()) {
    const auto column = number_after(message, "In CSV column #");
    const auto value = quoted_value(message);
    if (column && *column < columns().size() && value) return bad_cell(*column, *value);
    const auto want = number_after(message, "Expected ");
    const auto got = number_after(message, "columns, got ");
    if (want && got) return bad_width(*want, *got);
    if (column && *column < columns().size()) {
      return {.code = ErrorCode::kInvalidInput,
              .message =
                  fmt::format("cannot import {}: column \"{}\": {}", file().name(), columns()[*column].name, message)};
    }
  }
  return from_arrow(status, fmt::format("cannot import {}", file().name()));
}

Error CsvSource::bad_cell(std::size_t column, const std::string& value) const {
  const std::string& name = columns()[column].name;
  const auto wanted = std::ranges::find(wanted_, name, &ReadColumn::name);
  const std::string type = wanted == wanted_.end() ? "another type" : type_name(*wanted->type);
  std::string place = locate(name, value, 0);
  if (!place.empty()) place += ", ";
  return {.code = ErrorCode::kInvalidInput,
          .message = fmt::format("cannot import {}: {}column \"{}\": got \"{}\", want {}", file().name(), place, name,
                                 value, type)};
}

Error CsvSource::bad_width(std::size_t want, std::size_t got) const {
  const auto row =
      text()->recent().find_csv([got](const std::vector<std::string>& cells) -> std::optional<std::string> {
        if (cells.size() != got) return std::nullopt;
        return fmt::format("{}", fmt::join(cells, ","));
      });
  const std::string place = row ? fmt::format("line {}, \"{:.80}\"", row->line, row->text) : "a row";
  return {.code = ErrorCode::kInvalidInput,
          .message = fmt::format("cannot import {}: {}: got {} cells, want {} as in the header", file().name(), place,
                                 got, want)};
}

}  // namespace

Result<std::unique_ptr<RowSource>> open_csv(std::unique_ptr<InputFile> file, std::size_t sample_bytes) {
  return open_text<CsvSource>(std::move(file), sample_bytes);
}

}  // namespace marigram::cli
