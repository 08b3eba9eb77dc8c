/*
 * runner.c - a runner comes to be: its package and its registration; see
 * listen.c for its listener.
 *
 * The registration is made by the call that answers with the JIT
 * configuration, and journaled like a pod: intent, call, result.  A lost
 * answer leaves a runner that nobody can start, since its configuration is
 * lost with it: it is found by its name, removed, and made again.  The name
 * carries the op, so that whoever has it is our own echo.
 */
#include "run/act.h"

#include "base/probe.h"
#include "base/units.h"

enum {
	INSTALL_MS = 10 * MINUTE_MS,
	FETCH_MS = 10 * MINUTE_MS,
	MINTS = 5,
};
#define PACKAGE_MAX ((uint64_t)1 << 30)

/* Stages of a registration. */
enum { MINTING, FINDING, CLEARING };

static struct str
runner_name(struct run *run, struct act *act)
{
	struct registration *runner = &act->subject->runner;
	const struct plan_change *change = act->change;

	if (runner->name.len > 0)
		return runner->name;
	struct str base = change->key < 0
	    ? change->name
	    : arena_printf(run->arena, STR_FMT "-%lld",
		  STR_ARG(change->name), (long long)change->key);
	runner->op = id128_random(&run->options.chance);
	runner->name = mark_name(run->arena, base, &run->options.lineage,
	    &runner->op);
	return runner->name;
}

struct github_request *
github_ask(struct run *run, struct act *act, enum github_op op)
{
	struct github_request *request =
	    &act_ask(run, act, RUN_GITHUB)->github;

	request->op = op;
	request->scope = act_scope(act);
	request->id = act->number;
	return request;
}

bool
act_reach(struct run *run, struct act *act, struct host *host)
{
	act_host(run, act, host);
	if (host->id.len > 0 && host->ssh.port != 0)
		return true;
	act_fail(run, act, FAIL_INSIDE, host_no_port(run, host));
	return false;
}

/* ------------------------------------------------------------- install -- */

void
install_start(struct run *run, struct act *act)
{
	struct host host;
	struct str name = runner_name(run, act);

	if (!act_reach(run, act, &host))
		return;
	struct ssh_request *request = host_ask(run, act, &host,
	    SSH_RUNNER_INSTALL, "runner install", INSTALL_MS);
	act->reason = STR("installing the runner package");
	request->from = act->from;
	request->runner.name = name;
	request->runner.package = act->change->package;
}

static void
fetch(struct run *run, struct act *act)
{
	const struct runner_package *package = &act->change->package;
	struct run_effect *effect = act_ask(run, act, RUN_FETCH);

	PROBE("runner_package_fetched_here");
	act->reason = STR("fetching the runner package for the pod");
	effect->fetch = (struct fetch_request){
		.url = package->url,
		.bearer = package->token,
		.sha256 = package->sha256,
		.path = arena_printf(run->arena, STR_FMT "/" STR_FMT,
		    STR_ARG(run->options.cache_dir),
		    STR_ARG(package->filename)),
		.max_bytes = PACKAGE_MAX,
		.timeout_ms = FETCH_MS,
	};
}

void
install_ssh(struct run *run, struct act *act, const struct ssh_answer *answer)
{
	struct host host;

	act_host(run, act, &host);
	if (act_cut_off(run, act, &host, answer))
		return;
	if (answer->status == 0)
		act_done(run, act);
	else if (answer->status == SSH_STATUS_CANNOT_FETCH &&
	    act->from.len == 0 && run->options.cache_dir.len > 0 &&
	    str_find(act->change->package.filename, '/') < 0 &&
	    act->change->package.filename.len > 0)
		fetch(run, act);
	else
		act_fail_inside(run, act, "installing the runner", answer);
}

void
install_fetched(struct run *run, struct act *act, bool ok, struct str reason)
{
	if (!ok) {
		act_fail(run, act, FAIL_INSIDE, arena_printf(run->arena,
		    "neither the pod nor this machine can fetch the runner "
		    "package: " STR_FMT,
		    STR_ARG(last_words(run, reason))));
		return;
	}
	act->from = arena_printf(run->arena, STR_FMT "/" STR_FMT,
	    STR_ARG(run->options.cache_dir),
	    STR_ARG(act->change->package.filename));
	act_queue(run, act, 0);
}

/* ------------------------------------------------------------ register -- */

static void
ask_jit(struct run *run, struct act *act)
{
	static const char *const standard[] = { "self-hosted", "linux",
		"x64" };
	const struct lock_runner *config = &act->entry.runner;
	size_t n = 0;
	struct str *labels = ARENA_ARRAY(run->arena, struct str,
	    config->nlabels + COUNTOF(standard));

	/* GitHub adds none to a JIT runner, and jobs ask for them. */
	for (size_t i = 0; i < COUNTOF(standard); i++)
		labels[n++] = str_from(standard[i]);
	for (size_t i = 0; i < config->nlabels; i++) {
		bool has = false;
		for (size_t j = 0; j < COUNTOF(standard); j++)
			has |= str_eq_fold(config->labels[i],
			    str_from(standard[j]));
		if (!has)
			labels[n++] = config->labels[i];
	}
	struct github_request *request = github_ask(run, act, GITHUB_JIT);
	request->name = config->name;
	request->labels = labels;
	request->nlabels = n;
	request->group_id = act->change->runner_group;
}

