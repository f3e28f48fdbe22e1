// A capture thread as a JavaScript class. Its batches are JavaScript's own memory, lent
// to the thread while it fills them.
#include <atomic>
#include <memory>
#include <vector>

#include "binding.hpp"
#include "capture-thread.hpp"

namespace sluice {
namespace {

/** More would only be memory: a batch is taken within milliseconds, or JavaScript stalls.
 */
constexpr std::uint32_t kMaxBatches = 256;

bool readText(const Napi::Object& options, const char* name, std::string& to) {
  const Napi::Value value = options.Get(name);
  if (value.IsEmpty() || !value.IsString()) return false;
  to = value.As<Napi::String>().Utf8Value();
  return true;
}

bool readRing(const Napi::Object& from, RingOptions& to) {
  constexpr std::uint32_t kNoGroup = 0xffffffff;
  std::uint32_t group = kNoGroup;
  const bool read = readText(from, "interface", to.interface) &&
                    readOption(from, "blockBytes", to.blockBytes) &&
                    readOption(from, "blocks", to.blocks) &&
                    readOption(from, "retireMs", to.retireMs) &&
                    readFlag(from, "promiscuous", to.promiscuous) &&
                    readFlag(from, "ignoreOutgoing", to.ignoreOutgoing) &&
                    readFlag(from, "lockMemory", to.lockMemory) &&
                    readOption(from, "snapBytes", to.filter.snapBytes) &&
                    readOption(from, "fanoutGroup", group);
  if (!read || (group != kNoGroup && group > 0xffff)) return false;
  if (group != kNoGroup) to.fanoutGroup = static_cast<std::uint16_t>(group);
  return true;
}

/** An error with `step` and `errno`: the TypeScript side knows what to say about them. */
void throwRingError(Napi::Env env, const RingError& error) {
  if (env.IsExceptionPending()) return;
  Napi::Error thrown = Napi::Error::New(env, error.step);
  thrown.Set("code", Napi::String::New(env, "ERR_RING"));
  thrown.Set("step", Napi::String::New(env, error.step));
  thrown.Set("errno", Napi::Number::New(env, error.error));
  thrown.Set("reason", Napi::String::New(env, error.reason));
  thrown.ThrowAsJavaScriptException();
}

class CaptureObject : public Napi::ObjectWrap<CaptureObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Capture",
                       {InstanceMethod<&CaptureObject::start>("start"),
                        InstanceMethod<&CaptureObject::stop>("stop"),
                        InstanceMethod<&CaptureObject::close>("close"),
                        InstanceMethod<&CaptureObject::lend>("lend"),
                        InstanceMethod<&CaptureObject::take>("take"),
                        InstanceMethod<&CaptureObject::report>("report"),
                        InstanceMethod<&CaptureObject::facts>("facts")});
  }

  /** new Capture(ring, table, filter, changed): opens the ring; no thread runs yet. */
  explicit CaptureObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<CaptureObject>(info) {
    const Napi::Env env = info.Env();
    RingOptions ringOptions;
    FlowTableOptions tableOptions;
    if (!info[0].IsObject() || !info[1].IsObject() || !info[2].IsFunction() ||
        !readRing(info[0].As<Napi::Object>(), ringOptions) ||
        !readOptions(info[1].As<Napi::Object>(), tableOptions)) {
      throwError(env, "ERR_CAPTURE_OPTIONS", "capture: an option is out of bounds");
      return;
    }
    PacketRing ring;
    // The kernel drops what the table would not want; the table checks it again.
    ringOptions.filter.tcp = tableOptions.tcp;
    ringOptions.filter.udp = tableOptions.udp;
    ringOptions.filter.ports = tableOptions.ports;
    ringOptions.filter.tunnels = tableOptions.tunnels;
    if (const auto error = PacketRing::open(ringOptions, ring)) {
      throwRingError(env, *error);
      return;
    }
    changed_ = Napi::ThreadSafeFunction::New(env, info[2].As<Napi::Function>(),
                                             "sluice capture", 0, 1);
    thread_ = std::make_unique<CaptureThread>(std::move(ring), tableOptions,
                                              [this] { notify(); });
    if (!thread_->ok()) {
      const std::size_t wanted = thread_->memoryBytes();
      end();
      throwError(
          env, "ERR_FLOW_TABLE_MEMORY",
          "flow table: " + std::to_string(wanted) + " bytes of memory cannot be had");
      return;
    }
    // Added behind the thread-safe function's own: hooks run in reverse order, and the
    // thread has to end first.
    napi_add_env_cleanup_hook(env, endOf, this);
  }

  void Finalize(Napi::Env env) override {
    napi_remove_env_cleanup_hook(env, endOf, this);
    end();
  }

 private:
  static void endOf(void* self) { static_cast<CaptureObject*>(self)->end(); }

  /**
   * In the thread. One call under way is enough: it takes all that there is. It may come
   * to run when this object is gone, so it holds nothing of it.
   */
  void notify() {
    if (notified_->exchange(true)) return;
    changed_.NonBlockingCall(
        [notified = notified_](Napi::Env env, Napi::Function changed) {
          notified->store(false);
          if (env != nullptr) changed.Call({});
        });
  }

  /** Joins the thread before anything goes that it uses. */
  void end() {
    if (!thread_) return;
    thread_.reset();
    changed_.Release();
    lent_.clear();
  }

  /** Whether the thread is there; else throws. */
  bool open(Napi::Env env) const {
    if (thread_) return true;
    throwError(env, "ERR_CAPTURE_CLOSED", "capture: it has been closed");
    return false;
  }

  Napi::Value start(const Napi::CallbackInfo& info) {
    if (open(info.Env())) thread_->start();
    return info.Env().Undefined();
  }

  Napi::Value stop(const Napi::CallbackInfo& info) {
    if (open(info.Env())) thread_->stop();
    return info.Env().Undefined();
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    end();
    return info.Env().Undefined();
  }

  /** lend(batch, memory): the thread may write to it until it is taken. */
  Napi::Value lend(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!open(env)) return env.Undefined();
    if (!info[0].IsNumber() || !isArray(info[1], napi_uint8_array)) {
      throwError(env, "ERR_CAPTURE_BATCH", "lend wants a number and a Uint8Array");
      return env.Undefined();
    }
    const std::uint32_t batch = info[0].As<Napi::Number>().Uint32Value();
    auto memory = info[1].As<Napi::Uint8Array>();
    if (batch >= kMaxBatches || memory.ByteLength() < thread_->batchBytesMin()) {
      throwError(env, "ERR_CAPTURE_BATCH", "lend was given too little memory");
      return env.Undefined();
    }
    if (lent_.size() <= batch) lent_.resize(batch + 1);
    if (!lent_[batch].IsEmpty()) {
      throwError(env, "ERR_CAPTURE_BATCH", "this batch has been lent already");
      return env.Undefined();
    }
    lent_[batch] = Napi::Persistent(memory);
    thread_->lend(batch,
                  std::as_writable_bytes(std::span(memory.Data(), memory.ByteLength())));
    return env.Undefined();
  }

  /** take(): [batch, bytes] of the oldest filled batch, which is lent no longer. */
  Napi::Value take(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!open(env)) return env.Undefined();
    const auto taken = thread_->take();
    if (!taken) return env.Undefined();
    lent_[taken->batch].Reset();
    Napi::Array pair = Napi::Array::New(env, 2);
    pair.Set(0U, toNumber(env, taken->batch));
    pair.Set(1U, toNumber(env, taken->bytes));
    return pair;
  }

  Napi::Value report(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!open(env)) return env.Undefined();
    const CaptureReport report = thread_->report();
    Napi::Object object = Napi::Object::New(env);
    object.Set("state",
               toString(env, kCaptureStateNames[static_cast<std::size_t>(report.state)]));
    object.Set("interfaceGone", Napi::Boolean::New(env, report.interfaceGone));
    object.Set("ringPackets", toNumber(env, report.ring.packets));
    object.Set("ringDrops", toNumber(env, report.ring.drops));
    object.Set("ringFreezes", toNumber(env, report.ring.freezes));
    object.Set("batches", toNumber(env, report.batches));
    object.Set("waits", toNumber(env, report.waits));
    object.Set("flows", countersOf(env, report.flows, report.gauges));
    return object;
  }

  Napi::Value facts(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!open(env)) return env.Undefined();
    Napi::Object object = Napi::Object::New(env);
    object.Set("locked", Napi::Boolean::New(env, thread_->ring().locked()));
    object.Set("segmentSizes", Napi::Boolean::New(env, thread_->ring().vnetHeader()));
    object.Set("mtu", toNumber(env, thread_->ring().mtu()));
    object.Set("memoryBytes", toNumber(env, thread_->memoryBytes()));
    object.Set("batchBytesMin", toNumber(env, thread_->batchBytesMin()));
    return object;
  }

  std::unique_ptr<CaptureThread> thread_;
  Napi::ThreadSafeFunction changed_;
  std::shared_ptr<std::atomic<bool>> notified_ =
      std::make_shared<std::atomic<bool>>(false);
  std::vector<Napi::Reference<Napi::Uint8Array>> lent_;
};

}  // namespace

Napi::Function defineCapture(Napi::Env env) { return CaptureObject::define(env); }

}  // namespace sluice
