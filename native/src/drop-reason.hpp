// Why a frame was not used. A closed list: every frame that yields no packet counts under
// one of these.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

enum class DropReason : std::uint8_t {
  kBadIndex,              // the block's index points outside the block
  kUnknownLinkType,       // a link type that the decoder does not know
  kShortLinkHeader,       // the capture ends inside the link layer's headers
  kTooManyTags,           // more VLAN tags or MPLS labels than any network has
  kNotIp,                 // ARP, LLDP, PPP control and the like
  kBadIpVersion,          // neither 4 nor 6 where an IP header should be
  kShortIpHeader,         // the capture ends inside the IP headers
  kBadIpHeader,           // a header length below the minimum
  kBadIpLength,           // a total length below the header length
  kFragment,              // not the first fragment: it has no ports
  kTooManyExtensions,     // more IPv6 extension headers than any real packet has
  kShortTunnelHeader,     // the packet or the capture ends inside a GRE header
  kBadTunnelHeader,       // a GRE header of another version, or with source routes
  kTooManyTunnels,        // more tunnels in each other than any network has
  kOtherProtocol,         // ICMP, ESP, tunnels not to be opened: neither TCP nor UDP
  kShortTransportHeader,  // the packet or the capture ends inside the TCP or UDP header
  kBadTcpHeader,          // a data offset outside the packet
  kBadUdpLength,          // a length outside the packet
  kUnwanted,              // a protocol or ports that the table does not want
  kNoRecord,              // the record pool is used up by flows that nobody has drained
};

inline constexpr std::size_t kDropReasonCount = 20;

/** Indexed by DropReason. */
inline constexpr std::array<std::string_view, kDropReasonCount> kDropReasonNames = {
    "bad-index",
    "unknown-link-type",
    "short-link-header",
    "too-many-tags",
    "not-ip",
    "bad-ip-version",
    "short-ip-header",
    "bad-ip-header",
    "bad-ip-length",
    "fragment",
    "too-many-extensions",
    "short-tunnel-header",
    "bad-tunnel-header",
    "too-many-tunnels",
    "other-protocol",
    "short-transport-header",
    "bad-tcp-header",
    "bad-udp-length",
    "unwanted",
    "no-record",
};

static_assert(static_cast<std::size_t>(DropReason::kNoRecord) + 1 == kDropReasonCount);

}  // namespace sluice
