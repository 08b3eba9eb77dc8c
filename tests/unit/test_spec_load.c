/*
 * test_spec_load.c - a spec that is right: what it becomes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/units.h"
#include "spec_world.h"

#define assert_str(text, wanted) \
	do { \
		struct str text_ = (text); \
		assert_int_equal(text_.len, strlen(wanted)); \
		assert_memory_equal(text_.data, wanted, text_.len); \
	} while (0)

/* The example of the contract, letter by letter. */
static const char contract[] =
	"project: quickstart                  # once per spec directory; owns the mark\n"
	"\n"
	"settings:\n"
	"  budget: { per_hour: 2.50 }         # USD; a plan above it is refused\n"
	"  parallelism: 10\n"
	"  max_destroy: 3                     # watch: more deletions than this wait for a person\n"
	"\n"
	"secrets:\n"
	"  WANDB_KEY: { env: WANDB_KEY }      # or file:, or command: [..]; never written anywhere\n"
	"\n"
	"defaults:                            # merged under every pod\n"
	"  pod:\n"
	"    cloud: secure                    # secure | community | any\n"
	"    ssh: { user: root }\n"
	"\n"
	"volumes:                             # network volumes\n"
	"  datasets: { size: 100GB, data_center: EU-RO-1 }\n"
	"\n"
	"pods:\n"
	"  trainer:\n"
	"    image: runpod/pytorch:2.4.0-py3.11-cuda12.4.1-devel-ubuntu22.04\n"
	"    gpu: [NVIDIA A40, NVIDIA RTX A6000]   # in order of preference; ids or display names\n"
	"    gpu_count: 1\n"
	"    min_cuda: \"12.4\"\n"
	"    data_centers: [EU-RO-1, EU-SE-1] # or regions: [EUROPE]; the volume's place wins\n"
	"    max_price: 0.60                  # USD per hour for the whole pod\n"
	"    disk: 50GB                       # container disk\n"
	"    network_volume: { volume: datasets, path: /workspace }\n"
	"    ports: [22/tcp, 8188/http]\n"
	"    env: { MODE: train, WANDB_KEY: \"${secret.WANDB_KEY}\" }\n"
	"    replicas: 1                      # pod.trainer; above 1 pod.trainer[0..n-1], [0] being the one that was there\n"
	"    state: running                   # running | stopped\n"
	"    ready:\n"
	"      timeout: 10m\n"
	"      checks: [\"nvidia-smi\", \"test -d /workspace\"]\n"
	"    setup:                           # once per container, over SSH, in order\n"
	"      - run: pip install -r requirements.txt\n"
	"      - copy: { from: ./train.py, to: /workspace/train.py }\n"
	"    process: { run: python /workspace/train.py, log: /workspace/train.log }\n"
	"    on_failure: stop                 # stop | terminate | keep; see 6\n"
	"    backup: { check: \"test -e /workspace/.synced\" }   # succeeds = safe to terminate\n"
	"    lease: 4h\n"
	"    idle: { after: 30m, gpu_below: 5, then: stop }\n"
	"    protect: false                   # true: plans that delete or replace it are refused\n"
	"    replace: destroy_first           # or create_first (both bill for a while; shown in the plan)\n"
	"    ignore_drift: [name]             # fields whose live value may differ\n"
	"\n"
	"runners:\n"
	"  ci:\n"
	"    pod: trainer\n"
	"    repository: acme/model           # or organization: acme\n"
	"    labels: [gpu, a40]\n"
	"    ephemeral: true\n"
	"    version: latest\n"
	"\n"
	"tunnels:\n"
	"  comfyui:\n"
	"    pod: trainer\n"
	"    local: 8188                      # 127.0.0.1 unless an address is given\n"
	"    remote: 8188                     # port, or host:port seen from the pod\n"
	"    check: http://127.0.0.1:8188/    # the tunnel counts as up when this answers\n";

static const struct pod_spec *
pod_of(const struct spec *spec, const char *address)
{
	const struct resource *resource = spec_find(spec, str_from(address));
	assert_non_null(resource);
	assert_int_equal(resource->kind, KIND_POD);
	return resource->pod;
}

static void
start(struct spec_world *world, const char *text)
{
	spec_world_init(world);
	spec_world_put(world, "a.yaml", str_from(text));
}

