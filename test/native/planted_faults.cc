// Faults on purpose, as entries beside the addon's own: the sanitizer run must find each of them,
// or what it does not find elsewhere says nothing. Never part of the package.

#include <napi.h>

#include <climits>
#include <memory>

// The addon's table, with its registration put off.
#include <node_api.h>
#undef NAPI_MODULE
#define NAPI_MODULE(name, init) static constexpr auto kOwnInit = init;
#include "../../native/addon.cc"

namespace node_numa {

namespace {

/** What an owner of a mapping looks like. */
struct PlantedOwner {
  std::shared_ptr<int> share;
  int64_t charged_bytes = 0;
};

/** planted_use_after_free(): reads an owner after its release. */
Napi::Value PlantedUseAfterFree(const Napi::CallbackInfo& info) {
  PlantedOwner* const owner = new PlantedOwner{std::make_shared<int>(1), 4096};
  const PlantedOwner* volatile kept = owner;
  delete owner;
  return Napi::Number::New(info.Env(), static_cast<double>(kept->charged_bytes));
}

/** planted_undefined(): a signed number that overflows. */
Napi::Value PlantedUndefined(const Napi::CallbackInfo& info) {
  volatile int number = INT_MAX;
  number = number + 1;
  return Napi::Number::New(info.Env(), number);
}

/** planted_unchecked(): writes through an array that a terminated worker cannot make. */
Napi::Value PlantedUnchecked(const Napi::CallbackInfo& info) {
  Napi::Value last;
  for (int count = 0; count < 1000; ++count) {
    Napi::BigUint64Array array = Napi::BigUint64Array::New(info.Env(), 16);
    array.Data()[0] = 1;
    last = array;
  }
  return last;
}

}  // namespace

NAPI_MODULE_INIT() {
  Napi::Object entries(env, kOwnInit(env, exports));
  const char* const name = "planted_use_after_free";
  entries.Set(name, Napi::Function::New<PlantedUseAfterFree>(env, name));
  entries.Set("planted_undefined", Napi::Function::New<PlantedUndefined>(env, "undefined"));
  entries.Set("planted_unchecked", Napi::Function::New<PlantedUnchecked>(env, "unchecked"));
  return entries;
}

}  // namespace node_numa
