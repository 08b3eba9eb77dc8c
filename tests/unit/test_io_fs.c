/* test_io_fs.c - real files, real programs, the address rules */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/io_clock.h"
#include "io/io_url.h"
#include "io/io_world.h"

struct place {
	struct arena arena;
	struct fs fs;
	char directory[64];
};

static void
place_open(struct place *place)
{
	*place = (struct place){
		.fs = io_fs(), .directory = "/tmp/podform-test-XXXXXX",
	};
	assert_non_null(mkdtemp(place->directory));
}

static void
place_close(struct place *place)
{
	const char *const argv[] = {
		"rm", "-rf", place->directory, NULL,
	};
	struct str output;
	assert_int_equal(io_command(&place->arena, argv, 5000, 100, &output),
	    0);
	arena_release(&place->arena);
}

static const char *
path(struct place *place, const char *name)
{
	return arena_printf(&place->arena, "%s/%s", place->directory,
	    name).data;
}

static void
assert_text(struct str actual, const char *expected)
{
	struct arena arena = {0};
	assert_string_equal(arena_cstr(&arena, actual), expected);
	arena_release(&arena);
}

static void
put(struct place *place, const char *name, const char *text)
{
	struct fs *fs = &place->fs;
	int fd = fs->open(NULL, path(place, name), FS_READ_WRITE | FS_CREATE,
	    0600);
	assert_true(fd > 2);
	assert_int_equal(fs_write_all(fs, fd, str_from(text)), 0);
	assert_int_equal(fs->sync(NULL, fd), 0);
	assert_int_equal(fs->close(NULL, fd), 0);
}

/* ------------------------------------------------------------- files ---- */

static void
test_io_fs_modes_are_exact_whatever_the_umask(void **state)
{
	static const mode_t masks[] = { 0, 022, 077, 0777 };
	struct place place;
	struct fs_info info;
	(void)state;

	place_open(&place);
	for (size_t i = 0; i < COUNTOF(masks); i++) {
		mode_t before = umask(masks[i]);
		const char *name = path(&place, "f");
		int fd = place.fs.open(NULL, name,
		    FS_APPEND | FS_CREATE | FS_EXCLUSIVE, 0640);
		int made = place.fs.mkdir(NULL, path(&place, "d"), 0750);
		umask(before);
		assert_true(fd > 2);
		assert_int_equal(place.fs.stat_fd(NULL, fd, &info), 0);
		assert_int_equal(info.mode, 0640);
		assert_int_equal(info.type, FS_REGULAR);
		place.fs.close(NULL, fd);
		assert_int_equal(made, 0);
		assert_int_equal(place.fs.stat(NULL, path(&place, "d"), false,
		    &info), 0);
		assert_int_equal(info.mode, 0750);
		assert_int_equal(info.type, FS_DIRECTORY);
		place.fs.unlink(NULL, name);
		rmdir(path(&place, "d"));
	}
	place_close(&place);
}

static void
test_io_fs_open_of_a_file_that_is_there_keeps_its_mode(void **state)
{
	struct place place;
	struct fs_info info;
	(void)state;

	place_open(&place);
	put(&place, "f", "one");
	chmod(path(&place, "f"), 0644);
	int fd = place.fs.open(NULL, path(&place, "f"), FS_APPEND | FS_CREATE,
	    0600);
	assert_true(fd > 2);
	fs_write_all(&place.fs, fd, STR(" two"));
	place.fs.stat_fd(NULL, fd, &info);
	place.fs.close(NULL, fd);
	assert_int_equal(info.mode, 0644);
	assert_int_equal(info.size, 7);
	assert_int_equal(place.fs.open(NULL, path(&place, "f"),
	    FS_APPEND | FS_CREATE | FS_EXCLUSIVE, 0600), -EEXIST);
	struct str text;
	assert_int_equal(fs_read_file(&place.fs, &place.arena,
	    path(&place, "f"), 100, false, &text), 0);
	assert_text(text, "one two");
	place_close(&place);
}

