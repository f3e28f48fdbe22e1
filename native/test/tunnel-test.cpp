// The decoder over tunnels, alone and in each other, opened and left shut.
#include <algorithm>
#include <string>
#include <vector>

#include "check.hpp"
#include "decoder.hpp"
#include "frames.hpp"

namespace sluice::test {
namespace {

constexpr std::size_t kPayload = 7;
constexpr unsigned kEthernetInGre = 0x6558;
constexpr unsigned kPppInGre = 0x880b;

Segment sample() { return {.sequence = 0x01020304, .payload = kPayload}; }

Buffer inner4() { return ipv4({}, tcp(sample())); }
Buffer inner6() { return ipv6({}, tcp(sample())); }

Buffer over4(unsigned protocol, const Buffer& body) {
  return ipv4({.from = 101, .to = 102, .protocol = protocol}, body);
}
Buffer over6(unsigned protocol, const Buffer& body) {
  return ipv6({.from = 101, .to = 102, .next = protocol}, body);
}
Buffer greOver4(unsigned flags, unsigned type, const Buffer& body) {
  return over4(kProtocolGre, gre(flags, type, body));
}
Buffer ppp(unsigned protocol, const Buffer& body) {
  return Writer().be16(0xff03).be16(protocol).bytes(body).take();
}

Frame frameOf(const Buffer& bytes, std::uint32_t linkType = kLinkRaw) {
  return {.bytes = bytes,
          .wireLength = static_cast<std::uint32_t>(bytes.size()),
          .linkType = linkType};
}

using Kinds = std::vector<std::uint8_t>;

struct Tunnel {
  const char* name;
  Kinds kinds;  // from the outside in
  Buffer frame;
  unsigned version = 4;
  std::uint32_t linkType = kLinkRaw;
  std::uint16_t vlan = kNoVlan;
};

std::vector<Tunnel> greTunnels() {
  const Buffer label = Writer().be32(0x00001140).take();
  return {
      {"GRE carries IPv4", {kTunnelGre}, greOver4(0, 0x0800, inner4())},
      {"GRE carries IPv6", {kTunnelGre}, greOver4(0, 0x86dd, inner6()), 6},
      {"GRE over IPv6 with a destination option",
       {kTunnelGre},
       over6(60, extension(kProtocolGre, 8) + gre(0, 0x0800, inner4()))},
      {"GRE with a checksum", {kTunnelGre}, greOver4(0x8000, 0x0800, inner4())},
      {"GRE with a key", {kTunnelGre}, greOver4(0x2000, 0x0800, inner4())},
      {"GRE with a sequence number", {kTunnelGre}, greOver4(0x1000, 0x86dd, inner6()), 6},
      {"GRE with all three", {kTunnelGre}, greOver4(0xb000, 0x0800, inner4())},
      {"GRE with reserved bits that are to be ignored",
       {kTunnelGre},
       over4(kProtocolGre, Writer().be16(0x03f8).be16(0x0800).bytes(inner4()).take())},
      {"GRE carries Ethernet",
       {kTunnelGre},
       greOver4(0x2000, kEthernetInGre, ethernet(0x86dd, inner6())),
       6},
      {"GRE carries Ethernet with a tag",
       {kTunnelGre},
       greOver4(0, kEthernetInGre, ethernet(0x8100, vlanTag(7, 0x0800) + inner4())),
       4,
       kLinkRaw,
       7},
      {"GRE carries MPLS", {kTunnelGre}, greOver4(0, 0x8847, label + inner6()), 6},
      {"GRE carries PPP", {kTunnelGre}, greOver4(0x3000, kPppInGre, ppp(0x21, inner4()))},
      {"PPTP", {kTunnelGre}, greOver4(0x3001, kPppInGre, ppp(0x21, inner4()))},
      {"PPTP with an acknowledgment",
       {kTunnelGre},
       greOver4(0x3081, kPppInGre, ppp(0x57, inner6())),
       6},
  };
}

std::vector<Tunnel> ipTunnels() {
  return {
      {"IPv4 in IPv4", {kTunnelIpIp}, over4(kProtocolIpv4, inner4())},
      {"IPv6 in IPv4", {kTunnelIpIp}, over4(kProtocolIpv6, inner6()), 6},
      {"IPv4 in IPv6", {kTunnelIpIp}, over6(kProtocolIpv4, inner4())},
      {"IPv6 in IPv6", {kTunnelIpIp}, over6(kProtocolIpv6, inner6()), 6},
      // RFC 2473 section 4.1.1.
      {"IPv4 in IPv6 with an encapsulation limit",
       {kTunnelIpIp},
       over6(60, extension(kProtocolIpv4, 8) + inner4())},
      {"IPv4 in IPv4 in a VLAN",
       {kTunnelIpIp},
       ethernet(0x8100, vlanTag(100, 0x0800) + over4(kProtocolIpv4, inner4())),
       4,
       kLinkEthernet,
       100},
  };
}

std::vector<Tunnel> udpTunnels() {
  const Buffer plain = ethernet(0x0800, inner4());
  const Buffer tagged = ethernet(0x8100, vlanTag(7, 0x86dd) + inner6());
  const Buffer fromPort =
      over6(kProtocolUdp, datagram({.fromPort = 2'152, .toPort = 50'000},
                                   Writer().be32(0x30ff0000).be32(1).take() + inner4()));
  return {
      {"VXLAN", {kTunnelVxlan}, vxlan(plain)},
      {"VXLAN at the port of Linux", {kTunnelVxlan}, vxlan(plain, 8'472)},
      {"VXLAN with a tag inside", {kTunnelVxlan}, vxlan(tagged), 6, kLinkRaw, 7},
      {"VXLAN with a tag outside",
       {kTunnelVxlan},
       ethernet(0x8100, vlanTag(100, 0x0800) + vxlan(plain)),
       4,
       kLinkEthernet,
       100},
      {"VXLAN with tags on both sides keeps the outer",
       {kTunnelVxlan},
       ethernet(0x88a8, vlanTag(100, 0x0800) + vxlan(tagged)),
       6,
       kLinkEthernet,
       100},
      {"GTP-U carries IPv4", {kTunnelGtpu}, gtpu(0x30, {}, inner4())},
      {"GTP-U carries IPv6", {kTunnelGtpu}, gtpu(0x30, {}, inner6()), 6},
      {"GTP-U from its port, not to it", {kTunnelGtpu}, fromPort},
      {"GTP-U with a sequence number and a type that means nothing",
       {kTunnelGtpu},
       gtpu(0x32, Writer().be32(0x00010085).take(), inner4())},
      {"GTP-U with an N-PDU number",
       {kTunnelGtpu},
       gtpu(0x31, Writer().be32(0).take(), inner4())},
      {"GTP-U with the extension flag and no extension",
       {kTunnelGtpu},
       gtpu(0x34, Writer().be32(0).take(), inner4())},
      {"GTP-U with two extension headers",
       {kTunnelGtpu},
       gtpu(0x36,
            Writer().be32(0x85).take() + gtpuExtension(1, 0x40) + gtpuExtension(3, 0),
            inner4())},
  };
}

std::vector<Tunnel> nestedTunnels() {
  const Buffer four =
      over4(kProtocolIpv6,
            over6(kProtocolIpv4, over4(kProtocolIpv4, over4(kProtocolIpv4, inner4()))));
  return {
      {"GRE in GRE",
       {kTunnelGre, kTunnelGre},
       greOver4(0, 0x0800, greOver4(0x2000, 0x86dd, inner6())),
       6},
      {"VXLAN in GRE",
       {kTunnelGre, kTunnelVxlan},
       greOver4(0, 0x0800, vxlan(ethernet(0x0800, inner4())))},
      {"IP in IP in VXLAN",
       {kTunnelVxlan, kTunnelIpIp},
       vxlan(ethernet(0x86dd, over6(kProtocolIpv4, inner4())))},
      {"GTP-U in GRE in VXLAN",
       {kTunnelVxlan, kTunnelGre, kTunnelGtpu},
       vxlan(ethernet(0x0800, greOver4(0, 0x0800, gtpu(0x30, {}, inner4()))))},
      {"four of them", {kTunnelIpIp, kTunnelIpIp, kTunnelIpIp, kTunnelIpIp}, four},
      {"one of each, in a VLAN",
       {kTunnelGre, kTunnelVxlan, kTunnelGtpu, kTunnelIpIp},
       ethernet(0x8100,
                vlanTag(100, 0x0800) +
                    greOver4(0xb000, kEthernetInGre,
                             ethernet(0x8100, vlanTag(7, 0x0800) +
                                                  vxlan(ethernet(
                                                      0x0800, gtpu(0x30, {},
                                                                   over4(kProtocolIpv6,
                                                                         inner6()))))))),
       6,
       kLinkEthernet,
       100},
  };
}

std::vector<Tunnel> allTunnels() {
  std::vector<Tunnel> all;
  for (const auto& some : {greTunnels(), ipTunnels(), udpTunnels(), nestedTunnels()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

bool overUdp(std::uint8_t kind) { return (kind & (kTunnelVxlan | kTunnelGtpu)) != 0; }

void checkInner(Check& check, const Tunnel& tunnel, const Packet& packet) {
  check.equal(packet.ipVersion, tunnel.version, "version");
  check.equal(packet.vlan, tunnel.vlan, "vlan");
  check.equal(packet.protocol, kProtocolTcp, "protocol");
  check.equal(packet.sourcePort, 40'000, "source port");
  check.equal(packet.destinationPort, 443, "destination port");
  check.equal(packet.sequence, 0x01020304, "sequence");
  check.equal(packet.ipLength, (tunnel.version == 4 ? 40 : 60) + kPayload, "IP length");
  check.equal(packet.payloadLength, kPayload, "payload length");
  check.equal(packet.payload.size(), kPayload, "captured payload");
  check.equal(packet.payload.back(), kPayload - 1, "the last byte of payload");
  const std::size_t last = tunnel.version == 4 ? 3 : 15;
  check.equal(packet.source.at(last), 1, "source");
  check.equal(packet.destination.at(last), 2, "destination");
}

void opened(Suite& suite) {
  for (const Tunnel& tunnel : allTunnels()) {
    suite.test(std::string("tunnels: ") + tunnel.name, [&](Check& check) {
      std::uint8_t needed = 0;
      for (const std::uint8_t kind : tunnel.kinds) needed |= kind;
      for (const std::uint8_t tunnels : {kAllTunnels, needed}) {
        Packet packet;
        // Padding to the least Ethernet frame belongs to no packet.
        const Buffer padded = tunnel.frame + Buffer(18);
        const Drop drop = decode(frameOf(padded, tunnel.linkType), tunnels, packet);
        check.that(!drop, "is not dropped");
        if (!drop) checkInner(check, tunnel, packet);
      }
    });
  }
}

/** What is told of a tunnel when its kinds are opened down to `depth` only. */
void checkShut(Check& check, const Tunnel& tunnel, std::size_t depth, const Drop& drop,
               const Packet& packet) {
  const auto end = tunnel.kinds.begin() + static_cast<std::ptrdiff_t>(depth) + 1;
  if (!std::any_of(tunnel.kinds.begin(), end, overUdp)) {
    check.that(drop.has_value(), "is dropped");
    if (drop) check.equal(*drop, DropReason::kOtherProtocol, "reason");
    return;
  }
  check.that(!drop, "is not dropped");
  check.equal(packet.protocol, kProtocolUdp, "protocol");
  const std::size_t last = packet.ipVersion == 4 ? 3 : 15;
  check.equal(packet.source.at(last), 101, "source");
  check.equal(packet.payloadLength + 28 + (packet.ipVersion == 4 ? 0 : 20),
              packet.ipLength, "lengths of one packet");
}

void shut(Suite& suite) {
  for (const Tunnel& tunnel : allTunnels()) {
    suite.test(std::string("tunnels, shut: ") + tunnel.name, [&](Check& check) {
      for (std::size_t depth = 0; depth < tunnel.kinds.size(); ++depth) {
        const auto off = tunnel.kinds[depth];
        const auto first = std::find(tunnel.kinds.begin(), tunnel.kinds.end(), off);
        if (first != tunnel.kinds.begin() + static_cast<std::ptrdiff_t>(depth)) continue;
        Packet packet;
        const auto tunnels = static_cast<std::uint8_t>(kAllTunnels & ~off);
        const Drop drop = decode(frameOf(tunnel.frame, tunnel.linkType), tunnels, packet);
        checkShut(check, tunnel, depth, drop, packet);
      }
    });
  }
}

bool tellsOfAnEnd(DropReason reason) {
  return reason == DropReason::kShortLinkHeader || reason == DropReason::kShortIpHeader ||
         reason == DropReason::kShortTunnelHeader ||
         reason == DropReason::kShortTransportHeader;
}

void cut(Suite& suite) {
  for (const Tunnel& tunnel : allTunnels()) {
    suite.test(std::string("tunnels, cut anywhere: ") + tunnel.name, [&](Check& check) {
      bool told = false;
      for (std::size_t length = 0; length <= tunnel.frame.size(); ++length) {
        Frame frame = frameOf(tunnel.frame, tunnel.linkType);
        // An exact copy, so that the sanitizer sees a read behind its end.
        const Buffer copy(tunnel.frame.begin(),
                          tunnel.frame.begin() + static_cast<std::ptrdiff_t>(length));
        frame.bytes = copy;
        Packet packet;
        const Drop drop = decode(frame, kAllTunnels, packet);
        if (drop) check.that(tellsOfAnEnd(*drop), "the reason is the end of the capture");
        // From the carrier's or the inner header on, more bytes never tell less.
        check.that(!drop || !told, "is not dropped any more");
        told = told || !drop;
      }
      check.that(told, "the whole frame is told");
    });
  }
}

struct Bad {
  const char* name;
  Buffer frame;
  DropReason reason;
};

std::vector<Bad> badTunnels() {
  const auto short4 = [](std::size_t bytes) {
    Buffer whole = gre(0xb000, 0x0800, inner4());
    whole.resize(bytes);
    return over4(kProtocolGre, whole);
  };
  Buffer shortHeader = inner4();
  shortHeader[0] = std::byte{0x44};
  Buffer badOffset = tcp(sample());
  badOffset[12] = std::byte{0x40};
  const Buffer five = over4(
      kProtocolIpv4,
      over4(kProtocolIpv4,
            over4(kProtocolIpv4, over4(kProtocolIpv4, over4(kProtocolIpv4, inner4())))));
  const Buffer six = greOver4(0, 0x0800, five);
  return {
      {"GRE of three bytes", short4(3), DropReason::kShortTunnelHeader},
      {"GRE that ends within its optional fields", short4(15),
       DropReason::kShortTunnelHeader},
      {"GRE that carries nothing", short4(16), DropReason::kShortIpHeader},
      {"GRE of version 2", greOver4(2, 0x0800, inner4()), DropReason::kBadTunnelHeader},
      {"GRE of version 1 that is not PPTP", greOver4(0x2001, 0x0800, inner4()),
       DropReason::kBadTunnelHeader},
      {"GRE with source routes", greOver4(0x4000, 0x0800, inner4()),
       DropReason::kBadTunnelHeader},
      {"GRE that carries CDP", greOver4(0, 0x2000, Buffer(30)), DropReason::kNotIp},
      {"GRE that carries ARP over Ethernet",
       greOver4(0, kEthernetInGre, ethernet(0x0806, Buffer(28))), DropReason::kNotIp},
      {"GRE that carries too little for Ethernet", greOver4(0, kEthernetInGre, Buffer(9)),
       DropReason::kShortLinkHeader},
      {"a PPTP acknowledgment", greOver4(0x2081, kPppInGre, {}), DropReason::kNotIp},
      {"PPTP that carries encrypted PPP",
       greOver4(0x3001, kPppInGre, ppp(0xfd, Buffer(40))), DropReason::kNotIp},
      {"IP version 6 where 4 is announced", over4(kProtocolIpv4, inner6()),
       DropReason::kBadIpVersion},
      {"IP version 4 where 6 is announced", over6(kProtocolIpv6, inner4()),
       DropReason::kBadIpVersion},
      {"IP in IP without the inner", over4(kProtocolIpv4, {}),
       DropReason::kShortIpHeader},
      {"a bad inner IP header", over4(kProtocolIpv4, shortHeader),
       DropReason::kBadIpHeader},
      {"a bad inner TCP header", greOver4(0, 0x0800, ipv4({}, badOffset)),
       DropReason::kBadTcpHeader},
      {"an inner total length below the header's",
       over4(kProtocolIpv4, ipv4({.totalLength = 19}, tcp(sample()))),
       DropReason::kBadIpLength},
      {"an inner fragment",
       over4(kProtocolIpv4, ipv4({.fragment = 0x2001}, tcp(sample()))),
       DropReason::kFragment},
      {"a second fragment of the outer packet",
       ipv4({.protocol = kProtocolGre, .fragment = 0x0010}, gre(0, 0x0800, inner4())),
       DropReason::kFragment},
      {"ICMP in a tunnel", greOver4(0, 0x0800, ipv4({.protocol = 1}, Buffer(20))),
       DropReason::kOtherProtocol},
      {"five tunnels", five, DropReason::kTooManyTunnels},
      {"six tunnels", six, DropReason::kTooManyTunnels},
  };
}

void dropped(Suite& suite) {
  for (const Bad& bad : badTunnels()) {
    suite.test(std::string("tunnels: drops ") + bad.name, [&](Check& check) {
      Packet packet;
      const Drop drop = decode(frameOf(bad.frame), kAllTunnels, packet);
      check.that(drop.has_value(), "is dropped");
      if (drop) check.equal(*drop, bad.reason, "reason");
    });
  }
}

struct Carrier {
  const char* name;
  Buffer frame;
};

/** Packets at the ports of tunnels that are UDP and no more. */
std::vector<Carrier> carriers() {
  const auto at = [](unsigned from, unsigned to, const Buffer& body) {
    return over4(kProtocolUdp, datagram({.fromPort = from, .toPort = to}, body));
  };
  const Buffer vxlanHeader = Writer().be32(0x08000000).be32(0x2a00).take();
  const Buffer plain = ethernet(0x0800, inner4());
  const Buffer gpdu = Writer().be32(0x30ff002f).be32(1).take();
  const auto gtp = [&](std::uint32_t start, const Buffer& body) {
    return at(50'000, 2'152, Writer().be32(start).be32(1).bytes(body).take());
  };
  Buffer endless = Writer().be32(0x85).take();
  for (int i = 0; i < 20; ++i) endless = endless + gtpuExtension(1, 0x85);
  Buffer zero = Writer().be32(0x85).be32(0).take();
  return {
      {"an empty one to VXLAN's port", at(50'000, 4'789, {})},
      {"VXLAN without a network id", at(50'000, 4'789, Buffer(8) + plain)},
      {"VXLAN of seven bytes",
       at(50'000, 4'789, Writer().be32(0x08000000).zeros(3).take())},
      {"VXLAN that carries nothing", at(50'000, 4'789, vxlanHeader)},
      {"VXLAN that carries ARP",
       vxlan(ethernet(0x8100, vlanTag(7, 0x0806) + Buffer(28)))},
      {"VXLAN that carries ICMP",
       vxlan(ethernet(0x0800, ipv4({.protocol = 1}, Buffer(20))))},
      {"VXLAN that carries a second fragment",
       vxlan(ethernet(0x0800, ipv4({.fragment = 0x2001}, tcp(sample()))))},
      {"VXLAN that carries a broken GRE tunnel",
       vxlan(ethernet(0x0800, greOver4(2, 0x0800, inner4())))},
      {"VXLAN that carries five tunnels",
       vxlan(ethernet(
           0x0800,
           greOver4(0, 0x0800,
                    greOver4(0, 0x0800,
                             greOver4(0, 0x0800, greOver4(0, 0x0800, inner4()))))))},
      {"one from VXLAN's port", at(4'789, 50'000, vxlanHeader + plain)},
      {"an empty one to GTP-U's port", at(50'000, 2'152, {})},
      {"a GTP-U echo", gtp(0x32010004, Writer().be32(0).take())},
      {"an error indication of GTP-U", gtp(0x301a002f, inner4())},
      {"GTP of version 2", gtp(0x50ff002f, inner4())},
      {"GTP', the charging protocol", gtp(0x20ff002f, inner4())},
      {"GTP-U that ends within its optional fields", gtp(0x32ff0003, Buffer(3))},
      {"GTP-U that ends before its extension header",
       gtp(0x34ff0004, Writer().be32(0x85).take())},
      {"GTP-U that ends within its extension header",
       gtp(0x34ff0006, Writer().be32(0x85).be16(0x0100).take())},
      {"GTP-U with an extension header of no length", gtp(0x34ff0037, zero + inner4())},
      {"GTP-U with twenty extension headers", gtp(0x34ff0054, endless + inner4())},
      {"GTP-U that carries no IP", at(50'000, 2'152, gpdu + Buffer(40, std::byte{0x5a}))},
      {"GTP-U that carries too little",
       at(50'000, 2'152, gpdu + Buffer(8, std::byte{0x45}))},
  };
}

void carried(Suite& suite) {
  for (const Carrier& carrier : carriers()) {
    suite.test(std::string("tunnels: remains UDP: ") + carrier.name, [&](Check& check) {
      Packet packet;
      Packet unopened;
      check.that(!decode(frameOf(carrier.frame), kAllTunnels, packet), "is not dropped");
      check.that(!decode(frameOf(carrier.frame), 0, unopened), "is UDP");
      check.equal(packet.protocol, kProtocolUdp, "protocol");
      check.equal(packet.sourcePort, unopened.sourcePort, "source port");
      check.equal(packet.destinationPort, unopened.destinationPort, "destination port");
      check.equal(packet.ipLength, carrier.frame.size(), "IP length");
      check.equal(packet.payloadLength, carrier.frame.size() - 28, "payload length");
      check.equal(packet.payload.size(), carrier.frame.size() - 28, "captured payload");
      check.equal(packet.vlan, kNoVlan, "vlan");
      check.that(packet.source == unopened.source, "source");
    });
  }
  suite.test("tunnels: of five VXLANs the last remains UDP", [](Check& check) {
    Buffer frame = inner4();
    std::size_t last = 0;
    for (int i = 0; i < 5; ++i) {
      frame = vxlan(ethernet(0x0800, frame));
      if (i == 0) last = frame.size();
    }
    Packet packet;
    check.that(!decode(frameOf(frame), kAllTunnels, packet), "is not dropped");
    check.equal(packet.destinationPort, 4'789, "port");
    check.equal(packet.ipLength, last, "IP length");
  });
}

void lengths(Suite& suite) {
  suite.test(
      "tunnels: a first fragment tells the packet that starts in it", [](Check& check) {
        const Buffer inner = ipv4({}, tcp(sample().with(kTcpAck, 1'000)));
        Buffer body = gre(0, 0x0800, inner);
        body.resize(104);
        const Buffer frame = ipv4({.protocol = kProtocolGre, .fragment = 0x2000}, body);
        Packet packet;
        check.that(!decode(frameOf(frame + Buffer(18)), kAllTunnels, packet),
                   "is not dropped");
        check.equal(packet.ipLength, 1'040, "IP length");
        check.equal(packet.payloadLength, 1'000, "payload length");
        check.equal(packet.payload.size(), 60, "captured payload");
      });
  suite.test("tunnels: so does a first fragment of UDP", [](Check& check) {
    Buffer frame = vxlan(ethernet(0x0800, ipv4({}, tcp(sample().with(kTcpAck, 1'000)))));
    frame.resize(150);
    frame[2] = std::byte{0};  // total length
    frame[3] = std::byte{150};
    frame[6] = std::byte{0x20};  // more fragments
    Packet packet;
    check.that(!decode(frameOf(frame), kAllTunnels, packet), "is not dropped");
    check.equal(packet.payloadLength, 1'000, "payload length");
    check.equal(packet.payload.size(), 150 - 28 - 8 - 14 - 40, "captured payload");
  });
  suite.test("tunnels: an inner length of 0 means up to the end of the outer packet",
             [](Check& check) {
               const Buffer frame =
                   greOver4(0x2000, 0x0800, ipv4({.totalLength = 0}, tcp(sample())));
               Packet packet;
               check.that(!decode(frameOf(frame + Buffer(18)), kAllTunnels, packet),
                          "is not dropped");
               check.equal(packet.ipLength, 40 + kPayload, "IP length");
               check.equal(packet.payload.size(), kPayload, "captured payload");
             });
  suite.test("tunnels: inner UDP has no flags of an outer packet", [](Check& check) {
    Segment segment = sample();
    segment.toPort = 53;
    const Buffer frame =
        vxlan(ethernet(0x0800, ipv4({.protocol = kProtocolUdp}, udp(segment))));
    Packet packet;
    check.that(!decode(frameOf(frame), kAllTunnels, packet), "is not dropped");
    check.equal(packet.destinationPort, 53, "port");
    check.equal(packet.tcpFlags, 0, "flags");
    check.equal(packet.payloadLength, kPayload, "payload length");
  });
}

}  // namespace

void tunnelTests(Suite& suite) {
  opened(suite);
  shut(suite);
  cut(suite);
  dropped(suite);
  carried(suite);
  lengths(suite);
}

}  // namespace sluice::test