/* Load what was started; nothing may be wrong with it. */
static void
finish(struct spec_world *world)
{
	spec_world_load(world);
	assert_string_equal(spec_world_heads(world), "");
}

static void
check_contract_pod(const struct pod_spec *pod)
{
	assert_str(pod->image,
	    "runpod/pytorch:2.4.0-py3.11-cuda12.4.1-devel-ubuntu22.04");
	assert_int_equal(pod->ngpu, 2);
	assert_str(pod->gpu[1], "NVIDIA RTX A6000");
	assert_int_equal(pod->gpu_at[1].line, 22);
	assert_int_equal(pod->gpu_at[1].column, 23);
	assert_int_equal(pod->gpu_at[1].length, 16);
	assert_int_equal(pod->gpu_count, 1);
	assert_str(pod->min_cuda, "12.4");
	assert_int_equal(pod->tier, TIER_SECURE);
	assert_int_equal(pod->ndata_centers, 2);
	assert_int_equal(pod->max_price, 600000);
	assert_int_equal(pod->disk_gb, 50);
	assert_str(pod->volume, "datasets");
	assert_str(pod->volume_path, "/workspace");
	assert_int_equal(pod->nports, 2);
	assert_str(pod->ports[1], "8188/http");
	assert_int_equal(pod->nenv, 2);
	assert_str(pod->env[0].name, "MODE");
	assert_str(pod->env[0].value.raw, "train");
	assert_int_equal(pod->env[0].value.nparts, 0);
	assert_int_equal(pod->env[1].value.nparts, 1);
	assert_true(text_has(&pod->env[1].value, PART_SECRET));
	assert_str(pod->env[1].value.raw, "${secret.WANDB_KEY}");
	assert_int_equal(pod->replicas, 1);
	assert_int_equal(pod->state, STATE_RUNNING);
	assert_str(pod->ssh_user, "root");
	assert_int_equal(pod->ready_timeout_ms, 10 * MINUTE_MS);
	assert_int_equal(pod->nready_checks, 2);
	assert_str(pod->ready_checks[1].raw, "test -d /workspace");
	assert_int_equal(pod->nsetup, 2);
	assert_false(pod->setup[0].copy);
	assert_true(pod->setup[1].copy);
	assert_str(pod->setup[1].to, "/workspace/train.py");
	assert_str(pod->process_run.raw, "python /workspace/train.py");
	assert_str(pod->backup_check.raw, "test -e /workspace/.synced");
	assert_int_equal(pod->lease_ms, 4 * HOUR_MS);
	assert_int_equal(pod->idle_after_ms, 30 * MINUTE_MS);
	assert_int_equal(pod->idle_gpu_below, 5);
	assert_false(pod->idle_terminate);
	assert_false(pod->protect);
	assert_int_equal(pod->replace, REPLACE_DESTROY_FIRST);
	assert_int_equal(pod->nignore_drift, 1);
}

static void
test_spec_load_reads_the_contract(void **state)
{
	struct spec_world world;

	start(&world, contract);
	(void)state;
	finish(&world);
	const struct spec *spec = world.spec;
	assert_str(spec->project, "quickstart");
	assert_int_equal(spec->settings.budget_per_hour, 2500000);
	assert_int_equal(spec->settings.parallelism, 10);
	assert_int_equal(spec->settings.max_destroy, 3);
	assert_int_equal(spec->nresources, 4);
	assert_str(spec->resources[0].address, "pod.trainer");
	assert_str(spec->resources[1].address, "runner.ci");
	assert_str(spec->resources[2].address, "tunnel.comfyui");
	assert_str(spec->resources[3].address, "volume.datasets");
	assert_int_equal(spec->resources[0].key, -1);
	assert_int_equal(spec->resources[0].span.line, 20);
	assert_ptr_equal(spec->resources[0].needs[0], &spec->resources[3]);
	assert_ptr_equal(spec->resources[2].needs[0], &spec->resources[0]);
	check_contract_pod(spec->resources[0].pod);
	const struct runner_spec *runner = spec->resources[1].runner;
	assert_str(runner->repository, "acme/model");
	assert_int_equal(runner->nlabels, 2);
	assert_true(runner->ephemeral);
	assert_str(runner->version, "latest");
	const struct tunnel_spec *tunnel = spec->resources[2].tunnel;
	assert_str(tunnel->local_address, "127.0.0.1");
	assert_int_equal(tunnel->local_port, 8188);
	assert_str(tunnel->remote_host, "127.0.0.1");
	assert_int_equal(tunnel->remote_port, 8188);
	assert_str(tunnel->direction, "local");
	assert_int_equal(spec->resources[3].volume->size_gb, 100);
	assert_int_equal(spec->nsecrets, 1);
	assert_str(spec->secrets[0].name, "WANDB_KEY");
	assert_int_equal(spec->secrets[0].from, SECRET_ENV);
	assert_null(spec_find(spec, STR("pod.trainer[0]")));
	spec_world_release(&world);
}

