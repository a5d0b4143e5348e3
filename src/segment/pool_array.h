// Large arrays whose elements are unset, in the memory that Arrow's buffers come from.
#pragma once

#include "base/try.h"
#include "segment/memory_pool.h"

#include <marigram/error.h>

#include <arrow/buffer.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace marigram::segment {

template <typename T>
class PoolArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  PoolArray() = default;
  /// Elements are unset. `doing`: "cannot read data/x.parquet". kResourceExhausted without memory.
  static Result<PoolArray> make(std::size_t size, const std::string& doing) {
    PoolArray array;
    MARIGRAM_ASSIGN(array.buffer_, allocate_buffer(static_cast<std::int64_t>(size * sizeof(T)), doing));
    array.all_ = {array.buffer_->template mutable_data_as<T>(), size};
    return array;
  }

  std::size_t size() const { return all_.size(); }
  T& operator[](std::size_t i) { return all_[i]; }
  const T& operator[](std::size_t i) const { return all_[i]; }
  std::span<T> all() { return all_; }
  std::span<const T> all() const { return all_; }
  /// The elements as a buffer; the array has none then.
  std::shared_ptr<arrow::Buffer> take() {
    all_ = {};
    return std::move(buffer_);
  }

 private:
  std::shared_ptr<arrow::Buffer> buffer_;
  std::span<T> all_;
};

}  // namespace marigram::segment
