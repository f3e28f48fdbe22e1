// What a packet ring needs of kernel and permissions, tried step by step.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

/** In the order of trying. See packet(7) and linux/if_packet.h. */
enum class CaptureStep : std::uint8_t {
  kInterface,       // its index, by name
  kSocket,          // socket(AF_PACKET, SOCK_RAW): wants CAP_NET_RAW
  kVersion,         // PACKET_VERSION TPACKET_V3
  kVnetHeader,      // PACKET_VNET_HDR: gso_size with each packet
  kRing,            // PACKET_RX_RING of two small blocks
  kMap,             // mmap of the ring
  kMapLocked,       // the same with MAP_LOCKED: wants RLIMIT_MEMLOCK or CAP_IPC_LOCK
  kIgnoreOutgoing,  // PACKET_IGNORE_OUTGOING, Linux 4.20
  kFilter,          // SO_ATTACH_FILTER
  kBind,            // bind to the interface
  kFanout,          // PACKET_FANOUT by hash, as a group of its own
};

inline constexpr std::size_t kCaptureStepCount = 11;

/** Indexed by CaptureStep. */
inline constexpr std::array<std::string_view, kCaptureStepCount> kCaptureStepNames = {
    "interface",  "socket",          "version", "vnet-header", "ring",   "map",
    "map-locked", "ignore-outgoing", "filter",  "bind",        "fanout",
};

static_assert(static_cast<std::size_t>(CaptureStep::kFanout) + 1 == kCaptureStepCount);

/** By CaptureStep: 0 or an errno; nothing where an earlier step stood in the way. */
using CaptureProbe = std::array<std::optional<int>, kCaptureStepCount>;

/**
 * Tries all steps on an interface and closes everything again. No packet is taken in: the
 * filter, which refuses all, is there before the socket is bound.
 */
CaptureProbe probeCapture(std::string_view interfaceName);

}  // namespace sluice