static void
test_spec_load_lists_what_cannot_be_done_yet(void **state)
{
	struct spec_world world;

	start(&world, contract);
	struct strbuf text = {0};
	struct later_use *uses;

	(void)state;
	finish(&world);
	size_t n = spec_later(&world.arena, world.spec, &uses);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&text, "%u:%u " STR_FMT ": %s\n",
		    uses[i].span.line, uses[i].span.column,
		    STR_ARG(uses[i].field), uses[i].words);
	assert_string_equal(text.data,
	    "42:12 pods.trainer.lease: leases are not kept yet\n"
	    "43:11 pods.trainer.idle: idle pods are not noticed yet\n");
	strbuf_release(&text);
	spec_world_release(&world);
}

static void
test_spec_load_fills_in_defaults(void **state)
{
	struct spec_world world;

	start(&world, "project: t\n"
	    "pods: { p: { image: a:1, gpu: A40 } }\n");

	(void)state;
	finish(&world);
	const struct pod_spec *pod = pod_of(world.spec, "pod.p");
	assert_int_equal(pod->gpu_count, 1);
	assert_int_equal(pod->disk_gb, 20);
	assert_int_equal(pod->tier, TIER_SECURE);
	assert_int_equal(pod->replicas, 1);
	assert_int_equal(pod->nports, 1);
	assert_str(pod->ports[0], "22/tcp");
	assert_int_equal(pod->ready_timeout_ms, 10 * MINUTE_MS);
	assert_str(pod->ssh_user, "root");
	assert_int_equal(pod->on_failure, ON_FAILURE_STOP);
	assert_int_equal(pod->replace, REPLACE_DESTROY_FIRST);
	assert_null(pod->name_pattern.data);
	/* Only what was given counts as given; the rest is at the pod. */
	assert_int_equal(pod->set & (((uint64_t)1 << POD_FIELD_COUNT) - 1),
	    1 << POD_FIELD_IMAGE | 1 << POD_FIELD_GPU);
	assert_int_equal(pod->at[POD_FIELD_DISK].column, 9);
	assert_int_equal(world.spec->settings.max_destroy, -1);
	spec_world_release(&world);
}

static void
test_spec_load_merges_defaults_under_each_pod(void **state)
{
	struct spec_world world;

	start(&world, "project: t\n"
	    "pods:\n"
	    "  a: { env: { X: own, Z: own }, ready: { timeout: 1m } }\n"
	    "  b: { regions: EUROPE, ports: [22/tcp], image: b:1 }\n"
	    "defaults:\n"
	    "  pod:\n"
	    "    image: a:1\n"
	    "    gpu: [A40, A30]\n"
	    "    data_centers: [EU-RO-1]\n"
	    "    ports: [8188/http, 22/tcp]\n"
	    "    env: { X: x, Y: y }\n"
	    "    ready: { timeout: 5m, checks: [nvidia-smi] }\n");

	(void)state;
	finish(&world);
	const struct pod_spec *a = pod_of(world.spec, "pod.a");
	assert_str(a->image, "a:1");
	assert_int_equal(a->at[POD_FIELD_IMAGE].line, 7);
	assert_int_equal(a->ngpu, 2);
	assert_int_equal(a->gpu_at[1].line, 8);
	assert_int_equal(a->nports, 2);
	assert_str(a->ports[0], "22/tcp");
	assert_int_equal(a->nenv, 3);
	assert_str(a->env[0].value.raw, "own");
	assert_str(a->env[1].name, "Y");
	assert_str(a->env[2].name, "Z");
	assert_int_equal(a->ready_timeout_ms, MINUTE_MS);
	assert_int_equal(a->nready_checks, 1);
	const struct pod_spec *b = pod_of(world.spec, "pod.b");
	assert_str(b->image, "b:1");
	assert_int_equal(b->nports, 1);
	assert_int_equal(b->nregions, 1);
	assert_int_equal(b->ndata_centers, 0);
	assert_int_equal(b->ready_timeout_ms, 5 * MINUTE_MS);
	spec_world_release(&world);
}

