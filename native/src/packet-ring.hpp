// An interface -> blocks of frames in memory shared with the kernel: packet(7),
// TPACKET_V3, https://docs.kernel.org/networking/packet_mmap.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "bytes.hpp"
#include "owned-fd.hpp"
#include "packet-filter.hpp"
#include "ring-block.hpp"

namespace sluice {

struct RingOptions {
  std::string interface;
  std::uint32_t blockBytes = 1U << 20U;  // a power of two of pages
  std::uint32_t blocks = 64;
  std::uint32_t retireMs = 4;  // a block with frames in it waits no longer than this
  bool promiscuous = false;
  bool ignoreOutgoing = false;
  bool lockMemory = true;  // where permitted; `locked()` tells
  std::optional<std::uint16_t> fanoutGroup = std::nullopt;  // shared by several rings
  PacketFilterOptions filter;  // but for `linkHeader`, which is the interface's
};

/** What went wrong while a ring was opened: the step and its errno. */
struct RingError {
  const char* step = nullptr;
  int error = 0;
  std::string reason = {};  // why the step was not tried, where it was not
};

/** As the kernel counts since the ring was opened. */
struct RingStatistics {
  std::uint64_t packets = 0;  // with those dropped
  std::uint64_t drops = 0;    // for want of a free block
  std::uint64_t freezes = 0;  // times that all blocks were in use
};

/** A socket with its ring. Frames lie in a block until the block is given back. */
class PacketRing {
 public:
  PacketRing() = default;

  /** Needs CAP_NET_RAW. */
  static std::optional<RingError> open(const RingOptions& options, PacketRing& ring);

  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] bool locked() const { return locked_; }
  [[nodiscard]] bool vnetHeader() const { return layout_.vnetHeader; }
  [[nodiscard]] std::uint16_t mtu() const { return mtu_; }

  /** The next block if the kernel has retired it. */
  [[nodiscard]] bool blockReady() const;
  /** Its frames; only while `blockReady()`. */
  [[nodiscard]] RingBlock block() const;
  /** Gives the block back to the kernel. */
  void release();

  /** Adds what the kernel has counted since the last call. */
  void readStatistics(RingStatistics& statistics) const;
  /** The error that the kernel has reported for the socket; asked for, it is forgotten.
   */
  [[nodiscard]] int takeError() const;

  enum class Presence : std::uint8_t { kUp, kDown, kGone };
  /** Of the interface that the ring was opened on; another one of its name does not
   * count. */
  [[nodiscard]] Presence presence() const;

 private:
  std::optional<RingError> setUp(const RingOptions& options);
  std::optional<RingError> filter(const RingOptions& options);
  std::optional<RingError> map(const RingOptions& options);
  std::optional<RingError> attach(const RingOptions& options);
  [[nodiscard]] std::uint32_t& statusOf(std::size_t block) const;

  std::string interface_;
  int index_ = 0;
  std::uint16_t mtu_ = 0;
  Fd socket_;
  Mapping mapping_;
  RingLayout layout_;
  std::size_t blockBytes_ = 0;
  std::size_t blocks_ = 0;
  std::size_t next_ = 0;  // block to be read
  bool locked_ = false;
};

}  // namespace sluice
