// Which line a packet takes, in which order packets go, what is counted.
#include "path.hpp"

#include <vector>

#include "check.hpp"

namespace sluice::test {
namespace {

using lab::Path;
using lab::PathSettings;
using lab::Way;

constexpr std::int64_t kMs = 1'000'000;
using Octets = std::vector<std::byte>;

PathSettings settingsOf(const std::string& text) {
  const auto settings = lab::readSettings(text);
  return std::get<PathSettings>(settings);
}

/** An IPv4 packet from 10.0.0.`from` to 10.0.0.`to`; its last byte is a mark. */
Octets ipv4(int from, int to, int mark = 0) {
  Octets packet(40);
  packet[0] = std::byte{0x45};
  packet[12] = packet[16] = std::byte{10};
  packet[15] = static_cast<std::byte>(from);
  packet[19] = static_cast<std::byte>(to);
  packet[39] = static_cast<std::byte>(mark);
  return packet;
}

/** An IPv6 packet from fd00::`from` to fd00::`to`. */
Octets ipv6(int from, int to) {
  Octets packet(48);
  packet[0] = std::byte{0x60};
  packet[8] = packet[24] = std::byte{0xfd};
  packet[23] = static_cast<std::byte>(from);
  packet[39] = static_cast<std::byte>(to);
  return packet;
}

/** Marks of the packets that are due, which are let go. */
std::vector<int> takeDue(Path& path, std::int64_t nowNs) {
  std::vector<int> marks;
  while (const auto due = path.due(nowNs)) {
    marks.push_back(std::to_integer<int>(due->packet.back()));
    path.released(nowNs);
  }
  return marks;
}

constexpr const char* kTwoLines =
    "line 0 up delay_us=10000\n"
    "line 0 down delay_us=20000\n"
    "line 1 up delay_us=1000\n"
    "line 1 down delay_us=2000\n"
    "client 10.0.0.1 0\n"
    "client 10.0.0.2 1\n"
    "client fd00::1 0\n";

void ways(Suite& suite) {
  suite.test("path: each client has its line, each direction its delay",
             [](Check& check) {
               Path path(settingsOf(kTwoLines), 16);
               path.offer(0, Way::kUp, ipv4(1, 9));
               check.equal(path.nextNs().value_or(0), 10 * kMs, "slow up");
               path.offer(0, Way::kUp, ipv4(2, 9));
               check.equal(path.nextNs().value_or(0), kMs, "quick up");
               takeDue(path, kMs * 15);
               path.offer(kMs * 15, Way::kDown, ipv4(9, 1));
               check.equal(path.nextNs().value_or(0), 35 * kMs, "slow down");
               path.offer(kMs * 15, Way::kDown, ipv4(9, 2));
               check.equal(path.nextNs().value_or(0), 17 * kMs, "quick down");
             });
  suite.test("path: a client has its line by IPv6, too", [](Check& check) {
    Path path(settingsOf(kTwoLines), 16);
    path.offer(0, Way::kDown, ipv6(9, 1));
    check.equal(path.nextNs().value_or(0), 20 * kMs, "down");
  });
  suite.test("path: a server that is farther costs its delay each way, the line none",
             [](Check& check) {
               Path path(settingsOf(std::string(kTwoLines) + "server 10.0.0.9 3000\n"),
                         16);
               path.offer(0, Way::kUp, ipv4(2, 9, 1));
               path.offer(0, Way::kUp, ipv4(2, 8, 2));
               check.that(takeDue(path, kMs) == std::vector{2}, "the near one first");
               check.equal(path.nextNs().value_or(0), 4 * kMs, "up");
               takeDue(path, 4 * kMs);
               path.offer(10 * kMs, Way::kDown, ipv4(9, 2));
               check.equal(path.nextNs().value_or(0), 15 * kMs, "down");
             });
  suite.test("path: packets go by time, those of one time as they came",
             [](Check& check) {
               Path path(settingsOf(kTwoLines), 16);
               path.offer(0, Way::kUp, ipv4(1, 9, 1));
               path.offer(0, Way::kUp, ipv4(1, 9, 2));
               path.offer(0, Way::kUp, ipv4(2, 9, 3));
               check.that(takeDue(path, kMs - 1).empty(), "nothing early");
               check.that(takeDue(path, 10 * kMs) == std::vector{3, 1, 2}, "order");
             });
}

void counting(Suite& suite) {
  suite.test("path: strangers and what is no IP packet are counted and dropped",
             [](Check& check) {
               Path path(settingsOf(kTwoLines), 16);
               path.offer(0, Way::kUp, ipv4(7, 9));
               path.offer(0, Way::kUp, Octets{});
               path.offer(0, Way::kUp, Octets{std::byte{0x45}});
               path.offer(0, Way::kUp, Octets{std::byte{0x60}, std::byte{0}});
               path.offer(0, Way::kUp, Octets(64));
               check.equal(path.counters().strangers, 5U, "strangers");
               check.that(!path.nextNs(), "none waits");
             });
  suite.test("path: a full pool drops, and has room again later", [](Check& check) {
    Path path(settingsOf(kTwoLines), 2);
    for (int i = 0; i < 3; ++i) path.offer(0, Way::kUp, ipv4(1, 9));
    check.equal(path.counters().poolDropped, 1U, "dropped");
    takeDue(path, 10 * kMs);
    path.offer(11 * kMs, Way::kUp, ipv4(1, 9));
    check.equal(path.counters().poolDropped, 1U, "room");
  });
  suite.test("path: packets, bytes and lateness are counted where they go",
             [](Check& check) {
               Path path(settingsOf(kTwoLines), 16);
               path.offer(0, Way::kUp, ipv4(1, 9));
               path.offer(0, Way::kDown, ipv6(9, 1));
               takeDue(path, 10 * kMs);
               takeDue(path, 23 * kMs);
               check.equal(path.counters().packets[0], 1U, "up");
               check.equal(path.counters().bytes[0], 40U, "bytes up");
               check.equal(path.counters().bytes[1], 48U, "bytes down");
               check.equal(path.lateness().count(), 2U, "measured");
               check.equal(path.lateness().maxNs(), 3 * kMs, "late");
             });
  suite.test("path: loss and full queues are counted apart", [](Check& check) {
    Path path(settingsOf("line 0 up loss=1\n"
                         "line 0 down rate_kbps=8 queue_bytes=10\n"
                         "client 10.0.0.1 0\n"),
              16);
    path.offer(0, Way::kUp, ipv4(1, 9));
    path.offer(0, Way::kDown, ipv4(9, 1));
    check.equal(path.counters().lost, 1U, "lost");
    check.equal(path.counters().queueDropped, 1U, "queue");
  });
}

}  // namespace

void pathTests(Suite& suite) {
  ways(suite);
  counting(suite);
}

}  // namespace sluice::test
