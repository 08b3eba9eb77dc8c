#!/bin/bash
# apply_test.sh - podform against podform-sim: the main job and its accidents.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/integration/podform.bash

start_sim || exit 1

# A new project with two pods and a volume, all settings short.
quick() { # project
	project "$1"
	cat >specs/pods.yaml <<-YAML
	project: $1
	settings: { budget: { per_hour: 3.00 } }
	volumes:
	  data: { size: 10GB, data_center: EU-RO-1 }
	pods:
	  one:
	    image: runpod/base:1.0
	    gpu: [NVIDIA A40, NVIDIA RTX A6000]
	    network_volume: { volume: data, path: /workspace }
	    ports: [22/tcp]
	  two:
	    image: runpod/base:1.0
	    gpu: NVIDIA RTX A4000
	    ports: [22/tcp]
	    env: { MODE: a }
	YAML
	with_sim
	environment+=(PODFORM_SETTLE=500ms)
}

alive() { # pods that bill or are stopped
	account "d['pods_alive']"
}

# The catalog has it, but every create of pod.two is refused.
no_stock_for_two() {
	control POST faults '{"create": {"no_stock": 0}}' >/dev/null
	sed -i 's/gpu: NVIDIA RTX A4000/gpu: NVIDIA L4/' specs/pods.yaml
	control POST script '[
	    {"call": "create", "nth": 1, "fault": "no_stock"},
	    {"call": "create", "nth": 3, "fault": "no_stock"},
	    {"call": "create", "nth": 4, "fault": "no_stock"},
	    {"call": "create", "nth": 5, "fault": "no_stock"},
	    {"call": "create", "nth": 6, "fault": "no_stock"}]' >/dev/null
}

stock_again() {
	control DELETE script >/dev/null
}

end_all() {
	run destroy -y; exits 0
}

apply_makes_it_so_and_a_second_plan_is_empty() {
	quick first
	run plan; exits 0
	out_has 'Plan: 3 to add, 0 to change, 0 to destroy; 0 to start, 0 to stop.'
	out_has 'Cost: $0.00/h -> $0.69/h'
	run plan --detailed-exitcode; exits 2
	[ ! -e podform.lock ] && [ ! -e .podform ] || complain 'plan wrote'
	run apply -y; exits 0
	out_has 'Apply complete: 3 added'
	err_has 'pod.one: created with id'
	run plan --detailed-exitcode; exits 0; out_has 'No changes.'
	run apply; exits 0; out_has 'No changes.'
	run status; exits 0; out_has running; out_has EU-RO-1
	run state list; exits 0; out_has volume.data
	run output pod.one.ssh.port --raw; exits 0
	[[ $out =~ ^[0-9]+$ ]] || complain 'not a port'
	run why one; exits 0; out_has 'specs/pods.yaml:6:3'
	run history; exits 0; out_has '3 added'
	end_all
	run plan; out_has 'Plan: 3 to add'
	same 'mode of the lock' "$(stat -c %a podform.lock)" 600
}

nobody_to_ask_is_an_error_naming_the_flag() {
	quick asking
	run apply; exits 11; err_has --auto-approve
	run destroy; exits 0
	[ ! -e podform.lock ] || complain 'it wrote a lock'
}

# A terminal for podform: python's pty.  $1 is typed at the prompt.
on_terminal() { # answer, arguments
	local answer=$1
	shift
	last="podform $* (on a terminal, answering '$answer')"
	env -i PATH="$PATH" HOME="$work/home" TERM=xterm \
	    "${environment[@]}" /usr/bin/python3 -c '
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
seen, sent = b"", False
while True:
    try:
        block = os.read(fd, 65536)
    except OSError:
        break
    if not block:
        break
    seen += block
    if not sent and b"Only `yes`" in seen:
        os.write(fd, sys.argv[1].encode() + b"\n")
        sent = True
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
' "$answer" "$PODFORM" "$@" >"$work/out" 2>"$work/err" </dev/null
	code=$?
	out=$(cat "$work/out")
	err=$(cat "$work/err")
}

the_prompt_takes_only_yes() {
	quick prompt
	on_terminal y apply; exits 11; out_has 'declined; nothing was done'
	on_terminal '' apply; exits 11
	on_terminal yes apply; exits 0; out_has 'Apply complete'
	out_has 'are billed'
	environment+=(CI=true)
	on_terminal yes destroy; exits 11; out_has --auto-approve
	end_all
}