static void
test_spec_load_expands_replicas(void **state)
{
	struct spec_world world;

	start(&world, "project: t\n"
	    "pods:\n"
	    "  w: { image: a:1, gpu: A40, replicas: 3, env: { H: "
	    "'${pod.z.ssh.host}:${pod.z.ssh.port}' } }\n"
	    "  z: { image: a:1, gpu: A40 }\n"
	    "  none: { image: a:1, gpu: A40, replicas: 0 }\n"
	    "runners: { r: { pod: w, organization: o } }\n"
	    "tunnels: { t: { pod: 'w[2]', local: auto, remote: 'db:5432' } }\n");
	struct strbuf text = {0};

	(void)state;
	finish(&world);
	for (size_t i = 0; i < world.spec->nresources; i++) {
		const struct resource *r = &world.spec->resources[i];
		strbuf_addf(&text, STR_FMT " %lld", STR_ARG(r->address),
		    (long long)r->key);
		for (size_t j = 0; j < r->nneeds; j++)
			strbuf_addf(&text, " " STR_FMT,
			    STR_ARG(r->needs[j]->address));
		strbuf_addc(&text, '\n');
		assert_ptr_equal(spec_find(world.spec, r->address), r);
	}
	assert_string_equal(text.data,
	    "pod.w[0] 0 pod.z\n"
	    "pod.w[1] 1 pod.z\n"
	    "pod.w[2] 2 pod.z\n"
	    "pod.z -1\n"
	    "runner.r[0] 0 pod.w[0]\n"
	    "runner.r[1] 1 pod.w[1]\n"
	    "runner.r[2] 2 pod.w[2]\n"
	    "tunnel.t -1 pod.w[2]\n");
	const struct tunnel_spec *tunnel =
	    spec_find(world.spec, STR("tunnel.t"))->tunnel;
	assert_int_equal(tunnel->local_port, 0);
	assert_str(tunnel->remote_host, "db");
	strbuf_release(&text);
	spec_world_release(&world);
}

static struct str
look_up(void *ctx, const struct text_part *part)
{
	(void)ctx;
	if (part->type == PART_SECRET && str_is(part->text, "KEY"))
		return STR("s3cret");
	if (part->type == PART_OUTPUT && str_is(part->address, "pod.z") &&
	    str_is(part->text, "ssh.host"))
		return STR("203.0.113.7");
	return (struct str){0};
}

static void
test_spec_load_resolves_references(void **state)
{
	static const struct variable variables[] = {
		{ STR_INIT("N"), STR_INIT("7") },
		{ STR_INIT("N"), STR_INIT("2") },	/* the last wins */
	};
	struct spec_world world;

	start(&world, "project: t\n"
	    "secrets: { KEY: { env: KEY } }\n"
	    "pods:\n"
	    "  p:\n"
	    "    image: a:${var.N}\n"
	    "    gpu: A40\n"
	    "    replicas: ${var.N}\n"
	    "    regions: ['${env.REGION}']\n"
	    "    env:\n"
	    "      A: \"$${HOME} $5 $$ ${env.TRICKY}\"\n"
	    "      B: k=${secret.KEY};h=${pod.z.ssh.host}\n"
	    "      C: ${pod.z.ssh.port}\n"
	    "  z: { image: a:1, gpu: A40 }\n");
	struct str value = {0};

	(void)state;
	world.options.variables = variables;
	world.options.nvariables = 2;
	finish(&world);
	const struct pod_spec *pod = pod_of(world.spec, "pod.p[1]");
	assert_str(pod->image, "a:2");
	assert_int_equal(pod->replicas, 2);
	assert_str(pod->regions[0], "EUROPE");
	/* What a variable brings in is never read again. */
	assert_str(pod->env[0].value.raw, "${HOME} $5 $$ ${secret.KEY}");
	assert_false(text_has(&pod->env[0].value, PART_SECRET));
	assert_int_equal(pod->env[1].value.nparts, 4);
	assert_true(text_resolve(&world.arena, &pod->env[1].value, look_up,
	    NULL, &value));
	assert_str(value, "k=s3cret;h=203.0.113.7");
	assert_false(text_resolve(&world.arena, &pod->env[2].value, look_up,
	    NULL, &value));
	spec_world_release(&world);
}

