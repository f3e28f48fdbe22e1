// Delay, jitter, rate, queue and loss of one direction, by a clock that the tests turn.
#include "delay-line.hpp"

#include <cmath>
#include <vector>

#include "check.hpp"

namespace sluice::test {
namespace {

using lab::DelayLine;
using lab::Fate;
using lab::LineDrop;
using lab::LineSettings;

constexpr std::int64_t kMs = 1'000'000;

void delays(Suite& suite) {
  suite.test("line: without settings a packet leaves when it comes", [](Check& check) {
    DelayLine line({}, 1);
    check.equal(line.admit(5 * kMs, 1'500).releaseNs, 5 * kMs, "release");
  });
  suite.test("line: delay is added to each packet", [](Check& check) {
    DelayLine line({.delayNs = 20 * kMs}, 1);
    check.equal(line.admit(0, 100).releaseNs, 20 * kMs, "first");
    check.equal(line.admit(kMs, 100).releaseNs, 21 * kMs, "second");
  });
  suite.test("line: jitter is one-sided, has its mean and never reorders",
             [](Check& check) {
               DelayLine line({.delayNs = 10 * kMs, .jitterNs = 2 * kMs}, 7);
               constexpr int kPackets = 20'000;
               constexpr std::int64_t kApartNs = 100 * kMs;
               double sum = 0;
               std::int64_t last = 0;
               for (int i = 0; i < kPackets; ++i) {
                 const std::int64_t now = i * kApartNs;
                 const std::int64_t release = line.admit(now, 100).releaseNs;
                 check.that(release >= now + 10 * kMs, "never early");
                 check.that(release >= last, "in order");
                 sum += static_cast<double>(release - now - 10 * kMs);
                 last = release;
               }
               // A draw's deviation is its mean: three of the mean's are 2%.
               check.that(std::abs(sum / kPackets - 2.0 * kMs) < 0.03 * 2 * kMs, "mean");
             });
  suite.test("line: packets close together keep their order under jitter",
             [](Check& check) {
               DelayLine line({.jitterNs = 5 * kMs}, 3);
               std::int64_t last = 0;
               for (int i = 0; i < 1'000; ++i) {
                 const std::int64_t release = line.admit(i * kMs / 10, 100).releaseNs;
                 check.that(release >= last, "in order");
                 last = release;
               }
             });
  suite.test("line: a draw of jitter holds as long as it should", [](Check& check) {
    DelayLine line({.jitterNs = 5 * kMs, .jitterHoldNs = 10 * kMs}, 3);
    const std::int64_t first = line.admit(0, 100).releaseNs;
    for (int ms = 1; ms < 10; ++ms)
      check.equal(line.admit(ms * kMs, 100).releaseNs - ms * kMs, first, "held");
    const std::int64_t later = line.admit(60 * kMs, 100).releaseNs - 60 * kMs;
    check.that(later != first, "drawn anew");
  });
}

void rates(Suite& suite) {
  suite.test("line: a rate spaces packets by their length", [](Check& check) {
    // 8 Mbit/s: a byte a microsecond.
    DelayLine line({.rateBps = 8'000'000, .queueBytes = 10'000}, 1);
    check.equal(line.admit(0, 1'000).releaseNs, kMs, "first");
    check.equal(line.admit(0, 500).releaseNs, kMs * 3 / 2, "behind it");
    check.equal(line.admit(10 * kMs, 1'000).releaseNs, 11 * kMs, "after a pause");
  });
  suite.test("line: what does not fit into the queue is dropped, what drains is room",
             [](Check& check) {
               DelayLine line({.rateBps = 8'000'000, .queueBytes = 2'500}, 1);
               check.that(!line.admit(0, 1'000).drop, "first");
               check.that(!line.admit(0, 1'000).drop, "second");
               check.that(line.admit(0, 1'000).drop == LineDrop::kQueue, "third");
               check.that(!line.admit(0, 500).drop, "a small one fits");
               check.that(!line.admit(kMs, 1'000).drop, "after a millisecond");
             });
  suite.test("line: a packet that was dropped takes no time on the line",
             [](Check& check) {
               DelayLine line({.rateBps = 8'000'000, .queueBytes = 1'000}, 1);
               check.equal(line.admit(0, 1'000).releaseNs, kMs, "first");
               check.that(line.admit(0, 1'000).drop == LineDrop::kQueue, "dropped");
               check.equal(line.admit(kMs, 1'000).releaseNs, 2 * kMs, "next");
             });
}

/** Which of so many packets are lost. */
std::vector<bool> losses(const LineSettings& settings, std::uint64_t seed, int packets) {
  DelayLine line(settings, seed);
  std::vector<bool> lost;
  for (int i = 0; i < packets; ++i)
    lost.push_back(line.admit(i * kMs, 100).drop == LineDrop::kLoss);
  return lost;
}

void losing(Suite& suite) {
  suite.test("line: single packets are lost at their rate", [](Check& check) {
    int lost = 0;
    for (const bool one : losses({.loss = 0.01}, 5, 100'000)) lost += one ? 1 : 0;
    // 1,000 expected, deviation 31.
    check.that(lost > 880 && lost < 1'120, "1% of 100,000: " + std::to_string(lost));
  });
  suite.test("line: bursts lose as many as Gilbert's model says, one after another",
             [](Check& check) {
               // In a burst 1 packet in 11; all of a burst are lost, 10 in the mean.
               const auto lost = losses(
                   {.burstEnter = 0.01, .burstLeave = 0.1, .burstLoss = 1}, 9, 200'000);
               int count = 0;
               int runs = 0;
               for (std::size_t i = 0; i < lost.size(); ++i) {
                 if (!lost[i]) continue;
                 ++count;
                 if (i == 0 || !lost[i - 1]) ++runs;
               }
               const double share = count / 200'000.0;
               check.that(std::abs(share - 1.0 / 11) < 0.01, "share");
               check.that(std::abs(static_cast<double>(count) / runs - 10) < 1, "length");
             });
  suite.test("line: the same seed loses the same packets, another one others",
             [](Check& check) {
               const LineSettings settings{.loss = 0.1};
               check.that(losses(settings, 1, 500) == losses(settings, 1, 500), "same");
               check.that(losses(settings, 1, 500) != losses(settings, 2, 500), "other");
             });
}

}  // namespace

void delayLineTests(Suite& suite) {
  delays(suite);
  rates(suite);
  losing(suite);
}

}  // namespace sluice::test
