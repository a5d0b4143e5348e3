#include "cli/row_source.h"

#include "base/try.h"
#include "cli/input_file.h"
#include "segment/zola_format.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <arrow/type.h>
#include <arrow/util/thread_pool.h>

namespace marigram::cli {

std::string guess_format(const InputFile& file, const std::string& path) {
  if (file.magic() == "PAR1") return "parquet";
  std::string name = path;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* compressed : {".gz", ".zst"}) {
    if (name.ends_with(compressed)) name.erase(name.rfind('.'));
  }
  if (name.ends_with(".parquet")) return "parquet";
  const bool json = name.ends_with(".json") || name.ends_with(".jsonl") || name.ends_with(".ndjson");
  return json ? "jsonl" : "csv";
}

Result<std::unique_ptr<RowSource>> open_source(const CancelToken& cancel, const std::string& path,
                                               const std::string& format, std::size_t sample_bytes) {
  std::error_code ignored;
  const bool is_zola = std::filesystem::exists(std::filesystem::path(path) / segment::kZolaSchema, ignored);
  if (format == "zola" || (format.empty() && is_zola)) return open_zola(path, cancel);
  MARIGRAM_ASSIGN(auto file, InputFile::open(path, cancel));
  const std::string known = format.empty() ? guess_format(*file, path) : format;
  if (known == "parquet") return open_parquet(std::move(file));
  if (known == "jsonl") return open_json(std::move(file), sample_bytes);
  return open_csv(std::move(file), sample_bytes);
}

std::size_t recent_bytes_max() {
  // Arrow reads ahead one block for each thread; the rest is for chunks in flight between its stages.
  constexpr std::size_t kInFlight = 16;
  return (static_cast<std::size_t>(arrow::GetCpuThreadPoolCapacity()) + kInFlight) * kBlockBytes;
}

std::string type_name(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DOUBLE:
      return "float64";
    case arrow::Type::FLOAT:
      return "float32";
    default:
      return type.ToString();
  }
}

}  // namespace marigram::cli
