#!/bin/bash
# sandbox_test.sh - real pods, as this user and, if that is root, as nobody.
#
# Starts sandboxes, logs in with ssh, looks around, and proves that nothing
# is left: after a stop, and after SIGKILL of their owner.  Needs a built
# tree; CC may name the compiler.  Exit 77 where no sandbox can be made.

set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d) || exit 1
chmod 755 "$work"
driver_pid=
failures=0

cleanup() {
	[ -n "$driver_pid" ] && kill -9 "$driver_pid" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT

fail() {
	echo "not ok: $who: $*" >&2
	failures=$((failures + 1))
}

expect() { # what, got, wanted (a pattern)
	# shellcheck disable=SC2053
	[[ $2 == $3 ]] || fail "$1: got '$2', wanted '$3'"
}

ask() { # a command to the driver; its answer in $answer
	echo "$*" >&"${to[1]}"
	IFS= read -r -t 20 answer <&"${to[0]}" || answer=silence
}

in_pod() { # port, command...
	local port=$1
	shift
	ssh -n -F none -i "$work/key" -o StrictHostKeyChecking=no \
	    -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
	    -o ConnectTimeout=5 -o BatchMode=yes -p "$port" \
	    root@127.0.0.1 "$@" 2>&1
}

in_pod_stdin() { # port, command: standard input goes along
	local port=$1
	shift
	ssh -F none -i "$work/key" -o StrictHostKeyChecking=no \
	    -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
	    -o BatchMode=yes -p "$port" root@127.0.0.1 "$@"
}

host_key() { # port
	ssh-keyscan -T 5 -t ed25519 -p "$1" 127.0.0.1 2>/dev/null |
	    cut -d' ' -f3
}

inside_of() { # pid of a bwrap: every process below it
	local child
	for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
		echo "$child"
		inside_of "$child"
	done
}

none_left() { # pids...
	local i pid left
	for i in {1..100}; do
		left=
		for pid; do
			[ -e /proc/"$pid"/exe ] || continue
			left+=" $pid"
		done
		[ -z "$left" ] && return 0
		sleep 0.1
	done
	echo "$left"
	return 1
}

start_driver() { # how to become who: a command prefix
	coproc to { exec "$@" "$work/driver"; }
	driver_pid=$to_PID
}

look_around() { # port of a pod
	expect 'id -un' "$(in_pod "$1" id -un)" root
	expect whoami "$(in_pod "$1" whoami)" root
	expect home "$(in_pod "$1" pwd)" /root
	expect 'PID 1' "$(in_pod "$1" cat /proc/1/comm)" bash
	expect 'pids' "$(in_pod "$1" 'ls -d /proc/[0-9]* | wc -l')" '[0-9]'
	expect 'PID 1 has the environment' \
	    "$(in_pod "$1" 'tr "\0" "\n" </proc/1/environ | grep MODE')" \
	    "MODE=a b'c"
	expect 'a command lacks it' "$(in_pod "$1" 'echo "<$MODE>"')" '<>'
	expect 'a login shell has it' \
	    "$(echo 'echo "<$MODE>"' | in_pod_stdin "$1" bash -li \
	    2>/dev/null | grep -o "<a b'c>")" "<a b'c>"
	expect 'no key in rp_environment' \
	    "$(in_pod "$1" 'grep -c PUBLIC_KEY /etc/rp_environment')" 0
	expect 'mapped port' \
	    "$(in_pod "$1" 'grep -o PORT_22=.* /etc/rp_environment')" \
	    "PORT_22=$1"
	expect 'with a terminal' "$(in_pod "$1" -tt tty)" '/dev/pts/*'
	expect 'start command' "$(in_pod "$1" 'pgrep -f "^sleep 4242"')" \
	    '[0-9]*'
	expect 'volume' "$(in_pod "$1" 'test -d /data/set && echo yes')" yes
	expect 'writes in its places' "$(in_pod "$1" 'for d in /root /opt \
	    /run /workspace /tmp /usr/local/bin /etc; do
	    echo 1 >$d/probe || exit; done; echo yes')" yes
	expect 'own /workspace' "$(in_pod "$1" 'echo 1 >/workspace/mine &&
	    cat /workspace/mine')" 1
	expect '/usr is not writable' "$(in_pod "$1" \
	    'touch /usr/bin/probe 2>/dev/null || echo refused')" refused
	expect 'no host files' "$(in_pod "$1" 'ls -A /home /mnt /var/lib')" \
	    $'/home:\n\n/mnt:\n\n/var/lib:'
	expect nvidia-smi "$(in_pod "$1" nvidia-smi \
	    --query-gpu=name,memory.total --format=csv,noheader)" \
	    $'NVIDIA A40, 49152 MiB\nNVIDIA A40, 49152 MiB'
	expect 'nvidia-smi table' "$(in_pod "$1" nvidia-smi)" \
	    '*Driver Version*NVIDIA A40*49152MiB*'
	expect 'scp' "$(echo copied >"$work/file"; scp -q -F none -P "$1" \
	    -i "$work/key" -o StrictHostKeyChecking=no -o LogLevel=ERROR \
	    -o UserKnownHostsFile=/dev/null "$work/file" \
	    root@127.0.0.1:/workspace/ && in_pod "$1" \
	    cat /workspace/file)" copied
}

try_as() { # name, command prefix...
	local one two again without first second third fourth ready key pids
	local before=$failures
	who=$1
	shift
	start_driver "$@"
	ask usable
	if [ "$answer" != usable ]; then
		echo "skip: $who: $answer"
		[ "$who" = nobody ] && return
		exit 77
	fi
	ask start "firstpod $(cat "$work/key.pub")"
	read -r _ one first ready <<<"$answer"
	ask start "secondpod $(cat "$work/key.pub")"
	read -r _ two second _ <<<"$answer"
	[ "${ready:-9999}" -lt 2000 ] || fail "start took $ready ms"
	look_around "$one"
	expect 'pods share no files' \
	    "$(in_pod "$two" 'ls -A /workspace')" ''
	expect 'host name' "$(in_pod "$two" hostname)" secondpod
	expect 'listens on loopback only' \
	    "$(ss -Hltn "sport = :$one" 2>/dev/null | awk '{print $4}')" \
	    "127.0.0.1:$one"
	key=$(host_key "$one")
	expect 'a host key' "$key" 'AAAA*'
	[ "$key" != "$(host_key "$two")" ] || fail 'pods share a host key'

	pids=$(inside_of "$first")
	ask stop 0
	expect 'stop' "$answer" 'gone *'
	none_left $first $pids || fail 'a process outlived the stop'
	expect 'the other lives' "$(in_pod "$two" echo yes)" yes
	ask start "firstpod $(cat "$work/key.pub")"
	read -r _ again third _ <<<"$answer"
	[ "$key" != "$(host_key "$again")" ] ||
	    fail 'host key survived a restart'
	ask start nokeypod -
	read -r _ without fourth _ <<<"$answer"
	expect 'no key, no sshd' "$(host_key "$without")" ''

	pids="$second $third $fourth $(inside_of "$second") \
	    $(inside_of "$third") $(inside_of "$fourth")"
	kill -9 "$driver_pid"
	wait "$driver_pid" 2>/dev/null
	driver_pid=
	none_left $pids || fail 'a process outlived podform-sim'
	[ "$failures" = "$before" ] && echo "ok: $who: ready in $ready ms"
}

${CC:-gcc} -std=c17 -D_GNU_SOURCE -Ipkg -I. -O1 -g -o "$work/driver" \
    tests/integration/sandbox_driver.c cmd/podform-sim/sandbox*.c || exit 1
ssh-keygen -q -t ed25519 -N '' -f "$work/key" || exit 1

try_as "$(id -un)" env
if [ "$(id -u)" = 0 ]; then
	try_as nobody setpriv --reuid=65534 --regid=65534 --clear-groups \
	    env -i
fi
[ "$failures" = 0 ]
