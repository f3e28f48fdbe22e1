#include "packet-filter.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "decoder.hpp"
#include "packet.hpp"

namespace sluice {
namespace {

// IEEE 802 numbers, https://www.iana.org/assignments/ieee-802-numbers
constexpr std::array<std::uint32_t, 2> kEtherIp = {0x0800, 0x86dd};
/** 802.1Q, 802.1ad, the old QinQ, PPPoE session, MPLS unicast and multicast. */
constexpr std::array<std::uint32_t, 6> kEtherOpaque = {0x8100, 0x88a8, 0x9100,
                                                       0x8864, 0x8847, 0x8848};
constexpr std::uint32_t kEtherTypeAt = 12;
constexpr std::uint32_t kEthernetBytes = 14;

// https://www.iana.org/assignments/protocol-numbers
constexpr std::uint32_t kProtocolIpv4 = 4;
constexpr std::uint32_t kProtocolIpv6 = 41;
constexpr std::uint32_t kProtocolGre = 47;
// Those that the decoder walks over: https://www.iana.org/assignments/ipv6-parameters
constexpr std::array<std::uint32_t, 5> kIpv6Extensions = {0, 43, 44, 51, 60};

// Offsets in the headers: RFC 791 section 3.1, RFC 8200 section 3, RFC 9293 section 3.1.
constexpr std::uint32_t kFragmentAt = 6;
constexpr std::uint32_t kFragmentOffset = 0x1fff;
constexpr std::uint32_t kProtocolAt = 9;
constexpr std::uint32_t kNextHeaderAt = 6;
constexpr std::uint32_t kIpv6HeaderBytes = 40;
constexpr std::uint32_t kDestinationPortAt = 2;

// VXLAN: RFC 7348 section 5, and the port of Linux before there was one,
// drivers/net/vxlan. GTP-U: 3GPP TS 29.281 section 4.4.2.
constexpr std::array<std::uint16_t, 2> kVxlanPorts = {4'789, 8'472};
constexpr std::uint16_t kGtpUPort = 2'152;

/** Both ends included. */
struct PortRange {
  std::uint16_t first;
  std::uint16_t last;
};

/** Sorted, without overlap; neighbours are one range. */
std::vector<PortRange> rangesOf(std::vector<std::uint16_t> ports) {
  std::ranges::sort(ports);
  std::vector<PortRange> ranges;
  for (const std::uint16_t port : ports) {
    if (ranges.empty() || port > ranges.back().last + 1) ranges.push_back({port, port});
    ranges.back().last = port;
  }
  return ranges;
}

std::size_t countPorts(std::span<const PortRange> ranges) {
  std::size_t count = 0;
  for (const PortRange& range : ranges) count += range.last - range.first + 1U;
  return count;
}

/**
 * Writes a program from its end to its start. BPF jumps forward only
 * (https://docs.kernel.org/networking/filter.html), so whatever an instruction goes on to
 * is there already: each function takes the labels of what may come next and returns the
 * label of what it added.
 */
class Assembler {
 public:
  /** Counts the instructions from there to the end. */
  using Label = std::size_t;

  /** Ends the program: keeps `bytes` of the frame, with 0 drops it. */
  Label finish(std::uint32_t bytes) { return add(BPF_RET | BPF_K, bytes); }

  Label load(std::uint32_t code, std::uint32_t k, Label next) {
    if (next != here()) jumpTo(next);
    return add(code, k);
  }

  /** A jump by the accumulator; `comparison` is BPF_JEQ, BPF_JGT, BPF_JGE or BPF_JSET. */
  Label branch(std::uint32_t comparison, std::uint32_t k, Label yes, Label no) {
    if (yes == no) return yes;
    const Label nearYes = reach(yes);
    const Label nearNo = reach(no);
    const auto yesOffset = static_cast<std::uint8_t>(here() - nearYes);
    const auto noOffset = static_cast<std::uint8_t>(here() - nearNo);
    return add(BPF_JMP | comparison | BPF_K, k, yesOffset, noOffset);
  }

