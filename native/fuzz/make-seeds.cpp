// Writes what a fuzz target starts from: make-seeds
// decoder|flow-table|ring-block|capture-indexer FOLDER. Frames of every link type and of
// every layer the decoder knows, and flows made of them.
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "captures.hpp"
#include "frames.hpp"
#include "input.hpp"
#include "ring-blocks.hpp"

namespace sluice::fuzz {
namespace {

using namespace sluice::test;

Buffer extensionOf(unsigned type, const Buffer& data) {
  return Writer().be16(type).be16(static_cast<unsigned>(data.size())).bytes(data).take();
}

Buffer textOf(std::string_view text) {
  Writer writer;
  for (const char letter : text) writer.u8(static_cast<unsigned char>(letter));
  return writer.take();
}

/** Length in the lower 24 bits, RFC 8446 section 4. */
Buffer handshake(unsigned type, const Buffer& body) {
  return Writer()
      .be32(type << 24U | static_cast<std::uint32_t>(body.size()))
      .bytes(body)
      .take();
}

/** A TLS record with a ClientHello in it, RFC 8446 sections 4.1.2 and 5.1. */
Buffer clientHello() {
  const std::string_view name = "example.org";
  const auto nameBytes = static_cast<unsigned>(name.size());
  const Buffer extensions =
      extensionOf(
          0,
          Writer().be16(nameBytes + 3).u8(0).be16(nameBytes).bytes(textOf(name)).take()) +
      extensionOf(16, Writer().be16(3).u8(2).bytes(textOf("h2")).take()) +
      extensionOf(43, Writer().u8(2).be16(0x0304).take());
  const Buffer body = Writer()
                          .be16(0x0303)
                          .bytes(payloadOf(32))
                          .u8(0)
                          .be16(4)
                          .be16(0x1301)
                          .be16(0x1302)
                          .u8(1)
                          .u8(0)
                          .be16(static_cast<unsigned>(extensions.size()))
                          .bytes(extensions)
                          .take();
  const Buffer message = handshake(1, body);
  return Writer()
      .u8(22)
      .be16(0x0301)
      .be16(static_cast<unsigned>(message.size()))
      .bytes(message)
      .take();
}

struct Seed {
  std::string name;
  Buffer bytes;
};

struct Packet {
  std::string name;
  bool six;
  Buffer bytes;
};

/** TCP and UDP over IPv4 and IPv6, with and without options, extensions and fragments. */
std::vector<Packet> packets() {
  const Buffer hello = clientHello();
  const Buffer stream = tcp({}) + hello;
  const Buffer datagram = udp({}, static_cast<int>(8 + hello.size())) + hello;
  const Buffer fragment = Writer().u8(kProtocolUdp).u8(0).be16(1).zeros(4).take();
  return {
      {"tcp4", false, ipv4({}, stream)},
      {"tcp4-options", false, ipv4({.optionBytes = 12}, stream)},
      {"udp4", false, ipv4({.protocol = kProtocolUdp}, datagram)},
      {"udp4-fragment", false,
       ipv4({.protocol = kProtocolUdp, .fragment = 0x2000}, datagram)},
      {"tcp6", true, ipv6({}, stream)},
      {"tcp6-extensions", true,
       ipv6({.next = 0},
            extension(43, 8) + extension(60, 24) + extension(kProtocolTcp, 8) + stream)},
      {"udp6", true, ipv6({.next = kProtocolUdp}, datagram)},
      {"udp6-fragment", true, ipv6({.next = 44}, fragment + datagram)},
  };
}

struct Linked {
  std::string name;
  std::uint32_t linkType;
  Buffer bytes;
};

/** `packet` under every header that may stand before it. */
std::vector<Linked> linked(const Packet& packet) {
  const Buffer& ip = packet.bytes;
  const unsigned etherType = packet.six ? kEtherTypeIpv6 : kEtherTypeIpv4;
  const unsigned protocol = packet.six ? 0x57 : 0x21;
  const auto cooked2 = Writer().be16(etherType).zeros(18).take();
  const Buffer pppoe = Writer()
                           .be16(0x1100)
                           .be16(9)
                           .be16(static_cast<unsigned>(ip.size()) + 2)
                           .be16(protocol)
                           .take();
  const Buffer labels = Writer().be32(0x00001040).be32(0x00002140).take();
  return {
      {"ethernet", kLinkEthernet, ethernet(etherType, ip)},
      {"vlan", kLinkEthernet, ethernet(0x8100, vlanTag(7, etherType) + ip)},
      {"qinq", kLinkEthernet,
       ethernet(0x88a8, vlanTag(100, 0x8100) + vlanTag(7, etherType) + ip)},
      {"pppoe", kLinkEthernet, ethernet(0x8864, pppoe + ip)},
      {"mpls", kLinkEthernet, ethernet(0x8847, labels + ip)},
      {"cooked", kLinkLinuxCooked, Writer().zeros(14).be16(etherType).take() + ip},
      {"cooked2", kLinkLinuxCooked2, cooked2 + ip},
      {"null", kLinkNull,
       Writer().be32(packet.six ? 0x1e000000 : 0x02000000).take() + ip},
      {"loop", kLinkLoop, Writer().be32(packet.six ? 24 : 2).take() + ip},
      {"ppp", kLinkPpp, Writer().be16(0xff03).be16(protocol).take() + ip},
      {"ppp-hdlc", kLinkPppHdlc, Writer().u8(protocol).take() + ip},
      {"raw", kLinkRaw, ip},
      {"raw-bsd", kLinkRawBsd, ip},
      {"raw-openbsd", kLinkRawOpenBsd, ip},
      {"raw-version", packet.six ? kLinkIpv6 : kLinkIpv4, ip},
  };
}

unsigned indexOf(std::uint32_t linkType) {
  unsigned index = 0;
  while (kLinkTypes.at(index) != linkType) ++index;
  return index;
}

std::vector<Seed> decoderSeeds() {
  std::vector<Seed> seeds;
  unsigned bits = 0;
  for (const Packet& packet : packets()) {
    for (const Linked& frame : linked(packet)) {
      seeds.push_back({packet.name + "-" + frame.name, Writer()
                                                           .u8(indexOf(frame.linkType))
                                                           .u8(bits++ % 8)
                                                           .bytes(frame.bytes)
                                                           .take()});
    }
  }
  return seeds;
}

/** Writes what fuzz-flow-table.cpp reads. */
class Script {
 public:
  Script& add(std::uint32_t linkType, const Buffer& frame, unsigned bits, unsigned time) {
    const auto length = static_cast<unsigned>(frame.size());
    writer_.u8(indexOf(linkType))
        .u8(bits)
        .u8(time)
        .u8(time >> 8U)
        .u8(length)
        .u8(length >> 8U)
        .bytes(frame);
    return *this;
  }
  /** `time` in ms. */
  Script& tcp(const Segment& segment, unsigned time = 1, unsigned bits = 0) {
    return add(kLinkEthernet, tcpFrame(segment), bits | kMs, time);
  }
  Script& udp(const Segment& segment, unsigned time = 1, unsigned bits = 0) {
    return add(kLinkEthernet, udpFrame(segment), bits | kMs, time);
  }
  [[nodiscard]] Buffer take() { return writer_.take(); }

