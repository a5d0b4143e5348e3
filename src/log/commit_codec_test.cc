// Commit files of both dialects, in and out. Without this we could write commits that other readers refuse, read theirs
// wrongly, or follow what a damaged or hostile file says.
#include "log/commit_codec.h"

#include <marigram/error.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <variant>

#include <fmt/format.h>

namespace marigram::log {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMetaV7 =
    R"({"UpdateTableMeta":{"kind":{"TimeSeries":{"column":"ts","entity_columns":["a"],"kind":{"type":"timestamp","index_granularity":{"Hours":1}}}},)"
    R"("logical_schema":null,"created_at":"2024-01-01T00:00:00Z","protocol_version":7,"required_reader_features":[],"required_writer_features":[]}})";
constexpr const char* kMetaV1 =
    R"({"UpdateTableMeta":{"kind":{"TimeSeries":{"timestamp_column":"ts","entity_columns":["a"],"bucket":{"Days":7},"timezone":"Europe/Berlin"}},)"
    R"("logical_schema":null,"created_at":"2024-01-01T00:00:00.500Z","format_version":1,"entity_identity":{"a":"x"}}})";
constexpr const char* kAddV7 =
    R"({"AddSegment":{"path":"data/a.parquet","format":"parquet","entity_layout":{"Single":[{"type":"utf8","value":"x"},{"type":"int32","value":-1},{"type":"int64","value":-9223372036854775808},{"type":"uint64","value":18446744073709551615}]},)"
    R"("index_min":{"type":"u_int64","value":0},"index_max":{"type":"u_int64","value":18446744073709551615},"row_count":3,"file_size":9,"coverage_path":"_coverage/segments/c.roar"}})";
constexpr const char* kAddV1 =
    R"({"AddSegment":{"segment_id":"seg-1","path":"data/a.parquet","format":"parquet","ts_min":"1969-12-31T23:59:59.999Z","ts_max":"2024-01-01T00:00:00Z","row_count":3}})";

std::string commit_text(const std::string& actions, int version = 1, const std::string& more = "") {
  return fmt::format(
      R"({{"version":{},"base_version":{},"timestamp":"2024-05-06T07:08:09.123456789Z","actions":[{}]{}}})", version,
      version - 1, actions, more);
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string meta_with_schema(const std::string& schema, const std::string& features = "[]") {
  std::string text = with(kMetaV7, R"("logical_schema":null)", R"("logical_schema":)" + schema);
  text = with(text, R"("required_reader_features":[])", R"("required_reader_features":)" + features);
  return with(text, R"("required_writer_features":[])", R"("required_writer_features":)" + features);
}

std::string column_of(const std::string& type) {
  return R"({"columns":[{"name":"c","data_type":)" + type + R"(,"nullable":true}]})";
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string again(const Commit& commit) {
  return encode_commit(commit.dialect.value_or(Dialect::kV7), commit).value();
}

void expect_round_trip(const std::string& text, std::uint64_t version = 1) {
  const auto commit = decode_commit(version, text);
  ASSERT_TRUE(commit) << commit.error().message << "\n" << text;
  EXPECT_EQ(again(*commit), text);
}

void expect_refused(const std::string& text, const std::string& because, ErrorCode code = ErrorCode::kCorruption) {
  const auto commit = decode_commit(1, text);
  ASSERT_FALSE(commit) << text;
  EXPECT_EQ(commit.error().code, code) << commit.error().message;
  EXPECT_NE(commit.error().message.find(because), std::string::npos) << commit.error().message;
  EXPECT_NE(commit.error().message.find("_timeseries_log/0000000001.json"), std::string::npos)
      << commit.error().message;
}

TEST(CommitCodecTest, EveryFixtureCommitIsWrittenAsItWasRead) {
  int commits = 0;
  for (const char* dialect : {"tstable-0.2.2", "tstable-0.9.0"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(MARIGRAM_SOURCE_DIR) / "tests/data" / dialect)) {
      const std::string path = entry.path().string();
      const auto folder = path.find("_timeseries_log/");
      if (folder == std::string::npos || !path.ends_with(".json")) continue;
      const auto version = version_in_path(path.substr(folder));
      ASSERT_TRUE(version) << path;
      const std::string text = read_file(path);
      const auto commit = decode_commit(*version, text);
      ASSERT_TRUE(commit) << path << ": " << commit.error().message;
      EXPECT_EQ(commit->dialect, dialect == std::string("tstable-0.2.2") ? Dialect::kV1 : Dialect::kV7) << path;
      EXPECT_EQ(again(*commit), text) << path;
      ++commits;
    }
  }
  EXPECT_GE(commits, 100);
}

TEST(CommitCodecTest, EveryActionSurvives) {
  for (
      const std::string& actions :
      {std::string(kMetaV7), std::string(kMetaV1), std::string(kAddV7), std::string(kAddV1),
       std::string(R"({"RemoveSegment":{"path":"data/a.parquet"}})"),
       std::string(R"({"RemoveSegment":{"segment_id":"seg-1"}})"),
       std::string(
           R"({"UpdateTableCoverage":{"index_kind":{"type":"int64","index_granularity":18446744073709551615},"coverage_path":"_coverage/t"}})"),
       std::string(R"({"UpdateTableCoverage":{"bucket_spec":{"Minutes":4294967295},"coverage_path":"_coverage/t"}})"),
       std::string(R"({"Future":{"b":[1,2.5,null],"a":"\u0001\"\\"}})"), std::string(R"("Future")"), std::string()}) {
    expect_round_trip(commit_text(actions));
  }
  expect_round_trip(commit_text(with(
      kMetaV7,
      R"({"TimeSeries":{"column":"ts","entity_columns":["a"],"kind":{"type":"timestamp","index_granularity":{"Hours":1}}}})",
      R"("Generic")")));
  expect_round_trip(commit_text(with(
      kAddV7,
      R"({"Single":[{"type":"utf8","value":"x"},{"type":"int32","value":-1},{"type":"int64","value":-9223372036854775808},{"type":"uint64","value":18446744073709551615}]})",
      R"("Mixed")")));
}

TEST(CommitCodecTest, EveryTypeSurvives) {
  const std::string field = R"({"name":"item","data_type":"Float64","nullable":true})";
  const std::string key = R"({"name":"key","data_type":"Utf8","nullable":false})";
  for (const std::string& type :
       {std::string(R"("Bool")"), std::string(R"("Int32")"), std::string(R"("Int64")"), std::string(R"("UInt64")"),
        std::string(R"("Float32")"), std::string(R"("Float64")"), std::string(R"("Binary")"), std::string(R"("Utf8")"),
        std::string(R"("Int96")"), std::string(R"({"FixedBinary":{"byte_width":16}})"),
        std::string(R"({"Timestamp":{"unit":"Millis","timezone":null}})"),
        std::string(R"({"Timestamp":{"unit":"Nanos","timezone":"UTC"}})"),
        std::string(R"({"Decimal":{"precision":10,"scale":2}})"),
        R"({"Struct":{"fields":[)" + field + "," + key + "]}}", R"({"List":{"elements":)" + field + "}}",
        R"({"Map":{"key":)" + key + R"(,"value":)" + field + R"(,"keys_sorted":true}})",
        R"({"Map":{"key":)" + key + R"(,"value":null,"keys_sorted":false}})", std::string(R"({"Other":"week"})")}) {
    expect_round_trip(commit_text(meta_with_schema(column_of(type))));
  }
}

TEST(CommitCodecTest, AnnotationsSurviveWithTheirFeatureAndAreRefusedWithout) {
  const std::string schema =
      R"({"columns":[{"name":"c","data_type":{"Map":{"key":{"name":"k","data_type":"Utf8","nullable":false,"metadata":{"x":"y"}},"value":null,"keys_sorted":false,"entries_metadata":{"e":"f"},"null_value_metadata":{"n":"m"}}},"nullable":true,"metadata":{"unit":"°C"}}],"metadata":{"s":"t"}})";
  expect_round_trip(commit_text(meta_with_schema(schema, R"(["schema_metadata"])")));
  expect_refused(commit_text(meta_with_schema(schema)), "schema_metadata");
}

TEST(CommitCodecTest, TheExtensionIsAnActionInV7AndAMemberInV1) {
  const std::string extension =
      R"({"transaction_id":"t","operation":"append","partition":"1d","calendar":"{}","declared_types":{"ts":"timestamp[us]"}})";
  expect_round_trip(commit_text(std::string(kAddV7) + R"(,{"Marigram":)" + extension + "}"));
  expect_round_trip(commit_text(R"({"Marigram":)" + extension + "}"));
  expect_round_trip(commit_text(kAddV1, 1, R"(,"marigram":)" + extension));
  expect_round_trip(commit_text("", 1, R"(,"marigram":{"transaction_id":"t","operation":"repair"})"));
  const auto tolerant =
      decode_commit(1, commit_text(R"({"Marigram":{"transaction_id":"t","operation":"o","new":[1]}})"));
  ASSERT_TRUE(tolerant) << tolerant.error().message;
  EXPECT_EQ(tolerant->extension->operation, "o");
  expect_refused(commit_text(R"({"Marigram":{"transaction_id":7,"operation":"o"}})"), "transaction_id");
  expect_refused(
      commit_text(
          R"({"Marigram":{"transaction_id":"t","operation":"o"}},{"Marigram":{"transaction_id":"u","operation":"o"}})"),
      "twice");
}

TEST(CommitCodecTest, PolicyMarkAndRankAreMembersOfTheExtension) {
  const std::string extension =
      R"({"transaction_id":"t","operation":"o","duplicates":"last","segments":"native","compression":"gorilla:zstd","wal":{"log":"00112233445566778899aabbccddeeff","lsn":18446744073709551615},"rank":3})";
  const std::string text = commit_text(R"({"Marigram":)" + extension + "}");
  expect_round_trip(text);
  expect_round_trip(with(text, "last", "all"));
  expect_refused(with(text, "last", "first"), "want reject, last, all");
  expect_round_trip(with(text, "native", "parquet"));
  expect_refused(with(text, "native", "csv"), "want parquet or native");
  for (const char* log : {"", "00112233445566778899aabbccddeef", "00112233445566778899AABBCCDDEEFF",
                          "0x112233445566778899aabbccddeeff"}) {
    expect_refused(with(text, "00112233445566778899aabbccddeeff", log), "32 hex digits");
  }
  expect_refused(with(text, "18446744073709551615", "-1"), "lsn");
  expect_refused(with(text, R"("rank":3)", R"("rank":-3)"), "rank");
}

TEST(CommitCodecTest, TombstonesAreMembersOfTheExtension) {
  const std::string extension =
      R"({"transaction_id":"t","operation":"o","tombstones":[{"touched":"_coverage/a.roar","emptied":"_coverage/b.roar",)"
      R"("points":"_coverage/c.roar","rank":7,"from":{"type":"timestamp","value":"1969-12-31T23:59:59.999999999Z"},)"
      R"("to":{"type":"int64","value":-1},"where":[{"tag":"host","values":["a","\u0001"]},{"tag":"core","values":[]}]},)"
      R"({"touched":"d","rank":18446744073709551615,"except":[[{"tag":"host","values":["b"]}],[]]}],"dissolved":["_coverage/e.roar","f"]})";
  const std::string text = commit_text(R"({"Marigram":)" + extension + "}");
  expect_round_trip(text);
  expect_refused(with(text, "_coverage/a.roar", "../a.roar"), "touched");
  expect_refused(with(text, "_coverage/b.roar", "/b.roar"), "emptied");
  expect_refused(with(text, "_coverage/c.roar", ""), "points");
  expect_refused(with(text, R"("rank":7)", R"("rank":-7)"), "rank");
  expect_refused(with(text, R"("rank":7)", R"("rank":7,"more":1)"), "more");
  expect_refused(with(text, R"("values":[])", R"("values":[1])"), "values");
  expect_refused(with(text, R"(,[]])", R"(,1])"), "except");
  expect_refused(with(text, R"("dissolved":[)", R"("dissolved":[1,)"), "dissolved");
}

TEST(CommitCodecTest, RetentionIsAMemberOfTheExtension) {
  const std::string extension =
      R"({"transaction_id":"t","operation":"o","retention":[{"where":[{"tag":"env","values":["dev"]}],"keep":{"1m":"1mo",)"
      R"("rows":"7d"},"horizons":{"rows":"2024-01-02T00:00:00Z"}},{}]})";
  const std::string text = commit_text(R"({"Marigram":)" + extension + "}");
  expect_round_trip(text);
  expect_refused(with(text, R"("7d")", R"("soon")"), "soon");
  expect_refused(with(text, R"("7d")", "7"), "keep");
  expect_refused(with(text, "2024-01-02T00:00:00Z", "2024-13-02"), "2024-13-02");
  expect_refused(with(text, R"({}])", R"({"more":1}])"), "more");
  expect_refused(with(text, R"([{"where")", R"(["x",{"where")"), "a class of series");
}

TEST(CommitCodecTest, RanksOfSegmentsTiersAndNamesOfVersions) {
  const std::string extension =
      R"({"transaction_id":"t","operation":"o","ranks":{"data/a.mgs":[7,0],"data/b.mgs":[18446744073709551615,3]},)"
      R"("tiers":{"cold_after":"30d","cold_segments":"native","cold_compression":"auto:zstd","cold_root":"/cold"},)"
      R"("version_names":{"before import":1,"x":18446744073709551615}})";
  const std::string text = commit_text(R"({"Marigram":)" + extension + "}");
  expect_round_trip(text);
  expect_round_trip(commit_text("", 1, R"(,"marigram":{"transaction_id":"t","operation":"o","version_names":{}})"));
  expect_refused(with(text, "[7,0]", "[7]"), "a rank is wrong");
  expect_refused(with(text, "[7,0]", "[7,0,0]"), "a rank is wrong");
  expect_refused(with(text, "[7,0]", "[7,-1]"), "a rank is wrong");
  expect_refused(with(text, "[7,0]", "7"), "a rank is wrong");
  expect_refused(with(text, R"("data/b.mgs")", R"("data/a.mgs")"), "data/a.mgs twice");
  expect_refused(with(text, R"({"data/a.mgs":[7,0],"data/b.mgs":[18446744073709551615,3]})", "[]"), "ranks are wrong");
  expect_refused(with(text, R"("30d")", R"("soon")"), "soon");
  expect_refused(with(text, R"("cold_segments":"native")", R"("cold_segments":"csv")"), "csv");
  expect_refused(with(text, R"("cold_root":"/cold")", R"("cold_root":7)"), "cold_root");
  expect_refused(with(text, R"("cold_root":"/cold")", R"("cold_root":"/cold","more":1)"), "more");
  expect_refused(with(text, R"("cold_compression":"auto:zstd",)", ""), "cold_compression");
  expect_refused(with(text, R"("before import":1)", R"("before import":0)"), "the version of a name is wrong");
  expect_refused(with(text, R"("before import":1)", R"("before import":"1")"), "the version of a name is wrong");
  expect_refused(with(text, R"("before import":1)", R"("x":1)"), "x twice");
  expect_refused(with(text, R"({"before import":1,"x":18446744073709551615})", "7"), "names of versions are wrong");
}

TEST(CommitCodecTest, WhatIsNewerIsRefusedByName) {
  const auto newer = [](const std::string& text, const std::string& name) {
    expect_refused(text, name, ErrorCode::kInvalidInput);
    expect_refused(text, "needs a newer version of marigram", ErrorCode::kInvalidInput);
  };
  newer(commit_text(with(kMetaV7, R"("protocol_version":7)", R"("protocol_version":8)")), "protocol_version 8");
  newer(commit_text(with(kMetaV7, R"("protocol_version":7)", R"("protocol_version":6)")), "protocol_version 6");
  newer(commit_text(with(kMetaV1, R"("format_version":1)", R"("format_version":2)")), "format_version 2");
  newer(commit_text(with(kMetaV7, R"("required_reader_features":[])",
                         R"("required_reader_features":["sharding","schema_metadata"])")),
        "sharding");
  // Before what the newer protocol may have changed is looked at.
  newer(commit_text(R"({"AddSegment":{"path":false}},)" +
                    with(kMetaV7, R"("protocol_version":7)", R"("protocol_version":9)")),
        "protocol_version 9");
  newer(commit_text(std::string(kAddV1) + R"(,{"Future":{}})"), "Future");
  // Writers' features are no matter of reading.
  expect_round_trip(
      commit_text(with(kMetaV7, R"("required_writer_features":[])", R"("required_writer_features":["sharding"])")));
}

TEST(CommitCodecTest, WhatIsWrongIsNamed) {
  expect_refused("", "not whole JSON");
  expect_refused("[]", "want an object");
  expect_refused(commit_text("", 2), "\"version\"");
  expect_refused(with(commit_text(""), R"("base_version":0)", R"("base_version":1)"), "base_version");
  expect_refused(with(commit_text(""), "2024-05", "2024-13"), "timestamp");
  expect_refused(commit_text("7"), "want an object of one member");
  expect_refused(commit_text(R"({"A":1,"B":2})"), "want an object of one member");
  for (const char* path : {"", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "C:/x", "a\\\\b"}) {
    expect_refused(commit_text(with(kAddV7, "data/a.parquet", path)), "path");
    expect_refused(commit_text(with(kAddV1, "data/a.parquet", path)), "path");
    expect_refused(commit_text(with(kAddV7, "_coverage/segments/c.roar", path)), "coverage_path");
    expect_refused(commit_text(fmt::format(R"({{"RemoveSegment":{{"path":"{}"}}}})", path)), "path");
  }
  expect_refused(commit_text(with(kAddV7, R"("format":"parquet")", R"("format":"csv")")), "csv");
  expect_refused(commit_text(with(kAddV7, R"("row_count":3)", R"("row_count":-3)")), "row_count");
  expect_refused(commit_text(with(kAddV7, R"({"type":"int32","value":-1})", R"({"type":"int32","value":2147483648})")),
                 "2147483648");
  expect_refused(commit_text(with(kAddV7, R"({"type":"int32","value":-1})", R"({"type":"int32","value":1,"more":1})")),
                 "more");
  expect_refused(commit_text(with(kMetaV7, R"("column":"ts",)", R"("column":"ts","more":1,)")), "more");
  expect_refused(commit_text(with(kMetaV7, R"({"Hours":1}})", R"({"Hours":1},"more":1})")), "more");
  expect_refused(commit_text(with(kMetaV7, R"({"Hours":1})", R"({"Hours":0})")), "Hours");
  expect_refused(commit_text(with(kMetaV7, R"({"Hours":1})", R"({"Hours":4294967296})")), "Hours");
  expect_refused(commit_text(with(kMetaV7, R"(["a"])", R"(["a","a"])")), "a");
  expect_refused(
      commit_text(with(kMetaV7, R"("required_reader_features":[])", R"("required_reader_features":["Bad"])")), "Bad");
  expect_refused(
      commit_text(with(kMetaV7, R"("required_writer_features":[])", R"("required_writer_features":["a","a"])")),
      "twice");
  expect_refused(commit_text(with(kMetaV7, R"("protocol_version":7)", R"("protocol_version":7,"format_version":1)")),
                 "format_version");
  expect_refused(commit_text(with(kMetaV7, R"("protocol_version":7,)", "")), "protocol_version");
  expect_refused(commit_text(with(kMetaV1, R"({"a":"x"})", R"({"b":"x"})")), "entity_identity");
  expect_refused(commit_text(meta_with_schema(column_of(R"("Int8")"))), "Int8");
  expect_refused(commit_text(meta_with_schema(column_of(R"({"Timestamp":{"unit":"Seconds","timezone":null}})"))),
                 "Seconds");
  expect_refused(commit_text(std::string(kAddV1) + "," + kAddV7), "both dialects");
}

TEST(CommitCodecTest, NoPartOfACommitIsACommit) {
  const std::string text =
      commit_text(std::string(kMetaV7) + "," + kAddV7 + R"(,{"Marigram":{"transaction_id":"t","operation":"o"}})");
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto commit = decode_commit(1, text.substr(0, size));
    ASSERT_FALSE(commit) << size;
    EXPECT_EQ(commit.error().code, ErrorCode::kCorruption);
    EXPECT_FALSE(is_whole_json(text.substr(0, size)));
  }
  EXPECT_FALSE(decode_commit(1, text + std::string(3, '\0')));
  EXPECT_TRUE(is_whole_json(text));
}

