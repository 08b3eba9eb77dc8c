/*
 * host.c - the pod that an act is about or on: where it is, what has been
 * done in it, and how it is asked for something.
 *
 * What this run has seen of a pod comes first, then the listing that the
 * plan was made of.  What was done inside holds for one start of its
 * container; after another start nothing of it does.
 */
#include "run/act.h"

#include "base/units.h"

#include <string.h>

enum { WORDS_MAX = 300 };

/* What the plan's listing shows of it. */
static void
from_listing(struct host *host, const struct cloud_pod *pod)
{
	if (pod == NULL)
		return;
	if (host->id.len == 0)
		host->id = pod->id;
	if (!str_eq(host->id, pod->id))
		return;		/* of one that has been replaced since */
	if (host->ssh.port == 0)
		host->ssh = pod->ssh;
	if (host->start.len == 0)
		host->start = pod->started_at;
	host->runs |= pod->status == POD_RUNNING ||
	    pod->status == POD_STARTING || pod->status == POD_UNKNOWN;
}

static void
of_change(struct host *host, const struct plan_change *change,
    struct subject *subject)
{
	host->change = change;
	host->subject = subject;
	host->address = change->address;
	host->id = subject->id.len > 0 ? subject->id
	    : change->have != NULL     ? change->have->id
				       : (struct str){0};
	host->ssh = subject->ssh;
	host->start = subject->start;
	host->runs = subject->ssh.port != 0;
	if (change->want != NULL)
		host->spec = change->want->pod;
	from_listing(host, change->pod);
}

static struct str
pod_address(const struct plan_change *change)
{
	if (change->kind == KIND_TUNNEL)
		return change->tunnel_config.pod;
	if (change->runner_config.pod.len > 0)
		return change->runner_config.pod;
	return change->have != NULL ? change->have->runner.pod
				    : (struct str){0};
}

/* Has this run started another container, and waited for it?  Until then
 * what is done is done in the one before. */
static bool
begins_anew(const struct host *host)
{
	const struct plan_change *change = host->change;

	return change != NULL && host->subject->ssh.port != 0 &&
	    (change->op == PLAN_CREATE || change->op == PLAN_REPLACE ||
		change->start || change->restarts);
}

/*
 * The service need not say when a container has started.  Where either time
 * is not known the record is believed, and with it the key that is pinned
 * there: another container has another key, and is told by it.
 */
static void
believe_record(struct run *run, struct host *host)
{
	const struct lock_entry *entry;

	if (host->start.len > 0 || begins_anew(host))
		return;
	entry = lock_find_id(run->lock, KIND_POD, host->id);
	if (entry != NULL)
		host->start = entry->inside.start;
}

void
act_host(struct run *run, const struct act *act, struct host *host)
{
	const struct plan_change *change = act->change;

	*host = (struct host){ .subject = act->subject };
	if (change->kind == KIND_POD) {
		of_change(host, change, act->subject);
	} else {
		const struct plan_change *pod = plan_action_change(run->plan,
		    &(struct plan_action){ .change = change->host_change });
		if (pod != NULL)
			of_change(host, pod,
			    &run->change_subjects[change->host_change]);
		from_listing(host, change->host);
		if (host->address.len == 0)
			host->address = pod_address(change);
	}
	believe_record(run, host);
	if (host->spec == NULL && run->plan->spec != NULL) {
		const struct resource *pod =
		    spec_find(run->plan->spec, host->address);
		if (pod != NULL && pod->kind == KIND_POD)
			host->spec = pod->pod;
	}
}

struct str
host_no_port(struct run *run, const struct host *host)
{
	return arena_printf(run->arena, STR_FMT " has no SSH port: it needs "
	    "22/tcp in its ports; if it has that and stays so: podform apply "
	    "--replace " STR_FMT, STR_ARG(host->address),
	    STR_ARG(host->address));
}

/* Is the record about the container that runs now? */
static bool
is_of_record(const struct host *host, const struct lock_inside *recorded)
{
	if (host->start.len > 0 && recorded->start.len > 0)
		return str_eq(host->start, recorded->start);
	return !begins_anew(host);
}

struct lock_inside *
host_inside(struct run *run, const struct host *host)
{
	struct lock_inside *inside = &host->subject->inside;

	if (host->subject->inside_known &&
	    str_eq(inside->start, host->start))
		return inside;
	const struct lock_entry *entry =
	    lock_find_id(run->lock, KIND_POD, host->id);
	*inside = (struct lock_inside){0};
	if (entry != NULL && is_of_record(host, &entry->inside))
		*inside = entry->inside;
	inside->start = host->start;
	host->subject->inside_known = true;
	return inside;
}

/* ------------------------------------------------------------- asking --- */

static void
fill_target(struct run *run, const struct host *host,
    struct ssh_target *target)
{
	const struct lock_inside *inside = host_inside(run, host);

	*target = (struct ssh_target){
		.pod = host->id,
		.start = host->start,
		.host = host->ssh.host,
		.port = host->ssh.port,
		.user = host->ssh.user,
	};
	if (host->spec != NULL) {
		target->user = host->spec->ssh_user;
		target->key = host->spec->ssh_key_path;
	}
	if (inside->host_key.len > 0) {
		target->pins = &inside->host_key;
		target->npins = 1;
	}
}

