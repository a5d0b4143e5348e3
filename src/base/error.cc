#include <marigram/error.h>

namespace marigram {

const char* error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kInvalidInput:
      return "invalid_input";
    case ErrorCode::kAlreadyExists:
      return "already_exists";
    case ErrorCode::kOverlap:
      return "overlap";
    case ErrorCode::kSchemaMismatch:
      return "schema_mismatch";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kPermissionDenied:
      return "permission_denied";
    case ErrorCode::kResourceExhausted:
      return "resource_exhausted";
    case ErrorCode::kCorruption:
      return "corruption";
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

}  // namespace marigram
