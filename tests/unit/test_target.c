/* test_target.c - from an address to a way to log in */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "expected.h"
#include "lock_fixture.h"
#include "run/target.h"
#include "spec_world.h"

static void
add(struct bench *b, struct lock *lock, enum kind kind, const char *address,
    const char *id)
{
	*ARENA_PUSH(&b->arena, &lock->entries) = (struct lock_entry){
		.kind = kind, .address = str_from(address),
		.id = str_from(id) };
}

/* Pods a, b[0], b[1], c[0]; runner r on b[1]; a volume. */
static struct lock *
some_lock(struct bench *b)
{
	struct lock *lock = bare_lock(&b->arena, 1);

	add(b, lock, KIND_POD, "pod.a", "id-a");
	add(b, lock, KIND_POD, "pod.b[0]", "id-b0");
	add(b, lock, KIND_POD, "pod.b[1]", "id-b1");
	add(b, lock, KIND_POD, "pod.c[0]", "id-c0");
	add(b, lock, KIND_RUNNER, "runner.r", "77");
	add(b, lock, KIND_VOLUME, "volume.v", "id-v");
	add(b, lock, KIND_POD, "pod.a", "id-old");
	add(b, lock, KIND_POD, "pod.bb", "id-bb");
	/* Neither what is on its way out nor another name is a replica. */
	add(b, lock, KIND_POD, "pod.b[2]", "id-b2");
	lock->entries.items[4].runner.pod = STR("pod.b[1]");
	lock->entries.items[6].deposed = true;
	lock->entries.items[8].deposed = true;
	lock_sort(lock);
	return lock;
}

static const char spec_text[] =
    "project: p\n"
    "pods:\n"
    "  a:\n    image: x:1\n    gpu: NVIDIA A40\n    ports: [22/tcp]\n"
    "    ssh: { user: alice }\n"
    "  b:\n    image: x:1\n    gpu: NVIDIA A40\n    ports: [22/tcp]\n"
    "    replicas: 2\n"
    "runners:\n"
    "  n: { pod: a, repository: o/r, labels: [x] }\n"
    "tunnels:\n"
    "  t: { pod: \"b[1]\", local: 8188, remote: 8188 }\n"
    "  u: { pod: a, local: 8189, remote: 8188 }\n";

/* The id that an address leads to, or else what is said. */
static void
leads_to(struct bench *b, struct lock *lock, const struct spec *spec,
    const char *address, const char *want)
{
	const struct lock_entry *entry = target_find(lock, spec,
	    str_from(address), &b->diags);
	const char *said = bench_report(b);

	expected_same(address, str_from(want), entry != NULL ? entry->id :
	    str_from(said));
	if (entry != NULL)
		assert_string_equal(said, "");
}

static void
test_target_addresses_lead_to_pods(void **state)
{
	struct spec_world world;
	struct bench b;
	(void)state;

	spec_world_init(&world);
	bench_init(&b);
	spec_world_put(&world, "a.yaml", str_from(spec_text));
	const struct spec *spec = spec_world_load(&world);
	assert_non_null(spec);
	struct lock *lock = some_lock(&b);
	leads_to(&b, lock, spec, "pod.a", "id-a");
	leads_to(&b, lock, spec, "a", "id-a");
	leads_to(&b, lock, spec, "b[1]", "id-b1");
	leads_to(&b, lock, spec, "pod.c", "id-c0");
	leads_to(&b, lock, spec, "runner.r", "id-b1");
	leads_to(&b, lock, NULL, "runner.r", "id-b1");
	leads_to(&b, lock, spec, "runner.n", "id-a");
	leads_to(&b, lock, spec, "tunnel.t", "id-b1");
	leads_to(&b, lock, spec, "tunnel.u", "id-a");
	/* Of the spec's, only what has that very name is meant. */
	leads_to(&b, lock, spec, "n", "error: there is no record of 'pod.n'; "
	    "did you mean 'runner.n'? [PF0850]\n"
	    "   hint: podform state list shows what there is\n");
	leads_to(&b, lock, spec, "t", "error: there is no record of 'pod.t'; "
	    "did you mean 'tunnel.t'? [PF0850]\n"
	    "   hint: podform state list shows what there is\n");
	leads_to(&b, lock, spec, "zzzzzz", "error: there is no record of "
	    "'pod.zzzzzz' [PF0850]\n"
	    "   hint: podform state list shows what there is\n");
	leads_to(&b, lock, spec, "runner.x", "error: nobody knows which pod "
	    "runner.x is on: neither the lock nor the spec has it [PF0860]\n"
	    "   hint: give the address of the pod\n");
	bench_release(&b);
	spec_world_release(&world);
}

