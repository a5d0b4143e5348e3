#include "cli/exit_code.h"

#include <marigram/error.h>

namespace marigram::cli {

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return kExitNotFound;
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kOverlap:
    case ErrorCode::kConflict:
      return kExitConflict;
    case ErrorCode::kPermissionDenied:
      return kExitNotAllowed;
    case ErrorCode::kCancelled:
      return kExitInterrupted;
    case ErrorCode::kInvalidInput:
    case ErrorCode::kSchemaMismatch:
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kCorruption:
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return kExitFailure;
  }
  return kExitFailure;
}

}  // namespace marigram::cli
