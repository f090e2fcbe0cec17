/*
 * Groups of processes on nodes of their own: cpusets of cgroup version 2, or of version 1 where the
 * kernel still has them. Groups have numbers; their processes stay in them until they leave or end.
 */
#define _GNU_SOURCE
#include "batch.h"
#include "protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { GROUPS_MAX = 4, LASTING_GROUP = GROUPS_MAX, PATH_BYTES = 128, REMOVALS_MAX = 5000 };

#define UNIFIED "/sys/fs/cgroup"

/* Where groups are made, once it has been asked for: version 1 is mounted for it. */
static const char old_root[] = "/tmp/puppet-cpusets";
static const char* root;

static long write_text(const char* path, const char* text) {
  int file = open(path, O_WRONLY);
  if (file < 0) return -1;
  ssize_t written = write(file, text, strlen(text));
  int error = errno;
  close(file);
  errno = error;
  return written < 0 ? -1 : 0;
}

static const char* path_of(int group) {
  static char path[PATH_BYTES];
  snprintf(path, sizeof(path), "%s/puppet-%d", root, group);
  return path;
}

static long write_file_of(int group, const char* name, const char* text) {
  char path[PATH_BYTES];
  snprintf(path, sizeof(path), "%s/puppet-%d/%s", root, group, name);
  return write_text(path, text);
}

static long open_groups(const char* kind) {
  if (root != NULL) return 0;
  /* Else whoever moves a process waits for a grace period, which is long where nothing happens. */
  write_text("/sys/kernel/rcu_expedited", "1");
  if (strcmp(kind, "v2") == 0) {
    root = UNIFIED;
    if (write_text(UNIFIED "/cgroup.subtree_control", "+cpuset") != 0) return -1;
  } else {
    root = old_root;
    mkdir(old_root, 0700);
    if (mount("cpuset", old_root, "cgroup", 0, "cpuset") != 0) return -1;
  }
  /* With its first group and its last the kernel changes its code, which takes an emulator long. */
  return mkdir(path_of(LASTING_GROUP), 0755);
}

/* A group of version 1 has no CPUs of its own accord. */
static long prepare_old(int group, const char* kind) {
  char cpus[1024];
  char path[PATH_BYTES];
  snprintf(path, sizeof(path), "%s/cpuset.cpus", old_root);
  int file = open(path, O_RDONLY);
  ssize_t length = file < 0 ? -1 : read(file, cpus, sizeof(cpus) - 1);
  if (file >= 0) close(file);
  if (length < 0) return -1;
  cpus[length] = '\0';
  if (write_file_of(group, "cpuset.cpus", cpus) != 0) return -1;
  const char* migrates = strcmp(kind, "v1-migrate") == 0 ? "1" : "0";
  return write_file_of(group, "cpuset.memory_migrate", migrates);
}

/* make_group NUMBER (v2|v1|v1-migrate): nobody is in it, and it has no nodes. */
static long make_group(int group, const char* kind) {
  if (open_groups(kind) != 0) return -1;
  if (mkdir(path_of(group), 0755) != 0) return -1;
  return root == old_root ? prepare_old(group, kind) : 0;
}

/* A process that has ended may be in its group for a moment longer. 0: not even after a while. */
static int remove_group(int group) {
  for (int tries = 0; tries < REMOVALS_MAX; tries++) {
    if (rmdir(path_of(group)) == 0 || errno == ENOENT) return 1;
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
  return 0;
}

/* remove_groups: all but the lasting one. */
static int remove_groups(void) {
  int are_gone = 1;
  for (int group = 0; group < GROUPS_MAX; group++) are_gone &= remove_group(group);
  return are_gone;
}

/* leave_groups: gives the hierarchy back. */
static void leave_groups(void) {
  if (root == NULL) return;
  remove_group(LASTING_GROUP);
  root = NULL;
  umount2(old_root, MNT_DETACH);
  rmdir(old_root);
  write_text(UNIFIED "/cgroup.subtree_control", "-cpuset");
}

/* set_mems GROUP NODES */
static long set_mems(const struct request* request) {
  char text[PATH_BYTES];
  snprintf(text, sizeof(text), "%s\n", text_at(request, 1));
  return write_file_of((int)number_at(request, 0), "cpuset.mems", text);
}

/* join_group (GROUP|root) PID */
static long join_group(const struct request* request) {
  char path[PATH_BYTES];
  char text[32];
  snprintf(text, sizeof(text), "%d", real_pid(number_at(request, 1)));
  if (strcmp(text_at(request, 0), "root") != 0) {
    return write_file_of((int)number_at(request, 0), "cgroup.procs", text);
  }
  snprintf(path, sizeof(path), "%s/cgroup.procs", root);
  return write_text(path, text);
}

int run_group_command(const struct request* request) {
  const char* name = request->name;
  if (strcmp(name, "make_group") == 0) {
    reply_result(make_group((int)number_at(request, 0), text_at(request, 1)));
  } else if (strcmp(name, "remove_groups") == 0) {
    errno = EBUSY;
    reply_result(remove_groups() ? 0 : -1);
  } else if (strcmp(name, "leave_groups") == 0) {
    leave_groups();
    reply_result(0);
  } else if (strcmp(name, "set_mems") == 0) {
    reply_result(set_mems(request));
  } else if (strcmp(name, "join_group") == 0) {
    reply_result(join_group(request));
  } else {
    return 0;
  }
  return 1;
}
