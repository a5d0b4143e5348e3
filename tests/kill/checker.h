// Compares a database with what its writers know.
#pragma once

#include "oracle.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <array>
#include <cstdint>
#include <string>

namespace marigram::kill {

/// What became of the batches that were under way, by writer: whether they are there.
using Fates = std::array<bool, kWriters>;

struct Verdict {
  std::string wrong = {};  ///< empty: nothing
  Fates kept = {};
  std::uint64_t rows = 0;
};

/// Every row of every batch that must be there, in the order in which they came, with its values, once; of each
/// writer's next batch all or nothing; and no other.
Result<Verdict> check(const Database& database, std::uint64_t seed, Duplicates policy, const Records& records);

}  // namespace marigram::kill
