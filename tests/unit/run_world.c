/* run_world.c - see run_world.h */
#include "run_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"

/* --------------------------------------------------------------- life --- */

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

/* ------------------------------------------------------------- writing -- */

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

/* -------------------------------------------------------------- events -- */

static void drain(struct run_world *r);

static struct run_event
event_now(const struct run_world *r, enum run_event_type type)
{
	return (struct run_event){ .type = type, .now_ms = r->now_ms,
		.boot_ms = r->now_ms,
		.wall_ms = r->w.options.wall_ms + r->now_ms };
}

static void
tell(struct run_world *r, const struct run_event *event)
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
		struct run_event event = event_now(r, RUN_JOURNALED);
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
	struct run_event first = event_now(r, RUN_TIME);

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
	tell(r, &first);
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
	struct run_event event = event_now(r, RUN_TIME);
	tell(r, &event);
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
	struct run_event event = event_now(r, RUN_SIGNAL);
	tell(r, &event);
}

/* ------------------------------------------------------------- answers -- */

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

static bool
take_request(struct run_world *r, enum cloud_op op, struct run_effect *out)
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

static void
deliver(struct run_world *r, const struct run_effect *effect,
    const struct cloud_answer *answer)
{
	struct run_event event = event_now(r, RUN_ANSWER);
	event.token = effect->token;
	event.answer = answer;
	tell(r, &event);
}

void
run_answer(struct run_world *r, enum cloud_op op, struct cloud_answer answer)
{
	struct run_effect effect;

	if (!take_request(r, op, &effect))
		fail_msg("no '%s' waits; said:\n%s", cloud_op_words(op),
		    run_said(r));
	deliver(r, &effect, &answer);
}

void
run_banner(struct run_world *r, bool ok)
{
	for (size_t i = 0; i < r->waiting.n; i++) {
		struct run_event event = event_now(r, RUN_BANNER_ANSWER);
		if (r->waiting.items[i].type != RUN_BANNER)
			continue;
		event.token = r->waiting.items[i].token;
		event.ok = ok;
		event.reason = STR("connection refused");
		r->waiting.items[i] = r->waiting.items[--r->waiting.n];
		tell(r, &event);
		return;
	}
	fail_msg("no probe waits; said:\n%s", run_said(r));
}

/* ------------------------------------------------------ the honest cloud -- */

static struct cloud_pod *
find_pod(struct run_world *r, struct str id)
{
	for (size_t i = 0; i < r->w.pods.n; i++)
		if (str_eq(r->w.pods.items[i].id, id))
			return &r->w.pods.items[i];
	return NULL;
}

static struct cloud_volume *
find_volume(struct run_world *r, struct str id)
{
	for (size_t i = 0; i < r->w.volumes.n; i++)
		if (str_eq(r->w.volumes.items[i].id, id))
			return &r->w.volumes.items[i];
	return NULL;
}

static void
answer_pod(struct run_world *r, struct cloud_pod *pod,
    struct cloud_answer *answer)
{
	if (pod == NULL)
		*answer = says(404, REASON_NOT_FOUND, "pod not found");
	else
		*answer = one_pod(r, *pod);
}

static void
create_pod(struct run_world *r, const struct cloud_request *request,
    struct cloud_answer *answer)
{
	struct cloud_pod *pod = ARENA_PUSH(&r->w.arena, &r->w.pods);

	*pod = (struct cloud_pod){
		.id = arena_printf(&r->w.arena, "new%u", ++r->made),
		.status = r->born_as,
		.config = *request->pod,
		.mark = request->mark,
		.cost_per_hour = 400000, .cost_known = true,
		.has_runtime = true,
		.ssh = { STR("1.2.3.4"), 2222, STR("root") },
		.started_at = STR("2026-11-21T09:00:00Z"),
	};
	answer_pod(r, pod, answer);
}

static void
change_pod(struct run_world *r, const struct cloud_request *request,
    struct cloud_answer *answer)
{
	struct cloud_pod *pod = find_pod(r, request->id);

	if (pod != NULL && request->op == CLOUD_STOP_POD)
		pod->status = POD_EXITED;
	if (pod != NULL && request->op == CLOUD_START_POD)
		pod->status = POD_RUNNING;
	if (pod != NULL && request->op == CLOUD_UPDATE_POD) {
		if (request->changes & CHANGE_IMAGE)
			pod->config.image = request->pod->image;
		if (request->changes & CHANGE_ARGS)
			pod->config.args = request->pod->args;
		if (request->changes & CHANGE_NAME)
			pod->config.name = request->pod->name;
		pod->has_runtime = true;
	}
	answer_pod(r, pod, answer);
	if (pod != NULL && request->op == CLOUD_DELETE_POD) {
		*pod = r->w.pods.items[--r->w.pods.n];
		answer->npods = 0;
	}
}

