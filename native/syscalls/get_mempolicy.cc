// get_mempolicy(2): the policy of the calling thread or of an address, the allowed nodes, or the
// node of a page.
// Thread: the caller's by necessity; a pool thread would report its own.

#include <numaif.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/syscall_result.h"

namespace node_numa {

namespace {

struct GetMempolicyArguments {
  uint64_t maxnode;
  uint64_t address;
  unsigned flags;
};

struct Stored {
  int mode = 0;
  // One word more than the kernel stores, so that the pointer is never NULL.
  std::vector<uint64_t> words;
};

SyscallResult CallGetMempolicy(const GetMempolicyArguments& arguments, Stored* stored) {
  unsigned long* const nodemask =
      arguments.maxnode == 0 ? nullptr : reinterpret_cast<unsigned long*>(stored->words.data());
  return SyscallResult::Capture(
      get_mempolicy(&stored->mode, nodemask, arguments.maxnode,
                    reinterpret_cast<void*>(arguments.address), arguments.flags),
      "get_mempolicy");
}

// Source: copy_nodes_to_user() of mm/mempolicy.c stores maxnode - 1 bits in whole words, and
// refuses more than a page of them.
size_t StoredWords(uint64_t maxnode) {
  const uint64_t words_max = static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) / sizeof(uint64_t);
  return maxnode == 0 ? 0 : std::min((maxnode - 1 + 63) / 64, words_max);
}

GetMempolicyArguments Decode(Arguments* arguments) {
  GetMempolicyArguments decoded;
  decoded.maxnode = arguments->Size("maxnode");
  decoded.address = arguments->Address("address");
  decoded.flags = static_cast<unsigned>(arguments->Bits32("flags"));
  return decoded;
}

}  // namespace

/** get_mempolicy(maxnode, address, flags): SyscallResult<{ mode, nodemask }> */
napi_value GetMempolicy(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const GetMempolicyArguments decoded = Decode(&arguments);
  if (!arguments.Valid()) return {};

  const size_t word_count = StoredWords(decoded.maxnode);
  Stored stored;
  stored.words.resize(word_count + 1);
  const SyscallResult result = CallGetMempolicy(decoded, &stored);
  if (!result.Ok()) return Failure(info.Env(), result);

  const Values values(info.Env());
  const napi_value nodemask = values.BigUint64s(stored.words.data(), word_count);
  return Success(info.Env(),
                 values.Object({{"mode", values.Number(stored.mode)}, {"nodemask", nodemask}}));
}

}  // namespace node_numa
