/* run_world.c - see run_world.h */
#include "run_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"

/* -------------------------------------------------------------- life -- */

/* Op ids are 0101…, 0202…; the chance of a backoff is always 0. */
static void
next_bytes(void *ctx, void *out, size_t n)
{
	struct run_world *r = ctx;
	memset(out, n == 16 ? ++r->ops : 0, n);
}

static bool
resolve(void *ctx, struct arena *arena, struct str reference,
    struct str *value)
{
	(void)ctx;
	(void)reference;
	*value = arena_str(arena, STR("hunter2-hunter2"));
	return true;
}

void
run_init(struct run_world *r)
{
	memset(r, 0, sizeof *r);
	world_init(&r->w);
	r->born_as = POD_RUNNING;
	r->now_ms = 1000000;
	r->options = (struct run_options){
		.settle_ms = 60000,
		.lineage = r->w.lock.lineage,
		.boot_id = STR("boot"),
		.resolve = resolve,
		.chance = { r, next_bytes },
	};
}

void
run_release(struct run_world *r)
{
	strbuf_release(&r->log);
	world_release(&r->w);
}

int
run_setup(void **state)
{
	static struct run_world world;
	run_init(&world);
	*state = &world;
	return 0;
}

int
run_teardown(void **state)
{
	run_release(*state);
	return 0;
}

/* ----------------------------------------------------------- writing -- */

static const char *const op_words[] = {
	[OP_CREATE] = "create", [OP_UPDATE] = "update", [OP_START] = "start",
	[OP_STOP] = "stop", [OP_DELETE] = "delete",
};

static const char *const note_words[] = {
	[NOTE_ACTION_START] = "start", [NOTE_PROGRESS] = "progress",
	[NOTE_ID_ASSIGNED] = "id", [NOTE_CANDIDATE_REFUSED] = "refused",
	[NOTE_RETRY] = "retry", [NOTE_UNCLEAR] = "unclear",
	[NOTE_ACTION_DONE] = "done", [NOTE_ACTION_ERROR] = "error",
	[NOTE_ACTION_SKIPPED] = "skip", [NOTE_ROLLBACK_START] = "rollback",
	[NOTE_ROLLBACK_DONE] = "rolled back", [NOTE_STOPPING] = "stopping",
};

static const char *const kind_words[] = {
	[ACTION_VOLUME_CREATE] = "create", [ACTION_VOLUME_UPDATE] = "grow",
	[ACTION_POD_CONFIRM_GONE] = "confirm", [ACTION_POD_CREATE] = "create",
	[ACTION_POD_UPDATE] = "update", [ACTION_POD_START] = "start",
	[ACTION_POD_RUNNING] = "running", [ACTION_POD_SSH] = "ssh",
	[ACTION_POD_LOGIN] = "login", [ACTION_POD_CHECK] = "check",
	[ACTION_POD_SETUP] = "setup", [ACTION_POD_PROCESS] = "process",
	[ACTION_POD_BACKUP] = "backup", [ACTION_RUNNER_INSTALL] = "install",
	[ACTION_RUNNER_REGISTER] = "register",
	[ACTION_RUNNER_START] = "listen", [ACTION_RUNNER_ONLINE] = "online",
	[ACTION_RUNNER_REMOVE] = "remove", [ACTION_TUNNEL_OPEN] = "open",
	[ACTION_TUNNEL_CLOSE] = "close",
	[ACTION_POD_STOP] = "stop", [ACTION_BARRIER] = "barrier",
	[ACTION_POD_DELETE] = "delete", [ACTION_VOLUME_DELETE] = "delete",
};

static void
write_note(struct run_world *r, const struct run_note *note)
{
	if (r->silent_lists && note->type == NOTE_PROGRESS)
		return;
	strbuf_adds(&r->log, note_words[note->type]);
	if (note->action != SIZE_MAX)
		strbuf_addf(&r->log, " %s%s " STR_FMT, note->undo ? "undo-"
		    : "", kind_words[note->kind], STR_ARG(note->address));
	if (note->text.len > 0)
		strbuf_addf(&r->log, ": " STR_FMT, STR_ARG(note->text));
	strbuf_addc(&r->log, '\n');
}

static void
write_fact(struct run_world *r, const struct record *record)
{
	const struct lock_inside *inside = &record->inside;

	strbuf_addf(&r->log, "fact " STR_FMT ":", STR_ARG(record->id));
	if (inside->host_key.len > 0)
		strbuf_addf(&r->log, " " STR_FMT " by " STR_FMT,
		    STR_ARG(inside->host_key), STR_ARG(inside->host_key_by));
	if (inside->checked)
		strbuf_adds(&r->log, " checked");
	if (inside->nsteps > 0)
		strbuf_addf(&r->log, " steps %zu", inside->nsteps);
	if (inside->process.len > 0)
		strbuf_adds(&r->log, " process");
	strbuf_addc(&r->log, '\n');
}

