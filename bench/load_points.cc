#include "load_points.h"

namespace marigram::bench {

Tags tags_of(std::size_t series) {
  return {{.name = "cpu", .value = cpu_name(series)}, {.name = "host", .value = host_name(series)}};
}

std::vector<Point> points_from(std::size_t series) {
  std::vector<Point> points(kSeries);
  for (std::size_t i = 0; i < kSeries; ++i) points[i].tags = tags_of(series + i);
  set_samples(points, 0);
  return points;
}

void set_samples(std::span<Point> points, std::uint64_t number) {
  for (Point& point : points) {
    const Sample sample = sample_at(number++);
    point.time_ns = sample.time_ns;
    point.value = sample.value;
  }
}

}  // namespace marigram::bench
