// IP packets inside IP packets: GRE, VXLAN, GTP-U, IP in IP.
#include <bit>

#include "decoder.hpp"

namespace sluice {
namespace {

/** Tunnels in each other; a carrier's GTP-U over GRE over VXLAN has three. */
constexpr int kMaxTunnels = 4;

// Flags and version, the first two bytes: RFC 2784 section 2.1, RFC 2890 section 2; of
// version 1, PPTP: RFC 2637 section 4.1.
constexpr unsigned kGreVersion = 0x0007;
constexpr unsigned kGreChecksum = 0x8000;
constexpr unsigned kGreKey = 0x2000;
constexpr unsigned kGreSequence = 0x1000;
constexpr unsigned kGreAcknowledgment = 0x0080;  // version 1 only
// Source routes of RFC 1701; RFC 2784 section 2.3 has such packets discarded.
constexpr unsigned kGreRouting = 0x4c00;

// GRE's protocol types are EtherTypes. Ethernet: RFC 1701, NVGRE (RFC 7637).
constexpr std::uint16_t kGreEthernet = 0x6558;
constexpr std::uint16_t kGrePpp = 0x880b;

// RFC 7348 section 5: the I flag, the only one, says that there is a network id.
constexpr unsigned kVxlanId = 0x08;

// 3GPP TS 29.281 section 5.1: version 1 and the protocol type bit; E, S and PN.
constexpr unsigned kGtpKind = 0xf0;
constexpr unsigned kGtpVersion1 = 0x30;
constexpr unsigned kGtpExtension = 0x04;
constexpr unsigned kGtpOptional = 0x07;
constexpr std::uint8_t kGtpGPdu = 255;
constexpr int kMaxGtpExtensions = 8;

Drop skipGre(Cursor& cursor, Packet& packet) {
  const auto header = cursor.take<4>();
  if (!header) return DropReason::kShortTunnelHeader;
  const unsigned flags = header->be16<0>();
  const std::uint16_t type = header->be16<2>();
  const bool pptp = (flags & kGreVersion) == 1 && type == kGrePpp;
  if ((!pptp && (flags & kGreVersion) != 0) || (flags & kGreRouting) != 0) {
    return DropReason::kBadTunnelHeader;
  }
  // Each flag stands for four bytes.
  const unsigned optional = flags & (pptp ? kGreKey | kGreSequence | kGreAcknowledgment
                                          : kGreChecksum | kGreKey | kGreSequence);
  if (!cursor.skip(std::size_t{4} * static_cast<unsigned>(std::popcount(optional)))) {
    return DropReason::kShortTunnelHeader;
  }
  if (type == kGreEthernet) return skipLinkHeaders(cursor, kLinkEthernet, packet);
  if (type != kGrePpp) return skipFromEtherType(cursor, type, packet);
  // PPTP: without a sequence number, an acknowledgment and no more.
  if (pptp && (flags & kGreSequence) == 0) return DropReason::kNotIp;
  return skipLinkHeaders(cursor, kLinkPpp, packet);
}

Drop skipVxlan(Cursor& cursor, Packet& packet) {
  const auto header = cursor.take<8>();
  if (!header) return DropReason::kShortTunnelHeader;
  if ((header->u8<0>() & kVxlanId) == 0) return DropReason::kBadTunnelHeader;
  return skipLinkHeaders(cursor, kLinkEthernet, packet);
}

/** 3GPP TS 29.281 section 5.2. The inner packet tells its own length. */
Drop skipGtpu(Cursor& cursor) {
  const auto header = cursor.take<8>();
  if (!header) return DropReason::kShortTunnelHeader;
  const unsigned flags = header->u8<0>();
  if ((flags & kGtpKind) != kGtpVersion1 || header->u8<1>() != kGtpGPdu) {
    return DropReason::kBadTunnelHeader;
  }
  if ((flags & kGtpOptional) == 0) return std::nullopt;
  // One flag brings the fields of all three; only those flagged mean something.
  const auto optional = cursor.take<4>();
  if (!optional) return DropReason::kShortTunnelHeader;
  std::uint8_t next = (flags & kGtpExtension) != 0 ? optional->u8<3>() : 0;
  for (int extension = 0; next != 0; ++extension) {
    // The length counts units of 4 bytes, the type of the next one is the last byte.
    const auto length = cursor.peek<1>();
    if (!length) return DropReason::kShortTunnelHeader;
    if (length->u8<0>() == 0 || extension == kMaxGtpExtensions) {
      return DropReason::kBadTunnelHeader;
    }
    if (!cursor.skip(length->u8<0>() * 4U - 1U)) return DropReason::kShortTunnelHeader;
    const auto last = cursor.take<1>();
    if (!last) return DropReason::kShortTunnelHeader;
    next = last->u8<0>();
  }
  return std::nullopt;
}

/** RFC 2003, RFC 2473, RFC 4213 section 3: the protocol number is the inner version. */
Drop checkVersion(const Cursor& cursor, std::uint8_t protocol) {
  const auto first = cursor.peek<1>();
  if (!first) return DropReason::kShortIpHeader;
  const unsigned version = protocol == kProtocolIpv4 ? 4 : 6;
  if (first->u8<0>() >> 4U != version) return DropReason::kBadIpVersion;
  return std::nullopt;
}

/** Passes all that stands before the inner IP header. */
Drop skipTunnel(Cursor& cursor, std::uint8_t kind, Packet& packet) {
  switch (kind) {
    case kTunnelGre:
      return skipGre(cursor, packet);
    case kTunnelVxlan:
      return skipVxlan(cursor, packet);
    case kTunnelGtpu:
      return skipGtpu(cursor);
    default:
      return checkVersion(cursor, packet.protocol);
  }
}

/** `carrier` becomes the innermost UDP packet in which a tunnel was looked for. */
Drop walkTunnels(Tunnel tunnel, Packet& packet, std::optional<Packet>& carrier) {
  Drop drop;
  for (int opened = 0; tunnel.kind != 0; ++opened) {
    if (packet.protocol == kProtocolUdp) carrier = packet;
    if (opened == kMaxTunnels) return DropReason::kTooManyTunnels;
    Cursor cursor(tunnel.captured);
    drop = skipTunnel(cursor, tunnel.kind, packet);
    if (drop) return drop;
    const std::uint32_t left =
        tunnel.length - static_cast<std::uint32_t>(cursor.offset());
    // No field of the outer packet may pass for one of the inner; its VLAN is kept.
    const std::uint16_t vlan = packet.vlan;
    packet = Packet{};
    packet.vlan = vlan;
    tunnel.kind = 0;
    drop = decodeIp(cursor, left, packet, tunnel);
  }
  return drop;
}

}  // namespace

Drop openTunnel(Tunnel tunnel, Packet& packet) {
  std::optional<Packet> carrier;
  const Drop drop = walkTunnels(tunnel, packet, carrier);
  if (!drop || !carrier) return drop;
  packet = *carrier;
  return std::nullopt;
}

}  // namespace sluice