a_saved_plan_is_applied_once() {
	quick saved
	run plan --out p; exits 0; err_has 'podform apply p'
	cp p again
	run apply p; exits 0; out_has '3 added'
	run apply p; exits 6; err_has 'was applied already'
	run apply again; exits 6
	run show p; exits 0; out_has 'Plan: 3 to add'
	run plan --out q; exits 0
	run apply q; exits 0; out_has 'No changes.'
	end_all
}

a_stale_plan_says_what_moved() {
	quick stale
	run apply -y; exits 0
	sed -i 's/MODE: a/MODE: b/' specs/pods.yaml
	run plan --out p; exits 0
	sed -i 's/MODE: b/MODE: c/' specs/pods.yaml
	run apply p; exits 6; err_has 'the spec has changed'
	sed -i 's/MODE: c/MODE: b/' specs/pods.yaml
	control POST pods/one/stop >/dev/null
	run apply p; exits 6; err_has 'the account has changed'
	err_has 'pod.one will be started'
	control POST pods/one/start >/dev/null
	run plan --out p; exits 0
	control POST pods/one/rename '{"name": "other"}' >/dev/null
	run apply p; exits 6; err_has 'pod.one has changed outside of podform'
	run plan --out late --expires 1ms; exits 0
	sleep 0.1
	run apply late; exits 6; err_has 'has expired'
	run plan --out p; exits 0
	run apply -y; exits 0
	run apply p; exits 6; err_has 'was applied already'
	sed -i 's/MODE: b/MODE: d/' specs/pods.yaml
	run plan --out p; exits 0
	run mv pod.two pod.three; run mv pod.three pod.two
	run apply p; exits 6; err_has 'the lock has moved from serial'
	run apply p --target pod.one; exits 3
	cp p "$work/other.plan"
	end_all
	quick other
	run apply "$work/other.plan"; exits 6; err_has lineage
}

drift_is_told_apart_and_repaired() {
	quick drift
	run apply -y; exits 0
	control POST pods/two/stop >/dev/null
	control POST pods/one/delete >/dev/null
	run plan; exits 0
	out_has 'Changed outside of podform since the last apply:'
	out_has '# pod.one was deleted'; out_has '# pod.two was stopped'
	out_has 'Plan: 1 to add, 0 to change, 0 to destroy; 1 to start'
	run drift; exits 2
	run drift --json; exits 2
	same drifted "$(json "len(d['resource_drift'])")" 2
	run apply -y; exits 0
	run drift; exits 0; out_has 'No drift.'
	run plan --detailed-exitcode; exits 0
	end_all
}

a_failed_apply_is_rolled_back() {
	quick rollback
	no_stock_for_two
	run apply -y --atomic; exits 9
	err_has 'undo'
	out_has 'everything it started was undone'
	out_has 'tried: '
	same alive "$(alive)" 0
	stock_again
	run apply -y; exits 0
	end_all
}

no_capacity_has_its_own_code() {
	quick capacity
	control POST capacity '{"gpu": "NVIDIA RTX A4000", "count": 0}' \
	    >/dev/null
	run apply -y --target pod.two; exits 7
	same alive "$(alive)" 0
	control POST capacity '{"gpu": "NVIDIA RTX A4000", "count": -1}' \
	    >/dev/null
}

what_is_kept_is_listed_with_ids() {
	quick kept
	no_stock_for_two
	run apply -y --on-failure keep; exits 10
	out_has 'something is left'; out_has '/h'
	out_has 'podform apply'
	stock_again
	run apply -y; exits 0
	end_all
}

policy_refuses_before_anything_is_sent() {
	quick policy
	sed -i 's/per_hour: 3.00/per_hour: 0.50/' specs/pods.yaml
	run plan; exits 8; out_has 'budget.hourly'; err_has --over-budget
	err_has 'specs/pods.yaml:2:'
	run apply -y; exits 8
	same alive "$(alive)" 0
	run apply -y --over-budget; exits 0
	sed -i 's/per_hour: 0.50/per_hour: 3.00/' specs/pods.yaml
	sed -i 's/^  two:/  two:\n    protect: true/' specs/pods.yaml
	run apply -y; exits 0
	sed -i 's/MODE: a/MODE: b/; s/RTX A4000/RTX A5000/' specs/pods.yaml
	run apply -y; exits 8; err_has protected
	printf 'project: policy\n' >specs/pods.yaml
	run apply -y; exits 8
	run destroy -y; exits 0; out_has 'protected and is kept'
	same alive "$(alive)" 1
	quick policy
	run apply -y; exits 0
	end_all
}

nothing_left_needs_allow_empty() {
	quick empty
	run apply -y; exits 0
	printf 'project: empty\n' >specs/pods.yaml
	run apply -y; exits 8; err_has --allow-empty
	same alive "$(alive)" 2
	run apply -y --allow-empty; exits 0
	same alive "$(alive)" 0
}

