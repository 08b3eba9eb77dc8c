/* test_ssh_keys.c - key files, the project's key, agents, what is signed */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io_clock.h"
#include "io/io_world.h"
#include "ssh/agent.h"
#include "ssh/blob.h"
#include "ssh/key_file.h"
#include "ssh/keys_parts.h"
#include "tests/unit/shell.h"

struct bench {
	struct arena arena;
	const char *directory;
	struct fs fs;
	struct chance chance;
	struct ssh_keys_config config;
	struct ssh_keys *keys;
};

static const char *
path(struct bench *bench, const char *name)
{
	return arena_printf(&bench->arena, "%s/%s", bench->directory,
	    name).data;
}

static struct str
sh(struct bench *bench, const char *text)
{
	return shell_ok(&bench->arena, bench->directory, text);
}

static int
setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	bench->directory = shell_directory(&bench->arena);
	bench->fs = io_fs();
	bench->chance = io_chance();
	bench->config = (struct ssh_keys_config){
		.fs = &bench->fs, .chance = &bench->chance,
		.directory = str_from(path(bench, "share/podform/0123")),
		.comment = STR("podform test"),
	};
	*state = bench;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *bench = *state;
	ssh_keys_free(bench->keys);
	shell_remove(bench->directory);
	arena_release(&bench->arena);
	free(bench);
	return 0;
}

static struct ssh_keys *
keys(struct bench *bench)
{
	if (bench->keys == NULL)
		bench->keys = ssh_keys_new(&bench->config);
	return bench->keys;
}

/* ----------------------------------------------------- the project's key -- */

