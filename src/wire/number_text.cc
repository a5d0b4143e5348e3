#include "wire/number_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace marigram::wire {
namespace {

/// Of a number without sign that is out of range: whether it is too small.
bool is_tiny(std::string_view text) {
  const std::size_t e = std::min(text.find_first_of("eE"), text.size());
  const std::string_view mantissa = text.substr(0, e);
  const auto point = static_cast<std::int64_t>(std::min(mantissa.find('.'), mantissa.size()));
  const auto first = static_cast<std::int64_t>(mantissa.find_first_of("123456789"));
  std::int64_t exponent = 0;
  if (e < text.size()) {
    std::string_view digits = text.substr(e + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    if (parse_number(digits, exponent) == Parsed::kOutOfRange) return digits.starts_with('-');
  }
  return first - point >= exponent;
}

}  // namespace

Parsed parse_float(std::string_view text, double& number) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative ? 1 : 0);
  if (digits.empty() || (digits[0] != '.' && (digits[0] < '0' || digits[0] > '9'))) return Parsed::kNo;  // inf, nan
  const Parsed parsed = parse_number(text, number);
  if (parsed != Parsed::kOutOfRange || !is_tiny(digits)) return parsed;
  number = negative ? -0.0 : 0.0;
  return Parsed::kYes;
}

std::optional<bool> parse_bool(std::string_view text) {
  for (const std::string_view yes : {"t", "T", "true", "True", "TRUE"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"f", "F", "false", "False", "FALSE"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

}  // namespace marigram::wire
