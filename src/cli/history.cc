#include "cli/history.h"

#include "base/try.h"
#include "cli/arguments.h"
#include "cli/arrow_bridge.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "cli/text_table.h"

#include <marigram/history.h>

#include <unistd.h>

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>

namespace marigram::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kWhichVersion = "VERSION|TIME|NAME";

/// At most so many rows of a stream.
class FirstRows : public arrow::RecordBatchReader {
 public:
  FirstRows(std::shared_ptr<arrow::RecordBatchReader> rows, std::uint64_t most) : rows_(std::move(rows)), left_(most) {}

  std::shared_ptr<arrow::Schema> schema() const override { return rows_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    if (left_ == 0) return arrow::Status::OK();
    const arrow::Status read = rows_->ReadNext(batch);
    if (!read.ok() || !*batch) return read;
    if (static_cast<std::uint64_t>((*batch)->num_rows()) > left_) {
      *batch = (*batch)->Slice(0, static_cast<std::int64_t>(left_));
    }
    left_ -= static_cast<std::uint64_t>((*batch)->num_rows());
    return read;
  }

 private:
  std::shared_ptr<arrow::RecordBatchReader> rows_;
  std::uint64_t left_;
};

/// How many rows one version has that another lacks.
struct Changes {
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
};

Result<std::uint64_t> version_of(Context& context, const std::string& text, const OpenTable& open) {
  MARIGRAM_ASSIGN(const OpenOptions at, parse_at(context, text));
  MARIGRAM_ASSIGN(const Table table, open(at));
  return table.info().version;
}

Result<Changes> count_changes(const Table& table, const DiffRequest& request) {
  MARIGRAM_ASSIGN(const auto reader, open_diff(table, request));
  Changes changes;
  while (true) {
    const auto batch = reader->Next();
    if (!batch.ok()) return std::unexpected(from_arrow(batch.status(), ""));
    if (!*batch) return changes;
    const auto& change = static_cast<const arrow::StringArray&>(*(*batch)->column(0));
    for (std::int64_t row = 0; row < change.length(); ++row) {
      ++(change.GetView(row) == "added" ? changes.added : changes.removed);
    }
  }
}

std::string show(const Changes& changes) {
  return fmt::format("{} added, {} removed", count_of(changes.added, "row"), count_of(changes.removed, "row"));
}

Status list_names(Context& context, const Table& table) {
  const auto names = table.version_names();
  if (context.json) {
    Json list = Json::array();
    for (const auto& [name, version] : names) list.push_back({{"name", name}, {"version", version}});
    return context.print({{"version", table.info().version}, {"names", std::move(list)}});
  }
  if (names.empty()) return {};
  TextTable lines({{"name"}, {"version", Align::kRight}});
  for (const auto& [name, version] : names) lines.add_row({name, fmt::format("{}", version)});
  return context.out.write(lines.render(inspect_terminal(STDOUT_FILENO).color));
}

}  // namespace

void add_at(const Command& command, std::string& at) {
  command.option("--at", at, kWhichVersion, "The table as of a version, a time, or the version of a name");
}

void add_diff_options(const Command& command, DiffTexts& texts) {
  command.option("FROM", texts.from_version, kWhichVersion, "The version that is compared").required();
  command.option("TO", texts.to_version, kWhichVersion, "With this one").required();
  command.option("--from", texts.from, "TIME", "Rows from this time or integer on");
  command.option("--to", texts.to, "TIME", "Rows before this time or integer");
  add_where(command, texts.where);
  command.flag("--count", texts.count, "Print no rows, only how many there are");
  add_limit(command, texts.output);
  add_row_format(command, texts.output);
}

Result<int> run_diff(Context& context, const DiffTexts& texts, const OpenTable& open) {
  const InterruptGuard guard(context.cancel);
  DiffRequest request{.cancel = context.cancel};
  MARIGRAM_ASSIGN(request.from, version_of(context, texts.from_version, open));
  MARIGRAM_ASSIGN(request.to, version_of(context, texts.to_version, open));
  MARIGRAM_ASSIGN(const Table table, open({}));
  MARIGRAM_ASSIGN(const IndexRange range, parse_range(context, texts.from, texts.to, table.info()));
  request.begin = range.from;
  request.end = range.to;
  MARIGRAM_ASSIGN(request.where, parse_where(context, texts.where));
  if (!texts.count) {
    MARIGRAM_ASSIGN(const RowOutput output, choose_row_output(context, texts.output));
    MARIGRAM_ASSIGN(auto reader, open_diff(table, request));
    FirstRows rows(std::move(reader), output.rows_wanted(texts.output.limit));
    MARIGRAM_ASSIGN(const RowsWritten written, write_rows(context, output, rows));
    if (written.more) note("there are more rows; --limit N shows N, --count says how many");
    return kExitOk;
  }
  MARIGRAM_ASSIGN(const Changes changes, count_changes(table, request));
  if (context.json) {
    MARIGRAM_TRY(context.print(
        {{"from", request.from}, {"to", request.to}, {"added", changes.added}, {"removed", changes.removed}}));
  } else {
    MARIGRAM_TRY(
        context.out.write(fmt::format("{} from version {} to version {}\n", show(changes), request.from, request.to)));
  }
  return kExitOk;
}