static void
test_io_fs_follows_links_only_when_told(void **state)
{
	struct place place;
	struct fs_info info;
	struct str where;
	(void)state;

	place_open(&place);
	put(&place, "target", "x");
	assert_int_equal(symlink("target", path(&place, "link")), 0);
	assert_int_equal(symlink("nowhere", path(&place, "dangling")), 0);
	assert_int_equal(symlink("loop", path(&place, "loop")), 0);
	assert_int_equal(place.fs.open(NULL, path(&place, "link"), FS_READ,
	    0), -ELOOP);
	/* A link that was planted where we create a file is not followed. */
	assert_int_equal(place.fs.open(NULL, path(&place, "dangling"),
	    FS_READ_WRITE | FS_CREATE, 0600), -ELOOP);
	assert_int_equal(access(path(&place, "nowhere"), F_OK), -1);
	int fd = place.fs.open(NULL, path(&place, "link"),
	    FS_READ | FS_FOLLOW, 0);
	assert_true(fd > 2);
	place.fs.close(NULL, fd);
	assert_int_equal(place.fs.stat(NULL, path(&place, "link"), false,
	    &info), 0);
	assert_int_equal(info.type, FS_SYMLINK);
	assert_int_equal(place.fs.resolve(NULL, &place.arena,
	    path(&place, "link"), &where), 0);
	assert_true(str_ends(where, STR("/target")));
	assert_int_equal(place.fs.resolve(NULL, &place.arena,
	    path(&place, "loop"), &where), -ELOOP);
	place_close(&place);
}

static void
test_io_fs_a_pipe_or_directory_does_not_hang(void **state)
{
	struct place place;
	struct fs_info info;
	struct str text;
	(void)state;

	place_open(&place);
	assert_int_equal(mkfifo(path(&place, "fifo"), 0600), 0);
	int fd = place.fs.open(NULL, path(&place, "fifo"), FS_READ, 0);
	assert_true(fd > 2);
	assert_int_equal(place.fs.stat_fd(NULL, fd, &info), 0);
	assert_int_equal(info.type, FS_OTHER);
	place.fs.close(NULL, fd);
	assert_int_equal(fs_read_file(&place.fs, &place.arena,
	    path(&place, "fifo"), 100, false, &text), -EINVAL);
	assert_int_equal(fs_read_file(&place.fs, &place.arena,
	    place.directory, 100, false, &text), -EISDIR);
	place_close(&place);
}

