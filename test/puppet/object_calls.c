/*
 * Memory behind mappings: shared objects, files, huge pages; and what changes a mapping without
 * changing its policy. A file system is mounted for one object and never gets a name.
 */
#define _GNU_SOURCE
#include "batch.h"
#include "protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OCCUPIED_BYTES = 1 << 23, ROUND_MICROSECONDS = 500000 };

/* A file of a fresh file system of that type, or -1. */
static int file_of_type(const char* type) {
  int context = (int)syscall(SYS_fsopen, type, 0);
  if (context < 0) return -1;
  int file = -1;
  if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0) {
    int root = (int)syscall(SYS_fsmount, context, 0, 0);
    if (root >= 0) {
      file = openat(root, "object", O_RDWR | O_CREAT, 0600);
      int error = errno;
      close(root);
      errno = error;
    }
  }
  int error = errno;
  close(context);
  errno = error;
  return file;
}

/* A name in hex, as it travels between spaces. */
static void read_name(const char* hex, char* name, size_t size) {
  size_t length = 0;
  for (; hex[0] != '\0' && hex[1] != '\0' && length + 1 < size; hex += 2) {
    char digits[] = {hex[0], hex[1], '\0'};
    name[length++] = (char)strtol(digits, NULL, 16);
  }
  name[length] = '\0';
}

/* create_object (memfd|hugetlb|sysv|secret|disk|FILE SYSTEM) LENGTH NAME [NUMBER]: answers its
 * number, the one asked for if there is one, and its inode's, which is 0 then. */
static void create_command(const struct request* request) {
  const char* kind = text_at(request, 0);
  uint64_t length = number_at(request, 1);
  if (strcmp(kind, "sysv") == 0) {
    int id = shmget(IPC_PRIVATE, length, 0600);
    begin_reply(id);
    if (id != -1) printf(" %d %d", id, id); /* ipc/shm.c gives the inode the segment's id */
    end_reply();
    return;
  }
  int file;
  if (strcmp(kind, "memfd") == 0) {
    char name[128];
    read_name(text_at(request, 2), name, sizeof(name));
    file = memfd_create(name, 0);
  } else if (strcmp(kind, "hugetlb") == 0) {
    file = memfd_create("puppet", MFD_HUGETLB | MFD_HUGE_2MB);
  } else {
    file = state_file(kind);
    if (file == -2) file = file_of_type(kind);
  }
  struct stat status;
  if (file < 0 || ftruncate(file, (off_t)length) != 0 || fstat(file, &status) != 0) {
    reply_result(-1);
    return;
  }
  if (request->count > 3) {
    int number = dup2(file, (int)number_at(request, 3));
    close(file);
    file = number;
    status.st_ino = 0;
  }
  printf("ok %d %llu", file, (unsigned long long)status.st_ino);
  end_reply();
}

/* map_object NUMBER LENGTH (private|shared) OFFSET PROTECTION ADDRESS */
static void map_command(const struct request* request) {
  int flags = strcmp(text_at(request, 2), "shared") == 0 ? MAP_SHARED : MAP_PRIVATE;
  void* address = (void*)(uintptr_t)number_at(request, 5);
  if (address != NULL) flags |= MAP_FIXED_NOREPLACE;
  void* result = mmap(address, number_at(request, 1), (int)number_at(request, 4), flags,
                      (int)number_at(request, 0), (off_t)number_at(request, 3));
  if (result == MAP_FAILED) {
    reply_result(-1);
    return;
  }
  printf("ok %p", result);
  end_reply();
}

/* attach_segment NUMBER: the segment goes with its last attachment, whatever becomes of us. */
static void attach_command(const struct request* request) {
  int id = (int)number_at(request, 0);
  void* result = shmat(id, NULL, 0);
  if (result == MAP_FAILED) {
    reply_result(-1);
    return;
  }
  shmctl(id, IPC_RMID, NULL);
  printf("ok %p", result);
  end_reply();
}

/* write_object NUMBER OFFSET LENGTH: zeros by write(2), page after page. */
static void write_command(const struct request* request) {
  static const char zeros[4096];
  uint64_t offset = number_at(request, 1);
  uint64_t end = offset + number_at(request, 2);
  for (; offset < end; offset += sizeof(zeros)) {
    if (pwrite((int)number_at(request, 0), zeros, sizeof(zeros), (off_t)offset) < 0) {
      reply_result(-1);
      return;
    }
  }
  reply_result(0);
}

/* mremap ADDRESS LENGTH NEW_LENGTH NEW_ADDRESS: exactly there; 0 lets the kernel choose. */
static void mremap_command(const struct request* request) {
  void* to = (void*)(uintptr_t)number_at(request, 3);
  void* result =
      mremap((void*)(uintptr_t)number_at(request, 0), number_at(request, 1), number_at(request, 2),
             MREMAP_MAYMOVE | (to == NULL ? 0 : MREMAP_FIXED), to);
  if (result == MAP_FAILED) {
    reply_result(-1);
    return;
  }
  printf("ok %p", result);
  end_reply();
}

/* The kernel joins pages in the background where it finds nobody for a while and then somebody: who
 * is there for good has it sleep between two rounds, for as long as the guest was told. */
pid_t occupy_khugepaged(void) {
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
    void* memory =
        mmap(NULL, OCCUPIED_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) madvise(memory, OCCUPIED_BYTES, MADV_HUGEPAGE);
    for (;;) pause();
  }
  usleep(ROUND_MICROSECONDS);
  return pid;
}

int run_object_command(const struct request* request) {
  const char* name = request->name;
  void* address = (void*)(uintptr_t)number_at(request, 0);
  if (strcmp(name, "create_object") == 0) {
    create_command(request);
  } else if (strcmp(name, "map_object") == 0) {
    map_command(request);
  } else if (strcmp(name, "attach_segment") == 0) {
    attach_command(request);
  } else if (strcmp(name, "write_object") == 0) {
    write_command(request);
  } else if (strcmp(name, "madvise") == 0) {
    reply_result(madvise(address, number_at(request, 1), (int)number_at(request, 2)));
  } else if (strcmp(name, "mremap") == 0) {
    mremap_command(request);
  } else if (strcmp(name, "allow_huge_pages") == 0) {
    reply_result(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0));
  } else {
    return 0;
  }
  return 1;
}
