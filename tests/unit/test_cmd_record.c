/* test_cmd_record.c - a record as people and programs read it, and the state
 * that status and output give it beside what the services report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cmd/podform/picture.h"
#include "cmd/podform/record.h"
#include "expected.h"
#include "lock_fixture.h"

static struct lock_entry
runner_entry(void)
{
	static struct str labels[] = { STR_INIT("gpu"), STR_INIT("a\x1b[m") };

	return (struct lock_entry){
		.kind = KIND_RUNNER, .address = STR("runner.ci"),
		.id = STR("17"), .op = op_id(3), .price_per_hour = 0,
		.runner = { .repository = STR("acme/model"),
		    .name = STR("ci-pf0011"), .labels = labels, .nlabels = 2,
		    .group = STR("gpus"), .version = STR("2.336.0"),
		    .ephemeral = true, .pod = STR("pod.trainer"),
		    .pod_id = STR("p1") },
	};
}

static void
test_cmd_record_state_is_the_last_applied(void **state)
{
	static const struct {
		struct lock_entry entry;
		const char *wanted;
	} cases[] = {
		{ { .kind = KIND_POD }, "running" },
		{ { .kind = KIND_POD, .stopped = true }, "stopped" },
		{ { .kind = KIND_POD, .tainted = true }, "tainted" },
		{ { .kind = KIND_POD, .deposed = true, .tainted = true },
		  "deposed" },
		{ { .kind = KIND_VOLUME }, "kept" },
		{ { .kind = KIND_VOLUME, .deposed = true }, "deposed" },
		{ { .kind = KIND_RUNNER }, "registered" },
		{ { .kind = KIND_RUNNER, .tainted = true }, "tainted" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++)
		assert_true(str_is(record_state(&cases[i].entry),
		    cases[i].wanted));
}

static void
add(struct strbuf *out, struct arena *arena, const struct lock_entry *entry)
{
	struct json_writer w = { .out = out, .indent = 2 };

	record_text(out, arena, entry, (struct style){ .width = 80 });
	record_json(&w, entry);
	strbuf_addc(out, '\n');
}

/* Everything that a record can hold, and records that hold next to nothing;
 * what came from outside cannot order a terminal about. */
static void
test_cmd_record_shows_all_that_is_known(void **state)
{
	struct arena arena = {0};
	struct strbuf out = {0};
	struct lock_entry pod = full_pod("pod.trainer", "p1");
	struct lock_entry volume = full_volume("volume.data", "v1");
	struct lock_entry runner = runner_entry();
	struct lock_entry bare = { .kind = KIND_POD,
		.address = STR("pod.bare"), .id = STR("p2"),
		.pod = { .gpu = STR("NVIDIA A40"), .gpu_count = 1,
		    .tier = TIER_COMMUNITY }, .price_per_hour = -1 };
	struct lock_entry org = { .kind = KIND_RUNNER,
		.address = STR("runner.org"), .id = STR("18"),
		.runner = { .organization = STR("acme") } };

	(void)state;
	pod.inside.host_key = STR("SHA256:abc");
	pod.inside.nsteps = 2;
	add(&out, &arena, &pod);
	add(&out, &arena, &volume);
	add(&out, &arena, &runner);
	add(&out, &arena, &bare);
	add(&out, &arena, &org);
	expected_text("cmd_records", strbuf_str(&out));
	strbuf_release(&out);
	arena_release(&arena);
}

static void
test_cmd_record_is_found_by_short_names_too(void **state)
{
	static const struct {
		const char *asked, *address, *said;
	} cases[] = {
		{ "pod.trainer", "pod.trainer", "" },
		{ "trainer", "pod.trainer", "" },
		{ "volume.data", "volume.data", "" },
		{ "data", NULL, "error: there is no record of 'data'"
		  " [PF0850]\n   hint: podform state list shows what there "
		  "is\n" },
		{ "trianer", NULL, "error: there is no record of "
		  "'trianer'; did you mean 'pod.trainer'? [PF0850]\n   hint: "
		  "podform state list shows what there is\n" },
		{ "pod.\x1b[31m", NULL, "error: there is no record "
		  "of 'pod.\\x1b[31m' [PF0850]\n   hint: podform state list "
		  "shows what there is\n" },
	};
	struct bench b;

	(void)state;
	bench_init(&b);
	struct lock *lock = bare_lock(&b.arena, 4);
	struct lock_entry pod = full_pod("pod.trainer", "p1");
	struct lock_entry volume = full_volume("volume.data", "v1");
	*ARENA_PUSH(&b.arena, &lock->entries) = pod;
	*ARENA_PUSH(&b.arena, &lock->entries) = volume;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct lock_entry *found = record_find(lock,
		    str_from(cases[i].asked), &b.diags);
		assert_string_equal(bench_report(&b), cases[i].said);
		if (cases[i].address == NULL)
			assert_null(found);
		else
			assert_true(found != NULL && str_is(found->address,
			    cases[i].address));
	}
	bench_release(&b);
}

