/*
 * test_ssh_keys_failing.c - keys on a disk that fails, with an ssh-agent that
 * is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/io_clock.h"
#include "io/io_world.h"
#include "ssh/keys_parts.h"
#include "tests/unit/shell.h"

enum call { NOTHING, OPEN, WRITE, SYNC, CLOSE, LINK, RENAME, MKDIR, SYNC_DIR,
	STAT, MKDTEMP, PIPE, SPAWN };

static enum call failing;
static int failing_errno, failing_skip;

static bool
fails(enum call call)
{
	if (call != failing || failing_skip-- > 0)
		return false;
	failing = NOTHING;			/* once */
	errno = failing_errno;
	return true;
}

/* ------------------------------------------------------- the real calls ---- */

static struct bench {
	struct arena arena;
	const char *directory;
	struct fs fs, real;
	struct chance chance;
	struct ssh_keys_config config;
	struct ssh_keys *keys;
	const char *rival;		/* a key that comes first */
	const char *made;		/* directory of an agent of ours */
	struct str why;
} bench;

static int
fs_open(void *ctx, const char *path, unsigned flags, unsigned mode)
{
	return fails(OPEN) ? -failing_errno :
	    bench.real.open(ctx, path, flags, mode);
}

static ssize_t
fs_write(void *ctx, int fd, const void *buf, size_t n)
{
	return fails(WRITE) ? -failing_errno :
	    bench.real.write(ctx, fd, buf, n);
}

static int
fs_sync(void *ctx, int fd)
{
	return fails(SYNC) ? -failing_errno : bench.real.sync(ctx, fd);
}

static int
fs_close(void *ctx, int fd)
{
	int error = bench.real.close(ctx, fd);
	return fails(CLOSE) ? -failing_errno : error;
}

static int
fs_link(void *ctx, const char *from, const char *to)
{
	if (bench.rival != NULL)
		assert_int_equal(bench.real.link(ctx, bench.rival, to), 0);
	return fails(LINK) ? -failing_errno : bench.real.link(ctx, from, to);
}

static int
fs_rename(void *ctx, const char *from, const char *to)
{
	return fails(RENAME) ? -failing_errno :
	    bench.real.rename(ctx, from, to);
}

static int
fs_mkdir(void *ctx, const char *path, unsigned mode)
{
	return fails(MKDIR) ? -failing_errno :
	    bench.real.mkdir(ctx, path, mode);
}

static int
fs_sync_dir(void *ctx, const char *path)
{
	return fails(SYNC_DIR) ? -failing_errno :
	    bench.real.sync_dir(ctx, path);
}

static int
fs_stat(void *ctx, const char *path, bool follow, struct fs_info *info)
{
	return fails(STAT) ? -failing_errno :
	    bench.real.stat(ctx, path, follow, info);
}

/* In the place of those of libc: see the Makefile. */
char *__real_mkdtemp(char *template);
char *__wrap_mkdtemp(char *template);
char *
__wrap_mkdtemp(char *template)
{
	if (fails(MKDTEMP) || __real_mkdtemp(template) == NULL)
		return NULL;
	if (strstr(template, "podform-agent") != NULL)
		bench.made = arena_str(&bench.arena,
		    str_from(template)).data;
	return template;
}

int __real_pipe2(int pair[2], int flags);
int __wrap_pipe2(int pair[2], int flags);
int
__wrap_pipe2(int pair[2], int flags)
{
	return fails(PIPE) ? -1 : __real_pipe2(pair, flags);
}

int __real_posix_spawnp(pid_t *pid, const char *file,
    const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *how,
    char *const argv[], char *const environment[]);
int __wrap_posix_spawnp(pid_t *pid, const char *file,
    const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *how,
    char *const argv[], char *const environment[]);
int
__wrap_posix_spawnp(pid_t *pid, const char *file,
    const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *how,
    char *const argv[], char *const environment[])
{
	return fails(SPAWN) ? failing_errno : __real_posix_spawnp(pid, file,
	    actions, how, argv, environment);
}

/* ------------------------------------------------------------- the bench ---- */

static const char *
path(const char *name)
{
	return arena_printf(&bench.arena, "%s/%s", bench.directory,
	    name).data;
}

static struct str
sh(const char *text)
{
	return shell_ok(&bench.arena, bench.directory, text);
}

static void
renew(void)
{
	ssh_keys_free(bench.keys);
	bench.keys = ssh_keys_new(&bench.config);
	bench.why = (struct str){0};
}

