#include "wal/log_folder.h"

#include "base/try.h"
#include "io/storage_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace marigram::wal {

using io::explain;

Status LogFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  const std::string name = file_name(header_.first);
  const io::Attempt attempt{"write", name, folder_};
  while (!bytes.empty()) {
    MARIGRAM_ASSIGN(const std::size_t written, explain(file_->write_at(offset, bytes), attempt));
    if (written == 0 || written > bytes.size()) return std::unexpected(io::storage_error(io::Errno{EIO}, attempt));
    bytes = bytes.subspan(written);
    offset += written;
  }
  return {};
}

Status LogFile::allocate() {
  const std::string name = file_name(header_.first);
  return explain(file_->allocate(header_.file_bytes), {"allocate space for", name, folder_});
}

Status LogFile::sync() {
  const std::string name = file_name(header_.first);
  return explain(file_->sync_content(), {"sync", name, folder_});
}

Result<LogFolder> LogFolder::open(const io::FileSystem& files, const std::filesystem::path& path) {
  const std::string name = path.string();
  const io::Attempt attempt{"open the log in", "", name};
  MARIGRAM_ASSIGN(auto tree, explain(files.open_tree(path), attempt));
  MARIGRAM_ASSIGN(auto folder, explain(tree->open_folder(""), attempt));
  return LogFolder(std::move(tree), std::move(folder), name);
}

Result<std::vector<Lsn>> LogFolder::list() const {
  MARIGRAM_ASSIGN(const auto entries, explain(folder_->entries(), {"list", "", name_}));
  std::vector<Lsn> found;
  for (const io::FolderEntry& entry : entries) {
    const auto first = parse_file_name(entry.name);
    if (first && entry.stat.kind == io::FileKind::kFile) found.push_back(*first);
  }
  std::ranges::sort(found);
  return found;
}

Result<std::unique_ptr<io::File>> LogFolder::open_for_reading(Lsn first) const {
  const std::string name = file_name(first);
  return explain(tree_->open_file(name), {"read", name, name_});
}

Result<std::expected<FileHeader, std::string>> LogFolder::read_header(Lsn first) const {
  const std::string name = file_name(first);
  MARIGRAM_ASSIGN(const auto file, open_for_reading(first));
  std::array<std::byte, kFileHeaderBytes> begin{};
  MARIGRAM_ASSIGN(const std::size_t got, explain(file->read_at(0, begin), {"read", name, name_}));
  auto header = decode_file_header(std::span(begin).first(got));
  if (header && header->first != first) {
    header = std::unexpected(fmt::format("its header says that it begins at {}", header->first));
  }
  return header;
}

Result<FileImage> LogFolder::read(Lsn first) const {
  const std::string name = file_name(first);
  const io::Attempt attempt{"read", name, name_};
  FileImage image{.first = first, .data = nullptr, .header = std::unexpected("")};
  MARIGRAM_ASSIGN(image.header, read_header(first));
  MARIGRAM_ASSIGN(const auto file, open_for_reading(first));
  MARIGRAM_ASSIGN(const io::FileStat stat, explain(file->stat(), attempt));
  image.size = image.header ? image.header->file_bytes : std::min(stat.size, kFileBytesMax);
  image.data = std::make_unique_for_overwrite<std::byte[]>(image.size);
  const std::span data(image.data.get(), image.size);
  const auto room = data.first(std::min<std::size_t>(stat.size, image.size));
  MARIGRAM_ASSIGN(image.there, explain(file->read_at(0, room), attempt));
  std::ranges::fill(data.subspan(image.there), std::byte{0});
  return image;
}

Result<std::shared_ptr<LogFile>> LogFolder::open_file(const FileHeader& header) {
  const std::string name = file_name(header.first);
  MARIGRAM_ASSIGN(auto file, explain(folder_->open_for_writing(name), {"open for writing", name, name_}));
  return std::make_shared<LogFile>(header, std::move(file), name_);
}

/// Gives the file its space and its header, and makes it last with its name. Behind the header, zeros say that there is
/// no record yet, whatever a recycled file holds.
Result<std::shared_ptr<LogFile>> LogFolder::furnish(const FileHeader& header, std::unique_ptr<io::File> file) {
  auto made = std::make_shared<LogFile>(header, std::move(file), name_);
  std::array<std::byte, kSectorBytes> sector{};
  std::ranges::copy(encode(header), sector.begin());
  const auto steps = [&]() -> Status {
    MARIGRAM_TRY(made->allocate());
    MARIGRAM_TRY(made->write(0, sector));
    MARIGRAM_TRY(made->sync());
    return sync();
  };
  Status done = steps();
  if (done) return made;
  // If it stays after all, it holds no record: the next open removes it, and make_file replaces it.
  [[maybe_unused]] const io::FileStatus gone = folder_->unlink(file_name(header.first));
  return std::unexpected(std::move(done).error());
}

Result<std::unique_ptr<io::File>> LogFolder::create(const std::string& name) {
  auto file = folder_->create(name);
  if (!file && file.error() == io::Errno{EEXIST}) {
    MARIGRAM_TRY(explain(folder_->unlink(name), {"replace", name, name_}));
    file = folder_->create(name);
  }
  return explain(std::move(file), {"make", name, name_});
}

Result<std::shared_ptr<LogFile>> LogFolder::make_file(const FileHeader& header) {
  MARIGRAM_ASSIGN(auto file, create(file_name(header.first)));
  return furnish(header, std::move(file));
}

Result<std::shared_ptr<LogFile>> LogFolder::recycle_file(Lsn old, const FileHeader& header) {
  const std::string from = file_name(old);
  const std::string to = file_name(header.first);
  const io::Attempt attempt{"recycle", from, name_};
  MARIGRAM_TRY(explain(folder_->rename(from, to), attempt));
  MARIGRAM_ASSIGN(auto file, explain(folder_->open_for_writing(to), attempt));
  return furnish(header, std::move(file));
}

Status LogFolder::remove_file(Lsn first) {
  const std::string name = file_name(first);
  const io::FileStatus removed = folder_->unlink(name);
  if (!removed && removed.error() == io::Errno{ENOENT}) return {};
  return explain(removed, {"remove", name, name_});
}

Status LogFolder::sync() {
  return explain(folder_->sync(), {"sync the folder", "", name_});
}

}  // namespace marigram::wal
