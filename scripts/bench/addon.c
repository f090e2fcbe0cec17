/*
 * The reference inside the measured process: the same pages of the same address space. A kernel
 * looks the mapping up for each page, and that takes longer where a process has more mappings.
 *
 * move(address, pageCount, chunk, node), locate(address, pageCount, chunk) and
 * mbind(address, pageCount, node): nanoseconds, or a negative number as in reference.h.
 */
#include <node_api.h>
#include <stdint.h>

#include "reference.h"

enum { ARGUMENTS_MAX = 4 };

struct call {
  struct pages pages;
  int64_t numbers[ARGUMENTS_MAX]; /* the arguments behind the pages */
};

static struct call read_call(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  size_t count = ARGUMENTS_MAX;
  uint64_t address = 0;
  int64_t page_count = 0;
  bool lossless = false;
  struct call call = {0};
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
  napi_get_value_bigint_uint64(env, values[0], &address, &lossless);
  napi_get_value_int64(env, values[1], &page_count);
  for (size_t i = 2; i < count; i++) napi_get_value_int64(env, values[i], &call.numbers[i - 2]);
  call.pages.start = (char*)(uintptr_t)address;
  call.pages.count = (long)page_count;
  return call;
}

static napi_value to_number(napi_env env, long long value) {
  napi_value number = NULL;
  napi_create_int64(env, value, &number);
  return number;
}

static napi_value move(napi_env env, napi_callback_info info) {
  const struct call call = read_call(env, info);
  return to_number(env, move_ns(call.pages, (long)call.numbers[0], (int)call.numbers[1]));
}

static napi_value locate(napi_env env, napi_callback_info info) {
  const struct call call = read_call(env, info);
  return to_number(env, locate_ns(call.pages, (long)call.numbers[0]));
}

static napi_value bind_range(napi_env env, napi_callback_info info) {
  const struct call call = read_call(env, info);
  return to_number(env, mbind_ns(call.pages, (int)call.numbers[0]));
}

static void export_function(napi_env env, napi_value exports, const char* name,
                            napi_callback callback) {
  napi_value function = NULL;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function);
  napi_set_named_property(env, exports, name, function);
}

NAPI_MODULE_INIT() {
  export_function(env, exports, "move", move);
  export_function(env, exports, "locate", locate);
  export_function(env, exports, "mbind", bind_range);
  return exports;
}
