// JSON lines by Arrow's streaming reader.
#include "base/try.h"
#include "cli/arrow_bridge.h"
#include "cli/input_file.h"
#include "cli/row_source.h"
#include "cli/text_input.h"
#include "cli/text_source.h"

#include <marigram/error.h>

#include <fmt/format.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/io/interfaces.h>
#include <arrow/io/memory.h>
#include <arrow/json/options.h>
#include <arrow/json/reader.h>
#include <arrow/record_batch.h>
#include <arrow/status.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

namespace marigram::cli {

namespace {

using Value = nlohmann::json;

// A line as JSON; discarded() if it is none. Used only to say what is wrong, since Arrow names no lines.
Value parse_line(std::string_view line) {
  return Value::parse(line, nullptr, false);
}

bool fits(const Value& value, const arrow::DataType& type) {
  if (value.is_null()) return true;
  switch (type.id()) {
    case arrow::Type::BOOL:
      return value.is_boolean();
    case arrow::Type::UINT64:
      return value.is_number_unsigned();
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return value.is_string();
    default:
      break;
  }
  if (arrow::is_integer(type.id())) return value.is_number_integer();
  return arrow::is_floating(type.id()) ? value.is_number() : true;
}

std::string shown(const Value& value) {
  return fmt::format("{:.60}", value.dump(-1, ' ', false, Value::error_handler_t::replace));
}

// What the values of a key are, by name; empty while only nulls were seen.
using Kinds = std::map<std::string, std::string>;

std::string kind_of(const Value& value) {
  switch (value.type()) {
    case Value::value_t::null:
      return "";
    case Value::value_t::object:
      return "an object";
    case Value::value_t::array:
      return "an array";
    case Value::value_t::string:
      return "a string";
    case Value::value_t::boolean:
      return "a boolean";
    default:
      return "a number";
  }
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

class JsonSource final : public TextSource {
 public:
  using TextSource::TextSource;

  Status learn_columns(std::size_t sample_bytes) override;
  bool open_ended() const override { return true; }
  Status start(const std::vector<ReadColumn>& wanted, const std::vector<std::string>& ignored) override;
  Result<std::shared_ptr<arrow::RecordBatch>> next() override;
  std::string locate(const std::string& column, std::string_view value, std::uint64_t row) const override;

 private:
  Error failure(const arrow::Status& status) const override;
  std::optional<std::string> complaint(std::string_view line, Kinds& kinds) const;

  std::vector<ReadColumn> wanted_;  // empty while the columns are learnt
  std::size_t wanted_count_ = 0;    // of wanted_, how many are not ignored
};

Status JsonSource::learn_columns(std::size_t sample_bytes) {
  auto sample = text()->sample(sample_bytes, SampleCut::kLine);
  if (!sample.ok()) return std::unexpected(failure(sample.status()));
  const std::string_view sample_text(reinterpret_cast<const char*>(sample->text->data()),
                                     static_cast<std::size_t>(sample->text->size()));
  if (sample_text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot import {}: it is empty; want one JSON object a line", file().name()));
  }
  std::optional<std::size_t> sampled;
  if (!sample->whole) sampled = sample_text.size();
  auto read_options = arrow::json::ReadOptions::Defaults();
  read_options.block_size = static_cast<std::int32_t>(sample_text.size());
  auto reader = arrow::json::StreamingReader::Make(std::make_shared<arrow::io::BufferReader>(sample->text),
                                                   read_options, arrow::json::ParseOptions::Defaults());
  if (!reader.ok()) return std::unexpected(failure(reader.status()));
  set_columns(*(*reader)->schema(), sampled);
  return {};
}

Status JsonSource::start(const std::vector<ReadColumn>& wanted, const std::vector<std::string>& ignored) {
  wanted_ = wanted;
  wanted_count_ = wanted.size();
  for (const std::string& name : ignored) {
    const auto column = std::ranges::find(columns(), name, &FileColumn::name);
    wanted_.push_back({name, column != columns().end() && column->type ? column->type : arrow::null()});
  }
  arrow::FieldVector fields;
  for (const ReadColumn& column : wanted_) fields.push_back(arrow::field(column.name, column.type));
  auto read_options = arrow::json::ReadOptions::Defaults();
  read_options.block_size = kBlockBytes;
  auto parse_options = arrow::json::ParseOptions::Defaults();
  parse_options.explicit_schema = arrow::schema(fields);
  parse_options.unexpected_field_behavior = arrow::json::UnexpectedFieldBehavior::Error;
  auto reader = arrow::json::StreamingReader::Make(text(), read_options, parse_options);
  if (!reader.ok()) return std::unexpected(failure(reader.status()));
  set_reader(*reader);
  return {};
}

Result<std::shared_ptr<arrow::RecordBatch>> JsonSource::next() {
  MARIGRAM_ASSIGN(auto batch, TextSource::next());
  if (batch == nullptr || batch->num_columns() == static_cast<int>(wanted_count_)) return batch;
  std::vector<int> columns(wanted_count_);
  std::iota(columns.begin(), columns.end(), 0);
  auto selected = batch->SelectColumns(columns);
  if (!selected.ok()) return std::unexpected(failure(selected.status()));
  return *selected;
}

std::string JsonSource::locate(const std::string& column, std::string_view value, std::uint64_t /*row*/) const {
  const auto row = text()->recent().find_line([&](std::string_view line) -> std::optional<std::string> {
    if (is_blank(line)) return std::nullopt;
    const Value object = parse_line(line);
    if (!object.is_object()) return std::nullopt;
    const auto found = object.find(column);
    const bool absent = found == object.end() || found->is_null();
    const std::string text = absent ? "" : found->is_string() ? found->get<std::string>() : shown(*found);
    return text == value ? std::optional(text) : std::nullopt;
  });
  return row ? fmt::format("line {}", row->line) : "";
}

// What is wrong with a line; unset if nothing is.
std::optional<std::string> JsonSource::complaint(std::string_view line, Kinds& kinds) const {
  if (is_blank(line)) return std::nullopt;
  const Value object = parse_line(line);
  if (object.is_discarded()) return fmt::format("got {:.60}, want one JSON object a line", line);
  if (!object.is_object()) return fmt::format("got {}, want one JSON object a line", shown(object));
  for (const auto& [key, value] : object.items()) {
    const std::string before = kinds.try_emplace(key, kind_of(value)).first->second;
    if (!value.is_null() && !before.empty() && before != kind_of(value)) {
      return fmt::format("column \"{}\": got {}, want {} as on the lines before", key, shown(value), before);
    }
    if (before.empty()) kinds[key] = kind_of(value);
    if (wanted_.empty()) continue;  // nothing else is known yet
    const auto column = std::ranges::find(wanted_, key, &ReadColumn::name);
    if (column == wanted_.end()) {
      return fmt::format("key \"{0}\" is not among the columns; take it out with --drop {0}", key);
    }
    if (!fits(value, *column->type)) {
      return fmt::format("column \"{}\": got {}, want {}", key, shown(value), type_name(*column->type));
    }
  }
  return std::nullopt;
}

Error JsonSource::failure(const arrow::Status& status) const {
  if (status.IsInvalid()) {
    Kinds kinds;
    const auto row = text()->recent().find_line([&](std::string_view line) { return complaint(line, kinds); });
    if (row) {
      return {.code = ErrorCode::kInvalidInput,
              .message = fmt::format("cannot import {}: line {}, {}", file().name(), row->line, row->text)};
    }
  }
  return from_arrow(status, fmt::format("cannot import {}", file().name()));
}

}  // namespace

Result<std::unique_ptr<RowSource>> open_json(std::unique_ptr<InputFile> file, std::size_t sample_bytes) {
  return open_text<JsonSource>(std::move(file), sample_bytes);
}

}  // namespace marigram::cli
