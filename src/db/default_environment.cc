#include "db/default_environment.h"

#include "base/clock.h"
#include "base/thread_pool.h"
#include "base/try.h"
#include "io/file_store.h"
#include "io/local_store.h"
#include "io/posix_file_system.h"
#include "io/split_store.h"
#include "model/tiers.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <thread>

namespace marigram::db {
namespace {

/// More threads than cores on small machines: writers of segments wait for the disk most of the time, and a file system
/// commits what many threads sync at once.
constexpr unsigned kThreadsMin = 8;

/// Never destroyed: streams may outlive main's static objects.
ThreadPool& process_pool() {
  static auto* pool = new ThreadPool(std::max(kThreadsMin, std::thread::hardware_concurrency()));
  return *pool;
}

}  // namespace

Result<table::Environment> environment_for(std::string_view uri) {
  constexpr std::string_view kFileScheme = "file:";
  std::string_view path = uri;
  if (path.starts_with(kFileScheme)) {
    path.remove_prefix(kFileScheme.size());
    while (path.starts_with("//")) path.remove_prefix(1);
  } else if (const auto colon = uri.find("://"); colon != std::string_view::npos) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot use {}: unknown scheme {}; want a folder or file:", uri, uri.substr(0, colon)));
  }
  if (path.empty()) return fail(ErrorCode::kInvalidInput, "cannot use a table without a name: the path is empty");
  MARIGRAM_ASSIGN(auto store, io::make_local_store(std::filesystem::path(path)));
  const auto elsewhere = [](const std::string& root) {
    return io::make_file_store(io::make_posix_file_system(), root);
  };
  auto split = std::make_shared<io::SplitStore>(std::move(store), std::string(model::kColdFolder), elsewhere);
  return table::Environment{
      .store = split, .clock = &system_clock(), .pool = &process_pool(), .cold = std::move(split)};
}

}  // namespace marigram::db
