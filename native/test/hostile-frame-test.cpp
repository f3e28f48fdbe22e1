// Whatever the bytes: the decoder and the table read nothing outside them. The sanitizers
// watch.
#include <memory>
#include <vector>

#include "check.hpp"
#include "decoder.hpp"
#include "flow-table.hpp"
#include "frames.hpp"
#include "random.hpp"

namespace sluice::test {
namespace {

constexpr std::array<std::uint32_t, 14> kLinkTypes = {
    0, 1, 9, 12, 14, 50, 101, 108, 113, 228, 229, 276, 147, 65'535};

struct Kind {
  std::uint32_t linkType;
  Buffer frame;
};

std::vector<Kind> kinds() {
  const Segment segment{.payload = 20};
  const Buffer four = ipv4({.optionBytes = 8}, tcp(segment));
  const Buffer six =
      ipv6({.next = 0}, extension(44, 16) +
                            Writer().u8(17).u8(0).be16(1).zeros(4).take() + udp(segment));
  const Buffer ppp = Writer().be16(0xff03).be16(0x0057).take() + six;
  return {
      {kLinkEthernet, ethernet(0x88a8, vlanTag(2, 0x8100) + vlanTag(1, 0x0800) + four)},
      {kLinkEthernet,
       ethernet(0x8864, Writer().be16(0x1100).be32(0).be16(0x21).take() + four)},
      {kLinkEthernet,
       ethernet(0x8847, Writer().be32(0x00001040).be32(0x00001140).take() + six)},
      {kLinkRaw, four},
      {kLinkRaw, six},
      {kLinkPpp, ppp},
      {kLinkNull, Writer().be32(2).take() + four},
      {kLinkLinuxCooked, Writer().zeros(14).be16(0x86dd).take() + six},
      {kLinkLinuxCooked2, Writer().be16(0x0800).zeros(18).take() + four},
  };
}

/** Decodes an exact copy on the heap, so that a read behind its end is seen. */
Drop decodeCopy(const Buffer& frame, std::size_t length, std::uint32_t linkType,
                Packet& packet) {
  const auto copy = std::make_unique<std::byte[]>(length);
  std::copy_n(frame.begin(), length, copy.get());
  const Drop drop = decode({.bytes = {copy.get(), length},
                            .wireLength = static_cast<std::uint32_t>(frame.size()),
                            .linkType = linkType},
                           packet);
  // The payload is a view into the copy, which ends here.
  if (!drop && !packet.payload.empty()) {
    const auto* end = packet.payload.data() + packet.payload.size();
    if (packet.payload.data() < copy.get() || end > copy.get() + length) std::abort();
  }
  packet.payload = {};
  return drop;
}

void truncated(Suite& suite) {
  suite.test(
      "a frame cut anywhere is dropped or tells the same packet", [](Check& check) {
        for (const Kind& kind : kinds()) {
          Packet whole;
          check.that(!decodeCopy(kind.frame, kind.frame.size(), kind.linkType, whole),
                     "whole");
          for (std::size_t length = 0; length < kind.frame.size(); ++length) {
            Packet cut;
            if (decodeCopy(kind.frame, length, kind.linkType, cut)) continue;
            check.equal(cut.payloadLength, whole.payloadLength, "payload length");
            check.equal(cut.ipLength, whole.ipLength, "IP length");
            check.equal(cut.destinationPort, whole.destinationPort, "port");
          }
        }
      });
}

void random(Suite& suite) {
  suite.test("a hundred thousand frames of random bytes do no harm", [](Check& check) {
    Random random(1);
    FlowTable table({.maxFlows = 64, .maxRecords = 64, .poolBytes = 65'536, .seed = 1});
    Buffer into(table.maxRecordBytes());
    for (int i = 0; i < 100'000; ++i) {
      Buffer frame(random() % 120);
      for (std::byte& byte : frame) byte = static_cast<std::byte>(random());
      // A version nibble lets half of the raw ones in.
      if (!frame.empty() && i % 2 == 0) {
        frame[0] = static_cast<std::byte>(0x45 + (i % 4 / 2) * 0x1b);
      }
      const auto stamp =
          static_cast<std::int64_t>(std::uint64_t{random()} << 32U | random());
      table.process({.bytes = frame,
                     .wireLength = static_cast<std::uint32_t>(random()),
                     .linkType = kLinkTypes[random() % kLinkTypes.size()],
                     .timeNs = stamp});
      while (table.needsDrain()) table.drain(into);
    }
    check.equal(table.counters().frames, 100'000, "frames");
  });
  suite.test("valid frames with flipped bytes do no harm", [](Check& check) {
    Random random(2);
    FlowTable table({.maxFlows = 64, .maxRecords = 32, .poolBytes = 65'536, .seed = 1});
    Buffer into(table.maxRecordBytes());
    const std::vector<Kind> all = kinds();
    for (int i = 0; i < 100'000; ++i) {
      const Kind& kind = all[random() % all.size()];
      Buffer frame = kind.frame;
      for (unsigned flips = random() % 4; flips > 0; --flips) {
        frame[random() % frame.size()] = static_cast<std::byte>(random());
      }
      table.process({.bytes = frame,
                     .wireLength = static_cast<std::uint32_t>(frame.size()),
                     .linkType = kind.linkType,
                     .timeNs = static_cast<std::int64_t>(random())});
      while (table.needsDrain()) table.drain(into);
    }
    const FlowCounters& counters = table.counters();
    std::uint64_t dropped = 0;
    for (const std::uint64_t drop : counters.drops) dropped += drop;
    check.equal(counters.packets + dropped, counters.frames,
                "each frame is used or counted");
  });
}

}  // namespace

void hostileFrameTests(Suite& suite) {
  truncated(suite);
  random(suite);
}

}  // namespace sluice::test
