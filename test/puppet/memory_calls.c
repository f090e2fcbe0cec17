/* Mappings, first touch, contents, and the references that keep a page from moving. */
#define _GNU_SOURCE
#include "protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static sigjmp_buf fault_return;

static void on_fault(int signal) {
  (void)signal;
  siglongjmp(fault_return, 1);
}

/* Runs until a bad access, which it reports as EFAULT. */
static void catch_faults(void) {
  struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
}

/* touch ADDRESS PAGE_COUNT (read|write): a store changes no value. */
static void touch_command(const struct request* request) {
  volatile char* page = (volatile char*)(uintptr_t)number_at(request, 0);
  uint64_t count = number_at(request, 1);
  int is_write = strcmp(text_at(request, 2), "write") == 0;
  long page_bytes = sysconf(_SC_PAGESIZE);
  catch_faults();
  if (sigsetjmp(fault_return, 1) != 0) {
    errno = EFAULT;
    reply_result(-1);
    return;
  }
  for (uint64_t i = 0; i < count; i++, page += page_bytes) {
    if (is_write) {
      __atomic_fetch_or(page, 0, __ATOMIC_RELAXED);
    } else {
      (void)*page;
    }
  }
  reply_result(0);
}

/* keep_touching ADDRESS PAGE_COUNT (read|write|count) MILLISECONDS: answers at once and goes on
 * touching; the next command waits. `count` adds 1 to the first word of each page. Many processes
 * can be at it together. */
static void keep_touching_command(const struct request* request) {
  volatile char* pages = (volatile char*)(uintptr_t)number_at(request, 0);
  uint64_t count = number_at(request, 1);
  int is_write = strcmp(text_at(request, 2), "write") == 0;
  int counts = strcmp(text_at(request, 2), "count") == 0;
  uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  uint64_t end_ms =
      (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + number_at(request, 3);
  reply_result(0);
  catch_faults();
  if (sigsetjmp(fault_return, 1) != 0) return;
  do {
    for (int round = 0; round < 100; round++) {
      for (uint64_t i = 0; i < count; i++) {
        volatile char* page = pages + i * page_bytes;
        if (counts) {
          *(volatile uint64_t*)page += 1;
        } else if (is_write) {
          __atomic_fetch_or(page, 0, __ATOMIC_RELAXED);
        } else {
          (void)*page;
        }
      }
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while ((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 < end_ms);
}

/* store ADDRESS VALUE, load ADDRESS: one 64-bit word. */
static void word_command(const struct request* request) {
  volatile uint64_t* word = (volatile uint64_t*)(uintptr_t)number_at(request, 0);
  catch_faults();
  if (sigsetjmp(fault_return, 1) != 0) {
    errno = EFAULT;
    reply_result(-1);
    return;
  }
  if (strcmp(request->name, "store") == 0) *word = number_at(request, 1);
  printf("ok %#lx", *word);
  end_reply();
}

/* mmap ADDRESS LENGTH (private|shared) PROTECTION; address 0 lets the kernel choose. */
static void mmap_command(const struct request* request) {
  void* address = (void*)(uintptr_t)number_at(request, 0);
  int flags = MAP_ANONYMOUS;
  flags |= strcmp(text_at(request, 2), "shared") == 0 ? MAP_SHARED : MAP_PRIVATE;
  if (address != NULL) flags |= MAP_FIXED_NOREPLACE;
  void* result = mmap(address, number_at(request, 1), (int)number_at(request, 3), flags, -1, 0);
  if (result == MAP_FAILED) {
    reply_result(-1);
    return;
  }
  printf("ok %p", result);
  end_reply();
}

/* pin ADDRESS LENGTH [PIN]: references the pages from a pipe; the answer is the pin to give up, the
 * one asked for if there is one. */
static void pin_command(const struct request* request) {
  struct iovec range = {.iov_base = (void*)(uintptr_t)number_at(request, 0),
                        .iov_len = number_at(request, 1)};
  int ends[2];
  if (pipe(ends) != 0) {
    reply_result(-1);
    return;
  }
  fcntl(ends[1], F_SETPIPE_SZ, (int)range.iov_len);
  ssize_t taken = vmsplice(ends[1], &range, 1, SPLICE_F_NONBLOCK);
  close(ends[1]);
  if (taken != (ssize_t)range.iov_len) {
    int error = taken < 0 ? errno : ENOBUFS;
    close(ends[0]);
    errno = error;
    reply_result(-1);
    return;
  }
  if (request->count <= 2) {
    reply_result(ends[0]);
    return;
  }
  reply_result(dup2(ends[0], (int)number_at(request, 2)));
  close(ends[0]);
}

int run_memory_command(const struct request* request) {
  const char* name = request->name;
  void* address = (void*)(uintptr_t)number_at(request, 0);
  if (strcmp(name, "mmap") == 0) {
    mmap_command(request);
  } else if (strcmp(name, "munmap") == 0) {
    reply_result(munmap(address, number_at(request, 1)));
  } else if (strcmp(name, "mprotect") == 0) {
    reply_result(mprotect(address, number_at(request, 1), (int)number_at(request, 2)));
  } else if (strcmp(name, "mlock") == 0) {
    reply_result(mlock(address, number_at(request, 1)));
  } else if (strcmp(name, "munlock") == 0) {
    reply_result(munlock(address, number_at(request, 1)));
  } else if (strcmp(name, "touch") == 0) {
    touch_command(request);
  } else if (strcmp(name, "keep_touching") == 0) {
    keep_touching_command(request);
  } else if (strcmp(name, "store") == 0 || strcmp(name, "load") == 0) {
    word_command(request);
  } else if (strcmp(name, "pin") == 0) {
    pin_command(request);
  } else if (strcmp(name, "unpin") == 0) {
    reply_result(close((int)number_at(request, 0)));
  } else {
    return 0;
  }
  return 1;
}