  /** To `yes` if the accumulator is one of `values`. */
  template <std::size_t N>
  Label branchIfAny(const std::array<std::uint32_t, N>& values, Label yes, Label no) {
    for (const std::uint32_t value : values) no = branch(BPF_JEQ, value, yes, no);
    return no;
  }

  PacketFilterProgram startAt(Label start) && {
    if (start != here()) jumpTo(start);
    std::ranges::reverse(reversed_);
    return std::move(reversed_);
  }

 private:
  // Conditional jumps have 8 bits. Less one: the relay of the other way out may come in
  // between.
  static constexpr std::size_t kReach = 254;

  [[nodiscard]] Label here() const { return reversed_.size(); }

  Label add(std::uint32_t code, std::uint32_t k, std::uint8_t yes = 0,
            std::uint8_t no = 0) {
    reversed_.push_back(
        {.code = static_cast<std::uint16_t>(code), .jt = yes, .jf = no, .k = k});
    return here();
  }

  Label jumpTo(Label target) {
    return add(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(here() - target));
  }

  /** `target`, or an instruction nearby that leads to it, which all around share. */
  Label reach(Label target) {
    if (here() - target <= kReach) return target;
    Label& relay = relays_[target];
    if (relay == 0 || here() - relay > kReach) relay = jumpTo(target);
    return relay;
  }

