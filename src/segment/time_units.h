// Arrow's unit of a timestamp as ours.
#pragma once

#include <marigram/time.h>

#include <arrow/type.h>

namespace marigram::segment {

inline TimeUnit unit_of(const arrow::TimestampType& type) {
  switch (type.unit()) {
    case arrow::TimeUnit::SECOND:
      return TimeUnit::kSecond;
    case arrow::TimeUnit::MILLI:
      return TimeUnit::kMilli;
    case arrow::TimeUnit::MICRO:
      return TimeUnit::kMicro;
    case arrow::TimeUnit::NANO:
      return TimeUnit::kNano;
  }
  return TimeUnit::kNano;
}

}  // namespace marigram::segment
