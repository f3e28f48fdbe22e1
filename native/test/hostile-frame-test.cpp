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
  const Buffer tagged = ethernet(0x8100, vlanTag(1, 0x86dd) + six);
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
      {kLinkRaw, ipv4({.protocol = kProtocolGre}, gre(0xb000, 0x0800, four))},
      {kLinkRaw, ipv6({.next = kProtocolGre}, gre(0x2000, 0x6558, tagged))},
      {kLinkRaw, ipv4({.protocol = kProtocolGre}, gre(0x3081, 0x880b, ppp))},
      {kLinkRaw, ipv6({.next = 60}, extension(kProtocolIpv4, 8) + four)},
      {kLinkRaw, ipv4({.protocol = kProtocolIpv6}, six)},
      {kLinkRaw, vxlan(tagged)},
      {kLinkRaw, gtpu(0x36, Writer().be32(0x85).take() + gtpuExtension(2, 0), four)},
      {kLinkRaw,
       ipv4({.protocol = kProtocolGre},
            gre(0, 0x0800, vxlan(ethernet(0x86dd, ipv6({.next = kProtocolIpv6}, six)))))},
  };
}

/** Decodes an exact copy on the heap, so that a read behind its end is seen. */
Drop decodeCopy(const Buffer& frame, std::size_t length, std::uint32_t linkType,
                Packet& packet, std::uint8_t tunnels = kAllTunnels) {
  const auto copy = std::make_unique<std::byte[]>(length);
  std::copy_n(frame.begin(), length, copy.get());
  const Drop drop = decode({.bytes = {copy.get(), length},
                            .wireLength = static_cast<std::uint32_t>(frame.size()),
                            .linkType = linkType},
                           tunnels, packet);
  // The payload is a view into the copy, which ends here.
  if (!drop && !packet.payload.empty()) {
    const auto* end = packet.payload.data() + packet.payload.size();
    if (packet.payload.data() < copy.get() || end > copy.get() + length) std::abort();
  }
  packet.payload = {};
  return drop;
}

void truncated(Suite& suite) {
  suite.test("a frame cut anywhere is dropped or tells the same packet, or the tunnel's",
             [](Check& check) {
               for (const Kind& kind : kinds()) {
                 const std::size_t size = kind.frame.size();
                 Packet whole;
                 check.that(!decodeCopy(kind.frame, size, kind.linkType, whole), "whole");
                 Packet carrier;
                 if (decodeCopy(kind.frame, size, kind.linkType, carrier, kTunnelGre)) {
                   carrier = whole;
                 }
                 for (std::size_t length = 0; length < size; ++length) {
                   Packet cut;
                   if (decodeCopy(kind.frame, length, kind.linkType, cut)) continue;
                   const bool inner = cut.destinationPort == whole.destinationPort;
                   const Packet& want = inner ? whole : carrier;
                   check.equal(cut.payloadLength, want.payloadLength, "payload length");
                   check.equal(cut.ipLength, want.ipLength, "IP length");
                   check.equal(cut.destinationPort, want.destinationPort, "port");
                   check.equal(cut.vlan, want.vlan, "vlan");
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
  suite.test("whatever a tunnel's port carries is no drop", [](Check& check) {
    Random random(3);
    std::array<int, 2> told{};
    for (int i = 0; i < 100'000; ++i) {
      Buffer body(random() % 120);
      for (std::byte& byte : body) byte = static_cast<std::byte>(random());
      // What opens the tunnel, so that some of it goes on to the inner headers.
      Writer start;
      if (i % 2 == 0) start.be32(0x08000000).zeros(16).be16(i % 4 == 0 ? 0x800 : 0x86dd);
      if (i % 2 == 1) start.be16(i % 4 == 1 ? 0x30ff : 0x34ff).zeros(6);
      if (i % 4 == 3) start.be32(0x85);
      if (!body.empty() && i % 8 < 6) body[0] = std::byte{0x45};
      if (body.size() > 9 && i % 8 < 6) {
        body[6] = body[7] = std::byte{0};  // no fragment
        body[9] = static_cast<std::byte>(i % 3 == 0 ? kProtocolGre : kProtocolUdp);
      }
      // A UDP length of 0 is always right.
      if (body.size() > 25 && i % 3 != 0) body[24] = body[25] = std::byte{0};
      const unsigned port = i % 2 == 0 ? 8'472 : 2'152;
      const Buffer frame = ipv4({.protocol = kProtocolUdp},
                                datagram({.toPort = port}, start.take() + body));
      Packet packet;
      check.that(!decodeCopy(frame, frame.size(), kLinkRaw, packet), "is not dropped");
      ++told.at(packet.destinationPort == port ? 0 : 1);
    }
    check.that(told[0] > 1'000 && told[1] > 1'000, "tunnels and what is none");
  });
  suite.test("whatever GRE and IP in IP carry does no harm", [](Check& check) {
    Random random(4);
    constexpr std::array<unsigned, 6> kTypes = {0x0800, 0x86dd, 0x6558,
                                                0x880b, 0x8847, 0x8100};
    for (int i = 0; i < 100'000; ++i) {
      Buffer body(random() % 120);
      for (std::byte& byte : body) byte = static_cast<std::byte>(random());
      if (!body.empty() && i % 2 == 0) body[0] = std::byte{0x45};
      const unsigned flags = i % 5 == 0 ? random() & 0xffffU : 0x2000U;
      const Buffer packed = gre(flags, kTypes[random() % kTypes.size()], body);
      const Buffer frame = i % 3 == 0 ? ipv4({.protocol = kProtocolIpv4}, body)
                                      : ipv6({.next = kProtocolGre}, packed);
      Packet packet;
      const Drop drop = decodeCopy(frame, frame.size(), kLinkRaw, packet);
      check.that(
          drop || packet.protocol == kProtocolTcp || packet.protocol == kProtocolUdp,
          "is dropped, or TCP or UDP");
    }
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