struct ssh_request *
host_ask(struct run *run, struct act *act, const struct host *host,
    enum ssh_task task, const char *name, int64_t timeout_ms)
{
	struct ssh_request *request = &act_ask(run, act, RUN_SSH)->ssh;

	request->task = task;
	request->name = str_from(name);
	request->timeout_ms = timeout_ms;
	fill_target(run, host, &request->target);
	return request;
}

bool
host_env(struct run *run, const struct host *host, struct env_var **out,
    struct str *reason)
{
	const struct pod_spec *spec = host->spec;
	struct env_var *env = ARENA_ARRAY(run->arena, struct env_var,
	    spec->nenv);

	*out = env;
	for (size_t i = 0; i < spec->nenv; i++) {
		const struct spec_env *var = &spec->env[i];
		struct str why;
		env[i].name = var->name;
		env[i].sensitive = text_has(&var->value, PART_SECRET);
		if (run_fill_text(run, &var->value, &env[i].value, &why))
			continue;
		*reason = arena_printf(run->arena, "the value of env " STR_FMT
		    " is not known: " STR_FMT, STR_ARG(var->name),
		    STR_ARG(why));
		return false;
	}
	return true;
}

/* ------------------------------------------------------------ answers --- */

struct str
last_words(struct run *run, struct str output)
{
	struct strbuf words = { .ceiling = 8 * WORDS_MAX };

	output = str_trim(output);
	struct str line = str_trim(str_sub(output,
	    (size_t)(str_rfind(output, '\n') + 1), output.len));
	strbuf_add_escaped(&words, str_sub(line, 0, WORDS_MAX));
	struct str text = arena_str(run->arena, strbuf_str(&words));
	strbuf_release(&words);
	return text;
}

static struct str
where(struct run *run, const struct host *host)
{
	return arena_printf(run->arena, STR_FMT ":%u",
	    STR_ARG(host->ssh.host), host->ssh.port);
}

static struct str
wrong_key(struct run *run, const struct host *host,
    const struct ssh_answer *answer)
{
	return arena_printf(run->arena, "the host key at " STR_FMT " is "
	    STR_FMT " and not the pinned one, so nothing was sent: somebody "
	    "else may be answering there; if the container was changed by "
	    "hand, restart the pod, which pins anew",
	    STR_ARG(where(run, host)), STR_ARG(answer->fingerprint.len > 0
		? answer->fingerprint
		: STR("another")));
}

bool
act_cut_off(struct run *run, struct act *act, const struct host *host,
    const struct ssh_answer *answer)
{
	struct str reason = last_words(run, answer->reason);

	switch (answer->outcome) {
	case SSH_DONE:
		return false;
	case SSH_DENIED:
		act_fail(run, act, FAIL_INSIDE, arena_printf(run->arena,
		    "none of our keys is accepted at " STR_FMT ": " STR_FMT,
		    STR_ARG(where(run, host)), STR_ARG(reason)));
		return true;
	case SSH_WRONG_HOST_KEY:
		act_fail(run, act, FAIL_SUSPECT,
		    wrong_key(run, host, answer));
		return true;
	case SSH_UNUSABLE:
	case SSH_LOCAL:
		act_fail(run, act, FAIL_INSIDE, reason);
		return true;
	case SSH_UNREACHABLE:
	case SSH_LOST:
	case SSH_TIMED_OUT:
		break;
	}
	act_retry(run, act, 0, FAIL_INSIDE, reason);
	return true;
}

/* The last lines, whole ones unless one alone is too long: what a person
 * wants to see of a failure. */
static struct str
tail_of(struct str output)
{
	enum { LINES = 20, BYTES = 4096 };
	size_t from, lines = 0;

	output = str_trim(output);
	from = output.len;
	struct str whole = {0};
	while (from > 0 && output.len - from < BYTES && lines < LINES)
		if (output.data[--from] == '\n') {
			whole = str_sub(output, from + 1, output.len);
			lines++;
		}
	return from == 0 || lines == 0
	    ? str_sub(output, from, output.len)
	    : whole;
}

void
act_fail_inside(struct run *run, struct act *act, const char *what,
    const struct ssh_answer *answer)
{
	struct str words = last_words(run, answer->output);
	struct str how = answer->status < 0
	    ? STR("was killed")
	    : arena_printf(run->arena, "exited with %d", answer->status);

	act->output = arena_str(run->arena, tail_of(answer->output));
	act_fail(run, act, FAIL_INSIDE, arena_printf(run->arena,
	    "%s " STR_FMT "%s" STR_FMT, what, STR_ARG(how),
	    words.len > 0 ? ": " : "",
	    STR_ARG(words)));
}

void
act_waits_for(struct run *run, struct act *act, struct str what)
{
	if (str_eq(act->reason, what))
		return;
	act->reason = what;
	act->told_ms = run->now_ms;
	run_say_news(run, act, what);
}