static void
write_record(struct run_world *r, const struct record *record)
{
	if (record->type == RECORD_INTENT) {
		strbuf_addf(&r->log, "intent %s " STR_FMT " #%.2s\n",
		    op_words[record->op.action], STR_ARG(record->op.address),
		    record->op.op.hex);
		return;
	}
	if (record->type == RECORD_FACT) {
		write_fact(r, record);
		return;
	}
	assert_int_equal(record->type, RECORD_RESULT);
	strbuf_addf(&r->log, "result %s #%.2s%s" STR_FMT "%s\n",
	    record->outcome == OP_DONE ? "done" : "none", record->op.op.hex,
	    record->id.len > 0 ? " " : "", STR_ARG(record->id),
	    record->adopted ? " adopted" : "");
}

/* "trainer-pf…01…" as "trainer#01". */
static void
write_name(struct run_world *r, struct str name)
{
	struct str base;
	struct mark mark;

	if (mark_parse_name(name, &base, &mark))
		strbuf_addf(&r->log, STR_FMT "#%.2s", STR_ARG(base),
		    mark.op.data);
	else
		strbuf_add(&r->log, name);
}

static void
write_request(struct run_world *r, const struct cloud_request *request)
{
	bool list = request->op == CLOUD_LIST_PODS ||
	    request->op == CLOUD_LIST_VOLUMES;

	if (list && r->silent_lists)
		return;
	strbuf_addf(&r->log, "send %s", cloud_op_words(request->op));
	if (request->id.len > 0)
		strbuf_addf(&r->log, " " STR_FMT, STR_ARG(request->id));
	if (request->op == CLOUD_CREATE_POD) {
		strbuf_addc(&r->log, ' ');
		write_name(r, request->pod->name);
		strbuf_addf(&r->log, " " STR_FMT "%s" STR_FMT,
		    STR_ARG(request->pod->gpu),
		    request->pod->volume_id.len > 0 ? " on " : "",
		    STR_ARG(request->pod->volume_id));
	}
	if (request->op == CLOUD_CREATE_VOLUME) {
		strbuf_addc(&r->log, ' ');
		write_name(r, request->volume.name);
	}
	strbuf_addc(&r->log, '\n');
}

const char *
run_said(struct run_world *r)
{
	const char *said = arena_str(&r->w.arena, strbuf_str(&r->log)).data;

	strbuf_reset(&r->log);
	return said != NULL ? said : "";
}

void
run_expect(struct run_world *r, const char *wanted)
{
	assert_text(run_said(r), wanted);
}

/* ------------------------------------------------------------ events -- */

static void drain(struct run_world *r);

struct run_event
run_event_now(const struct run_world *r, enum run_event_type type)
{
	return (struct run_event){ .type = type, .now_ms = r->now_ms,
		.boot_ms = r->now_ms,
		.wall_ms = r->w.options.wall_ms + r->now_ms };
}

void
run_tell(struct run_world *r, const struct run_event *event)
{
	run_event(r->run, event);
	drain(r);
}

/* The order is that of the program: the whole batch is written, the record
 * in memory follows, and then the engine hears of each. */
void
run_journal(struct run_world *r, bool ok)
{
	VEC_OF(struct run_effect) batch = {0};
	struct arena *arena = &r->w.arena;

	for (size_t i = 0; i < r->held.n; i++)
		*ARENA_PUSH(arena, &batch) = r->held.items[i];
	r->held.n = 0;
	for (size_t i = 0; i < batch.n; i++) {
		const struct record *record = &batch.items[i].record;
		if (record->type == RECORD_RESULT)
			lock_apply_result(arena, &r->w.lock, record);
		else if (record->type == RECORD_FACT)
			lock_apply_fact(&r->w.lock, record);
		else if (ok)
			lock_apply_intent(arena, &r->w.lock, record);
	}
	for (size_t i = 0; i < batch.n; i++) {
		struct run_event event = run_event_now(r, RUN_JOURNALED);
		event.token = batch.items[i].token;
		event.ok = ok;
		run_event(r->run, &event);
	}
	drain(r);
}

static const char *const ssh_words[] = {
	[SSH_LOGIN] = "login", [SSH_RUN] = "run", [SSH_COPY] = "copy",
	[SSH_PROCESS] = "process", [SSH_RUNNER_INSTALL] = "runner-install",
	[SSH_RUNNER_START] = "runner-start",
	[SSH_RUNNER_LOOK] = "runner-look",
	[SSH_RUNNER_STOP] = "runner-stop",
};

