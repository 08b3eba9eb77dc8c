/* test_cmd_host_keys.c - .podform/known_hosts: what is kept of the keys that
 * were seen, and which one ssh is told of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/ssh.h"
#include "cmd/podform/host_keys.h"
#include "cmd_world.h"
#include "lock_fixture.h"

#define KNOWN ".podform/known_hosts"
#define BLOB_A STR("\0\0\0\013ssh-ed25519\0\0\0\040" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
#define KEY_A " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFhYWFhYWFhYWFhYWFh" \
	"YWFhYWFhYWFhYWFhYWFhYWFh\n"
#define BLOB_B STR("\0\0\0\023ecdsa-sha2-nistp256\0\0\0\010nistp256")
#define KEY_B " ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAI" \
	"bmlzdHAyNTY=\n"

static struct ssh_target
target(const char *pod, const char *start)
{
	return (struct ssh_target){ .pod = str_from(pod),
		.start = str_from(start), .host = STR("10.0.0.1"),
		.port = 2222 };
}

static bool
file_has(struct cmd_world *world, const char *text)
{
	return str_search(fake_fs_text(world->fake, KNOWN),
	    str_from(text)) >= 0;
}

/* A new start of a container takes the place of the older one; pods that no
 * record knows go; another pod whose id begins alike stays. */
static void
test_cmd_host_keys_keeps_those_of_living_pods(void **state)
{
	struct cmd_world world;
	struct ssh_target first, again, near, gone;

	(void)state;
	cmd_world_init(&world);
	struct lock *lock = bare_lock(&world.app.arena, 1);
	struct lock_entry one = full_pod("pod.one", "p1");
	struct lock_entry two = full_pod("pod.two", "p12");
	struct lock_entry volume = full_volume("volume.v", "p9");
	*ARENA_PUSH(&world.app.arena, &lock->entries) = one;
	*ARENA_PUSH(&world.app.arena, &lock->entries) = two;
	*ARENA_PUSH(&world.app.arena, &lock->entries) = volume;
	first = target("p1", "2026-01-01T00:00:00Z");
	again = target("p1", "2026-01-02T00:00:00Z");
	near = target("p12", "2026-01-01T00:00:00Z");
	gone = target("p9", "2026-01-01T00:00:00Z");
	assert_null(host_keys_seen(&world.app, &first).data);
	host_keys_remember(&world.app, NULL, &gone, BLOB_A);
	assert_non_null(host_keys_seen(&world.app, &gone).data);
	/* Without a lock nothing is known to be gone. */
	host_keys_remember(&world.app, NULL, &first, BLOB_A);
	assert_non_null(host_keys_seen(&world.app, &gone).data);
	host_keys_remember(&world.app, lock, &near, BLOB_B);
	assert_null(host_keys_seen(&world.app, &gone).data);
	assert_non_null(host_keys_seen(&world.app, &first).data);
	host_keys_remember(&world.app, lock, &again, BLOB_B);
	assert_null(host_keys_seen(&world.app, &first).data);
	assert_non_null(host_keys_seen(&world.app, &again).data);
	assert_non_null(host_keys_seen(&world.app, &near).data);
	assert_true(file_has(&world, KEY_B));
	assert_false(file_has(&world, KEY_A));
	cmd_world_release(&world);
}

/* The disk fails at each call: the file is the old one or the new one, and
 * none lies beside it. */
static void
test_cmd_host_keys_are_written_whole_or_not_at_all(void **state)
{
	(void)state;
	for (uint64_t nth = 1; nth < 60; nth++) {
		struct cmd_world world;
		struct ssh_target one = target("p1", "a"),
		    two = target("p2", "b");
		cmd_world_init(&world);
		host_keys_remember(&world.app, NULL, &one, BLOB_A);
		struct str before = arena_str(&world.app.arena,
		    fake_fs_text(world.fake, KNOWN));
		world.fake->faults = (struct fake_faults){
			.at = world.fake->calls + nth, .fault = nth % 2 ?
			    FAULT_ERROR : FAULT_SHORT };
		host_keys_remember(&world.app, NULL, &two, BLOB_B);
		bool fired = world.fake->fired;
		world.fake->faults.at = 0;
		struct str after = fake_fs_text(world.fake, KNOWN);
		assert_true(str_eq(before, after) ||
		    host_keys_seen(&world.app, &two).data != NULL);
		assert_int_equal(fake_fs_open_handles(world.fake), 0);
		cmd_world_release(&world);
		if (!fired)
			break;
		assert_true(nth < 59);
	}
}

