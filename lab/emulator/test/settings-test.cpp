// Settings as text.
#include "settings.hpp"

#include <array>

#include "check.hpp"

namespace sluice::test {

void settingsTests(Suite& suite) {
  suite.test("settings: units are those of the names", [](Check& check) {
    const auto read = lab::readSettings(
        "# a comment\n\nseed 42\n"
        "line 0 up delay_us=1500 jitter_us=2 jitter_hold_us=3 rate_kbps=4 queue_bytes=5 "
        "loss=0.25 burst_enter=0.5 burst_leave=0.75 burst_loss=1\n"
        "client 10.0.0.1 0\n");
    const auto& settings = std::get<lab::PathSettings>(read);
    const lab::LineSettings& up = settings.lines[0][0];
    check.equal(settings.seed, 42U, "seed");
    check.equal(up.delayNs, 1'500'000, "delay");
    check.equal(up.jitterNs, 2'000, "jitter");
    check.equal(up.jitterHoldNs, 3'000, "hold");
    check.equal(up.rateBps, 4'000, "rate");
    check.equal(up.queueBytes, 5, "queue");
    check.that(up.loss == 0.25 && up.burstEnter == 0.5, "shares");
    check.that(up.burstLeave == 0.75 && up.burstLoss == 1, "shares of bursts");
    check.equal(settings.lines[0][1].delayNs, 0, "down is left as it is");
  });

  struct Wrong {
    const char* text;
    std::size_t line;
    const char* says;
  };
  constexpr std::array kWrong = {
      Wrong{"", 0, "no client"},
      Wrong{"line 0 up\n", 1, "no client"},
      Wrong{"line 1 up\n", 1, "next one"},
      Wrong{"line 0 sideways\n", 1, "up or down"},
      Wrong{"line 0 up delay_us=-1\n", 1, "whole number"},
      Wrong{"line 0 up delay_us=1.5\n", 1, "whole number"},
      Wrong{"line 0 up delay_us=99999999999\n", 1, "whole number"},
      Wrong{"line 0 up delay_us\n", 1, "whole number"},
      Wrong{"line 0 up loss=1.5\n", 1, "0 to 1"},
      Wrong{"line 0 up loss=nan\n", 1, "0 to 1"},
      Wrong{"line 0 up speed=1\n", 1, "no such setting"},
      Wrong{"line 0 up rate_kbps=1\n", 1, "queue_bytes"},
      Wrong{"line 0 up\nclient 10.0.0 0\n", 2, "address"},
      Wrong{"line 0 up\nclient 10.0.0.1 1\n", 2, "no such line"},
      Wrong{"seed x\n", 1, "seed"},
      Wrong{"server 10.0.0 5\n", 1, "address"},
      Wrong{"server 10.0.0.9 -5\n", 1, "delay in us"},
      Wrong{"hello\n", 1, "expected seed, line, client or server"},
  };
  for (const Wrong& wrong : kWrong) {
    suite.test("settings: what is wrong is told by line", [&wrong](Check& check) {
      const auto read = lab::readSettings(wrong.text);
      const auto* error = std::get_if<lab::SettingsError>(&read);
      check.that(error != nullptr, wrong.text);
      if (error == nullptr) return;
      check.equal(error->line, wrong.line, wrong.text);
      check.that(error->what.find(wrong.says) != std::string::npos, error->what);
    });
  }
}

}  // namespace sluice::test
