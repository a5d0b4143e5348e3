// Numbers and truth values as text spells them.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace marigram::wire {

enum class Parsed { kYes, kNo, kOutOfRange };

/// The whole of `text` as a decimal number; `number` is undefined unless the answer is kYes.
template <typename Number>
Parsed parse_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) return Parsed::kNo;
  return error == std::errc() ? Parsed::kYes : Parsed::kOutOfRange;
}

/// `[-] digits [. digits] [e [+-] digits]`, with digits before the point, behind it, or both. Rounds to nearest; what
/// is too small is a zero with its sign, what is too large is out of range. No spelling of NaN or infinity.
Parsed parse_float(std::string_view text, double& number);

/// t, T, true, True, TRUE, and the same of false.
std::optional<bool> parse_bool(std::string_view text);

}  // namespace marigram::wire
