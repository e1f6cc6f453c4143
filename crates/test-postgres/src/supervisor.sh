# Owns one PostgreSQL and its folder. Orders come in on stdin, one a line; each is answered by one
# line on stdout. When stdin ends, for whatever reason, server and folder go, and so does this shell.
#
# usage: supervisor.sh <folder of PostgreSQL's programs> [<line of postgresql.conf>]...
bin=$1
shift

start() {
  "$bin/pg_ctl" start -s -w -t 60 -D "$folder/data" -l "$folder/log" >/dev/null
}
stop() {
  "$bin/pg_ctl" stop -s -w -m immediate -D "$folder/data" >/dev/null 2>&1
}
answer() {
  if "$@"; then echo "done $folder"; else cat "$folder/log" >&2; echo failed; fi
}
# The locale orders text otherwise than by bytes, so that a forgotten COLLATE "C" shows.
create() {
  "$bin/initdb" -D "$folder/data" --username=postgres --auth=trust --no-sync --no-instructions \
    --encoding=UTF8 --locale=C --locale-provider=icu --icu-locale=en-US >"$folder/log" 2>&1 &&
    printf '%s\n' "unix_socket_directories = '$folder'" "$@" >>"$folder/data/postgresql.conf" &&
    start
}

trap '' PIPE # our reader may be dead, and its server must still be stopped
trap 'exit 1' HUP INT TERM
folder=$(mktemp -d "${TMPDIR:-/tmp}/keyward-postgres.XXXXXX") || exit
trap 'stop; rm -rf "$folder"' EXIT

answer create "$@"
while read -r order; do
  case $order in
    start) answer start ;;
    stop) answer stop ;;
  esac
done
