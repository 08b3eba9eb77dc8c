/* crash_scenarios.c - what is crashed; see crash.h */
#include "crash.h"

#include <string.h>

/* ------------------------------------------------------------- the specs -- */

enum { A, B };
enum { A40_OR_A6000, L40S, A6000 };	/* as the stories' gpus */
enum { TERMINATE = 1, STOP = 2 };	/* on_failure */

static struct tale_pod *
want(struct crash *crash, unsigned which, unsigned replicas)
{
	struct tale_pod *pod = &crash->tale.pods[which];

	*pod = (struct tale_pod){ .there = true, .gpu = L40S,
		.replicas = replicas };
	return pod;
}

static struct tale_guest *
guest_of(struct crash *crash, unsigned which)
{
	return &crash->tale.guests[which];
}

/* The spec is edited. */
static void
edited(struct crash *crash)
{
	crash->sim.still_since_ms = -1;
	tale_write_spec(&crash->tale);
}

static void
with_volume(struct crash *crash, unsigned which)
{
	crash->tale.has_volume = true;
	crash->tale.pods[which].volume = true;
}

/* A pod with everything that is done in one. */
static void
want_guests(struct crash *crash)
{
	want(crash, A, 1);
	*guest_of(crash, A) = (struct tale_guest){
		.checks = 1, .nsteps = 2, .process = 1, .runner = 2,
		.tunnel = true, .copies = true, .on_failure = TERMINATE,
	};
	edited(crash);
}

/* ------------------------------------------------- what has been done ---- */

static const struct model_pod *
pod_of(const struct crash *crash, const char *address)
{
	return check_pod_of((struct sim *)&crash->sim, address);
}

static size_t
billed(const struct crash *crash)
{
	size_t n = 0;

	for (size_t i = 0; i < model_pod_count(crash->sim.model); i++)
		n += model_pod_billed(model_pod_at(crash->sim.model, i));
	return n;
}

static size_t
volumes(const struct crash *crash)
{
	size_t n = 0;

	for (size_t i = 0; i < model_volume_count(crash->sim.model); i++)
		n += model_volume_at(crash->sim.model, i)->ended_ms == -1;
	return n;
}

/* How often it was done by the command; *at: when first, as a place. */
static size_t
done(const struct crash *crash, enum model_op op, size_t *at)
{
	size_t n = 0, first = SIZE_MAX;

	for (size_t i = crash->log_from; i < model_log_count(crash->sim.model);
	     i++) {
		const struct model_entry *entry =
		    model_log_at(crash->sim.model, i);
		if (entry->op != op || entry->actor != MODEL_BY_API)
			continue;
		if (n++ == 0)
			first = i;
	}
	if (at != NULL)
		*at = first;
	return n;
}

static const char *
unless(bool ok, const char *why)
{
	return ok ? NULL : why;
}

/* ---------------------------------------------------------------- create -- */

static void
before_one(struct crash *crash)
{
	want(crash, A, 1);
	edited(crash);
}

static const char *
did_create_one(const struct crash *crash)
{
	return unless(billed(crash) == 1 &&
	    done(crash, MODEL_OP_CREATE, NULL) == 1, "one pod");
}

static void
before_five(struct crash *crash)
{
	want(crash, A, 3);
	want(crash, B, 2);
	edited(crash);
}

static const char *
did_create_five(const struct crash *crash)
{
	return unless(billed(crash) == 5, "five pods");
}

static void
before_volume(struct crash *crash)
{
	want(crash, A, 1);
	with_volume(crash, A);
	edited(crash);
}

static const char *
did_create_volume(const struct crash *crash)
{
	const struct model_pod *pod = pod_of(crash, "pod.a");

	return unless(volumes(crash) == 1 && pod != NULL &&
	    pod->volume_id.len > 0, "a pod with a volume");
}

