/*
 * run_honest.c - a cloud, a GitHub and pods that answer honestly; see
 * run_world.h
 */
#include "run_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"

/* -------------------------------------------------- the honest cloud -- */

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
	run_deliver(r, effect, &answer);
}

void
run_honest(struct run_world *r, enum cloud_op op)
{
	struct run_effect effect;

	if (!run_take_request(r, op, &effect))
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
	struct run_event event = run_event_now(r, RUN_SSH_ANSWER);
	struct ssh_answer answer = run_ssh_says(r, &effect->ssh);

	event.token = effect->token;
	event.ssh = &answer;
	run_tell(r, &event);
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
	struct run_event event = run_event_now(r, RUN_GITHUB_ANSWER);
	struct github_answer answer;

	run_github_says(r, &effect->github, &answer);
	event.token = effect->token;
	event.github = &answer;
	run_tell(r, &event);
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
	struct run_event event = run_event_now(r, RUN_HOLDER_ANSWER);
	struct holder_answer answer = run_holder_says(r, &effect->holder);

	event.token = effect->token;
	event.holder = &answer;
	run_tell(r, &event);
}

static bool
answer_inside(struct run_world *r, const struct run_effect *effect)
{
	struct run_event event = run_event_now(r, RUN_FETCH_ANSWER);

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
		run_tell(r, &event);
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
