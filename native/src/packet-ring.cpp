#include "packet-ring.hpp"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <variant>

#include "decoder.hpp"
#include "interface-facts.hpp"

namespace sluice {
namespace {

/** Only checked against the block's size by TPACKET_V3, where frames are of any length.
 */
constexpr std::uint32_t kNominalFrameBytes = 2048;

std::optional<RingError> failed(const char* step) {
  return RingError{.step = step, .error = errno, .reason = {}};
}

template <class T>
bool setOption(int fd, int name, const T& value) {
  return ::setsockopt(fd, SOL_PACKET, name, &value, sizeof(value)) == 0;
}

/** An ioctl about an interface; the name has been checked to fit. */
bool ask(int fd, unsigned long request, const std::string& interface, ifreq& answer) {
  answer = {};
  interface.copy(answer.ifr_name, IFNAMSIZ - 1);
  return ::ioctl(fd, request, &answer) == 0;
}

/** linux/if_arp.h: what stands at the head of a frame. Unknown kinds are read without. */
bool ethernetLike(unsigned short hardware) {
  return hardware == ARPHRD_ETHER || hardware == ARPHRD_LOOPBACK;
}

}  // namespace

std::optional<RingError> PacketRing::open(const RingOptions& options, PacketRing& ring) {
  const auto facts = interfaceFacts(options.interface);
  if (const auto* fault = std::get_if<SystemFault>(&facts)) {
    return RingError{.step = "interface", .error = fault->error};
  }
  const auto& found = std::get<InterfaceFacts>(facts);
  ring.interface_ = options.interface;
  ring.index_ = static_cast<int>(found.index);
  ring.mtu_ = static_cast<std::uint16_t>(std::min(found.mtu, 0xffffU));
  // Without a link header the kernel is asked for packets from IP on, whatever the
  // device's own header may be. Of protocol 0: no frame comes before filter and ring are
  // in place.
  const bool link = ethernetLike(found.hardwareType);
  const int type = link ? SOCK_RAW : SOCK_DGRAM;
  ring.socket_ = Fd(::socket(AF_PACKET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!ring.socket_.ok()) return failed("packet socket");
  ring.layout_.linkType = link ? kLinkEthernet : kLinkRaw;
  RingOptions wanted = options;
  // What loops back is seen twice, on its way out and in: one of them will do.
  if (found.hardwareType == ARPHRD_LOOPBACK) wanted.ignoreOutgoing = true;
  return ring.setUp(wanted);
}

std::optional<RingError> PacketRing::setUp(const RingOptions& options) {
  const int fd = socket_.get();
  const int version = TPACKET_V3;
  if (!setOption(fd, PACKET_VERSION, version)) return failed("TPACKET_V3");
  // Only frames with a link header have it; kernels before 4.0 have none with rings.
  const int on = 1;
  layout_.vnetHeader =
      layout_.linkType == kLinkEthernet && setOption(fd, PACKET_VNET_HDR, on);
  if (options.ignoreOutgoing && !setOption(fd, PACKET_IGNORE_OUTGOING, on)) {
    // Kernels before 4.20: passed over by the reader of the blocks.
    layout_.outgoing = false;
  }
  if (const auto error = filter(options)) return error;
  if (const auto error = map(options)) return error;
  return attach(options);
}

std::optional<RingError> PacketRing::filter(const RingOptions& options) {
  PacketFilterOptions wanted = options.filter;
  wanted.linkHeader = layout_.linkType == kLinkEthernet;
  auto made = makePacketFilter(wanted);
  if (auto* error = std::get_if<PacketFilterError>(&made)) {
    return RingError{.step = "filter", .error = EINVAL, .reason = error->reason};
  }
  auto& program = std::get<PacketFilterProgram>(made);
  const sock_fprog attached{.len = static_cast<unsigned short>(program.size()),
                            .filter = program.data()};
  if (::setsockopt(socket_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &attached,
                   sizeof(attached)) != 0) {
    return failed("filter");
  }
  return std::nullopt;
}

std::optional<RingError> PacketRing::map(const RingOptions& options) {
  tpacket_req3 request{};
  request.tp_block_size = options.blockBytes;
  request.tp_block_nr = options.blocks;
  request.tp_frame_size = kNominalFrameBytes;
  request.tp_frame_nr = options.blockBytes / kNominalFrameBytes * options.blocks;
  request.tp_retire_blk_tov = options.retireMs;
  if (!setOption(socket_.get(), PACKET_RX_RING, request)) return failed("ring");
  blockBytes_ = options.blockBytes;
  blocks_ = options.blocks;
  const std::size_t bytes = blockBytes_ * blocks_;
  const auto mapWith = [&](int flags) {
    mapping_ = Mapping(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | flags,
                              socket_.get(), 0),
                       bytes);
    return mapping_.ok();
  };
  locked_ = options.lockMemory && mapWith(MAP_LOCKED);
  if (!locked_ && !mapWith(0)) return failed("ring memory");
  return std::nullopt;
}

std::optional<RingError> PacketRing::attach(const RingOptions& options) {
  const int fd = socket_.get();
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = index_;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return failed("bind");
  }
  if (options.promiscuous) {
    packet_mreq membership{};
    membership.mr_ifindex = index_;
    membership.mr_type = PACKET_MR_PROMISC;
    if (!setOption(fd, PACKET_ADD_MEMBERSHIP, membership))
      return failed("promiscuous mode");
  }
  if (options.fanoutGroup) {
    const std::uint32_t fanout =
        std::uint32_t{*options.fanoutGroup} | std::uint32_t{PACKET_FANOUT_HASH} << 16U;
    if (!setOption(fd, PACKET_FANOUT, fanout)) return failed("fanout");
  }
  return std::nullopt;
}

