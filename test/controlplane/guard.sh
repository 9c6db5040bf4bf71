# Kills what a control plane has started, when the process that started it is gone. Run as: guard RUNDIR FOLDER...
#
# Standard input is a pipe whose other end only that process holds, so the end of the file is the end of that process,
# in whatever way it came: a return, a panic, Ctrl-C, SIGKILL. (Linux could kill children with their parent by itself,
# PR_SET_PDEATHSIG, but macOS cannot, and on Linux that looks at the starting thread, not at the process.)
#
# Every process is started by launch.sh, which notes its process id before it looks whether the guard has closed shop.
# The guard closes shop before it looks for notes. So one of the two sees the other, and nothing slips through.
trap '' HUP INT TERM
run=$1
shift
read -r _
: >"$run/closed"
for note in "$run"/*.pid; do
	[ -f "$note" ] && kill -9 "$(cat "$note")" 2>/dev/null
done
# A process that dies may still write longer than kill takes, on a busy machine for seconds.
tries=0
until rm -rf "$@" || [ "$((tries += 1))" -gt 30 ]; do sleep 1; done
rm -rf "$run"
rmdir "${run%/*}" 2>/dev/null # fails when the logs are in there, and that is right
exit 0
