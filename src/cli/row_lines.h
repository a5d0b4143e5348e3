// Inputs of `db write`: which parser reads them, and how they come line by line.
#pragma once

#include "wire/row_parser.h"

#include <marigram/error.h>
#include <marigram/scan.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::cli {

class Command;
struct Context;
class InputFile;

struct RowLinesOptions {
  std::string format;
  std::string precision;
  std::string table;
  std::string time = "time";
  std::vector<std::string> tags;
  std::vector<std::string> fields;
};

/// Declares --format, --precision, and what CSV needs: --table, --time, --tag and --field.
void add_row_lines_options(const Command& command, RowLinesOptions& options);

/// A usage error for options that do not go with the formats of these files.
Status check_row_lines(Context& context, const RowLinesOptions& options, const std::vector<std::string>& files);

/// For one file. Lines of line protocol without a time get the time now.
Result<std::unique_ptr<wire::RowParser>> make_row_parser(Context& context, const RowLinesOptions& options,
                                                         const std::string& file, bool widen);

/// Hands on the file in pieces that end at a newline, or at the end, which is `last` and may be empty.
Status for_each_line(InputFile& file, const CancelToken& cancel,
                     const std::function<Status(std::string_view line, bool last)>& take);

}  // namespace marigram::cli
