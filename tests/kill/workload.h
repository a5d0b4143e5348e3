// What the writers of the killed process insert: each batch follows from the seed, its writer and its number alone, so
// that whoever checks the database knows what must be in it without having been told.
#pragma once

#include <marigram/database.h>
#include <marigram/error.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::kill {

inline constexpr std::uint32_t kWriters = 4;
inline constexpr std::string_view kTenant = "acme";
inline constexpr std::string_view kSingles = "cpu";    // one field: insert and insert_batch
inline constexpr std::string_view kManies = "events";  // many fields, which come as they come: insert_rows
inline constexpr std::string_view kWriterTag = "writer";

/// Rows of one table that are inserted together.
struct Batch {
  std::string_view table;
  std::vector<Row> rows;
};

/// Rows of some series of the writer, also ones with equal times; some are days late.
Batch make_batch(std::uint64_t seed, std::uint32_t writer, std::uint64_t number);

/// By the function of the API that suits the batch.
Status insert(Database& database, const Batch& batch, std::optional<Durability> durability);

}  // namespace marigram::kill
