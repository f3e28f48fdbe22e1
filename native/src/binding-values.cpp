#include <algorithm>
#include <vector>

#include "binding.hpp"

namespace sluice {

Napi::String toString(Napi::Env env, std::string_view text) {
  return Napi::String::New(env, text.data(), text.size());
}

Napi::Value toNumber(Napi::Env env, std::uint64_t value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

void throwError(Napi::Env env, const char* code, const std::string& message) {
  if (env.IsExceptionPending()) return;
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  error.ThrowAsJavaScriptException();
}

bool isArray(const Napi::Value& value, napi_typedarray_type type) {
  return value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == type;
}

bool readFlag(const Napi::Object& options, const char* name, bool& to) {
  const Napi::Value value = options.Get(name);
  if (value.IsEmpty()) return false;
  if (value.IsUndefined()) return true;
  if (!value.IsBoolean()) return false;
  to = value.As<Napi::Boolean>().Value();
  return true;
}

namespace {

constexpr std::uint32_t kMaxListed = 4'096;

/** A list of whole numbers of 1..65535; leaves `to` alone when it is absent. */
bool readList(const Napi::Object& options, const char* name,
              std::vector<std::uint16_t>& to) {
  const Napi::Value value = options.Get(name);
  if (value.IsEmpty()) return false;
  if (value.IsUndefined()) return true;
  if (!value.IsArray()) return false;
  const auto list = value.As<Napi::Array>();
  if (list.Length() > kMaxListed) return false;
  for (std::uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value item = list[i];
    if (item.IsEmpty() || !item.IsNumber()) return false;
    const double number = item.As<Napi::Number>().DoubleValue();
    if (!(number >= 1 && number <= 0xffff)) return false;
    to.push_back(static_cast<std::uint16_t>(number));
  }
  return true;
}

bool readPackets(const Napi::Object& options, std::array<std::uint16_t, 4>& to) {
  std::vector<std::uint16_t> list;
  if (!readList(options, "readyPackets", list) || list.size() > to.size()) return false;
  std::ranges::copy(list, to.begin());
  return true;
}

template <std::size_t N>
Napi::Object toCounters(Napi::Env env, const std::array<std::string_view, N>& names,
                        const std::array<std::uint64_t, N>& values) {
  Napi::Object object = Napi::Object::New(env);
  for (std::size_t i = 0; i < N; ++i) {
    object.Set(toString(env, names[i]), toNumber(env, values[i]));
  }
  return object;
}

}  // namespace

bool readOptions(const Napi::Object& from, FlowTableOptions& to) {
  constexpr std::uint64_t kNoSeed = ~std::uint64_t{0};  // no JavaScript number
  std::uint64_t seed = kNoSeed;
  const bool read = readOption(from, "maxFlows", to.maxFlows) &&
                    readOption(from, "maxRecords", to.maxRecords) &&
                    readOption(from, "poolBytes", to.poolBytes) &&
                    readOption(from, "seriesPackets", to.seriesPackets) &&
                    readOption(from, "payloadBytes", to.payloadBytes) &&
                    readOption(from, "tcpIdleTimeoutMs", to.tcpIdleTimeoutMs) &&
                    readOption(from, "udpIdleTimeoutMs", to.udpIdleTimeoutMs) &&
                    readOption(from, "activeTimeoutMs", to.activeTimeoutMs) &&
                    readOption(from, "closeLingerMs", to.closeLingerMs) &&
                    readPackets(from, to.readyPackets) &&
                    readOption(from, "readyAfterMs", to.readyAfterMs) &&
                    readOption(from, "mtu", to.mtu) && readFlag(from, "tcp", to.tcp) &&
                    readFlag(from, "udp", to.udp) && readList(from, "ports", to.ports) &&
                    readOption(from, "tunnels", to.tunnels) &&
                    readOption(from, "table", to.table) && readOption(from, "seed", seed);
  if (seed != kNoSeed) to.seed = seed;
  return read && to.valid();
}

Napi::Object countersOf(Napi::Env env, const FlowCounters& counted,
                        const FlowGauges& now) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("frames", toNumber(env, counted.frames));
  object.Set("packets", toNumber(env, counted.packets));
  object.Set("bytes", toNumber(env, counted.bytes));
  object.Set("joined", toNumber(env, counted.joined));
  object.Set("flowsGivenUp", toNumber(env, counted.flowsGivenUp));
  object.Set("flowsCreated", toNumber(env, counted.flowsCreated));
  object.Set("flowsWithoutPayload", toNumber(env, counted.flowsWithoutPayload));
  object.Set("flowsEnded", toCounters(env, kEndReasonNames, counted.flowsEnded));
  object.Set("drops", toCounters(env, kDropReasonNames, counted.drops));
  object.Set("poolFull", toNumber(env, now.poolFull));
  object.Set("activeFlows", toNumber(env, now.activeFlows));
  object.Set("recordsInUse", toNumber(env, now.recordsInUse));
  object.Set("recordsEnded", toNumber(env, now.recordsEnded));
  object.Set("recordsReady", toNumber(env, now.recordsReady));
  object.Set("chunksInUse", toNumber(env, now.chunksInUse));
  object.Set("chunksPeak", toNumber(env, now.chunksPeak));
  return object;
}

}  // namespace sluice
