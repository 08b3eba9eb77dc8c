/*
 * test_plan_env.c - the environment of a pod, key by key: what it names of
 * others, what nobody may see, what the service put there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"

/* The live value of a variable of a pod; NULL: it is not there. */
static void
put_live(struct plan_world *w, const char *address, const char *name,
    const char *value)
{
	struct pod_config *config = &world_pod(w, address)->config;
	struct env_var *env = ARENA_ARRAY(&w->arena, struct env_var,
	    config->nenv + 1);
	size_t n = 0;

	for (size_t i = 0; i < config->nenv; i++)
		if (!str_is(config->env[i].name, name))
			env[n++] = config->env[i];
	if (value != NULL)
		env[n++] = (struct env_var){ str_from(name),
			str_from(value), false };
	config->env = env;
	config->nenv = n;
	pod_config_sort(config);
}

/* ------------------------------------------------------------- outputs -- */

/* A pod b whose variable V is the given text, and all that it may name. */
static void
everything(struct plan_world *w, const char *text)
{
	world_spec(w, arena_printf(&w->arena,
	    "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n"
	    "pods:\n"
	    "  a: { image: x:1, gpu: A40, data_centers: [EU-RO-1] }\n"
	    "  b: { image: x:1, gpu: A40, env: { V: '%s' } }\n"
	    "runners: { ci: { pod: a, repository: acme/model } }\n"
	    "tunnels:\n"
	    "  web: { pod: a, local: 8188, remote: 80 }\n"
	    "  any: { pod: a, local: auto, remote: 80 }\n", text).data);
}

static const struct {
	const char *text;
	const char *value;	/* NULL: the full name that it was given */
} outputs[] = {
	{ "${pod.a.id}", "pod2" },
	{ "${pod.a.name}", NULL },
	{ "${pod.a.gpu}", "NVIDIA A40" },
	{ "${pod.a.data_center}", "EU-RO-1" },
	{ "${pod.a.cost_per_hour}", "0.4" },
	{ "${pod.a.ssh.host}", "1.2.3.4" },
	{ "${pod.a.ssh.port}", "2222" },
	{ "${pod.a.ssh.user}", "root" },
	{ "${volume.d.id}", "vol1" },
	{ "${volume.d.name}", NULL },
	{ "${volume.d.data_center}", "EU-RO-1" },
	{ "${volume.d.size}", "10" },
	{ "${runner.ci.name}", NULL },
	{ "${tunnel.web.local.host}", "127.0.0.1" },
	{ "${tunnel.web.local.port}", "8188" },
	{ "${tunnel.any.local.port}", "41000" },
	{ "a${pod.a.ssh.port}-${volume.d.size}z", "a2222-10z" },
};

static struct str
name_of(struct plan_world *w, const char *text)
{
	const struct lock_entry *entry = world_entry(w,
	    text[2] == 'p' ? "pod.a" : text[2] == 'v' ? "volume.d" :
	    "runner.ci");

	return entry->kind == KIND_POD ? entry->pod.name :
	    entry->kind == KIND_VOLUME ? entry->volume.name :
	    entry->runner.name;
}

static void
settle_everything(struct plan_world *w, const char *text)
{
	everything(w, text);
	(void)world_plan(w, 0);
	assert_non_null(w->plan);
	world_apply(w);
	for (size_t i = 0; i < w->tunnels.n; i++)
		if (w->tunnels.items[i].port == 0)
			w->tunnels.items[i].port = 41000;
	/* In whichever order the holder tells them. */
	struct tunnel_status first = w->tunnels.items[0];
	w->tunnels.items[0] = w->tunnels.items[1];
	w->tunnels.items[1] = first;
}

