// A frame's bytes -> a packet, or the reason why there is none. Pure, allocates nothing,
// reads nothing outside the frame: hostile bytes cost a counted drop.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

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

/** Tunnels that the decoder can open, bits of a mask. */
inline constexpr std::uint8_t kTunnelGre = 1;
inline constexpr std::uint8_t kTunnelVxlan = 2;
inline constexpr std::uint8_t kTunnelGtpu = 4;
inline constexpr std::uint8_t kTunnelIpIp = 8;
inline constexpr std::uint8_t kAllTunnels = 15;

/** Indexed by bit number. */
inline constexpr std::array<std::string_view, 4> kTunnelNames = {"gre", "vxlan", "gtpu",
                                                                 "ipip"};

static_assert((1U << kTunnelNames.size()) - 1 == kAllTunnels);

/** Why a frame is dropped; empty when it is not. */
using Drop = std::optional<DropReason>;

/**
 * Decodes `frame` into `packet` (whose former content is lost). Lengths are those of the
 * wire: the IP header's, not the capture's; the frame's wire length where the IP header
 * has 0 (segmentation offload). A first fragment counts as a packet of its own length, if
 * it holds the whole TCP or UDP header; the other fragments are dropped.
 *
 * Tunnels of the kinds in `tunnels` are opened: the packet is then the innermost one. GRE
 * and IP in IP stand or fall with what is in them. A VXLAN or GTP-U packet in which no
 * TCP or UDP packet is found is an ordinary UDP packet.
 */
[[nodiscard]] Drop decode(const Frame& frame, std::uint8_t tunnels, Packet& packet);

/** Passes everything before the IP header and notes the outermost VLAN id. */
[[nodiscard]] Drop skipLinkHeaders(Cursor& cursor, std::uint32_t linkType,
                                   Packet& packet);

/** The same from an EtherType on. */
[[nodiscard]] Drop skipFromEtherType(Cursor& cursor, std::uint16_t etherType,
                                     Packet& packet);

/** On the way down: the kinds to be opened. On the way up: what is to be opened. */
struct Tunnel {
  std::uint8_t wanted = 0;
  std::uint8_t kind = 0;     // 0: none, and nothing below means anything
  std::uint32_t length = 0;  // on the wire, from the tunnel's own header on
  Bytes captured;            // of it
};

/**
 * Decodes from the IP header on; `wireLeft` counts the bytes on the wire from there. A
 * packet that announces a tunnel is no drop.
 */
[[nodiscard]] Drop decodeIp(Cursor& cursor, std::uint32_t wireLeft, Packet& packet,
                            Tunnel& tunnel);

/** Decodes the TCP or UDP header and what follows. */
struct TransportPart {
  Bytes captured;            // without the frame's padding
  std::uint32_t length = 0;  // on the wire
  std::uint8_t protocol = 0;
  bool firstFragment = false;
};
[[nodiscard]] Drop decodeTransport(const TransportPart& part, Packet& packet,
                                   Tunnel& tunnel);

/**
 * Goes on into the tunnel that `packet` announces, as `decode` says. Out of line: plain
 * packets do not come here.
 */
[[nodiscard, gnu::cold, gnu::noinline]] Drop openTunnel(Tunnel tunnel, Packet& packet);

}  // namespace sluice
