#include "checker.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::kill {
namespace {

/// The fields of a row that are not null.
using Cells = std::map<std::string, Value>;

struct Place {
  std::string table;
  Tags series;
  std::int64_t time_ns = 0;

  friend auto operator<=>(const Place&, const Place&) = default;
};

/// Rows of equal series and time in the order in which they came.
using Content = std::map<Place, std::vector<Cells>>;

void add_batch(Content& content, const Batch& batch, Duplicates policy) {
  for (const Row& row : batch.rows) {
    Tags series = row.tags;
    std::ranges::sort(series);
    Place place{.table = std::string(batch.table), .series = std::move(series), .time_ns = row.time_ns};
    std::vector<Cells>& rows = content[std::move(place)];
    if (policy == Duplicates::kLast) rows.clear();
    rows.emplace_back(row.fields.begin(), row.fields.end());
  }
}

bool is_tag(const std::string& column) {
  return column == kWriterTag || column == "host" || column == "core";
}

void add_row(Content& content, std::string_view table, const marigram::Batch& batch, std::size_t row) {
  Place place{.table = std::string(table), .series = {}};
  Cells cells;
  for (std::size_t column = 0; column < batch.columns(); ++column) {
    const std::string name = batch.column_name(column);
    Value value = batch.at(row, column);
    if (const auto* time = std::get_if<Instant>(&value)) {
      place.time_ns = time->seconds * 1'000'000'000 + time->nanos;
    } else if (is_tag(name)) {
      if (const auto* text = std::get_if<std::string>(&value); text != nullptr && !text->empty()) {
        place.series.push_back({.name = name, .value = *text});
      }
    } else if (!std::holds_alternative<std::monostate>(value)) {
      cells.emplace(name, std::move(value));
    }
  }
  std::ranges::sort(place.series);
  content[std::move(place)].push_back(std::move(cells));
}

/// What the database has of a writer in one table.
Status read_table(const Database& database, std::string_view table, std::uint32_t writer, Content& content) {
  QueryRequest request;
  request.where = {{.name = std::string(kWriterTag), .op = MatchOp::kEqual, .value = std::to_string(writer)}};
  request.order = ScanOrder::kSeries;
  auto stream = database.query(kTenant, table, request);
  if (!stream && stream.error().code == ErrorCode::kNotFound) return {};
  if (!stream) return std::unexpected(stream.error());
  for (;;) {
    const auto batch = stream->next();
    if (!batch) return std::unexpected(batch.error());
    if (!*batch) return {};
    for (std::size_t row = 0; row < (*batch)->rows(); ++row) add_row(content, table, **batch, row);
  }
}

std::string text_of(const Cells& cells) {
  const auto batch = cells.find("batch");
  if (batch != cells.end()) return "batch " + std::to_string(std::get<std::int64_t>(batch->second));
  const auto value = cells.find("value");
  return value == cells.end() ? "no value" : "value " + std::to_string(std::get<double>(value->second));
}

std::string text_of(const std::vector<Cells>* rows) {
  if (rows == nullptr) return "nothing";
  std::string text;
  for (const Cells& cells : *rows) text += (text.empty() ? "" : ", ") + text_of(cells);
  return text;
}

/// The first place where they differ, and in how many.
std::string difference(const Content& want, const Content& got) {
  const auto rows_at = [](const Content& content, const Place& place) {
    const auto found = content.find(place);
    return found == content.end() ? nullptr : &found->second;
  };
  std::string first;
  std::uint64_t places = 0;
  const auto compare = [&](const Place& place) {
    const auto* wanted = rows_at(want, place);
    const auto* there = rows_at(got, place);
    if (wanted != nullptr && there != nullptr && *wanted == *there) return;
    if (++places > 1) return;
    for (const Tag& tag : place.series) first += " " + tag.name + "=" + tag.value;
    first = place.table + first + " at " + std::to_string(place.time_ns) + ": want " + text_of(wanted) + "; got " +
            text_of(there);
  };
  for (const auto& [place, rows] : want) compare(place);
  for (const auto& [place, rows] : got) {
    if (!want.contains(place)) compare(place);
  }
  return std::to_string(places) + " differences, the first at " + first;
}

}  // namespace

Result<Verdict> check(const Database& database, std::uint64_t seed, Duplicates policy, const Records& records) {
  Verdict verdict;
  for (std::uint32_t writer = 0; writer < kWriters; ++writer) {
    const WriterRecord& record = records.at(writer);
    Content got;
    for (const std::string_view table : {kSingles, kManies}) {
      const Status read = read_table(database, table, writer, got);
      if (!read) return std::unexpected(read.error());
    }
    for (const auto& [place, rows] : got) verdict.rows += rows.size();
    Content want;
    for (const std::uint64_t number : record.there) add_batch(want, make_batch(seed, writer, number), policy);
    if (got == want) continue;
    const std::string without = difference(want, got);
    add_batch(want, make_batch(seed, writer, record.next), policy);
    verdict.kept.at(writer) = got == want;
    if (got == want) continue;
    verdict.wrong += "writer " + std::to_string(writer) + ": without the batch under way (" +
                     std::to_string(record.next) + ") " + without + "; with it " + difference(want, got) + "\n";
  }
  return verdict;
}

}  // namespace marigram::kill