/* What a text names is compared with what that is today. */
static void
test_plan_env_compares_outputs_with_what_they_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(outputs); i++) {
		struct plan_world w;
		world_init(&w);
		settle_everything(&w, outputs[i].text);
		const char *value = outputs[i].value != NULL ?
		    outputs[i].value : name_of(&w, outputs[i].text).data;
		put_live(&w, "pod.b", "V", value);
		const char *found = world_plan(&w, DUMP_CHANGES | DUMP_DRIFT);
		if (found[0] != '\0')
			fail_msg("%s, '%s': %s", outputs[i].text, value,
			    found);
		/* Another value, more of it, less of it, none. */
		const char *const others[] = { "x",
			arena_printf(&w.arena, "%s0", value).data,
			arena_printf(&w.arena, "%.*s", (int)strlen(value) - 1,
			    value).data, "" };
		for (size_t k = 0; k < COUNTOF(others); k++) {
			put_live(&w, "pod.b", "V", others[k]);
			assert_text(world_plan(&w, DUMP_CHANGES), "~ pod.b "
			    "restarts !container_reset @5\n");
			/* It is shown when it is known, not before. */
			assert_true(w.plan->changes.items[0].attrs.items[0]
			    .unknown);
		}
		put_live(&w, "pod.b", "V", NULL);
		assert_text(world_plan(&w, DUMP_CHANGES | DUMP_DRIFT),
		    arena_printf(&w.arena, "~ pod.b restarts "
		    "update_because_drift !container_reset @5\ndrift pod.b\n"
		    "  env.V: \"%s\" -> - restart drift @5\n",
		    outputs[i].text).data);
		world_release(&w);
	}
}

static void
without_ssh(struct plan_world *w)
{
	world_pod(w, "pod.a")->ssh.port = 0;
}

static void
without_pod(struct plan_world *w)
{
	/* Left out, so that it is not made anew. */
	static struct str left_out = STR_INIT("pod.a");
	for (size_t i = 0; i < w->pods.n; i++)
		if (str_is(w->pods.items[i].id, "pod2"))
			w->pods.items[i] = w->pods.items[--w->pods.n];
	world_entry(w, "pod.a")->pod.data_center = (struct str){0};
	w->options.excludes = &left_out;
	w->options.nexcludes = 1;
}

static void
without_place(struct plan_world *w)
{
	world_pod(w, "pod.a")->config.data_center = (struct str){0};
	world_entry(w, "pod.a")->pod.data_center = (struct str){0};
}

static void
without_gpu(struct plan_world *w)
{
	world_entry(w, "pod.a")->pod.gpu = STR("");
}

/* It is only wanted stopped, and so was never made. */
static void
without_record(struct plan_world *w)
{
	struct str id = world_entry(w, "pod.a")->id;
	world_spec(w, "pods:\n"
	    "  a: { image: x:1, gpu: A40, state: stopped }\n"
	    "  b: { image: x:1, gpu: A40, env: { V: '${pod.a.id}' } }\n");
	lock_remove_entry(&w->lock, world_entry(w, "runner.ci"));
	lock_remove_entry(&w->lock, world_entry(w, "volume.d"));
	lock_remove_entry(&w->lock, world_entry(w, "pod.a"));
	for (size_t i = 0; i < w->pods.n; i++)
		if (str_eq(w->pods.items[i].id, id))
			w->pods.items[i] = w->pods.items[--w->pods.n];
}

static void
without_secret(struct plan_world *w)
{
	w->options.secret = NULL;
}

static void
without_price(struct plan_world *w)
{
	world_entry(w, "pod.a")->price_per_hour = -1;
}

static void
without_holder(struct plan_world *w)
{
	w->tunnels.n = 0;
	w->options.no_tunnels = true;
}

/* What is not known decides nothing, whatever is there. */
static void
test_plan_env_leaves_what_it_cannot_tell(void **state)
{
	static const struct {
		const char *text;
		void (*act)(struct plan_world *w);
	} rows[] = {
		{ "${pod.a.ssh.host}", without_ssh },
		{ "${pod.a.ssh.port}", without_ssh },
		{ "${pod.a.ssh.user}", without_ssh },
		{ "${pod.a.ssh.host}", without_pod },
		{ "${pod.a.data_center}", without_pod },
		{ "${pod.a.data_center}", without_place },
		{ "${pod.a.cost_per_hour}", without_price },
		{ "${tunnel.any.local.port}", without_holder },
		{ "${pod.a.gpu}", without_gpu },
		{ "${pod.a.id}", without_record },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		world_init(&w);
		settle_everything(&w, rows[i].text);
		put_live(&w, "pod.b", "V", "what it was");
		rows[i].act(&w);
		const char *found = world_plan(&w, DUMP_CHANGES);
		if (strstr(found, "pod.b") != NULL)
			fail_msg("row %zu: %s", i, found);
		world_release(&w);
	}
}

