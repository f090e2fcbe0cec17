// Names that glibc has given a new version since 2.28, and libstdc++ since GCC 8, which is what
// Node.js itself asks for: one addon that is built on a new system loads on an old one. Bound
// inside of the addon, where each does what the library's does. own_thread.h has what cannot be.
// Thread: any; also in a signal's handler.
#include <features.h>

#ifdef __GLIBC__

#include <cerrno>
#include <csignal>
#include <new>

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" {

/** Of 2.33. On 64-bit systems the kernel's form is the C library's. */
__attribute__((visibility("hidden"))) int fstat64(int descriptor, struct stat64* status) noexcept {
  static_assert(sizeof(void*) == 8, "the kernel's struct stat has another form");
  return static_cast<int>(syscall(SYS_fstat, descriptor, status));
}

/** Of 2.32. Linux masks signals by thread; the error is the value. */
__attribute__((visibility("hidden"))) int pthread_sigmask(int how, const sigset_t* set,
                                                          sigset_t* old) noexcept {
  return sigprocmask(how, set, old) == 0 ? 0 : errno;
}

/** Of 2.32: what shared pointers look at, to count without atomics. Node.js has several threads. */
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;

/** Of libstdc++ 3.4.29: lists that are longer than there can be. */
[[noreturn]] __attribute__((visibility("hidden"))) void ThrowBadArrayNewLength() __asm__(
    "_ZSt28__throw_bad_array_new_lengthv");

void ThrowBadArrayNewLength() {
  throw std::bad_array_new_length();
}

}  // extern "C"

#endif
