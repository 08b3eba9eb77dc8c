/* plan_world.c - see plan_world.h */
#include "plan_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"

static const char lineage[] = "ab12cd34ab12cd34ab12cd34ab12cd34";

static struct gpu_place a40_places[] = {
	{ STR_INIT("EU-RO-1"), STOCK_HIGH },
	{ STR_INIT("EU-SE-1"), STOCK_NONE },
	{ STR_INIT("US-TX-3"), STOCK_LOW },
};
static struct str a40_cuda[] = { STR_INIT("12.4"), STR_INIT("12.8") };
static struct gpu_type gpus[] = {
	{ .id = STR_INIT("NVIDIA A40"), .name = STR_INIT("A40"),
	  .secure = true, .secure_price = 400000, .community_price = -1,
	  .max_secure = 8, .stock = STOCK_HIGH, .places = a40_places,
	  .nplaces = 3, .cuda = a40_cuda, .ncuda = 2 },
	{ .id = STR_INIT("NVIDIA RTX A5000"), .name = STR_INIT("RTX A5000"),
	  .secure = true, .community = true, .secure_price = 270000,
	  .community_price = 160000, .max_secure = 4, .max_community = 2,
	  .stock = STOCK_LOW },
	{ .id = STR_INIT("NVIDIA H200"), .name = STR_INIT("H200 SXM"),
	  .secure = true, .secure_price = -1, .community_price = -1,
	  .max_secure = 8, .stock = STOCK_NONE },
};
static struct data_center places[] = {
	{ .id = STR_INIT("EU-RO-1"), .region = STR_INIT("EUROPE"),
	  .volumes = true },
	{ .id = STR_INIT("EU-SE-1"), .region = STR_INIT("EUROPE") },
	{ .id = STR_INIT("US-TX-3"), .region = STR_INIT("NORTH_AMERICA"),
	  .volumes = true },
};

static struct runner_package packages[] = {
	{ .version = STR_INIT("2.335.0") }, { .version = STR_INIT("2.336.0") },
};

static struct str
todays_secret(void *ctx, struct str name)
{
	struct plan_world *w = ctx;
	(void)name;
	return str_from(w->secret);
}

void
world_init(struct plan_world *w)
{
	memset(w, 0, sizeof *w);
	w->fake = fake_fs_new(1000);
	w->sources.arena = &w->arena;
	w->diags.arena = &w->arena;
	w->diags.sources = &w->sources;
	w->lock.exists = true;
	w->lock.serial = 1;
	w->lock.arena = &w->arena;
	assert_true(id128_parse(str_from(lineage), &w->lock.lineage));
	w->secret = "hunter2-hunter2";
	w->options.wall_ms = INT64_C(1795000000000);
	w->options.secret = todays_secret;
	w->options.secret_ctx = w;
	w->live = (struct live){
		.pods_known = true, .volumes_known = true,
		.catalog_known = true, .account_known = true,
		.gpus = gpus, .ngpus = COUNTOF(gpus),
		.data_centers = places, .ndata_centers = COUNTOF(places),
		.account = { .balance = 100 * MICROUSD,
		    .balance_known = true },
		.wall_ms = w->options.wall_ms, .tunnels_known = true,
	};
	w->scope = (struct live_scope){
		.scope = { .repository = STR("acme/model") },
		.known = true, .packages_known = true, .groups_known = true,
		.private_known = true, .is_private = true,
		.packages = packages, .npackages = COUNTOF(packages),
	};
}

void
world_release(struct plan_world *w)
{
	strbuf_release(&w->text);
	fake_fs_free(w->fake);
	arena_release(&w->arena);
}

int
world_setup(void **state)
{
	static struct plan_world world;
	world_init(&world);
	*state = &world;
	return 0;
}

int
world_teardown(void **state)
{
	world_release(*state);
	return 0;
}

void
world_spec(struct plan_world *w, const char *yaml)
{
	struct str text = arena_printf(&w->arena, "project: test\n%s", yaml);
	struct str path = STR("pods.yaml");
	struct fs fs = fake_fs_seam(w->fake);
	struct spec_options options = {
		.fs = &fs, .paths = &path, .npaths = 1,
	};

	fake_fs_put(w->fake, "pods.yaml", text, 0644);
	w->spec = spec_load(&w->arena, &options, &w->sources, &w->diags);
	if (w->spec == NULL) {
		struct strbuf out = {0};
		diags_print(&out, &w->diags, (struct diag_style){0});
		fail_msg("%s", out.data);
	}
}

