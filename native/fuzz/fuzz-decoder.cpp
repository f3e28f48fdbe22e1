// Any bytes -> decoder: what it tells lies within the frame and fits together.
#include "decoder.hpp"
#include "input.hpp"

namespace sluice::fuzz {
namespace {

void checkPacket(const Frame& frame, const Packet& packet) {
  require(packet.ipVersion == 4 || packet.ipVersion == 6, "the IP version is 4 or 6");
  require(packet.protocol == kProtocolTcp || packet.protocol == kProtocolUdp,
          "the protocol is TCP or UDP");
  require(packet.vlan <= 0x0fff || packet.vlan == kNoVlan, "a VLAN id has 12 bits");
  require(packet.payload.size() <= packet.payloadLength,
          "no more payload is captured than was sent");
  require(packet.payloadLength < packet.ipLength, "the payload is part of the packet");
  if (packet.payload.empty()) return;
  const auto* begin = frame.bytes.data();
  require(packet.payload.data() >= begin, "the payload starts in the frame");
  require(packet.payload.data() + packet.payload.size() <= begin + frame.bytes.size(),
          "the payload ends in the frame");
}

void run(Bytes input) {
  Cursor cursor(input);
  const auto header = cursor.take<2>();
  if (!header) return;
  const Frame frame = frameOf(header->u8<0>(), header->u8<1>(), cursor.rest());
  Packet packet;
  if (!decode(frame, header->u8<1>() & kAllTunnels, packet)) checkPacket(frame, packet);
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" __attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(
    const std::uint8_t* data, std::size_t size) {
  sluice::fuzz::run(std::as_bytes(std::span(data, size)));
  return 0;
}
