#include "wal/salvage.h"

#include "base/try.h"
#include "wal/log_folder.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace marigram::wal {
namespace {

class Salvage {
 public:
  Salvage(const LogFolder& folder, const Visit& visit) : folder_(folder), visit_(visit) {}

  Result<SalvageReport> run();

 private:
  Result<std::optional<LogId>> commonest_id(const std::vector<Lsn>& names) const;
  Status read_file(const FileImage& image);
  Status take(const FileImage& image, const Record& record);
  void leave(const FileImage& image, Lsn end, bool complete);
  void lose(Lsn begin, Lsn end, Lsn file, std::string cause);

  const LogFolder& folder_;
  const Visit& visit_;
  std::optional<LogId> id_;
  std::optional<Lsn> next_;  // where the next record should be
  Lsn begun_end_ = 0;        // how far something reaches that was begun at next_
  Lsn begun_file_ = 0;
  SalvageReport report_;
};

Result<SalvageReport> Salvage::run() {
  MARIGRAM_ASSIGN(const std::vector<Lsn> names, folder_.list());
  MARIGRAM_ASSIGN(id_, commonest_id(names));
  if (!names.empty()) report_.begin = names.front();
  for (const Lsn name : names) {
    MARIGRAM_ASSIGN(const FileImage image, folder_.read(name));
    ++report_.files;
    if (image.header && image.header->id != id_) {
      lose(name, image.header->end(), name, "it belongs to another log");
      next_ = std::max(next_.value_or(0), image.header->end());
      continue;
    }
    MARIGRAM_TRY(read_file(image));
  }
  if (next_ && begun_end_ > *next_) {
    lose(*next_, begun_end_, begun_file_, "the end is torn or damaged");
    report_.lost.back().followed = false;
  }
  report_.id = id_;
  return std::move(report_);
}

/// The id that most files bear, if any has one.
Result<std::optional<LogId>> Salvage::commonest_id(const std::vector<Lsn>& names) const {
  std::map<LogId, int> counts;
  for (const Lsn name : names) {
    MARIGRAM_ASSIGN(const auto header, folder_.read_header(name));
    if (header) ++counts[header->id];
  }
  const auto most = std::ranges::max_element(counts, {}, [](const auto& entry) { return entry.second; });
  if (most == counts.end()) return std::nullopt;
  return most->first;
}

Status Salvage::read_file(const FileImage& image) {
  const Lsn end = image.first + (image.header ? image.header->file_bytes : image.size);
  std::uint64_t offset = kFileHeaderBytes;
  bool any = false;
  bool complete = false;
  while (!complete) {
    const auto record = next_record(image.bytes(), image.first, offset);
    if (!record) break;
    if (!any && !image.header) lose(image.first, image.first + kFileHeaderBytes, image.first, image.header.error());
    any = true;
    MARIGRAM_TRY(take(image, *record));
    offset = *next_ - image.first;
    complete = record->header.kind == RecordKind::kEndOfFile || *next_ + kRecordHeaderBytes > end;
  }
  if (any || !next_) leave(image, end, complete);
  return {};
}

Status Salvage::take(const FileImage& image, const Record& record) {
  const Lsn lsn = record.header.lsn;
  const Lsn wanted = next_.value_or(image.first);
  // The header of this file is no gap, and was lost on its own account if it was.
  const Lsn begin = wanted == image.first ? image.first + kFileHeaderBytes : wanted;
  if (begin < lsn) lose(begin, lsn, image.first, "no sound record, though one follows");
  next_ = lsn + record_bytes(record.payload.size());
  if (record.header.kind != RecordKind::kBatch) return {};
  report_.end = *next_;
  ++report_.records;
  report_.payload_bytes += record.payload.size();
  return visit_(lsn, record.payload);
}

/// Behind the last record of a file.
void Salvage::leave(const FileImage& image, Lsn end, bool complete) {
  if (!next_) next_ = image.first + kFileHeaderBytes;
  begun_end_ = 0;
  if (complete) {
    next_ = end;
    return;
  }
  const std::uint64_t offset = *next_ - image.first;
  begun_file_ = image.first;
  begun_end_ = image.first + leftovers_from(image.bytes(), image.first, offset).end;
  if (begun_end_ == *next_ && !is_blank(image.bytes(), offset)) begun_end_ += kRecordHeaderBytes;
}

void Salvage::lose(Lsn begin, Lsn end, Lsn file, std::string cause) {
  report_.lost.push_back({.begin = begin, .end = end, .file = file_name(file), .cause = std::move(cause)});
}

}  // namespace

Result<SalvageReport> salvage(const io::FileSystem& files, const std::filesystem::path& path, const Visit& visit) {
  MARIGRAM_ASSIGN(const LogFolder folder, LogFolder::open(files, path));
  return Salvage(folder, visit).run();
}

}  // namespace marigram::wal
