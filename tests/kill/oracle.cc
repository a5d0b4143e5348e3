#include "oracle.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

namespace marigram::kill {
namespace {

[[noreturn]] void give_up(std::string_view what) {
  std::perror(std::string(what).c_str());
  std::abort();
}

}  // namespace

Records read_oracle(const std::string& path) {
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  text.resize(text.find_last_of('\n') + 1);
  Records records;
  std::istringstream lines(std::move(text));
  std::string what;
  std::uint32_t writer = 0;
  std::uint64_t number = 0;
  while (lines >> what >> writer >> number) {
    WriterRecord& record = records.at(writer);
    record.next = number + 1;
    if (what != "gone") record.there.push_back(number);
  }
  return records;
}

Oracle::Oracle(const std::string& path) : file_(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644)) {
  if (file_ < 0) give_up("cannot open the oracle");
}

Oracle::~Oracle() {
  ::close(file_);
}

void Oracle::append(const char* what, std::uint32_t writer, std::uint64_t number) const {
  const std::string line = std::string(what) + ' ' + std::to_string(writer) + ' ' + std::to_string(number) + '\n';
  if (::write(file_, line.data(), line.size()) != static_cast<::ssize_t>(line.size())) give_up("cannot note a batch");
}

}  // namespace marigram::kill