void add_tag_options(const Command& command, TagTexts& texts) {
  command.option("NAME", texts.name, "NAME", "A name for a version (default: list those that there are)");
  command.option("VERSION", texts.version, kWhichVersion, "Which version (default: the newest)");
  command.option("--delete", texts.forgotten, "NAME", "Forget this name; vacuum may give up the version then");
}

Result<int> run_tag(Context& context, const TagTexts& texts, const OpenTable& open) {
  if (!texts.forgotten.empty() && !texts.name.empty()) {
    return context.usage("cannot name a version and forget a name at once: give a NAME or --delete");
  }
  MARIGRAM_ASSIGN(Table table, open({}));
  if (texts.name.empty() && texts.forgotten.empty()) {
    MARIGRAM_TRY(list_names(context, table));
    return kExitOk;
  }
  std::uint64_t named = table.info().version;
  std::uint64_t version = 0;
  if (!texts.forgotten.empty()) {
    MARIGRAM_ASSIGN(version, table.forget_version_name(texts.forgotten));
  } else {
    if (!texts.version.empty()) {
      MARIGRAM_ASSIGN(named, version_of(context, texts.version, open));
    }
    MARIGRAM_ASSIGN(version, table.name_version(texts.name, named));
  }
  if (context.json) {
    Json told = {{"version", version}};
    if (texts.name.empty()) {
      told["deleted"] = texts.forgotten;
    } else {
      told["name"] = texts.name;
      told["named"] = named;
    }
    MARIGRAM_TRY(context.print(told));
  } else if (texts.name.empty()) {
    MARIGRAM_TRY(context.out.write(fmt::format("no version is named {} any more\n", texts.forgotten)));
  } else {
    MARIGRAM_TRY(context.out.write(fmt::format("version {} is named {}\n", named, texts.name)));
  }
  return kExitOk;
}

void add_revert_options(const Command& command, RevertTexts& texts) {
  command.option("VERSION", texts.version, kWhichVersion, "The version to go back to").required();
  add_dry_run(command, texts.dry_run, "Change nothing, only say how many rows would come and go");
}

Result<int> run_revert(Context& context, const RevertTexts& texts, const std::string& table, const OpenTable& open,
                       const std::function<Result<std::uint64_t>(std::uint64_t)>& restore) {
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(const std::uint64_t wanted, version_of(context, texts.version, open));
  if (texts.dry_run) {
    MARIGRAM_ASSIGN(const Table now, open({}));
    const std::uint64_t version = now.info().version;
    MARIGRAM_ASSIGN(const Changes changes,
                    count_changes(now, {.from = version, .to = wanted, .cancel = context.cancel}));
    if (context.json) {
      MARIGRAM_TRY(context.print({{"version", version},
                                  {"restored", wanted},
                                  {"added", changes.added},
                                  {"removed", changes.removed},
                                  {"dry_run", true}}));
    } else {
      MARIGRAM_TRY(context.out.write(
          fmt::format("{} would become what it was at version {}: {}\n", table, wanted, show(changes))));
    }
    return kExitOk;
  }
  MARIGRAM_ASSIGN(const std::uint64_t version, restore(wanted));
  if (context.json) {
    MARIGRAM_TRY(context.print({{"version", version}, {"restored", wanted}, {"dry_run", false}}));
  } else {
    MARIGRAM_TRY(
        context.out.write(fmt::format("{} is at version {} what it was at version {}\n", table, version, wanted)));
  }
  return kExitOk;
}

Status print_truncated(Context& context, const std::string& table, std::uint64_t rows, bool dry_run) {
  if (context.json) return context.print({{"rows", rows}, {"dry_run", dry_run}});
  return context.out.write(
      fmt::format("{} {} of {}\n", dry_run ? "would delete" : "deleted", count_of(rows, "row"), table));
}

}  // namespace marigram::cli
