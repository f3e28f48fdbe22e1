// What a flow's record tells.
#include <string>
#include <vector>

#include "check.hpp"
#include "flows.hpp"

namespace sluice::test {
namespace {

/** The one record there should be; an empty one if there is not. */
Record only(Check& check, const std::vector<Record>& records) {
  check.equal(records.size(), 1, "records");
  return records.empty() ? Record{} : records.front();
}

const Segment kClient{.sequence = 5'000, .window = 1'000};

void handshakes(Suite& suite) {
  suite.test(
      "flow: an ordinary handshake is in the series without loss", [](Check& check) {
        Bench bench(small());
        Segment server = kClient.reversed();
        server.sequence = 9'000;
        server.window = 2'000;
        bench.frame(0, tcpFrame(kClient.with(kTcpSyn)));
        bench.frame(1'234'567, tcpFrame(server.with(kTcpSyn | kTcpAck)));
        bench.frame(2'345'678, tcpFrame(kClient.with(kTcpAck)));
        bench.frame(3'456'789, tcpFrame(kClient.with(kTcpAck | 8U, 100)));
        const Record record = only(check, bench.finish());
        const RecordHeader& header = record.header;
        check.equal(header.seriesPackets, 4, "series");
        check.equal(record.timeNs(0), 0, "time of the SYN");
        check.equal(record.timeNs(1), 1'234'567, "time of the SYN-ACK");
        check.equal(record.timeNs(2), 2'345'678, "time of the ACK");
        check.equal(record.timeNs(3), 3'456'789, "time of the payload");
        check.equal(record.series[0].tcpFlags, kTcpSyn, "flags of the SYN");
        check.equal(record.series[0].ipLength, 40, "length of the SYN");
        check.equal(record.series[1].direction(), Direction::kDown, "way of the SYN-ACK");
        check.equal(record.series[3].payloadLength, 100, "payload");
        check.equal(header.flags, kSynUp | kSynDown, "flags");
        check.equal(header.initialSequence[0], 5'001, "first sequence up");
        check.equal(header.initialSequence[1], 9'001, "first sequence down");
        check.equal(header.initialWindow[0], 1'000, "window up");
        check.equal(header.initialWindow[1], 2'000, "window down");
        check.equal(header.firstNs, kStartMs * kMsNs, "first");
        check.equal(header.lastNs - header.firstNs, 3'456'789, "duration");
        check.equal(header.packets[0], 3, "packets up");
        check.equal(header.bytes[0], 220, "bytes up");
        check.equal(header.tcpFlags[0][1], 1, "SYNs up");
        check.equal(header.tcpFlags[1][4], 1, "ACKs down");
        check.equal(header.clientPort, 40'000, "client");
        check.equal(header.serverPort, 443, "server");
        check.equal(header.clientAddress[3], 1, "client address");
        check.equal(header.endReason, EndReason::kFlush, "end");
      });
  suite.test("flow: a SYN sent again counts, the first one stands", [](Check& check) {
    Bench bench(small());
    bench.tcp(0, kClient.with(kTcpSyn));
    bench.tcp(1'000, kClient.with(kTcpSyn));
    bench.tcp(3'000, kClient.with(kTcpSyn));
    bench.tcp(3'001, kClient.reversed().with(kTcpSyn | kTcpAck));
    bench.tcp(3'002, kClient.with(kTcpAck, 10));
    const Record record = only(check, bench.finish());
    check.equal(record.header.packets[0], 4, "packets up");
    check.equal(record.header.bytes[0], 170, "bytes up");
    check.equal(record.header.tcpFlags[0][1], 3, "SYNs");
    check.equal(record.header.seriesPackets, 3, "series");
    check.equal(record.header.firstNs, kStartMs * kMsNs, "first");
  });
  suite.test("flow: payload in the SYN starts behind its sequence number",
             [](Check& check) {
               Bench bench(small());
               bench.tcp(0, kClient.with(kTcpSyn, 50));
               const Record record = only(check, bench.finish());
               check.equal(record.segments.size(), 1, "segments");
               check.equal(record.segments[0].header.sequence, 5'001, "sequence");
               check.equal(record.header.initialSequence[0], 5'001, "first sequence");
             });
}

void clients(Suite& suite) {
  struct Case {
    const char* name;
    Segment first;
    bool sender;
  };
  for (const Case& one : std::vector<Case>{
           {"the sender of a SYN is the client", kClient.with(kTcpSyn), true},
           {"the receiver of a SYN-ACK is the client", kClient.with(kTcpSyn | kTcpAck),
            false},
           {"in the midst of a connection the first sender is", kClient.with(kTcpAck),
            true}}) {
    // Whichever end is the greater one in the key.
    for (const bool swapped : {false, true}) {
      suite.test(std::string("flow: ") + one.name, [&](Check& check) {
        Bench bench(small());
        const Segment first = swapped ? one.first.reversed() : one.first;
        bench.tcp(0, first);
        bench.tcp(1, first.reversed().with(kTcpAck, 5));
        const Record record = only(check, bench.finish());
        check.equal(record.header.clientPort, one.sender ? first.fromPort : first.toPort,
                    "client");
        check.equal(record.series[0].direction(),
                    one.sender ? Direction::kUp : Direction::kDown, "way");
        check.equal(record.header.packets[0], 1, "packets up");
      });
    }
  }
  suite.test("flow: a SYN that comes after its SYN-ACK is the flow's own",
             [](Check& check) {
               Bench bench(small());
               bench.tcp(0, kClient.reversed().with(kTcpSyn | kTcpAck));
               bench.tcp(1, kClient.with(kTcpSyn));
               bench.tcp(2, kClient.with(kTcpAck, 5));
               const Record record = only(check, bench.finish());
               check.equal(record.header.flags, kSynUp | kSynDown, "flags");
               check.equal(record.header.seriesPackets, 3, "series");
             });
}

void payload(Suite& suite) {
  suite.test("flow: payload is stored in the order it came", [](Check& check) {
    Bench bench(small());
    bench.handshake(0, kClient);
    Segment up = kClient.with(kTcpAck, 300);
    bench.tcp(3, up);
    bench.tcp(4, kClient.reversed().with(kTcpAck, 700));
    up.sequence = 5'300;
    bench.tcp(5, up);
    const Record record = only(check, bench.finish());
    check.equal(record.segments.size(), 3, "segments");
    check.equal(record.segments[0].header.sequence, 5'000, "sequence");
    check.equal(record.segments[1].header.direction, Direction::kDown, "way");
    check.that(record.segments[1].bytes == payloadOf(700), "bytes");
    check.equal(record.segments[2].header.sequence, 5'300, "next sequence");
    check.equal(record.header.payloadBytes[0], 600, "payload up");
    check.equal(record.header.payloadPackets[0], 2, "packets with payload");
    check.equal(record.header.flags & (kPayloadCutUp | kPayloadCutDown), 0,
                "nothing cut");
  });
  suite.test("flow: payload stops at its bound, the other way goes on", [](Check& check) {
    FlowTableOptions options = small();
    options.payloadBytes = 1'000;
    Bench bench(options);
    for (int i = 0; i < 5; ++i) bench.tcp(i, kClient.with(kTcpAck, 300));
    bench.tcp(5, kClient.reversed().with(kTcpAck, 992));
    const Record record = only(check, bench.finish());
    check.equal(record.segments.size(), 5, "segments");
    // 3 x 308 = 924 bytes; of the fourth, 76 less its header.
    check.equal(record.segments[3].header.length, 68, "the beginning that fits");
    check.equal(record.segments[4].header.length, 992, "the other way");
    check.equal(record.header.flags & (kPayloadCutUp | kPayloadCutDown), kPayloadCutUp,
                "cut");
    check.equal(record.header.payloadBytes[0], 1'500, "all is counted");
  });
  suite.test("flow: what the capture cut off is marked", [](Check& check) {
    Bench bench(small());
    Buffer cut = tcpFrame(kClient.with(kTcpAck, 300));
    cut.resize(14 + 40 + 120);
    bench.frame(0, cut);
    cut.resize(14 + 40);
    bench.frame(1, cut);
    const Record record = only(check, bench.finish());
    check.equal(record.segments.size(), 1, "segments");
    check.equal(record.segments[0].header.length, 120, "length");
    check.equal(record.segments[0].header.flags, kCaptureCut, "flag");
    check.equal(record.header.flags & kPayloadCutUp, kPayloadCutUp,
                "the second is left out");
    check.equal(record.series[1].payloadLength, 300, "wire length");
  });
  suite.test("flow: datagrams are numbered through the flow", [](Check& check) {
    Bench bench(small());
    bench.udp(0, kClient.with(0, 10));
    bench.udp(1, kClient.reversed().with(0, 0));
    bench.udp(2, kClient.reversed().with(0, 20));
    const Record record = only(check, bench.finish());
    check.equal(record.header.protocol, kProtocolUdp, "protocol");
    check.equal(record.segments.size(), 2, "segments");
    check.equal(record.segments[0].header.sequence, 0, "first");
    check.equal(record.segments[1].header.sequence, 2, "third");
    check.equal(record.header.initialWindow[0], 0, "no window");
  });
  suite.test("flow: an empty first datagram is in the series", [](Check& check) {
    Bench bench(small());
    bench.udp(0, kClient.with(0, 0));
    bench.udp(1, kClient.with(0, 10));
    const Record record = only(check, bench.finish());
    check.equal(record.header.seriesPackets, 2, "series");
    check.equal(record.segments[0].header.sequence, 1, "number");
  });
}

void series(Suite& suite) {
  suite.test("flow: the series stops at its bound, the counters go on", [](Check& check) {
    FlowTableOptions options = small();
    options.seriesPackets = 25;
    Bench bench(options);
    for (int i = 0; i < 60; ++i) bench.tcp(i, kClient.with(kTcpAck, 1));
    const Record record = only(check, bench.finish());
    check.equal(record.header.seriesPackets, 25, "series");
    check.equal(record.timeNs(24), 24 * kMsNs, "last time");
    check.equal(record.packets(), 60, "packets");
    check.equal(record.header.tcpFlags[0][4], 60, "ACKs");
    check.equal(record.header.flags & kSeriesCut, 0, "that is no cut");
  });
  suite.test("flow: a packet stamped before the first has time 0", [](Check& check) {
    Bench bench(small());
    bench.tcp(1'000, kClient.with(kTcpAck, 1));
    bench.tcp(999, kClient.with(kTcpAck, 1));
    const Record record = only(check, bench.finish());
    check.equal(record.timeNs(1), 0, "time");
    check.equal(record.header.lastNs, record.header.firstNs, "last");
  });
  suite.test("flow: a packet sent again or overtaken is behind, an ACK never is",
             [](Check& check) {
               Bench bench(small());
               bench.handshake(0, kClient);
               const auto send = [&](std::int64_t atMs, Segment segment,
                                     std::uint32_t offset, std::size_t bytes) {
                 segment.sequence += offset;
                 bench.tcp(atMs, segment.with(kTcpAck, bytes));
               };
               struct Sent {
                 std::uint32_t offset;
                 std::size_t bytes;
                 bool behind;
               };
               const std::vector<Sent> sent{
                   {1, 100, false},    // the first
                   {1, 100, true},     // again
                   {201, 100, false},  // ahead
                   {101, 100, true},   // overtaken
                   {251, 100, true},   // some of it again
                   {351, 50, false},   // right behind that
                   {0, 0, false},      // an ACK alone
               };
               std::int64_t atMs = 3;
               for (const Sent& one : sent) send(++atMs, kClient, one.offset, one.bytes);
               const Record record = only(check, bench.finish());
               check.equal(record.series.size(), 3 + sent.size(), "series");
               for (std::size_t i = 0; i < sent.size(); ++i) {
                 check.equal((record.series[3 + i].marks & kBehind) != 0, sent[i].behind,
                             "packet " + std::to_string(i));
               }
             });
  suite.test("flow: sequence numbers wrap around", [](Check& check) {
    Bench bench(small());
    Segment up = kClient;
    up.sequence = 0xffffffff - 99;
    bench.tcp(0, up.with(kTcpAck, 100));
    up.sequence = 0;
    bench.tcp(1, up.with(kTcpAck, 100));
    up.sequence = 0xffffffff - 99;
    bench.tcp(2, up.with(kTcpAck, 100));
    const Record record = only(check, bench.finish());
    check.equal(record.series[1].marks, 0, "behind the wrap");
    check.equal(record.series[2].marks, kBehind, "before the wrap");
  });
  suite.test("flow: a record handed over open still knows what was sent",
             [](Check& check) {
               FlowTableOptions options = small();
               options.readyPackets = {2};
               Bench bench(options);
               bench.tcp(0, kClient.with(kTcpAck, 100));
               bench.tcp(1, kClient.reversed().with(kTcpAck, 100));
               check.equal(bench.drain().size(), 1, "ready");
               bench.tcp(2, kClient.with(kTcpAck, 100));
               bench.tcp(3, kClient.reversed().with(kTcpAck, 100));
               const Record record = only(check, bench.finish());
               check.equal(record.series[2].marks, kBehind, "up");
               check.equal(record.series[3].marks, kDown | kBehind, "down");
             });
  suite.test("flow: a datagram is never behind", [](Check& check) {
    Bench bench(small());
    for (int i = 0; i < 3; ++i) bench.udp(i, kClient.with(0, 100));
    const Record record = only(check, bench.finish());
    for (const SeriesPacket& packet : record.series) {
      check.equal(packet.marks, 0, "marks");
    }
  });
  suite.test("flow: IPv6 addresses are whole, the VLAN is kept", [](Check& check) {
    Bench bench(small());
    bench.frame(0, ethernet(0x8100, vlanTag(42, kEtherTypeIpv6) + ipv6({}, tcp(kClient)) +
                                        Buffer(0)));
    bench.frame(1, ethernet(0x8100, vlanTag(42, kEtherTypeIpv6) +
                                        ipv6({}, tcp(kClient.with(kTcpAck, 9)))));
    const Record record = only(check, bench.finish());
    check.equal(record.header.ipVersion, 6, "version");
    check.equal(record.header.vlan, 42, "vlan");
    check.equal(record.header.clientAddress[0], 0xfd, "first byte");
    check.equal(record.header.clientAddress[15], 1, "last byte");
    check.equal(record.header.bytes[0], 129, "bytes");
  });
}

}  // namespace

void flowTests(Suite& suite) {
  handshakes(suite);
  clients(suite);
  payload(suite);
  series(suite);
}

}  // namespace sluice::test
