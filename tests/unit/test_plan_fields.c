/*
 * test_plan_fields.c - every field of a pod: what an edit does, and that
 * nothing is left to do once it was done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"

struct edit {
	enum pod_field field;
	const char *before, *after;	/* lines of the pod */
	const char *wanted;		/* changes with attributes */
};

static const struct edit edits[] = {
	{ POD_FIELD_NAME, "", "name: night-{date}-{n}",
	  "~ pod.trainer @6\n"
	  "  name: \"trainer\" -> \"night-20261118-0\" in-place edit @6\n" },
	{ POD_FIELD_NAME, "name: a-{n}", "name: b-{n}",
	  "~ pod.trainer @6\n"
	  "  name: \"a-0\" -> \"b-0\" in-place edit @6\n" },
	{ POD_FIELD_ARGS, "", "args: sleep 1",
	  "~ pod.trainer restarts !container_reset @6\n"
	  "  args: - -> \"sleep 1\" restart edit @6\n" },
	{ POD_FIELD_ARGS, "args: sleep 1", "",
	  "~ pod.trainer restarts !container_reset @3\n"
	  "  args: \"sleep 1\" -> - restart edit @3\n" },
	{ POD_FIELD_GPU_COUNT, "gpu_count: 1", "gpu_count: 2",
	  "-/+ pod.trainer replace_because_cannot_update !container_reset "
	  "!data_loss @6\n"
	  "  gpu_count: 1 -> 2 replace edit forces @6\n" },
	{ POD_FIELD_MIN_CUDA, "min_cuda: '12.4'", "min_cuda: '12.8'",
	  "-/+ pod.trainer replace_because_cannot_update !container_reset "
	  "!data_loss @6\n"
	  "  min_cuda: \"12.4\" -> \"12.8\" replace edit forces @6\n" },
	{ POD_FIELD_MIN_CUDA, "min_cuda: '12.8'", "min_cuda: '12.4'", "" },
	{ POD_FIELD_CLOUD, "cloud: secure", "cloud: any", "" },
	{ POD_FIELD_DATA_CENTERS, "data_centers: [EU-RO-1]",
	  "data_centers: [US-TX-3, EU-SE-1]",
	  "-/+ pod.trainer replace_because_cannot_update !container_reset "
	  "!data_loss @6\n"
	  "  data_centers: \"EU-RO-1\" -> [\"US-TX-3\",\"EU-SE-1\"] replace "
	  "edit forces @6\n" },
	{ POD_FIELD_DATA_CENTERS, "data_centers: [EU-RO-1]",
	  "data_centers: [US-TX-3, EU-RO-1]", "" },
	{ POD_FIELD_REGIONS, "regions: [EUROPE]", "regions: [NORTH_AMERICA]",
	  "-/+ pod.trainer replace_because_cannot_update !container_reset "
	  "!data_loss @6\n"
	  "  regions: \"EU-RO-1\" -> \"NORTH_AMERICA\" replace edit forces "
	  "@6\n" },
	{ POD_FIELD_REGIONS, "regions: [EUROPE]",
	  "regions: [NORTH_AMERICA, EUROPE]", "" },
	{ POD_FIELD_SETUP, "setup: [{ run: a }]", "setup: [{ run: b }]",
	  "~ pod.trainer @6\n"
	  "  setup[0]: \"(changed)\" -> \"b\" edit @6\n" },
	{ POD_FIELD_SETUP, "setup: [{ run: a }]", "", "" },
	{ POD_FIELD_PROCESS, "process: { run: a }",
	  "process: { run: a, log: /a.log }",
	  "~ pod.trainer @6\n"
	  "  process.run: \"(changed)\" -> \"a\" edit @6\n" },
	{ POD_FIELD_BACKUP, "backup: { check: a }", "backup: { check: b }",
	  "" },
	{ POD_FIELD_MAX_PRICE, "max_price: 0.5", "max_price: 0.6", "" },
	{ POD_FIELD_DISK, "disk: 20GB", "disk: 50GB",
	  "~ pod.trainer restarts !container_reset @6\n"
	  "  disk: \"20GB\" -> \"50GB\" restart edit @6\n" },
	{ POD_FIELD_PORTS, "ports: [22/tcp]", "ports: [8188/http, 22/tcp]",
	  "~ pod.trainer restarts !container_reset @6\n"
	  "  ports: [\"22/tcp\"] -> [\"22/tcp\",\"8188/http\"] restart edit "
	  "@6\n" },
	{ POD_FIELD_PORTS, "ports: [8188/http, 22/tcp]",
	  "ports: [22/tcp, 8188/http]", "" },
	{ POD_FIELD_ENV, "env: { A: one, B: two }", "env: { B: zwei, C: x }",
	  "~ pod.trainer restarts !container_reset @6\n"
	  "  env.A: \"one\" -> - restart edit @6\n"
	  "  env.B: \"two\" -> \"zwei\" restart edit @6\n"
	  "  env.C: - -> \"x\" restart edit @6\n" },
	{ POD_FIELD_ENV, "env: { A: '' }", "env: { A: ' ' }",
	  "~ pod.trainer restarts !container_reset @6\n"
	  "  env.A: \"\" -> \" \" restart edit @6\n" },
	{ POD_FIELD_ENV, "env: { PUBLIC_KEY: a }", "env: { PUBLIC_KEY: b }",
	  "~ pod.trainer restarts !container_reset @6\n"
	  "  env.PUBLIC_KEY: \"a\" -> \"b\" restart edit @6\n" },
	{ POD_FIELD_STATE, "state: running", "state: stopped",
	  "v pod.trainer stop_because_desired !container_reset "
	  "!gpu_not_guaranteed @6\n" },
	{ POD_FIELD_SSH, "ssh: { user: root }", "ssh: { user: me }", "" },
	{ POD_FIELD_READY, "ready: { timeout: 5m }",
	  "ready: { timeout: 6m }", "" },
	{ POD_FIELD_ON_FAILURE, "on_failure: stop", "on_failure: keep", "" },
	{ POD_FIELD_REPLACE, "replace: destroy_first",
	  "replace: create_first", "" },
	{ POD_FIELD_IGNORE_DRIFT, "", "ignore_drift: [name, env]", "" },
};

