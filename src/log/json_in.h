// Reading JSON that nobody vouches for: typed access to members, with errors that name the member and what was found.
// Everything here works on simdjson's DOM and borrows from its parser.
#pragma once

#include "base/try.h"

#include <simdjson.h>

#include <marigram/error.h>
#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::log::json {

using Element = simdjson::dom::element;

/// Deeper documents are refused, as the reference readers refuse them (serde_json's recursion limit).
inline constexpr std::size_t kDepthMax = 127;

/// A parser with that limit. One per thread and document: what it returns is overwritten by its next use.
class Parser {
 public:
  /// `text` may be anywhere; it is copied.
  Result<Element> parse(std::string_view text);
  /// `text` must be followed by simdjson::SIMDJSON_PADDING readable bytes; nothing is copied.
  Result<Element> parse_padded(std::string_view text);

 private:
  Status reserve(std::size_t bytes);

  simdjson::dom::parser parser_;
  simdjson::padded_string copy_;
};

/// One expected member of an object.
struct Slot {
  std::string_view name;
  std::optional<Element> value = std::nullopt;  // unset: absent
};

enum class Unknown { kIgnore, kRefuse };

/// Fills the slots from an object in one pass (fastest when members come in slot order). kCorruption when `element` is
/// no object, when an expected member comes twice, and with kRefuse when there is a member without slot.
Status read_members(Element element, std::string_view what, std::span<Slot> slots, Unknown unknown = Unknown::kIgnore);

/// Values of mandatory members: kCorruption when absent or of another type.
Result<std::string_view> text(const Slot& slot);
Result<std::uint64_t> u64(const Slot& slot);
Result<std::int64_t> i64(const Slot& slot);
Result<std::int32_t> i32(const Slot& slot);
Result<bool> boolean(const Slot& slot);
Result<Instant> instant(const Slot& slot);
Result<simdjson::dom::array> array(const Slot& slot);
Result<Element> any(const Slot& slot);

/// Whether the member is there and not null (what serde calls an Option).
bool given(const Slot& slot);
/// An optional string: absent and null are unset.
Result<std::optional<std::string>> optional_text(const Slot& slot);
Result<std::optional<std::uint64_t>> optional_u64(const Slot& slot);
/// An object of strings; absent is empty. Doubled keys: kCorruption.
Result<std::map<std::string, std::string>> text_map(const Slot& slot);

/// A mandatory array of strings.
Result<std::vector<std::string>> texts(const Slot& slot);

/// The only member of an object of one member, as enums are written; unset for anything else.
std::optional<Slot> only_member(Element element);

/// kCorruption with that message.
std::unexpected<Error> bad(std::string message);
/// How a value looks, for messages: its JSON, cut at 60 bytes.
std::string show(Element element);

}  // namespace marigram::log::json
