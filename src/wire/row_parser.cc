#include "wire/row_parser.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace marigram::wire {
namespace {

std::uint64_t newlines(std::string_view text) {
  return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

}  // namespace

std::string_view beginning(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0U) == 0x80U) --bytes_max;
  return text.substr(0, bytes_max);
}

std::string RowError::text() const {
  if (column == 0) return fmt::format("line {}: {}", line, reason);
  return fmt::format("line {}, column {}: {}", line, column, reason);
}

void RowParser::feed(std::string_view piece) {
  if (pending_.empty()) {
    const std::size_t used = consume(piece);
    pending_.assign(piece.substr(used));
    return;
  }
  pending_.append(piece);
  pending_.erase(0, consume(pending_));
}

void RowParser::finish() {
  if (!pending_.empty()) take_record(pending_);
  pending_.clear();
  end();
}

// Parses the whole records of `text`; what it returns is used up. A record is too long as soon as more than its maximum
// came without its end, so that neither where text is cut nor how long the record goes on makes a difference.
std::size_t RowParser::consume(std::string_view text) {
  std::size_t begin = skipping_ ? skip_line(text) : 0;
  while (begin < text.size()) {
    const std::string_view rest = text.substr(begin);
    const std::size_t end = find_end(rest, seen_);
    const std::size_t bytes = std::min(end, rest.size());
    if (bytes > options_.record_bytes_max) {
      const std::string_view head = rest.substr(0, options_.record_bytes_max);
      set_record(next_line_, head);
      refuse(fmt::format("the record is too long; want at most {} bytes", options_.record_bytes_max));
      skipped();
      next_line_ += newlines(head);
      seen_ = 0;
      begin += head.size();
      begin += skip_line(text.substr(begin));
    } else if (end == std::string_view::npos) {
      seen_ = bytes;
      break;
    } else {
      seen_ = 0;
      take_record(rest.substr(0, end));
      begin += end + 1;
    }
  }
  return begin;
}

std::size_t RowParser::skip_line(std::string_view text) {
  const std::size_t newline = text.find('\n');
  skipping_ = newline == std::string_view::npos;
  if (skipping_) return text.size();
  ++next_line_;
  return newline + 1;
}

void RowParser::take_record(std::string_view record) {
  const std::uint64_t line = next_line_;
  next_line_ += 1 + newlines(record);
  if (record.ends_with('\r')) record.remove_suffix(1);
  set_record(line, record);
  parse(record);
}

void RowParser::set_record(std::uint64_t line, std::string_view record) {
  line_ = line;
  record_ = record;
}

void RowParser::add(std::string_view table, std::span<const Tag> tags, std::int64_t time,
                    std::span<const model::Field> fields) {
  if (table_ == nullptr || table_name_ != table) {
    auto found = tables_.find(table);
    if (found == tables_.end()) {
      found = tables_.emplace(table, model::RowsBuilder(std::string(table), options_.unit, options_.widen)).first;
    }
    table_ = &found->second;
    table_name_ = table;
  }
  if (auto added = table_->add(tags, time, fields); !added) {
    refuse(std::move(added.error().message));
    return;
  }
  ++rows_;
  bytes_ += record_.size();
}

void RowParser::refuse(std::size_t at, std::string reason) {
  const std::string_view before = record_.substr(0, at);
  const std::size_t newline = before.rfind('\n');
  const std::size_t line_begin = newline == std::string_view::npos ? 0 : newline + 1;
  report({.line = line_ + newlines(before), .column = 1 + at - line_begin, .reason = std::move(reason)});
}

void RowParser::refuse(std::string reason) {
  report({.line = line_, .column = 0, .reason = std::move(reason)});
}

void RowParser::report(RowError error) {
  ++error_count_;
  if (errors_.size() >= options_.errors_max) return;
  error.reason.resize(beginning(error.reason, kReasonBytesMax).size());
  errors_.push_back(std::move(error));
}

model::WriteBatch RowParser::take() {
  model::WriteBatch batch;
  batch.tables.reserve(tables_.size());
  for (auto& [name, builder] : tables_) {
    if (builder.rows() > 0) batch.tables.push_back(builder.finish());
  }
  tables_.clear();
  table_ = nullptr;
  rows_ = 0;
  bytes_ = 0;
  return batch;
}

}  // namespace marigram::wire
