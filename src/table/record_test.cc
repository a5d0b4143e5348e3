// Records: what was written is read; what is damaged is refused. Without this test replay could misread a batch that
// the log holds whole.
#include "table/record.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace marigram::table {
namespace {

using model::FieldColumn;
using model::FieldType;
using Random = std::mt19937_64;

FieldColumn random_column(Random& random, std::size_t rows) {
  FieldColumn column{.type = static_cast<FieldType>(random() % 5)};
  const bool nulls = random() % 2 == 0;
  for (std::size_t row = 0; row < rows; ++row) {
    const bool null = nulls && random() % 3 == 0;
    if (nulls) column.valid.push_back(null ? 0 : 1);
    if (column.type == FieldType::kString) {
      column.strings.push_back(null ? "" : std::string(random() % 20, static_cast<char>('a' + random() % 26)));
    } else {
      column.cells.push_back(null ? 0 : column.type == FieldType::kBool ? random() % 2 : random());
    }
  }
  return column;
}

RecordSection random_section(Random& random, std::uint64_t table) {
  RecordSection section{.table = table};
  if (random() % 2 == 0) {
    section.definition = TableDefinition{.name_space = "n",
                                         .name = "t" + std::to_string(table),
                                         .created_at = {.seconds = static_cast<std::int64_t>(random()), .nanos = 5},
                                         .tags = {"host", ""},
                                         .fields = {"v"}};
  }
  const std::size_t rows = random() % 200;
  for (std::size_t row = 0; row < rows; ++row) {
    section.series.push_back(static_cast<head::SeriesId>(random()));
    section.times.push_back(static_cast<std::int64_t>(random()));
  }
  if (rows == 0) return section;
  for (std::uint32_t field = 0; field < random() % 6; ++field) {
    if (random() % 4 != 0) section.fields.push_back({.field = field, .values = random_column(random, rows)});
  }
  for (std::uint32_t i = 0; i < random() % 4; ++i) {
    section.defined.push_back({.id = i, .tags = {{.tag = 0, .value = "a"}, {.tag = 7, .value = ""}}});
  }
  return section;
}

std::vector<std::byte> encode(const Record& record) {
  RecordWriter writer(record.sections.size());
  for (const RecordSection& section : record.sections) {
    std::vector<const FieldColumn*> columns;
    for (const RecordField& field : section.fields) {
      columns.resize(field.field + 1);
      columns[field.field] = &field.values;
    }
    writer.add({.table = section.table, .series = section.series, .times = section.times, .fields = columns});
  }
  (void)writer.finish(record.epoch + 1, {});  // may be called again
  const auto bytes = writer.finish(record.epoch, record.sections);
  return {bytes.begin(), bytes.end()};
}

Record random_record(Random& random) {
  Record record{.epoch = random()};
  for (std::uint64_t table = 0; table < random() % 4; ++table) record.sections.push_back(random_section(random, table));
  return record;
}

TEST(Record, ComesBackAsItWas) {
  Random random(1);
  for (int i = 0; i < 500; ++i) {
    const Record record = random_record(random);
    const auto bytes = encode(record);
    const auto back = decode_record(bytes);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, record);
  }
}

TEST(Record, SurvivesDamage) {
  Random random(2);
  for (int i = 0; i < 40; ++i) {
    const auto bytes = encode(random_record(random));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(decode_record(cut)) << size;
    }
    for (int flip = 0; flip < 200; ++flip) {
      auto flipped = bytes;
      flipped[random() % flipped.size()] ^= static_cast<std::byte>(1U << random() % 8);
      (void)decode_record(flipped);
    }
  }
}

}  // namespace
}  // namespace marigram::table