/* Fields of the head of the pod, whole texts. */
static const struct edit whole[] = {
	{ POD_FIELD_IMAGE,
	  "pods: { a: { image: x:1, gpu: A40 } }",
	  "pods: { a: { image: x:2, gpu: A40 } }",
	  "~ pod.a restarts !container_reset @2\n"
	  "  image: \"x:1\" -> \"x:2\" restart edit @2\n" },
	{ POD_FIELD_GPU,
	  "pods: { a: { image: x:1, gpu: A40 } }",
	  "pods: { a: { image: x:1, gpu: [RTX A5000, nvidia h200] } }",
	  "-/+ pod.a replace_because_cannot_update !container_reset "
	  "!data_loss @2\n"
	  "  gpu.type: \"NVIDIA A40\" -> [\"RTX A5000\",\"nvidia h200\"] "
	  "replace edit forces @2\n" },
	{ POD_FIELD_GPU,
	  "pods: { a: { image: x:1, gpu: A40 } }",
	  "pods: { a: { image: x:1, gpu: [RTX A5000, nvidia a40] } }", "" },
	{ POD_FIELD_CLOUD,
	  "pods: { a: { image: x:1, gpu: RTX A5000 } }",
	  "pods: { a: { image: x:1, gpu: RTX A5000, cloud: community } }",
	  "-/+ pod.a replace_because_cannot_update !container_reset "
	  "!data_loss @2\n"
	  "  cloud: \"secure\" -> \"community\" replace edit forces @2\n" },
	{ POD_FIELD_NETWORK_VOLUME,
	  "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n"
	  "pods: { a: { image: x:1, gpu: A40, network_volume: "
	  "{ volume: d, path: /w } } }",
	  "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n"
	  "pods: { a: { image: x:1, gpu: A40, network_volume: "
	  "{ volume: d, path: /v } } }",
	  "-/+ pod.a replace_because_cannot_update !container_reset @3\n"
	  "  network_volume.path: \"/w\" -> \"/v\" replace edit forces @3\n" },
	{ POD_FIELD_NETWORK_VOLUME,
	  "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n"
	  "pods: { a: { image: x:1, gpu: A40 } }",
	  "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n"
	  "pods: { a: { image: x:1, gpu: A40, network_volume: "
	  "{ volume: d, path: /w } } }",
	  "-/+ pod.a replace_because_cannot_update !container_reset "
	  "!data_loss @3\n"
	  "  network_volume.volume: - -> \"vol1\" replace edit forces @3\n"
	  "  network_volume.path: - -> \"/w\" replace edit forces @3\n" },
	{ POD_FIELD_NETWORK_VOLUME,
	  "pods: { a: { image: x:1, gpu: A40 } }",
	  "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n"
	  "pods: { a: { image: x:1, gpu: A40, network_volume: "
	  "{ volume: d, path: /w } } }",
	  "-/+ pod.a replace_because_cannot_update !container_reset "
	  "!data_loss @3\n"
	  "  network_volume.volume: - -> (later) replace edit forces @3\n"
	  "  network_volume.path: - -> \"/w\" replace edit forces @3\n"
	  "+ volume.d @2\n"
	  "  size: - -> \"10GB\" edit @2\n"
	  "  data_center: - -> \"EU-RO-1\" edit @2\n" },
	{ POD_FIELD_REPLICAS,
	  "pods: { a: { image: x:1, gpu: A40, replicas: 3 } }",
	  "pods: { a: { image: x:1, gpu: A40, replicas: 2 } }",
	  "- pod.a[2] delete_because_count_index !data_loss\n" },
};

