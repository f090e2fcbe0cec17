// libnuma reports trouble by calling `numa_warn` and `numa_error`, which it lets a program replace;
// its own write to stderr. These two take their place (the addon comes before libnuma in the order
// in which the loader looks symbols up) and say nothing: what failed is in the call's answer.

#include <numa.h>

#define NODE_NUMA_VISIBLE __attribute__((visibility("default")))

extern "C" {

NODE_NUMA_VISIBLE void numa_warn(int /*number*/, char* /*where*/, ...) {}

NODE_NUMA_VISIBLE void numa_error(char* /*where*/) {}

}  // extern "C"
