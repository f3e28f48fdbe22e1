#include "settings.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>
#include <optional>
#include <sstream>
#include <string_view>

namespace sluice::lab {
namespace {

constexpr std::size_t kMaxLines = 256;

template <class Number>
std::optional<Number> numberOf(std::string_view text) {
  Number number{};
  const auto [end, fault] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || end != text.data() + text.size() || number < Number{})
    return std::nullopt;
  return number;
}

std::optional<Address> addressOf(const std::string& text) {
  Address address{};
  const int family = text.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (::inet_pton(family, text.c_str(), address.data()) != 1) return std::nullopt;
  return address;
}

/** Where a whole number goes, and how many of the field's units it stands for. */
struct WholeKey {
  std::string_view name;
  std::int64_t LineSettings::*field;
  std::int64_t scale;
};
constexpr std::array kWholeKeys = {
    WholeKey{"delay_us", &LineSettings::delayNs, 1'000},
    WholeKey{"jitter_us", &LineSettings::jitterNs, 1'000},
    WholeKey{"jitter_hold_us", &LineSettings::jitterHoldNs, 1'000},
    WholeKey{"rate_kbps", &LineSettings::rateBps, 1'000},
    WholeKey{"queue_bytes", &LineSettings::queueBytes, 1},
};
constexpr std::int64_t kMaxWhole = 1'000'000'000;  // 1,000 s, 1 Tbit/s

struct ShareKey {
  std::string_view name;
  double LineSettings::*field;
};
constexpr std::array kShareKeys = {
    ShareKey{"loss", &LineSettings::loss},
    ShareKey{"burst_enter", &LineSettings::burstEnter},
    ShareKey{"burst_leave", &LineSettings::burstLeave},
    ShareKey{"burst_loss", &LineSettings::burstLoss},
};

/** Takes `key=value`; what is wrong with it, or nothing. */
std::string take(LineSettings& line, const std::string& pair) {
  const std::size_t equals = pair.find('=');
  const std::string_view name = std::string_view(pair).substr(0, equals);
  const std::string_view value =
      equals == std::string::npos ? "" : std::string_view(pair).substr(equals + 1);
  for (const WholeKey& key : kWholeKeys) {
    if (key.name != name) continue;
    const auto number = numberOf<std::int64_t>(value);
    if (!number || *number > kMaxWhole)
      return pair + ": expected a whole number, 0 to 1000000000";
    line.*key.field = *number * key.scale;
    return {};
  }
  for (const ShareKey& key : kShareKeys) {
    if (key.name != name) continue;
    const auto share = numberOf<double>(value);
    if (!share || !(*share <= 1)) return pair + ": expected a number, 0 to 1";
    line.*key.field = *share;
    return {};
  }
  return pair + ": no such setting";
}

std::string takeLine(PathSettings& settings, std::istringstream& words) {
  std::string number;
  std::string way;
  words >> number >> way;
  const auto index = numberOf<std::size_t>(number);
  if (!index || *index > settings.lines.size() || *index >= kMaxLines)
    return "line " + number + ": expected the number of this line or of the next one";
  if (way != "up" && way != "down") return "'" + way + "': expected up or down";
  if (*index == settings.lines.size()) settings.lines.emplace_back();
  LineSettings& line =
      settings
          .lines[*index][static_cast<std::size_t>(way == "up" ? Way::kUp : Way::kDown)];
  for (std::string pair; words >> pair;) {
    if (std::string fault = take(line, pair); !fault.empty()) return fault;
  }
  if (line.rateBps > 0 && line.queueBytes == 0) return "rate_kbps without queue_bytes";
  return {};
}

std::string takeClient(PathSettings& settings, std::istringstream& words) {
  std::string text;
  std::string number;
  words >> text >> number;
  const auto address = addressOf(text);
  if (!address) return "'" + text + "': expected an IPv4 or IPv6 address";
  const auto index = numberOf<std::size_t>(number);
  if (!index || *index >= settings.lines.size())
    return "client of line '" + number + "': there is no such line above";
  settings.lineOfClient[*address] = *index;
  return {};
}

std::string takeServer(PathSettings& settings, std::istringstream& words) {
  std::string text;
  std::string delay;
  words >> text >> delay;
  const auto address = addressOf(text);
  if (!address) return "'" + text + "': expected an IPv4 or IPv6 address";
  const auto delayUs = numberOf<std::int64_t>(delay);
  if (!delayUs || *delayUs > kMaxWhole)
    return "'" + delay + "': expected a delay in us, 0 to 1000000000";
  settings.delayNsOfServer[*address] = *delayUs * 1'000;
  return {};
}

std::string takeSeed(PathSettings& settings, std::istringstream& words) {
  std::string text;
  words >> text;
  const auto seed = numberOf<std::uint64_t>(text);
  if (!seed) return "'" + text + "': expected a whole number as seed";
  settings.seed = *seed;
  return {};
}

std::string takeRow(PathSettings& settings, const std::string& row) {
  std::istringstream words(row);
  std::string verb;
  words >> verb;
  if (verb.empty() || verb.front() == '#') return {};
  if (verb == "seed") return takeSeed(settings, words);
  if (verb == "line") return takeLine(settings, words);
  if (verb == "client") return takeClient(settings, words);
  if (verb == "server") return takeServer(settings, words);
  return "'" + verb + "': expected seed, line, client or server";
}

}  // namespace

std::variant<PathSettings, SettingsError> readSettings(const std::string& text) {
  PathSettings settings;
  std::istringstream rows(text);
  std::size_t number = 0;
  for (std::string row; std::getline(rows, row);) {
    ++number;
    if (std::string fault = takeRow(settings, row); !fault.empty())
      return SettingsError{.line = number, .what = std::move(fault)};
  }
  if (settings.lineOfClient.empty())
    return SettingsError{.line = number, .what = "no client is named"};
  return settings;
}

}  // namespace sluice::lab
