#include "db/job_records.h"

#include "base/try.h"
#include "log/json_in.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

namespace marigram::db {
namespace {

using Json = nlohmann::ordered_json;
namespace json = log::json;

constexpr const char* kFile = "jobs.json";

void put_time(Json& out, const char* name, const std::optional<Instant>& time) {
  if (time) out[name] = format_rfc3339(*time);
}

Json job_out(const JobInfo& job) {
  Json out;
  out["kind"] = kJobNames.at(static_cast<std::size_t>(job.kind));
  out["namespace"] = job.name_space;
  out["table"] = job.table;
  put_time(out, "started", job.started);
  put_time(out, "ended", job.ended);
  out["result"] = job.result;
  out["runs"] = job.runs;
  out["failures"] = job.failures;
  out["last_error"] = job.last_error;
  put_time(out, "failed", job.failed);
  return out;
}

Result<JobKind> kind_in(std::string_view name) {
  const auto* const found = std::ranges::find(kJobNames, name);
  if (found == kJobNames.end()) return json::bad(fmt::format("there is no kind of jobs {:?}", name));
  return kAllJobKinds.at(static_cast<std::size_t>(found - kJobNames.begin()));
}

Result<std::optional<Instant>> time_in(const json::Slot& slot) {
  if (!json::given(slot)) return std::nullopt;
  MARIGRAM_ASSIGN(const std::string_view text, json::text(slot));
  const auto time = parse_rfc3339(text);
  if (!time) return json::bad(time.error().message);
  return *time;
}

Result<JobInfo> job_in(json::Element element) {
  std::array slots{json::Slot{"kind"},       json::Slot{"namespace"}, json::Slot{"table"}, json::Slot{"started"},
                   json::Slot{"ended"},      json::Slot{"result"},    json::Slot{"runs"},  json::Slot{"failures"},
                   json::Slot{"last_error"}, json::Slot{"failed"}};
  MARIGRAM_TRY(json::read_members(element, "a job", slots));
  JobInfo job;
  MARIGRAM_ASSIGN(const std::string_view kind, json::text(slots[0]));
  MARIGRAM_ASSIGN(job.kind, kind_in(kind));
  MARIGRAM_ASSIGN(job.name_space, json::text(slots[1]));
  MARIGRAM_ASSIGN(job.table, json::text(slots[2]));
  MARIGRAM_ASSIGN(job.started, time_in(slots[3]));
  MARIGRAM_ASSIGN(job.ended, time_in(slots[4]));
  MARIGRAM_ASSIGN(job.result, json::text(slots[5]));
  MARIGRAM_ASSIGN(job.runs, json::u64(slots[6]));
  MARIGRAM_ASSIGN(job.failures, json::u64(slots[7]));
  MARIGRAM_ASSIGN(job.last_error, json::text(slots[8]));
  MARIGRAM_ASSIGN(job.failed, time_in(slots[9]));
  return job;
}

}  // namespace

std::string format_job_records(const JobRecords& records) {
  Json out;
  out["marigram"] = "jobs";
  out["format"] = 1;
  out["paused"] = Json::array();
  for (std::size_t kind = 0; kind < kJobKinds; ++kind) {
    if (records.paused.at(kind)) out["paused"].push_back(kJobNames.at(kind));
  }
  out["jobs"] = Json::array();
  for (const JobInfo& job : records.jobs) out["jobs"].push_back(job_out(job));
  // Messages may quote bytes that are no UTF-8.
  return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<JobRecords> parse_job_records(std::string_view text) {
  json::Parser parser;
  MARIGRAM_ASSIGN(const json::Element root, parser.parse(text));
  std::array slots{json::Slot{"format"}, json::Slot{"paused"}, json::Slot{"jobs"}};
  MARIGRAM_TRY(json::read_members(root, kFile, slots));
  MARIGRAM_ASSIGN(const std::uint64_t format, json::u64(slots[0]));
  if (format != 1) return json::bad(fmt::format("{} has format {}, want 1", kFile, format));
  JobRecords records;
  MARIGRAM_ASSIGN(const auto paused, json::texts(slots[1]));
  for (const std::string& name : paused) {
    MARIGRAM_ASSIGN(const JobKind kind, kind_in(name));
    records.paused.at(static_cast<std::size_t>(kind)) = true;
  }
  MARIGRAM_ASSIGN(const auto jobs, json::array(slots[2]));
  for (const json::Element element : jobs) {
    MARIGRAM_ASSIGN(JobInfo job, job_in(element));
    records.jobs.push_back(std::move(job));
  }
  return records;
}

JobRecords read_job_records(Storage& storage) {
  const auto found = storage.store("")->read(kFile);
  return found ? parse_job_records(found->bytes).value_or(JobRecords{}) : JobRecords{};
}

Status write_job_records(Storage& storage, const JobRecords& records) {
  MARIGRAM_TRY(storage.store("")->put(kFile, format_job_records(records)));
  return {};
}

}  // namespace marigram::db