static void
test_target_says_why_an_address_leads_nowhere(void **state)
{
	static const struct { const char *address, *words; } cases[] = {
		{ "b", "error: pod.b has 2 replicas: say which [PF0860]\n"
		    "   hint: such as pod.b[0]; podform exec takes all of "
		    "them with --all\n" },
		{ "r", "error: there is no record of 'pod.r'; did you mean "
		    "'runner.r'? [PF0850]\n"
		    "   hint: podform state list shows what there is\n" },
		{ "pod.b[2]", "error: there is no record of 'pod.b[2]'; did "
		    "you mean 'pod.b[0]'? [PF0850]\n"
		    "   hint: podform state list shows what there is\n" },
		{ "volume.v", "error: volume.v is a volume: there is nothing "
		    "to log in to [PF0860]\n" },
		{ "tunnel.x", "error: nobody knows which pod tunnel.x is on: "
		    "neither the lock nor the spec has it [PF0860]\n"
		    "   hint: give the address of the pod\n" },
		{ "A B", "error: 'A B' is no address [PF0860]\n"
		    "   hint: addresses are like pod.trainer, trainer or "
		    "pod.trainer[1]; podform state list shows them\n" },
		{ "", "error: '' is no address [PF0860]\n"
		    "   hint: addresses are like pod.trainer, trainer or "
		    "pod.trainer[1]; podform state list shows them\n" },
	};
	struct bench b;
	(void)state;

	bench_init(&b);
	struct lock *lock = some_lock(&b);
	for (size_t i = 0; i < COUNTOF(cases); i++)
		leads_to(&b, lock, NULL, cases[i].address, cases[i].words);
	leads_to(&b, bare_lock(&b.arena, 0), NULL, "trainer", "error: there "
	    "is no record of 'pod.trainer' [PF0850]\n"
	    "   hint: there is no pod yet: podform apply makes those of the "
	    "spec\n");
	bench_release(&b);
}

static void
finds(struct bench *b, struct lock *lock, const char *address,
    const char *want)
{
	const struct lock_entry **list;
	struct strbuf out = {0};
	size_t n = target_find_all(&b->arena, lock, NULL, str_from(address),
	    &list, &b->diags);

	for (size_t i = 0; i < n; i++)
		strbuf_addf(&out, STR_FMT " ", STR_ARG(list[i]->id));
	if (n == 0)
		strbuf_adds(&out, bench_report(b));
	expected_same(address != NULL ? address : "all", str_from(want),
	    strbuf_str(&out));
	strbuf_release(&out);
}

static void
test_target_finds_many(void **state)
{
	struct bench b;
	(void)state;

	bench_init(&b);
	struct lock *lock = some_lock(&b);
	finds(&b, lock, NULL, "id-a id-b0 id-b1 id-bb id-c0 ");
	finds(&b, lock, "b", "id-b0 id-b1 ");
	finds(&b, lock, "a", "id-a ");
	finds(&b, lock, "b[0]", "id-b0 ");
	finds(&b, lock, "runner.r", "id-b1 ");
	finds(&b, lock, "zzzzzz", "error: there is no record of 'pod.zzzzzz' "
	    "[PF0850]\n   hint: podform state list shows what there is\n");
	finds(&b, lock, "volume.v", "error: volume.v is a volume: there is "
	    "nothing to log in to [PF0860]\n");
	finds(&b, bare_lock(&b.arena, 0), NULL,
	    "error: there is no pod on record [PF0850]\n");
	bench_release(&b);
}

