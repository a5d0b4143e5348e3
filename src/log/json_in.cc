#include "log/json_in.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace marigram::log::json {

std::unexpected<Error> bad(std::string message) {
  return fail(ErrorCode::kCorruption, std::move(message));
}

std::string show(Element element) {
  constexpr std::size_t kShown = 60;
  std::string text = simdjson::minify(element);
  if (text.size() > kShown) {
    text.resize(kShown);
    text += "...";
  }
  return text;
}

Status Parser::reserve(std::size_t bytes) {
  // The limit on depth holds only for a parser that was given it; parse() on its own would take the default of 1,024.
  if (bytes <= parser_.capacity()) return {};
  const std::size_t grown = std::max(bytes, parser_.capacity() * 2);
  if (const auto error = parser_.allocate(grown, kDepthMax + 1); error != simdjson::SUCCESS) {
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("cannot read JSON of {} bytes: {}", bytes, simdjson::error_message(error)));
  }
  return {};
}

Result<Element> Parser::parse(std::string_view text) {
  copy_ = simdjson::padded_string(text);
  return parse_padded({copy_.data(), copy_.size()});
}

Result<Element> Parser::parse_padded(std::string_view text) {
  MARIGRAM_TRY(reserve(text.size()));
  Element element;
  const auto error = parser_.parse(text.data(), text.size(), false).get(element);
  if (error != simdjson::SUCCESS) {
    return bad(fmt::format("it is not whole JSON: {}; got {} bytes", simdjson::error_message(error), text.size()));
  }
  return element;
}

namespace {

// Where `name` is among the slots; writers keep the order, so the next slot is tried first.
Slot* find_slot(std::span<Slot> slots, std::size_t& next, std::string_view name) {
  for (std::size_t step = 0; step < slots.size(); ++step) {
    const std::size_t at = (next + step) % slots.size();
    if (slots[at].name == name) {
      next = at + 1;
      return &slots[at];
    }
  }
  return nullptr;
}

std::unexpected<Error> wrong(const Slot& slot, std::string_view want) {
  if (!slot.value) return bad(fmt::format("member \"{}\" is missing, want {}", slot.name, want));
  return bad(fmt::format("member \"{}\" is wrong; got {}, want {}", slot.name, show(*slot.value), want));
}

template <typename T>
Result<T> value_of(const Slot& slot, std::string_view want) {
  T value;
  if (!slot.value || slot.value->get(value) != simdjson::SUCCESS) return wrong(slot, want);
  return value;
}

}  // namespace

Status read_members(Element element, std::string_view what, std::span<Slot> slots, Unknown unknown) {
  simdjson::dom::object object;
  if (element.get(object) != simdjson::SUCCESS) {
    return bad(fmt::format("{} is wrong; got {}, want an object", what, show(element)));
  }
  std::size_t next = 0;
  for (const auto member : object) {
    Slot* slot = slots.empty() ? nullptr : find_slot(slots, next, member.key);
    if (slot == nullptr) {
      if (unknown == Unknown::kIgnore) continue;
      return bad(fmt::format("{} has a member that is not known: \"{}\"", what, member.key));
    }
    if (slot->value) return bad(fmt::format("{} has member \"{}\" twice", what, member.key));
    slot->value = member.value;
  }
  return {};
}

Result<std::string_view> text(const Slot& slot) {
  return value_of<std::string_view>(slot, "a string");
}
Result<std::uint64_t> u64(const Slot& slot) {
  return value_of<std::uint64_t>(slot, "an integer from 0 to 2^64-1");
}
Result<std::int64_t> i64(const Slot& slot) {
  return value_of<std::int64_t>(slot, "an integer from -2^63 to 2^63-1");
}
Result<bool> boolean(const Slot& slot) {
  return value_of<bool>(slot, "true or false");
}
Result<simdjson::dom::array> array(const Slot& slot) {
  return value_of<simdjson::dom::array>(slot, "an array");
}

Result<std::int32_t> i32(const Slot& slot) {
  constexpr const char* kWant = "an integer from -2^31 to 2^31-1";
  MARIGRAM_ASSIGN(const std::int64_t value, value_of<std::int64_t>(slot, kWant));
  if (!std::in_range<std::int32_t>(value)) return wrong(slot, kWant);
  return static_cast<std::int32_t>(value);
}

Result<Instant> instant(const Slot& slot) {
  MARIGRAM_ASSIGN(const auto digits, value_of<std::string_view>(slot, "a time as RFC 3339"));
  auto parsed = parse_rfc3339(digits);
  if (!parsed) return bad(fmt::format("member \"{}\" is wrong: {}", slot.name, parsed.error().message));
  return *parsed;
}

Result<Element> any(const Slot& slot) {
  if (!slot.value) return wrong(slot, "a value");
  return *slot.value;
}

bool given(const Slot& slot) {
  return slot.value && !slot.value->is_null();
}

Result<std::optional<std::string>> optional_text(const Slot& slot) {
  if (!given(slot)) return std::nullopt;
  MARIGRAM_ASSIGN(const auto value, text(slot));
  return std::string(value);
}

Result<std::optional<std::uint64_t>> optional_u64(const Slot& slot) {
  if (!given(slot)) return std::nullopt;
  MARIGRAM_ASSIGN(const auto value, u64(slot));
  return value;
}

Result<std::map<std::string, std::string>> text_map(const Slot& slot) {
  std::map<std::string, std::string> out;
  if (!slot.value) return out;
  MARIGRAM_ASSIGN(const auto object, value_of<simdjson::dom::object>(slot, "an object of strings"));
  for (const auto member : object) {
    std::string_view value;
    if (member.value.get(value) != simdjson::SUCCESS) return wrong(slot, "an object of strings");
    if (!out.emplace(member.key, value).second) {
      return bad(fmt::format("member \"{}\" has key \"{}\" twice", slot.name, member.key));
    }
  }
  return out;
}

Result<std::vector<std::string>> texts(const Slot& slot) {
  MARIGRAM_ASSIGN(const auto elements, value_of<simdjson::dom::array>(slot, "an array of strings"));
  std::vector<std::string> out;
  for (const Element element : elements) {
    std::string_view value;
    if (element.get(value) != simdjson::SUCCESS) return wrong(slot, "an array of strings");
    out.emplace_back(value);
  }
  return out;
}

std::optional<Slot> only_member(Element element) {
  simdjson::dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return std::nullopt;
  std::optional<Slot> found;
  for (const auto member : object) {
    if (found) return std::nullopt;
    found = Slot{.name = member.key, .value = member.value};
  }
  return found;
}

}  // namespace marigram::log::json
