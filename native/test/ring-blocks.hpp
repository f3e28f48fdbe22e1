// Blocks of a packet ring made by hand, as the kernel lays them out.
#pragma once

#include <cstdint>
#include <vector>

#include "frames.hpp"

namespace sluice::test {

/** One frame of a block, and what the kernel tells about it. */
struct RingPacket {
  Buffer bytes;
  std::uint32_t seconds = 1'700'000'000;
  std::uint32_t nanoseconds = 0;
  int vlan = -1;             // tag that was taken off; -1: none
  std::uint8_t gsoType = 0;  // of virtio_net_hdr
  std::uint16_t gsoBytes = 0;
  bool outgoing = false;
  std::uint32_t wireLength = 0;  // 0: as long as it is
};

/** A block of 4,096 bytes or as many as it takes; a virtio_net_hdr before each frame. */
Buffer ringBlock(const std::vector<RingPacket>& packets);

}  // namespace sluice::test
