/* crash_run.c - one run of a scenario; see crash.h */
#include "crash.h"

#include <stdlib.h>
#include <string.h>

enum { BILLED = 32 };

/* What is billed because of us: ids. */
struct billed {
	char ids[BILLED][40];
	size_t n;
};

static void
add_billed(struct billed *billed, struct str id)
{
	if (billed->n < BILLED)
		snprintf(billed->ids[billed->n++], sizeof billed->ids[0],
		    STR_FMT, STR_ARG(id));
}

static void
take_billed(const struct sim *sim, struct billed *billed)
{
	billed->n = 0;
	for (size_t i = 0; i < model_pod_count(sim->model); i++) {
		const struct model_pod *pod = model_pod_at(sim->model, i);
		if (model_pod_billed(pod) && !pod->by_console &&
		    model_pod_asked_env(pod, "PODFORM_MARK").data != NULL)
			add_billed(billed, pod->id);
	}
	for (size_t i = 0; i < model_volume_count(sim->model); i++) {
		const struct model_volume *volume =
		    model_volume_at(sim->model, i);
		if (volume->ended_ms == -1 && !volume->by_console)
			add_billed(billed, volume->id);
	}
}

static bool
is_billed(const struct billed *billed, const char *id)
{
	for (size_t i = 0; i < billed->n; i++)
		if (strcmp(billed->ids[i], id) == 0)
			return true;
	return false;
}

/*
 * I18: of all exit codes 0 and 10 alone may mean that something bills which
 * did not bill before (docs/exit-codes.md).
 */
static void
check_honest(struct crash *crash, const struct billed *before,
    const struct strike *strike)
{
	struct billed now;

	/* A second volume that the cloud made by itself is seen, and shown,
	 * when volumes are listed the next time. */
	if (strike->when == ERROR &&
	    crash_faults[strike->fault].fault == MODEL_TWICE)
		return;
	if (crash->code < 0 || crash->code == EXIT_OK ||
	    crash->code == EXIT_LEFT)
		return;
	take_billed(&crash->sim, &now);
	for (size_t i = 0; i < now.n; i++)
		if (!is_billed(before, now.ids[i]))
			sim_violate(&crash->sim, "I18", "exit %d, and %s "
			    "bills because of it", crash->code, now.ids[i]);
}

/* Pods that never get up are nobody's fault here; the user does what the
 * program said, or the service ends them. */
static void
end_stuck(struct crash *crash)
{
	struct sim *sim = &crash->sim;

	for (size_t i = 0; i < model_pod_count(sim->model); i++) {
		const struct model_pod *pod = model_pod_at(sim->model, i);
		if (!model_pod_billed(pod) || pod->stuck == MODEL_NOT_STUCK)
			continue;
		sim->still_since_ms = -1;
		sim_trace(sim, "console: delete %s, which is stuck",
		    pod->id.data);
		model_console_delete(sim->model, EPOCH_MS + sim->now_ms,
		    pod->id);
	}
	check_cloud(sim);
}

/* What the scenario had gone wrong goes right again. */
static void
end_trouble(struct crash *crash)
{
	struct sim *sim = &crash->sim;
	struct model_faults none = {0};
	struct hub_faults no_hub = {0};

	model_clear_scripts(sim->model);
	model_set_faults(sim->model, &none);
	hub_clear_scripts(sim->guests->hub);
	hub_set_faults(sim->guests->hub, &no_hub);
	memset(sim->guests->per_mille, 0, sizeof sim->guests->per_mille);
	sim->guests->taken_port = 0;
	sim->rival_at = -1;
}

static void
judge_undisturbed(struct crash *crash)
{
	const struct scenario *scenario = crash->scenario;
	const char *why;

	if (crash->code != scenario->code)
		sim_violate(&crash->sim, "scenario", "undisturbed it ends "
		    "with %d, not with %d", crash->code, scenario->code);
	else if ((why = scenario->did(crash)) != NULL)
		sim_violate(&crash->sim, "scenario", "undisturbed it did not "
		    "do what its name says: %s", why);
}

static void
run_command(struct crash *crash, const struct strike *strike,
    struct crash_op *ops, struct crash_result *result)
{
	struct sim *sim = &crash->sim;
	struct recorder *recorder = &crash->recorder;
	struct billed before;