static const char *
did_create_guests(const struct crash *crash)
{
	const struct hub *hub = crash->sim.guests->hub;
	size_t listening = 0;

	for (size_t i = 0; i < hub_runner_count(hub); i++) {
		const struct hub_runner *runner = hub_runner_at(hub, i);
		listening += runner->removed_ms < 0 &&
		    hub_runner_online(hub, runner);
	}
	return unless(billed(crash) == 1 && listening == 1 &&
	    crash->sim.guests->holder != NULL, "a runner and a tunnel");
}

/* The first GPU is refused, in whatever cloud. */
static void
before_candidates(struct crash *crash)
{
	want(crash, A, 1)->gpu = A40_OR_A6000;
	edited(crash);
}

static void
refuse(struct crash *crash, int64_t nth, enum model_fault fault, int status)
{
	model_add_script(crash->sim.model, &(struct model_script){
		.call = MODEL_POD_CREATE, .nth = nth, .fault = fault,
		.status = status });
}

static void
trouble_candidates(struct crash *crash)
{
	refuse(crash, 1, MODEL_NO_STOCK, 0);
	refuse(crash, 2, MODEL_NO_STOCK, 0);
}

static const char *
did_candidates(const struct crash *crash)
{
	const struct model_pod *pod = pod_of(crash, "pod.a");

	return unless(model_fired(crash->sim.model, MODEL_NO_STOCK) == 2 &&
	    pod != NULL, "another candidate was taken");
}

static void
trouble_stock_out(struct crash *crash)
{
	struct model_faults faults = {0};

	faults.per_mille[MODEL_POD_CREATE][MODEL_NO_STOCK] = 1000;
	model_set_faults(crash->sim.model, &faults);
}

static const char *
did_stock_out(const struct crash *crash)
{
	return unless(billed(crash) == 0 &&
	    model_fired(crash->sim.model, MODEL_NO_STOCK) > 0,
	    "nothing is to be had");
}

/* --------------------------------------------------------------- changes -- */

static void
before_create_first(struct crash *crash)
{
	struct tale_pod *pod = want(crash, A, 1);

	pod->create_first = true;
	edited(crash);
	crash_settle(crash);
	pod->gpu = A6000;
	edited(crash);
}

static const char *
did_create_first(const struct crash *crash)
{
	size_t created, ended;

	return unless(done(crash, MODEL_OP_CREATE, &created) == 1 &&
	    done(crash, MODEL_OP_TERMINATE, &ended) == 1 &&
	    created < ended && billed(crash) == 1,
	    "the new one, then the end of the old one");
}

static void
before_delete_first(struct crash *crash)
{
	struct tale_pod *pod = want(crash, A, 1);

	edited(crash);
	crash_settle(crash);
	pod->gpu = A6000;
	edited(crash);
}

static const char *
did_delete_first(const struct crash *crash)
{
	size_t created, ended;

	return unless(done(crash, MODEL_OP_CREATE, &created) == 1 &&
	    done(crash, MODEL_OP_TERMINATE, &ended) == 1 &&
	    ended < created && billed(crash) == 1,
	    "the end of the old one, then the new one");
}

static void
before_update(struct crash *crash)
{
	struct tale_pod *pod = want(crash, A, 1);

	edited(crash);
	crash_settle(crash);
	pod->image++;
	edited(crash);
}

static const char *
did_update(const struct crash *crash)
{
	return unless(done(crash, MODEL_OP_UPDATE, NULL) == 1 &&
	    done(crash, MODEL_OP_CREATE, NULL) == 0, "a change in place");
}

static void
before_scale_up(struct crash *crash)
{
	struct tale_pod *pod = want(crash, A, 1);

	edited(crash);
	crash_settle(crash);
	pod->replicas = 3;
	edited(crash);
}

static const char *
did_scale_up(const struct crash *crash)
{
	return unless(done(crash, MODEL_OP_CREATE, NULL) == 2 &&
	    billed(crash) == 3, "two more");
}

static void
before_scale_down(struct crash *crash)
{
	struct tale_pod *pod = want(crash, A, 3);

	edited(crash);
	crash_settle(crash);
	pod->replicas = 1;
	edited(crash);
}

