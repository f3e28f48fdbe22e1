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

Drop decode(const Frame& frame, Packet& packet) {
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
  return decodeIp(cursor, wireLeft, packet);
}

}  // namespace sluice
