#include "ring-blocks.hpp"

#include <linux/if_packet.h>

#include <algorithm>
#include <cstring>

namespace sluice::test {
namespace {

constexpr std::size_t kVnetBytes = 10;
constexpr std::size_t kBlockBytes = 4'096;

template <class T>
void put(Buffer& block, std::size_t at, const T& value) {
  if (block.size() < at + sizeof(T)) block.resize(at + sizeof(T));
  std::memcpy(block.data() + at, &value, sizeof(T));
}

std::size_t aligned(std::size_t bytes) { return (bytes + 15) & ~std::size_t{15}; }

/** Where a frame starts behind its header: as in tpacket_rcv, net/packet/af_packet.c. */
std::size_t frameOffset() {
  return aligned(TPACKET_ALIGN(sizeof(tpacket3_hdr)) + sizeof(sockaddr_ll)) + kVnetBytes;
}

void putPacket(Buffer& block, std::size_t at, const RingPacket& packet, bool last) {
  const std::size_t start = frameOffset();
  const std::size_t length = aligned(start + packet.bytes.size());
  tpacket3_hdr header{};
  header.tp_next_offset = last ? 0 : static_cast<std::uint32_t>(length);
  header.tp_sec = packet.seconds;
  header.tp_nsec = packet.nanoseconds;
  header.tp_snaplen = static_cast<std::uint32_t>(packet.bytes.size());
  header.tp_len = packet.wireLength == 0 ? header.tp_snaplen : packet.wireLength;
  header.tp_mac = static_cast<std::uint16_t>(start);
  header.tp_net = static_cast<std::uint16_t>(start + 14);
  header.tp_status = TP_STATUS_USER;
  if (packet.vlan >= 0) {
    header.tp_status |= TP_STATUS_VLAN_VALID;
    header.hv1.tp_vlan_tci = static_cast<std::uint32_t>(packet.vlan) | 0x2000U;
  }
  put(block, at, header);
  sockaddr_ll address{};
  address.sll_pkttype = packet.outgoing ? PACKET_OUTGOING : PACKET_HOST;
  put(block, at + TPACKET_ALIGN(sizeof(tpacket3_hdr)), address);
  put(block, at + start - kVnetBytes + 1, packet.gsoType);
  put(block, at + start - kVnetBytes + 4, packet.gsoBytes);
  block.resize(std::max(block.size(), at + length));
  std::ranges::copy(packet.bytes,
                    block.begin() + static_cast<std::ptrdiff_t>(at + start));
}

}  // namespace

Buffer ringBlock(const std::vector<RingPacket>& packets) {
  Buffer block(kBlockBytes);
  tpacket_block_desc head{};
  head.hdr.bh1.block_status = TP_STATUS_USER;
  head.hdr.bh1.num_pkts = static_cast<std::uint32_t>(packets.size());
  head.hdr.bh1.offset_to_first_pkt = static_cast<std::uint32_t>(aligned(sizeof(head)));
  put(block, 0, head);
  std::size_t at = head.hdr.bh1.offset_to_first_pkt;
  for (const RingPacket& packet : packets) {
    putPacket(block, at, packet, &packet == &packets.back());
    at += aligned(frameOffset() + packet.bytes.size());
  }
  return block;
}

}  // namespace sluice::test