void
world_trainer(struct plan_world *w, const char *line)
{
	struct str yaml = arena_printf(&w->arena,
	    "pods:\n"
	    "  trainer:\n"
	    "    image: torch:1\n"
	    "    gpu: A40\n"
	    "%s%s%s", line[0] != '\0' ? "    " : "", line,
	    line[0] != '\0' ? "\n" : "");
	world_spec(w, yaml.data);
}

static void
show_live(struct plan_world *w)
{
	w->live.pods = w->pods.items;
	w->live.npods = w->pods.n;
	w->live.volumes = w->volumes.items;
	w->scope.runners = w->runners.items;
	w->scope.nrunners = w->runners.n;
	w->live.scopes = &w->scope;
	w->live.nscopes = 1;
	w->live.tunnels = w->tunnels.items;
	w->live.ntunnels = w->tunnels.n;
	w->live.nvolumes = w->volumes.n;
}

const char *
world_plan(struct plan_world *w, unsigned parts)
{
	show_live(w);
	lock_sort(&w->lock);
	strbuf_reset(&w->text);
	w->diags.list.n = 0;
	w->diags.errors = w->diags.warnings = 0;
	w->plan = plan_make(&w->arena, w->spec, &w->lock, &w->live,
	    &w->options, &w->diags);
	if (w->plan != NULL)
		plan_dump(&w->text, w->plan, parts);
	if (w->diags.list.n > 0)
		diags_print(&w->text, &w->diags, (struct diag_style){0});
	return w->text.len > 0 ? w->text.data : "";
}

/* ------------------------------------------------------------- apply --- */

/* As the service reports it: values filled in, mark aside, its own extras. */
static struct pod_config
as_reported(struct plan_world *w, const struct pod_config *config)
{
	struct pod_config live = *config;

	live.env = ARENA_ARRAY(&w->arena, struct env_var, config->nenv + 2);
	for (size_t i = 0; i < config->nenv; i++) {
		live.env[i] = config->env[i];
		live.env[i].sensitive = false;
		if (config->env[i].sensitive)
			live.env[i].value = arena_str(&w->arena,
			    str_from(w->secret));
	}
	live.env[live.nenv++] = (struct env_var){
		.name = STR("RUNPOD_POD_ID"), .value = STR("x") };
	live.env[live.nenv++] = (struct env_var){
		.name = STR("JUPYTER_PASSWORD"), .value = STR("y") };
	live.min_cuda = (struct str){0};
	if (live.data_center.len == 0)
		live.data_center = STR("EU-RO-1");
	pod_config_sort(&live);
	return live;
}

/* A container starts: another time than any before. */
static void
start_container(struct plan_world *w, struct cloud_pod *pod)
{
	w->starts++;
	pod->started_at = arena_printf(&w->arena,
	    "2026-11-21T10:%02u:%02uZ", w->starts / 60, w->starts % 60);
}

/* As a run records what it did inside. */
static void
apply_inside(struct plan_world *w, const struct plan_change *change,
    struct lock_entry *entry, const struct cloud_pod *pod)
{
	const struct plan_inside *inside = &change->inside;

	if (!inside->login)
		return;
	if (!str_eq(entry->inside.start, pod->started_at))
		entry->inside = (struct lock_inside){0};
	entry->inside.start = pod->started_at;
	entry->inside.host_key = STR("SHA256:abc");
	entry->inside.host_key_by = STR("first use");
	entry->inside.checked |= inside->checks;
	entry->inside.steps = inside->steps;
	entry->inside.nsteps = change->want->pod->nsetup;
	if (inside->process)
		entry->inside.process = inside->process_digest;
	(void)w;
}

