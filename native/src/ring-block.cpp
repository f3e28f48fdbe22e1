#include "ring-block.hpp"

#include <linux/if_packet.h>

#include <cstring>
#include <optional>

#include "decoder.hpp"

namespace sluice {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
/**
 * struct virtio_net_hdr of linux/virtio_net.h, which no C++ compiler takes: it has a
 * member called class.
 */
struct VnetHeader {
  std::uint8_t flags;
  std::uint8_t gsoType;
  std::uint16_t headerBytes;
  std::uint16_t gsoBytes;
  std::uint16_t checksumStart;
  std::uint16_t checksumOffset;
};
static_assert(sizeof(VnetHeader) == 10);

// VnetHeader::gsoType.
constexpr std::uint8_t kGsoTcp4 = 1;
constexpr std::uint8_t kGsoTcp6 = 4;
constexpr std::uint8_t kGsoUdp = 5;  // datagrams (USO, UDP GRO); 3 is one in fragments
constexpr std::uint8_t kGsoKind = 0x7f;  // without VIRTIO_NET_HDR_GSO_ECN

/** A kernel structure at `offset`; nothing if it does not lie in the block whole. */
template <class T>
std::optional<T> structureAt(Bytes block, std::size_t offset) {
  if (offset > block.size() || block.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, block.data() + offset, sizeof(T));
  return value;
}

/** Payload of each packet that was joined into the frame; 0: it is one packet. */
std::uint16_t segmentBytes(const VnetHeader& header) {
  const std::uint8_t kind = header.gsoType & kGsoKind;
  return kind == kGsoTcp4 || kind == kGsoTcp6 || kind == kGsoUdp ? header.gsoBytes
                                                                 : std::uint16_t{0};
}

}  // namespace

RingBlock::RingBlock(Bytes block, const RingLayout& layout)
    : block_(block), layout_(layout) {
  const auto head = structureAt<tpacket_block_desc>(block, 0);
  if (!head) return;
  left_ = head->hdr.bh1.num_pkts;
  offset_ = head->hdr.bh1.offset_to_first_pkt;
}

std::size_t RingBlock::next(std::span<Frame> frames) {
  std::size_t count = 0;
  while (count < frames.size() && left_ > 0) {
    bool wanted = true;
    if (!readFrame(frames[count], wanted)) {
      left_ = 0;
      break;
    }
    --left_;
    if (wanted) ++count;
  }
  return count;
}

bool RingBlock::readFrame(Frame& frame, bool& wanted) {
  const auto header = structureAt<tpacket3_hdr>(block_, offset_);
  if (!header) return false;
  const std::size_t start = offset_ + header->tp_mac;
  if (start > block_.size() || header->tp_snaplen > block_.size() - start) return false;
  frame = {.bytes = block_.subspan(start, header->tp_snaplen),
           .wireLength = header->tp_len,
           .linkType = layout_.linkType,
           .timeNs = std::int64_t{header->tp_sec} * kNsPerSecond + header->tp_nsec};
  // The card or the kernel has taken the tag off the frame's bytes.
  if ((header->tp_status & TP_STATUS_VLAN_VALID) != 0) {
    frame.vlan = static_cast<std::uint16_t>(header->hv1.tp_vlan_tci & 0x0fffU);
  }
  if (layout_.vnetHeader && start >= sizeof(VnetHeader)) {
    const auto vnet = structureAt<VnetHeader>(block_, start - sizeof(VnetHeader));
    if (vnet) frame.segmentBytes = segmentBytes(*vnet);
  }
  if (!layout_.outgoing) {
    const auto address =
        structureAt<sockaddr_ll>(block_, offset_ + TPACKET_ALIGN(sizeof(tpacket3_hdr)));
    wanted = !address || address->sll_pkttype != PACKET_OUTGOING;
  }
  // 0 in the block's last frame.
  if (header->tp_next_offset == 0) {
    left_ = 1;
  } else {
    offset_ += header->tp_next_offset;
  }
  return true;
}

}  // namespace sluice
