#include "table/verify.h"

#include "base/hash.h"
#include "base/try.h"
#include "segment/arrow_schema.h"
#include "segment/coverage_builder.h"
#include "segment/parquet_rows.h"
#include "segment/reader.h"
#include "table/absent_tags.h"
#include "table/coverage_files.h"
#include "table/scan.h"
#include "table/zola_folder.h"

#include <arrow/api.h>

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::table {
namespace {

/// One run of verify over one version.
class Verification {
 public:
  Verification(Engine& engine, StatePtr state, bool repair)
      : engine_(engine), state_(std::move(state)), repair_(repair) {}

  Result<VerifyReport> run() {
    check_log();
    check_segments();
    MARIGRAM_TRY(check_snapshot());
    for (const log::Level& level : state_->levels) check_level(level);
    return std::move(report_);
  }

 private:
  void problem(std::string text) { report_.problems.push_back(std::move(text)); }
  void repaired(std::string text) { report_.repaired.push_back(std::move(text)); }

  void check_log() {
    for (std::uint64_t version = 1; version <= state_->version; ++version) {
      if (auto commit = engine_.log().read(version); !commit) problem(commit.error().message);
      ++report_.commits;
    }
  }

  void check_segments() {
    for (const auto& segment : log::ordered_segments(*state_)) check_segment(*segment);
  }

  void check_level(const log::Level& level) {
    Verification own(engine_, level.table, repair_);
    own.check_segments();
    report_.segments += own.report_.segments;
    report_.rows += own.report_.rows;
    for (std::string& text : own.report_.problems) problem(fmt::format("level {}: {}", level.name, text));
    for (std::string& text : own.report_.repaired) repaired(fmt::format("level {}: {}", level.name, text));
    const auto due = engine_.due(*state_, level);
    if (!due) problem(fmt::format("level {}: {}", level.name, due.error().message));
  }

  /// The index without the tags that the table got after the file was written.
  model::IndexSpec index_of(const model::Schema& file) const {
    model::IndexSpec index = *state_->meta->index;
    while (state_->meta->grows() && !index.tags.empty() && file.find(index.tags.back()) == nullptr) {
      index.tags.pop_back();
    }
    return index;
  }

  /// The summary of a file by all tags of the table.
  segment::RowSummary with_all_tags(segment::RowSummary summary) const {
    if (!state_->meta->grows()) return summary;
    const std::size_t tags = state_->meta->index->tags.size();
    model::fill_absent_tags(summary.layout, tags);
    coverage::fill_absent_tags(summary.coverage, tags);
    return summary;
  }

  /// What the rows of the file say, or unset with the problem noted.
  std::optional<segment::RowSummary> read_segment(const model::SegmentMeta& meta) {
    auto reader = segment::open_segment(engine_.store(), meta.path, meta.format);
    if (!reader) {
      problem(reader.error().message);
      return std::nullopt;
    }
    check_columns(meta, (*reader)->schema(state_->dialect()));
    if (meta.file_size && *meta.file_size != (*reader)->bytes()) {
      problem(fmt::format("segment {}: the file has {} bytes, the log says {}", meta.path, (*reader)->bytes(),
                          *meta.file_size));
    }
    // All columns are read, not only the keys, so that every page and its checksum is seen.
    auto rows = (*reader)->read_all();
    if (!rows) {
      problem(rows.error().message);
      return std::nullopt;
    }
    const model::IndexSpec index = index_of((*reader)->schema(state_->dialect()));
    segment::CoverageBuilder builder(state_->dialect(), index, segment::CoverageBuilder::Duplicates::kAllow, meta.path);
    while (true) {
      std::shared_ptr<arrow::RecordBatch> batch;
      Status status;
      if (const auto read = (*rows)->ReadNext(&batch); !read.ok()) {
        status = std::unexpected(segment::from_arrow_status(read, "cannot read " + meta.path, true));
      } else if (batch) {
        status = builder.add(*batch);
      }
      if (!status) {
        problem(status.error().message);
        return std::nullopt;
      }
      if (!batch) break;
    }
    segment::RowSummary summary = builder.finish();
    const std::string sidecar = coverage::encode(state_->dialect(), index, summary.coverage);
    if (const Status claims = (*reader)->check_claims(sidecar); !claims) problem(claims.error().message);
    return with_all_tags(std::move(summary));
  }

  void check_columns(const model::SegmentMeta& meta, const model::Schema& file) {
    if (!state_->meta->schema) {
      problem(fmt::format("segment {}: the table has segments but no schema", meta.path));
      return;
    }
    for (const model::Column& column : state_->meta->schema->columns) {
      const model::Column* found = file.find(column.name);
      if (found == nullptr ? !column.nullable : !model::same_values(found->type, column.type)) {
        problem(fmt::format("segment {}: column {} is {}; the table has {}", meta.path, column.name,
                            found == nullptr ? std::string("missing") : model::format_type(found->type),
                            model::format_type(column.type)));
      }
    }
  }

  void check_segment(const model::SegmentMeta& meta) {
    ++report_.segments;
    auto summary = read_segment(meta);
    if (!summary) {
      complete_ = false;
      return;
    }
    report_.rows += summary->rows;
    if (summary->rows != meta.row_count) {
      problem(
          fmt::format("segment {}: the file has {} rows, the log says {}", meta.path, summary->rows, meta.row_count));
    }
    if (summary->min != meta.min || summary->max != meta.max) {
      problem(fmt::format("segment {}: rows span {} to {}, the log says {} to {}", meta.path,
                          summary->min ? format_index_value(*summary->min) : "nothing",
                          summary->max ? format_index_value(*summary->max) : "nothing", format_index_value(meta.min),
                          format_index_value(meta.max)));
    }
    if (state_->dialect() == Dialect::kV7 && summary->layout != meta.layout) {
      problem(fmt::format("segment {}: the series of its rows are not those the log says", meta.path));
    }
    if (engine_.has_log()) check_sidecar(meta, summary->coverage);
    // Where rows are hidden, others may have taken their place.
    const bool may_overlap = state_->duplicates != Duplicates::kReject || !state_->tombstones.empty();
    if (const auto overlap = may_overlap ? std::nullopt : coverage::find_overlap(all_, summary->coverage)) {
      problem(fmt::format("segment {}: {} buckets are covered by another segment too", meta.path, overlap->buckets));
    }
    coverage::unite(all_, summary->coverage);
  }

  void check_sidecar(const model::SegmentMeta& meta, const coverage::CoverageMap& computed) {
    if (!meta.coverage_path) {
      problem(fmt::format("segment {}: the log names no coverage file", meta.path));
      return;
    }
    auto stored = read_coverage_file(engine_.store(), *state_, coverage::FileRole::kSegment, *meta.coverage_path);
    if (stored && *stored == computed) return;
    std::string what =
        stored ? fmt::format("coverage file {} does not match the rows of segment {}", *meta.coverage_path, meta.path)
               : stored.error().message;
    if (repair_ && rewrite(*meta.coverage_path, coverage::FileRole::kSegment, computed)) {
      repaired(std::move(what));
    } else {
      problem(std::move(what));
    }
  }

  /// Puts the file back under its own name, if what was computed is what the name's hash stands for.
  bool rewrite(const std::string& path, coverage::FileRole role, const coverage::CoverageMap& map) {
    const auto bytes = bytes_of_coverage_file(*state_, role, path, map);
    return bytes && engine_.store().put(path, *bytes).has_value();
  }

  /// What is left of the segments' coverage: rows that tombstones hide are in them.
  Status leave_out_hidden() {
    const model::IndexSpec& index = *state_->meta->index;
    std::vector<std::string> columns = index.tags;
    columns.push_back(index.column);
    MARIGRAM_ASSIGN(const ScanStream stream,
                    scan(engine_, state_, {.columns = std::move(columns), .order = ScanOrder::kAny}, {}));
    segment::CoverageBuilder builder(state_->dialect(), index, segment::CoverageBuilder::Duplicates::kAllow,
                                     "the visible rows");
    while (true) {
      MARIGRAM_ASSIGN(const auto batch, stream.rows->next());
      if (!batch) break;
      MARIGRAM_ASSIGN(const auto stored, empty_for_null_tags(batch, index.tags));
      MARIGRAM_TRY(builder.add(*stored));
    }
    all_ = builder.finish().coverage;
    MARIGRAM_ASSIGN(const coverage::CoverageMap said, union_of_sidecars(engine_.store(), *state_));
    if (said != all_) problem("what tombstones say that they emptied is not what the rows say");
    return {};
  }

  Status check_snapshot() {
    if (!engine_.has_log() || (state_->segments.empty() && !state_->coverage)) return {};
    if (!complete_) return {};  // what cannot be read cannot be compared
    if (!state_->tombstones.empty()) MARIGRAM_TRY(leave_out_hidden());
    std::string what = "the log names no coverage snapshot";
    if (state_->coverage) {
      auto stored = read_coverage_file(engine_.store(), *state_, coverage::FileRole::kTable, state_->coverage->path);
      if (stored && *stored == all_) return {};
      what = stored ? fmt::format("coverage snapshot {} does not match the segments", state_->coverage->path)
                    : stored.error().message;
    }
    if (!repair_) {
      problem(std::move(what));
      return {};
    }
    if (!state_->coverage || !rewrite(state_->coverage->path, coverage::FileRole::kTable, all_)) {
      MARIGRAM_TRY(commit_snapshot());
    }
    engine_.remember_coverage({}, nullptr);
    repaired(std::move(what));
    return {};
  }

  /// The old name stands for other content, so a new snapshot needs a commit.
  Status commit_snapshot() {
    const std::string attempt = random_uuid();
    return engine_.commit([&](const log::TableState& now) -> Result<log::Proposal> {
      if (now.version != state_->version) {
        return fail(ErrorCode::kConflict,
                    "cannot repair the coverage snapshot: another writer committed; verify again");
      }
      const CoverageFile file = make_table_coverage(now, all_, now.version + 1, attempt);
      MARIGRAM_TRY(put_coverage_file(engine_.store(), file));
      log::Proposal proposal;
      proposal.extension.operation = "repair";
      proposal.actions.push_back(log::UpdateTableCoverage{now.meta->index->kind, file.path});
      return proposal;
    });
  }

  Engine& engine_;
  StatePtr state_;
  bool repair_;
  VerifyReport report_;
  coverage::CoverageMap all_;  // of the segments so far
  bool complete_ = true;       // every segment could be read
};

}  // namespace

Result<VerifyReport> verify(const Environment& environment, bool repair) {
  std::vector<std::string> log_repairs;
  if (repair) {
    MARIGRAM_TRY(environment.store->check_writable());
    log::Log log(environment.store, *environment.clock, environment.log);
    MARIGRAM_ASSIGN(const bool is_zola, is_zola_folder(*environment.store));
    if (is_zola && log.latest_version().value_or(1) == 0) return refuse_to_write_zola(*environment.store);
    MARIGRAM_ASSIGN(log_repairs, log.repair());
  }
  VerifyReport report;
  auto engine = Engine::open(environment, {});
  if (engine) {
    MARIGRAM_TRY(require_index(*(*engine)->state()));
    MARIGRAM_ASSIGN(report, Verification(**engine, (*engine)->state(), repair).run());
  } else if (engine.error().code == ErrorCode::kCorruption) {
    report.problems.push_back(engine.error().message);
  } else {
    return std::unexpected(std::move(engine).error());
  }
  report.repaired.insert(report.repaired.begin(), log_repairs.begin(), log_repairs.end());
  return report;
}

}  // namespace marigram::table
