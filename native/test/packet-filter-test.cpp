// The kernel filter, run by the kernel: a program that is attached to one end of a pair
// of local sockets sees each datagram as a packet socket's would see the frame. Needs no
// root.
#include "packet-filter.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "check.hpp"
#include "decoder.hpp"
#include "frames.hpp"
#include "port-set.hpp"
#include "random.hpp"

namespace sluice::test {
namespace {

/** Owns a pair of sockets; what is sent into one passes the filter to the other. */
class FilteredPair {
 public:
  explicit FilteredPair(const PacketFilterOptions& options) {
    ok_ = ::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends_.data()) == 0 && attach(options);
  }
  FilteredPair(const FilteredPair&) = delete;
  FilteredPair(FilteredPair&&) = delete;
  FilteredPair& operator=(const FilteredPair&) = delete;
  FilteredPair& operator=(FilteredPair&&) = delete;
  ~FilteredPair() {
    for (const int end : ends_) ::close(end);
  }

  [[nodiscard]] bool ok() const { return ok_; }
  /** Instructions. */
  [[nodiscard]] std::size_t size() const { return size_; }

  /** What arrives of `frame`, in bytes; nothing when the filter drops it. */
  [[nodiscard]] std::optional<std::size_t> pass(const Buffer& frame) const {
    // Delivered, or not, before the call returns.
    static_cast<void>(::send(ends_[0], frame.data(), frame.size(), 0));
    const ssize_t length = ::recv(ends_[1], nullptr, 0, MSG_DONTWAIT | MSG_TRUNC);
    if (length < 0) return std::nullopt;
    return static_cast<std::size_t>(length);
  }

 private:
  bool attach(const PacketFilterOptions& options) {
    auto made = makePacketFilter(options);
    auto* program = std::get_if<PacketFilterProgram>(&made);
    if (program == nullptr) return false;
    size_ = program->size();
    const sock_fprog filter{.len = static_cast<unsigned short>(program->size()),
                            .filter = program->data()};
    return ::setsockopt(ends_[1], SOL_SOCKET, SO_ATTACH_FILTER, &filter,
                        sizeof(filter)) == 0;
  }

