/*
 * story.c - what one seed tells: a spec, commands, kills, the console; then
 * calm, in which everything must come right.
 */
#include "tale.h"

#include "deeds.h"
#include "hardware.h"
#include "there.h"

#include "cloud/runpod/runpod.h"
#include "github/github.h"
#include "github/github_world.h"
#include "stored.h"

#include <stdlib.h>
#include <string.h>

static const char public_keys[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"
    "OMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl podform";

/* ------------------------------------------------------------- the spec -- */

static const char *const gpus[] = {
	"[NVIDIA A40, NVIDIA RTX A6000]", "[NVIDIA L40S]",
	"[NVIDIA RTX A6000]",
};

static void
add_wanted(struct wanted *wanted, size_t *n, const char *name, unsigned key,
    const struct tale_pod *pod, bool stopped)
{
	struct wanted *one = &wanted[(*n)++];
	if (key == 0)
		snprintf(one->address, sizeof one->address, "pod.%s", name);
	else
		snprintf(one->address, sizeof one->address, "pod.%s[%u]",
		    name, key);
	snprintf(one->image, sizeof one->image, "acme/model:%u", pod->image);
	snprintf(one->mode, sizeof one->mode, "m%u", pod->env);
	one->surge = pod->create_first;
	one->gpu = gpus[pod->gpu];
	one->stopped = stopped;
}

void
tale_write_spec(struct tale *tale)
{
	struct strbuf out = {0};
	struct wanted wanted[64];
	size_t n = 0;
	unsigned replicas[PODS] = {0};
	bool any = false;
	tale->sim->guests->wants = (struct wants){0};
	strbuf_adds(&out, "project: tale\n");
	if (tale->has_secret)
		strbuf_adds(&out, "secrets: { K: { env: CANARY } }\n");
	if (tale->has_volume)
		strbuf_adds(&out, "volumes:\n  v: { size: 20GB, data_center: "
		    "EU-RO-1 }\n");
	for (int i = 0; i < PODS; i++)
		any |= tale->pods[i].there;
	if (any)
		strbuf_adds(&out, "pods:\n");
	for (int i = 0; i < PODS; i++) {
		const struct tale_pod *pod = &tale->pods[i];
		if (!pod->there)
			continue;
		strbuf_addf(&out, "  %s:\n    image: acme/model:%u\n"
		    "    gpu: %s\n    cloud: any\n    disk: 20GB\n"
		    "    ports: [22/tcp]\n    env: { MODE: m%u%s }\n",
		    guest_pods[i], pod->image, gpus[pod->gpu], pod->env,
		    tale->has_secret && i % 2 == 0
			? ", KEY: \"a ${secret.K} b\""
			: "");
		if (pod->replicas > 1)
			strbuf_addf(&out, "    replicas: %u\n",
			    pod->replicas);
		if (pod->create_first)
			strbuf_adds(&out, "    replace: create_first\n");
		if (pod->volume && tale->has_volume)
			strbuf_adds(&out, "    network_volume: { volume: v, "
			    "path: /workspace }\n");
		replicas[i] = pod->replicas;
		guest_write_pod(tale->sim, &out, (unsigned)i, pod->replicas,
		    &tale->guests[i]);
		/* A stopped one need not be there. */
		for (unsigned k = 0; k < pod->replicas; k++) {
			add_wanted(wanted, &n, guest_pods[i], k, pod,
			    tale->guests[i].stopped);
			wanted[n - 1].volume = pod->volume && tale->has_volume;
			wanted[n - 1].secret = tale->has_secret && i % 2 == 0;
		}
	}
	if (tale->sim->guests->any)
		guest_write_rest(tale->sim, &out, tale->guests, replicas,
		    PODS);
	disk_put(tale->sim->disk, SPEC_PATH, strbuf_str(&out));
	check_want(tale->sim, wanted, n);
	sim_trace(tale->sim, "spec: %zu pods%s", n,
	    tale->has_volume ? " and a volume" : "");
	strbuf_release(&out);
}

static void
invent_pod(struct rng *rng, struct tale_pod *pod)
{
	*pod = (struct tale_pod){
		.there = true,
		.image = (unsigned)rng_below(rng, 3),
		.gpu = (unsigned)rng_below(rng, COUNTOF(gpus)),
		.replicas = rng_chance(rng, 250)
		    ? (unsigned)rng_range(rng, 2, 3)
		    : 1,
		.env = (unsigned)rng_below(rng, 3),
		.volume = rng_chance(rng, 300),
		.create_first = rng_chance(rng, 250),
	};
}

void
tale_edit(struct tale *tale)
{
	tale->sim->still_since_ms = -1;

	struct rng *rng = &tale->sim->rng;
	size_t chosen = rng_below(rng, PODS);
	struct tale_pod *pod = &tale->pods[chosen];
	struct tale_guest *guest = &tale->guests[chosen];
	if (tale->sim->guests->any && pod->there &&
	    rng_chance(&tale->sim->guests->rng, 500)) {
		guest_edit(tale->sim, guest);
	} else if (!pod->there) {
		invent_pod(rng, pod);
		guest_invent(tale->sim, guest);
	} else {
		switch (rng_below(rng, 6)) {
		case 0:
			pod->image++;
			break;
		case 1:
			pod->gpu = (pod->gpu + 1) % COUNTOF(gpus);
			break;
		case 2:
			pod->replicas = (unsigned)rng_range(rng, 1, 3);
			break;
		case 3:
			pod->env++;
			break;
		case 4:
			pod->there = false;
			break;
		default:
			pod->create_first = !pod->create_first;
			break;
		}
	}
	bool any = tale->has_volume;
	for (int i = 0; i < PODS; i++)
		any |= tale->pods[i].there;
	if (!any)
		invent_pod(rng, &tale->pods[0]);
	tale_write_spec(tale);
}

int
tale_add_pod(struct tale *tale)
{
	for (int i = 0; i < PODS; i++) {
		if (tale->pods[i].there)
			continue;
		invent_pod(&tale->sim->more, &tale->pods[i]);
		tale->pods[i].replicas = 1;
		tale->pods[i].volume = false;
		tale->guests[i] = (struct tale_guest){0};
		tale->sim->still_since_ms = -1;
		tale_write_spec(tale);
		return i;
	}
	return -1;
}

/* ------------------------------------------------------------ a command -- */

struct session_config
tale_session_config(struct sim *sim, const char *operation)
{
	sim->holder_pid[sim->process] = ++sim->pid;
	return (struct session_config){
		.world = &sim->world,
		.store = sim->stored != NULL ? sim->stored->place :
		    (struct store_place){0},
		.cloud = &runpod,
		.github = &github_rest,
		.holder_may_run = sim->guests->held_once,
		.lock_path = STR(LOCK_PATH),
		.work_dir = STR(WORK_DIR),
		.own_uid = 1000,
		.who = STR("tale@simulation"),
		.boot_id = STR("boot"),
		.pid = (int64_t)sim->pid,
		.operation = str_from(operation),
		.version = STR("0"),
	};
}

/* It was told to the user. */
static void
say(struct sim *sim, struct str text)
{
	strbuf_add(&sim->said, text);
	strbuf_addc(&sim->said, '\n');
}

static const char *const op_names[] = {
	[PLAN_NOOP] = "keep", [PLAN_CREATE] = "create",
	[PLAN_UPDATE] = "update", [PLAN_REPLACE] = "replace",
	[PLAN_DELETE] = "delete", [PLAN_START] = "start",
	[PLAN_STOP] = "stop", [PLAN_FORGET] = "forget",
};

void
tale_note_plan(struct sim *sim, const struct plan *plan)
{
	for (size_t i = 0; i < plan->changes.n; i++) {
		const struct plan_change *change = &plan->changes.items[i];
		const char *code = plan_reason_code(change->reason,
		    change->op);
		sim_trace(sim, "  %s " STR_FMT "%s",
		    code != NULL ? code : op_names[change->op],
		    STR_ARG(change->address),
		    change->create_first ? ", create first" : "");
	}
	for (size_t i = 0; i < plan->checks.n; i++) {
		if (plan->checks.items[i].status == CHECK_FAIL)
			sim_trace(sim, "  check: " STR_FMT,
			    STR_ARG(plan->checks.items[i].message));
		say(sim, plan->checks.items[i].message);
	}
	for (size_t i = 0; i < plan->unmanaged.n; i++)
		if (plan->unmanaged.items[i].suspect) {
			strbuf_add(&sim->reported,
			    plan->unmanaged.items[i].id);
			strbuf_addc(&sim->reported, ' ');
		}
	if (plan->keeps.n + plan->waits.n + plan->pending.n > 0)
		sim_trace(sim, "  %zu to record, %zu waited for, %zu open",
		    plan->keeps.n, plan->waits.n, plan->pending.n);
}

/* What has only to be recorded is no change for anybody. */
bool
tale_is_empty(const struct session *session, const struct plan *plan)
{
	return plan->empty && plan->waits.n == 0 &&
	    session->lock->pending.n == 0 && !plan_has_failed_check(plan);
}

void
tale_note_end(struct sim *sim, const struct diags *diags,
    const struct run_summary *summary)
{
	for (size_t i = 0; i < diags->list.n; i++) {
		sim_trace(sim, "  said: " STR_FMT,
		    STR_ARG(diags->list.items[i]->message));
		say(sim, diags->list.items[i]->message);
	}
	for (size_t i = 0; summary != NULL && i < summary->failures.n; i++) {
		sim_trace(sim, "  failed: " STR_FMT " " STR_FMT,
		    STR_ARG(summary->failures.items[i].address),
		    STR_ARG(summary->failures.items[i].reason));
		say(sim, summary->failures.items[i].reason);
	}
}

static const struct spec *
load_spec(struct tale *tale, struct sources *sources, struct diags *diags)
{
	static const struct str path = STR_INIT(SPEC_DIR);
	struct spec_options options = {
		.fs = &tale->sim->world.fs,
		.paths = &path,
		.npaths = 1,
		.environment = tale->sim->world.environment,
		.environment_ctx = tale->sim->world.ctx,
	};
	return spec_load(&tale->arena, &options, sources, diags);
}

/* apply or destroy, as cmd does it, without the prompt: for worlds without
 * the program (see program.c). */
static int
command(struct tale *tale, bool destroy, bool *empty)
{
	struct sim *sim = tale->sim;
	struct sources sources = { .arena = &tale->arena };
	struct diags diags = { .arena = &tale->arena, .sources = &sources };
	struct session *session = &tale->session;
	const struct plan *plan = NULL;
	const struct run_summary *summary = NULL;
	int code = EXIT_USAGE;
	*empty = false;

	const struct spec *spec = load_spec(tale, &sources, &diags);
	struct session_config config =
	    tale_session_config(sim, destroy ? "destroy" : "apply");
	config.world = github_world_seam(tale->github);
	session_open(session, &tale->arena, &config, spec, &diags);
	if (spec == NULL)
		goto out;
	struct str replaces[REPLACES_MAX];
	size_t nreplaces = destroy ? 0 : tale->nreplaces;
	for (size_t i = 0; i < nreplaces; i++)
		replaces[i] = str_from(tale->replaces[i]);
	tale->nreplaces = 0;
	struct session_plan_options options = {
		.plan = {
			.mode = destroy ? PLAN_DESTROY : PLAN_NORMAL,
			.replaces = replaces,
			.nreplaces = nreplaces,
			.wall_ms = sim->world.clock.wall_ms(sim),
			.may_listen = sim->world.may_listen,
			.may_listen_ctx = sim->world.ctx,
		},
		.refresh = true,
	};
	code = session_load(session);
	if (code == EXIT_OK)
		code = session_plan_to_apply(session, &options, 0, &plan);
	if (code != EXIT_OK)
		goto out;
	tale_note_plan(sim, plan);
	*empty = tale_is_empty(session, plan);
	if (plan_has_failed_check(plan)) {
		code = EXIT_POLICY;
		goto out;
	}
	if (!session_has_work(session, plan))
		goto out;
	struct run_options run = {
		.parallelism = 4,
		.force = sim->guests->forced,
		.cache_dir = STR(WORK_DIR "/cache"),
		.log_dir = STR(WORK_DIR "/logs"),
	};
	if (sim->guests->log_shows_keys)
		run.public_keys = str_from(public_keys);
	code = session_apply(session, plan, &run, &summary);
out:
	tale_note_end(sim, &diags, summary);
	session_close(session);
	return code;
}

static void
give_token(void *ctx, struct github_credential *out)
{
	out->token = secret_new(str_from(((struct sim *)ctx)->github_token));
}

static int
run_words(struct tale *tale, const char *const *words, size_t n, bool *empty)
{
	struct sim *sim = tale->sim;

	*empty = false;
	if (sim->program != NULL)
		return sim->program->run(tale, words, n, empty);
	return command(tale, strcmp(words[0], "destroy") == 0, empty);
}

/* Run it as a process that may die.  Returns the exit code, -1 if it did. */
int
tale_run(struct tale *tale, const char *const *words, size_t n, bool *empty)
{
	struct sim *sim = tale->sim;
	bool destroy = strcmp(words[0], "destroy") == 0;
	bool apply = strcmp(words[0], "apply") == 0;
	volatile int code = -1;
	stored_obey(tale);
	sim->steps = 0;
	sim->running = true;
	sim->late = sim->of_before = false;
	strbuf_reset(&sim->said);
	sim->commands++;
	promises_begin(sim);
	deeds_begin(sim);
	sim->whole = n == 1;
	hardware_begin(sim, words[0]);
	if (!apply || n > 1)
		sim->still_since_ms = -1;
	sim_trace(sim, "%s%s%s", words[0], n > 1 ? " " : "",
	    n > 1 ? words[1] : "");
	tale->github = github_world_new(&(struct github_world_config){
		.inner = &sim->world, .api = STR("https://api.github.com"),
		.credential = give_token, .ctx = sim });
	if (setjmp(sim->crash) == 0) {
		code = run_words(tale, words, n, empty);
		sim->running = false;
		hardware_end(sim, code);
		/* Of all that is in the spec: what was left out may differ. */
		if (code == EXIT_OK && apply && n == 1 && !sim->late &&
		    sim->odd_before == model_fired(sim->model, MODEL_ODD) &&
		    sim->still_since_ms < 0)
			sim->still_since_ms = sim->now_ms;
		check_exit(sim, words[0], code, NULL);
		if (code == EXIT_OK && apply && n == 1)
			there_check(sim);
		if (sim->process == 1 && (apply || destroy) && n == 1)
			check_guests_exit(sim, code, destroy);
	} else {
		sim->crashes++;
		hardware_end(sim, -1);
		if (sim->crash_is_power_loss) {
			disk_power_loss(sim->disk);
			hold_kill(sim);
		}
	}
	sinks_look(sim, code == -1);
	promises_end(sim, words[0], code);
	sim_process_end(sim);
	if (sim->program != NULL)
		sim->program->end(tale);
	github_world_free(tale->github);
	sim->crash_at = -1;
	sim->signal_at_ms = sim->signal_again_ms = -1;
	check_lock_file(sim);
	arena_release(&tale->arena);
	return code;
}

int
tale_process(struct tale *tale, bool destroy, bool *empty)
{
	const char *word = destroy ? "destroy" : "apply";

	return tale_run(tale, &word, 1, empty);
}

/* ---------------------------------------------------------------- a life -- */

static void
chaos(struct tale *tale, const struct story_options *options,
    struct story_result *result)
{
	struct sim *sim = tale->sim;
	int64_t chapters = rng_range(&sim->rng, 1, LIFE_MAX);
	for (int64_t i = 0; i < chapters && sim->violation == NULL; i++) {
		bool empty;
		if (options->crash_at < 0)
			trouble_death(tale);
		else if (i == 0) {
			sim->crash_at = options->crash_at;
			sim->crash_is_power_loss =
			    options->crash_is_power_loss;
		}
		trouble_guests(sim);
		int code = tale_process(tale, rng_chance(&sim->rng, 120), &empty);
		sim->guests->forced = false;
		sim->rival_at = -1;
		if (i == 0)
			result->steps = sim->steps;
		if (sim->program != NULL && rng_chance(&sim->more, 250))
			lives_turn(tale);
		if (rng_chance(&sim->rng, 500))
			tale_edit(tale);
		if (rng_chance(&sim->rng, 250))
			people_meddle(tale);
		if (rng_chance(&sim->more, 500))
			people_repair(tale);
		/* CI throws away above all what died. */
		if (rng_chance(&sim->rng, code == -1 ? 350 : 50) &&
		    fault_is_on(sim, FAULT_OWN + OWN_LOST))
			trouble_lose_machine(tale);
		sim_pass(sim, rng_chance(&sim->rng, 500)
			? rng_range(&sim->rng, 0, 5000)
			: rng_range(&sim->rng, 0, 200000));
	}
}

void
tale_calm(struct tale *tale)
{
	struct sim *sim = tale->sim;
	struct model_faults none = {0};
	bool empty = false;
	int code = -1, round;
	sim_trace(sim, "calm");
	sim->calm = true;
	model_set_faults(sim->model, &none);
	people_repair(tale);
	sim->guests->taken_port = 0;
	hub_calm(sim);
	/* Delayed effects arrive, and what hosts have taken ends. */
	sim_pass(sim, 320000);
	check_dead_ends(sim);
	while (sim->guests->any && hub_is_restless(sim))
		sim_pass(sim, 60000);
	for (round = 0; round < CALM_ROUNDS && sim->violation == NULL;
	     round++) {
		bool was_done = code == EXIT_OK;
		code = tale_process(tale, false, &empty);
		if (code == EXIT_OK && empty)
			break;
		/* An apply that says it is done has left nothing to do. */
		if (was_done)
			sim_violate(sim, "I5", "the plan after an apply that "
			    "exited 0 is not empty");
		/* Who does as told may try again. */
		if (code != EXIT_OK && people_obey(tale))
			round--;
	}
	if (sim->violation != NULL)
		return;
	if (round == CALM_ROUNDS)
		sim_violate(sim, "I5", "no empty plan after %d rounds, last "
		    "exit %d", round, code);
	check_settled(sim, false);
	/* The holder connects anew by itself after a restart. */
	if (sim->guests->any)
		sim_pass(sim, 100000);
	check_guests_settled(sim, false);
	code = tale_process(tale, true, &empty);
	/* A renamed pod mounts the volume, or one is locked. */
	while (code != EXIT_OK && people_obey(tale))
		code = tale_process(tale, true, &empty);
	if (code != EXIT_OK && sim->violation == NULL)
		sim_violate(sim, "I5", "destroy in calm exits %d", code);
	check_settled(sim, true);
	sim_pass(sim, 60000);
	check_guests_settled(sim, true);
}

void
tale_open(struct tale *tale, uint64_t seed, const struct model_config *config)
{
	struct sim *sim = tale->sim;
	struct model_config own = *config;
	sim->seed = seed;
	sinks_begin(sim);
	own.key = sim->cloud_key;
	rng_seed(&sim->chance, seed ^ UINT64_C(0x5eed));
	rng_seed(&sim->more, seed ^ UINT64_C(0x303e));
	sim->disk = disk_new(seed + 1);
	sim->model = model_new(&own, EPOCH_MS);
	sim->check = check_new();
	sim->deeds = deeds_new();
	sim->crash_at = sim->signal_at_ms = sim->signal_again_ms = -1;
	sim->rival_at = -1;
	sim->rival = trouble_rival;
	sim->still_since_ms = -1;
	sim->restless_ms = -1000000;
	sim->hides_ms = 55000;
	sim_world_init(sim);
	disk_put(sim->disk, ".", (struct str){0});
	disk_put(sim->disk, SPEC_DIR, (struct str){0});
	disk_put(sim->disk, SPEC_DIR "/data.txt", STR("data"));
}

void
tale_close(struct tale *tale)
{
	struct sim *sim = tale->sim;
	sim_world_release(sim);
	strbuf_release(&sim->reported);
	strbuf_release(&sim->said);
	strbuf_release(&sim->saved.does);
	strbuf_release(&sim->out);
	strbuf_release(&sim->err);
	model_free(sim->model);
	disk_free(sim->disk);
	check_free(sim->check);
	deeds_free(sim->deeds);
	stored_end(sim);
}

static void
begin(struct tale *tale, const struct story_options *options)
{
	struct sim *sim = tale->sim;
	struct model_config config;
	rng_seed(&sim->rng, options->seed);
	model_config_default(&config);
	config.seed = options->seed * 31 + 7;
	config.provision_ms = rng_range(&sim->rng, 100, 3000);
	config.start_ms = rng_range(&sim->rng, 100, 20000);
	config.ports_ms = rng_range(&sim->rng, 0, 3000);
	config.rate_limit = false;
	config.balance = INT64_C(10000) * 1000000;
	config.spend_limit = INT64_C(1000) * 1000000;
	tale_open(tale, options->seed, &config);
	if (options->stores)
		stored_begin(sim);
	if (!options->bare && rng_chance(&sim->guests->rng, 550))
		guest_begin(sim, options->quiet_cloud);
	tale->has_volume = rng_chance(&sim->rng, 300);
	tale->has_secret = rng_chance(&sim->more, 500);
	sim->gives_secret = tale->has_secret;
	int64_t n = rng_range(&sim->rng, 1, PODS - 1);
	for (int64_t i = 0; i < n; i++) {
		invent_pod(&sim->rng, &tale->pods[i]);
		guest_invent(sim, &tale->guests[i]);
	}
	tale_write_spec(tale);
	if (!options->quiet_cloud)
		trouble_draw(tale);
	if (!options->quiet_cloud && !options->bare)
		hardware_draw(sim);
}

void
story_run(const struct story_options *options, struct story_result *result)
{
	struct sim sim = { .seed = options->seed, .trace = options->trace,
		.program = options->program, .mask = options->mask,
		.meant = options->meant };
	struct tale tale = { .sim = &sim };
	*result = (struct story_result){0};
	begin(&tale, options);
	chaos(&tale, options, result);
	if (sim.violation == NULL)
		tale_calm(&tale);
	fault_counts(&sim, result->struck);
	result->memory_peak = sim.memory_peak;
	memcpy(result->paces, sim.paces, sizeof result->paces);
	result->rivals = sim.rivals;
	result->locked = sim.locked;
	result->jobs = hub_job_count(sim.guests->hub);
	result->violation = sim.violation;
	result->hash = sim.hash;
	result->commands = sim.commands;
	result->crashes = sim.crashes;
	result->mutations = sim.mutations;
	tale_close(&tale);
}