  PacketFilterProgram reversed_;
  std::map<Label, Label> relays_;  // of each far target the latest
};

using Label = Assembler::Label;

/** What the accumulator is tested for in line before a further search step pays. */
constexpr std::size_t kRangesInLine = 4;

/** Part of a search tree: a perfect one of 2^height leaves, unless the last parts. */
struct SearchTree {
  Label label;
  std::uint16_t first;  // least port in it
  int height;
};

/** To `hit` if the accumulator is in one of `ranges`: binary search. */
Label search(Assembler& code, std::span<const PortRange> ranges, Label hit, Label miss) {
  // From the greatest ports to the least, as the program is written. Trees wait until
  // there are two of a height, as bits in a counter do, so each lies in one piece and its
  // jumps are short.
  std::vector<SearchTree> trees;
  const auto join = [&](const SearchTree& left) {
    const SearchTree right = trees.back();
    trees.pop_back();
    return SearchTree{.label = code.branch(BPF_JGE, right.first, right.label, left.label),
                      .first = left.first,
                      .height = right.height + 1};
  };
  while (!ranges.empty()) {
    Label leaf = miss;
    const auto few = ranges.last(std::min(ranges.size(), kRangesInLine));
    for (const PortRange& range : few) {
      leaf = range.first == range.last
                 ? code.branch(BPF_JEQ, range.first, hit, leaf)
                 : code.branch(BPF_JGE, range.first,
                               code.branch(BPF_JGT, range.last, leaf, hit), leaf);
    }
    ranges = ranges.first(ranges.size() - few.size());
    SearchTree tree{.label = leaf, .first = few.front().first, .height = 0};
    while (!trees.empty() && trees.back().height == tree.height) tree = join(tree);
    trees.push_back(tree);
  }
  while (trees.size() > 1) {
    const SearchTree left = trees.back();
    trees.pop_back();
    trees.push_back(join(left));
  }
  return trees.empty() ? miss : trees.front().label;
}

/** To `hit` if a port is in `ranges`; the TCP or UDP header starts at `ip` + X. */
Label testPorts(Assembler& code, std::uint32_t ip, std::span<const PortRange> ranges,
                Label hit, Label miss) {
  if (ranges.empty() || hit == miss) return miss;
  const Label destination = code.load(BPF_LD | BPF_H | BPF_IND, ip + kDestinationPortAt,
                                      search(code, ranges, hit, miss));
  return code.load(BPF_LD | BPF_H | BPF_IND, ip, search(code, ranges, hit, destination));
}

std::vector<PortRange> tunnelPorts(std::uint8_t tunnels) {
  std::vector<std::uint16_t> ports;
  if ((tunnels & kTunnelVxlan) != 0) {
    ports.assign(kVxlanPorts.begin(), kVxlanPorts.end());
  }
  if ((tunnels & kTunnelGtpu) != 0) ports.push_back(kGtpUPort);
  return rangesOf(ports);
}

PacketFilterProgram assemble(const PacketFilterOptions& options,
                             std::span<const PortRange> ports) {
  Assembler code;
  const std::uint32_t ip = options.linkHeader ? kEthernetBytes : 0;
  const Label drop = code.finish(0);
  const Label pass = code.finish(options.snapBytes);
  const auto passIf = [&](bool wanted) { return wanted ? pass : drop; };
  const bool gre = (options.tunnels & kTunnelGre) != 0;
  const bool ipInIp = (options.tunnels & kTunnelIpIp) != 0;

  // The accumulator holds the protocol, X the length of the IP header.
  const Label portWanted = ports.empty() ? pass : testPorts(code, ip, ports, pass, drop);
  const Label tcp = options.tcp ? portWanted : drop;
  const Label udp = testPorts(code, ip, tunnelPorts(options.tunnels), pass,
                              options.udp ? portWanted : drop);
  Label protocol = drop;
  protocol = code.branch(BPF_JEQ, kProtocolGre, passIf(gre), protocol);
  protocol = code.branchIfAny(std::array{kProtocolIpv4, kProtocolIpv6}, passIf(ipInIp),
                              protocol);
  protocol = code.branch(BPF_JEQ, kProtocolUdp, udp, protocol);
  protocol = code.branch(BPF_JEQ, kProtocolTcp, tcp, protocol);

  Label ipv6 = code.load(BPF_LDX | BPF_IMM, kIpv6HeaderBytes, protocol);
  ipv6 = code.branchIfAny(kIpv6Extensions, pass, ipv6);
  ipv6 = code.load(BPF_LD | BPF_B | BPF_ABS, ip + kNextHeaderAt, ipv6);

  // Fragments but the first have no ports: user space could only count them, and a flood
  // of them would push out of the ring what is wanted.
  Label ipv4 = code.load(BPF_LD | BPF_B | BPF_ABS, ip + kProtocolAt, protocol);
  ipv4 = code.load(BPF_LDX | BPF_B | BPF_MSH, ip, ipv4);
  ipv4 = code.branch(BPF_JSET, kFragmentOffset, drop, ipv4);
  ipv4 = code.load(BPF_LD | BPF_H | BPF_ABS, ip + kFragmentAt, ipv4);

  // As the decoder does: the version counts, whichever of the two EtherTypes is in front.
  Label start = code.branch(BPF_JEQ, 0x60, ipv6, drop);
  start = code.branch(BPF_JEQ, 0x40, ipv4, start);
  start = code.load(BPF_ALU | BPF_AND | BPF_K, 0xf0, start);
  start = code.load(BPF_LD | BPF_B | BPF_ABS, ip, start);
  if (options.linkHeader) {
    start = code.branchIfAny(kEtherIp, start, code.branchIfAny(kEtherOpaque, pass, drop));
    start = code.load(BPF_LD | BPF_H | BPF_ABS, kEtherTypeAt, start);
  }
  return std::move(code).startAt(start);
}

PacketFilterError tooMany(const char* what, std::size_t count, std::size_t limit) {
  return {std::string("packet filter has ") + std::to_string(count) + " " + what +
          ", at most " + std::to_string(limit) + " are possible"};
}

}  // namespace

std::variant<PacketFilterProgram, PacketFilterError> makePacketFilter(
    const PacketFilterOptions& options) {
  // The kernel takes a result of 0 for a drop.
  if (options.snapBytes == 0) {
    return PacketFilterError{
        "packet filter keeps 0 bytes of a frame, at least 1 is needed"};
  }
  const std::vector<PortRange> ports = rangesOf(options.ports);
  const std::size_t portCount = countPorts(ports);
  if (portCount > kMaxFilterPorts) return tooMany("ports", portCount, kMaxFilterPorts);
  PacketFilterProgram program = assemble(options, ports);
  if (program.size() > BPF_MAXINSNS) {
    return tooMany("instructions", program.size(), BPF_MAXINSNS);
  }
  return program;
}

}  // namespace sluice
