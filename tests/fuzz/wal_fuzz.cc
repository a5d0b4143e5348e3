// The write-ahead log: whatever the bytes of its files, opening and salvaging them gives an error or whole records, and
// a log that opens takes the next batch and gives all of them back.
//
// The first byte: bit 0 gives the file a sound header, bit 1 gives records their checksums, bit 2 cuts the bytes in two
// files. A fuzzer does not guess checksums.
#include "base/hash.h"
#include "base/manual_clock.h"
#include "io/simulated_file_system.h"
#include "wal/format.h"
#include "wal/salvage.h"
#include "wal/wal.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using marigram::wal::Lsn;
using Bytes = std::vector<std::byte>;
using Entries = std::vector<std::pair<Lsn, std::string>>;

constexpr std::uint64_t kFileBytes = 1'024;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Makes the bytes at each place that names a length a record of that length.
void seal_records(Bytes& file, Lsn first) {
  std::uint64_t offset = marigram::wal::kFileHeaderBytes;
  while (offset + marigram::wal::kRecordHeaderBytes <= file.size()) {
    const auto kind = static_cast<marigram::wal::RecordKind>(static_cast<unsigned>(file[offset + 3]) % 4);
    const std::uint64_t room = file.size() - offset - marigram::wal::kRecordHeaderBytes;
    const std::uint64_t length = std::min<std::uint64_t>(static_cast<std::uint64_t>(file[offset]), room);
    Lsn synced = 0;
    std::memcpy(&synced, &file[offset + 16], 2);
    const auto payload = std::span(file).subspan(offset + marigram::wal::kRecordHeaderBytes, length);
    const std::uint32_t crc = marigram::crc32c({reinterpret_cast<const char*>(payload.data()), payload.size()});
    const auto header = marigram::wal::encode({.kind = kind, .lsn = first + offset, .synced = synced}, length, crc);
    std::ranges::copy(header, file.begin() + static_cast<std::ptrdiff_t>(offset));
    offset += marigram::wal::record_bytes(length);
  }
}

void put_file(marigram::io::Folder& folder, Lsn first, Bytes bytes, unsigned how) {
  if ((how & 2) != 0) seal_records(bytes, first);
  if ((how & 1) != 0 && bytes.size() >= marigram::wal::kFileHeaderBytes) {
    std::ranges::copy(
        marigram::wal::encode(marigram::wal::FileHeader{.first = first, .file_bytes = kFileBytes, .id = {}}),
        bytes.begin());
  }
  const auto file = folder.create(marigram::wal::file_name(first)).value();
  require(bytes.empty() || file->write(bytes).value() == bytes.size());
}

marigram::wal::Visit collect_into(Entries& entries) {
  return [&entries](Lsn lsn, std::span<const std::byte> payload) -> marigram::Status {
    entries.emplace_back(lsn, std::string(reinterpret_cast<const char*>(payload.data()), payload.size()));
    return {};
  };
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned how = data[0];
  const auto* const begin = reinterpret_cast<const std::byte*>(data);
  const std::size_t cut = (how & 4) != 0 ? std::min<std::size_t>(size, 1 + kFileBytes) : size;
  const marigram::ManualClock clock;
  const auto disk = marigram::io::SimulatedFileSystem::make(clock);
  const auto folder = disk->open_tree("/").value()->open_folder("").value();
  put_file(*folder, 0, Bytes(begin + 1, begin + std::min<std::size_t>(cut, 1 + 2 * kFileBytes)), how);
  if (cut < size) put_file(*folder, kFileBytes, Bytes(begin + cut, begin + std::min(size, cut + kFileBytes)), how);

  Entries salvaged;
  require(marigram::wal::salvage(*disk, "/", collect_into(salvaged)).has_value());
  marigram::wal::WalOptions options;
  options.file_bytes = kFileBytes;
  Entries replayed;
  {
    auto opened = marigram::wal::Wal::open(*disk, "/", options, collect_into(replayed));
    if (!opened) return 0;
    require(std::ranges::includes(salvaged, replayed));
    const std::string last = "last";
    const auto lsn = opened->wal->append(std::as_bytes(std::span(last)), marigram::wal::Durability::kSync);
    require(lsn.has_value());
    replayed.emplace_back(*lsn, last);
  }
  Entries again;
  require(marigram::wal::Wal::open(*disk, "/", options, collect_into(again)).has_value());
  require(again == replayed);
  return 0;
}