static void
apply_create_pod(struct plan_world *w, const struct plan_change *change)
{
	struct lock_entry *entry = ARENA_PUSH(&w->arena, &w->lock.entries);
	struct cloud_pod *pod = ARENA_PUSH(&w->arena, &w->pods);

	assert_true(change->candidates.n > 0);
	const struct candidate *at = &change->candidates.items[0];
	*entry = (struct lock_entry){
		.kind = KIND_POD, .address = change->address,
		.id = arena_printf(&w->arena, "pod%u", ++w->made),
		.protect = change->want->pod->protect,
		.name_pattern = change->name_pattern,
		.gpu_name = change->gpu_name, .pod = change->config,
		.price_per_hour = at->price_per_hour,
	};
	(void)snprintf(entry->op.hex, sizeof entry->op.hex, "%032x", w->made);
	entry->pod.gpu = at->gpu;
	entry->pod.tier = at->tier;
	entry->pod.data_center = at->data_center;
	const struct lock_entry *volume = change->want->pod->volume.len > 0 ?
	    world_entry(w, arena_printf(&w->arena, "volume." STR_FMT,
		STR_ARG(change->want->pod->volume)).data) : NULL;
	if (volume != NULL)
		entry->pod.volume_id = volume->id;
	entry->pod.name = mark_name(&w->arena, change->config.name,
	    &w->lock.lineage, &entry->op);
	*pod = (struct cloud_pod){
		.id = entry->id, .status = POD_RUNNING, .has_runtime = true,
		.config = as_reported(w, &entry->pod),
		.mark = mark_env(&w->arena, &w->lock.lineage, &entry->op,
		    entry->address),
		.cost_per_hour = at->price_per_hour, .cost_known = true,
		.ssh = { STR("1.2.3.4"), 2222, STR("root") },
	};
	start_container(w, pod);
	apply_inside(w, change, entry, pod);
}

static void
apply_delete_pod(struct plan_world *w, const struct plan_change *change)
{
	struct str id = change->have != NULL ? change->have->id :
	    change->pod->id;

	for (size_t i = 0; i < w->lock.entries.n; i++)
		if (str_eq(w->lock.entries.items[i].id, id)) {
			lock_remove_entry(&w->lock,
			    &w->lock.entries.items[i]);
			break;
		}
	for (size_t i = 0; i < w->pods.n; i++)
		if (str_eq(w->pods.items[i].id, id)) {
			w->pods.items[i] = w->pods.items[--w->pods.n];
			break;
		}
}

static struct cloud_pod *
find_pod(struct plan_world *w, struct str id)
{
	for (size_t i = 0; i < w->pods.n; i++)
		if (str_eq(w->pods.items[i].id, id))
			return &w->pods.items[i];
	fail_msg("no pod '" STR_FMT "'", STR_ARG(id));
	return NULL;
}

static void
apply_update_pod(struct plan_world *w, const struct plan_change *change)
{
	struct lock_entry *entry = lock_find_id(&w->lock, KIND_POD,
	    change->have->id);
	struct cloud_pod *pod = find_pod(w, change->have->id);

	if (change->op == PLAN_START || change->start)
		pod->status = POD_RUNNING, pod->has_runtime = true;
	if (change->op == PLAN_START || change->start || change->restarts)
		start_container(w, pod);
	if (change->op == PLAN_STOP || change->stop)
		pod->status = POD_EXITED;
	entry->stopped = pod->status == POD_EXITED;
	entry->address = change->address;
	entry->pod = change->config;
	entry->pod.name = mark_name(&w->arena, change->config.name,
	    &w->lock.lineage, &entry->op);
	entry->name_pattern = change->name_pattern;
	struct pod_config config = as_reported(w, &entry->pod);
	/* Only what was asked for is sent. */
	if (change->changes & CHANGE_NAME)
		pod->config.name = config.name;
	if (change->changes & CHANGE_IMAGE)
		pod->config.image = config.image;
	if (change->changes & CHANGE_ARGS)
		pod->config.args = config.args;
	if (change->changes & CHANGE_DISK)
		pod->config.disk_gb = config.disk_gb;
	if (change->changes & CHANGE_PORTS) {
		pod->config.ports = config.ports;
		pod->config.nports = config.nports;
	}
	if (change->changes & CHANGE_ENV) {
		pod->config.env = config.env;
		pod->config.nenv = config.nenv;
	}
	apply_inside(w, change, entry, pod);
}

