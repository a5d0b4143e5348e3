// Failures across Arrow's border: ours inside arrow::Status and back, and Parquet's exceptions as errors.
#pragma once

#include <marigram/error.h>

#include <expected>
#include <string>

namespace arrow {
class Status;
}

namespace marigram::segment {

/// Ours as Arrow's; from_arrow_status gives the same error back.
arrow::Status to_arrow_status(const Error& error);

/// An Arrow or Parquet failure as ours. `doing` is "cannot read data/x.parquet". One of our errors inside comes back as
/// it was; else by arrow::StatusCode: OutOfMemory and CapacityError → kResourceExhausted, Cancelled → kCancelled,
/// NotImplemented → kInvalidInput, UnknownError → kInternal, any other → kCorruption if `reading`, else kInvalidInput.
Error from_arrow_status(const arrow::Status& status, const std::string& doing, bool reading);

/// The exception in flight as an error; to be called inside a catch block.
Error from_current_exception(const std::string& doing, bool reading);

/// Runs `f`, which returns a Result or a Status and may throw, as Parquet's functions do.
template <typename F>
auto guarded(const std::string& doing, bool reading, F f) -> decltype(f()) {
  try {
    return f();
  } catch (...) {
    return std::unexpected(from_current_exception(doing, reading));
  }
}

}  // namespace marigram::segment
