#include "log/current.h"

#include <charconv>

#include <fmt/format.h>

namespace marigram::log {

Result<std::uint64_t> parse_current(std::string_view content) {
  constexpr std::string_view kBlank = " \t\r\n\v\f";
  const auto first = content.find_first_not_of(kBlank);
  std::string_view digits = first == std::string_view::npos ? std::string_view() : content.substr(first);
  if (!digits.empty()) digits = digits.substr(0, digits.find_last_not_of(kBlank) + 1);
  std::uint64_t version = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  if (error == std::errc() && end == digits.data() + digits.size() && !digits.empty()) return version;
  return fail(ErrorCode::kCorruption,
              fmt::format("cannot use _timeseries_log/CURRENT: got \"{}\", want a version number; run `marigram verify "
                          "--repair`",
                          digits.substr(0, 40)));
}

std::string format_current(std::uint64_t version) {
  return fmt::format("{}\n", version);
}

}  // namespace marigram::log