static const char *
did_scale_down(const struct crash *crash)
{
	return unless(done(crash, MODEL_OP_TERMINATE, NULL) == 2 &&
	    billed(crash) == 1, "two less");
}

/* -------------------------------------------------------------- rollback -- */

static const char *
did_roll_back(const struct crash *crash)
{
	return unless(done(crash, MODEL_OP_CREATE, NULL) >= 1 &&
	    done(crash, MODEL_OP_TERMINATE, NULL) >= 1 && billed(crash) == 0,
	    "a pod was made and undone");
}

static void
trouble_refused(struct crash *crash)
{
	refuse(crash, 1, MODEL_ERROR_BEFORE, 400);
}

static const char *
did_roll_back_volume(const struct crash *crash)
{
	return unless(done(crash, MODEL_OP_VOLUME_CREATE, NULL) == 1 &&
	    done(crash, MODEL_OP_VOLUME_DELETE, NULL) == 1 &&
	    volumes(crash) == 0, "the volume was made and undone");
}

/* Two pods on one volume: what becomes of the first nobody says, and the
 * second one is refused. */
static void
before_shared(struct crash *crash)
{
	want(crash, A, 1);
	want(crash, B, 1);
	with_volume(crash, A);
	with_volume(crash, B);
	edited(crash);
}

static void
trouble_unknown(struct crash *crash)
{
	refuse(crash, 1, MODEL_ERROR_AFTER, 500);
	refuse(crash, 2, MODEL_ERROR_BEFORE, 400);
}

static const char *
did_roll_back_unknown(const struct crash *crash)
{
	return unless(model_fired(crash->sim.model, MODEL_ERROR_AFTER) == 1 &&
	    done(crash, MODEL_OP_TERMINATE, NULL) == 1 && billed(crash) == 0 &&
	    volumes(crash) == 0, "the unknown one was found and undone");
}

static void
trouble_stuck(struct crash *crash)
{
	struct model_faults faults = {0};

	faults.per_mille[MODEL_POD_CREATE][MODEL_STUCK] = 1000;
	model_set_faults(crash->sim.model, &faults);
}

static void
before_check(struct crash *crash)
{
	want(crash, A, 1);
	guest_of(crash, A)->checks = 1;
	guest_of(crash, A)->on_failure = TERMINATE;
	edited(crash);
}

static void
before_setup(struct crash *crash)
{
	want(crash, A, 1);
	guest_of(crash, A)->nsteps = 2;
	guest_of(crash, A)->on_failure = TERMINATE;
	edited(crash);
}

static void
before_process(struct crash *crash)
{
	want(crash, A, 1);
	guest_of(crash, A)->process = 1;
	guest_of(crash, A)->on_failure = TERMINATE;
	edited(crash);
}

/* What the user's steps have touched is not thrown away. */
static void
before_setup_stops(struct crash *crash)
{
	want(crash, A, 1);
	guest_of(crash, A)->nsteps = 2;
	guest_of(crash, A)->on_failure = STOP;
	edited(crash);
}

static const char *
did_stop(const struct crash *crash)
{
	return unless(done(crash, MODEL_OP_STOP, NULL) == 1 &&
	    billed(crash) == 1, "the pod was stopped and kept");
}

static void
trouble_inside(struct crash *crash)
{
	crash->sim.guests->per_mille[GUEST_STEP] = 1000;
}

static void
before_guests(struct crash *crash)
{
	want_guests(crash);
}

static void
trouble_registration(struct crash *crash)
{
	struct hub_faults faults = {0};

	faults.per_mille[HUB_JIT][HUB_FORBIDDEN] = 1000;
	faults.per_mille[HUB_TOKEN][HUB_FORBIDDEN] = 1000;
	hub_set_faults(crash->sim.guests->hub, &faults);
}

/* Somebody takes the port when it has been looked at. */
static void
take_port(struct recorder *recorder, enum op_kind kind)
{
	if (kind == CALL_CREATE)
		recorder->sim->guests->taken_port = 8100;
}

