// Frames made byte by byte, layer upon layer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "packet.hpp"

namespace sluice::test {

using Buffer = std::vector<std::byte>;

/** Appends in network byte order. */
class Writer {
 public:
  Writer& u8(unsigned value);
  Writer& be16(unsigned value);
  Writer& be32(std::uint32_t value);
  Writer& zeros(std::size_t count);
  Writer& bytes(const Buffer& more);
  [[nodiscard]] Buffer take() { return std::move(buffer_); }

 private:
  Buffer buffer_;
};

Buffer operator+(Buffer left, const Buffer& right);

/** What a made packet says. Addresses are one number: 10.0.0.n, or fd00::n. */
struct Segment {
  unsigned from = 1;
  unsigned to = 2;
  unsigned fromPort = 40'000;
  unsigned toPort = 443;
  unsigned flags = kTcpAck;
  std::uint32_t sequence = 1'000;
  unsigned window = 512;
  std::size_t payload = 0;  // bytes, counting up from 0

  [[nodiscard]] Segment reversed() const;
  [[nodiscard]] Segment with(unsigned newFlags, std::size_t newPayload = 0) const;
};

Buffer payloadOf(std::size_t length);
Buffer tcp(const Segment& segment);
/** `lengthField` as in the header; right by default. */
Buffer udp(const Segment& segment, int lengthField = -1);

/** UDP that carries `body` in place of a made payload. */
Buffer datagram(const Segment& segment, const Buffer& body);

struct Ipv4 {
  unsigned from = 1;
  unsigned to = 2;
  unsigned protocol = kProtocolTcp;
  std::size_t optionBytes = 0;
  unsigned fragment = 0;  // flags and offset, as in the header
  int totalLength = -1;   // right by default
};
Buffer ipv4(const Ipv4& header, const Buffer& body);

struct Ipv6 {
  unsigned from = 1;
  unsigned to = 2;
  unsigned next = kProtocolTcp;
  int payloadLength = -1;  // right by default
};
Buffer ipv6(const Ipv6& header, const Buffer& body);
/** An extension header of `bytes` length (a multiple of 8). */
Buffer extension(unsigned next, std::size_t bytes);

Buffer ethernet(unsigned etherType, const Buffer& body);
Buffer vlanTag(unsigned id, unsigned etherType);

/** GRE; `flags` and version as in the header, the optional fields they stand for follow.
 */
Buffer gre(unsigned flags, unsigned type, const Buffer& body);
/** VXLAN over UDP between 10.0.0.101 and 10.0.0.102; `frame` is Ethernet. */
Buffer vxlan(const Buffer& frame, unsigned port = 4'789);
/** A G-PDU over UDP between the same; `fields` are the optional ones. */
Buffer gtpu(unsigned flags, const Buffer& fields, const Buffer& body);
/** An extension header of `units` of 4 bytes, before one of type `next`. */
Buffer gtpuExtension(unsigned units, unsigned next);

/** The usual ones: Ethernet, IPv4. */
Buffer tcpFrame(const Segment& segment);
Buffer udpFrame(const Segment& segment);

constexpr unsigned kEtherTypeIpv4 = 0x0800;
constexpr unsigned kEtherTypeIpv6 = 0x86dd;

}  // namespace sluice::test