static void
digest_is(const char *text, const char *digest, bool same)
{
	struct spec_world world;

	start(&world, text);

	finish(&world);
	struct str got = spec_digest(&world.arena, world.spec);
	assert_int_equal(got.len, 7 + 64);
	assert_int_equal(str_is(got, digest), same);
	spec_world_release(&world);
}

static void
test_spec_digest_follows_the_meaning_only(void **state)
{
	struct spec_world world;

	start(&world, "project: t\n"
	    "pods:\n"
	    "  a: { image: a:1, gpu: [A40], env: { X: '1', Y: 'a b' } }\n"
	    "  b: { image: a:1, gpu: A40 }\n");

	(void)state;
	finish(&world);
	const char *digest = arena_cstr(&world.arena,
	    spec_digest(&world.arena, world.spec));
	/* Layout, order, comments, and defaults written out. */
	digest_is("# other\npods:\n  b: {gpu: A40, disk: 20GB}\n"
	    "  a:\n    gpu: A40\n    env: {Y: \"a b\", X: 1}\n"
	    "defaults: {pod: {image: 'a:1'}}\nproject: t\n", digest, true);
	digest_is("project: t\npods:\n"
	    "  a: { image: a:1, gpu: [A40], env: { X: '1', Y: 'a  b' } }\n"
	    "  b: { image: a:1, gpu: A40 }\n", digest, false);
	digest_is("project: t\npods:\n"
	    "  a: { image: a:1, gpu: [A40], env: { X: '1', Y: 'a b' } }\n"
	    "  b: { image: a:1, gpu: A40, lease: 4h }\n", digest, false);
	digest_is("project: t\nsettings: { policy: { images: a:* } }\npods:\n"
	    "  a: { image: a:1, gpu: [A40], env: { X: '1', Y: 'a b' } }\n"
	    "  b: { image: a:1, gpu: A40 }\n", digest, false);
	digest_is("project: t\nsettings: { parallelism: 3 }\npods:\n"
	    "  a: { image: a:1, gpu: [A40], env: { X: '1', Y: 'a b' } }\n"
	    "  b: { image: a:1, gpu: A40 }\n", digest, false);
	spec_world_release(&world);
}

/* A secret and the same letters without meaning are not the same. */
static void
test_spec_digest_tells_a_reference_from_its_letters(void **state)
{
	struct spec_world world;

	start(&world, "project: t\n"
	    "secrets: { K: { env: K } }\n"
	    "pods: { a: { image: a:1, gpu: A40, env: { X: '${secret.K}' } } }"
	    "\n");

	(void)state;
	finish(&world);
	digest_is("project: t\n"
	    "secrets: { K: { env: K } }\n"
	    "pods: { a: { image: a:1, gpu: A40, env: { X: '$${secret.K}' } }"
	    " }\n", arena_cstr(&world.arena, spec_digest(&world.arena,
	    world.spec)), false);
	spec_world_release(&world);
}

/* The digests of a step and of a process with this text. */
static void
step_digests(const char *text, struct str *step, struct str *process,
    struct arena *arena)
{
	struct spec_world world;
	struct str spec = arena_printf(arena, "project: t\n"
	    "secrets: { K: { env: K } }\n"
	    "pods:\n  b: { image: a:1, gpu: A40 }\n"
	    "  a:\n    image: a:1\n    gpu: A40\n"
	    "    setup: [{ run: '%s' }]\n"
	    "    process: { run: '%s' }\n", text, text);

	start(&world, arena_cstr(arena, spec));
	finish(&world);
	const struct pod_spec *pod = world.spec->resources[0].pod;
	*step = arena_str(arena, pod->setup[0].digest);
	*process = arena_str(arena, pod->process_digest);
	spec_world_release(&world);
}