events_are_a_stream_of_objects() {
	quick events
	run apply -y --json; exits 0
	same stream "$(/usr/bin/python3 -c '
import json, sys
e = [json.loads(line) for line in open(sys.argv[1])]
t = [x["type"] for x in e]
assert all({"@level", "@message", "@module", "@timestamp"} <= set(x)
           for x in e)
assert t.count("planned_change") == 3 and t.count("id_assigned") == 3
assert t.count("action_start") == t.count("action_complete")
print(t[0], t[-1], e[-1]["exit_code"])' "$work/out" 2>&1)" \
	    'version run_summary 0'
	run destroy -y --events log; exits 0
	same 'last line' "$(tail -n 1 log | grep -c run_summary)" 1
	out_has 'Destroy complete'
}

secrets_are_written_nowhere() {
	local value=hunter2hunter2
	quick secret
	sed -i 's/env: { MODE: a }/env: { TOKEN: "${secret.T}" }/' \
	    specs/pods.yaml
	printf 'secrets:\n  T: { env: MY_TOKEN }\n' >>specs/pods.yaml
	run apply -y; exits 3; err_has MY_TOKEN
	environment+=("MY_TOKEN=$value")
	run plan --out p; exits 0; out_has '(secret)'; out_lacks $value
	run apply -y --events ev -v; exits 0
	out_lacks $value; err_lacks $value
	run plan --json; exits 0; out_lacks $value
	environment+=(MY_TOKEN=another2another2)
	run plan; exits 0; out_has '(secret, changed)'
	out_lacks another2; out_lacks $value
	grep -rl -e $value -e another2 -e rpa_sim . && complain 'it is in a file'
	end_all
}

one_writer_at_a_time() {
	local first
	quick writer
	control POST pace '{"latency_ms": 700}' >/dev/null
	env -i PATH="$PATH" HOME="$work/home" "${environment[@]}" \
	    "$PODFORM" apply -y >"$work/first.log" 2>&1 </dev/null &
	first=$!
	for _ in $(seq 100); do
		[ -s .podform/mutex ] && break
		sleep 0.05
	done
	sleep 0.1
	run forget pod.one; exits 5
	err_has 'podform unlock'
	run unlock; exits 5; out_has 'Held by:'; out_has apply
	run plan; exits 0
	control POST pace '{"latency_ms": 0}' >/dev/null
	wait "$first"
	same 'first apply' "$?" 0
	run unlock; exits 0; out_has 'Free'
	end_all
}

an_interrupted_apply_ends_in_good_order() {
	local pid status
	quick interrupt
	control POST pace '{"start_ms": 3000}' >/dev/null
	env -i PATH="$PATH" HOME="$work/home" "${environment[@]}" \
	    "$PODFORM" apply -y >"$work/out" 2>"$work/err" </dev/null &
	pid=$!
	for _ in $(seq 100); do
		grep -q 'pod.two: created' "$work/err" && break
		sleep 0.05
	done
	kill -INT "$pid"
	wait "$pid"
	status=$?
	out=$(cat "$work/out") err=$(cat "$work/err")
	last='podform apply -y, interrupted'
	case $status in
	130 | 10) ;;
	*) complain "exit $status, wanted 130 or 10" ;;
	esac
	err_has 'stopping:'
	control POST pace '{"start_ms": 300}' >/dev/null
	run apply -y; exits 0
	run plan --detailed-exitcode; exits 0
	same alive "$(alive)" 2
	end_all
}

a_killed_apply_is_finished_by_the_next() {
	local pid
	quick killed
	control POST pace '{"latency_ms": 200}' >/dev/null
	env -i PATH="$PATH" HOME="$work/home" "${environment[@]}" \
	    "$PODFORM" apply -y >/dev/null 2>"$work/err" </dev/null &
	pid=$!
	for _ in $(seq 200); do
		grep -q 'pod.two: creating' "$work/err" && break
		sleep 0.02
	done
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	control POST pace '{"latency_ms": 0}' >/dev/null
	run apply -y --settle 2s; exits 0
	same alive "$(alive)" 2
	run plan --detailed-exitcode; exits 0
	end_all
	same 'alive at the end' "$(alive)" 0
}

