// Which ports are wanted, for a decoded packet: the exact half of the packet filter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice {

/** A bit for each port, 8 KiB. */
class PortSet {
 public:
  explicit PortSet(std::span<const std::uint16_t> ports) : empty_(ports.empty()) {
    for (const std::uint16_t port : ports) words_[port / kWordBits] |= bitOf(port);
  }

  /** Whether no port is in: as a filter that means all of them. */
  [[nodiscard]] bool empty() const { return empty_; }
  [[nodiscard]] bool contains(std::uint16_t port) const {
    return (words_[port / kWordBits] & bitOf(port)) != 0;
  }

 private:
  static constexpr std::size_t kWordBits = 64;

  static constexpr std::uint64_t bitOf(std::uint16_t port) {
    return std::uint64_t{1} << (port % kWordBits);
  }

  std::array<std::uint64_t, 65'536 / kWordBits> words_{};
  bool empty_;
};

}  // namespace sluice