static void
test_spec_step_digest_tells_a_reference_from_its_letters(void **state)
{
	/* Each of these has the same letters once `$${` is `${`. */
	static const char *const texts[][3] = {
		{ "x ${secret.K}", "x $${secret.K}", NULL },
		{ "${secret.K} ${secret.K}", "$${secret.K} ${secret.K}",
		  "${secret.K} $${secret.K}" },
		{ "${pod.b.id}", "$${pod.b.id}", NULL },
	};
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < COUNTOF(texts); i++) {
		struct str steps[3], processes[3];
		for (size_t j = 0; j < 3 && texts[i][j] != NULL; j++) {
			step_digests(texts[i][j], &steps[j], &processes[j],
			    &arena);
			for (size_t k = 0; k < j; k++) {
				assert_false(str_eq(steps[j], steps[k]));
				assert_false(str_eq(processes[j],
				    processes[k]));
			}
		}
	}
	arena_release(&arena);
}

/* What is recorded of steps that were done stays true in later versions. */
static void
test_spec_step_digest_is_what_it_was(void **state)
{
	struct arena arena = {0};
	struct str step, process;

	(void)state;
	step_digests("echo ${secret.K} $${HOME%%.*}", &step, &process,
	    &arena);
	assert_str(step, "sha256:d79b3ad7606618831b292b2d8b0c42c7"
	    "9d2f94fa792c60fa3ce4b60994138bc2");
	arena_release(&arena);
}

/* Three times the pods: about three times the memory, nothing squared. */
static size_t
memory_of(int pods)
{
	struct strbuf text = {0};

	strbuf_adds(&text, "project: t\npods:\n");
	for (int i = 0; i < pods; i++)
		strbuf_addf(&text, "  p%d: { image: a:1, gpu: [A40, A30], "
		    "env: { A: a, B: b }, ports: [22/tcp, 80/http] }\n", i);
	struct spec_world world;

	start(&world, text.data);
	finish(&world);
	assert_int_equal(world.spec->nresources, pods);
	size_t total = world.arena.total;
	spec_world_release(&world);
	strbuf_release(&text);
	return total;
}

static void
test_spec_load_takes_two_kilobytes_per_pod(void **state)
{
	size_t small, large;

	(void)state;
	small = memory_of(1000);
	large = memory_of(10000);
	assert_in_range(large, 5 * small, 11 * small);
	assert_in_range(large, 0, 10000 * 2500);
}

static void
test_address_is_parsed_and_written(void **state)
{
	static const char *const bad[] = { "", "pod", "pod.", ".a", "pod.A",
		"pod.-a", "pod.a[", "pod.a[]", "pod.a[01]", "pod.a[-1]",
		"pod.a[1]x", "pods.a", "pod.a.b", "pod.a[99999999999]" };
	struct arena arena = {0};
	struct address address;

	(void)state;
	for (size_t i = 0; i < COUNTOF(bad); i++)
		assert_false(address_parse(str_from(bad[i]), &address));
	assert_true(address_parse(STR("volume.a-1[12]"), &address));
	assert_int_equal(address.kind, KIND_VOLUME);
	assert_str(address.name, "a-1");
	assert_int_equal(address.key, 12);
	assert_str(address_format(&arena, address.kind, address.name,
	    address.key), "volume.a-1[12]");
	assert_true(address_parse(STR("pod.x"), &address));
	assert_int_equal(address.key, -1);
	assert_str(address_format(&arena, KIND_POD, STR("x"), -1), "pod.x");
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spec_load_reads_the_contract),
		cmocka_unit_test(test_spec_load_lists_what_cannot_be_done_yet),
		cmocka_unit_test(test_spec_load_fills_in_defaults),
		cmocka_unit_test(
		    test_spec_load_merges_defaults_under_each_pod),
		cmocka_unit_test(test_spec_load_expands_replicas),
		cmocka_unit_test(test_spec_load_resolves_references),
		cmocka_unit_test(test_spec_digest_follows_the_meaning_only),
		cmocka_unit_test(
		    test_spec_digest_tells_a_reference_from_its_letters),
		cmocka_unit_test(
		    test_spec_step_digest_tells_a_reference_from_its_letters),
		cmocka_unit_test(test_spec_step_digest_is_what_it_was),
		cmocka_unit_test(test_spec_load_takes_two_kilobytes_per_pod),
		cmocka_unit_test(test_address_is_parsed_and_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
