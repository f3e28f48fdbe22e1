// A block of a packet ring, as the kernel hands it over -> frames. linux/if_packet.h
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bytes.hpp"
#include "packet.hpp"

namespace sluice {

/** How the frames of a ring are to be read. */
struct RingLayout {
  std::uint32_t linkType = 0;
  bool vnetHeader = false;  // a virtio_net_hdr stands before each frame
  bool outgoing = true;     // false: frames that this machine sends are passed over
};

/**
 * Walks over a retired block of TPACKET_V3. The offsets in it are the kernel's, and
 * checked all the same: a walk never leaves the block. A view: valid until the block is
 * given back.
 */
class RingBlock {
 public:
  RingBlock(Bytes block, const RingLayout& layout);

  /** Fills in as many frames as fit; fewer only at the block's end. */
  std::size_t next(std::span<Frame> frames);

 private:
  bool readFrame(Frame& frame, bool& wanted);

  Bytes block_;
  RingLayout layout_;
  std::uint32_t left_ = 0;  // frames
  std::size_t offset_ = 0;  // of the next frame's header
};

}  // namespace sluice