	take_billed(sim, &before);
	crash->log_from = model_log_count(sim->model);
	crash->hub_log_from = hub_log_count(sim->guests->hub);
	crash->began_ms = sim->now_ms;
	recorder_start(recorder, strike);
	if (crash->scenario->trouble != NULL)
		crash->scenario->trouble(crash);
	if (crash->scenario->saved)
		crash->code = tale_run(&crash->tale, (const char *const[]){
			"apply", PLAN_PATH }, 2, &crash->empty);
	else
		crash->code = tale_process(&crash->tale,
		    crash->scenario->destroys, &crash->empty);
	result->nops = recorder->nops;
	result->struck = strike->when == NEVER || recorder->struck;
	if (strike->when == ERROR && recorder->struck) {
		const struct crash_fault *fault = &crash_faults[strike->fault];
		result->struck = crash_fault_struck(recorder, fault);
		if (fault->power_lost) {
			sim_trace(sim, "power lost");
			disk_power_loss_as(sim->disk, DISK_LOST);
			hold_kill(sim);
			sim->late = true;	/* tunnels are gone */
		}
	}
	if (ops != NULL)
		memcpy(ops, recorder->ops, recorder->nops * sizeof *ops);
	recorder_stop(recorder);
	check_honest(crash, &before, strike);
	if (strike->when == NEVER)
		judge_undisturbed(crash);
	end_trouble(crash);
}

/* The next one comes at once, without trouble of its own. */
static void
run_again(struct crash *crash, const struct strike *strike,
    struct crash_result *result)
{
	struct sim *sim = &crash->sim;
	struct recorder *recorder = &crash->recorder;
	bool destroys = crash->scenario->destroys, late = sim->late, empty;

	recorder_start(recorder, strike);
	int code = tale_process(&crash->tale, destroys, &empty);
	result->nrecovery = recorder->nops;
	for (size_t i = 0; i < recorder->nops; i++)
		result->recovery[i] = (uint8_t)recorder->ops[i].kind;
	result->struck = result->struck &&
	    (strike->when == NEVER || recorder->struck);
	recorder_stop(recorder);
	if (strike->when != NEVER || sim->violation != NULL)
		return;
	if (!destroys && crash->code == EXIT_OK && !late && !sim->late &&
	    !(code == EXIT_OK && empty))
		sim_violate(sim, "I18", "an apply exited 0, and the next one "
		    "finds something to do (exit %d)", code);
	if (destroys && code == EXIT_OK && !sim->late) {
		check_settled(sim, true);
		check_guests_settled(sim, true);
	}
}

void
crash_settle(struct crash *crash)
{
	bool empty;
	int code = tale_process(&crash->tale, false, &empty);

	if (code != EXIT_OK)
		sim_violate(&crash->sim, "scenario", "an apply before it "
		    "exits %d", code);
	sim_pass(&crash->sim, 5000);
}

static void
begin(struct crash *crash, FILE *trace)
{
	const struct scenario *scenario = crash->scenario;
	struct sim *sim = &crash->sim;
	struct model_config config;

	*sim = (struct sim){
		.seed = 1 + (uint64_t)(scenario - scenarios), .trace = trace,
		.program = &program };
	crash->tale.sim = sim;
	rng_seed(&sim->rng, sim->seed);
	model_config_default(&config);
	config.seed = sim->seed;
	config.rate_limit = false;
	config.balance = INT64_C(10000) * 1000000;
	tale_open(&crash->tale, sim->seed, &config);
	recorder_init(&crash->recorder, sim);
	if (scenario->guests) {
		guest_begin(sim, true);
		sim->guests->log_shows_keys = true;
	}
}

void
crash_run(const struct scenario *scenario, const struct strike *first,
    const struct strike *second, FILE *trace, struct crash_op *ops,
    struct crash_result *result)
{
	struct crash *crash = calloc(1, sizeof *crash);
	struct sim *sim = &crash->sim;

	*result = (struct crash_result){0};
	crash->scenario = scenario;
	begin(crash, trace);
	scenario->before(crash);
	if (sim->violation == NULL)
		run_command(crash, first, ops, result);
	if (sim->violation == NULL)
		run_again(crash, second, result);
	if (sim->violation == NULL)
		end_stuck(crash);
	if (sim->violation == NULL)
		tale_calm(&crash->tale);
	result->violation = sim->violation;
	tale_close(&crash->tale);
	recorder_release(&crash->recorder);
	free(crash);
}
