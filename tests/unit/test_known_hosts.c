/* test_known_hosts.c - remembered host keys, and what ssh is told of them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "expected.h"
#include "ssh/blob.h"
#include "ssh/known_hosts.h"
#include "ui/ssh_config.h"

#define BLOB_A STR("\0\0\0\013ssh-ed25519\0\0\0\040" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
#define LINE_A " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFhYWFhYWFhYWFhYWFh" \
	"YWFhYWFhYWFhYWFhYWFhYWFh\n"
#define BLOB_B STR("\0\0\0\023ecdsa-sha2-nistp256\0\0\0\010nistp256")
#define LINE_B " ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAI" \
	"bmlzdHAyNTY=\n"

static struct str
put(struct arena *arena, const char *old, const char *alias, struct str blob,
    bool (*keep)(void *ctx, struct str alias), bool *ok)
{
	struct strbuf out = {0};
	bool done = known_hosts_put(&out, str_from(old), str_from(alias),
	    blob, keep, NULL);
	struct str text = arena_str(arena, strbuf_str(&out));

	strbuf_release(&out);
	if (ok != NULL)
		*ok = done;
	return text;
}

static bool
keep_two(void *ctx, struct str alias)
{
	(void)ctx;
	return str_starts(alias, STR("podform-two"));
}

static void
test_known_hosts_keeps_one_line_for_each_container(void **state)
{
	struct arena arena = {0};
	struct str text = put(&arena, "", "podform-one-1", BLOB_A, NULL, NULL);
	(void)state;

	expected_same("first", STR("podform-one-1" LINE_A), text);
	text = put(&arena, arena_cstr(&arena, text), "podform-two-1", BLOB_B,
	    NULL, NULL);
	expected_same("second", STR("podform-one-1" LINE_A
	    "podform-two-1" LINE_B), text);
	text = put(&arena, arena_cstr(&arena, text), "podform-one-1", BLOB_B,
	    NULL, NULL);
	expected_same("again", STR("podform-two-1" LINE_B
	    "podform-one-1" LINE_B), text);
	text = put(&arena, arena_cstr(&arena, text), "podform-six-1", BLOB_A,
	    keep_two, NULL);
	expected_same("pruned", STR("podform-two-1" LINE_B
	    "podform-six-1" LINE_A), text);
	arena_release(&arena);
}

static void
test_known_hosts_leaves_out_what_is_none_of_ours(void **state)
{
	static const char *const old[] = {
		"* ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFhYWFhYWFhYWFhYWFh"
		    "YWFhYWFhYWFhYWFhYWFhYWFh\n",
		"@cert-authority podform-x" LINE_A, "podform-x\n", "\n", "#\n",
		"podform-x,*" LINE_A, "podform-x ssh-rsa AAAA\n",
		"podform-x ssh-ed25519 AAAA\n",
		"podform-x ssh-dss AAAAC3NzaC1lZDI1NTE5AAAAIGFhYWFhYWFhYWFh"
		    "YWFhYWFhYWFhYWFhYWFhYWFhYWFh\n",
		"podform-x ssh-ed25519 not base64\n",
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(old); i++) {
		struct arena arena = {0};
		expected_same(old[i], STR("podform-one" LINE_A), put(&arena,
		    old[i], "podform-one", BLOB_A, NULL, NULL));
		arena_release(&arena);
	}
}

static void
test_known_hosts_refuses_keys_and_names_that_are_none(void **state)
{
	struct arena arena = {0};
	bool ok = true;
	(void)state;

	put(&arena, "", "podform-a", STR("\0\0\0\007ssh-rsa\0\0\0\1x"), NULL,
	    &ok);
	assert_false(ok);
	put(&arena, "", "podform-a", STR(""), NULL, &ok);
	assert_false(ok);
	put(&arena, "", "podform-a", STR("\0\0\0\013ssh-ed25519"), NULL, &ok);
	assert_false(ok);
	put(&arena, "", "podform-a *", BLOB_A, NULL, &ok);
	assert_false(ok);
	put(&arena, "", "github.com", BLOB_A, NULL, &ok);
	assert_false(ok);
	arena_release(&arena);
}

/* What ssh-keygen -lf says about the same line. */
static void
test_known_hosts_tells_the_fingerprint(void **state)
{
	struct arena arena = {0};
	struct str print = {0};
	(void)state;

	assert_true(known_hosts_find(&arena, STR("podform-two" LINE_B
	    "podform-one" LINE_A), STR("podform-one"), &print));
	expected_same("print", STR("SHA256:"
	    "TGIk2D1DFZBKmjWssB2+Qdiona/OUK1TSuWAAHMK+n0"), print);
	assert_false(known_hosts_find(&arena, STR("podform-one" LINE_A),
	    STR("podform-on"), &print));
	assert_false(known_hosts_find(&arena, STR(""), STR("podform-one"),
	    &print));
	arena_release(&arena);
}

