// Commit files and checkpoints' actions: whatever the bytes, an error or a commit that is written as it was read and
// never leaves a table half changed.
#include "log/commit_codec.h"
#include "log/table_state.h"
#include "model/table_meta.h"

#include <marigram/table.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

namespace {

namespace log = marigram::log;
using marigram::Dialect;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Paths are followed, so none that leads out of the table may come through.
void check_paths(const log::Commit& commit) {
  for (const log::Action& action : commit.actions) {
    if (const auto* add = std::get_if<log::AddSegment>(&action)) {
      require(marigram::model::is_canonical_path(add->segment.path));
      require(!add->segment.coverage_path || marigram::model::is_canonical_path(*add->segment.coverage_path));
    } else if (const auto* coverage = std::get_if<log::UpdateTableCoverage>(&action)) {
      require(marigram::model::is_canonical_path(coverage->coverage_path));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)log::decode_action(text);
  (void)log::decode_extension(text);
  const auto commit = log::decode_commit(1, text);
  if (!commit) return 0;
  require(log::is_whole_json(text));
  check_paths(*commit);
  const Dialect dialect = commit->dialect.value_or(Dialect::kV7);
  const auto once = log::encode_commit(dialect, *commit);
  require(once.has_value());
  const auto again = log::decode_commit(1, *once);
  require(again && again->actions == commit->actions && again->extension == commit->extension &&
          again->timestamp == commit->timestamp);
  require(log::encode_commit(dialect, *again) == *once);
  log::TableState state;
  if (!log::apply(state, *commit)) {
    require(state.version == 0 && !state.meta && state.segments.empty());
    return 0;
  }
  require(state.meta.has_value() && log::ordered_segments(state).size() == state.segments.size());
  return 0;
}
