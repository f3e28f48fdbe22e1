#include "packet-pool.hpp"

#include <algorithm>

namespace sluice::lab {

PacketPool::PacketPool(std::uint32_t packets)
    : memory_(packets * kPacketRoom), lengths_(packets) {
  free_.reserve(packets);
  for (std::uint32_t slot = packets; slot > 0; --slot) free_.push_back(slot - 1);
}

std::optional<std::uint32_t> PacketPool::put(Bytes packet) {
  if (free_.empty() || packet.size() > kPacketRoom) return std::nullopt;
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  std::copy(packet.begin(), packet.end(),
            memory_.begin() + static_cast<std::ptrdiff_t>(slot * kPacketRoom));
  lengths_[slot] = static_cast<std::uint16_t>(packet.size());
  return slot;
}

Bytes PacketPool::at(std::uint32_t slot) const {
  return Bytes(memory_).subspan(slot * kPacketRoom, lengths_[slot]);
}

}  // namespace sluice::lab
