#!/bin/sh
# limited.sh CPU MEMORY COMMAND ...: runs the command in a cgroup of its own, limited/PID, with so many thousandths of a core and
# so many MiB, as a container has it. Needs root.
# limited.sh report: says of each cgroup what was used in it and how often its limits were met, and removes it.
set -e
if [ "$1" = report ]; then
	found=
	for group in /sys/fs/cgroup/limited-* /sys/fs/cgroup/memory/limited-* /sys/fs/cgroup/cpu/limited-*; do
		[ -d "$group" ] || continue
		found=yes
		for file in memory.peak memory.events memory.max_usage_in_bytes memory.failcnt memory.oom_control cpu.stat; do
			[ ! -f "$group/$file" ] || sed "s|^|$(basename "$group") $file |" "$group/$file"
		done
		rmdir "$group"
	done
	[ -n "$found" ] || { echo "limited.sh: there is no cgroup limited-*; nothing has been run in one" >&2; exit 1; }
	exit
fi
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
