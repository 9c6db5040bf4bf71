#!/bin/sh
# limited.sh CPU MEMORY COMMAND ...: runs the command in a cgroup of its own, limited/PID, with so many thousandths of a core and
# so many MiB, as a container has it. Needs root. Who starts it removes the cgroup.
set -e
cpu=$1
memory=$(($2 * 1048576))
program=$3
shift 3
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
	group=/sys/fs/cgroup/limited-$$
	mkdir "$group"
	echo "$((cpu * 100)) 100000" >"$group/cpu.max"
	echo "$memory" >"$group/memory.max"
	echo 0 >"$group/memory.swap.max" 2>/dev/null || true
	echo $$ >"$group/cgroup.procs"
else
	for controller in memory cpu; do
		group=/sys/fs/cgroup/$controller/limited-$$
		mkdir "$group"
		case $controller in
		memory) echo "$memory" >"$group/memory.limit_in_bytes" ;;
		cpu)
			echo 100000 >"$group/cpu.cfs_period_us"
			echo $((cpu * 100)) >"$group/cpu.cfs_quota_us"
			;;
		esac
		echo $$ >"$group/cgroup.procs"
	done
fi
# Pages of a file are charged to whoever reads them first: a container reads its program itself.
copy=$(mktemp)
cp "$program" "$copy"
chmod +x "$copy"
exec 3<"$copy"
rm "$copy"
exec /proc/self/fd/3 "$@"
