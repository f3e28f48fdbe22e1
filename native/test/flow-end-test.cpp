// How flows end, and when.
#include <string>
#include <vector>

#include "check.hpp"
#include "flows.hpp"

namespace sluice::test {
namespace {

const Segment kClient{.sequence = 5'000};
constexpr unsigned kFinAck = kTcpFin | kTcpAck;

void handshakeAndPayload(Bench& bench, std::int64_t atMs) {
  bench.handshake(atMs, kClient);
  bench.tcp(atMs + 3, kClient.with(kTcpAck, 10));
}

/** Lets the clock run by a flow of its own. */
void wait(Bench& bench, std::int64_t untilMs) {
  bench.udp(untilMs, {.from = 200, .to = 201, .fromPort = 9, .toPort = 9});
}

void expectEnd(Check& check, const std::vector<Record>& records, EndReason reason) {
  check.equal(records.size(), 1, "records");
  if (!records.empty()) check.equal(records[0].header.endReason, reason, "end reason");
}

void closing(Suite& suite) {
  suite.test("end: FIN both ways, after a wait for the last ACK", [](Check& check) {
    Bench bench(small());
    handshakeAndPayload(bench, 0);
    bench.tcp(10, kClient.with(kFinAck));
    wait(bench, 20'000);
    check.equal(bench.drain().size(), 0, "one FIN is not enough");
    bench.tcp(20'001, kClient.reversed().with(kFinAck));
    bench.tcp(20'002, kClient.with(kTcpAck));
    wait(bench, 24'000);
    check.equal(bench.drain().size(), 0, "lingers");
    wait(bench, 25'300);
    const std::vector<Record> records = bench.drain();
    expectEnd(check, records, EndReason::kFin);
    check.equal(records.at(0).packets(), 7, "the last ACK is counted");
  });
  suite.test("end: packets after the end do not keep a closed flow open",
             [](Check& check) {
               Bench bench(small());
               handshakeAndPayload(bench, 0);
               bench.tcp(10, kClient.with(kTcpRst));
               for (int ms = 1'000; ms < 8'000; ms += 1'000)
                 bench.tcp(ms, kClient.with(kTcpAck, 1));
               expectEnd(check, bench.drain(), EndReason::kRst);
               check.equal(bench.table().gauges().activeFlows, 1,
                           "what goes on is another flow");
             });
  suite.test("end: a RST after both FINs changes nothing", [](Check& check) {
    Bench bench(small());
    handshakeAndPayload(bench, 0);
    bench.tcp(10, kClient.with(kFinAck));
    bench.tcp(11, kClient.reversed().with(kFinAck));
    bench.tcp(12, kClient.with(kTcpRst));
    expectEnd(check, bench.finish(), EndReason::kFin);
  });
}

void silence(Suite& suite) {
  struct Case {
    const char* name;
    bool tcp;
    std::int64_t timeoutMs;
  };
  for (const Case& one : {Case{"TCP", true, 300'000}, Case{"UDP", false, 60'000}}) {
    suite.test(std::string("end: idle, for ") + one.name, [&](Check& check) {
      Bench bench(small());
      const Segment packet = kClient.with(one.tcp ? kTcpAck : 0, 10);
      const auto send = [&](std::int64_t atMs) {
        one.tcp ? bench.tcp(atMs, packet) : bench.udp(atMs, packet);
      };
      send(0);
      send(1'000);
      wait(bench, 1'000 + one.timeoutMs - 1);
      check.equal(bench.drain().size(), 0, "not yet");
      wait(bench, 1'000 + one.timeoutMs + 200);
      expectEnd(check, bench.drain(), EndReason::kIdle);
    });
    suite.test(std::string("end: a packet after the timeout opens anew, ") + one.name,
               [&](Check& check) {
                 Bench bench(small());
                 const Segment packet = kClient.with(one.tcp ? kTcpAck : 0, 10);
                 for (const std::int64_t atMs : {std::int64_t{0}, one.timeoutMs}) {
                   one.tcp ? bench.tcp(atMs, packet) : bench.udp(atMs, packet);
                 }
                 expectEnd(check, bench.drain(), EndReason::kIdle);
                 check.equal(bench.finish().size(), 1, "the other flow");
               });
  }
  suite.test(
      "end: active for too long; the next part has the same client", [](Check& check) {
        FlowTableOptions options = small();
        options.activeTimeoutMs = 10'000;
        Bench bench(options);
        handshakeAndPayload(bench, 0);
        for (int ms = 1'000; ms <= 10'000; ms += 1'000) {
          bench.tcp(ms, kClient.reversed().with(kTcpAck, 5));
        }
        expectEnd(check, bench.drain(), EndReason::kActive);
        const std::vector<Record> rest = bench.finish();
        expectEnd(check, rest, EndReason::kFlush);
        check.equal(rest.at(0).header.clientPort, kClient.fromPort, "client");
        check.equal(rest.at(0).header.flags & kSynUp, 0, "its SYN was another flow's");
        check.equal(rest.at(0).header.packets[1], 1, "packets down");
      });
}

void reuse(Suite& suite) {
  Segment again = kClient;
  again.sequence = 77'000;
  suite.test("end: reused by a new SYN after the end", [again](Check& check) {
    Bench bench(small());
    handshakeAndPayload(bench, 0);
    bench.tcp(10, kClient.with(kTcpRst));
    bench.handshake(20, again);
    bench.tcp(30, again.with(kTcpAck, 20));
    expectEnd(check, bench.drain(), EndReason::kReused);
    const std::vector<Record> rest = bench.finish();
    expectEnd(check, rest, EndReason::kFlush);
    check.equal(rest.at(0).header.initialSequence[0], 77'001, "its own first sequence");
  });
  suite.test("end: reused by a new SYN after some silence", [again](Check& check) {
    Bench bench(small());
    handshakeAndPayload(bench, 0);
    bench.tcp(1'000, again.with(kTcpSyn));
    check.equal(bench.drain().size(), 0,
                "a SYN into a lively flow is a packet like others");
    bench.tcp(5'000, again.with(kTcpSyn));
    expectEnd(check, bench.drain(), EndReason::kReused);
  });
  suite.test("end: the SYN sent again is no reuse", [](Check& check) {
    Bench bench(small());
    handshakeAndPayload(bench, 0);
    bench.tcp(10, kClient.with(kTcpRst));
    bench.tcp(20, kClient.with(kTcpSyn));
    check.equal(bench.drain().size(), 0, "ended");
    check.equal(bench.ended(EndReason::kReused), 0, "reused");
  });
  suite.test("end: an unanswered SYN gives way to one of another number",
             [again](Check& check) {
               Bench bench(small());
               bench.tcp(0, kClient.with(kTcpSyn));
               bench.handshake(100, again);
               bench.tcp(110, again.with(kTcpAck, 1));
               check.equal(bench.ended(EndReason::kReused), 1, "reused");
               const std::vector<Record> records = bench.finish();
               check.equal(records.at(0).header.seriesPackets, 4, "series");
             });
}

void withoutPayload(Suite& suite) {
  suite.test("end: flows without payload are counted, not handed over", [](Check& check) {
    Bench bench(small());
    // A scan: no answer, refused, open and given up.
    bench.tcp(0, kClient.with(kTcpSyn));
    Segment refused = kClient;
    refused.toPort = 22;
    bench.tcp(1, refused.with(kTcpSyn));
    bench.tcp(2, refused.reversed().with(kTcpRst | kTcpAck));
    check.equal(bench.table().gauges().activeFlows, 1,
                "a refused port is forgotten at once");
    check.equal(bench.table().gauges().recordsInUse, 0, "no record so far");
    Segment open = kClient;
    open.toPort = 80;
    bench.handshake(3, open);
    bench.tcp(6, open.with(kTcpRst));
    check.equal(bench.finish().size(), 0, "records");
    const FlowCounters& counters = bench.table().counters();
    check.equal(counters.flowsCreated, 3, "created");
    check.equal(counters.flowsWithoutPayload, 3, "without payload");
    check.equal(bench.ended(EndReason::kRst), 2, "reset");
    check.equal(counters.packets, 7, "packets");
    check.equal(bench.table().gauges().recordsInUse, 0, "records in use");
    check.equal(bench.table().gauges().chunksInUse, 0, "chunks in use");
  });
}

void flush(Suite& suite) {
  suite.test("end: a flush goes by the flows' first packets", [](Check& check) {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
      FlowTableOptions options = small();
      options.seed = seed;
      Bench bench(options);
      for (unsigned i = 0; i < 50; ++i) {
        bench.tcp(i, {.from = 10 + i * 37 % 50, .flags = kTcpSyn});
      }
      for (unsigned i = 0; i < 50; ++i)
        bench.tcp(100 + i, {.from = 10 + i, .payload = 5});
      const std::vector<Record> records = bench.finish();
      check.equal(records.size(), 50, "records");
      for (std::size_t i = 0; i < records.size(); ++i) {
        check.equal(records[i].header.firstNs, (kStartMs + static_cast<int>(i)) * kMsNs,
                    "order");
      }
      check.equal(bench.table().gauges().activeFlows, 0, "active");
    }
  });
  suite.test("end: after a flush the table goes on", [](Check& check) {
    Bench bench(small());
    handshakeAndPayload(bench, 0);
    check.equal(bench.finish().size(), 1, "first");
    check.equal(bench.finish().size(), 0, "nothing left");
    handshakeAndPayload(bench, 100);
    check.equal(bench.finish().size(), 1, "second");
  });
}

void strangeTimes(Suite& suite) {
  suite.test("end: a stamp centuries off ends no other flow", [](Check& check) {
    Bench bench(small());
    handshakeAndPayload(bench, 0);
    bench.frame(std::int64_t{1} << 60, udpFrame({.from = 9, .payload = 1}));
    bench.frame(-kStartMs * kMsNs, udpFrame({.from = 8, .payload = 1}));
    bench.tcp(100, kClient.with(kTcpAck, 1));
    check.equal(bench.drain().size(), 0, "ended");
    check.equal(bench.finish().size(), 3, "flows");
  });
  suite.test("end: the first packet after a gap of years is its flow's",
             [](Check& check) {
               constexpr std::int64_t kYearsMs = 100'000'000'000;
               for (const bool bare : {true, false}) {
                 Bench bench(small());
                 handshakeAndPayload(bench, 0);
                 Segment other = kClient;
                 other.toPort = 80;
                 bench.tcp(kYearsMs, other.with(kTcpSyn, bare ? 0 : 10));
                 bench.tcp(kYearsMs + 10, other.reversed().with(kTcpSyn | kTcpAck));
                 bench.tcp(kYearsMs + 20, other.with(kTcpAck, 10));
                 expectEnd(check, bench.drain(), EndReason::kIdle);
                 const std::vector<Record> records = bench.finish();
                 expectEnd(check, records, EndReason::kFlush);
                 check.equal(records.at(0).packets(), 3, "packets");
               }
             });
  suite.test("end: a capture appended to a later one has timeouts, too",
             [](Check& check) {
               Bench bench(small());
               handshakeAndPayload(bench, 1'000'000'000);
               handshakeAndPayload(bench, 0);
               wait(bench, 301'000);
               check.equal(bench.drain().size(), 1, "ended by silence");
             });
}

}  // namespace

void flowEndTests(Suite& suite) {
  closing(suite);
  silence(suite);
  reuse(suite);
  withoutPayload(suite);
  flush(suite);
  strangeTimes(suite);
}

}  // namespace sluice::test
