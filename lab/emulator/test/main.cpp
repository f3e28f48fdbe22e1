// Runs the emulator's unit tests; exit code 1 if one fails.
#include "check.hpp"

namespace sluice::test {

void delayLineTests(Suite& suite);
void latenessTests(Suite& suite);
void pathTests(Suite& suite);
void settingsTests(Suite& suite);

}  // namespace sluice::test

int main() {
  sluice::test::Suite suite;
  sluice::test::delayLineTests(suite);
  sluice::test::latenessTests(suite);
  sluice::test::pathTests(suite);
  sluice::test::settingsTests(suite);
  return suite.passed() ? 0 : 1;
}