std::uint32_t& PacketRing::statusOf(std::size_t block) const {
  auto* const start = mapping_.bytes().data() + block * blockBytes_;
  return reinterpret_cast<tpacket_block_desc*>(start)->hdr.bh1.block_status;
}

bool PacketRing::blockReady() const {
  // Acquire: what the kernel wrote into the block before it changed the status is seen.
  const std::atomic_ref<std::uint32_t> status(statusOf(next_));
  return (status.load(std::memory_order_acquire) & TP_STATUS_USER) != 0;
}

RingBlock PacketRing::block() const {
  return RingBlock(mapping_.bytes().subspan(next_ * blockBytes_, blockBytes_), layout_);
}

void PacketRing::release() {
  // Release: the kernel may write into the block once it sees this, all reads are done.
  const std::atomic_ref<std::uint32_t> status(statusOf(next_));
  status.store(TP_STATUS_KERNEL, std::memory_order_release);
  next_ = (next_ + 1) % blocks_;
}

void PacketRing::readStatistics(RingStatistics& statistics) const {
  tpacket_stats_v3 counted{};
  socklen_t length = sizeof(counted);
  if (::getsockopt(fd(), SOL_PACKET, PACKET_STATISTICS, &counted, &length) != 0) return;
  statistics.packets += counted.tp_packets;
  statistics.drops += counted.tp_drops;
  statistics.freezes += counted.tp_freeze_q_cnt;
}

int PacketRing::takeError() const {
  int error = 0;
  socklen_t length = sizeof(error);
  return ::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

PacketRing::Presence PacketRing::presence() const {
  ifreq answer;
  if (!ask(fd(), SIOCGIFINDEX, interface_, answer) || answer.ifr_ifindex != index_) {
    return Presence::kGone;
  }
  if (!ask(fd(), SIOCGIFFLAGS, interface_, answer)) return Presence::kGone;
  return (answer.ifr_flags & IFF_UP) != 0 ? Presence::kUp : Presence::kDown;
}

}  // namespace sluice