static void
volume_op(struct run_world *r, const struct cloud_request *request,
    struct cloud_answer *answer)
{
	struct cloud_volume *volume = find_volume(r, request->id);

	*answer = (struct cloud_answer){ .outcome = OUTCOME_OK, .status = 200,
		.ratelimit_left = -1 };
	if (request->op == CLOUD_CREATE_VOLUME) {
		volume = ARENA_PUSH(&r->w.arena, &r->w.volumes);
		*volume = request->volume;
		volume->id = arena_printf(&r->w.arena, "new%u", ++r->made);
	}
	if (volume == NULL) {
		*answer = says(404, REASON_NOT_FOUND, "volume not found");
		return;
	}
	if (request->op == CLOUD_UPDATE_VOLUME)
		volume->size_gb = request->volume.size_gb;
	answer->volumes = ARENA_NEW(&r->w.arena, struct cloud_volume);
	*answer->volumes = *volume;
	answer->nvolumes = 1;
	if (request->op == CLOUD_DELETE_VOLUME)
		*volume = r->w.volumes.items[--r->w.volumes.n];
}

static void
honest_answer(struct run_world *r, const struct cloud_request *request,
    struct cloud_answer *answer)
{
	*answer = (struct cloud_answer){ .outcome = OUTCOME_OK, .status = 200,
		.ratelimit_left = -1 };
	switch (request->op) {
	case CLOUD_LIST_PODS:
		answer->npods = r->w.pods.n;
		answer->pods = ARENA_ARRAY(&r->w.arena, struct cloud_pod,
		    answer->npods);
		for (size_t i = 0; i < answer->npods; i++)
			answer->pods[i] = r->w.pods.items[i];
		break;
	case CLOUD_LIST_VOLUMES:
		answer->nvolumes = r->w.volumes.n;
		answer->volumes = r->w.volumes.items;
		break;
	case CLOUD_GET_POD:
		answer_pod(r, find_pod(r, request->id), answer);
		break;
	case CLOUD_CREATE_POD:
		create_pod(r, request, answer);
		break;
	case CLOUD_UPDATE_POD:
	case CLOUD_START_POD:
	case CLOUD_STOP_POD:
	case CLOUD_DELETE_POD:
		change_pod(r, request, answer);
		break;
	case CLOUD_GET_LOG:
		answer->lines = ARENA_NEW(&r->w.arena, struct log_line);
		answer->lines->text = str_from(r->log_line);
		answer->nlines = r->log_line != NULL;
		break;
	case CLOUD_LIST_GPUS:
		answer->gpus = r->w.live.gpus;
		answer->ngpus = r->w.live.ngpus;
		break;
	case CLOUD_LIST_DATA_CENTERS:
		answer->data_centers = r->w.live.data_centers;
		answer->ndata_centers = r->w.live.ndata_centers;
		break;
	case CLOUD_GET_ACCOUNT:
		answer->account = r->w.live.account;
		break;
	default:
		volume_op(r, request, answer);
		break;
	}
}

void
run_lie(struct run_world *r, enum cloud_op op, unsigned after, bool effect,
    struct cloud_answer answer)
{
	*ARENA_PUSH(&r->w.arena, &r->scripts) = (struct run_script){
		.op = op, .after = after, .effect = effect, .answer = answer };
}

void
run_cloud_says(struct run_world *r, const struct cloud_request *request,
    struct cloud_answer *answer)
{
	struct run_script *lie = NULL;

	for (size_t i = 0; i < r->scripts.n && lie == NULL; i++)
		if (r->scripts.items[i].op == request->op)
			lie = &r->scripts.items[i];
	if (lie == NULL || lie->after > 0) {
		if (lie != NULL)
			lie->after--;
		honest_answer(r, request, answer);
		return;
	}
	if (lie->effect)
		honest_answer(r, request, answer);
	*answer = lie->answer;
	size_t at = (size_t)(lie - r->scripts.items);
	r->scripts.n--;
	memmove(lie, lie + 1, (r->scripts.n - at) * sizeof *lie);
}

static void
answer_effect(struct run_world *r, const struct run_effect *effect)
{
	struct cloud_answer answer;

	run_cloud_says(r, &effect->request, &answer);
	deliver(r, effect, &answer);
}