static void
test_cmd_host_keys_has_one_of_the_pins(void **state)
{
	struct cmd_world world;
	struct ssh_target one = target("p1", "a");

	(void)state;
	cmd_world_init(&world);
	assert_false(host_keys_has(&world.app, &one));
	host_keys_remember(&world.app, NULL, &one, BLOB_A);
	assert_true(host_keys_has(&world.app, &one));	/* nothing better */
	struct str pins[] = { STR("SHA256:other"),
		host_keys_seen(&world.app, &one) };
	one.pins = pins;
	one.npins = 1;
	assert_false(host_keys_has(&world.app, &one));
	one.npins = 2;
	assert_true(host_keys_has(&world.app, &one));
	cmd_world_release(&world);
}

/* ----------------------------------------------------------------- scan -- */

static struct {
	const char *prints;
	int status, runs;
} scanner;

static int
run_scan(void *ctx, struct arena *arena, const char *const *argv,
    int64_t timeout_ms, size_t limit, struct str *output)
{
	size_t n = 0;

	(void)ctx;
	(void)arena;
	while (argv[n] != NULL)
		n++;
	/* A host is never an option. */
	assert_string_equal(argv[n - 1], "10.0.0.1");
	assert_string_equal(argv[n - 2], "--");
	assert_string_equal(argv[n - 3], "2222");
	assert_true(timeout_ms > 0 && limit > 0);
	scanner.runs++;
	*output = str_from(scanner.prints);
	return scanner.status;
}

#define SCAN "ssh-keyscan of OpenSSH is needed for that"
#define NO_KEY "error: cannot read the host key of pod.one at " \
	"10.0.0.1 port 2222 [PF0864]\n   hint: "

static void
test_cmd_host_keys_ensure_takes_the_right_one_only(void **state)
{
	static const struct {
		const char *prints;
		int status;
		const char *pin;	/* NULL: none is known */
		bool ok, first;
		const char *said;	/* begins so */
	} cases[] = {
		{ "10.0.0.1" KEY_A, 0, NULL, true, true, "" },
		{ "10.0.0.1" KEY_A, 0, "SHA256:"
		  "nothing", false, false, "error: the host key of "
		  "pod.one is not the right one: nothing was sent [PF0865]\n"
		  "   hint: it has SHA256:" },
		{ "", 1, NULL, false, false, NO_KEY "its SSH server does not "
		  "answer" },
		{ "# nothing\n", 0, "SHA256:x", false, false, NO_KEY "its "
		  "SSH server does not answer" },
		{ "", 127, NULL, false, false, NO_KEY SCAN },
		{ "", -2, NULL, false, false, NO_KEY SCAN },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct world outside = { .run_command = run_scan };
		struct cmd_world world;
		struct ssh_target one = target("p1", "a");
		struct str pin = str_from(cases[i].pin);
		bool first = false;
		cmd_world_init(&world);
		world.app.world = &outside;
		one.pins = &pin;
		one.npins = pin.data != NULL;
		scanner.prints = cases[i].prints;
		scanner.status = cases[i].status;
		scanner.runs = 0;
		assert_int_equal(host_keys_ensure(&world.app, NULL,
		    STR("pod.one"), &one, &first), cases[i].ok);
		assert_int_equal(first, cases[i].first);
		const char *said = cmd_world_said(&world);
		if (strncmp(said, cases[i].said, strlen(cases[i].said)) != 0)
			fail_msg("case %zu: %s", i, said);
		assert_int_equal(host_keys_seen(&world.app, &one).data !=
		    NULL, cases[i].ok);
		assert_int_equal(scanner.runs, 1);
		/* What is known is not asked for again. */
		if (cases[i].ok)
			assert_true(host_keys_ensure(&world.app, NULL,
			    STR("pod.one"), &one, &first) && !first &&
			    scanner.runs == 1);
		cmd_world_release(&world);
	}
}

static void
test_cmd_host_keys_ensure_goes_by_the_pin(void **state)
{
	struct world outside = { .run_command = run_scan };
	struct cmd_world world;
	struct ssh_target one = target("p1", "a");
	bool first = true;

	(void)state;
	cmd_world_init(&world);
	world.app.world = &outside;
	host_keys_remember(&world.app, NULL, &one, BLOB_A);
	struct str pin = host_keys_seen(&world.app, &one);
	fake_fs_remove(world.fake, KNOWN);
	one.pins = &pin;
	one.npins = 1;
	scanner.prints = "10.0.0.1" KEY_B "10.0.0.1" KEY_A;
	scanner.status = 0;
	assert_true(host_keys_ensure(&world.app, NULL, STR("pod.one"), &one,
	    &first));
	assert_false(first);
	assert_true(file_has(&world, KEY_A));
	assert_false(file_has(&world, KEY_B));
	cmd_world_release(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_cmd_host_keys_keeps_those_of_living_pods),
		cmocka_unit_test(
		    test_cmd_host_keys_are_written_whole_or_not_at_all),
		cmocka_unit_test(test_cmd_host_keys_has_one_of_the_pins),
		cmocka_unit_test(
		    test_cmd_host_keys_ensure_takes_the_right_one_only),
		cmocka_unit_test(test_cmd_host_keys_ensure_goes_by_the_pin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
