// Propagation of Result: MARIGRAM_TRY(status) and MARIGRAM_ASSIGN(auto x, result).
#pragma once

#include <marigram/error.h>

#include <utility>

#define MARIGRAM_CONCAT_INNER(a, b) a##b
#define MARIGRAM_CONCAT(a, b) MARIGRAM_CONCAT_INNER(a, b)

/// Returns from the function with the error of `expr`, if it has one. A variable stays as it is.
#define MARIGRAM_TRY(expr)                                                                              \
  do {                                                                                                  \
    if (auto&& marigram_try_result = (expr); !marigram_try_result) {                                    \
      return std::unexpected(std::forward<decltype(marigram_try_result)>(marigram_try_result).error()); \
    }                                                                                                   \
  } while (false)

/// Binds `decl` to the value of `expr`, or returns from the function with its error.
#define MARIGRAM_ASSIGN(decl, expr) MARIGRAM_ASSIGN_IMPL(MARIGRAM_CONCAT(marigram_assign_, __LINE__), decl, expr)
#define MARIGRAM_ASSIGN_IMPL(tmp, decl, expr)               \
  auto tmp = (expr);                                        \
  if (!tmp) return std::unexpected(std::move(tmp).error()); \
  decl = std::move(*tmp)