/* What the spec says of what is recorded. */
static void
test_target_is_as_the_spec_has_it(void **state)
{
	struct lock_entry entry = { .kind = KIND_POD,
		.address = STR("pod.b[1]") };
	struct spec_world world;
	(void)state;

	spec_world_init(&world);
	spec_world_put(&world, "a.yaml", str_from(spec_text));
	const struct spec *spec = spec_world_load(&world);
	expected_same("name", STR("b"), target_spec(spec, &entry)->name);
	assert_null(target_spec(NULL, &entry));
	entry.address = STR("pod.b[2]");
	assert_null(target_spec(spec, &entry));
	spec_world_release(&world);
}

static struct cloud_pod
live_pod(void)
{
	static struct str ports[] = { STR_INIT("8188/http"),
		STR_INIT("22/tcp") };
	return (struct cloud_pod){
		.id = STR("id-a"), .status = POD_RUNNING, .has_runtime = true,
		.config = { .ports = ports, .nports = 2 },
		.ssh = { STR("195.0.0.1"), 40022, STR("root") },
		.started_at = STR("2026-06-01T12:00:00Z"),
	};
}

static void
test_target_is_usable_or_says_why_not(void **state)
{
	struct lock_entry entry = { .kind = KIND_POD,
		.address = STR("pod.a"), .id = STR("id-a") };
	struct cloud_pod pod = live_pod();
	struct bench b;
	(void)state;

	bench_init(&b);
	assert_true(target_usable(&entry, &pod, &b.diags));
	assert_string_equal(bench_report(&b), "");
	assert_false(target_usable(&entry, NULL, &b.diags));
	assert_string_equal(bench_report(&b), "error: pod.a (id-a) is gone "
	    "[PF0861]\n   hint: podform plan shows what an apply would do "
	    "about it\n");
	pod.status = POD_TERMINATED;
	assert_false(target_usable(&entry, &pod, &b.diags));
	assert_string_equal(bench_report(&b), "error: pod.a (id-a) is gone "
	    "[PF0861]\n   hint: podform plan shows what an apply would do "
	    "about it\n");
	pod.status = POD_ERROR;
	assert_false(target_usable(&entry, &pod, &b.diags));
	assert_string_equal(bench_report(&b), "error: pod.a (id-a) has failed "
	    "to start [PF0861]\n   hint: podform logs shows what the system "
	    "said about it\n");
	pod.status = POD_EXITED;
	assert_false(target_usable(&entry, &pod, &b.diags));
	assert_string_equal(bench_report(&b), "error: pod.a (id-a) is "
	    "stopped [PF0861]\n   hint: podform apply starts it if the spec "
	    "wants it running\n");
	/* Half of an address is none. */
	pod = live_pod();
	pod.ssh.host.len = 0;
	assert_false(target_usable(&entry, &pod, &b.diags));
	assert_non_null(strstr(bench_report(&b), "no address for SSH yet"));
	pod = live_pod();
	pod.ssh.port = 0;
	assert_false(target_usable(&entry, &pod, &b.diags));
	assert_string_equal(bench_report(&b), "error: pod.a (id-a) is not "
	    "ready: it has no address for SSH yet [PF0861]\n"
	    "   hint: podform status shows its state\n");
	pod.config.nports = 0;
	assert_false(target_usable(&entry, &pod, &b.diags));
	assert_string_equal(bench_report(&b), "error: pod.a (id-a) does not "
	    "map port 22 [PF0861]\n   hint: add 22/tcp to its ports in the "
	    "spec, and apply that\n");
	bench_release(&b);
}

