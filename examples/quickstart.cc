// Creates a table, appends ten hourly readings with a hole in them, reads two hours back and asks where the gaps are.
#include <marigram/batch.h>
#include <marigram/table.h>

#include <cstdio>

int main() {
  auto table =
      marigram::Table::create("sensors", {.time_column = "time", .tags = {{"sensor", "string"}}, .bucket = "1h"})
          .value();

  marigram::BatchBuilder rows({{"time", "timestamp[us]"}, {"sensor", "string"}, {"celsius", "float64"}});
  for (int hour : {0, 1, 2, 3, 4, 7, 8, 9, 10, 11}) {
    rows.add({marigram::Instant{hour * 3600}, "roof", 20.0 + hour});
  }
  if (auto done = append(table, rows.finish().value()); !done) return std::puts(done.error().message.c_str());

  auto stream = read(table, {.from = marigram::Instant{3600}, .to = marigram::Instant{3 * 3600}}).value();
  while (auto batch = stream.next().value()) {
    for (double celsius : batch->values<double>(2)) std::printf("%.1f\n", celsius);  // 21.0, 22.0
  }
  const auto coverage = table.coverage().value();
  std::printf("covered %.0f %%, longest gap %d h\n", 100 * coverage.ratio, int(coverage.max_gap_buckets));  // 83 %, 2 h
}
