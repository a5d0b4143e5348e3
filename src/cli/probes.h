// Probes of joins: rows of a file that have a table's tags and time.
#pragma once

#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace arrow {
class RecordBatchReader;
}
namespace marigram::cli {

class Command;
struct Context;

struct ProbeOptions {
  std::string file;
  std::vector<std::string> map;
};

/// --probes and --map.
void add_probes(const Command& command, ProbeOptions& options);

/// How far: nanoseconds (`5s`), or steps of an integer index. A usage error that names the option.
Result<std::uint64_t> parse_distance(Context& context, std::string_view option, const std::string& text,
                                     const TableInfo& info);

/// What `join` makes of the probes of the file; it reads them all. An error of theirs comes first.
using ReaderPtr = std::shared_ptr<arrow::RecordBatchReader>;
Result<ReaderPtr> join_probes(Context& context, const ProbeOptions& options, const TableInfo& info,
                              const std::function<Result<ReaderPtr>(const ReaderPtr&)>& join);

}  // namespace marigram::cli
