// The rows of an input file under the file's own column names: CSV, JSON lines or Parquet; or of a zola folder.
#pragma once

#include <marigram/error.h>
#include <marigram/scan.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace arrow {
class DataType;
class RecordBatch;
}  // namespace arrow

namespace marigram::cli {

class InputFile;

struct FileColumn {
  std::string name;
  /// Parquet: as stored. CSV, JSON: as the first rows suggest; null if they hold no value.
  std::shared_ptr<arrow::DataType> type;
};

/// What to read, and as which type. For Parquet the type is ignored: batches come as stored.
struct ReadColumn {
  std::string name;
  std::shared_ptr<arrow::DataType> type;
};

/// Not thread-safe. Error messages name the file, and the line, column and value where one is to blame.
class RowSource {
 public:
  virtual ~RowSource() = default;

  virtual const std::vector<FileColumn>& columns() const = 0;
  /// Whether rows may carry columns that columns() lacks (JSON: keys that come later).
  virtual bool open_ended() const { return false; }
  /// Whether values are text whose type we choose.
  virtual bool is_text() const { return true; }
  /// How much of the input the types in columns() were guessed from; unset if all of it.
  virtual std::optional<std::size_t> sampled_bytes() const { return std::nullopt; }

  /// To be called once, before next(). `ignored` are columns to leave out.
  virtual Status start(const std::vector<ReadColumn>& wanted, const std::vector<std::string>& ignored) = 0;
  /// The next rows, columns as wanted in start(); null at the end.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> next() = 0;

  /// Where a value of a column stands that was read lately: `line 17`, or `row 17` where there are no lines; empty if
  /// it is not found. `row` counts the rows of next() from 0.
  virtual std::string locate(const std::string& column, std::string_view value, std::uint64_t row) const = 0;
  /// Stored bytes read so far, and of all of them (unset for a pipe), for the progress bar.
  virtual std::uint64_t bytes_done() const = 0;
  virtual std::optional<std::uint64_t> bytes_total() const = 0;
};

/// The input's beginning is read here, `sample_bytes` of it at most, to learn its columns. Each takes the file over.
Result<std::unique_ptr<RowSource>> open_csv(std::unique_ptr<InputFile> file, std::size_t sample_bytes);
Result<std::unique_ptr<RowSource>> open_json(std::unique_ptr<InputFile> file, std::size_t sample_bytes);
Result<std::unique_ptr<RowSource>> open_parquet(std::unique_ptr<InputFile> file);
/// kNotFound: it is no such folder.
Result<std::unique_ptr<RowSource>> open_zola(const std::string& path, const CancelToken& cancel);

/// Types are guessed from so much text.
inline constexpr std::size_t kGuessBytes = 16 << 20;
/// The input at `path`, `-` is standard input; `format` is empty where it is to be guessed.
Result<std::unique_ptr<RowSource>> open_source(const CancelToken& cancel, const std::string& path,
                                               const std::string& format, std::size_t sample_bytes = kGuessBytes);

/// csv, jsonl or parquet, by the content if it is Parquet, else by the name; csv if that says nothing.
std::string guess_format(const InputFile& file, const std::string& path);

/// Bytes a block of text has: the unit of parallel decoding.
inline constexpr std::int32_t kBlockBytes = 1 << 20;
/// How much text RecentText must keep so that it holds every block a reader may have in hand.
std::size_t recent_bytes_max();

/// The name that users know a type by: float64, not double.
std::string type_name(const arrow::DataType& type);

}  // namespace marigram::cli