static int
setup(void **state)
{
	(void)state;
	bench.directory = shell_directory(&bench.arena);
	bench.fs = bench.real = io_fs();
	bench.fs.open = fs_open;
	bench.fs.write = fs_write;
	bench.fs.sync = fs_sync;
	bench.fs.close = fs_close;
	bench.fs.link = fs_link;
	bench.fs.rename = fs_rename;
	bench.fs.mkdir = fs_mkdir;
	bench.fs.sync_dir = fs_sync_dir;
	bench.fs.stat = fs_stat;
	bench.chance = io_chance();
	bench.config = (struct ssh_keys_config){
		.fs = &bench.fs, .chance = &bench.chance,
		.directory = str_from(path("share/p")),
		.comment = STR("podform test"),
	};
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	failing = NOTHING;
	ssh_keys_free(bench.keys);
	shell_remove(bench.directory);
	arena_release(&bench.arena);
	memset(&bench, 0, sizeof bench);
	return 0;
}

static void
check_why(const char *want)
{
	if (str_search(bench.why, str_from(want)) < 0)
		fail_msg("'" STR_FMT "', not '%s'", STR_ARG(bench.why), want);
}

/* ------------------------------------------------------------- the disk ---- */

static void
test_key_is_whole_or_not_there(void **state)
{
	static const struct { enum call call; int error, skip; } rows[] = {
		{ MKDIR, EACCES, 0 }, { MKDIR, EROFS, 1 },
		{ OPEN, EACCES, 0 }, { WRITE, ENOSPC, 0 }, { SYNC, EIO, 0 },
		{ CLOSE, EDQUOT, 0 }, { LINK, EMLINK, 0 },
		{ SYNC_DIR, EIO, 0 },
		/* The public half is only for people. */
		{ OPEN, EMFILE, 1 }, { WRITE, ENOSPC, 1 }, { SYNC, EIO, 1 },
		{ CLOSE, EIO, 1 }, { RENAME, EACCES, 0 },
		{ SYNC_DIR, EIO, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		renew();
		failing = rows[i].call;
		failing_errno = rows[i].error;
		failing_skip = rows[i].skip;
		assert_false(ssh_keys_make(bench.keys, &bench.why));
		assert_int_equal(failing, NOTHING);
		check_why("cannot make the project's SSH key '");
		check_why(strerror(rows[i].error));
		/* No half of one, and nothing that would lie there for ever. */
		sh("for i in share/p/*; do case $i in share/p/id_ed25519|"
		    "share/p/id_ed25519.pub|share/p/\\*) ;; *) exit 1 ;; "
		    "esac; done; [ ! -e share/p/id_ed25519 ] || "
		    "ssh-keygen -y -f share/p/id_ed25519");
		renew();
		assert_true(ssh_keys_make(bench.keys, &bench.why));
		sh("rm -r share");
	}
	/* Between looking for a directory and making it, another has. */
	renew();
	failing = STAT;
	failing_errno = ENOENT;
	failing_skip = 1;
	assert_true(ssh_keys_make(bench.keys, &bench.why));
}

static void
test_key_of_another_podform_is_taken(void **state)
{
	struct str agent;
	struct identities list = {0};

	(void)state;
	sh("ssh-keygen -q -t ed25519 -N '' -C rival -f rival");
	bench.rival = path("rival");
	renew();
	assert_true(ssh_keys_make(bench.keys, &bench.why));
	sh("cmp rival share/p/id_ed25519; [ $(ls share/p | wc -l) = 1 ]");
	assert_true(keys_offer(bench.keys, (struct str){0}, &list, &agent,
	    &bench.why));
	assert_int_equal(list.n, 1);
	assert_true(str_eq(list.list[0].words, STR("the project's key")));
}

static void
test_key_that_cannot_be_looked_at_is_named(void **state)
{
	struct identities list = {0};
	struct str agent;

	(void)state;
	sh("ssh-keygen -q -t ed25519 -N '' -f key");
	renew();
	failing = STAT;
	failing_errno = EACCES;
	assert_false(ssh_keys_load(bench.keys, str_from(path("key")),
	    &bench.why));
	check_why("cannot read the key '");
	check_why("': Permission denied");
	failing = OPEN;
	assert_false(ssh_keys_load(bench.keys, str_from(path("key")),
	    &bench.why));
	check_why("': Permission denied");
	/* Nor are other keys offered in its place. */
	bench.config.key_path = str_from(path("none"));
	renew();
	assert_false(keys_offer(bench.keys, (struct str){0}, &list, &agent,
	    &bench.why));
	check_why("/none': No such file or directory");
	assert_false(keys_offer(bench.keys, str_from(path("nor")), &list,
	    &agent, &bench.why));
	check_why("/nor': No such file or directory");
	assert_false(ssh_keys_check(bench.keys, (struct str){0}, true,
	    &bench.why));
	check_why("/none': No such file or directory");
	assert_false(ssh_keys_load(bench.keys, (struct str){0}, &bench.why));
	bench.config.key_path = (struct str){0};
	/* And the project's, where it is none. */
	sh("mkdir -p share/p; echo nonsense >share/p/id_ed25519; "
	    "chmod 600 share/p/id_ed25519");
	renew();
	assert_false(keys_offer(bench.keys, (struct str){0}, &list, &agent,
	    &bench.why));
	check_why("share/p/id_ed25519' ");
	assert_false(ssh_keys_make(bench.keys, &bench.why));
	assert_int_equal(ssh_keys_public(bench.keys, &bench.arena,
	    (struct str){0}).len, 0);
	assert_int_equal(list.n, 0);
}

static void
test_keys_beyond_what_servers_take_are_left_out(void **state)
{
	struct identities list = {0};

	(void)state;
	renew();
	/* More public halves than a pod gets, and what is no key at all. */
	sh("mkdir .ssh .ssh/id_directory.pub; ln -s gone .ssh/id_gone.pub; "
	    "python3 -c 'import base64, struct\n"
	    "for i in range(60):\n"
	    "    t = b\"ssh-ed25519\"\n"
	    "    k = struct.pack(\">I\", 11) + t + struct.pack(\">I\", 32) + "
	    "bytes([i]) * 32\n"
	    "    open(f\".ssh/id_{i}.pub\", \"wb\").write(t + b\" \" + "
	    "base64.b64encode(k) + b\" me\\n\")'");
	struct str all = ssh_keys_public(bench.keys, &bench.arena,
	    str_from(bench.directory));
	size_t lines = 0;
	for (size_t i = 0; i < all.len; i++)
		lines += all.data[i] == '\n';
	assert_int_equal(lines, 48);
	for (int i = 0; i < 20; i++)
		identities_add(&list, &(struct identity){
		    .blob = arena_printf(&bench.arena, "%d", i / 2) });
	assert_int_equal(list.n, IDENTITIES_MAX);
	assert_true(str_is(list.list[IDENTITIES_MAX - 1].blob, "5"));
}

/* -------------------------------------------------------------- an agent ---- */

static void
test_passphrase_is_not_asked_for_in_vain(void **state)
{
	static const struct {
		const char *bin, *want;	/* what PATH has, and what is said */
		const char *key;
		enum call call;
		int error, skip;
	} rows[] = {
		{ .bin = "", .want = "the program ssh-agent is missing: "
		  "install openssh-client" },
		{ .bin = "put ssh-agent 'exit 0'",
		  .want = "ssh-agent does not start" },
		{ .bin = "put ssh-agent 'echo nonsense'",
		  .want = "ssh-agent does not start" },
		{ .bin = "put ssh-agent 'echo 1'",
		  .want = "ssh-agent does not start" },
		{ .bin = "put ssh-agent 'echo -7'",
		  .want = "ssh-agent does not start" },
		{ .bin = "put ssh-agent 'printf %099d 7'",
		  .want = "ssh-agent does not start" },
		{ .bin = "agent", .call = MKDTEMP, .error = EACCES,
		  .want = "no directory can be made in /tmp" },
		{ .bin = "agent", .call = PIPE, .error = EMFILE,
		  .want = "no descriptors are left" },
		{ .bin = "agent", .call = PIPE, .error = EMFILE, .skip = 1,
		  .want = "no descriptors are left" },
		{ .bin = "agent", .call = SPAWN, .error = EAGAIN,
		  .want = "ssh-agent does not start" },
		{ .bin = "agent", .want = "the program ssh-add is missing: "
		  "install openssh-client" },
		{ .bin = "agent; put ssh-add 'exit 1'",
		  .want = "no passphrase, or not the right one" },
		{ .bin = "agent; put ssh-add 'kill -9 $$'",
		  .want = "no passphrase, or not the right one" },
		{ .bin = "agent; put ssh-add 'exit 0'",
		  .want = "ssh-agent does not have it" },
		/* Another one is not taken for it. */
		{ .bin = "agent; put ssh-add \"exec $real -q $PWD/other\"",
		  .want = "ssh-agent does not have it" },
		/* Whose public half the file does not show. */
		{ .bin = "agent; put ssh-add \"exec $real -q $PWD/rsa\"",
		  .key = "pem", .want = "is of a kind that the SSH library "
		  "cannot use (RSA?)" },
		{ .bin = "agent; put ssh-add \"exec $real -q $PWD/other\"",
		  .key = "pem", .want = "" },
	};
	char *before = strdup(getenv("PATH"));

	(void)state;
	sh("ssh-keygen -q -t ed25519 -N secret -f key; "
	    "ssh-keygen -q -t ed25519 -N '' -f other; "
	    "ssh-keygen -q -t rsa -b 2048 -N '' -f rsa; "
	    "ssh-keygen -q -t ecdsa -m PEM -N secret -f pem");
	bench.config.may_ask = true;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		sh(arena_printf(&bench.arena, "rm -rf bin; mkdir bin; "
		    "real=$(command -v ssh-add); "
		    "put() { printf '#!/bin/sh\\n%%s\\n' \"$2\" >bin/$1; "
		    "chmod 755 bin/$1; }; "
		    "agent() { ln -s $(command -v ssh-agent) bin/ssh-agent; }; "
		    "ln -s $(command -v cat) bin/cat; %s",
		    rows[i].bin).data);
		renew();
		assert_true(bench.made == NULL ||
		    access(bench.made, F_OK) != 0);
		setenv("PATH", path("bin"), 1);
		failing = rows[i].call;
		failing_errno = rows[i].error;
		failing_skip = rows[i].skip;
		bool ok = ssh_keys_load(bench.keys, str_from(path(
		    rows[i].key != NULL ? rows[i].key : "key")), &bench.why);
		setenv("PATH", before, 1);
		assert_int_equal(failing, NOTHING);
		assert_int_equal(ok, rows[i].want[0] == '\0');
		if (!ok)
			check_why(rows[i].want);
	}
	renew();
	assert_int_not_equal(access(bench.made, F_OK), 0);
	free(before);
}

