// A frame's bytes -> a packet, or the reason why there is none. Pure, allocates nothing,
// reads nothing outside the frame: hostile bytes cost a counted drop.
#pragma once

#include <cstdint>
#include <optional>

#include "bytes.hpp"
#include "drop-reason.hpp"
#include "packet.hpp"

namespace sluice {

/**
 * LINKTYPE_ values, https://www.tcpdump.org/linktypes.html, and DLT_ values that some
 * writers use.
 */
inline constexpr std::uint32_t kLinkNull = 0;
inline constexpr std::uint32_t kLinkEthernet = 1;
inline constexpr std::uint32_t kLinkPpp = 9;
inline constexpr std::uint32_t kLinkRawBsd = 12;
inline constexpr std::uint32_t kLinkRawOpenBsd = 14;
inline constexpr std::uint32_t kLinkPppHdlc = 50;
inline constexpr std::uint32_t kLinkRaw = 101;
inline constexpr std::uint32_t kLinkLoop = 108;
inline constexpr std::uint32_t kLinkLinuxCooked = 113;
inline constexpr std::uint32_t kLinkIpv4 = 228;
inline constexpr std::uint32_t kLinkIpv6 = 229;
inline constexpr std::uint32_t kLinkLinuxCooked2 = 276;

/** Why a frame is dropped; empty when it is not. */
using Drop = std::optional<DropReason>;

/**
 * Decodes `frame` into `packet` (whose former content is lost). Lengths are those of the
 * wire: the IP header's, not the capture's; the frame's wire length where the IP header
 * has 0 (segmentation offload). A first fragment counts as a packet of its own length, if
 * it holds the whole TCP or UDP header; the other fragments are dropped.
 */
[[nodiscard]] Drop decode(const Frame& frame, Packet& packet);

/** Passes everything before the IP header and notes the outermost VLAN id. */
[[nodiscard]] Drop skipLinkHeaders(Cursor& cursor, std::uint32_t linkType,
                                   Packet& packet);

/** Decodes from the IP header on; `wireLeft` counts the bytes on the wire from there. */
[[nodiscard]] Drop decodeIp(Cursor& cursor, std::uint32_t wireLeft, Packet& packet);

/** Decodes the TCP or UDP header and what follows. */
struct TransportPart {
  Bytes captured;            // without the frame's padding
  std::uint32_t length = 0;  // on the wire
  std::uint8_t protocol = 0;
  bool firstFragment = false;
};
[[nodiscard]] Drop decodeTransport(const TransportPart& part, Packet& packet);

}  // namespace sluice
