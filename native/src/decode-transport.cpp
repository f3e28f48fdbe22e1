// TCP and UDP.
#include <algorithm>

#include "decoder.hpp"

namespace sluice {
namespace {

constexpr std::uint32_t kTcpHeaderBytes = 20;
constexpr std::uint32_t kUdpHeaderBytes = 8;

/** The MSS option of a SYN, RFC 9293 section 3.7.1; 0 when there is none. */
std::uint16_t maximumSegment(Bytes options) {
  constexpr std::uint8_t kEnd = 0;
  constexpr std::uint8_t kNothing = 1;
  constexpr std::uint8_t kMaximumSegment = 2;
  Cursor cursor(options);
  while (const auto kind = cursor.take<1>()) {
    if (kind->u8<0>() == kEnd) break;
    if (kind->u8<0>() == kNothing) continue;
    const auto length = cursor.take<1>();
    if (!length || length->u8<0>() < 2) break;
    if (kind->u8<0>() == kMaximumSegment && length->u8<0>() == 4) {
      const auto value = cursor.take<2>();
      return value ? value->be16<0>() : std::uint16_t{0};
    }
    if (!cursor.skip(length->u8<0>() - 2U)) break;
  }
  return 0;
}

// https://www.iana.org/assignments/service-names-port-numbers; Linux still has the VXLAN
// port of its own from before there was one.
constexpr std::uint16_t kPortGtpu = 2152;
constexpr std::uint16_t kPortVxlan = 4789;
constexpr std::uint16_t kPortVxlanLinux = 8472;

/** The kind of tunnel that the ports of a UDP packet announce. */
std::uint8_t tunnelAtPorts(const Packet& packet) {
  const std::uint16_t to = packet.destinationPort;
  if (to == kPortVxlan || to == kPortVxlanLinux) return kTunnelVxlan;
  // Address translation leaves the port to one end alone.
  if (to == kPortGtpu || packet.sourcePort == kPortGtpu) return kTunnelGtpu;
  return 0;
}

std::uint8_t tunnelOfProtocol(std::uint8_t protocol) {
  switch (protocol) {
    case kProtocolGre:
      return kTunnelGre;
    case kProtocolIpv4:
    case kProtocolIpv6:
      return kTunnelIpIp;
    default:
      return 0;
  }
}

/** RFC 9293 section 3.1. */
Drop decodeTcp(const TransportPart& part, Packet& packet) {
  Cursor cursor(part.captured);
  const auto header = cursor.take<kTcpHeaderBytes>();
  if (!header) return DropReason::kShortTransportHeader;
  const std::uint32_t headerLength = (header->u8<12>() >> 4U) * 4U;
  if (headerLength < kTcpHeaderBytes || headerLength > part.length) {
    return DropReason::kBadTcpHeader;
  }
  packet.sourcePort = header->be16<0>();
  packet.destinationPort = header->be16<2>();
  packet.sequence = header->be32<4>();
  packet.tcpFlags = header->u8<13>();
  packet.window = header->be16<14>();
  packet.payloadLength = part.length - headerLength;
  if ((packet.tcpFlags & kTcpSyn) != 0) {
    const Bytes options = cursor.rest();
    packet.segmentLimit = maximumSegment(options.first(
        std::min<std::size_t>(options.size(), headerLength - kTcpHeaderBytes)));
  }
  // A capture that ends within the options holds no payload.
  if (cursor.skip(headerLength - kTcpHeaderBytes)) packet.payload = cursor.rest();
  return std::nullopt;
}

/** RFC 768. */
Drop decodeUdp(const TransportPart& part, Packet& packet, Tunnel& tunnel) {
  Cursor cursor(part.captured);
  const auto header = cursor.take<kUdpHeaderBytes>();
  if (!header) return DropReason::kShortTransportHeader;
  // 0: a jumbogram, RFC 2675 section 4. A first fragment's length is that of the whole
  // datagram.
  std::uint32_t length = header->be16<4>();
  if (length == 0 || (part.firstFragment && length > part.length)) length = part.length;
  if (length < kUdpHeaderBytes || length > part.length) return DropReason::kBadUdpLength;
  packet.sourcePort = header->be16<0>();
  packet.destinationPort = header->be16<2>();
  packet.payloadLength = length - kUdpHeaderBytes;
  const Bytes rest = cursor.rest();
  packet.payload = rest.first(std::min<std::size_t>(rest.size(), packet.payloadLength));
  tunnel.kind = tunnelAtPorts(packet) & tunnel.wanted;
  if (tunnel.kind != 0) {
    tunnel.captured = packet.payload;
    tunnel.length = packet.payloadLength;
  }
  return std::nullopt;
}

}  // namespace

Drop decodeTransport(const TransportPart& part, Packet& packet, Tunnel& tunnel) {
  packet.protocol = part.protocol;
  switch (part.protocol) {
    case kProtocolTcp:
      return decodeTcp(part, packet);
    case kProtocolUdp:
      return decodeUdp(part, packet, tunnel);
    default:
      tunnel.kind = tunnelOfProtocol(part.protocol) & tunnel.wanted;
      if (tunnel.kind == 0) return DropReason::kOtherProtocol;
      tunnel.captured = part.captured;
      tunnel.length = part.length;
      return std::nullopt;
  }
}

}  // namespace sluice
