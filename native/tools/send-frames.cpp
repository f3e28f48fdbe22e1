// Sends TCP frames of many flows as fast as one core can: the load of the live tests and
// of the bench. send-frames INTERFACE PACKETS FLOWS BYTES [VLAN]
//
// BYTES is the length of a frame with its Ethernet header, without VLAN tag. Packet n
// belongs to flow n % FLOWS, so each flow gets PACKETS / FLOWS of them (one more for the
// first flows if that leaves a rest). Flow f is 198.18.(f / 256).(f % 256):(1024 + f) ->
// 198.19.0.1:443; the payload is zeros, and sequence numbers go on as they should.
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include "frames.hpp"
#include "owned-fd.hpp"

namespace sluice {
namespace {

using test::Buffer;
using test::operator+;

constexpr std::size_t kAtOnce = 64;
constexpr unsigned kHeaders = 14 + 20 + 20;

struct Order {
  unsigned interface = 0;
  std::uint64_t packets = 0;
  unsigned flows = 1;
  unsigned bytes = 64;
  unsigned vlan = 0;  // 0: no tag
};

Buffer addressed(Buffer ip, unsigned flow) {
  const std::array<unsigned, 8> addresses = {198, 18, flow / 256, flow % 256,
                                             198, 19, 0,          1};
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    ip[12 + i] = static_cast<std::byte>(addresses[i]);
  }
  return ip;
}

Buffer frameOf(const Order& order, unsigned flow, std::uint64_t round) {
  const unsigned payload = order.bytes - kHeaders;
  const Buffer ip = addressed(
      test::ipv4({}, test::tcp({.fromPort = 1024 + flow,
                                .sequence = static_cast<std::uint32_t>(round * payload),
                                .payload = payload})),
      flow);
  if (order.vlan == 0) return test::ethernet(ETH_P_IP, ip);
  return test::ethernet(ETH_P_8021Q, test::vlanTag(order.vlan, ETH_P_IP) + ip);
}

bool sendAll(int socket, std::vector<mmsghdr>& messages) {
  for (std::size_t sent = 0; sent < messages.size();) {
    const int done = ::sendmmsg(socket, messages.data() + sent,
                                static_cast<unsigned>(messages.size() - sent), 0);
    if (done < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR) return false;
    if (done > 0) sent += static_cast<std::size_t>(done);
  }
  return true;
}

int send(const Order& order) {
  const Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_IP);
  address.sll_ifindex = static_cast<int>(order.interface);
  if (!socket.ok() || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address),
                             sizeof(address)) != 0) {
    std::perror("send-frames");
    return 1;
  }
  // One frame a flow; only its sequence number changes on the way.
  std::vector<Buffer> frames;
  for (unsigned flow = 0; flow < order.flows; ++flow) {
    frames.push_back(frameOf(order, flow, 0));
  }
  const std::size_t sequenceAt = frames.front().size() - (order.bytes - kHeaders) - 16;
  std::vector<std::uint32_t> sequences(order.flows, 0);
  std::vector<Buffer> copies(kAtOnce);
  std::vector<iovec> pieces(kAtOnce);
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t packet = 0; packet < order.packets;) {
    std::vector<mmsghdr> messages;
    for (; messages.size() < kAtOnce && packet < order.packets; ++packet) {
      const std::size_t i = messages.size();
      const auto flow = static_cast<std::size_t>(packet % order.flows);
      copies[i] = frames[flow];
      const std::uint32_t sequence = htonl(sequences[flow]);
      std::memcpy(copies[i].data() + sequenceAt, &sequence, sizeof(sequence));
      sequences[flow] += order.bytes - kHeaders;
      pieces[i] = {.iov_base = copies[i].data(), .iov_len = copies[i].size()};
      mmsghdr message{};
      message.msg_hdr.msg_iov = &pieces[i];
      message.msg_hdr.msg_iovlen = 1;
      messages.push_back(message);
    }
    if (!sendAll(socket.get(), messages)) {
      std::perror("send-frames");
      return 1;
    }
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("{\"packets\":%llu,\"seconds\":%.4f,\"packetsPerSecond\":%.0f}\n",
              static_cast<unsigned long long>(order.packets), seconds.count(),
              static_cast<double>(order.packets) / seconds.count());
  return 0;
}

template <class Number>
bool read(const char* text, Number least, Number most, Number& to) {
  const std::string_view digits = text;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), to);
  return error == std::errc{} && end == digits.end() && to >= least && to <= most;
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  sluice::Order order;
  if (argc < 5 || argc > 6 || (order.interface = ::if_nametoindex(argv[1])) == 0 ||
      !sluice::read<std::uint64_t>(argv[2], 1, 100'000'000, order.packets) ||
      !sluice::read<unsigned>(argv[3], 1, 60'000, order.flows) ||
      !sluice::read<unsigned>(argv[4], 60, 9'000, order.bytes) ||
      (argc == 6 && !sluice::read<unsigned>(argv[5], 1, 4'094, order.vlan))) {
    std::fputs("usage: send-frames INTERFACE PACKETS FLOWS BYTES [VLAN]\n", stderr);
    return 2;
  }
  return sluice::send(order);
}
