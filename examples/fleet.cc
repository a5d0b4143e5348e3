// The load of a fleet of hosts, one reading each ten seconds up to now, as a table: always the same values.
//
// usage: fleet TABLE DAYS HOSTS
#include <marigram/batch.h>
#include <marigram/table.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr std::int64_t kStep = 10;  // seconds
constexpr std::int64_t kDay = 86'400;

template <typename T>
T check(marigram::Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}

/// A load in percent that wanders, by tenths.
class Host {
 public:
  explicit Host(int number)
      : name_("host" + std::to_string(1'000 + number).substr(1)), random_(static_cast<std::uint64_t>(number)) {}

  const std::string& name() const { return name_; }
  double next() {
    tenths_ =
        std::clamp(tenths_ + static_cast<std::int64_t>(random_() % 21) - 10, std::int64_t{0}, std::int64_t{1'000});
    return static_cast<double>(tenths_) / 10;
  }

 private:
  std::string name_;
  std::mt19937_64 random_;
  std::int64_t tenths_ = 400;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: fleet TABLE DAYS HOSTS\n"), 2;
  const std::int64_t days = std::atoll(argv[2]);
  auto table = check(marigram::Table::create(argv[1], {.time_column = "time",
                                                       .tags = {{"host", "string"}},
                                                       .bucket = "1m",
                                                       .segments = marigram::SegmentFormat::kNative,
                                                       .duplicates = marigram::Duplicates::kLast}));
  std::vector<Host> hosts;
  for (int number = 0; number < std::atoi(argv[3]); ++number) hosts.emplace_back(number);
  const auto now =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()).time_since_epoch().count();
  const std::int64_t end = now / kStep * kStep;
  const std::int64_t begin = end - days * kDay;
  for (std::int64_t from = begin; from < end;) {
    const std::int64_t to = std::min(end, (from / kDay + 1) * kDay);  // the end of the day, as segments are cut
    marigram::BatchBuilder rows({{"time", "timestamp[us]"}, {"host", "string"}, {"load", "float64"}});
    for (Host& host : hosts) {
      for (std::int64_t time = from; time < to; time += kStep) {
        rows.add({marigram::Instant{time}, host.name(), host.next()});
      }
    }
    check(append(table, check(rows.finish())));
    from = to;
  }
  std::printf("%lld days of %zu hosts: %lld rows\n", static_cast<long long>(days), hosts.size(),
              static_cast<long long>(days * kDay / kStep) * static_cast<long long>(hosts.size()));
}