void
register_start(struct run *run, struct act *act)
{
	struct host host;

	if (act->intended) {
		register_journaled(run, act);
		return;
	}
	if (!act_reach(run, act, &host))
		return;
	struct str name = runner_name(run, act);
	const struct plan_change *change = act->change;
	act->op = act->subject->runner.op;
	act->entry = (struct lock_entry){
		.kind = KIND_RUNNER,
		.address = change->address,
		.op = act->op,
		.runner = change->runner_config,
		.price_per_hour = -1,
	};
	act->entry.runner.name = name;
	act->entry.runner.pod = host.address;
	act->entry.runner.pod_id = host.id;
	act->entry.runner.pod_start = host.start;
	act->entry.runner.jit = change->runner_config.ephemeral;
	act->subject->runner.act = act;
	act_intent(run, act, OP_CREATE);
}

static void
withdraw(struct run *run, struct act *act, enum run_failure failure,
    struct str reason)
{
	act->last_failure = failure;
	act->last_refusal = arena_str(run->arena, reason);
	act_result(run, act, OP_NONE, NEXT_FAIL, false);
}

void
register_journaled(struct run *run, struct act *act)
{
	bool may = act_may_send(run, act);

	act->reason = STR("registering at GitHub");
	if (!may && !act->unclear) {
		withdraw(run, act, run->stopping ? FAIL_INTERRUPTED
						 : FAIL_ERROR,
		    STR("stopped before anything was sent"));
		return;
	}
	if (act->stage == MINTING && may) {
		if (act->entry.runner.jit)
			ask_jit(run, act);
		else
			github_ask(run, act, GITHUB_REGISTRATION_TOKEN);
		return;
	}
	/* What a lost answer has left is looked for in any case. */
	act->stage = FINDING;
	act->number = 0;
	github_ask(run, act, GITHUB_FIND_RUNNER)->name =
	    act->entry.runner.name;
}

static void
registered(struct run *run, struct act *act, int64_t number)
{
	act->number = number;
	act->id = arena_printf(run->arena, "%lld", (long long)number);
	act->subject->id = act->id;
	map_put(&run->runners_on, run->arena, act->entry.runner.pod_id, act);
	run->summary.changed = true;
	run_say(run, NOTE_ID_ASSIGNED, act, act->id);
	act_result(run, act, OP_DONE, NEXT_DONE, false);
}

/* Again, a little later; after the last one it stays open for the next
 * apply, which asks GitHub for its name. */
static void
again(struct run *run, struct act *act, const struct github_answer *answer)
{
	struct str words = last_words(run, answer->message);

	act_retry(run, act, answer->retry_after_ms, FAIL_ERROR,
	    words.len > 0 ? words : STR("GitHub gave no clear answer"));
}

static void
minted(struct run *run, struct act *act, const struct github_answer *answer)
{
	if (answer->outcome == OUTCOME_OK && !act->entry.runner.jit &&
	    answer->token.len > 0) {
		/* Its number shows when it has registered itself. */
		act->subject->runner.token =
		    arena_str(run->arena, answer->token);
		act_done(run, act);
	} else if (answer->outcome == OUTCOME_OK && answer->nrunners == 1 &&
	    answer->runners[0].id > 0 && answer->jit.len > 0 &&
	    str_eq_fold(answer->runners[0].name, act->entry.runner.name)) {
		act->subject->runner.jit = arena_str(run->arena, answer->jit);
		registered(run, act, answer->runners[0].id);
	} else if (answer->outcome == OUTCOME_NOT_SENT ||
	    answer->reason == REASON_RATE_LIMITED) {
		again(run, act, answer);
	} else if (answer->outcome != OUTCOME_NO_EFFECT ||
	    answer->reason == REASON_CONFLICT) {
		PROBE("register_unclear");
		act->unclear = true;
		act->stage = FINDING;
		again(run, act, answer);
	} else if (answer->reason == REASON_NOT_FOUND &&
	    act->entry.runner.jit && act->change->scope != NULL &&
	    act->change->scope->known) {
		/* The scope can be read, so it is the call that an old
		 * server does not have. */
		act->entry.runner.jit = false;
		act_queue(run, act, 0);
	} else {
		withdraw(run, act, answer->reason == REASON_AUTH ||
		    answer->reason == REASON_FORBIDDEN ? FAIL_AUTH
						       : FAIL_ERROR,
		    last_words(run, answer->message));
	}
}

static void
found(struct run *run, struct act *act, const struct github_answer *answer)
{
	if (answer->outcome != OUTCOME_OK) {
		again(run, act, answer);
		return;
	}
	if (answer->nrunners == 0) {
		act->unclear = false;
		act->stage = MINTING;
		again(run, act, answer);
		return;
	}
	const struct github_runner *runner = &answer->runners[0];
	if (runner->online || runner->busy) {
		act_fail(run, act, FAIL_SUSPECT, arena_printf(run->arena,
		    "a runner of the name " STR_FMT " is online already",
		    STR_ARG(act->entry.runner.name)));
		return;
	}
	if (!act_may_send(run, act)) {
		/* Take it in; nobody can start it, so it will be removed. */
		registered(run, act, runner->id);
		return;
	}
	PROBE("register_clears_what_was_left");
	act->stage = CLEARING;
	act->number = runner->id;
	github_ask(run, act, GITHUB_DELETE_RUNNER);
}

void
register_github(struct run *run, struct act *act,
    const struct github_answer *answer)
{
	switch (act->stage) {
	case MINTING:
		minted(run, act, answer);
		break;
	case FINDING:
		found(run, act, answer);
		break;
	default:
		if (answer->outcome == OUTCOME_OK ||
		    answer->reason == REASON_NOT_FOUND) {
			act->unclear = false;
			act->stage = MINTING;
			act->number = 0;
		} else {
			act->stage = FINDING;
		}
		again(run, act, answer);
		break;
	}
}
