#include "frames.hpp"

#include <utility>

namespace sluice::test {

Writer& Writer::u8(unsigned value) {
  buffer_.push_back(static_cast<std::byte>(value & 0xffU));
  return *this;
}

Writer& Writer::be16(unsigned value) { return u8(value >> 8U).u8(value); }

Writer& Writer::be32(std::uint32_t value) {
  return be16(value >> 16U).be16(value & 0xffffU);
}

Writer& Writer::zeros(std::size_t count) {
  buffer_.resize(buffer_.size() + count);
  return *this;
}

Writer& Writer::bytes(const Buffer& more) {
  buffer_.insert(buffer_.end(), more.begin(), more.end());
  return *this;
}

Buffer operator+(Buffer left, const Buffer& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Segment Segment::reversed() const {
  Segment other = *this;
  std::swap(other.from, other.to);
  std::swap(other.fromPort, other.toPort);
  return other;
}

Segment Segment::with(unsigned newFlags, std::size_t newPayload) const {
  Segment other = *this;
  other.flags = newFlags;
  other.payload = newPayload;
  return other;
}

Buffer payloadOf(std::size_t length) {
  Buffer payload(length);
  for (std::size_t i = 0; i < length; ++i) payload[i] = static_cast<std::byte>(i & 0xffU);
  return payload;
}

Buffer tcp(const Segment& segment) {
  return Writer()
      .be16(segment.fromPort)
      .be16(segment.toPort)
      .be32(segment.sequence)
      .be32(0)
      .u8(5U << 4U)
      .u8(segment.flags)
      .be16(segment.window)
      .be32(0)
      .bytes(payloadOf(segment.payload))
      .take();
}

Buffer udp(const Segment& segment, int lengthField) {
  const unsigned length = static_cast<unsigned>(segment.payload) + 8;
  return Writer()
      .be16(segment.fromPort)
      .be16(segment.toPort)
      .be16(lengthField < 0 ? length : static_cast<unsigned>(lengthField))
      .be16(0)
      .bytes(payloadOf(segment.payload))
      .take();
}

Buffer datagram(const Segment& segment, const Buffer& body) {
  Segment bare = segment;
  bare.payload = 0;
  return udp(bare, static_cast<int>(body.size()) + 8) + body;
}

Buffer ipv4(const Ipv4& header, const Buffer& body) {
  const std::size_t headerBytes = 20 + header.optionBytes;
  const auto length = static_cast<unsigned>(headerBytes + body.size());
  return Writer()
      .u8(0x40U | static_cast<unsigned>(headerBytes / 4))
      .u8(0)
      .be16(header.totalLength < 0 ? length : static_cast<unsigned>(header.totalLength))
      .be16(0)
      .be16(header.fragment)
      .u8(64)
      .u8(header.protocol)
      .be16(0)
      .be32(0x0a000000U | header.from)
      .be32(0x0a000000U | header.to)
      .zeros(header.optionBytes)
      .bytes(body)
      .take();
}

Buffer ipv6(const Ipv6& header, const Buffer& body) {
  const auto length = static_cast<unsigned>(body.size());
  return Writer()
      .be32(0x60000000)
      .be16(header.payloadLength < 0 ? length
                                     : static_cast<unsigned>(header.payloadLength))
      .u8(header.next)
      .u8(64)
      .be32(0xfd000000)
      .zeros(8)
      .be32(header.from)
      .be32(0xfd000000)
      .zeros(8)
      .be32(header.to)
      .bytes(body)
      .take();
}

Buffer extension(unsigned next, std::size_t bytes) {
  return Writer()
      .u8(next)
      .u8(static_cast<unsigned>(bytes / 8 - 1))
      .zeros(bytes - 2)
      .take();
}

Buffer ethernet(unsigned etherType, const Buffer& body) {
  return Writer().zeros(12).be16(etherType).bytes(body).take();
}

Buffer vlanTag(unsigned id, unsigned etherType) {
  // Priority 5, so that the bits beside the id are not all zero.
  return Writer().be16(0xa000U | id).be16(etherType).take();
}

Buffer gre(unsigned flags, unsigned type, const Buffer& body) {
  std::size_t optional = 0;
  for (const unsigned flag : {0x8000U, 0x2000U, 0x1000U, 0x0080U}) {
    if ((flags & flag) != 0) optional += 4;
  }
  return Writer().be16(flags).be16(type).zeros(optional).bytes(body).take();
}

Buffer vxlan(const Buffer& frame, unsigned port) {
  return ipv4({.from = 101, .to = 102, .protocol = kProtocolUdp},
              datagram({.fromPort = 50'000, .toPort = port},
                       Writer().be32(0x08000000).be32(0x00002a00).bytes(frame).take()));
}

Buffer gtpu(unsigned flags, const Buffer& fields, const Buffer& body) {
  const auto length = static_cast<unsigned>(fields.size() + body.size());
  return ipv4({.from = 101, .to = 102, .protocol = kProtocolUdp},
              datagram({.fromPort = 50'000, .toPort = 2'152}, Writer()
                                                                  .u8(flags)
                                                                  .u8(255)
                                                                  .be16(length)
                                                                  .be32(0x12345678)
                                                                  .bytes(fields)
                                                                  .bytes(body)
                                                                  .take()));
}

Buffer gtpuExtension(unsigned units, unsigned next) {
  return Writer().u8(units).zeros(std::size_t{units} * 4 - 2).u8(next).take();
}

Buffer tcpFrame(const Segment& segment) {
  return ethernet(kEtherTypeIpv4,
                  ipv4({.from = segment.from, .to = segment.to}, tcp(segment)));
}

Buffer udpFrame(const Segment& segment) {
  return ethernet(kEtherTypeIpv4,
                  ipv4({.from = segment.from, .to = segment.to, .protocol = kProtocolUdp},
                       udp(segment)));
}

}  // namespace sluice::test