/* An empty value is one; none at all is not known. */
static void
test_plan_env_compares_secrets_that_are_known(void **state)
{
	struct plan_world *w = *state;

	world_spec(w, "secrets: { S: { env: S } }\npods: { b: { image: x:1, "
	    "gpu: A40, env: { V: 'a${secret.S}z' } } }\n");
	w->secret = "";
	(void)world_plan(w, 0);
	world_apply(w);
	put_live(w, "pod.b", "V", "az");
	assert_text(world_plan(w, DUMP_CHANGES), "");
	put_live(w, "pod.b", "V", "abz");
	assert_text(world_plan(w, DUMP_CHANGES),
	    "~ pod.b restarts !container_reset @3\n");
	w->secret = "b";
	assert_text(world_plan(w, DUMP_CHANGES), "");
	put_live(w, "pod.b", "V", "x");
	/* It does not even begin as it should. */
	w->secret = NULL;
	assert_text(world_plan(w, DUMP_CHANGES),
	    "~ pod.b restarts !container_reset @3\n");
	put_live(w, "pod.b", "V", "ax");
	assert_text(world_plan(w, DUMP_CHANGES), "");
	without_secret(w);
	assert_text(world_plan(w, DUMP_CHANGES), "");
}

/* A stopped pod reports no GPU; what it was made with is what a run sends. */
static void
test_plan_env_names_the_record_before_the_listing(void **state)
{
	struct plan_world *w = *state;

	settle_everything(w, "${pod.a.gpu} ${pod.a.ssh.user}");
	put_live(w, "pod.b", "V", "NVIDIA A40 root");
	world_pod(w, "pod.a")->config.gpu = STR("");
	world_pod(w, "pod.a")->ssh.user = STR("");
	assert_text(world_plan(w, DUMP_CHANGES), "");
}