void
run_honest(struct run_world *r, enum cloud_op op)
{
	struct run_effect effect;

	if (!take_request(r, op, &effect))
		fail_msg("no '%s' waits; said:\n%s", cloud_op_words(op),
		    run_said(r));
	answer_effect(r, &effect);
}

void
run_effect_only(struct run_world *r, enum cloud_op op)
{
	struct cloud_answer unheard;

	for (size_t i = 0; i < r->waiting.n; i++)
		if (r->waiting.items[i].type == RUN_REQUEST &&
		    r->waiting.items[i].request.op == op) {
			honest_answer(r, &r->waiting.items[i].request,
			    &unheard);
			return;
		}
	fail_msg("no '%s' waits", cloud_op_words(op));
}

void
run_to_listing(struct run_world *r)
{
	while (!run_waits_for(r, CLOUD_LIST_PODS))
		run_tick(r);
}

/* -------------------------------------------- inside, as honest ones say */

struct ssh_answer
ssh_exits(int status, const char *output)
{
	return (struct ssh_answer){ .outcome = SSH_DONE, .status = status,
		.output = str_from(output), .fingerprint = STR("SHA256:seen") };
}

struct ssh_answer
ssh_cut(enum ssh_outcome outcome, const char *reason)
{
	return (struct ssh_answer){ .outcome = outcome, .status = -1,
		.reason = str_from(reason) };
}

void
run_ssh_lie(struct run_world *r, enum ssh_task task, unsigned after,
    struct ssh_answer answer)
{
	*ARENA_PUSH(&r->w.arena, &r->ssh_scripts) = (struct ssh_script){
		.task = task, .after = after, .answer = answer };
}

void
run_github_lie(struct run_world *r, enum github_op op, unsigned after,
    bool effect, struct github_answer answer)
{
	*ARENA_PUSH(&r->w.arena, &r->github_scripts) = (struct github_script){
		.op = op, .after = after, .effect = effect,
		.answer = answer };
}

struct ssh_answer
run_ssh_says(struct run_world *r, const struct ssh_request *request)
{
	struct ssh_answer answer = ssh_exits(0, "");

	answer.listener = r->listener;
	answer.worker = r->worker;
	if (request->task == SSH_RUNNER_START) {
		r->listener = true;
		if (request->runner.registration_token.len > 0 &&
		    !r->config_fails)
			*ARENA_PUSH(&r->w.arena, &r->runners) =
			    (struct github_runner){ .id = 70 + (int)++r->made,
				.name = request->runner.name };
		for (size_t i = 0; i < r->runners.n; i++)
			r->runners.items[i].online |= !r->never_online;
	}
	for (size_t i = 0; i < r->ssh_scripts.n; i++) {
		struct ssh_script *lie = &r->ssh_scripts.items[i];
		if (lie->task != request->task)
			continue;
		if (lie->after-- > 0)
			break;
		answer = lie->answer;
		r->ssh_scripts.n--;
		memmove(lie, lie + 1,
		    (r->ssh_scripts.n - i) * sizeof *lie);
		break;
	}
	return answer;
}

static void
answer_ssh(struct run_world *r, const struct run_effect *effect)
{
	struct run_event event = event_now(r, RUN_SSH_ANSWER);
	struct ssh_answer answer = run_ssh_says(r, &effect->ssh);

	event.token = effect->token;
	event.ssh = &answer;
	tell(r, &event);
}

static void
honest_github(struct run_world *r, const struct github_request *request,
    struct github_answer *answer)
{
	struct github_runner *found = NULL;

	*answer = (struct github_answer){ .outcome = OUTCOME_OK,
		.status = 200, .ratelimit_left = -1, .total = -1 };
	for (size_t i = 0; i < r->runners.n; i++)
		if (r->runners.items[i].id == request->id ||
		    str_eq(r->runners.items[i].name, request->name))
			found = &r->runners.items[i];
	switch (request->op) {
	case GITHUB_JIT:
		found = ARENA_PUSH(&r->w.arena, &r->runners);
		*found = (struct github_runner){ .id = 70 + (int)++r->made,
			.name = request->name };
		answer->jit = r->jit != NULL ? str_from(r->jit) :
		    STR("aGVsbG8=");
		break;
	case GITHUB_REGISTRATION_TOKEN:
		answer->token = STR("AABBCCDD");
		return;
	case GITHUB_LIST_RUNNERS:
		answer->runners = r->runners.items;
		answer->nrunners = r->runners.n;
		return;
	case GITHUB_DELETE_RUNNER:
		if (found == NULL || found->busy) {
			answer->outcome = OUTCOME_NO_EFFECT;
			answer->reason = found == NULL ? REASON_NOT_FOUND
						       : REASON_BUSY;
			return;
		}
		*found = r->runners.items[--r->runners.n];
		return;
	default:
		break;
	}
	if (found != NULL) {
		answer->runners = ARENA_NEW(&r->w.arena,
		    struct github_runner);
		*answer->runners = *found;
		answer->nrunners = 1;
	}
}

