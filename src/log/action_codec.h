// Actions and our extension as JSON; the two dialects differ in the members (docs/format/log.md).
#pragma once

#include "log/action.h"
#include "log/json_in.h"
#include "model/table_meta.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace marigram::log {

/// An action with the dialect that its members belong to; unset for one that is not known.
struct DecodedAction {
  Action action;
  std::optional<Dialect> dialect;
};

/// kCorruption (naming the action and what is wrong with it), kInvalidInput (metadata that this library cannot read).
Result<DecodedAction> action_in(json::Element element);
/// Fills a fresh segment where it lies (tables are opened by the ten thousand); returns the dialect of its members.
Result<Dialect> segment_in(json::Element element, model::SegmentMeta& segment);
Result<Extension> extension_in(json::Element element);

/// The action must not be an unknown one.
nlohmann::ordered_json action_out(Dialect dialect, const Action& action);
/// Compact text. kInvalidInput when a name or option is not UTF-8, which JSON cannot hold.
Result<std::string> dump(const nlohmann::ordered_json& json);

}  // namespace marigram::log
