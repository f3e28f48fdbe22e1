#include "capture-probe.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cerrno>

#include "interface-facts.hpp"
#include "owned-fd.hpp"

namespace sluice {
namespace {

constexpr unsigned kBlocks = 2;
constexpr unsigned kBlockBytes = 64U << 10U;  // a whole page on every kernel
constexpr unsigned kFrameBytes = 2'048;

/** 0 or the errno. */
template <class Value>
int setOption(const Fd& fd, int level, int option, const Value& value) {
  return ::setsockopt(fd.get(), level, option, &value, sizeof(value)) == 0 ? 0 : errno;
}

int makeRing(const Fd& fd) {
  tpacket_req3 request{};
  request.tp_block_size = kBlockBytes;
  request.tp_block_nr = kBlocks;
  request.tp_frame_size = kFrameBytes;
  request.tp_frame_nr = kBlocks * (kBlockBytes / kFrameBytes);
  request.tp_retire_blk_tov = 10;
  return setOption(fd, SOL_PACKET, PACKET_RX_RING, request);
}

int map(const Fd& fd, int flags) {
  constexpr std::size_t kBytes = std::size_t{kBlocks} * kBlockBytes;
  const Mapping mapping(
      ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | flags, fd.get(), 0),
      kBytes);
  return mapping.ok() ? 0 : errno;
}

/** Attaches a filter that refuses every packet. */
int refuseAll(const Fd& fd) {
  sock_filter refuse{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0};
  const sock_fprog program{.len = 1, .filter = &refuse};
  return setOption(fd, SOL_SOCKET, SO_ATTACH_FILTER, program);
}

/** Interface index 0 is all of them. */
int bindTo(const Fd& fd, std::uint32_t index) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(index);
  const void* const from = &address;
  const auto bound =
      ::bind(fd.get(), static_cast<const sockaddr*>(from), sizeof(address));
  return bound == 0 ? 0 : errno;
}

int joinFanout(const Fd& fd) {
  // Older kernels let only a socket join that hears something, and one bound to an
  // interface that is down does not. The kernel chooses the group: others are in use.
  if (const int error = bindTo(fd, 0); error != 0) return error;
  constexpr unsigned kMode = PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_UNIQUEID;
  return setOption(fd, SOL_PACKET, PACKET_FANOUT, kMode << 16U);
}

}  // namespace

CaptureProbe probeCapture(std::string_view interfaceName) {
  CaptureProbe probe;
  /** Notes a step; true when it worked. */
  const auto note = [&probe](CaptureStep step, int error) {
    probe[static_cast<std::size_t>(step)] = error;
    return error == 0;
  };
  const auto found = interfaceIndex(interfaceName);
  const auto* const index = std::get_if<std::uint32_t>(&found);
  const auto* const fault = std::get_if<SystemFault>(&found);
  note(CaptureStep::kInterface, fault == nullptr ? 0 : fault->error);

  // Protocol 0: it hears nothing before it is bound.
  const Fd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!note(CaptureStep::kSocket, fd.ok() ? 0 : errno)) return probe;
  const bool isV3 = note(CaptureStep::kVersion,
                         setOption(fd, SOL_PACKET, PACKET_VERSION, int{TPACKET_V3}));
  note(CaptureStep::kVnetHeader, setOption(fd, SOL_PACKET, PACKET_VNET_HDR, 1));
  if (isV3 && note(CaptureStep::kRing, makeRing(fd))) {
    note(CaptureStep::kMap, map(fd, 0));
    note(CaptureStep::kMapLocked, map(fd, MAP_LOCKED));
  }
  note(CaptureStep::kIgnoreOutgoing,
       setOption(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1));
  if (!note(CaptureStep::kFilter, refuseAll(fd))) return probe;
  if (index != nullptr) note(CaptureStep::kBind, bindTo(fd, *index));
  note(CaptureStep::kFanout, joinFanout(fd));
  return probe;
}

}  // namespace sluice