void
run_github_says(struct run_world *r, const struct github_request *request,
    struct github_answer *answer)
{
	struct github_script *lie = NULL;

	for (size_t i = 0; i < r->github_scripts.n && lie == NULL; i++)
		if (r->github_scripts.items[i].op == request->op)
			lie = &r->github_scripts.items[i];
	if (lie == NULL || lie->after > 0 || lie->effect)
		honest_github(r, request, answer);
	if (lie != NULL && lie->after > 0) {
		lie->after--;
	} else if (lie != NULL) {
		*answer = lie->answer;
		size_t at = (size_t)(lie - r->github_scripts.items);
		r->github_scripts.n--;
		memmove(lie, lie + 1,
		    (r->github_scripts.n - at) * sizeof *lie);
	}
}

static void
answer_github(struct run_world *r, const struct run_effect *effect)
{
	struct run_event event = event_now(r, RUN_GITHUB_ANSWER);
	struct github_answer answer;

	run_github_says(r, &effect->github, &answer);
	event.token = effect->token;
	event.github = &answer;
	tell(r, &event);
}

struct holder_answer
run_holder_says(struct run_world *r, const struct holder_request *request)
{
	struct holder_answer answer = { .ok = r->tunnel_fails == NULL ||
		request->verb == HOLDER_CLOSE,
		.reason = str_from(r->tunnel_fails) };

	if (answer.ok && request->verb == HOLDER_OPEN) {
		answer.tunnels = ARENA_NEW(&r->w.arena, struct tunnel_status);
		answer.ntunnels = 1;
		answer.tunnels[0] = (struct tunnel_status){
			.config = request->config, .state = TUNNEL_UP,
			.first_use = true,
			.fingerprint = STR("SHA256:seen-by-the-holder"),
		};
	}
	if (answer.ok && request->verb == HOLDER_LIST) {
		answer.tunnels = r->w.tunnels.items;
		answer.ntunnels = r->w.tunnels.n;
	}
	return answer;
}

static void
answer_holder(struct run_world *r, const struct run_effect *effect)
{
	struct run_event event = event_now(r, RUN_HOLDER_ANSWER);
	struct holder_answer answer = run_holder_says(r, &effect->holder);

	event.token = effect->token;
	event.holder = &answer;
	tell(r, &event);
}

static bool
answer_inside(struct run_world *r, const struct run_effect *effect)
{
	struct run_event event = event_now(r, RUN_FETCH_ANSWER);

	switch (effect->type) {
	case RUN_SSH:
		answer_ssh(r, effect);
		return true;
	case RUN_GITHUB:
		answer_github(r, effect);
		return true;
	case RUN_HOLDER:
		answer_holder(r, effect);
		return true;
	case RUN_FETCH:
		event.token = effect->token;
		event.ok = true;
		tell(r, &event);
		return true;
	default:
		return false;
	}
}

/* One thing happens: the oldest answer, or the time of the next deadline. */
void
run_step(struct run_world *r)
{
	if (r->waiting.n == 0) {
		run_tick(r);
		return;
	}
	r->now_ms += 10;
	struct run_effect effect = r->waiting.items[0];
	if (effect.type == RUN_BANNER) {
		run_banner(r, !r->no_banner);
		return;
	}
	r->waiting.n--;
	memmove(r->waiting.items, r->waiting.items + 1,
	    r->waiting.n * sizeof effect);
	if (!answer_inside(r, &effect))
		answer_effect(r, &effect);
}

void
run_drive(struct run_world *r)
{
	int64_t end = r->now_ms + 24 * HOUR_MS;

	while (!run_finished(r->run)) {
		if (r->now_ms > end)
			fail_msg("it does not end; said:\n%s", run_said(r));
		run_step(r);
	}
}

void
run_drive_until(struct run_world *r, enum cloud_op op, size_t sent)
{
	while (r->sent[op] < sent) {
		if (run_finished(r->run))
			fail_msg("it ended; said:\n%s", run_said(r));
		run_step(r);
	}
}

/* ------------------------------------------------------------- outcome -- */

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
