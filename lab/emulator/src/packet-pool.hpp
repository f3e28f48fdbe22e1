// Packets on their way, in memory that is taken once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "bytes.hpp"

namespace sluice::lab {

class PacketPool {
 public:
  static constexpr std::size_t kPacketRoom = 2'048;

  explicit PacketPool(std::uint32_t packets);

  /** Copies the packet; nothing when the pool is full or the packet larger than its room.
   */
  [[nodiscard]] std::optional<std::uint32_t> put(Bytes packet);
  /** Valid until given back. */
  [[nodiscard]] Bytes at(std::uint32_t slot) const;
  void giveBack(std::uint32_t slot) { free_.push_back(slot); }

 private:
  std::vector<std::byte> memory_;
  std::vector<std::uint16_t> lengths_;
  std::vector<std::uint32_t> free_;
};

}  // namespace sluice::lab
