/* test_cmd_pod_output.c - bytes of a pod on their way to a terminal, a file,
 * a log of GitHub Actions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/podform/pod_output.h"
#include "cmd_world.h"

/* What is written to an output of this kind, in the arena of the world. */
static struct str
written(struct cmd_world *world, struct pod_output *output)
{
	off_t len = lseek(output->fd, 0, SEEK_CUR);
	char *text = arena_alloc(&world->app.arena, (size_t)len + 1);

	assert_int_equal(pread(output->fd, text, (size_t)len, 0), len);
	close(output->fd);
	return (struct str){ text, (size_t)len };
}

static void
open_output(struct cmd_world *world, struct pod_output *output,
    bool terminal, bool actions, bool raw, struct str prefix)
{
	cmd_world_init(world);
	cmd_world_environment((const char *[]){ actions ?
		"GITHUB_ACTIONS=true" : "GITHUB_ACTIONS=false", NULL });
	world->app.out_facts.terminal = terminal;
	pod_output_init(output, &world->app, STDOUT_FILENO, raw, prefix);
	output->fd = memfd_create("out", MFD_CLOEXEC);
	assert_true(output->fd >= 0);
}

struct output_case {
	bool terminal, actions, raw;
	const char *prefix;
	const char *pieces[4];
	const char *wanted;
};

