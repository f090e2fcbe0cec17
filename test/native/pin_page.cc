// A test's own addon: holds a reference to each page of a range, so that it cannot move.
// vmsplice(2) into a pipe takes the reference, and closing the pipe gives it back. Touch the pages
// first: an untouched page is pinned as the zero page.

#include <fcntl.h>
#include <napi.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

struct Pin {
  std::vector<Pipe> pipes;
};

// Pins of one isolate by id; an empty entry is no longer pinned.
struct Pins {
  std::vector<Pin> pins;
};

void Close(Pin* pin) {
  for (const Pipe& pipe : pin->pipes) {
    close(pipe.read_end);
    close(pipe.write_end);
  }
  pin->pipes.clear();
}

// A pipe holds one page in each of its slots, 16 of them unless told otherwise, so a long range
// needs several pipes. Returns 0 or an errno.
int Splice(char* address, size_t length_bytes, Pin* pin) {
  while (length_bytes > 0) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno;
    pin->pipes.push_back({ends[0], ends[1]});
    struct iovec range = {address, length_bytes};
    const ssize_t taken = vmsplice(ends[1], &range, 1, SPLICE_F_NONBLOCK);
    if (taken < 0) return errno;
    address += taken;
    length_bytes -= static_cast<size_t>(taken);
  }
  return 0;
}

/** pin(address: bigint, lengthBytes: number): number */
Napi::Value PinPages(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  bool lossless = false;
  if (!info[0].IsBigInt() || !info[1].IsNumber() || info[1].As<Napi::Number>().Int64Value() < 0) {
    Napi::TypeError::New(env, "pin(address: bigint, lengthBytes: number)")
        .ThrowAsJavaScriptException();
    return {};
  }
  const uint64_t address = info[0].As<Napi::BigInt>().Uint64Value(&lossless);
  Pin pin;
  const int error = Splice(reinterpret_cast<char*>(address),
                           static_cast<size_t>(info[1].As<Napi::Number>().Int64Value()), &pin);
  if (error != 0) {
    Close(&pin);
    Napi::Error::New(env, std::string("vmsplice: ") + strerror(error)).ThrowAsJavaScriptException();
    return {};
  }
  std::vector<Pin>& pins = env.GetInstanceData<Pins>()->pins;
  pins.push_back(std::move(pin));
  return Napi::Number::New(env, static_cast<double>(pins.size() - 1));
}

/** unpin(id: number): undefined; does nothing the second time */
Napi::Value UnpinPages(const Napi::CallbackInfo& info) {
  std::vector<Pin>& pins = info.Env().GetInstanceData<Pins>()->pins;
  const double id = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : -1;
  if (!(id >= 0 && id < static_cast<double>(pins.size()))) {
    Napi::TypeError::New(info.Env(), "unpin(id: number)").ThrowAsJavaScriptException();
    return {};
  }
  Close(&pins[static_cast<size_t>(id)]);
  return {};
}

void FinalizePins(Napi::Env /*env*/, Pins* pins) {
  for (Pin& pin : pins->pins) Close(&pin);
  delete pins;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData<Pins, FinalizePins>(new Pins);
  exports.Set("pin", Napi::Function::New<PinPages>(env, "pin"));
  exports.Set("unpin", Napi::Function::New<UnpinPages>(env, "unpin"));
  return exports;
}

}  // namespace

NODE_API_MODULE(pin_page, Init)
