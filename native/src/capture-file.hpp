// A plain capture file -> flow table, in one loop over a window that stays in the
// processor's cache.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "capture-indexer.hpp"
#include "fixed-array.hpp"
#include "flow-table.hpp"
#include "frame-block.hpp"

namespace sluice {

/** Why feeding stopped. */
enum class FeedState : std::uint8_t {
  kDrain,   // the flow table wants to be drained
  kPause,   // so much has been read that others should have their turn
  kEnded,   // the file has; `Fed::stop` tells whether at the end of a frame
  kFault,   // `Fed::stop` tells which
  kFailed,  // read(2) has, `detail` is errno
};

/** Indexed by FeedState. */
inline constexpr std::array<std::string_view, 5> kFeedStateNames = {
    "drain", "pause", "ended", "fault", "failed"};

struct Fed {
  FeedState state = FeedState::kPause;
  IndexStop stop = IndexStop::kDone;
  std::uint32_t detail = 0;
  std::size_t held = 0;  // bytes read behind the last whole frame or block
};

/**
 * Reads a capture file from its first byte on. Not by mmap: a file that is cut while it
 * is mapped takes the process with it, and faulting its pages in costs more than copying.
 * Fixed memory, of which an ordinary file touches some 400 KiB.
 */
class CaptureFile {
 public:
  CaptureFile() : window_(kWindowBytes), index_(kIndexFrames * kIndexWords) {}

  [[nodiscard]] bool ok() const { return window_.ok() && index_.ok() && indexer_.ok(); }

  /** Feeds frames of `descriptor`, the same at each call, until there is a reason to
   * stop. */
  Fed feed(int descriptor, FlowTable& table);

  [[nodiscard]] const CaptureIndexer& indexer() const { return indexer_; }
  /** Whether anything of the file has made sense. */
  [[nodiscard]] bool sound() const { return sound_; }

 private:
  /** Read at a time: half of it still lies in the second cache when it is looked at. */
  static constexpr std::size_t kChunkBytes = 256U << 10U;
  /** Before it, room for what is left of a frame; whole pages, for copying is best so. */
  static constexpr std::size_t kCarryBytes = 128U << 10U;
  /** Room for the longest block and a chunk. */
  static constexpr std::size_t kWindowBytes = 32U << 20U;
  static constexpr std::size_t kIndexFrames = 2'048;
  /** Between two pauses: some ten milliseconds' worth. */
  static constexpr std::size_t kPauseBytes = 32U << 20U;

  [[nodiscard]] Bytes held() const;
  void makeRoom();
  [[nodiscard]] Fed fed(FeedState state, std::uint32_t detail) const;

  CaptureIndexer indexer_;
  FixedArray<std::byte> window_;
  FixedArray<std::uint32_t> index_;
  std::size_t from_ = kCarryBytes;  // not indexed yet
  std::size_t to_ = kCarryBytes;
  Indexed indexed_{.stop = IndexStop::kMagic, .wanted = 1};
  std::size_t taken_ = 0;  // of the frames indexed, by the table
  bool sound_ = false;
};

}  // namespace sluice