static void
test_ssh_keys_makes_a_key_that_openssh_reads(void **state)
{
	struct bench *bench = *state;
	struct str why = {0};
	struct stat info;

	if (!ssh_keys_make(keys(bench), &why))
		fail_msg(STR_FMT, STR_ARG(why));
	assert_int_equal(stat(path(bench, "share/podform/0123"), &info), 0);
	assert_int_equal(info.st_mode & 07777, 0700);
	assert_int_equal(stat(path(bench, "share/podform/0123/id_ed25519"),
	    &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	/* Nothing but the key and its public half is left. */
	assert_string_equal(sh(bench, "ls -A share/podform/0123").data,
	    "id_ed25519\nid_ed25519.pub\n");
	sh(bench, "cd share/podform/0123; ssh-keygen -y -f id_ed25519 >a; "
	    "cmp a id_ed25519.pub && grep -q 'podform test$' a && "
	    "ssh-keygen -Y sign -n test -f id_ed25519 a && rm a");
}

static void
test_ssh_keys_uses_an_older_key_for_good(void **state)
{
	struct bench *bench = *state;
	struct str why = {0};
	assert_true(ssh_keys_make(keys(bench), &why));
	sh(bench, "cp share/podform/0123/id_ed25519 before");
	ssh_keys_free(bench->keys);
	bench->keys = NULL;
	assert_true(ssh_keys_make(keys(bench), &why));
	sh(bench, "cmp share/podform/0123/id_ed25519 before");
}

static void
test_ssh_keys_gives_public_halves_each_once(void **state)
{
	struct bench *bench = *state;
	struct str why = {0};
	assert_true(ssh_keys_make(keys(bench), &why));
	sh(bench, "mkdir -p .ssh; ssh-keygen -q -t rsa -b 2048 -N '' -C me "
	    "-f .ssh/id_rsa; cp share/podform/0123/id_ed25519.pub "
	    ".ssh/id_a.pub; echo nonsense >.ssh/id_b.pub; "
	    "cp .ssh/id_rsa.pub .ssh/other.pub");
	struct str got = ssh_keys_public(keys(bench), &bench->arena,
	    str_from(bench->directory));
	struct str want = sh(bench,
	    "cat share/podform/0123/id_ed25519.pub .ssh/id_rsa.pub");
	assert_string_equal(got.data, want.data);
}

/* -------------------------------------------------- good and bad files ---- */

static void
check_good(struct bench *bench, const char *make)
{
	struct str why = {0}, signature;
	struct key_file file;
	const char *reason;

	sh(bench, make);
	if (!ssh_keys_load(keys(bench), str_from(path(bench, "key")), &why))
		fail_msg("%s: " STR_FMT, make, STR_ARG(why));
	key_file_read(&bench->arena, shell_read(&bench->arena,
	    path(bench, "key")), &file);
	assert_int_equal(file.verdict, KEY_FILE_GOOD);
	struct strbuf line = {0};
	key_file_public_line(&line, file.blob, (struct str){0});
	struct str want = sh(bench, "ssh-keygen -y -f key | cut -d' ' -f1,2");
	assert_string_equal(line.data, want.data);
	strbuf_release(&line);
	assert_true(key_file_sign(&bench->arena, file.key, STR("x"),
	    &signature, &reason));
	assert_true(str_eq(blob_key_type(signature),
	    blob_key_type(file.blob)));
	crypto_key_free(file.key);
	ssh_keys_free(bench->keys);
	bench->keys = NULL;
	sh(bench, "rm -f key key.pub");
}

static void
test_ssh_keys_reads_what_ssh_keygen_writes(void **state)
{
	struct bench *bench = *state;
	check_good(bench, "ssh-keygen -q -t ed25519 -N '' -f key");
	check_good(bench, "ssh-keygen -q -t ecdsa -b 256 -N '' -f key");
	check_good(bench, "ssh-keygen -q -t ecdsa -b 384 -N '' -f key");
	check_good(bench, "ssh-keygen -q -t ecdsa -b 521 -N '' -f key");
	check_good(bench, "ssh-keygen -q -t ecdsa -m PEM -N '' -f key");
	check_good(bench, "ssh-keygen -q -t ecdsa -m PKCS8 -N '' -f key");
}

static void
check_bad(struct bench *bench, const char *make, const char *want)
{
	struct str why = {0};
	sh(bench, make);
	assert_false(ssh_keys_load(keys(bench),
	    str_from(path(bench, "key")), &why));
	if (str_search(why, str_from(want)) < 0)
		fail_msg("%s: " STR_FMT, make, STR_ARG(why));
	/* Never a byte of a private key. */
	assert_true(str_search(why, STR("b3BlbnNzaC")) < 0);
	sh(bench, "rm -rf key key.pub");
}

static void
test_ssh_keys_says_what_is_wrong_with_a_file(void **state)
{
	struct bench *bench = *state;
	check_bad(bench, ":", "No such file or directory");
	check_bad(bench, "mkdir key", "Is a directory");
	check_bad(bench, "mkfifo -m 600 key", "it is not a file");
	check_bad(bench, "ssh-keygen -q -t ed25519 -N '' -f key; "
	    "chmod 640 key", "can be read by other users: chmod 600 /");
	check_bad(bench, "ssh-keygen -q -t ed25519 -N '' -f x; "
	    "mv x.pub key; rm x; chmod 600 key",
	    "is a public key: name the private key, the file without .pub");
	check_bad(bench, "umask 77; echo 'PuTTY-User-Key-File-3: ssh-ed25519'"
	    " >key", "is in PuTTY's format: convert it: puttygen");
	check_bad(bench, "ssh-keygen -q -t ed25519 -N '' -f key; "
	    "sed -i 's/$/\\r/' key", "line ends of Windows (CRLF)");
	check_bad(bench, "umask 77; : >key", "is empty");
	check_bad(bench, "umask 77; head -c 1048576 /dev/zero >key",
	    "it is longer than any key");
	check_bad(bench, "umask 77; echo hello >key", "is no private key");
	check_bad(bench, "ssh-keygen -q -t ed25519 -N secret -f key",
	    "has a passphrase, and there is no terminal to ask for it");
	check_bad(bench, "ssh-keygen -q -t ecdsa -m PEM -N secret -f key",
	    "has a passphrase, and there is no terminal to ask for it");
}

static void
test_ssh_keys_refuses_rsa_in_all_forms_with_the_way_out(void **state)
{
	struct bench *bench = *state;
	const char *want = "is an RSA key, which the SSH library can use with "
	    "old servers only: make another one: ssh-keygen -t ed25519";
	check_bad(bench, "ssh-keygen -q -t rsa -b 2048 -N '' -f key", want);
	check_bad(bench, "ssh-keygen -q -t rsa -b 2048 -N secret -f key",
	    want);
	check_bad(bench, "ssh-keygen -q -t rsa -b 2048 -m PEM -N '' -f key",
	    want);
	check_bad(bench, "ssh-keygen -q -t rsa -b 2048 -m PKCS8 -N '' -f key",
	    want);
	check_bad(bench, "ssh-keygen -q -t rsa -b 2048 -m PEM -N secret "
	    "-f key", want);
}

/* Any byte changed or cut: refused or the same key, and no crash. */
static void
test_ssh_keys_takes_no_damaged_file(void **state)
{
	struct bench *bench = *state;
	sh(bench, "ssh-keygen -q -t ed25519 -C '' -N '' -f key");
	struct str good = shell_read(&bench->arena, path(bench, "key"));
	char *bytes = arena_alloc(&bench->arena, good.len);
	struct key_file file;

	for (size_t cut = 0; cut + 36 < good.len; cut++) {
		key_file_read(&bench->arena, str_sub(good, 0, cut), &file);
		assert_int_equal(file.verdict, KEY_FILE_BAD);
	}
	/* From the first letter of the body to the end of the private part:
	 * only its comment and the numbers that nobody reads may differ. */
	size_t taken = 0;
	for (size_t i = 0; i + 1 < good.len; i++) {
		memcpy(bytes, good.data, good.len);
		bytes[i] = bytes[i] == 'A' ? 'B' : 'A';
		key_file_read(&bench->arena, (struct str){ bytes, good.len },
		    &file);
		taken += file.verdict == KEY_FILE_GOOD;
		crypto_key_free(file.key);
	}
	assert_int_equal(taken, 0);
}

/* -------------------------------------------------------------- agents ---- */

static void
test_ssh_keys_lists_and_signs_with_an_agent(void **state)
{
	struct bench *bench = *state;
	struct agent_key *list;
	struct str signature, socket = str_from(path(bench, "agent"));
	size_t n;

	sh(bench, "ssh-keygen -q -t ed25519 -N '' -C one -f one; "
	    "ssh-keygen -q -t rsa -b 2048 -N '' -C two -f two");
	sh(bench, "eval $(ssh-agent -a agent) >/dev/null; "
	    "echo $SSH_AGENT_PID >pid; ssh-add -q one; ssh-add -q two");
	struct agent_op *op = agent_op_list(socket);
	assert_true(agent_op_finish(op, AGENT_MS));
	assert_true(agent_op_keys(op, &bench->arena, &list, &n));
	agent_op_free(op);
	assert_int_equal(n, 2);
	assert_true(str_is(list[0].comment, "one"));
	assert_true(agent_key_usable(list[0].blob));
	assert_false(agent_key_usable(list[1].blob));
	op = agent_op_sign(socket, list[0].blob, STR("data"));
	assert_true(agent_op_finish(op, AGENT_MS));
	assert_true(agent_op_signature(op, &bench->arena, &signature));
	agent_op_free(op);
	assert_true(str_is(blob_key_type(signature), "ssh-ed25519"));

	/* All of its keys may be given to pods, for the user's own ssh. */
	bench->config.agent = socket;
	struct str lines = ssh_keys_public(keys(bench), &bench->arena,
	    (struct str){0});
	assert_string_equal(lines.data, sh(bench, "cat one.pub two.pub")
	    .data);
	/* A key that it does not have. */
	op = agent_op_sign(socket, STR("nonsense"), STR("data"));
	assert_true(agent_op_finish(op, AGENT_MS));
	assert_false(agent_op_signature(op, &bench->arena, &signature));
	agent_op_free(op);
	sh(bench, "kill $(cat pid)");
}

/* A passphrase is asked for by nobody where the user's agent has the key. */
static void
test_ssh_keys_signs_a_locked_file_with_the_agent_that_has_it(void **state)
{
	struct bench *bench = *state;
	struct str why = {0}, agent, file = str_from(path(bench, "locked"));
	struct identities list = {0};

	sh(bench, "ssh-keygen -q -t ed25519 -N '' -f locked; "
	    "eval $(ssh-agent -a agent) >/dev/null; echo $SSH_AGENT_PID >pid; "
	    "ssh-add -q locked; ssh-keygen -q -p -N secret -f locked");
	bench->config.agent = str_from(path(bench, "agent"));
	bool ok = ssh_keys_load(keys(bench), file, &why) &&
	    keys_offer(keys(bench), file, &list, &agent, &why);
	sh(bench, "kill $(cat pid)");
	if (!ok)
		fail_msg(STR_FMT, STR_ARG(why));
	assert_int_equal(list.n, 1);
	assert_null(list.list[0].key);
	assert_true(str_eq(list.list[0].agent, bench->config.agent));
	assert_true(agent.len == 0);	/* no other key of it is offered */
}

static void
check_no_agent(struct bench *bench, const char *want)
{
	struct agent_op *op = agent_op_list(str_from(path(bench, "agent")));
	assert_false(agent_op_finish(op, 300));
	assert_string_equal(agent_op_why(op), want);
	agent_op_free(op);
}

static void
test_ssh_keys_waits_for_no_agent(void **state)
{
	struct bench *bench = *state;
	check_no_agent(bench, "it is gone");
	/* One that listens and never speaks; it ends by itself. */
	sh(bench, "python3 -c '\n"
	    "import os, signal, socket\n"
	    "s = socket.socket(socket.AF_UNIX); s.bind(\"agent\")\n"
	    "s.listen()\n"
	    "if os.fork(): os._exit(0)\n"
	    "os.setsid()\n"
	    "signal.alarm(20)\n"
	    "for fd in range(3): os.close(fd)\n"
	    "a, _ = s.accept(); b, _ = s.accept()\n"
	    "b.recv(100); b.send(b\"\\xff\\xff\\xff\\xff\\x0c\")\n"
	    "b.recv(100)'");
	check_no_agent(bench, "it does not answer");
	check_no_agent(bench, "its answer is too long");
}

static void
test_ssh_keys_asks_for_a_passphrase_on_the_terminal(void **state)
{
	struct bench *bench = *state;
	struct str output;
	sh(bench, "ssh-keygen -q -t ed25519 -N 'correct horse' -f key");
	/* This very program, on a terminal of its own: see main(). */
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	assert_true(n > 0);
	self[n] = '\0';
	int status = shell_run(&bench->arena, bench->directory, arena_printf(
	    &bench->arena, "python3 -c '\n"
	    "import os, pty, sys, time, select\n"
	    "pid, fd = pty.fork()\n"
	    "if pid == 0: os.execv(\"%s\", [\"test\", \"--ask\", \"key\"])\n"
	    "said = b\"\"; sent = False\n"
	    "while True:\n"
	    "    try: more = os.read(fd, 4096)\n"
	    "    except OSError: break\n"
	    "    if not more: break\n"
	    "    said += more\n"
	    "    if b\"passphrase\" in said and not sent:\n"
	    "        os.write(fd, b\"correct horse\\n\"); sent = True\n"
	    "sys.stdout.buffer.write(said)\n"
	    "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n'",
	    self).data, &output);
	if (status != 0)
		fail_msg("%d: %s", status, output.data);
	assert_true(str_search(output, STR("signed\r\n")) >= 0);
	/* Its agent is gone, with its directory. */
	assert_true(str_search(output, STR("agent: gone\r\n")) >= 0);
}

/* ------------------------------------------------------ what is signed ---- */

static struct str
login(struct arena *arena, struct str session, unsigned message,
    const char *user, const char *service, unsigned signature,
    const char *type, struct str key, const char *more)
{
	struct strbuf out = {0};
	blob_put_string(&out, session);
	blob_put_u8(&out, (uint8_t)message);
	blob_put_string(&out, str_from(user));
	blob_put_string(&out, str_from(service));
	blob_put_string(&out, STR("publickey"));
	blob_put_u8(&out, (uint8_t)signature);
	blob_put_string(&out, str_from(type));
	blob_put_string(&out, key);
	strbuf_adds(&out, more);
	struct str text = arena_str(arena, strbuf_str(&out));
	strbuf_release(&out);
	return text;
}

static void
test_ssh_keys_signs_a_login_and_nothing_else(void **state)
{
	struct bench *bench = *state;
	struct arena *arena = &bench->arena;
	struct str id = STR("0123456789012345678901234567890x");
	struct strbuf key = {0};
	blob_put_string(&key, STR("ssh-ed25519"));
	blob_put_string(&key, STR("0123456789012345678901234567890x"));
	struct str blob = strbuf_str(&key);
	const char *c = "ssh-connection", *t = "ssh-ed25519";

	struct str good = login(arena, id, 50, "root", c, 1, t, blob, "");
	assert_true(keys_is_login(good, STR("root"), blob));
	assert_false(keys_is_login(good, STR("user"), blob));
	assert_false(keys_is_login(good, STR("root"), STR("other")));
	const struct str wrong[] = {
		login(arena, STR("short"), 50, "root", c, 1, t, blob, ""),
		login(arena, id, 51, "root", c, 1, t, blob, ""),
		login(arena, id, 50, "toor", c, 1, t, blob, ""),
		login(arena, id, 50, "root", "sshsig", 1, t, blob, ""),
		login(arena, id, 50, "root", c, 0, t, blob, ""),
		login(arena, id, 50, "root", c, 1, "ssh-rsa", blob, ""),
		login(arena, id, 50, "root", c, 1, t, STR("x"), ""),
		login(arena, id, 50, "root", c, 1, t, blob, "more"),
		STR("SSHSIG"), STR(""),
	};
	for (size_t i = 0; i < COUNTOF(wrong); i++)
		assert_false(keys_is_login(wrong[i], STR("root"), blob));
	for (size_t n = 0; n < good.len; n++)
		assert_false(keys_is_login(str_sub(good, 0, n), STR("root"),
		    blob));
	strbuf_release(&key);
}

/* ------------------------------------------------------------------------- */

/* The child of the test with a terminal: load, sign, free, tell. */
static int
ask(const char *name)
{
	void *state;
	struct str why = {0}, agent;
	struct identities list = {0};
	setup(&state);
	struct bench *bench = state;
	bench->config.may_ask = true;
	bool ok = ssh_keys_load(keys(bench), str_from(name), &why) &&
	    keys_offer(keys(bench), str_from(name), &list, &agent, &why) &&
	    list.n == 1 && list.list[0].key == NULL;
	struct str socket = ok ? arena_str(&bench->arena,
	    list.list[0].agent) : STR("?");
	struct agent_op *op = agent_op_sign(socket, list.list[0].blob,
	    STR("x"));
	struct str signature;
	if (ok && agent_op_finish(op, AGENT_MS) &&
	    agent_op_signature(op, &bench->arena, &signature))
		printf("signed\n");
	agent_op_free(op);
	printf(STR_FMT "\n", STR_ARG(why));
	struct stat info;
	struct arena arena = {0};
	const char *was = arena_cstr(&arena, socket);
	bool there = stat(was, &info) == 0;
	teardown(&state);
	printf("agent: %s\n", there && stat(was, &info) != 0 ? "gone" :
	    "wrong");
	arena_release(&arena);
	return ok ? 0 : 1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ssh_keys_makes_a_key_that_openssh_reads),
		TEST(test_ssh_keys_uses_an_older_key_for_good),
		TEST(test_ssh_keys_gives_public_halves_each_once),
		TEST(test_ssh_keys_reads_what_ssh_keygen_writes),
		TEST(test_ssh_keys_says_what_is_wrong_with_a_file),
		TEST(test_ssh_keys_refuses_rsa_in_all_forms_with_the_way_out),
		TEST(test_ssh_keys_takes_no_damaged_file),
		TEST(test_ssh_keys_lists_and_signs_with_an_agent),
		TEST(test_ssh_keys_signs_a_locked_file_with_the_agent_that_has_it),
		TEST(test_ssh_keys_waits_for_no_agent),
		TEST(test_ssh_keys_asks_for_a_passphrase_on_the_terminal),
		TEST(test_ssh_keys_signs_a_login_and_nothing_else),
	};
	if (argc == 3 && strcmp(argv[1], "--ask") == 0)
		return ask(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