static void
try_edit(const struct edit *edit, bool is_whole)
{
	struct plan_world w;

	world_init(&w);
	(is_whole ? world_spec : world_trainer)(&w, edit->before);
	world_settle(&w);
	(is_whole ? world_spec : world_trainer)(&w, edit->after);
	const char *found = world_plan(&w, DUMP_CHANGES | DUMP_ATTRS);
	if (strcmp(found, edit->wanted) != 0)
		fail_msg("%s -> %s\nfound:\n%s\nwanted:\n%s", edit->before,
		    edit->after, found, edit->wanted);
	world_settle(&w);
	world_release(&w);
}

static void
test_plan_fields_have_their_effect_and_then_rest(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(edits); i++)
		try_edit(&edits[i], false);
	for (size_t i = 0; i < COUNTOF(whole); i++)
		try_edit(&whole[i], true);
}

/* A field that the plan forgets to compare would be in no row. */
static void
test_plan_fields_are_all_in_the_table(void **state)
{
	(void)state;
	for (int field = 0; field < POD_FIELD_COUNT; field++) {
		bool found = pod_fields[field].later != NULL ||
		    field == POD_FIELD_PROTECT;
		for (size_t i = 0; i < COUNTOF(edits); i++)
			found |= edits[i].field == (enum pod_field)field;
		for (size_t i = 0; i < COUNTOF(whole); i++)
			found |= whole[i].field == (enum pod_field)field;
		if (!found)
			fail_msg("no test edits '%s'", pod_fields[field].name);
	}
}

/* The record of a lowered floor keeps what the host is known to have. */
static void
test_plan_fields_keep_the_higher_cuda(void **state)
{
	struct plan_world w;

	(void)state;
	world_init(&w);
	world_trainer(&w, "min_cuda: '12.8'");
	world_settle(&w);
	world_trainer(&w, "min_cuda: '12.4'");
	world_settle(&w);
	world_trainer(&w, "min_cuda: '12.8'");
	assert_text(world_plan(&w, DUMP_CHANGES), "");
	world_release(&w);
}

static const char *const secrets =
    "secrets: { KEY: { env: KEY }, OTHER: { env: KEY } }\n";

static void
test_plan_fields_secret_is_sent_when_its_value_changed(void **state)
{
	struct plan_world w;
	struct str spec;

	(void)state;
	world_init(&w);
	spec = arena_printf(&w.arena, "%spods: { a: { image: x:1, gpu: A40, "
	    "env: { K: 'x${secret.KEY}' } } }\n", secrets);
	world_spec(&w, spec.data);
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_ATTRS),
	    "+ pod.a @3\n"
	    "  name: - -> \"a\" edit @3\n"
	    "  image: - -> \"x:1\" edit @3\n"
	    "  gpu.type: - -> \"A40\" edit @3\n"
	    "  gpu_count: - -> 1 edit @3\n"
	    "  cloud: - -> \"secure\" edit @3\n"
	    "  disk: - -> \"20GB\" edit @3\n"
	    "  ports: - -> [\"22/tcp\"] edit @3\n"
	    "  env.K: - -> \"x${secret.KEY}\" edit secret @3\n");
	world_apply(&w);
	struct cloud_pod *pod = world_pod(&w, "pod.a");
	for (size_t i = 0; i < pod->config.nenv; i++)
		if (str_is(pod->config.env[i].name, "K"))
			pod->config.env[i].value = STR("xhunter2-hunter2");
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_DRIFT), "");

	w.secret = "another-value";
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_ATTRS | DUMP_DRIFT),
	    "~ pod.a restarts !container_reset @3\n"
	    "  env.K: \"x${secret.KEY}\" -> \"x${secret.KEY}\" restart edit "
	    "secret @3\n");
	w.secret = NULL;	/* not known: nothing can be said */
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_DRIFT), "");

	spec = arena_printf(&w.arena, "%spods: { a: { image: x:1, gpu: A40, "
	    "env: { K: 'x${secret.OTHER}' } } }\n", secrets);
	world_spec(&w, spec.data);
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_ATTRS),
	    "~ pod.a restarts !container_reset @3\n"
	    "  env.K: \"x${secret.KEY}\" -> \"x${secret.OTHER}\" restart edit "
	    "secret @3\n");
	world_release(&w);
}

