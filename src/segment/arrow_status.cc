#include "segment/arrow_status.h"

#include <marigram/error.h>

#include <arrow/status.h>
#include <fmt/format.h>
#include <parquet/exception.h>

#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace marigram::segment {
namespace {

constexpr const char* kDetailId = "marigram::Error";

/// Carries an error of ours through Arrow.
class ErrorDetail : public arrow::StatusDetail {
 public:
  explicit ErrorDetail(Error error) : error_(std::move(error)) {}

  const char* type_id() const override { return kDetailId; }
  std::string ToString() const override { return error_code_name(error_.code); }
  const Error& error() const { return error_; }

 private:
  Error error_;
};

ErrorCode code_of(const arrow::Status& status, bool reading) {
  switch (status.code()) {
    case arrow::StatusCode::OutOfMemory:
    case arrow::StatusCode::CapacityError:
      return ErrorCode::kResourceExhausted;
    case arrow::StatusCode::Cancelled:
      return ErrorCode::kCancelled;
    case arrow::StatusCode::NotImplemented:
      return ErrorCode::kInvalidInput;
    case arrow::StatusCode::UnknownError:
      return ErrorCode::kInternal;
    default:
      return reading ? ErrorCode::kCorruption : ErrorCode::kInvalidInput;
  }
}

}  // namespace

arrow::Status to_arrow_status(const Error& error) {
  return {arrow::StatusCode::IOError, error.message, std::make_shared<ErrorDetail>(error)};
}

Error from_arrow_status(const arrow::Status& status, const std::string& doing, bool reading) {
  const auto& detail = status.detail();
  if (detail != nullptr && std::string(detail->type_id()) == kDetailId) {
    return dynamic_cast<const ErrorDetail&>(*detail).error();
  }
  return {.code = code_of(status, reading), .message = fmt::format("{}: {}", doing, status.message())};
}

Error from_current_exception(const std::string& doing, bool reading) {
  const ErrorCode bad_data = reading ? ErrorCode::kCorruption : ErrorCode::kInternal;
  try {
    throw;
  } catch (const parquet::ParquetStatusException& e) {
    return from_arrow_status(e.status(), doing, reading);
  } catch (const parquet::ParquetException& e) {
    return {.code = bad_data, .message = fmt::format("{}: {}", doing, e.what())};
  } catch (const std::bad_alloc&) {
    return {.code = ErrorCode::kResourceExhausted, .message = fmt::format("{}: out of memory", doing)};
  } catch (const std::length_error& e) {
    return {.code = bad_data, .message = fmt::format("{}: impossible length ({})", doing, e.what())};
  } catch (const std::exception& e) {
    return {.code = ErrorCode::kInternal, .message = fmt::format("{}: {}", doing, e.what())};
  } catch (...) {
    return {.code = ErrorCode::kInternal, .message = fmt::format("{}: unknown exception", doing)};
  }
}

}  // namespace marigram::segment