static void
test_io_fs_descriptors_stay_above_two_and_close_on_exec(void **state)
{
	struct place place;
	int status;
	(void)state;

	place_open(&place);
	put(&place, "f", "x");
	pid_t pid = fork();
	if (pid == 0) {
		close(0);
		close(1);
		close(2);
		int fd = place.fs.open(NULL, path(&place, "f"), FS_READ, 0);
		_exit(fd > 2 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) &&
		    fcntl(0, F_GETFD) == -1 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	place_close(&place);
}

static void
test_io_fs_lists_names_in_order(void **state)
{
	struct place place;
	struct str *names;
	size_t n;
	(void)state;

	place_open(&place);
	assert_int_equal(place.fs.list(NULL, &place.arena, place.directory,
	    &names, &n), 0);
	assert_int_equal(n, 0);
	put(&place, "b", "");
	put(&place, ".hidden", "");
	put(&place, "a", "");
	assert_int_equal(place.fs.list(NULL, &place.arena, place.directory,
	    &names, &n), 0);
	assert_int_equal(n, 3);
	assert_text(names[0], ".hidden");
	assert_text(names[1], "a");
	assert_text(names[2], "b");
	assert_int_equal(place.fs.list(NULL, &place.arena, path(&place, "a"),
	    &names, &n), -ENOTDIR);
	place_close(&place);
}

static void
test_io_fs_a_lock_is_held_once(void **state)
{
	struct place place;
	(void)state;

	place_open(&place);
	put(&place, "mutex", "");
	int one = place.fs.open(NULL, path(&place, "mutex"), FS_READ_WRITE, 0);
	int two = place.fs.open(NULL, path(&place, "mutex"), FS_READ_WRITE, 0);
	assert_int_equal(place.fs.lock(NULL, one), 0);
	assert_int_equal(place.fs.lock(NULL, two), -EWOULDBLOCK);
	place.fs.close(NULL, one);
	assert_int_equal(place.fs.lock(NULL, two), 0);
	place.fs.close(NULL, two);
	place_close(&place);
}

static void
test_io_fs_moves_cuts_and_reports_errors(void **state)
{
	struct place place;
	struct fs_info info;
	(void)state;

	place_open(&place);
	struct fs *fs = &place.fs;
	put(&place, "a", "hello");
	int fd = fs->open(NULL, path(&place, "a"), FS_READ_WRITE, 0);
	assert_int_equal(fs->truncate(NULL, fd, 2), 0);
	assert_int_equal(fs->truncate(NULL, fd, UINT64_MAX), -EFBIG);
	assert_int_equal(fs->sync_data(NULL, fd), 0);
	fs->close(NULL, fd);
	assert_int_equal(fs->link(NULL, path(&place, "a"), path(&place, "b")),
	    0);
	assert_int_equal(fs->stat(NULL, path(&place, "b"), false, &info), 0);
	assert_int_equal(info.size, 2);
	assert_int_equal(info.links, 2);
	assert_int_equal(info.uid, getuid());
	assert_int_equal(fs->rename(NULL, path(&place, "b"),
	    path(&place, "c")), 0);
	assert_int_equal(fs->sync_dir(NULL, place.directory), 0);
	assert_int_equal(fs->unlink(NULL, path(&place, "b")), -ENOENT);
	assert_int_equal(fs->mkdir(NULL, path(&place, "c"), 0700), -EEXIST);
	assert_int_equal(fs->open(NULL, path(&place, "none"), FS_READ, 0),
	    -ENOENT);
	assert_int_equal(fs->read(NULL, -1, &info, 1), -EBADF);
	assert_int_equal(fs->write(NULL, -1, &info, 1), -EBADF);
	assert_int_equal(fs->close(NULL, -1), -EBADF);
	assert_int_equal(fs->sync(NULL, -1), -EBADF);
	place_close(&place);
}

/* ----------------------------------------------------------- programs ---- */

static int
run(struct arena *arena, const char *script, int64_t timeout_ms, size_t limit,
    struct str *output)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	return io_command(arena, argv, timeout_ms, limit, output);
}

static void
test_io_command_gives_output_and_status(void **state)
{
	struct arena arena = {0};
	struct str output;
	(void)state;

	assert_int_equal(run(&arena, "printf secret", 5000, 100, &output), 0);
	assert_text(output, "secret");
	assert_int_equal(run(&arena, "exit 7", 5000, 100, &output), 7);
	assert_int_equal(run(&arena, "kill -9 $$", 5000, 100, &output), 137);
	assert_int_equal(run(&arena, "head -c 101 /dev/zero", 5000, 100,
	    &output), -EFBIG);
	assert_null(output.data);
	const char *const none[] = { "podform-no-such-program", NULL };
	/* Or no permission, where a directory of PATH cannot be searched. */
	int error = io_command(&arena, none, 1000, 10, &output);
	assert_true(error == -ENOENT || error == -EACCES);
	arena_release(&arena);
}

static void
test_io_command_is_ended_at_its_deadline(void **state)
{
	static const char *const scripts[] = {
		"sleep 20",			/* holds its output open */
		"exec >&-; sleep 20",		/* and not */
	};
	struct arena arena = {0};
	struct clock clock = io_clock();
	struct str output;
	(void)state;

	for (size_t i = 0; i < COUNTOF(scripts); i++) {
		int64_t before = clock.mono_ms(NULL);
		assert_int_equal(run(&arena, scripts[i], 200, 100, &output),
		    -ETIMEDOUT);
		assert_in_range(clock.mono_ms(NULL) - before, 190, 3000);
	}
	arena_release(&arena);
}

