// Dictionary columns as plain ones.
#pragma once

#include <marigram/error.h>

#include <memory>
#include <string>

namespace arrow {
class Array;
}

namespace marigram::segment {

/// The values of a dictionary array, whose indices lie inside the dictionary. Strings and binary with int32 indices
/// take a fast path (1 to 2 ns a value for short strings). kResourceExhausted if they exceed what one array can hold.
Result<std::shared_ptr<arrow::Array>> dictionary_values(const arrow::Array& dictionary, const std::string& doing);

}  // namespace marigram::segment