static void
test_known_hosts_chooses_the_pinned_key_of_a_scan(void **state)
{
	static const char scan[] =
	    "# comment\n[127.0.0.1]:2222 ssh-rsa AAAA\n"
	    "[127.0.0.1]:2222" LINE_B "[127.0.0.1]:2222" LINE_A "nonsense\n";
	static const char a[] =
	    "SHA256:TGIk2D1DFZBKmjWssB2+Qdiona/OUK1TSuWAAHMK+n0";
	struct arena arena = {0};
	struct str blob, seen, pin;
	(void)state;

	assert_true(known_hosts_choose(&arena, str_from(scan), NULL, 0, &blob,
	    &seen));
	assert_true(str_eq(blob, BLOB_A));
	pin = blob_fingerprint(&arena, BLOB_B);
	assert_true(known_hosts_choose(&arena, str_from(scan), &pin, 1, &blob,
	    &seen));
	assert_true(str_eq(blob, BLOB_B));
	expected_same("seen", pin, seen);
	struct str both[] = { pin, blob_fingerprint(&arena, BLOB_A) };
	assert_true(known_hosts_choose(&arena, str_from(scan), both, 2, &blob,
	    &seen));
	assert_true(str_eq(blob, BLOB_A));	/* the stronger one */
	pin = STR("SHA256:0000000000000000000000000000000000000000000");
	assert_false(known_hosts_choose(&arena, str_from(scan), &pin, 1,
	    &blob, &seen));
	expected_same("other", str_from(a), seen);
	assert_false(known_hosts_choose(&arena, STR("x ssh-rsa AAAA\n"), NULL,
	    0, &blob, &seen));
	assert_null(seen.data);
	arena_release(&arena);
}

/* ---------------------------------------------------------- ssh-config -- */

static const struct ssh_config_host good = {
	.address = STR_INIT("pod.trainer[1]"), .project = STR_INIT("demo"),
	.host = STR_INIT("195.26.233.3"), .port = 34446,
	.user = STR_INIT("root"), .key = STR_INIT("/home/a b/id_ed25519"),
	.known_hosts = STR_INIT("/p/50%/.podform/known_hosts"),
	.alias = STR_INIT("podform-x-2026"),
};

static void
check_block(const char *name, const struct ssh_config_host *host, bool ok,
    const char *want)
{
	struct strbuf out = {0};

	assert_int_equal(ssh_config_block(&out, host), ok);
	expected_same(name, str_from(want), strbuf_str(&out));
	strbuf_release(&out);
}

static void
test_ssh_config_writes_a_block(void **state)
{
	struct ssh_config_host host = good;
	(void)state;

	check_block("full", &host, true,
	    "Host pod.trainer[1] podform-demo-trainer-1\n"
	    "  HostName 195.26.233.3\n"
	    "  Port 34446\n"
	    "  User root\n"
	    "  IdentityFile \"/home/a b/id_ed25519\"\n"
	    "  UserKnownHostsFile \"/p/50%%/.podform/known_hosts\"\n"
	    "  HostKeyAlias podform-x-2026\n"
	    "  StrictHostKeyChecking yes\n"
	    "  CheckHostIP no\n"
	    "  UpdateHostKeys no\n");
	host.project = host.key = (struct str){0};
	host.address = STR("pod.trainer");
	host.host = STR("2001:db8::1");
	check_block("bare", &host, true,
	    "Host pod.trainer\n"
	    "  HostName 2001:db8::1\n"
	    "  Port 34446\n"
	    "  User root\n"
	    "  UserKnownHostsFile \"/p/50%%/.podform/known_hosts\"\n"
	    "  HostKeyAlias podform-x-2026\n"
	    "  StrictHostKeyChecking yes\n"
	    "  CheckHostIP no\n"
	    "  UpdateHostKeys no\n");
}

static void
test_ssh_config_lets_nothing_break_out(void **state)
{
	static const char *const hosts[] = { "", "-oProxyCommand=x",
		"a\nProxyCommand x", "a b", "%h", "$(x)", "a;b", "\"", "*" };
	static const char *const users[] = { "", "-l", "a b", "r\nHost *",
		"%r", "\"", "a@b" };
	static const char *const paths[] = { "id", "~/id", "/a\nHost *",
		"/a\"b", "/a\\b", "/${HOME}/x", "/a\177" };
	(void)state;

	for (size_t i = 0; i < COUNTOF(hosts); i++) {
		struct ssh_config_host host = good;
		host.host = str_from(hosts[i]);
		check_block(hosts[i], &host, false, "# pod.trainer[1]: its "
		    "host is no host name or address\n");
	}
	for (size_t i = 0; i < COUNTOF(users); i++) {
		struct ssh_config_host host = good;
		host.user = str_from(users[i]);
		check_block(users[i], &host, false, "# pod.trainer[1]: its "
		    "user is no user name\n");
	}
	for (size_t i = 0; i < COUNTOF(paths); i++) {
		struct ssh_config_host host = good;
		host.key = str_from(paths[i]);
		check_block(paths[i], &host, false, "# pod.trainer[1]: the "
		    "path of its key cannot be written\n");
		host = good;
		host.known_hosts = str_from(paths[i]);
		check_block(paths[i], &host, false, "# pod.trainer[1]: the "
		    "path of its host key cannot be written\n");
	}
	struct ssh_config_host host = good;
	host.address = STR("pod.a\nHost *");
	check_block("address", &host, false,
	    "# pod.a\\nHost *: its name cannot be written\n");
	struct strbuf out = {0};
	ssh_config_comment(&out, STR("pod.a"), STR("x\n\033[31mHost *"));
	expected_same("comment", STR("# pod.a: x\\n\\x1b[31mHost *\n"),
	    strbuf_str(&out));
	strbuf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_known_hosts_keeps_one_line_for_each_container),
		cmocka_unit_test(
		    test_known_hosts_leaves_out_what_is_none_of_ours),
		cmocka_unit_test(
		    test_known_hosts_refuses_keys_and_names_that_are_none),
		cmocka_unit_test(test_known_hosts_tells_the_fingerprint),
		cmocka_unit_test(
		    test_known_hosts_chooses_the_pinned_key_of_a_scan),
		cmocka_unit_test(test_ssh_config_writes_a_block),
		cmocka_unit_test(test_ssh_config_lets_nothing_break_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