TEST(CommitCodecTest, ADamagedCommitIsRefusedOrReadAsWritten) {
  const std::string text = commit_text(std::string(kMetaV7) + "," + kAddV7);
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = text;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      const auto commit = decode_commit(1, damaged);
      if (!commit) continue;
      const std::string once = again(*commit);
      const auto second = decode_commit(1, once);
      ASSERT_TRUE(second) << second.error().message;
      EXPECT_EQ(again(*second), once);
    }
  }
}

TEST(CommitCodecTest, DeepJsonIsRefused) {
  std::string type = R"("Int32")";
  for (int i = 0; i < 200; ++i)
    type = R"({"List":{"elements":{"name":"e","data_type":)" + type + R"(,"nullable":true}}})";
  expect_refused(commit_text(meta_with_schema(column_of(type))), "not whole JSON");
}

TEST(CommitCodecTest, TextThatIsNotUtf8IsRefusedOnTheWayOut) {
  Commit commit{.version = 1, .actions = {RemoveSegment{"a\xff"}}};
  const auto text = encode_commit(Dialect::kV7, commit);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kInvalidInput);
}

TEST(CommitCodecTest, NamesOfCommitFiles) {
  EXPECT_EQ(commit_path(1), "_timeseries_log/0000000001.json");
  EXPECT_EQ(commit_path(UINT64_MAX), "_timeseries_log/18446744073709551615.json");
  for (const std::uint64_t version : {std::uint64_t{1}, std::uint64_t{10'000'000'000}, UINT64_MAX}) {
    EXPECT_EQ(version_in_path(commit_path(version)), version);
  }
  for (const char* path : {"", "_timeseries_log/CURRENT", "_timeseries_log/.json", "_timeseries_log/1.json",
                           "_timeseries_log/0000000000.json", "_timeseries_log/00000000001.json", "0000000001.json",
                           "_timeseries_log/000000000x.json", "_timeseries_log/99999999999999999999.json",
                           "_timeseries_log/_checkpoints/0000000001.json", "_timeseries_log/+000000001.json"}) {
    EXPECT_FALSE(version_in_path(path)) << path;
  }
}

}  // namespace
}  // namespace marigram::log