  std::array<int, 2> ends_{-1, -1};
  std::size_t size_ = 0;
  bool ok_ = false;
};

/** What the reference says of a frame. */
enum class Verdict : std::uint8_t { kWanted, kUnwanted, kUnclear };

template <class Values, class Value>
bool contains(const Values& values, Value value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

/** Frames that plain BPF cannot look into; read from the bytes, whole headers or not. */
bool opaque(const Buffer& frame, bool linkHeader) {
  const auto at = [&](std::size_t i) {
    return i < frame.size() ? std::to_integer<unsigned>(frame[i]) : 0U;
  };
  const std::size_t ip = linkHeader ? 14 : 0;
  if (linkHeader) {
    const unsigned etherType = at(12) << 8U | at(13);
    if (contains(std::array{0x8100U, 0x88a8U, 0x9100U, 0x8864U, 0x8847U, 0x8848U},
                 etherType)) {
      return true;
    }
    if (etherType != kEtherTypeIpv4 && etherType != kEtherTypeIpv6) return false;
  }
  return at(ip) >> 4U == 6 && contains(std::array{0U, 43U, 44U, 51U, 60U}, at(ip + 6));
}

Verdict judge(const PacketFilterOptions& options, const Buffer& frame) {
  Packet packet;
  const Drop drop = decode({.bytes = frame,
                            .wireLength = static_cast<std::uint32_t>(frame.size()),
                            .linkType = options.linkHeader ? kLinkEthernet : kLinkRaw},
                           0, packet);
  const auto carries = [&](std::uint8_t tunnel) {
    return (options.tunnels & tunnel) != 0;
  };
  const auto hasPort = [&](std::uint16_t port) {
    return packet.sourcePort == port || packet.destinationPort == port;
  };
  if (!drop) {
    const bool udp = packet.protocol == kProtocolUdp;
    if (udp && carries(kTunnelVxlan) && (hasPort(4789) || hasPort(8472))) {
      return Verdict::kWanted;
    }
    if (udp && carries(kTunnelGtpu) && hasPort(2152)) {
      return Verdict::kWanted;
    }
    const bool protocolWanted = udp ? options.udp : options.tcp;
    const bool portWanted =
        options.ports.empty() || std::ranges::any_of(options.ports, hasPort);
    if (protocolWanted && portWanted) return Verdict::kWanted;
    return opaque(frame, options.linkHeader) ? Verdict::kUnclear : Verdict::kUnwanted;
  }
  if (drop == DropReason::kOtherProtocol) {
    // The decoder has got as far as the protocol.
    const bool gre = packet.protocol == 47 && carries(kTunnelGre);
    const bool ip =
        (packet.protocol == 4 || packet.protocol == 41) && carries(kTunnelIpIp);
    if (gre || ip) return Verdict::kWanted;
  }
  const bool sure = drop == DropReason::kShortLinkHeader || drop == DropReason::kNotIp ||
                    drop == DropReason::kBadIpVersion || drop == DropReason::kFragment ||
                    drop == DropReason::kOtherProtocol;
  return sure && !opaque(frame, options.linkHeader) ? Verdict::kUnwanted
                                                    : Verdict::kUnclear;
}

Segment between(unsigned fromPort, unsigned toPort) {
  return {.fromPort = fromPort, .toPort = toPort, .payload = 5};
}

Buffer ip4(unsigned protocol, const Buffer& body) {
  return ipv4({.protocol = protocol}, body);
}
Buffer ip6(unsigned next, const Buffer& body) { return ipv6({.next = next}, body); }

struct Case {
  const char* name;
  PacketFilterOptions options;
  Buffer frame;
  bool passes;
};

std::vector<Case> protocolCases() {
  const Buffer tcp4 = ethernet(0x0800, ip4(6, tcp({})));
  const Buffer udp4 = ethernet(0x0800, ip4(17, udp({})));
  const Buffer tcp6 = ethernet(0x86dd, ip6(6, tcp({})));
  const Buffer udp6 = ethernet(0x86dd, ip6(17, udp({})));
  return {
      {"TCP over IPv4 passes", {}, tcp4, true},
      {"UDP over IPv4 passes", {}, udp4, true},
      {"TCP over IPv6 passes", {}, tcp6, true},
      {"UDP over IPv6 passes", {}, udp6, true},
      {"without UDP, TCP passes", {.udp = false}, tcp6, true},
      {"without UDP, UDP is dropped", {.udp = false}, udp4, false},
      {"without TCP, UDP passes", {.tcp = false}, udp4, true},
      {"without TCP, TCP is dropped", {.tcp = false}, tcp6, false},
      {"ARP is dropped", {}, ethernet(0x0806, Buffer(46)), false},
      {"LLDP is dropped", {}, ethernet(0x88cc, Buffer(46)), false},
      {"an IEEE 802.3 length is no EtherType", {}, ethernet(46, Buffer(46)), false},
      {"ICMP is dropped", {}, ethernet(0x0800, ip4(1, Buffer(40))), false},
      {"ICMPv6 is dropped", {}, ethernet(0x86dd, ip6(58, Buffer(40))), false},
      {"IP version 5 is dropped",
       {},
       ethernet(0x0800, Buffer(40, std::byte{0x50})),
       false},
      {"IPv6 under the EtherType of IPv4 passes, as the decoder reads it",
       {},
       ethernet(0x0800, ip6(6, tcp({}))),
       true},
      {"a frame that ends within its Ethernet header is dropped", {}, Buffer(13), false},
      {"an empty frame is dropped", {}, {}, false},
      {"without a link header, IPv4 passes",
       {.linkHeader = false},
       ip4(6, tcp({})),
       true},
      {"without a link header, IPv6 passes",
       {.linkHeader = false},
       ip6(17, udp({})),
       true},
      {"without a link header, ARP is dropped",
       {.linkHeader = false},
       Writer().be16(1).be16(0x0800).zeros(24).take(),
       false},
  };
}

std::vector<Case> portCases() {
  const std::vector<std::uint16_t> ports = {443, 80};
  const auto frame4 = [](const Segment& segment) {
    return ethernet(0x0800, ip4(6, tcp(segment)));
  };
  const auto frame6 = [](const Segment& segment) {
    return ethernet(0x86dd, ip6(17, udp(segment)));
  };
  return {
      {"the destination port counts",
       {.ports = ports},
       frame4(between(40'000, 443)),
       true},
      {"the source port counts", {.ports = ports}, frame6(between(80, 40'000)), true},
      {"other ports are dropped, IPv4",
       {.ports = ports},
       frame4(between(444, 79)),
       false},
      {"other ports are dropped, IPv6",
       {.ports = ports},
       frame6(between(442, 81)),
       false},
      {"ports lie behind IPv4 options",
       {.ports = ports},
       ethernet(0x0800, ipv4({.optionBytes = 40}, tcp(between(40'000, 80)))),
       true},
      {"ports without a link header",
       {.ports = ports, .linkHeader = false},
       ip6(6, tcp(between(40'000, 443))),
       true},
      {"other ports without a link header",
       {.ports = ports, .linkHeader = false},
       ip4(6, tcp(between(40'000, 442))),
       false},
      {"ports do not bring back a protocol",
       {.udp = false, .ports = ports},
       frame6(between(80, 40'000)),
       false},
      {"a packet that ends before its ports is dropped",
       {.ports = ports},
       ethernet(0x0800, ip4(6, Buffer(1))),
       false},
      {"a first fragment is judged by its ports",
       {.ports = ports},
       ethernet(0x0800, ipv4({.fragment = 0x2000}, tcp(between(443, 1)))),
       true},
      {"a later fragment is dropped",
       {},
       ethernet(0x0800, ipv4({.fragment = 0x2001}, tcp({}))),
       false},
      {"the last fragment is dropped",
       {},
       ethernet(0x0800, ipv4({.fragment = 0x00b9}, tcp({}))),
       false},
      {"a datagram that must not be fragmented passes",
       {},
       ethernet(0x0800, ipv4({.fragment = 0x4000}, tcp({}))),
       true},
      {"a port given twice is one",
       {.ports = {443, 443}},
       frame4(between(443, 443)),
       true},
      {"neighbours in a range, first",
       {.ports = {22, 21, 20}},
       frame4(between(20, 1)),
       true},
      {"neighbours in a range, last",
       {.ports = {22, 21, 20}},
       frame4(between(1, 22)),
       true},
      {"below a range", {.ports = {22, 21, 20}}, frame4(between(1, 19)), false},
      {"above a range", {.ports = {22, 21, 20}}, frame4(between(23, 1)), false},
      {"the least and the greatest port, least",
       {.ports = {65'535, 0}},
       frame4(between(1, 0)),
       true},
      {"the least and the greatest port, greatest",
       {.ports = {65'535, 0}},
       frame4(between(65'535, 1)),
       true},
      {"the least and the greatest port, between",
       {.ports = {65'535, 0}},
       frame4(between(65'534, 1)),
       false},
  };
}

std::vector<Case> opaqueCases() {
  const PacketFilterOptions narrow = {.udp = false, .ports = {1}};
  const Buffer other = ip4(17, udp({}));
  return {
      {"an 802.1Q tag hides what follows", narrow,
       ethernet(0x8100, vlanTag(7, 0x0800) + other), true},
      {"an 802.1ad tag hides what follows", narrow,
       ethernet(0x88a8, vlanTag(7, 0x0800) + other), true},
      {"the old QinQ tag hides what follows", narrow,
       ethernet(0x9100, vlanTag(7, 0x0800) + other), true},
      {"a PPPoE session hides what follows", narrow, ethernet(0x8864, Buffer(8) + other),
       true},
      {"PPPoE discovery is dropped", narrow, ethernet(0x8863, Buffer(40)), false},
      {"MPLS hides what follows", narrow, ethernet(0x8847, Buffer(4) + other), true},
      {"MPLS multicast hides what follows", narrow, ethernet(0x8848, Buffer(4) + other),
       true},
      {"IPv6 hop-by-hop options hide what follows", narrow,
       ethernet(0x86dd, ip6(0, extension(17, 8) + udp({}))), true},
      {"IPv6 routing hides what follows", narrow,
       ethernet(0x86dd, ip6(43, extension(17, 8) + udp({}))), true},
      {"an IPv6 fragment hides what follows", narrow,
       ethernet(0x86dd, ip6(44, extension(17, 8) + udp({}))), true},
      {"AH hides what follows in IPv6", narrow,
       ethernet(0x86dd, ip6(51, extension(17, 16) + udp({}))), true},
      {"IPv6 destination options hide what follows", narrow,
       ethernet(0x86dd, ip6(60, extension(17, 8) + udp({}))), true},
      {"AH in IPv4 is another protocol", narrow, ethernet(0x0800, ip4(51, Buffer(40))),
       false},
      {"ESP is dropped", narrow, ethernet(0x86dd, ip6(50, Buffer(40))), false},
      {"IPv6 without a next header is dropped", narrow,
       ethernet(0x86dd, ip6(59, Buffer(40))), false},
  };
}

std::vector<Case> tunnelCases() {
  using Options = PacketFilterOptions;
  const auto with = [](std::uint8_t tunnels) {
    return Options{.udp = false, .ports = {443}, .tunnels = tunnels};
  };
  const auto udpTo = [](unsigned port) {
    return ethernet(0x0800, ip4(17, udp(between(40'000, port))));
  };
  const Buffer inner = ip4(6, tcp({}));
  return {
      {"GRE passes on demand", with(kTunnelGre), ethernet(0x0800, ip4(47, inner)), true},
      {"GRE over IPv6 passes on demand", with(kTunnelGre),
       ethernet(0x86dd, ip6(47, inner)), true},
      {"GRE is dropped else", with(0xff ^ kTunnelGre), ethernet(0x0800, ip4(47, inner)),
       false},
      {"IP in IP passes on demand", with(kTunnelIpIp), ethernet(0x86dd, ip6(4, inner)),
       true},
      {"IPv6 in IP passes on demand", with(kTunnelIpIp), ethernet(0x0800, ip4(41, inner)),
       true},
      {"IP in IP is dropped else", with(0xff ^ kTunnelIpIp),
       ethernet(0x0800, ip4(4, inner)), false},
      {"VXLAN passes on demand", with(kTunnelVxlan), udpTo(4'789), true},
      {"VXLAN on the old port of Linux passes on demand", with(kTunnelVxlan),
       udpTo(8'472), true},
      {"VXLAN is dropped else", with(0xff ^ kTunnelVxlan), udpTo(4'789), false},
      {"GTP-U passes on demand", with(kTunnelGtpu), udpTo(2'152), true},
      {"GTP-U is dropped else", with(0xff ^ kTunnelGtpu), udpTo(2'152), false},
      {"a tunnel's port is none of TCP's", with(0xff),
       ethernet(0x0800, ip4(6, tcp(between(40'000, 4'789)))), false},
      {"with tunnels the ports still count", with(0xff),
       ethernet(0x0800, ip4(6, tcp(between(443, 40'000)))), true},
      {"other UDP is dropped with tunnels", with(0xff), udpTo(443), false},
  };
}

void table(Suite& suite, const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    suite.test(std::string("packet filter: ") + one.name, [&](Check& check) {
      const FilteredPair pair(one.options);
      check.that(pair.ok(), "is attached");
      const Verdict verdict = judge(one.options, one.frame);
      const auto got = pair.pass(one.frame);
      check.equal(got.has_value(), one.passes, "passes");
      if (got) check.equal(*got, one.frame.size(), "bytes");
      check.that(verdict != (one.passes ? Verdict::kUnwanted : Verdict::kWanted),
                 "the reference agrees");
    });
  }
}

void snapLength(Suite& suite) {
  suite.test("packet filter: a frame that passes is cut to the snap length",
             [](Check& check) {
               const FilteredPair pair({.snapBytes = 64});
               const auto got = [&](std::size_t payload) {
                 return pair.pass(tcpFrame({.payload = payload})).value_or(0);
               };
               check.equal(got(200), 64, "a long frame");
               check.equal(got(10), 64, "a frame of that length");
               check.equal(got(9), 63, "a shorter frame");
             });
}

void faults(Suite& suite) {
  const auto reason = [](const PacketFilterOptions& options) {
    const auto made = makePacketFilter(options);
    const auto* error = std::get_if<PacketFilterError>(&made);
    return error == nullptr ? std::string("none") : error->reason;
  };
  suite.test("packet filter: 1025 ports are too many, and the reason says so",
             [&](Check& check) {
               std::vector<std::uint16_t> ports;
               for (unsigned i = 0; i < 1'025; ++i) {
                 ports.push_back(static_cast<std::uint16_t>(2 * i));
               }
               check.that(reason({.ports = ports}) ==
                              "packet filter has 1025 ports, at most 1024 are possible",
                          reason({.ports = ports}));
               ports.back() = 0;
               check.that(reason({.ports = ports}) == "none", "one of them twice");
             });
  suite.test("packet filter: a snap length of 0 would drop all and is a fault",
             [&](Check& check) {
               check.that(
                   reason({.snapBytes = 0}).find("at least 1") != std::string::npos,
                   "reason");
             });
}

std::vector<std::uint16_t> randomPorts(Random& random, std::size_t count) {
  std::vector<std::uint16_t> ports;
  while (ports.size() < count) {
    const auto port = static_cast<std::uint16_t>(random());
    if (!contains(ports, port)) ports.push_back(port);
  }
  return ports;
}

/** Sends TCP or UDP, IPv4 or IPv6, with `port` at either end. */
bool passesPort(const FilteredPair& pair, Random& random, unsigned port, unsigned other) {
  Segment segment = between(port, other);
  if (random() % 2 == 0) segment = segment.reversed();
  const bool isTcp = random() % 2 == 0;
  const Buffer body = isTcp ? tcp(segment) : udp(segment);
  const unsigned protocol = isTcp ? 6 : 17;
  return pair
      .pass(random() % 2 == 0 ? ethernet(0x0800, ip4(protocol, body))
                              : ethernet(0x86dd, ip6(protocol, body)))
      .has_value();
}

void portSets(Suite& suite) {
  for (const std::size_t count : {1U, 2U, 3U, 4U, 5U, 17U, 255U, 256U, 1024U}) {
    const std::string title = "of " + std::to_string(count) + " random ports";
    suite.test("packet filter: " + title + " each passes and no other",
               [&](Check& check) {
                 Random random(count);
                 const std::vector<std::uint16_t> ports = randomPorts(random, count);
                 const PortSet set(ports);
                 const FilteredPair pair({.ports = ports, .tunnels = kTunnelVxlan});
                 check.that(pair.ok(),
                            "is attached (1024 ports: net.core.optmem_max of 27,000)");
                 // Two searches of 5 instructions for 4 ports, and room for the rest.
                 check.that(pair.size() <= 2 * (count + count / 4) + 60,
                            std::to_string(pair.size()));
                 unsigned other = 0;
                 while (set.contains(static_cast<std::uint16_t>(other))) ++other;

                 std::vector<std::uint16_t> probes = randomPorts(random, 2'000);
                 for (const std::uint16_t port : ports) {
                   for (const int step : {-1, 0, 1}) {
                     probes.push_back(static_cast<std::uint16_t>(port + step));
                   }
                 }
                 std::size_t wrong = 0;
                 for (const std::uint16_t port : probes) {
                   if (port == 4'789 || port == 8'472) continue;  // passes as VXLAN
                   if (passesPort(pair, random, port, other) != set.contains(port))
                     ++wrong;
                 }
                 check.equal(wrong, 0, "probes judged wrong");
               });
    suite.test("port set: " + title + " it contains each and no other",
               [&](Check& check) {
                 Random random(count);
                 const std::vector<std::uint16_t> ports = randomPorts(random, count);
                 const PortSet set(ports);
                 check.that(!set.empty(), "is not empty");
                 std::size_t wrong = 0;
                 for (unsigned port = 0; port < 65'536; ++port) {
                   const auto number = static_cast<std::uint16_t>(port);
                   if (set.contains(number) != contains(ports, number)) ++wrong;
                 }
                 check.equal(wrong, 0, "ports answered wrong");
               });
  }
  suite.test("port set: without ports it is empty", [](Check& check) {
    const PortSet set({});
    check.that(set.empty(), "is empty");
    check.that(!set.contains(0), "contains nothing");
  });
  suite.test(
      "packet filter: a range of 1000 ports costs no more than one port",
      [](Check& check) {
        std::vector<std::uint16_t> ports;
        for (unsigned port = 8'000; port < 9'000; ++port) {
          ports.push_back(static_cast<std::uint16_t>(port));
        }
        const FilteredPair pair({.ports = ports});
        check.equal(pair.size(), FilteredPair({.ports = {443}}).size() + 2, "size");
        Random random(1);
        for (const unsigned port : {7'999U, 8'000U, 8'500U, 8'999U, 9'000U}) {
          check.equal(passesPort(pair, random, port, 1), port / 1'000 == 8, "passes");
        }
      });
}

/** Frames of all the kinds that a filter tells apart, some cut, some damaged. */
class FrameMaker {
 public:
  FrameMaker(std::uint64_t seed, std::vector<std::uint16_t> ports)
      : random_(seed), ports_(std::move(ports)) {}

  Buffer operator()(bool linkHeader) {
    const bool six = random_() % 2 == 0;
    Buffer frame = six ? packet6() : packet4();
    if (linkHeader) frame = linked(six ? kEtherTypeIpv6 : kEtherTypeIpv4, frame);
    if (random_() % 8 == 0) frame.resize(random_() % (frame.size() + 1));
    // Mostly where the filter looks.
    for (unsigned flips = random_() % 16 == 0 ? 1 + random_() % 3 : 0;
         flips > 0 && !frame.empty(); --flips) {
      frame[random_() % std::min<std::size_t>(frame.size(), 60)] =
          static_cast<std::byte>(random_());
    }
    return frame;
  }

 private:
  template <class Values>
  auto any(const Values& values) {
    return values[random_() % values.size()];
  }

  unsigned port() {
    const unsigned near = any(ports_);
    return random_() % 3 == 0 ? near : (near + random_() % 3 + 65'535U) & 0xffffU;
  }

  Buffer body(unsigned protocol) {
    const Segment segment = between(port(), random_() % 65'536);
    const Segment directed = random_() % 2 == 0 ? segment : segment.reversed();
    if (protocol == kProtocolTcp) return tcp(directed);
    if (protocol == kProtocolUdp) return udp(directed);
    return Buffer(random_() % 40);
  }

  unsigned protocol() {
    constexpr std::array kProtocols = {6U, 6U, 6U,  17U, 17U, 17U,
                                       1U, 4U, 41U, 47U, 50U, 58U};
    return random_() % 32 == 0 ? random_() % 256 : any(kProtocols);
  }

  Buffer packet4() {
    const unsigned carried = protocol();
    constexpr std::array kFragments = {0U, 0x2000U, 0x2001U, 0x1fffU, 0x8000U, 0x0001U};
    return ipv4({.protocol = carried,
                 .optionBytes = random_() % 2 == 0 ? 0 : random_() % 11 * 4,
                 .fragment = random_() % 4 == 0 ? any(kFragments) : 0x4000U},
                body(carried));
  }

  Buffer packet6() {
    const unsigned carried = protocol();
    if (random_() % 4 != 0) return ip6(carried, body(carried));
    constexpr std::array kExtensions = {0U, 43U, 60U};
    return ip6(any(kExtensions),
               extension(carried, 8 + random_() % 3 * 8) + body(carried));
  }

  Buffer linked(unsigned etherType, const Buffer& packet) {
    switch (random_() % 12) {
      case 0:
        return ethernet(0x8100, vlanTag(7, etherType) + packet);
      case 1:
        return ethernet(0x88a8, vlanTag(7, 0x9100) + vlanTag(8, etherType) + packet);
      case 2:
        return ethernet(0x8864, Writer()
                                    .be16(0x1100)
                                    .be32(0)
                                    .be16(etherType == kEtherTypeIpv4 ? 0x21 : 0x57)
                                    .bytes(packet)
                                    .take());
      case 3:
        return ethernet(0x8847, Writer().be32(0x00001140).bytes(packet).take());
      case 4:
        return ethernet(
            any(std::array{0x0806U, 0x88ccU, 0x8863U, 0x0027U, 0x0800U, 0x86ddU}),
            packet);
      default:
        return ethernet(etherType, packet);
    }
  }

  Random random_;
  std::vector<std::uint16_t> ports_;
};

void randomFrames(Suite& suite) {
  const std::vector<std::uint16_t> some = {443, 80, 22, 8'443, 53, 853, 993, 65'535, 0};
  const std::vector<PacketFilterOptions> all = {
      {},
      {.udp = false},
      {.tcp = false, .linkHeader = false},
      {.ports = {443}},
      {.ports = some},
      {.ports = some, .linkHeader = false},
      {.udp = false, .ports = some, .tunnels = 0xff},
      {.ports = {443}, .tunnels = kTunnelVxlan | kTunnelIpIp},
      {.tcp = false, .tunnels = kTunnelGre, .linkHeader = false},
      {.tcp = false, .udp = false, .tunnels = kTunnelGtpu},
  };
  suite.test(
      "packet filter: of 40,000 random frames none that is wanted is dropped, and "
      "none passes that surely is not",
      [&](Check& check) {
        std::array<std::size_t, 3> judged{};
        std::size_t lost = 0;
        std::size_t let = 0;
        for (std::size_t i = 0; i < all.size(); ++i) {
          const FilteredPair pair(all[i]);
          check.that(pair.ok(), "is attached");
          FrameMaker make(i, {443, 80, 8'443, 65'535, 4'789, 8'472, 2'152});
          for (int n = 0; n < 4'000; ++n) {
            const Buffer frame = make(all[i].linkHeader);
            const Verdict verdict = judge(all[i], frame);
            const bool passes = pair.pass(frame).has_value();
            ++judged[static_cast<std::size_t>(verdict)];
            if (verdict == Verdict::kWanted && !passes) ++lost;
            if (verdict == Verdict::kUnwanted && passes) ++let;
          }
        }
        check.equal(lost, 0, "wanted and dropped");
        check.equal(let, 0, "unwanted and passed");
        // The frames are good for something.
        check.that(judged[0] > 6'000, "wanted " + std::to_string(judged[0]));
        check.that(judged[1] > 8'000, "unwanted " + std::to_string(judged[1]));
        check.that(judged[2] < 16'000, "unclear " + std::to_string(judged[2]));
      });
}

}  // namespace

void packetFilterTests(Suite& suite) {
  table(suite, protocolCases());
  table(suite, portCases());
  table(suite, opaqueCases());
  table(suite, tunnelCases());
  snapLength(suite);
  faults(suite);
  portSets(suite);
  randomFrames(suite);
}

}  // namespace sluice::test
