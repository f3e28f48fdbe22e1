#include "frame-block.hpp"

#include <array>

namespace sluice {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::size_t kFramesAtOnce = 32;

/** Reads entry `i` of the index; false if it points outside the block. */
bool readFrame(const FrameBlock& block, std::size_t i, Frame& frame) {
  const auto word = block.index.subspan(i * kIndexWords).first<kIndexWords>();
  const std::size_t offset = word[0];
  const std::size_t captured = word[1];
  if (offset > block.bytes.size() || captured > block.bytes.size() - offset) return false;
  frame = {.bytes = block.bytes.subspan(offset, captured),
           .wireLength = word[2],
           .linkType = block.linkType,
           .timeNs = std::int64_t{word[3]} * kNsPerSecond + word[4]};
  return true;
}

}  // namespace

std::size_t feedBlock(FlowTable& table, const FrameBlock& block) {
  const std::size_t count = block.index.size() / kIndexWords;
  std::array<Frame, kFramesAtOnce> frames;
  for (std::size_t taken = 0; taken < count;) {
    std::size_t valid = 0;
    while (valid < frames.size() && taken + valid < count &&
           readFrame(block, taken + valid, frames[valid])) {
      ++valid;
    }
    const std::size_t fed = table.feed(std::span(frames).first(valid));
    taken += fed;
    if (fed < valid || table.needsDrain()) return taken;
    if (valid < frames.size() && taken < count) {
      table.skipFrame(DropReason::kBadIndex);
      ++taken;
    }
  }
  return count;
}

}  // namespace sluice
