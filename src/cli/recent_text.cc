#include "cli/recent_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/buffer.h>

namespace marigram::cli {

namespace {

std::string_view view(const arrow::Buffer& buffer) {
  return {reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(buffer.size())};
}

// Cuts RFC 4180 text into rows, one character at a time.
class CsvCursor {
 public:
  CsvCursor(std::string_view text, std::uint64_t line, bool in_quotes)
      : text_(text), line_(line), in_quotes_(in_quotes) {}

  // The next row; false at the end. Blank lines are no rows.
  bool next(std::vector<std::string>& cells, std::uint64_t& line) {
    while (at_ < text_.size()) {
      cells.assign(1, {});
      line = line_;
      const bool blank = read_row(cells);
      if (!blank) return true;
    }
    return false;
  }

 private:
  // Returns whether the row was a blank line.
  bool read_row(std::vector<std::string>& cells) {
    bool blank = true;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '\n') ++line_;
      if (in_quotes_) {
        blank = false;
        read_quoted(c, cells.back());
      } else if (c == '\n') {
        return blank;
      } else if (c == '"') {
        in_quotes_ = true;
        blank = false;
      } else if (c == ',') {
        cells.emplace_back();
        blank = false;
      } else if (c != '\r') {
        cells.back() += c;
        blank = false;
      }
    }
    return blank;
  }

  void read_quoted(char c, std::string& cell) {
    if (c != '"') {
      cell += c;
    } else if (at_ < text_.size() && text_[at_] == '"') {
      cell += text_[at_++];
    } else {
      in_quotes_ = false;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint64_t line_;
  bool in_quotes_;
};

}  // namespace

void RecentText::add(std::shared_ptr<arrow::Buffer> text) {
  const std::lock_guard lock(mutex_);
  bytes_ += static_cast<std::size_t>(text->size());
  blocks_.push_back(std::move(text));
  while (bytes_ - static_cast<std::size_t>(blocks_.front()->size()) >= bytes_max_ && blocks_.size() > 1) drop_oldest();
}

void RecentText::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
}

void RecentText::clear() {
  const std::lock_guard lock(mutex_);
  blocks_.clear();
  bytes_ = 0;
  lines_dropped_ = 0;
  in_quotes_ = false;
  dropped_ = false;
  ended_ = false;
}

void RecentText::drop_oldest() {
  const std::string_view text = view(*blocks_.front());
  lines_dropped_ += static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
  // A doubled quote flips twice: only the parity matters.
  in_quotes_ = in_quotes_ != (std::ranges::count(text, '"') % 2 == 1);
  bytes_ -= text.size();
  dropped_ = true;
  blocks_.pop_front();
}

RecentText::Kept RecentText::kept() const {
  const std::lock_guard lock(mutex_);
  Kept kept{.text = {}, .line = lines_dropped_ + 1, .in_quotes = in_quotes_, .whole = !dropped_, .ended = ended_};
  kept.text.reserve(bytes_);
  for (const auto& block : blocks_) kept.text += view(*block);
  if (!kept.ended) kept.text.resize(kept.text.rfind('\n') + 1);  // half a line says nothing; npos + 1 is 0
  return kept;
}

std::optional<RecentText::Row> RecentText::find_csv(const CsvTest& found) const {
  const Kept text = kept();
  CsvCursor cursor(text.text, text.line, text.in_quotes);
  std::vector<std::string> cells;
  std::uint64_t line = 0;
  if (!text.whole) cursor.next(cells, line);  // the rest of a row that began in what was dropped
  while (cursor.next(cells, line)) {
    if (auto report = found(cells)) return Row{.line = line, .text = std::move(*report)};
  }
  return std::nullopt;
}

std::optional<RecentText::Row> RecentText::find_line(const LineTest& found) const {
  const Kept kept_text = kept();
  std::string_view text = kept_text.text;
  std::uint64_t line = kept_text.line;
  bool skip = !kept_text.whole;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (!skip) {
      if (auto report = found(text.substr(0, end))) return Row{.line = line, .text = std::move(*report)};
    }
    skip = false;
    ++line;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

}  // namespace marigram::cli
