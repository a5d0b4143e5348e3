// What our programs share beside measure.h: results that must be good, and sums of Arrow batches.
#pragma once

#include "measure.h"

#include <marigram/error.h>

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <utility>

namespace marigram::bench {

/// The value, or the end of the program: a measurement of a failure is none.
template <typename T>
T need(Result<T> result) {
  if (!result) stop(result.error().message);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}
template <typename T>
T need(arrow::Result<T> result) {
  if (!result.ok()) stop(result.status().ToString());
  return *std::move(result);
}
void need(const arrow::Status& status);

/// Sums that do not depend on the order of rows, to tell whether two programs read the same data: integers and times
/// modulo 2^64, floats as they come, strings by their bytes. Nulls count as 0.
class Sums {
 public:
  void add(const arrow::RecordBatch& batch);
  Json json() const;

 private:
  std::uint64_t rows_ = 0;
  std::map<std::string, std::uint64_t> integers_;
  std::map<std::string, double> floats_;
  std::map<std::string, std::uint64_t> text_bytes_;
};

}  // namespace marigram::bench