static void
test_passphrase_nobody_can_give_is_said_before(void **state)
{
	(void)state;
	sh("ssh-keygen -q -t ed25519 -N secret -f key; "
	    "ssh-keygen -q -t ecdsa -m PEM -N secret -f pem; "
	    "ssh-keygen -q -t ed25519 -N '' -f open");
	struct str key = str_from(path("key")), open = str_from(path("open"));

	renew();
	assert_true(ssh_keys_check(bench.keys, (struct str){0}, false,
	    &bench.why));
	assert_true(ssh_keys_load(bench.keys, (struct str){0}, &bench.why));
	assert_true(ssh_keys_check(bench.keys, open, false, &bench.why));
	assert_true(ssh_keys_load(bench.keys, open, &bench.why));
	assert_true(ssh_keys_check(bench.keys, open, false, &bench.why));
	assert_true(ssh_keys_check(bench.keys, key, true, &bench.why));
	assert_false(ssh_keys_check(bench.keys, key, false, &bench.why));
	check_why("has a passphrase, and there is no terminal to ask");
	assert_false(ssh_keys_load(bench.keys, key, &bench.why));
	check_why("has a passphrase, and there is no terminal to ask");
	/* An agent that is not there has none of them. */
	bench.config.agent = str_from(path("none"));
	renew();
	assert_false(ssh_keys_check(bench.keys, key, false, &bench.why));
	assert_false(ssh_keys_check(bench.keys, str_from(path("pem")), false,
	    &bench.why));
	assert_int_equal(ssh_keys_public(bench.keys, &bench.arena,
	    (struct str){0}).len, 0);
	/* Where there is a terminal, somebody can be asked later. */
	bench.config.may_ask = true;
	renew();
	assert_true(ssh_keys_check(bench.keys, key, false, &bench.why));
	ssh_keys_free(NULL);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(test_key_is_whole_or_not_there),
		EACH(test_key_of_another_podform_is_taken),
		EACH(test_key_that_cannot_be_looked_at_is_named),
		EACH(test_keys_beyond_what_servers_take_are_left_out),
		EACH(test_passphrase_is_not_asked_for_in_vain),
		EACH(test_passphrase_nobody_can_give_is_said_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
