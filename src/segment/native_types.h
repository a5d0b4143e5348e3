// Which columns native segments hold, and as what.
#pragma once

#include "model/schema.h"
#include "segment/native_block.h"

#include <optional>

namespace marigram::segment {

/// Unset for types that they do not hold.
constexpr std::optional<ValueKind> value_kind(model::TypeId type) {
  switch (type) {
    case model::TypeId::kBool:
      return ValueKind::kBool;
    case model::TypeId::kInt32:
      return ValueKind::kInt32;
    case model::TypeId::kInt64:
    case model::TypeId::kTimestamp:
      return ValueKind::kInt64;
    case model::TypeId::kUInt64:
      return ValueKind::kUInt64;
    case model::TypeId::kFloat32:
      return ValueKind::kFloat32;
    case model::TypeId::kFloat64:
      return ValueKind::kFloat64;
    case model::TypeId::kUtf8:
    case model::TypeId::kBinary:
      return ValueKind::kText;
    default:
      return std::nullopt;
  }
}

}  // namespace marigram::segment
