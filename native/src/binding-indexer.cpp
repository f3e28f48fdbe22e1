// The reader of capture files as a JavaScript class: src/capture/pcap.ts feeds it.
#include <napi.h>

#include "binding.hpp"
#include "capture-indexer.hpp"

namespace sluice {
namespace {

/** Numbers that one call writes: those of `Indexed` in their order, then `homeless`. */
constexpr std::size_t kReportWords = 7;

class IndexerObject : public Napi::ObjectWrap<IndexerObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "CaptureIndexer",
                       {InstanceMethod<&IndexerObject::index>("index")});
  }

  explicit IndexerObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<IndexerObject>(info) {
    if (!indexer_.ok()) {
      throwError(info.Env(), "ERR_INDEXER_MEMORY", "reader of captures: out of memory");
    }
  }

 private:
  /** index(window, from, to, index, report): of the window's bytes from..to. */
  Napi::Value index(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!isArray(info[0], napi_uint8_array) || !info[1].IsNumber() ||
        !info[2].IsNumber() || !isArray(info[3], napi_uint32_array) ||
        !isArray(info[4], napi_uint32_array)) {
      throwError(env, "ERR_INDEXER_WINDOW",
                 "index wants a Uint8Array, two numbers and two Uint32Arrays");
      return env.Undefined();
    }
    const auto window = info[0].As<Napi::Uint8Array>();
    const std::uint32_t from = info[1].As<Napi::Number>().Uint32Value();
    const std::uint32_t to = info[2].As<Napi::Number>().Uint32Value();
    auto words = info[3].As<Napi::Uint32Array>();
    auto report = info[4].As<Napi::Uint32Array>();
    if (from > to || to > window.ByteLength() || report.ElementLength() < kReportWords) {
      throwError(env, "ERR_INDEXER_WINDOW",
                 "index was told to read behind the end of the window");
      return env.Undefined();
    }
    const auto bytes = std::as_bytes(std::span(window.Data(), window.ByteLength()));
    const Indexed indexed =
        indexer_.index(bytes.subspan(from, to - from), from,
                       std::span(words.Data(), words.ElementLength()));
    report[0] = indexed.frames;
    report[1] = indexed.linkType;
    report[2] = static_cast<std::uint32_t>(indexed.passed);
    report[3] = static_cast<std::uint32_t>(indexed.stop);
    report[4] = static_cast<std::uint32_t>(indexed.wanted);
    report[5] = indexed.detail;
    report[6] = static_cast<std::uint32_t>(indexer_.homeless());
    return env.Undefined();
  }

  CaptureIndexer indexer_;
};

}  // namespace

Napi::Function defineIndexer(Napi::Env env) { return IndexerObject::define(env); }

}  // namespace sluice