records_can_be_moved_imported_and_forgotten() {
	local id
	quick records
	run apply -y; exits 0
	id=$(env -i PATH="$PATH" "${environment[@]}" "$PODFORM" output \
	    volume.data.id)
	run mv pod.two pod.x --json; exits 0; json "d['message']" >/dev/null
	same moved "$(json "'pod.x' in d['message']")" True
	run mv pod.x pod.three; exits 0
	sed -i 's/^  two:/  three:/' specs/pods.yaml
	run state show pod.three; exits 0; out_has RTX
	run forget volume.data; exits 0; out_has "$id"
	run import volume.data "$id"; exits 0
	run import volume.data "$id"; exits 1; err_has 'recorded already'
	run import pod.nine x; exits 3; err_has 'write it into the spec'
	run plan; exits 0
	sed -i 's/^  three:/  two:/' specs/pods.yaml
	run mv pod.three pod.two; exits 0
	run mv pod.two pod.one; exits 1; err_has already
	run mv pod.two volume.x; exits 3
	end_all
}

what_was_forgotten_is_left_alone() {
	local id
	quick forgotten
	run apply -y; exits 0
	id=$(env -i PATH="$PATH" "${environment[@]}" "$PODFORM" output \
	    pod.two.id)
	run forget pod.two; exits 0; out_has 'leaves it alone'
	run plan; exits 0; out_has 'Not managed: 1 pod'
	out_has '1 to add, 0 to change, 0 to destroy'
	run import pod.two "$id"; exits 0
	run plan --detailed-exitcode; exits 0
	sed -i '/^  two:/,$d' specs/pods.yaml
	run forget pod.two; exits 0
	run apply -y; exits 0
	same 'pods alive' "$(alive)" 2
	run destroy -y; exits 0
	same 'the forgotten one lives' "$(alive)" 1
	control POST "pods/$id/delete" >/dev/null
}

strangers_are_audited_and_never_touched() {
	quick audit
	run apply -y; exits 0
	control POST preload '{"count": 1, "name": "stranger", "gpu":
	    "NVIDIA A40", "data_center": "EU-RO-1", "disk": 20}' >/dev/null
	run plan; exits 0; out_has 'Not managed: 1 pod'
	run audit; exits 2; out_has stranger; out_has 'not of podform'
	run audit --json; exits 2
	same unmanaged "$(json "d['unmanaged'][0]['name']")" stranger
	run gc; exits 0; out_has 'Nothing of ours is left over'
	run gc --json; exits 0
	same 'lines that are no event' "$(grep -cv '^{"@level".*}$' \
	    "$work/out")" 0
	[[ $(tail -n 1 "$work/out") == *'"type":"run_summary"'* ]] ||
	    complain 'the stream has no last line'
	end_all
	same 'the stranger lives' "$(alive)" 1
	control POST pods/stranger/delete >/dev/null
}

catalog_and_doctor_ask_the_service() {
	quick catalog
	run gpus A40; exits 0; out_has 'NVIDIA A40'
	run gpus --json; exits 0
	same priced "$(json "any('secure_per_hour' in g for g in d)")" True
	run datacenters EU-RO; exits 0; out_has EU-RO-1
	run doctor; exits 0; out_has balance; out_lacks rpa_sim
	control POST key '{"revoked": true}' >/dev/null
	run plan; exits 4
	run doctor; exits 4
	run init; exits 4
	control POST key '{"revoked": false}' >/dev/null
	environment+=(RUNPOD_API_URL=http://127.0.0.1:9)
	run plan; exits 1
}

a_closed_pipe_does_not_stop_an_apply() {
	quick pipe
	env -i PATH="$PATH" HOME="$work/home" "${environment[@]}" \
	    "$PODFORM" apply -y 2>/dev/null </dev/null | head -n 1 >/dev/null
	same 'status of apply' "${PIPESTATUS[0]}" 0
	same alive "$(alive)" 2
	end_all
}

for test in apply_makes_it_so_and_a_second_plan_is_empty \
    nobody_to_ask_is_an_error_naming_the_flag the_prompt_takes_only_yes \
    a_saved_plan_is_applied_once a_stale_plan_says_what_moved \
    drift_is_told_apart_and_repaired a_failed_apply_is_rolled_back \
    no_capacity_has_its_own_code what_is_kept_is_listed_with_ids \
    policy_refuses_before_anything_is_sent nothing_left_needs_allow_empty \
    events_are_a_stream_of_objects secrets_are_written_nowhere \
    one_writer_at_a_time an_interrupted_apply_ends_in_good_order \
    a_killed_apply_is_finished_by_the_next \
    records_can_be_moved_imported_and_forgotten \
    what_was_forgotten_is_left_alone \
    strangers_are_audited_and_never_touched \
    catalog_and_doctor_ask_the_service \
    a_closed_pipe_does_not_stop_an_apply; do
	check "$test"
done
[ "$failures" -eq 0 ]
