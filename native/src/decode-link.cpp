// The layers below IP.
#include "decoder.hpp"

namespace sluice {
namespace {

// IEEE 802 numbers, https://www.iana.org/assignments/ieee-802-numbers
constexpr std::uint16_t kEtherIpv4 = 0x0800;
constexpr std::uint16_t kEtherVlan = 0x8100;
constexpr std::uint16_t kEtherIpv6 = 0x86dd;
constexpr std::uint16_t kEtherMpls = 0x8847;
constexpr std::uint16_t kEtherMplsMulticast = 0x8848;
constexpr std::uint16_t kEtherPppoeSession = 0x8864;
constexpr std::uint16_t kEtherProviderVlan = 0x88a8;
constexpr std::uint16_t kEtherOldQinq = 0x9100;

// PPP protocol numbers, RFC 1661 section 2 and
// https://www.iana.org/assignments/ppp-numbers
constexpr std::uint16_t kPppIpv4 = 0x0021;
constexpr std::uint16_t kPppIpv6 = 0x0057;
constexpr std::uint16_t kPppAddressControl = 0xff03;

// Address families of the systems that write null and loop captures:
// https://www.tcpdump.org/linktypes/LINKTYPE_NULL.html
constexpr std::uint32_t kFamilyIpv4 = 2;
constexpr std::uint32_t kFamilyIpv6Linux = 10;
constexpr std::uint32_t kFamilyIpv6NetBsd = 24;
constexpr std::uint32_t kFamilyIpv6FreeBsd = 28;
constexpr std::uint32_t kFamilyIpv6Darwin = 30;

constexpr int kMaxTags = 8;
constexpr int kMaxLabels = 16;

/** RFC 1661; the protocol field may be compressed to one byte (odd first byte). */
Drop skipPpp(Cursor& cursor) {
  const auto framing = cursor.peek<2>();
  if (!framing) return DropReason::kShortLinkHeader;
  if (framing->be16<0>() == kPppAddressControl) static_cast<void>(cursor.take<2>());
  const auto first = cursor.take<1>();
  if (!first) return DropReason::kShortLinkHeader;
  std::uint16_t protocol = first->u8<0>();
  if ((protocol & 1U) == 0) {
    const auto second = cursor.take<1>();
    if (!second) return DropReason::kShortLinkHeader;
    protocol = static_cast<std::uint16_t>(protocol << 8U | second->u8<0>());
  }
  if (protocol != kPppIpv4 && protocol != kPppIpv6) return DropReason::kNotIp;
  return std::nullopt;
}

/** RFC 2516 section 4: version and type, code 0 in a session, session id, length. */
Drop skipPppoe(Cursor& cursor) {
  const auto header = cursor.take<6>();
  if (!header) return DropReason::kShortLinkHeader;
  if (header->u8<1>() != 0) return DropReason::kNotIp;
  return skipPpp(cursor);
}

/**
 * RFC 3032 section 2.1. The stack does not say what it carries: IP if the first nibble
 * says so.
 */
Drop skipMpls(Cursor& cursor) {
  for (int label = 0; label < kMaxLabels; ++label) {
    const auto entry = cursor.take<4>();
    if (!entry) return DropReason::kShortLinkHeader;
    if ((entry->u8<2>() & 1U) == 0) continue;
    const auto next = cursor.peek<1>();
    if (!next) return DropReason::kShortIpHeader;
    const unsigned version = next->u8<0>() >> 4U;
    if (version != 4 && version != 6) return DropReason::kNotIp;
    return std::nullopt;
  }
  return DropReason::kTooManyTags;
}

constexpr bool isIpFamily(std::uint32_t family) {
  return family == kFamilyIpv4 || family == kFamilyIpv6Linux ||
         family == kFamilyIpv6NetBsd || family == kFamilyIpv6FreeBsd ||
         family == kFamilyIpv6Darwin;
}

/**
 * Null captures have the writer's byte order, loop captures the network's: either is
 * taken.
 */
Drop skipNull(Cursor& cursor) {
  const auto header = cursor.take<4>();
  if (!header) return DropReason::kShortLinkHeader;
  const std::uint32_t family = header->be32<0>();
  const std::uint32_t swapped = std::uint32_t{header->u8<3>()} << 24U |
                                std::uint32_t{header->u8<2>()} << 16U |
                                std::uint32_t{header->u8<1>()} << 8U | header->u8<0>();
  if (!isIpFamily(family) && !isIpFamily(swapped)) return DropReason::kNotIp;
  return std::nullopt;
}

}  // namespace

/** VLAN tags in any number and order, then what they carry. */
Drop skipFromEtherType(Cursor& cursor, std::uint16_t etherType, Packet& packet) {
  for (int tags = 0; tags <= kMaxTags; ++tags) {
    switch (etherType) {
      case kEtherIpv4:
      case kEtherIpv6:
        return std::nullopt;
      case kEtherPppoeSession:
        return skipPppoe(cursor);
      case kEtherMpls:
      case kEtherMplsMulticast:
        return skipMpls(cursor);
      case kEtherVlan:
      case kEtherProviderVlan:
      case kEtherOldQinq:
        break;
      default:
        return DropReason::kNotIp;
    }
    const auto tag = cursor.take<4>();
    if (!tag) return DropReason::kShortLinkHeader;
    // IEEE 802.1Q: the lower 12 bits are the id. The first tag is the outermost.
    if (packet.vlan == kNoVlan) {
      packet.vlan = static_cast<std::uint16_t>(tag->be16<0>() & 0x0fffU);
    }
    etherType = tag->be16<2>();
  }
  return DropReason::kTooManyTags;
}

Drop skipLinkHeaders(Cursor& cursor, std::uint32_t linkType, Packet& packet) {
  switch (linkType) {
    case kLinkEthernet: {
      const auto header = cursor.take<14>();
      if (!header) return DropReason::kShortLinkHeader;
      return skipFromEtherType(cursor, header->be16<12>(), packet);
    }
    case kLinkLinuxCooked: {
      // https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html
      const auto header = cursor.take<16>();
      if (!header) return DropReason::kShortLinkHeader;
      return skipFromEtherType(cursor, header->be16<14>(), packet);
    }
    case kLinkLinuxCooked2: {
      // https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html
      const auto header = cursor.take<20>();
      if (!header) return DropReason::kShortLinkHeader;
      return skipFromEtherType(cursor, header->be16<0>(), packet);
    }
    case kLinkNull:
    case kLinkLoop:
      return skipNull(cursor);
    case kLinkPpp:
    case kLinkPppHdlc:
      return skipPpp(cursor);
    case kLinkRaw:
    case kLinkRawBsd:
    case kLinkRawOpenBsd:
    case kLinkIpv4:
    case kLinkIpv6:
      return std::nullopt;
    default:
      return DropReason::kUnknownLinkType;
  }
}

}  // namespace sluice
