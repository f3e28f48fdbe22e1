// Plain structs -> JavaScript objects. A fault is an answer here, not an exception: the
// TypeScript face knows what it means.
#include "binding-interface.hpp"

#include <string>

#include "capture-probe.hpp"
#include "clock-facts.hpp"
#include "interface-facts.hpp"

namespace sluice {
namespace {

Napi::String toString(Napi::Env env, std::string_view text) {
  return Napi::String::New(env, text.data(), text.size());
}

Napi::Value toNumber(Napi::Env env, std::int64_t value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

Napi::Value toFlag(Napi::Env env, std::optional<bool> flag) {
  if (!flag) return env.Undefined();
  return Napi::Boolean::New(env, *flag);
}

Napi::Value toValue(Napi::Env env, const SystemFault& fault) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("step", toString(env, fault.step));
  object.Set("errno", toNumber(env, fault.error));
  return object;
}

Napi::Value toValue(Napi::Env env, const InterfaceOffloads& offloads) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("gro", toFlag(env, offloads.gro));
  object.Set("lro", toFlag(env, offloads.lro));
  object.Set("gso", toFlag(env, offloads.gso));
  object.Set("tso", toFlag(env, offloads.tso));
  object.Set("rxVlan", toFlag(env, offloads.rxVlan));
  object.Set("txVlan", toFlag(env, offloads.txVlan));
  object.Set("udpGro", toFlag(env, offloads.udpGro));
  object.Set("hwTc", toFlag(env, offloads.hwTc));
  return object;
}

Napi::Value toValue(Napi::Env env, const InterfaceFacts& facts) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("index", toNumber(env, facts.index));
  object.Set("mtu", toNumber(env, facts.mtu));
  object.Set("hardwareType", toNumber(env, facts.hardwareType));
  object.Set("up", toFlag(env, facts.up));
  object.Set("running", toFlag(env, facts.running));
  object.Set("promiscuous", toFlag(env, facts.promiscuous));
  object.Set("offloads", toValue(env, facts.offloads));
  return object;
}

Napi::Value toValue(Napi::Env env, const ClockFacts& facts) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("synchronised", toFlag(env, facts.synchronised));
  object.Set("maxErrorUs", toNumber(env, facts.maxErrorUs));
  return object;
}

template <class Facts>
Napi::Value toValue(Napi::Env env, const std::variant<Facts, SystemFault>& answer) {
  return std::visit([env](const auto& held) { return toValue(env, held); }, answer);
}

/** The name of an interface; an empty one, which none has, if the argument is no string.
 */
std::string nameOf(const Napi::Value& value) {
  return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
}

/** interfaceFacts(name): facts or a fault. */
Napi::Value getInterfaceFacts(const Napi::CallbackInfo& info) {
  return toValue(info.Env(), interfaceFacts(nameOf(info[0])));
}

/** probeCapture(name): a step and its errno each, undefined for what was not tried. */
Napi::Value getCaptureProbe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const CaptureProbe probe = probeCapture(nameOf(info[0]));
  Napi::Array array = Napi::Array::New(env, kCaptureStepCount);
  for (std::uint32_t i = 0; i < kCaptureStepCount; ++i) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("step", toString(env, kCaptureStepNames[i]));
    object.Set("errno", probe[i] ? toNumber(env, *probe[i]) : env.Undefined());
    array.Set(i, object);
  }
  return array;
}

/** clockFacts(): facts or a fault. */
Napi::Value getClockFacts(const Napi::CallbackInfo& info) {
  return toValue(info.Env(), clockFacts());
}

}  // namespace

void exportInterface(Napi::Env env, Napi::Object exports) {
  exports.Set("interfaceFacts", Napi::Function::New<getInterfaceFacts>(env));
  exports.Set("probeCapture", Napi::Function::New<getCaptureProbe>(env));
  exports.Set("clockFacts", Napi::Function::New<getClockFacts>(env));
}

}  // namespace sluice