/* Who names what this plan changes changes along with it, and not again. */
static void
test_plan_env_follows_what_moves(void **state)
{
	static const struct {
		const char *path, *line;	/* of pod a */
		bool moves;
	} rows[] = {
		{ "name", "name: other", true },
		{ "ssh.port", "name: other", false },
		{ "id", "name: other", false },
		{ "name", "args: x", false },
		{ "ssh.port", "args: x", true },
		{ "ssh.host", "args: x, name: other", true },
		{ "name", "args: x, name: other", true },
		{ "id", "args: x, name: other", false },
		{ "gpu", "args: x, name: other", false },
		{ "id", "gpu_count: 2", true },
		{ "gpu", "gpu_count: 2", true },
		{ "name", "gpu_count: 2", true },
		{ "name", "state: stopped", false },
		{ "ssh.port", "state: stopped", false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		world_init(&w);
		for (int pass = 0; pass < 2; pass++) {
			world_spec(&w, arena_printf(&w.arena, "pods:\n"
			    "  a: { image: x:1, gpu: A40%s%s }\n"
			    "  b: { image: x:1, gpu: A40, env: { V: "
			    "'${pod.a.%s}' } }\n", pass == 1 ? ", " : "",
			    pass == 1 ? rows[i].line : "",
			    rows[i].path).data);
			const char *found = world_plan(&w, DUMP_CHANGES);
			if (pass == 1 && (strstr(found, "~ pod.b ") != NULL) !=
			    rows[i].moves)
				fail_msg("row %zu: %s", i, found);
			if (pass == 1)
				break;
			world_apply(&w);
			const struct cloud_pod *a = world_pod(&w, "pod.a");
			put_live(&w, "pod.b", "V",
			    strcmp(rows[i].path, "id") == 0 ? a->id.data :
			    strcmp(rows[i].path, "gpu") == 0 ?
			    a->config.gpu.data :
			    strcmp(rows[i].path, "name") == 0 ?
			    a->config.name.data :
			    strcmp(rows[i].path, "ssh.host") == 0 ?
			    "1.2.3.4" : "2222");
		}
		world_release(&w);
	}
	/* A name that somebody else changed is put back, and nobody else is
	 * told of another. */
	struct plan_world w;
	world_init(&w);
	world_spec(&w, "pods:\n  a: { image: x:1, gpu: A40 }\n"
	    "  b: { image: x:1, gpu: A40, env: { V: '${pod.a.name}' } }\n");
	(void)world_plan(&w, 0);
	world_apply(&w);
	put_live(&w, "pod.b", "V", world_pod(&w, "pod.a")->config.name.data);
	world_pod(&w, "pod.a")->config.name = STR("mine");
	assert_text(world_plan(&w, DUMP_CHANGES),
	    "~ pod.a update_because_drift @3\n");
	world_release(&w);
}

/* ------------------------------------------- three sides of one variable -- */

/*
 * Each of wanted, recorded, live is missing, "1", "2" or a reference to a
 * secret that is "1" today; what a plan does: - nothing, e it is an edit, d
 * drift, b both, k only the record is behind; in capitals where the value is
 * not shown.
 */
static char
verdict(struct plan_world *w, const char *wanted, const char *recorded,
    const char *live)
{
	struct lock_entry *entry = world_entry(w, "pod.trainer");
	struct env_var var = { STR("V"), str_from(recorded),
		recorded != NULL && recorded[0] == '$' };

	world_spec(w, arena_printf(&w->arena, "secrets: { S: { env: S } }\n"
	    "pods: { trainer: { image: torch:1, gpu: A40%s%s%s } }\n",
	    wanted != NULL ? ", env: { V: '" : "", wanted != NULL ? wanted :
	    "", wanted != NULL ? "' }" : "").data);
	entry->pod.env = &var;
	entry->pod.nenv = recorded != NULL;
	put_live(w, "pod.trainer", "V", live);
	(void)world_plan(w, 0);
	assert_non_null(w->plan);
	if (w->plan->changes.n == 0)
		return w->plan->keeps.n > 0 ? 'k' : '-';
	const struct plan_change *c = &w->plan->changes.items[0];
	assert_int_equal(c->op, PLAN_UPDATE);
	assert_int_equal(c->attrs.n, 1);
	assert_int_equal(c->changes, CHANGE_ENV);
	const struct plan_attr *attr = &c->attrs.items[0];
	assert_true(str_is(attr->path, "env.V"));
	/* A value that may be a secret is shown nowhere. */
	if (live != NULL && (recorded == NULL || var.sensitive))
		assert_true(str_search(attr->before, str_from(live)) < 0);
	char letter = attr->edit && attr->drift ? 'b' : attr->edit ? 'e' :
	    'd';
	return attr->sensitive ? (char)(letter - 'a' + 'A') : letter;
}

static void
test_plan_env_compares_three_sides(void **state)
{
	static const char *const sides[] = { NULL, "1", "2", "${secret.S}" };
	static const struct {
		size_t wanted, recorded;
		const char *by_live;	/* missing, "1", "2" */
	} rows[] = {
		{ 0, 0, "-DD" },
		{ 0, 1, "keb" },
		{ 0, 2, "kbe" },
		{ 0, 3, "kEE" },
		{ 1, 0, "ekB" },
		{ 1, 1, "d-d" },
		{ 1, 2, "bke" },
		{ 1, 3, "BkE" },
		{ 3, 0, "EkB" },
		{ 3, 1, "BkE" },
		{ 3, 2, "BkE" },
		{ 3, 3, "D-E" },
	};
	struct plan_world *w = *state;

	w->secret = "1";
	world_trainer(w, "");
	world_settle(w);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		char found[4] = "";
		for (size_t live = 0; live < 3; live++)
			found[live] = verdict(w, sides[rows[i].wanted],
			    sides[rows[i].recorded], sides[live]);
		if (strcmp(found, rows[i].by_live) != 0)
			fail_msg("wanted %zu, recorded %zu: %s, not %s",
			    rows[i].wanted, rows[i].recorded, found,
			    rows[i].by_live);
	}
}

