// A block of frames with an index, as capture files are handed over: frames -> flow
// table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bytes.hpp"
#include "flow-table.hpp"

namespace sluice {

/**
 * Numbers of the index per frame: offset in the block, captured length, wire length,
 * seconds, ns.
 */
inline constexpr std::size_t kIndexWords = 5;

/**
 * Frames of one link type. Views: the caller owns the bytes and lends them for one call.
 */
struct FrameBlock {
  Bytes bytes;
  std::span<const std::uint32_t>
      index;  // kIndexWords a frame; hostile values are counted drops
  std::uint32_t linkType = 0;
};

/**
 * Feeds the block's frames until the table needs draining; returns how many it has taken.
 * What is left is fed again after a drain.
 */
std::size_t feedBlock(FlowTable& table, const FrameBlock& block);

}  // namespace sluice