static void
trouble_port(struct crash *crash)
{
	crash->recorder.sends = take_port;
}

/* A replacement that creates first is undone: the old one has its place. */
static const char *
did_roll_back_replacement(const struct crash *crash)
{
	return unless(done(crash, MODEL_OP_CREATE, NULL) == 1 &&
	    done(crash, MODEL_OP_TERMINATE, NULL) == 1 &&
	    billed(crash) == 1 && pod_of(crash, "pod.a") != NULL &&
	    pod_of(crash, "pod.a")->number == 1, "the old one is left");
}

/* ----------------------------------------------------------------- drift -- */

static struct str
settled_pod(struct crash *crash)
{
	before_one(crash);
	crash_settle(crash);
	crash->sim.still_since_ms = -1;
	return model_pod_at(crash->sim.model, 0)->id;
}

static int64_t
wall(const struct crash *crash)
{
	return EPOCH_MS + crash->sim.now_ms;
}

static void
before_stopped(struct crash *crash)
{
	struct str id = settled_pod(crash);
	model_console_stop(crash->sim.model, wall(crash), id);
}

static const char *
did_start(const struct crash *crash)
{
	return unless(done(crash, MODEL_OP_START, NULL) == 1,
	    "it was started");
}

static void
before_gone(struct crash *crash)
{
	struct str id = settled_pod(crash);
	model_console_delete(crash->sim.model, wall(crash), id);
}

static void
before_renamed(struct crash *crash)
{
	struct str id = settled_pod(crash);
	model_console_rename(crash->sim.model, wall(crash), id, STR("mine"));
}

static void
before_image(struct crash *crash)
{
	struct str id = settled_pod(crash);
	model_console_edit(crash->sim.model, wall(crash), id,
	    STR("other/image:1"), 0);
}

static void
before_disk(struct crash *crash)
{
	struct str id = settled_pod(crash);
	model_console_edit(crash->sim.model, wall(crash), id,
	    (struct str){0}, 40);
}

static void
before_env(struct crash *crash)
{
	struct str id = settled_pod(crash);
	model_console_edit_env(crash->sim.model, wall(crash), id, STR("MODE"),
	    STR("drifted"));
}

static const char *
did_update_again(const struct crash *crash)
{
	return unless(done(crash, MODEL_OP_UPDATE, NULL) == 1,
	    "it was changed back");
}

static void
before_volume_gone(struct crash *crash)
{
	before_volume(crash);
	crash_settle(crash);
	crash->sim.still_since_ms = -1;
	model_console_delete(crash->sim.model, wall(crash),
	    model_pod_at(crash->sim.model, 0)->id);
	model_console_delete_volume(crash->sim.model, wall(crash),
	    model_volume_at(crash->sim.model, 0)->id);
}

/* ------------------------------------------------------------------- end -- */

static void
before_destroy(struct crash *crash)
{
	before_one(crash);
	crash_settle(crash);
}

static void
before_destroy_volume(struct crash *crash)
{
	before_volume(crash);
	crash_settle(crash);
}

static const char *
did_destroy(const struct crash *crash)
{
	return unless(done(crash, MODEL_OP_TERMINATE, NULL) == 1 &&
	    billed(crash) == 0 && volumes(crash) == 0, "all is gone");
}

static void
before_destroy_guests(struct crash *crash)
{
	want_guests(crash);
	crash_settle(crash);
}

static void
start_job(struct crash *crash)
{
	struct sim *sim = &crash->sim;
	struct str labels[] = { STR("self-hosted") };

	hub_add_job(sim->guests->hub, wall(crash), &(struct hub_want){
		.repository = STR("acme/model"), .labels = labels,
		.nlabels = 1, .duration_ms = 90000 });
	sim_pass(sim, 6000);
}

static void
before_busy_destroy(struct crash *crash)
{
	want_guests(crash);
	crash_settle(crash);
	start_job(crash);
}