static void
test_cmd_pod_output_by_kind_of_stream(void **state)
{
	static const struct output_case cases[] = {
		/* A file gets every byte. */
		{ false, false, false, NULL, { "a\x1b[31m\xff", "\r\n" },
		  "a\x1b[31m\xff\r\n" },
		{ true, false, true, NULL, { "\x1b[31m" }, "\x1b[31m" },
		{ false, true, true, NULL, { "::error::x\n" },
		  "::error::x\n" },
		/* A terminal is not ordered about, and keeps its lines. */
		{ true, false, false, NULL, { "a\x1b[31m\tb\r\n" },
		  "a\\x1b[31m\tb\r\n" },
		{ true, false, false, NULL, { "\xff\xc3(" },
		  "\\xff\\xc3(" },
		/* A character in pieces is one character. */
		{ true, false, false, NULL, { "\xc3", "\xa4." },
		  "\xc3\xa4." },
		{ true, false, false, NULL, { "\xe2\x82", "\xac" },
		  "\xe2\x82\xac" },
		{ true, false, false, NULL, { "\xf0\x9f", "\x98", "\x80" },
		  "\xf0\x9f\x98\x80" },
		/* What never was one comes in the end. */
		{ true, false, false, NULL, { "x\xf0\x9f\x98" },
		  "x\\xf0\\x9f\\x98" },
		{ true, false, false, NULL, { "\x80\x80\x80\x80", "\n" },
		  "\\x80\\x80\\x80\\x80\n" },
		/* With a prefix whole lines, and the last one gets an end. */
		{ false, false, false, "pod.a: ", { "one\ntw", "o\n\nend" },
		  "pod.a: one\npod.a: two\npod.a: \npod.a: end\n" },
		{ true, false, false, "pod.a: ", { "\x1b]0;x\n" },
		  "pod.a: \\x1b]0;x\n" },
		/* No line is an order to the runner of GitHub Actions. */
		{ false, true, false, NULL, { "::add-mask::x\n :: y\n",
		    "##[error]z\n#[x]\na::b" },
		  "\\x3a:add-mask::x\n \\x3a: y\n\\x23#[error]z\n#[x]\n"
		  "a::b" },
		{ false, true, false, NULL, { ":", ":stop\n" },
		  "\\x3a:stop\n" },
		{ false, true, false, NULL, { "::end" }, "\\x3a:end" },
		{ true, true, false, NULL, { "::a\x1b\n" },
		  "\\x3a:a\\x1b\n" },
		{ false, true, false, "pod.a: ", { "::x\n" },
		  "pod.a: \\x3a:x\n" },
		{ false, false, false, NULL, { "" }, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		const struct output_case *c = &cases[i];
		struct pod_output output;
		struct cmd_world world;
		open_output(&world, &output, c->terminal, c->actions, c->raw,
		    str_from(c->prefix));
		for (size_t k = 0; k < 4 && c->pieces[k] != NULL; k++)
			pod_output_add(&output, str_from(c->pieces[k]));
		pod_output_end(&output);
		struct str got = written(&world, &output);
		if (!str_is(got, c->wanted))
			fail_msg("case %zu: '" STR_FMT "', wanted '%s'", i,
			    STR_ARG(got), c->wanted);
		assert_false(output.closed);
		cmd_world_release(&world);
	}
}

/* A line that never ends is cut, so that it takes no more than its room. */
static void
test_cmd_pod_output_cuts_lines_without_end(void **state)
{
	enum { LINE = 64 << 10 };
	static char bytes[3 * LINE / 2];
	struct pod_output output;
	struct cmd_world world;

	(void)state;
	memset(bytes, 'x', sizeof bytes);
	open_output(&world, &output, false, false, false, STR("p: "));
	pod_output_add(&output, (struct str){ bytes, sizeof bytes });
	pod_output_add(&output, (struct str){ bytes, LINE / 2 });
	pod_output_add(&output, STR("\n"));
	pod_output_end(&output);
	struct str got = written(&world, &output);
	/* Two full lines, and the newline behind the second is one more. */
	assert_int_equal(got.len, 2 * (3 + LINE + 1) + 4);
	assert_true(str_starts(got, STR("p: xxx")));
	assert_int_equal(got.data[3 + LINE], '\n');
	assert_true(str_ends(got, STR("x\np: \n")));
	cmd_world_release(&world);
}

static void
test_cmd_pod_output_line_is_one_line(void **state)
{
	struct pod_output output;
	struct cmd_world world;

	(void)state;
	open_output(&world, &output, true, true, false, (struct str){0});
	pod_output_line(&output, STR("::notice\x07"));
	pod_output_line(&output, (struct str){0});
	assert_true(str_is(written(&world, &output),
	    "\\x3a:notice\\x07\n\n"));
	cmd_world_release(&world);
}

/* Nobody reads: said once, and nothing is kept for it. */
static void
test_cmd_pod_output_sees_that_nobody_reads(void **state)
{
	struct pod_output output;
	struct cmd_world world;
	int ends[2];

	(void)state;
	cmd_world_init(&world);
	pod_output_init(&output, &world.app, STDERR_FILENO, false,
	    (struct str){0});
	assert_int_equal(pipe(ends), 0);
	signal(SIGPIPE, SIG_IGN);
	close(ends[0]);
	output.fd = ends[1];
	pod_output_add(&output, STR("x"));
	assert_true(output.closed);
	pod_output_add(&output, STR("more"));
	pod_output_end(&output);
	assert_int_equal(output.line.len, 0);
	close(ends[1]);
	cmd_world_release(&world);
}

/* A pipe that is full is waited for, but not beyond an interruption. */
static void
test_cmd_pod_output_leaves_a_full_pipe_on_a_signal(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	static char bytes[1 << 20];

	(void)state;
	for (size_t i = 0; i < COUNTOF(signals); i++) {
		struct pod_output output;
		struct cmd_world world;
		sigset_t set, old;
		int ends[2];
		cmd_world_init(&world);
		pod_output_init(&output, &world.app, STDERR_FILENO, false,
		    (struct str){0});
		assert_int_equal(pipe(ends), 0);
		output.fd = ends[1];
		sigemptyset(&set);
		sigaddset(&set, signals[i]);
		sigprocmask(SIG_BLOCK, &set, &old);
		raise(signals[i]);
		pod_output_add(&output, (struct str){ bytes, sizeof bytes });
		assert_true(output.closed);
		assert_int_equal(sigtimedwait(&set, NULL,
		    &(struct timespec){0}), signals[i]);
		sigprocmask(SIG_SETMASK, &old, NULL);
		close(ends[0]);
		close(ends[1]);
		cmd_world_release(&world);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cmd_pod_output_by_kind_of_stream),
		cmocka_unit_test(test_cmd_pod_output_cuts_lines_without_end),
		cmocka_unit_test(test_cmd_pod_output_line_is_one_line),
		cmocka_unit_test(test_cmd_pod_output_sees_that_nobody_reads),
		cmocka_unit_test(
		    test_cmd_pod_output_leaves_a_full_pipe_on_a_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
