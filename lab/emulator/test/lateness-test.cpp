// The histogram of lateness.
#include "lateness.hpp"

#include "check.hpp"

namespace sluice::test {

void latenessTests(Suite& suite) {
  suite.test("lateness: nothing seen is no lateness", [](Check& check) {
    const lab::Lateness lateness;
    check.equal(lateness.quantileNs(0.99), 0, "p99");
    check.equal(lateness.maxNs(), 0, "max");
  });
  suite.test("lateness: quantiles are right within 13%, and never too small",
             [](Check& check) {
               lab::Lateness lateness;
               for (std::int64_t us = 1; us <= 10'000; ++us) lateness.add(us * 1'000);
               for (const double share : {0.01, 0.5, 0.9, 0.99}) {
                 const double want = share * 1e7;
                 const auto got = static_cast<double>(lateness.quantileNs(share));
                 check.that(got >= want && got < want * 1.13, std::to_string(share));
               }
               check.equal(lateness.quantileNs(1), 10'000'000, "p100 is the largest");
               check.equal(lateness.maxNs(), 10'000'000, "max");
             });
  suite.test("lateness: early is on time; an hour late is held", [](Check& check) {
    lab::Lateness lateness;
    lateness.add(-5);
    check.equal(lateness.quantileNs(0.5), 0, "early");
    lateness.add(3'600'000'000'000);
    check.equal(lateness.maxNs(), 3'600'000'000'000, "max");
    check.equal(lateness.quantileNs(1), 3'600'000'000'000, "p100");
  });
}

}  // namespace sluice::test