static void
before_busy_replace(struct crash *crash)
{
	want_guests(crash);
	crash_settle(crash);
	crash->tale.pods[A].gpu = A6000;
	edited(crash);
	start_job(crash);
}

/* The job was running when the command came, and ended by itself. */
static const char *
did_wait_for_job(const struct crash *crash)
{
	const struct hub *hub = crash->sim.guests->hub;
	const struct hub_job *job = hub_job_count(hub) == 1
	    ? hub_job_at(hub, 0)
	    : NULL;

	return unless(job != NULL && job->conclusion == HUB_SUCCESS &&
	    job->started_ms < EPOCH_MS + crash->began_ms &&
	    job->ended_ms > EPOCH_MS + crash->began_ms &&
	    hub_jobs_killed(hub) == 0 &&
	    done(crash, MODEL_OP_TERMINATE, NULL) == 1,
	    "the end of the job was awaited");
}

/* ---------------------------------------------------- tunnels, and two --- */

static void
before_restarted(struct crash *crash)
{
	struct sim *sim = &crash->sim;

	want_guests(crash);
	crash_settle(crash);
	sim->still_since_ms = -1;
	struct str id = model_pod_at(sim->model, 0)->id;
	model_console_stop(sim->model, wall(crash), id);
	model_console_start(sim->model, wall(crash), id);
	sim_pass(sim, 15000);
}

static const char *
did_restarted(const struct crash *crash)
{
	return unless(billed(crash) == 1 &&
	    done(crash, MODEL_OP_CREATE, NULL) == 0 &&
	    crash->sim.guests->containers[1].steps[1] != 0,
	    "the new container was set up");
}

/* A second podform comes while the first one is paused. */
static void
come_too(struct sim *sim)
{
	struct sim first = *sim;
	struct tale tale = { .sim = sim };
	bool empty;

	sim_trace(sim, "the first podform is paused; a second one");
	sim->process = 2;
	disk_process(sim->disk, 2);
	sim->rivals++;
	if (tale_process(&tale, false, &empty) == EXIT_LOCKED)
		sim->locked++;
	sim->process = 1;
	disk_process(sim->disk, 1);
	sim->running = true;
	memcpy(&sim->crash, &first.crash, sizeof sim->crash);
	sim->steps = first.steps;
	sim->still_since_ms = -1;
	sim->late = true;
	sim_trace(sim, "the first podform goes on");
}

static void
trouble_second(struct crash *crash)
{
	crash->sim.rival = come_too;
	crash->sim.rival_at = 40;
}

static const char *
did_lock_out(const struct crash *crash)
{
	return unless(crash->sim.rivals == 1 && crash->sim.locked == 1 &&
	    billed(crash) == 1, "the second one was locked out");
}

/* ----------------------------------------------------------- saved plans -- */

static void
save_plan(struct crash *crash)
{
	bool empty;
	int code = tale_run(&crash->tale, (const char *const[]){
		"plan", "--out", PLAN_PATH }, 3, &empty);

	if (code != EXIT_OK)
		sim_violate(&crash->sim, "scenario", "plan --out exits %d",
		    code);
}

static void
before_saved(struct crash *crash)
{
	before_one(crash);
	save_plan(crash);
}

/* Another apply comes before it. */
static void
before_stale(struct crash *crash)
{
	struct tale_pod *pod = want(crash, A, 1);

	edited(crash);
	crash_settle(crash);
	pod->image++;
	edited(crash);
	save_plan(crash);
	pod->image--;
	pod->env++;
	edited(crash);
	crash_settle(crash);
	pod->image++;
	pod->env--;
	edited(crash);
}

static void
before_used(struct crash *crash)
{
	bool empty;

	before_saved(crash);
	if (tale_run(&crash->tale, (const char *const[]){
		"apply", PLAN_PATH }, 2, &empty) != EXIT_OK)
		sim_violate(&crash->sim, "scenario", "the saved plan cannot "
		    "be applied");
}

static const char *
did_nothing(const struct crash *crash)
{
	return unless(model_log_count(crash->sim.model) == crash->log_from,
	    "nothing was changed");
}