  static constexpr unsigned kMs = 1U << kUnitShift;
  static constexpr unsigned kSeconds = 2U << kUnitShift;
  static constexpr unsigned kHours = 3U << kUnitShift;

 private:
  Writer writer_;
};

constexpr unsigned kSynAck = kTcpSyn | kTcpAck;
constexpr unsigned kFinAck = kTcpFin | kTcpAck;

void connect(Script& script, const Segment& client) {
  script.tcp(client.with(kTcpSyn));
  script.tcp(client.reversed().with(kSynAck));
  script.tcp(client);
}

Buffer closedConnection() {
  Script script;
  const Segment client;
  connect(script, client);
  script.tcp(client.with(kTcpAck, 300)).tcp(client.reversed().with(kTcpAck, 400));
  script.tcp(client.with(kFinAck)).tcp(client.reversed().with(kFinAck)).tcp(client);
  // Another connection on the same ports, which a reset ends.
  connect(script, client);
  script.tcp(client.with(kTcpAck, 10)).tcp(client.reversed().with(kTcpRst));
  return script.take();
}

Buffer scan() {
  Script script;
  for (unsigned port = 1; port <= 30; ++port) {
    script.tcp({.toPort = port, .flags = kTcpSyn}, 1, port % 16 == 0 ? kDrainBefore : 0);
    script.tcp(
        {.from = 2, .to = 1, .fromPort = port, .toPort = 40'000, .flags = kTcpRst});
  }
  return script.take();
}

/** More flows with payload than there are records. */
Buffer manyFlows() {
  Script script;
  for (unsigned port = 1; port <= 18; ++port) {
    script.udp({.fromPort = port, .payload = 50});
    script.udp({.from = 2, .to = 1, .fromPort = 443, .toPort = port, .payload = 60});
  }
  return script.take();
}

/** More payload than there is room for. */
Buffer fullPool() {
  Script script;
  for (unsigned port = 1; port <= 9; ++port) {
    const Segment segment{.fromPort = port, .payload = 150};
    script.udp(segment, 1, kRepeat).udp(segment.reversed(), 1, kRepeat);
  }
  return script.take();
}

/** More packets than a series holds. */
Buffer longFlow() {
  Script script;
  for (unsigned i = 0; i < 25; ++i) {
    script.tcp({.sequence = 1'000 + i * 100, .payload = 100}, 100,
               i % 10 == 9 ? kDrainBefore : 0);
  }
  return script.take();
}

Buffer timeouts() {
  Script script;
  const Buffer datagram = udpFrame({.payload = 20});
  const Buffer segment = tcpFrame({.payload = 20});
  for (const unsigned unit : {Script::kMs, Script::kSeconds, Script::kHours}) {
    script.add(kLinkEthernet, datagram, unit, 9).add(kLinkEthernet, segment, unit, 11);
    script.add(kLinkEthernet, datagram, unit | kBackwards, 70);
    script.add(kLinkEthernet, segment, unit, 301).add(kLinkEthernet, segment, unit, 29);
  }
  return script.take();
}

/** One flow, a packet of it under every link header. */
Buffer links(const Packet& packet) {
  Script script;
  for (const Linked& frame : linked(packet)) {
    script.add(frame.linkType, frame.bytes, Script::kMs, 1);
  }
  return script.take();
}

std::vector<Seed> flowTableSeeds() {
  std::vector<Seed> seeds = {{"closed-connection", closedConnection()},
                             {"scan", scan()},
                             {"many-flows", manyFlows()},
                             {"full-pool", fullPool()},
                             {"long-flow", longFlow()},
                             {"timeouts", timeouts()}};
  for (const Packet& packet : packets()) {
    seeds.push_back({"links-" + packet.name, links(packet)});
  }
  // Each once for every way in which the target feeds its table.
  std::vector<Seed> all;
  for (unsigned way = 0; way < 3; ++way) {
    for (const Seed& seed : seeds) {
      const Buffer first(1, static_cast<std::byte>(way));
      all.push_back({seed.name + "-" + std::to_string(way), first + seed.bytes});
    }
  }
  return all;
}

std::vector<Seed> ringBlockSeeds() {
  std::vector<Seed> seeds;
  for (unsigned bits = 0; bits < 4; ++bits) {
    const Buffer first(1, static_cast<std::byte>(bits));
    std::vector<test::RingPacket> ring;
    for (const Packet& packet : packets()) {
      ring.push_back({.bytes = packet.bytes, .gsoType = bits != 0, .outgoing = bits > 1});
    }
    seeds.push_back({"block-" + std::to_string(bits), first + test::ringBlock(ring)});
  }
  return seeds;
}

std::vector<Seed> captureSeeds() {
  std::vector<Seed> seeds;
  const Buffer step(1, std::byte{40});
  for (const bool big : {false, true}) {
    const std::string order = big ? "-big" : "-little";
    for (const std::uint32_t magic : {0xa1b2c3d4U, 0xa1b23c4dU, 0xa1b2cd34U}) {
      const PcapLayout layout{magic, big, kLinkEthernet};
      Buffer file = step + pcapHeader(layout);
      for (const Packet& packet : packets()) {
        file = file + pcapRecord(layout, packet.bytes, 1'700'000'000, 5);
      }
      seeds.push_back({"pcap-" + std::to_string(magic) + order, file});
    }
    Buffer file = step + ngSection(big) + ngInterface(big, kLinkRaw) +
                  ngInterface(big, kLinkEthernet, 0x8a, true);
    for (const Packet& packet : packets()) {
      file = file +
             ngPacket(big, packet.six ? 1 : 0, 1'700'000'000'000'000, packet.bytes) +
             ngBlock(big, 3, FileWriter(big).u32(80).take() + packet.bytes);
    }
    seeds.push_back({"pcapng" + order, file + ngSection(!big)});
  }
  return seeds;
}

bool writeSeed(const std::string& folder, const Seed& seed) {
  std::FILE* file = std::fopen((folder + "/" + seed.name).c_str(), "wb");
  if (file == nullptr) return false;
  const bool written =
      std::fwrite(seed.bytes.data(), 1, seed.bytes.size(), file) == seed.bytes.size();
  return std::fclose(file) == 0 && written;
}

int makeSeeds(std::string_view target, const std::string& folder) {
  std::vector<Seed> seeds;
  if (target == "decoder") seeds = decoderSeeds();
  if (target == "flow-table") seeds = flowTableSeeds();
  if (target == "ring-block") seeds = ringBlockSeeds();
  if (target == "capture-indexer") seeds = captureSeeds();
  for (const Seed& seed : seeds) {
    if (writeSeed(folder, seed)) continue;
    std::fprintf(stderr, "cannot write %s in %s\n", seed.name.c_str(), folder.c_str());
    return 1;
  }
  return seeds.empty() ? 2 : 0;
}

}  // namespace
}  // namespace sluice::fuzz

int main(int argc, char** argv) {
  if (argc == 3) return sluice::fuzz::makeSeeds(argv[1], argv[2]);
  std::fputs("usage: make-seeds decoder|flow-table|ring-block|capture-indexer FOLDER\n",
             stderr);
  return 2;
}