#define PIN "SHA256:Vn7vqOlZeVxjHOD3DX8PBLmm1kgM0mCKbUh5tIJmSdM"
#define LOGGED "SHA256:AAAAqOlZeVxjHOD3DX8PBLmm1kgM0mCKbUh5tIJmSdM"

static void
test_target_is_pinned_by_lock_then_log_then_not(void **state)
{
	struct lock_entry entry = { .kind = KIND_POD,
		.address = STR("pod.a"), .id = STR("id-a"),
		.inside = { .start = STR("2026-06-01T12:00:00Z"),
		    .host_key = STR(PIN) } };
	struct log_line line = { .text = STR("256 " LOGGED " r (ED25519)") };
	struct pod_spec want = { .ssh_user = STR("alice") };
	struct cloud_pod pod = live_pod();
	struct arena arena = {0};
	struct ssh_target target;
	(void)state;

	assert_true(target_is_pinned(&entry, &pod));
	assert_int_equal(target_make(&arena, &entry, &pod, NULL,
	    (struct str){0}, &line, 1, &target), TARGET_RECORDED);
	assert_int_equal(target.npins, 1);
	expected_same("pin", STR(PIN), target.pins[0]);
	expected_same("user", STR("root"), target.user);
	expected_same("host", STR("195.0.0.1"), target.host);
	assert_int_equal(target.port, 40022);
	/* Nobody says when it started: the record is believed. */
	pod.started_at = (struct str){0};
	assert_true(target_is_pinned(&entry, &pod));
	pod.started_at = STR("2026-06-01T13:00:00Z");
	entry.inside.start = (struct str){0};
	assert_true(target_is_pinned(&entry, &pod));
	/* Another start is another container, with keys of its own. */
	entry.inside.start = STR("2026-06-01T12:00:00Z");
	assert_false(target_is_pinned(&entry, &pod));
	assert_int_equal(target_make(&arena, &entry, &pod, &want,
	    STR("/k"), &line, 1, &target), TARGET_LOGGED);
	expected_same("logged", STR(LOGGED), target.pins[0]);
	expected_same("user", STR("alice"), target.user);
	expected_same("key", STR("/k"), target.key);
	want.ssh_user = (struct str){0};
	(void)target_make(&arena, &entry, &pod, &want, STR("/k"), &line, 1,
	    &target);
	expected_same("the pod's user", STR("root"), target.user);
	assert_int_equal(target_make(&arena, &entry, &pod, &want,
	    (struct str){0}, NULL, 0, &target), TARGET_FIRST_USE);
	assert_int_equal(target.npins, 0);
	arena_release(&arena);
}

static void
test_target_alias_is_one_plain_word(void **state)
{
	struct arena arena = {0};
	(void)state;

	expected_same("full", STR("podform-abc_d-20260601T120000Z"),
	    target_alias(&arena, STR("abc_d"), STR("2026-06-01T12:00:00Z")));
	/* Of an id '-' and '_' stay; the time of a start is digits alone. */
	expected_same("signs", STR("podform-a-b_c-12"),
	    target_alias(&arena, STR("a-b_c"), STR("1-2_")));
	expected_same("edges", STR("podform-azAZ09-azAZ09"),
	    target_alias(&arena, STR("azAZ09`{@[/:"), STR("azAZ09`{@[/:")));
	expected_same("hostile", STR("podform-a-b"),
	    target_alias(&arena, STR("a *\n"), STR("b,!|@\n")));
	expected_same("no start", STR("podform-a"),
	    target_alias(&arena, STR("a"), (struct str){0}));
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_target_addresses_lead_to_pods),
		cmocka_unit_test(
		    test_target_says_why_an_address_leads_nowhere),
		cmocka_unit_test(test_target_finds_many),
		cmocka_unit_test(test_target_is_as_the_spec_has_it),
		cmocka_unit_test(test_target_is_usable_or_says_why_not),
		cmocka_unit_test(
		    test_target_is_pinned_by_lock_then_log_then_not),
		cmocka_unit_test(test_target_alias_is_one_plain_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