/* Outputs of another pod are compared with what it offers now. */
static void
test_plan_fields_output_follows_its_pod(void **state)
{
	struct plan_world w;

	(void)state;
	world_init(&w);
	world_spec(&w, "pods:\n"
	    "  a: { image: x:1, gpu: A40 }\n"
	    "  b: { image: x:1, gpu: A40, env: { A: "
	    "'${pod.a.ssh.host}:${pod.a.ssh.port}' } }\n");
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_ACTIONS),
	    "+ pod.a @3\n+ pod.b @4\n"
	    "do 0 create pod.a\n"
	    "do 1 await running pod.a after 0\n"
	    "do 2 await ssh pod.a after 1\n"
	    "do 3 create pod.b after 2\n"
	    "do 4 await running pod.b after 3\n"
	    "do 5 await ssh pod.b after 4\n");
	world_apply(&w);
	struct cloud_pod *pod = world_pod(&w, "pod.b");
	for (size_t i = 0; i < pod->config.nenv; i++)
		if (str_is(pod->config.env[i].name, "A"))
			pod->config.env[i].value = STR("1.2.3.4:2222");
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_DRIFT), "");
	world_pod(&w, "pod.a")->ssh.port = 80;
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_ATTRS | DUMP_DRIFT),
	    "~ pod.b restarts !container_reset @4\n"
	    "  env.A: \"1.2.3.4:2222\" -> (later) "
	    "restart edit @4\n");

	/* What restarts gets another port, so who uses it changes along. */
	world_pod(&w, "pod.a")->ssh.port = 2222;
	world_spec(&w, "pods:\n"
	    "  a: { image: x:2, gpu: A40 }\n"
	    "  b: { image: x:1, gpu: A40, env: { A: "
	    "'${pod.a.ssh.host}:${pod.a.ssh.port}' } }\n");
	assert_text(world_plan(&w, DUMP_CHANGES | DUMP_ACTIONS),
	    "~ pod.a restarts !container_reset @3\n"
	    "~ pod.b restarts !container_reset @4\n"
	    "do 0 update pod.a\n"
	    "do 1 await running pod.a after 0\n"
	    "do 2 await ssh pod.a after 1\n"
	    "do 3 update pod.b after 2\n"
	    "do 4 await running pod.b after 3\n"
	    "do 5 await ssh pod.b after 4\n");
	world_release(&w);
}

static void
test_plan_fields_later_ones_are_refused_with_their_place(void **state)
{
	struct plan_world w;

	(void)state;
	world_init(&w);
	world_trainer(&w, "lease: 4h");
	assert_text(world_plan(&w, DUMP_ALL),
	    "pods.yaml:6:12: error: cannot plan pods.trainer.lease: leases "
	    "are not kept yet [PF0201]\n"
	    "    6 |     lease: 4h\n"
	    "      |            ^~\n"
	    "   hint: this version of podform checks it and does not carry it "
	    "out; take it out, or leave its resource out with --exclude\n");
	struct str address = STR("pod.trainer");
	w.options.excludes = &address;
	w.options.nexcludes = 1;
	assert_text(world_plan(&w, DUMP_CHANGES), "");
	assert_non_null(w.plan);
	world_release(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_plan_fields_have_their_effect_and_then_rest),
		cmocka_unit_test(test_plan_fields_are_all_in_the_table),
		cmocka_unit_test(test_plan_fields_keep_the_higher_cuda),
		cmocka_unit_test(
		    test_plan_fields_secret_is_sent_when_its_value_changed),
		cmocka_unit_test(test_plan_fields_output_follows_its_pod),
		cmocka_unit_test(
		    test_plan_fields_later_ones_are_refused_with_their_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