static void
test_io_command_inherits_nothing_of_ours(void **state)
{
	struct arena arena = {0};
	struct str output;
	(void)state;

	int leak = open("/dev/null", O_RDONLY);	/* no O_CLOEXEC */
	setenv("RUNPOD_API_KEY", "rpa_CANARY", 1);
	setenv("GH_TOKEN", "ghp_CANARY", 1);
	setenv("PODFORM_TEST_KEPT", "kept", 1);
	assert_int_equal(run(&arena, "env | grep CANARY; echo $PODFORM_TEST_"
	    "KEPT; cat; ls /proc/self/fd | wc -l", 5000, 1000, &output), 0);
	/* 0, 1, 2 and the one that ls reads the directory with. */
	assert_text(str_trim(output), "kept\n4");
	unsetenv("RUNPOD_API_KEY");
	unsetenv("GH_TOKEN");
	close(leak);
	arena_release(&arena);
}

/* ---------------------------------------------------------- addresses ---- */

static void
test_io_url_understands_each_way_to_name_the_api(void **state)
{
	static const struct {
		const char *value, *rest, *graphql, *why;
	} cases[] = {
		{ NULL, "https://api.runpod.io/v2",
		  "https://api.runpod.io/graphql", NULL },
		{ "", "https://api.runpod.io/v2",
		  "https://api.runpod.io/graphql", NULL },
		{ "https://x.test", "https://x.test/v2",
		  "https://x.test/graphql", NULL },
		{ "https://x.test/v2/", "https://x.test/v2",
		  "https://x.test/graphql", NULL },
		{ "https://x.test/a/graphql", "https://x.test/a/v2",
		  "https://x.test/a/graphql", NULL },
		{ "http://127.0.0.1:8080", "http://127.0.0.1:8080/v2",
		  "http://127.0.0.1:8080/graphql", NULL },
		{ "http://[::1]:80/v2", "http://[::1]:80/v2",
		  "http://[::1]:80/graphql", NULL },
		{ "http://localhost/graphql", "http://localhost/v2",
		  "http://localhost/graphql", NULL },
		{ "http://api.runpod.io", NULL, NULL, "loopback" },
		{ "http://127.0.0.1.evil.test", NULL, NULL, "loopback" },
		{ "http://127.0.0.1@evil.test", NULL, NULL, "password" },
		{ "http://localhost.evil.test", NULL, NULL, "loopback" },
		{ "ftp://x.test", NULL, NULL, "only https" },
		{ "file:///etc/passwd", NULL, NULL, "not a URL" },
		{ "api.runpod.io", NULL, NULL, "not a URL" },
		{ "https://", NULL, NULL, "not a URL" },
		{ "https://[]", NULL, NULL, "not a URL" },
		{ "http://[::1].evil.test", NULL, NULL, "not a URL" },
		{ "https://x.test/\nHost: y", NULL, NULL, "not a URL" },
		{ "https://x.test?api_key=1", NULL, NULL, "query" },
		{ "https://u:p@x.test", NULL, NULL, "password" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct arena arena = {0};
		struct io_url_cloud urls;
		struct str why = {0};
		bool ok = io_url_cloud(&arena, str_from(cases[i].value), &urls,
		    &why);
		if (ok != (cases[i].why == NULL))
			print_error("%s\n", cases[i].value);
		assert_int_equal(ok, cases[i].why == NULL);
		if (ok) {
			assert_text(urls.rest, cases[i].rest);
			assert_text(urls.graphql, cases[i].graphql);
		} else
			assert_true(str_search(why,
			    str_from(cases[i].why)) >= 0);
		arena_release(&arena);
	}
}

/* Found by fuzzing: no host was the same as an empty one, one way round. */
static void
test_io_url_same_origin_is_the_same_both_ways(void **state)
{
	(void)state;
	assert_false(io_url_same_origin(STR("http://[]1::/"),
	    STR("http:///,:p")));
	assert_false(io_url_same_origin(STR("http:///,:p"),
	    STR("http://[]1::/")));
	assert_true(io_url_same_origin(STR("http://[::1]:80/a"),
	    STR("http://[::1]/b")));
}

static void
test_io_url_github_is_one_base(void **state)
{
	struct arena arena = {0};
	struct str url, why;
	(void)state;
	assert_true(io_url_github(&arena, (struct str){0}, &url, &why));
	assert_text(url, "https://api.github.com");
	assert_true(io_url_github(&arena, STR("https://ghe.test/api/v3/"),
	    &url, &why));
	assert_text(url, "https://ghe.test/api/v3");
	assert_false(io_url_github(&arena, STR("http://ghe.test"), &url,
	    &why));
	arena_release(&arena);
}

static void
test_io_url_proxies_all_but_the_excepted(void **state)
{
	static const struct {
		const char *except, *host;
		bool proxied;
	} cases[] = {
		{ "", "api.runpod.io", true },
		{ "localhost, runpod.io", "api.runpod.io", false },
		{ ".runpod.io", "api.runpod.io", false },
		{ "runpod.io:443", "api.runpod.io", false },
		{ "API.RUNPOD.IO", "api.runpod.io", false },
		{ "notrunpod.io", "api.runpod.io", true },
		{ "pod.io", "api.runpod.io", true },
		{ "*", "api.runpod.io", false },
		{ ",,", "api.runpod.io", true },
		{ "", "localhost", false }, { "", "127.0.0.1", false },
		{ "", "::1", false },
	};
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct str proxy = io_url_proxy(STR("http://proxy:3128"),
		    str_from(cases[i].except), str_from(cases[i].host));
		assert_int_equal(proxy.data != NULL, cases[i].proxied);
	}
	assert_null(io_url_proxy((struct str){0}, STR(""),
	    STR("x.test")).data);
	assert_text(io_url_shown(&arena, STR("http://u:p@proxy:3128/")),
	    "http://(secret)@proxy:3128/");
	assert_text(io_url_shown(&arena, STR("http://proxy:3128")),
	    "http://proxy:3128");
	arena_release(&arena);
}