/* ------------------------------------------------------------- the table -- */

const struct scenario scenarios[] = {
	{ "create-one", before_one, .did = did_create_one, .twice = true },
	{ "create-five", before_five, .did = did_create_five },
	{ "create-with-volume", before_volume, .did = did_create_volume },
	{ "create-with-guests", before_guests, .guests = true,
	  .did = did_create_guests },
	{ "candidates", before_candidates, trouble_candidates,
	  .did = did_candidates },
	{ "stock-out", before_candidates, trouble_stock_out, .twice = true,
	  .code = EXIT_CAPACITY, .did = did_stock_out },
	{ "replace-create-first", before_create_first,
	  .did = did_create_first },
	{ "replace-delete-first", before_delete_first,
	  .did = did_delete_first },
	{ "update", before_update, .did = did_update },
	{ "scale-up", before_scale_up, .did = did_scale_up },
	{ "scale-down", before_scale_down, .twice = true,
	  .did = did_scale_down },
	{ "rollback-volume", before_volume, trouble_refused, .twice = true,
	  .code = EXIT_UNDONE, .did = did_roll_back_volume },
	{ "rollback-unknown", before_shared, trouble_unknown,
	  .code = EXIT_UNDONE, .did = did_roll_back_unknown },
	{ "rollback-not-ready", before_one, trouble_stuck,
	  .code = EXIT_UNDONE, .did = did_roll_back },
	{ "rollback-check", before_check, trouble_inside, .guests = true,
	  .code = EXIT_UNDONE, .did = did_roll_back },
	{ "rollback-setup", before_setup, trouble_inside, .guests = true,
	  .code = EXIT_UNDONE, .did = did_roll_back },
	{ "rollback-stops", before_setup_stops, trouble_inside,
	  .guests = true, .code = EXIT_LEFT, .did = did_stop },
	{ "rollback-process", before_process, trouble_inside, .guests = true,
	  .code = EXIT_UNDONE, .did = did_roll_back },
	{ "rollback-runner", before_guests, trouble_registration,
	  .guests = true, .code = EXIT_UNDONE, .did = did_roll_back },
	{ "rollback-tunnel", before_guests, trouble_port, .guests = true,
	  .code = EXIT_UNDONE, .did = did_roll_back },
	{ "rollback-replacement", before_create_first, trouble_stuck,
	  .code = EXIT_UNDONE, .did = did_roll_back_replacement },
	{ "drift-stopped", before_stopped, .did = did_start },
	{ "drift-gone", before_gone, .did = did_create_one },
	{ "drift-renamed", before_renamed, .twice = true,
	  .did = did_update_again },
	{ "drift-image", before_image, .did = did_update_again },
	{ "drift-disk", before_disk, .did = did_update_again },
	{ "drift-env", before_env, .did = did_update_again },
	{ "drift-volume", before_volume_gone, .did = did_create_volume },
	{ "destroy-one", before_destroy, .destroys = true, .twice = true,
	  .did = did_destroy },
	{ "destroy-volume", before_destroy_volume, .destroys = true,
	  .twice = true, .did = did_destroy },
	{ "destroy-guests", before_destroy_guests, .destroys = true,
	  .guests = true, .did = did_destroy },
	{ "busy-at-destroy", before_busy_destroy, .destroys = true,
	  .guests = true, .did = did_wait_for_job },
	{ "busy-at-replace", before_busy_replace, .guests = true,
	  .did = did_wait_for_job },
	{ "tunnel-across-restart", before_restarted, .guests = true,
	  .did = did_restarted },
	{ "saved-plan", before_saved, .saved = true, .did = did_create_one },
	{ "stale-plan", before_stale, .saved = true, .code = EXIT_STALE,
	  .did = did_nothing },
	{ "used-plan", before_used, .saved = true, .code = EXIT_STALE,
	  .did = did_nothing },
	{ "two-at-once", before_one, trouble_second, .did = did_lock_out },
};
const size_t nscenarios = COUNTOF(scenarios);