/* Of what the service puts there only what the user asked for counts, and
 * its value never, as it is not reported among the user's own. */
static void
test_plan_env_leaves_what_the_service_injects(void **state)
{
	static const char *const names[] = { "PUBLIC_KEY", "RUNPOD_POD_ID",
		"JUPYTER_PASSWORD", "CUDA_VERSION", "PYTORCH_VERSION" };
	struct plan_world *w = *state;

	world_trainer(w, "");
	world_settle(w);
	for (size_t i = 0; i < COUNTOF(names); i++) {
		put_live(w, "pod.trainer", names[i], "whatever");
		assert_text(world_plan(w, DUMP_CHANGES | DUMP_DRIFT), "");
		put_live(w, "pod.trainer", names[i], NULL);
		assert_text(world_plan(w, DUMP_CHANGES | DUMP_DRIFT), "");
	}
	world_trainer(w, "env: { PUBLIC_KEY: a }");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ATTRS | DUMP_DRIFT),
	    "~ pod.trainer restarts !container_reset @6\n"
	    "  env.PUBLIC_KEY: - -> \"a\" restart edit @6\n");
	world_settle(w);
	put_live(w, "pod.trainer", "PUBLIC_KEY", "b");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_DRIFT), "");
	put_live(w, "pod.trainer", "PUBLIC_KEY", NULL);
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_DRIFT), "");
	world_trainer(w, "");
	assert_text(world_plan(w, DUMP_CHANGES | DUMP_ATTRS | DUMP_DRIFT),
	    "~ pod.trainer restarts !container_reset @3\n"
	    "  env.PUBLIC_KEY: \"a\" -> - restart edit @3\n");
}

/* What the user edits is done all the same. */
static void
test_plan_env_ignores_drift_where_it_is_asked_to(void **state)
{
	static const struct {
		const char *ignored, *after, *live, *wanted;
	} rows[] = {
		{ "env", "one", "two", "" },
		{ "env", "three", "two",
		  "  env.A: \"one\" -> \"three\" restart edit @4\n" },
		{ "args", "one", "two",
		  "  env.A: \"two\" -> \"one\" restart drift @4\n" },
		{ "env", "one", NULL, "" },
		{ "env", "three", NULL,
		  "  env.A: \"one\" -> \"three\" restart edit @4\n" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct plan_world w;
		world_init(&w);
		for (int pass = 0; pass < 2; pass++) {
			world_spec(&w, arena_printf(&w.arena, "pods:\n"
			    "  a: { image: x:1, gpu: A40,\n"
			    "    env: { A: %s, B: x },\n"
			    "    ignore_drift: [%s] }\n",
			    pass == 0 ? "one" : rows[i].after,
			    rows[i].ignored).data);
			if (pass == 0)
				world_settle(&w);
		}
		put_live(&w, "pod.a", "A", rows[i].live);
		const char *found = world_plan(&w, DUMP_CHANGES | DUMP_ATTRS);
		const char *attrs = strchr(found, '\n');
		assert_text(attrs != NULL ? attrs + 1 : found,
		    rows[i].wanted);
		world_release(&w);
	}
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_plan_env_compares_outputs_with_what_they_are),
		cmocka_unit_test(test_plan_env_leaves_what_it_cannot_tell),
		TEST(test_plan_env_compares_secrets_that_are_known),
		TEST(test_plan_env_names_the_record_before_the_listing),
		cmocka_unit_test(test_plan_env_follows_what_moves),
		TEST(test_plan_env_compares_three_sides),
		TEST(test_plan_env_leaves_what_the_service_injects),
		cmocka_unit_test(
		    test_plan_env_ignores_drift_where_it_is_asked_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
