#!/bin/sh
# Becomes a program, with its process id noted for guard.sh; see there for the order of the lines.
[ "$1" = --help ] && exec @PROGRAM@ "$@" # envtest asks for the flags first; that run ends by itself
echo $$ >@PIDFILE@ || exit 1
[ -e @CLOSED@ ] && exit 1
@ENV@
exec @PROGRAM@ "$@"
