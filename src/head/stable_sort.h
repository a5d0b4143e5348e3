// Sorting rows that mostly arrive in order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

namespace marigram::head {

/// Sorts by `key`, stably. O(values) and without memory if few are out of place, as rows of several writers are; else
/// O(values log values).
template <typename T, typename Key>
void stable_sort_by(std::span<T> values, Key key) {
  std::size_t moves_left = values.size();
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (!(key(values[i]) < key(values[i - 1]))) continue;
    T moving = std::move(values[i]);
    std::size_t to = i;
    for (; to > 0 && key(moving) < key(values[to - 1]); --to) values[to] = std::move(values[to - 1]);
    values[to] = std::move(moving);
    if (i - to > moves_left) {
      std::ranges::stable_sort(values, {}, key);
      return;
    }
    moves_left -= i - to;
  }
}

}  // namespace marigram::head
