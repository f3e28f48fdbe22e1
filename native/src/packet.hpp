// Frame (raw bytes off the wire) and packet (decoded headers, length and time).
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "bytes.hpp"

namespace sluice {

/** 16 bytes; an IPv4 address fills the first four, the rest is zero. */
using Address = std::array<std::byte, 16>;

/**
 * An IPv4 address: its bytes as a little-endian number. In two stores of eight bytes, as
 * it will be read again at once: a processor has to wait where a load needs several
 * stores.
 */
inline Address addressOfIpv4(std::uint32_t bytes) {
  return std::bit_cast<Address>(std::array<std::uint64_t, 2>{bytes, 0});
}

/** "Untagged" where a VLAN id stands; ids have 12 bits. */
inline constexpr std::uint16_t kNoVlan = 0xffff;

/** IANA protocol numbers. */
inline constexpr std::uint8_t kProtocolIpv4 = 4;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolIpv6 = 41;
inline constexpr std::uint8_t kProtocolGre = 47;

/** TCP flags, RFC 9293 section 3.1. */
inline constexpr std::uint8_t kTcpFin = 1;
inline constexpr std::uint8_t kTcpSyn = 2;
inline constexpr std::uint8_t kTcpRst = 4;
inline constexpr std::uint8_t kTcpAck = 16;

/** The flags of a packet that opens a connection: SYN without ACK. */
constexpr bool opens(std::uint8_t tcpFlags) {
  return (tcpFlags & (kTcpSyn | kTcpAck)) == kTcpSyn;
}
/** The flags of the server's answer to it: SYN and ACK. */
constexpr bool answers(std::uint8_t tcpFlags) {
  return (tcpFlags & (kTcpSyn | kTcpAck)) == (kTcpSyn | kTcpAck);
}

/**
 * One captured frame. `bytes` belongs to the caller and need only live during the call.
 */
struct Frame {
  Bytes bytes;
  std::uint32_t wireLength = 0;  // bytes on the wire, whatever the capture cut off
  std::uint32_t linkType = 0;    // LINKTYPE_ value of the capture formats
  std::int64_t timeNs = 0;       // since the epoch
  std::uint16_t vlan =
      kNoVlan;  // of a tag that the kernel took off the bytes (TPACKET_V3)
  // Payload of each packet on the wire, where the kernel says that it has joined several
  // into this frame (GRO, TSO: gso_size of virtio_net_hdr); else 0.
  std::uint16_t segmentBytes = 0;
};

/** What the decoder tells of a frame. `payload` is a view into the frame. */
struct Packet {
  Address source{};
  Address destination{};
  std::uint16_t sourcePort = 0;
  std::uint16_t destinationPort = 0;
  std::uint8_t ipVersion = 0;
  std::uint8_t protocol = 0;
  std::uint8_t tcpFlags = 0;  // 0 for UDP
  std::uint16_t vlan = kNoVlan;
  std::uint16_t window = 0;
  std::uint32_t sequence = 0;
  std::uint32_t ipLength = 0;       // on the wire, from the (innermost) IP header on
  std::uint32_t payloadLength = 0;  // on the wire
  std::uint16_t segmentBytes = 0;   // as in Frame
  std::uint16_t segmentLimit = 0;   // as in a SYN's MSS option; 0: not told
  Bytes payload;                    // what the capture holds of it
};

}  // namespace sluice
