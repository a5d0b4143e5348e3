// The file forms of a bucket set (docs/format/coverage.md): the portable Roaring format of 32-bit bitmaps
// (https://github.com/RoaringBitmap/RoaringFormatSpec) and the "treemap" of them that holds 64-bit ids.
//
// Reading is CRoaring's, followed by its validation. Writing is our own, from the set's runs: a file's name holds a
// hash of its bytes, so equal sets must give equal bytes whatever containers CRoaring keeps in memory, and the same as
// the reference implementation (roaring-rs) chooses.
#include "base/try.h"
#include "coverage/bucket_set.h"
#include "coverage/run_cursor.h"

#include <marigram/error.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <fmt/format.h>
#include <roaring.h>

namespace marigram::coverage {

namespace croaring = ::roaring::api;

namespace {

constexpr std::uint32_t kCookieNoRuns = 12'346;
constexpr std::uint32_t kCookieRuns = 12'347;
constexpr std::size_t kOffsetsFrom = 4;  // with runs, offsets are written from this many containers on
constexpr std::uint32_t kArrayIdsMax = 4'096;
constexpr std::size_t kBitmapBytes = 8'192;
constexpr std::uint64_t kIdMax = UINT64_MAX;

enum class Runs { kNever, kWhereSmaller };

template <typename T>
void append_le(std::string& out, T value) {
  static_assert(std::is_unsigned_v<T>);
  if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

/// A run inside a container.
struct Piece {
  std::uint16_t first;
  std::uint16_t last;

  std::uint32_t count() const { return std::uint32_t{last} - first + 1; }
};

/// 2^16 ids that share their upper 48 bits, some of them present.
struct Container {
  std::uint16_t key;
  std::uint32_t ids = 0;
  std::size_t pieces_begin;
  std::size_t pieces_end;

  std::size_t pieces() const { return pieces_end - pieces_begin; }
};

/// The part of a set that shares its upper 32 bits.
class Bitmap32 {
 public:
  void clear() {
    containers_.clear();
    pieces_.clear();
  }

  /// Pieces come in ascending order.
  void add(std::uint16_t key, Piece piece) {
    if (containers_.empty() || containers_.back().key != key) {
      containers_.push_back({.key = key, .pieces_begin = pieces_.size(), .pieces_end = pieces_.size()});
    }
    pieces_.push_back(piece);
    containers_.back().ids += piece.count();
    containers_.back().pieces_end = pieces_.size();
  }

  void append_to(std::string& out, Runs runs) const;

 private:
  std::span<const Piece> pieces_of(const Container& container) const {
    return std::span(pieces_).subspan(container.pieces_begin, container.pieces());
  }
  bool stored_as_runs(const Container& container, Runs runs) const;
  std::size_t bytes_of(const Container& container, bool as_runs) const;
  void append_container(std::string& out, const Container& container, bool as_runs) const;

  std::vector<Container> containers_;
  std::vector<Piece> pieces_;
};

/// roaring-rs rebuilds each bitmap from its runs and then optimises it. A container that began with a run of three or
/// more ids is then held as runs, any other is not, and optimise() changes the form only for fewer bytes: so the first
/// run decides where both forms are equally long.
bool Bitmap32::stored_as_runs(const Container& container, Runs runs) const {
  if (runs == Runs::kNever) return false;
  const std::size_t as_runs = bytes_of(container, true);
  const std::size_t otherwise = bytes_of(container, false);
  return as_runs < otherwise || (as_runs == otherwise && pieces_of(container).front().count() >= 3);
}

std::size_t Bitmap32::bytes_of(const Container& container, bool as_runs) const {
  if (as_runs) return 2 + 4 * container.pieces();
  return container.ids <= kArrayIdsMax ? 2 * std::size_t{container.ids} : kBitmapBytes;
}

void Bitmap32::append_container(std::string& out, const Container& container, bool as_runs) const {
  const auto pieces = pieces_of(container);
  if (as_runs) {
    append_le(out, static_cast<std::uint16_t>(pieces.size()));
    for (const Piece piece : pieces) {
      append_le(out, piece.first);
      append_le(out, static_cast<std::uint16_t>(piece.last - piece.first));
    }
  } else if (container.ids <= kArrayIdsMax) {
    for (const Piece piece : pieces) {
      for (std::uint32_t id = piece.first; id <= piece.last; ++id) append_le(out, static_cast<std::uint16_t>(id));
    }
  } else {
    std::array<char, kBitmapBytes> bits{};
    for (const Piece piece : pieces) {
      for (std::uint32_t id = piece.first; id <= piece.last; ++id) {
        bits[id / 8] = static_cast<char>(bits[id / 8] | (1 << (id % 8)));
      }
    }
    out.append(bits.data(), bits.size());
  }
}

void Bitmap32::append_to(std::string& out, Runs runs) const {
  const std::size_t count = containers_.size();
  std::vector<char> is_run((count + 7) / 8);
  for (std::size_t i = 0; i < count; ++i) {
    if (stored_as_runs(containers_[i], runs)) is_run[i / 8] = static_cast<char>(is_run[i / 8] | (1 << (i % 8)));
  }
  const auto as_runs = [&](std::size_t i) { return (is_run[i / 8] >> (i % 8) & 1) != 0; };
  const bool has_runs = std::ranges::any_of(is_run, [](char bits) { return bits != 0; });

  const std::size_t begin = out.size();
  if (has_runs) {
    append_le(out, kCookieRuns | static_cast<std::uint32_t>(count - 1) << 16);
    out.append(is_run.data(), is_run.size());
  } else {
    append_le(out, kCookieNoRuns);
    append_le(out, static_cast<std::uint32_t>(count));
  }
  for (const Container& container : containers_) {
    append_le(out, container.key);
    append_le(out, static_cast<std::uint16_t>(container.ids - 1));
  }
  if (!has_runs || count >= kOffsetsFrom) {
    std::size_t offset = out.size() - begin + 4 * count;
    for (std::size_t i = 0; i < count; ++i) {
      append_le(out, static_cast<std::uint32_t>(offset));
      offset += bytes_of(containers_[i], as_runs(i));
    }
  }
  for (std::size_t i = 0; i < count; ++i) append_container(out, containers_[i], as_runs(i));
}

/// Cuts the runs of a set at multiples of 2^16 and hands over one Bitmap32 for each upper half that occurs, ascending.
template <typename Emit>
void split(const BucketSet& set, Emit emit) {
  Bitmap32 part;
  std::uint64_t high = 0;
  bool open = false;
  RunCursor cursor(set, {.first = 0, .last = kIdMax}, RunCursor::Direction::kUp);
  while (const auto run = cursor.next()) {
    for (std::uint64_t first = run->first;; first = (first | 0xffff) + 1) {
      const std::uint64_t last = std::min(run->last, first | 0xffff);
      if (open && first >> 32 != high) {
        emit(static_cast<std::uint32_t>(high), part);
        part.clear();
      }
      high = first >> 32;
      open = true;
      part.add(static_cast<std::uint16_t>(first >> 16),
               {.first = static_cast<std::uint16_t>(first), .last = static_cast<std::uint16_t>(last)});
      if (last == run->last) break;
    }
  }
  if (open) emit(static_cast<std::uint32_t>(high), part);
}

std::string treemap_bytes(const BucketSet& set, Runs runs) {
  std::string out(sizeof(std::uint64_t), '\0');
  std::uint64_t parts = 0;
  split(set, [&](std::uint32_t high, const Bitmap32& part) {
    ++parts;
    append_le(out, high);
    part.append_to(out, runs);
  });
  std::string head;
  append_le(head, parts);
  out.replace(0, head.size(), head);
  return out;
}

constexpr const char* kUnsorted = "its keys do not ascend";

std::unexpected<Error> damaged(const char* cause, std::string_view bytes) {
  return fail(ErrorCode::kCorruption, fmt::format("cannot read bitmap: {}; got {} bytes",
                                                  cause == nullptr ? "invalid container" : cause, bytes.size()));
}

/// `size`: what the bitmap takes by its own account, 0 if that cannot be.
Status check_size(std::string_view bytes, std::size_t size) {
  if (size == bytes.size() && size > 0) return {};
  if (size == 0) return damaged("cut short, or not in the portable Roaring format", bytes);
  return damaged(fmt::format("bytes follow its end at {}", size).c_str(), bytes);
}

struct Free32 {
  void operator()(croaring::roaring_bitmap_t* bits) const { croaring::roaring_bitmap_free(bits); }
};

struct Free64 {
  void operator()(croaring::roaring64_bitmap_t* bits) const { croaring::roaring64_bitmap_free(bits); }
};

}  // namespace

std::string BucketSet::to_v1_bytes() const {
  assert(max().value_or(0) <= UINT32_MAX);
  std::string out;
  split(*this, [&](std::uint32_t, const Bitmap32& part) { part.append_to(out, Runs::kNever); });
  if (out.empty()) Bitmap32().append_to(out, Runs::kNever);
  return out;
}

std::string BucketSet::to_v7_bytes() const {
  return treemap_bytes(*this, Runs::kNever);
}

std::string BucketSet::to_v7_run_optimised_bytes() const {
  return treemap_bytes(*this, Runs::kWhereSmaller);
}

// Both readers measure first: that allocates nothing, finds trailing bytes, and bounds every count by the bytes that
// are there. CRoaring's validation then checks the insides.

Result<BucketSet> BucketSet::from_v7_bytes(std::string_view bytes) {
  MARIGRAM_TRY(check_size(bytes, croaring::roaring64_bitmap_portable_deserialize_size(bytes.data(), bytes.size())));
  std::unique_ptr<croaring::roaring64_bitmap_t, Free64> bits(
      croaring::roaring64_bitmap_portable_deserialize_safe(bytes.data(), bytes.size()));
  if (bits == nullptr) return damaged(kUnsorted, bytes);
  const char* reason = nullptr;
  if (!croaring::roaring64_bitmap_internal_validate(bits.get(), &reason)) return damaged(reason, bytes);
  return BucketSet(bits.release());
}

Result<BucketSet> BucketSet::from_v1_bytes(std::string_view bytes) {
  MARIGRAM_TRY(check_size(bytes, croaring::roaring_bitmap_portable_deserialize_size(bytes.data(), bytes.size())));
  std::unique_ptr<croaring::roaring_bitmap_t, Free32> bits(
      croaring::roaring_bitmap_portable_deserialize_safe(bytes.data(), bytes.size()));
  if (bits == nullptr) return damaged(kUnsorted, bytes);
  const char* reason = nullptr;
  if (!croaring::roaring_bitmap_internal_validate(bits.get(), &reason)) return damaged(reason, bytes);
  return BucketSet(croaring::roaring64_bitmap_move_from_roaring32(bits.get()));
}

}  // namespace marigram::coverage