/* -------------------------------------------------------------- picture -- */

static void
test_cmd_picture_state_of_pods_and_volumes(void **state)
{
	static const struct {
		enum pod_status status;
		bool runtime;
		const char *text, *wanted;
		enum paint paint;
	} cases[] = {
		{ POD_PROVISIONING, false, "", "provisioning", PAINT_YELLOW },
		{ POD_STARTING, true, "", "starting", PAINT_YELLOW },
		{ POD_RUNNING, false, "", "starting", PAINT_YELLOW },
		{ POD_RUNNING, true, "", "running", PAINT_GREEN },
		{ POD_EXITED, false, "", "stopped", PAINT_CYAN },
		{ POD_ERROR, true, "", "error", PAINT_RED },
		{ POD_TERMINATED, false, "", "gone", PAINT_RED },
		{ POD_UNKNOWN, false, "MIGRATING", "MIGRATING",
		  PAINT_YELLOW },
		{ POD_UNKNOWN, true, "", "unknown", PAINT_YELLOW },
	};
	struct lock_entry entry = full_pod("pod.trainer", "p1");
	struct lock_entry volume = full_volume("volume.data", "v1");
	struct cloud_volume seen = volume.volume;
	struct arena arena = {0};
	enum paint paint;

	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct cloud_pod pod = { .id = STR("p1"),
			.status = cases[i].status,
			.has_runtime = cases[i].runtime,
			.status_text = str_from(cases[i].text) };
		struct picture picture = {0};
		map_put(&picture.pods, &arena, pod.id, &pod);
		assert_true(str_is(picture_state(&picture, &entry, &paint),
		    cases[i].wanted));
		assert_int_equal(paint, cases[i].paint);
		/* Where nobody was asked, the record is what is known. */
		picture.session.live.from_lock = true;
		assert_true(str_is(picture_state(&picture, &entry, &paint),
		    "stopped"));
		assert_int_equal(paint, PAINT_NONE);
	}
	struct picture picture = {0};
	assert_true(str_is(picture_state(&picture, &entry, &paint), "gone"));
	assert_int_equal(paint, PAINT_RED);
	assert_true(str_is(picture_state(&picture, &volume, &paint),
	    "gone"));
	map_put(&picture.volumes, &arena, seen.id, &seen);
	assert_true(str_is(picture_state(&picture, &volume, &paint),
	    "there"));
	/* A pod whose id is that of a volume is not there for that. */
	entry.id = STR("v1");
	assert_true(str_is(picture_state(&picture, &entry, &paint), "gone"));
	arena_release(&arena);
}

static void
test_cmd_picture_state_of_runners(void **state)
{
	static const struct {
		bool asked, known, listed, online, busy;
		const char *id, *wanted;
		enum paint paint;
	} cases[] = {
		{ false, true, true, true, true, "17", "unknown",
		  PAINT_YELLOW },
		{ true, false, true, true, true, "17", "unknown",
		  PAINT_YELLOW },
		{ true, true, false, true, true, "17", "gone", PAINT_RED },
		{ true, true, true, false, false, "17", "offline",
		  PAINT_RED },
		{ true, true, true, true, false, "17", "online",
		  PAINT_GREEN },
		{ true, true, true, true, true, "17", "busy", PAINT_YELLOW },
		/* Busy, as GitHub says also of one that it cannot hear. */
		{ true, true, true, false, true, "17", "busy",
		  PAINT_YELLOW },
		/* A lock that somebody has edited. */
		{ true, true, true, true, false, "x", "gone", PAINT_RED },
		{ true, true, true, true, false, "0", "gone", PAINT_RED },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct lock_entry entry = runner_entry();
		struct github_runner live[] = { { .id = 16, .online = true },
			{ .id = 17, .online = cases[i].online,
			  .busy = cases[i].busy } };
		struct live_scope scopes[] = {
			{ .scope = { .organization = STR("acme") },
			  .known = true },
			{ .scope = { .repository = cases[i].asked ?
			    STR("acme/model") : STR("acme/other") },
			  .known = cases[i].known, .runners = live,
			  .nrunners = cases[i].listed ? 2 : 1 },
		};
		struct picture picture = { .session.live = {
			.scopes = scopes, .nscopes = COUNTOF(scopes) } };
		enum paint paint;
		entry.id = str_from(cases[i].id);
		struct str got = picture_state(&picture, &entry, &paint);
		if (!str_is(got, cases[i].wanted) || paint != cases[i].paint)
			fail_msg("case %zu: " STR_FMT ", %d", i,
			    STR_ARG(got), (int)paint);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cmd_record_state_is_the_last_applied),
		cmocka_unit_test(test_cmd_record_shows_all_that_is_known),
		cmocka_unit_test(test_cmd_record_is_found_by_short_names_too),
		cmocka_unit_test(test_cmd_picture_state_of_pods_and_volumes),
		cmocka_unit_test(test_cmd_picture_state_of_runners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