static void
write_inside(struct run_world *r, const struct run_effect *effect)
{
	const struct ssh_request *ssh = &effect->ssh;

	switch (effect->type) {
	case RUN_SSH:
		strbuf_addf(&r->log, "ssh " STR_FMT " %s",
		    STR_ARG(ssh->target.pod), ssh_words[ssh->task]);
		if (ssh->target.npins > 0)
			strbuf_addf(&r->log, " pinned %.10s",
			    ssh->target.pins[0].data);
		if (ssh->script.len > 0)
			strbuf_addf(&r->log, " `" STR_FMT "`",
			    STR_ARG(ssh->script));
		if (ssh->from.len > 0)
			strbuf_addf(&r->log, " from " STR_FMT,
			    STR_ARG(ssh->from));
		break;
	case RUN_GITHUB:
		strbuf_addf(&r->log, "github %s",
		    github_op_words(effect->github.op));
		break;
	case RUN_HOLDER:
		strbuf_addf(&r->log, "holder %s " STR_FMT,
		    effect->holder.verb == HOLDER_OPEN ? "open" : "close",
		    STR_ARG(effect->holder.config.address));
		break;
	default:
		strbuf_addf(&r->log, "fetch " STR_FMT,
		    STR_ARG(effect->fetch.path));
		break;
	}
	strbuf_addc(&r->log, '\n');
}

static void
take_effect(struct run_world *r, const struct run_effect *effect)
{
	switch (effect->type) {
	case RUN_JOURNAL:
		write_record(r, &effect->record);
		*ARENA_PUSH(&r->w.arena, &r->held) = *effect;
		break;
	case RUN_REQUEST:
		r->sent[effect->request.op]++;
		write_request(r, &effect->request);
		*ARENA_PUSH(&r->w.arena, &r->waiting) = *effect;
		break;
	case RUN_BANNER:
		strbuf_addf(&r->log, "probe " STR_FMT ":%u\n",
		    STR_ARG(effect->host), effect->port);
		*ARENA_PUSH(&r->w.arena, &r->waiting) = *effect;
		break;
	case RUN_NOTE:
		write_note(r, &effect->note);
		break;
	case RUN_CANCEL:
		strbuf_adds(&r->log, "cancel\n");
		break;
	case RUN_SSH:
	case RUN_GITHUB:
	case RUN_HOLDER:
	case RUN_FETCH:
		write_inside(r, effect);
		*ARENA_PUSH(&r->w.arena, &r->waiting) = *effect;
		break;
	}
}

static void
drain(struct run_world *r)
{
	struct run_effect effect;

	while (run_next_effect(r->run, &effect))
		take_effect(r, &effect);
	if (r->held.n > 0 && !r->hold_journal)
		run_journal(r, !r->disk_fails);
}

void
run_start(struct run_world *r)
{
	struct run_event first = run_event_now(r, RUN_TIME);

	(void)world_plan(&r->w, 0);
	if (r->w.plan == NULL)
		fail_msg("no plan: %s", r->w.text.data);
	/* From here on the cloud changes; the plan's picture of it does not. */
	struct cloud_pod *now = ARENA_ARRAY(&r->w.arena, struct cloud_pod,
	    r->w.pods.cap);
	for (size_t i = 0; i < r->w.pods.n; i++)
		now[i] = r->w.pods.items[i];
	r->w.pods.items = now;
	r->run = run_new(&r->w.arena, r->w.plan, &r->w.lock, &r->options);
	run_tell(r, &first);
}

void
run_trainer(struct run_world *r)
{
	world_spec(&r->w, "pods:\n"
	    "  trainer: { image: x:1, gpu: [A40, RTX A5000] }\n");
	run_start(r);
}

void
run_pass(struct run_world *r, int64_t ms)
{
	r->now_ms += ms;
	struct run_event event = run_event_now(r, RUN_TIME);
	run_tell(r, &event);
}

void
run_tick(struct run_world *r)
{
	int64_t at = run_deadline(r->run);

	if (at == -1)
		fail_msg("no deadline after:\n%s", run_said(r));
	run_pass(r, at > r->now_ms ? at - r->now_ms : 0);
}

void
run_signal(struct run_world *r)
{
	struct run_event event = run_event_now(r, RUN_SIGNAL);
	run_tell(r, &event);
}

/* ----------------------------------------------------------- answers -- */

struct cloud_answer
says(int status, enum cloud_reason reason, const char *message)
{
	return (struct cloud_answer){ .outcome = OUTCOME_NO_EFFECT,
		.reason = reason, .status = status,
		.message = str_from(message), .ratelimit_left = -1 };
}

