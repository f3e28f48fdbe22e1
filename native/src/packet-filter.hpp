// Options -> a classic BPF program for a packet socket: the kernel drops what is surely
// not wanted before it costs a copy. What passes is checked again, exactly, in user
// space.
#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace sluice {

struct PacketFilterOptions {
  bool tcp = true;
  bool udp = true;
  // One of them is the source or the destination; empty: any port. At most
  // kMaxFilterPorts different ones.
  std::vector<std::uint16_t> ports = {};
  // Packets of these tunnels (decoder.hpp) pass whatever their ports: what is in them
  // shows in user space.
  std::uint8_t tunnels = 0;
  // Frames start with an Ethernet header (SOCK_RAW on devices that have one), or else
  // with the IP header (SOCK_DGRAM, raw IP devices).
  bool linkHeader = true;
  std::uint32_t snapBytes = 9'216;  // what is kept of a frame that passes, at least 1
};

inline constexpr std::size_t kMaxFilterPorts = 1'024;

using PacketFilterProgram = std::vector<sock_filter>;

/** Why there is no program. */
struct PacketFilterError {
  std::string reason;  // names the value and its limit
};

/**
 * A program of at most BPF_MAXINSNS instructions. Passed unseen is what plain BPF cannot
 * judge: VLAN tags in the frame (not those that the device took off), PPPoE sessions,
 * MPLS, IPv6 with extension headers. Dropped are, besides what the options do not want,
 * all IPv4 fragments but the first.
 *
 * The kernel charges its translation, some 10 bytes an instruction, to the socket: above
 * net.core.optmem_max attaching fails with ENOMEM. With the 20,480 that were the default
 * before Linux 6.8 that is at some 800 ports without neighbours.
 */
[[nodiscard]] std::variant<PacketFilterProgram, PacketFilterError> makePacketFilter(
    const PacketFilterOptions& options);

}  // namespace sluice
