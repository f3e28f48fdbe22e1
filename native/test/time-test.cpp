// The packet clock and the timing wheel.
#include <limits>
#include <map>
#include <vector>

#include "check.hpp"
#include "packet-clock.hpp"
#include "random.hpp"
#include "timing-wheel.hpp"

namespace sluice::test {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSecond = 1'000 * kMs;
constexpr std::int64_t kHour = 3'600 * kSecond;
constexpr std::uint32_t kMaxStepMs = 1'800'000;

void clock(Suite& suite) {
  suite.test("clock: follows stamps and keeps parts of a millisecond", [](Check& check) {
    PacketClock clock(kMaxStepMs);
    for (int i = 0; i <= 10; ++i) clock.observe(i * kMs * 6 / 10);
    check.equal(clock.nowMs(), 6, "now");
  });
  suite.test("clock: a little disorder does not turn it back", [](Check& check) {
    PacketClock clock(kMaxStepMs);
    clock.observe(10 * kSecond);
    clock.observe(12 * kSecond);
    check.that(!clock.observe(11 * kSecond), "does not move");
    check.equal(clock.nowMs(), 2'000, "now");
    clock.observe(13 * kSecond);
    check.equal(clock.nowMs(), 3'000, "later");
  });
  suite.test("clock: one stamp centuries ahead or back is ignored", [](Check& check) {
    PacketClock clock(kMaxStepMs);
    clock.observe(kHour);
    for (const std::int64_t stray : {std::int64_t{0}, 1'000'000 * kHour, -kHour,
                                     std::numeric_limits<std::int64_t>::max(),
                                     std::numeric_limits<std::int64_t>::min()}) {
      check.that(!clock.observe(stray), "stray");
      clock.observe(kHour + kSecond);
    }
    check.equal(clock.nowMs(), 1'000, "now");
  });
  suite.test("clock: two stamps that agree move it, by one step at most",
             [](Check& check) {
               PacketClock clock(kMaxStepMs);
               clock.observe(0);
               clock.observe(1'000 * kHour);
               clock.observe(1'000 * kHour + kSecond);
               check.equal(clock.nowMs(), kMaxStepMs, "ahead");
               clock.observe(1'000 * kHour + 2 * kSecond);
               check.equal(clock.nowMs(), kMaxStepMs + 1'000, "goes on from there");
               clock.observe(5 * kHour);
               clock.observe(5 * kHour);
               check.equal(clock.nowMs(), kMaxStepMs + 1'000, "stands when turned back");
               clock.observe(5 * kHour + kSecond);
               check.equal(clock.nowMs(), kMaxStepMs + 2'000, "goes on from there, too");
             });
}

constexpr std::uint32_t kIds = 200;
constexpr std::uint32_t kLongestMs = 100'000;
/** A slot's width for kLongestMs. */
constexpr std::uint64_t kSlotMs = 32;

void wheel(Suite& suite) {
  suite.test("wheel: visits each in time, once, in a thousand random turns",
             [](Check& check) {
               Random random(5);
               TimingWheel wheel(kIds, kLongestMs);
               std::map<std::uint32_t, std::uint64_t> due;
               std::uint64_t now = 0;
               for (int turn = 0; turn < 1'000; ++turn) {
                 const std::uint32_t id = random() % kIds;
                 if (due.erase(id) != 0) {
                   wheel.cancel(id);
                 } else {
                   due[id] = now + random() % (kLongestMs + 1);
                   wheel.schedule(id, due[id]);
                 }
                 now += random() % (turn % 10 == 0 ? 3 * kLongestMs : 500);
                 wheel.advance(now, [&](std::uint32_t visited) {
                   check.equal(due.count(visited), 1, "is scheduled");
                   check.that(due[visited] <= now, "is not early");
                   due.erase(visited);
                 });
                 for (const auto& [left, deadline] : due) {
                   check.that(deadline + kSlotMs >= now, "is not late");
                 }
               }
             });
  suite.test(
      "wheel: whoever is scheduled on its visit waits another turn", [](Check& check) {
        TimingWheel wheel(kIds, kLongestMs);
        std::uint64_t now = 0;
        int visits = 0;
        wheel.schedule(1, 0);
        for (const std::uint64_t step :
             {std::uint64_t{100}, std::uint64_t{kLongestMs}, std::uint64_t{1} << 40U}) {
          now += step;
          visits = 0;
          wheel.advance(now, [&](std::uint32_t id) {
            ++visits;
            wheel.schedule(id, now + kLongestMs);
          });
          check.that(visits <= 2, "does not go round for ever");
        }
        check.that(visits >= 1, "is visited at last");
      });
  suite.test("wheel: a slot is visited in the order of scheduling", [](Check& check) {
    TimingWheel wheel(kIds, kLongestMs);
    for (const std::uint32_t id : {5U, 3U, 9U}) wheel.schedule(id, 1'000);
    wheel.cancel(3);
    std::vector<std::uint32_t> order;
    wheel.advance(2'000, [&](std::uint32_t id) { order.push_back(id); });
    check.that(order == std::vector<std::uint32_t>{5, 9}, "order");
  });
}

}  // namespace

void timeTests(Suite& suite) {
  clock(suite);
  wheel(suite);
}

}  // namespace sluice::test
