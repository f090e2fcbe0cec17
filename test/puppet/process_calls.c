/*
 * Processes: fork, identity, CPU. A child is driven through its parent: `child ID command...`
 * is handed down its pipe, and its one line of reply is handed up.
 */
#define _GNU_SOURCE
#include "protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN_MAX = 4096 };

static struct child {
  pid_t pid;
  FILE* to;
  FILE* from;
} children[CHILDREN_MAX];
static int child_count;

/* What fills the memory is to be what the out-of-memory killer ends. */
static void die_first(void) {
  int file = open("/proc/self/oom_score_adj", O_WRONLY);
  if (file < 0) return;
  if (write(file, "1000", 4) < 0) perror("oom_score_adj");
  close(file);
}

/* The child's ends become its stdin and stdout; the parent's other children are not its own. */
static void become_child(int input, int output) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  die_first();
  for (int i = 0; i < child_count; i++) {
    if (children[i].to == NULL) continue;
    close(fileno(children[i].to));
    close(fileno(children[i].from));
  }
  child_count = 0;
  __fpurge(stdin); /* what is buffered there was meant for the parent */
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  close(input);
  close(output);
}

/* fork: answers the child's ID and pid. */
static void fork_command(void) {
  int down[2];
  int up[2];
  if (child_count == CHILDREN_MAX) {
    errno = EAGAIN;
    reply_result(-1);
    return;
  }
  if (pipe(down) != 0 || pipe(up) != 0) {
    reply_result(-1);
    return;
  }
  pid_t pid = fork();
  if (pid == 0) {
    close(down[1]);
    close(up[0]);
    become_child(down[0], up[1]);
    return;
  }
  close(down[0]);
  close(up[1]);
  children[child_count] =
      (struct child){.pid = pid, .to = fdopen(down[1], "w"), .from = fdopen(up[0], "r")};
  printf("ok %d %d", child_count++, (int)pid);
  end_reply();
}

/* Answers the signal that ended it, or 0. */
static int forget_child(struct child* child) {
  int status = 0;
  fclose(child->to);
  fclose(child->from);
  waitpid(child->pid, &status, 0);
  *child = (struct child){0};
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* child ID LINE: a child that ends without a reply answers ESRCH, and the signal if it was one. */
void relay_to_child(const char* text) {
  char* line = NULL;
  size_t capacity = 0;
  char* command = NULL;
  long id = strtol(text, &command, 10);
  struct child* child = id >= 0 && id < child_count ? &children[id] : NULL;
  ssize_t length = -1;
  int signal = 0;
  if (child != NULL && child->to != NULL) {
    fprintf(child->to, "%s\n", command + 1);
    fflush(child->to);
    length = getline(&line, &capacity, child->from);
    if (length <= 0) signal = forget_child(child);
  }
  if (length <= 0) {
    errno = ESRCH;
    begin_reply(-1);
    if (signal != 0) printf(" killed %d", signal);
    end_reply();
  } else {
    fputs(line, stdout);
    fflush(stdout);
  }
  free(line);
}

/* sched_setaffinity CPU [TID]: the calling thread, or another one. */
static long run_on_cpu(int cpu, pid_t tid) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(cpu, &cpus);
  return sched_setaffinity(tid, sizeof(cpus), &cpus);
}

/* getcpu: answers the CPU and its node. */
static void getcpu_command(void) {
  unsigned cpu = 0;
  unsigned node = 0;
  long result = syscall(SYS_getcpu, &cpu, &node, NULL);
  begin_reply(result);
  if (result == 0) printf(" %u %u", cpu, node);
  end_reply();
}

/* affinity: the CPUs that the calling thread may run on. */
static void affinity_command(void) {
  cpu_set_t cpus;
  long result = sched_getaffinity(0, sizeof(cpus), &cpus);
  begin_reply(result);
  const char* separator = " ";
  for (int cpu = 0; result == 0 && cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &cpus)) continue;
    printf("%s%d", separator, cpu);
    separator = ",";
  }
  end_reply();
}

/* drop_capability NUMBER: out of all sets but the bounding one, for good. */
static long drop_capability(unsigned number) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
  if (syscall(SYS_capget, &header, data) != 0) return -1;
  uint32_t kept = ~CAP_TO_MASK(number);
  data[CAP_TO_INDEX(number)].effective &= kept;
  data[CAP_TO_INDEX(number)].permitted &= kept;
  data[CAP_TO_INDEX(number)].inheritable &= kept;
  return syscall(SYS_capset, &header, data);
}

int run_process_command(const struct request* request) {
  const char* name = request->name;
  if (strcmp(name, "fork") == 0) {
    fork_command();
  } else if (strcmp(name, "getpid") == 0) {
    reply_result(getpid());
  } else if (strcmp(name, "setuid") == 0) {
    reply_result(setresuid((uid_t)number_at(request, 0), (uid_t)number_at(request, 0),
                           (uid_t)number_at(request, 0)));
  } else if (strcmp(name, "set_dumpable") == 0) {
    reply_result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
  } else if (strcmp(name, "drop_capability") == 0) {
    reply_result(drop_capability((unsigned)number_at(request, 0)));
  } else if (strcmp(name, "affinity") == 0) {
    affinity_command();
  } else if (strcmp(name, "sched_setaffinity") == 0) {
    reply_result(run_on_cpu((int)number_at(request, 0), (pid_t)number_at(request, 1)));
  } else if (strcmp(name, "getcpu") == 0) {
    getcpu_command();
  } else if (strcmp(name, "exit") == 0) {
    _exit(0);
  } else {
    return 0;
  }
  return 1;
}
