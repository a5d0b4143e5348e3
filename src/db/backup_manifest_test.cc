// The list of a snapshot's files. Without this test a torn or edited one could vouch for files that nobody wrote.
#include "db/backup_manifest.h"

#include "base/manual_clock.h"
#include "db/test_backup.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>

namespace marigram::db::testing {
namespace {

BackupManifest sample() {
  BackupManifest manifest{.id = "one", .base = "other", .time = {.seconds = 1'700'000'000, .nanos = 5}};
  BackupTable table{.name_space = "a \"name\"", .name = "t/ä\n", .version = 7, .rows = 18'446'744'073'709'551'615U};
  table.files = {{.path = "_timeseries_log/CURRENT", .bytes = 2, .hash = std::string(64, 'a')},
                 {.path = "data/x.parquet", .bytes = 0, .hash = std::string(64, '0')}};
  manifest.tables = {table, {.name_space = "b", .name = "t", .version = 1}};
  return manifest;
}

TEST(BackupManifest, SaysWhatWasWritten) {
  for (const BackupManifest& manifest : {sample(), BackupManifest{.id = "empty"}}) {
    const auto text = encode_manifest(manifest);
    ASSERT_TRUE(text) << text.error().message;
    const auto read = decode_manifest(*text);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, manifest);
    EXPECT_TRUE(text->ends_with("\"}\n"));
  }
  const BackupManifest manifest = sample();
  EXPECT_EQ(manifest.find("b", "t"), &manifest.tables[1]);
  EXPECT_EQ(manifest.find("b", "u"), nullptr);
  EXPECT_EQ(manifest.find("a", "t"), nullptr);
  EXPECT_EQ(manifest.tables[0].find("data/x.parquet"), &manifest.tables[0].files[1]);
  EXPECT_EQ(manifest.tables[0].find("data/x"), nullptr);
}

TEST(BackupManifest, AnyChangeShows) {
  const std::string text = encode_manifest(sample()).value();
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const int bit : {1, 32}) {
      std::string changed = text;
      changed[at] = static_cast<char>(changed[at] ^ bit);
      expect_error(decode_manifest(changed), ErrorCode::kCorruption, "");
    }
    expect_error(decode_manifest(text.substr(0, at)), ErrorCode::kCorruption, "");
    expect_error(decode_manifest(text.substr(at + 1)), ErrorCode::kCorruption, "");
  }
  expect_error(decode_manifest(text + " "), ErrorCode::kCorruption, "checksum");
  expect_error(decode_manifest(""), ErrorCode::kCorruption, "cut short");
}

/// What has the right checksum but is nothing that we write.
TEST(BackupManifest, WhatIsWellFormedAndWrongIsRefused) {
  BackupManifest manifest = sample();
  for (const std::string path : {"../x", "/x", "a//b", ""}) {
    manifest.tables[0].files = {{.path = path, .hash = std::string(64, 'a')}};
    expect_error(decode_manifest(encode_manifest(manifest).value()), ErrorCode::kCorruption, "file");
  }
  manifest.tables[0].files = {{.path = "x", .hash = "short"}};
  expect_error(decode_manifest(encode_manifest(manifest).value()), ErrorCode::kCorruption, "short");
  manifest.tables[0].files = {{.path = "x", .hash = std::string(64, 'a')}, {.path = "x", .hash = std::string(64, 'a')}};
  expect_error(decode_manifest(encode_manifest(manifest).value()), ErrorCode::kCorruption, "order");
}

TEST(BackupManifest, ErrorsNameTheFolder) {
  ManualClock clock;
  const auto storage = make_memory_storage(clock);
  expect_error(read_manifest(*storage), ErrorCode::kNotFound, "backup.json");
  expect_fine(storage->store("")->put("backup.json", "{}"));
  expect_error(read_manifest(*storage), ErrorCode::kCorruption, "backup.json of memory:");
}

}  // namespace
}  // namespace marigram::db::testing
