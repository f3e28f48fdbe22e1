// What the addon tells of interfaces, capture permissions and clock.
#pragma once

#include <napi.h>

namespace sluice {

/** Adds interfaceFacts, probeCapture and clockFacts to the addon's exports. */
void exportInterface(Napi::Env env, Napi::Object exports);

}  // namespace sluice