static void
apply_volume(struct plan_world *w, const struct plan_change *change)
{
	struct lock_entry *entry;

	if (change->op == PLAN_CREATE) {
		entry = ARENA_PUSH(&w->arena, &w->lock.entries);
		*entry = (struct lock_entry){
			.kind = KIND_VOLUME, .address = change->address,
			.id = arena_printf(&w->arena, "vol%u", ++w->made),
			.protect = change->want->volume->protect,
			.volume = change->volume_config,
		};
		(void)snprintf(entry->op.hex, sizeof entry->op.hex, "%032x",
		    w->made);
		entry->volume.id = entry->id;
		entry->volume.name = mark_name(&w->arena,
		    change->volume_config.name, &w->lock.lineage, &entry->op);
		*ARENA_PUSH(&w->arena, &w->volumes) = entry->volume;
		return;
	}
	entry = lock_find_id(&w->lock, KIND_VOLUME, change->have->id);
	for (size_t i = 0; i < w->volumes.n; i++) {
		if (!str_eq(w->volumes.items[i].id, change->have->id))
			continue;
		if (change->op == PLAN_UPDATE) {
			w->volumes.items[i].size_gb =
			    change->volume_config.size_gb;
			entry->volume = w->volumes.items[i];
		} else if (change->op == PLAN_DELETE)
			w->volumes.items[i] = w->volumes.items[--w->volumes.n];
	}
	if (change->op != PLAN_UPDATE)
		lock_remove_entry(&w->lock, entry);
}

static void
remove_runner(struct plan_world *w, const struct plan_change *change)
{
	int64_t id = change->have != NULL ? strtoll(arena_cstr(&w->arena,
	    change->have->id), NULL, 10) : change->runner->id;
	struct lock_entry *entry = change->have == NULL ? NULL :
	    lock_find_id(&w->lock, KIND_RUNNER, change->have->id);

	for (size_t i = 0; i < w->runners.n; i++)
		if (w->runners.items[i].id == id) {
			w->runners.items[i] =
			    w->runners.items[--w->runners.n];
			break;
		}
	if (entry != NULL)
		lock_remove_entry(&w->lock, entry);
}

static void
add_runner(struct plan_world *w, const struct plan_change *change)
{
	struct lock_entry *entry;
	const struct cloud_pod *pod = world_pod(w, arena_cstr(&w->arena,
	    change->want->needs[0]->address));

	entry = ARENA_PUSH(&w->arena, &w->lock.entries);
	*entry = (struct lock_entry){
		.kind = KIND_RUNNER, .address = change->address,
		.id = arena_printf(&w->arena, "%u", ++w->made),
		.runner = change->runner_config, .price_per_hour = -1,
	};
	(void)snprintf(entry->op.hex, sizeof entry->op.hex, "%032x", w->made);
	entry->runner.name = mark_name(&w->arena, change->name,
	    &w->lock.lineage, &entry->op);
	entry->runner.pod_id = pod->id;
	entry->runner.pod_start = pod->started_at;
	*ARENA_PUSH(&w->arena, &w->runners) = (struct github_runner){
		.id = w->made, .name = entry->runner.name, .online = true,
	};
}

static void
apply_tunnel(struct plan_world *w, const struct plan_change *change)
{
	for (size_t i = 0; i < w->tunnels.n; i++)
		if (str_eq(w->tunnels.items[i].config.address,
			change->address)) {
			w->tunnels.items[i] =
			    w->tunnels.items[--w->tunnels.n];
			break;
		}
	if (change->op == PLAN_DELETE)
		return;
	struct tunnel_status *held = ARENA_PUSH(&w->arena, &w->tunnels);
	*held = (struct tunnel_status){
		.config = change->tunnel_config, .state = TUNNEL_UP,
		.port = change->tunnel_config.local_port,
	};
	held->config.pod_id = world_pod(w, arena_cstr(&w->arena,
	    change->want->needs[0]->address))->id;
}

/* Whoever is let in to a pod that stays: its host key is pinned. */
static void
apply_wait(struct plan_world *w, const struct plan_change *wait)
{
	struct lock_entry *entry = lock_find_id(&w->lock, KIND_POD,
	    wait->have->id);

	if (entry != NULL && wait->inside.login)
		apply_inside(w, wait, entry, find_pod(w, entry->id));
}

