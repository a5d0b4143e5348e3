// The corpus of influxdata/line-protocol: without it we would read lines as we think, and not as others write them.
#include "wire/line_protocol.h"
#include "wire/test_parsing.h"

#include <marigram/tags.h>
#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace marigram::wire {
namespace {

using nlohmann::json;
using test::Parsed;
using test::Point;

std::string from_base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6U | static_cast<std::uint32_t>(kDigits.find(c));
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<char>(bits >> count & 0xFFU));
    }
  }
  return bytes;
}

/// Text that is no UTF-8 stands as {"binary": base64}.
std::string text_of(const json& text) {
  return text.is_string() ? text.get<std::string>() : from_base64(text.at("binary").get<std::string>());
}

model::FieldValue value_of(const json& value) {
  const std::string& type = value.begin().key();
  const json& content = value.begin().value();
  if (type == "int") return content.get<std::int64_t>();
  if (type == "uint") return content.get<std::uint64_t>();
  if (type == "bool") return content.get<bool>();
  if (type == "string") return text_of(content);
  return content.get<double>();
}

Point point_of(const json& point) {
  Point result{.table = text_of(point.at("name")), .time = point.at("time").get<std::int64_t>()};
  for (const auto& tag : point.at("tags")) {
    result.tags.push_back({.name = text_of(tag.at("key")), .value = text_of(tag.at("value"))});
  }
  for (const auto& field : point.at("fields")) result.fields[text_of(field.at("key"))] = value_of(field.at("value"));
  return result;
}

class Corpus : public testing::Test {
 protected:
  void SetUp() override {
    const auto path = std::filesystem::path(MARIGRAM_SOURCE_DIR) / "../shared/suites/line-protocol/corpus_dev.json";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "no corpus of the line protocol beside the repository";
    std::ifstream file(path);
    corpus_ = json::parse(file);
  }

  json corpus_;
};

/// One row a batch, as the corpus knows nothing of columns that keep their type.
Parsed decode(const json& input) {
  const auto unit = parse_time_unit(input.at("precision").get<std::string>().substr(1)).value();
  const auto default_time =
      to_units_floor(Instant::from_units(input.at("defaultTime").get<std::int64_t>(), TimeUnit::kNano), unit);
  LineParser parser({.unit = unit}, default_time.value());
  Parsed parsed;
  const auto take = [&] {
    for (Point& point : test::points_of(parser.take())) {
      point.time *= 1'000'000'000 / units_per_second(unit);
      parsed.points.push_back(std::move(point));
    }
  };
  for (const char c : text_of(input.at("text"))) {
    parser.feed({&c, 1});
    take();
  }
  parser.finish();
  take();
  parsed.errors = parser.errors();
  return parsed;
}

TEST_F(Corpus, LinesToRows) {
  for (const auto& [key, example] : corpus_.at("decode").items()) {
    SCOPED_TRACE(example.at("input").dump(-1, ' ', false, json::error_handler_t::replace));
    const Parsed parsed = decode(example.at("input"));
    const json& output = example.at("output");
    if (output.contains("error")) {
      ASSERT_FALSE(parsed.errors.empty()) << "want an error: " << output.at("error");
      continue;
    }
    ASSERT_TRUE(parsed.errors.empty()) << parsed.errors.front().text();
    std::vector<Point> want;
    for (const auto& point : output.at("result")) want.push_back(point_of(point));
    ASSERT_EQ(parsed.points, want);
  }
}

TEST_F(Corpus, ErrorsAreOnTheSameLine) {
  for (const auto& [key, example] : corpus_.at("decode").items()) {
    const std::string error = example.at("output").value("error", "");
    const std::size_t at = error.find("at line ");
    if (at == std::string::npos) continue;
    SCOPED_TRACE(example.at("input").dump(-1, ' ', false, json::error_handler_t::replace) + error);
    const Parsed parsed = decode(example.at("input"));
    ASSERT_FALSE(parsed.errors.empty());
    EXPECT_EQ(parsed.errors.front().line, std::stoull(error.substr(at + 8))) << parsed.errors.front().text();
  }
}

TEST_F(Corpus, RowsToLines) {
  for (const auto& [key, example] : corpus_.at("encode").items()) {
    const json& input = example.at("input").at("point");
    SCOPED_TRACE(input.dump());
    std::vector<model::Field> fields;
    std::vector<std::string> names(input.at("fields").size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      names[i] = text_of(input.at("fields")[i].at("key"));
      fields.push_back({.name = names[i], .value = value_of(input.at("fields")[i].at("value"))});
    }
    const Point point = point_of(input);
    const auto line = to_line(point.table, point.tags, fields, point.time);
    ASSERT_TRUE(line.has_value()) << line.error().message;
    EXPECT_EQ(*line, example.at("output").at("result").get<std::string>());
  }
}

}  // namespace
}  // namespace marigram::wire
