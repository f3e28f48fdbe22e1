#include "decoder.hpp"

#include <algorithm>

namespace sluice {
namespace {

/**
 * Twice what Linux lets a device segment (GSO_MAX_SIZE); a longer frame is a damaged
 * capture.
 */
constexpr std::uint32_t kMaxWireLength = 1U << 20U;

}  // namespace

// Flattened: decodeIp is called for inner packets as well, which would cost the plain
// ones its inlining, a sixth more instructions.
[[gnu::flatten]] Drop decode(const Frame& frame, std::uint8_t tunnels, Packet& packet) {
  packet = Packet{};
  packet.vlan = frame.vlan;
  Cursor cursor(frame.bytes);
  if (const Drop drop = skipLinkHeaders(cursor, frame.linkType, packet)) return drop;
  const auto captured = static_cast<std::uint32_t>(cursor.rest().size());
  const auto passed = static_cast<std::uint32_t>(cursor.offset());
  // A wire length below the captured one is a lie.
  const std::uint32_t wireLength = std::min(frame.wireLength, kMaxWireLength);
  const std::uint32_t wireLeft =
      wireLength > passed ? std::max(wireLength - passed, captured) : captured;
  Tunnel tunnel;
  tunnel.wanted = tunnels;
  const Drop drop = decodeIp(cursor, wireLeft, packet, tunnel);
  return tunnel.kind == 0 ? drop : openTunnel(tunnel, packet);
}

}  // namespace sluice
