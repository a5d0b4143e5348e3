#include "cli/progress.h"

#include "cli/terminal.h"
#include "cli/text_table.h"

#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

namespace marigram::cli {

namespace {

constexpr auto kInterval = std::chrono::milliseconds(100);
constexpr std::size_t kBarColumns = 24;

std::string bar(double fraction, bool unicode) {
  const auto filled = static_cast<std::size_t>(fraction * static_cast<double>(kBarColumns));
  std::string out;
  for (std::size_t i = 0; i < kBarColumns; ++i) {
    if (unicode) {
      out += i < filled ? "█" : "░";
    } else {
      out += i < filled ? '#' : '.';
    }
  }
  return out;
}

}  // namespace

Progress::Progress(std::string label, std::optional<std::uint64_t> bytes_total)
    : label_(std::move(label)), bytes_total_(bytes_total), start_(std::chrono::steady_clock::now()), last_(start_) {
  const Terminal terminal = inspect_terminal(STDERR_FILENO);
  enabled_ = terminal.color;
  unicode_ = terminal.unicode;
  width_ = terminal.width;
}

Progress::~Progress() {
  clear();
}

void Progress::update(std::uint64_t rows, std::uint64_t bytes_done) {
  const auto now = std::chrono::steady_clock::now();
  if (!enabled_ || (drawn_ && now - last_ < kInterval)) return;
  last_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  draw(render(label_, rows, seconds, bytes_done, bytes_total_, width_ - 1, unicode_));
}

void Progress::phase(const std::string& text) {
  if (enabled_) draw(fmt::format("{}  {}", label_, text));
}

void Progress::clear() {
  if (drawn_) draw("");
  drawn_ = false;
}

std::string Progress::render(const std::string& label, std::uint64_t rows, double seconds, std::uint64_t bytes_done,
                             std::optional<std::uint64_t> bytes_total, std::size_t width, bool unicode) {
  const auto rate = static_cast<std::uint64_t>(seconds > 0 ? static_cast<double>(rows) / seconds : 0);
  const std::string numbers = fmt::format("{} rows  {} rows/s", group_digits(rows), group_digits(rate));
  std::string line;
  if (bytes_total && *bytes_total > 0) {
    const double fraction = std::min(1.0, static_cast<double>(bytes_done) / static_cast<double>(*bytes_total));
    line = fmt::format("{}  {} {:3.0f} %  {}", label, bar(fraction, unicode), fraction * 100, numbers);
    if (display_width(line) > width) line = fmt::format("{:3.0f} %  {}", fraction * 100, numbers);
  } else {
    line = fmt::format("{}  {}", label, numbers);
  }
  return display_width(line) > width ? numbers.substr(0, width) : line;
}

void Progress::draw(const std::string& line) {
  fmt::print(stderr, "\r\x1b[K{}", line);
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace marigram::cli
