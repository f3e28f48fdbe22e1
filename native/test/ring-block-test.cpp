// Blocks of a packet ring, made by hand: no privilege is needed for these.
#include "ring-block.hpp"

#include <linux/if_packet.h>

#include <algorithm>
#include <array>
#include <vector>

#include "check.hpp"
#include "decoder.hpp"
#include "random.hpp"
#include "ring-blocks.hpp"

namespace sluice::test {
namespace {

constexpr RingLayout kLayout = {
    .linkType = kLinkEthernet, .vnetHeader = true, .outgoing = true};

Buffer frameOfLength(std::size_t payload) {
  return ethernet(0x0800, ipv4({}, tcp({.payload = payload})));
}

std::vector<Frame> framesOf(Bytes block, const RingLayout& layout = kLayout) {
  std::vector<Frame> all;
  std::array<Frame, 3> frames;
  RingBlock walk(block, layout);
  for (;;) {
    const std::size_t count = walk.next(frames);
    all.insert(all.end(), frames.begin(),
               frames.begin() + static_cast<std::ptrdiff_t>(count));
    if (count < frames.size()) return all;
  }
}

void reading(Suite& suite) {
  suite.test(
      "ring: frames come in order, with their bytes, lengths and times",
      [](Check& check) {
        std::vector<RingPacket> packets;
        for (std::size_t i = 0; i < 7; ++i) {
          packets.push_back({.bytes = frameOfLength(10 * i),
                             .nanoseconds = static_cast<std::uint32_t>(i)});
        }
        packets[3].wireLength = 9'000;
        const Buffer block = ringBlock(packets);
        const auto frames = framesOf(block);
        check.equal(frames.size(), 7, "frames");
        for (std::size_t i = 0; i < frames.size(); ++i) {
          check.that(std::ranges::equal(frames[i].bytes, packets[i].bytes), "bytes");
          check.equal(frames[i].timeNs,
                      1'700'000'000'000'000'000 + static_cast<std::int64_t>(i), "time");
          check.equal(frames[i].linkType, kLinkEthernet, "link type");
          check.equal(frames[i].vlan, kNoVlan, "untagged");
          check.equal(frames[i].segmentBytes, 0, "not joined");
        }
        check.equal(frames[3].wireLength, 9'000, "wire length");
      });
  suite.test("ring: a tag that was taken off is told without its priority",
             [](Check& check) {
               const auto block =
                   ringBlock({{.bytes = frameOfLength(1), .vlan = 100}, {.bytes = {}}});
               const auto frames = framesOf(block);
               check.equal(frames.size(), 2, "frames");
               check.equal(frames.front().vlan, 100, "VLAN");
             });
  suite.test(
      "ring: the size of joined packets is told for TCP and UDP alone", [](Check& check) {
        // VIRTIO_NET_HDR_GSO_*: TCPV4 1, UDP 3, TCPV6 4, UDP_L4 5, ECN 0x80.
        const std::array<std::uint8_t, 6> types = {0, 1, 3, 4, 5, 0x81};
        const std::array<int, 6> want = {0, 1'448, 0, 1'448, 1'448, 1'448};
        for (std::size_t i = 0; i < types.size(); ++i) {
          const auto block = ringBlock(
              {{.bytes = frameOfLength(3'000), .gsoType = types[i], .gsoBytes = 1'448}});
          check.equal(framesOf(block).front().segmentBytes, want[i], "size");
          RingLayout plain = kLayout;
          plain.vnetHeader = false;
          check.equal(framesOf(block, plain).front().segmentBytes, 0,
                      "without the header");
        }
      });
  suite.test("ring: frames that this machine sends are passed over on demand",
             [](Check& check) {
               std::vector<RingPacket> packets(5, {.bytes = frameOfLength(1)});
               packets[0].outgoing = packets[2].outgoing = packets[3].outgoing = true;
               const Buffer block = ringBlock(packets);
               check.equal(framesOf(block).size(), 5, "of all");
               RingLayout incoming = kLayout;
               incoming.outgoing = false;
               check.equal(framesOf(block, incoming).size(), 2, "of those received");
             });
  suite.test("ring: a block without frames, and no block at all", [](Check& check) {
    check.equal(framesOf(ringBlock({})).size(), 0, "none");
    check.equal(framesOf({}).size(), 0, "no bytes");
    check.equal(framesOf(Buffer(10)).size(), 0, "not even its head");
  });
}

void hostile(Suite& suite) {
  suite.test("ring: whatever a block holds, a walk stays in it and ends",
             [](Check& check) {
               const Buffer whole = ringBlock(std::vector<RingPacket>(
                   9, {.bytes = frameOfLength(40), .vlan = 7, .gsoType = 1}));
               Random random(11);
               std::size_t frames = 0;
               for (int i = 0; i < 20'000; ++i) {
                 Buffer block = whole;
                 for (unsigned changes = 1 + random() % 6; changes > 0; --changes) {
                   block[random() % 600] = static_cast<std::byte>(random());
                 }
                 block.resize(random() % (block.size() + 1));
                 // The sanitizers watch every byte that is read.
                 RingBlock walk(block, kLayout);
                 std::array<Frame, 4> found;
                 for (int rounds = 0; rounds < 100; ++rounds) {
                   const std::size_t count = walk.next(found);
                   for (std::size_t f = 0; f < count; ++f) {
                     if (found[f].bytes.empty()) continue;
                     check.that(found[f].bytes.data() >= block.data() &&
                                    &found[f].bytes.back() <= &block.back(),
                                "inside");
                   }
                   frames += count;
                   if (count < found.size()) break;
                 }
               }
               check.that(frames > 10'000, "frames were found all the same");
             });
}

}  // namespace

void ringBlockTests(Suite& suite) {
  reading(suite);
  hostile(suite);
}

}  // namespace sluice::test
