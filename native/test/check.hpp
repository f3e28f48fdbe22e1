// What the unit tests need of a framework.
#pragma once

#include <concepts>
#include <functional>
#include <source_location>
#include <string>
#include <string_view>

namespace sluice::test {

/** Collects what one test finds wrong. */
class Check {
 public:
  void that(bool holds, std::string_view what,
            std::source_location at = std::source_location::current());

  /** Numbers and enums, compared and printed as numbers. */
  template <class Got, class Want>
  void equal(Got got, Want want, std::string_view what,
             std::source_location at = std::source_location::current()) {
    const auto a = static_cast<long long>(got);
    const auto b = static_cast<long long>(want);
    that(a == b,
         std::string(what) + ": got " + std::to_string(a) + ", want " + std::to_string(b),
         at);
  }

  [[nodiscard]] const std::string& faults() const { return faults_; }

 private:
  std::string faults_;
};

/** Runs tests, prints those that fail. */
class Suite {
 public:
  /** `name` is a sentence of behaviour. */
  void test(std::string_view name, const std::function<void(Check&)>& body);
  /** Prints the summary; true when nothing failed. */
  [[nodiscard]] bool passed() const;

 private:
  int passed_ = 0;
  int failed_ = 0;
};

}  // namespace sluice::test