/* ---------------------------------------------------------- the others ---- */

static void
test_io_world_tells_time_chance_and_environment(void **state)
{
	struct io_config config = {0};
	struct io_world *io = io_world_new(&config);
	struct world *world = io_world_seam(io);
	unsigned char one[16] = {0}, two[16] = {0};
	(void)state;

	int64_t before = world->clock.mono_ms(world->clock.ctx);
	assert_true(world->clock.wall_ms(world->clock.ctx) > 1577836800000);
	assert_true(world->clock.boot_ms(world->clock.ctx) >= before);
	world->chance.bytes(world->chance.ctx, one, sizeof one);
	world->chance.bytes(world->chance.ctx, two, sizeof two);
	assert_memory_not_equal(one, two, sizeof one);
	setenv("PODFORM_TEST_X", "y", 1);
	assert_text(world->environment(world->ctx, "PODFORM_TEST_X"), "y");
	assert_null(world->environment(world->ctx, "PODFORM_TEST_NONE").data);
	io_world_free(io);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_io_fs_modes_are_exact_whatever_the_umask),
		cmocka_unit_test(
		    test_io_fs_open_of_a_file_that_is_there_keeps_its_mode),
		cmocka_unit_test(test_io_fs_follows_links_only_when_told),
		cmocka_unit_test(test_io_fs_a_pipe_or_directory_does_not_hang),
		cmocka_unit_test(
		    test_io_fs_descriptors_stay_above_two_and_close_on_exec),
		cmocka_unit_test(test_io_fs_lists_names_in_order),
		cmocka_unit_test(test_io_fs_a_lock_is_held_once),
		cmocka_unit_test(test_io_fs_moves_cuts_and_reports_errors),
		cmocka_unit_test(test_io_command_gives_output_and_status),
		cmocka_unit_test(test_io_command_is_ended_at_its_deadline),
		cmocka_unit_test(test_io_command_inherits_nothing_of_ours),
		cmocka_unit_test(
		    test_io_url_understands_each_way_to_name_the_api),
		cmocka_unit_test(
		    test_io_url_same_origin_is_the_same_both_ways),
		cmocka_unit_test(test_io_url_github_is_one_base),
		cmocka_unit_test(test_io_url_proxies_all_but_the_excepted),
		cmocka_unit_test(
		    test_io_world_tells_time_chance_and_environment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