static void
apply_change(struct plan_world *w, const struct plan_change *change)
{
	if (change->kind == KIND_TUNNEL) {
		apply_tunnel(w, change);
		return;
	}
	if (change->kind == KIND_RUNNER) {
		if (change->op != PLAN_CREATE)
			remove_runner(w, change);
		if (change->op != PLAN_DELETE)
			add_runner(w, change);
		return;
	}
	if (change->kind == KIND_VOLUME) {
		apply_volume(w, change);
		return;
	}
	if (change->have != NULL && (change->op == PLAN_REPLACE ||
		change->op == PLAN_CREATE || change->op == PLAN_DELETE ||
		change->op == PLAN_FORGET))
		apply_delete_pod(w, change);
	else if (change->op == PLAN_DELETE)
		apply_delete_pod(w, change);
	if (change->op == PLAN_REPLACE || change->op == PLAN_CREATE)
		apply_create_pod(w, change);
	if (change->op == PLAN_UPDATE || change->op == PLAN_START ||
	    change->op == PLAN_STOP)
		apply_update_pod(w, change);
}

/* Volumes first: pods look up their ids. */
void
world_apply(struct plan_world *w)
{
	const struct plan *plan = w->plan;

	assert_non_null(plan);
	for (size_t i = 0; i < plan->keeps.n; i++)
		*lock_find_id(&w->lock, plan->keeps.items[i].have->kind,
		    plan->keeps.items[i].have->id) =
		    *plan->keeps.items[i].entry;
	static const enum kind order[] = {
		KIND_VOLUME, KIND_POD, KIND_RUNNER, KIND_TUNNEL,
	};
	for (size_t i = 0; i < plan->waits.n; i++)
		apply_wait(w, &plan->waits.items[i]);
	for (size_t k = 0; k < COUNTOF(order); k++)
		for (size_t i = 0; i < plan->changes.n; i++)
			if (plan->changes.items[i].kind == order[k])
				apply_change(w, &plan->changes.items[i]);
	lock_sort(&w->lock);
}

void
world_settle(struct plan_world *w)
{
	(void)world_plan(w, 0);
	if (w->plan == NULL)
		fail_msg("%s", w->text.data);
	world_apply(w);
	const char *rest = world_plan(w, DUMP_CHANGES | DUMP_ATTRS |
	    DUMP_DRIFT);
	if (w->plan == NULL || !w->plan->empty || w->plan->drift.n > 0 ||
	    w->plan->keeps.n > 0)
		fail_msg("not empty after an apply (%zu kept):\n%s",
		    w->plan != NULL ? w->plan->keeps.n : 0, rest);
}

struct lock_entry *
world_entry(struct plan_world *w, const char *address)
{
	struct lock_entry *entry = lock_find(&w->lock, str_from(address));

	if (entry == NULL)
		fail_msg("no entry '%s'", address);
	return entry;
}

struct cloud_pod *
world_pod(struct plan_world *w, const char *address)
{
	return find_pod(w, world_entry(w, address)->id);
}

struct cloud_pod *
world_stray(struct plan_world *w, const char *id, const char *address,
    const char *op)
{
	struct cloud_pod *pod = ARENA_PUSH(&w->arena, &w->pods);
	struct id128 op_id;

	assert_true(id128_parse(str_from(op), &op_id));
	*pod = (struct cloud_pod){
		.id = str_from(id), .status = POD_RUNNING, .has_runtime = true,
		.config = {
			.name = mark_name(&w->arena, STR("trainer"),
			    &w->lock.lineage, &op_id),
			.image = STR("torch:1"), .gpu = STR("NVIDIA A40"),
			.gpu_count = 1, .tier = TIER_SECURE, .disk_gb = 20,
			.data_center = STR("EU-RO-1"),
		},
		.mark = mark_env(&w->arena, &w->lock.lineage, &op_id,
		    str_from(address)),
		.cost_per_hour = 400000, .cost_known = true,
	};
	pod->config.ports = ARENA_NEW(&w->arena, struct str);
	pod->config.ports[0] = STR("22/tcp");
	pod->config.nports = 1;
	return pod;
}

void
assert_text(const char *found, const char *wanted)
{
	if (strcmp(found, wanted) != 0)
		fail_msg("found:\n%s\nwanted:\n%s", found, wanted);
}
