#!/bin/busybox sh
# The guest's first process. It reports the machine it sees, waits for the word to go on, runs the
# command with its two outputs on serial ports of their own, and records the exit status.
# Ports: ttyS0 kernel log, ttyS1 records, ttyS2 standard output, ttyS3 standard error; vport0p1 what
# a command says and hears beside them.
# Variables from the kernel's command line: guest_seconds, guest_accelerator.

# Whoever started the guest may be gone without a word: then it ends by itself.
[ "$guest_seconds" = 0 ] || (sleep "$guest_seconds" && poweroff -f) &
watchdog=$!

export PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root TMPDIR=/tmp LANG=C.UTF-8
export NODE_NUMA_GUEST=1 NODE_NUMA_GUEST_ACCELERATOR="$guest_accelerator"
unset guest_seconds guest_accelerator
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /dev/pts /dev/hugepages
mount -t tmpfs shm /dev/shm
mount -t devpts devpts /dev/pts
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t hugetlbfs huge /dev/hugepages
ln -s /proc/self/fd /dev/fd
ip link set lo up
hostname guest

# Bytes must pass as they are: no echo, no line ends rewritten, no control characters.
for port in 1 2 3; do stty -F /dev/ttyS$port 115200 raw -echo -onlcr -ixon clocal; done
exec 3<>/dev/ttyS1
# What a kernel does not have built in; the port comes a moment after its driver. A kernel without
# both has the serial port, which is slower.
for module in /lib/modules/*.ko; do [ ! -e "$module" ] || insmod "$module"; done
tries=0
until [ -e /dev/vport0p1 ] || [ ! -e /sys/bus/virtio/devices/virtio0 ]; do
  [ $((tries += 1)) -le 100 ] || break
  sleep 0.02
done
ln -s ttyS2 /dev/channel
[ ! -e /dev/vport0p1 ] || ln -sf vport0p1 /dev/channel

cd /sys/devices/system/node
echo "kernel $(uname -r)" >&3
for fact in online has_cpu has_memory; do echo "fact $fact $(cat $fact)" >&3; done
for node in node[0-9]*; do
  echo "fact $node/cpulist $(cat $node/cpulist)" >&3
  echo "fact $node/distance $(cat $node/distance)" >&3
  echo "fact $node/memory $(awk '/MemTotal/ { print $4 }' $node/meminfo)" >&3
  # Only a machine whose firmware tells how fast its memory is has these.
  best=$node/access0/initiators
  [ -d $best ] || continue
  echo "fact $node/initiators $(cd $best && echo node* | sed 's/node//g')" >&3
  for fact in read_latency read_bandwidth; do echo "fact $node/$fact $(cat $best/$fact)" >&3; done
done
echo ready >&3

read -r word <&3
[ "$word" = go ] || poweroff -f

mkfifo /run/stdout /run/stderr
cat /run/stdout >/dev/ttyS2 &
stdout_reader=$!
cat /run/stderr >/dev/ttyS3 &
stderr_reader=$!
echo begin >&3
# Tests exhaust nodes on purpose: whoever runs them is never the one to end for that. Processes that
# may be ended say so themselves.
echo -1000 >/proc/$$/oom_score_adj
setsid sh /run/command >/run/stdout 2>/run/stderr </dev/null 3>&-
status=$?

# What the command left running would hold its outputs open for ever.
for process in /proc/[0-9]*; do
  process=${process#/proc/}
  case $process in 1 | "$stdout_reader" | "$stderr_reader" | "$watchdog") ;;
    *) kill -KILL "$process" 2>/dev/null ;;
  esac
done
wait "$stdout_reader" "$stderr_reader"

# A dying child's signal can cut a write, or the wait at closing, short: the record counts when it
# has been answered, and is sent again until then. Should nobody be there any more, that ends too.
tries=0
until [ "$word" = done ] || [ $((tries += 1)) -gt 20 ]; do
  printf '\nexit %s\n' "$status" >&3
  read -r -t 2 word <&3
done
poweroff -f
