// The decoder over frames made by hand.
#include "decoder.hpp"

#include <string>
#include <vector>

#include "check.hpp"
#include "frames.hpp"

namespace sluice::test {
namespace {

constexpr std::size_t kPayload = 7;

Segment sample() {
  return {.sequence = 0x01020304, .window = 0x0506, .payload = kPayload};
}

Buffer inner4() { return ipv4({}, tcp(sample())); }
Buffer inner6() { return ipv6({}, tcp(sample())); }

struct Good {
  const char* name;
  std::uint32_t linkType;
  Buffer frame;
  unsigned version = 4;
  std::uint16_t vlan = kNoVlan;
};

std::vector<Good> linkFrames() {
  const Buffer pppoe = Writer().u8(0x11).u8(0).be16(9).be16(0).take();
  const Buffer cooked = Writer().zeros(14).take();
  const auto label = [](bool bottom) {
    return Writer().be16(0x0001).u8(bottom ? 0x21 : 0x20).u8(64).take();
  };
  return {
      {"Ethernet carries IPv4", kLinkEthernet, ethernet(0x0800, inner4())},
      {"Ethernet carries IPv6", kLinkEthernet, ethernet(0x86dd, inner6()), 6},
      {"an 802.1Q tag is read", kLinkEthernet,
       ethernet(0x8100, vlanTag(7, 0x0800) + inner4()), 4, 7},
      {"of two tags the outer one counts", kLinkEthernet,
       ethernet(0x88a8, vlanTag(100, 0x8100) + vlanTag(7, 0x86dd) + inner6()), 6, 100},
      {"the old QinQ type is known", kLinkEthernet,
       ethernet(0x9100, vlanTag(4095, 0x8100) + vlanTag(7, 0x0800) + inner4()), 4, 4095},
      {"a PPPoE session carries IPv4", kLinkEthernet,
       ethernet(0x8864, pppoe + Writer().be16(0x0021).take() + inner4())},
      {"a PPPoE session carries IPv6", kLinkEthernet,
       ethernet(0x8864, pppoe + Writer().be16(0x0057).take() + inner6()), 6},
      {"PPPoE in a VLAN keeps the tag", kLinkEthernet,
       ethernet(0x8100,
                vlanTag(7, 0x8864) + pppoe + Writer().be16(0x0021).take() + inner4()),
       4, 7},
      {"MPLS with one label", kLinkEthernet, ethernet(0x8847, label(true) + inner4())},
      {"MPLS with two labels carries IPv6", kLinkEthernet,
       ethernet(0x8848, label(false) + label(true) + inner6()), 6},
      {"raw IP, IPv4", kLinkRaw, inner4()},
      {"raw IP, IPv6", kLinkRaw, inner6(), 6},
      {"raw IP of BSD", kLinkRawBsd, inner4()},
      {"raw IP of OpenBSD", kLinkRawOpenBsd, inner6(), 6},
      {"raw IPv4", kLinkIpv4, inner4()},
      {"raw IPv6", kLinkIpv6, inner6(), 6},
      {"Linux cooked", kLinkLinuxCooked,
       cooked + Writer().be16(0x0800).take() + inner4()},
      {"Linux cooked with a VLAN tag", kLinkLinuxCooked,
       cooked + Writer().be16(0x8100).take() + vlanTag(7, 0x86dd) + inner6(), 6, 7},
      {"Linux cooked, version 2", kLinkLinuxCooked2,
       Writer().be16(0x86dd).zeros(18).take() + inner6(), 6},
      {"null of a little-endian machine", kLinkNull,
       Writer().be32(0x02000000).take() + inner4()},
      {"null of a big-endian machine", kLinkNull, Writer().be32(30).take() + inner6(), 6},
      {"loop", kLinkLoop, Writer().be32(24).take() + inner6(), 6},
      {"PPP with address and control", kLinkPpp,
       Writer().be16(0xff03).be16(0x0021).take() + inner4()},
      {"PPP with a compressed protocol field", kLinkPpp,
       Writer().u8(0x57).take() + inner6(), 6},
      {"PPP in HDLC framing", kLinkPppHdlc,
       Writer().be16(0xff03).be16(0x0057).take() + inner6(), 6},
      {"IPv4 with options", kLinkRaw, ipv4({.optionBytes = 12}, tcp(sample()))},
      {"IPv6 with all extension headers", kLinkRaw,
       ipv6({.next = 0}, extension(43, 8) + extension(60, 24) + extension(51, 16) +
                             // AH counts in units of 4 bytes, less 2.
                             Writer().u8(44).u8(4).zeros(22).take() +
                             Writer().u8(kProtocolTcp).zeros(7).take() + tcp(sample())),
       6},
  };
}

struct Bad {
  const char* name;
  std::uint32_t linkType;
  Buffer frame;
  DropReason reason;
};

std::vector<Bad> badFrames() {
  Buffer tags;
  for (int i = 0; i < 20; ++i) tags = tags + vlanTag(1, 0x8100);
  Buffer extensions;
  for (int i = 0; i < 40; ++i) extensions = extensions + extension(60, 8);
  Buffer shortHeader = inner4();
  shortHeader[0] = std::byte{0x44};
  Buffer badOffset = tcp(sample());
  badOffset[12] = std::byte{0x40};
  Buffer longOffset = tcp(sample());
  longOffset[12] = std::byte{0xf0};
  return {
      {"an unknown link type", 9'999, inner4(), DropReason::kUnknownLinkType},
      {"an empty frame", kLinkEthernet, {}, DropReason::kShortLinkHeader},
      {"an empty raw frame", kLinkRaw, {}, DropReason::kShortIpHeader},
      {"ARP", kLinkEthernet, ethernet(0x0806, inner4()), DropReason::kNotIp},
      {"PPPoE discovery in a session", kLinkEthernet,
       ethernet(0x8864, Writer().u8(0x11).u8(9).zeros(12).take()), DropReason::kNotIp},
      {"PPP control", kLinkPpp, Writer().be16(0xc021).zeros(8).take(),
       DropReason::kNotIp},
      {"MPLS that carries Ethernet", kLinkEthernet,
       ethernet(0x8847, Writer().be32(0x00001140).zeros(30).take()), DropReason::kNotIp},
      {"MPLS without a bottom", kLinkEthernet, ethernet(0x8847, Buffer(200)),
       DropReason::kTooManyTags},
      {"another address family", kLinkNull, Writer().be32(7).take() + inner4(),
       DropReason::kNotIp},
      {"twenty VLAN tags", kLinkEthernet, ethernet(0x8100, tags),
       DropReason::kTooManyTags},
      {"IP version 5", kLinkRaw, Buffer(40, std::byte{0x50}), DropReason::kBadIpVersion},
      {"an IPv4 header length of 16", kLinkRaw, shortHeader, DropReason::kBadIpHeader},
      {"an IPv4 total length below the header's", kLinkRaw,
       ipv4({.totalLength = 19}, tcp(sample())), DropReason::kBadIpLength},
      {"a second fragment", kLinkRaw, ipv4({.fragment = 0x2001}, tcp(sample())),
       DropReason::kFragment},
      {"a second IPv6 fragment", kLinkRaw,
       ipv6({.next = 44}, Writer().u8(6).u8(0).be16(8).zeros(4).take() + tcp(sample())),
       DropReason::kFragment},
      {"forty extension headers", kLinkRaw, ipv6({.next = 60}, extensions),
       DropReason::kTooManyExtensions},
      {"an extension header that is longer than the packet", kLinkRaw,
       ipv6({.next = 60}, Writer().u8(6).u8(255).zeros(30).take()),
       DropReason::kBadIpHeader},
      {"ICMP", kLinkRaw, ipv4({.protocol = 1}, Buffer(20)), DropReason::kOtherProtocol},
      {"no next header", kLinkRaw, ipv6({.next = 59}, Buffer(20)),
       DropReason::kOtherProtocol},
      {"an IPv4 packet that ends within TCP", kLinkRaw,
       ipv4({.totalLength = 39}, tcp(sample())), DropReason::kShortTransportHeader},
      {"a first fragment too short for TCP", kLinkRaw,
       ipv4({.fragment = 0x2000}, Buffer(8)), DropReason::kShortTransportHeader},
      {"a TCP data offset of 16", kLinkRaw, ipv4({}, badOffset),
       DropReason::kBadTcpHeader},
      {"a TCP data offset behind the packet", kLinkRaw, ipv4({}, longOffset),
       DropReason::kBadTcpHeader},
      {"a UDP length of 7", kLinkRaw, ipv4({.protocol = 17}, udp(sample(), 7)),
       DropReason::kBadUdpLength},
      {"a UDP length behind the packet", kLinkRaw,
       ipv4({.protocol = 17}, udp(sample(), 16)), DropReason::kBadUdpLength},
  };
}

Frame frameOf(const Buffer& bytes, std::uint32_t linkType) {
  return {.bytes = bytes,
          .wireLength = static_cast<std::uint32_t>(bytes.size()),
          .linkType = linkType};
}

void goodFrames(Suite& suite) {
  for (const Good& good : linkFrames()) {
    suite.test(std::string("decoder: ") + good.name, [&](Check& check) {
      Packet packet;
      // Padding to the least Ethernet frame belongs to no packet.
      const Buffer padded = good.frame + Buffer(18);
      const Drop drop = decode(frameOf(padded, good.linkType), kAllTunnels, packet);
      check.that(!drop, "is not dropped");
      if (drop) return;
      check.equal(packet.ipVersion, good.version, "version");
      check.equal(packet.vlan, good.vlan, "vlan");
      check.equal(packet.sourcePort, 40'000, "source port");
      check.equal(packet.destinationPort, 443, "destination port");
      check.equal(packet.protocol, kProtocolTcp, "protocol");
      check.equal(packet.sequence, 0x01020304, "sequence");
      check.equal(packet.window, 0x0506, "window");
      check.equal(packet.tcpFlags, kTcpAck, "flags");
      check.equal(packet.payloadLength, kPayload, "payload length");
      check.equal(packet.payload.size(), kPayload, "captured payload");
      check.equal(packet.payload[6], 6, "the last byte of payload");
      const std::size_t last = good.version == 4 ? 3 : 15;
      check.equal(packet.source.at(last), 1, "source");
      check.equal(packet.destination.at(last), 2, "destination");
    });
  }
}

void drops(Suite& suite) {
  for (const Bad& bad : badFrames()) {
    suite.test(std::string("decoder: drops ") + bad.name, [&](Check& check) {
      Packet packet;
      const Drop drop = decode(frameOf(bad.frame, bad.linkType), kAllTunnels, packet);
      check.that(drop.has_value(), "is dropped");
      if (drop) check.equal(*drop, bad.reason, "reason");
    });
  }
}

/** Decodes what has to be good. */
Packet decoded(Check& check, const Frame& frame) {
  Packet packet;
  check.that(!decode(frame, kAllTunnels, packet), "is not dropped");
  return packet;
}

void lengths(Suite& suite) {
  suite.test("decoder: a cut capture keeps the lengths of the wire", [](Check& check) {
    const Buffer frame = ipv4({}, tcp(sample().with(kTcpAck, 1'000)));
    Frame cut = frameOf(frame, kLinkRaw);
    cut.bytes = cut.bytes.first(100);
    const Packet packet = decoded(check, cut);
    check.equal(packet.ipLength, 1'040, "IP length");
    check.equal(packet.payloadLength, 1'000, "payload length");
    check.equal(packet.payload.size(), 60, "captured payload");
  });
  suite.test(
      "decoder: with a total length of 0 the frame's length counts", [](Check& check) {
        const Buffer frame = ipv4({.totalLength = 0}, tcp(sample().with(kTcpAck, 100)));
        Frame cut = frameOf(frame, kLinkRaw);
        cut.wireLength = 60'000;
        const Packet packet = decoded(check, cut);
        check.equal(packet.ipLength, 60'000, "IP length");
        check.equal(packet.payloadLength, 59'960, "payload length");
        check.equal(packet.payload.size(), 100, "captured payload");
      });
  suite.test(
      "decoder: with an IPv6 payload length of 0 the frame's counts", [](Check& check) {
        const Buffer frame = ipv6({.payloadLength = 0}, tcp(sample().with(kTcpAck, 100)));
        Frame cut = frameOf(frame, kLinkRaw);
        cut.wireLength = 70'000;
        const Packet packet = decoded(check, cut);
        check.equal(packet.ipLength, 70'000, "IP length");
        check.equal(packet.payloadLength, 69'940, "payload length");
      });
  suite.test(
      "decoder: a wire length below the captured one is not believed", [](Check& check) {
        const Buffer frame = ipv4({.totalLength = 0}, tcp(sample().with(kTcpAck, 100)));
        Frame lie = frameOf(frame, kLinkRaw);
        lie.wireLength = 1;
        check.equal(decoded(check, lie).ipLength, 140, "IP length");
      });
  suite.test("decoder: a capture that ends within TCP options has no payload",
             [](Check& check) {
               Buffer segment = tcp(sample());
               segment[12] = std::byte{0x60};
               const Buffer frame = ipv4({}, segment);
               Frame cut = frameOf(frame, kLinkRaw);
               cut.bytes = cut.bytes.first(42);
               const Packet packet = decoded(check, cut);
               check.equal(packet.payloadLength, kPayload - 4, "payload length");
               check.equal(packet.payload.size(), 0, "captured payload");
             });
  suite.test("decoder: a tag that the kernel took off is the outermost",
             [](Check& check) {
               const Buffer frame = ethernet(0x8100, vlanTag(7, 0x0800) + inner4());
               Frame tagged = frameOf(frame, kLinkEthernet);
               tagged.vlan = 100;
               check.equal(decoded(check, tagged).vlan, 100, "vlan");
             });
}

void datagrams(Suite& suite) {
  suite.test("decoder: UDP tells its own length", [](Check& check) {
    const Buffer frame = ipv4({.protocol = 17}, udp(sample(), 12));
    const Packet packet = decoded(check, frameOf(frame, kLinkRaw));
    check.equal(packet.payloadLength, 4, "payload length");
    check.equal(packet.payload.size(), 4, "captured payload");
    check.equal(packet.ipLength, 35, "IP length");
    check.equal(packet.tcpFlags, 0, "flags");
  });
  suite.test("decoder: a UDP length of 0 means up to the end", [](Check& check) {
    const Buffer frame = ipv6({.next = 17}, udp(sample(), 0));
    check.equal(decoded(check, frameOf(frame, kLinkRaw)).payloadLength, kPayload,
                "payload length");
  });
  suite.test("decoder: a first fragment has its own length", [](Check& check) {
    const Buffer frame = ipv4({.protocol = 17, .fragment = 0x2000}, udp(sample(), 3'000));
    check.equal(decoded(check, frameOf(frame, kLinkRaw)).payloadLength, kPayload,
                "payload length");
  });
}

}  // namespace

void decoderTests(Suite& suite) {
  goodFrames(suite);
  drops(suite);
  lengths(suite);
  datagrams(suite);
}

}  // namespace sluice::test
