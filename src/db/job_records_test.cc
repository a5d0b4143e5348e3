// What lasts of jobs. Without this test a pause that somebody asked for could be forgotten, or a file that is torn
// could keep a database from opening.
#include "db/job_records.h"

#include "base/manual_clock.h"

#include <gtest/gtest.h>

#include <string>

namespace marigram::db {
namespace {

JobRecords sample() {
  JobRecords records;
  records.paused.at(2) = true;
  records.jobs.push_back({.kind = JobKind::kCompact,
                          .name_space = "acmé \"x\"",
                          .table = "cpu\n",
                          .started = Instant{.seconds = 1'700'000'000, .nanos = 5},
                          .ended = Instant{.seconds = 1'700'000'001, .nanos = 0},
                          .result = "2,880 rows",
                          .runs = 7,
                          .failures = 2,
                          .last_error = "no space",
                          .failed = Instant{.seconds = 1'700'000'002, .nanos = 0}});
  records.jobs.push_back({.kind = JobKind::kVacuum, .name_space = "n", .table = "t"});
  return records;
}

TEST(JobRecords, WhatIsWrittenIsReadAgain) {
  const JobRecords records = sample();
  const std::string text = format_job_records(records);
  const JobRecords read = parse_job_records(text).value();
  EXPECT_EQ(read.paused, records.paused);
  ASSERT_EQ(read.jobs.size(), 2U);
  EXPECT_EQ(read.jobs[0].name_space, "acmé \"x\"");
  EXPECT_EQ(read.jobs[0].failed, records.jobs[0].failed);
  EXPECT_EQ(read.jobs[0].started, records.jobs[0].started);
  EXPECT_FALSE(read.jobs[1].started);
  EXPECT_EQ(format_job_records(read), text);
}

TEST(JobRecords, MessagesMayQuoteAnything) {
  JobRecords records = sample();
  records.jobs[0].last_error = "cannot read \xff\xfe";
  EXPECT_TRUE(parse_job_records(format_job_records(records)));
}

TEST(JobRecords, WhatIsDamagedIsNoneOrWhole) {
  const std::string text = format_job_records(sample());
  for (std::size_t length = 0; length < text.size(); ++length) {
    const auto read = parse_job_records(text.substr(0, length));
    EXPECT_TRUE(!read || length + 1 == text.size()) << length;
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char with : {'\0', '"', '}', '9', '\xff'}) {
      std::string damaged = text;
      damaged[at] = with;
      [[maybe_unused]] const auto read = parse_job_records(damaged);  // whatever it is, it comes to an end
    }
  }
  for (const char* bad :
       {"", "null", "[]", "7", "{}", R"({"format":2,"paused":[],"jobs":[]})", R"({"format":1,"paused":{},"jobs":[]})",
        R"({"format":1,"paused":["sleep"],"jobs":[]})", R"({"format":1,"paused":[],"jobs":{}})",
        R"({"format":1,"paused":[],"jobs":[7]})", R"({"format":1,"paused":[],"jobs":[{"kind":"compact"}]})",
        R"({"format":1,"paused":[],"jobs":[{"kind":"compact","namespace":"n","table":"t","result":"","runs":-1,)"
        R"("failures":0,"last_error":""}]})",
        R"({"format":1,"paused":[],"jobs":[{"kind":"compact","namespace":"n","table":"t","result":"","runs":1,)"
        R"("failures":0,"last_error":"","failed":"yesterday"}]})"}) {
    const auto read = parse_job_records(bad);
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().code, ErrorCode::kCorruption);
  }
}

TEST(JobRecords, NoneAreThereAtFirst) {
  const ManualClock clock;
  const auto storage = make_memory_storage(clock);
  EXPECT_TRUE(read_job_records(*storage).jobs.empty());
  ASSERT_TRUE(write_job_records(*storage, sample()));
  EXPECT_EQ(read_job_records(*storage).jobs.size(), 2U);
  ASSERT_TRUE(storage->store("")->put("jobs.json", "{\"format\":1,"));
  EXPECT_TRUE(read_job_records(*storage).jobs.empty());
}

}  // namespace
}  // namespace marigram::db
