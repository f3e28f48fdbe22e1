// Runs all unit tests; exit code 1 if one fails.
#include "check.hpp"

namespace sluice::test {

void decoderTests(Suite& suite);
void tunnelTests(Suite& suite);
void hostileFrameTests(Suite& suite);
void indexTests(Suite& suite);
void timeTests(Suite& suite);
void poolTests(Suite& suite);
void flowTests(Suite& suite);
void flowEndTests(Suite& suite);
void flowLimitTests(Suite& suite);
void blockTests(Suite& suite);
void packetFilterTests(Suite& suite);
void interfaceTests(Suite& suite);
void ringBlockTests(Suite& suite);
void captureIndexerTests(Suite& suite);
void captureFileTests(Suite& suite);
void flowReadyTests(Suite& suite);

}  // namespace sluice::test

int main() {
  sluice::test::Suite suite;
  sluice::test::decoderTests(suite);
  sluice::test::tunnelTests(suite);
  sluice::test::hostileFrameTests(suite);
  sluice::test::indexTests(suite);
  sluice::test::timeTests(suite);
  sluice::test::poolTests(suite);
  sluice::test::flowTests(suite);
  sluice::test::flowEndTests(suite);
  sluice::test::flowLimitTests(suite);
  sluice::test::blockTests(suite);
  sluice::test::packetFilterTests(suite);
  sluice::test::interfaceTests(suite);
  sluice::test::ringBlockTests(suite);
  sluice::test::captureIndexerTests(suite);
  sluice::test::captureFileTests(suite);
  sluice::test::flowReadyTests(suite);
  return suite.passed() ? 0 : 1;
}
