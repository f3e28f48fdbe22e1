#include "capture-file.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sluice {

Bytes CaptureFile::held() const { return {&window_[from_], to_ - from_}; }

Fed CaptureFile::fed(FeedState state, std::uint32_t detail) const {
  return {.state = state, .stop = indexed_.stop, .detail = detail, .held = to_ - from_};
}

/**
 * What is held goes right before the place of the next chunk, which is always the same; a
 * block too long for that grows behind its beginning.
 */
void CaptureFile::makeRoom() {
  const std::size_t count = to_ - from_;
  if (count > kCarryBytes && to_ + kChunkBytes <= kWindowBytes) return;
  const std::size_t to = std::max(count, kCarryBytes);
  std::memmove(&window_[to - count], &window_[from_], count);
  from_ = to - count;
  to_ = to;
}

Fed CaptureFile::feed(int descriptor, FlowTable& table) {
  for (std::size_t pause = kPauseBytes;;) {
    if (taken_ < indexed_.frames) {
      const std::span<const std::uint32_t> index(&index_[0],
                                                 indexed_.frames * kIndexWords);
      taken_ += feedBlock(table, {.bytes = {&window_[0], kWindowBytes},
                                  .index = index.subspan(taken_ * kIndexWords),
                                  .linkType = indexed_.linkType});
      if (taken_ < indexed_.frames || table.needsDrain())
        return fed(FeedState::kDrain, 0);
    }
    if (indexed_.stop > IndexStop::kDone) return fed(FeedState::kFault, indexed_.detail);
    if (to_ - from_ < std::max<std::size_t>(indexed_.wanted, 1)) {
      if (pause == 0) return fed(FeedState::kPause, 0);
      makeRoom();
      const ssize_t count = ::read(descriptor, &window_[to_], kChunkBytes);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fed(FeedState::kFailed, static_cast<std::uint32_t>(errno));
      if (count == 0) return fed(FeedState::kEnded, 0);
      to_ += static_cast<std::size_t>(count);
      pause -= std::min(pause, static_cast<std::size_t>(count));
    }
    indexed_ = indexer_.index(held(), static_cast<std::uint32_t>(from_),
                              {&index_[0], kIndexFrames * kIndexWords});
    taken_ = 0;
    from_ += indexed_.passed;
    sound_ = sound_ || indexed_.passed > 0;
  }
}

}  // namespace sluice
