// IPv4 and IPv6 with their options, extension headers and fragments.
#include <algorithm>

#include "decoder.hpp"

namespace sluice {
namespace {

// https://www.iana.org/assignments/ipv6-parameters (extension header types)
constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragmentHeader = 44;
constexpr std::uint8_t kAuthentication = 51;
constexpr std::uint8_t kDestinationOptions = 60;

constexpr int kMaxExtensions = 16;
constexpr std::uint32_t kIpv6HeaderBytes = 40;

// RFC 791 section 3.1: flags and fragment offset.
constexpr std::uint16_t kMoreFragments = 0x2000;
constexpr std::uint16_t kFragmentOffset = 0x1fff;
// RFC 8200 section 4.5.
constexpr std::uint16_t kMoreFragments6 = 0x0001;
constexpr std::uint16_t kFragmentOffset6 = 0xfff8;

/**
 * What is captured of the `length` bytes on the wire behind the cursor: padding is left
 * out.
 */
Bytes capturedOf(const Cursor& cursor, std::uint32_t length) {
  const Bytes rest = cursor.rest();
  return rest.first(std::min<std::size_t>(rest.size(), length));
}

Drop decodeIpv4(Cursor& cursor, std::uint32_t wireLeft, Packet& packet, Tunnel& tunnel) {
  const auto header = cursor.take<20>();
  if (!header) return DropReason::kShortIpHeader;
  const std::uint32_t headerLength = (header->u8<0>() & 0x0fU) * 4U;
  if (headerLength < 20) return DropReason::kBadIpHeader;
  // 0: a packet that the network card will cut up (segmentation offload).
  const std::uint32_t total = header->be16<2>();
  packet.ipLength = total == 0 ? wireLeft : total;
  if (packet.ipLength < headerLength) return DropReason::kBadIpLength;
  if (!cursor.skip(headerLength - 20)) return DropReason::kShortIpHeader;
  const std::uint16_t fragment = header->be16<6>();
  if ((fragment & kFragmentOffset) != 0) return DropReason::kFragment;

  packet.ipVersion = 4;
  packet.source = addressOfIpv4(header->le32<12>());
  packet.destination = addressOfIpv4(header->le32<16>());
  const std::uint32_t length = packet.ipLength - headerLength;
  return decodeTransport({.captured = capturedOf(cursor, length),
                          .length = length,
                          .protocol = header->u8<9>(),
                          .firstFragment = (fragment & kMoreFragments) != 0},
                         packet, tunnel);
}

/** The state of a walk over extension headers. */
struct ExtensionWalk {
  std::uint8_t next = 0;   // type of the header at the cursor
  std::uint32_t left = 0;  // bytes on the wire from the cursor on
  bool firstFragment = false;
};

enum class Step : std::uint8_t { kSkipped, kTransport };

/**
 * Passes one extension header (RFC 8200 section 4; AH: RFC 4302 section 2.2), if there is
 * one.
 */
Drop skipExtension(Cursor& cursor, ExtensionWalk& walk, Step& step) {
  const std::uint8_t type = walk.next;
  step = Step::kTransport;
  if (type != kHopByHop && type != kRouting && type != kFragmentHeader &&
      type != kAuthentication && type != kDestinationOptions) {
    return std::nullopt;
  }
  const auto header = cursor.take<8>();
  if (!header) return DropReason::kShortIpHeader;
  std::uint32_t length = 8;
  if (type == kAuthentication) {
    length = (header->u8<1>() + 2U) * 4U;
  } else if (type != kFragmentHeader) {
    length = (header->u8<1>() + 1U) * 8U;
  } else {
    const std::uint16_t fragment = header->be16<2>();
    if ((fragment & kFragmentOffset6) != 0) return DropReason::kFragment;
    walk.firstFragment = (fragment & kMoreFragments6) != 0;
  }
  if (length < 8 || length > walk.left) return DropReason::kBadIpHeader;
  if (!cursor.skip(length - 8)) return DropReason::kShortIpHeader;
  walk.next = header->u8<0>();
  walk.left -= length;
  step = Step::kSkipped;
  return std::nullopt;
}

Drop decodeIpv6(Cursor& cursor, std::uint32_t wireLeft, Packet& packet, Tunnel& tunnel) {
  const auto header = cursor.take<kIpv6HeaderBytes>();
  if (!header) return DropReason::kShortIpHeader;
  // 0: a jumbogram (RFC 2675) or segmentation offload.
  const std::uint32_t length = header->be16<4>();
  packet.ipLength = length == 0 ? wireLeft : length + kIpv6HeaderBytes;
  packet.ipVersion = 6;
  header->copy<8, 16>(packet.source);
  header->copy<24, 16>(packet.destination);

  ExtensionWalk walk{.next = header->u8<6>(), .left = packet.ipLength - kIpv6HeaderBytes};
  for (int extension = 0; extension <= kMaxExtensions; ++extension) {
    Step step{};
    if (const Drop drop = skipExtension(cursor, walk, step)) return drop;
    if (step == Step::kSkipped) continue;
    return decodeTransport({.captured = capturedOf(cursor, walk.left),
                            .length = walk.left,
                            .protocol = walk.next,
                            .firstFragment = walk.firstFragment},
                           packet, tunnel);
  }
  return DropReason::kTooManyExtensions;
}

}  // namespace

Drop decodeIp(Cursor& cursor, std::uint32_t wireLeft, Packet& packet, Tunnel& tunnel) {
  const auto first = cursor.peek<1>();
  if (!first) return DropReason::kShortIpHeader;
  switch (first->u8<0>() >> 4U) {
    case 4:
      return decodeIpv4(cursor, wireLeft, packet, tunnel);
    case 6:
      return decodeIpv6(cursor, wireLeft, packet, tunnel);
    default:
      return DropReason::kBadIpVersion;
  }
}

}  // namespace sluice