struct cloud_answer
unclear(int status, const char *message)
{
	return (struct cloud_answer){ .outcome = OUTCOME_UNKNOWN,
		.reason = REASON_TRANSIENT, .status = status,
		.message = str_from(message), .ratelimit_left = -1 };
}

struct cloud_answer
not_sent(void)
{
	return (struct cloud_answer){ .outcome = OUTCOME_NOT_SENT,
		.reason = REASON_TRANSIENT, .message = STR("no route"),
		.ratelimit_left = -1 };
}

struct cloud_answer
one_pod(struct run_world *r, struct cloud_pod pod)
{
	struct cloud_pod *copy = ARENA_NEW(&r->w.arena, struct cloud_pod);

	*copy = pod;
	return (struct cloud_answer){ .outcome = OUTCOME_OK, .status = 200,
		.pods = copy, .npods = 1, .ratelimit_left = -1 };
}

bool
run_take_request(struct run_world *r, enum cloud_op op, struct run_effect *out)
{
	for (size_t i = 0; i < r->waiting.n; i++) {
		*out = r->waiting.items[i];
		if (out->type != RUN_REQUEST || out->request.op != op)
			continue;
		r->waiting.n--;
		memmove(&r->waiting.items[i], &r->waiting.items[i + 1],
		    (r->waiting.n - i) * sizeof *out);
		return true;
	}
	return false;
}

bool
run_waits_for(const struct run_world *r, enum cloud_op op)
{
	for (size_t i = 0; i < r->waiting.n; i++)
		if (r->waiting.items[i].type == RUN_REQUEST &&
		    r->waiting.items[i].request.op == op)
			return true;
	return false;
}

void
run_deliver(struct run_world *r, const struct run_effect *effect,
    const struct cloud_answer *answer)
{
	struct run_event event = run_event_now(r, RUN_ANSWER);
	event.token = effect->token;
	event.answer = answer;
	run_tell(r, &event);
}

void
run_answer(struct run_world *r, enum cloud_op op, struct cloud_answer answer)
{
	struct run_effect effect;

	if (!run_take_request(r, op, &effect))
		fail_msg("no '%s' waits; said:\n%s", cloud_op_words(op),
		    run_said(r));
	run_deliver(r, &effect, &answer);
}

void
run_banner(struct run_world *r, bool ok)
{
	for (size_t i = 0; i < r->waiting.n; i++) {
		struct run_event event = run_event_now(r, RUN_BANNER_ANSWER);
		if (r->waiting.items[i].type != RUN_BANNER)
			continue;
		event.token = r->waiting.items[i].token;
		event.ok = ok;
		event.reason = STR("connection refused");
		r->waiting.items[i] = r->waiting.items[--r->waiting.n];
		run_tell(r, &event);
		return;
	}
	fail_msg("no probe waits; said:\n%s", run_said(r));
}

/* ----------------------------------------------------------- outcome -- */

static void
add_count(struct strbuf *out, const char *word, size_t n)
{
	if (n > 0)
		strbuf_addf(out, ", %s %zu", word, n);
}

const char *
run_outcome(struct run_world *r)
{
	const struct run_summary *sum = run_summary(r->run);
	struct strbuf out = {0};

	assert_true(run_finished(r->run));
	strbuf_addf(&out, "exit %d", sum->exit_code);
	add_count(&out, "added", sum->added);
	add_count(&out, "changed", sum->changed_count);
	add_count(&out, "destroyed", sum->destroyed);
	add_count(&out, "started", sum->started);
	add_count(&out, "stopped", sum->stopped);
	add_count(&out, "undone", sum->undone);
	strbuf_addc(&out, '\n');
	for (size_t i = 0; i < sum->failures.n; i++) {
		const struct run_failed *failed = &sum->failures.items[i];
		strbuf_addf(&out, "failed %s " STR_FMT ": " STR_FMT "\n",
		    kind_words[failed->kind], STR_ARG(failed->address),
		    STR_ARG(failed->reason));
	}
	for (size_t i = 0; i < sum->left.n; i++) {
		const struct run_left *left = &sum->left.items[i];
		strbuf_addf(&out, "left " STR_FMT " " STR_FMT " %lld: "
		    STR_FMT "\n", STR_ARG(left->address),
		    STR_ARG(left->id.len > 0 ? left->id : STR("?")),
		    (long long)left->per_hour, STR_ARG(left->why));
	}
	const char *text = arena_str(&r->w.arena, strbuf_str(&out)).data;
	strbuf_release(&out);
	return text;
}
