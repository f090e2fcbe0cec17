/*
 * Things in states of their own: a child that has ended, a user namespace, a mapping in pieces, and
 * objects that are no memory like any other. Also the pin of an XDP socket, which (unlike io_uring)
 * leaves it to the memory management which mappings it may have.
 */
#define _GNU_SOURCE
#include "protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_xdp.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

/* Headers older than Linux 5.14 lack it; the number is one for all architectures. */
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

/* A file without a name, or -1 where temporary files are not on a disk. */
static int disk_file(void) {
  int file = open("/var/tmp", O_TMPFILE | O_RDWR, 0600);
  struct statfs system;
  if (file < 0 || fstatfs(file, &system) != 0) return -1;
  if (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC) {
    close(file);
    errno = ENODEV;
    return -1;
  }
  return file;
}

int state_file(const char* kind) {
  if (strcmp(kind, "secret") == 0) return (int)syscall(SYS_memfd_secret, 0);
  if (strcmp(kind, "disk") == 0) return disk_file();
  return -2;
}

/* map_device LENGTH ADDRESS: what a PC's screen shows, for want of any other device's memory. */
static void map_device_command(const struct request* request) {
  enum { SCREEN = 0xa0000 };
  void* address = (void*)(uintptr_t)number_at(request, 1);
  int flags = MAP_SHARED | (address == NULL ? 0 : MAP_FIXED_NOREPLACE);
  int memory = open("/dev/mem", O_RDWR | O_SYNC);
  void* result = MAP_FAILED;
  if (memory >= 0) {
    result =
        mmap(address, number_at(request, 0), PROT_READ | PROT_WRITE, flags, memory, (off_t)SCREEN);
    int error = errno;
    close(memory);
    errno = error;
  }
  if (result == MAP_FAILED) {
    reply_result(-1);
    return;
  }
  printf("ok %p", result);
  end_reply();
}

/* ended_child: answers the pid of a child that stays to be waited for. */
static void ended_child_command(void) {
  pid_t pid = fork();
  if (pid == 0) _exit(0);
  siginfo_t information;
  if (pid < 0 || waitid(P_PID, (id_t)pid, &information, WEXITED | WNOWAIT) != 0) {
    reply_result(-1);
    return;
  }
  reply_result(pid);
}

/* shatter ADDRESS PAGE_COUNT: neighbours differ in their rights, so no two are one area. */
static void shatter_command(const struct request* request) {
  char* page = (char*)(uintptr_t)number_at(request, 0);
  uint64_t count = number_at(request, 1);
  size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
  long result = 0;
  for (uint64_t i = 1; i < count && result == 0; i += 2) {
    result = mprotect(page + i * page_bytes, page_bytes, PROT_READ);
  }
  reply_result(result);
}

/* register_packets ADDRESS LENGTH: a long-term pin that ends with the process. */
static void register_packets_command(const struct request* request) {
  struct xdp_umem_reg memory = {
      .addr = number_at(request, 0), .len = number_at(request, 1), .chunk_size = 2048};
  int descriptor = socket(AF_XDP, SOCK_RAW, 0);
  if (descriptor < 0) {
    reply_result(-1);
    return;
  }
  reply_result(setsockopt(descriptor, SOL_XDP, XDP_UMEM_REG, &memory, sizeof(memory)));
}

int run_state_command(const struct request* request) {
  const char* name = request->name;
  if (strcmp(name, "ended_child") == 0) {
    ended_child_command();
  } else if (strcmp(name, "unshare_user") == 0) {
    reply_result(unshare(CLONE_NEWUSER));
  } else if (strcmp(name, "map_device") == 0) {
    map_device_command(request);
  } else if (strcmp(name, "shatter") == 0) {
    shatter_command(request);
  } else if (strcmp(name, "register_packets") == 0) {
    register_packets_command(request);
  } else {
    return 0;
  }
  return 1;
}
